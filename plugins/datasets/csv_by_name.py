"""Any table of separated values, its columns named by options."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from recmerge_bench.api import (
    Blocked,
    DataError,
    DatasetDefinition,
    DatasetSpec,
    HandledError,
    Interactions,
    Spec,
    hookimpl,
    near,
)

if TYPE_CHECKING:
    from recmerge_bench.toolkit.data.csv_tables import CsvColumns
    from recmerge_bench.toolkit.data.joined import DomainEvents


@dataclass(frozen=True)
class Options:
    """Options of csv.

    Attributes:
        path: a file of events, or a folder with one for each domain; absolute or below
            ``--data-root``. The first row names the columns.
        domain_names: domains in numbering order, those that are read (a run notes how many rows of
            others it left out), in small letters with hyphens: ``Toys & Games`` is ``toys-games``;
            all by name if empty (has to be given for a file with a domain
            column below ``--data-root``: a plan's check of names does not look there).
        user: column of user ids.
        item: column of item ids.
        time: column of times: whole numbers, or ISO dates and times, which become seconds; a column
            that mixes both has to have its numbers in seconds since 1970.
        domain: column of domains, of a single file; without one the file is one domain, called as
            the only one of `domain_names`, else as the file.
        rating: column of ratings; empty: none is read.
        least_rating: rows below it are left out.
        items: a file of items, for their texts; absolute or below ``--data-root``. That of the
            events will do, where each item has one text in it.
        item_id: its column of item ids.
        texts: its columns that make an item's text (``title``, ``brand``, ...); of a file of items
            without them, ``title``.
        delimiter: between fields.
        ending: how the names of a folder's files end.
        users: ``shared``: equal user ids of two domains are one user; ``separate``: they are not.
        repeats: what to do where a user meets an item again.
        k_user: users with fewer events are left out.
        k_item: items with fewer events are left out.
        encoding: text encoding of the files.
    """

    path: str = ""
    domain_names: tuple[str, ...] = ()
    user: str = "user_id"
    item: str = "item_id"
    time: str = "timestamp"
    domain: str = ""
    rating: str = ""
    least_rating: float = 0.0
    items: str = ""
    item_id: str = "item_id"
    texts: tuple[str, ...] = ()
    delimiter: str = ","
    ending: str = ".csv"
    users: Literal["shared", "separate"] = "shared"
    repeats: Literal["keep", "drop", "refuse"] = "keep"
    k_user: int = 0
    k_item: int = 0
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        if self.texts and not self.items:
            raise HandledError(
                "csv: texts are columns of a file of items, a row an item: name it with items: "
                "FILE (the table of events, where it has them)"
            )


class CsvDataset(DatasetDefinition):
    """One file with a column of domains or without, or one file a domain."""

    Options = Options

    def place(self, data_root: Path | None, given: str) -> Path:
        """A path of the options.

        Raises:
            HandledError: none was given.
            Blocked: there is nothing.
        """
        from recmerge_bench.toolkit.data.joined import needs_path

        needs_path("csv", given)
        path = (data_root or Path()) / given
        if not path.exists():
            raise Blocked(f"there is no file or folder {path}", "put the table there")
        return path

    def files(self, data_root: Path | None) -> dict[str, Path]:
        """Domain -> its file, of a folder; of a single file, its own name -> the file."""
        from recmerge_bench.toolkit.data.joined import chosen_places
        from recmerge_bench.toolkit.data.text_files import domain_name

        o, path = self.options, self.place(data_root, self.options.path)
        if path.is_file():
            alone = o.domain_names[0] if len(o.domain_names) == 1 else domain_name(path.stem)
            return {alone: path}
        if o.domain:
            raise HandledError("csv: the option domain is of a single file; this path is a folder")
        items = ((data_root or Path()) / o.items).resolve() if o.items else None
        places = [p for p in path.glob(f"*{o.ending}") if not p.name.startswith(".")]
        places = [p for p in places if p.is_file() and p.resolve() != items]
        if not places:
            raise Blocked(f"{path} has no file *{o.ending}", "put them there, or name their ending")
        return chosen_places(places, o.domain_names, path, o.ending)

    def domains(self, data_root: Path | None = None) -> tuple[str, ...]:
        """As the options say, else as the column or the files do."""
        from recmerge_bench.toolkit.data.csv_tables import domains_of, read_csv
        from recmerge_bench.toolkit.data.text_files import domain_name

        o = self.options
        if o.domain_names:
            return tuple(o.domain_names)
        try:
            files = self.files(data_root)
        except Blocked:  # `sources` says so, with the remedy
            return (domain_name(Path(o.path).stem),)
        if not o.domain:
            return tuple(files)
        [(alone, file)] = files.items()
        table = read_csv(file, o.delimiter, o.encoding)
        return tuple(sorted(set(domains_of(table, self.columns(), alone))))

    def columns(self) -> CsvColumns:
        """Names of the columns, of the options."""
        from recmerge_bench.toolkit.data.csv_tables import CsvColumns

        o = self.options
        return CsvColumns(o.user, o.item, o.time, o.domain, o.rating, tuple(o.texts) or ("title",))

    def sources(self, data_root: Path | None) -> list[Path]:
        """The files of events, and that of items."""
        items = [self.place(data_root, self.options.items)] if self.options.items else []
        return [*self.files(data_root).values(), *items]

    def load(self, data_root: Path | None) -> Interactions:
        """Read the tables."""
        from recmerge_bench.toolkit.data.joined import join_domains

        o = self.options
        parts = self._chosen(self._parts(data_root))
        return join_domains(parts, o.users, o.repeats, o.k_user, o.k_item)

    def _parts(self, data_root: Path | None) -> list[DomainEvents]:
        from recmerge_bench.toolkit.data.csv_tables import domain_events, item_texts, read_csv

        o, columns, texts = self.options, self.columns(), {}
        if o.items:
            table = read_csv(self.place(data_root, o.items), o.delimiter, o.encoding)
            texts = item_texts(table, o.item_id, columns.texts)
        return [
            part
            for alone, file in self.files(data_root).items()
            for part in domain_events(
                read_csv(file, o.delimiter, o.encoding), columns, alone, texts, o.least_rating
            )
        ]

    def _chosen(self, parts: list[DomainEvents]) -> list[DomainEvents]:
        """Those of the option `domain_names`, in its order.

        Raises:
            DataError: one is not there.
        """
        by_name = {part.domain: part for part in parts}
        for name in self.options.domain_names:
            if name not in by_name:
                there = ", ".join(by_name)
                fault = f"no domain '{name}'{near(name, by_name)}; there are: {there}"
                raise DataError(fault, self.options.path)
        self._note_others(parts)
        return [by_name[name] for name in self.options.domain_names or by_name]

    def _note_others(self, parts: list[DomainEvents]) -> None:
        """Say which rows are not read: a name that was forgotten looks like one left out."""
        wanted = self.options.domain_names
        others = {p.domain: len(p.columns.users) for p in parts if p.domain not in wanted}
        if wanted and others:
            warnings.warn(
                f"csv: {sum(others.values())} rows of {self.options.path} are of domains that "
                f"domain_names leaves out ({few(others)}); to read them, add their names there "
                "and to the track's domains",
                stacklevel=2,
            )


def few(counts: Mapping[str, int], most: int = 6) -> str:
    """Names with their counts, those that have most first: ``games 120, music 3, 4 others``."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = [f"{name} {count}" for name, count in ordered[:most]]
    left = len(ordered) - most
    return ", ".join([*shown, *([f"{left} others"] if left > 0 else [])])


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``csv``."""
    return [
        DatasetSpec(
            name="csv",
            target=f"{__name__}:CsvDataset",
            summary="tables of separated values, read by the names of their columns",
            licence="the data's own",
        )
    ]
