"""A base and the experts of later phases as a temporal track's merge cell is handed them.

Phases share one catalogue, so that item tables merge like everything else. What a model holds of
an item that no phase up to its own had is noise: initial values, pushed away as a negative. Such a
row is taken from the model of the phase in which the item came in; its task vector is then what
the later phases made of it, and averages are not drawn towards noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recmerge_bench.definitions import Expert
from recmerge_bench.policy import action, select
from recmerge_bench.running.context import Context
from recmerge_bench.running.experts import placed
from recmerge_bench.running.stage_entries import ENTRIES
from recmerge_bench.running.stage_train import WEIGHTS

Tensors = dict[str, Any]


def phase_experts(
    context: Context, device: str
) -> tuple[Tensors, tuple[Expert, ...], dict[str, Tensors]]:
    """What merges of the first phase's model and of each later phase's.

    Kept apart is only what the policy says is the base's: the first phase's, with every phase.

    Args:
        context: with inputs ``base``, ``entries`` and ``expert:<phase>`` for each of its phases.
        device: where the tensors are put.
    """
    from safetensors.torch import load_file

    policy, numbers = context.definition("model").policy, context.config["phases"]
    first = entries_of(context)
    models = {1: load_file(str(context.inputs["base"] / WEIGHTS))}
    for phase, number in numbers.items():
        models[number] = load_file(str(context.inputs[f"expert:{phase}"] / WEIGHTS))
    merging = {n: _merging(model, policy) for n, model in models.items()}
    filled = {n: rows_entered(n, merging, first, policy) for n in merging}
    experts = tuple(Expert(p, placed(filled[n], device)) for p, n in numbers.items())
    of_base = select(models[1], policy, "base")
    return placed(filled[1], device), experts, dict.fromkeys(numbers, of_base)


def entries_of(context: Context) -> NDArray[np.int16]:
    """The first phase of every item of the track's domain, 0: it is in none: int16 [N]."""
    span = context.interactions().catalogue.span(context.config["catalogue"])
    first: NDArray[np.int16] = np.load(context.inputs["entries"] / ENTRIES)[span]
    return first


def rows_entered(
    phase: int,
    models: Mapping[int, Mapping[str, Any]],
    first: NDArray[np.int16],
    policy: Mapping[str, str],
) -> Tensors:
    """A phase's model with the rows of later items as their own phases' models have them.

    Args:
        phase: whose model.
        models: phase -> tensors.
        first: the first phase of every item [N].
        policy: of the backbone: what it calls a domain's and has a row for each item is a table.
    """
    import torch

    made = dict(models[phase])
    for name, tensor in made.items():
        if action(name, policy) != "domain" or tensor.ndim == 0 or len(tensor) != len(first):
            continue
        table = tensor.clone()
        for later in models:
            rows = torch.from_numpy(np.flatnonzero(first == later))
            if later > phase:
                table[rows] = models[later][name][rows]
        made[name] = table
    return made


def phase_users(context: Context, kept: Mapping[str, Mapping[str, Any]]) -> Any:
    """Pseudo-users of phases: each phase's are the items that had come in by then.

    Args:
        context: of the merge.
        kept: what `phase_experts` keeps apart with each phase.
    """
    from recmerge_bench.merging.phase_users import PhaseUsers

    first = entries_of(context)
    known = {
        phase: np.flatnonzero((first > 0) & (first <= number))
        for phase, number in context.config["phases"].items()
    }
    return PhaseUsers(
        context.definition("model"), context.interactions().catalogue,
        context.config["catalogue"], known, context.seed, context.device, kept,
    )  # fmt: skip


def _merging(weights: Mapping[str, Any], policy: Mapping[str, str]) -> Tensors:
    """Floating-point tensors that merge, those that would stay with a domain among them."""
    return {
        name: tensor
        for name, tensor in weights.items()
        if tensor.is_floating_point() and action(name, policy) in ("merge", "domain")
    }
