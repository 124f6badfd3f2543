"""A base and its experts as a merge cell and its curve are handed them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recmerge_bench.definitions import Expert
from recmerge_bench.policy import select
from recmerge_bench.running.context import Context
from recmerge_bench.running.stage_train import WEIGHTS

Tensors = Mapping[str, Any]


def base_and_experts(
    context: Context, device: str
) -> tuple[dict[str, Any], tuple[Expert, ...], dict[str, dict[str, Any]]]:
    """What merges of the base and of each expert, and what each domain keeps for itself.

    What the policy says is the base's (a codebook, say) is kept with every domain: the base's.

    Args:
        context: with inputs ``base`` and ``expert:<domain>`` for each of the cell's domains.
        device: where the tensors that merge are put; what domains keep stays on the CPU.
    """
    from safetensors.torch import load_file

    policy = context.definition("model").policy
    whole = load_file(str(context.inputs["base"] / WEIGHTS))
    base, of_base = select(whole, policy, "merge"), select(whole, policy, "base")
    experts, kept = [], {}
    for domain in context.config["domains"]:
        weights = load_file(str(context.inputs[f"expert:{domain}"] / WEIGHTS))
        experts.append(Expert(domain, placed(select(weights, policy, "merge"), device)))
        kept[domain] = {**of_base, **select(weights, policy, "domain")}
    return placed(base, device), tuple(experts), kept


def placed(tensors: Tensors, device: str) -> dict[str, Any]:
    """The same tensors on a device."""
    return {name: tensor.to(device) for name, tensor in tensors.items()}
