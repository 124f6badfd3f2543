"""Digests of the sources that a cell runs through, found without running any of them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from recmerge_bench.cache import user_cache
from recmerge_bench.files import write_text
from recmerge_bench.module_files import CORE, module_path
from recmerge_bench.planning.code import Code, Import, read_code
from recmerge_bench.planning.keys import digest

#: Modules that refuse what is wrong and leave what is right as it is: with another message or
#: another bound every result stays the same, so that no training has to be done again.
CHECKS_ONLY = frozenset({
    f"{CORE}.{name}"
    for name in ("errors", "blame", "deprecations", "untrusted.jsons", "untrusted.paths")
})  # fmt: skip
#: Files that the memory of parsed sources may hold.
_REMEMBERED = 4096
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"


class Sources:
    """The source files behind modules; each is looked for and parsed once.

    What was parsed is remembered in the user's cache by the SHA-256 of the file's bytes, so that
    a plan parses only what was edited.

    Args:
        memory: file of what is remembered; None: nothing is.
    """

    def __init__(self, memory: Path | None = None) -> None:
        self._memory = memory
        self._known: dict[str, Code] = {} if memory is None else _remembered(memory)
        self._new = False
        self._paths: dict[str, Path | None] = {}
        self._code: dict[str, Code] = {}
        self._imported: dict[str, tuple[str, ...]] = {}
        self._digests: dict[frozenset[str], str] = {}

    @classmethod
    def of_user(cls) -> Sources:
        """With the memory in the user's cache folder."""
        return cls(user_cache() / f"sources-2-{PYTHON}.json")

    def digest(self, modules: Iterable[str]) -> str:
        """Digest of the sources of these modules and of all that they import of core and plugins.

        Imports inside functions count too, those for type checkers do not. Only the modules of
        this package and of the packages (or files) that the named modules belong to are followed;
        libraries are recorded by version instead. Modules of `CHECKS_ONLY` are left out.

        Raises:
            HandledError: one of them is no Python of this version.
        """
        named = frozenset(modules)
        if named not in self._digests:
            self._digests[named] = digest(self._closure(named))
        return self._digests[named]

    def save(self) -> None:
        """Remember what was parsed. A cache that cannot be written is no error."""
        if self._memory is None or not self._new:
            return
        kept = dict(list(self._known.items())[-_REMEMBERED:])
        body = json.dumps({sha: _packed(code) for sha, code in kept.items()})
        with contextlib.suppress(OSError):
            write_text(self._memory, body)
        self._new = False

    def _closure(self, named: frozenset[str]) -> dict[str, str]:
        roots = {name.partition(".")[0] for name in named} | {CORE}
        digests: dict[str, str] = {}
        queue = sorted(named)
        while queue:
            name = queue.pop()
            if (
                name in digests
                or name in CHECKS_ONLY
                or name.partition(".")[0] not in roots
                or self._path(name) is None
            ):
                continue
            digests[name] = self.read(name).digest
            queue += self._imports(name)
        return digests

    def _path(self, name: str) -> Path | None:
        if name not in self._paths:
            self._paths[name] = module_path(name)
        return self._paths[name]

    def read(self, name: str) -> Code:
        """The source of a module that has one."""
        if name not in self._code:
            path = self._path(name)
            assert path is not None
            source = path.read_bytes()
            sha = hashlib.sha256(source).hexdigest()
            if sha not in self._known:
                self._known[sha] = read_code(source, str(path))
                self._new = True
            self._code[name] = self._known[sha]
        return self._code[name]

    def _imports(self, name: str) -> tuple[str, ...]:
        if name not in self._imported:
            path = self._path(name)
            package = name if path and path.name == "__init__.py" else name.rpartition(".")[0]
            modules = {m for one in self.read(name).imports for m in _absolute(one, package)}
            self._imported[name] = tuple(sorted(modules))
        return self._imported[name]


def _absolute(one: Import, package: str) -> Iterable[str]:
    """Modules that a statement may name: ``from a import b`` is `a`, and `a.b` where it exists.

    Args:
        one: the statement.
        package: that the importing module lies in; of a package's own file, itself.
    """
    if not one.base and not one.level:
        return one.names
    above = package.split(".")
    parent = above[: len(above) - one.level + 1] if one.level else []
    base = ".".join([*parent, *([one.base] if one.base else [])])
    return (base, *(f"{base}.{name}" for name in one.names))


def _packed(code: Code) -> list[Any]:
    return [code.digest, [[i.level, i.base, list(i.names)] for i in code.imports]]


def _unpacked(code: str, imports: list[list[Any]]) -> Code:
    unpacked = [Import(int(level), str(base), tuple(names)) for level, base, names in imports]
    return Code(str(code), tuple(unpacked))


def _remembered(file: Path) -> dict[str, Code]:
    """What is remembered; nothing where the file is absent or damaged."""
    try:
        raw: Mapping[str, Any] = json.loads(file.read_bytes())
        return {sha: _unpacked(*packed) for sha, packed in raw.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}
