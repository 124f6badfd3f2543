"""Sampled negatives: what they may be, and on what they depend."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import catalogue, leave_two_out, planted
from conftest import SAMPLES
from hypothesis import given
from hypothesis import strategies as st

from recmerge_bench.data import candidates
from recmerge_bench.data.candidates import candidate_hash, draw
from recmerge_bench.data.codec import save_interactions, save_split
from recmerge_bench.data.interactions import Catalogue, Interactions
from recmerge_bench.data.sequences import Split
from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.planning.plan import build
from recmerge_bench.planning.suite_files import load_suite
from recmerge_bench.registry import Registry
from recmerge_bench.running import stage_candidates
from recmerge_bench.running.context import Context

CATALOGUE = catalogue((40, 30))
SPLIT = planted(CATALOGUE, users=60)
PINNED = [[13, 22, 33, 37, 39], [16, 22, 24, 25, 42], [56, 57, 65, 66, 69]]


@given(st.integers(0, 2**64), st.integers(1, 5))
def test_they_are_distinct_in_the_domain_and_unseen(seed: int, n: int) -> None:
    drawn = draw(SPLIT, SPLIT.test, CATALOGUE, n, seed)
    assert drawn.shape == (len(SPLIT.test), n) and drawn.dtype == np.int32
    assert (np.diff(drawn, axis=1) > 0).all()
    s = SPLIT.sequences
    for row, items in enumerate(drawn):
        span = CATALOGUE.span(CATALOGUE.domains[SPLIT.test.domains[row]])
        assert span.start <= items[0] and items[-1] < span.stop
        sequence = SPLIT.test.sequence[row]
        whole = s.items[s.offsets[sequence] : s.offsets[sequence + 1]]
        assert not np.isin(items, whole).any()


@given(st.data())
def test_an_instance_gets_the_same_in_any_company(data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.integers(0, len(SPLIT.test) - 1), min_size=1, unique=True))
    some = SPLIT.test.take(np.array(rows))
    whole = draw(SPLIT, SPLIT.test, CATALOGUE, 4, 7)
    assert np.array_equal(draw(SPLIT, some, CATALOGUE, 4, 7), whole[rows])


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = draw(SPLIT, SPLIT.test, CATALOGUE, 4, 7)
    monkeypatch.setattr(candidates, "MOST_ROWS", 3)
    assert np.array_equal(draw(SPLIT, SPLIT.test, CATALOGUE, 4, 7), whole)
    monkeypatch.setattr(candidates, "CELLS", 1)
    assert np.array_equal(draw(SPLIT, SPLIT.test, CATALOGUE, 4, 7), whole)


def test_a_user_is_spared_items_of_all_their_sequences() -> None:
    # a sequence for each domain of one user, and the domain's items met in a mixed sequence
    cat = catalogue((6, 6))
    split = leave_two_out([[0, 1, 2, 3], [6, 0, 7, 8]], [0, -1], cat)
    split.sequences.users[:] = 0
    split.test.users[:] = 0
    drawn = draw(split, split.test, cat, 2, 0)
    assert drawn[0].tolist() == [4, 5] and set(drawn[1].tolist()) <= {9, 10, 11}


def test_all_free_items_can_be_asked_for_and_no_more() -> None:
    cat = catalogue((8, 8))
    split = leave_two_out([[0, 1, 2, 3], [0, 2, 4, 6, 7]], [0, 0], cat)
    assert draw(split, split.test, cat, 3, 5)[1].tolist() == [1, 3, 5]
    message = (
        "domain 'alpha' has fewer than 4 free items for 1 of 2 users; "
        "the protocol can sample at most 3"
    )
    with pytest.raises(DataError, match=message):
        draw(split, split.test, cat, 4, 5)
    for n, seed in ((0, 1), (1, -1)):
        with pytest.raises(HandledError, match="cannot draw"):
            draw(split, split.test, cat, n, seed)


def test_capped_all_targets_get_as_many_as_the_poorest_user_can() -> None:
    cat = catalogue((8, 30))
    split = leave_two_out([[0, 1, 2, 3], [0, 2, 4, 6, 7], [8, 9, 10, 11]], [0, 0, 1], cat)
    few = draw(split, split.test, cat, 999, 5, capped=True)
    assert few.shape == (3, 3) and few[1].tolist() == [1, 3, 5]
    assert np.array_equal(few, draw(split, split.test, cat, 3, 5))
    enough = draw(split, split.test, cat, 2, 5, capped=True)
    assert np.array_equal(enough, draw(split, split.test, cat, 2, 5))
    none = leave_two_out([[0, 1, 2, 3], [0, 1, 2, 3, 4, 5, 6, 7]], [0, 0], cat)
    with pytest.raises(DataError, match="fewer than 1 free items for 1 of 2 users"):
        draw(none, none.test, cat, 3, 5, capped=True)


def test_the_stage_tells_how_many_there_are(tmp_path: Path, registry: Registry) -> None:
    cat = catalogue((8, 30))
    split = leave_two_out([[0, 1, 2, 3], [0, 2, 4, 6, 7]], [0, 0], cat)
    events = Interactions(
        split.sequences.offsets, split.sequences.items, np.zeros(9, np.int64), ["u", "v"], cat
    )
    save_interactions(events, tmp_path / "data")
    save_split(split, tmp_path / "split")
    inputs = {name: tmp_path / name for name in ("data", "split")}
    suite = SAMPLES / "tiny.yaml"
    changes = ("tracks.cdsr.protocols=[mixed-sampled-999,mixed-capped-999]",)
    plan = build(load_suite(str(suite), registry, changes), registry)
    configs = [c.job["config"] for c in plan.cells.values() if c.kind == "candidates"]
    assert [c.get("capped", False) for c in configs if c["count"] == 999] == [False, True]
    config = next(c for c in configs if c.get("capped"))
    context = Context(config, inputs, tmp_path, tmp_path, 0, 1, "cpu", lambda _: None)
    report = stage_candidates.run(context)
    drawn = np.load(tmp_path / "candidates.npy")
    assert (report["asked"], report["count"], drawn.shape) == (999, 3, (2, 3))
    plain = replace(context, config={**config, "capped": False})
    with pytest.raises(DataError, match="the protocol can sample at most 3"):
        stage_candidates.run(plain)


def test_they_are_uniform() -> None:
    cat = catalogue((12, 4))
    users = 4000
    split = leave_two_out([[0, 3, 7, 11]] * users, [0] * users, cat)
    counts = np.bincount(draw(split, split.test, cat, 3, 1).ravel(), minlength=12)
    free = np.delete(counts, [0, 3, 7, 11])
    assert counts[[0, 3, 7, 11]].sum() == 0 and len(free) == 8
    expected = users * 3 / 8
    assert (((free - expected) ** 2) / expected).sum() < 24.3  # chi-squared, 7 degrees, 0.1 %


def slow(split: Split, cat: Catalogue, row: int, n: int, seed: int) -> list[int]:
    """A shuffle of the list of free items, stopped after n."""
    user, target = int(split.test.users[row]), int(split.test.targets[row])
    s = split.sequences
    met = s.items[s.offsets[row] : s.offsets[row + 1]].tolist()
    span = cat.span(cat.domains[split.test.domains[row]])
    free = [i for i in range(span.start, span.stop) if i not in met]
    key = np.random.SeedSequence(seed).generate_state(2, np.uint64)
    raw = np.random.Philox(key=key, counter=[0, 0, target, user]).random_raw(n)
    for step in range(n):
        other = step + int((int(raw[step]) >> 11) / 2**53 * (len(free) - step))
        free[step], free[other] = free[other], free[step]
    return sorted(free[:n])


def test_pinned_values() -> None:
    """The draw is part of published boards: a change of it must be seen."""
    cat = catalogue((50, 20))
    split = leave_two_out([[0, 1, 2, 3], [10, 11, 12, 13], [50, 51, 52, 53]], [0, 0, 1], cat)
    drawn = draw(split, split.test, cat, 5, 2026)
    assert drawn.tolist() == PINNED
    assert [slow(split, cat, row, 5, 2026) for row in range(3)] == PINNED
    again = draw(split, split.test, cat, 5, 2027)
    assert (again != drawn).any(axis=1).all()


def test_hash_covers_targets_and_candidates() -> None:
    drawn = draw(SPLIT, SPLIT.test, CATALOGUE, 4, 7)
    other = drawn.copy()
    other[0, 0] += 1
    hashes = {
        candidate_hash(drawn, SPLIT.test),
        candidate_hash(other, SPLIT.test),
        candidate_hash(drawn, SPLIT.valid),
    }
    assert len(hashes) == 3 and all(len(f) == 64 for f in hashes)
    assert candidate_hash(drawn.astype(np.int64), SPLIT.test) in hashes
