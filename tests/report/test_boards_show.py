"""Boards in the terminal: ranked, a line a method, intervals as bars, `show` without a run."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import ROOT
from rich.console import Console

from recmerge_bench.cli import cli
from recmerge_bench.errors import HandledError
from recmerge_bench.names import MEAN
from recmerge_bench.report.boards.ranking import ranked
from recmerge_bench.report.boards.show import BAR, print_board
from recmerge_bench.report.boards.table import tables
from recmerge_bench.results.files import load_records
from recmerge_bench.results.records import Records

BOARDS = ROOT / "leaderboards"


def shown(records: Records, width: int = 80, asked: set[str] | None = None) -> str:
    screen = io.StringIO()
    print_board(records, Console(file=screen, width=width), asked)
    return screen.getvalue()


def records_of(suite: str) -> Records:
    return load_records(BOARDS / "records" / f"{suite}.json")


@pytest.mark.parametrize("suite", ["quick", "ml100k", "sequential", "merging"])
def test_committed_boards_fit_80_columns_in_the_order_of_the_ranking(suite: str) -> None:
    records = records_of(suite)
    text = shown(records)
    assert max(map(len, text.splitlines())) <= 80
    metric = records.header.primary
    rows = re.findall(r"^ *(\d+)  \S.*?  +(0\.\d{4})", text, re.MULTILINE)
    expected = [
        (str(row.rank), f"{row.line.mean(MEAN, metric):.4f}")
        for lines in tables(records).values()
        for row in ranked(lines, metric)
    ]
    assert rows == expected and len(rows) > 10


def test_tracks_are_chosen_by_name_though_results_are_shared() -> None:
    """A reference stands in several tracks with one key: its other tables are not printed."""
    ran = CliRunner().invoke(cli, ["show", "merging", "--track", "modulated", "--out",
                                   str(BOARDS)])  # fmt: skip
    titles = [x for x in ran.output.splitlines() if "NDCG@10, " in x]
    assert ran.exit_code == 0 and len(titles) == 1 and titles[0].startswith("modulated")


def test_a_published_board_is_shown_without_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "leaderboards").symlink_to(BOARDS)
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(cli, ["show", "regression"])
    assert ran.exit_code == 0 and "last-item" in ran.output
    named = CliRunner().invoke(cli, ["show", "regression", "--out", "runs"], standalone_mode=False)
    assert isinstance(named.exception, HandledError), "what is named is where it is looked for"
    assert "nothing was run there" in str(named.exception)


def test_bars_stand_on_the_side_of_their_verdicts() -> None:
    records = records_of("ml100k")
    lines = [x for x in shown(records, width=120).splitlines() if x.rstrip().endswith("worse")]
    assert len(lines) > 5
    for line in lines:
        bar = line.rstrip().removesuffix("worse").rstrip()[-BAR:]
        dot = max(bar.find("●"), bar.find("◂"))
        assert dot >= 0, line
        assert "│" not in bar[:dot] and "┼" not in bar[:dot] and "▸" not in bar, line


def test_domains_stand_there_where_there_is_room_and_lists_below() -> None:
    records = records_of("quick")
    assert "romance  thriller" not in shown(records)
    assert re.search(r"action +comedy +romance +thriller", shown(records, width=140))
    assert "first items of the rankings" in shown(records) and "Gini@10" in shown(records)


def test_a_run_of_some_rows_shows_their_tables_and_misses_no_others() -> None:
    records = records_of("merging")
    gaps = [r for r in records.results if not r.done]
    done = [r for r in records.results if r.done]
    text = shown(records, asked={done[0].key})
    assert "missing" not in text and text.count("NDCG@10, mean of") == 1
    text = shown(records, asked={done[0].key, gaps[0].key})
    place = gaps[0].identity.place
    assert f"{place.track}, {place.protocol}: 1 result(s) missing: " in text


def test_show_names_what_is_there(tmp_path: Path) -> None:
    def show(*words: str) -> tuple[int, str]:
        ran = CliRunner().invoke(cli, ["show", *words])
        return ran.exit_code, ran.output + str(ran.exception or "")

    code, text = show("sequential", "--out", str(BOARDS), "--track", "beauty")
    assert code == 0 and "beauty, loo-masked: NDCG@10" in text and "sports" not in text
    assert show(str(BOARDS / "records" / "sequential.json"), "--track", "beauty") == (0, text)
    assert (
        "did you mean 'beauty'" in show("sequential", "--out", str(BOARDS), "--track", "beaty")[1]
    )
    assert "did you mean 'quick'" in show("qick", "--out", str(BOARDS))[1]
    assert "nothing was run there" in show("quick", "--out", str(tmp_path))[1]


def test_most_names_stand_in_one_line_and_missing_verdicts_have_their_reason() -> None:
    """At 80 columns the word recipe is left out, and why there is no verdict stands below."""
    lines = shown(records_of("merging")).splitlines()
    table = lines[: next(n for n, line in enumerate(lines) if line.startswith("Difference from"))]
    rows = [line for line in table if re.match(r" *\d+  \S", line)]
    folded = [line for line in table if re.match(r" {4,}\S", line) and "  " not in line.strip()]
    assert "recipe" not in "".join(rows) and "(domain-wise; released)" in "".join(rows)
    assert len(rows) > 50 and len(folded) < len(rows) / 4
    assert "no verdict (3 of 5 seeds)" in shown(records_of("merit-cpu"))
    assert "paper recipe" in shown(records_of("merging"), width=160)
