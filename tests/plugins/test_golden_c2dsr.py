"""C2DSR gives the numbers of its release: encoders, losses, the gradient of every parameter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import builders
import numpy as np
import pytest
import torch
from recmerge_bench_plugins.cdsr.c2dsr import C2DSR, C2DSROptions
from safetensors.torch import load_file
from torch import Tensor

from recmerge_bench.data.sequences import Batch
from recmerge_bench.training.prepared import attach

NAMES = ("alpha", "beta")


def renamed(old: dict[str, Tensor]) -> dict[str, Tensor]:
    """Reference names and layouts to ours.

    Its fifteen positions are used from row 1 to 14, and 14 twice: ours are those, the last twice.
    """
    new: dict[str, Tensor] = {}
    spans = {"alpha": slice(0, 25), "beta": slice(25, 60)}
    for name, letter in zip(NAMES, "XY", strict=True):
        new[f"tables.{name}"] = old["item_emb.weight"][spans[name]]
        new[f"own_tables.{name}"] = old[f"item_emb_{letter}.weight"][spans[name]]
        new[f"heads.{name}"] = old[f"lin_{letter}.weight"]
        new[f"head_biases.{name}"] = old[f"lin_{letter}.bias"][:, None]
    new["pad_head.weight"], new["pad_head.bias"] = old["lin_PAD.weight"], old["lin_PAD.bias"]
    graphs = ("GNN_encoder", "GNN_encoder_X", "GNN_encoder_Y")
    new["graph_biases"] = torch.stack([old[f"{g}.encoder.0.gc1.bias"] for g in graphs])
    new["critics"] = torch.cat([old[f"D_{x}.f_k.weight"] for x in "XY"])
    new["critic_biases"] = torch.cat([old[f"D_{x}.f_k.bias"] for x in "XY"])
    for n, stem in enumerate(("encoder", "encoder_X", "encoder_Y")):
        positions = old[f"{stem}.pos_emb.weight"][1:]
        new[f"encoders.{n}.positions"] = torch.cat([positions, positions[-1:]])
        for kind in ("weight", "bias"):
            new[f"encoders.{n}.norm.{kind}"] = old[f"{stem}.last_layernorm.{kind}"]
            for i in range(2):
                layer = f"encoders.{n}.layers.{i}"
                new |= {
                    f"{layer}.query_norm.{kind}": old[f"{stem}.attention_layernorms.{i}.{kind}"],
                    f"{layer}.inner_norm.{kind}": old[f"{stem}.forward_layernorms.{i}.{kind}"],
                    f"{layer}.inner.{kind}": old[f"{stem}.forward_layers.{i}.conv1.{kind}"],
                    f"{layer}.outer.{kind}": old[f"{stem}.forward_layers.{i}.conv2.{kind}"],
                }
                for side in ("inner", "outer"):
                    if kind == "weight":
                        new[f"{layer}.{side}.weight"] = new[f"{layer}.{side}.weight"].squeeze(2)
                stem_i = f"{stem}.attention_layers.{i}"
                q, k, v = old[f"{stem_i}.in_proj_{kind}"].chunk(3)
                new[f"{layer}.attention.query.{kind}"] = q
                new[f"{layer}.attention.memory.{kind}"] = torch.cat([k, v])
                new[f"{layer}.attention.out.{kind}"] = old[f"{stem_i}.out_proj.{kind}"]
    return new


def sparse(name: str, dense: Tensor) -> dict[str, np.ndarray]:
    """A dense matrix as the arrays of an `ItemGraph`."""
    rows, columns = dense.nonzero(as_tuple=True)
    counts = torch.bincount(rows, minlength=len(dense))
    starts = torch.cat([torch.zeros(1, dtype=torch.int64), counts.cumsum(0)])
    return {
        f"{name}_starts": starts.numpy(),
        f"{name}_columns": columns.numpy(),
        f"{name}_values": dense[rows, columns].numpy(),
    }


def left_packed(grid: Tensor, lengths: Tensor) -> Tensor:
    """Left-padded items to right-padded ones."""
    out = torch.zeros_like(grid)
    for i, n in enumerate(lengths.tolist()):
        out[i, :n] = grid[i, grid.shape[1] - n :]
    return out


@pytest.fixture(scope="module")
def golden(shared: Path) -> tuple[C2DSR, Any, Batch, dict[str, Tensor]]:
    tensors = load_file(str(shared / "goldens" / "c2dsr.safetensors"))
    definition = C2DSR(
        C2DSROptions(width=16, layers=2, heads=1, dropout=0.0, max_len=15, last_k=10)
    )
    net: Any = definition.build(builders.catalogue((25, 35)), NAMES, 0)
    net.load_state_dict(renamed({k[6:]: v for k, v in tensors.items() if k.startswith("param/")}))
    graphs = {"mixed": tensors["in/adj"], "own": tensors["in/adj_single"]}
    attach(net, {k: v for n, a in graphs.items() for k, v in sparse(n, a[:60, :60]).items()})
    lengths = tensors["in/ground_mask"].sum(1)
    batch = Batch(
        left_packed(tensors["in/seq"], lengths), left_packed(tensors["in/ground"], lengths),
        lengths, NAMES, torch.Generator(), {},
    )  # fmt: skip
    return definition, net, batch, tensors


def test_the_released_encoders(golden: Any) -> None:
    _, net, batch, tensors = golden
    states = net(batch.items, batch.lengths)
    for i, n in enumerate(batch.lengths.tolist()):
        wanted = tensors["out/h_m"][i, 15 - n :]
        torch.testing.assert_close(states[i, :n], wanted, atol=1e-5, rtol=0)
    valid = torch.arange(15) < batch.lengths[:, None]
    for number, letter in enumerate("xy"):
        mask = valid & (net.owners[batch.items] == number)
        own = net.own(batch.items, batch.lengths, mask, number)
        for i, n in enumerate(batch.lengths.tolist()):
            at = own.index[i, : int(own.counts[i])] + 15 - n
            wanted = tensors[f"out/h_{letter}"][i, at]
            torch.testing.assert_close(own.states[i, : len(at)], wanted, atol=1e-5, rtol=0)


def test_the_released_loss_and_all_gradients(golden: Any) -> None:
    definition, net, batch, tensors = golden
    # The release randomises the other domain's items and names the result after the kept ones.
    corrupted = [left_packed(tensors[f"in/corru_{x}"], batch.lengths) for x in "yx"]
    prediction, infomax = definition.parts(net, batch, corrupted)
    weighted = 0.3 * infomax
    torch.testing.assert_close(weighted, tensors["out/mi_loss_weighted"], atol=1e-5, rtol=0)
    loss = 0.7 * prediction + weighted
    torch.testing.assert_close(loss, tensors["out/loss"], atol=1e-5, rtol=0)
    net.zero_grad()
    loss.backward()
    grads = renamed({k[5:]: v for k, v in tensors.items() if k.startswith("grad/")})
    own = dict(net.named_parameters())
    assert set(grads) == set(own)
    for name, grad in grads.items():
        ours = own[name].grad
        assert ours is not None, name
        if name.endswith("positions"):  # two rows of ours are one of theirs
            ours = torch.cat([ours[:13], ours[13:].sum(0, keepdim=True)])
            grad = grad[:14]
        torch.testing.assert_close(ours, grad, atol=1e-5, rtol=0, msg=name)
