"""The naive gate: what follows for verdicts where trained models do not beat counting rows."""

from __future__ import annotations

from typing import Any

import boards_builders as made
import pytest
from compared_builders import gated, suite
from json_boards import derive, make_across, render, render_full, typed

from recmerge_bench.errors import DataError
from recmerge_bench.identity import Place, Row
from recmerge_bench.registry import Registry
from recmerge_bench.results.gates import closed, gates, shut
from recmerge_bench.results.records import check_records

PLACE = Place("merging", "cut")


def row(method: str, backbone: str = "net") -> Row:
    return Row(backbone, method, "", "fixed", "cpu")


def mean_of(records: dict[str, Any], method: str) -> float:
    values = [
        r["metrics"]["mean"]["NDCG@10"]
        for r in records["results"]
        if r["identity"]["method"] == method
    ]
    return float(sum(values) / len(values))


def test_a_gate_that_is_passed_changes_nothing_but_a_line(registry: Registry) -> None:
    records, _ = gated(registry, "base", "counts")
    without, _ = suite(registry)
    assert records["comparisons"] == without["comparisons"] and records["across"]
    own, counted = mean_of(records, "base"), mean_of(records, "counts")
    assert own > counted
    line = (
        f"Naive gate passed on net: the trained models, base ({own:.4f}), beat counts "
        f"({counted:.4f}) in NDCG@10, means over domains and seeds."
    )
    for text in (render(records), render_full(records)):
        assert text.count(line) == 1 and "not passed" not in text
        assert text.index(line) < text.index("| net")


def test_a_gate_that_is_not_passed_leaves_no_verdict(registry: Registry) -> None:
    records, tables = gated(registry, "down", "counts", "up")
    assert "comparisons" not in records and "across" not in records
    own, up, counted = (mean_of(records, m) for m in ("down", "up", "counts"))
    assert counted < own < up
    text = render(records)
    assert (
        "**Naive gate not passed on net, so rows on net get no verdict.** The "
        f"trained models, down ({own:.4f}), do not beat up ({up:.4f}), which only counts, in "
        f"NDCG@10, means over domains and seeds; they beat counts ({counted:.4f})."
    ) in text
    assert "verdict |" not in text and "Verdicts:" not in text and "Across domains" not in text
    whole = render_full(records)
    assert "verdict (methods)" not in whole and "Naive gate not passed on net" in whole
    assert not make_across(registry, records["header"], records["results"], tables.__getitem__)


def test_equal_means_do_not_beat(registry: Registry) -> None:
    records = typed(gated(registry, "base", "same")[0])  # other seeds' noise, the same numbers
    [gate] = gates(records.header, records.results, PLACE).values()
    assert gate.models.mean == gate.counting[0].mean
    assert not gate.passed and gate.unbeaten == list(gate.counting)


@pytest.mark.parametrize(
    ("rows", "message"),
    [(("counts", "late"), "late has no results (not run: stopped)"),
     (("counts", "absent"), "absent has no results (no such row here)")],
)  # fmt: skip
def test_a_missing_row_leaves_the_gate_undecided(
    registry: Registry, rows: tuple[str, ...], message: str
) -> None:
    records, _ = gated(registry, "base", *rows)
    assert "comparisons" not in records and "across" not in records
    text = render(records)
    assert "**Naive gate not decided on net, so rows on net get no verdict.**" in text
    assert f"{message[0].upper()}{message[1:]}." in text


def test_what_is_not_beaten_counts_though_another_row_is_missing(registry: Registry) -> None:
    records = typed(gated(registry, "down", "up", "late")[0])
    [gate] = gates(records.header, records.results, PLACE).values()
    assert "does not beat up" in gate.reason and not gate.passed


def test_each_backbone_has_its_own_gate(registry: Registry) -> None:
    records, tables = suite(registry)
    results = records["results"]
    for result in [r for r in results if r["identity"]["method"] in ("base", "down", "near")]:
        twin = {**result, "identity": {**result["identity"], "backbone": "weak"}}
        twin["key"] = result["key"][::-1]
        tables[twin["key"]] = tables[result["key"]]
        if result["identity"]["method"] == "down":  # weak's expert is the worst of all
            twin["identity"]["method"] = "expert"
        results.append({**twin, **made.configured(twin["identity"])})
    for seed in range(5):
        who = made.identity("expert", seed)
        tables[made.key_of(who)] = tables[made.key_of(made.identity("up", seed))]
        source = next(
            r for r in results
            if r["identity"]["method"] == "up" and r["identity"]["seed"] == seed
        )  # fmt: skip
        results.append({**made.result(who, 0, 0), "metrics": source["metrics"]})
    records["header"]["tracks"]["merging"]["gate"] = {
        "models": {"method": "expert"}, "rows": [{"method": "base", "variant": ""}],
    }  # fmt: skip
    actual = derive({**records, "schema": 4}, tables, registry)
    assert [f["baseline"]["backbone"] for f in actual["comparisons"]] == ["net"]
    assert {r["backbone"] for r in actual["across"][0]["rows"]} == {"", "net"}
    judged = typed(actual)
    assert closed(judged.header, judged.results, PLACE) == {"weak"}
    text = render(actual)
    assert "Naive gate passed on net" in text and "**Naive gate not passed on weak" in text


def test_the_gates_own_question_may_be_asked(registry: Registry) -> None:
    records = typed(gated(registry, "down", "up")[0])
    header, results = records.header, records.results
    assert shut(header, results, PLACE, row("down"), row("up")) is None
    assert shut(header, results, PLACE, row("up"), row("down")) is None
    gate = shut(header, results, PLACE, row("near"), row("up"))
    assert gate is not None and gate.reason.startswith("naive gate not passed: down (")
    assert shut(header, results, PLACE, row("counts", ""), row("near")) is gate or gate.backbone
    assert shut(header, results, PLACE, row("counts", "")) is None


def test_smoke_boards_have_no_gate(registry: Registry) -> None:
    records, tables = suite(registry, label="smoke")
    records["header"]["tracks"]["merging"]["gate"] = {
        "models": {"method": "down"}, "rows": [{"method": "up"}],
    }  # fmt: skip
    assert "Naive gate" not in render(derive({**records, "schema": 4}, tables, registry))


def test_models_that_are_rows_by_themselves_have_a_gate(registry: Registry) -> None:
    records = typed(gated(registry, "counts", "up")[0])
    by_backbone = gates(records.header, records.results, PLACE)
    assert sorted(by_backbone) == ["", "net"]
    assert "no such row here" in by_backbone["net"].reason
    assert (
        by_backbone[""]
        .sentences()[0]
        .startswith("Naive gate not decided, so rows here get no verdict.")
    )


@pytest.mark.parametrize("rows", [[], [{"variant": "x"}], "up"])
def test_records_with_a_damaged_gate_are_refused(rows: Any, tmp_path: Any) -> None:
    records = made.records()
    records["header"]["tracks"]["merging"]["gate"] = {"models": {"method": "own"}, "rows": rows}
    with pytest.raises(DataError, match=r"gate\.rows"):
        check_records(records, tmp_path / "fake.json")
