"""RecBole's atomic files: tab-separated, a header of ``field:type``; read exactly, or refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recmerge_bench.data.interactions import Interactions
from recmerge_bench.errors import DataError, near
from recmerge_bench.files import write_text
from recmerge_bench.toolkit.data.build import Columns, Item, Repeats, build_interactions
from recmerge_bench.toolkit.data.joined import DomainEvents, Users, chosen_places, join_domains
from recmerge_bench.toolkit.data.text_files import DOMAIN, decoded, domain_name, lines_of
from recmerge_bench.untrusted.paths import within

TYPES = ("token", "token_seq", "float", "float_seq")
NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
#: Characters of a header that are looked at for a domain field.
MOST_HEADER = 1 << 16


@dataclass(frozen=True)
class Table:
    """An atomic file's columns as text.

    Attributes:
        file: where it came from.
        columns: field -> values, in file order.
    """

    file: Path
    columns: dict[str, list[str]]

    def __getitem__(self, name: str) -> list[str]:
        if name not in self.columns:
            raise DataError(
                f"no field '{name}'{near(name, self.columns)}; it has: {', '.join(self.columns)}",
                self.file,
                1,
            )
        return self.columns[name]

    def ids(self, name: str) -> list[str]:
        """A column of raw ids.

        Raises:
            DataError: one is empty.
        """
        values = self[name]
        if "" in values:
            raise DataError("empty id", self.file, values.index("") + 2, name)
        return values

    def times(self, name: str) -> NDArray[np.int64]:
        """A column of whole numbers as int64 [N]; ``881250949.0`` is one.

        Raises:
            DataError: a value is no number, not finite, not whole or above 64 bits.
        """
        values = self[name]
        digits = "".join(values)
        if digits.isascii() and digits.isdecimal() and all(0 < len(v) < 19 for v in values):
            return np.array(values, np.int64)  # the usual case, at numpy's speed
        return np.array([self._whole(n, text, name) for n, text in enumerate(values)], np.int64)

    def _whole(self, row: int, text: str, name: str) -> int:
        if not NUMBER.fullmatch(text):
            wrong = "a finite number" if NOT_FINITE.fullmatch(text) else "a number"
            raise DataError(f"'{text}' is not {wrong}", self.file, row + 2, name)
        value = Decimal(text)  # exact, where a float rounds above 2**53
        if not -(2**63) <= value < 2**63:
            raise DataError(f"'{text}' does not fit 64 bits", self.file, row + 2, name)
        if value != value.to_integral_value():
            raise DataError(
                f"'{text}' is not a whole number: times are integers, scale them first",
                self.file,
                row + 2,
                name,
            )
        return int(value)


def read_table(path: Path, encoding: str = "utf-8") -> Table:
    """Read an atomic file.

    Raises:
        DataError: with file, line and column: an empty file, a header that is not ``field:type``,
            a wrong number of fields, bytes that are not in the encoding.
        HandledError: there is no such encoding.
    """
    lines = lines_of(decoded(path, encoding), path)
    names = _header(lines[0], path)
    if len(lines) == 1:
        raise DataError("the file has a header and no rows", path, 1)
    rows = [line.split("\t") for line in lines[1:]]
    for number, row in enumerate(rows):
        if len(row) != len(names):
            raise DataError(
                f"{len(row)} fields, the header has {len(names)}",
                path,
                number + 2,
                min(len(row), len(names)) + 1,
            )
    return Table(path, {n: list(c) for n, c in zip(names, zip(*rows, strict=True), strict=True)})


def _header(line: str, path: Path) -> list[str]:
    names: list[str] = []
    _refuse_zeros(line, path)
    for number, field in enumerate(line.split("\t"), 1):
        name, colon, kind = field.partition(":")
        if not colon or not name or kind not in TYPES:
            shown = field if len(field) <= 60 else f"{field[:60]}..."
            hint = "" if "\t" in line else "; fields are separated by tabs"
            raise DataError(
                f"header field '{shown}' is not name:type with a type of {', '.join(TYPES)}{hint}",
                path,
                1,
                number,
            )
        if name in names:
            raise DataError(f"field '{name}' appears twice", path, 1, number)
        names.append(name)
    return names


def _refuse_zeros(header: str, path: Path) -> str:
    """The header, unless bytes of another encoding were taken for text."""
    if "\0" in header:
        raise DataError("zero bytes in the header: name the file's encoding (utf-16-le?)", path, 1)
    return header


def find_files(folder: Path) -> tuple[Path, Path | None]:
    """The ``.inter`` file of a folder, and its ``.item`` file if there is one.

    Files whose names begin with a dot (what other systems leave behind) are not looked at.

    Raises:
        DataError: there is no ``.inter`` file, or more than one, or an ``.item`` file of another
            name, which would go unread.
    """
    inter, items = (
        sorted(p for p in folder.glob(f"*{end}") if not p.name.startswith("."))
        for end in (".inter", ".item")
    )
    if len(inter) != 1:
        raise DataError(f"expected one .inter file, found {len(inter)}", folder)
    item = inter[0].with_suffix(".item")
    for other in items:
        if other != item:
            raise DataError(
                f"{other.name} does not belong to {inter[0].name}: call it {item.name} or take it "
                "out of the folder",
                folder,
            )
    return inter[0], item if item.is_file() else None


@dataclass(frozen=True)
class Fields:
    """Names of the fields that are read."""

    user: str = "user_id"
    item: str = "item_id"
    time: str = "timestamp"
    domain: str = "domain"


DEFAULT = Fields()


def read_folder(
    folder: Path,
    repeats: Repeats = "keep",
    k_user: int = 0,
    k_item: int = 0,
    encoding: str = "utf-8",
    domains: Sequence[str] = (),
    fields: Fields = DEFAULT,
) -> Interactions:
    """Any folder of atomic files.

    A ``domain`` field (of ``.item``, ``.inter`` or both) makes domains, otherwise all items are of
    one: the only one of `domains`, else the folder's name (see `folder_domain`). Without an
    ``.item`` file the items are those that have events. An item's text is all other fields of
    ``.item``, in their order.

    Args:
        folder: with one ``.inter`` file and perhaps an ``.item`` file of the same name.
        repeats: see `build_interactions`.
        k_user: see `build_interactions`.
        k_item: see `build_interactions`.
        encoding: of both files.
        domains: numbering order; the sorted names if empty.
        fields: names of the fields.

    Raises:
        DataError: bad content, with its place.
    """
    alone = domains[0] if len(domains) == 1 else folder_domain(folder)
    events, catalogue = _read_events(folder, encoding, fields, alone)
    known = sorted({entry.domain for entry in catalogue.values()})
    return build_interactions(events, catalogue, domains or known, repeats, k_user, k_item)


def domain_folders(folder: Path, domains: Sequence[str] = ()) -> dict[str, Path]:
    """Domain -> its folder of atomic files, of a folder that holds one for each domain.

    Empty where the folder has an ``.inter`` file of its own. Folders without one, and those whose
    names begin with a dot, are no domains.

    Args:
        folder: to look into.
        domains: which, in numbering order; all by name if empty.

    Raises:
        DataError: two folders would be one domain, or a domain has no folder.
    """
    if any(not p.name.startswith(".") for p in folder.glob("*.inter")):
        return {}
    inner = [p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")]
    places = [p for p in inner if any(p.glob("*.inter"))]
    return chosen_places(places, domains, folder) if places else {}


def read_domains(
    folders: Mapping[str, Path],
    users: Users = "shared",
    repeats: Repeats = "keep",
    k_user: int = 0,
    k_item: int = 0,
    encoding: str = "utf-8",
    fields: Fields = DEFAULT,
) -> Interactions:
    """One folder of atomic files for each domain (`domain_folders`), joined.

    Args:
        folders: domain -> folder.
        users: whether equal user ids are one user, see `join_domains`.
        repeats: see `build_interactions`.
        k_user: see there.
        k_item: see there.
        encoding: of all files.
        fields: names of the fields.

    Raises:
        DataError: bad content, with its place; a file that names domains of its own.
    """
    parts = []
    for domain, folder in folders.items():
        events, catalogue = _read_events(folder, encoding, fields, domain)
        for entry in catalogue.values():
            if entry.domain != domain:
                raise DataError(
                    f"its files name the domain '{entry.domain}', the folder is the domain "
                    f"'{domain}': take the field '{fields.domain}' out, or read this folder alone",
                    folder,
                )
        texts = {token: entry.text for token, entry in catalogue.items()}
        parts.append(DomainEvents(domain, events, texts))
    return join_domains(parts, users, repeats, k_user, k_item)


def _read_events(
    folder: Path, encoding: str, fields: Fields, alone: str
) -> tuple[Columns, dict[str, Item]]:
    """Events and items of one folder; the items are of the domain `alone` if no field says it."""
    inter_file, item_file = find_files(folder)
    inter = read_table(inter_file, encoding)
    item = read_table(item_file, encoding) if item_file else None
    events = Columns(inter.ids(fields.user), inter.ids(fields.item), inter.times(fields.time))
    catalogue = _items(inter, item, fields, alone)
    for row, token in enumerate(events.items):
        if token not in catalogue:
            raise DataError(
                f"item '{token}' is not in {item_file}", inter_file, row + 2, fields.item
            )
    return events, catalogue


def find_domains(folder: Path, encoding: str = "utf-8", fields: Fields = DEFAULT) -> list[str]:
    """Names of the domains of a folder, sorted; reads ``.inter`` only if ``.item`` names none.

    Raises:
        DataError: bad content, with its place.
    """
    inter_file, item_file = find_files(folder)
    for path in (item_file, inter_file):
        if path is None:
            continue
        if fields.domain in _names(path, encoding):
            return sorted(set(read_table(path, encoding)[fields.domain]))
    return [folder_domain(folder)]


def _names(path: Path, encoding: str) -> list[str]:
    """Fields of the header; what else is wrong with a file is said when it is read."""
    try:
        with path.open(encoding=encoding, newline="\n") as file:
            line = file.readline(MOST_HEADER)
    except (LookupError, UnicodeDecodeError):
        line = decoded(path, encoding).partition("\n")[0]
    line = _refuse_zeros(line.removeprefix("\ufeff").rstrip("\r\n"), path)
    return [field.partition(":")[0] for field in line.split("\t")]


def folder_domain(folder: Path) -> str:
    """The folder's name as a domain's: small letters, digits and hyphens."""
    return domain_name(folder.resolve().name)


def _items(inter: Table, item: Table | None, fields: Fields, alone: str) -> dict[str, Item]:
    source = inter if item is None else item
    domain_of: dict[str, str] = {}
    for table in (inter,) if item is None else (item, inter):
        _add_domains(domain_of, table, fields)
    tokens = source.ids(fields.item)
    if item is None:
        return {token: Item(domain_of.get(token, alone)) for token in tokens}
    texts = _texts(item, fields)
    items: dict[str, Item] = {}
    for row, token in enumerate(tokens):
        if token in items:
            raise DataError(f"item '{token}' appears twice", item.file, row + 2, fields.item)
        if domain_of and token not in domain_of:
            raise DataError(f"item '{token}' has no domain", item.file, row + 2, fields.item)
        items[token] = Item(domain_of.get(token, alone), texts[row])
    return items


def _add_domains(domain_of: dict[str, str], table: Table, fields: Fields) -> None:
    if fields.domain not in table.columns:
        return
    pairs = list(zip(table.ids(fields.item), table[fields.domain], strict=True))
    for pair in dict.fromkeys(pairs):
        token, domain = pair
        if not DOMAIN.fullmatch(domain):
            wrong = f"'{domain}' is no domain name (small letters, digits and hyphens)"
        elif domain_of.setdefault(token, domain) != domain:
            wrong = f"item '{token}' is in two domains, '{domain_of[token]}' and '{domain}'"
        else:
            continue
        raise DataError(wrong, table.file, pairs.index(pair) + 2, fields.domain)


def _texts(item: Table, fields: Fields) -> list[str]:
    skip = {fields.user, fields.item, fields.time, fields.domain, "rating"}
    columns = [values for name, values in item.columns.items() if name not in skip]
    if not columns:
        return [""] * len(item[fields.item])
    return [" ".join(filter(None, row)) for row in zip(*columns, strict=True)]


def _check_exports(interactions: Interactions) -> None:
    """Ids and texts are such that `read_folder` gives them again."""
    catalogue, users = interactions.catalogue, interactions.user_tokens
    for text in (*catalogue.tokens, *users, *catalogue.texts):
        if any(mark in text for mark in "\t\n\r"):
            raise DataError(f"{text[:40]!r} holds a tab or a line break and cannot be exported")
    if "" in catalogue.tokens or "" in users:
        raise DataError("an empty id cannot be exported")
    if len(set(catalogue.tokens)) < len(catalogue.tokens):
        raise DataError("items of different domains have the same id; make their ids differ")


def export_atomic(interactions: Interactions, folder: Path, name: str) -> list[Path]:
    """Write ``<name>.inter`` and ``<name>.item``, each whole or not at all.

    `read_folder` with the same order of domains gives the same interactions again.

    Raises:
        DataError: an id or a text holds a tab or a line break, an id is empty, an item's id is
            in two domains; the name is empty or begins with a dot.
    """
    _check_exports(interactions)
    if not name or name.startswith("."):
        raise DataError(f"'{name}' is no name for files that are read back")
    catalogue = interactions.catalogue
    domains = np.repeat(np.array(catalogue.domains), np.diff(catalogue.domain_offsets))
    users = np.repeat(np.arange(interactions.n_users), np.diff(interactions.offsets))
    events = [
        f"{interactions.user_tokens[u]}\t{catalogue.tokens[i]}\t{t}\t{domains[i]}"
        for u, i, t in zip(
            users.tolist(), interactions.items.tolist(), interactions.times, strict=True
        )
    ]
    items = [
        f"{token}\t{text}\t{domain}"
        for token, text, domain in zip(catalogue.tokens, catalogue.texts, domains, strict=True)
    ]
    events_header = "user_id:token\titem_id:token\ttimestamp:float\tdomain:token"
    items_header = "item_id:token\ttitle:token_seq\tdomain:token"
    return [
        _write(within(folder, f"{name}.inter"), [events_header, *events]),
        _write(within(folder, f"{name}.item"), [items_header, *items]),
    ]


def _write(path: Path, lines: list[str]) -> Path:
    write_text(path, "\n".join(lines) + "\n")
    return path
