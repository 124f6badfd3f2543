"""Interactions -> training parts and instances, as the protocol cuts them."""

from __future__ import annotations

from typing import Any

from recmerge_bench.borders.splits import checked_split
from recmerge_bench.data.codec import save_split
from recmerge_bench.running.context import Context


def run(context: Context) -> dict[str, Any]:
    """Cut the dataset."""
    interactions = context.interactions()
    domains, unscored = context.config["domains"], context.config["unscored"]
    span = context.config.get("phases")
    protocol = context.definition("protocol")
    split = checked_split(protocol, interactions, domains, unscored, tuple(span) if span else None)
    save_split(split, context.out)
    return {
        "sequences": len(split.sequences),
        "valid": len(split.valid),
        "test": len(split.test),
        "counts": dict(split.report),
    }
