"""What becomes of each parameter of a base and its experts: merged, kept, stacked, dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from recmerge_bench.errors import HandledError, near
from recmerge_bench.merging.checkpoints import Weights, check_alike, empty_like
from recmerge_bench.policy import action

#: What a training lays beside a model's parameters for itself (`training.prepared`).
_OF_TRAININGS = "prepared."


@dataclass(frozen=True)
class Parameters:
    """The merged model's tensors, sorted by name.

    Attributes:
        kept: all that it has, as empty tensors of their shapes and dtypes.
        merged: names of those that the method merges.
        stacked: those whose experts' tensors stand one under the other.
        owned: those that one expert has alone (a domain's table) -> its number.
    """

    kept: dict[str, Tensor]
    merged: list[str]
    stacked: frozenset[str]
    owned: Mapping[str, int]

    @classmethod
    def of(
        cls, base: Weights, experts: Sequence[Weights], policy: Mapping[str, str],
        dtype: torch.dtype | None = None,
    ) -> Parameters:  # fmt: skip
        """Sort them out.

        Args:
            base: the experts' shared base.
            experts: at least one.
            policy: parameter-name prefix -> action, see `Streamed`.
            dtype: of the merged model's floats; each as the base's if absent.

        Raises:
            HandledError: a prefix that no name begins with, models that do not fit together,
                nothing left to merge.
        """
        models = (base, *experts)
        refuse_unmatched(policy, models)
        owned, replaced = owned_by_experts(base, experts, policy)
        stacked = {
            n: _stack(n, experts) for n in experts[0].names if action(n, policy) == "concatenate"
        }
        everywhere = {n for model in models for n in model.names}
        apart = {n for n in everywhere if action(n, policy) in ("drop", "base")}
        apart |= {*owned, *replaced, *stacked}
        for expert in experts:
            check_alike(base, expert, apart)
        dropped = {n for n in everywhere if action(n, policy) == "drop"} | replaced
        like = {n: base.like(n) for n in base.names if n not in {*dropped, *stacked}}
        merged = [n for n, t in like.items() if n not in apart and t.is_floating_point()]
        if not merged:
            raise HandledError("nothing is left to merge: every parameter is an integer or kept")
        kept = {**like, **stacked, **{n: experts[k].like(n) for n, k in owned.items()}}
        empty = {n: empty_like(t, dtype) for n, t in sorted(kept.items())}
        return cls(empty, sorted(merged), frozenset(stacked), owned)

    def size(self) -> int:
        """Bytes of the merged model."""
        return sum(t.numel() * t.element_size() for t in self.kept.values())

    def numbers(self) -> dict[str, int]:
        """How many entries were merged, kept of the base, stacked, and one expert's alone."""
        counts = {n: t.numel() for n, t in self.kept.items()}
        merged = sum(counts[n] for n in self.merged)
        stacked = sum(counts[n] for n in self.stacked)
        owned = sum(counts[n] for n in self.owned)
        kept = sum(counts.values()) - merged - stacked - owned
        facts = {"merged": merged, "kept_of_base": kept, "concatenated": stacked}
        return facts | ({"kept_of_experts": owned} if owned else {})


def refuse_unmatched(policy: Mapping[str, str], models: Sequence[Weights]) -> None:
    """A prefix that no parameter has is mistyped.

    Raises:
        HandledError: there is one; names those that are near.
    """
    names = sorted({name for model in models for name in model.names})
    for prefix in policy:
        if not any(name.startswith(prefix) for name in names):
            raise HandledError(
                f"policy: no parameter's name begins with '{prefix}'"
                f"{near(prefix, prefixes(names))}; there is '{names[0]}'"
            )


def prefixes(names: Sequence[str]) -> list[str]:
    """All beginnings of names that end at a dot, and the names."""
    beginnings = dict.fromkeys(
        ".".join(parts[:end]) + "."
        for name in names
        for parts in [name.split(".")]
        for end in range(1, len(parts))
    )
    return [*beginnings, *names]


def owned_by_experts(
    base: Weights, experts: Sequence[Weights], policy: Mapping[str, str]
) -> tuple[dict[str, int], set[str]]:
    """Tensors that each expert has under its domain's name, as trainings of suites write them.

    ``tables.books.weight`` of one and ``tables.toys.weight`` of another are both domains' own:
    names that differ in their second part alone, of which every expert has one that no other
    model has. The merged model has all of them, and none of the base's in their place.

    Returns:
        Name -> the expert's number; and names that are left out of the merged model.
    """
    rules = tuple(policy)
    free = [{n for n in e.names if not n.startswith(rules)} for e in experts]
    seen = Counter(name for names in free for name in names)
    alone = [{n for n in names if seen[n] == 1} for names in free]
    groups = set.intersection(*({_group(n) for n in names} for names in alone)) - {None}
    owned = {n: k for k, names in enumerate(alone) for n in names if _group(n) in groups}
    if len(experts) < 2 or not owned:
        return {}, set()
    replaced = {
        n for n in base.names
        if n not in owned and (_group(n) in groups or n.startswith(_OF_TRAININGS))
    }  # fmt: skip
    replaced |= {n for names in free for n in names if n.startswith(_OF_TRAININGS)}
    return owned, replaced


def _group(name: str) -> tuple[str, ...] | None:
    """A name without its second part, where that may be a domain."""
    first, _, rest = name.partition(".")
    domain, _, end = rest.partition(".")
    return None if not domain or domain.isdigit() else (first, end)


def _stack(name: str, experts: Sequence[Weights]) -> Tensor:
    """The shape of the experts' tensors one under the other.

    Raises:
        HandledError: an expert lacks it, or their rows differ.
    """
    for expert in experts:
        if name not in expert.names:
            raise HandledError(f"{expert.path} lacks '{name}', which is to be concatenated")
    parts = [expert.like(name) for expert in experts]
    if len({p.shape[1:] for p in parts}) > 1 or parts[0].dim() == 0:
        raise HandledError(f"'{name}' cannot be concatenated: rows differ among experts")
    if len({p.dtype for p in parts if not p.is_floating_point()}) > 1:
        raise HandledError(f"'{name}' cannot be concatenated: integers differ in their dtype")
    dtype = parts[0].dtype
    for part in parts[1:]:
        dtype = torch.promote_types(dtype, part.dtype)
    shape = (sum(len(p) for p in parts), *parts[0].shape[1:])
    return torch.empty(shape, dtype=dtype, device="meta")
