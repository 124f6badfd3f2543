"""The suite files that come with the package."""

from __future__ import annotations

from pathlib import Path

from recmerge_bench.api import hookimpl


@hookimpl
def recmerge_bench_suites() -> list[Path]:
    """The folder that ``benchmarks/`` is installed as."""
    from importlib.util import find_spec

    spec = find_spec("recmerge_bench_suites")
    return [Path(p) for p in spec.submodule_search_locations or ()] if spec else []
