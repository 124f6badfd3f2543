"""What was made of an object last, for as long as the object is there."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from weakref import ReferenceType, ref

Given = TypeVar("Given")
Made = TypeVar("Made")


def remembers_last(function: Callable[[Given], Made]) -> Callable[[Given], Made]:
    """A function of one object that makes nothing twice in a row of the same object.

    For objects that nobody changes and that several callers ask about one after another, such as
    the records of a board. They are told apart by identity; what was made belongs to all who ask,
    and goes with the object or when another is asked about.
    """
    last: list[tuple[ReferenceType[Any], Made]] = []

    def forget(gone: ReferenceType[Any]) -> None:
        last[:] = [entry for entry in last if entry[0] is not gone]

    @wraps(function)
    def remembering(given: Given) -> Made:
        for reference, made in list(last):
            if reference() is given:
                return made
        made = function(given)
        last[:] = [(ref(given, forget), made)]
        return made

    return remembering


__all__ = ["remembers_last"]
