"""Content keys: digests of canonical JSON."""

from __future__ import annotations

import hashlib

from recmerge_bench.json_values import canonical


def digest(value: object) -> str:
    """SHA-256 of the canonical JSON, 64 hex digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()
