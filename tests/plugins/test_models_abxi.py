"""ABXI: a dense reference of every variant, symmetry, causality, learning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import builders
import dense_abxi
import numpy as np
import pytest
import torch
from recmerge_bench_plugins.cdsr.abxi import ABXI, VARIANTS, ABXIOptions

from recmerge_bench.data.sequences import Batch
from recmerge_bench.errors import HandledError
from recmerge_bench.evaluation.scorers import history_batches
from recmerge_bench.registry import Registry
from recmerge_bench.targets import define
from recmerge_bench.toolkit.models.losses import valid_tokens
from recmerge_bench.training.options import TrainOptions
from recmerge_bench.training.trainer import fit

CAT = builders.catalogue((30, 20))
SMALL: dict[str, Any] = {
    "width": 16, "inner": 24, "domain_rank": 3, "invariant_rank": 5, "max_len": 12,
    "negatives": 6, "dropout": 0.0,
}  # fmt: skip


def model(**changes: Any) -> ABXI:
    return ABXI(ABXIOptions(**{**SMALL, **changes}))


def shaken(net: Any, seed: int = 0) -> Any:
    """All parameters moved off their special initial values."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    return net


def batch(rows: list[list[int]], domains: tuple[str, ...] = ("alpha", "beta")) -> Batch:
    """Windows of these events; the last of each is a target only."""
    size = max(map(len, rows)) - 1
    items, targets = (torch.zeros(len(rows), size, dtype=torch.int64) for _ in range(2))
    for i, row in enumerate(rows):
        items[i, : len(row) - 1], targets[i, : len(row) - 1] = (
            torch.tensor(row[:-1]), torch.tensor(row[1:]),
        )  # fmt: skip
    lengths = torch.tensor([len(row) - 1 for row in rows])
    return Batch(items, targets, lengths, domains, torch.Generator().manual_seed(3), {})


ROWS = [[1, 2, 31, 3, 32, 33, 4, 5, 34, 6], [35, 36, 7], [8, 9, 10, 11], [40, 12, 41, 42, 13]]


def random_rows(sizes: tuple[int, ...], seed: int, longest: int = 13) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, sum(sizes), int(rng.integers(2, longest + 1))).tolist() for _ in
            range(7)]  # fmt: skip


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_every_variant_is_the_published_grid(variant: int) -> None:
    for sizes in ((30, 20), (9, 4, 12)):
        names = ("alpha", "beta", "gamma")[: len(sizes)]
        cat = builders.catalogue(sizes, names)
        definition = model(variant=variant)
        net = shaken(definition.build(cat, names, 0)).double()
        rows = random_rows(sizes, variant + 10)
        given = batch(rows, names)
        states = net(given.items, given.targets, given.lengths)
        wanted = dense_abxi.training(net, rows, len(sizes))
        torch.testing.assert_close(states, wanted, atol=1e-10, rtol=1e-8)
        for d, name in enumerate(names):
            histories, lengths = given.items, given.lengths
            actual = definition.encode(net.eval(), histories, lengths, name)
            full = [row[:-1] for row in rows]
            own = [[i for i in row if int(net.owners[i]) == d] for row in full]
            x = dense_abxi.states(net, 0, *dense_abxi.looked_up(net, full), True)
            h = dense_abxi.states(net, 1 + d, *dense_abxi.looked_up(net, own), True)
            torch.testing.assert_close(
                actual, dense_abxi.read_out(net, x, h, d), atol=1e-10, rtol=1e-8
            )


@pytest.mark.parametrize("own_history", ["whole", "latest"])
def test_a_domains_own_sequence_is_cut_from_the_whole_history(own_history: str) -> None:
    """v1.0 cuts it by itself. Six places; of beta, two events are older than the latest six."""
    row = [30, 31, 0, 1, 2, 32, 3, 4, 5]
    definition = model(max_len=6, own_history=own_history)
    net = shaken(definition.build(CAT, CAT.domains, 0)).double().eval()
    events = [row, [6, 33, 7], [*range(8, 16), 34]]
    split = builders.leave_two_out([[*r, 20, 21] for r in events], [-1] * 3, CAT)
    limit = definition.encoded_history()
    batches = list(history_batches(split, split.valid, np.arange(3), limit, 1 << 10))
    longest = max(int(lengths.max()) for _, _, lengths in batches)
    assert longest == (9 if own_history == "whole" else 6)
    wanted = {
        "whole": {"alpha": [[0, 1, 2, 3, 4, 5], [6, 7], [*range(10, 16)]],
                  "beta": [[30, 31, 32], [33], [34]]},
        "latest": {"alpha": [[1, 2, 3, 4, 5], [6, 7], [*range(11, 16)]],
                   "beta": [[32], [33], [34]]},
    }[own_history]  # fmt: skip
    x = dense_abxi.states(net, 0, *dense_abxi.looked_up(net, [r[-6:] for r in events]), True)
    for d, name in enumerate(CAT.domains):
        states = torch.empty(3, 16, dtype=torch.float64)
        for part, histories, lengths in batches:
            grids = torch.from_numpy(histories), torch.from_numpy(lengths)
            states[torch.from_numpy(part)] = definition.encode(net, *grids, name).detach()
        h = dense_abxi.states(net, 1 + d, *dense_abxi.looked_up(net, wanted[name]), True)
        torch.testing.assert_close(states, dense_abxi.read_out(net, x, h, d), atol=1e-10, rtol=1e-8)


def test_cutting_the_mixed_sequence_first_changes_785_users_of_food_kitchen(
    shared: Path, registry: Registry
) -> None:
    """Their history at test is longer than 47, so that one of the domains loses an event."""
    data = registry.get("dataset", "amazon-merit")
    events = define(data.target, {}).load(shared / "data" / "merit")
    protocol = registry.get("protocol", "mixed-merit")
    split = define(protocol.target, dict(protocol.options)).split(events, ("food", "kitchen"))
    sizes = {"width": 2, "heads": 1, "inner": 2, "domain_rank": 1, "invariant_rank": 1}
    kinds = [ABXI(ABXIOptions(**sizes, own_history=k)) for k in ("whole", "latest")]  # type: ignore[arg-type]
    net: Any = kinds[0].build(events.catalogue, events.catalogue.domains, 0)
    collected: list[dict[int, list[list[int]]]] = []
    for definition in kinds:
        own: dict[int, list[list[int]]] = {}
        limit = definition.encoded_history()
        rows = np.arange(len(split.test))
        for part, histories, lengths in history_batches(split, split.test, rows, limit, 1 << 16):
            grid, sizes_ = torch.from_numpy(histories), torch.from_numpy(lengths)
            for number in range(2):
                mask = net.own_mask(grid, sizes_, number)
                for row, items, kept in zip(part.tolist(), grid, mask, strict=True):
                    own.setdefault(row, []).append(items[kept].tolist())
        collected.append(own)
    assert len(collected[0]) == 7144
    assert sum(collected[0][row] != collected[1][row] for row in collected[0]) == 785


def test_gradients_are_those_of_the_published_grid() -> None:
    net = shaken(model().build(CAT, CAT.domains, 0)).double()
    given, collected = batch(ROWS), []
    direction = torch.randn(sum(map(len, ROWS)) - len(ROWS), 16, dtype=torch.float64)
    for states in (
        net(given.items, given.targets, given.lengths), dense_abxi.training(net, ROWS, 2)
    ):  # fmt: skip
        net.zero_grad()
        (states * direction).sum().backward()
        collected.append({n: p.grad.clone() for n, p in net.named_parameters()})
    for name, grad in collected[0].items():
        torch.testing.assert_close(grad, collected[1][name], atol=1e-9, rtol=1e-7, msg=name)


# What must hold of any such model


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_gradients_reach_every_parameter(variant: int) -> None:
    definition = model(variant=variant)
    net = shaken(definition.build(CAT, CAT.domains, 0))
    loss, count = definition.loss(net, batch(ROWS))
    loss.backward()
    assert count == sum(map(len, ROWS)) - len(ROWS)
    longest = max(map(len, ROWS)) - 1
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        moved = parameter.grad[:longest] if name == "positions" else parameter.grad
        assert float(moved.abs().sum()) > 0, name


@pytest.mark.parametrize("variant", [0, 5])
def test_a_future_event_changes_nothing(variant: int) -> None:
    net = shaken(model(variant=variant).build(CAT, CAT.domains, 0)).double()
    row = [1, 31, 2, 3, 32, 33, 4, 34]
    # The last event: the same domain, so that every sequence keeps its positions.
    other = [*row[:-1], 45]
    one, two = (batch([r]) for r in (row, other))
    first, second = (net(b.items, b.targets, b.lengths) for b in (one, two))
    torch.testing.assert_close(first, second, atol=0, rtol=0)
    other = [*row[:5], 40, *row[6:]]
    changed = batch([other])
    third = net(changed.items, changed.targets, changed.lengths)
    torch.testing.assert_close(first[:5], third[:5], atol=1e-12, rtol=0)
    assert bool(((first[5:] - third[5:]).abs().sum(1) > 1e-6).all())


def test_swapping_the_domains_swaps_the_results() -> None:
    definition, flipped = model(), builders.catalogue((20, 30), ("beta", "alpha"))
    net = shaken(definition.build(CAT, CAT.domains, 0)).double()
    twin: Any = definition.build(flipped, flipped.domains, 0).double()
    state = {swapped(name): value for name, value in net.state_dict().items()}
    twin.load_state_dict(state)
    renumber = torch.tensor([*range(20, 50), *range(20)])
    given = batch(ROWS)
    other = Batch(
        renumber[given.items], renumber[given.targets], given.lengths, flipped.domains,
        given.generator, {},
    )  # fmt: skip
    one, two = (n(b.items, b.targets, b.lengths) for n, b in ((net, given), (twin, other)))
    torch.testing.assert_close(one, two, atol=1e-12, rtol=0)
    keep = valid_tokens(given.lengths, given.items.shape[1])
    choices = definition.choices(net, given)[keep]
    losses = [
        definition.objective(n, b, h, c, keep)
        for n, b, h, c in ((net, given, one, choices), (twin, other, two, renumber[choices]))
    ]
    torch.testing.assert_close(losses[0], losses[1], atol=1e-12, rtol=0)
    for domain in CAT.domains:
        collected = [
            definition.encode(n.eval(), b.items, b.lengths, domain)
            @ definition.items(n, domain)[0].T
            for n, b in ((net, given), (twin, other))
        ]
        torch.testing.assert_close(collected[0], collected[1], atol=1e-12, rtol=0)


def swapped(name: str) -> str:
    """The parameter's name where the two domains have each other's numbers."""
    head, _, rest = name.partition(".")
    number, _, tail = rest.partition(".")
    if head in ("adapters", "norms") and number != "0":
        return f"{head}.{3 - int(number)}.{tail}"
    if head in ("invariants", "own_projectors", "mixed_norms", "own_norms"):
        return f"{head}.{1 - int(number)}.{tail}"
    return name


def test_negatives_are_of_both_domains_and_never_of_the_user() -> None:
    definition = model(negatives=40)
    net: Any = definition.build(CAT, CAT.domains, 0)
    given = batch(ROWS)
    choices = definition.choices(net, given).view(len(ROWS), -1, 81)
    for row, drawn in zip(ROWS, choices, strict=True):
        own = drawn[: len(row) - 1]
        assert own[:, 0].tolist() == row[1:]
        assert bool((own[:, 1:41] < 30).all()) and bool((own[:, 41:] >= 30).all())
        assert not set(own[:, 1:].flatten().tolist()) & set(row)
    again = definition.choices(net, batch(ROWS)).view(len(ROWS), -1, 81)
    assert torch.equal(choices, again)


def test_a_user_without_events_of_a_domain() -> None:
    definition = model()
    net = shaken(definition.build(CAT, CAT.domains, 0))
    loss, _ = definition.loss(net, batch([[1, 2, 3], [31, 32, 33, 34]]))
    assert torch.isfinite(loss)
    states = definition.encode(net.eval(), torch.tensor([[1, 2, 3]]), torch.tensor([3]), "beta")
    assert bool(torch.isfinite(states).all()) and bool((states != 0).any())


def test_company_and_padding_change_nothing() -> None:
    definition = model()
    net = shaken(definition.build(CAT, CAT.domains, 0)).double().eval()
    alone = torch.tensor([[1, 31, 2, 32]])
    both = torch.tensor([[1, 31, 2, 32, 32, 32], [3, 4, 5, 33, 34, 35]])
    for domain in CAT.domains:
        one = definition.encode(net, alone, torch.tensor([4]), domain)
        two = definition.encode(net, both, torch.tensor([4, 6]), domain)
        torch.testing.assert_close(one[0], two[0], atol=1e-12, rtol=0)


def test_initial_values_come_from_the_seed_alone() -> None:
    torch.manual_seed(1)
    one = model().build(CAT, CAT.domains, 5).state_dict()
    torch.manual_seed(2)
    two = model().build(CAT, CAT.domains, 5).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert float(one["adapters.0.down"].abs().sum()) == 0
    assert 0.01 < float(one["invariants.1.up"].std()) < 0.04
    assert 0.015 < float(one["positions"].std()) < 0.025
    query = one["encoders.0.attention.query.weight"]
    assert 0.25 < float(query.abs().max()) <= (6 / 64) ** 0.5


def test_learns_and_repeats_itself() -> None:
    split = builders.mixed(CAT, 60)
    options = TrainOptions(steps=60, epochs=0, batch_size=16, lr=4e-3, eval_every=20, clip=0)
    definition = model(dropout=0.1, negatives=8, max_len=20)
    one, two = (fit(definition, CAT, split, CAT.domains, "mixed", options, 0) for _ in range(2))
    history = one.report["history"]
    assert history[-1]["loss"] < 0.9 * history[0]["loss"]
    assert all(torch.equal(one.state[name], two.state[name]) for name in one.state)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"variant": 6}, "variant is one of"),
        ({"negatives": 0}, "negatives and temperature"),
        ({"heads": 3}, "not a multiple"),
        ({"domain_rank": 0}, "ranks"),
    ],
)
def test_bad_options_are_told(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(HandledError, match=message):
        model(**changes)
