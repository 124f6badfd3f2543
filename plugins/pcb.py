"""PCB-Merging: parameter competition balancing (Du et al., NeurIPS 2024)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recmerge_bench.api import HandledError, Spec, StrategySpec, hookimpl
from recmerge_bench.merging.strategy import TaskVectorStrategy

if TYPE_CHECKING:
    from torch import Tensor

    from recmerge_bench.merging.task_vectors import TaskVectors


@dataclass(frozen=True)
class Options:
    """Options of PCB-Merging.

    Attributes:
        density: share of the scores that give a weight.
        clip: share of the entries, on both sides, whose magnitudes are clamped.
        divide: divide the result by the number of experts, as released with MergeRec.
        scale: weight of the merged task vector.
    """

    density: float = 0.2
    clip: float = 0.01
    divide: bool = False
    scale: float = 1.2

    def __post_init__(self) -> None:
        if not (0 < self.density <= 1 and 0 <= self.clip < 0.5):
            raise HandledError("pcb: density lies in (0, 1], clip in [0, 0.5)")


class Pcb(TaskVectorStrategy):
    """Entries weighted by magnitude within the expert and agreement between experts."""

    Options = Options

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """Rows whose sum is the score-weighted mean of the clamped task vectors."""
        o, rows = self.options, vectors.rows
        count, size = rows.shape
        between = (rows * rows.sum(0)).tanh_()
        signs, outer = rows.sign(), int(o.clip * size)
        for row in rows.abs_():
            row.clamp_(nth(row, outer), nth(row, size - 1 - outer))
        score = minmax(rows).square_().mul_(count).exp_().mul_(between)
        for row in score:
            row.clamp_(min=nth(row, size - max(1, int(o.density * size))))
        score = minmax(score)
        rows.mul_(signs).mul_(score).div_(score.sum(0).clamp_(min=1e-12))
        return vectors.with_rows(rows.div_(count) if o.divide else rows)


def nth(row: Tensor, place: int) -> Tensor:
    """The value that stands at a place, from 0, of the sorted row."""
    return row.kthvalue(place + 1).values


def minmax(rows: Tensor) -> Tensor:
    """Each row [K, P] scaled to 0 .. 1; a constant row becomes zeros."""
    low, high = rows.aminmax(dim=1, keepdim=True)
    return (rows - low) / (high - low).clamp_(min=1e-12)


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """As its paper has it, and as MergeRec's released code has it."""
    released = {"divide": True, "scale": 1.0}
    return [
        StrategySpec(
            name=name,
            target=f"{__name__}:Pcb",
            summary="Entries weighted by competition within and between experts",
            options=options,
            inputs=("base", "experts"),
            fidelity="paper-equations",
            citation="Du et al., Parameter Competition Balancing, NeurIPS 2024",
        )
        for name, options in (("pcb", {}), ("pcb-mergerec", released))
    ]
