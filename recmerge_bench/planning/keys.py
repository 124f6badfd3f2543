"""Content keys: digests of canonical JSON."""

from __future__ import annotations

import hashlib

from recmerge_bench.json_values import canonical


def digest(value: object) -> str:
    """SHA-256 of the canonical JSON, 64 hex digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def ranks_key(cell: str, masked: bool) -> str:
    """What names one of a rank cell's two tables in records: 64 hex digits.

    The cell's key names the table with the items of the history; `masked` the one without.
    """
    return digest({"ranks": cell, "mask_history": True}) if masked else cell
