"""Family blocks against plain loops, subsequences, weights and negatives by domain."""

from __future__ import annotations

import itertools
import math
from typing import Any

import builders
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from recmerge_bench_plugins.cdsr.dream import focal
from recmerge_bench_plugins.cdsr.mgcl.net import ItemGraph
from torch import Tensor
from torch.nn import functional as F

from recmerge_bench.toolkit.data.graphs import normalised_adjacency
from recmerge_bench.toolkit.models import contrast, domain_losses, full_softmax, losses, ragged
from recmerge_bench.toolkit.models.causal import CausalNet
from recmerge_bench.toolkit.models.cdsr_blocks import (
    FamilyAttention,
    FamilyBlock,
    FamilyEncoder,
    FamilyNet,
    init_family,
    inside,
)
from recmerge_bench.toolkit.models.cdsr_options import ClozeOptions, FamilyOptions
from recmerge_bench.toolkit.models.ragged import masked_mean
from recmerge_bench.toolkit.models.tables import build_tables
from recmerge_bench.training.prepared import Prepared

CAT = builders.catalogue((30, 20))


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def randomised(module: Any, seed: int = 1) -> Any:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in module.parameters():
            value.copy_(torch.randn(value.shape, generator=generator) * 0.3)
    return module.eval()


def one_query(block: FamilyBlock, query: Tensor, keys: Tensor) -> Tensor:
    """The block for one query [width] and its keys [S, width], head by head."""
    a, width = block.attention, len(query)
    w, b = a.qkv.weight, a.qkv.bias
    q = w[:width] @ query + b[:width]
    k = keys @ w[width : 2 * width].T + b[width : 2 * width]
    v = keys @ w[2 * width :].T + b[2 * width :]
    size = width // a.heads
    heads = []
    for n in range(a.heads):
        part = slice(n * size, (n + 1) * size)
        share = torch.softmax(k[:, part] @ q[part] / math.sqrt(size), 0)
        heads.append(share @ v[:, part])
    mixed = a.out.weight @ torch.cat(heads) + a.out.bias if len(keys) else torch.zeros(width)
    norm = block.attention_norm
    u = F.layer_norm(query + mixed, (width,), norm.weight, norm.bias)
    inner = block.inner.outer.weight.shape[1]
    first, second = block.inner.inner.weight[:inner] @ u, block.inner.inner.weight[inner:] @ u
    fed = block.inner.outer.weight @ (first * torch.sigmoid(first) * second)
    return F.layer_norm(u + fed, (width,), block.inner_norm.weight, block.inner_norm.bias)


def test_block_against_loops() -> None:
    block: FamilyBlock = randomised(FamilyBlock(8, 2, 0.5))
    x, memory = drawn(3, 5, 8), drawn(3, 7, 8, seed=2)
    with torch.no_grad():
        causal = block(x, causal=True)
        mask = torch.rand(3, 5, 7, generator=torch.Generator().manual_seed(3)) < 0.4
        mask[0, 0] = False
        crossed = block(x, memory, mask)
        for row in range(3):
            for t in range(5):
                want = one_query(block, x[row, t], x[row, : t + 1])
                assert torch.allclose(causal[row, t], want, atol=1e-5)
                want = one_query(block, x[row, t], memory[row, mask[row, t]])
                assert torch.allclose(crossed[row, t], want, atol=1e-5)


def test_padding_is_no_key() -> None:
    """Right-padded rows, left-padded rows under an explicit mask, and single rows agree."""
    encoder: FamilyEncoder = randomised(FamilyEncoder(8, 2, 2, 0.0))
    x, lengths = drawn(4, 6, 8), torch.tensor([6, 1, 4, 2])
    for causal in (True, False):
        states = encoder(x, lengths, causal)
        last = encoder(x, lengths, causal, last_only=True)
        for row, n in enumerate(lengths.tolist()):
            alone = encoder(x[row : row + 1, :n], None, causal)
            assert torch.allclose(states[row, :n], alone[0], atol=1e-5)
            assert torch.allclose(last[row], alone[0, -1], atol=1e-5)
            left = torch.cat([drawn(6 - n, 8, seed=9), x[row, :n]])[None]
            real = torch.arange(6) >= 6 - n
            mask = real[None, None] & (torch.ones(6, 6).tril().bool() if causal else True)
            for layer in encoder.layers:
                left = layer(left, None, mask.expand(1, 6, 6))
            assert torch.allclose(left[0, 6 - n :], alone[0], atol=1e-5)


def test_queries_without_keys_give_zero_and_finite_gradients() -> None:
    attention = FamilyAttention(8, 2)
    x = drawn(2, 3, 8).requires_grad_()
    mask = torch.ones(2, 3, 3, dtype=torch.bool)
    mask[1] = False
    out = attention(x, x, mask)
    assert not bool(out[1].any()) and bool(out[0].all())
    out.sum().backward()
    assert x.grad is not None and bool(x.grad.isfinite().all())


def test_initial_values_are_the_familys() -> None:
    block = FamilyBlock(64, 2, 0.5)
    init_family(block, torch.Generator().manual_seed(0))
    block.requires_grad_(False)
    assert block.inner.outer.weight.shape == (64, 168)
    assert float(block.inner.inner.weight.std()) == pytest.approx(0.02, rel=0.05)
    assert float(block.attention.out.weight.std()) == pytest.approx(0.02, rel=0.05)
    bound = math.sqrt(6 / (64 + 192))
    assert bound * 0.99 < float(block.attention.qkv.weight.abs().max()) <= bound
    assert not bool(block.attention.qkv.bias.any()) and not bool(block.attention.out.bias.any())
    assert FamilyBlock(256, 2, 0.5).inner.outer.weight.shape == (256, 680)
    net = FamilyNet(CAT, CAT.domains, 0, FamilyOptions(width=64))
    table = net.tables.domain_table("alpha").detach()
    assert float(table.abs().max()) <= 0.04 and float(table.std()) == pytest.approx(0.0176, rel=0.1)
    assert net.positions.shape == (47, 64)
    again = FamilyNet(CAT, ("beta",), 0, FamilyOptions(width=64))
    assert torch.equal(again.tables.domain_table("beta"), net.tables.domain_table("beta"))
    assert torch.equal(again.positions, net.positions)


@pytest.mark.parametrize(
    ("block", "positions"), [("sasrec", "reverse"), ("sasrec-prenorm", "forward")]
)
def test_sasrec_block_is_the_causal_net(block: Any, positions: Any) -> None:
    options = FamilyOptions(
        width=16, layers=2, dropout=0.2, max_len=9, block=block, positions=positions, init="text",
    )  # fmt: skip
    net = FamilyNet(CAT, CAT.domains, 3, options)
    other = CausalNet(
        CAT, CAT.domains, 3, block=block, width=16, layers=2, heads=2, dropout=0.2, max_len=9,
        init="text", std=0.02,
    )  # fmt: skip
    state = other.state_dict()
    assert {n: tuple(v.shape) for n, v in net.state_dict().items()} == {
        n: tuple(v.shape) for n, v in state.items()
    }
    assert all(torch.equal(v, state[n]) for n, v in net.state_dict().items())
    items, lengths = torch.tensor([[3, 31, 4], [5, 6, 0]]), torch.tensor([3, 2])
    for last in (True, False):
        ours = net.eval()(items, lengths, CAT.domains, last)
        assert torch.equal(ours, other.eval()(items, lengths, CAT.domains, last))


def test_positions_count_backwards() -> None:
    net = FamilyNet(CAT, CAT.domains, 0, FamilyOptions(width=4, max_len=6))
    got = net.places(torch.tensor([4, 2]), 4)
    assert torch.equal(got[0], net.positions[[3, 2, 1, 0]])
    assert torch.equal(got[1, :2], net.positions[[1, 0]])
    forward = FamilyNet(CAT, CAT.domains, 0, FamilyOptions(width=4, max_len=6, positions="forward"))
    assert torch.equal(forward.places(torch.tensor([4]), 4), forward.positions[:4])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=1, max_size=4))
def test_compact_is_boolean_indexing(kept: list[list[bool]]) -> None:
    keep = torch.tensor(kept)
    items = torch.arange(keep.numel()).view(keep.shape) * 7
    actual = ragged.compact(items, keep)
    assert actual.items.shape[1] == max(1, int(keep.sum(1).max()))
    for row in range(len(keep)):
        n = int(actual.lengths[row])
        assert actual.items[row, :n].tolist() == items[row][keep[row]].tolist()
        assert actual.places[row, :n].tolist() == keep[row].nonzero().flatten().tolist()


def test_views_of_the_specs_example() -> None:
    """1 2 101 3 102 103 4 5 104 6 of the spec (A below 30 here, B from 30 on)."""
    events = torch.tensor([[1, 2, 31, 3, 32, 33, 4, 5, 34, 6]])
    items, targets, lengths = events[:, :-1], events[:, 1:], torch.tensor([9])
    is_b = lambda x: x >= 30  # noqa: E731
    view, answers = ragged.training_view(items, targets, lengths, lambda x: x < 30, "target")
    assert view.own.items[0].tolist() == [1, 2, 3, 4, 5]
    assert answers.items[0, :5].tolist() == [2, 3, 4, 5, 6]
    assert view.bounds[0].tolist() == [1, 3, 6, 7, 9]
    assert view.source.items[0, :4].tolist() == [31, 32, 33, 34]
    seen = view.source.seen_from(view.bounds)
    assert seen[0].sum(1).tolist() == [0, 1, 3, 3, 4]
    assert answers.seen.items[0].tolist() == [1, 2, 3, 4, 5, 6]
    view, answers = ragged.training_view(items, targets, lengths, is_b, "item")
    assert view.own.items[0].tolist() == [31, 32, 33] and view.bounds[0].tolist() == [3, 5, 6]
    assert answers.items[0].tolist() == [32, 33, 34]
    assert view.source.seen_from(view.bounds)[0].sum(1).tolist() == [2, 3, 3]
    padded = torch.cat([events, torch.tensor([[6, 6]])], 1)
    past = ragged.history_view(padded, torch.tensor([10]), is_b, "target")
    assert past.bounds[0, :4].tolist() == [4, 5, 8, 10] and past.own.lengths.tolist() == [4]
    assert past.source.lengths.tolist() == [6]
    past = ragged.history_view(padded, torch.tensor([10]), is_b, "item")
    assert past.bounds[0, :4].tolist() == [3, 5, 6, 9]


def test_weights_are_means_of_users_and_domains() -> None:
    answers = torch.tensor([[31, 2, 40, 3], [2, 35, 0, 0]])
    spans = [slice(0, 30), slice(30, 50)]
    weights = domain_losses.per_user_weights(answers, inside(torch.tensor([4, 2]), 4), spans)
    assert np.allclose(weights, [[0.25] * 4, [0.5, 0.5, 0, 0]])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_negatives_are_of_each_domain_and_never_the_rows_own(seed: int, count: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    seen = torch.randint(0, 50, (4, 6), generator=generator)
    valid = torch.rand(4, 6, generator=generator) < 0.7
    spans = [slice(0, 30), slice(30, 50)]
    drawn = domain_losses.negatives_by_domain(seen, valid, spans, 3 * count, generator)
    actual = domain_losses.by_position(drawn, 3).flatten(0, 1)
    assert actual.shape == (12, 2 * count)
    assert bool((actual[:, :count] < 30).all()) and bool((actual[:, count:] >= 30).all())
    for row in range(12):
        assert not set(actual[row].tolist()) & set(seen[row // 3][valid[row // 3]].tolist())


def test_losses_by_name() -> None:
    hidden, table, targets = drawn(5, 8), drawn(12, 8, seed=1), torch.tensor([0, 3, 3, 11, 6])
    negatives = torch.tensor([[1, 2], [4, 5], [6, 3], [0, 1], [2, 8]])
    weights = torch.tensor([0.1, 0.2, 0.3, 0.0, 0.4])
    scores = hidden @ table.T
    full = FamilyOptions(loss="full", temperature=0.5)
    got = domain_losses.next_item_loss(full, hidden, table, targets, None, weights)
    each = F.cross_entropy(scores / 0.5, targets, reduction="none")
    assert torch.allclose(got, (each * weights).sum(), atol=1e-5)
    rows = torch.arange(5)
    good, bad = scores[rows, targets], scores.gather(1, negatives)
    logits = torch.cat([good[:, None], bad], 1) / 0.5
    logits[2, 2] = -torch.inf  # the target itself
    each = -F.log_softmax(logits, 1)[:, 0]
    some = FamilyOptions(loss="infonce", temperature=0.5)
    got = domain_losses.next_item_loss(some, hidden, table, targets, negatives, weights)
    assert torch.allclose(got, (each * weights).sum(), atol=1e-5)
    each = (F.softplus(-good) + F.softplus(bad).sum(1)) / 3
    binary = FamilyOptions(loss="bce")
    got = domain_losses.next_item_loss(binary, hidden, table, targets, negatives, weights)
    assert torch.allclose(got, (each * weights).sum(), atol=1e-5)


@pytest.mark.parametrize("gamma", [0.0, 1.0, 2.0])
def test_focal_and_its_gradients(gamma: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(full_softmax._BLOCK_BYTES, "cpu", 1)  # blocks of 16 rows
    targets = torch.randint(0, 12, (40,), generator=torch.Generator().manual_seed(0))
    weights = drawn(40, seed=4).abs()

    def plain(hidden: Tensor, table: Tensor) -> Tensor:
        chance = torch.softmax(hidden @ table.T / 0.7, 1).gather(1, targets[:, None]).squeeze(1)
        return (-((1 - chance) ** gamma) * chance.log() * weights).sum()

    def ours(hidden: Tensor, table: Tensor) -> Tensor:
        return focal.full_focal(hidden, table, targets, 0.7, gamma, weights)

    collected = []
    for f in (plain, ours):
        hidden, table = drawn(40, 8).requires_grad_(), drawn(12, 8, seed=1).requires_grad_()
        value = f(hidden, table)
        value.backward()
        collected.append((value.detach(), hidden.grad, table.grad))
    for ours_, theirs in zip(*collected, strict=True):
        assert ours_ is not None and theirs is not None
        assert torch.allclose(ours_, theirs, atol=1e-4)
    hidden, table = drawn(40, 8), drawn(12, 8, seed=1)
    choices = torch.cat([targets[:, None], torch.arange(12).expand(40, 12)], 1)
    scores = losses.choice_scores(hidden, table, choices)
    got = focal.sampled_focal(scores, 0.7, gamma, weights, choices[:, 1:] == targets[:, None])
    assert torch.allclose(got, plain(hidden, table), atol=1e-4)


def test_contrasts() -> None:
    a, b = drawn(6, 8), drawn(6, 8, seed=1)
    unit_a, unit_b = F.normalize(a, dim=1), F.normalize(b, dim=1)
    scores = unit_a @ unit_b.T / 0.2
    labels = torch.tensor([0, 1, 2, 1, 4, 5])

    def both_ways(scores: Tensor) -> Tensor:
        goal = torch.arange(6)
        return (F.cross_entropy(scores, goal) + F.cross_entropy(scores.T, goal)) / 2

    assert torch.allclose(contrast.paired_infonce(a, b, 0.2), both_ways(scores))
    scores[1, 3] = scores[3, 1] = -torch.inf
    assert torch.allclose(contrast.paired_infonce(a, b, 0.2, labels), both_ways(scores))
    for few in (0, 1):
        assert float(contrast.paired_infonce(a[:few], b[:few], 0.2)) == 0
    views, twice = torch.cat([a, b]), labels.repeat(2)
    unit, total = F.normalize(views, dim=1), 0.0
    for i in range(12):
        rest = [j for j in range(12) if j != i]
        mass = torch.logsumexp(torch.stack([unit[i] @ unit[j] / 0.1 for j in rest]), 0)
        same = [j for j in rest if twice[j] == twice[i]]
        total += sum(float(mass - unit[i] @ unit[j] / 0.1) for j in same) / len(same)
    got = contrast.supervised_contrast(views, twice, 0.1)
    assert float(got) == pytest.approx(total / 12, rel=1e-4)


def test_masked_mean() -> None:
    states, mask = drawn(2, 4, 3), torch.zeros(2, 2, 4, dtype=torch.bool)
    mask[0, 1, [0, 2]] = True
    got = masked_mean(states, mask)
    assert torch.allclose(got[0, 1], states[0, [0, 2]].mean(0)) and not bool(got[1].any())


def test_normalised_adjacency_against_dense() -> None:
    split = builders.mixed(CAT, 30)
    offsets, items = split.sequences.training()
    n = CAT.n_items
    counts = np.zeros((n, n))
    for a, b in itertools.pairwise(offsets):
        for left, right in zip(items[a : b - 1], items[a + 1 : b], strict=True):
            if left != right:
                counts[left, right] += 1
                counts[right, left] += 1
    degree = counts.sum(1)
    scale = np.where(degree > 0, 1 / np.sqrt(np.maximum(degree, 1)), 0)
    dense = counts * scale[:, None] * scale
    graph = normalised_adjacency(offsets, items, n)
    got = np.zeros((n, n))
    got[graph["graph_rows"], graph["graph_columns"]] = graph["graph_weights"]
    assert np.allclose(got, dense, atol=1e-6) and (got == got.T).all()
    assert graph["graph_rows"].dtype == np.int64 and graph["graph_weights"].dtype == np.float32
    # held-out events leave no edge
    events = int(split.sequences.train_end.sum())
    assert len(items) == events < len(split.sequences.items)

    tables = build_tables(CAT, CAT.domains, 8, "random", 1.0, 0)
    smooth, laid_in = ItemGraph(2), Prepared(graph)
    table = tables.scope_table(CAT.domains).detach()
    one = torch.from_numpy(dense).float() @ table
    two = torch.from_numpy(dense).float() @ one
    assert torch.allclose(smooth(table, tables, laid_in), (table + one + two) / 3, atol=1e-5)
    assert not smooth.state_dict()
    # a net of one domain keeps that domain's edges
    alone = build_tables(CAT, ("beta",), 8, "random", 1.0, 0)
    part = torch.from_numpy(dense[30:, 30:]).float() @ alone.domain_table("beta")
    assert torch.allclose(
        ItemGraph(1)(alone.scope_table(("beta",)), alone, laid_in),
        (alone.domain_table("beta") + part) / 2,
        atol=1e-5,
    )


def test_an_empty_graph() -> None:
    graph = normalised_adjacency(np.array([0, 1, 2]), np.array([3, 3], np.int32), CAT.n_items)
    assert all(len(v) == 0 for v in graph.values())
    tables = build_tables(CAT, CAT.domains, 8, "random", 1.0, 0)
    table = tables.scope_table(CAT.domains)
    assert torch.allclose(ItemGraph(1)(table, tables, Prepared(graph)), table / 2)


def test_cloze_options() -> None:
    from recmerge_bench.errors import HandledError

    for bad in (
        {"mask_ratio": 0.0}, {"mask_ratio": 1.0}, {"last_share": 0.0}, {"block": "bert4rec"},
        {"block": "sasrec"}, {"dropout": 1.0}, {"temperature": 0.0}, {"loss": "ce"},
        {"positions": "left"}, {"init": "zeros"}, {"max_len": 0},
    ):  # fmt: skip
        with pytest.raises(HandledError):
            ClozeOptions(**bad)
