"""Plugin discovery: a broken one stops nothing, order changes nothing, torch stays out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from recmerge_bench.errors import HandledError
from recmerge_bench.registry import Registry, discover

GOOD = """
from recmerge_bench.api import StrategyDefinition, StrategySpec, hookimpl

class First(StrategyDefinition):
    def merge(self, given):
        return dict(given.experts[0].weights)

@hookimpl
def recmerge_bench_register():
    return [StrategySpec("first-expert", f"{__name__}:First", "the first expert",
                         inputs=("base", "experts"))]
"""


def test_first_party_plugins_come_by_entry_points(registry: Registry) -> None:
    assert {"sasrec", "bert4rec"} <= set(registry.names("backbone"))
    assert {"popularity", "item-knn"} <= set(registry.names("counting"))
    assert {"weight-averaging", "task-arithmetic", "ties"} <= set(registry.names("strategy"))
    for plugin in registry.plugins:
        assert plugin.origin == "recmerge-bench"


def test_a_strangers_file_is_registered_the_same_way(tmp_path: Path) -> None:
    file = tmp_path / "stranger.py"
    file.write_text(GOOD)
    found = discover([str(file)], environ={})
    spec = found.get("strategy", "first-expert")
    assert found.plugin_of(spec).origin == str(file)
    assert found.files == {"stranger": str(file)}
    del sys.modules["stranger"]


def test_the_environment_names_plugins_too(tmp_path: Path) -> None:
    file = tmp_path / "stranger_env.py"
    file.write_text(GOOD)
    found = discover(environ={"RECMERGE_BENCH_PLUGINS": str(file)})
    assert "first-expert" in found.names("strategy")
    del sys.modules["stranger_env"]


@pytest.mark.parametrize(
    "text",
    ["import no_such_module", "raise SystemError('x')", "def broken(:", GOOD.replace(":First", "")],
)
def test_a_broken_plugin_is_reported_and_stops_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "broken_plugin.py"
    file.write_text(text)
    found = discover([str(file)], environ={})
    assert len(found.problems) == 1
    assert "broken_plugin" in found.problems[0]
    assert "ties" in found.names("strategy")
    sys.modules.pop("broken_plugin", None)


def test_the_second_of_a_name_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "twice.py"
    file.write_text(GOOD.replace("first-expert", "ties"))
    found = discover([str(file)], environ={})
    assert "registered already" in found.problems[0]
    assert found.get("strategy", "ties").target.startswith("recmerge_bench_plugins")
    del sys.modules["twice"]


def test_near_names_are_suggested(registry: Registry) -> None:
    with pytest.raises(HandledError, match="did you mean 'ties'"):
        registry.get("strategy", "tiess")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["plugins", "list"], ["plan", "--suite", "quick"]]
)
def test_light_commands_import_no_torch(arguments: list[str]) -> None:
    code = (
        "import sys; from recmerge_bench.cli import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "heavy = {'torch', 'transformers', 'recbole'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
