"""A stranger's bundle, unpacked in bounds: a few plain files with admitted names, harmless text."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recmerge_bench.errors import DataError
from recmerge_bench.results.all_ranks import COLUMNS, columns_of
from recmerge_bench.untrusted import jsons, tars
from recmerge_bench.untrusted.paths import within
from recmerge_bench.untrusted.tables import check_table

MEMBERS = 8
TEXT = 2000
#: Bytes that a bundle may have unpacked beside those that it may have for each packed byte.
FREE, PER_BYTE = 48 << 20, 60
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
    left = FREE + PER_BYTE * bundle.stat().st_size
    with tars.opened(bundle, "a bundle of records", zipped=True) as archive:
        for member in archive:
            limit = min(left, limit_of(member.name))
            if not member.plain:
                raise tars.refused(bundle, member.name, "no plain file")
            if limit_of(member.name) == 0:
                raise tars.refused(bundle, member.name, "no file of a bundle is called that")
            if member.name in names or len(names) >= MEMBERS:
                raise tars.refused(bundle, member.name, "it is there twice, or there are too many")
            if member.size > limit:
                reason = f"{member.size} bytes, at most {limit} can be"
                raise tars.refused(bundle, member.name, reason)
            names.append(member.name)
            left -= member.size
            with open(within(folder, member.name), "xb") as out:
                while data := archive.read():
                    out.write(data)
    return names


def check_texts(value: Any, path: Path) -> None:
    """Refuse texts and keys that are no plain, printable line or that hold marks of markup.

    Raises:
        DataError: says where.
    """
    jsons.check_texts(value, path, MARKUP, TEXT)


def check_ranks_file(path: Path, rows: int) -> None:
    """Refuse a table of ranks of other columns or of more rows than the records say, unread.

    Args:
        path: the Parquet file.
        rows: how many instances done results have in the records; a row of a file with pairs is
            of one result or of two.

    Raises:
        DataError: it is no such table.
    """
    columns = columns_of(path)
    if columns == COLUMNS:
        check_table(path, columns, "a table of ranks", rows)
    elif not rows <= 2 * check_table(path, columns, "a table of ranks") <= 2 * rows:
        raise DataError(f"not a table of ranks (not of {rows} instances)", path)
