"""Interactions and splits as files: arrays memory-mapped when read, equal bytes for equal data."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np

from recmerge_bench.data.interactions import Catalogue, Interactions, ItemTokens
from recmerge_bench.data.sequences import Instances, Sequences, Split
from recmerge_bench.errors import DataError
from recmerge_bench.untrusted.jsons import read_json

#: Bytes and values of a catalogue: its texts are most of a dataset.
SIZE, VALUES = 4 << 30, 200_000_000
REMEDY = "delete the cell and run again"
TOKENS = ("ids", "kinds", "offsets")
WORDS = "words.npy"
EVENTS = ("offsets", "items", "times")
SEQUENCES = ("offsets", "items", "users", "domains", "train_end")
PHASES = "test-phases.npy"
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
    """Read what `save_interactions` wrote, arrays memory-mapped read-only.

    Raises:
        DataError: a file is damaged, or they contradict one another.
    """
    file = folder / "catalogue.json"
    words = _json(file)
    texts = ("domains", "tokens", "texts", "users")
    if not all(_texts(words.get(name)) for name in texts) or not isinstance(
        words.get("report"), dict
    ):
        raise DataError("not the names and texts of a dataset", file)
    offsets, items, times = (_array(folder / f"{n}.npy") for n in EVENTS)
    starts = _whole(words.get("domain_offsets"), file)
    catalogue = Catalogue(tuple(words["domains"]), starts, words["tokens"], words["texts"])
    _check_offsets(starts, len(catalogue.domains), len(catalogue.tokens), file)
    _check_offsets(offsets, len(words["users"]), len(items), folder / "offsets.npy")
    if len(times) != len(items) or len(catalogue.texts) != len(catalogue.tokens):
        raise DataError("events or items have not as many of each", folder)
    _check_below(items, len(catalogue.tokens), folder / "items.npy")
    return Interactions(offsets, items, times, words["users"], catalogue, words["report"])


def save_tokens(tokens: ItemTokens, folder: Path) -> None:
    """Write the arrays as ``.npy``, what a model has to know as JSON."""
    for name in TOKENS:
        np.save(folder / f"{name}.npy", getattr(tokens, name))
    if tokens.words is not None:
        np.save(folder / WORDS, tokens.words)
    _write(folder / "about.json", tokens.about)


def load_tokens(folder: Path) -> ItemTokens:
    """Read what `save_tokens` wrote, arrays memory-mapped read-only.

    Raises:
        DataError: a file is damaged.
    """
    facts = _json(folder / "about.json")
    ids, kinds, offsets = (_array(folder / f"{n}.npy", None) for n in TOKENS)
    words = _array(folder / WORDS, None) if (folder / WORDS).is_file() else None
    return ItemTokens(ids, kinds, offsets, facts, words)


def save_split(split: Split, folder: Path) -> None:
    """Write the arrays as ``.npy``, the report as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in SEQUENCES:
        np.save(folder / f"sequences-{name}.npy", getattr(split.sequences, name))
    for part in ("valid", "test"):
        for name in INSTANCES:
            np.save(folder / f"{part}-{name}.npy", getattr(getattr(split, part), name))
    if split.phases is not None:
        np.save(folder / PHASES, split.phases)
    _write(folder / "report.json", split.report)


def load_split(folder: Path) -> Split:
    """Read what `save_split` wrote, arrays memory-mapped read-only.

    Raises:
        DataError: a file is damaged, or they contradict one another.
    """

    def arrays(prefix: str, names: tuple[str, ...]) -> list[np.ndarray]:
        return [_array(folder / f"{prefix}-{name}.npy") for name in names]

    sequences = Sequences(*arrays("sequences", SEQUENCES))
    valid, test = (Instances(*arrays(part, INSTANCES)) for part in ("valid", "test"))
    _check_offsets(sequences.offsets, len(sequences), len(sequences.items), folder)
    if {len(getattr(sequences, n)) for n in SEQUENCES[2:]} != {len(sequences)}:
        raise DataError("sequences have not as many of each", folder)
    for part in (valid, test):
        if len({len(getattr(part, n)) for n in INSTANCES}) > 1:
            raise DataError("targets have not as many of each", folder)
        _check_below(part.sequence, len(sequences), folder)
        lengths = np.diff(sequences.offsets)[part.sequence] + 1
        if len(lengths) and not ((part.position >= 0) & (part.position < lengths)).all():
            raise DataError("a target stands outside of its sequence", folder)
    phases = _array(folder / PHASES) if (folder / PHASES).is_file() else None
    if phases is not None and len(phases) != len(test):
        raise DataError("there are not as many phases as test targets", folder)
    return Split(sequences, valid, test, _json(folder / "report.json"), phases)


def _json(path: Path) -> dict[str, Any]:
    document = read_json(path, SIZE, VALUES, REMEDY, numbers=False)
    if not isinstance(document, dict):
        raise DataError("no JSON object", path)
    return document


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) for v in value)


def _whole(value: Any, path: Path) -> np.ndarray:
    if not isinstance(value, list) or not all(type(v) is int and 0 <= v < 1 << 40 for v in value):
        raise DataError("domain_offsets are no whole numbers", path)
    return np.asarray(value, np.int64)


def _array(path: Path, dimensions: int | None = 1) -> np.ndarray:
    """A memory-mapped array of whole numbers."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (  # what numpy's reading of a header raises
        OSError, ValueError, TypeError, EOFError, OverflowError, SyntaxError, TokenError,
    ) as error:  # fmt: skip
        raise DataError(f"not readable as an array ({error}); {REMEDY}", path) from None
    if not isinstance(array, np.ndarray) or dimensions not in (None, array.ndim):
        raise DataError(f"not an array of one dimension; {REMEDY}", path)
    if array.dtype.kind not in "iu" and dimensions is not None:
        raise DataError(f"not an array of whole numbers; {REMEDY}", path)
    return array


def _check_offsets(offsets: np.ndarray, rows: int, end: int, path: Path) -> None:
    whole = len(offsets) == rows + 1 and offsets[0] == 0 and offsets[-1] == end
    if not whole or (np.diff(offsets) < 0).any():
        raise DataError(f"its offsets are not those of {rows} rows in {end}; {REMEDY}", path)


def _check_below(values: np.ndarray, end: int, path: Path) -> None:
    if len(values) and (values.min() < 0 or values.max() >= end):
        raise DataError(f"a number is not below {end}; {REMEDY}", path)


def fingerprint(interactions: Interactions) -> str:
    """SHA-256 over events, users, items and texts, 64 hex digits."""
    digest = hashlib.sha256()
    for name in EVENTS:
        array = np.ascontiguousarray(getattr(interactions, name))
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    catalogue = interactions.catalogue
    words = [
        list(catalogue.domains),
        catalogue.domain_offsets.tolist(),
        list(catalogue.tokens),
        list(catalogue.texts),
        list(interactions.user_tokens),
    ]
    digest.update(json.dumps(words, ensure_ascii=True).encode())
    return digest.hexdigest()


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, sort_keys=True, ensure_ascii=False), encoding="utf-8")
