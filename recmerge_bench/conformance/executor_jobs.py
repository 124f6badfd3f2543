"""Jobs that executors are tried with: datasets that load well, or in every way badly."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recmerge_bench.conformance.worlds import interactions
from recmerge_bench.data.interactions import Interactions
from recmerge_bench.definitions import DatasetDefinition
from recmerge_bench.errors import DataError

#: Seconds that a job which hangs would take, were it not killed.
FOREVER = 600.0
#: Seconds that the hanging job may take.
LIMIT = 2.0


@dataclass(frozen=True)
class Folder:
    """Where a job leaves words for whoever tries it.

    Attributes:
        folder: of files.
    """

    folder: str = ""


class TinyDataset(DatasetDefinition):
    """A job's work: generated events."""

    Options = Folder

    def domains(self, data_root: Path | None = None) -> tuple[str, ...]:
        """Two."""
        return ("d0", "d1")

    def load(self, data_root: Path | None) -> Interactions:
        """See `worlds`."""
        return interactions(users=8)

    def file(self, name: str) -> Path:
        """A file of the job's folder."""
        return Path(self.options.folder) / name


class FailingDataset(TinyDataset):
    """A job that fails in words."""

    def load(self, data_root: Path | None) -> Interactions:
        """Raise."""
        raise DataError("this job fails on purpose")


class DyingDataset(TinyDataset):
    """A job whose process is gone."""

    def load(self, data_root: Path | None) -> Interactions:
        """End the process."""
        os._exit(9)


class KilledDataset(TinyDataset):
    """A job whose process is killed."""

    def load(self, data_root: Path | None) -> Interactions:
        """Die of a signal."""
        os.kill(os.getpid(), signal.SIGKILL)
        return super().load(data_root)


class HangingDataset(TinyDataset):
    """A job that never ends."""

    def load(self, data_root: Path | None) -> Interactions:
        """Sleep."""
        time.sleep(FOREVER)
        return super().load(data_root)


class ForkingDataset(TinyDataset):
    """A job that ends well and leaves a daemon behind: twice forked, in a session of its own."""

    def load(self, data_root: Path | None) -> Interactions:
        """Start it."""
        child = os.fork()
        if child == 0:
            os.setsid()
            if os.fork() == 0:
                self.file("daemon").write_text(str(os.getpid()))
                time.sleep(FOREVER)
            os._exit(0)
        os.waitpid(child, 0)
        while not (self.file("daemon").is_file() and self.file("daemon").read_text()):
            time.sleep(0.01)
        return super().load(data_root)


class EatingDataset(TinyDataset):
    """A job that asks for more memory than there is."""

    def load(self, data_root: Path | None) -> Interactions:
        """Be refused an exbibyte."""
        bytearray(1 << 60)
        return super().load(data_root)


class OrphanedDataset(TinyDataset):
    """A job that names the process above it and hangs; the second time it ends well."""

    def load(self, data_root: Path | None) -> Interactions:
        """Leave the number of the process that looks after this one."""
        if not self.file("above").exists():
            self.file("above.part").write_text(str(os.getppid()))
            self.file("above.part").rename(self.file("above"))
            time.sleep(FOREVER)
        return super().load(data_root)


class LateDataset(TinyDataset):
    """A job that slept so long that another machine has taken its cell over."""

    def load(self, data_root: Path | None) -> Interactions:
        """Put the other machine's lease beside its own."""
        [own] = self.file("out/leases").glob(f"{key_of('late')}.*")
        later = int(own.name.rpartition(".")[2]) + 1
        own.with_name(f"{key_of('late')}.{later:08d}").write_text('{"nonce": "another"}')
        return super().load(data_root)


def key_of(name: str) -> str:
    """A job's key."""
    return name.encode().hex().ljust(64, "0")


def job_of(name: str, kind: type[TinyDataset], folder: Path, limit: float = 60.0) -> dict[str, Any]:
    """A job as executors are handed it.

    Args:
        name: of the job.
        kind: what it loads.
        folder: holds its store (``out``) and the files that it leaves.
        limit: seconds until it is killed.
    """
    target = f"{kind.__module__}:{kind.__name__}"
    options = {"folder": str(folder)}
    return {
        "key": key_of(name), "kind": "data", "label": f"conformance, {name}",
        "config": {"dataset": {"target": target, "options": options}, "data_root": None},
        "plugins": {}, "sources": {}, "inputs": {}, "seed": 0, "threads": 1, "timeout": limit,
        "cost": 1.0, "resources": {"threads": 1, "memory": None, "gpus": 0},
        "files": {}, "hidden": [], "out": str(folder / "out"), "device": "cpu",
    }  # fmt: skip


__all__ = [
    "LIMIT", "DyingDataset", "EatingDataset", "FailingDataset", "Folder", "ForkingDataset",
    "HangingDataset", "KilledDataset", "LateDataset", "OrphanedDataset",
    "TinyDataset", "job_of", "key_of",
]  # fmt: skip
