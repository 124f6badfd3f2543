"""TIES: trim, elect signs, mean of the agreeing (Yadav et al., NeurIPS 2023).

Idea: Experts interfere where one's small changes or opposite signs cancel another's large ones.
Each task vector is trimmed to its largest entries, and the experts elect a sign for each entry by
total magnitude. Only values of the elected sign are averaged and added to the base.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Literal

from recmerge_bench.api import (
    Check,
    HandledError,
    MergeInput,
    Spec,
    StrategyDefinition,
    StrategySpec,
    hookimpl,
)
from recmerge_bench.toolkit.merging.strategy import Scale, TaskVectorStrategy

if TYPE_CHECKING:
    from torch import Tensor

    from recmerge_bench.api import Fidelity
    from recmerge_bench.toolkit.merging.blocks import TaskVectorBlocks
    from recmerge_bench.toolkit.merging.task_vectors import TaskVectors


#: Entries of each expert at a time: those of a few stay in a processor's cache.
BLOCK = 1 << 15


@dataclass(frozen=True)
class Options:
    """Options of TIES.

    Attributes:
        density: share of each task vector that is kept.
        scale: weight of the merged task vector, or ``norm``: the merged task vector is as long as
            the experts' are on average.
        scope: trim over all float parameters together (``global``) or each ``tensor`` by itself.
        extra: entries kept beyond floor(density * size); the authors' threshold keeps one more.
        zero: the elected sign where the trimmed entries sum to zero: ``plus``, or ``majority``.
    """

    density: float = 0.2
    scale: Scale = 1.0
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
        from recmerge_bench.toolkit.merging.trim import disjoint_means, keep_largest

        o = self.options
        for row in vectors.rows:
            if o.scope == "global":
                keep_largest(row, int(o.density * len(row)) + o.extra)
            else:
                for _, part, shape in vectors.parameters():
                    keep_largest(row[part], max(1, int(o.density * shape.numel())))
        return vectors.with_rows(disjoint_means(vectors.rows, o.zero))

    def prepass_scope(self) -> str:
        """Thresholds come first: of the whole vector, or tensor by tensor."""
        return "tensor" if self.options.scope == "tensor" else "model"

    def prepass(self, rows: TaskVectorBlocks) -> Trimmed:
        """Each task vector's threshold, and the sign of ties where it is the majority's."""
        from recmerge_bench.toolkit.merging.blocks import kth_largest_magnitude

        o = self.options
        least = 1 if o.scope == "tensor" else 0
        count = min(rows.size, max(least, int(o.density * rows.size)) + o.extra)
        limits = tuple(
            kth_largest_magnitude(partial(rows.of, k), rows.size, count) if count else inf
            for k in range(len(rows))
        )
        balance = 0.0
        if o.zero == "majority":
            for block in rows.together():
                balance += float(trimmed(block, limits).sum(0).sign_().sum())
        return Trimmed(o, limits, -1.0 if balance < 0 else 1.0)


def agreeing_mean(rows: Tensor, tie: float) -> Tensor:
    """The mean of each column's non-zero entries that agree with its elected sign.

    Args:
        rows: float [K, P], changed.
        tie: the elected sign where a column's sum is zero.

    Returns:
        float [P].
    """
    from recmerge_bench.toolkit.merging.trim import elected_signs

    signs = elected_signs(rows, tie)
    total = rows.mul_(signs).clamp_(min=0).sum(0)
    return total.div_(rows.sign_().sum(0).clamp_(min=1)).mul_(signs)


def trimmed(rows: Tensor, limits: tuple[float, ...]) -> Tensor:
    """Zero what lies below each row's limit, in place: float [K, P]."""
    from recmerge_bench.toolkit.merging.trim import zero_below

    for row, limit in zip(rows, limits, strict=True):
        zero_below(row, limit)
    return rows


class Trimmed(StrategyDefinition):
    """TIES once the thresholds are known: entry by entry.

    Args:
        options: of TIES.
        limits: the least magnitude that each expert keeps.
        tie: the elected sign where the trimmed entries sum to zero.
    """

    scope = "entry"

    def __init__(self, options: Options, limits: tuple[float, ...], tie: float) -> None:
        super().__init__(options)
        self.limits, self.tie = limits, tie

    def merge(self, given: MergeInput) -> dict[str, Tensor]:
        """Base plus the scaled mean of the agreeing."""
        return {
            name: self._merged(start, [e.weights[name] for e in given.experts])
            for name, start in given.base.items()
        }

    def _merged(self, start: Tensor, experts: Sequence[Tensor]) -> Tensor:
        import torch

        from recmerge_bench.toolkit.merging.vectors import working

        merged = torch.empty(start.shape, dtype=start.dtype, device=start.device)
        flats = [tensor.reshape(-1) for tensor in (start, merged, *experts)]
        for origin, place, *owns in zip(*(flat.split(BLOCK) for flat in flats), strict=True):
            base = working(origin)
            rows = base.new_empty((len(experts), len(base)))
            for row, own in zip(rows, owns, strict=True):
                torch.sub(working(own), base, out=row)
            total = agreeing_mean(trimmed(rows, self.limits), self.tie)
            place.copy_(base.add(total, alpha=self.options.scale))
        return merged


_FIDELITY: dict[str, Fidelity] = {
    "ties": "paper-equations",
    "ties-official": "code-verified",
    "ties-per-tensor": "own",
}
_CHECKS: dict[str, tuple[Check, ...]] = {
    "ties": (
        Check(
            "Yadav et al., algorithm 1",
            "tests/plugins/test_merging_agreement.py::test_ties_as_published_and_as_released",
            "1e-9 relative, float64",
        ),
        Check(
            "vectors computed by MergeRec's released code",
            "tests/plugins/test_merging.py::test_vectors_of_the_released_code",
            "1e-5 relative: fp32",
        ),
    ),
    "ties-official": (
        Check(
            "prateeky2806/ties-merging, as in EnnengYang/AdaMerging, src/ties_merging_utils.py",
            "tests/plugins/test_merging_agreement.py::test_ties_as_published_and_as_released",
            "1e-9 relative, float64",
        ),
    ),
    "ties-per-tensor": (
        Check(
            "own name for algorithm 1 tensor by tensor, the scope that mergekit has",
            "tests/plugins/test_merging_agreement.py::test_ties_per_tensor_as_mergekit_scopes_it",
            "1e-9 relative, float64",
        ),
    ),
}


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
        StrategySpec(
            name=name,
            target=f"{__name__}:Ties",
            summary=summary,
            options=options,
            inputs=("base", "experts"),
            fidelity=_FIDELITY[name],
            checks=_CHECKS[name],
            citation="Yadav et al., TIES-Merging, NeurIPS 2023",
        )
        for name, (summary, options) in variants.items()
    ]
