"""What a model tells of itself beside its scores, looked at before a training was spent on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from recmerge_bench.conformance.model_subject import ModelSubject
from recmerge_bench.conformance.requirement import Unmet
from recmerge_bench.definitions import Backbone


def check_probe(subject: ModelSubject, net: nn.Module, domain: str) -> None:
    """Refuse quantities of `Backbone.probe` that a rank's record could not hold.

    Args:
        subject: whose model may tell some.
        net: built for `domain`.
        domain: that is asked for.

    Raises:
        Unmet: they are no finite numbers, one for each user that has the quantity.
    """
    definition = subject.definition
    if type(definition).probe is Backbone.probe:
        return
    items, lengths = subject.histories()
    with torch.inference_mode():
        told = definition.probe(net, items, lengths, domain)
    who = f"{subject.who}.probe()"
    if not isinstance(told, Mapping):
        raise Unmet(f"{who} gave {type(told).__name__}; it gives tensors by name")
    for name, values in told.items():
        _check(f"{who} gave {name!r} as", values, len(items))


def _check(what: str, values: Any, users: int) -> None:
    if not isinstance(values, Tensor):
        raise Unmet(f"{what} {type(values).__name__}; it gives a float tensor")
    shape = list(values.shape)
    if not values.is_floating_point() or len(shape) != 1 or shape[0] > users:
        raise Unmet(
            f"{what} {values.dtype} {shape}; it gives a float tensor with one value for each of "
            f"{users} users, or for those of them that have the quantity"
        )
    if not bool(torch.isfinite(values).all()):
        raise Unmet(f"{what} NaN or infinite values")


__all__ = ["check_probe"]
