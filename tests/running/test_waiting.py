"""Which cells can start: after their inputs, the heaviest first, without looking at all of them."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from itertools import islice

from recmerge_bench.planning.cells import Cell
from recmerge_bench.running.waiting import Waiting


def cell(key: str, *inputs: str) -> Cell:
    return Cell(key, "train", key, {k: k for k in inputs}, {})


def made(cells: Mapping[str, Cell], weights: Mapping[str, float], done: set[str]) -> Waiting:
    waiting = Waiting(cells, weights, done.__contains__)
    waiting.add(key for key in cells if key not in done)
    return waiting


def test_the_heaviest_first_and_after_its_inputs() -> None:
    cells = {c.key: c for c in (cell("a"), cell("b"), cell("c", "a", "b"), cell("d", "z"))}
    done = {"z"}
    waiting = made({**cells, "z": cell("z")}, dict(a=1.0, b=3.0, c=9.0, d=2.0, z=0.0), done)
    assert list(waiting.ready()) == ["b", "d", "a"] == list(waiting.ready()), "asking takes none"
    assert list(islice(waiting.ready(), 1)) == ["b"]
    for key in ("b", "d"):
        waiting.discard(key)
    done.add("b")
    waiting.finished("b")
    assert list(waiting.ready()) == ["a"]
    waiting.add(["b"])  # it was lost, and waits again
    waiting.discard("a")
    done.add("a")
    waiting.finished("a")
    assert list(waiting.ready()) == ["c", "b"] and set(waiting) == {"b", "c"}


def test_as_if_all_were_looked_at_each_time() -> None:
    rng = random.Random(17)
    for _ in range(60):
        keys = [f"k{n}" for n in range(rng.randint(1, 25))]
        cells = {
            key: cell(key, *rng.sample(keys[:n], min(n, rng.randint(0, 3))))
            for n, key in enumerate(keys)
        }
        weights = {key: float(rng.randint(0, 4)) for key in keys}
        done: set[str] = set()
        waiting = made(cells, weights, done)
        while list(waiting):
            expected = sorted(
                (k for k in waiting if done.issuperset(cells[k].inputs.values())),
                key=lambda k: (-weights[k], k),
            )
            assert list(waiting.ready()) == expected and waiting.any_ready()
            for key in expected[: rng.randint(1, 3)]:
                waiting.discard(key)
                if rng.random() < 0.2:
                    waiting.add([key])
                    continue
                done.add(key)
                waiting.finished(key)


def test_many_cost_no_more_each() -> None:
    def seconds(count: int) -> float:
        cells = {"root": cell("root"), **{f"c{n}": cell(f"c{n}", "root") for n in range(count)}}
        done = {"root"}
        waiting = made(cells, dict.fromkeys(cells, 1.0), done)
        start = time.process_time()
        for _ in range(count):
            [key] = islice(waiting.ready(), 1)
            waiting.discard(key)
            done.add(key)
            waiting.finished(key)
        return time.process_time() - start

    assert seconds(20_000) < 40 * seconds(2_000), "a scan of all would be a hundred times"
