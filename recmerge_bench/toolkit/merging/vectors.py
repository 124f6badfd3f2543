"""Task vectors: sums over models, tensor by tensor, in fp32 (fp64 as fp64) and in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

Weights = Mapping[str, torch.Tensor]


def working(tensor: torch.Tensor) -> torch.Tensor:
    """In the precision that merging computes in: fp64 as it is, all else as fp32."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def weighted_sum(models: Sequence[Weights], weights: Sequence[float]) -> dict[str, torch.Tensor]:
    """sum_k weights[k] * models[k], accumulated in fp32 or fp64, in the first model's dtypes."""
    merged = {}
    for name, first in models[0].items():
        total = working(first) * weights[0]
        for model, weight in zip(models[1:], weights[1:], strict=True):
            total.add_(working(model[name]), alpha=weight)
        merged[name] = total.to(first.dtype)
    return merged


def add_task_vectors(
    base: Weights, models: Sequence[Weights], scales: Sequence[float]
) -> dict[str, torch.Tensor]:
    """base + sum_k scales[k] * (models[k] - base), differences taken in fp32 or fp64."""
    merged = {}
    for name, start in base.items():
        origin = working(start)
        total = origin.clone()
        for model, scale in zip(models, scales, strict=True):
            total.add_(working(model[name]) - origin, alpha=scale)
        merged[name] = total.to(start.dtype)
    return merged


def task_vector_lengths(base: Weights, models: Sequence[Weights]) -> tuple[list[float], float]:
    """Euclidean norms of ``models[k] - base`` and of their sum, squares added up in fp64."""
    squares, total = [0.0] * len(models), 0.0
    for name, start in base.items():
        origin = working(start)
        added = torch.zeros_like(origin)
        for number, model in enumerate(models):
            difference = working(model[name]) - origin
            squares[number] += float(difference.double().square().sum())
            added += difference
        total += float(added.double().square().sum())
    return [s**0.5 for s in squares], total**0.5


def flatten(weights: Weights) -> torch.Tensor:
    """All tensors as one fp32 (or fp64) vector [P], a copy, in the order of their sorted names."""
    return torch.cat([working(weights[name]).reshape(-1) for name in sorted(weights)])


def unflatten(vector: torch.Tensor, like: Weights) -> dict[str, torch.Tensor]:
    """The inverse of `flatten`: shapes and dtypes of `like`."""
    merged, start = {}, 0
    for name in sorted(like):
        size = like[name].numel()
        piece = vector[start : start + size].reshape(like[name].shape)
        merged[name] = piece.to(like[name].dtype).clone()
        start += size
    return merged
