"""A suite's records and boards after a run: made again only where what they are made of changed.

``OUT/made/<suite>.json`` says of what content they were made (a digest) and what came of it (the
hash of each file). It is a memory and no more: where it is gone, of other content, or one of the
files is not as it was written, all are made again.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from recmerge_bench.collection import uncollected
from recmerge_bench.digests import sha256
from recmerge_bench.errors import HandledError
from recmerge_bench.files import write_json
from recmerge_bench.module_files import CORE_ROOT, module_path
from recmerge_bench.registry import Registry
from recmerge_bench.report.publishing.finish import build
from recmerge_bench.results.rank_lock import LOCK
from recmerge_bench.running.cell_record import SEAL
from recmerge_bench.running.store import RECORD, Store
from recmerge_bench.untrusted.jsons import read_json
from recmerge_bench.untrusted.paths import below, within

#: Libraries whose numbers or tables stand in records and boards.
LIBRARIES = ("numpy", "pandas", "pyarrow", "pydantic", "scipy", "tabulate")


@uncollected()
def build_if_changed(out: Path, registry: Registry, manifest: Mapping[str, Any]) -> list[Path]:
    """`build` for a suite's run in `out`, into its own ``boards`` and ``records``.

    Args:
        out: the run's folder.
        registry: the plugins.
        manifest: the suite's, as it was just written there.

    Returns:
        the files, boards first, whether or not they had to be written.

    Raises:
        HandledError: what `build` raises.
    """
    suite = manifest["suite"]
    note = within(out / "made", f"{suite}.json")
    content = content_of(out, registry, manifest)
    if files := _as_made(note, content, out):
        return files
    note.unlink(missing_ok=True)
    files = build(out, out / "boards", out / "records", registry, suite)
    hashes = [[path.relative_to(out).as_posix(), sha256(path)] for path in files]
    write_json(note, {"content": content, "files": [h for h in hashes if _of_suite(h[0])]})
    return files


def _of_suite(name: str) -> bool:
    """Whether a file is the suite's alone: all suites share the lock of ranks."""
    return not name.endswith(LOCK)


def _as_made(note: Path, content: str, out: Path) -> list[Path]:
    """The files that a note names, where they were made of this content and are as written."""
    if not note.is_file():
        return []
    try:
        made = read_json(note)
        if made["content"] != content:
            return []
        files = [(below(out, name), digest) for name, digest in made["files"]]
    except (HandledError, KeyError, TypeError, ValueError):
        return []  # damaged: as if there were none
    whole = all(path.is_file() and sha256(path) == digest for path, digest in files)
    return [path for path, _ in files] if whole else []


def content_of(out: Path, registry: Registry, manifest: Mapping[str, Any]) -> str:
    """Digest of all that a suite's records and boards are made of.

    That is its manifest, the record of every cell behind its rows (which holds the hashes of the
    cell's files), notes of failed list metrics, and the code: this package, the plugins, and the
    versions of Python and of the libraries behind numbers and tables.
    """
    digest = hashlib.sha256()
    for part in _parts(out, registry, manifest):
        digest.update(f"{len(part)}:".encode() + part)
    return digest.hexdigest()


def _parts(out: Path, registry: Registry, manifest: Mapping[str, Any]) -> Iterator[bytes]:
    store = Store(out)
    yield _read(within(out / "suites", f"{manifest['suite']}.json"))
    rows = (*manifest["results"], *manifest["curves"])
    keys = {key for row in rows for key in (row["key"], *row["cells"])}
    lists = {row["lists"] for row in rows if "lists" in row}
    for key in sorted(keys | lists):
        yield key.encode()
        yield _record(store, key)
    for key in sorted(lists):
        yield repr(store.failure(key)).encode()
    yield from _code(registry)


def _record(store: Store, key: str) -> bytes:
    """A cell's record, or the seal of one that is only in an object store; nothing: it is gone."""
    here = _read(store.folder(key) / RECORD)
    if here or store.published is None or not store.has(key):
        return here
    return str(store.record(key)[SEAL]).encode()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _code(registry: Registry) -> Iterator[bytes]:
    yield platform.python_version().encode()
    yield repr([(name, _version(name)) for name in LIBRARIES]).encode()
    for plugin in registry.plugins:
        facts: list[Any] = [plugin.name, plugin.module, plugin.origin, plugin.version]
        yield repr(facts).encode()
    for root in sorted({CORE_ROOT, *_plugin_roots(registry)}):
        yield _tree(root).encode()


def _plugin_roots(registry: Registry) -> Iterator[Path]:
    """The file or folder of each plugin: of a package's module, the whole package."""
    for plugin in registry.plugins:
        if plugin.module in registry.files:
            yield Path(registry.files[plugin.module])
        elif (path := module_path(plugin.module.partition(".")[0])) is not None:
            yield path.parent if path.name == "__init__.py" else path


def _tree(root: Path) -> str:
    """Digest of a source file, or of all below a folder, with their names."""
    files = sorted(root.rglob("*.py")) if root.is_dir() else [root]
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(root.parent)}\0{sha256(file)}\n".encode())
    return digest.hexdigest()


@cache
def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "absent"
