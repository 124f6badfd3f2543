"""What a model tells of itself at test (gates, say): mean and spread over users."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from recmerge_bench.data.sequences import Instances, Split
from recmerge_bench.definitions import Backbone
from recmerge_bench.evaluation.scorers import history_batches, tokens_at_once


def probe_net(
    definition: Backbone,
    net: nn.Module,
    split: Split,
    instances: Instances,
    domain: str,
    device: torch.device | str = "cpu",
) -> dict[str, dict[str, Any]]:
    """Summaries of `Backbone.probe` over instances of one domain, by name.

    Args:
        definition: the model.
        net: its module, on `device`; left in the mode (training or not) it was in.
        split: whose sequences hold the histories.
        instances: those of one domain; every history holds an event.
        domain: its name.
        device: where `net` lies.

    Returns:
        ``users`` (how many have the quantity), ``mean`` and ``std`` (of the population) for each
        name; empty where the model tells nothing.

    Raises:
        FloatingPointError: a value is not a finite number.
    """
    if type(definition).probe is Backbone.probe or not len(instances):
        return {}
    device, was_training = torch.device(device), net.training
    found: dict[str, list[Tensor]] = {}
    rows = torch.arange(len(instances)).numpy()
    net.eval()
    try:
        with torch.inference_mode():
            for _, histories, lengths in history_batches(
                split, instances, rows, definition.encoded_history(), tokens_at_once(device)
            ):
                told = definition.probe(
                    net,
                    torch.from_numpy(histories).to(device),
                    torch.from_numpy(lengths).to(device),
                    domain,
                )
                for name, values in told.items():
                    found.setdefault(name, []).append(values.double().cpu())
    finally:
        net.train(was_training)
    return {name: _summary(name, torch.cat(parts)) for name, parts in sorted(found.items())}


def _summary(name: str, values: Tensor) -> dict[str, Any]:
    if not bool(torch.isfinite(values).all()):
        raise FloatingPointError(f"probe {name!r}: a value is NaN or infinite")
    if not len(values):
        return {"users": 0, "mean": None, "std": None}
    std = float(values.std(correction=0))
    return {"users": len(values), "mean": float(values.mean()), "std": std}
