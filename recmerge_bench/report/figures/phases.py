"""Figures of temporal tracks: a panel for each row, a line for each time that its models stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from recmerge_bench.report.figures.data import Point, over_seeds
from recmerge_bench.results.phase_matrices import matrices

if TYPE_CHECKING:
    from recmerge_bench.results.header import Figure
    from recmerge_bench.results.records import Records


def phase_points(records: Records, figure: Figure) -> Iterator[Point]:
    """The matrices of the rows that the figure is of."""
    metric = records.header.primary
    for matrix in matrices(records):
        row = matrix.row
        asked = ((figure.tracks, matrix.track), (figure.methods, row.method),
                 (figure.backbones, row.backbone))  # fmt: skip
        if all(not names or name in names for names, name in asked):
            variant = f" ({row.variant})" if row.variant else ""
            for after in matrix.after:
                for phase in matrix.tested:
                    yield over_seeds(
                        f"{metric}, {row.method}{variant}", f"after phase {after}", phase,
                        matrix.values[after, phase],
                    )  # fmt: skip
