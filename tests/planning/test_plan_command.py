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
        ("seed=7", "no seed '7'; there are: 0, 1"),
        ("trak=merging", "no field 'trak' (did you mean 'track'?)"),
        ("protocol=x", "no protocol 'x'; there are: loo, loo-sampled-99, mixed, mixed-sampled-99"),
    ],
)
def test_near_values_of_selectors(only: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(HandledError) as raised:
        plan("quick", out=tmp_path, only=only)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("seedz=3", "seedz: unknown key (did you mean 'seeds'"),
        ("tracks.mergin.dataset=x", "nothing is named 'mergin' there (did you mean 'merging'?)"),
        ("tracks.x.dataset=x", "'x' there; there are: cdsr, cdsr-three, merging"),
        ("merging.seeds=[3]", "'merging' is a track (did you mean 'tracks.merging'?)"),
        ("tracks.merging.datset=x", "tracks.merging.datset: unknown key (did you mean 'dataset'"),
        ("tracks.merging.dataset=ml-100", "the dataset 'ml-100' (did you mean 'ml-100k'"),
        ("tracks.merging.rows.0=x", None),
        ("tracks.merging.rows.ties.options=x", "a list has no 'ties': give the list as a whole"),
        ("tracks.merging.training.epohs=1", "unknown option 'epohs' (did you mean 'epochs'"),
        ("metrics=NDCG@10", "metrics: takes a list, such as [a, b], not 'NDCG@10'"),
        ("threads=two", "threads: takes a whole number, not 'two'"),
        ("seeds=[a]", "--set seeds: suite 'quick': seeds.0: takes a whole number, not 'a'"),
        ("tracks=3", "tracks: takes keys with values, such as {key: value}, not 3"),
    ],
)
def test_near_keys_of_set(change: str, words: str | None, tmp_path: Path) -> None:
    with pytest.raises(HandledError) as raised:
        plan("quick", out=tmp_path, changes=[change])
    assert (words or "is not a group of keys") in str(raised.value)


def test_durations_as_exact_as_estimates_deserve() -> None:
    assert [duration(s) for s in (40, 89.6, 600, 5400, 90_000)] == [
        "40 s", "90 s", "10 min", "1.5 h", "25.0 h",
    ]  # fmt: skip
