"""WUDI: the merged task vector of least interference (Cheng et al., ICML 2025)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from recmerge_bench.api import Check, HandledError, Spec, StrategySpec, hookimpl
from recmerge_bench.toolkit.merging.strategy import Scale, TaskVectorStrategy

if TYPE_CHECKING:
    from torch import Tensor

    from recmerge_bench.toolkit.merging.task_vectors import TaskVectors


@dataclass(frozen=True)
class Options:
    """Options of WUDI; all as published.

    Attributes:
        steps: number of steps of Adam.
        lr: learning rate of Adam; 2e-5 in the released code for language models.
        norm: a task vector's loss is divided by its ``squared`` norm (the paper's eq. 9 and the
            released code for language models) or by the norm itself (``plain``: the released
            code for vision models).
        rest: tensors that are no matrices stay as the ``base`` has them, as in the released code
            for vision models, or get the ``mean`` of the task vectors.
        scale: weight of the merged task vector, or ``norm``: the merged task vector is as long as
            the experts' are on average.
    """

    steps: int = 300
    lr: float = 1e-5
    norm: Literal["squared", "plain"] = "squared"
    rest: Literal["base", "mean"] = "base"
    scale: Scale = 1.0

    def __post_init__(self) -> None:
        if self.norm not in ("squared", "plain") or self.rest not in ("base", "mean"):
            raise HandledError("wudi: norm is squared or plain, rest is base or mean")
        if self.steps < 0 or self.lr <= 0:
            raise HandledError("wudi: steps is not negative, lr is positive")


@dataclass(frozen=True)
class ClosedOptions:
    """Options of the closed form.

    Attributes:
        ridge: pull towards nothing, relative to the mean eigenvalue.
        scale: weight of the merged task vector, or ``norm``: the merged task vector is as long as
            the experts' are on average.
    """

    ridge: float = 0.001
    scale: Scale = 1.0

    def __post_init__(self) -> None:
        if self.ridge < 0:
            raise HandledError("wudi-closed-form: ridge is not negative")


def by_matrix(
    vectors: TaskVectors, rest: Tensor, matrix: Callable[[Tensor], Tensor]
) -> TaskVectors:
    """One row: what `matrix` makes of each matrix that some task vector changes, else `rest`.

    Args:
        vectors: of all experts.
        rest: float [P], changed.
        matrix: from those of the task vectors, float64 [K, a, b], to [a, b].
    """
    from recmerge_bench.toolkit.merging.task_vectors import is_matrix

    for _, part, shape in vectors.parameters():
        rows = vectors.rows[:, part].view(-1, *shape) if is_matrix(shape) else None
        if rows is not None and bool(rows.any()):
            rest[part] = matrix(rows.double()).to(rest.dtype).flatten()
    return vectors.with_rows(rest[None])


class Wudi(TaskVectorStrategy):
    """Adam from the sum of the task vectors on ``sum_i |(tau - tau_i) tau_i^T|^2 / |tau_i|^2``.

    Idea: Task vectors of a linear layer lie in the space of its inputs, so they can stand in
    for data. The merged task vector should differ from each expert's as little as possible
    along that expert's own directions. A few steps of Adam from the sum lower this
    interference, matrix by matrix.

    Every matrix counts as a linear layer: weights alone do not tell a table from a map. Experts
    that left a matrix as it was take no part in it (the released code divides by zero there).
    """

    Options = Options
    scope = "tensor"

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """Matrix by matrix; one row."""
        rest = vectors.rows.mean(0)
        if self.options.rest == "base":
            rest.zero_()
        return by_matrix(vectors, rest, self.matrix)

    def matrix(self, rows: Tensor) -> Tensor:
        """What Adam makes of the matrices [K, a, b], in double precision: [a, b].

        The loss is a quadratic, so its gradient is ``2 (tau sum_i G_i - sum_i tau_i G_i)`` with
        ``G_i = tau_i^T tau_i / |tau_i|^2``: a product of two matrices a step, however many experts.
        """
        import torch

        o = self.options
        rows = rows[rows.flatten(1).any(1)]
        norms = rows.flatten(1).norm(dim=1)[:, None, None]
        grams = (rows.mT @ rows) / (norms.square() if o.norm == "squared" else norms)
        total, wanted = grams.sum(0), (rows @ grams).sum(0)
        merged = rows.sum(0)
        optimizer = torch.optim.Adam([merged], lr=o.lr)
        for _ in range(o.steps):
            merged.grad = 2 * (merged @ total - wanted)
            optimizer.step()
        return merged


class WudiClosedForm(TaskVectorStrategy):
    """The minimiser of WUDI's loss, which its few steps do not reach: another method.

    Idea: The interference that WUDI lowers in a few steps has a minimum in closed form. It is
    a least-squares problem, as RegMean's, with task vectors in the place of inputs. It is
    another method, because few steps stay far from that minimum.

    It is RegMean with each task vector in the place of its layer's inputs.
    """

    Options = ClosedOptions
    scope = "tensor"

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """Matrices by least interference; all else is the mean of the task vectors."""
        return by_matrix(vectors, vectors.rows.mean(0), self.matrix)

    def matrix(self, rows: Tensor) -> Tensor:
        """The minimiser [a, b] for the matrices [K, a, b], by one linear solve.

        With G_i = tau_i^T tau_i / |tau_i|^2 it is (sum tau_i G_i) (sum G_i + ridge)^-1.
        """
        import torch

        rows = rows[rows.flatten(1).any(1)]
        weights = rows / rows.flatten(1).norm(dim=1)[:, None, None]
        grams = weights.mT @ weights
        total = grams.sum(0)
        total.diagonal().add_(self.options.ridge * total.diagonal().mean())
        return torch.linalg.solve(total, (rows @ grams).sum(0), left=False)


_CHECKS: dict[str, tuple[Check, ...]] = {
    "wudi": (
        Check(
            "nathanielyvo/WUDI-Merging, get_redundant_task_vector, both norms, gradients by "
            "autograd",
            "tests/plugins/test_merging_agreement.py::test_wudi_as_released",
            "1e-9 relative, float64",
        ),
    ),
    "wudi-closed-form": (
        Check(
            "own: the published loss's gradient is zero there",
            ""
            "tests/plugins/test_merging_agreement.py::test_wudis_closed_form_has_no_gradient_and_is_another_method",
            "1e-12",
        ),
    ),
}


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """``wudi`` as published, and its closed form."""
    citation = "Cheng et al., Whoever Started the Interference Should End It, ICML 2025"
    return [
        StrategySpec(
            "wudi", f"{__name__}:Wudi",
            "A few steps of Adam from the sum towards least interference, matrix by matrix",
            checks=_CHECKS["wudi"],
            inputs=("base", "experts"), fidelity="code-verified", citation=citation,
        ),
        StrategySpec(
            "wudi-closed-form", f"{__name__}:WudiClosedForm",
            "The minimiser of WUDI's interference, matrix by matrix",
            checks=_CHECKS["wudi-closed-form"],
            inputs=("base", "experts"), fidelity="own", citation=f"after {citation}",
        ),
    ]  # fmt: skip
