"""``failures``: what failed, a line each, and the whole traceback of one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from recmerge_bench.cli import cli
from recmerge_bench.errors import HandledError
from recmerge_bench.files import write_json
from recmerge_bench.interface.failures import failed_cell
from recmerge_bench.running.store import RECORD, Store

KEYS = {"merge": "ab12" + "0" * 60, "train": "ab34" + "1" * 60, "rank": "cd56" + "2" * 60}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    store = Store(tmp_path)
    trace = (
        "Traceback (most recent call last):\n  File \"x.py\", line 3, in merge\nKeyError: 'd0'\n"
    )
    store.fail(KEYS["merge"], {
        "key": KEYS["merge"], "label": "merge sasrec own scale=0.3 seed 0", "handled": False,
        "error": "own (x.py:3): KeyError: 'd0'\nand more", "traceback": trace,
    })  # fmt: skip
    store.fail(KEYS["train"], {
        "key": KEYS["train"], "label": "train sasrec base drama seed 0", "timeout": True,
        "error": "killed after 5 s, its time limit", "traceback": "step 3 of 900\n",
    })  # fmt: skip
    store.fail(KEYS["rank"], {"key": KEYS["rank"], "label": "rank one", "error": "since done"})
    write_json(store.folder(KEYS["rank"]) / RECORD, {})
    (tmp_path / "failures" / f"{'e' * 64}.json").write_text("{ no json")
    return tmp_path


def output(*words: object) -> str:
    result = CliRunner().invoke(cli, ["failures", *map(str, words)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_each_failed_cell_has_a_line(out: Path) -> None:
    text = output("--out", out)
    assert max(map(len, text.splitlines()[:-1])) <= 80
    words = " ".join(text.split())
    assert "ab120000" in text and "ab341111" in text and "cd56" not in text
    assert "(time" in words and "and more" not in text
    cells = json.loads(output("--out", out, "--json"))
    assert {c["label"]: c["cause"] for c in cells} == {
        "merge sasrec own scale=0.3 seed 0": "error",
        "train sasrec base drama seed 0": "time limit",
    }


def test_a_key_or_a_label_shows_the_whole_traceback(out: Path) -> None:
    for name in (KEYS["merge"], "ab12", "AB12", "own scale"):
        text = output(name, "--out", out)
        assert "KeyError: 'd0'" in text and 'File "x.py", line 3, in merge' in text
        assert KEYS["merge"] in text
    assert "step 3 of 900" in output("ab34", "--out", out)
    assert json.loads(output("ab12", "--out", out, "--json"))["traceback"].startswith("Traceback")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ab", "2 failed cells are 'ab': ab.*; ab"),
        ("sasrec", "2 failed cells are 'sasrec'"),
        ("ab1200001", r"no failed cell .*did you mean 'ab1200000'.*there are: ab"),
        ("train sasrek base drama seed 0", "did you mean 'train sasrec base drama seed 0'"),
        ("cd56", "no failed cell of .* is 'cd56'"),
    ],
)
def test_an_unknown_key_has_near_names(out: Path, name: str, message: str) -> None:
    with pytest.raises(HandledError, match=message):
        failed_cell(name, out)


def test_nothing_failed_or_no_run(tmp_path: Path) -> None:
    assert "no cell of" in output("--out", tmp_path)
    with pytest.raises(HandledError, match="has failed"):
        failed_cell("ab", tmp_path)
    with pytest.raises(HandledError, match="no such folder"):
        failed_cell("ab", tmp_path / "absent")
