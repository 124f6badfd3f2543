"""The Markdown boards and cards of a suite, from its records and costs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from recmerge_bench.report.boards.cost_board import render_cost
from recmerge_bench.report.boards.full import render_full
from recmerge_bench.report.boards.markdown import render
from recmerge_bench.report.boards.superseded import marked
from recmerge_bench.report.cards.page import render_cards
from recmerge_bench.report.figures.data import FigureData
from recmerge_bench.report.figures.pareto import Pareto
from recmerge_bench.results.records import Costs, Records
from recmerge_bench.untrusted.paths import within


def board_texts(
    folder: Path, records: Records, costs: Costs, plots: Sequence[Pareto],
    declared: Sequence[FigureData],
) -> dict[Path, str]:  # fmt: skip
    """File of each board in a folder -> its text; marked where another suite has replaced it."""
    named = records.header.figures
    pictures = {
        d.title: f"figures/{records.suite}-{d.name}.svg" for d in declared if d.name in named
    }
    texts = {
        f"{records.suite}.md": render(records, pictures),
        f"{records.suite}-full.md": render_full(records),
        f"{records.suite}-cost.md": render_cost(costs, plots),
        f"{records.suite}-cards.md": render_cards(records),
    }
    mark = records.header.superseded
    return {within(folder, name): marked(text, mark) for name, text in texts.items()}
