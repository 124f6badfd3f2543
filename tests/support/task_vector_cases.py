"""Small task vectors in float64, and methods applied to them: what tests of agreement share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from recmerge_bench.api import Expert, MergeInput
from recmerge_bench.planning.options import complete
from recmerge_bench.registry import discover
from recmerge_bench.toolkit.merging.task_vectors import TaskVectors

REGISTRY = discover(environ={})
CLOSE = {"rtol": 1e-9, "atol": 1e-10}
Matrices = dict[str, Tensor]


def strategy(name: str, **options: Any) -> Any:
    spec = REGISTRY.get("strategy", name)
    return complete(spec, options, "test").definition()


def drawn(experts: int, seed: int = 0, **shapes: tuple[int, ...]) -> list[Matrices]:
    """Task vectors that share a part, so that cosines are neither 0 nor 1: float64."""
    generator = torch.Generator().manual_seed(seed)

    def one() -> Matrices:
        return {
            n: torch.randn(s, generator=generator, dtype=torch.float64) for n, s in shapes.items()
        }

    shared = one()
    return [
        {n: (0.5 * shared[n] + (0.6 + 0.2 * k) * t) * 0.05 for n, t in one().items()}
        for k in range(experts)
    ]


def transformed(name: str, taus: list[Matrices], seed: int = 0, **options: Any) -> Matrices:
    """What a method's rows add up to, in float64, at scale 1."""
    zero = {n: torch.zeros_like(t) for n, t in taus[0].items()}
    rows = torch.stack([torch.cat([t[n].reshape(-1) for n in sorted(t)]) for t in taus])
    vectors = TaskVectors(torch.zeros_like(rows[0]), rows, zero, ("d",) * len(taus))
    changed = strategy(name, **options).transform(vectors, seed)
    assert changed.rows.dtype == torch.float64
    return changed.merged(1.0)


SHAPES = {"a": (12, 7), "b": (7, 16), "bias": (7,), "flat": (1, 9), "small": (2, 5), "z": (16, 16)}


Rows = list[list[float]]


def lists(taus: list[Matrices], name: str = "w") -> Rows:
    return [t[name].reshape(-1).tolist() for t in taus]


def close(actual: Tensor, wanted: list[float]) -> None:
    torch.testing.assert_close(
        actual.reshape(-1), torch.tensor(wanted, dtype=torch.float64), **CLOSE
    )


def given_of(base: Matrices, taus: list[Matrices]) -> MergeInput:
    experts = tuple(
        Expert(f"d{k}", {n: base[n] + t for n, t in tau.items()}) for k, tau in enumerate(taus)
    )
    return MergeInput(base, experts, 0)
