"""Every kind of file that a run has, damaged in every way: named, made again, or of no account.

`tests/interface/test_upkeep.py` harms the cells, manifests and notes of failures one by one, and
`store verify` names each; here are the kinds of all files, and those that nobody verifies: each is
made again or read as if it were not there, and results keep their bytes. Counts are printed.
"""

from __future__ import annotations

import random
import shutil
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from harms import HARMS
from little_suite import LITTLE

import recmerge_bench
from recmerge_bench.interface.upkeep import verify
from recmerge_bench.running.mirror import REMOTE, place_of, remote_of
from recmerge_bench.running.store import Store
from recmerge_bench.training import checkpoint

#: First folder of a file of a run -> who finds that it is damaged.
NAMED, AGAIN, NO_MATTER = "named by store verify", "made again", "read as if it were not there"
KINDS = {
    "store": NAMED, "suites": NAMED, "failures": NAMED, "records": AGAIN, "boards": AGAIN,
    "made": AGAIN, "locks": NO_MATTER, "leases": NO_MATTER, "logs": NO_MATTER,
}  # fmt: skip
#: What a run's results are: these bytes are the same whatever else was damaged.
RESULTS = ("records/little.json", "records/little.ranks.parquet", "boards/little.md")
STRAY = "ee" + "0" * 62
Harm = Callable[[Path, random.Random], None]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("finished") / "run"
    assert recmerge_bench.run(LITTLE, out=out, progress=False).ok
    Store(out).fail(STRAY, {"error": "it went wrong", "label": "a cell", "traceback": "..."})
    return out


def files(out: Path, *found_by: str) -> list[Path]:
    every = sorted(p for p in out.rglob("*") if p.is_file())
    return [p for p in every if KINDS.get(p.relative_to(out).parts[0]) in found_by]


def test_the_kinds_of_files_are_known(finished: Path) -> None:
    kinds = {p.relative_to(finished).parts[0] for p in finished.rglob("*") if p.is_file()}
    assert kinds <= KINDS.keys(), "a kind of file of which nobody says what damage of it does"
    assert {"store", "suites", "failures", "records", "boards", "made"} <= kinds


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
def test_what_nobody_verifies_is_made_again(finished: Path, tmp_path: Path, harm: Harm) -> None:
    out = Path(shutil.copytree(finished, tmp_path / "run"))
    rng, counts = random.Random(harm.__name__), Counter[str]()
    for path in files(out, AGAIN, NO_MATTER):
        if path.stat().st_size:
            harm(path, rng)
            counts[path.relative_to(out).parts[0]] += 1
    again = recmerge_bench.run(LITTLE, out=out, progress=False)
    assert again.ok and again.computed == 0
    for name in RESULTS:
        assert (out / name).read_bytes() == (finished / name).read_bytes(), name
    assert list(verify(out)) == []
    print(f"\n{harm.__name__}: {sum(counts.values())} files {dict(counts)}; 0 silent")


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
def test_a_training_goes_on_from_a_whole_state_or_from_none(tmp_path: Path, harm: Harm) -> None:
    """State of a training: what is loaded is what was saved, or nothing is, with a warning."""
    rng, counts = random.Random(harm.__name__), Counter[str]()
    tensors, facts = {"w": torch.arange(400.0), "n": torch.ones(3)}, {"step": 120}
    for _ in range(20):
        folder = tmp_path / "work" / "cell"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        checkpoint.save(folder, tensors, facts)
        path = rng.choice(sorted(p for p in folder.rglob("*") if p.is_file()))
        harm(path, rng)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            state = checkpoint.load(folder)
        if state is None:
            assert said or harm.__name__ == "delete", f"{harm.__name__} of {path.name} is silent"
            counts["begun anew"] += 1
        else:
            loaded, known = state
            assert known["step"] == 120 and all(torch.equal(loaded[k], tensors[k]) for k in tensors)
            counts["whole all the same"] += 1
    print(f"\n{harm.__name__}: 20 states of trainings {dict(counts)}; 0 silent")


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
def test_a_mirror_is_of_the_address_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: Harm
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    place_of("memory://elsewhere/run")  # whose note may lie in the other's place
    rng = random.Random(harm.__name__)
    for _ in range(20):
        folder = place_of("memory://here/run")
        harm(folder / REMOTE, rng)
        remote: Any = remote_of(place_of("memory://here/run"))
        assert remote is not None and remote.address == "memory://here/run"
