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


Model = dict[str, Tensor]


def opcm(taus: list[Model], alpha: float) -> Model:
    """Tang et al., as in tanganke/fusion_bench, method/opcm/opcm.py: with lambda_t at each step."""

    def length(model: Model) -> float:
        return math.sqrt(sum(float((t * t).sum()) for t in model.values()))

    merged, previous, lengths = dict(taus[0]), 1.0, [length(taus[0])]
    for tau in taus[1:]:
        lengths.append(length(tau))
        mean = sum(lengths) / len(lengths)
        for name, old in merged.items():
            new = tau[name]
            if old.dim() == 2:
                u, s, vh = torch.linalg.svd(old, full_matrices=True)
                inside = u.T @ new @ vh.T
                for i in range(len(s)):
                    inside[i, i] = 0
                split = next((i for i, c in enumerate(s.cumsum(0) / s.sum()) if c > alpha), 0)
                inside[:split, :split] = 0
                new = u @ inside @ vh
            merged[name] = previous * old + new
        whole = length(merged)
        previous = whole / mean
        merged = {name: t * mean / whole for name, t in merged.items()}
    return merged


def mask_merging(rows: list[list[float]], trim: float) -> list[float]:
    """Two masked models: Joinn99/MMGRid, src/merging/merging_methods.py, `TiesMerging`."""
    halves = [[v * 0.5 for v in row] for row in rows]
    count = int(len(rows[0]) * trim)
    kept = []
    for row in halves:
        least = sorted(abs(v) for v in row)[count - 1]
        kept.append([v if abs(v) >= least else 0.0 for v in row])
    sums = [sum(column) for column in zip(*kept, strict=True)]
    signs = [(s > 0) - (s < 0) for s in sums]
    balance = sum(signs)
    majority = (balance > 0) - (balance < 0)
    merged = []
    for sign, column in zip(signs, zip(*kept, strict=True), strict=True):
        chosen = sign or majority
        alive = [v if v * chosen > 0 else 0.0 for v in column]
        both = all(v != 0 for v in alive)
        merged.append(sum(v / 2 if both else v for v in alive))
    return merged


def lines(added: Model, alpha: float, beta: float, blocks: int) -> Model:
    """Wang et al.: the released code's `LiNeS_scaling`."""
    scaled = {}
    for name, tensor in added.items():
        factor = alpha
        for block in range(blocks):
            if f".{block}." in name:
                factor = alpha + beta * (block / (blocks - 1))
                break
        scaled[name] = factor * tensor
    return scaled


def doge(
    taus: list[Model], weight: float, keep: float, subspace: int, steps: int, lr: float = 1e-4
) -> Model:
    """Wei et al., DOGE TA of matrices: tanganke/fusion_bench, method/doge_ta/doge_ta.py."""
    names, count = sorted(taus[0]), len(taus)
    lambdas = [{n: weight / tau[n].norm() for n in names} for tau in taus]
    deltas = {}
    for name in names:
        stacked = torch.stack([tau[name] for tau in taus])
        sides = None
        for i, tau in enumerate(taus):
            u, s, _ = torch.linalg.svd(tau[name], full_matrices=False)
            sides = torch.zeros_like(u) if sides is None else sides
            part = int(s.shape[0] / count)
            sides[:, i * part : (i + 1) * part] = u[:, :part]
        assert sides is not None
        basis = torch.linalg.svd(sides, full_matrices=False)[0][:, : int(s.shape[0] / subspace)]
        delta = torch.nn.Parameter(torch.zeros_like(stacked[0]))
        optimizer = torch.optim.Adam([delta], lr=lr)
        for _ in range(steps):
            with torch.enable_grad():
                merged = sum(
                    lam[name] * (tau + delta) for lam, tau in zip(lambdas, stacked, strict=True)
                )
                loss = sum((tau * tau - tau * merged).sum(dim=1).pow(2).sum() for tau in stacked)
                optimizer.zero_grad()
                loss.backward()
            delta.grad = delta.grad - basis @ basis.T @ delta.grad
            optimizer.step()
        deltas[name] = delta.detach()
    result = {n: torch.zeros_like(t) for n, t in taus[0].items()}
    for lam, tau in zip(lambdas, taus, strict=True):
        flat = torch.cat([tau[n].reshape(-1) for n in names]).abs()
        place = len(flat) - int(len(flat) * keep)
        least = flat.sort().values[place - 1]
        for name in names:
            result[name] += lam[name] * (tau[name] + deltas[name]) * (tau[name].abs() >= least)
    return result


def psa(
    entries: list[float], noise: list[float], gamma: float, alpha: float, beta: float
) -> list[float]:
    """Ji et al.: muyiahhh/SharpRec, src/psa.py, `psa_transform`."""
    made = []
    for value, drawn in zip(entries, noise, strict=True):
        left = value - drawn
        size = abs(left) + 1e-8
        made.append(math.copysign(size**gamma * (1.0 + alpha * math.exp(-beta * size)), left))
    return made


def of_adapters(
    weight: list[list[float]], factors: list[tuple[list[list[float]], list[list[float]]]],
    scaling: float,
) -> list[list[float]]:  # fmt: skip
    """One module: muyiahhh/SharpRec, src/mlora3/mytuners.py, Linear.merge (from WeaveRec's code).

    The weights of the adapters are the softmax of ones (WeaveRec's result/change_weights.py).

    Args:
        weight: of the module [out][in].
        factors: ``(B [out][rank], A [rank][in])`` of each adapter.
        scaling: of the first adapter, which all share there.
    """
    exponentials = [math.exp(1.0) for _ in factors]
    merged = [list(row) for row in weight]
    for number, (left, right) in enumerate(factors):
        alpha = exponentials[number] / sum(exponentials)
        for i, row in enumerate(left):
            for j in range(len(merged[i])):
                product = sum(b * a[j] for b, a in zip(row, right, strict=True))
                merged[i][j] += alpha * product * scaling
    return merged
