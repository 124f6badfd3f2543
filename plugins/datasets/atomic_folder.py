"""Any folder of RecBole atomic files: one dataset, or a folder of them for each domain."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from recmerge_bench.api import (
    Blocked,
    DatasetDefinition,
    DatasetSpec,
    HandledError,
    Interactions,
    Spec,
    hookimpl,
)

if TYPE_CHECKING:
    from recmerge_bench.toolkit.data.atomic import Fields


@dataclass(frozen=True)
class Options:
    """Options of atomic-folder.

    Attributes:
        path: the folder, absolute or below ``--data-root``: with one ``.inter`` file, or with a
            folder for each domain that has one. Such a folder's name is its domain (in small
            letters, hyphens for all else), and items of two folders are different items,
            ``domain/id``.
        domain_names: domains in numbering order; what the files name, sorted, if empty (has to be
            given for files with a domain field below ``--data-root``: a plan's check of names
            does not look there). Files without a domain field make one domain: the only one
            named here, or the folder's name. Of a folder for each domain, those that are read.
        users: how user ids of a folder for each domain are read: ``shared``: equal user ids are one
            user; ``separate``: they are not.
        repeats: what to do where a user meets an item again.
        k_user: users with fewer events are left out.
        k_item: items with fewer events are left out.
        encoding: text encoding of the files.
        user_field: name of the field of user ids.
        item_field: name of the field of item ids.
        time_field: name of the field of times (whole numbers).
        domain_field: name of the field of domains, in either file or none.
    """

    path: str = ""
    domain_names: tuple[str, ...] = ()
    users: Literal["shared", "separate"] = "shared"
    repeats: Literal["keep", "drop", "refuse"] = "keep"
    k_user: int = 0
    k_item: int = 0
    encoding: str = "utf-8"
    user_field: str = "user_id"
    item_field: str = "item_id"
    time_field: str = "timestamp"
    domain_field: str = "domain"


class AtomicFolder(DatasetDefinition):
    """``.inter`` and ``.item`` with an optional ``domain`` field, or one folder a domain."""

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

    def domains(self, data_root: Path | None = None) -> tuple[str, ...]:
        """As the options say, else as the files do, else the folder's name."""
        from recmerge_bench.toolkit.data.atomic import (
            domain_folders,
            find_domains,
            folder_domain,
        )

        if self.options.domain_names:
            return tuple(self.options.domain_names)
        try:
            folder = self.folder(data_root)
        except Blocked:  # `sources` says so, with the remedy
            return (folder_domain(Path(self.options.path)),)
        if folders := domain_folders(folder):
            return tuple(folders)
        return tuple(find_domains(folder, self.options.encoding, self.fields()))

    def fields(self) -> Fields:
        """Names of the fields, of the options."""
        from recmerge_bench.toolkit.data.atomic import Fields

        o = self.options
        return Fields(o.user_field, o.item_field, o.time_field, o.domain_field)

    def sources(self, data_root: Path | None) -> list[Path]:
        """The one or two files, of each domain."""
        from recmerge_bench.toolkit.data.atomic import domain_folders, find_files

        folder = self.folder(data_root)
        folders = domain_folders(folder, self.options.domain_names).values()
        return [f for own in folders or [folder] for f in find_files(own) if f is not None]

    def load(self, data_root: Path | None) -> Interactions:
        """Read the folder."""
        from recmerge_bench.toolkit.data.atomic import domain_folders, read_domains, read_folder

        o, folder = self.options, self.folder(data_root)
        if folders := domain_folders(folder, o.domain_names):
            return read_domains(
                folders, o.users, o.repeats, o.k_user, o.k_item, o.encoding, self.fields()
            )
        return read_folder(
            folder, o.repeats, o.k_user, o.k_item, o.encoding,
            o.domain_names, self.fields(),
        )  # fmt: skip


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``atomic-folder``."""
    return [
        DatasetSpec(
            name="atomic-folder",
            target=f"{__name__}:AtomicFolder",
            summary="any folder of RecBole atomic files (.inter, .item), or one for each domain",
            licence="the data's own",
        )
    ]
