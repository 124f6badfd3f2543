"""Comparisons on boards: families from the suite's baseline, verdicts from stored ranks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boards_builders as made
import numpy as np
import pytest
from compared_builders import USERS, suite, table
from json_boards import (
    derive,
    make_comparisons,
    models_verdict_text,
    render,
    render_full,
    verdict_text,
)

from recmerge_bench.errors import HandledError
from recmerge_bench.evaluation.metrics import ndcg, rank
from recmerge_bench.registry import Registry
from recmerge_bench.report.boards.verdicts import in_words
from recmerge_bench.results.all_ranks import read_all_ranks, write_all_ranks
from recmerge_bench.results.compared import ComparedRow, Judgement
from recmerge_bench.results.records import check_records
from recmerge_bench.statistics.families import holm


def by_method(records: dict[str, Any]) -> dict[str, dict[str, Any]]:
    [family] = records["comparisons"]
    return {row["method"]: row for row in family["rows"]}


def test_verdicts_follow_the_ranks(registry: Registry) -> None:
    records, tables = suite(registry)
    rows = by_method(records)
    assert {m: verdict_text(r) for m, r in rows.items()} == {
        "up": "better", "down": "worse", "near": "equivalent", "counts": "worse",
        "same": "no verdict (no user differs)",
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
    assert {m: verdict_text(r) for m, r in rows.items()} == {
        **dict.fromkeys(("up", "down", "near", "counts"), "no verdict (4 of 5 seeds)"),
        "same": "no verdict (4 of 5 seeds, no user differs)",
    }
    assert {m: models_verdict_text(r) for m, r in rows.items()} == {
        "up": "better", "down": "worse", "near": "equivalent", "counts": "worse",
        "same": "no verdict (no user differs)",
    }  # fmt: skip
    assert rows["up"]["about_methods"]["p"] is None and rows["up"]["methods"]["p"] < 0.05


def test_too_few_seeds_are_a_state_and_these_models_stand_beside(registry: Registry) -> None:
    records = suite(registry, seeds=(0, 1, 2))[0]
    text, full = render(records), render_full(records)
    relative = by_method(records)["down"]["relative"]
    down = [c.strip() for c in next(x for x in text.splitlines() if "| down " in x).split("|")]
    assert down[4:6] == [f"no verdict (3 of 5 seeds), {100 * relative:+.1f} %", "worse"]
    assert "*These models*" in text and "undecided |" not in text + full
    whole = next(x for x in full.splitlines() if x.startswith("| down ") and "no verdict" in x)
    cells = [c.strip() for c in whole.strip("| ").split("|")]
    assert cells[3:6] == ["no verdict (3 of 5 seeds)", "–", "–"] and cells[6] == "worse"
    assert cells[7].startswith("[") and cells[8] == "< 0.001" and cells[9].startswith("[")


@pytest.mark.parametrize("kept", [1, 2, 29])
def test_a_domain_of_few_users_leaves_the_comparison_out_and_the_board_stands(
    registry: Registry, kept: int
) -> None:
    records, tables = suite(registry, users={"films": kept})
    rows = by_method(records)
    assert {verdict_text(r) for r in rows.values()} == {f"no verdict ({kept} of 30 users)"}
    for row in rows.values():
        nothing = [row[k] for k in ("trained_models", "methods", "sign_flip", "bootstrap")]
        assert nothing == [None] * 4
    text, full = render(records), render_full(records)
    assert f"no verdict ({kept} of 30 users)" in text and "p_holm" not in full
    line = next(x for x in full.splitlines() if x.startswith("| up ") and "no verdict" in x)
    assert [c.strip() for c in line.strip("| ").split("|")][4:6] == ["–", "–"]
    assert "across" not in derive(records, tables, registry)


def test_all_backbones_of_a_table_are_one_family(registry: Registry) -> None:
    records, tables = suite(registry)
    alone = by_method(records)
    twins = []
    for result in records["results"]:
        if result["identity"]["backbone"] == "net":
            twin = {**result, "identity": {**result["identity"], "backbone": "other"}}
            twin["key"] = result["key"][::-1]
            if result["key"] in tables:
                tables[twin["key"]] = tables[result["key"]]
            twins.append(twin)
    results = [*records["results"], *twins]
    families = make_comparisons(registry, records["header"], results, tables.__getitem__)
    assert [f["baseline"]["backbone"] for f in families] == ["net", "other"]
    rows = [row for f in families for row in f["rows"]]
    claims = [1.0 if row["about_methods"]["p"] is None else row["methods"]["p"] for row in rows]
    wanted = holm(claims)
    for row, p in zip(rows, wanted, strict=True):
        if row["about_methods"]["p"] is not None:
            assert row["about_methods"]["p"] == pytest.approx(p, rel=1e-8)
    assert rows[0]["about_methods"]["level"] > alone["up"]["about_methods"]["level"]


def test_rows_of_other_seeds_than_their_baseline_are_left_out(registry: Registry) -> None:
    records, tables = suite(registry)
    for result in records["results"]:
        if result["identity"]["method"] == "up":
            result["identity"]["seed"] += 10
    [family] = make_comparisons(registry, records["header"], records["results"], tables.__getitem__)
    assert "up" not in {row["method"] for row in family["rows"]}
    text = render({**records, "comparisons": [family]})
    up = [c.strip() for c in next(x for x in text.splitlines() if "| up " in x).split("|")]
    assert up[4] == "–"


@pytest.mark.parametrize(
    ("methods", "models", "message"),
    [
        ("better", "worse", "better"), ("equivalent", "better", "equivalent"),
        ("undecided", "worse", "undecided; these models: worse"),
        ("undecided", "undecided", "undecided"), ("no verdict", "not recorded", "no verdict"),
        ("no verdict", "no verdict", "no verdict"),
        ("no verdict", "undecided", "no verdict; these models: undecided"),
    ],
)  # fmt: skip
def test_these_models_stand_where_the_methods_are_open(
    methods: str, models: str, message: str
) -> None:
    unknown = dict.fromkeys(("p", "level", "lower", "upper"))
    judgements = [Judgement(verdict=v, reason="", **unknown) for v in (methods, models)]
    row = ComparedRow.model_construct(about_methods=judgements[0], about_models=judgements[1])
    assert in_words(row) == message


def test_records_of_schema_2_say_what_they_know(registry: Registry) -> None:
    for seeds, message in ((5, "better"), (3, "no verdict (3 of 5 seeds)")):
        records = suite(registry, seeds=tuple(range(seeds)))[0]
        for row in records["comparisons"][0]["rows"]:
            facts = row.pop("about_methods")
            row.pop("about_models"), row.pop("difference")
            row |= {"verdict": "undecided" if seeds < 5 else facts["verdict"],
                    "p_holm": 0.01 if row["methods"] else None}  # fmt: skip
            claim = {**dict.fromkeys(("difference", "error", "df", "p", "lower", "upper"), 0.0)}
            row["trained_models"] = row["trained_models"] or claim
        loaded = check_records({**records, "schema": 2}, Path("r.json")).to_json()
        up = by_method(loaded)["up"]
        assert (verdict_text(up), models_verdict_text(up)) == (message, "not recorded")
        assert up["difference"] == up["trained_models"]["difference"]
        assert message in render(loaded) and "not recorded" in render_full(loaded)


def test_the_board_prints_them(registry: Registry) -> None:
    records = suite(registry)[0]
    text, full = render(records), render_full(records)
    assert "### NDCG@10: differences from `base` on net" in full and "from `base` on net" in text
    line = next(x for x in full.splitlines() if x.startswith("| up ") and "better" in x)
    cells = [c.strip() for c in line.strip("| ").split("|")]
    up = by_method(records)["up"]["about_methods"]
    assert cells[3:6] == ["better", f"[{up['lower']:+.4f}, {up['upper']:+.4f}]", "< 0.001"]
    assert up["level"] > 0.95 and "these models" not in text
    main = next(x for x in text.splitlines() if "| base " in x)
    assert "baseline" in main
    relative = by_method(records)["up"]["relative"]
    line = next(x for x in text.splitlines() if "| up " in x)
    assert f"better ({100 * relative:+.1f} %)" in line
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
