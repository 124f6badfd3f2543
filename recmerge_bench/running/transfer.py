"""Cells to a machine without network and back: jobs, inputs and sources out, results in.

Archives are split into parts of at most 16 MiB, each a valid tar. What comes back is a stranger's:
names are checked, links refused, every file's hash compared with its record before it is stored.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recmerge_bench.digests import sha256
from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.module_files import CORE_ROOT, module_path
from recmerge_bench.options import CompleteOptions
from recmerge_bench.planning.cells import Cell, Plan
from recmerge_bench.running.cell_record import SEAL, checked_record, record_flaw
from recmerge_bench.running.jobs import job_spec
from recmerge_bench.running.store import RECORD, Store
from recmerge_bench.untrusted import tars
from recmerge_bench.untrusted.jsons import read_json
from recmerge_bench.untrusted.paths import below, is_relative, shown

PART = 16 << 20
CHUNK = 8 << 20
LIMIT = 4 << 30
KEY = re.compile(r"[0-9a-f]{64}")
MEMBERS = 100_000
_PIECE = re.compile(r"(.+)\.chunk([0-9]{3})")


@dataclass
class Adopted:
    """What `adopt` did: counts, and a line for each cell that was refused."""

    new: int = 0
    present: int = 0
    refused: list[str] = field(default_factory=list)


def pack(plan: Plan, store: Store, keys: Iterable[str], target: Path) -> list[Path]:
    """Write the cells to do among `keys`, with all that they need, as a self-contained job.

    Args:
        plan: the cells.
        store: holds the inputs that are done.
        keys: the chosen cells; what they need and is not done is packed as well.
        target: ``JOB.tar``; further parts are ``JOB.001.tar`` and so on.

    Returns:
        The parts.

    Raises:
        HandledError: nothing is left to do, or a chosen cell is blocked.
    """
    chosen, inputs = _needed(plan, store, keys)
    if not chosen:
        raise HandledError("nothing to pack: all chosen cells are done")
    entries: list[tuple[str, bytes | Path]] = []
    files = {name: f"code/{Path(path).name}" for name, path in plan.files.items()}
    there = {"files": files, "hidden": []}  # raw files do not travel
    jobs = [{**job_spec(plan.cells[k], plan, Path("out")), **there} for k in chosen]
    entries.append(("jobs.json", json.dumps(jobs, sort_keys=True, indent=1).encode()))
    entries.append(("run.py", (CORE_ROOT / "running" / "remote.py").read_bytes()))
    entries += _sources(plan)
    for key in inputs:
        folder = store.check(key)
        names = [RECORD, *store.record(key)["files"]]
        entries += [(f"out/store/{key[:2]}/{key}/{name}", folder / name) for name in names]
    return write_parts(target, entries)


def _needed(plan: Plan, store: Store, keys: Iterable[str]) -> tuple[list[str], list[str]]:
    chosen: set[str] = set()
    inputs: set[str] = set()
    queue = [k for k in keys if not store.sound(k)]
    while queue:
        key = queue.pop()
        cell = plan.cells[key]
        _check_travels(cell)
        chosen.add(key)
        for needed in cell.inputs.values():
            if store.sound(needed):
                inputs.add(needed)
            elif needed not in chosen:
                queue.append(needed)
    return [k for k in plan.cells if k in chosen], sorted(inputs)


def _check_travels(cell: Cell) -> None:
    if cell.blocked:
        raise HandledError(f"{cell.label} is blocked: {cell.blocked[0]}; {cell.blocked[1]}")
    if cell.kind == "data":
        raise HandledError(
            f"{cell.label} is not done, and its raw files do not travel; "
            "run it here first (`recmerge-bench run --only kind=split`)"
        )


def _packages(plan: Plan) -> Iterator[str]:
    """Top-level modules of the definitions that cells name."""
    for cell in plan.cells.values():
        for part in cell.job["config"].values():
            if isinstance(part, CompleteOptions):
                yield part.target.partition(".")[0].partition(":")[0]


def _sources(plan: Plan) -> list[tuple[str, bytes | Path]]:
    roots = {"recmerge_bench": CORE_ROOT}
    for package in sorted(set(_packages(plan)) - set(plan.files)):
        path = module_path(package)
        if path is not None:
            roots[package] = path.parent if path.name == "__init__.py" else path
    named = {Path(path).name: Path(path) for path in plan.files.values()}
    files: list[tuple[str, bytes | Path]] = []
    for name, root in [*roots.items(), *named.items()]:
        if root.is_file():
            files.append((f"code/{root.name}", root))
            continue
        files += [
            (f"code/{name}/{p.relative_to(root).as_posix()}", p) for p in sorted(root.rglob("*.py"))
        ]
    return files


def write_parts(target: Path, entries: Iterable[tuple[str, bytes | Path]]) -> list[Path]:
    """Tar the entries into parts of at most `PART` bytes; equal entries give equal bytes.

    A file larger than a chunk goes in as ``name.chunk000``, ``name.chunk001``, ...
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    parts: list[Path] = []
    archive: tarfile.TarFile | None = None
    used = 0
    for name, data in _chunks(entries):
        size = 512 + -(-len(data) // 512) * 512
        if archive is None or used + size > PART - (1 << 16):
            if archive is not None:
                archive.close()
            number = len(parts)
            path = target if not number else target.with_suffix(f".{number:03d}.tar")
            parts.append(path)
            archive, used = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT), 0  # noqa: SIM115
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), 0o644
        archive.addfile(info, io.BytesIO(data))
        used += size
    if archive is not None:
        archive.close()
    return parts


def _chunks(entries: Iterable[tuple[str, bytes | Path]]) -> Iterator[tuple[str, bytes]]:
    for name, source in entries:
        data = source.read_bytes() if isinstance(source, Path) else source
        if len(data) <= CHUNK:
            yield name, data
            continue
        for number, start in enumerate(range(0, len(data), CHUNK)):
            yield f"{name}.chunk{number:03d}", data[start : start + CHUNK]


def extract(archives: Iterable[Path], folder: Path) -> None:
    """Unpack tars of plain files below `folder`, chunks joined; nothing else is accepted.

    Raises:
        HandledError: not a tar, a link, a device, an absolute or climbing name, too many or too
            large.
    """
    total = 0
    names: set[str] = set()
    for path in archives:
        with tars.opened(path, "a readable archive of cells", zipped=False) as archive:
            for member in archive:
                if not member.plain or not is_relative(member.name):
                    raise tars.refused(path, member.name, "not a plain file below it")
                total += member.size
                if total > LIMIT or len(names) >= MEMBERS:
                    raise HandledError(
                        f"{path}: more than {LIMIT >> 30} GiB or {MEMBERS} files unpacked"
                    )
                if member.name in names:
                    raise tars.refused(path, member.name, "it is there twice")
                names.add(member.name)
                target = below(folder, member.name)
                target.parent.mkdir(parents=True, exist_ok=True)
                with open(target, "xb") as out:
                    while data := archive.read():
                        out.write(data)
    _join(folder, names)


def _join(folder: Path, names: Iterable[str]) -> None:
    """Make chunks the file that they were.

    Raises:
        HandledError: one is missing, or the file is there beside them.
    """
    chunks: dict[str, list[int]] = {}
    for match in filter(None, map(_PIECE.fullmatch, names)):
        chunks.setdefault(match[1], []).append(int(match[2]))
    for name, numbers in chunks.items():
        whole = below(folder, name)
        if sorted(numbers) != list(range(len(numbers))) or whole.exists():
            raise HandledError(
                f"the chunks of {shown(name)} are not all there, or the file is there beside them: "
                "give all parts of the archive"
            )
        with open(whole, "xb") as out:
            for number in sorted(numbers):
                piece = whole.with_name(f"{whole.name}.chunk{number:03d}")
                with open(piece, "rb") as stream:
                    shutil.copyfileobj(stream, out)
                piece.unlink()


def adopt(archives: Iterable[Path], store: Store) -> Adopted:
    """Take finished cells into the store, each checked against its record.

    Raises:
        HandledError: an archive is refused as a whole (see `extract`).
    """
    done = Adopted()
    with tempfile.TemporaryDirectory() as name:
        extract(archives, Path(name))
        for record in sorted(Path(name).glob(f"store/*/*/{RECORD}")):
            _adopt(record.parent, store, done)
    if not done.new and not done.present and not done.refused:
        raise HandledError("the archive holds no finished cell")
    return done


def _adopt(folder: Path, store: Store, done: Adopted) -> None:
    key = folder.name
    try:
        record = _record(folder, key)
    except (DataError, ValueError) as error:
        done.refused.append(f"{shown(key)[1:13]}: {str(error).replace(f'{folder}/', '')}")
        return
    if store.sound(key):
        done.present += 1
        return
    with store.lock(key), store.writing(key) as aside:
        for file in record["files"]:
            target = below(aside, file)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(below(folder, file), target)
        kept = {k: v for k, v in record.items() if k not in ("files", "sizes", SEAL)}
        store.commit(key, aside, kept)
    done.new += 1


def _record(folder: Path, key: str) -> dict[str, Any]:
    """The record of an unpacked cell, every file compared with it.

    Raises:
        DataError: it is not readable.
        ValueError: it is of another cell, or a file is not as it says.
    """
    record = checked_record(read_json(folder / RECORD, numbers=False))
    if not KEY.fullmatch(key) or folder.parent.name != key[:2]:
        raise ValueError("it does not lie in its place")
    if flaw := record_flaw(record, key):
        raise ValueError(flaw)
    if RECORD in map(str.lower, record["files"]):
        raise ValueError("its record names itself")
    for file, digest in record["files"].items():
        path = below(folder, file)
        if not path.is_file() or sha256(path) != digest:
            raise ValueError(f"{file} does not match its record")
    return record
