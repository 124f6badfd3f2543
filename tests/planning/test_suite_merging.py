"""Suite merging: tracks share what they can, and each knows its references."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from recmerge_bench.contracts import spec_class
from recmerge_bench.planning.cells import Plan
from recmerge_bench.planning.plan import build
from recmerge_bench.planning.suite import Suite
from recmerge_bench.planning.suite_files import load_suite
from recmerge_bench.registry import Registry


@pytest.fixture(scope="module")
def suite(registry: Registry) -> Suite:
    return load_suite("merging", registry, seeds=[0])


@pytest.fixture(scope="module")
def plan(suite: Suite, registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return build(suite, registry, Path(tmp_path_factory.mktemp("data")))


def test_tracks_of_one_base_share_their_experts(plan: Plan) -> None:
    labels = Counter(cell.label for cell in plan.cells.values() if cell.kind == "train")
    # From Sports, from the random start, and where a target is scarce with three shares of users.
    wanted = {
        "sasrec": {"pantry": 2, "beauty": 5, "toys": 5, "sports": 1},
        "unisrec": {"pantry": 2, "beauty": 2, "toys": 2, "sports": 1},
        "unisrec-ids": {"pantry": 2, "beauty": 5, "toys": 5, "sports": 1},
    }
    for backbone, counts in wanted.items():
        for domain, count in counts.items():
            assert labels[f"train {backbone} fine-tune {domain} seed 0"] == count
        starts = ("sports", "beauty+pantry+toys+sports")
        assert [labels[f"train {backbone} base {s} seed 0"] for s in starts] == [1, 1]


def test_both_protocols_are_one_pass(plan: Plan) -> None:
    keys: dict[tuple[str, ...], set[str]] = {}
    for result in plan.results:
        row = {k: v for k, v in result.identity.items() if k != "protocol"}
        keys.setdefault(tuple(map(str, row.values())), set()).add(result.key)
    assert all(len(same) == 1 for same in keys.values())


def test_every_track_has_its_gate_and_the_rows_that_it_names(suite: Suite) -> None:
    for name, track in suite.tracks.items():
        methods = {row.method for row in track.rows}
        assert track.gate is not None, name
        assert {track.gate.models.method, *(r.method for r in track.gate.rows)} <= methods, name
        assert track.protocols[0] == "loo-released-masked" and track.baseline is not None
        merges = methods - {"joint", "fine-tune", "last-item", "item-knn"}
        assert "ensemble" in methods or not merges, f"{name}: no ensemble to compare with"


def test_scaled_strategies_stand_beside_the_rule(suite: Suite, registry: Registry) -> None:
    """Each T0 row with a scale of its own has one whose scale the label-free rule chooses."""
    rows = suite.tracks["sports-base"].rows
    by_rule = {row.method for row in rows if row.options.get("scale") == "norm"}
    default = {row.method for row in rows if row.options.get("scale") != "norm"}
    scaled = {
        name
        for (kind, name), spec in registry.specs.items()
        if kind == "strategy" and spec_class(spec).scaled and spec.tier in ("T0", "T1")
    }
    later = {  # newer than the board: no row of it
        "dare-ties", "doge", "frank-wolfe-pseudo", "karcher", "lines", "mask-merging", "nuslerp",
        "opcm", "sce", "sharprec", "sharprec-psa",
    }  # fmt: skip
    assert "task-arithmetic" in scaled and scaled - later <= by_rule & default
