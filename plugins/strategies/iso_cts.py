"""Iso-CTS: an even spectrum over common and own directions (Marczak et al., ICML 2025).

Idea: The leading directions of the summed task vector are what the experts have in common. The
weak ones are replaced by directions that each expert has for itself. All directions then get the
same singular value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from recmerge_bench.api import Check, HandledError, Spec, StrategySpec, hookimpl
from recmerge_bench.toolkit.merging.strategy import Scale, TaskVectorStrategy

if TYPE_CHECKING:
    from torch import Tensor

    from recmerge_bench.toolkit.merging.task_vectors import TaskVectors


@dataclass(frozen=True)
class Options:
    """Options of Iso-CTS.

    Attributes:
        common: share of the directions that are taken from the sum.
        own: how the other directions are divided among the experts, see `own_directions`.
        scale: weight of the merged task vector, or ``norm``: the merged task vector is as long as
            the experts' are on average.
    """

    common: float = 0.8
    own: Literal["nearest", "floor"] = "nearest"
    scale: Scale = 1.0

    def __post_init__(self) -> None:
        if not (0 < self.common <= 1):
            raise HandledError("iso-cts: common lies in (0, 1]")
        if self.own not in ("nearest", "floor"):
            raise HandledError(f"iso-cts: own is nearest or floor, not {self.own!r}")


def own_directions(rank: int, experts: int, common: float, own: str) -> int:
    """Directions of each expert: the sum gives the other ``rank - experts * own`` ones.

    ``nearest`` is what the authors' code computes, ``round((r - int(common r)) / K)``, halves to
    the even number; ``floor`` rounds down, so that few directions among many experts leave none,
    and the method is Iso-C.

    Args:
        rank: the smaller side of the matrix.
        experts: K.
        common: see `Options`.
        own: see `Options`.
    """
    if own == "floor":
        return int(rank * (1 - common)) // experts
    # The cap is ours: below a share of one half the authors' number can exceed the rank.
    return min(round((rank - int(common * rank)) / experts), rank // experts)


class IsoCts(TaskVectorStrategy):
    """The sum's leading directions, joined by what each task vector has outside them."""

    Options = Options
    scope = "tensor"

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """Matrices by their directions; all else is the mean of the task vectors."""
        merged = vectors.rows.mean(0)
        for _, part, shape in vectors.parameters():
            if len(shape) == 2:
                rows = vectors.rows[:, part].view(-1, *shape)
                merged[part] = self.matrix(rows).to(merged.dtype).flatten()
        return vectors.with_rows(merged[None])

    def matrix(self, rows: Tensor) -> Tensor:
        """One matrix [a, b] from those of the task vectors [K, a, b], in double precision."""
        import torch

        from recmerge_bench.toolkit.merging.spectral import polar, svd

        rows = rows.double()
        o, rank, count = self.options, min(rows.shape[1:]), len(rows)
        own = own_directions(rank, count, o.common, o.own)
        left, values, right = svd(rows.sum(0), rank - own * count)
        lefts, spectra, rights = [left], [values], [right]
        for row in rows if own else ():
            rest = row - left @ (left.T @ row)
            for basis, factor in zip((lefts, spectra, rights), svd(rest, own), strict=True):
                basis.append(factor)
        mean = torch.cat(spectra).mean()
        return mean * polar(torch.cat(lefts, 1)) @ polar(torch.cat(rights, 1)).T


_CHECKS: dict[str, tuple[Check, ...]] = {
    "iso-cts": (
        Check(
            "the numbers of directions of 50 pairs of rank and experts, by hand from round((r - "
            "int(.8 r)) / K)",
            "tests/plugins/test_merging_agreement.py::test_iso_cts_directions",
            "exact",
        ),
        Check(
            "danielm1405/iso-merging, iso_cts, as adapted in tanganke/fusion_bench, iso_utils.py",
            "tests/plugins/test_merging_agreement.py::test_iso_cts_as_released",
            "1e-9 relative, float64",
        ),
    ),
    "iso-cts-floor": (
        Check(
            "own: rounds down, which differs in 26 of those 50 pairs",
            "tests/plugins/test_merging_agreement.py::test_iso_cts_floor_differs_in_26_of_50",
            "exact",
        ),
    ),
}


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Iso-CTS as released, and with own directions rounded down."""
    variants: dict[str, tuple[str, dict[str, object]]] = {
        "iso-cts": ("Even spectrum over common and task-specific directions", {}),
        "iso-cts-floor": (
            "Iso-CTS with each expert's directions rounded down: few or none are left",
            {"own": "floor"},
        ),
    }
    return [
        StrategySpec(
            name=name,
            target=f"{__name__}:IsoCts",
            summary=summary,
            options=options,
            inputs=("base", "experts"),
            checks=_CHECKS[name],
            fidelity="code-verified" if name == "iso-cts" else "own",
            citation="Marczak et al., No Task Left Behind, ICML 2025",
        )
        for name, (summary, options) in variants.items()
    ]
