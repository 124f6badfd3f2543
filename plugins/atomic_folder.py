"""Any folder of RecBole atomic files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from recmerge_bench.api import (
    Blocked,
    DatasetDefinition,
    HandledError,
    Interactions,
    Spec,
    hookimpl,
)


@dataclass(frozen=True)
class Options:
    """Options of atomic-folder.

    Attributes:
        path: the folder, absolute or below ``--data-root``.
        domain_names: domains in numbering order; what the files name, sorted, if empty.
        repeats: what to do where a user meets an item again.
        k_user: least events of a user.
        k_item: least events of an item.
        encoding: of the files.
    """

    path: str = ""
    domain_names: tuple[str, ...] = ()
    repeats: Literal["keep", "drop", "refuse"] = "keep"
    k_user: int = 0
    k_item: int = 0
    encoding: str = "utf-8"


class AtomicFolder(DatasetDefinition):
    """``.inter`` and ``.item`` with an optional ``domain`` field."""

    Options = Options

    def folder(self, data_root: Path | None) -> Path:
        """Where the files lie.

        Raises:
            HandledError: no path was given.
            Blocked: there is no such folder.
        """
        if not self.options.path:
            raise HandledError("atomic-folder needs the option path")
        path = (data_root or Path()) / self.options.path
        if not path.is_dir():
            raise Blocked(f"there is no folder {path}", "put the atomic files there")
        return path

    def domains(self) -> tuple[str, ...]:
        """As the options say, or as the files do."""
        if self.options.domain_names:
            return tuple(self.options.domain_names)
        return self.load(None).catalogue.domains

    def sources(self, data_root: Path | None) -> list[Path]:
        """The one or two files."""
        from recmerge_bench.data.atomic import find_files

        return [f for f in find_files(self.folder(data_root)) if f is not None]

    def load(self, data_root: Path | None) -> Interactions:
        """Read the folder."""
        from recmerge_bench.data.atomic import read_folder

        o = self.options
        return read_folder(
            self.folder(data_root), o.repeats, o.k_user, o.k_item, o.encoding, o.domain_names
        )


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``atomic-folder``."""
    return [
        Spec(
            kind="dataset",
            name="atomic-folder",
            target=f"{__name__}:AtomicFolder",
            summary="any folder of RecBole atomic files (.inter, .item)",
            licence="the data's own",
        )
    ]
