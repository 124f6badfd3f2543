"""`esasrec` computes what RecTools' LiGR layers do in eSASRec's repository."""

from __future__ import annotations

from itertools import chain
from typing import Any

import builders
import pytest
import torch
from dense_blocks import attention, compare, linear, norm, randomised, silu
from recmerge_bench_plugins.backbones.esasrec import ESASRec, ESASRecOptions
from recmerge_bench_plugins.backbones.esasrec import net as module
from torch import Tensor

from recmerge_bench.toolkit.models import encoder, query_prenorm

CAT = builders.catalogue((30, 20))
OPTIONS = ESASRecOptions(width=12, layers=2, heads=2, max_len=7, dropout=0.0, init="random")
ITEMS = torch.tensor(
    [[31, 35, 40, 33, 36, 49, 30], [44, 30, 31, 0, 0, 0, 0], [38, 0, 0, 0, 0, 0, 0]]
)
LENGTHS = torch.tensor([7, 3, 1])
EPS = 1e-5  # torch's own


def dense(net: Any, row: Tensor, length: int) -> list[Tensor]:
    """States of one sequence padded on the left to all slots; padding is no key and no query."""
    w = dict(net.named_parameters())
    slots, table = net.positions.flip(0), w["tables.beta"]
    grid: list[Tensor | None] = [None] * (len(slots) - length)
    for item in row[:length].tolist():
        grid.append(table[item - 30] + slots[len(grid)])
    for number in range(2):
        grid = block(w, f"encoder.layers.{number}", grid)
    return [x for x in grid if x is not None]


def block(w: dict[str, Tensor], name: str, grid: list[Tensor | None]) -> list[Tensor | None]:
    """`LiGRLayer.forward`: gates from what comes in, parts from its norm."""
    out: list[Tensor | None] = []
    for i, x in enumerate(grid):
        if x is None:
            out.append(None)
            continue
        known = [norm(w, f"{name}.attention_norm", k, EPS) for k in grid[: i + 1] if k is not None]
        gate = torch.sigmoid(linear(w, f"{name}.attention_gate", x))
        y = x + gate * attention(w, f"{name}.attention", known[-1], known, 2)
        z = norm(w, f"{name}.inner_norm", y, EPS)
        first, second = w[f"{name}.inner.weight"].chunk(2)
        fed = linear(w, f"{name}.outer", silu(first @ z) * (second @ z))
        out.append(y + torch.sigmoid(linear(w, f"{name}.inner_gate", y)) * fed)
    return out


def test_states_and_gradients_of_the_dense_net() -> None:
    definition = ESASRec(OPTIONS)
    net = randomised(definition.build(CAT, CAT.domains, 3))
    expected = [dense(net, r, n) for r, n in zip(ITEMS, LENGTHS.tolist(), strict=True)]
    grid = net(ITEMS, LENGTHS, ("beta",))
    got = [s for row, n in zip(grid, LENGTHS.tolist(), strict=True) for s in row[:n]]
    compare(net, got, list(chain(*expected)), lambda name: name == "tables.alpha")
    last = definition.encode(net, ITEMS, LENGTHS, "beta")
    compare(net, list(last), [s[-1] for s in expected], lambda name: name == "tables.alpha")


def test_there_is_no_bias_inside_and_no_norm_at_the_end() -> None:
    names = set(ESASRec(OPTIONS).build(CAT, CAT.domains, 3).state_dict())
    assert not any(n.endswith(("inner.bias", "outer.bias")) for n in names)
    assert not any(n.startswith("encoder.norm") for n in names)


def test_dropout_stands_where_rectools_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Embeddings, attention weights, attention's output, inside SwiGLU, SwiGLU's output."""
    seen: list[tuple[int, ...]] = []

    def recorded(x: Tensor, share: float, training: bool) -> Tensor:
        assert share == 0.5 and training
        seen.append(tuple(x.shape))
        return x

    for each in (encoder, query_prenorm, module):
        monkeypatch.setattr(each, "dropout", recorded)
    options = ESASRecOptions(width=12, layers=1, heads=2, max_len=7, dropout=0.5)
    net = ESASRec(options).build(CAT, CAT.domains, 0).train()
    grid = (3, 7, 12)
    net(ITEMS, LENGTHS, ("beta",))
    assert seen == [grid, (3, 2, 7, 7), grid, (3, 7, 48), grid]


def test_maps_start_as_xavier_draws_them() -> None:
    net: Any = ESASRec(ESASRecOptions(width=64, init="random")).build(CAT, CAT.domains, 0)
    layer = net.encoder.layers[0]
    for weight, rows, columns in (
        (net.positions, 50, 64), (layer.attention.qkv.weight, 192, 64),
        (layer.inner.weight, 256, 64), (layer.outer.weight, 64, 256),
        (layer.inner_gate.weight, 64, 64),
    ):  # fmt: skip
        wanted = (2 / (rows + columns)) ** 0.5
        assert float(weight.detach().std()) == pytest.approx(wanted, rel=0.05)


def test_its_settings_are_the_repositorys() -> None:
    o = ESASRecOptions()
    assert (o.loss, o.negatives, o.sampling, o.inner, o.dropout) == (
        "sampled-ce", 256, "uniform", 4, 0.2,
    )  # fmt: skip
