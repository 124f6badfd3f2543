"""A folder as an object store: files written aside and renamed, new ones by a hard link."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recmerge_bench.files import aside_of, written_aside
from recmerge_bench.objects.store import Objects, StoreError
from recmerge_bench.untrusted.paths import below

#: What a file system without hard links says.
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


class Folder(Objects):
    """Objects as files below a folder.

    Args:
        root: the folder; made when something is written.
    """

    exclusive = True

    def __init__(self, root: Path) -> None:
        self.root = root
        self.address = str(root)

    def read(self, name: str) -> bytes:
        """See `Objects.read`."""
        with self._asked():
            return below(self.root, name).read_bytes()

    def fetch(self, name: str, to: Path) -> None:
        """See `Objects.fetch`."""
        with self._asked():
            shutil.copyfile(below(self.root, name), to)

    def put(self, name: str, source: Path | bytes) -> None:
        """See `Objects.put`."""
        with self._asked(), written_aside(below(self.root, name), durable=True) as aside:
            _write(aside, source)

    def put_new(self, name: str, source: Path | bytes) -> bool:
        """See `Objects.put_new`."""
        path = below(self.root, name)
        with self._asked():
            if path.exists():
                return False
            path.parent.mkdir(parents=True, exist_ok=True)
            aside = aside_of(path, "new")
            try:
                _write(aside, source)
                return _linked(aside, path)
            finally:
                aside.unlink(missing_ok=True)

    def size(self, name: str) -> int | None:
        """See `Objects.size`."""
        with self._asked():
            return _size(below(self.root, name))

    def sizes(self, prefix: str) -> dict[str, int]:
        """See `Objects.sizes`."""
        with self._asked():
            sizes = {
                path.relative_to(self.root).as_posix(): size
                for path in sorted(below(self.root, prefix).rglob("*"))
                if not path.name.startswith(".") and (size := _size(path)) is not None
            }
        return sizes

    def remove(self, name: str) -> None:
        """See `Objects.remove`."""
        with self._asked():
            below(self.root, name).unlink(missing_ok=True)

    @contextmanager
    def _asked(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StoreError(f"{self.address}: {error.strerror or error}") from error


def _size(path: Path) -> int | None:
    """Of a file; None where there is none, or none any more: others remove what they have."""
    try:
        return path.stat().st_size if path.is_file() else None
    except FileNotFoundError:
        return None


def _write(aside: Path, source: Path | bytes) -> None:
    if isinstance(source, bytes):
        aside.write_bytes(source)
    else:
        shutil.copyfile(source, aside)


def _linked(aside: Path, path: Path) -> bool:
    """Give a file its name unless another has it: a hard link never replaces one."""
    try:
        os.link(aside, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        with open(path, "xb"):  # the name is taken by one writer, empty until the rename
            pass
        os.replace(aside, path)
    return True
