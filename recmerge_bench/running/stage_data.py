"""Dataset -> interactions in the store."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recmerge_bench.borders.datasets import loaded
from recmerge_bench.data.codec import fingerprint, save_interactions
from recmerge_bench.errors import one_line
from recmerge_bench.running.context import Context


def run(context: Context) -> dict[str, Any]:
    """Load the dataset with its plugin and save it in the one in-memory form.

    What the plugin warns of (`warnings.warn(text)`, no other category) is kept as the cell's notes,
    which every run shows.
    """
    root = context.config.get("data_root")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        interactions = loaded(context.definition("dataset"), Path(root) if root else None)
    for other in caught:
        if other.category is not UserWarning:
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
    save_interactions(interactions, context.out)
    catalogue = interactions.catalogue
    return {
        "users": interactions.n_users,
        "events": len(interactions.items),
        "items": {d: catalogue.size(d) for d in catalogue.domains},
        "fingerprint": fingerprint(interactions),
        "counts": dict(interactions.report),
        **_notes(caught),
    }


def _notes(caught: Sequence[warnings.WarningMessage]) -> dict[str, list[str]]:
    """What was said, each thing once; nothing where there is nothing."""
    texts = [one_line(str(w.message)) for w in caught if w.category is UserWarning]
    return {"notes": list(dict.fromkeys(texts))} if texts else {}
