"""Merging methods written out once more from papers and released code, in float64, for comparison.

Nothing of the package is used here: each function follows the source that its docstring names,
step by step, loops included, and shares no line with the implementation that it checks.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

#: Iso-CTS's directions of each expert, worked out by hand from round((r - int(.8 r)) / K), halves
#: to the even number: {rank: {K: directions}}.
ISO_CTS_DIRECTIONS = {
    8: {2: 1, 3: 1, 4: 0, 5: 0, 8: 0},
    16: {2: 2, 3: 1, 4: 1, 5: 1, 8: 0},
    32: {2: 4, 3: 2, 4: 2, 5: 1, 8: 1},
    48: {2: 5, 3: 3, 4: 2, 5: 2, 8: 1},
    64: {2: 6, 3: 4, 4: 3, 5: 3, 8: 2},
    96: {2: 10, 3: 7, 4: 5, 5: 4, 8: 2},
    128: {2: 13, 3: 9, 4: 6, 5: 5, 8: 3},
    256: {2: 26, 3: 17, 4: 13, 5: 10, 8: 6},
    512: {2: 52, 3: 34, 4: 26, 5: 21, 8: 13},
    768: {2: 77, 3: 51, 4: 38, 5: 31, 8: 19},
}


def iso_cts(taus: list[Tensor], fraction: float = 0.8) -> Tensor:
    """One matrix: danielm1405/iso-merging, `iso_cts` (fusion_bench's iso_utils.py is the same)."""
    rank, tasks = min(taus[0].shape), len(taus)
    common = int(rank * fraction)
    specific = round((rank - common) / tasks) * tasks
    common = rank - specific
    each = int((rank - common) / tasks)
    u, s, vt = torch.linalg.svd(sum(taus[1:], taus[0]), full_matrices=False)
    u_common = u[:, :common]
    big_u = torch.zeros_like(u)
    big_s = torch.zeros_like(s)
    big_v = torch.zeros_like(vt)
    for i, tau in enumerate(taus):
        outside = tau - u_common @ (u_common.T @ tau)
        ui, si, vi = torch.linalg.svd(outside, full_matrices=False)
        for j in range(each):
            big_u[:, i * each + j] = ui[:, j]
            big_s[i * each + j] = si[j]
            big_v[i * each + j] = vi[j]
    for j in range(common):
        big_u[:, tasks * each + j] = u[:, j]
        big_s[tasks * each + j] = s[j]
        big_v[tasks * each + j] = vt[j]
    a, _, b = torch.linalg.svd(big_u, full_matrices=False)
    c, _, d = torch.linalg.svd(big_v, full_matrices=False)
    return (a @ b) @ torch.diag(torch.full_like(big_s, float(big_s.mean()))) @ (c @ d)


def iso_c(taus: list[Tensor]) -> Tensor:
    """One matrix: danielm1405/iso-merging, `iso_c`; the paper's eqs. 5 and 6."""
    u, s, vt = torch.linalg.svd(sum(taus[1:], taus[0]), full_matrices=False)
    return u @ torch.diag(torch.full_like(s, float(s.sum()) / len(s))) @ vt


def tsv_m(taus: list[Tensor]) -> Tensor:
    """One matrix: AntoAndGar/task_singular_vectors, `compute_and_sum_svd_mem_reduction`."""
    share = 1 / len(taus)
    big_u = big_s = big_v = torch.zeros(0)
    for i, tau in enumerate(taus):
        u, s, vt = torch.linalg.svd(tau, full_matrices=False)
        if i == 0:
            big_u, big_s, big_v = (torch.zeros_like(t) for t in (u, s, vt))
        keep = int(len(s) * share)
        big_u[:, i * keep : (i + 1) * keep] = u[:, :keep]
        big_s[i * keep : (i + 1) * keep] = s[:keep]
        big_v[i * keep : (i + 1) * keep] = vt[:keep]
    a, _, b = torch.linalg.svd(big_u, full_matrices=False)
    c, _, d = torch.linalg.svd(big_v, full_matrices=False)
    return a @ b @ torch.diag(big_s) @ c @ d


def wudi(taus: Tensor, lr: float, steps: int, squared: bool) -> Tensor:
    """One matrix: nathanielyvo/WUDI-Merging, `get_redundant_task_vector`, gradients by autograd.

    `squared` is the paper's loss and that of the code for language models; the code for vision
    models divides by the norm.
    """
    merged = torch.nn.Parameter(taus.sum(0))
    optimizer = torch.optim.Adam([merged], lr=lr, weight_decay=0)
    norms = torch.stack([tau.norm() ** 2 if squared else tau.norm() for tau in taus])
    with torch.enable_grad():
        for _ in range(steps):
            optimizer.zero_grad()
            loss = torch.zeros((), dtype=taus.dtype)
            for tau, norm in zip(taus, norms, strict=True):
                loss = loss + ((tau @ (merged - tau).T) ** 2 / norm).sum()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return merged.detach()


def pcb(taus: Tensor, ratio: float, clip: float, divide: bool = False) -> Tensor:
    """duguodong7/pcb-merging, pcb-merging.py, `PCB_merge`; `clip` 1e-4 there, 1e-2 in MergeRec."""

    def clamp(row: list[float], low: float, high: float) -> list[float]:
        size, order = len(row), sorted(row)
        least, most = order[int(size * low)], order[int(size * (1 - high) - 1)]
        return [min(max(value, least), most) for value in row]

    def normal(row: list[float]) -> list[float]:
        return [(value - min(row)) / (max(row) - min(row)) for value in row]

    count, size = taus.shape
    values = taus.tolist()
    total = [sum(row[j] for row in values) for j in range(size)]
    sizes = [clamp([abs(v) for v in row], clip, clip) for row in values]
    scores = []
    for row, magnitude in zip(values, sizes, strict=True):
        scores.append([
            math.exp(count * own**2) * math.tanh(value * whole)
            for own, value, whole in zip(normal(magnitude), row, total, strict=True)
        ])  # fmt: skip
    weights = [normal(clamp(row, 1 - ratio, 0)) for row in scores]
    merged = []
    for j in range(size):
        top = sum(
            math.copysign(sizes[k][j], values[k][j]) * weights[k][j] if values[k][j] else 0.0
            for k in range(count)
        )
        merged.append(top / max(sum(w[j] for w in weights), 1e-12) / (count if divide else 1))
    return torch.tensor(merged, dtype=taus.dtype)


def model_stock(taus: Tensor) -> Tensor:
    """One tensor's entries [K, n]: arcee-ai/mergekit, merge_methods/model_stock.py."""
    cosines = [
        float(taus[i] @ taus[j] / (taus[i].norm() * taus[j].norm()))
        for i in range(len(taus))
        for j in range(i + 1, len(taus))
    ]
    cosine = sum(cosines) / len(cosines)
    share = len(taus) * cosine / (1 + (len(taus) - 1) * cosine)
    return share * sum(taus[1:], taus[0]) / len(taus)


def by_tensor(method: Callable[[list[Tensor]], Tensor], taus: list[Tensor]) -> Tensor:
    """A method for matrices; anything else is the mean, as in the spectral methods' code."""
    if taus[0].dim() == 2:
        return method(taus)
    return sum(taus[1:], taus[0]) / len(taus)


# -- entry by entry: rows [K][n] of plain numbers ------------------------------------------------


def weight_average(models: list[list[float]]) -> list[float]:
    """Model soups' uniform soup: the mean of the weights themselves."""
    return [sum(column) / len(models) for column in zip(*models, strict=True)]


def task_arithmetic(base: list[float], models: list[list[float]], scale: float) -> list[float]:
    """Ilharco et al., section 3: theta_0 + lambda sum of task vectors."""
    return [b + scale * sum(m[j] - b for m in models) for j, b in enumerate(base)]


def ties(
    taus: list[list[float]], density: float, extra: int = 0, majority: bool = False
) -> list[float]:
    """Yadav et al., algorithm 1; `extra` 1 and `majority` as in prateeky2806/ties-merging.

    There kthvalue(d - int(d density)) is kept too, and an elected sign of zero becomes the sign of
    the sum of all elected signs.
    """
    size = len(taus[0])
    trimmed = []
    for row in taus:
        keep = min(size, int(density * size) + extra)
        least = sorted((abs(v) for v in row), reverse=True)[keep - 1] if keep else math.inf
        trimmed.append([v if abs(v) >= least else 0.0 for v in row])
    sums = [sum(column) for column in zip(*trimmed, strict=True)]
    signs = [(s > 0) - (s < 0) for s in sums]
    balance = sum(signs)
    tie = -1 if majority and balance < 0 else 1
    merged = []
    for sign, column in zip(signs, zip(*trimmed, strict=True), strict=True):
        agree = [v for v in column if v * (sign or tie) > 0]
        merged.append(sum(agree) / len(agree) if agree else 0.0)
    return merged


def dare(taus: list[list[float]], drop: float, draws: list[list[float]]) -> list[float]:
    """Yu et al., eqs. 2 to 4, added up as Task Arithmetic; a draw below `drop` drops the entry."""
    rows = [
        [v / (1 - drop) if u >= drop else 0.0 for v, u in zip(row, drawn, strict=True)]
        for row, drawn in zip(taus, draws, strict=True)
    ]
    return [sum(column) for column in zip(*rows, strict=True)]


def breadcrumbs(taus: list[list[float]], bottom: float, top: float) -> list[float]:
    """Davari & Belilovsky, eqs. 2 to 4, one layer: both tails of each task vector are masked."""
    merged = [0.0] * len(taus[0])
    for row in taus:
        order = sorted(range(len(row)), key=lambda j, row=row: abs(row[j]))  # type: ignore[misc]
        last = len(row) - int(top * len(row))
        for j in order[int(bottom * len(row)) : last]:
            merged[j] += row[j]
    return merged


def della_chances(row: list[float], density: float, spread: float) -> list[float]:
    """MAGPRUNE's chances of survival by rank, as in mergekit's `della_magprune`."""
    order = sorted(range(len(row)), key=lambda j: abs(row[j]))
    chances = [0.0] * len(row)
    for rank, j in enumerate(order):
        share = rank / (len(row) - 1) if len(row) > 1 else 0.0
        chances[j] = density - spread + share * 2 * spread
    return chances


def magmax(taus: list[list[float]]) -> list[float]:
    """Marczak et al., eq. 3; the later of equal magnitudes, as in danielm1405/magmax."""
    merged = []
    for column in zip(*taus, strict=True):
        best = column[0]
        for value in column[1:]:
            if abs(value) >= abs(best):
                best = value
        merged.append(best)
    return merged


def tall_mask(tau: list[float], total: list[float], threshold: float) -> list[bool]:
    """Wang et al., eq. 5: |theta_0 - theta_k| > lambda |theta_MTL - theta_k|."""
    return [abs(t) > threshold * abs(s - t) for t, s in zip(tau, total, strict=True)]


def consensus(taus: list[list[float]], threshold: float, agree: int) -> list[float]:
    """Wang et al., eq. 6: the summed task vector where enough masks select it."""
    total = [sum(column) for column in zip(*taus, strict=True)]
    masks = [tall_mask(tau, total, threshold) for tau in taus]
    return [s if sum(m[j] for m in masks) >= agree else 0.0 for j, s in enumerate(total)]


def emr(taus: list[list[float]]) -> list[list[float]]:
    """Huang et al., eqs. 2 to 5 and algorithm 1: each domain's rescaled, masked elected vector."""
    size = len(taus[0])
    signs = [1.0 if sum(row[j] for row in taus) >= 0 else -1.0 for j in range(size)]
    unified = [
        signs[j] * max((abs(r[j]) for r in taus if r[j] * signs[j] > 0), default=0.0)
        for j in range(size)
    ]
    collected = []
    for row in taus:
        masked = [u if t * u > 0 else 0.0 for t, u in zip(row, unified, strict=True)]
        scale = sum(abs(t) for t in row) / sum(abs(m) for m in masked)
        collected.append([scale * m for m in masked])
    return collected


def localize_and_stitch(taus: list[list[float]], density: float) -> list[float]:
    """He et al., the dataless form: largest entries of each, overlaps divided by their count."""
    kept = []
    for row in taus:
        least = sorted((abs(v) for v in row), reverse=True)[int(density * len(row)) - 1]
        kept.append([v if abs(v) >= least else 0.0 for v in row])
    return [sum(c) / max(1, sum(v != 0 for v in c)) for c in zip(*kept, strict=True)]


def norm_balanced(taus: list[list[float]]) -> list[float]:
    """Ours: every task vector at the mean length."""
    lengths = [math.sqrt(sum(v * v for v in row)) for row in taus]
    mean = sum(lengths) / len(lengths)
    return [
        sum(v * mean / length for v, length in zip(column, lengths, strict=True))
        for column in zip(*taus, strict=True)
    ]


def multi_slerp(taus: Tensor, log: bool = False) -> Tensor:
    """One tensor [K, n]: arcee-ai/mergekit, merge_methods/multislerp.py, equal weights.

    `log` maps directions by the sphere's logarithm instead of projecting them: ours.
    """
    share, eps = 1 / len(taus), 1e-8
    units = [tau / (tau.norm() + eps) for tau in taus]
    mean = sum((share * u for u in units[1:]), share * units[0])
    mean = mean / mean.norm()
    step = torch.zeros_like(mean)
    for unit in units:
        tangent = unit - (unit @ mean) * mean
        if log:
            tangent = tangent / tangent.norm() * torch.acos(unit @ mean)
        step = step + share * tangent
    angle = step.norm() + eps
    merged = mean * torch.cos(angle) + step * (torch.sin(angle) / angle)
    return merged * sum(float(tau.norm()) * share for tau in taus)


def slerp(share: float, one: Tensor, two: Tensor) -> Tensor:
    """Two tensors: arcee-ai/mergekit, merge_methods/slerp.py."""
    a, b = (t / t.norm() if t.norm() > 1e-8 else t for t in (one, two))
    cosine = float((a * b).sum())
    if abs(cosine) > 0.9995:
        return (1 - share) * one + share * two
    angle = math.acos(cosine)
    first, second = math.sin(angle - angle * share), math.sin(angle * share)
    return first / math.sin(angle) * one + second / math.sin(angle) * two
