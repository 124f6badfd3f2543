"""Versions of what plugins are promised, and which of them a plugin states.

A plugin may state the version that it was written against, as "major.minor" at the top of its
module::

    RECMERGE_BENCH_API = "1.0"  # of recmerge_bench.api
    RECMERGE_BENCH_TOOLKIT = "1.0"  # of recmerge_bench.toolkit, where it uses that

Within a major version nothing that was promised goes or changes its meaning; the minor number grows
when something is added. So a plugin works with its own major version, from its own minor version
on. One that states nothing is taken as written for what is installed.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from types import ModuleType

from recmerge_bench import toolkit
from recmerge_bench._version import __version__
from recmerge_bench.errors import HandledError

#: Version of `recmerge_bench.api` with the hooks: see the rules above.
API_VERSION = "1.3"
#: What a plugin states -> what it is of, and which version is installed.
CONTRACTS: dict[str, tuple[str, str]] = {
    "RECMERGE_BENCH_API": ("plugin contract", API_VERSION),
    "RECMERGE_BENCH_TOOLKIT": ("toolkit", toolkit.VERSION),
}
#: Where the changes of each version stand.
CHANGES = "CHANGELOG.md and the page 'Plugin API and its versions' list what changed"
_VERSION = re.compile(r"(\d+)\.(\d+)")


def numbers(version: str) -> tuple[int, int]:
    """Major and minor number of a version.

    Raises:
        ValueError: it is not of the form "major.minor".
    """
    match = _VERSION.fullmatch(version)
    if match is None:
        raise ValueError(f"{version!r} is no version")
    return int(match[1]), int(match[2])


def check_versions(module: ModuleType) -> None:
    """Refuse a plugin that was written for a version that is not installed.

    Raises:
        HandledError: it states another major version, a later minor one, or no version at all;
            says what to do.
    """
    for name in CONTRACTS:
        if hasattr(module, name):
            check_stated(name, getattr(module, name))


def check_source(path: Path) -> None:
    """`check_versions` of a module that cannot be imported, by what its source states.

    A plugin for another major version mostly fails at an import: its version is the better answer.

    Args:
        path: of the module's file, or of a folder with ``__init__.py``.

    Raises:
        HandledError: as `check_versions` does.
    """
    file = path / "__init__.py" if path.is_dir() else path
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return  # what went wrong with it is said already
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id in CONTRACTS:
                    check_stated(target.id, node.value.value)


def check_stated(name: str, stated: object) -> None:
    """Refuse a stated version that does not fit the installed one.

    Args:
        name: one of `CONTRACTS`.
        stated: what the plugin has under that name.

    Raises:
        HandledError: it does not fit; says what to do.
    """
    what, installed = CONTRACTS[name]
    if not isinstance(stated, str) or not _VERSION.fullmatch(stated):
        raise HandledError(f'{name} takes "major.minor", such as "{installed}", not {stated!r}')
    theirs, ours = numbers(stated), numbers(installed)
    here = f"recmerge-bench {__version__} has version {installed}"
    if theirs[0] < ours[0]:
        raise HandledError(
            f"it was written for version {stated} of the {what}, and {here}: {CHANGES}; change the "
            f'plugin and state {name} = "{installed}", or install an earlier recmerge-bench'
        )
    if theirs > ours:
        raise HandledError(
            f"it needs version {stated} of the {what}, and {here}: install a later recmerge-bench"
        )


__all__ = ["API_VERSION", "CONTRACTS", "check_source", "check_stated", "check_versions", "numbers"]
