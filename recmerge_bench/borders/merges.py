"""Strategies: what they make of the weights that they are handed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from recmerge_bench.blame import wrong
from recmerge_bench.definitions import StrategyDefinition
from recmerge_bench.errors import PluginError

if TYPE_CHECKING:
    from torch import Tensor


def check_merged(
    strategy: StrategyDefinition,
    like: Mapping[str, Tensor],
    merged: Any,
    method: str = "merge",
    beside: str = "",
    finite: bool = True,
) -> dict[str, Tensor]:
    """Tensors with the base's names, shapes, dtypes and devices, dense and finite.

    Args:
        strategy: whose result it is.
        like: the base's tensors.
        merged: what it returned.
        method: that returned it.
        beside: beginning of names that may stand beside the base's (adapters); "": none.
        finite: refuse NaN and infinity here; False where the caller tells what overflowed.

    Raises:
        PluginError: they are not.
    """
    if not isinstance(merged, Mapping):
        raise wrong(strategy, method, f"gave {type(merged).__name__}; it gives tensors by name")
    if flaw := _name_flaw(like, merged, beside):
        raise wrong(strategy, method, f"gave what {flaw}; it gives exactly the base's names")
    made = {n: _tensor(strategy, method, n, merged[n], like.get(n)) for n in merged}
    for name in made if finite else ():
        if not bool(made[name].isfinite().all()):
            raise wrong(strategy, method, f"gave '{name}' with NaN or infinite values")
    return made


def _name_flaw(like: Mapping[str, Tensor], merged: Mapping[Any, Any], beside: str) -> str:
    """Which name is missing or more than there should be; empty where none is."""
    if missing := sorted(set(like) - set(merged)):
        return f"lacks '{missing[0]}'"

    def may_stand(name: Any) -> bool:
        return bool(beside) and isinstance(name, str) and name.startswith(beside)

    extra = sorted(str(n) for n in merged if n not in like and not may_stand(n))
    return f"holds '{extra[0]}'" if extra else ""


def check_each(
    strategy: StrategyDefinition,
    like: Mapping[str, Tensor],
    domains: Sequence[str],
    made: Any,
    beside: str,
) -> dict[str, dict[str, Tensor]]:
    """`check_merged` of each domain's tensors, by `merge_each`.

    Raises:
        PluginError: another set of domains, or as there.
    """
    if not isinstance(made, Mapping) or set(made) != set(domains):
        names = sorted(map(str, made)) if isinstance(made, Mapping) else type(made).__name__
        raise wrong(strategy, "merge_each", f"gave {names}; it gives each of {', '.join(domains)}")
    return {d: check_merged(strategy, like, made[d], "merge_each", beside) for d in domains}


def check_prepass(strategy: StrategyDefinition, prepared: Any) -> StrategyDefinition:
    """A strategy that merges entry by entry.

    Raises:
        PluginError: it is none.
    """
    if not isinstance(prepared, StrategyDefinition) or prepared.scope != "entry":
        raise wrong(strategy, "prepass", f"gave {prepared!r}; it gives a strategy of scope 'entry'")
    return prepared


def _tensor(
    strategy: StrategyDefinition, method: str, name: str, value: Any, like: Tensor | None
) -> Tensor:
    import torch

    def fault(message: str) -> PluginError:
        return wrong(strategy, method, f"gave '{name}' {message}")

    if not isinstance(value, torch.Tensor):
        raise fault(f"as {type(value).__name__}; it is a tensor")
    if value.layout != torch.strided or value.is_meta or value.is_quantized:
        raise fault(f"as {value.layout} on {value.device}; it is dense and holds values")
    if like is None:
        if not value.is_floating_point():
            raise fault(f"as {value.dtype}; it is a float tensor")
    elif value.dtype != like.dtype:
        raise fault(f"as {value.dtype}; the base has {like.dtype}")
    elif value.shape != like.shape:
        raise fault(f"as {list(value.shape)}; the base has {list(like.shape)}")
    elif value.device != like.device:
        raise fault(f"on {value.device}; the base is on {like.device}")
    return value.detach()
