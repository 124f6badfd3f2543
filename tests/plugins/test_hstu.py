"""`hstu-small` computes the blocks of HSTU's research code, without its bias by time."""

from __future__ import annotations

from itertools import chain
from typing import Any

import builders
import pytest
import torch
from dense_blocks import centred, compare, linear, randomised, recorded_dropout, silu
from recmerge_bench_plugins.backbones.hstu import HSTU, HSTUOptions
from recmerge_bench_plugins.backbones.hstu import net as module
from torch import Tensor

from recmerge_bench.data.sequences import Batch
from recmerge_bench.toolkit.models import encoder, next_item

CAT = builders.catalogue((30, 20))
OPTIONS = HSTUOptions(width=12, layers=2, heads=2, max_len=9, dropout=0.0)
ITEMS = torch.tensor(
    [[31, 35, 40, 33, 36, 49, 30], [44, 30, 31, 0, 0, 0, 0], [38, 0, 0, 0, 0, 0, 0]]
)
LENGTHS = torch.tensor([7, 3, 1])
EPS = 1e-6


def written(net: Any, items: list[int]) -> list[Tensor]:
    """States of one sequence: preprocessor, units, L2 norm."""
    w = dict(net.named_parameters())
    root = 12**0.5
    grid = [root * w["tables.beta"][i - 30] + w["positions"][n] for n, i in enumerate(items)]
    for number in range(2):
        grid = unit(w, f"encoder.layers.{number}", grid)
    return [x / torch.sqrt((x * x).sum()) for x in grid]


def unit(w: dict[str, Tensor], name: str, grid: list[Tensor]) -> list[Tensor]:
    """`SequentialTransductionUnitJagged.forward` with `RelativePositionalBias`, two heads."""
    parts = [silu(centred(x, EPS) @ w[f"{name}.uvqk"]).chunk(4) for x in grid]
    out = []
    for i, x in enumerate(grid):
        u, _, q, _ = parts[i]
        mixed = []
        for rows in (slice(0, 6), slice(6, 12)):
            total = torch.zeros(6, dtype=torch.float64)
            for j in range(i + 1):
                _, v, _, k = parts[j]
                weight = silu(q[rows] @ k[rows] + w[f"{name}.distance"][i - j]) / 9
                total = total + weight * v[rows]
            mixed.append(total)
        out.append(x + linear(w, f"{name}.outer", u * centred(torch.cat(mixed), EPS)))
    return out


def test_states_and_gradients_of_the_written_net() -> None:
    definition = HSTU(OPTIONS)
    net = randomised(definition.build(CAT, CAT.domains, 3))
    rows = [row[:n].tolist() for row, n in zip(ITEMS, LENGTHS.tolist(), strict=True)]
    expected = [written(net, row) for row in rows]
    grid = net(ITEMS, LENGTHS, ("beta",))
    got = [s for row, n in zip(grid, LENGTHS.tolist(), strict=True) for s in row[:n]]
    compare(net, got, list(chain(*expected)), lambda name: name == "tables.alpha")
    last = definition.encode(net, ITEMS, LENGTHS, "beta")
    compare(net, list(last), [s[-1] for s in expected], lambda name: name == "tables.alpha")


def test_attention_is_divided_by_the_longest_length_there_is() -> None:
    """Not by the batch's: a sequence has one state, whatever stands beside it."""
    definition = HSTU(OPTIONS)
    net = randomised(definition.build(CAT, CAT.domains, 3))
    alone = definition.encode(net, ITEMS[1:2, :3], LENGTHS[1:2], "beta")
    beside = definition.encode(net, ITEMS, LENGTHS, "beta")[1:2]
    torch.testing.assert_close(alone, beside, rtol=1e-12, atol=1e-12)


def test_the_loss_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cosines / .05 of the target and of draws from all items that are not the target."""
    definition = HSTU(OPTIONS)
    assert (definition.options.negatives, definition.options.temperature) == (128, 0.05)
    net = randomised(definition.build(CAT, CAT.domains, 3))
    drawn: list[Tensor] = []
    whole = next_item._drawn

    def recorded(shape: tuple[int, ...], n: int, batch: Batch) -> Tensor:
        drawn.append(whole(shape, n, batch))
        return drawn[-1]

    monkeypatch.setattr(next_item, "_drawn", recorded)
    targets, lengths = ITEMS.roll(-1, 1), torch.tensor([6, 2, 1])
    targets[2, 0] = 41
    batch = Batch(ITEMS, targets, lengths, ("beta",), torch.Generator().manual_seed(2), {})
    value, count = definition.loss(net, batch)
    table = net.tables.domain_table("beta")
    table = torch.stack([v / torch.sqrt((v * v).sum()) for v in table])
    terms = []
    for row, answers, n in zip(ITEMS, targets, lengths.tolist(), strict=True):
        for state, goal in zip(written(net, row[:n].tolist()), answers.tolist(), strict=False):
            own = drawn[0][len(terms)]
            assert len(own) == 128 and bool((own == goal - 30).any())
            scores = (table @ state) / 0.05
            rest = torch.exp(scores[own[own != goal - 30]]).sum()
            good = torch.exp(scores[goal - 30])
            terms.append(-torch.log(good / (good + rest)))
    assert count == len(terms) == 9
    torch.testing.assert_close(value, torch.stack(terms).mean(), rtol=1e-10, atol=0.0)


def test_items_and_users_have_length_one() -> None:
    definition = HSTU(OPTIONS)
    net = definition.build(CAT, CAT.domains, 0).eval()
    items, bias = definition.items(net, "beta")
    users = definition.encode(net, ITEMS, LENGTHS, "beta")
    assert bias is None
    for vectors in (items, users):
        torch.testing.assert_close(vectors.norm(dim=1), torch.ones(len(vectors)))


def test_dropout_on_embeddings_and_before_the_last_map(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = recorded_dropout(monkeypatch, 0.5, encoder, module)
    options = HSTUOptions(width=12, layers=2, dropout=0.5, max_len=9)
    HSTU(options).build(CAT, CAT.domains, 0).train()(ITEMS, LENGTHS, ("beta",))
    assert seen == [(3, 7, 12)] * 3
