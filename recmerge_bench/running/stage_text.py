"""Interactions -> item vectors of a text encoder, or tokens: made once for all trainings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from recmerge_bench.borders.encoders import check_tokens, check_vectors
from recmerge_bench.data.codec import save_tokens
from recmerge_bench.running.context import VECTORS, Context


def run(context: Context) -> dict[str, Any]:
    """Encode the catalogue's texts and save the vectors, or their tokens."""
    texts = context.interactions().catalogue.texts
    root, encoder = context.config.get("data_root"), context.definition("encoder")
    if context.config["form"] == "tokens":
        tokens = encoder.tokens(texts, Path(root) if root else None)
        check_tokens(encoder, tokens, len(texts))
        save_tokens(tokens, context.out)
        return {"items": len(texts), "tokens": len(tokens.ids)}
    vectors = encoder.encode(texts, Path(root) if root else None, context.device, context.progress)
    check_vectors(encoder, vectors, len(texts))
    np.save(context.out / VECTORS, np.ascontiguousarray(vectors))
    return {"items": len(texts), "width": int(vectors.shape[1])}
