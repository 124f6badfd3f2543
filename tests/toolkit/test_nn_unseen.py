"""Draws from what sequences do not hold: the table of shifts and the search give the same."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recmerge_bench.toolkit.models import unseen
from recmerge_bench.toolkit.models.unseen import Unseen


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(0, 12), st.integers(0, 999), st.booleans())
def test_table_and_search_agree(n_items: int, size: int, seed: int, owned: bool) -> None:
    generator = torch.Generator().manual_seed(seed)
    seen = torch.randint(0, n_items, (5, size), generator=generator)
    valid = torch.rand(5, size, generator=generator) < 0.7
    owners = torch.tensor([4, 0, 0, 2]) if owned else None
    drawn = []
    for cells in (0, 1 << 20):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(unseen, "_CELLS_A_DRAW", cells)
            free = Unseen.of(seen, valid, n_items)
            drawn.append(free.draw(30, torch.Generator().manual_seed(seed), owners))
    assert torch.equal(*drawn)
    for row, user in enumerate(range(5) if owners is None else owners.tolist()):
        held = set(seen[user][valid[user]].tolist())
        if len(held) < n_items:
            assert not held & set(drawn[0][row].tolist())
    assert int(drawn[0].min()) >= 0 and int(drawn[0].max()) < n_items


def test_every_free_row_is_as_likely() -> None:
    seen, valid = torch.tensor([[3, 3, 0, 7]]), torch.tensor([[True, True, True, False]])
    drawn = Unseen.of(seen, valid, 9).draw(70_000, torch.Generator().manual_seed(0))
    counts = torch.bincount(drawn[0], minlength=9)
    assert counts[[0, 3]].sum() == 0
    free = counts[[1, 2, 4, 5, 6, 7, 8]].double()
    assert (free - 10_000).abs().max() < 5 * (10_000 * 6 / 7) ** 0.5
