"""A paper's numbers beside ours, as the site's pages read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recmerge_bench.report.boards.paper import beside
from recmerge_bench.report.boards.paper_tables import (
    INSIDE,
    ONLY,
    cells,
    chosen,
    heading,
    sentences_of,
    tested,
)
from recmerge_bench.report.site.values import Card
from recmerge_bench.results.gates import closed

if TYPE_CHECKING:
    from recmerge_bench.identity import Place
    from recmerge_bench.report.boards.table import Line
    from recmerge_bench.results.records import Records


def paper_card(records: Records, place: Place, lines: list[Line]) -> Card | None:
    """What the Markdown board prints of the paper; None where the track names none."""
    paper = records.header.tracks[place.track].paper
    entries = beside(records.header, place, lines)
    if paper is None or not entries:
        return None
    kept = chosen(entries, records.header.primary)
    headers, rows = cells(paper, kept, str)
    without = closed(records.header, records.results, place)
    notes = [INSIDE.replace("*", "")] if tested(paper, kept) else []
    return Card(
        title=f"The paper's numbers beside ours. {heading(paper, str)}",
        answer="\n".join([ONLY, *paper.differs]) if paper.differs else "",
        headers=headers,
        rows=rows,
        note=" ".join([*notes, *sentences_of(paper, kept, without, str)]),
    )
