"""Permutations of a transformer's hidden units and heads that change nothing that it computes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

Weights = Mapping[str, "Tensor"]


@dataclass(frozen=True)
class Axis:
    """Where a permutation acts on a parameter.

    Attributes:
        name: the parameter's.
        shape: as which it is viewed.
        axis: of that view, which is permuted.
    """

    name: str
    shape: tuple[int, ...]
    axis: int

    def permuted(self, tensor: Tensor, order: Tensor) -> Tensor:
        """The parameter with its units in another order: int64 [units], old numbers."""
        moved = tensor.reshape(self.shape).index_select(self.axis, order.to(tensor.device))
        return moved.reshape(tensor.shape)

    def units(self, tensor: Tensor) -> Tensor:
        """What each unit has of the parameter: float64 [units, entries]."""
        return tensor.double().reshape(self.shape).movedim(self.axis, 0).flatten(1)


@dataclass(frozen=True)
class Symmetry:
    """Units that may change places, and all that changes with them.

    Attributes:
        name: of the part of the net, for the record.
        axes: of one or more parameters; all have as many units.
    """

    name: str
    axes: tuple[Axis, ...]

    @property
    def size(self) -> int:
        """Number of units."""
        return self.axes[0].shape[self.axes[0].axis]


#: Feed-forward layers: what makes the hidden units, and what takes them.
_FEEDS = (
    ("{0}inner", "{0}outer"),  # of this package's transformers; SwiGLU's has gates, then values
    ("{0}linear1", "{0}linear2"),  # torch.nn.TransformerEncoderLayer
    ("{0}intermediate.dense", "{0}output.dense"),  # BERT and its kin
)
#: Attention: projections with how many of the same heads each holds, and what takes the heads.
_HEADS: tuple[tuple[tuple[tuple[str, int], ...], str], ...] = (
    ((("{0}qkv.weight", 3), ("{0}qkv.bias", 3)), "{0}out.weight"),
    (
        (("{0}query.weight", 1), ("{0}query.bias", 1), ("{0}memory.weight", 2),
         ("{0}memory.bias", 2)),
        "{0}out.weight",
    ),
    ((("{0}in_proj_weight", 3), ("{0}in_proj_bias", 3)), "{0}out_proj.weight"),
    (
        tuple(
            (f"{{0}}self.{part}{where}.{kind}", 1)
            for part in ("query", "key", "value")
            for where in ("", "_global")  # of Longformer's global tokens
            for kind in ("weight", "bias")
        ),
        "{0}output.dense.weight",
    ),
)  # fmt: skip


def symmetries(weights: Weights, heads: int) -> list[Symmetry]:
    """The symmetries of the feed-forward layers and, where there are `heads` above 1, of attention.

    Found by parameters' names and shapes: weights alone do not say how many heads there are. The
    residual stream is left alone: item tables, which stay with their domains, are written in its
    order.
    """
    feeds = list(_feeds(weights))
    return feeds + (list(_attention(weights, heads)) if heads > 1 else [])


def _prefixes(weights: Weights, name: str) -> Iterator[str]:
    """What stands for ``{0}`` in the names of parameters like `name`."""
    pattern = re.compile(r"((?:.*\.)?)" + re.escape(name.removeprefix("{0}")))
    for own in sorted(weights):
        if match := pattern.fullmatch(own):
            yield match[1]


def _feeds(weights: Weights) -> Iterator[Symmetry]:
    for made, taken in _FEEDS:
        for prefix in _prefixes(weights, f"{made}.weight"):
            source, sink = made.format(prefix), taken.format(prefix)
            inner, outer = weights[f"{source}.weight"], weights.get(f"{sink}.weight")
            if outer is None or inner.dim() != 2 or outer.dim() != 2:
                continue
            copies, rest = divmod(len(inner), outer.shape[1])
            if rest or copies not in (1, 2):
                continue
            names = [n for n in (f"{source}.weight", f"{source}.bias") if n in weights]
            yield Symmetry(source, _rows(weights, [(n, copies) for n in names], outer.shape[1])
                           + (Axis(f"{sink}.weight", tuple(outer.shape), 1),))  # fmt: skip


def _attention(weights: Weights, heads: int) -> Iterator[Symmetry]:
    for projections, taken in _HEADS:
        for prefix in _prefixes(weights, projections[0][0]):
            out = weights.get(taken.format(prefix))
            parts = [(n.format(prefix), copies) for n, copies in projections]
            parts = [(n, copies) for n, copies in parts if n in weights]
            if out is None or out.dim() != 2 or out.shape[1] % heads:
                continue
            if any(len(weights[n]) != copies * out.shape[1] for n, copies in parts):
                continue
            shape = (len(out), heads, out.shape[1] // heads)
            yield Symmetry(
                f"{prefix}heads",
                _rows(weights, parts, heads) + (Axis(taken.format(prefix), shape, 1),),
            )

    for prefix in _prefixes(weights, "{0}uvqk"):  # HSTU: four times the heads side by side
        uvqk, out = weights[f"{prefix}uvqk"], weights.get(f"{prefix}outer.weight")
        if out is not None and uvqk.dim() == 2 and out.shape[1] % heads == 0:
            width, inside = out.shape[1], out.shape[1] // heads
            if uvqk.shape[1] == 4 * width:
                yield Symmetry(
                    f"{prefix}heads",
                    (
                        Axis(f"{prefix}uvqk", (len(uvqk), 4, heads, inside), 2),
                        Axis(f"{prefix}outer.weight", (len(out), heads, inside), 1),
                    ),
                )


def _rows(weights: Weights, parts: list[tuple[str, int]], units: int) -> tuple[Axis, ...]:
    """First axes that hold the units' rows one or several times."""
    axes = []
    for name, copies in parts:
        first, *rest = weights[name].shape
        axes.append(Axis(name, (copies, units, first // (copies * units), *rest), 1))
    return tuple(axes)


def permuted(weights: Weights, symmetry: Symmetry, order: Tensor) -> dict[str, Tensor]:
    """The same function with a part's units in another order: int64 [units], old numbers."""
    changed = {axis.name: axis.permuted(weights[axis.name], order) for axis in symmetry.axes}
    return {**weights, **changed}


def matched(target: Weights, weights: Weights, symmetry: Symmetry) -> Tensor:
    """The order of a model's units that is nearest to a target's: int64 [units].

    The assignment that maximises the sum of inner products of what the units have of all
    parameters (Ainsworth et al., eq. 1 of one permutation).
    """
    import torch
    from scipy.optimize import linear_sum_assignment

    alike = torch.zeros((symmetry.size, symmetry.size), dtype=torch.float64)
    for axis in symmetry.axes:
        alike += (axis.units(target[axis.name]) @ axis.units(weights[axis.name]).T).cpu()
    return torch.from_numpy(linear_sum_assignment(alike.numpy(), maximize=True)[1])
