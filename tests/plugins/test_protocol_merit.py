"""MERIT's protocol on the real pair food-kitchen, against numbers that others counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import builders
import numpy as np
import pytest

from recmerge_bench.data.candidates import candidate_hash, draw
from recmerge_bench.data.interactions import Catalogue, Interactions
from recmerge_bench.data.sequences import Split
from recmerge_bench.data.slices import slices
from recmerge_bench.evaluation.metrics import mrr, rank
from recmerge_bench.evaluation.ranking import Ranking
from recmerge_bench.evaluation.scorers import history_batches
from recmerge_bench.registry import Registry
from recmerge_bench.targets import define

NAMES = ("food", "kitchen")
#: The negatives of all boards on this pair.
HASH = "24668db41a8b0dfa7115c72021ccb6c323ef877afb1124dddcddf328eb594b6a"


@pytest.fixture(scope="module")
def real(registry: Registry, shared: Path) -> Interactions:
    target = registry.get("dataset", "amazon-merit").target
    loaded: Interactions = define(target, {}).load(shared / "data" / "merit")
    return loaded


def protocol(registry: Registry, name: str) -> Any:
    spec = registry.get("protocol", name)
    return define(spec.target, dict(spec.options))


@pytest.fixture(scope="module")
def split(registry: Registry, real: Interactions) -> Split:
    made: Split = protocol(registry, "mixed-sampled-999").split(real, NAMES)
    return made


@pytest.fixture(scope="module")
def negatives(registry: Registry, real: Interactions, split: Split) -> np.ndarray:
    given = protocol(registry, "mixed-sampled-999")
    count, seed = given.candidates(), given.candidate_seed()
    return draw(split, split.test, real.catalogue, count, seed)


def test_targets_are_the_last_two_events(split: Split, real: Interactions) -> None:
    s = split.sequences
    assert len(s) == 7144 and np.array_equal(s.offsets, real.offsets)
    assert np.array_equal(s.items, real.items)
    assert np.array_equal(s.train_end, np.diff(s.offsets) - 2)
    for part, back in ((split.valid, 2), (split.test, 1)):
        assert np.array_equal(part.targets, s.items[s.offsets[1:] - back])
    assert np.bincount(split.valid.domains).tolist() == [2837, 4307]
    assert np.bincount(split.test.domains).tolist() == [2419, 4725]
    assert set(split.report.values()) == {0, 7144}  # nothing was dropped


def test_an_input_of_47_events_cuts_as_many_users_as_published(split: Split) -> None:
    assert int((split.valid.position > 47).sum()) == 754
    assert int((split.test.position > 47).sum()) == 785
    rows = np.flatnonzero(split.test.position > 47)
    for some, histories, lengths in history_batches(split, split.test, rows, 47, 1 << 14):
        assert histories.shape[1] == 47 and (lengths == 47).all()
        ends = split.sequences.offsets[some + 1] - 1
        assert np.array_equal(histories[:, -1], split.sequences.items[ends - 1])


def test_merits_preset_cuts_its_own_data_not_at_all(
    registry: Registry, real: Interactions, split: Split
) -> None:
    own = protocol(registry, "mixed-merit").split(real, NAMES)
    assert np.array_equal(own.sequences.items, split.sequences.items)
    assert own.report["events_before_the_last"] == own.report["sequences_short_of_a_domain"] == 0


def test_negatives_are_of_the_targets_domain_and_none_was_ever_met(
    negatives: np.ndarray, split: Split, real: Interactions
) -> None:
    assert negatives.shape == (7144, 999) and (np.diff(negatives, axis=1) > 0).all()
    assert (real.item_domains()[negatives] == split.test.domains[:, None]).all()
    n = real.catalogue.n_items
    owner = np.repeat(np.arange(7144), np.diff(split.sequences.offsets))
    met = owner * n + split.sequences.items
    assert not np.isin(split.test.users[:, None].astype(np.int64) * n + negatives, met).any()
    assert candidate_hash(negatives, split.test) == HASH


def test_groups_of_test_targets(split: Split, real: Interactions) -> None:
    sizes = {one.name: int(one.rows.sum()) for one in slices(split, real)}
    assert (sizes["tied-last-day"], sizes["cold-target"]) == (2275, 557)
    assert sum(n for name, n in sizes.items() if name.startswith("history")) == 7144
    assert sum(n for name, n in sizes.items() if name.startswith("popularity")) == 7144 - 557
    valid = {one.name: int(one.rows.sum()) for one in slices(split, real, split.valid)}
    assert valid["cold-target"] == 437
    trained = np.bincount(split.sequences.training()[1], minlength=real.catalogue.n_items)
    assert int((trained == 0).sum()) == 821


def test_the_temporal_split_says_whom_it_leaves_out(registry: Registry, real: Interactions) -> None:
    temporal = protocol(registry, "temporal-mixed").split(real, NAMES)
    for part, instances in (("valid", temporal.valid), ("test", temporal.test)):
        gone = temporal.report[f"sequences_without_{part}_target"]
        gone += temporal.report[f"{part}_targets_without_history"]
        assert len(instances) == 7144 - gone > 4000
    days = real.times[real.offsets[temporal.test.users] + temporal.test.position]
    trained = np.repeat(temporal.sequences.train_end, np.diff(temporal.sequences.offsets))
    place = np.arange(len(real.items)) - np.repeat(real.offsets[:-1], np.diff(real.offsets))
    assert real.times[place < trained].max() < days.min()


def means(values: np.ndarray, split: Split, among: np.ndarray | None = None) -> list[float]:
    rows = np.ones(len(split.test), bool) if among is None else among
    return [float(values[rows & (split.test.domains == d)].mean()) for d in (0, 1)]


def test_popularity_is_what_others_measured(
    registry: Registry, real: Interactions, split: Split, negatives: np.ndarray
) -> None:
    """Theirs: .030 and .030 by drawing negatives of their own and without counting ties."""
    spec = registry.get("counting", "popularity")
    model = define(spec.target, dict(spec.options))
    state = model.fit(split, real.catalogue, NAMES)
    sampled, full = builders.fitted_counts(
        model, state, split, split.test, real.catalogue, [Ranking(negatives), Ranking()]
    )
    lenient = means(mrr(rank(*sampled, ties="optimistic"), None), split)
    strict, of_all = (means(mrr(rank(*counts), None), split) for counts in (sampled, full))
    assert lenient == pytest.approx([0.030, 0.030], rel=0.08)
    assert all(a < b for a, b in zip(strict, lenient, strict=True))
    assert all(a < 0.2 * b for a, b in zip(of_all, strict, strict=True))


def nearest(split: Split, catalogue: Catalogue, negatives: np.ndarray) -> np.ndarray:
    """Ranks by the distance of item numbers from the last item of the target's domain."""
    s, test = split.sequences, split.test
    span = np.searchsorted(catalogue.domain_offsets, s.items, side="right") - 1
    ranks = np.zeros(len(test))
    for i in range(len(test)):
        start = s.offsets[test.sequence[i]]
        own = slice(start, start + test.position[i])
        last = int(s.items[own][span[own] == test.domains[i]][-1])
        far = np.abs(negatives[i].astype(np.int64) - last)
        ranks[i] = 1 + (far < abs(int(test.targets[i]) - last)).sum()
    return ranks


def test_the_tie_rule_leaks_through_item_numbers_as_others_measured(
    real: Interactions, split: Split, negatives: np.ndarray
) -> None:
    """Theirs: .060 and .035; on users of food with a tied last day .140, on the others .040."""
    actual = 1 / nearest(split, real.catalogue, negatives)
    tied = next(one.rows for one in slices(split, real) if one.name == "tied-last-day")
    assert means(actual, split) == pytest.approx([0.060, 0.035], rel=0.06)
    assert means(actual, split, tied)[0] == pytest.approx(0.140, rel=0.06)
    assert means(actual, split, ~tied)[0] == pytest.approx(0.040, rel=0.06)
