"""Tiers above T2 (sequences, labels), and the strategies that use them; adapters of vectors."""

from __future__ import annotations

from typing import Any

import builders
import numpy as np
import pytest
import torch
from recmerge_bench_plugins.strategies.adamerging import AdaMerging
from recmerge_bench_plugins.strategies.adamerging import Options as AdaOptions
from recmerge_bench_plugins.strategies.surgery import Options as SurgeryOptions
from recmerge_bench_plugins.strategies.surgery import Surgery
from recmerge_bench_plugins.strategies.validated import Options as ValidatedOptions
from recmerge_bench_plugins.strategies.validated import ValidatedSoup, ValidatedTaskArithmetic
from tier_builders import CAT, MODEL, SPLIT, given

from recmerge_bench.api import MergeInput
from recmerge_bench.data.sequences import without_test
from recmerge_bench.errors import HandledError
from recmerge_bench.evaluation.metrics import ndcg, rank
from recmerge_bench.evaluation.ranking import Ranking
from recmerge_bench.merging.pseudo_users import PseudoUsers
from recmerge_bench.merging.user_sequences import UserSequences
from recmerge_bench.tiers import TIERS, IsolationError, merge_input
from recmerge_bench.toolkit.merging.adapters import Adapted


def test_each_tier_has_what_it_allows_and_nothing_above() -> None:
    above = {
        "T0": ("items", "users"), "T1": ("sequences", "validation", "grams"),
        "T3": ("validation", "grams"), "T4": ("test",),
    }  # fmt: skip
    for tier, names in above.items():
        handed = given(tier)
        assert isinstance(handed, MergeInput) and handed.tier == tier
        for name in names:
            with pytest.raises(IsolationError, match=f"tier {tier}"):
                getattr(handed, name)
    with pytest.raises(HandledError, match="no data tier 'T9'"):
        merge_input("T9", {}, (), 0)
    with pytest.raises(HandledError, match="labels"):
        merge_input("T4", {}, (), 0)


def test_what_depends_on_a_tier_follows_from_what_it_reads() -> None:
    """Isolation, and who its models are run for: made-up users up to T2, real ones from T3."""
    assert [t.name for t in TIERS.values() if not t.reads_users] == ["T0", "T1"]
    assert [t.name for t in TIERS.values() if not t.runs_models] == ["T0"]
    for name, tier in TIERS.items():
        handed = given(name)
        assert type(handed) is tier.input and tier.input.tier == tier.name == name
        if tier.runs_models:
            real = "sequences" in tier.reads
            assert isinstance(handed.users, UserSequences if real else PseudoUsers)
            assert isinstance(handed.items, PseudoUsers)


def reachable(thing: Any, seen: set[int]) -> list[np.ndarray]:
    """Every array that can be reached from an object through attributes and containers."""
    if id(thing) in seen or isinstance(thing, (str, bytes, int, float, type, torch.Tensor)):
        return []
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        return [thing]
    inside = list(thing.values()) if isinstance(thing, dict) else []
    inside += list(thing) if isinstance(thing, (list, tuple)) else []
    inside += list(getattr(thing, "__dict__", {}).values())
    return [a for part in inside for a in reachable(part, seen)]


def events(split: Any, part: Any) -> set[tuple[int, int]]:
    """(users' histories' end, target) of instances, as flat places in the split's items."""
    return set(
        zip(
            (split.sequences.offsets[part.sequence] + part.position).tolist(),
            part.targets.tolist(),
            strict=True,
        )
    )


@pytest.mark.parametrize("tier", ["T3", "T4"])
def test_no_held_out_event_is_within_reach(tier: str) -> None:
    """Item arrays that a strategy can reach hold as many events as the tier allows, no more."""
    training = sum(len(SPLIT.sequences.training(d)[1]) for d in range(2))
    allowed = {training, len(SPLIT.sequences.training(0)[1]), len(SPLIT.sequences.training(1)[1])}
    if tier == "T4":
        allowed.add(len(without_test(SPLIT).sequences.items))
    assert len(without_test(SPLIT).sequences.items) == training + len(SPLIT.valid)
    whole = len(SPLIT.sequences.items)
    assert whole == training + len(SPLIT.valid) + len(SPLIT.test)
    actual = [len(a) for a in reachable(given(tier), set()) if a.dtype == np.int32 and a.ndim == 1]
    assert actual and whole not in actual
    assert {n for n in actual if n >= min(allowed)} <= allowed


def test_validation_without_test_events_scores_as_with_them() -> None:
    handed = given("T4")
    weights = handed.experts[0].weights
    net = handed.users.net(weights)
    counts = builders.net_counts(MODEL, net, SPLIT, SPLIT.valid, CAT, [Ranking()])[0]
    values = ndcg(rank(*counts), 10)
    wanted = {d: values[SPLIT.valid.domains == k].mean() for k, d in enumerate(CAT.domains)}
    assert handed.validation.score(weights) == pytest.approx(wanted)
    assert events(SPLIT, SPLIT.valid).isdisjoint(events(SPLIT, SPLIT.test))
    assert "validation targets" in handed.users.read


def test_users_are_their_training_histories() -> None:
    handed = given("T3")
    net = handed.users.net(handed.base)
    offsets, items = SPLIT.sequences.training(1)
    assert handed.users.size("beta") == len(offsets) - 1
    rows = torch.tensor([3, 0, 7])
    for row, vector in zip(rows, handed.users.encode(net, "beta", rows), strict=True):
        own = torch.from_numpy(items[offsets[row] : offsets[row + 1]][-6:].astype(np.int64))
        alone = MODEL.encode(net, own[None], torch.tensor([len(own)]), "beta")[0]
        torch.testing.assert_close(vector, alone, atol=1e-6, rtol=1e-5)
    last = items[offsets[rows + 1] - 1] - CAT.span("beta").start
    assert handed.users.own("beta", rows).tolist() == last.tolist()
    assert handed.items.own("beta", rows) is rows


@pytest.mark.parametrize("tier", ["T1", "T3"])
def test_the_same_strategy_learns_on_items_or_on_users(tier: str) -> None:
    options = AdaOptions(steps=4, exclude_self=True, granularity="domain", lr=0.05)
    merged = [AdaMerging(options).merge(given(tier)) for _ in range(2)]
    assert all(torch.equal(merged[0][n], merged[1][n]) for n in merged[0])
    other = AdaMerging(options).merge(given("T3" if tier == "T1" else "T1"))
    assert any(not torch.equal(merged[0][n], other[n]) for n in other)


# -- surgery -------------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", ["T1", "T3"])
def test_surgery_brings_vectors_nearer_to_the_expert(tier: str) -> None:
    handed = given(tier)
    models = Surgery(SurgeryOptions(rank=4, steps=150, lr=0.01, batch=32)).merge_each(handed)
    assert sorted(models) == list(CAT.domains)
    for before, after in handed.notes["distance_before_and_after"].values():
        assert after < 0.9 * before
    again = Surgery(SurgeryOptions(rank=4, steps=150, lr=0.01, batch=32)).merge_each(given(tier))
    assert all(torch.equal(models[d][n], again[d][n]) for d in models for n in models[d])


@pytest.mark.parametrize("tier", ["T1", "T3"])
def test_surgery_as_published(tier: str) -> None:
    """Yang et al. 2024, eqs. 2 and 3, by autograd: z - up relu(down z), L1 to the expert's z."""
    handed, o = given(tier), SurgeryOptions(rank=3, steps=6, lr=0.01, batch=8)
    models = Surgery(o).merge_each(handed)
    pseudo = handed.users
    merged = {
        n: t + 0.4 * sum(e.weights[n] - t for e in handed.experts) for n, t in handed.base.items()
    }
    for number, expert in enumerate(handed.experts):
        nets = [pseudo.net(merged), pseudo.net(expert.weights, [expert.domain])]
        with torch.no_grad():
            ours, goal = (
                [pseudo.encode_all(n, expert.domain).clone(), pseudo.items(n, expert.domain)[0]]
                for n in nets
            )
        draws = pseudo.generator(number, 19)
        width = ours[0].shape[1]
        down = (torch.randn(3, width, generator=draws) * width**-0.5).requires_grad_()
        up = torch.zeros(width, 3, requires_grad=True)
        optimizer = torch.optim.Adam([down, up], lr=0.01)
        for _ in range(6):
            loss = torch.zeros(())
            drawn = [torch.randint(len(z), (8,), generator=draws) for z in ours]
            for z, wanted, rows in zip(ours, goal, drawn, strict=True):
                corrected = z[rows] - torch.relu(z[rows] @ down.T) @ up.T
                loss = loss + (corrected - wanted[rows]).abs().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        own = models[expert.domain]
        torch.testing.assert_close(own["adapter.down"], down.detach(), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(own["adapter.up"], up.detach(), rtol=1e-4, atol=1e-5)


def test_an_adapter_that_has_learned_nothing_changes_nothing() -> None:
    handed = given("T1")
    tensors = Surgery(SurgeryOptions(steps=0)).merge_each(handed)["alpha"]
    adapter = {n: t for n, t in tensors.items() if n.startswith("adapter.")}
    net = handed.users.net({n: t for n, t in tensors.items() if n not in adapter})
    adapted = Adapted(MODEL, adapter)
    assert torch.equal(adapted.items(net, "alpha")[0], MODEL.items(net, "alpha")[0])
    histories, lengths = torch.tensor([[1, 2, 3]]), torch.tensor([3])
    plain = MODEL.encode(net, histories, lengths, "alpha")
    assert torch.equal(adapted.encode(net, histories, lengths, "alpha"), plain)
    assert adapted.max_history() == MODEL.max_history()


def test_correction_by_hand_and_bad_adapters() -> None:
    down, up = torch.tensor([[1.0, 0.0], [0.0, -1.0]]), torch.tensor([[0.5, 0.0], [0.0, 2.0]])
    adapted = Adapted(MODEL, {"adapter.down": down, "adapter.up": up})
    actual = adapted._corrected(torch.tensor([[2.0, 3.0], [-1.0, -4.0]]))
    # relu(down z) is (2, 0) and (0, 4)
    assert actual.tolist() == [[1.0, 3.0], [-1.0, -12.0]]
    with pytest.raises(HandledError, match="down and up"):
        Adapted(MODEL, {"adapter.down": down})
    with pytest.raises(HandledError, match="adapter: down"):
        Adapted(MODEL, {"adapter.down": down, "adapter.up": up[:1]})


# -- tuned on validation -------------------------------------------------------------------------


def test_the_scale_is_the_best_of_those_tried() -> None:
    handed = given("T4")
    merged = ValidatedTaskArithmetic(ValidatedOptions(scales=(0.0, 0.5, 1.0))).merge(handed)
    tried = {float(k): v for k, v in handed.notes["validation"].items()}
    assert handed.notes["scale"] == max(tried, key=lambda k: tried[k])
    scale = handed.notes["scale"]
    for name, start in handed.base.items():
        moves = [e.weights[name] - start for e in handed.experts]
        torch.testing.assert_close(merged[name], start + scale * sum(moves), atol=1e-6, rtol=1e-5)
    score = handed.validation.score(merged)
    assert sum(score.values()) / 2 == pytest.approx(max(tried.values()))


def test_the_soup_never_scores_below_its_best_ingredient() -> None:
    handed = given("T4")
    merged = ValidatedSoup(ValidatedOptions(limit=0)).merge(handed)
    score = handed.validation.score(merged)
    assert sum(score.values()) / 2 == pytest.approx(handed.notes["validation"])
    assert handed.notes["validation"] >= max(handed.notes["alone"].values())


def test_the_soup_follows_its_recipe() -> None:
    """Wortsman et al., recipe 1: by falling score, one stays where the average does not drop."""
    handed = given("T4")
    merged = ValidatedSoup(ValidatedOptions(limit=0)).merge(handed)

    def score(weights: Any) -> float:
        return sum(handed.validation.score(weights).values()) / 2

    def average(some: list[Any]) -> dict[str, torch.Tensor]:
        return {n: sum(e.weights[n] for e in some) / len(some) for n in handed.base}

    order = sorted(handed.experts, key=lambda e: -score(e.weights))
    soup = [order[0]]
    for expert in order[1:]:
        if score(average([*soup, expert])) >= score(average(soup)):
            soup.append(expert)
    assert handed.notes["chosen"] == [e.domain for e in soup]
    for name, tensor in average(soup).items():
        torch.testing.assert_close(merged[name], tensor, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("strategy", [ValidatedTaskArithmetic(), ValidatedSoup()])
def test_labels_are_not_for_lower_tiers(strategy: Any) -> None:
    with pytest.raises(HandledError, match="T4"):
        strategy.merge(given("T3"))
    handed = given("T4")
    with pytest.raises(HandledError, match="T1"):
        Surgery().merge_each(MergeInput(handed.base, handed.experts, 0))
