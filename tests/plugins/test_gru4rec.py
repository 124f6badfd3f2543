"""`gru4rec` computes the authors' GRU4RecModel with one item table for both ends."""

from __future__ import annotations

from itertools import chain
from typing import Any

import builders
import pytest
import torch
from dense_blocks import compare, randomised
from recmerge_bench_plugins.backbones.gru4rec import GRU4Rec, GRU4RecOptions
from recmerge_bench_plugins.backbones.gru4rec import net as module
from torch import Tensor

from recmerge_bench.data.sequences import Batch
from recmerge_bench.policy import action

CAT = builders.catalogue((30, 20))
OPTIONS = GRU4RecOptions(
    width=12, layers=2, max_len=7, dropout=0.0, hidden_dropout=0.0, init="random"
)
ITEMS = torch.tensor(
    [[31, 35, 40, 33, 36, 49, 30], [44, 30, 31, 0, 0, 0, 0], [38, 0, 0, 0, 0, 0, 0]]
)
LENGTHS = torch.tensor([7, 3, 1])


def written(net: Any, items: list[int]) -> list[Tensor]:
    """States after each event, one event and layer at a time, from empty states."""
    w = dict(net.named_parameters())
    hidden = [torch.zeros(12, dtype=torch.float64) for _ in range(2)]
    out = []
    for item in items:
        x = w["tables.beta"][item - 30]
        for n in range(2):
            x = hidden[n] = cell(w, f"layers.{n}", x, hidden[n])
        out.append(x)
    return out


def cell(w: dict[str, Tensor], name: str, x: Tensor, h: Tensor) -> Tensor:
    """A gated recurrent unit: reset, update, new; the reset gate is laid over ``U h + b``."""
    from_x = (w[f"{name}.weight_ih_l0"] @ x + w[f"{name}.bias_ih_l0"]).chunk(3)
    from_h = (w[f"{name}.weight_hh_l0"] @ h + w[f"{name}.bias_hh_l0"]).chunk(3)
    reset = 1 / (1 + torch.exp(-(from_x[0] + from_h[0])))
    update = 1 / (1 + torch.exp(-(from_x[1] + from_h[1])))
    new = torch.tanh(from_x[2] + reset * from_h[2])
    return (1 - update) * new + update * h


def test_states_scores_and_gradients_of_the_written_net() -> None:
    definition = GRU4Rec(OPTIONS)
    net = randomised(definition.build(CAT, CAT.domains, 3))
    rows = [row[:n].tolist() for row, n in zip(ITEMS, LENGTHS.tolist(), strict=True)]
    expected = [written(net, row) for row in rows]

    def unused(name: str) -> bool:
        return name.startswith("biases") or name == "tables.alpha"

    grid = net(ITEMS, LENGTHS, ("beta",))
    compare(net, [s for row, n in zip(grid, LENGTHS.tolist(), strict=True) for s in row[:n]],
            list(chain(*expected)), unused)  # fmt: skip
    users = definition.encode(net, ITEMS, LENGTHS, "beta")
    table, bias = definition.items(net, "beta")
    assert bias is not None and bool(bias.any())
    scores = [
        torch.stack([row[-1] @ v for v in net.tables.domain_table("beta")])
        + net.biases.domain_table("beta")[:, 0]
        for row in expected
    ]
    got = list(users @ table.T + bias)
    compare(net, got, scores, lambda name: name.endswith("alpha"))


@pytest.mark.parametrize("loss", ["ce", "sampled-ce"])
def test_the_bias_takes_part_in_the_loss(loss: Any) -> None:
    """By hand, from the project's own scores (checked above)."""
    options = GRU4RecOptions(
        width=12, max_len=7, dropout=0.0, hidden_dropout=0.0, init="random", loss=loss,
        negatives=6, sampling="shared",
    )  # fmt: skip
    definition = GRU4Rec(options)
    net = randomised(definition.build(CAT, CAT.domains, 3))
    targets = ITEMS.roll(-1, 1)
    lengths = torch.tensor([6, 2, 1])
    targets[2, 0] = 41
    batch = Batch(ITEMS, targets, lengths, ("beta",), torch.Generator().manual_seed(1), {})
    value, count = definition.loss(net, batch)
    drawn = torch.randint(20, (6,), generator=torch.Generator().manual_seed(1))
    table, bias = definition.items(net, "beta")
    assert bias is not None
    scores = net(ITEMS, lengths, ("beta",)) @ table.T + bias
    terms = []
    for row, n in enumerate(lengths.tolist()):
        for at in range(n):
            goal, own = int(targets[row, at]) - 30, scores[row, at]
            rest = own[drawn[drawn != goal]] if loss == "sampled-ce" else (
                own[torch.arange(20) != goal]
            )  # fmt: skip
            terms.append(own[goal] - torch.log(own[goal].exp() + rest.exp().sum()))
    assert count == 9
    exact = -torch.stack(terms).mean()
    torch.testing.assert_close(value, exact, rtol=1e-10, atol=0.0)


def test_items_keep_vectors_and_biases_with_their_domain() -> None:
    net = GRU4Rec(OPTIONS).build(CAT, CAT.domains, 0)
    kinds = {n.split(".")[0]: action(n, GRU4Rec.policy) for n in net.state_dict()}
    assert kinds == {"tables": "domain", "biases": "domain", "layers": "merge"}


def test_gates_start_within_their_own_bound() -> None:
    net = GRU4Rec(GRU4RecOptions(width=48, init="random")).build(CAT, CAT.domains, 0)
    bound = (6 / 96) ** 0.5
    for name, value in net.layers.named_parameters():  # type: ignore[operator, union-attr]
        top = float(value.detach().abs().max())
        assert top == 0 if "bias" in name else 0.99 * bound < top <= bound


def test_dropout_on_items_and_on_what_each_layer_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []

    def recorded(x: Tensor, share: float, training: bool) -> Tensor:
        seen.append(share)
        return x

    monkeypatch.setattr(module, "dropout", recorded)
    options = GRU4RecOptions(width=12, layers=2, dropout=0.1, hidden_dropout=0.3)
    GRU4Rec(options).build(CAT, CAT.domains, 0).train()(ITEMS, LENGTHS, ("beta",))
    assert seen == [0.1, 0.3, 0.3]
