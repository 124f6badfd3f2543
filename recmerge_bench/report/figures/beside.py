"""Names at the right ends of lines, moved apart so that none covers another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Size of print of names, and how far the names of two lines stand apart at least, as a share of
#: the height of the axes.
SIZE, APART = 6.5, 0.042


#: Height at which a line ends, its name, its colour.
End = tuple[float, str, str]


def beside(ax: Axes, ends: Sequence[End]) -> None:
    """The lines' names at their right ends, moved apart where they would cover one another."""
    low, high = ax.get_ylim()
    shares = [(y - low) / (high - low) for y, _, _ in ends]
    for (_, name, colour), place in zip(ends, apart(shares, APART), strict=True):
        ax.annotate(
            name, (1, place), xycoords="axes fraction", xytext=(4, 0),
            textcoords="offset points", va="center", fontsize=SIZE, color=colour,
            annotation_clip=False,
        )  # fmt: skip


def apart(places: Sequence[float], least: float) -> list[float]:
    """Places from 0 to 1, moved as little as keeps them `least` apart and in their order.

    They stay within 0 and 1 as far as there is room for all.
    """
    order = sorted(range(len(places)), key=lambda n: (places[n], n))
    moved = list(places)
    below = -least
    for n in order:
        moved[n] = below = max(places[n], below + least)
    above = 1.0 + least
    for n in reversed(order):
        moved[n] = above = min(moved[n], above - least)
    return moved
