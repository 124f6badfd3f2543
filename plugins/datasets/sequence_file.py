"""Files of one line a user, as SASRec, S3-Rec, gSASRec and their like are released with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from recmerge_bench.api import (
    Blocked,
    DatasetDefinition,
    DatasetSpec,
    Interactions,
    Spec,
    hookimpl,
)


@dataclass(frozen=True)
class Options:
    """Options of sequence-file.

    Attributes:
        path: a file, which is one domain, or a folder with one file for each domain; absolute or
            below ``--data-root``. A file's name without its ending is its domain (in small letters,
            hyphens for all else).
        domain_names: domains in numbering order, of a folder those that are read; all by name if
            empty.
        layout: what a line is: ``user-items`` (``user item item ...``: S3-Rec), ``items`` (``item
            item ...``, the user is the line's number: gSASRec) or ``pairs`` (``user item``, a
            line an event: SASRec). The oldest event comes first.
        separator: between fields; any white space if empty.
        ending: how the names of a folder's files end.
        texts: ending of the files beside them that hold items' texts, ``item<TAB>text`` lines; a
            domain may have none.
        users: ``separate``: equal user ids of two domains are two users, as these files' numbers
            mostly are; ``shared``: they are one, whose times are places in the sequence of each
            domain and tell no order between domains.
        repeats: what to do where a user meets an item again.
        k_user: users with fewer events are left out.
        k_item: items with fewer events are left out.
        encoding: text encoding of the files.
    """

    path: str = ""
    domain_names: tuple[str, ...] = ()
    layout: Literal["user-items", "items", "pairs"] = "user-items"
    separator: str = ""
    ending: str = ".txt"
    texts: str = ".items.tsv"
    users: Literal["shared", "separate"] = "separate"
    repeats: Literal["keep", "drop", "refuse"] = "keep"
    k_user: int = 0
    k_item: int = 0
    encoding: str = "utf-8"


class SequenceFile(DatasetDefinition):
    """One file a domain; times are places in the sequence."""

    Options = Options

    def files(self, data_root: Path | None) -> dict[str, Path]:
        """Domain -> its file.

        Raises:
            HandledError: no path was given; a domain that no file has.
            Blocked: there is nothing at the path.
        """
        from recmerge_bench.toolkit.data.joined import chosen_places, needs_path

        o = self.options
        needs_path("sequence-file", o.path)
        path = (data_root or Path()) / o.path
        if path.is_file():
            return chosen_places([path], o.domain_names, path.parent, path.suffix)
        if not path.is_dir():
            raise Blocked(f"there is no file or folder {path}", "put the sequence files there")
        places = [p for p in path.glob(f"*{o.ending}") if not p.name.startswith(".")]
        places = [p for p in places if p.is_file() and not p.name.endswith(o.texts)]
        if not places:
            raise Blocked(f"{path} has no file *{o.ending}", "put them there, or name their ending")
        return chosen_places(places, o.domain_names, path, o.ending)

    def domains(self, data_root: Path | None = None) -> tuple[str, ...]:
        """As the options say, else as the files are called."""
        from recmerge_bench.toolkit.data.text_files import domain_name

        if self.options.domain_names:
            return tuple(self.options.domain_names)
        try:
            return tuple(self.files(data_root))
        except Blocked:  # `sources` says so, with the remedy
            return (domain_name(Path(self.options.path).stem),)

    def texts(self, file: Path) -> Path | None:
        """The file of items' texts beside one of sequences, if there is one."""
        path = file.with_name(file.stem + self.options.texts)
        return path if path.is_file() and path != file else None

    def sources(self, data_root: Path | None) -> list[Path]:
        """The files of all domains, and those of their items."""
        files = list(self.files(data_root).values())
        return [*files, *(t for f in files if (t := self.texts(f)) is not None)]

    def load(self, data_root: Path | None) -> Interactions:
        """Read the files."""
        from recmerge_bench.toolkit.data.joined import join_domains
        from recmerge_bench.toolkit.data.sequence_files import read_sequences

        o = self.options
        parts = [
            read_sequences(file, domain, o.layout, o.separator, o.encoding, self.texts(file))
            for domain, file in self.files(data_root).items()
        ]
        return join_domains(parts, o.users, o.repeats, o.k_user, o.k_item)


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``sequence-file``."""
    return [
        DatasetSpec(
            name="sequence-file",
            target=f"{__name__}:SequenceFile",
            summary="files of one line a user (user item item ...), one file a domain",
            licence="the data's own",
            citation="the form of Kang and McAuley, SASRec, ICDM 2018, and Zhou et al., S3-Rec, "
            "CIKM 2020",
        )
    ]
