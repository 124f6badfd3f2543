"""TIES: trim, elect signs, mean of the agreeing (Yadav et al., NeurIPS 2023)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from recmerge_bench.api import HandledError, Spec, hookimpl
from recmerge_bench.merging.strategy import TaskVectorStrategy

if TYPE_CHECKING:
    from recmerge_bench.merging.task_vectors import TaskVectors


@dataclass(frozen=True)
class Options:
    """Options of TIES.

    Attributes:
        density: share of each task vector that is kept.
        scale: weight of the merged task vector.
        scope: trim over all float parameters together (``global``) or each ``tensor`` by itself.
        extra: entries kept beyond floor(density * size); the authors' threshold keeps one more.
        zero: the elected sign where the trimmed entries sum to zero: ``plus``, or ``majority``.
    """

    density: float = 0.2
    scale: float = 1.0
    scope: Literal["global", "tensor"] = "global"
    extra: int = 0
    zero: Literal["plus", "majority"] = "plus"

    def __post_init__(self) -> None:
        if not 0 < self.density <= 1:
            raise HandledError(f"ties: density={self.density} is not in (0, 1]")
        if self.scope not in ("global", "tensor") or self.zero not in ("plus", "majority"):
            raise HandledError("ties: scope is global or tensor, zero is plus or majority")


class Ties(TaskVectorStrategy):
    """Task vectors trimmed, entries against the elected sign removed, the rest averaged."""

    Options = Options

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """Rows whose sum is the mean of the trimmed entries that agree with the elected sign."""
        from recmerge_bench.merging.trim import agreeing_means, elected_signs, keep_largest

        o = self.options
        for row in vectors.rows:
            if o.scope == "global":
                keep_largest(row, int(o.density * len(row)) + o.extra)
            else:
                for _, part, shape in vectors.pieces():
                    keep_largest(row[part], max(1, int(o.density * shape.numel())))
        signs = elected_signs(vectors.rows, o.zero)
        return vectors.with_rows(agreeing_means(vectors.rows, signs))


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """TIES as the paper has it, as its authors' code has it, and tensor by tensor."""
    variants: dict[str, tuple[str, dict[str, object]]] = {
        "ties": ("Globally trimmed task vectors, elected signs, mean of the agreeing", {}),
        "ties-official": (
            "TIES with the authors' threshold and majority rule",
            {"extra": 1, "zero": "majority"},
        ),
        "ties-per-tensor": ("TIES trimmed tensor by tensor", {"scope": "tensor"}),
    }
    return [
        Spec(
            kind="strategy",
            name=name,
            target=f"{__name__}:Ties",
            summary=summary,
            options=options,
            inputs=("base", "experts"),
            fidelity="paper-equations",
            citation="Yadav et al., TIES-Merging, NeurIPS 2023",
        )
        for name, (summary, options) in variants.items()
    ]
