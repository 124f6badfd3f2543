"""The plugin contract has a version, keeps what it promised, and warns before something goes."""

from __future__ import annotations

import importlib.metadata
import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, tool

from recmerge_bench import api, toolkit
from recmerge_bench.contract_versions import API_VERSION, CONTRACTS, check_stated, numbers
from recmerge_bench.deprecations import DEPRECATIONS
from recmerge_bench.errors import HandledError
from recmerge_bench.registry import discover

PLUGIN = """
{stated}
from recmerge_bench.api import StrategyDefinition, StrategySpec, hookimpl
{imports}

class First(StrategyDefinition):
    def merge(self, given):
        return dict(given.experts[0].weights)

@hookimpl
def recmerge_bench_register():
    target = f"{{__name__}}:First"
    return [StrategySpec("first-expert", target, "takes", inputs=("base", "experts"))]
"""
MAJOR, MINOR = numbers(API_VERSION)


def discovered(folder: Path, stated: str, imports: str = "") -> tuple[bool, list[str]]:
    """Whether a plugin that states something was taken in, and what was said of it."""
    file = folder / "versioned.py"
    file.write_text(PLUGIN.format(stated=stated, imports=imports))
    registry = discover([str(file)], environ={})
    return ("strategy", "first-expert") in registry.specs, registry.refused


@pytest.mark.parametrize(
    "stated",
    ["", f'RECMERGE_BENCH_API = "{API_VERSION}"', f'RECMERGE_BENCH_API = "{MAJOR}.0"',
     f'RECMERGE_BENCH_TOOLKIT = "{toolkit.VERSION}"'],
)  # fmt: skip
def test_a_plugin_of_this_major_version_is_taken_in(tmp_path: Path, stated: str) -> None:
    assert discovered(tmp_path, stated) == (True, [])


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (f'"{MAJOR - 1}.7"', f"it was written for version {MAJOR - 1}.7 of the plugin contract"),
        (f'"{MAJOR + 1}.0"', f"it needs version {MAJOR + 1}.0 of the plugin contract"),
        (f'"{MAJOR}.{MINOR + 1}"', "install a later recmerge-bench"),
        ("1", 'takes "major.minor"'),
        ('"one"', 'takes "major.minor"'),
        (f'"{MAJOR}"', 'takes "major.minor"'),
    ],
)
def test_another_version_is_refused_in_one_line(tmp_path: Path, version: str, message: str) -> None:
    taken, [line] = discovered(tmp_path, f"RECMERGE_BENCH_API = {version}")
    assert not taken and message in line
    assert line.startswith("plugin '") and "\n" not in line


def test_the_version_is_the_reason_even_where_an_import_fails_first(tmp_path: Path) -> None:
    """What a later contract has, this one has not: the import is where such a plugin fails."""
    stated, imports = f'RECMERGE_BENCH_API = "{MAJOR + 1}.0"', "from recmerge_bench.api import New"
    taken, [line] = discovered(tmp_path, stated, imports)
    assert not taken and f"needs version {MAJOR + 1}.0" in line and "ImportError" not in line
    taken, [line] = discovered(tmp_path, "", imports)
    assert not taken and "ImportError" in line


def test_an_installed_plugin_of_another_version_is_named_with_its_distribution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stated, imports = f'RECMERGE_BENCH_API = "{MAJOR + 1}.0"', "from recmerge_bench.api import New"
    package = tmp_path / "of_tomorrow"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "plugin.py").write_text(PLUGIN.format(stated=stated, imports=imports))
    info = tmp_path / "of_tomorrow-3.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: of-tomorrow\nVersion: 3.0\n")
    (info / "entry_points.txt").write_text("[recmerge_bench]\nlater = of_tomorrow.plugin\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert importlib.metadata.version("of-tomorrow") == "3.0"
    [line] = discover(environ={}).problems
    assert line.startswith("plugin 'later' (of-tomorrow): it needs version")
    assert line.endswith("; it is left out")


def test_a_package_whose_source_cannot_be_read_is_said_as_before() -> None:
    registry = discover(["no_such_module_at_all"], environ={})
    assert "ModuleNotFoundError" in registry.refused[0]


def test_what_has_to_be_done_is_said() -> None:
    for name, (what, installed) in CONTRACTS.items():
        major, minor = numbers(installed)
        check_stated(name, installed)
        with pytest.raises(HandledError, match=rf'{what}.*state {name} = "{installed}"'):
            check_stated(name, f"{major - 1}.{minor}")


def trigger(name: str) -> None:
    """Use what is deprecated, as a plugin would."""
    if name == "Spec(kind, name, ...)":
        spec: Any = api.Spec
        spec("metric", "Mine", "mine:Mine", "a line")
    else:
        getattr(api, name)


@pytest.mark.parametrize("name", DEPRECATIONS)
def test_what_goes_warns_with_the_version_that_is_without_it(name: str) -> None:
    until = DEPRECATIONS[name].until
    with pytest.warns(DeprecationWarning, match=rf"; it goes with version {until} of") as caught:
        trigger(name)
    assert caught[0].filename == __file__, "the warning names the plugin's line"


@pytest.mark.parametrize("name", DEPRECATIONS)
def test_nothing_is_listed_beyond_its_version(name: str) -> None:
    entry = DEPRECATIONS[name]
    assert numbers(entry.until) > numbers(API_VERSION) >= numbers(entry.since), f"remove {name}"
    assert numbers(entry.until)[1] == 0, "things go with a major version"
    assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", entry.announced)
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"`{name}`" in changes, "CHANGELOG.md announces it"


def test_promises_of_the_last_release_are_kept() -> None:
    """Where this fails, keep the old form with a deprecation, or it is a new major version."""
    made = tool("benchmarks/tools/plugin_api.py")
    released = json.loads(made.SNAPSHOT.read_text(encoding="utf-8"))
    present = {"api": made.api_promise(), "toolkit": made.toolkit_promise()}
    versions = {"api": API_VERSION, "toolkit": toolkit.VERSION}
    for part, promise in present.items():
        was, now = numbers(released[part]["version"]), numbers(versions[part])
        if was[0] == now[0]:
            assert made.broken(released[part]["promise"], promise) == []
        assert now >= was
        if promise.keys() - released[part]["promise"].keys():
            assert now > was, f"{part}: names were added, the minor version has to grow"


def test_a_broken_promise_is_seen() -> None:
    broken = tool("benchmarks/tools/plugin_api.py").broken
    before = {"a": ["x", "y="], "b": None, "Definition.c": ["self"]}
    assert broken(before, {**before, "d": []}) == []
    assert broken(before, {**before, "a": ["x", "y=", "z="]}) == []
    assert broken(before, {**before, "a": ["x=", "y="]}) == []
    assert broken(before, {"a": ["x", "y="], "Definition.c": ["self"]}) == ["b is gone"]
    for now in (["x"], ["y=", "x"], ["x", "y"], ["x", "y=", "z"], ["w", "y="]):
        assert broken(before, {**before, "a": now}) == [f"a took (x, y=), now ({', '.join(now)})"]
    assert broken(before, {**before, "Definition.c": ["self", "more="]}, {"Definition"})
