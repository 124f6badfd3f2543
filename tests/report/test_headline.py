"""The order of a board's rows and what it says of itself, against the records by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from statistics import mean

import pytest
from conftest import ROOT, committed

from recmerge_bench.identity import Identity
from recmerge_bench.names import MEAN
from recmerge_bench.report.boards.headline import headline
from recmerge_bench.report.boards.ranking import bands, ranked
from recmerge_bench.report.boards.table import Line, tables
from recmerge_bench.report.glossary import GLOSSARY
from recmerge_bench.results.files import load_records, records_files

METRIC = "NDCG@10"


def line(method: str, value: float | None, tier: str = "", kind: str = "strategy") -> Line:
    class Known(Line):
        @property
        def kind(self) -> str:
            return kind

    identity = Identity(
        track="t", dataset="d", protocol="p", backbone="net" if kind == "strategy" else "",
        method=method, variant="", recipe="fixed", profile="", seed=0,
    )  # fmt: skip
    values = {} if value is None else {(MEAN, METRIC): [value]}
    return Known(identity, domains=["a", "b"], values=values, tier=tier)


def test_bands() -> None:
    lines = [
        line("counts", 0.3, kind="counting"), line("experts", 0.2), line("merge", 0.1, "T0"),
        line("experts", None), line("late", None), line("model", 0.4, kind="cdsr"),
    ]  # fmt: skip
    assert bands(lines) == [
        "heuristics", "references", "methods", "references", "methods", "methods",
    ]  # fmt: skip
    models = [line("experts", 0.2), line("counts", 0.3, kind="counting")]
    assert bands(models) == ["methods", "heuristics"], "nothing merges: models are compared"


def test_equal_printed_means_share_a_rank() -> None:
    values = (0.10004, 0.2, 0.10001, 0.05, None)
    lines = [line(f"m{n}", value, "T0") for n, value in enumerate(values)]
    order = [(row.line.identity.method, row.rank) for row in ranked(lines, METRIC)]
    assert order == [("m1", 1), ("m0", 2), ("m2", 2), ("m3", 4)]


def _best(rows: Sequence[dict[str, object]], metric: str) -> tuple[str, float]:
    by_name: dict[str, list[float]] = {}
    for row in rows:
        identity = row["identity"]
        assert isinstance(identity, dict)
        name = "|".join(str(identity[k]) for k in ("method", "variant", "recipe"))
        by_name.setdefault(name, []).append(row["metrics"]["mean"][metric])  # type: ignore[index]
    return max(((n, mean(v)) for n, v in by_name.items()), key=lambda pair: pair[1])


def test_the_headline_has_the_records_numbers() -> None:
    path = committed("records/mergerec-cpu.json")
    raw = json.loads(path.read_text())
    rows = [r for r in raw["results"] if r["identity"]["track"] == "shared-base" and r["metrics"]]
    said = headline(load_records(path))
    name, best = _best([r for r in rows if r.get("merge")], METRIC)
    _, counting = _best([r for r in rows if not r["identity"]["backbone"]], METRIC)
    method, variant, recipe = name.split("|")
    assert said.answer.startswith(
        f"Best merge: {method} ({variant}; {recipe} recipe), {METRIC} {best:.4f}, "
    )
    side = "above" if best > counting else "below"
    assert f"{side} the best heuristic" in said.answer and f"({counting:.4f})." in said.answer
    assert said.detail.startswith("Compared with task-arithmetic")
    assert said.question.startswith("One model merged from 3 experts (beauty, pantry and toys)")


@pytest.mark.parametrize("suite", ["quick", "regression"])
def test_a_smoke_board_claims_nothing(suite: str) -> None:
    said = headline(load_records(committed(f"records/{suite}.json")))
    assert "says nothing about methods" in said.answer and said.detail == ""
    assert not any(char.isdigit() for char in said.answer)


def test_every_committed_board_has_a_headline() -> None:
    for path in records_files(ROOT / "leaderboards" / "records"):
        records = load_records(path)
        said = headline(records)
        assert said.question.endswith("?") and said.answer.endswith("."), path
        assert said.wanted == len(records.results) and said.place in {None, *tables(records)}


def test_the_glossary_explains_in_sentences() -> None:
    for word, meaning in GLOSSARY.items():
        assert meaning.endswith(".") and len(meaning) < 260, word
