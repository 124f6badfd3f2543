"""Whatever bytes come in at a border: exit 0, 1 or 2, one line, nothing outside, bounded memory.

``RECMERGE_FUZZ=100000 pytest -m slow tests/untrusted/test_fuzzing.py`` tries as many cases as it
says; ``RECMERGE_FUZZ_SEED`` begins elsewhere, ``RECMERGE_FUZZ_BORDERS=bundles,cells`` chooses.
"""

from __future__ import annotations

import os
import resource
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from fuzz_targets import Borders
from fuzzing import Mutator

from recmerge_bench.registry import Registry

#: Cases of each border in a default run; those of slow commands are fewer.
CASES = {"records": 80, "bundles": 70, "bundle_bytes": 50, "cells": 80, "changes": 40, "suites": 80,
         "runs": 80, "options": 800, "evaluations": 40, "papers": 50}  # fmt: skip
OTHERS = 100
#: MiB that the process may grow by.
MEMORY = 700


@pytest.fixture(scope="module")
def borders(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Iterator[Borders]:
    with pytest.MonkeyPatch.context() as patch:
        # Plugins are sought once: that is not what is tried here.
        patch.setattr("recmerge_bench.cli.common.discover", lambda *_: registry)
        yield Borders(tmp_path_factory.mktemp("samples"), registry)


def tried(borders: Borders, name: str, first: int, count: int, folder: Path) -> Counter[str]:
    """What went wrong in these cases, and in which first."""
    ask, answers = borders.all()[name], Counter[str]()
    seen: dict[str, int] = {}
    for seed in range(first, first + count):
        place = folder / "case"
        place.mkdir()
        wrong = ask(Mutator(seed), place)
        shutil.rmtree(place)
        if wrong:
            seen.setdefault(wrong, seed)
            answers[wrong] += 1
    return Counter({f"{name} seed {seen[w]}: {w}": n for w, n in answers.items()})


NAMES = [n.removeprefix("on_") for n in dir(Borders) if n.startswith("on_")]


@pytest.mark.parametrize("name", NAMES)
def test_no_damage_passes_a_border(
    name: str, borders: Borders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("draw", "draw_pareto"):  # the long form draws
        monkeypatch.setattr(f"recmerge_bench.report.figures.{module}.drawn", lambda *_: "<svg/>\n")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wrong = tried(borders, name, 0, CASES.get(name, OTHERS), tmp_path)
    assert not wrong, "\n".join(f"{n} x {what}" for what, n in wrong.most_common(20))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
    assert grown < MEMORY, f"{grown} MiB"


@pytest.mark.slow
def test_many_more_cases(borders: Borders, tmp_path: Path) -> None:
    total = int(os.environ.get("RECMERGE_FUZZ", "5000"))
    first = int(os.environ.get("RECMERGE_FUZZ_SEED", "1000000"))
    chosen = os.environ.get("RECMERGE_FUZZ_BORDERS", ",".join(NAMES)).split(",")
    wrong: Counter[str] = Counter()
    for name in chosen:
        wrong += tried(borders, name, first, -(-total // len(chosen)), tmp_path)
    assert not wrong, "\n".join(f"{n} x {what}" for what, n in wrong.most_common(80))
