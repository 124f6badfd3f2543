"""Dataset -> interactions in the store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recmerge_bench.borders.datasets import loaded
from recmerge_bench.data.codec import fingerprint, save_interactions
from recmerge_bench.running.context import Context


def run(context: Context) -> dict[str, Any]:
    """Load the dataset with its plugin and save it in the one in-memory form."""
    root = context.config.get("data_root")
    interactions = loaded(context.definition("dataset"), Path(root) if root else None)
    save_interactions(interactions, context.out)
    catalogue = interactions.catalogue
    return {
        "users": interactions.n_users,
        "events": len(interactions.items),
        "items": {d: catalogue.size(d) for d in catalogue.domains},
        "fingerprint": fingerprint(interactions),
        "counts": dict(interactions.report),
    }
