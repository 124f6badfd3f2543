"""Further merging methods written out once more from papers and released code, in float64.

As in `transcriptions`: each follows the source that its docstring names, step by step, and shares
no line with the implementation that it checks.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def sce(rows: list[list[float]], density: float) -> list[float]:
    """One tensor: arcee-ai/mergekit, merge_methods/sce.py."""
    size = len(rows[0])
    if density < 1:
        means = [sum(row[j] for row in rows) / len(rows) for j in range(size)]
        variances = [sum((r[j] - means[j]) ** 2 for r in rows) / len(rows) for j in range(size)]
        count = int(density * sum(v > 0 for v in variances))
        chosen = set(sorted(range(size), key=lambda j: -variances[j])[:count])
        rows = [[v if j in chosen else 0.0 for j, v in enumerate(row)] for row in rows]
    energies = [sum(v * v for v in row) / size for row in rows]
    total = sum(energies)
    shares = [e / total for e in energies] if total else [1 / len(rows)] * len(rows)
    merged = []
    for column in zip(*rows, strict=True):
        sign = 1 if sum(column) >= 0 else -1
        alive = [(v, w) for v, w in zip(column, shares, strict=True) if v * sign > 0]
        mass = sum(w for _, w in alive)
        merged.append(sum(v * w for v, w in alive) / mass if mass else 0.0)
    return merged


def nuslerp_line(share: float, one: list[float], two: list[float]) -> list[float]:
    """One vector: arcee-ai/mergekit, merge_methods/nuslerp.py, `nuslerp`."""
    norms = [max(math.sqrt(sum(v * v for v in line)), 1e-7) for line in (one, two)]
    cosine = sum((a / norms[0]) * (b / norms[1]) for a, b in zip(one, two, strict=True))
    theta = math.acos(min(1.0, max(-1.0, cosine)))
    if abs(math.sin(theta)) < 1e-8:
        return [(1 - share) * a + share * b for a, b in zip(one, two, strict=True)]
    first, second = math.sin((1 - share) * theta), math.sin(share * theta)
    return [(first * a + second * b) / math.sin(theta) for a, b in zip(one, two, strict=True)]


def karcher(tensors: list[Tensor], iterations: int = 10, tolerance: float = 1e-5) -> Tensor:
    """One tensor: arcee-ai/mergekit, merge_methods/karcher.py, equal weights."""
    lengths = [float(t.norm()) for t in tensors]
    units = [t / length for t, length in zip(tensors, lengths, strict=True) if length > tolerance]
    if not units:
        return torch.zeros_like(tensors[0])
    share = 1 / len(units)
    mean = sum((share * u for u in units[1:]), share * units[0])
    mean = units[0] if mean.norm() < tolerance else mean / mean.norm()
    for _ in range(iterations):
        tangent = torch.zeros_like(mean)
        for unit in units:
            dot = float((mean * unit).sum().clamp(-1, 1))
            theta = math.acos(dot)
            if theta >= tolerance:
                tangent = tangent + share * theta / math.sin(theta) * (unit - dot * mean)
        length = float(tangent.norm())
        if length < tolerance:
            break
        mean = math.cos(length) * mean + math.sin(length) * tangent / length
        mean = mean / mean.norm()
    return mean * (sum(lengths) / len(lengths))
