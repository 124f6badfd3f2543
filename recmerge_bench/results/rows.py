"""What tells a row of a table from the others, for readers of mappings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recmerge_bench.identity import Row

#: Parts of an identity that tell rows of one table apart.
ROW = Row._fields


def row_of(said: Mapping[str, Any]) -> Row:
    """The row that an identity, or anything else that names one, is of."""
    return Row(*(str(said[k]) for k in ROW))
