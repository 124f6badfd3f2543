"""Experts that count more or less: task vectors multiplied before a method sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import torch
from torch import Tensor

from recmerge_bench.errors import HandledError, near
from recmerge_bench.merging.checkpoints import Weights, empty_like
from recmerge_bench.merging.parameters import prefixes
from recmerge_bench.merging.precision import common
from recmerge_bench.toolkit.merging.vectors import working


@dataclass(frozen=True)
class Share:
    """How much an expert counts.

    Attributes:
        weight: everywhere else than in `layers`.
        layers: pattern of parameter names -> weight; the longest that matches wins, and of a
            parameter no two that are as long as each other.
    """

    weight: float = 1.0
    layers: Mapping[str, float] = field(default_factory=dict)

    def of(self, name: str) -> float:
        """Of a parameter."""
        matching = [pattern for pattern in self.layers if fnmatchcase(name, pattern)]
        return self.layers[max(matching, key=len)] if matching else self.weight


class Weighted(Weights):
    """``base + w (expert - base)``, made as it is looked at.

    Args:
        base: of the expert.
        expert: see above.
        weights: parameter -> w; 1 where nothing is said.
    """

    def __init__(self, base: Weights, expert: Weights, weights: Mapping[str, float]) -> None:
        self.path, self.names = expert.path, expert.names
        self._base, self._expert, self._weights = base, expert, weights

    def __getitem__(self, name: str) -> Tensor:
        own = self._expert[name]
        return own if name not in self._weights else self._moved(self._base[name], own, name)

    def like(self, name: str) -> Tensor:
        """In fp32 at least where it is weighted."""
        like = self._expert.like(name)
        if name not in self._weights:
            return like
        return empty_like(like, common([like.dtype, self._base.like(name).dtype, torch.float32]))

    def entries(self, name: str, part: slice) -> Tensor:
        """Of the stretch alone."""
        own = self._expert.entries(name, part)
        if name not in self._weights:
            return own
        return self._moved(self._base.entries(name, part), own, name)

    def files(self) -> list[Path]:
        """The expert's."""
        return self._expert.files()

    def _moved(self, base: Tensor, own: Tensor, name: str) -> Tensor:
        start = working(base)
        return torch.add(start, working(own) - start, alpha=self._weights[name])


def weighted(
    base: Weights, experts: Sequence[Weights], shares: Sequence[Share], normalize: bool
) -> list[Weights]:
    """Experts with their weights.

    Args:
        base: of all.
        experts: in order.
        shares: of each.
        normalize: divide weights by their mean over the experts, parameter by parameter.

    Raises:
        HandledError: a pattern that no parameter has, weights whose mean is zero.
    """
    if not normalize and all(s == Share() for s in shares):
        return list(experts)
    for share, expert in zip(shares, experts, strict=True):
        _check_patterns(share, expert)
    rows = {
        name: [s.of(name) for s in shares] for name in base.names
        if base.like(name).is_floating_point()
    }  # fmt: skip
    if normalize:
        rows = {name: _divided(name, row) for name, row in rows.items()}
    made: list[Weights] = []
    for number, expert in enumerate(experts):
        known = set(expert.names)
        own = {
            n: row[number] for n, row in rows.items()
            if row[number] != 1 and n in known and expert.like(n).shape == base.like(n).shape
        }  # fmt: skip
        if own.keys() == rows.keys() and not any(own.values()):
            raise HandledError(f"{expert.path} has weight 0 everywhere: leave it out")
        made.append(Weighted(base, expert, own))
    return made


def _divided(name: str, row: Sequence[float]) -> list[float]:
    mean = sum(row) / len(row)
    if mean == 0:
        raise HandledError(f"the experts' weights of '{name}' add up to 0: they have no mean to be "
                           "divided by (normalize)")  # fmt: skip
    return [weight / mean for weight in row]


def _check_patterns(share: Share, expert: Weights) -> None:
    for name in expert.names:
        matching = [pattern for pattern in share.layers if fnmatchcase(name, pattern)]
        longest = [p for p in matching if len(p) == max(map(len, matching))]
        if len(longest) > 1:
            raise HandledError(
                f"{expert.path}: the patterns '{longest[0]}' and '{longest[1]}' are as long as "
                f"each other and both match '{name}': make one longer"
            )
    for pattern in share.layers:
        if not any(fnmatchcase(name, pattern) for name in expert.names):
            raise HandledError(
                f"{expert.path}: no parameter's name matches '{pattern}'"
                f"{_hint(pattern, expert.names)}"
            )


def _hint(pattern: str, names: Sequence[str]) -> str:
    """What was meant, as patterns where one was given, and a name that there is."""
    start, star, _ = pattern.partition("*")
    known = [f"{beginning}*" for beginning in prefixes(names)] if star else names
    return f"{near(start + star, known)}; there is '{names[0]}'"
