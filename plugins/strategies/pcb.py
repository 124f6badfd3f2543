"""PCB-Merging: parameter competition balancing (Du et al., NeurIPS 2024).

Idea: Parameters compete, within an expert and between experts. Each entry gets a score from its
size in its own task vector and from how it agrees with the other experts'. Low scores are
dropped, and the others weigh the sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recmerge_bench.api import Check, HandledError, Spec, StrategySpec, hookimpl
from recmerge_bench.toolkit.merging.strategy import Scale, TaskVectorStrategy

if TYPE_CHECKING:
    from torch import Tensor

    from recmerge_bench.toolkit.merging.task_vectors import TaskVectors


@dataclass(frozen=True)
class Options:
    """Options of PCB-Merging.

    Attributes:
        density: share of the scores that give a weight.
        clip: share of the entries, on both sides, whose magnitudes are clamped.
        divide: divide the result by the number of experts, as released with MergeRec.
        scale: weight of the merged task vector, or ``norm``: the merged task vector is as long as
            the experts' are on average.
    """

    density: float = 0.05
    clip: float = 0.0001
    divide: bool = False
    scale: Scale = 1.2

    def __post_init__(self) -> None:
        if not (0 < self.density <= 1 and 0 <= self.clip < 0.5):
            raise HandledError("pcb: density lies in (0, 1], clip in [0, 0.5)")


class Pcb(TaskVectorStrategy):
    """Entries weighted by magnitude within the expert and agreement between experts."""

    Options = Options

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """Rows whose sum is the score-weighted mean of the clamped task vectors."""
        o, rows = self.options, vectors.rows
        count = len(rows)
        between = (rows * rows.sum(0)).tanh_()
        signs = rows.sign()
        for row in rows.abs_():
            row.clamp_(*limits(row, o.clip, o.clip))
        score = minmax(rows).square_().mul_(count).exp_().mul_(between)
        for row in score:
            row.clamp_(*limits(row, 1 - o.density, 0.0))
        score = minmax(score)
        rows.mul_(signs).mul_(score).div_(score.sum(0).clamp_(min=1e-12))
        return vectors.with_rows(rows.div_(count) if o.divide else rows)


def limits(row: Tensor, low: float, high: float) -> tuple[Tensor, Tensor]:
    """The values between which the released code clamps: shares of the entries at either end.

    Their places in the sorted row, from 0, are ``int(d low)`` and ``int(d (1 - high) - 1)``. On
    few entries the second is not the mirror of the first: a share that takes none below may take
    the largest one above.
    """
    size = len(row)
    places = (int(size * low), int(size * (1 - high) - 1))
    first, last = (nth(row, min(max(place, 0), size - 1)) for place in places)
    return first, last


def nth(row: Tensor, place: int) -> Tensor:
    """The value that stands at a place, from 0, of the sorted row."""
    return row.kthvalue(place + 1).values


def minmax(rows: Tensor) -> Tensor:
    """Each row [K, P] scaled to 0 .. 1; a constant row becomes zeros."""
    low, high = rows.aminmax(dim=1, keepdim=True)
    return (rows - low) / (high - low).clamp_(min=1e-12)


_CHECKS: dict[str, tuple[Check, ...]] = {
    "pcb": (
        Check(
            "duguodong7/pcb-merging, pcb-merging.py, PCB_merge with its clamp of 1e-4",
            "tests/plugins/test_merging_agreement.py::test_pcb_as_released",
            "1e-9 relative, float64",
        ),
        Check(
            "the settings there",
            "tests/plugins/test_merging_agreement.py::test_pcb_clamps_as_its_authors_do",
            "exact",
        ),
    ),
    "pcb-one-percent": (
        Check(
            "own settings of duguodong7/pcb-merging, pcb-merging.py, PCB_merge: clamp .01, ratio "
            ".2",
            "tests/plugins/test_merging_agreement.py::test_pcb_as_released",
            "1e-9 relative, float64",
        ),
    ),
    "pcb-mergerec": (
        Check(
            "vectors computed by MergeRec's released code (DIALLab-SKKU/MergeRec)",
            "tests/plugins/test_merging.py::test_vectors_of_the_released_code",
            "1e-6",
        ),
        Check(
            "the same function written out, divided by K",
            "tests/plugins/test_merging_agreement.py::test_pcb_as_released",
            "1e-9 relative, float64",
        ),
    ),
}


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """As its authors released it, clamped at one per cent, and as MergeRec released it."""
    one: dict[str, object] = {"density": 0.2, "clip": 0.01}
    variants: dict[str, tuple[str, dict[str, object]]] = {
        "pcb": ("Entries weighted by competition within and between experts", {}),
        "pcb-one-percent": (
            "PCB-Merging with one per cent clamped at either end and a fifth of the scores kept",
            one,
        ),
        "pcb-mergerec": (
            "PCB-Merging as MergeRec's code has it: one per cent clamped, divided by K",
            {**one, "divide": True, "scale": 1.0},
        ),
    }
    return [
        StrategySpec(
            name=name,
            target=f"{__name__}:Pcb",
            summary=summary,
            options=options,
            inputs=("base", "experts"),
            checks=_CHECKS[name],
            fidelity="own" if name == "pcb-one-percent" else "code-verified",
            citation="Du et al., Parameter Competition Balancing, NeurIPS 2024",
        )
        for name, (summary, options) in variants.items()
    ]
