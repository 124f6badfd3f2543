"""A suite's tables: which stand on boards, and which are another's in shuffled order."""

from __future__ import annotations

from recmerge_bench.identity import Place
from recmerge_bench.results.header import Header


def places(header: Header) -> list[Place]:
    """All tables, in the suite's order."""
    return [Place(t, p) for t in header.order for p in header.tracks[t].protocols]


def true_order(header: Header, place: Place) -> Place | None:
    """The table of the same models in true order, where this one's histories are shuffled.

    It is the table of the same track whose protocol differs in nothing else. None: the histories
    of this one are in true order, or the suite has no such table.
    """
    own = header.protocols.get(place.protocol)
    if own is None or own.shuffle_seed is None:
        return None
    alike = own.changed(summary="", shuffle_seed=None)
    for name in header.tracks[place.track].protocols:
        other = header.protocols.get(name)
        if other is None or other.shuffle_seed is not None:
            continue
        if other.changed(summary="", shuffle_seed=None) == alike:
            return Place(place.track, name)
    return None


def of_one_time(header: Header, place: Place) -> int:
    """The phase after which all models of a temporal track's table stand; 0: of any other table."""
    protocol = header.protocols.get(place.protocol)
    if header.tracks[place.track].temporal is None or protocol is None or protocol.phases is None:
        return 0
    return protocol.phases["after"]


def board_places(header: Header) -> list[Place]:
    """Tables that boards print by themselves.

    Shuffled ones stand beside the others' in a card, and those of models as they were after one
    phase together in a matrix.
    """
    return [
        place
        for place in places(header)
        if true_order(header, place) is None and not of_one_time(header, place)
    ]
