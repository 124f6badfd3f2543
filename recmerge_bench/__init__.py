"""RecMerge-Bench: merging sequential recommenders and cross-domain sequential recommendation."""

from recmerge_bench._version import __version__

__all__ = ["__version__"]
