"""Interactions and splits as files: arrays memory-mapped when read, equal bytes for equal data."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from recmerge_bench.data.interactions import Catalogue, Interactions, ItemTokens
from recmerge_bench.data.sequences import Instances, Sequences, Split

TOKENS = ("ids", "kinds", "offsets")
WORDS = "words.npy"
EVENTS = ("offsets", "items", "times")
SEQUENCES = ("offsets", "items", "users", "domains", "train_end")
INSTANCES = ("sequence", "position", "users", "domains", "targets")


def save_interactions(interactions: Interactions, folder: Path) -> None:
    """Write the arrays as ``.npy``, names, texts and the report as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in EVENTS:
        np.save(folder / f"{name}.npy", getattr(interactions, name))
    catalogue = interactions.catalogue
    words = {
        "domains": list(catalogue.domains),
        "domain_offsets": catalogue.domain_offsets.tolist(),
        "tokens": list(catalogue.tokens),
        "texts": list(catalogue.texts),
        "users": list(interactions.user_tokens),
        "report": interactions.report,
    }
    _write(folder / "catalogue.json", words)


def load_interactions(folder: Path) -> Interactions:
    """Read what `save_interactions` wrote, arrays memory-mapped read-only."""
    words = json.loads((folder / "catalogue.json").read_text(encoding="utf-8"))
    catalogue = Catalogue(
        tuple(words["domains"]),
        np.asarray(words["domain_offsets"], np.int64),
        words["tokens"],
        words["texts"],
    )
    offsets, items, times = (np.load(folder / f"{n}.npy", mmap_mode="r") for n in EVENTS)
    return Interactions(offsets, items, times, words["users"], catalogue, words["report"])


def save_tokens(tokens: ItemTokens, folder: Path) -> None:
    """Write the arrays as ``.npy``, what a model has to know as JSON."""
    for name in TOKENS:
        np.save(folder / f"{name}.npy", getattr(tokens, name))
    if tokens.words is not None:
        np.save(folder / WORDS, tokens.words)
    _write(folder / "about.json", tokens.about)


def load_tokens(folder: Path) -> ItemTokens:
    """Read what `save_tokens` wrote, arrays memory-mapped read-only."""
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    ids, kinds, offsets = (np.load(folder / f"{n}.npy", mmap_mode="r") for n in TOKENS)
    words = np.load(folder / WORDS, mmap_mode="r") if (folder / WORDS).is_file() else None
    return ItemTokens(ids, kinds, offsets, about, words)


def save_split(split: Split, folder: Path) -> None:
    """Write the arrays as ``.npy``, the report as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in SEQUENCES:
        np.save(folder / f"sequences-{name}.npy", getattr(split.sequences, name))
    for part in ("valid", "test"):
        for name in INSTANCES:
            np.save(folder / f"{part}-{name}.npy", getattr(getattr(split, part), name))
    _write(folder / "report.json", split.report)


def load_split(folder: Path) -> Split:
    """Read what `save_split` wrote, arrays memory-mapped read-only."""

    def arrays(prefix: str, names: tuple[str, ...]) -> list[np.ndarray]:
        return [np.load(folder / f"{prefix}-{name}.npy", mmap_mode="r") for name in names]

    return Split(
        Sequences(*arrays("sequences", SEQUENCES)),
        Instances(*arrays("valid", INSTANCES)),
        Instances(*arrays("test", INSTANCES)),
        json.loads((folder / "report.json").read_text(encoding="utf-8")),
    )


def fingerprint(interactions: Interactions) -> str:
    """SHA-256 over events, users, items and texts, 64 hex digits."""
    found = hashlib.sha256()
    for name in EVENTS:
        array = np.ascontiguousarray(getattr(interactions, name))
        found.update(f"{name} {array.dtype} {array.shape}".encode())
        found.update(array.tobytes())
    catalogue = interactions.catalogue
    words = [
        list(catalogue.domains),
        catalogue.domain_offsets.tolist(),
        list(catalogue.tokens),
        list(catalogue.texts),
        list(interactions.user_tokens),
    ]
    found.update(json.dumps(words, ensure_ascii=True).encode())
    return found.hexdigest()


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, sort_keys=True, ensure_ascii=False), encoding="utf-8")
