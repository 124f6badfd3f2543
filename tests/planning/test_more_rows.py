"""``more_rows``: added to what a track inherits, by << or `extends`; misuse is one clear line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recmerge_bench.errors import HandledError
from recmerge_bench.planning.suite import Suite
from recmerge_bench.planning.suite_files import load_suite
from recmerge_bench.registry import Registry
from recmerge_bench.yaml_text import parse_yaml

BASE = """\
name: base
tracks:
  one: &one
    dataset: synthetic
    domains: [d0, d1]
    protocols: [loo]
    backbones: {sasrec: {}}
    rows: [popularity, fine-tune]
  two: &two
    <<: *one
    more_rows:
      - ties
      - {method: dare, options: {density: 0.5}}
  three:
    <<: *two
    more_rows: [magmax]
  own:
    <<: *two
    rows: [last-item]
"""


def methods(suite: Suite, track: str) -> list[str]:
    assert suite.tracks[track].more_rows == ()
    return [row.method for row in suite.tracks[track].rows]


def write(folder: Path, name: str, text: str) -> str:
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return str(path)


def test_rows_are_added_to_those_merged_in(registry: Registry, tmp_path: Path) -> None:
    suite = load_suite(write(tmp_path, "base", BASE), registry)
    assert methods(suite, "one") == ["popularity", "fine-tune"]
    assert methods(suite, "two") == ["popularity", "fine-tune", "ties", "dare"]
    assert methods(suite, "three") == ["popularity", "fine-tune", "ties", "dare", "magmax"]
    assert methods(suite, "own") == ["last-item"], "own rows replace all that is inherited"


def test_rows_are_added_to_those_of_the_extended_suite(registry: Registry, tmp_path: Path) -> None:
    write(tmp_path, "base", BASE)
    write(tmp_path, "middle", "extends: base.yaml\nname: middle\ntracks: {two: {more_rows: [pcb]}}")
    text = (
        "extends: middle.yaml\nname: top\ntracks: {two: {more_rows: [iso-c]}, one: {rows: [ties]}}"
    )
    suite = load_suite(write(tmp_path, "top", text), registry)
    assert methods(suite, "two") == ["popularity", "fine-tune", "ties", "dare", "pcb", "iso-c"]
    assert methods(suite, "one") == ["ties"]
    given: dict[str, Any] = {
        "extends": str(tmp_path / "middle.yaml"), "name": "given",
        "tracks": {"one": {"more_rows": ["ties"]}},
    }  # fmt: skip
    suite = load_suite(given, registry)
    assert methods(suite, "one") == ["popularity", "fine-tune", "ties"]
    assert given["tracks"] == {"one": {"more_rows": ["ties"]}}, "what was given is not changed"


def test_a_change_adds_rows_too(registry: Registry, tmp_path: Path) -> None:
    path = write(tmp_path, "base", BASE)
    suite = load_suite(path, registry, ["tracks.two.more_rows=[pcb]"])
    assert methods(suite, "two") == ["popularity", "fine-tune", "ties", "dare", "pcb"]


@pytest.mark.parametrize(
    ("more", "line", "message"),
    [
        ("bad: {<<: *one, rows: [ties], more_rows: [dare]}", 20, "'bad'.*both rows, which replace"),
        ("bad: {<<: *one, more_rows: dare}", 20, "'bad'.*more_rows are a list of methods, not 'd"),
        (
            "bad: {dataset: synthetic, domains: [d0], protocols: [loo], more_rows: [dare]}",
            20, "'bad'.*inherits none; call them rows",
        ),
        ("bad: {<<: *one, more_rows: [ties, popularity]}", 20, "rows 1 and 4 are one row, 'popul"),
        ("bad: {<<: *one, more_rows: [{method: ties, option: {}}]}", 20, "option: unknown key"),
        ("bad: {<<: *one, more_row: [ties]}", 20, "more_row: unknown key.*'more_rows'"),
        ("bad:\n    <<: *two\n    more_rows:\n      - pcb\n      - ties", 24, "rows 3 and 6 are"),
    ],
)  # fmt: skip
def test_misuse_is_one_line_with_its_place(
    registry: Registry, tmp_path: Path, more: str, line: int, message: str
) -> None:
    path = write(tmp_path, "base", f"{BASE}  {more}\n")
    with pytest.raises(HandledError, match=rf"base\.yaml:{line}: suite '.*base.*{message}"):
        load_suite(path, registry)


def test_a_suite_made_without_reading_has_no_more_rows() -> None:
    track = {"dataset": "x", "domains": ["a"], "protocols": ["p"], "rows": ["m"], "more_rows": "n"}
    for more, message in (("n", "list of methods"), (["n"], "load_suite")):
        with pytest.raises(ValueError, match=message):
            Suite.model_validate({"name": "s", "tracks": {"t": {**track, "more_rows": more}}})


def test_where_joined_entries_stand() -> None:
    text = "a: &a\n  x:\n    - 1\n    - {k: 2}\n  y: 3\nb:\n  <<: *a\n  x:\n    - {k: 4}\n"
    read = parse_yaml(text, "here", joined="x")
    assert read.value["b"] == {"x": [1, {"k": 2}, {"k": 4}], "y": 3}
    assert [read.lines["b", "x", n] for n in (0, 1, 2)] == [3, 4, 9]
    assert (read.lines["b", "x", 2, "k"], read.lines["b", "x"], read.lines["b", "y"]) == (9, 8, 5)
    assert read.merged == {("b", "y")}
    apart = parse_yaml(text, "here")
    assert apart.value["b"] == {"x": [{"k": 4}], "y": 3}
    assert apart.lines["b", "x", 0] == 9, "the entry's own line, not that of what it replaces"
