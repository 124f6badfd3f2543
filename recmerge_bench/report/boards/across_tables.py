"""Mean ranks as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from recmerge_bench.identity import Place
from recmerge_bench.report.boards.elements import plain, table
from recmerge_bench.report.boards.table import Line, names_of
from recmerge_bench.results.compared import Across, RankedRow
from recmerge_bench.results.records import Records

#: Rows of the compact board.
MOST = 8


def across_of(records: Records, place: Place) -> Across | None:
    """The mean ranks of one table, where records have them."""
    return next((one for one in records.across if one.place == place), None)


def section(average: Across, lines: Sequence[Line], whole: bool) -> list[str]:
    """Heading, table (the best few, or all) and what it says."""
    names = names_of(lines)
    ordered = sorted(average.rows, key=lambda row: row.mean_rank)
    shown = ordered if whole else ordered[:MOST]
    rows = [
        [
            *map(plain, names.get(row.row, (row.backbone or "–", row.method))),
            f"{row.mean_rank:.2f}", _interval(row), ", ".join(map(str, row.groups)) or "–",
        ]
        for row in shown
    ]  # fmt: skip
    headers = ["backbone", "method", "mean rank", "95 %", "group"]
    return ["### Across domains", table(headers, rows), " ".join(_sentences(average, len(shown)))]


def _sentences(average: Across, shown: int) -> list[str]:
    """What the columns are, and which rows are not shown, in no group or left out."""
    sentences = [
        f"Mean over the {average.domains} domains of each row's rank by {average.metric}, 1 is "
        "best; 95 % interval by resampling seeds and users, domains fixed. Rows that share a group "
        "do not differ significantly: a pair with the baseline by its verdict, all other pairs "
        "together adjusted by Holm."
    ]
    if any(not row.groups for row in average.rows):
        why = f" ({', '.join(average.no_groups)})" if average.no_groups else ""
        sentences.append(f"Rows that no verdict can be given of{why} are in no group.")
    if average.said:
        sentences.append(average.said[0].upper() + average.said[1:] + ".")
    if shown < len(average.rows):
        sentences.append(f"The best {shown} of {len(average.rows)} rows.")
    if average.left_out:
        sentences.append(f"{average.left_out} row(s) with fewer seeds are left out.")
    return sentences


def _interval(row: RankedRow) -> str:
    """Of a mean rank; one that no draw changed has no width to print."""
    ends = f"{row.lower:.2f}", f"{row.upper:.2f}"
    return "all draws" if ends[0] == ends[1] else f"[{ends[0]}, {ends[1]}]"
