"""The page of a suite's cards as Markdown, from records alone; equal records give equal bytes."""

from __future__ import annotations

from collections.abc import Sequence

from recmerge_bench.identity import Place
from recmerge_bench.report.boards.elements import plain
from recmerge_bench.report.boards.table import Line, tables
from recmerge_bench.report.cards import memorised, order, splits, ties, training
from recmerge_bench.report.cards.parts import CardTable
from recmerge_bench.report.figures.memorised import memorised_figures
from recmerge_bench.results.records import Records

NOTE = (
    "What a board's numbers depend on besides the methods: the order of equal scores, the order of "
    "the histories, steps that occur in training, the split, and how much was trained. All of "
    "it follows from the stored ranks and the trainings' own reports. Intervals are of 95 %, by "
    "the two-level bootstrap (resampling seeds and users), of each row alone."
)


def render_cards(records: Records) -> str:
    """The page ``<suite>-cards.md``."""
    suite = records.suite
    parts = [
        f"# {suite}: {plain(records.header.title)}, cards",
        f"{NOTE} Board: [{suite}.md]({suite}.md).",
    ]
    for card in splits.tables(records):
        parts += card.markdown(level=2)
    drawn = {figure.name for figure in memorised_figures(records)}
    trained: dict[tuple[str, str], Place] = {}
    for place, lines in tables(records).items():
        done = [line for line in lines if line.values]
        if done:
            parts.append(f"## {plain(place.track)}, {plain(place.protocol)}")
            parts += _section(records, place, done, drawn)
            for card in training.tables(records, place, done):
                same = trained.setdefault((place.track, repr(card)), place)
                as_there = [f"### {plain(card.title)}", f"As under {plain(same.protocol)}."]
                parts += card.markdown() if same == place else as_there
    return "\n\n".join(parts) + "\n"


def _section(
    records: Records, place: Place, lines: Sequence[Line], drawn: set[str]
) -> list[str]:  # fmt: skip
    """The cards of a table that are made of ranks, and the figure of memorised steps."""
    parts = []
    for card in cards_of(records, place, lines):
        parts += card.markdown()
    name = memorised.figure_of(records, place)
    if name in drawn:
        title = f"What merging loses on memorised steps and on other targets: {plain(place.track)}"
        parts.append(f"![{title}](figures/{records.suite}-{name}.svg)")
    return parts


def cards_of(records: Records, place: Place, lines: Sequence[Line]) -> list[CardTable]:
    """All cards of one table that are made of ranks."""
    return [
        *order.tables(records, place, lines),
        *ties.tables(records, place, lines),
        *memorised.tables(records, place, lines),
    ]
