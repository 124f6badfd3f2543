"""Matrices of temporal tracks as Markdown: what models know of phases before and behind them."""

from __future__ import annotations

from collections.abc import Sequence

from recmerge_bench.identity import Row
from recmerge_bench.report.boards.elements import plain, table
from recmerge_bench.results.phase_matrices import Matrix, matrices
from recmerge_bench.results.records import Records

WHAT = (
    "Rows: the phase after which the models stand; columns: the tested phase, on targets that no "
    "training of any phase has read. Left of the diagonal ({metric} in *italics*) are phases that "
    "the models, or what they were merged of, were trained on; right of it phases to come. "
    "*Forgetting*: what the last models have lost of phases, beside the models right after each. "
    "*Forward transfer*: what the phases in between have brought to the next one, beside the first "
    "models of the matrix. Means over the seeds."
)


def sections(records: Records) -> list[str]:
    """The part of the board; empty where the suite has no such tables."""
    parts: list[str] = []
    made = matrices(records)
    for track in dict.fromkeys(matrix.track for matrix in made):
        own = [matrix for matrix in made if matrix.track == track]
        parts.append(f"## {plain(track)}: trained phase by tested phase, "
                     f"{plain(records.header.primary)}")  # fmt: skip
        parts.append(WHAT.format(metric=plain(records.header.primary)))
        parts.append(_summary(own))
        for matrix in own:
            parts += [f"### {plain(_name(matrix.row))}", _table(matrix)]
    return parts


def _name(row: Row) -> str:
    return " ".join(filter(None, [row.backbone, row.method, row.variant and f"({row.variant})"]))


def _summary(own: Sequence[Matrix]) -> str:
    rows = [
        [plain(_name(m.row)), _signed(m.forgetting), _signed(m.transfer)] for m in own
    ]  # fmt: skip
    return table(["row", "forgetting", "forward transfer"], rows)


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.4f}"


def _table(matrix: Matrix) -> str:
    rows = [
        [f"after phase {after}", *(_cell(matrix, after, phase) for phase in matrix.tested)]
        for after in matrix.after
    ]
    return table(["", *(f"phase {phase}" for phase in matrix.tested)], rows)


def _cell(matrix: Matrix, after: int, phase: int) -> str:
    text = f"{matrix.mean(after, phase):.4f}"
    return f"*{text}*" if phase <= after else text
