"""The suite files that come with the package."""

from __future__ import annotations

from pathlib import Path

from recmerge_bench.api import hookimpl


@hookimpl
def recmerge_bench_suites() -> list[Path]:
    """The folder that ``benchmarks/`` is installed as."""
    from importlib.util import find_spec

    found = find_spec("recmerge_bench_suites")
    return [Path(p) for p in found.submodule_search_locations or ()] if found else []
