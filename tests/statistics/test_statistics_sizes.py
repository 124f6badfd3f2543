"""How often the tests err, in small: what benchmarks/statistics/ measures at length."""

from __future__ import annotations

import json
from types import ModuleType

import numpy as np
import pytest
from conftest import ROOT

FOLDER = ROOT / "benchmarks" / "statistics"


@pytest.fixture
def simulate(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    import simulate

    return simulate


@pytest.mark.parametrize("seeds", [2, 3, 4, 5, 10])
def test_type_one_error_whatever_the_seeds_do(simulate: ModuleType, seeds: int) -> None:
    """Normal theory; the standard error of a share of .05 is .001 at 50,000 draws."""
    ratios = (0.1, 1.0, 3.0, 10.0, 100.0)
    sizes = [simulate.ratio(seeds, ratio, 50_000)["sizes"]["methods"] for ratio in ratios]
    at_5, at_1, at_01 = np.array(sizes).T
    assert at_5.max() <= 0.06
    if seeds >= 3:
        assert at_5.min() >= 0.04
    if seeds == 2:  # on the safe side, where there is no verdict anyway
        assert at_5.max() <= 0.053
    if seeds == 2 or seeds >= 5:  # Holm's levels: between them up to .0018 at .001
        assert at_1.max() <= 0.012 and at_01.max() <= 0.0014


@pytest.mark.parametrize("seeds", [2, 5, 10])
@pytest.mark.parametrize("kind", ["none", "some"])
def test_type_one_error_and_coverage_on_ranks(simulate: ModuleType, seeds: int, kind: str) -> None:
    """600 worlds of 500 users: a share of .05 has the standard error .009."""
    world = simulate.World(seeds, 500, simulate.SHIFTS[kind])
    wrong = simulate.size(world, 600, 120, 7)["type_one"]
    assert wrong["methods"] <= 0.05 + 0.027
    assert wrong["widened bootstrap"] <= 0.1
    if seeds >= 5:
        assert wrong["methods"] >= 0.05 - 0.027
    if kind == "none":
        assert wrong["trained models"] == pytest.approx(0.05, abs=0.027)
        assert wrong["sign-flip"] == pytest.approx(wrong["trained models"], abs=0.01)


def test_a_users_test_alone_errs_where_seeds_matter(simulate: ModuleType) -> None:
    wrong = simulate.size(simulate.World(5, 500, simulate.SHIFTS["some"]), 600, 0, 8)["type_one"]
    assert wrong["trained models"] > 0.08


def test_holm_keeps_a_familys_error(simulate: ModuleType) -> None:
    wrong = simulate.family(5, 5.0, 15, 4000)["wrong"]
    assert wrong["methods"] <= 0.065 < wrong["Satterthwaite"]


def test_committed_simulations_hold_what_is_promised() -> None:
    record = json.loads((FOLDER / "records" / "simulation.json").read_text(encoding="utf-8"))
    assert {(r["kind"], r["seeds"]) for r in record["sizes"]} == {
        (kind, seeds) for kind in ("none", "some", "strong") for seeds in (2, 5, 10)
    }
    for row in record["sizes"]:
        wrong = row["type_one"]
        assert wrong["methods"] <= 0.07  # coverage of at least .93
        assert wrong.get("widened bootstrap", 0.0) <= 0.07
        if row["seeds"] >= 5:
            assert 0.04 <= wrong["methods"] <= 0.06
    users = {(r["kind"], r["seeds"], r["users"]): r["type_one"] for r in record["sizes"]}
    assert users["some", 5, 2000]["trained models"] >= 0.1


def test_the_drawn_power_curve_is_the_recorded_one(simulate: ModuleType) -> None:
    record = json.loads((FOLDER / "records" / "simulation.json").read_text(encoding="utf-8"))
    committed = (FOLDER / "power.svg").read_text(encoding="utf-8")
    assert simulate.chart.power(record["power"]) == committed
