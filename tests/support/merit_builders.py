"""A tiny release in MERIT's format."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

DAY = 86_400
ITEMS = (["A1", "A2", "A3", "A4", "A5", "A6"], ["B1", "B2", "B3", "B4", "B5", "B6", "B7"])
USERS = ("U0", "U1", "U2")
#: (item, day) of each user: U0's last day has events of both domains, U2's two of one.
EVENTS: tuple[tuple[tuple[int, int], ...], ...] = (
    ((1, 3), (2, 3), (7, 3), (3, 4), (8, 5), (4, 5), (9, 6), (10, 6), (5, 9), (11, 9)),
    ((6, 1), (7, 2), (1, 3), (12, 4), (2, 5), (3, 6), (13, 7), (9, 8), (4, 9), (10, 10)),
    ((2, 2), (13, 3), (3, 4), (12, 4), (4, 5), (8, 6), (5, 7), (9, 7), (1, 8), (6, 8), (7, 9),
     (10, 9)),
)  # fmt: skip


def lines(events: Sequence[Sequence[tuple[int, int]]] = EVENTS) -> list[str]:
    return [
        " ".join([str(user), *(f"{item}|{day * DAY}" for item, day in sorted(own, key=_day))])
        for user, own in enumerate(events)
    ]


def _day(event: tuple[int, int]) -> int:
    return event[1]


def item_map() -> dict[str, list[int]]:
    tokens = [(token, domain) for domain, own in enumerate(ITEMS) for token in own]
    return {token: [n, domain] for n, (token, domain) in enumerate(tokens, 1)}


def write_release(
    folder: Path,
    text: str | bytes | None = None,
    items: str | None = None,
    users: str | None = None,
    code: str = "afk",
) -> tuple[Path, Path, Path]:
    """The three files of a pair; what is given replaces the right content."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = (
        folder / f"{code}_50_preprocessed.txt", folder / "map_item_50.txt",
        folder / "map_user_50.txt",
    )  # fmt: skip
    text = "\n".join(lines()) + "\n" if text is None else text
    paths[0].write_bytes(text if isinstance(text, bytes) else text.encode())
    paths[1].write_text(json.dumps(item_map()) if items is None else items)
    known = {token: n for n, token in enumerate(USERS)}
    paths[2].write_text(json.dumps(known) if users is None else users)
    return paths
