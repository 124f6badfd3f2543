"""Iso-CTS: an even spectrum over common and own directions (Marczak et al., ICML 2025)."""

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
    """Options of Iso-CTS.

    Attributes:
        common: share of the directions that are taken from the sum.
        scale: weight of the merged task vector.
    """

    common: float = 0.8
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not (0 < self.common <= 1):
            raise HandledError("iso-cts: common lies in (0, 1]")


class IsoCts(TaskVectorStrategy):
    """The sum's leading directions, joined by what each task vector has outside them."""

    Options = Options
    reach = "tensor"

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """Matrices by their directions; all else is the mean of the task vectors."""
        from recmerge_bench.merging.task_vectors import is_matrix

        merged = vectors.rows.mean(0)
        for _, part, shape in vectors.pieces():
            if is_matrix(shape):
                rows = vectors.rows[:, part].view(-1, *shape)
                merged[part] = self.matrix(rows).to(merged.dtype).flatten()
        return vectors.with_rows(merged[None])

    def matrix(self, rows: Tensor) -> Tensor:
        """One matrix [a, b] from those of the task vectors [K, a, b], in double precision."""
        import torch

        from recmerge_bench.merging.spectral import polar, svd

        rows = rows.double()
        rank, count = min(rows.shape[1:]), len(rows)
        own = int(rank * (1 - self.options.common)) // count
        left, values, right = svd(rows.sum(0), rank - own * count)
        lefts, spectra, rights = [left], [values], [right]
        for row in rows if own else ():
            rest = row - left @ (left.T @ row)
            for basis, found in zip((lefts, spectra, rights), svd(rest, own), strict=True):
                basis.append(found)
        mean = torch.cat(spectra).mean()
        return mean * polar(torch.cat(lefts, 1)) @ polar(torch.cat(rights, 1)).T


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``iso-cts``."""
    return [
        StrategySpec(
            name="iso-cts",
            target=f"{__name__}:IsoCts",
            summary="Even spectrum over common and task-specific directions",
            inputs=("base", "experts"),
            fidelity="paper-equations",
            citation="Marczak et al., No Task Left Behind, ICML 2025",
        )
    ]
