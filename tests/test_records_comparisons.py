"""Comparisons on boards: families from the suite's baseline, verdicts from stored ranks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boards_builders as made
import numpy as np
import pytest
from compared_builders import USERS, suite, table

from recmerge_bench.boards.full import render_full
from recmerge_bench.boards.markdown import render
from recmerge_bench.errors import HandledError
from recmerge_bench.evaluation.metrics import ndcg, rank
from recmerge_bench.records.all_ranks import derive, read_all_ranks, write_all_ranks
from recmerge_bench.records.comparisons import make_comparisons
from recmerge_bench.registry import Registry


def by_method(records: dict[str, Any]) -> dict[str, dict[str, Any]]:
    [family] = records["comparisons"]
    return {row["method"]: row for row in family["rows"]}


def test_verdicts_follow_the_ranks(registry: Registry) -> None:
    records, tables = suite(registry)
    rows = by_method(records)
    assert {m: r["verdict"] for m, r in rows.items()} == {
        "up": "better", "down": "worse", "same": "equivalent", "counts": "worse",
    }  # fmt: skip
    up = rows["up"]
    means = [
        [ndcg(rank(t.n_better, t.n_equal), 10).mean() for t in (tables[k] for k in keys)]
        for keys in ([made.key_of(made.identity(m, s)) for s in range(5)] for m in ("up", "base"))
    ]
    wanted = float(np.mean(means[0]) - np.mean(means[1]))
    assert up["trained_models"]["difference"] == pytest.approx(wanted, rel=1e-8)
    assert up["relative"] == pytest.approx(wanted / np.mean(means[1]), rel=1e-8)
    assert up["methods"]["lower"] <= up["trained_models"]["difference"] <= up["methods"]["upper"]
    assert up["effect"]["wins"] + up["effect"]["ties"] + up["effect"]["losses"] == 2 * USERS
    assert rows["counts"]["backbone"] == "" and rows["counts"]["seeds"] == [0, 1, 2, 3, 4]


def test_fewer_than_five_seeds_give_no_verdict(registry: Registry) -> None:
    rows = by_method(suite(registry, seeds=(0, 1, 2, 3))[0])
    assert {r["verdict"] for r in rows.values()} == {"undecided"}
    assert rows["up"]["p_holm"] < 0.05


def test_the_board_prints_them(registry: Registry) -> None:
    records = suite(registry)[0]
    text, full = render(records), render_full(records)
    assert "### NDCG@10 beside `base` on net" in full and "from `base` on net" in text
    line = next(x for x in full.splitlines() if x.startswith("| up ") and "better" in x)
    assert "< 0.001" in line and " | better" in line
    main = next(x for x in text.splitlines() if "| base " in x)
    assert "baseline" in main
    relative = by_method(records)["up"]["relative"]
    up = next(x for x in text.splitlines() if "| up " in x)
    assert f"better ({100 * relative:+.1f} %)" in up
    assert "nothing is said about significance" not in text


def test_smoke_boards_and_tracks_without_a_baseline_compare_nothing(registry: Registry) -> None:
    assert "comparisons" not in suite(registry, label="smoke")[0]
    records, tables = suite(registry)
    del records["header"]["tracks"]["merging"]["baseline"]
    args = (registry, records["header"], records["results"], tables.__getitem__)
    assert make_comparisons(*args) == []


def test_a_baseline_is_one_row(registry: Registry) -> None:
    with pytest.raises(HandledError, match="no row is its baseline"):
        suite(registry, variant="x")
    records, tables = suite(registry)
    twin = made.result(made.identity("base", 0, variant="other"), 0.0, 0.0)
    results = [*records["results"], twin]
    tables[twin["key"]] = table(0, 0.0)
    with pytest.raises(HandledError, match="fits 2 rows"):
        make_comparisons(registry, records["header"], results, tables.__getitem__)


def test_they_are_derived_again_from_the_file_of_ranks(registry: Registry, tmp_path: Path) -> None:
    records, tables = suite(registry)
    write_all_ranks(tmp_path / "r.parquet", tables)
    again = derive(records, read_all_ranks(tmp_path / "r.parquet"), registry)
    assert again["comparisons"] == records["comparisons"]
