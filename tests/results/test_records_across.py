"""Mean ranks on boards: from stored ranks, short on the compact board, whole on the full one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boards_builders as made
import pytest
from compared_builders import suite
from json_boards import derive, make_across, render, render_full

from recmerge_bench.files import write_json
from recmerge_bench.registry import Registry
from recmerge_bench.report.boards.across_tables import MOST
from recmerge_bench.report.publishing.check import check
from recmerge_bench.report.publishing.finish import render_suite
from recmerge_bench.results.all_ranks import read_all_ranks, write_all_ranks


def across(registry: Registry, **more: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    records, tables = suite(registry, **more)
    entries = make_across(registry, records["header"], records["results"], tables.__getitem__)
    return {**records, "across": entries}, entries


def test_mean_ranks_and_groups_follow_the_ranks(registry: Registry) -> None:
    _, [ranking] = across(registry)
    rows = {row["method"]: row for row in ranking["rows"]}
    assert ranking["domains"] == 2 and ranking["left_out"] == 0
    assert rows["up"]["mean_rank"] == 1 and rows["counts"]["mean_rank"] == 6
    assert rows["base"]["mean_rank"] == rows["same"]["mean_rank"] == 3.5  # equal ranks, halved
    # a pair with the baseline is told apart as its verdict says, whatever the other pairs do
    assert rows["base"]["groups"] == rows["same"]["groups"] == [2]
    assert rows["up"]["groups"] == [1]
    assert ranking["no_groups"] == []
    assert ranking["said"] == "too few domains for a Friedman test: 2 of at least 8"
    assert all(r["lower"] <= r["mean_rank"] <= r["upper"] for r in rows.values())


def test_they_stand_on_both_boards(registry: Registry) -> None:
    records, _ = across(registry)
    for text in (render(records), render_full(records)):
        part = text.split("### Across domains")[1]
        row = next(x for x in part.splitlines() if "| up " in x)
        assert [c.strip() for c in row.strip("| ").split("|")] == [
            "net", "up", "1.00", "all draws", "1"
        ]  # fmt: skip
        assert "Too few domains for a Friedman test: 2 of at least 8." in part
    assert len(records["across"][0]["rows"]) <= MOST and "The best" not in render(records)


def test_long_tables_are_cut_on_the_compact_board_alone(registry: Registry) -> None:
    records, [ranking] = across(registry)
    ranking["rows"] = ranking["rows"] * 3
    assert "The best 8 of 18 rows." in render(records)
    assert "The best" not in render_full(records)


def test_rows_with_fewer_seeds_are_left_out_and_counted(registry: Registry) -> None:
    records, tables = suite(registry)
    results = [
        r
        for r in records["results"]
        if (r["identity"]["method"], r["identity"]["seed"]) != ("down", 4)
    ]
    [ranking] = make_across(registry, records["header"], results, tables.__getitem__)
    assert ranking["left_out"] == 1 and "down" not in {r["method"] for r in ranking["rows"]}
    text = render({**records, "results": results, "across": [ranking]})
    assert "1 row(s) with fewer seeds are left out." in text


def test_groups_are_formed_of_verdicts_alone(registry: Registry) -> None:
    records, [ranking] = across(registry, seeds=(0, 1, 2))
    groups = {row["method"]: row["groups"] for row in ranking["rows"]}
    assert groups.pop("counts") == [1] and set(map(tuple, groups.values())) == {()}
    assert ranking["no_groups"] == ["3 of 5 seeds"]
    text = render_full(records)
    assert "Rows that no verdict can be given of (3 of 5 seeds) are in no group." in text
    part = text.split("### Across domains")[1]
    assert next(x for x in part.splitlines() if "| up " in x).rstrip("| ").endswith("–")


def test_a_pair_with_the_baseline_is_told_apart_as_its_verdict_says(registry: Registry) -> None:
    records, tables = suite(registry)
    args = (registry, records["header"], records["results"], tables.__getitem__)
    near = next(r for r in records["comparisons"][0]["rows"] if r["method"] == "near")
    for p, together in ((0.2, True), (0.001, False), (None, None)):
        near["about_methods"]["p"] = p
        [ranking] = make_across(*args, records["comparisons"])
        rows = {row["method"]: set(row["groups"]) for row in ranking["rows"]}
        if together is None:
            assert not rows["near"] and not rows["base"] and rows["up"]
        else:
            assert bool(rows["near"] & rows["base"]) is together


def test_smoke_boards_and_single_domains_have_none(registry: Registry) -> None:
    assert across(registry, label="smoke")[1] == []
    records, tables = suite(registry)
    records["header"]["tracks"]["merging"]["domains"] = ["books"]
    args = (registry, records["header"], records["results"], tables.__getitem__)
    assert make_across(*args) == []


@pytest.mark.parametrize("kept", [1, 29])
def test_a_domain_of_few_users_has_none(registry: Registry, kept: int) -> None:
    records, tables = suite(registry, users={"films": kept})
    args = (registry, records["header"], records["results"], tables.__getitem__)
    assert make_across(*args) == []


def test_they_are_derived_again_and_old_records_have_none(
    registry: Registry, tmp_path: Path
) -> None:
    records, tables = suite(registry)
    write_all_ranks(tmp_path / "r.parquet", tables)
    again = derive(records, read_all_ranks(tmp_path / "r.parquet"), registry)
    args = (registry, records["header"], records["results"], tables.__getitem__)
    assert again["across"] == make_across(*args)
    assert "Across domains" not in render(made.records())


def test_the_check_finds_an_edited_mean_rank(registry: Registry, tmp_path: Path) -> None:
    records, tables = suite(registry)
    folder = tmp_path / "records"
    write_all_ranks(folder / "fake.ranks.parquet", tables)
    records = derive(records, tables, registry)

    def wrong() -> list[str]:
        write_json(folder / "fake.json", records)
        costs = {"schema": 1, "suite": "fake", "results": []}
        write_json(folder / "fake.cost.json", costs)
        render_suite(folder, "fake", tmp_path)
        return check(tmp_path, registry)

    assert wrong() == []
    records["across"][0]["rows"][1]["mean_rank"] = 1.5
    [line] = wrong()
    assert "across.0.rows.1.mean_rank is 1.5, the ranks give 1.0" in line
    del records["across"]
    assert len(wrong()) == 1
    (tmp_path / "fake-full.md").write_text("edited\n")
    assert any("fake-full.md:1: is edited" in line for line in check(tmp_path, registry))
