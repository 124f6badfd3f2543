"""`rmb.run_results`: what runs left in a folder, as the command `results` prints it."""

from __future__ import annotations

import json
from pathlib import Path

import boards_builders as made
import pytest
from click.testing import CliRunner

import recmerge_bench as rmb
from recmerge_bench.cli import cli
from recmerge_bench.errors import HandledError
from recmerge_bench.identity import Identity
from recmerge_bench.registry import Registry


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return made.run_folder(tmp_path / "out")


def test_rows_have_types_and_say_what_they_took(out: Path, registry: Registry) -> None:
    results = rmb.run_results(out, plugins=registry)
    assert isinstance(results, rmb.RunResults) and len(results) == 6
    first = next(iter(results))
    assert isinstance(first.identity, Identity) and first.domain == "books"
    assert (first.seconds, first.peak_memory) == (2.5, 300)
    assert results.metrics == ["NDCG@10", "HR@10", "MRR"]
    broken = [row for row in results if row.identity.method == "broken"]
    assert {(row.status, row.reason, len(row.metrics)) for row in broken} == {
        ("failed", "it broke", 0)
    }


def test_a_frame_has_metrics_and_configurations_in_columns(out: Path, registry: Registry) -> None:
    pytest.importorskip("pandas")
    frame = rmb.run_results(out, plugins=registry).to_pandas()
    assert len(frame) == 6 and {"NDCG@10", "seconds", "method", "domain"} <= set(frame.columns)
    assert "metrics" not in frame and "configuration" not in frame


def test_it_shows_itself_and_escapes_what_it_shows(out: Path, registry: Registry) -> None:
    results = rmb.run_results(out, "fake", plugins=registry)
    assert "it broke" in repr(results) and "–" in repr(results)
    page = results._repr_html_()
    assert "<table>" in page and "it broke" in page
    done = rmb.RunResults(out, tuple(r for r in results if r.status == "done"))
    assert "reason" not in repr(done).splitlines()[0]


def test_a_suite_that_was_not_run_is_named(out: Path, registry: Registry) -> None:
    with pytest.raises(HandledError, match="did you mean 'fake'"):
        rmb.run_results(out, "fakes", plugins=registry)


def test_the_command_prints_the_same_values(out: Path, registry: Registry) -> None:
    results = rmb.run_results(out, plugins=registry)
    words = ["results", "--out", str(out), "--domains", "--all"]
    table = CliRunner().invoke(cli, words, catch_exceptions=False).stdout
    for row in results:
        assert all(f"{value:.4f}" in table for value in row.metrics.values())
        assert row.identity.method in table and row.reason in table
    output = CliRunner().invoke(cli, ["results", "--out", str(out), "--json"])
    assert json.loads(output.stdout) == [row.to_json() for row in results]
