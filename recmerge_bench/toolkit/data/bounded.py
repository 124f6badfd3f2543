"""JSON and tar archives that others made, read within limits; see `recmerge_bench.untrusted`."""

from recmerge_bench.untrusted.jsons import loads
from recmerge_bench.untrusted.tars import opened

__all__ = ["loads", "opened"]
