"""Saved interactions and splits: equal when read, equal bytes when written again."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from recmerge_bench.data.codec import (
    fingerprint,
    load_interactions,
    load_split,
    save_interactions,
    save_split,
)
from recmerge_bench.data.interactions import Interactions
from recmerge_bench.data.sequences import Split
from recmerge_bench.data.splits import leave_one_out
from recmerge_bench.toolkit.data.build import Columns, Item, build_interactions


@pytest.fixture
def built() -> Interactions:
    items = {str(n): Item("a" if n < 5 else "b", f"Café №{n}") for n in range(10)}
    rng = np.random.default_rng(0)
    users, drawn = (rng.integers(0, n, 200).astype(str).tolist() for n in (9, 10))
    return build_interactions(Columns(users, drawn, rng.integers(0, 50, 200)), items, ["a", "b"])


def files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()}


def test_interactions_come_back_mapped(tmp_path: Path, built: Interactions) -> None:
    save_interactions(built, tmp_path / "1")
    again = load_interactions(tmp_path / "1")
    assert fingerprint(again) == fingerprint(built) and again.report == built.report
    assert isinstance(again.items, np.memmap) and not again.items.flags.writeable
    save_interactions(again, tmp_path / "2")
    assert files(tmp_path / "1") == files(tmp_path / "2")


def test_splits_come_back_mapped(tmp_path: Path, built: Interactions) -> None:
    split = leave_one_out(built, ["a", "b"])
    empty = Split(split.sequences, split.valid.take(np.zeros(0, int)), split.test, {"x": 1})
    for name, one in (("whole", split), ("no-valid", empty)):
        save_split(one, tmp_path / name)
        again = load_split(tmp_path / name)
        assert again.report == one.report and len(again.valid) == len(one.valid)
        for part in ("sequences", "valid", "test"):
            ours, theirs = getattr(one, part), getattr(again, part)
            for field in fields(ours):
                a, b = getattr(ours, field.name), getattr(theirs, field.name)
                assert a.dtype == b.dtype and np.array_equal(a, b), (part, field.name)
        save_split(again, tmp_path / f"{name}-2")
        assert files(tmp_path / name) == files(tmp_path / f"{name}-2")


def test_fingerprint_sees_every_part(built: Interactions) -> None:
    def bumped(array: np.ndarray) -> np.ndarray:
        return np.concatenate([array[:-1], array[-1:] + 1])

    c = built.catalogue
    others = [
        replace(built, items=bumped(built.items)),
        replace(built, times=bumped(built.times)),
        replace(built, times=built.times.astype(np.int32)),
        replace(built, offsets=bumped(built.offsets)),
        replace(built, user_tokens=["x", *built.user_tokens[1:]]),
        replace(built, catalogue=replace(c, tokens=["x", *c.tokens[1:]])),
        replace(built, catalogue=replace(c, texts=["x", *c.texts[1:]])),
        replace(built, catalogue=replace(c, domains=("a", "c"))),
    ]
    prints = [fingerprint(o) for o in [built, *others]]
    assert len(set(prints)) == len(prints) and all(len(f) == 64 for f in prints)
    assert fingerprint(replace(built, report={"x": 3})) == prints[0]
