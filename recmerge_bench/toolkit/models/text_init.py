"""Initial item vectors from item text: the same for a catalogue in every run and every domain.

Merging needs the item tables of independently trained models to start in one frame (shared-base
protocol): each item is a hashed bag of words, put through a fixed Gaussian projection. It depends
on the item's own text only, never on the run's seed, other items or other domains.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recmerge_bench.data.interactions import Catalogue

#: Of the projection; a constant of the benchmark, not of a run.
PROJECTION_SEED = 20260731
BUCKETS = 8192
_WORD = re.compile(r"\w+")


def text_vectors(catalogue: Catalogue, domain: str, width: int, std: float) -> NDArray[np.float32]:
    """Initial vectors of a domain's items: float32 [items of the domain, width].

    Args:
        catalogue: the items; an item without a word in its text stands for its raw id.
        domain: the domain's name.
        width: columns.
        std: standard deviation of an entry over random words.
    """
    span = catalogue.span(domain)
    texts = [catalogue.texts[i] for i in range(span.start, span.stop)]
    tokens = [catalogue.tokens[i] for i in range(span.start, span.stop)]
    return (hashed_vectors(texts, tokens, width) * std).astype(np.float32)


def hashed_vectors(texts: Sequence[str], tokens: Sequence[str], width: int) -> NDArray[np.float64]:
    """Projected bags of hashed words: float64 [N, width], entries of variance one.

    Args:
        texts: of the items.
        tokens: raw ids, which stand for items without a word.
        width: columns.
    """
    rows, buckets, signs = _hashed(texts, tokens)
    n = len(texts)
    cell = rows * BUCKETS + buckets
    cells, inverse = np.unique(cell, return_inverse=True)
    weight = np.bincount(inverse, weights=signs, minlength=len(cells))
    rows, buckets = cells // BUCKETS, cells % BUCKETS
    norm = np.sqrt(np.bincount(rows, weights=weight**2, minlength=n))
    weight = weight / np.maximum(norm, 1e-12)[rows]
    return _project(rows, buckets, weight, n, width)


def _hashed(
    texts: Sequence[str], tokens: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[Any]]:
    """Row, bucket and sign of every word of every item: int64 [M], int64 [M], float64 [M]."""
    known: dict[str, int] = {}
    counts: list[int] = []
    words: list[int] = []
    for text, token in zip(texts, tokens, strict=True):
        matches = _WORD.findall(text.lower()) or [f"\0id:{token}"]
        counts.append(len(matches))
        words.extend(known.setdefault(word, len(known)) for word in matches)
    digests = b"".join(hashlib.blake2b(w.encode(), digest_size=8).digest() for w in known)
    codes = np.frombuffer(digests, "<u8")[np.asarray(words, np.int64)]
    rows = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    buckets = (codes % np.uint64(BUCKETS)).astype(np.int64)
    return rows, buckets, np.where(codes >> np.uint64(63), 1.0, -1.0)


def _project(
    rows: NDArray[np.int64], buckets: NDArray[np.int64], weight: NDArray[Any], n: int, width: int
) -> NDArray[np.float64]:
    """Sparse rows (sorted by row, each at least one entry) times the fixed projection."""
    generator = np.random.Generator(np.random.Philox(key=PROJECTION_SEED))
    projection = generator.standard_normal((BUCKETS, width))
    out = np.empty((n, width))
    bounds = np.searchsorted(rows, np.arange(n + 1))
    for first in range(0, n, 4096):
        last = min(first + 4096, n)
        part = slice(bounds[first], bounds[last])
        terms = projection[buckets[part]] * weight[part, None]
        out[first:last] = np.add.reduceat(terms, bounds[first:last] - bounds[first], axis=0)
    return out
