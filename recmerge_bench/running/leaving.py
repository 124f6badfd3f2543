"""What a run leaves in an object store besides its results, for plans of other machines."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from recmerge_bench.errors import HandledError
from recmerge_bench.running.store import Store


def leave_records(store: Store, suite: str, keys: Iterable[str]) -> None:
    """Let plans on other machines read the records of a suite's cells in one request.

    Raises:
        StoreError: the object store refuses.
    """
    if store.published is None:
        return
    records: dict[str, dict[str, Any]] = {}
    with store.listed(keys := list(keys)):
        for key in keys:
            with suppress(HandledError):  # a damaged one is not passed on
                if store.has(key):
                    records[key] = store.record(key)
    store.published.leave_known(suite, records)


__all__ = ["leave_records"]
