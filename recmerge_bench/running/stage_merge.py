"""A base and its experts -> merged tensors; what a domain keeps for itself stays beside them."""

from __future__ import annotations

from typing import Any

from recmerge_bench.definitions import Expert, WeightsOnly
from recmerge_bench.errors import HandledError
from recmerge_bench.merging.policy import select
from recmerge_bench.running.context import Context
from recmerge_bench.running.stage_train import WEIGHTS


def run(context: Context) -> dict[str, Any]:
    """Merge what the backbone's policy says merges; keep each expert's own tensors by name."""
    from safetensors.torch import load_file, save_file

    policy = context.definition("model").policy
    base = select(load_file(str(context.inputs["base"] / WEIGHTS)), policy, "merge")
    experts, kept = [], {}
    for domain in context.config["domains"]:
        weights = load_file(str(context.inputs[f"expert:{domain}"] / WEIGHTS))
        mine = select(weights, policy, "merge")
        _same_shapes(base, mine, domain)
        experts.append(Expert(domain, mine))
        kept.update(select(weights, policy, "domain"))
    merged = context.definition("strategy").merge(WeightsOnly(base, tuple(experts), context.seed))
    _same_shapes(base, merged, "the merged model")
    for name, tensor in merged.items():
        if not bool(tensor.isfinite().all()):
            raise HandledError(f"merging gave NaN or infinite values in '{name}'")
    tensors = {n: t.contiguous() for n, t in {**kept, **merged}.items()}
    save_file(tensors, str(context.out / WEIGHTS))
    return {"read": ["weights"], "merged": sum(t.numel() for t in merged.values())}


def _same_shapes(base: Any, other: Any, whose: str) -> None:
    wrong = sorted(
        n
        for n in {*base, *other}
        if n not in base or n not in other or base[n].shape != other[n].shape
    )
    if wrong:
        raise HandledError(f"{whose}: parameters differ from the base's: {', '.join(wrong[:5])}")
