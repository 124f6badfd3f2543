"""Errors out of a plugin's code, told as such: exceptions of `recmerge_bench.errors`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from recmerge_bench.blame import plugin_fault
from recmerge_bench.errors import PluginError


@contextmanager
def plugins_blamed() -> Iterator[None]:
    """Raise what a plugin's code raises as a `PluginError` with its file and line.

    Use it as a decorator. Our own errors, and a plugin's own words (`HandledError`), pass.
    """
    try:
        yield
    except Exception as error:
        where = plugin_fault(error)
        if where is None:
            raise
        raise PluginError(where) from error
