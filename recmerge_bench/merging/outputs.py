"""Where merged files go: refused before anything is read, and seen only when all are whole."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from recmerge_bench.errors import HandledError
from recmerge_bench.files import put_folder

#: What comes with a merged file: its record and its card.
BESIDE = (".json", ".md")
#: The same within a merged model's folder.
RECORD, CARD = "merge.json", "README.md"
Outs = Mapping[float | None, Path]


def refuse_twice(experts: Sequence[Path]) -> None:
    """The same expert given twice would count twice.

    Raises:
        HandledError: two of the paths are one file.
    """
    for number, path in enumerate(experts):
        for other in experts[:number]:
            if _same(path, other):
                raise HandledError(f"expert {path} is given twice ({other} is the same file)")


def refuse_equal(hashes: Mapping[Path, str]) -> None:
    """The same for copies.

    Raises:
        HandledError: two of the files hold the same bytes.
    """
    seen: dict[str, Path] = {}
    for path, sha in hashes.items():
        if sha in seen:
            raise HandledError(f"{path} and {seen[sha]} hold the same bytes: give each model once")
        seen[sha] = path


def refuse_outs(
    outs: Outs, inputs: Sequence[Path], force: bool, folders: bool = False
) -> None:  # fmt: skip
    """Refuse places that a merged model must not take.

    Args:
        outs: scale -> file, or folder.
        inputs: files and folders to merge.
        force: whether a merged model that is there is replaced.
        folders: whether the places are folders.

    Raises:
        HandledError: two scales give one name; a place is an input, lies in one, is no regular
            file, or taken and not to be replaced.
    """
    names = list(outs.values())
    for number, path in enumerate(names):
        if path in names[:number]:
            scales = [f"{s!r}" for s, p in outs.items() if p == path]
            raise HandledError(f"scales {' and '.join(scales)} would both be written to {path}")
    for path in names:
        _refuse_within(path, inputs)
        if folders:
            _refuse_folder(path, inputs, force)
            continue
        for file in (path, *(_beside(path, end) for end in BESIDE)):
            _refuse(file, inputs, force)


def _refuse_within(path: Path, inputs: Sequence[Path]) -> None:
    """Nothing is written into a folder that is merged, nor a folder around one."""
    place = path.resolve()
    for given in inputs:
        if given.is_dir() and given.resolve() in (place, *place.parents):
            raise HandledError(f"{path} lies in a folder to merge ({given}): name another place")


def _refuse_folder(path: Path, inputs: Sequence[Path], force: bool) -> None:
    place = path.resolve()
    for given in inputs:
        if place in (given.resolve(), *given.resolve().parents):
            raise HandledError(f"{path} holds what is to be merged ({given}): name another folder")
    if not os.path.lexists(path):
        return
    if not path.is_dir() or path.is_symlink():
        raise HandledError(f"{path} is no folder: name another")
    if not any(path.iterdir()):
        return
    if not (path / RECORD).is_file():
        raise HandledError(
            f"{path} is not empty and no merged model (it has no {RECORD}): name another folder"
        )
    if not force:
        raise HandledError(f"{path} exists: name another folder, or give --force")


def _refuse(file: Path, inputs: Sequence[Path], force: bool) -> None:
    for given in inputs:
        if _same(file, given):
            raise HandledError(f"{file} is one of the files to merge ({given}): name another file")
    try:
        mode = file.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise HandledError(f"{file}: {error.strerror}") from None
    if not stat.S_ISREG(mode):
        raise HandledError(f"{file} is no regular file and is not replaced: name another file")
    if not force:
        raise HandledError(f"{file} exists: name another file, or give --force")


@contextmanager
def staged(outs: Outs, size: int) -> Iterator[dict[float | None, Path]]:
    """Places to write to beside the real ones; files take their real names at the end, together.

    Args:
        outs: scale -> file.
        size: bytes of each.

    Yields:
        Scale -> the place to write to; what stands beside it comes along.

    Raises:
        HandledError: there is no room, or a file cannot be written. Nothing is left.
    """
    folder = next(iter(outs.values())).parent
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    place = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _room(folder, size * len(outs))
        place = Path(tempfile.mkdtemp(prefix=".merging-", dir=folder))
        places = {scale: place / path.name for scale, path in outs.items()}
        yield places
        _move(places, outs)
        missing = []
    except OSError as error:
        raise HandledError(f"{folder}: cannot be written to: {error.strerror or error}") from None
    finally:
        if place is not None:
            shutil.rmtree(place, ignore_errors=True)
        _remove_empty(missing)


def _move(places: Mapping[float | None, Path], outs: Outs) -> None:
    """Files, and what stands beside each, or folders to their real names."""
    for scale, path in outs.items():
        if places[scale].is_dir():
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
            put_folder(places[scale], path, places[scale].with_name(".before"))
            continue
        for end in ("", *BESIDE):
            os.replace(_beside(places[scale], end), _beside(path, end))


def _remove_empty(folders: Iterable[Path]) -> None:
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size:
        raise HandledError(
            f"{folder}: {size / 1e6:,.0f} MB are to be written, {free / 1e6:,.0f} MB are free"
        )


def _beside(path: Path, end: str) -> Path:
    return path.with_name(path.name + end)


def _same(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return os.path.abspath(one) == os.path.abspath(other)
