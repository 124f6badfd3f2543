"""What requirements are tried on: a definition and the tiny data that it is run with."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recmerge_bench.conformance.state import changes
from recmerge_bench.definition import Definition
from recmerge_bench.processes.memory import peak_memory, reset_peak


@dataclass(frozen=True)
class Run:
    """One run of all that a definition computes.

    Attributes:
        outputs: arrays by name.
        changed: what of the process's state it changed, a phrase for each.
        seconds: that it took.
        memory: bytes that it took beyond what was there, at its peak.
    """

    outputs: Mapping[str, np.ndarray]
    changed: tuple[str, ...]
    seconds: float
    memory: int


@dataclass
class Subject:
    """A definition under test.

    Attributes:
        definition: made with the options that are tried.
        measured: requirement -> numbers worth telling, for its outcome.
        device: where it runs, ``cpu`` or ``cuda``.
        kept: what requirements share, so that it is computed once; by name.
    """

    definition: Any
    measured: dict[str, dict[str, float]] = field(default_factory=dict, kw_only=True)
    device: str = field(default="cpu", kw_only=True)
    kept: dict[str, Any] = field(default_factory=dict, kw_only=True)

    @property
    def who(self) -> str:
        """What messages call it."""
        return type(self.definition).__name__

    def again(self) -> Definition:
        """Another definition with the same options, as another process would make it."""
        made: Definition = type(self.definition)(self.definition.options)
        return made

    def outputs(self) -> dict[str, np.ndarray]:
        """All that it computes, once, on the tiny data: arrays by name."""
        raise NotImplementedError

    def first(self) -> Run:
        """The first run of `outputs`, watched and measured; made once."""
        if "first" not in self.kept:
            self.warm()
            with changes() as changed:
                before, wall, own = reset_peak(), time.perf_counter(), time.process_time()
                outputs = self.outputs()
                # The lesser: others share the machine, and threads add up.
                seconds = min(time.perf_counter() - wall, time.process_time() - own)
                peak = peak_memory()
            self.kept["first"] = Run(outputs, tuple(changed), seconds, max(0, peak - before))
        run: Run = self.kept["first"]
        return run

    def reseeded(self) -> dict[str, list[str]]:
        """Method -> the global random states that it sets, where drawing from them is allowed.

        Elsewhere any change of them is found by `first`.
        """
        return {}

    def warm(self) -> None:
        """Make what is not the definition's own doing: data, trained experts."""


def as_arrays(tensors: Mapping[str, Any], prefix: str = "") -> dict[str, np.ndarray]:
    """Tensors as arrays by name; of those without a numpy type, their bytes' values."""
    import torch

    arrays = {}
    for name, tensor in tensors.items():
        plain = tensor.detach().cpu()
        if plain.dtype == torch.bfloat16:
            plain = plain.float()
        arrays[f"{prefix}{name}"] = plain.numpy().copy()
    return arrays


def difference(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> str:
    """Where two outputs are not the same bytes, in words; empty where they are."""
    if set(one) != set(other):
        return f"'{sorted(set(one) ^ set(other))[0]}' is in one and not in the other"
    for name in sorted(one):
        a, b = one[name], other[name]
        if a.shape != b.shape or a.dtype != b.dtype:
            return f"'{name}' is {a.dtype} {list(a.shape)} and {b.dtype} {list(b.shape)}"
        if not np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
            return f"'{name}' differs{_by(a, b)}"
    return ""


def _by(a: np.ndarray, b: np.ndarray) -> str:
    if a.dtype.kind not in "fiu" or not a.size:
        return ""
    largest = np.abs(a.astype(np.float64) - b.astype(np.float64)).max()
    return f" by up to {largest:.3g} in {int((a != b).sum())} of {a.size} values"


def apart(a: Any, b: Any) -> float:
    """The largest difference of two tensors, as a share of their spread (1 where they have none).

    Infinite where one of them holds what is not finite.
    """
    a, b = a.detach().double().cpu(), b.detach().double().cpu()
    if not a.numel():
        return 0.0
    if not bool(a.isfinite().all() and b.isfinite().all()):
        return float("inf")
    spread = float((a - a.mean()).abs().max()) or 1.0
    return float((a - b).abs().max()) / spread


__all__ = ["Run", "Subject", "apart", "as_arrays", "difference"]
