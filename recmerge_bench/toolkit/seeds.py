"""Random numbers derived from a run's seed; see `recmerge_bench.seeds`."""

from recmerge_bench.seeds import beside_the_net, generator, mixed, philox, second_tables, table_seed

__all__ = ["beside_the_net", "generator", "mixed", "philox", "second_tables", "table_seed"]
