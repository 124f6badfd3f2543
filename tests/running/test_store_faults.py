"""Faults of the store's disk, clock and users: refused in a line or done again, never silent."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
import torch
import yaml
from little_suite import LITTLE

from recmerge_bench.interface.upkeep import verify
from recmerge_bench.training import checkpoint

KILLS = 100
linux = pytest.mark.skipif(sys.platform != "linux", reason="forks and mounts")


def _write_for_ever(folder: Path) -> None:
    step = 0
    while True:
        step += 1
        tensors = {"w": torch.full((20_000,), float(step))}
        checkpoint.save(folder, tensors, {"step": step})


@linux
def test_kills_while_checkpoints_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the moment, the state is one that was saved, whole, and no older than the last."""
    rng, last, loaded = random.Random(3), 0, 0
    torch.set_num_threads(1)
    # However little of the machine the writers get, there is a state to lose.
    checkpoint.save(tmp_path, {"w": torch.full((20_000,), 1.0)}, {"step": 1})
    for _ in range(KILLS):
        pid = os.fork()
        if pid == 0:
            _write_for_ever(tmp_path)
        time.sleep(rng.uniform(0.001, 0.03))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        state = checkpoint.load(tmp_path)  # a damaged one warns, and warnings are errors here
        if state is not None:
            tensors, facts = state
            assert (tensors["w"] == float(facts["step"])).all()
            loaded, last = loaded + 1, facts["step"]
    with capsys.disabled():
        print(f"\n{KILLS} kills, {loaded} states loaded, 0 damaged")
    assert loaded == KILLS and last >= 1


def test_a_state_whose_facts_changed_is_none(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, {"w": torch.ones(3)}, {"step": 120})
    path = tmp_path / "training.json"
    path.write_text(path.read_text().replace("120", "121"))
    with pytest.warns(UserWarning, match="own checksum"):
        assert checkpoint.load(tmp_path) is None


def _suite(folder: Path) -> Path:
    path = folder / "little.yaml"
    path.write_text(yaml.safe_dump(LITTLE))
    return path


def _asked(
    words: list[str],
    suite: Path | None = None,
    before: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    chosen = ["--suite", str(suite)] if suite else []
    line = [*before, sys.executable, "-m", "recmerge_bench", words[0], *chosen, *words[1:]]
    return subprocess.run(line, capture_output=True, text=True, env=env)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "none", str(folder)], check=False
    )
    if done.returncode:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.slow
@linux
def test_a_full_disk_then_a_larger_one(disk: Path, tmp_path: Path) -> None:
    suite, out = _suite(tmp_path), disk / "run"
    full = _asked(["run", "--out", str(out)], suite)
    assert full.returncode in (1, 2), full.stdout + full.stderr
    assert "No space left" in full.stdout + full.stderr
    assert "This is a bug" not in full.stderr
    subprocess.run(["mount", "-o", "remount,size=200m", str(disk)], check=True)
    again = _asked(["run", "--out", str(out)], suite)
    assert again.returncode == 0, again.stdout + again.stderr
    elsewhere = tmp_path / "elsewhere"
    assert _asked(["run", "--out", str(elsewhere)], suite).returncode == 0
    for name in ("little.json", "little.ranks.parquet"):
        assert (out / "records" / name).read_bytes() == (elsewhere / "records" / name).read_bytes()
    assert list(verify(out)) == []
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert _asked(["results", "--out", str(out)]).returncode == 0
    assert _asked(["plan", "--out", str(out)], suite).returncode == 0
    refused = _asked(["run", "--out", str(out)], suite)
    assert refused.returncode == 2 and "Read-only file system" in refused.stderr


@pytest.mark.slow
@linux
def test_permission_taken_away(tmp_path: Path) -> None:
    """What may not be written or read is refused in a line, and nothing is lost of it."""
    # as root, permissions hold where its power to override them is taken away
    power = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    before = power if os.geteuid() == 0 else []
    if before and not shutil.which("setpriv"):
        pytest.skip("no setpriv")
    suite, out = _suite(tmp_path), tmp_path / "run"
    assert _asked(["run", "--out", str(out)], suite).returncode == 0
    shutil.rmtree(next(p.parent for p in out.glob("store/*/*/ranks.parquet")))
    for folder in (out, *(p for p in out.rglob("*") if p.is_dir())):
        folder.chmod(0o555)
    refused = _asked(["run", "--out", str(out)], suite, before)
    assert refused.returncode in (1, 2), refused.stderr
    assert "Permission denied" in refused.stdout + refused.stderr
    assert "This is a bug" not in refused.stderr
    (out / "suites" / "little.json").chmod(0)
    hidden = _asked(["results", "--out", str(out)], None, before)
    assert hidden.returncode == 2 and "Permission denied" in hidden.stderr, hidden.stderr
    (out / "suites" / "little.json").chmod(0o644)
    for folder in (out, *(p for p in out.rglob("*") if p.is_dir())):
        folder.chmod(0o755)
    assert _asked(["run", "--out", str(out)], suite, before).returncode == 0
    assert list(verify(out)) == []


@pytest.mark.slow
def test_a_clock_that_goes_backwards(tmp_path: Path) -> None:
    """Each look at the clock is an hour before the last: no byte of a result depends on it."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "import time\n_real, _count = time.time, [0]\n"
        "def _back():\n    _count[0] += 1\n    return _real() - 3600 * _count[0]\n"
        "time.time = _back\n"
    )
    suite, env = _suite(tmp_path), {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    for out, own in (("back", env), ("plain", None)):
        done = _asked(["run", "--out", str(tmp_path / out)], suite, env=own)
        assert done.returncode == 0, done.stdout + done.stderr
    for name in ("little.json", "little.ranks.parquet"):
        one, other = (tmp_path / out / "records" / name for out in ("back", "plain"))
        assert one.read_bytes() == other.read_bytes()
    assert list(verify(tmp_path / "back")) == []


@pytest.mark.slow
def test_ten_at_once_on_one_store(tmp_path: Path) -> None:
    """Four runs, three plans and three readers: all end well, and the store is whole."""
    suite, out = _suite(tmp_path), tmp_path / "run"
    assert _asked(["run", "--out", str(out), "--only", "method=popularity"], suite).returncode == 0
    lines = [
        *[["run", "--suite", str(suite), "--jobs", "1"]] * 4,
        *[["plan", "--suite", str(suite)]] * 3,
        *[["results"]] * 3,
    ]
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "recmerge_bench", *line, "--out", str(out)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for line in lines
    ]  # fmt: skip
    for process in started:
        output, _ = process.communicate(timeout=600)
        assert process.returncode == 0, output
    assert list(verify(out)) == []
    alone = tmp_path / "alone"
    assert _asked(["run", "--out", str(alone)], suite).returncode == 0
    for name in ("little.json", "little.ranks.parquet"):
        assert (out / "records" / name).read_bytes() == (alone / "records" / name).read_bytes()
