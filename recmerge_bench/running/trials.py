"""Values of the trials of searches, read of a store."""

from __future__ import annotations

from contextlib import suppress

from recmerge_bench.errors import HandledError
from recmerge_bench.running.store import Store


def trial_value(store: Store, key: str) -> float | None:
    """What a trial's cell came to on validation targets; None: it is not done, or is damaged."""
    if not store.has(key):
        return None
    with suppress(HandledError, KeyError, TypeError, ValueError):
        return float(store.record(key)["report"]["value"])
    return None
