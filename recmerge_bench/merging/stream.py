"""Merging checkpoints, files or in memory: as much at a time as the method has to see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from copy import copy
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from recmerge_bench.borders.merges import check_merged, check_prepass
from recmerge_bench.definitions import Expert, StrategyDefinition
from recmerge_bench.errors import HandledError
from recmerge_bench.merging.checkpoints import Weights, Writes, writing
from recmerge_bench.merging.in_memory import Collected
from recmerge_bench.merging.opening import open_weights
from recmerge_bench.merging.parameters import Parameters
from recmerge_bench.merging.precision import common
from recmerge_bench.tiers import MergeInput
from recmerge_bench.toolkit.merging.blocks import TaskVectorBlocks
from recmerge_bench.toolkit.merging.strategy import ScaledStrategy, norm_scale
from recmerge_bench.toolkit.merging.vectors import working

Progress = Callable[[int], None]
#: Entries that a method of scope ``entry`` is given at a time, of each expert.
BLOCK = 1 << 18
#: Experts up to which it is so many: of more it is given fewer, so that their number costs no
#: memory.
FEW = 8


class Announced(Protocol):
    """A place for a merged model that wants to know its tensors before they come."""

    def writing(
        self, like: Mapping[str, Tensor], metadata: Mapping[str, str]
    ) -> AbstractContextManager[Writes]:
        """What takes the tensors; the model is there when the context ends well."""


#: A file, a place such as a folder, or memory.
Out = Path | Announced | Collected


class Streamed:
    """A base and its experts, and what becomes of each parameter.

    Args:
        base: the base's file or folder, or its tensors; a strategy is handed copies of a caller's.
        experts: likewise, at least one. Floats may be of another precision than the base's:
            merging is computed in one that holds all of them.
        policy: parameter-name prefix -> ``merge``, ``base``, ``drop`` or ``concatenate`` (the
            experts' tensors one under the other, in their order: item tables); the longest
            matching prefix wins, ``merge`` where none matches. Integer tensors are the base's.
            What each expert has under a domain's name is kept (`parameters.owned_by_experts`).
        dtype: of the merged model's floats; each as the base's if absent.

    Raises:
        HandledError: the files do not fit together, or nothing is left to merge.
    """

    def __init__(
        self,
        base: Path | Weights,
        experts: Sequence[Path | Weights],
        policy: Mapping[str, str] | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        self.base = _opened(base)
        self.experts = [_opened(expert) for expert in experts]
        self._lent = any(w.lent for w in (self.base, *self.experts))
        self._whole_precision = False
        self.parameters = Parameters.of(self.base, self.experts, policy or {}, dtype)
        self.kept, self.merged = self.parameters.kept, self.parameters.merged

    def bytes(self) -> tuple[int, int]:
        """Bytes that are read at the least, and that are written."""
        size = self.parameters.size()
        return size * (1 + len(self.experts)), size

    def rehearse(self, strategy: StrategyDefinition, names: Sequence[str], seed: int = 0) -> int:
        """Merge these of the merged parameters and throw them away, to see how long it takes.

        Returns:
            entries that were merged.
        """
        part = copy(self)
        part.merged = sorted(names)
        unchanged = [False] * len(self.experts)
        return sum(stretch.numel() for stretch in part._stretches(strategy, seed, unchanged))

    def merge(
        self,
        strategy: StrategyDefinition,
        out: Out,
        seed: int = 0,
        metadata: Mapping[str, str] | None = None,
        progress: Progress = lambda done: None,
    ) -> dict[str, Any]:
        """Merge into a file, or into memory, see `sweep`.

        Where the method's scale is chosen by a rule, the files are gone through twice: once to
        measure, once to write.

        Args:
            strategy: of data tier T0.
            out: the file to write, or what collects the tensors.
            seed: for strategies that draw.
            metadata: the file's metadata.
            progress: told how many merged entries are written.
        """
        if isinstance(strategy, ScaledStrategy) and strategy.by_rule():
            whole = strategy.at(1.0)
            scale = self._scale(whole, seed)
            facts = self._write(whole, {scale: out}, seed, metadata, progress)
            return {**facts, "scale": scale}
        return self._write(strategy, {None: out}, seed, metadata, progress)

    def _scale(self, strategy: StrategyDefinition, seed: int) -> float:
        """`norm_scale` of a method at scale 1: what it adds is measured and thrown away."""
        changed = [False] * len(self.experts)
        self._whole_precision = True
        stretches, total = self._stretches(strategy, seed, changed), 0.0
        for name in self.merged:
            done = 0
            while done < self.kept[name].numel():
                stretch = next(stretches).reshape(-1)
                origin = self.base.entries(name, slice(done, done + stretch.numel()))
                total += float((working(stretch) - working(origin)).double().square().sum())
                done += stretch.numel()
        self._all_changed(changed)
        rows = self._blocks(self.merged)
        lengths = [
            sum(float(block.double().square().sum()) for block in rows.of(k)) ** 0.5
            for k in range(len(rows))
        ]
        return norm_scale(lengths, total**0.5)

    def sweep(
        self,
        strategy: StrategyDefinition,
        outs: Mapping[float, Path | Announced],
        seed: int = 0,
        metadata: Mapping[str, str] | None = None,
        progress: Progress = lambda done: None,
    ) -> dict[str, Any]:
        """Merge with several scales in one pass over the files.

        Args:
            strategy: of data tier T0, `StrategyDefinition.scaled`, its own scale 1.
            outs: scale -> the file or place to write to.
            seed: as in `merge`.
            metadata: as in `merge`, beside the scale.
            progress: as in `merge`.

        Returns:
            Facts for the record, as in `merge`.

        Raises:
            HandledError: the strategy is not linear in a scale, or as in `merge`.
        """
        if not strategy.scaled or getattr(strategy.options, "scale", None) != 1:
            raise HandledError("a sweep needs a method whose scale multiplies what it adds")
        return self._write(strategy, outs, seed, metadata, progress)

    def _write(
        self,
        strategy: StrategyDefinition,
        outs: Mapping[Any, Out],
        seed: int,
        metadata: Mapping[str, str] | None,
        progress: Progress,
    ) -> dict[str, Any]:
        """Merge once, write a file for each scale, or collect the tensors.

        Returns:
            Facts for the record: how many entries were merged, kept of the base, concatenated.

        Raises:
            HandledError: NaN or infinite weights, an expert that equals the base. No file is
                left.
        """
        changed = [False] * len(self.experts)
        merged, done = set(self.merged), 0
        with ExitStack() as stack:
            writers: dict[Any, Writes] = {
                scale: _writer(stack, out, self.kept, _titled(metadata, scale))
                for scale, out in outs.items()
            }
            self._whole_precision = None not in outs
            stretches = self._stretches(strategy, seed, changed)
            for name, like in self.kept.items():
                if name in merged:
                    self._write_merged(name, like, stretches, writers, done, progress)
                    done += like.numel()
                    continue
                for part in self._unmerged(name):
                    for writer in writers.values():
                        writer.write(part.to(like.dtype))
            self._all_changed(changed)
        return self.parameters.numbers()

    def _unmerged(self, name: str) -> Iterator[Tensor]:
        """What stands in the merged model as it came: of the base, or of experts one by one."""
        whose: Sequence[Weights] = [self.base]
        if name in self.parameters.stacked:
            whose = self.experts
        elif name in self.parameters.owned:
            whose = [self.experts[self.parameters.owned[name]]]
        for model in whose:
            tensor = model[name]
            if model is not self.base:
                self._finite(tensor, name, model.path)
            yield tensor

    def _write_merged(
        self,
        name: str,
        like: Tensor,
        stretches: Iterator[Tensor],
        writers: Mapping[Any, Writes],
        done: int,
        progress: Progress,
    ) -> None:
        """The merged tensor, stretch by stretch, to each scale's writer."""
        written = 0
        while written < like.numel():
            stretch = next(stretches)
            for scale, writer in writers.items():
                made = stretch
                if scale is not None:
                    start = self.base.entries(name, slice(written, written + stretch.numel()))
                    made = _at(start, stretch, scale)
                rounded = made.to(like.dtype)
                self._finite(rounded, name, made=made)
                writer.write(rounded)
            written += stretch.numel()
            progress(done + written)

    # -- stretches -----------------------------------------------------------------------------

    def _stretches(
        self, strategy: StrategyDefinition, seed: int, changed: list[bool]
    ) -> Iterator[Tensor]:
        """Merged stretches of the merged parameters, in order."""
        prepass_scope = strategy.prepass_scope()
        if prepass_scope == "model":
            strategy = check_prepass(strategy, strategy.prepass(self._blocks(self.merged, seed)))
        elif strategy.scope == "model" and not prepass_scope:
            yield from self._whole(strategy, seed, changed)
            return
        for name in self.merged:
            own = strategy
            if prepass_scope == "tensor":
                own = check_prepass(strategy, strategy.prepass(self._blocks([name], seed)))
            total, dtype = self.kept[name].numel(), self._working_dtype(name)
            size = self._stretch() if own.scope == "entry" else max(1, total)
            for first in range(0, total, size):
                part = slice(first, first + size)
                yield self._merge_part(own, name, part, dtype, seed, changed)

    def _stretch(self) -> int:
        """Entries of each expert at a time."""
        return max(1, BLOCK * FEW // max(FEW, len(self.experts)))

    def _merge_part(
        self, strategy: StrategyDefinition, name: str, part: slice, dtype: torch.dtype, seed: int,
        changed: list[bool],
    ) -> Tensor:  # fmt: skip
        like = self.kept[name]
        whole = like.dim() > 0 and part.stop - part.start >= like.numel()

        def read(weights: Weights) -> Tensor:
            return self._exact(weights[name] if whole else weights.entries(name, part), dtype)

        base, experts = read(self.base), []
        for number, expert in enumerate(self.experts):
            own = read(expert)
            self._finite(own, name, expert.path)
            changed[number] = changed[number] or not torch.equal(own, base)
            experts.append(Expert(str(expert.path), {name: own}))
        made = strategy.merge(MergeInput({name: base}, tuple(experts), seed))
        return check_merged(strategy, {name: base}, made, finite=False)[name].reshape(-1)

    def _whole(
        self, strategy: StrategyDefinition, seed: int, changed: list[bool]
    ) -> Iterator[Tensor]:
        """A method that needs everything at once gets it."""
        dtypes = {n: self._working_dtype(n) for n in self.merged}
        base = {n: self._exact(self.base[n], dtype) for n, dtype in dtypes.items()}
        experts = []
        for number, expert in enumerate(self.experts):
            own = {n: self._exact(expert[n], dtype) for n, dtype in dtypes.items()}
            for name, tensor in own.items():
                self._finite(tensor, name, expert.path)
                changed[number] = changed[number] or not torch.equal(tensor, base[name])
            experts.append(Expert(str(expert.path), own))
        merged = check_merged(
            strategy, base, strategy.merge(MergeInput(base, tuple(experts), seed)), finite=False
        )
        for name in self.merged:
            yield merged[name].reshape(-1)

    def _working_dtype(self, name: str) -> torch.dtype:
        """What a strategy is handed a parameter in: it holds every model's, and the merged one's.

        At least fp32 where several scales are made of one merge: each is rounded once.
        """
        models = (self.base, *self.experts)
        dtypes = [*(m.like(name).dtype for m in models), self.kept[name].dtype]
        return common([*dtypes, torch.float32] if self._whole_precision else dtypes)

    def _exact(self, tensor: Tensor, dtype: torch.dtype) -> Tensor:
        """What a strategy is handed: a copy of what is a caller's own."""
        exact = tensor.to(dtype)
        return exact.clone() if self._lent and exact is tensor else exact

    def _blocks(self, names: Sequence[str], seed: int = 0) -> TaskVectorBlocks:
        def flat(weights: Weights, number: int) -> Tensor:
            return weights[names[number]].reshape(-1)

        return TaskVectorBlocks.read(
            [self.kept[n].numel() for n in names], len(self.experts), partial(flat, self.base),
            lambda expert, number: flat(self.experts[expert], number), seed,
        )  # fmt: skip

    # -- checks --------------------------------------------------------------------------------

    def _finite(
        self, tensor: Tensor, name: str, path: Path | None = None, made: Tensor | None = None
    ) -> None:
        # A sum is finite if every entry is, but for an overflow: then look at each.
        if not isfinite(tensor.sum(dtype=torch.float32)) and not bool(tensor.isfinite().all()):
            whose = f"{path}: " if path else "the merged "
            large = made is not None and bool(made.isfinite().all())
            why = f": what was merged does not fit {tensor.dtype}" if large else ""
            raise HandledError(f"{whose}'{name}' holds NaN or infinite values{why}")

    def _all_changed(self, changed: Sequence[bool]) -> None:
        for expert, differs in zip(self.experts, changed, strict=True):
            if not differs:
                raise HandledError(f"{expert.path} equals the base: it adds no task vector")


def _opened(given: Path | Weights) -> Weights:
    return open_weights(given) if isinstance(given, Path) else given


def _writer(
    stack: ExitStack, out: Out, kept: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> Writes:
    if isinstance(out, Collected):
        return out
    if isinstance(out, Path):
        return stack.enter_context(writing(out, kept, metadata))
    return stack.enter_context(out.writing(kept, metadata))


def _at(start: Tensor, merged: Tensor, scale: float) -> Tensor:
    """``start + scale * (merged - start)``, at least in fp32: the merge at another scale than 1."""
    origin = working(start)
    return torch.add(origin, working(merged) - origin, alpha=scale)


def _titled(metadata: Mapping[str, str] | None, scale: float | None) -> dict[str, str]:
    return {**(metadata or {}), **({} if scale is None else {"scale": str(scale)})}
