"""Reading what a stranger sent: bounded, plain files alone, finite numbers, harmless text."""

from __future__ import annotations

import gzip
import json
import math
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from recmerge_bench.errors import DataError, HandledError

BLOCK = 512
CHUNK = 1 << 20
#: What tar writes after its last member: blocks of zeros, up to one record.
TRAILER = 20 * BLOCK
MEMBERS = 8
TEXT = 2000
LARGEST = 1 << 62
ROWS = 50_000_000
ROW_GROUPS = 256
COLUMNS = {
    "key": "BYTE_ARRAY", "user": "INT32", "domain": "BYTE_ARRAY", "target": "INT32",
    "n_better": "INT32", "n_equal": "INT32",
}  # fmt: skip
#: Characters that Markdown or HTML would read as something else than text.
MARKUP = re.compile(r"[<>`]|\]\(|://")


def extract(bundle: Path, folder: Path, limit_of: Callable[[str], int]) -> list[str]:
    """Unpack a gzipped tar of a few plain files into a folder; returns their names.

    The tar is read block by block, as it comes out of gzip: nothing but plain USTAR members with
    admitted names is read at all, and no more bytes than are admitted.

    Args:
        bundle: the file.
        folder: an empty one.
        limit_of: name -> bytes that a member of that name may have; 0 for a name that is none.

    Raises:
        HandledError: it is no such archive; names the member at fault.
    """
    names: list[str] = []
    try:
        with gzip.open(bundle, "rb") as stream:
            for info in _members(stream, bundle):
                limit = limit_of(info.name)
                if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or info.linkname:
                    raise _refused(bundle, info.name, "no plain file")
                if "/" in info.name or "\\" in info.name or limit == 0:
                    raise _refused(bundle, info.name, "no file of a bundle is called that")
                if info.name in names or len(names) >= MEMBERS:
                    raise _refused(bundle, info.name, "it is there twice, or there are too many")
                if not 0 <= info.size <= limit:
                    raise _refused(bundle, info.name, f"{info.size} bytes, at most {limit} can be")
                names.append(info.name)
                with open(folder / info.name, "xb") as out:
                    _copy(stream, out, info.size, bundle, info.name)
    except (OSError, EOFError, zlib.error, UnicodeError, ValueError) as error:
        raise HandledError(f"{bundle}: not a bundle of records ({error})") from None
    return names


def _members(stream: Any, bundle: Path) -> Iterator[tarfile.TarInfo]:
    while True:
        block = stream.read(BLOCK)
        if len(block) == BLOCK and not any(block):
            rest = stream.read(TRAILER + 1)
            if len(rest) > TRAILER or any(rest):
                raise HandledError(f"{bundle}: something follows the end of its archive")
            return
        try:
            yield tarfile.TarInfo.frombuf(block, "utf-8", "strict")
        except tarfile.HeaderError as error:
            raise HandledError(f"{bundle}: not a bundle of records ({error})") from None


def _copy(stream: Any, out: Any, size: int, bundle: Path, name: str) -> None:
    left = size + -size % BLOCK
    while left:
        data = stream.read(min(left, CHUNK))
        if not data:
            raise _refused(bundle, name, "it is cut off")
        out.write(data[: max(0, size)])
        size -= len(data)
        left -= len(data)


def _refused(bundle: Path, name: str, why: str) -> HandledError:
    return HandledError(f"{bundle}: refuses the entry {name[:100]!r}: {why}")


def read_json(path: Path) -> Any:
    """JSON without duplicate keys, NaN, infinities and integers beyond 62 bits; shallow.

    Raises:
        DataError: it is something else.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return json.loads(
            text, object_pairs_hook=_unique, parse_constant=_constant, parse_int=_integer,
            parse_float=_float,
        )  # fmt: skip
    except (OSError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise DataError(f"not readable as JSON ({error})", path, line) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has a key twice")
    return found


def _constant(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _integer(text: str) -> int:
    value = int(text) if len(text) < 20 else LARGEST
    if abs(value) >= LARGEST:
        raise ValueError(f"the number {text[:20]}... is too large")
    return value


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:20]} is not finite")
    return value


def check_texts(value: Any, path: Path, place: str = "") -> None:
    """Refuse texts and keys that are no plain, printable line or that hold marks of markup.

    Raises:
        DataError: says where.
    """
    if isinstance(value, Mapping):
        for key, inner in value.items():
            check_texts(key, path, place or str(key)[:40])
            check_texts(inner, path, f"{place}.{key[:40]}" if place else key[:40])
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            check_texts(inner, path, f"{place}.{number}")
    elif isinstance(value, str) and (
        len(value) > TEXT or not value.isprintable() or MARKUP.search(value)
    ):
        raise DataError(
            f"{place}: a text is longer than {TEXT} characters, not printable or holds one of "
            "< > ` ]( ://; put it plainly",
            path,
        )


def check_ranks_file(path: Path, rows: int) -> None:
    """Refuse a table of ranks of other columns or of more rows than the records say, unread.

    Args:
        path: the Parquet file.
        rows: how many the records of done results have instances.

    Raises:
        DataError: it is no such table.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if rows > ROWS:
        raise DataError(f"{rows} ranks; at most {ROWS} are read", path)
    try:
        with pq.ParquetFile(path) as file:
            about, columns = file.metadata, file.schema
            found = {c.name: c.physical_type for c in columns}
            flat = all(
                c.max_repetition_level == 0 and c.max_definition_level <= 1 for c in columns
            )
            groups = [about.row_group(n) for n in range(min(about.num_row_groups, ROW_GROUPS + 1))]
            size = sum(g.column(n).total_uncompressed_size
                       for g in groups for n in range(g.num_columns))  # fmt: skip
            count = about.num_rows
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DataError(f"not a table of ranks ({error})", path) from None
    if found != COLUMNS or not flat or len(found) != len(columns):
        raise DataError(f"not a table of ranks: its columns are {', '.join(found)[:200]}", path)
    if count != rows or len(groups) > ROW_GROUPS:
        raise DataError(f"{count} ranks, the records have {rows} test targets", path)
    if size > 32 * rows + (16 << 20):
        raise DataError(f"{size} bytes unpacked are too many for {rows} ranks", path)
