"""Models: what they say of themselves at the plan; tables, losses, vectors and scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from recmerge_bench.blame import wrong
from recmerge_bench.borders.arrays import check_array
from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.definitions import Backbone, CountingModel
from recmerge_bench.errors import PluginError
from recmerge_bench.policy import ACTIONS

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


def check_facts(model: Backbone) -> None:
    """What a model says of itself without being built.

    Raises:
        PluginError: something that the core would not understand.
    """
    encoder = model.text_encoder()
    if encoder is not None and not (isinstance(encoder, str) and encoder):
        raise wrong(model, "text_encoder", f"gave {encoder!r}; it gives a name or None")
    for method in ("trains_encoder", "starts_from_encoder"):
        answer = getattr(model, method)()
        if type(answer) is not bool:
            raise wrong(model, method, f"gave {answer!r}; it gives True or False")
    if not isinstance(model.policy, Mapping) or not all(
        isinstance(k, str) and v in ACTIONS for k, v in model.policy.items()
    ):
        answer = f"gave {dict(model.policy)!r}; it gives one of {', '.join(ACTIONS)} by prefix"
        raise wrong(model, "policy", answer)
    history_limit(model)


def history_limit(model: Backbone, method: str = "max_history") -> int:
    """`Backbone.max_history` or `Backbone.encoded_history`, checked.

    Raises:
        PluginError: it is no number from 1.
    """
    limit: int = getattr(model, method)()
    if type(limit) is not int or limit < 1:
        raise _of(model, method, f"gave {limit!r}; it gives a number from 1")
    return limit


def check_net(model: Backbone, net: Any, catalogue: Catalogue, domains: Sequence[str]) -> nn.Module:
    """A module with an item table of the right height for each domain that has one.

    Raises:
        PluginError: it is not.
    """
    from torch import nn

    if not isinstance(net, nn.Module):
        raise wrong(model, "build", f"gave {type(net).__name__}; it gives a torch.nn.Module")
    for domain in domains:
        table = dict(net.named_parameters()).get(f"tables.{domain}")
        if table is not None and (table.dim() != 2 or len(table) != catalogue.size(domain)):
            raise wrong(
                model, "build",
                f"gave tables.{domain} as {list(table.shape)}; the domain has "
                f"{catalogue.size(domain)} items, a row each",
            )  # fmt: skip
    return net


def check_loss(model: Backbone, returned: Any) -> tuple[Tensor, int]:
    """A mean loss that can be minimised, and how many targets it is of.

    Raises:
        PluginError: it is not.
    """
    import torch

    if not isinstance(returned, tuple) or len(returned) != 2:
        raise wrong(model, "loss", f"gave {type(returned).__name__}; it gives (loss, count)")
    loss, count = returned
    if not isinstance(loss, torch.Tensor) or loss.dim() or not loss.is_floating_point():
        shape = list(loss.shape) if isinstance(loss, torch.Tensor) else type(loss).__name__
        raise wrong(model, "loss", f"gave a loss of shape {shape}; it is one number")
    if not loss.requires_grad:
        raise wrong(model, "loss", "gave a loss that depends on no parameter of the net")
    if not isinstance(count, (int, np.integer)) or isinstance(count, bool) or count < 0:
        raise wrong(model, "loss", f"gave {count!r} targets; it gives a number from 0")
    return loss, int(count)


def check_items(
    model: Backbone, returned: Any, domain: str, size: int, device: torch.device
) -> tuple[Tensor, Tensor | None]:
    """Item vectors [size, width] of a domain on the net's device, and a bias [size] or None.

    Raises:
        PluginError: another shape, type or device.
    """
    import torch

    if not isinstance(returned, tuple) or len(returned) != 2:
        raise _of(
            model, "items", f"gave {type(returned).__name__}; it gives (vectors, bias or None)"
        )
    vectors, bias = returned
    for name, value, dims in (("vectors", vectors, 2), ("a bias", bias, 1)):
        if value is None and dims == 1:
            continue
        if not isinstance(value, torch.Tensor) or not value.is_floating_point():
            raise _of(model, "items", f"gave {name} as {_kind(value)}; they are a float tensor")
        if problem := _unfit(value, dims, domain, size, device):
            raise _of(model, "items", f"gave {name} {problem}")
    return vectors, bias


def _unfit(value: Tensor, dims: int, domain: str, size: int, device: torch.device) -> str:
    """What is wrong with the shape or the device of what the items of a domain have; or nothing."""
    import torch

    if value.dim() != dims or len(value) != size:
        shape = f"[{size}, width]" if dims == 2 else f"[{size}]"
        return f"{list(value.shape)} for '{domain}'; they are {shape}"
    if value.device.type != torch.device(device).type:
        return f"on {value.device}; the net is on {device}"
    return ""


def check_users(model: Backbone, vectors: Any, count: int, width: int) -> Tensor:
    """User vectors [count, width].

    Raises:
        PluginError: another shape or type.
    """
    import torch

    if not isinstance(vectors, torch.Tensor) or not vectors.is_floating_point():
        raise _of(model, "encode", f"gave {_kind(vectors)}; it gives a float tensor")
    if tuple(vectors.shape) != (count, width):
        message = f"gave {list(vectors.shape)} for {count} histories; it gives [{count}, {width}]"
        raise _of(model, "encode", message)
    return vectors


def check_user_scores(
    model: Backbone, values: Any, count: int, size: int, domain: str, device: torch.device
) -> Tensor:
    """Scores [count, size] of a model without vectors, on the net's device.

    Raises:
        PluginError: another shape, type or device.
    """
    import torch

    if not isinstance(values, torch.Tensor) or not values.is_floating_point():
        raise _of(model, "scores", f"gave {_kind(values)}; it gives a float tensor")
    if tuple(values.shape) != (count, size):
        shape = list(values.shape)
        message = f"gave {shape} for {count} histories and '{domain}'; it gives [{count}, {size}]"
        raise _of(model, "scores", message)
    if values.device.type != torch.device(device).type:
        raise _of(model, "scores", f"gave scores on {values.device}; the net is on {device}")
    return values


def check_state(model: CountingModel, arrays: Any) -> dict[str, np.ndarray]:
    """Arrays of numbers by name, as files keep them.

    Raises:
        PluginError: they are not, or hold NaN.
    """
    if not isinstance(arrays, dict) or not all(isinstance(k, str) and k for k in arrays):
        raise wrong(model, "fit", f"gave {type(arrays).__name__}; it gives arrays by name")
    for name, value in arrays.items():
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "biuf":
            raise wrong(model, "fit", f"gave '{name}' as {_kind(value)}; it is an array of numbers")
        if value.dtype.kind == "f" and np.isnan(value).any():
            raise wrong(model, "fit", f"gave NaN in '{name}'")
    return {name: np.ascontiguousarray(value) for name, value in arrays.items()}


def check_scores(
    model: CountingModel, values: Any, count: int, size: int, domain: str
) -> np.ndarray:
    """Finite scores float32 [count, size].

    Raises:
        PluginError: they are not.
    """

    def fault(message: str) -> PluginError:
        return wrong(model, "scores", f"{message} for '{domain}'")

    scores = check_array(fault, "scores", values, np.float32, (count, size))
    if not np.isfinite(scores.sum(dtype=np.float64)):
        raise fault("gave NaN or infinite scores")
    return scores


def _of(model: Any, method: str, message: str) -> PluginError:
    """The error of a model, or of the one that is corrected by an adapter."""
    return wrong(getattr(model, "inner", model), method, message)


def _kind(value: Any) -> str:
    return f"{type(value).__name__} {getattr(value, 'dtype', '')}".strip()
