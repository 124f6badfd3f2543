"""`rmb.run`, `plan`, `load_suite`, `doctor`: the command line's work as functions."""

from __future__ import annotations

import html
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, SAMPLES

import recmerge_bench as rmb
from recmerge_bench.errors import HandledError
from recmerge_bench.interface.suites import with_asked_rows
from recmerge_bench.registry import discover

EXAMPLE = ROOT / "tests" / "example_plugin.py"
COUNTS: dict[str, Any] = {
    "name": "counts", "title": "Counting alone", "seeds": [0], "metrics": ["NDCG@10"],
    "tracks": {
        "counting": {
            "dataset": "synthetic", "dataset_options": {"n_domains": 2, "items": 60, "users": 60},
            "domains": ["d0", "d1"], "protocols": ["loo"], "baseline": "popularity",
            "rows": ["popularity", "last-item"],
        },
    },
}  # fmt: skip
MERGING: dict[str, Any] = {
    "name": "small", "seeds": [0], "metrics": ["NDCG@10"],
    "tracks": {
        "merging": {
            "dataset": "synthetic", "dataset_options": {"n_domains": 2, "items": 60, "users": 60},
            "domains": ["d0", "d1"], "protocols": ["loo"],
            "training": {"steps": 3, "epochs": 0, "eval_every": -1, "batch_size": 8},
            "backbones": {"sasrec": {"options": {"width": 8, "layers": 1, "heads": 1}}},
            "rows": ["fine-tune"],
        },
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> rmb.Run:
    return rmb.run(COUNTS, out=tmp_path_factory.mktemp("runs"))


def test_a_run_says_what_came_of_it(finished: rmb.Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert finished.ok and not finished.missing and finished.computed == 6
    assert finished.suite == "counts" and "# counts" in finished.board()
    assert {f.name for f in finished.files} >= {"counts.md", "counts.json", "counts.ranks.parquet"}
    assert all(result.done for result in finished.records.results)
    assert "counts" in repr(finished) and "popularity" in finished._repr_html_()
    frame = finished.to_pandas()
    assert list(frame.domain) == ["d0", "d1", "mean"] * 2
    assert rmb.compare(finished, "last-item", "popularity").family == "board"
    capsys.readouterr()
    again = rmb.run(COUNTS, out=finished.out)
    assert again.computed == 0 and capsys.readouterr().out == ""
    rmb.run(COUNTS, out=finished.out, progress=True)
    assert "all 2 results cached" in capsys.readouterr().out


def test_keys_become_a_file_that_the_command_line_runs(finished: rmb.Run) -> None:
    file = finished.out / "suites" / "counts.yaml"
    manifest = json.loads((finished.out / "suites" / "counts.json").read_text())
    assert manifest["header"]["command"] == "recmerge-bench run --suite suites/counts.yaml"
    made = rmb.plan(file, out=finished.out)
    assert made.count("done") == len(made.cells) == 6


def test_only_some_rows_are_asked_for(finished: rmb.Run) -> None:
    some = rmb.run(COUNTS, out=finished.out, only="method=last-item")
    assert set(some.to_pandas().method) == {"last-item"}
    assert set(some.results.to_pandas().method) == {"last-item", "popularity"}
    with pytest.raises(HandledError, match="method=lastitem matches nothing"):
        rmb.run(COUNTS, out=finished.out, only=["method=lastitem"])


@pytest.mark.parametrize(
    ("selector", "fault"),
    [
        ("method=last-item|popularty", "no method 'popularty' .did you mean 'popularity'"),
        ("method=last-item|pop*|x*", r"no method 'x\*'"),
        ("method=last-item,backbone=|-", "no backbone '-'; rows without one are `backbone=`"),
    ],
)
def test_a_misspelt_alternative_is_told(finished: rmb.Run, selector: str, fault: str) -> None:
    """It was left out without a word where another alternative matched."""
    with pytest.raises(HandledError, match=f"names what is not in suite 'counts': {fault}"):
        rmb.plan(COUNTS, out=finished.out, only=selector)
    assert rmb.plan(COUNTS, out=finished.out, only="method=last-*|pop*,backbone=").cells


def test_changes_and_seeds_are_laid_over_a_suite() -> None:
    suite = rmb.load_suite("quick", changes={"tracks.merging.training.steps": 7}, seeds=[5])
    assert suite.tracks["merging"].training["steps"] == 7 and suite.seeds == (5,)
    changed = rmb.load_suite({"extends": "quick", "name": "mine", "seeds": [1]})
    assert changed.name == "mine" and set(changed.tracks) == set(suite.tracks)
    assert rmb.load_suite(changed) is changed
    assert rmb.load_suite(SAMPLES / "tiny.yaml").name == "tiny"
    for wrong, message in (
        ("quik", "did you mean 'quick'"),
        ({"name": "x", "tracks": {}, "sead": 1}, "did you mean 'seeds'"),
        ({"name": "../x", "tracks": {}}, "name"),
        ({"extends": "quik", "name": "x"}, "did you mean 'quick'"),
    ):
        with pytest.raises(HandledError, match=message):
            rmb.load_suite(wrong)
    with pytest.raises(HandledError, match="give changes to load_suite"):
        rmb.load_suite(changed, seeds=[3])
    with pytest.raises(HandledError, match=r"tracks\.mergin"):
        rmb.load_suite("quick", changes={"tracks.mergin.training.steps": 7})
    with pytest.raises(HandledError, match="not JSON serializable"):
        rmb.load_suite("quick", changes={"threads": object()})


def test_a_method_of_a_named_plugin_joins_the_suite_that_asks_for_it(tmp_path: Path) -> None:
    plugin = tmp_path / "median.py"
    plugin.write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    run = rmb.run(MERGING, out=tmp_path / "runs", plugins=plugin, only="method=median")
    assert run.ok and set(run.to_pandas().method) == {"median"}
    assert "median" in run.board()
    # the next call knows nothing of it
    with pytest.raises(HandledError, match="method=median matches nothing"):
        rmb.plan(MERGING, out=tmp_path / "runs", only="method=median")
    with pytest.raises(HandledError, match="no plugin registers the strategy 'median'"):
        rmb.merge("median", base={}, experts=[{}])


def test_rows_that_are_there_or_do_not_fit_are_not_added() -> None:
    registry = discover([str(EXAMPLE)], environ={})
    for suite in (COUNTS, {**MERGING, "name": "x"}):
        read = rmb.load_suite(suite, plugins=registry)
        assert with_asked_rows(read, registry, "method=*") == read
        assert with_asked_rows(read, registry, "method=ties") == read  # of no named plugin
    counting = rmb.load_suite(COUNTS, plugins=registry)
    assert with_asked_rows(counting, registry, "method=median") == counting
    merging = with_asked_rows(rmb.load_suite(MERGING), registry, "method=median,seed=0")
    assert [row.method for row in merging.tracks["merging"].rows] == ["fine-tune", "median"]
    assert with_asked_rows(merging, registry, "method=median") == merging


def test_a_plugin_that_was_edited_is_read_again(tmp_path: Path) -> None:
    plugin, code = tmp_path / "median.py", EXAMPLE.read_text(encoding="utf-8")
    plugin.write_text(code, encoding="utf-8")
    keys = {c.key for c in rmb.plan(MERGING, plugins=plugin, only="method=median").cells}
    plugin.write_text(f"{code}\n\nEDITED = 1  # longer\n", encoding="utf-8")
    edited = {c.key for c in rmb.plan(MERGING, plugins=plugin, only="method=median").cells}
    assert len(keys) == len(edited) and len(keys - edited) == 2  # its merge and its ranks
    plugin.write_text(code, encoding="utf-8")
    again = {c.key for c in rmb.plan(MERGING, plugins=plugin, only="method=median").cells}
    assert again == keys


def test_files_of_one_name_have_one_modules_name_whatever_was_loaded_before(
    tmp_path: Path,
) -> None:
    code, collected = EXAMPLE.read_text(encoding="utf-8"), []
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        plugin = tmp_path / folder / "median.py"
        plugin.write_text(code, encoding="utf-8")
        collected.append({c.key for c in rmb.plan(MERGING, plugins=[plugin]).cells})
        spec = discover([str(plugin)]).get("strategy", "median")
        assert spec.target == "median:Median"
    assert collected[0] == collected[1]
    both = discover([str(tmp_path / f / "median.py") for f in ("one", "other")])
    assert both.contested  # in one call, one name is of one plugin


def test_a_cell_that_fails_raises_nothing_and_is_told(tmp_path: Path) -> None:
    plugin = tmp_path / "breaks.py"
    code = EXAMPLE.read_text(encoding="utf-8").replace("import torch\n", "raise KeyError('lost')\n")
    plugin.write_text(code.replace('"median"', '"<b>"').replace("<b>", "breaks"), encoding="utf-8")
    run = rmb.run(MERGING, out=tmp_path / "runs", plugins=plugin, only="method=breaks")
    [failure] = run.failures
    assert not run.ok and failure.kind == "merge" and "KeyError" in failure.error
    assert "Traceback" in failure.file.read_text() and failure.label in repr(run)
    assert html.escape(f"failed: {failure.label}") in run._repr_html_()
    frame = run.to_pandas()
    assert set(frame.status) == {"failed"} and "KeyError" in frame.reason.iloc[0]
    with pytest.raises(HandledError, match="did you mean 'local'"):
        rmb.run(MERGING, out=tmp_path / "runs", executor="locl")


def test_what_blocks_other_rows_is_not_missing_from_a_run_of_some(tmp_path: Path) -> None:
    track = COUNTS["tracks"]["counting"]
    absent = {
        **track, "dataset": "amazon-mergerec", "dataset_options": {},
        "domains": ["beauty"],
    }  # fmt: skip
    suite = {**COUNTS, "tracks": {"counting": track, "absent": absent}}
    assert not rmb.run(suite, out=tmp_path, only="track=counting,method=last-item").missing
    [missing] = rmb.run(suite, out=tmp_path).missing
    assert missing.count == 2


def test_a_plan_as_a_frame_and_in_a_notebook(tmp_path: Path) -> None:
    made = rmb.plan("paper", out=tmp_path, only="method=popularity")
    frame = made.to_pandas()
    assert len(frame) == len(made.cells) and set(frame.status) <= {"done", "to do", "blocked"}
    assert made.seconds == pytest.approx(frame[frame.status == "to do"].seconds.sum())
    assert made.missing and made.missing[0].remedy in repr(made)
    assert html.escape(made.missing[0].remedy) in made._repr_html_()


def test_the_doctors_report(tmp_path: Path) -> None:
    report = rmb.doctor(data_root=tmp_path)
    assert report.ok and report.versions["torch"] and report.devices.memory_gib > 0
    synthetic = next(row for row in report.datasets if row.name == "synthetic")
    assert synthetic.status == "generated" and not synthetic.remedy
    assert (
        "generated, nothing is read: synthetic" in repr(report) and "<table" in report._repr_html_()
    )
    with pytest.raises(HandledError, match="no such file"):
        rmb.doctor(plugins=["nowhere.py"])


def test_importing_the_package_imports_nothing_else() -> None:
    code = (
        "import sys, recmerge_bench as rmb\n"
        "own = sorted(m for m in sys.modules if m.startswith('recmerge_bench'))\n"
        "assert own == ['recmerge_bench', 'recmerge_bench._version'], own\n"
        "assert set(rmb.__all__) <= set(dir(rmb))\n"
        "rmb.run, rmb.plan, rmb.merge, rmb.compare, rmb.doctor, rmb.load_results\n"
        "heavy = {'torch', 'transformers', 'recbole', 'pandas', 'pyarrow'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert [getattr(rmb, name) for name in rmb.__all__]\n"
        "try: rmb.rum\n"
        "except AttributeError as error: assert 'rum' in str(error)\n"
        "else: raise SystemExit('no error')\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_a_run_in_which_all_is_blocked_says_that_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    track = {**COUNTS["tracks"]["counting"], "dataset": "amazon-mergerec", "dataset_options": {},
             "domains": ["beauty"]}  # fmt: skip
    suite = {**COUNTS, "tracks": {"absent": track}}
    rmb.run(suite, out=tmp_path, data_root=tmp_path, progress=True)
    text = " ".join(capsys.readouterr().out.split())  # lines wrap as wide as the screen is
    assert text.startswith("2 of 2 results are blocked here: 2 x amazon-mergerec: ")
    assert "to fix: recmerge-bench datasets prepare amazon-mergerec" in text
    assert "suite 'counts': nothing can run here yet" in text and "cached" not in text


EXECUTOR = """
from dataclasses import dataclass
from recmerge_bench.api import ExecutorSpec, hookimpl
from recmerge_bench_plugins.executors.local import LocalExecutor

@dataclass(frozen=True)
class Options:
    note: str = "none"

class Noting(LocalExecutor):
    Options = Options
    def open(self, jobs, threads, log):
        super().open(jobs, threads, log)
        log.mkdir(parents=True, exist_ok=True)
        (log.parent / "note.txt").write_text(self.options.note)

@hookimpl
def recmerge_bench_register():
    return [ExecutorSpec("noting", f"{__name__}:Noting", "leaves a note")]
"""


def test_options_of_the_executor_come_with_the_command(tmp_path: Path) -> None:
    plugin = tmp_path / "noting.py"
    plugin.write_text(EXECUTOR)
    suite = {**COUNTS, "executor": {"name": "noting", "options": {"note": "suite"}}}
    notes = {
        "changed": {"changes": {"executor.note": "changed"}},
        "both": {"changes": ["executor.note=both"], "executor": "noting"},
    }
    for note, given in notes.items():
        done = rmb.run(suite, out=tmp_path / note, plugins=[plugin], progress=False, **given)  # type: ignore[arg-type]
        assert done.ok and (tmp_path / note / "note.txt").read_text() == note
        made = done.records.results[0].configuration
        assert made is not None
        assert made.executor is None, "what the command says is the run's, not the row's"
    with pytest.raises(HandledError, match="executor, noting: unknown option 'nte'"):
        rmb.run(suite, out=tmp_path / "x", plugins=[plugin], changes=["executor.nte=1"])
