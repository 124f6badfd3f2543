"""Print RecBole's sequential models: which run here, how they are trained, why others do not."""

from __future__ import annotations

from recmerge_bench_plugins.backbones.recbole_models.models import table

if __name__ == "__main__":
    print(table())
