"""Raw files of datasets: where they lie, how they come, and that they are the right ones.

A file comes from its address, from a mirror or from a folder, resumes where it broke off, and is
in place only when its SHA-256 is right. Where no checksum is known, the first one seen is written
beside the file and holds from then on (trust on first use).
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from recmerge_bench.cache import user_cache
from recmerge_bench.digests import file_digest
from recmerge_bench.errors import Blocked, DataError, HandledError
from recmerge_bench.files import write_text
from recmerge_bench.untrusted.paths import below, within

ENVIRONMENT = "RECMERGE_BENCH_DATA"
RETRIES = 3
PAUSE = 1.0
#: What a broken connection can lose.
CHUNK = 1 << 16
_HTML = (b"<!doctype html", b"<html", b"<head", b"<body", b"<!--", b"<title")


@dataclass(frozen=True)
class RemoteFile:
    """A file of a dataset.

    Attributes:
        name: its name on disk and below a mirror.
        url: where its authors keep it; empty: nowhere, so that a mirror has to have it.
        sha256: hexadecimal, or None where it is not known.
    """

    name: str
    url: str
    sha256: str | None = None


def data_home(data_root: Path | None) -> Path:
    """Folder of raw data: the one given, else ``$RECMERGE_BENCH_DATA``, else the user's cache."""
    if data_root is not None:
        return data_root
    named = os.environ.get(ENVIRONMENT)
    if named:
        return Path(named)
    return user_cache()


def dataset_folder(data_root: Path | None, name: str) -> Path:
    """Where the files of this name lie.

    Raises:
        HandledError: it is no name of a folder.
    """
    return within(data_home(data_root), name)


def locate(
    files: Iterable[RemoteFile], dataset: str, data_root: Path | None, options: str = ""
) -> list[Path]:
    """The files, in ``<home>/<dataset>/`` or directly in ``<home>``.

    Args:
        files: what is wanted.
        dataset: the dataset's name.
        data_root: see `data_home`.
        options: options of ``datasets prepare`` that make it fetch just these.

    Raises:
        Blocked: some are missing; says how to get them.
    """
    home = data_home(data_root)
    paths, missing = [], []
    for file in files:
        places = [below(within(home, dataset), file.name), below(home, file.name)]
        here = next((p for p in places if p.is_file()), None)
        paths.append(here or places[0])
        if here is None:
            missing.append(file.name)
    if missing:
        root = f" --data-root {data_root}" if data_root is not None else ""
        raise Blocked(
            f"{dataset}: {', '.join(missing)} not found in {home / dataset}",
            f"recmerge-bench datasets prepare {dataset}{root}{options} [--mirror URL|FOLDER]",
        )
    return paths


def fetch(
    files: Iterable[RemoteFile], dataset: str, data_root: Path | None, mirror: str | None = None
) -> list[Path]:
    """Bring the missing files to ``<home>/<dataset>/``.

    Args:
        files: what is wanted.
        dataset: the dataset's name.
        data_root: see `data_home`.
        mirror: an address or a folder that holds the files under their names.

    Raises:
        HandledError: a file cannot be had, or is not the right one; nothing of it is left under
            its name.
    """
    folder = dataset_folder(data_root, dataset)
    return [_fetch_one(file, folder, mirror) for file in files]


def check(path: Path, file: RemoteFile) -> None:
    """Compare with the known checksum, or with the one seen first.

    Raises:
        DataError: it differs.
    """
    noted = path.with_name(path.name + ".sha256")
    known = file.sha256
    if known is None and noted.is_file():
        known = noted.read_text().split()[0]
    digest = file_digest(path)
    if known is None and (flaw := no_data(path)):
        raise DataError(f"{flaw}, and no checksum of it is known: remove it and fetch it again",
                        path)  # fmt: skip
    if known is None:
        write_text(noted, f"{digest}  {path.name}\n")
    elif known != digest:
        raise DataError(f"SHA-256 is {digest}, not {known}: remove it and fetch it again", path)


def no_data(path: Path) -> str:
    """Why a file of unknown checksum cannot be data; empty if it may be."""
    with path.open("rb") as stream:
        head = stream.read(1024)
    if not head:
        return "the file is empty"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(_HTML) and path.suffix.lower() not in (".html", ".htm", ".part"):
        return "the file is a web page (HTML)"
    return ""


def _fetch_one(file: RemoteFile, folder: Path, mirror: str | None) -> Path:
    goal = below(folder, file.name)
    if not goal.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        if mirror is not None and Path(mirror).is_dir():
            source = below(Path(mirror), file.name)
            if not source.is_file():
                raise HandledError(f"the mirror {mirror} has no {file.name}")
            _retrieve(file, goal, str(source), _copy_file)
        else:
            url = f"{mirror.rstrip('/')}/{file.name}" if mirror else file.url
            if not url:
                raise HandledError(
                    f"{file.name} has no address: put it into {folder}, or give --mirror URL|FOLDER"
                )
            _download(file, goal, url)
    check(goal, file)
    return goal


def _retrieve(file: RemoteFile, goal: Path, url: str, downloader: Any) -> None:
    """Through pooch: a temporary name, the checksum, then the real name."""
    import pooch

    pooch.get_logger().setLevel("WARNING")
    known = f"sha256:{file.sha256}" if file.sha256 else None

    def checked(source: str, output_file: Any, pooch: Any) -> None:
        downloader(source, output_file, pooch)
        if file.sha256 is None and (flaw := no_data(Path(output_file))):
            raise HandledError(
                f"{file.name} from {url}: {flaw}, and no checksum of it is known: nothing of it "
                "was kept; try another --mirror"
            )

    try:
        pooch.retrieve(url, known, fname=goal.name, path=goal.parent, downloader=checked)
    except ValueError as error:  # pooch's word for a wrong checksum
        raise HandledError(
            f"{file.name} from {url} is not the right file ({error}): nothing of it was kept; "
            "try another --mirror"
        ) from None


def _copy_file(source: str, output_file: Any, _: Any) -> None:
    shutil.copyfile(source, output_file)


def _download(file: RemoteFile, goal: Path, url: str) -> None:
    import requests

    resuming = _Resuming(goal.with_name(f".{goal.name}.part"))
    for attempt in range(RETRIES):
        try:
            return _retrieve(file, goal, url, resuming)
        except (requests.RequestException, OSError) as error:
            status = getattr(getattr(error, "response", None), "status_code", None)
            if attempt + 1 == RETRIES or (status is not None and 400 <= status < 500):
                raise HandledError(
                    f"cannot fetch {file.name} from {url}: {error}; run the command again to go "
                    "on, or give --mirror URL|FOLDER"
                ) from None
            time.sleep(PAUSE * 2.0**attempt)


class _Resuming:
    """A pooch downloader that keeps what has come and asks for the rest."""

    def __init__(self, part: Path) -> None:
        self.part = part

    def __call__(self, url: str, output_file: Any, _: Any) -> None:
        import requests

        have = self.part.stat().st_size if self.part.is_file() else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        with requests.get(url, headers=headers, stream=True, timeout=(30, 120)) as answer:
            if answer.status_code != 416:  # 416: all of it had come already
                answer.raise_for_status()
                with self.part.open("ab" if answer.status_code == 206 else "wb") as out:
                    _copy_stream(answer, out)
            self._check_whole(answer)
        os.replace(self.part, output_file)

    def _check_whole(self, answer: Any) -> None:
        """What has come is as much as ``Content-Range`` announced, where it did."""
        whole = answer.headers.get("Content-Range", "").rpartition("/")[2]
        size = self.part.stat().st_size if self.part.is_file() else 0
        if answer.status_code in (206, 416) and whole.isdigit() and size != int(whole):
            if size > int(whole) or answer.status_code == 416:
                self.part.unlink(missing_ok=True)  # of another file: begin again
            raise OSError(f"{size} of {whole} bytes have come")


def _copy_stream(answer: Any, out: IO[bytes]) -> None:
    expected = answer.headers.get("Content-Length")
    size = 0
    for block in answer.iter_content(CHUNK):
        out.write(block)
        size += len(block)
    if "Content-Encoding" in answer.headers:
        size = answer.raw.tell()  # the length is that of the packed bytes
    if expected is not None and expected.isdigit() and size < int(expected):
        raise OSError(f"the connection ended after {size} of {expected} bytes")
