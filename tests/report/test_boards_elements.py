"""Parts of boards: a table is the one that tabulate makes, sooner."""

from __future__ import annotations

import random

import pytest
from tabulate import tabulate

from recmerge_bench.report.boards.elements import table

TEXTS = (
    "",
    "a",
    "–",
    "0.1556 ± 0.0012",
    "**0.1**",
    "<u>0.2</u>",
    " led ",
    r"a \| b",
    "1e5",
    "None",
)


@pytest.mark.parametrize("rows", [0, 1, 3, 30])
def test_a_table_is_tabulates(rows: int) -> None:
    rng = random.Random(rows)
    for _ in range(50):
        columns = rng.randint(1, 6)
        headers = [rng.choice(("", "method", "÷ fine-tune", "x")) for _ in range(columns)]
        cells = [[rng.choice(TEXTS) for _ in range(columns)] for _ in range(rows)]
        made = tabulate(cells, headers, tablefmt="github", disable_numparse=True)
        assert table(headers, cells) == made


def test_rows_have_a_cell_for_each_column() -> None:
    with pytest.raises(ValueError):
        table(["a", "b"], [["only one"]])
