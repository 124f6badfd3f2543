"""The whole path, from suite to board: cached, killed, shared, failing cell by cell."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import TINY, command, run
from conftest import SAMPLES, tool

import recmerge_bench as rmb
from recmerge_bench.evaluation.ranks import RankTable


def board(out: Path) -> bytes:
    return (out / "boards" / "tiny.md").read_bytes()


def ranks(out: Path) -> dict[str, bytes]:
    manifest = json.loads((out / "suites" / "tiny.json").read_text())
    keys = [row["key"] for row in manifest["results"]]
    return {k: (out / "store" / k[:2] / k / "ranks.parquet").read_bytes() for k in keys}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("finished")
    done = run(out)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def test_a_run_writes_the_board_and_names_its_files(finished: Path) -> None:
    text = board(finished).decode()
    assert "task-arithmetic" in text and "sasrec-dt" in text
    assert (finished / "records" / "tiny.json").is_file()
    records = [json.loads(p.read_text()) for p in finished.glob("store/*/*/record.json")]
    assert {r["kind"] for r in records} == {
        "data", "split", "candidates", "train", "merge", "rank",
    }  # fmt: skip
    for record in records:
        assert record["seconds"] >= 0 and record["peak_memory"] > 0
        assert record["provenance"]["libraries"]["torch"]


def test_a_second_run_computes_nothing_and_imports_no_torch(finished: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in finished.glob("store/*/*/record.json")}
    text = board(finished)
    code = (
        "import sys; from recmerge_bench.cli import main\n"
        f"try: main(['run', '--suite', {str(TINY)!r}, '--out', {str(finished)!r}])\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "assert 'torch' not in sys.modules\n"
    )
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert "cached" in again.stdout
    assert before == {p: p.stat().st_mtime_ns for p in finished.glob("store/*/*/record.json")}
    assert board(finished) == text


def test_kills_change_no_byte_and_lose_no_finished_cell(finished: Path, tmp_path: Path) -> None:
    rng = random.Random(5)
    out = tmp_path / "killed"
    seen: dict[Path, int] = {}
    for _ in range(5):
        process = subprocess.Popen(
            command(out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(rng.uniform(1.0, 6.0))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        for path, stamp in seen.items():
            assert path.stat().st_mtime_ns == stamp
        seen = {p: p.stat().st_mtime_ns for p in out.glob("store/*/*/record.json")}
    final = run(out)
    assert final.returncode == 0, final.stdout + final.stderr
    for path, stamp in seen.items():
        assert path.stat().st_mtime_ns == stamp
    assert board(out) == board(finished)
    assert ranks(out) == ranks(finished)
    assert not list((out / "work").iterdir()) and not list((out / "tmp").iterdir())


def test_two_runs_share_a_store(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "shared"
    both = [
        subprocess.Popen(
            command(out, "--jobs", "1"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for _ in range(2)
    ]
    for process in both:
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0, output
    assert ranks(out) == ranks(finished)


def test_workers_die_with_their_parent(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(tmp_path / "orphans"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    children: list[int] = []
    deadline = time.monotonic() + 30
    while not children and time.monotonic() < deadline:
        listing = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True)
        children = [int(x) for x in listing.stdout.split()]
        time.sleep(0.05)
    assert children
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 30  # a worker that is still importing dies when it has
    while any(_alive(pid) for pid in children) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [pid for pid in children if _alive(pid)]


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


BAD = """
import os, time
from dataclasses import dataclass
from recmerge_bench.api import StrategyDefinition, StrategySpec, hookimpl

@dataclass(frozen=True)
class Options:
    how: str = "raise"

class Bad(StrategyDefinition):
    Options = Options
    def merge(self, given):
        if self.options.how == "exit":
            os._exit(7)
        if self.options.how == "hang":
            time.sleep(60)
        if self.options.how == "memory":
            raise MemoryError("planted")
        if self.options.how == "nan":
            return {n: t * float("nan") for n, t in given.base.items()}
        raise RuntimeError("planted")

@hookimpl
def recmerge_bench_register():
    return [StrategySpec("bad", f"{__name__}:Bad", "fails", inputs=("base", "experts"))]
"""


def test_failures_are_rows_with_reasons_and_are_tried_again(finished: Path, tmp_path: Path) -> None:
    plugin = tmp_path / "bad_strategy.py"
    plugin.write_text(BAD)
    hows = ["raise", "exit", "hang", "memory", "nan"]
    rows = [{"method": "bad", "options": {"how": how}} for how in hows]
    changes = [
        "tracks.merging.protocols=[loo]",
        f"tracks.merging.rows={json.dumps(['popularity', *rows])}",
        "timeout=25",
    ]
    arguments = [str(plugin), *(x for c in changes for x in ("--set", c))]
    ended = run(finished, *arguments)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    manifest = json.loads((finished / "suites" / "tiny.json").read_text())
    status: dict[str, Any] = {
        r["identity"]["variant"]: (r["status"], r["reason"]) for r in manifest["results"]
    }
    assert status["how=raise"][0] == "failed" and "planted" in status["how=raise"][1]
    assert status["how=exit"][0] == "failed" and "exit status 7" in status["how=exit"][1]
    assert status["how=hang"][0] == "timeout"
    assert status["how=memory"][0] == "out-of-memory"
    assert status["how=nan"][0] == "failed" and "NaN" in status["how=nan"][1]
    assert status[""][0] == "done"
    text = board(finished).decode()
    assert "planted" in text and "time limit" in text
    failures = [json.loads(p.read_text()) for p in (finished / "failures").iterdir()]
    assert any("RuntimeError: planted" in f["traceback"] for f in failures)
    plugin.write_text(BAD.replace('raise RuntimeError("planted")', "return dict(given.base)"))
    again = run(finished, *arguments, "--only", "variant=how=raise")
    assert again.returncode == 0, again.stdout + again.stderr
    manifest = json.loads((finished / "suites" / "tiny.json").read_text())
    assert len(manifest["results"]) == len(hows) + 2  # what --only leaves out keeps its row
    assert run(finished).returncode == 0  # the module's board again


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--suite", "quik"], "did you mean 'quick'"),
        (["--suite", str(TINY), "--set", "nonsense"], "key=value"),
        (["--suite", str(TINY), "--only", "method=nothing"], "matches nothing"),
        (["--suite", str(TINY), "--seeds", "a"], "whole numbers"),
        (["--sweet", "quick"], "--sweet"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "recmerge_bench", "run", "--out", str(tmp_path / "o"), *arguments],
        capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 2
    assert message in ended.stderr and "Traceback" not in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "o").exists()


def test_blocked_cells_are_counted_and_strict_makes_them_1(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()  # whoever has the data would train for hours
    nothing = ("--data-root", str(tmp_path / "empty"))
    quiet = run(tmp_path / "o", *nothing, suite="paper")
    assert quiet.returncode == 0 and "blocked:" in quiet.stdout
    assert run(tmp_path / "o", *nothing, "--strict", suite="paper").returncode == 1


def test_a_text_model_whose_base_is_of_another_dataset(tmp_path: Path) -> None:
    suite = SAMPLES / "text.yaml"
    done = run(tmp_path, suite=suite)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads((tmp_path / "records" / "text.json").read_text())["results"]
    methods = [r["identity"]["method"] for r in rows]
    assert methods == ["zero-shot", "fine-tune", "joint", "ties", "mergerec"]
    assert {r["status"] for r in rows} == {"done"}
    text = (tmp_path / "boards" / "text.md").read_text()
    assert "ml-100k-whole (movies)" in text
    records = [json.loads(p.read_text()) for p in tmp_path.glob("store/*/*/record.json")]
    kinds = sorted(r["kind"] for r in records)
    assert kinds.count("text") == kinds.count("data") == 2
    learned = next(r for r in records if r["label"].startswith("merge sasrec-text mergerec"))
    assert learned["report"]["tier"] == "T1" and "pseudo-users" in learned["report"]["read"]


def test_modulated_models_serve_each_domain_with_its_own(tmp_path: Path) -> None:
    rows = (
        '[{"method": "emr"}, {"method": "regmean-shipped", "options": {"sample": 4}}, '
        '{"method": "surgery", "options": {"steps": 3, "rank": 2}}, '
        '{"method": "surgery-sequences", "options": {"steps": 3, "rank": 2}}, '
        '{"method": "task-arithmetic-validated", "options": {"scales": [0.4, 1.0]}}]'
    )
    suite = SAMPLES / "text.yaml"
    done = run(tmp_path, "--set", f"tracks.merging.rows={rows}", suite=suite)
    assert done.returncode == 0, done.stdout + done.stderr
    records = [json.loads(p.read_text()) for p in tmp_path.glob("store/*/*/record.json")]
    merges = {r["label"].split()[2]: r for r in records if r["kind"] == "merge"}
    folder = next(tmp_path.glob(f"store/*/{merges['emr']['key']}"))
    assert sorted(p.name for p in folder.glob("*.safetensors")) == [
        "model-d0.safetensors", "model-d1.safetensors",
    ]  # fmt: skip
    report = json.loads((folder / "record.json").read_text())["report"]
    assert report["modulated"] == ["d0", "d1"]
    assert report["notes"]["modulator_bits_per_domain"] == report["merged"] + 32
    read = {m: (r["report"]["tier"], r["report"]["read"]) for m, r in merges.items()}
    assert read["regmean-shipped"][0] == "T2" and "grams" in read["regmean-shipped"][1]
    assert "pseudo-users" in read["surgery"][1] and "user sequences" not in read["surgery"][1]
    assert read["surgery-sequences"][0] == "T3"
    assert "user sequences" in read["surgery-sequences"][1]
    assert read["task-arithmetic-validated"][0] == "T4"
    assert "validation targets" in read["task-arithmetic-validated"][1]
    adapters = {p.parent.name: p for p in tmp_path.glob("store/*/*/adapter-d1.safetensors")}
    assert set(adapters) == {merges["surgery"]["key"], merges["surgery-sequences"]["key"]}


def test_a_missing_package_blocks_its_row(tmp_path: Path) -> None:
    plugin = tmp_path / "needy.py"
    plugin.write_text(
        "from recmerge_bench.api import StrategyDefinition, StrategySpec, hookimpl\n\n\n"
        "class X(StrategyDefinition):\n    def merge(self, given):\n        pass\n\n\n"
        "@hookimpl\ndef recmerge_bench_register():\n"
        "    return [StrategySpec('needy', 'needy:X', 'x', inputs=('base', 'experts'),\n"
        "                         requires=('no-such-package',))]\n"
    )
    rows = '[{"method": "needy", "backbones": ["sasrec"]}]'
    words = ["--set", f"tracks.merging.rows={rows}", "--set", "tracks.cdsr.rows=[]"]
    done = run(tmp_path / "out", str(plugin), *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "needs the package no-such-package" in (tmp_path / "out/boards/tiny.md").read_text()


def test_a_domain_that_no_expert_has_seen(tmp_path: Path) -> None:
    suite = SAMPLES / "text.yaml"
    words = [
        "--set", "tracks.merging.domains=[d2]", "--set", "tracks.merging.experts=[d0, d1]",
        "--set", "tracks.merging.dataset_options.n_domains=3",
    ]  # fmt: skip
    done = run(tmp_path, *words, suite=suite)
    assert done.returncode == 0, done.stdout + done.stderr
    records = [json.loads(p.read_text()) for p in tmp_path.glob("store/*/*/record.json")]
    labels = {r["label"].replace(" seed 0", "") for r in records if r["kind"] == "train"}
    assert labels == {
        "train sasrec-text base movies", "train sasrec-text joint d0+d1",
        *(f"train sasrec-text fine-tune {d}" for d in ("d0", "d1", "d2")),
    }  # fmt: skip
    merges = [r for r in records if r["kind"] == "merge"]
    assert all(set(r["inputs"]) >= {"base", "expert:d0", "expert:d1"} for r in merges)
    assert not any("expert:d2" in r["inputs"] for r in merges)
    board = (tmp_path / "boards" / "text.md").read_text()
    assert "| experts of" in board and "d0, d1" in board


def test_a_model_for_each_target_domain(tmp_path: Path) -> None:
    rows = '[{"method": "sasrec-st", "options": {"width": 8, "negatives": 4, "max_len": 10}}]'
    done = run(tmp_path, "--set", f"tracks.cdsr.rows={rows}", "--only", "method=sasrec-st")
    assert done.returncode == 0, done.stdout + done.stderr
    records = [json.loads(p.read_text()) for p in tmp_path.glob("store/*/*/record.json")]
    trained = {r["label"] for r in records if r["kind"] == "train"}
    assert trained == {f"train sasrec-st {d} seed 0" for d in ("action", "comedy")}
    [row] = [
        r
        for r in json.loads((tmp_path / "records" / "tiny.json").read_text())["results"]
        if r["status"] == "done"
    ]
    assert set(row["metrics"]) == {"action", "comedy", "mean"}


def test_courses_of_a_run(finished: Path) -> None:
    """Its trainings validate never: no course; its splits are told."""
    record = tool("benchmarks/tools/courses.py").courses(finished, "tiny")
    assert record["trainings"] == []
    tracks = sorted(track for split in record["splits"].values() for track in split["tracks"])
    assert tracks == ["cdsr", "merging"]
    for split in record["splits"].values():
        assert all(0 < share < 0.2 for share in split["never_trained"].values())


def by_target(table: RankTable) -> list[tuple[Any, ...]]:
    names = np.asarray(table.domains, object)[table.domain]
    columns = (table.users, names, table.targets, table.n_better, table.n_equal)
    return sorted(zip(*(c.tolist() for c in columns), strict=True))


def test_one_pass_gives_ranks_with_and_without_the_history(finished: Path, tmp_path: Path) -> None:
    """One cell, two rows with keys of their own; each is what evaluating the experts gives."""
    out = tmp_path / "both"
    shutil.copytree(finished, out)
    protocols, chosen = ("loo", "loo-masked"), "track=merging,method=fine-tune"
    changes = ("--set", f"tracks.merging.protocols=[{', '.join(protocols)}]", "--only", chosen)
    done = run(out, *changes)
    assert done.returncode == 0, done.stdout + done.stderr
    manifest = json.loads((out / "suites" / "tiny.json").read_text())
    rows = [r for r in manifest["results"] if r["status"] == "done"]
    tuned = {r["identity"]["protocol"]: r for r in rows if r["identity"]["method"] == "fine-tune"}
    assert len({r["key"] for r in tuned.values()}) == 1
    assert [tuned[p].get("masked") for p in protocols] == [None, True]
    assert tuned["loo"]["key"] in ranks(finished)  # the cell was there: nothing was ranked again
    results = rmb.load_results(out / "records" / "tiny.json")
    done_rows = [r for r in results.records.results if r.done]
    assert len({r.key for r in done_rows}) == len(done_rows) and len(done_rows) == len(rows)
    experts = [
        folder.parent
        for folder in out.glob("store/*/*/record.json")
        if json.loads(folder.read_text())["label"].startswith("train sasrec fine-tune")
    ]
    assert len(experts) == 2
    by_protocol = {r.identity.protocol: r for r in done_rows if r.identity.method == "fine-tune"}
    for protocol in protocols:
        row = by_protocol[protocol]
        assert row.mask_history is (protocol == "loo-masked")
        again = rmb.evaluate(experts, protocol=protocol)
        assert by_target(results.ranks[row.key]) == by_target(again.ranks)
    assert by_target(results.ranks[by_protocol["loo"].key]) != by_target(
        results.ranks[by_protocol["loo-masked"].key]
    )
