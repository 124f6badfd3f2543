"""Domain archives in MergeRec's release format: JSON files in a tar, read without unpacking.

``<Domain>/train.json``, ``val.json``, ``test.json``: user number -> item numbers, oldest first;
``umap.json``, ``smap.json``: raw id -> number; ``meta_data.json``: raw item id -> its text fields.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recmerge_bench.api import DataError, Interactions
from recmerge_bench.toolkit.data.bounded import loads, opened
from recmerge_bench.toolkit.data.build import Columns, Item, build_interactions

NAMES = ("train", "val", "test", "umap", "smap", "meta_data")
#: Bytes and values of a file: none of a release comes near, bombs do.
LIMIT, VALUES = 1 << 30, 20_000_000
_TAG = re.compile(r"<[^<>]{1,200}>")


@dataclass
class Part:
    """One domain, as read.

    Attributes:
        users: raw user ids, one an event.
        items: raw item ids, one an event.
        places: int64, each event's place in its sequence.
        texts: raw item id -> text, an attribute a line (``title: ...``).
        report: counts of what deviates from a plain 5-core with three targets a user.
    """

    users: list[str]
    items: list[str]
    places: np.ndarray
    texts: dict[str, str]
    report: dict[str, int]


def read_domain(
    path: Path, domain: str, clean: bool = False, expected: tuple[int, int, int] | None = None
) -> Part:
    """Read one archive and check it.

    Args:
        path: a tar file.
        domain: the name of its folder, in any case.
        clean: undo HTML entities and take out tags in the text.
        expected: users, items and interactions that there have to be.

    Raises:
        DataError: not an archive of that form, or one whose content contradicts itself.
    """
    files = _read_archive(path, domain)
    users, items = (_numbers(files[n], path, n) for n in ("umap", "smap"))
    sequences = _sequences(files, len(users), len(items), path)
    counts = (len(sequences), len(items), sum(map(len, sequences.values())))
    if expected is not None and counts != expected:
        raise DataError(
            f"users, items, interactions are {counts}, Table 5 has {expected}", path
        )  # fmt: skip
    lengths = np.fromiter(map(len, sequences.values()), np.int64, len(sequences))
    flat = np.fromiter((i for s in sequences.values() for i in s), np.int64, int(lengths.sum()))
    starts = np.repeat(np.cumsum(lengths) - lengths, lengths)
    popularity = np.bincount(flat, minlength=len(items))
    report = {
        "users_without_targets": len(sequences) - len(files["test"]),
        "users_below_5_events": int((lengths < 5).sum()),
        "items_below_5_events": int((popularity < 5).sum()),
    }
    owners = np.repeat(np.fromiter(sequences, np.int64, len(sequences)), lengths)
    return Part(
        [users[u] for u in owners],
        [items[i] for i in flat],
        np.arange(len(flat)) - starts,
        {token: _text(files["meta_data"], token, clean, path) for token in items},
        report,
    )


def build(parts: Mapping[str, Part]) -> Interactions:
    """All domains together; users and items are of their domain (``beauty:A1YJEY40YUW4SE``)."""
    users: list[str] = []
    items: list[str] = []
    catalogue: dict[str, Item] = {}
    report: dict[str, int] = {}
    for domain, part in parts.items():
        users += [f"{domain}:{u}" for u in part.users]
        items += [f"{domain}:{i}" for i in part.items]
        catalogue |= {f"{domain}:{i}": Item(domain, text) for i, text in part.texts.items()}
        report |= {f"{domain}_{what}": count for what, count in part.report.items()}
    places = np.concatenate([part.places for part in parts.values()])
    return build_interactions(Columns(users, items, places, report), catalogue, tuple(parts))


def _read_archive(path: Path, domain: str) -> dict[str, Any]:
    documents: dict[str, Any] = {}
    with opened(path, "a readable tar archive", extended=True, strict=False) as archive:
        for member in archive:
            stem = _stem(member.name, domain)
            if stem is None:
                continue
            if not member.plain or member.size > LIMIT:
                raise DataError(f"{member.name} is no plain file of reasonable size", path)
            if stem in documents:
                raise DataError(f"{member.name} is there twice", path)
            documents[stem] = _object(archive.whole(), path, member.name)
    missing = [f"{domain.title()}/{n}.json" for n in NAMES if n not in documents]
    if missing:
        raise DataError(f"the archive lacks {', '.join(missing)}", path)
    return documents


def _stem(name: str, domain: str) -> str | None:
    """Which of the documents a member is; None where it is none of the domain's."""
    folder, _, file = name.removeprefix("./").partition("/")
    stem = file.removesuffix(".json")
    known = stem in NAMES and file.endswith(".json") and folder.lower() == domain
    return stem if known else None


def _object(raw: bytes, path: Path, name: str) -> dict[str, Any]:
    try:
        value = loads(raw, LIMIT, VALUES, numbers=False)
    except ValueError as error:
        raise DataError(f"{name} is not JSON: {error}", path) from None
    if not isinstance(value, dict):
        raise DataError(f"{name} is no JSON object", path)
    return value


def _numbers(table: Mapping[str, Any], path: Path, name: str) -> list[str]:
    """Raw ids in the order of their numbers, which have to be 0, 1, 2, ... as they stand."""
    if list(table.values()) != list(range(len(table))):
        raise DataError(f"{name}.json does not number its ids 0, 1, 2, ... in order", path)
    return list(table)


def _sequences(
    files: Mapping[str, Any], n_users: int, n_items: int, path: Path
) -> dict[int, list[int]]:
    whole: dict[int, list[int]] = {}
    for user, history in files["train"].items():
        own = [_checked(history, n_items, path, "train", user)]
        for part in ("val", "test"):
            target = files[part].get(user, [])
            if isinstance(target, list) and target and len(target) != 1:
                raise DataError(f"{part}.json: user {user} has {len(target)} targets, not 1", path)
            own.append(_checked(target, n_items, path, part, user))
        if not user.isdecimal() or int(user) >= n_users:
            raise DataError(f"train.json: user {user} is not in umap.json", path)
        whole[int(user)] = [item for part in own for item in part]
    _check_users(files, path)
    return whole


def _check_users(files: Mapping[str, Any], path: Path) -> None:
    """Users of the targets are users of the training part."""
    for part in ("val", "test"):
        strangers = sorted(set(files[part]) - set(files["train"]))
        if strangers:
            raise DataError(f"{part}.json: user {strangers[0]} is not in train.json", path)


def _checked(items: Any, n_items: int, path: Path, part: str, user: str) -> list[int]:
    if not isinstance(items, list) or not all(
        isinstance(i, int) and 0 <= i < n_items for i in items
    ):
        raise DataError(f"{part}.json: user {user} has an item that is not in smap.json", path)
    return items


def _text(meta: Mapping[str, Any], token: str, clean: bool, path: Path) -> str:
    fields = meta.get(token)
    if not isinstance(fields, dict) or not all(isinstance(v, str) for v in fields.values()):
        raise DataError(f"meta_data.json has no text fields for item {token}", path)
    return "\n".join(f"{key}: {_value(value, clean)}" for key, value in fields.items())


def _value(text: str, clean: bool) -> str:
    if clean:
        text = _TAG.sub(" ", html.unescape(text))
        return " ".join(text.split())
    return text.replace("\n", " ")
