"""Finished cells that were exchanged, damaged or taken away: reported, and computed again."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from recmerge_bench.interface.plans import planned
from recmerge_bench.registry import Registry
from recmerge_bench.running.scheduler import todo
from recmerge_bench.running.store import Store

SUITE = """
name: counts
title: Counting alone
label: smoke
seeds: [0]
metrics: [NDCG@10]
tracks:
  counting:
    dataset: synthetic
    dataset_options: {n_domains: 2, items: 60, users: 60}
    domains: [d0, d1]
    protocols: [loo]
    reference: popularity
    rows: [popularity, last-item]
"""
Change = Callable[[Path, list[str]], None]


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    return bench(folder, "run", "--suite", "counts.yaml", "--out", "out")


def bench(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "recmerge_bench", *words], cwd=folder, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    (folder / "counts.yaml").write_text(SUITE)
    done = run(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def rows(folder: Path) -> list[dict[str, Any]]:
    collected = json.loads((folder / "out/records/counts.json").read_text())["results"]
    assert isinstance(collected, list)
    return collected


def exchange(store: Path, keys: list[str]) -> None:
    one, two = (store / k[:2] / k for k in keys)
    one.rename(store / "aside")
    two.rename(one)
    (store / "aside").rename(two)


def exchange_files(store: Path, keys: list[str]) -> None:
    one, two = (store / k[:2] / k / "ranks.parquet" for k in keys)
    ours, theirs = one.read_bytes(), two.read_bytes()
    one.write_bytes(theirs)
    two.write_bytes(ours)


def flip(store: Path, keys: list[str]) -> None:
    path = store / keys[0][:2] / keys[0] / "ranks.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncate(store: Path, keys: list[str]) -> None:
    path = store / keys[0][:2] / keys[0] / "ranks.parquet"
    path.write_bytes(path.read_bytes()[:-100])


def drop_rows(store: Path, keys: list[str]) -> None:
    path = store / keys[0][:2] / keys[0] / "ranks.parquet"
    pq.write_table(pq.read_table(path).slice(3), path)


def truncate_record(store: Path, keys: list[str]) -> None:
    path = store / keys[0][:2] / keys[0] / "record.json"
    path.write_text(path.read_text()[:-40])


def reseal(store: Path, keys: list[str]) -> None:
    """Exchanged by someone who makes key and checksum fit: the plan says what a cell is of."""
    exchange(store, keys)
    out = Store(store.parent)
    for key in keys:
        folder, aside = store / key[:2] / key, out.out / "tmp" / key
        record = json.loads((folder / "record.json").read_text())
        folder.rename(aside)
        out.commit(key, aside, {k: v for k, v in record.items() if k not in ("files", "sizes")})


@pytest.mark.parametrize(
    "change", [exchange, exchange_files, flip, truncate, drop_rows, truncate_record, reseal]
)
def test_damaged_ranks_are_to_do(
    registry: Registry, finished: Path, tmp_path: Path, change: Change
) -> None:
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    keys = [r["key"] for r in rows(finished)]
    plan = planned(tmp_path / "counts.yaml", registry)
    store = Store(tmp_path / "out")
    assert todo(plan, store).waiting == [] and todo(plan, store).damaged == {}
    change(tmp_path / "out/store", keys)
    outstanding = todo(plan, store)
    both = change in (exchange, exchange_files, reseal)
    assert set(outstanding.damaged) == set(outstanding.waiting) == set(keys if both else keys[:1])


def test_damaged_ranks_are_reported_and_computed_again(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    exchange(tmp_path / "out/store", [r["key"] for r in rows(finished)])
    again = run(tmp_path)
    assert again.returncode == 0, again.stdout + again.stderr
    assert again.stdout.count("damaged: rank ") == 2, again.stdout
    for name in ("records/counts.json", "records/counts.ranks.parquet", "boards/counts.md"):
        assert (tmp_path / "out" / name).read_bytes() == (finished / "out" / name).read_bytes()
    assert "all 2 results cached" in run(tmp_path).stdout


@pytest.mark.parametrize(("kind", "how"), [("data", "gone"), ("split", "damaged")])
def test_ranks_are_not_published_without_what_they_are_of(
    finished: Path, tmp_path: Path, kind: str, how: str
) -> None:
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    paths = (tmp_path / "out").glob("store/*/*/record.json")
    [cell] = [p.parent for p in paths if json.loads(p.read_text())["kind"] == kind]
    shutil.rmtree(cell) if how == "gone" else next(cell.glob("*.npy")).write_bytes(b"no array")
    shutil.rmtree(tmp_path / "out/records")
    built = bench(tmp_path, "leaderboard", "build", "--out", "out", "--to", "boards")
    assert built.returncode == 2 and len(built.stderr.splitlines()) == 1, built.stderr
    assert not list(tmp_path.glob("boards/*/*.json"))
    again = run(tmp_path)
    assert again.returncode == 0, again.stdout + again.stderr
    assert [r["data"] for r in rows(tmp_path)] == [r["data"] for r in rows(finished)]
    assert {r["data"] for r in rows(tmp_path)} != {""}
    made = json.loads((cell / "record.json").read_text())
    assert made["kind"] == kind
