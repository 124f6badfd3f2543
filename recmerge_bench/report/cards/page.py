"""The page of a suite's cards as Markdown, from records alone; equal records give equal bytes."""

from __future__ import annotations

from collections.abc import Sequence

from recmerge_bench.identity import Place
from recmerge_bench.report.boards.elements import plain
from recmerge_bench.report.boards.table import Line, tables
from recmerge_bench.report.cards import memorised, order, splits, ties, training
from recmerge_bench.report.figures.memorised import card_figures
from recmerge_bench.results.records import Records

NOTE = (
    "What a board's numbers depend on besides the methods: the order of equal scores, the order of "
    "the histories, steps that training holds already, the split, and how much was trained. All of "
    "it follows from the stored ranks and the trainings' own reports. Intervals are of 95 %, by "
    "the two-level bootstrap (seeds and users drawn anew), of each row alone."
)


def render_cards(records: Records) -> str:
    """The page ``<suite>-cards.md``."""
    suite = records.suite
    parts = [
        f"# {suite}: {plain(records.header.title)}, cards",
        f"{NOTE} Board: [{suite}.md]({suite}.md).",
    ]
    parts += splits.section(records)
    trained: dict[tuple[str, ...], Place] = {}
    for place, lines in tables(records).items():
        done = [line for line in lines if line.values]
        if not done:
            continue
        of_training = training.section(records, place, done)
        first = trained.setdefault((place.track, *of_training), place)
        if first != place:
            of_training = [of_training[0], f"As under {plain(first.protocol)}."]
        parts += [*_section(records, place, done), *of_training]
    return "\n\n".join(parts) + "\n"


def _section(records: Records, place: Place, lines: Sequence[Line]) -> list[str]:
    drawn = card_figures(records.header).get(place, "")
    return [
        f"## {plain(place.track)}, {plain(place.protocol)}",
        *order.section(records, place, lines),
        *memorised.section(records, place, lines, drawn),
        *ties.section(records, place, lines),
    ]
