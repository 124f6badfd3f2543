"""What a model tells of itself at test (gates, say): mean and spread over users."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from recmerge_bench.data.sequences import Instances, Split
from recmerge_bench.definitions import Backbone
from recmerge_bench.evaluation.loaded import LoadedModel
from recmerge_bench.evaluation.scorers import history_batches, tokens_at_once


def probe_model(
    model: LoadedModel, split: Split, instances: Instances, domain: str
) -> dict[str, dict[str, Any]]:
    """Summaries of `Backbone.probe` over instances of one domain, by name.

    Args:
        model: its net is left in the mode (training or not) it was in.
        split: whose sequences hold the histories.
        instances: those of one domain; every history holds an event.
        domain: its name.

    Returns:
        ``users`` (how many have the quantity), ``mean`` and ``std`` (of the population) for each
        name; empty where the model tells nothing.

    Raises:
        FloatingPointError: a value is not a finite number.
    """
    definition = getattr(model.definition, "inner", model.definition)  # under an adapter
    if type(definition).probe is Backbone.probe or not len(instances):
        return {}
    net, device, was_training = model.net, model.device, model.net.training
    parts: dict[str, list[Tensor]] = {}
    rows = torch.arange(len(instances)).numpy()
    net.eval()
    try:
        with torch.inference_mode():
            for _, histories, lengths in history_batches(
                split, instances, rows, definition.encoded_history(), tokens_at_once(device)
            ):
                quantities = definition.probe(
                    net,
                    torch.from_numpy(histories).to(device),
                    torch.from_numpy(lengths).to(device),
                    domain,
                )
                for name, values in quantities.items():
                    parts.setdefault(name, []).append(values.double().cpu())
    finally:
        net.train(was_training)
    return {name: _summary(name, torch.cat(some)) for name, some in sorted(parts.items())}


def _summary(name: str, values: Tensor) -> dict[str, Any]:
    if not bool(torch.isfinite(values).all()):
        raise FloatingPointError(f"probe {name!r}: a value is NaN or infinite")
    if not len(values):
        return {"users": 0, "mean": None, "std": None}
    std = float(values.std(correction=0))
    return {"users": len(values), "mean": float(values.mean()), "std": std}
