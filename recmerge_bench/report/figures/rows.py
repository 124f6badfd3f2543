"""Results that differ in their seed alone, and what a figure calls them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from recmerge_bench.identity import Identity, NamedRow


class Identified(Protocol):
    """A result or a curve."""

    @property
    def identity(self) -> Identity:
        """Whose it is."""


Of = TypeVar("Of", bound=Identified)


def named(identity: NamedRow, variant: str | None = None) -> str:
    """Method, variant and recipe as a figure prints them.

    Args:
        identity: of the row.
        variant: said in place of the row's own.
    """
    shown = identity.variant if variant is None else variant
    notes = "; ".join(filter(None, [shown, f"{identity.recipe} recipe"]))
    return f"{identity.method} ({notes})"


def row_names(results: Sequence[Identified]) -> tuple[str, ...]:
    """Names of the rows, in order, once each."""
    return tuple(dict.fromkeys(named(result.identity) for result in results))


def by_row(results: Iterable[Of]) -> Iterator[tuple[str, list[Of]]]:
    """Name of a row -> what there is of each of its seeds, in order."""
    rows: dict[tuple[str, ...], list[Of]] = {}
    for result in results:
        identity = result.identity
        rows.setdefault((*identity.row, identity.track), []).append(result)
    for seeds in rows.values():
        yield named(seeds[0].identity), seeds
