"""RecBole's atomic files: tab-separated, a header of ``field:type``; read exactly, or refused."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recmerge_bench.data.build import Columns, Item, Repeats, build_interactions
from recmerge_bench.data.interactions import Interactions
from recmerge_bench.errors import DataError, near

TYPES = ("token", "token_seq", "float", "float_seq")
INTEGRAL = re.compile(r"[+-]?\d+(\.0*)?")


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

    def times(self, name: str) -> np.ndarray:
        """A column of whole numbers as int64 [N]; ``881250949.0`` is one.

        Raises:
            DataError: a value is no number, not finite or not whole.
        """
        values = self[name]
        try:
            return np.array(values, np.int64)  # the usual case, at numpy's speed
        except (ValueError, OverflowError):
            return np.array([self._whole(n, text, name) for n, text in enumerate(values)], np.int64)

    def _whole(self, row: int, text: str, name: str) -> int:
        if INTEGRAL.fullmatch(text):
            return int(text.partition(".")[0])
        try:
            value = float(text)
        except ValueError:
            raise DataError(f"'{text}' is not a number", self.file, row + 2, name) from None
        if not np.isfinite(value):
            raise DataError(f"'{text}' is not a finite number", self.file, row + 2, name)
        if value != int(value):
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
            a wrong number of fields, an empty id, bytes that are not in the encoding.
    """
    data = path.read_bytes()
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"byte {error.start} is not {encoding}; convert the file or name its encoding",
            path,
            line,
        ) from None
    lines = text.removeprefix("\ufeff").split("\n")
    lines = [line.removesuffix("\r") for line in lines]
    if lines[-1] == "":
        lines.pop()
    if not lines:
        raise DataError("the file is empty", path)
    names = _header(lines[0], path)
    rows = [line.split("\t") for line in lines[1:]]
    for number, row in enumerate(rows):
        if len(row) != len(names):
            raise DataError(f"{len(row)} fields, the header has {len(names)}", path, number + 2)
    if not rows:
        raise DataError("the file has a header and no rows", path, 1)
    columns = {n: list(c) for n, c in zip(names, zip(*rows, strict=True), strict=True)}
    for name in ("user_id", "item_id"):
        if "" in columns.get(name, ()):
            raise DataError("empty id", path, columns[name].index("") + 2, name)
    return Table(path, columns)


def _header(line: str, path: Path) -> list[str]:
    names = []
    for number, field in enumerate(line.split("\t"), 1):
        name, colon, kind = field.partition(":")
        if not colon or not name or kind not in TYPES:
            raise DataError(
                f"header field '{field}' is not name:type with a type of {', '.join(TYPES)}",
                path,
                1,
                number,
            )
        if name in names:
            raise DataError(f"field '{name}' appears twice", path, 1, number)
        names.append(name)
    return names


def find_files(folder: Path) -> tuple[Path, Path | None]:
    """The ``.inter`` file of a folder, and its ``.item`` file if there is one.

    Raises:
        DataError: there is no ``.inter`` file, or more than one.
    """
    inter = sorted(folder.glob("*.inter"))
    if len(inter) != 1:
        raise DataError(f"expected one .inter file, found {len(inter)}", folder)
    item = inter[0].with_suffix(".item")
    return inter[0], item if item.is_file() else None


def read_folder(
    folder: Path,
    repeats: Repeats = "keep",
    k_user: int = 0,
    k_item: int = 0,
    encoding: str = "utf-8",
    domains: Sequence[str] = (),
) -> Interactions:
    """Any folder of atomic files. A ``domain`` field (of ``.item``, else of ``.inter``) makes
    domains, otherwise all items are of one, named after the file.

    Args:
        folder: with one ``.inter`` file and perhaps an ``.item`` file.
        repeats: see `build_interactions`.
        k_user: see `build_interactions`.
        k_item: see `build_interactions`.
        encoding: of both files.
        domains: numbering order; the sorted names if empty.

    Raises:
        DataError: bad content, with its place.
    """
    inter_file, item_file = find_files(folder)
    inter = read_table(inter_file, encoding)
    catalogue = _items(inter, read_table(item_file, encoding) if item_file else None)
    known = sorted({item.domain for item in catalogue.values()})
    for row, token in enumerate(inter["item_id"]):
        if token not in catalogue:
            raise DataError(f"item '{token}' is not in {item_file}", inter_file, row + 2, "item_id")
    columns = Columns(inter["user_id"], inter["item_id"], inter.times("timestamp"))
    return build_interactions(columns, catalogue, domains or known, repeats, k_user, k_item)


def _items(inter: Table, item: Table | None) -> dict[str, Item]:
    source = item if item is not None else inter
    alone = inter.file.stem.lower()
    with_domain = next((t for t in (source, inter) if "domain" in t.columns), None)
    domain_of: dict[str, str] = {}
    if with_domain is not None:
        pairs = zip(with_domain["item_id"], with_domain["domain"], strict=True)
        for row, (token, domain) in enumerate(pairs):
            if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", domain):
                raise DataError(
                    f"'{domain}' is no domain name (small letters, digits and hyphens)",
                    with_domain.file, row + 2, "domain",
                )  # fmt: skip
            if domain_of.setdefault(token, domain) != domain:
                raise DataError(
                    f"item '{token}' is in two domains, '{domain_of[token]}' and '{domain}'",
                    with_domain.file, row + 2, "domain",
                )  # fmt: skip
    texts = _texts(source)
    found: dict[str, Item] = {}
    for row, token in enumerate(source["item_id"]):
        if item is not None and token in found:
            raise DataError(f"item '{token}' appears twice", source.file, row + 2, "item_id")
        found[token] = Item(domain_of.get(token, alone), texts[row])
    return found


def _texts(table: Table) -> list[str]:
    skip = {"user_id", "item_id", "timestamp", "rating", "domain"}
    fields = [values for name, values in table.columns.items() if name not in skip]
    if table.file.suffix != ".item" or not fields:
        return [""] * len(next(iter(table.columns.values())))
    return [" ".join(filter(None, row)) for row in zip(*fields, strict=True)]


def export_atomic(interactions: Interactions, folder: Path, name: str) -> list[Path]:
    """Write ``<name>.inter`` and ``<name>.item``, each whole or not at all.

    Raises:
        DataError: an id or a text holds a tab or a line break.
    """
    catalogue = interactions.catalogue
    domains = np.repeat(np.array(catalogue.domains), np.diff(catalogue.domain_offsets))
    texts = [" ".join(text.split()) for text in catalogue.texts]
    for token in (*catalogue.tokens, *interactions.user_tokens):
        if any(mark in token for mark in "\t\n\r"):
            raise DataError(f"id {token!r} holds a tab or a line break and cannot be exported")
    users = np.repeat(np.arange(interactions.n_users), np.diff(interactions.offsets))
    events = [
        f"{interactions.user_tokens[u]}\t{catalogue.tokens[i]}\t{t}"
        for u, i, t in zip(users, interactions.items, interactions.times, strict=True)
    ]
    items = [
        f"{token}\t{text}\t{domain}"
        for token, text, domain in zip(catalogue.tokens, texts, domains, strict=True)
    ]
    return [
        _write(folder / f"{name}.inter", "user_id:token\titem_id:token\ttimestamp:float", events),
        _write(folder / f"{name}.item", "item_id:token\ttitle:token_seq\tdomain:token", items),
    ]


def _write(path: Path, header: str, rows: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    aside.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    os.replace(aside, path)
    return path
