"""``more_rows``: rows that a track adds to those that it inherits, joined while a suite is read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from recmerge_bench.errors import HandledError
from recmerge_bench.yaml_text import Place, near_line

MORE_ROWS = "more_rows"
ROWS = "rows"


def check_rows(raw: dict[str, Any], merged: Collection[Place], places: dict[Place, str]) -> None:
    """Refuse a track that says ``rows`` and ``more_rows`` itself, which replace and add.

    A track's own ``rows`` replace all that it inherits in its file: `more_rows` merged in by ``<<``
    are taken out.

    Args:
        raw: keys of one file, changed in place.
        merged: places whose keys come from ``<<`` alone.
        places: where keys stand.

    Raises:
        HandledError: a track says both.
    """
    for track, keys in _tracks(raw):
        place = ("tracks", track)
        if keys.get(ROWS) is None or not keys.get(MORE_ROWS) or (*place, ROWS) in merged:
            continue
        if (*place, MORE_ROWS) not in merged:
            raise _wrong(
                places, raw, track,
                "has both rows, which replace those that it inherits, and more_rows, which are "
                "added to them; keep one of the two",
            )  # fmt: skip
        del keys[MORE_ROWS]


def with_more_rows(raw: dict[str, Any], places: dict[Place, str]) -> dict[str, Any]:
    """The keys of a suite with every track's `more_rows` behind its rows, `places` kept true.

    Args:
        raw: with all that it extends laid under it.
        places: where keys stand; entries that move are noted in their new place.

    Raises:
        HandledError: there is nothing that they could be added to, or they are no list.
    """
    joined = {
        track: _joined(track, keys, raw, places)
        for track, keys in _tracks(raw)
        if keys.get(MORE_ROWS)
    }
    return {**raw, "tracks": {**raw["tracks"], **joined}} if joined else raw


def _joined(
    track: str, keys: dict[str, Any], raw: dict[str, Any], places: dict[Place, str]
) -> dict[str, Any]:
    rows, more = keys.get(ROWS), keys[MORE_ROWS]
    if not isinstance(more, (list, tuple)):
        raise _wrong(places, raw, track, f"more_rows are a list of methods, not {more!r:.80}")
    if not isinstance(rows, (list, tuple)) or not rows:
        raise _wrong(
            places, raw, track,
            "more_rows are added to rows that a track inherits (by << or extends), and this one "
            "inherits none; call them rows",
        )  # fmt: skip
    depth = 3
    for place, where in list(places.items()):
        if place[:depth] == ("tracks", track, MORE_ROWS) and len(place) > depth:
            number = int(place[depth]) + len(rows)
            places[("tracks", track, ROWS, number, *place[depth + 1 :])] = where
    return {k: v for k, v in keys.items() if k != MORE_ROWS} | {ROWS: [*rows, *more]}


def _tracks(raw: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    tracks = raw.get("tracks")
    for name, keys in tracks.items() if isinstance(tracks, dict) else ():
        if isinstance(keys, dict):
            yield name, keys


def _wrong(places: dict[Place, str], raw: dict[str, Any], track: str, fault: str) -> HandledError:
    where = near_line(places, ("tracks", track, MORE_ROWS))
    file = f"{where}: " if where else ""
    return HandledError(f"{file}suite '{raw.get('name', '')}', track '{track}': {fault}")
