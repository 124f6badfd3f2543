"""ABXI gives the numbers of its first release: states, loss, gradients, ranking states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import builders
import torch
from recmerge_bench_plugins.cdsr.abxi import ABXI, ABXIOptions
from safetensors.torch import load_file
from torch import Tensor

from recmerge_bench.data.sequences import Batch
from recmerge_bench.toolkit.models.losses import valid_tokens


def golden_net(tensors: dict[str, Tensor]) -> tuple[ABXI, Any]:
    definition = ABXI(
        ABXIOptions(width=16, domain_rank=4, invariant_rank=6, dropout=0.0, max_len=12)
    )
    net: Any = definition.build(builders.catalogue((25, 35)), ("alpha", "beta"), 0)
    net.load_state_dict(renamed({k[6:]: v for k, v in tensors.items() if k.startswith("param/")}))
    return definition, net


def renamed(old: dict[str, Tensor]) -> dict[str, Tensor]:
    """Reference names and layouts to ours; names that `old` lacks are left out."""
    new: dict[str, Tensor] = {}

    def put(name: str, *keys: str) -> None:
        if all(k in old for k in keys):
            new[name] = torch.cat([old[k] for k in keys]) if len(keys) > 1 else old[keys[0]]

    new["tables.alpha"], new["tables.beta"] = old["ei.weight"][1:26], old["ei.weight"][26:]
    new["positions"] = old["ep.weight"][1:]
    for kind in ("weight", "bias"):
        q, k, v = old[f"mha.mha.in_proj_{kind}"].chunk(3)
        new[f"encoders.0.attention.query.{kind}"] = q
        new[f"encoders.0.attention.memory.{kind}"] = torch.cat([k, v])
        put(f"encoders.0.attention.out.{kind}", f"mha.mha.out_proj.{kind}")
        put(f"encoders.0.norm.{kind}", f"mha.norm_mha.{kind}")
        for n, name in enumerate("xab"):
            put(f"norms.{n}.{kind}", f"norm_sa_{name}.{kind}")
        for n, name in enumerate("ab"):
            put(f"mixed_norms.{n}.{kind}", f"norm_i2{name}.{kind}")
            put(f"own_norms.{n}.{kind}", f"norm_{name}2{name}.{kind}")
    blocks = {
        "encoders.0.feed_forward": "ffn", "shared_projector": "proj_i",
        "own_projectors.0": "proj_a", "own_projectors.1": "proj_b",
    }  # fmt: skip
    for ours, theirs in blocks.items():
        put(f"{ours}.inner.weight", f"{theirs}.{GATE}.weight", f"{theirs}.{VALUE}.weight")
        put(f"{ours}.outer.weight", f"{theirs}.fc_3.weight")
    maps = {f"adapters.{n}": f"dlora_{name}" for n, name in enumerate("xab")}
    maps |= {f"invariants.{n}": f"ilora_{name}" for n, name in enumerate("ab")}
    for ours, theirs in maps.items():
        put(f"{ours}.up", f"{theirs}.mat_A")
        put(f"{ours}.down", f"{theirs}.mat_B")
    return new


#: Which of the released feed-forward's two inner maps goes through SiLU.
GATE, VALUE = "fc_2", "fc_1"


def left_packed(grid: Tensor, lengths: Tensor) -> Tensor:
    """Left-padded 1-based items to right-padded 0-based ones."""
    out = torch.zeros_like(grid)
    for i, n in enumerate(lengths.tolist()):
        out[i, :n] = grid[i, grid.shape[1] - n :] - 1
    return out


def test_the_released_models_numbers(shared: Path) -> None:
    tensors = load_file(str(shared / "goldens" / "abxi_v1.safetensors"))
    definition, net = golden_net(tensors)
    raw, answers = tensors["in/train_seq_x"], tensors["in/train_gt"]
    real = answers > 0
    lengths = real.sum(1)
    given = Batch(
        left_packed(raw, lengths), left_packed(answers, lengths), lengths, ("alpha", "beta"),
        torch.Generator(), {},
    )  # fmt: skip
    hidden = net(given.items, given.targets, lengths)
    torch.testing.assert_close(hidden, tensors["out/train_h"][real], atol=1e-5, rtol=0)
    choices = torch.cat([answers[..., None], tensors["in/train_neg"]], 2)[real] - 1
    keep = valid_tokens(lengths, raw.shape[1])
    loss = definition.objective(net, given, hidden, choices, keep)
    wanted = tensors["out/loss_a"] + tensors["out/loss_b"]
    torch.testing.assert_close(loss, wanted, atol=1e-5, rtol=0)
    loss.backward()
    grads = renamed({k[5:]: v for k, v in tensors.items() if k.startswith("grad/")})
    own = dict(net.named_parameters())
    assert len(grads) >= 31
    for name, grad in grads.items():
        assert own[name].grad is not None, name
        torch.testing.assert_close(own[name].grad, grad, atol=1e-5, rtol=0, msg=name)


def test_the_released_models_ranking_states(shared: Path) -> None:
    tensors = load_file(str(shared / "goldens" / "abxi_v1.safetensors"))
    definition, net = golden_net(tensors)
    net.eval()
    raw, answers = tensors["in/eval_seq_x"], tensors["in/eval_gt"].squeeze(1)
    lengths = (raw > 0).sum(1)
    histories = left_packed(raw, lengths)
    for domain, rows in (("alpha", answers <= 25), ("beta", answers > 25)):
        states = definition.encode(net, histories[rows], lengths[rows], domain)
        torch.testing.assert_close(states, tensors["out/eval_h"][rows], atol=1e-5, rtol=0)
