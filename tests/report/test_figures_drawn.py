"""What drawings are made of: names, places of names, which lines, ablations, frontiers."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from conftest import committed
from hypothesis import given
from hypothesis import strategies as st

from recmerge_bench.report.figures.beside import apart
from recmerge_bench.report.figures.data import MOST, FigureData, Point
from recmerge_bench.report.figures.declared import figures
from recmerge_bench.report.figures.draw import svg
from recmerge_bench.report.figures.names import bounds, short_names
from recmerge_bench.report.figures.pareto import frontier
from recmerge_bench.results.files import load_records


def test_short_names_tell_apart_and_no_more() -> None:
    names = ["ties (density=0.2; paper recipe)", "ties (density=0.5; paper recipe)", "dare (x)"]
    short = {names[0]: "ties (density=0.2)", names[1]: "ties (density=0.5)", names[2]: "dare"}
    assert short_names(names) == short
    assert len(set(short_names(["a (x)", "a (x; y)", "a"]).values())) == 3


def test_bounds_of_groups() -> None:
    texts = ["3 to 4 events before it", "5 events before it"]
    assert bounds(texts) == (["3 to 4", "5"], "events before it")
    assert bounds(["alone"]) == (["alone"], "") and bounds([]) == ([], "")


@given(st.lists(st.floats(0, 1), max_size=20))
def test_names_stand_apart_and_in_order(places: list[float]) -> None:
    moved = apart(places, 0.05)
    order = sorted(range(len(places)), key=lambda n: (places[n], n))
    assert all(moved[b] - moved[a] >= 0.05 - 1e-9 for a, b in pairwise(order))
    assert all(-1e-9 <= place <= 1 + 1e-9 for place in moved)


def test_many_lines_show_the_best() -> None:
    points = tuple(Point("p", f"s{n}", x, n + x, None, 1) for n in range(12) for x in (0, 1))
    data = FigureData("f", "t", "x", points)
    assert data.shown == [f"s{n}" for n in range(12 - MOST, 12)] and len(data.series) == 12
    text = svg(data)
    assert text.count("clip-path") and "the best 8 of 12 lines" in text
    assert "s11<" in text and ">s0<" not in text


def test_a_frontier_leaves_noise_out() -> None:
    places = [(1.0, 0.100), (1.02, 0.101), (2.0, 0.102), (3.0, 0.2)]
    assert frontier(places) == {0, 1, 2, 3}, "exact values, exact costs"
    assert frontier(places, [0.002] * 4, 0.05) == {1, 3}


def test_an_ablation_is_drawn_as_differences() -> None:
    records = load_records(committed("records/merit-cpu.json"))
    [ablation] = [f for f in figures(records, []) if f.name == "ablation"]
    families = [c for c in records.comparisons if c.track == "ablation-food-kitchen"]
    wanted = [(row.difference, row.trained_models) for c in families for row in c.rows]
    assert [p.y for p in ablation.points] == [difference for difference, _ in wanted]
    claims = [claim for _, claim in wanted if claim]
    assert [p.spread for p in ablation.points] == pytest.approx(
        [(claim.upper - claim.lower) / 2 for claim in claims]
    )
    assert ablation.mark == "dot" and "SF1" in ablation.ticks
    assert "95 % interval" in ablation.spread
    [rows] = [f for f in figures(records, []) if f.name == "comparison"]
    assert (rows.mark, rows.y) == ("dot", "MRR"), "rows of methods"
    assert rows.points[0].panel == "food, mixed-merit-sampled-999"
    assert ablation.y == "difference in MRR from merit (whole)"


@pytest.mark.parametrize(("metric", "shared"), [("MRR", True), ("NDCG@10", False)])
def test_panels_of_one_metric_share_its_axis(metric: str, shared: bool) -> None:
    """The names of two lines that rise alike, one far above the other, stand apart then."""
    points = tuple(
        Point(panel, "line", x, low + 0.01 * x, None, 1)
        for panel, low in (("MRR, a", 0.1), (f"{metric}, b", 0.5))
        for x in (0, 1)
    )
    text = svg(FigureData("f", "t", "x", points))
    first, second = (float(y) for y in re.findall(r'y="([\d.]+)"[^>]*>line<', text))
    assert (first - second > 100) == shared and (abs(first - second) < 1) != shared
