"""Merging checkpoints, files or in memory: as much at a time as the method has to see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from recmerge_bench.borders.merges import check_merged, check_prepass
from recmerge_bench.definitions import Expert, StrategyDefinition
from recmerge_bench.errors import HandledError
from recmerge_bench.merging.checkpoints import Checkpoint, Weights, Writer, check_alike, writing
from recmerge_bench.merging.in_memory import Collected
from recmerge_bench.policy import action, select
from recmerge_bench.tiers import MergeInput
from recmerge_bench.toolkit.merging.blocks import TaskVectorBlocks
from recmerge_bench.toolkit.merging.strategy import ScaledStrategy, norm_scale

Progress = Callable[[int], None]
#: Entries that a method of scope ``entry`` is given at a time.
BLOCK = 1 << 18


class Streamed:
    """A base and its experts, and what becomes of each parameter.

    Args:
        base: the base's file, or its tensors in memory; a strategy is handed copies of these.
        experts: likewise, at least one.
        policy: parameter-name prefix -> ``merge``, ``base``, ``drop`` or ``concatenate`` (the
            experts' tensors one under the other, in their order: item tables); the longest
            matching prefix wins, ``merge`` where none matches. Integer tensors are the base's.

    Raises:
        HandledError: the files do not fit together, or nothing is left to merge.
    """

    def __init__(
        self,
        base: Path | Weights,
        experts: Sequence[Path | Weights],
        policy: Mapping[str, str] | None = None,
    ) -> None:
        self.base = _opened(base)
        self.experts = [_opened(expert) for expert in experts]
        self._lent = not all(isinstance(w, Checkpoint) for w in (self.base, *self.experts))
        self._whole_precision = False
        rules = policy or {}
        self.stacked = self._stacked(rules)
        self._check_experts(rules)
        tensors = {n: self.base[n] for n in self.base.names if n not in self.stacked}
        self.merged = sorted(select(tensors, rules, "merge"))
        dropped = select(tensors, rules, "drop")
        kept = {n: t for n, t in tensors.items() if n not in dropped}
        self.kept = dict(sorted((kept | self.stacked).items()))
        if not self.merged:
            raise HandledError("nothing is left to merge: every parameter is an integer or kept")

    def _check_experts(self, policy: Mapping[str, str]) -> None:
        """Each expert's tensors are the base's in name, dtype and shape."""
        for expert in self.experts:
            # What is dropped need not be alike, nor be in all files (a head of pre-training).
            names = {*self.base.names, *expert.names}
            apart = {n for n in names if action(n, policy) == "drop"} | set(self.stacked)
            check_alike(self.base, expert, apart)

    def _stacked(self, policy: Mapping[str, str]) -> dict[str, Tensor]:
        """Names whose tensors stand one under the other, with an empty tensor of that shape."""
        names = [n for n in self.experts[0].names if action(n, policy) == "concatenate"]
        return {name: self._stack(name) for name in names}

    def _stack(self, name: str) -> Tensor:
        for expert in self.experts:
            if name not in expert.names:
                raise HandledError(f"{expert.path} lacks '{name}', which is to be concatenated")
        parts = [expert[name] for expert in self.experts]
        if len({(p.dtype, p.shape[1:]) for p in parts}) > 1 or parts[0].dim() == 0:
            raise HandledError(f"'{name}' cannot be concatenated: rows differ among experts")
        shape = (sum(len(p) for p in parts), *parts[0].shape[1:])
        return torch.empty(shape, dtype=parts[0].dtype, device="meta")

    def bytes(self) -> tuple[int, int]:
        """Bytes that are read at the least, and that are written."""
        size = sum(t.numel() * t.element_size() for t in self.kept.values())
        return size * (1 + len(self.experts)), size

    def merge(
        self,
        strategy: StrategyDefinition,
        out: Path | Collected,
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
            start, done = self.base[name].reshape(-1), 0
            while done < start.numel():
                stretch = next(stretches).reshape(-1)
                origin = start[done : done + stretch.numel()]
                total += float((stretch.float() - origin.float()).double().square().sum())
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
        outs: Mapping[float, Path],
        seed: int = 0,
        metadata: Mapping[str, str] | None = None,
        progress: Progress = lambda done: None,
    ) -> dict[str, Any]:
        """Merge with several scales in one pass over the files.

        Args:
            strategy: of data tier T0, `StrategyDefinition.scaled`, its own scale 1.
            outs: scale -> the file to write.
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
        outs: Mapping[Any, Path | Collected],
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
        tensors = {n: self.base[n] for n in self.merged}
        changed = [False] * len(self.experts)
        done = 0
        with ExitStack() as stack:
            writers: dict[Any, Writer | Collected] = {
                scale: stack.enter_context(writing(out, self.kept, _titled(metadata, scale)))
                if isinstance(out, Path)
                else out
                for scale, out in outs.items()
            }
            self._whole_precision = None not in outs
            stretches = self._stretches(strategy, seed, changed)
            for name, tensor in self.kept.items():
                if name in tensors:
                    self._write_merged(name, tensor, stretches, writers, done, progress)
                    done += tensor.numel()
                    continue
                for part in self._unmerged(name, tensor):
                    for writer in writers.values():
                        writer.write(part)
            self._all_changed(changed)
        stacked = sum(t.numel() for t in self.stacked.values())
        kept = sum(t.numel() for t in self.kept.values()) - done - stacked
        return {"merged": done, "kept_of_base": kept, "concatenated": stacked}

    def _unmerged(self, name: str, tensor: Tensor) -> Iterator[Tensor]:
        """What stands in the merged file as it came: the base's, or the experts' one by one."""
        if name not in self.stacked:
            yield tensor
            return
        for expert in self.experts:
            self._finite(expert[name], name, expert.path)
            yield expert[name]

    def _write_merged(
        self,
        name: str,
        tensor: Tensor,
        stretches: Iterator[Tensor],
        writers: Mapping[Any, Writer | Collected],
        done: int,
        progress: Progress,
    ) -> None:
        """The merged tensor, piece by piece, to each scale's writer."""
        written = 0
        while written < tensor.numel():
            stretch = next(stretches)
            start = tensor.reshape(-1)[written : written + stretch.numel()]
            for scale, writer in writers.items():
                made = stretch if scale is None else _at(start, stretch, scale)
                self._finite(made.to(tensor.dtype), name, made=made)
                writer.write(made.to(tensor.dtype))
            written += stretch.numel()
            progress(done + written)

    # -- pieces --------------------------------------------------------------------------------

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
            size = BLOCK if own.scope == "entry" else max(1, self.base[name].numel())
            for first in range(0, self.base[name].numel(), size):
                yield self._merge_part(own, name, slice(first, first + size), seed, changed)

    def _merge_part(
        self, strategy: StrategyDefinition, name: str, part: slice, seed: int, changed: list[bool]
    ) -> Tensor:
        start = self.base[name]
        entries = part.stop - part.start < start.numel() or start.dim() == 0
        part_of = (lambda t: t.reshape(-1)[part]) if entries else (lambda t: t)
        base = self._exact(part_of(start))
        experts = []
        for number, expert in enumerate(self.experts):
            own = self._exact(part_of(expert[name]))
            self._finite(own, name, expert.path)
            changed[number] = changed[number] or not torch.equal(own, base)
            experts.append(Expert(str(expert.path), {name: own}))
        made = strategy.merge(MergeInput({name: base}, tuple(experts), seed))
        return check_merged(strategy, {name: base}, made, finite=False)[name].reshape(-1)

    def _whole(
        self, strategy: StrategyDefinition, seed: int, changed: list[bool]
    ) -> Iterator[Tensor]:
        """A method that needs everything at once gets it."""
        base = {n: self._exact(self.base[n]) for n in self.merged}
        experts = []
        for number, expert in enumerate(self.experts):
            own = {n: self._exact(expert[n]) for n in self.merged}
            for name, tensor in own.items():
                self._finite(tensor, name, expert.path)
                changed[number] = changed[number] or not torch.equal(tensor, base[name])
            experts.append(Expert(str(expert.path), own))
        merged = check_merged(
            strategy, base, strategy.merge(MergeInput(base, tuple(experts), seed)), finite=False
        )
        for name in self.merged:
            yield merged[name].reshape(-1)

    def _exact(self, tensor: Tensor) -> Tensor:
        """What a strategy is handed: a copy of what is a caller's own.

        In fp32 where several scales are made of one merge: each is rounded once.
        """
        exact = tensor.float() if self._whole_precision else tensor
        return exact.clone() if self._lent else exact

    def _blocks(self, names: Sequence[str], seed: int = 0) -> TaskVectorBlocks:
        return TaskVectorBlocks(
            [self.base[n] for n in names], [[e[n] for n in names] for e in self.experts], seed
        )

    # -- checks --------------------------------------------------------------------------------

    def _finite(
        self, tensor: Tensor, name: str, path: Path | None = None, made: Tensor | None = None
    ) -> None:
        # A sum is finite if every entry is, but for an overflow: then look at each.
        if not bool(tensor.sum(dtype=torch.float32).isfinite()) and not bool(
            tensor.isfinite().all()
        ):
            whose = f"{path}: " if path else "the merged "
            large = made is not None and bool(made.isfinite().all())
            why = f": what was merged does not fit {tensor.dtype}" if large else ""
            raise HandledError(f"{whose}'{name}' holds NaN or infinite values{why}")

    def _all_changed(self, changed: Sequence[bool]) -> None:
        for expert, differs in zip(self.experts, changed, strict=True):
            if not differs:
                raise HandledError(f"{expert.path} equals the base: it adds no task vector")


def _opened(given: Path | Weights) -> Weights:
    return Checkpoint(given) if isinstance(given, Path) else given


def _at(start: Tensor, merged: Tensor, scale: float) -> Tensor:
    """``start + scale * (merged - start)`` in fp32: the merge at another scale than 1."""
    origin = start.float()
    return torch.add(origin, merged.float() - origin, alpha=scale)


def _titled(metadata: Mapping[str, str] | None, scale: float | None) -> dict[str, str]:
    return {**(metadata or {}), **({} if scale is None else {"scale": str(scale)})}
