"""C2DSR: a dense reference, graphs, symmetry, causality, learning."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import builders
import dense_c2dsr
import numpy as np
import pytest
import torch
from recmerge_bench_plugins.cdsr.c2dsr import C2DSR, C2DSROptions
from torch import Tensor

from recmerge_bench.data.sequences import Batch
from recmerge_bench.errors import HandledError
from recmerge_bench.training.options import TrainOptions
from recmerge_bench.training.prepared import attach
from recmerge_bench.training.trainer import fit

CAT = builders.catalogue((30, 20))
SMALL: dict[str, Any] = {"width": 16, "max_len": 12, "dropout": 0.0, "heads": 2}


def model(**changes: Any) -> C2DSR:
    return C2DSR(C2DSROptions(**{**SMALL, **changes}))


# A dense reference

ROWS = [[1, 2, 31, 3, 32, 33, 4, 5, 34, 6], [35, 36, 7, 8], [8, 9, 10, 40, 41], [40, 12, 41, 42]]


def batch_of(rows: list[list[int]], names: tuple[str, ...] = CAT.domains) -> Batch:
    """Windows of these events; the last of each is a target only."""
    size = max(map(len, rows)) - 1
    items, targets = (torch.zeros(len(rows), size, dtype=torch.int64) for _ in range(2))
    for i, row in enumerate(rows):
        items[i, : len(row) - 1] = torch.tensor(row[:-1])
        targets[i, : len(row) - 1] = torch.tensor(row[1:])
    lengths = torch.tensor([len(row) - 1 for row in rows])
    return Batch(items, targets, lengths, names, torch.Generator().manual_seed(3), {})


def made(definition: C2DSR, cat: Any = CAT, seed: int = 0) -> Any:
    """A net with its graphs, all parameters moved off their special initial values."""
    net = definition.build(cat, cat.domains, seed)
    attach(net, definition.prepare(builders.mixed(cat, 40), cat, cat.domains))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    return net


def random_rows(count: int, seed: int) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, count, int(rng.integers(2, 14))).tolist() for _ in range(7)]


@pytest.mark.parametrize("sizes", [(30, 20), (9, 4, 12)])
def test_states_and_losses_are_those_of_the_published_grid(sizes: tuple[int, ...]) -> None:
    cat = builders.catalogue(sizes, ("alpha", "beta", "gamma")[: len(sizes)])
    definition = model(layers=2, last_k=6, std=0.1)
    net, rows = made(definition, cat), random_rows(sum(sizes), 5)
    given = batch_of(rows, cat.domains)
    corrupted = definition.corrupted(net, given)
    lengths = given.lengths.tolist()
    lists = [[row[:n].tolist() for row, n in zip(c, lengths, strict=True)] for c in corrupted]
    actual = definition.parts(net, given, corrupted)
    net.double()
    wanted = dense_c2dsr.parts(net, rows, lists, 6)
    for ours, theirs in zip(actual, wanted, strict=True):
        torch.testing.assert_close(ours.double(), theirs, atol=1e-4, rtol=1e-4)
    full = [row[:-1] for row in rows]
    mixed = dense_c2dsr.states(net, 0, full)
    for d, name in enumerate(cat.domains):
        own = [[i if int(net.owners[i]) == d else -1 for i in row] for row in full]
        states = dense_c2dsr.states(net, 1 + d, own)
        total = mixed[:, -1].clone()
        for i, row in enumerate(own):
            at = [j for j, item in enumerate(row) if item >= 0]
            if at:
                total[i] += states[i, net.max_len - len(row) + at[-1]]
        one = definition.encode(net.eval(), given.items, given.lengths, name)
        torch.testing.assert_close(one, total, atol=1e-9, rtol=1e-7)


# Graphs


def test_graphs_hold_the_successors_of_training_events_alone() -> None:
    split, definition = builders.mixed(CAT, 30), model()
    arrays = definition.prepare(split, CAT, CAT.domains)
    parts = split.sequences
    mixed, own = np.zeros((50, 50)), np.zeros((50, 50))
    for s in range(len(parts)):
        row = parts.items[parts.offsets[s] :][: parts.train_end[s]]
        for a, b in pairwise(row):
            mixed[a, b] += 1
        for part in (row[row < 30], row[row >= 30]):
            for a, b in pairwise(part):
                own[a, b] += 1
    net: Any = definition.build(CAT, CAT.domains, 0)
    attach(net, arrays)
    for name, counts in (("mixed", mixed), ("own", own)):
        wanted = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        assert np.allclose(dense_c2dsr.graph(net.prepared, name), wanted, atol=1e-6)
    held_out = np.ones(len(parts.items), bool)
    for s in range(len(parts)):
        held_out[parts.offsets[s] : parts.offsets[s] + parts.train_end[s]] = False
    parts.items[held_out] = (parts.items[held_out] + 7) % 50
    again = definition.prepare(split, CAT, CAT.domains)
    assert held_out.any() and all(np.array_equal(arrays[name], again[name]) for name in arrays)


def test_a_graph_of_other_items_is_an_error() -> None:
    definition = model()
    net: Any = definition.build(CAT, CAT.domains, 0)
    other = builders.catalogue((30, 21))
    attach(net, definition.prepare(builders.mixed(other, 9), other, other.domains))
    with pytest.raises(ValueError, match="51 items does not go with a table of 50"):
        net(torch.tensor([[1, 2]]), torch.tensor([2]))


# What must hold of any such model


def test_gradients_reach_every_parameter() -> None:
    definition = model(layers=2)
    net = made(definition)
    loss, count = definition.loss(net, batch_of(ROWS))
    loss.backward()
    assert count == sum(map(len, ROWS)) - len(ROWS)
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and bool((parameter.grad != 0).any()), name


def test_a_future_event_changes_nothing() -> None:
    definition = model(layers=2)
    net = made(definition).double().eval()
    row = torch.tensor([[1, 31, 2, 3, 32, 33, 4, 34]])
    other = row.clone()
    other[0, 5:] = torch.tensor([7, 40, 8])
    lengths = torch.tensor([8])
    one, two = (net(x, lengths) for x in (row, other))
    torch.testing.assert_close(one[:, :5], two[:, :5], atol=1e-12, rtol=0)
    assert bool(((one - two)[:, 5:].abs().sum(-1) > 1e-6).all())
    alpha = [net.own(x, lengths, net.owners[x] == 0, 0).states for x in (row, other)]
    torch.testing.assert_close(alpha[0][:, :3], alpha[1][:, :3], atol=1e-12, rtol=0)


def test_swapping_the_domains_swaps_the_results() -> None:
    definition, flipped = model(), builders.catalogue((20, 30), ("beta", "alpha"))
    net: Any = made(definition)
    twin: Any = definition.build(flipped, flipped.domains, 0)
    renumber = torch.tensor([*range(20, 50), *range(20)])
    split = builders.mixed(CAT, 40)
    split.sequences.items[:] = renumber[split.sequences.items.astype(int)].numpy()
    attach(twin, definition.prepare(split, flipped, flipped.domains))
    state = {k: v for k, v in net.state_dict().items() if not k.startswith("prepared.")}
    twin.load_state_dict(swapped(state), strict=False)
    given = batch_of(ROWS)
    other = Batch(
        renumber[given.items], renumber[given.targets], given.lengths, flipped.domains,
        given.generator, {},
    )  # fmt: skip
    corrupted = definition.corrupted(net, given)
    one = definition.parts(net, given, corrupted)
    two = definition.parts(twin, other, [renumber[c] for c in reversed(corrupted)])
    torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-5)
    for domain in CAT.domains:
        scores = []
        for n, b in ((net, given), (twin, other)):
            table, bias = definition.items(n, domain)
            scores.append(definition.encode(n, b.items, b.lengths, domain) @ table.T + bias)
        torch.testing.assert_close(scores[0], scores[1], atol=1e-4, rtol=1e-4)


def swapped(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Parameters where the two domains have each other's numbers."""
    out = {}
    for name, value in state.items():
        if name.startswith(("encoders.1.", "encoders.2.")):
            name = f"encoders.{3 - int(name[9])}{name[10:]}"
        elif name == "graph_biases":
            value = value[[0, 2, 1]]
        elif name.startswith("critic"):
            value = value.flip(0)
        out[name] = value
    return out


def test_corruptions_change_one_domain_to_what_the_user_never_met() -> None:
    definition = model()
    net = made(definition)
    corrupted = definition.corrupted(net, batch_of(ROWS))
    for number, actual in enumerate(corrupted):
        for row, new in zip(ROWS, actual.tolist(), strict=True):
            for old, item in zip(row[:-1], new, strict=False):
                if int(net.owners[old]) == number:
                    assert item not in row and int(net.owners[item]) == number
                else:
                    assert item == old
    again = definition.corrupted(net, batch_of(ROWS))
    assert all(torch.equal(a, b) for a, b in zip(corrupted, again, strict=True))


def test_a_user_without_events_of_a_domain() -> None:
    definition = model()
    net = made(definition)
    for rows in ([[1, 2, 3], [31, 32, 33, 34]], [[1, 31]]):
        loss, _ = definition.loss(net, batch_of(rows))
        loss.backward()
        assert torch.isfinite(loss)
        assert all(p.grad is None or bool(p.grad.isfinite().all()) for p in net.parameters())
    items, lengths = torch.tensor([[1, 2, 3]]), torch.tensor([3])
    state = definition.encode(net.eval(), items, lengths, "beta")
    torch.testing.assert_close(state, net(items, lengths)[:, -1])


def test_company_and_padding_change_nothing() -> None:
    definition = model(layers=2)
    net = made(definition).double().eval()
    both = torch.tensor([[1, 31, 2, 32, 32, 32], [3, 4, 5, 33, 34, 35]])
    for domain in CAT.domains:
        one = definition.encode(net, both[:1, :4], torch.tensor([4]), domain)
        two = definition.encode(net, both, torch.tensor([4, 6]), domain)
        torch.testing.assert_close(one[0], two[0], atol=1e-10, rtol=0)


def test_initial_values_come_from_the_seed_alone() -> None:
    torch.manual_seed(1)
    one = model().build(CAT, CAT.domains, 5).state_dict()
    torch.manual_seed(2)
    two = model().build(CAT, CAT.domains, 5).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["tables.alpha"], one["own_tables.alpha"])
    assert 0.9 < float(one["tables.alpha"].std()) < 1.1
    assert float(one["heads.beta"].abs().max()) <= 0.25


def test_learns_and_repeats_itself() -> None:
    split, definition = builders.mixed(CAT, 60), model(dropout=0.1, max_len=20, std=0.2)
    options = TrainOptions(steps=45, epochs=0, batch_size=16, lr=4e-3, eval_every=15, clip=0)
    one, two = (fit(definition, CAT, split, CAT.domains, "mixed", options, 0) for _ in range(2))
    history = one.report["history"]
    assert history[-1]["loss"] < 0.9 * history[0]["loss"]
    assert all(torch.equal(one.state[name], two.state[name]) for name in one.state)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"last_k": -1}, "last_k is not negative"),
        ({"prediction": 1.5}, "lies in"),
        ({"heads": 3}, "not a multiple"),
    ],
)
def test_bad_options_are_told(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(HandledError, match=message):
        model(**changes)


def test_one_domain_is_told() -> None:
    with pytest.raises(HandledError, match="at least two domains"):
        model().build(CAT, ("alpha",), 0)
