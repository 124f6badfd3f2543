"""The recipe for Dask on Slurm, word for word, on a Slurm of this machine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from clusters import Suite, until, waiting_suite
from conftest import ROOT
from examples import examples
from slurm_cluster import queue
from slurm_cluster import real_slurm as real_slurm

#: What a cluster has of its own: a small node, no environment to enter, a port that is free.
OWN = {
    'memory="8GB"': 'memory="300MB"',
    '"port": 8786': '"port": 0',
    '"source /path/to/venv/bin/activate"': '"true"',
    "maximum_jobs=64": "maximum_jobs=2",
}


def recipe() -> str:
    [block] = [
        example.text for example in examples(ROOT / "docs" / "how-to" / "executor.md")
        if example.title == "cluster.py"
    ]  # fmt: skip
    for theirs, ours in OWN.items():
        assert block.count(theirs) == 1, theirs
        block = block.replace(theirs, ours)
    return block


@pytest.mark.slow
def test_an_adaptive_cluster_of_slurm_jobs(real_slurm: None, tmp_path: Path) -> None:
    """It grows from nothing when cells come, gives a local run's bytes, and is gone afterwards."""
    pytest.importorskip("dask_jobqueue")
    (tmp_path / "cluster.py").write_text(recipe())
    suite = Suite(tmp_path, waiting_suite(2, 0.5))
    suite.run("here")
    with subprocess.Popen(
        [sys.executable, "cluster.py"], cwd=tmp_path, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    ) as cluster:  # fmt: skip
        assert cluster.stdin is not None and cluster.stdout is not None
        address = cluster.stdout.readline().strip()
        assert address.startswith("tcp://") and not queue(), "no job before there is work"
        on_dask = ("--executor", "dask", "--set", f"executor.address={address}")
        run = suite.start("queue", *on_dask, "--set", "executor.slots=2")
        until(queue, 120)
        suite.end("queue", run, 400)
        until(lambda: not queue(), 120)
        cluster.stdin.write("\n")
    assert cluster.returncode == 0
    assert suite.results("queue") == suite.results("here") and len(suite.results("here")) > 4
    said = (tmp_path / "slurm" / "slurmctld.log").read_text()
    jobs = {*re.findall(r"Allocate JobId=(\d+)", said)}
    print(f"\n{len(jobs)} jobs of Slurm were workers of Dask")
    assert jobs
