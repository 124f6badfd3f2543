"""`--max-memory`: what will not fit is blocked, blocks shrink, and what takes more is ended."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from recmerge_bench import run
from recmerge_bench.errors import HandledError
from recmerge_bench.planning.cells import Cell
from recmerge_bench.processes import memory_limit
from recmerge_bench.running.memory_bound import MemoryBound
from recmerge_bench.running.store import Store
from recmerge_bench.sizes import bytes_of, size_text

MIB = 1 << 20
#: A counting model that holds so many MiB for a while, and says how many did so at a time.
EATS = """
import os, time
from dataclasses import dataclass
from pathlib import Path
from recmerge_bench.api import CountingSpec, hookimpl
from recmerge_bench_plugins.baselines.popularity import Popularity

@dataclass(frozen=True)
class Options:
    mib: int = 0
    fork: bool = False

class Eating(Popularity):
    Options = Options
    def fit(self, *arguments, **more):
        if self.options.fork and os.fork() == 0:
            time.sleep(60)
        held = bytearray(self.options.mib << 20)
        held[:: 4096] = b"x" * len(held[:: 4096])
        time.sleep(0.3)
        return super().fit(*arguments, **more)

@hookimpl
def recmerge_bench_register():
    return [CountingSpec("eating", f"{__name__}:Eating", "popularity, and memory")]
"""


def suite(*sizes: int, items: int = 20) -> dict[str, Any]:
    return {
        "name": "eats", "seeds": [0], "threads": 1, "metrics": ["NDCG@10"],
        "tracks": {"counting": {
            "tuning": "none", "dataset": "synthetic", "domains": ["d0", "d1"],
            "dataset_options": {"users": 60, "items": items, "n_domains": 2, "clusters": 4,
                                "mean_length": 6.0},
            "protocols": ["loo"],
            "rows": ["popularity", *({"method": "eating", "variant": f"{n}", "options": {"mib": n}}
                     for n in sizes)],
        }},
    }  # fmt: skip


@pytest.fixture
def plugin(tmp_path: Path) -> str:
    path = tmp_path / "eats_memory.py"
    path.write_text(EATS)
    return str(path)


def peaks(out: Path, kind: str) -> dict[str, int]:
    records = map(json.loads, (p.read_text() for p in out.glob("store/*/*/record.json")))
    return {r["label"]: r["peak_memory"] for r in records if r["kind"] == kind}


def test_what_takes_more_is_ended_and_named(tmp_path: Path, plugin: str) -> None:
    out = tmp_path / "out"
    done = run(suite(1, 900), out=out, plugins=[plugin], max_memory="400MiB", jobs=1,
               progress=False)  # fmt: skip
    [failure] = done.failures
    assert "eating" in failure.label and "of the run's --max-memory" in failure.error
    assert json.loads(failure.file.read_text())["out_of_memory"] is True
    status = {r.identity.variant: r.status for r in done.records.results}
    assert status == {"": "done", "1": "done", "900": "out-of-memory"}


def test_what_like_cells_took_blocks_before_it_starts(tmp_path: Path, plugin: str) -> None:
    """The same cell with another seed was measured: it is known what it takes."""
    out, asked = tmp_path / "out", suite(300)
    run(asked, out=out, plugins=[plugin], progress=False, jobs=1)
    assert max(peaks(out, "train").values()) > 300 * MIB
    start = {p.name for p in out.glob("store/*/*")}
    done = run(asked, out=out, plugins=[plugin], seeds=[0, 1], max_memory="250MiB", jobs=1,
               progress=False)  # fmt: skip
    new = {p.name for p in out.glob("store/*/*")} - start
    [missing] = [m for m in done.missing if "--max-memory" in m.reason]
    assert missing.reason.startswith("needs ") and "may take 250 MiB" in missing.reason
    assert "accumulate" in missing.remedy and not done.failures
    assert not new, "popularity depends on no seed, and nothing else could start"


def test_a_size_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(HandledError, match="--max-memory is a number with a unit"):
        run(suite(), out=tmp_path, max_memory="much", progress=False)
    assert bytes_of("1.5GiB", "x") == 3 << 29 and size_text(3 << 29) == "1.5 GiB"


def cell(key: str, memory: int | None, kind: str = "train") -> Cell:
    return Cell(key, kind, key, {}, {"config": {}}, memory=memory)


def test_so_many_run_as_fit_together(tmp_path: Path) -> None:
    bound = MemoryBound(1000 * MIB, 4, Store(tmp_path))
    assert bound.start(cell("a", 10 * MIB)) == 250 * MIB, "its share"
    assert bound.start(cell("b", 600 * MIB)) == 600 * MIB
    assert bound.start(cell("c", 10 * MIB)) == 0, "it would be 1100"
    bound.end("b")
    assert bound.start(cell("c", 10 * MIB)) == 250 * MIB
    assert bound.start(cell("d", 900 * MIB)) == 0 and bound.flaw(cell("d", 900 * MIB)) == ""
    assert "needs 1.2 GiB" in bound.flaw(cell("e", 1200 * MIB))


def test_stages_declare_what_they_hold(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for key, size in (("ab" * 32, 3 * MIB), ("cd" * 32, 5 * MIB)):
        with store.writing(key) as folder:
            (folder / "model.safetensors").write_bytes(os.urandom(size))
            store.commit(key, folder, {"kind": "train", "inputs": {}})
    bound, inputs = MemoryBound(1, 1, store), {"base": "ab" * 32, "expert:d0": "cd" * 32}
    merging = Cell("m", "merge", "m", inputs, {"config": {}})
    none = bound.need(Cell("m", "merge", "m", {}, {"config": {}}))
    assert bound.need(merging) == none + 2 * 8 * MIB
    ranking = Cell("r", "rank", "r", {"model": "cd" * 32}, {"config": {"counting": False}})
    assert bound.need(ranking) == none + 2 * 5 * MIB


def test_blocks_fit_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_limit, "anonymous_memory", lambda process: 100 * MIB)
    try:
        assert memory_limit.block_within(64 * MIB) == 64 * MIB
        for limit, block in ((1000, 64), (200, 25), (101, 1), (50, 1)):
            memory_limit.limit_to(limit * MIB)
            assert memory_limit.block_within(64 * MIB) == block * MIB
    finally:
        memory_limit.limit_to(None)


def test_ranking_keeps_to_it_in_smaller_blocks(tmp_path: Path) -> None:
    """Watched: its peak is lower by what the blocks are smaller, and the ranks are the same."""
    asked = suite(items=60_000)
    asked["tracks"]["counting"]["dataset_options"]["users"] = 500
    free, bound = tmp_path / "free", tmp_path / "bound"
    run(asked, out=free, jobs=1, progress=False)
    run(asked, out=bound, jobs=1, max_memory="260MiB", progress=False)
    [whole], [small] = (list(peaks(out, "rank").values()) for out in (free, bound))
    print(f"\npeak of ranking: {size_text(whole)}, bounded {size_text(small)}")
    assert small < whole - 40 * MIB
    ranks = [sorted((out / "store").glob("*/*/ranks.parquet")) for out in (free, bound)]
    assert [p.read_bytes() for p in ranks[0]] == [p.read_bytes() for p in ranks[1]]
