"""Comma-separated text: fields quoted by the csv module, formulas neutralised, one line a row."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from recmerge_bench.untrusted.texts import cell


class Number(float):
    """A number as files of figures hold it: six significant digits; NaN is an empty field."""

    def __str__(self) -> str:
        return "" if self != self else f"{float(self):.6g}"

    __repr__ = __str__


Field = str | int | Number


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Field]]) -> str:
    """A header and rows: texts between quotation marks, numbers without.

    Text that a spreadsheet would compute (``=...``) has an apostrophe before it.
    """
    out = StringIO()
    csv.writer(out, lineterminator="\n").writerow(columns)
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerows([cell(v) if isinstance(v, str) else v for v in row] for row in rows)
    return out.getvalue()
