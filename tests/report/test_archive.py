"""Superseded boards: moved with their numbers, readable, marked, linked and checked as before."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import ROOT

from recmerge_bench.cli import cli
from recmerge_bench.errors import HandledError
from recmerge_bench.registry import Registry
from recmerge_bench.report.exports.source import Source
from recmerge_bench.report.exports.summary import summary
from recmerge_bench.report.publishing.archive import archive_suite
from recmerge_bench.report.publishing.check import check
from recmerge_bench.report.publishing.finish import derive_suite, render_suite
from recmerge_bench.report.site.load import load_suites
from recmerge_bench.report.site.pages import render_site
from recmerge_bench.report.site.write import write_site
from recmerge_bench.results.files import load_records

WHY = "its experts are below last-item."


def write(boards: Path, registry: Registry) -> None:
    write_site(render_site(load_suites(boards / "records"), registry), boards / "site")


@pytest.fixture
def boards(tmp_path: Path, registry: Registry) -> Path:
    """Two committed boards with figures and site; `quick` is the old one."""
    folder = tmp_path / "boards"
    for name in ("quick", "regression"):
        for file in (ROOT / "leaderboards").rglob(f"{name}*"):
            place = folder / file.relative_to(ROOT / "leaderboards")
            if file.is_file() and not {"site", "releases"} & {*file.parts}:
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, place)
    write(folder, registry)
    assert check(folder, registry) == []
    return folder


def numbers(path: Path) -> Any:
    records = json.loads(path.read_text(encoding="utf-8"))
    return records["results"], records.get("comparisons"), records.get("across")


def test_a_board_is_moved_marked_and_checked(boards: Path, registry: Registry) -> None:
    before = {p.relative_to(boards): p.read_bytes() for p in boards.rglob("quick*")
              if "site" not in p.parts}  # fmt: skip
    old = numbers(boards / "records" / "quick.json")
    words = ["leaderboard", "archive", "quick", "--by", "regression", "--why", WHY]
    done = CliRunner().invoke(cli, [*words, "--to", str(boards)])
    assert done.exit_code == 0 and "archive/quick.md" in done.output
    archive = boards / "archive"
    assert not [p for p in boards.rglob("quick*") if archive not in p.parents
                and "site" not in p.parts]  # fmt: skip
    assert numbers(archive / "records" / "quick.json") == old
    for name, content in before.items():
        moved = (archive / name).read_bytes()
        if name.suffix == ".md":  # the mark is two lines below the heading, all else is as it was
            lines = moved.decode().splitlines()
            assert lines[2].startswith("> **Superseded by [regression](../regression.md)**: its ")
            assert [*lines[:1], *lines[3:]] == content.decode().splitlines()
        elif name.name != "quick.json":
            assert moved == content
    assert (archive / "../regression.md").resolve().is_file()
    faults = check(boards, registry)
    assert faults and all("site" in fault for fault in faults)
    write(boards, registry)
    assert check(boards, registry) == []


def test_the_site_lists_it_last_and_links_the_new_one(boards: Path, registry: Registry) -> None:
    archive_suite(boards, "quick", "regression", WHY)
    suites = load_suites(boards / "records")
    assert [s.name for s in suites] == ["regression", "quick"]
    pages = render_site(suites, registry)
    page = pages["boards.html"]
    assert "(quick (superseded))</option>" in page and "(regression)</option>" in page
    assert "../archive/quick.md" in page and "Superseded by regression" in pages["index.html"]
    assert page.index('value="regression"') < page.index('value="quick"')
    data = pages["data/quick.js"]
    assert '"superseded":"regression"' in data and "Superseded by regression" in data
    assert "superseded" not in pages["data/regression.js"]
    assert ">quick (superseded)</a>" in pages["methods/ties.html"]
    records = boards / "archive" / "records" / "quick.json"
    text = summary(Source(records, load_records(records), registry))
    assert "Superseded by regression: its experts are below last-item." in text


def test_archived_boards_are_built_again(boards: Path, registry: Registry) -> None:
    archive_suite(boards, "quick", "regression")
    archive = boards / "archive"
    before = {p: p.read_bytes() for p in archive.rglob("*") if p.is_file()}
    derive_suite(archive / "records", "quick", registry)
    render_suite(archive / "records", "quick", archive)
    assert {p: p.read_bytes() for p in archive.rglob("*") if p.is_file()} == before


def test_nothing_takes_the_name_of_an_archived_board(boards: Path) -> None:
    spare = boards.parent / "spare"
    shutil.copytree(boards, spare)
    archive_suite(boards, "quick", "regression")
    shutil.copytree(spare / "records", boards / "records", dirs_exist_ok=True)
    with pytest.raises(HandledError, match="its board is in the archive"):
        render_suite(boards / "records", "quick", boards)


def test_an_interrupted_move_is_ended_by_the_next(boards: Path, registry: Registry) -> None:
    spare = boards.parent / "spare"
    shutil.copytree(boards, spare)
    archive_suite(boards, "quick", "regression", WHY)
    wanted = {p.relative_to(boards): p.read_bytes() for p in boards.rglob("*") if p.is_file()}
    for name in ("quick.json", "quick.cost.json"):  # as if it had stopped before these went
        shutil.copy(spare / "records" / name, boards / "records")
    assert any(
        "stands outside the archive too" in fault for fault in check_quietly(boards, registry)
    )
    archive_suite(boards, "quick", "regression", WHY)
    assert {
        p.relative_to(boards): p.read_bytes() for p in boards.rglob("*") if p.is_file()
    } == wanted


def check_quietly(boards: Path, registry: Registry) -> list[str]:
    """Faults that are no missing ranks."""
    shutil.copy(boards / "archive" / "records" / "quick.ranks.parquet", boards / "records")
    for end in ("groups.json",):
        if (source := boards / "archive" / "records" / f"quick.{end}").is_file():
            shutil.copy(source, boards / "records")
    shutil.rmtree(boards / "site")
    try:
        return check(boards, registry)
    finally:
        shutil.copytree(boards.parent / "spare" / "site", boards / "site")


def test_what_replaced_it_may_be_replaced_in_turn(boards: Path) -> None:
    for end in ("json", "cost.json", "ranks.parquet"):
        shutil.copy(ROOT / "leaderboards" / "records" / f"ml100k.{end}", boards / "records")
    archive_suite(boards, "quick", "regression", WHY)
    archive_suite(boards, "regression", "ml100k")
    marks = {
        name: load_records(boards / "archive" / "records" / f"{name}.json").header.superseded
        for name in ("quick", "regression")
    }
    assert {name: mark.by for name, mark in marks.items() if mark} == {
        "quick": "ml100k", "regression": "ml100k",
    }  # fmt: skip
    assert marks["quick"] and marks["quick"].why == WHY
    assert "(../ml100k.md)" in (boards / "archive" / "quick.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("suite", "by", "told"),
    [
        ("quik", "regression", "no records of suite 'quik' (did you mean 'quick'?)"),
        ("quick", "regresion", "no records of suite 'regresion' (did you mean 'regression'?)"),
        ("quick", "quick", "cannot replace itself"),
    ],
)
def test_wrong_names_are_refused(boards: Path, suite: str, by: str, told: str) -> None:
    with pytest.raises(HandledError) as error:
        archive_suite(boards, suite, by)
    assert told in str(error.value) and not (boards / "archive").exists()


def test_what_is_wrong_in_an_archive_is_said(boards: Path, registry: Registry) -> None:
    archive_suite(boards, "quick", "regression", WHY)
    shutil.rmtree(boards / "site")
    assert check(boards, registry) == []
    path = boards / "archive" / "records" / "quick.json"
    whole = path.read_text(encoding="utf-8")

    def faults(**changes: Any) -> list[str]:
        records = json.loads(whole)
        records["header"].pop("superseded")
        records["header"].update(changes)
        path.write_text(json.dumps(records, indent=1), encoding="utf-8")
        return check(boards, registry)

    assert any("does not say superseded by what" in fault for fault in faults())
    by = faults(superseded={"by": "nobody", "why": ""})
    assert any("superseded by 'nobody', of which there are no records" in fault for fault in by)
    path.write_text(whole, encoding="utf-8")
    (boards / "archive" / "quick.md").write_text("edited\n", encoding="utf-8")
    (boards / "archive" / "stray.md").write_text("", encoding="utf-8")
    edited = check(boards, registry)
    assert len(edited) == 2 and any("stray.md: no records make this file" in f for f in edited)
