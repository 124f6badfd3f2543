"""The naive gate wherever a board's numbers are shown: boards, site, exports, a paper's stars."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import boards_builders as made
import pytest
from compared_builders import gated
from json_boards import render, render_full, typed
from rich.console import Console

from recmerge_bench.files import write_json
from recmerge_bench.identity import Place
from recmerge_bench.registry import Registry
from recmerge_bench.report.boards.show import print_board
from recmerge_bench.report.boards.table import tables
from recmerge_bench.report.exports.latex import latex_table
from recmerge_bench.report.exports.source import Source
from recmerge_bench.report.exports.summary import summary
from recmerge_bench.report.publishing.check import check
from recmerge_bench.report.publishing.finish import derive_suite, render_suite
from recmerge_bench.report.site.load import Suite
from recmerge_bench.report.site.tables import table_data
from recmerge_bench.results.all_ranks import write_all_ranks
from recmerge_bench.results.files import save_records

SHUT = "Naive gate not passed on net, so rows on net get no verdict."


def test_a_board_with_a_gate_is_made_again_from_its_ranks(
    registry: Registry, tmp_path: Path
) -> None:
    records, ranks = gated(registry, "down", "up")
    folder = tmp_path / "records"
    save_records(folder / "fake.json", typed(records))
    write_json(folder / "fake.cost.json", {"schema": 3, "suite": "fake", "results": []})
    write_all_ranks(folder / "fake.ranks.parquet", ranks)
    before = (folder / "fake.json").read_bytes()
    derive_suite(folder, "fake", registry)
    assert (folder / "fake.json").read_bytes() == before
    render_suite(folder, "fake", tmp_path)
    assert SHUT in (tmp_path / "fake.md").read_text(encoding="utf-8")
    assert [x for x in check(tmp_path, registry) if "figures" not in x] == []


def test_site_exports_and_screen_say_it(registry: Registry, tmp_path: Path) -> None:
    records = typed(gated(registry, "down", "up")[0])
    [(place, lines)] = tables(records).items()
    done = [line for line in lines if line.values]
    assert SHUT in latex_table(records, place, done)
    write_json(tmp_path / "fake.json", records.to_json())
    text = summary(Source(tmp_path / "fake.json", records, registry))
    assert SHUT in text and "is better than" not in text
    [data] = table_data(Suite(records, [], []))
    assert data.card[0][0] == "naive gate" and data.card[0][1].startswith(SHUT)
    assert data.compared == [] and data.across is None
    screen = io.StringIO()
    print_board(records, Console(file=screen, width=300))
    (line,) = [x for x in screen.getvalue().splitlines() if x.startswith("No verdicts")]
    assert "which only count" in line and len(line) < 160, "one short line, not the board's two"


def with_paper(mean: float) -> dict[str, Any]:
    """The fabricated suite beside a paper that prints stars; its expert's mean is given."""
    records = made.records()
    methods = {
        name: {"method": method, "variant": variant, "recipes": [], "role": role}
        for name, method, variant, role in (
            ("Ours", "own", None, "proposed"), ("Mean", "average", "a|b", "baseline"),
        )
    }  # fmt: skip
    track = records["header"]["tracks"]["merging"]
    track["paper"] = {
        "reference": "table", "title": "A paper", "source": "a journal", "setting": "",
        "seeds": 5, "protocol": "cut", "average": "", "units": ["value"], "differs": [],
        "notes": [], "test": {"name": "paired-t-over-seeds", "levels": [0.9]}, "backbones": {},
        "methods": methods,
        "numbers": [f"T,,{m},{d},NDCG@10,value,{v},,0" for d in made.DOMAINS
                    for m, v in (("Ours", "0.3"), ("Mean", "0.2"))],
    }  # fmt: skip
    track["gate"] = {"models": {"method": "own"}, "rows": [{"method": "counts"}]}
    counts = records["results"][0]["metrics"]["mean"]
    counts["NDCG@10"] = mean
    return records


@pytest.mark.parametrize("shut", [False, True])
def test_no_stars_and_no_order_of_methods_behind_a_shut_gate(shut: bool) -> None:
    records = with_paper(0.9 if shut else 0.1)
    text = render_full(records)
    assert ("stars by it" in text) is not shut
    assert ("Ours order" in text) is not shut and ("Ours order" in render(records)) is not shut
    assert "### A paper and ours" in text  # the numbers themselves stand there
    assert Place("merging", "cut") in tables(typed(records))
