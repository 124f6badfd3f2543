"""The order of a board's rows: three bands, and within each the highest mean first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from recmerge_bench.names import MEAN
from recmerge_bench.report.boards.table import Line

Band = Literal["heuristics", "references", "methods"]
#: In the order of a board: what has to be beaten comes first.
BANDS: tuple[Band, ...] = ("heuristics", "references", "methods")
#: Band -> what stands in it, a line.
MEANINGS: dict[Band, str] = {
    "heuristics": "count, and train nothing",
    "references": "trained models as they are, nothing merged",
    "methods": "what the board compares",
}


@dataclass(frozen=True)
class Ranked:
    """A row at its place.

    Attributes:
        band: that it stands in.
        rank: within the band, from 1; rows with equal printed means share one.
        line: the row.
    """

    band: Band
    rank: int
    line: Line


def bands(lines: Sequence[Line]) -> list[Band]:
    """The band of each row of a table.

    What merges nothing is a reference only where other rows merge; else models themselves are
    compared. Of rows that are not done it is not recorded whether they merge: they stand with a
    done row of the same method, or with the methods.
    """
    merging = any(line.tier for line in lines)
    unmerged = {line.identity.method for line in lines if merging and _merges_nothing(line)}
    return [_band(line, unmerged) for line in lines]


def _merges_nothing(line: Line) -> bool:
    return bool(line.values) and not line.tier and line.kind == "strategy"


def _band(line: Line, unmerged: set[str]) -> Band:
    if line.kind == "counting":
        return "heuristics"
    return "references" if line.identity.method in unmerged else "methods"


def ranked(lines: Sequence[Line], metric: str, domain: str = MEAN) -> list[Ranked]:
    """Rows that have a value, band by band, the highest mean first; equal ones in suite order.

    Args:
        lines: of one table.
        metric: that is ranked by; higher is better.
        domain: of the metric, or the mean over the domains.
    """
    places: list[Ranked] = []
    for band in BANDS:
        of_band = [
            (value, line)
            for line, own in zip(lines, bands(lines), strict=True)
            if own == band and (value := line.mean(domain, metric)) is not None
        ]
        of_band.sort(key=lambda pair: -round(pair[0], 4))
        printed = [round(value, 4) for value, _ in of_band]
        places += [
            Ranked(band, printed.index(round(value, 4)) + 1, line) for value, line in of_band
        ]
    return places
