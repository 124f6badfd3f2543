"""A stranger's distribution, and ours, as wheels in a clean environment: found, run, on a board."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, SAMPLES

from recmerge_bench.cli.plugin_new import KINDS

pytestmark = pytest.mark.slow
#: What the wheel of the package is built from.
SOURCES = ("recmerge_bench", "plugins", "benchmarks", "setup.cfg", "pyproject.toml", "README.md",
           "LICENSE")  # fmt: skip
#: A dependency of the sample alone, which pip has to fetch.
OWN = "sortedcontainers"


def done(*words: str | Path, cwd: Path, **environ: str) -> str:
    """Output of a command that has to succeed; nothing of this environment reaches it by name."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "RECMERGE"))}
    ran = subprocess.run(
        [str(w) for w in words], cwd=cwd, capture_output=True, text=True, env={**kept, **environ}
    )
    assert ran.returncode == 0, f"{words}\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"
    return ran.stdout


def wheel(source: Path, to: Path) -> Path:
    """Build a wheel of a source tree, which is not touched."""
    copy = to / f"source-{source.name}"
    copy.mkdir()
    for name in SOURCES if source == ROOT else [p.name for p in source.iterdir()]:
        if (source / name).is_dir():
            shutil.copytree(
                source / name, copy / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(source / name, copy / name)
    words = ("-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", to, copy)
    before = set(to.glob("*.whl"))
    done(sys.executable, *words, cwd=to)
    [made] = set(to.glob("*.whl")) - before
    return made


def needed(name: str) -> Iterator[str]:
    """All distributions that one needs, as installed here; extras are not followed."""
    queue, seen = [name], {name}
    while queue:
        for line in metadata.requires(queue.pop()) or ():
            match = re.match(r"[\w.-]+", line)
            assert match
            other = match[0].lower().replace("_", "-")
            if "extra ==" in line or other in seen:
                continue
            seen.add(other)
            try:
                metadata.distribution(other)
            except metadata.PackageNotFoundError:
                continue  # of another Python or system
            queue.append(other)
            yield other


def lend(name: str, to: Path) -> None:
    """Put what a distribution installed here into another site-packages, so that nothing heavy is
    fetched again: as hard links, since merges see no file outside the environment's folders.
    """
    distribution = metadata.distribution(name)
    tops = {file.parts[0] for file in distribution.files or () if file.parts[0] != ".."}
    for top in tops - {"__pycache__"}:
        source, link = Path(str(distribution.locate_file(top))), to / top
        if source.is_dir() and not link.exists():
            shutil.copytree(source, link, copy_function=_link)
        elif source.is_file() and not link.exists():
            _link(str(source), str(link))


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the sample, which brought the package and its own dependency along."""
    folder = tmp_path_factory.mktemp("clean")
    wheels = folder / "wheels"
    wheels.mkdir()
    ours, sample = wheel(ROOT, wheels), wheel(SAMPLES / "distribution", wheels)
    assert ours.name.startswith("recmerge_bench-")
    venv.create(folder / "env", with_pip=True, symlinks=True)
    [site] = (folder / "env").glob("lib/python*/site-packages")
    for name in needed("recmerge-bench"):
        lend(name, site)
    assert not (site / OWN).exists(), "pip has to bring it"
    python = folder / "env" / "bin" / "python"
    words = ("-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", "--find-links", wheels)
    done(python, *words, sample, cwd=folder)
    assert (site / OWN).is_dir() and (site / "recmerge_bench" / "api.py").is_file()
    return folder / "env"


def test_the_environment_is_whole(clean: Path, tmp_path: Path) -> None:
    done(clean / "bin" / "python", "-m", "pip", "check", cwd=tmp_path)
    code = "import recmerge_bench, recmerge_bench_plugins; print(recmerge_bench.__file__)"
    place = done(clean / "bin" / "python", "-c", code, cwd=tmp_path).strip()
    assert Path(place).is_relative_to(clean)


def test_its_plugins_and_suite_are_there(clean: Path, tmp_path: Path) -> None:
    words = ("plugins", "list", "--json")
    listed: dict[str, Any] = json.loads(
        done(clean / "bin" / "recmerge-bench", *words, cwd=tmp_path)
    )
    assert listed["problems"] == []
    theirs = {p["name"] for p in listed["plugins"] if p["origin"] == "recmerge-bench-sample"}
    assert theirs == {"short-experts", "Top1"}
    ours = {p["name"] for p in listed["plugins"] if p["origin"] == "recmerge-bench"}
    assert {"sasrec", "ties", "synthetic", "loo", "NDCG", "local"} <= ours
    suites = done(clean / "bin" / "recmerge-bench", "suites", "list", "--json", cwd=tmp_path)
    assert {"sample", "quick", "paper"} <= {s["name"] for s in json.loads(suites)}


def test_it_runs_to_a_row_on_a_board(clean: Path, tmp_path: Path) -> None:
    bench = clean / "bin" / "recmerge-bench"
    done(bench, "run", "--suite", "sample", "--strict", cwd=tmp_path)
    board = (tmp_path / "runs" / "boards" / "sample.md").read_text(encoding="utf-8")
    assert "| short-experts (kept=1)" in board
    records = json.loads((tmp_path / "runs" / "records" / "sample.json").read_text())
    rows = {r["identity"]["method"]: r for r in records["results"]}
    assert set(rows) == {"popularity", "short-experts"}
    for row in rows.values():
        for domain in ("d0", "d1"):
            assert 0 <= row["metrics"][domain]["Top1"] <= row["metrics"][domain]["NDCG@10"] <= 1


@pytest.fixture(scope="module")
def begun(clean: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A distribution of every kind as `plugins new --package` writes it, all of them installed."""
    folder = tmp_path_factory.mktemp("begun")
    wheels = folder / "wheels"
    wheels.mkdir()
    for kind in KINDS:
        words = ("plugins", "new", f"kit-{kind}", "--kind", kind, "--package")
        done(clean / "bin" / "recmerge-bench", *words, cwd=folder)
    made = [wheel(folder / f"kit-{kind}", wheels) for kind in KINDS]
    [site] = clean.glob("lib/python*/site-packages")
    for name in ("pytest", *needed("pytest")):
        lend(name, site)
    done(clean / "bin" / "python", "-m", "pip", "install", "-q", "--no-deps", *made, cwd=folder)
    return folder


def test_begun_distributions_are_found(clean: Path, begun: Path, tmp_path: Path) -> None:
    bench = clean / "bin" / "recmerge-bench"
    listed = json.loads(done(bench, "plugins", "list", "--json", cwd=tmp_path))
    assert listed["problems"] == []
    kits = {f"kit-{kind}" for kind in KINDS}
    found = {p["name"] for p in listed["plugins"] if p["origin"] in kits}
    assert found == kits and all(p["version"] for p in listed["plugins"])
    suites = json.loads(done(bench, "suites", "list", "--json", cwd=tmp_path))
    assert kits <= {s["name"] for s in suites}


def test_begun_distributions_pass_their_tests(clean: Path, begun: Path, tmp_path: Path) -> None:
    """Of the installed ones: nothing of the folders that they were built from is imported."""
    tests = [begun / f"kit-{kind}" / "tests" for kind in KINDS]
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "pythonpath=", *tests)
    out = done(clean / "bin" / "python", *words, cwd=tmp_path)
    assert "passed" in out and "failed" not in out and "error" not in out
    code = "import kit_cdsr; print(kit_cdsr.__file__)"
    place = done(clean / "bin" / "python", "-c", code, cwd=tmp_path).strip()
    assert Path(place).is_relative_to(clean)
    done(clean / "bin" / "recmerge-bench", "plugins", "check", "kit-metric", cwd=tmp_path)
