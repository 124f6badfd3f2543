"""What results cost: parameters from headers, energy from counters, quality against cost."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import Any

import boards_builders as made
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from json_boards import derive, paretos, render_cost
from safetensors.numpy import save_file

from recmerge_bench.errors import DataError
from recmerge_bench.files import write_json
from recmerge_bench.registry import Registry
from recmerge_bench.report.boards.cost_board import by_kind
from recmerge_bench.report.figures.draw import write_figure
from recmerge_bench.report.figures.draw_pareto import pareto_svg
from recmerge_bench.report.figures.pareto import MERGE, WHOLE, frontier
from recmerge_bench.report.publishing.check import check
from recmerge_bench.results.costs import joules_of, parameters_of
from recmerge_bench.results.reader import Cell, Reader
from recmerge_bench.running import energy
from recmerge_bench.running.store import Store


def cell(store: Store, name: str, files: dict[str, dict[str, np.ndarray]], **record: Any) -> str:
    key = (name.encode().hex() + 64 * "0")[:64]
    with store.writing(key) as folder:
        for file, tensors in files.items():
            save_file(tensors, str(folder / file))
        store.commit(key, folder, {"key": key, "inputs": {}, "config": {}, **record})
    return key


def test_parameters_are_those_that_serve_the_domains(tmp_path: Path, registry: Registry) -> None:
    store, reader = Store(tmp_path), Reader(tmp_path, registry)
    six = {"w": np.zeros((2, 3), np.float32), "prepared.graph": np.zeros(50, np.int64)}
    both = {"domains": ["a", "b"]}
    one = cell(store, "one", {"model.safetensors": six})
    other = cell(store, "other", {"model.safetensors": {"w": np.zeros(4), "b": np.zeros(())}})
    each = cell(store, "each", {"model-a.safetensors": six, "model-b.safetensors": six,
                                "adapter-b.safetensors": {"x": np.zeros(7)}})  # fmt: skip
    merged = cell(store, "r1", {}, inputs={"model": one}, config=both)
    experts = cell(store, "r2", {}, inputs={"model:a": one, "model:b": other}, config=both)
    modulated = cell(store, "r3", {}, inputs={"model": each}, config=both)
    absent = cell(store, "r4", {}, inputs={"model": "f" * 64}, config=both)
    assert [parameters_of(reader, k) for k in (merged, experts, modulated, absent)] == [
        6, 6 + 5, 6 + 6 + 7, None,
    ]  # fmt: skip
    (store.folder(one) / "model.safetensors").write_bytes(b"\xff" * 64)
    with pytest.raises(DataError, match="no safetensors file"):
        parameters_of(reader, merged)


def test_seconds_by_kind_and_joules_of_all_cells() -> None:
    seconds = {"train:a": 1.0, "train:b": 2.0, "merge:c": 4.0, "rank:d": 8.0, "data:e": 16.0,
               "text:f": 32.0, "search:train": 64.0}  # fmt: skip
    seconds_by_kind = by_kind(seconds)
    assert seconds_by_kind == {
        "training": 3.0,
        "merging": 4.0,
        "ranking": 8.0,
        "searching": 64.0,
        "other": 48.0,
    }
    silent = Cell("train", "a", {}, {}, 1.0, 1, 0.0, "cpu", {}, {})
    measured = dataclasses.replace(silent, energy={"joules": 10.0, "share": 0.5})
    assert joules_of([measured, measured]) == 10.0
    assert joules_of([measured, silent]) is None and joules_of([silent]) is None


def counters(folder: Path, **joules: float) -> Path:
    for name, value in joules.items():
        place = folder / name.replace("_", ":").replace("intel:", "intel-")
        place.mkdir(parents=True, exist_ok=True)
        (place / "energy_uj").write_text(f"{round(value * 1e6)}\n")
        (place / "max_energy_range_uj").write_text("1000000000\n")
    return folder


def test_energy_is_that_of_the_packages_and_comes_round(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu 0 0 0 0 0 0 0 0\n")
    folder = counters(tmp_path / "p", intel_rapl_0=100.0, intel_rapl_1=990.0, intel_rapl_0_1=5.0)
    meter = energy.Meter(folder, stat)
    counters(folder, intel_rapl_0=103.0, intel_rapl_1=4.0, intel_rapl_0_1=50.0)
    meter.read()
    counters(folder, intel_rapl_0=105.5)
    stat.write_text("cpu 0 0 100000000 5 5 0 0 0\n")
    actual = meter.stop()
    assert actual is not None and actual["joules"] == pytest.approx(5.5 + 14.0)
    assert 0 <= actual["share"] < 0.001
    assert energy.Meter(tmp_path / "none", stat).stop() is None


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_the_frontier_is_what_nothing_beats(places: list[tuple[int, int]]) -> None:
    best = frontier(places)
    for number, (cost, value) in enumerate(places):
        beaten = any((c <= cost and v > value) or (c < cost and v >= value) for c, v in places)
        twin = any(places[other] == (cost, value) for other in best)
        assert (number in best) <= (not beaten) and (beaten or twin)


def suite() -> tuple[dict[str, Any], dict[str, Any]]:
    """Own models, two merges of them and a count, with costs."""
    records, costs = made.records(), made.costs()
    shape = {"own": {"train:x": 9.0}, "counts": {"train:c": 0.0},
             "average": {"train:x": 9.0, "merge:m": 2.0}}  # fmt: skip
    costs["results"] = [
        {**costs["results"][0], "key": r["key"], "identity": r["identity"],
         "seconds": shape[r["identity"]["method"]]}
        for r in records["results"] if r["status"] == "done"
    ]  # fmt: skip
    return records, costs


def test_quality_against_cost_by_hand() -> None:
    records, costs = suite()
    [plot] = paretos(records, costs)
    assert plot.name == "cost-pareto-merging-cut"
    rows = [(r.panel, r.method, r.seconds, round(r.value, 4), r.frontier) for r in plot.rows]
    assert rows == [
        (WHOLE, "counts", 0.001, 0.15, True),  # 0 s has no logarithm
        (WHOLE, "own", 9.0, 0.365, True),
        (WHOLE, "average (a|b; fixed recipe)", 11.0, 0.2625, False),
        (WHOLE, "average (paper recipe)", 11.0, 0.1, False),
        (MERGE, "average (a|b; fixed recipe)", 2.0, 0.2625, True),
        (MERGE, "average (paper recipe)", 2.0, 0.1, False),
    ]
    assert plot.levels == (("net", "own", pytest.approx(0.365)),)
    assert plot.csv().splitlines()[2] == f'"{WHOLE}","net","own",9,0.365,1,2'
    text = pareto_svg(plot)
    assert text == pareto_svg(plot) and text.startswith("<?xml")
    assert "average (a|b; fixed recipe)" in text and "average (paper recipe)" not in text
    link = "![Quality against cost: merging, cut](figures/fake-cost-pareto-merging-cut.svg)"
    assert link in render_cost(costs, [plot]) and link not in render_cost(costs)


def test_smoke_boards_and_short_tables_have_no_plot() -> None:
    records, costs = suite()
    smoke = copy.deepcopy(records)
    smoke["header"]["label"] = "smoke"
    assert paretos(smoke, costs) == []
    assert paretos(records, {**costs, "results": costs["results"][:3]}) == []
    unmerged = copy.deepcopy(costs)
    for entry in unmerged["results"]:
        entry["seconds"].pop("merge:m", None)
    [plot] = paretos(records, unmerged)
    assert {r.panel for r in plot.rows} == {WHOLE} and plot.levels == ()
    assert pareto_svg(plot).startswith("<?xml")


def test_check_knows_the_plots(tmp_path: Path, registry: Registry) -> None:
    from recmerge_bench.report.publishing.finish import render_suite
    from recmerge_bench.results.all_ranks import write_all_ranks

    records, costs = suite()
    for result in records["results"]:
        result["split"] = ""
    tables = {r["key"]: made.ranks() for r in records["results"] if r["status"] == "done"}
    records = derive(records, tables, registry)
    folder = tmp_path / "records"
    write_json(folder / "fake.json", records)
    write_json(folder / "fake.cost.json", costs)
    write_all_ranks(folder / "fake.ranks.parquet", tables)
    render_suite(folder, "fake", tmp_path)
    assert len(check(tmp_path, registry)) == 2  # the plot and its data are not drawn yet
    [plot] = paretos(records, costs)
    table, _ = write_figure(plot, tmp_path / "figures", "fake")
    assert check(tmp_path, registry) == []
    table.write_text(table.read_text().replace(",9,", ",8,"))
    [line] = check(tmp_path, registry)
    assert "fake-cost-pareto-merging-cut.csv:" in line
