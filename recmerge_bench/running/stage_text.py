"""Interactions -> item vectors of a text encoder, or tokens: made once for all trainings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from recmerge_bench.data.codec import save_tokens
from recmerge_bench.errors import HandledError
from recmerge_bench.running.context import VECTORS, Context


def run(context: Context) -> dict[str, Any]:
    """Encode the catalogue's texts and save the vectors, or their tokens."""
    texts = context.interactions().catalogue.texts
    root = context.config.get("data_root")
    if context.config["form"] == "tokens":
        tokens = context.definition("encoder").tokens(texts, Path(root) if root else None)
        save_tokens(tokens, context.out)
        return {"items": len(texts), "tokens": len(tokens.ids)}
    vectors = context.definition("encoder").encode(
        texts, Path(root) if root else None, context.device, context.progress
    )
    if vectors.shape[0] != len(texts) or not np.isfinite(vectors).all():
        raise HandledError("the text encoder gave NaN, or not a vector for each item")
    np.save(context.out / VECTORS, np.ascontiguousarray(vectors, np.float32))
    return {"items": len(texts), "width": int(vectors.shape[1])}
