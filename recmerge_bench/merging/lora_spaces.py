"""Adapters merged as adapters: what a method sees of them, and how its result is one again.

A method for task vectors is handed zeros as the base and each adapter as an expert, in one of three
forms of each module's ``s_k B_k A_k``:

``products``: the product itself, [out, in]; the merged one is cut to a rank by its SVD.
``factors``: ``sqrt(s_k) A_k`` and ``sqrt(s_k) B_k`` apart, as PEFT's ``linear``, ``ties`` and
    ``dare_*`` have it: their product has terms ``B_i A_j`` of no adapter.
``knots``: ``[s_1 B_1 A_1, ..., s_K B_K A_K] = U S [V_1, ..., V_K]``; ``S V_k`` is merged, ``U`` put
    before the result (Stoica et al., Model merging with SVD to tie the KnOTS, ICLR 2025).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import torch
from torch import Tensor

from recmerge_bench.errors import HandledError, near
from recmerge_bench.files import write_json
from recmerge_bench.merging.checkpoints import FORMAT, Weights
from recmerge_bench.merging.folders import ADAPTER, copy_companions
from recmerge_bench.merging.lora import ADAPTER_WEIGHTS, PREFIX, Adapter, Pair
from recmerge_bench.toolkit.merging.spectral import svd
from recmerge_bench.toolkit.merging.vectors import working

SpaceName = Literal["products", "factors", "knots"]
SPACES: tuple[str, ...] = get_args(SpaceName)
#: Singular values that the authors of KnOTS leave out.
_LEAST = 1e-5


class Space:
    """A form of adapters of the same modules.

    Args:
        adapters: at least one.

    Raises:
        HandledError: their modules differ, or their shapes.
    """

    #: Whether a rank may be chosen.
    ranked: ClassVar[bool] = True

    def __init__(self, adapters: Sequence[Adapter]) -> None:
        self.adapters = adapters
        self.modules = sorted(adapters[0].pairs)
        for adapter in adapters[1:]:
            _check_modules(adapters[0], adapter)
        self.rank = max(p.rank for a in adapters for p in a.pairs.values())

    def pairs(self, module: str) -> list[Pair]:
        """What each adapter adds to a module."""
        return [a.pairs[module] for a in self.adapters]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the tensors that a method sees, by name."""
        raise NotImplementedError

    def tensor(self, adapter: int, name: str) -> Tensor:
        """One of an adapter's."""
        raise NotImplementedError

    def factors(self, name: str, merged: Tensor, rank: int) -> dict[tuple[str, str], Tensor]:
        """(module, "A" or "B") -> the factor, of a merged tensor; scale 1."""
        raise NotImplementedError


class Products(Space):
    """``s B A``."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """[out, in]."""
        return {m: self.pairs(m)[0].shape for m in self.modules}

    def tensor(self, adapter: int, name: str) -> Tensor:
        """The product."""
        return self.adapters[adapter].pairs[name].product()

    def factors(self, name: str, merged: Tensor, rank: int) -> dict[tuple[str, str], Tensor]:
        """By the SVD: the nearest of that rank (Eckart and Young)."""
        a, b = _balanced(merged, rank)
        return {(name, "A"): a, (name, "B"): b}


class Factors(Space):
    """``sqrt(s) A`` and ``sqrt(s) B``."""

    ranked = False

    def __init__(self, adapters: Sequence[Adapter]) -> None:
        super().__init__(adapters)
        for module in self.modules:
            ranks = [p.rank for p in self.pairs(module)]
            if len(set(ranks)) > 1:
                raise HandledError(
                    f"the adapters' ranks differ at '{module}' ({', '.join(map(str, ranks))}): "
                    "factors cannot be merged; products and knots can"
                )

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """[r, in] and [out, r]."""
        shapes: dict[str, tuple[int, ...]] = {}
        for module in self.modules:
            pair = self.pairs(module)[0]
            shapes[f"{module}.A"], shapes[f"{module}.B"] = tuple(pair.a.shape), tuple(pair.b.shape)
        return shapes

    def tensor(self, adapter: int, name: str) -> Tensor:
        """A factor with the root of the scale, whose sign is B's."""
        module, _, factor = name.rpartition(".")
        pair = self.adapters[adapter].pairs[module]
        root = abs(pair.scale) ** 0.5
        if factor == "A":
            return working(pair.a) * root
        return working(pair.b) * (root if pair.scale >= 0 else -root)

    def factors(self, name: str, merged: Tensor, rank: int) -> dict[tuple[str, str], Tensor]:
        """As they are; filled up with zeros where other modules have a higher rank."""
        module, _, factor = name.rpartition(".")
        return {(module, factor): _filled(merged, rank, 0 if factor == "A" else 1)}


class Knots(Space):
    """``S V_k`` in the singular vectors of all adapters side by side."""

    def __init__(self, adapters: Sequence[Adapter]) -> None:
        super().__init__(adapters)
        # Methods go from tensor to tensor, and at each from adapter to adapter.
        self._aligned = lru_cache(maxsize=1)(self._align)
        self._shapes = {m: tuple(self._aligned(m)[1][0].shape) for m in self.modules}

    def _align(self, module: str) -> tuple[Tensor, tuple[Tensor, ...]]:
        """U [out, R] and ``S V_k`` [R, in] of each adapter, fp32."""
        pairs = self.pairs(module)
        basis, inner = torch.linalg.qr(torch.cat([p.b.double() * p.scale for p in pairs], 1))
        parts = inner.split([p.rank for p in pairs], 1)
        side = torch.cat([part @ p.a.double() for part, p in zip(parts, pairs, strict=True)], 1)
        left, values, right = svd(side)
        kept = values > _LEAST
        if not bool(kept.any()):
            raise HandledError(f"the adapters add nothing to '{module}': there is nothing to align")
        scaled = (right[:, kept] * values[kept]).T.float()
        return (basis @ left[:, kept]).float(), scaled.split(pairs[0].shape[1], 1)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """[R, in], R the rank of all adapters together."""
        return self._shapes

    def tensor(self, adapter: int, name: str) -> Tensor:
        """Its part of the singular vectors."""
        return self._aligned(name)[1][adapter]

    def factors(self, name: str, merged: Tensor, rank: int) -> dict[tuple[str, str], Tensor]:
        """``U`` times the merged parts, cut to the rank."""
        left, values, right = svd(merged)
        a, b = _rooted(self._aligned(name)[0].double() @ left, values, right, rank)
        return {(name, "A"): a, (name, "B"): b}


def space_of(name: str, adapters: Sequence[Adapter]) -> Space:
    """The form of that name.

    Raises:
        HandledError: there is none, or the adapters do not fit together.
    """
    kinds: dict[str, type[Space]] = {"products": Products, "factors": Factors, "knots": Knots}
    if name not in kinds:
        raise HandledError(f"adapters are merged as {', '.join(SPACES)}, not '{name}'"
                           f"{near(name, SPACES)}")  # fmt: skip
    return kinds[name](adapters)


def _check_modules(one: Adapter, other: Adapter) -> None:
    differ = sorted(one.pairs.keys() ^ other.pairs.keys())
    if differ:
        lacks, has = (other, one) if differ[0] in one.pairs else (one, other)
        raise HandledError(
            f"{lacks.path} does not adapt '{differ[0]}', which {has.path} does ({len(differ)} such "
            "modules): give --base to have them applied and merged whole"
        )
    for module, pair in one.pairs.items():
        if pair.shape != other.pairs[module].shape:
            raise HandledError(
                f"{other.path} adds {list(other.pairs[module].shape)} to '{module}', {one.path} "
                f"{list(pair.shape)}: they are of different models"
            )


def _balanced(matrix: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    left, values, right = svd(matrix)
    return _rooted(left, values, right, rank)


def _rooted(left: Tensor, values: Tensor, right: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """A [rank, in] and B [out, rank] with the root of the singular values each."""
    roots = values[:rank].sqrt()
    a = (right[:, :rank] * roots).T.float().contiguous()
    b = (left[:, :rank] * roots).float().contiguous()
    return _filled(a, rank, 0), _filled(b, rank, 1)


def _filled(factor: Tensor, rank: int, axis: int) -> Tensor:
    missing = rank - factor.shape[axis]
    if missing <= 0:
        return factor
    shape = list(factor.shape)
    shape[axis] = missing
    return torch.cat([factor, factor.new_zeros(shape)], axis)


class Nothing(Weights):
    """The base of adapters: zeros."""

    def __init__(self, space: Space) -> None:
        self.path, self.names = Path("no adapter"), sorted(space.shapes())
        self._shapes = space.shapes()

    def __getitem__(self, name: str) -> Tensor:
        return torch.zeros(self._shapes[name])

    def like(self, name: str) -> Tensor:
        """Without the zeros."""
        return torch.empty(self._shapes[name], device="meta")

    def entries(self, name: str, part: slice) -> Tensor:
        """So many zeros."""
        return torch.zeros(len(range(self.like(name).numel())[part]))


class InSpace(Weights):
    """An adapter as a method sees it.

    Args:
        space: of all adapters.
        number: which of them.
    """

    def __init__(self, space: Space, number: int) -> None:
        self.path, self.names = space.adapters[number].path, sorted(space.shapes())
        self._space, self._number, self._shapes = space, number, space.shapes()
        self._last: tuple[str, Tensor] = ("", torch.empty(0))

    def __getitem__(self, name: str) -> Tensor:
        if self._last[0] != name:  # stretches of one tensor come one after the other
            self._last = (name, self._space.tensor(self._number, name))
        return self._last[1]

    def like(self, name: str) -> Tensor:
        """Its shape."""
        return torch.empty(self._shapes[name], device="meta")

    def files(self) -> list[Path]:
        """The adapter's."""
        return self._space.adapters[self._number].files()


@dataclass(frozen=True)
class MergedAdapter:
    """Where a merged adapter is written as PEFT reads it; its scale is 1 (alpha = r).

    Attributes:
        place: the new folder.
        space: of the adapters.
        rank: of the merged one.
        dtype: of its factors.
    """

    place: Path
    space: Space
    rank: int
    dtype: torch.dtype

    @contextmanager
    def writing(
        self, like: Mapping[str, Tensor], metadata: Mapping[str, str]
    ) -> Iterator[_Factorised]:
        """What takes the merged tensors; one of them is in memory at a time."""
        from safetensors.torch import save_file

        self.place.mkdir(parents=True, exist_ok=True)
        writer = _Factorised(self.space, self.rank, like)
        yield writer
        first = self.space.adapters[0]
        tensors = {
            _saved_as(first, module, factor): tensor.to(self.dtype)
            for (module, factor), tensor in writer.made.items()
        }
        copy_companions(first.path, self.place)
        save_file(tensors, str(self.place / ADAPTER_WEIGHTS), {**FORMAT, **metadata})
        write_json(self.place / ADAPTER, self._config(first.config))

    def _config(self, first: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **first, "r": self.rank, "lora_alpha": self.rank, "rank_pattern": {},
            "alpha_pattern": {}, "use_rslora": False, "inference_mode": True,
        }  # fmt: skip


def _saved_as(adapter: Adapter, module: str, factor: str) -> str:
    if adapter.pairs[module].embedding:
        return f"{PREFIX}{module}.lora_embedding_{factor}"
    return f"{PREFIX}{module}.lora_{factor}.weight"


@dataclass
class _Factorised:
    """Collects a merged tensor and makes factors of it when it is whole."""

    space: Space
    rank: int
    like: Mapping[str, Tensor]
    made: dict[tuple[str, str], Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._names, self._parts = iter(self.like), list[Tensor]()
        self._name = next(self._names, "")

    def write(self, tensor: Tensor) -> None:
        """The next stretch."""
        self._parts.append(tensor.reshape(-1).clone())
        like = self.like[self._name]
        if sum(map(len, self._parts)) < like.numel():
            return
        whole = torch.cat(self._parts).reshape(like.shape)
        self.made.update(self.space.factors(self._name, whole, self.rank))
        self._name, self._parts = next(self._names, ""), []
