"""``python -m recmerge_bench``."""

from recmerge_bench.cli import main

main()
