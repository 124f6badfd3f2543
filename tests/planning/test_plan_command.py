"""`recmerge-bench plan` says what is blocked first, then each track; near names for selectors."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from recmerge_bench.cli import cli
from recmerge_bench.durations import duration
from recmerge_bench.errors import HandledError
from recmerge_bench.interface.plans import plan


def planned(*words: str) -> Result:
    return CliRunner().invoke(cli, ["plan", *words], catch_exceptions=False)


def test_what_blocks_comes_before_the_tracks(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    words = ("--suite", "merit-gates", "--out", str(tmp_path), "--data-root", str(data))
    lines = planned(*words).stdout.splitlines()
    assert lines[0].startswith("suite merit-gates: ") and lines[0].endswith(" blocked")
    assert lines[1].startswith("blocked: ") and "datasets prepare amazon-merit" in lines[1]
    assert "nothing can run before what blocks it is fixed" in lines
    assert not any("done" in line for line in lines)  # a column in which nothing stands


def test_a_line_for_each_track_and_cells_when_asked(tmp_path: Path) -> None:
    words = ("--suite", "quick", "--out", str(tmp_path), "--seeds", "0")
    short, long = planned(*words).stdout, planned(*words, "--cells").stdout
    assert max(map(len, short.splitlines())) <= 80
    made = plan("quick", out=tmp_path, seeds=[0])
    for track in made.tracks:
        assert any(
            line.split()[:2] == [track.name, str(track.to_do)] for line in short.splitlines()
        )
    assert all(cell.label in long for cell in made.cells)
    assert sum(t.seconds for t in made.tracks) >= made.seconds > 0  # shared cells count in each


@pytest.mark.parametrize(
    ("only", "words"),
    [
        ("method=tie", "no method 'tie' (did you mean 'ties'"),
        ("method=ties,backbone=bert4rec", ": no row has all of it"),
        ("track=mergin,method=ties", "no track 'mergin' (did you mean 'merging'?)"),
    ],
)
def test_near_values_of_selectors(only: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(HandledError) as raised:
        plan("quick", out=tmp_path, only=only)
    assert words in str(raised.value)


def test_durations_as_exact_as_estimates_deserve() -> None:
    assert [duration(s) for s in (40, 89.6, 600, 5400, 90_000)] == [
        "40 s", "90 s", "10 min", "1.5 h", "25.0 h",
    ]  # fmt: skip
