"""Files written whole, and digests of files; see `recmerge_bench.files`."""

from recmerge_bench.digests import file_digest
from recmerge_bench.files import write_bytes

__all__ = ["file_digest", "write_bytes"]
