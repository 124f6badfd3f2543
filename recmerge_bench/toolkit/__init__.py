"""What plugins may import beside `recmerge_bench.api`: building blocks that several methods share.

A plugin imports the module that it needs (``from recmerge_bench.toolkit.models.causal import
CausalNet``): cells' keys follow imports, so a cell computed with one block stays valid when another
changes. Nothing here imports a block of its own accord.

- `models`: item tables, encoders, losses, text towers, blocks of cross-domain models.
- `merging`: task vectors, trimming, spectra, learned coefficients, the base of fixed strategies.
- `data`: downloads, files of other libraries, building interactions, splits, item graphs.
- `metrics`: formulas of ranking metrics. `workers`: worker processes of an executor.
- `seeds`: how seeds are derived from a run's.
"""

#: Version of what is promised here, "major.minor". The minor number grows when something is added,
#: the major one when a public name goes, changes its signature or computes something else. Names
#: that begin with an underscore are no part of it. Plugins may state it, see
#: `recmerge_bench.contract_versions`.
VERSION = "1.2"
