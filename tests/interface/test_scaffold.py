"""``plugins new``: what it writes passes its own check, ruff and its own tests as it stands."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from recmerge_bench.cli import cli
from recmerge_bench.cli.plugin_new import KINDS
from recmerge_bench.errors import HandledError
from recmerge_bench.interface.checking import check_plugin
from recmerge_bench.interface.plans import plan
from recmerge_bench.interface.runs import run
from recmerge_bench.interface.scaffold import KINDS as KNOWN
from recmerge_bench.interface.scaffold import begin_plugin
from recmerge_bench.registry import Registry, discover


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Iterator[Path]:
    """A plugin of every kind, as files and as distributions."""
    folder = tmp_path_factory.mktemp("begun")
    for kind in KINDS:
        begin_plugin(f"own-{kind}", kind, registry=registry, to=folder / "files")
        begin_plugin(f"kit-{kind}", kind, registry=registry, to=folder / "kits", package=True)
    yield folder
    for name in [n for n in sys.modules if n.startswith(("own_", "kit_"))]:
        del sys.modules[name]


def file_of(kind: str) -> str:
    return f"own_{kind}.py".replace("-", "_")


def succeeded(*words: str, cwd: Path) -> str:
    ran = subprocess.run([sys.executable, *words], cwd=cwd, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    return ran.stdout


def test_the_kinds_are_those_of_the_command() -> None:
    assert tuple(KNOWN) == KINDS


@pytest.mark.parametrize("place", ["files", *(f"kits/kit-{kind}" for kind in KINDS)])
def test_ruff_has_nothing_to_say(begun: Path, place: str) -> None:
    pytest.importorskip("ruff")
    rules = ("--isolated", "--select", "E,F,I,B,UP,SIM,RUF", "--target-version", "py311")
    succeeded("-m", "ruff", "check", "--no-cache", *rules, ".", cwd=begun / place)
    succeeded("-m", "ruff", "format", "--no-cache", "--isolated", "--check", ".",
              cwd=begun / place)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_passes_its_check(begun: Path, kind: str) -> None:
    report = check_plugin(str(begun / "files" / file_of(kind)))
    assert report.ok, [f"{o}" for o in report.all() if o.status == "failed"]
    [spec] = report.specs
    assert (spec.name, spec.kind) == (f"own-{kind}", KNOWN[kind])
    assert all(option.meaning for option in spec.options)
    assert {o.what for o in report.all() if o.status == "skipped"} <= {
        "no CUDA device here", "counting models run on the CPU alone",
        "CDSR models are not merged", "its scope is the whole model: nothing is streamed",
    }  # fmt: skip


def test_the_files_tests_pass(begun: Path) -> None:
    out = succeeded("-m", "pytest", "-q", "-p", "no:cacheprovider", ".", cwd=begun / "files")
    assert "passed" in out and "failed" not in out


def test_a_distributions_tests_pass(begun: Path) -> None:
    out = succeeded("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=begun / "kits/kit-metric")
    assert "passed" in out and "failed" not in out


#: The one track that a suite has: nothing of `quick` runs beside it.
TRACKS = {"cdsr": "cdsr", "dataset": "own"}


@pytest.mark.parametrize("kind", KINDS)
def test_suites_are_read_and_planned(begun: Path, kind: str) -> None:
    own = begun / "files" / f"own-{kind}.yaml"
    made = plan(own, plugins=[begun / "files" / file_of(kind)])
    assert len(made.cells) > 2
    assert [track.name for track in made.tracks] == [TRACKS.get(kind, "merging")]
    folder = begun / "kits" / f"kit-{kind}" / f"kit_{kind}".replace("-", "_")
    registry = discover([str(folder)], environ={})
    assert registry.problems == []
    assert len(plan(f"kit-{kind}", plugins=registry).cells) == len(made.cells)


@pytest.mark.parametrize("kind", ["baseline", "dataset", "list-metric"])
def test_suites_run_to_a_board(begun: Path, kind: str, tmp_path: Path) -> None:
    suite = begun / "files" / f"own-{kind}.yaml"
    plugin = begun / "files" / file_of(kind)
    made = run(suite, out=tmp_path, plugins=[plugin])
    assert made.ok
    board = (tmp_path / "boards" / f"own-{kind}.md").read_text()
    assert f"own-{kind}" in board and "popularity" in board


@pytest.mark.parametrize("kind", KINDS)
def test_a_distribution_names_its_module(begun: Path, kind: str) -> None:
    import tomllib

    folder = begun / "kits" / f"kit-{kind}"
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    module = f"kit_{kind}".replace("-", "_")
    assert project["project"]["entry-points"]["recmerge_bench"] == {f"kit-{kind}": module}
    assert project["tool"]["setuptools"]["packages"] == [module]
    steps = yaml.safe_load((folder / ".github/workflows/ci.yml").read_text())["jobs"]["tests"]
    assert any("plugins check" in step.get("run", "") for step in steps["steps"])


def test_nothing_is_overwritten(tmp_path: Path, registry: Registry) -> None:
    taken = tmp_path / "test_own_way.py"
    taken.write_text("mine")
    with pytest.raises(
        HandledError, match=r"test_own_way\.py is there already: nothing is written"
    ):
        begin_plugin("own-way", "strategy", registry=registry, to=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [taken.name] and taken.read_text() == "mine"
    (tmp_path / "own-way").mkdir()
    with pytest.raises(HandledError, match="own-way is there already"):
        begin_plugin("own-way", "strategy", registry=registry, to=tmp_path, package=True)


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("My Method", "strategy", "lower-case letters and digits joined by hyphens"),
        ("../../etc", "strategy", "lower-case letters"),
        ("x" * 60, "dataset", "up to 40"),
        ("2-stage", "backbone", "which Python does not allow"),
        ("class", "metric", "which Python does not allow"),
        ("json", "dataset", "Python has a module 'json' already"),
        ("ties", "strategy", "is registered by recmerge_bench_plugins.strategies.ties already"),
        ("ties", "backbone", "is registered by"),
        ("NDCG", "metric", "is registered by"),
    ],
)
def test_bad_names_are_one_line(
    tmp_path: Path, name: str, kind: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = subprocess.run(
        [sys.executable, "-m", "recmerge_bench", "plugins", "new", name, "--kind", kind],
        capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 2 and words in ran.stderr, ran.stderr
    assert ran.stderr.count("\n") == 1 and list(tmp_path.iterdir()) == []


def test_the_command_says_what_to_do_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def invoke(*words: str) -> Any:
        return CliRunner().invoke(cli, ["plugins", "new", *words], standalone_mode=False)

    ran = invoke("spec", "--kind", "strategy")
    assert ran.return_value == 0, ran.output
    assert "recmerge-bench plugins check spec.py" in ran.output
    assert "class SpecPlugin(StrategyDefinition)" in Path("spec.py").read_text()
    said = json.loads(invoke("quick", "--kind", "baseline", "--json").stdout)
    assert [Path(f).name for f in said["files"]] == [
        "quick.py", "test_quick.py", "quick-trial.yaml"
    ]  # fmt: skip
