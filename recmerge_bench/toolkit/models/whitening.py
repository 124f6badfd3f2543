"""Whitening of frozen text vectors: their directions made equally wide."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def zca(vectors: NDArray[np.floating[Any]], floor: float = 0.01) -> NDArray[np.float32]:
    """Centred, decorrelated vectors of length one, turned as little as possible (ZCA).

    Vectors of a text encoder lie in a narrow cone; whitened ones tell items of one category apart
    (Huang et al., WhiteningBERT, Findings of EMNLP 2021; Hou et al., UniSRec, KDD 2022). Reads
    item texts alone.

    Args:
        vectors: float [N, width].
        floor: added to every variance, as a share of the mean variance, so that directions which
            hold next to nothing are not blown up.

    Returns:
        float32 [N, width]; a vector that equals the mean stays zero.
    """
    centred = np.asarray(vectors, np.float64)
    centred = centred - centred.mean(0)
    variances, directions = np.linalg.eigh(centred.T @ centred / max(len(centred), 1))
    variances = np.maximum(variances, 0.0)
    scale = 1.0 / np.sqrt(variances + floor * variances.mean() + np.finfo(np.float64).tiny)
    turned = centred @ ((directions * scale) @ directions.T)
    lengths = np.linalg.norm(turned, axis=1, keepdims=True)
    unit = np.divide(turned, lengths, out=np.zeros_like(turned), where=lengths > 0)
    return np.asarray(unit, np.float32)
