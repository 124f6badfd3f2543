"""What is remembered of the last object, and no longer than it is there."""

from __future__ import annotations

import gc
from weakref import ref

from recmerge_bench.collection import uncollected
from recmerge_bench.last_value import remembers_last


class Thing:
    """Equal to every other."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


def test_the_same_object_is_asked_once_and_let_go() -> None:
    calls: list[int] = []

    @remembers_last
    def size(thing: Thing) -> list[int]:
        calls.append(id(thing))
        return [len(calls)]

    one, other = Thing(), Thing()
    assert size(one) is size(one) and calls == [id(one)]
    assert size(other) == [2] and size(one) == [3], "equal is not the same"
    made = ref(one)
    del one
    assert made() is None and size(other) == [4]


def test_collection_is_put_off_and_comes_back() -> None:
    with uncollected():
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled(), "as it was before"
    finally:
        gc.enable()
