"""What tells a row of a table from the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Parts of an identity, the seed apart.
ROW = ("backbone", "method", "variant", "recipe", "profile")
Row = tuple[str, ...]


def row_of(said: Mapping[str, Any]) -> Row:
    """The row that an identity, or anything else that names one, is of."""
    return tuple(str(said[k]) for k in ROW)
