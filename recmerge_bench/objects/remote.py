"""An object store behind fsspec. What is exclusive there is the store's doing, not ours.

S3 takes ``If-None-Match: *`` (AWS since 2024, MinIO, moto; s3fs asks for it), Google's store a
generation that has to be none (gcsfs), Azure's ``If-None-Match`` as well (adlfs). For other file
systems `Remote.put_new` asks whether a name is free and then writes, which two writers at once
can both do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recmerge_bench.files import written_aside
from recmerge_bench.objects.store import Mark, Objects, StoreError

#: Schemes whose fsspec file systems create conditionally, by the store's own means.
CONDITIONAL = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "memory"}
#: Scheme -> what to install for it, where that is one package.
PACKAGES = {
    "s3": "recmerge-bench[s3]", "s3a": "recmerge-bench[s3]", "gs": "gcsfs", "gcs": "gcsfs",
    "az": "adlfs", "abfs": "adlfs", "abfss": "adlfs", "http": "aiohttp", "https": "aiohttp",
    "sftp": "paramiko", "ssh": "paramiko", "hf": "huggingface_hub",
}  # fmt: skip
#: Where fsspec's file systems have what changes when an object is written again.
TAGS = ("ETag", "etag", "generation", "md5Hash")


def _tag(facts: Mapping[str, Any]) -> str:
    return next((str(facts[name]) for name in TAGS if facts.get(name)), "")


class Remote(Objects):
    """Objects at an address that fsspec opens. Its connections are remade after a fork.

    Args:
        address: ``scheme://...``; keys and endpoints come from where the scheme's own tools take
            them (``AWS_ACCESS_KEY_ID``, ``AWS_ENDPOINT_URL``, ``~/.aws``, ``FSSPEC_S3_...``).
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self.scheme = address.partition("://")[0]
        self.exclusive = self.scheme in CONDITIONAL
        self._opened: tuple[int, Any, str] | None = None

    def read(self, name: str) -> bytes:
        """See `Objects.read`."""
        with self._asked():
            content: bytes = self._fs.cat_file(self._path(name))
            return content

    def fetch(self, name: str, to: Path) -> None:
        """See `Objects.fetch`."""
        with self._asked(), written_aside(to) as aside:
            self._fs.get_file(self._path(name), str(aside))

    def put(self, name: str, source: Path | bytes) -> None:
        """See `Objects.put`."""
        with self._asked():
            self._write(name, source, "overwrite")

    def put_new(self, name: str, source: Path | bytes) -> bool:
        """See `Objects.put_new`."""
        with self._asked():
            if not self.exclusive and self._fs.exists(self._path(name)):
                return False
            try:
                self._write(name, source, "create" if self.exclusive else "overwrite")
            except FileExistsError:
                return False
            return True

    def size(self, name: str) -> int | None:
        """See `Objects.size`."""
        with self._asked():
            try:
                facts = self._fs.info(self._path(name))
            except FileNotFoundError:
                return None
            return int(facts["size"]) if facts["type"] == "file" else None

    def sizes(self, prefix: str) -> dict[str, int]:
        """See `Objects.sizes`."""
        return {name: mark.size for name, mark in self.marks(prefix).items()}

    def marks(self, prefix: str) -> dict[str, Mark]:
        """See `Objects.marks`."""
        with self._asked():
            try:
                there = self._fs.find(self._path(prefix), detail=True)
            except FileNotFoundError:
                return {}
            start = len(self._path(""))
            return {
                path[start:]: Mark(int(facts["size"]), _tag(facts))
                for path, facts in sorted(there.items())
            }

    def read_all(self, sizes: Mapping[str, int]) -> dict[str, bytes]:
        """See `Objects.read_all`: as many at a time as fsspec's file system has it.

        They are read as stretches from 0 to their size: s3fs asks for the size of a whole one.
        """
        sizes = {name: size for name, size in sizes.items() if size}
        paths, starts = [self._path(name) for name in sizes], [0] * len(sizes)
        with self._asked():
            answers = (
                self._fs.cat_ranges(paths, starts, list(sizes.values()), on_error="return")
                if paths
                else []
            )
            found: dict[str, bytes] = {}
            for name, answer in zip(sizes, answers, strict=True):
                if isinstance(answer, bytes):
                    found[name] = answer
                elif not isinstance(answer, FileNotFoundError):
                    raise answer
            return found

    def remove(self, name: str) -> None:
        """See `Objects.remove`."""
        with self._asked():
            try:
                self._fs.rm_file(self._path(name))
            except FileNotFoundError:
                return

    def _write(self, name: str, source: Path | bytes, mode: str) -> None:
        path = self._path(name)
        if self.scheme not in CONDITIONAL - {"memory"}:  # object stores have no folders to make
            self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        try:
            if isinstance(source, bytes) or self.scheme == "memory":
                data = source if isinstance(source, bytes) else source.read_bytes()
                self._fs.pipe_file(path, data, mode=mode)
            else:
                self._fs.put_file(str(source), path, mode=mode)
        except FileNotFoundError as error:  # no such bucket
            raise StoreError(f"{self.address}: {error}") from error

    @property
    def _fs(self) -> Any:
        return self._at()[0]

    def _path(self, name: str) -> str:
        return f"{self._at()[1].rstrip('/')}/{name}"

    def _at(self) -> tuple[Any, str]:
        """The file system and the address's path in it, of this process."""
        if self._opened is None or self._opened[0] != os.getpid():
            self._opened = (os.getpid(), *self._open())
        return self._opened[1:]

    def _open(self) -> tuple[Any, str]:
        try:
            import fsspec
        except ImportError:
            raise StoreError(f"{self.address}: needs fsspec; pip install {self._package}") from None
        try:
            fs, root = fsspec.core.url_to_fs(self.address, use_listings_cache=False)
        except ImportError as error:
            raise StoreError(f"{self.address}: {error}; pip install {self._package}") from None
        return fs, root

    @property
    def _package(self) -> str:
        return PACKAGES.get(self.scheme, "fsspec and what it needs for this scheme")

    @contextmanager
    def _asked(self) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, StoreError):
            raise
        except Exception as error:  # each backend has its own: botocore's, aiohttp's, Google's
            reason = str(error).splitlines()[0][:300] if str(error) else ""
            raise StoreError(f"{self.address}: {type(error).__name__}: {reason}") from error
