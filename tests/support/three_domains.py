"""Small datasets of three domains with four items each, built from rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from hypothesis import strategies as st

from recmerge_bench.data.interactions import Interactions
from recmerge_bench.toolkit.data.build import Columns, Item, build_interactions

NAMES = ("a", "b", "c")
ITEMS = {f"{d}{n}": Item(d) for d in NAMES for n in range(4)}
#: User, item, time.
Row = tuple[str, str, int]


def build(rows: Sequence[Row]) -> Interactions:
    users, items, times = zip(*rows, strict=True)
    return build_interactions(Columns(users, items, np.array(times, np.int64)), ITEMS, NAMES)


@st.composite
def datasets(
    draw: st.DrawFn, build: Callable[[Sequence[Row]], Interactions] = build
) -> Interactions:
    """Up to 60 events of five users, and one user who met every item."""
    event = st.tuples(st.sampled_from("stuvw"), st.sampled_from(list(ITEMS)), st.integers(0, 30))
    rows = draw(st.lists(event, max_size=60))
    sure = [("s", f"{d}{n}", n * 10) for d in NAMES for n in range(4)]
    return build([*rows, *sure])
