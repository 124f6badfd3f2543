"""Next-item losses on valid tokens only.

All take hidden states [N, width] that were picked with `valid_tokens` before any product with an
item table, and an optional weight for each token; without weights the loss is the mean.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from recmerge_bench.toolkit.models.full_softmax import blocked_loss, cross_entropy_terms
from recmerge_bench.toolkit.models.products import linear
from recmerge_bench.toolkit.models.sampled_scores import chosen_scores
from recmerge_bench.toolkit.models.unseen import Unseen


def valid_tokens(lengths: Tensor, size: int) -> Tensor:
    """Flat positions of a right-padded [B, size] grid that are no padding: int64 [N]."""
    grid = torch.arange(size, device=lengths.device) < lengths[:, None]
    return grid.flatten().nonzero().squeeze(1)


def full_cross_entropy(
    hidden: Tensor,
    table: Tensor,
    targets: Tensor,
    bias: Tensor | None = None,
    weights: Tensor | None = None,
    temperature: float = 1.0,
) -> Tensor:
    """Cross entropy over all items of the table; logits are never held for all tokens at once.

    Args:
        hidden: float [N, width].
        table: float [I, width].
        targets: int64 [N], rows of the table.
        bias: float [I] or None.
        weights: float [N]; the loss is ``sum(weights * nll)``; None: the mean.
        temperature: logits are ``(hidden @ table.T + bias) / temperature``.
    """
    if weights is None:
        double = hidden.dtype == torch.float64
        kind = torch.float64 if double else torch.float32
        weights = torch.full_like(targets, 1.0 / len(targets), dtype=kind)
    if bias is not None:
        bias = bias / temperature
    return blocked_loss(hidden / temperature, table, bias, targets, weights, cross_entropy_terms)


def choice_scores(
    hidden: Tensor, table: Tensor, choices: Tensor, bias: Tensor | None = None
) -> Tensor:
    """Scores of chosen rows: hidden [N, width], choices int64 [N, K] to [N, K].

    See `chosen_scores`, which makes them without gathering vectors.
    """
    scores = chosen_scores(hidden, table, choices)
    return scores if bias is None else scores + bias[choices]


def shared_scores(
    hidden: Tensor, table: Tensor, targets: Tensor, shared: Tensor, bias: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Scores of each token's target, and of rows that all tokens share.

    Args:
        hidden: float [N, width].
        table: float [I, width].
        targets: int64 [N], rows of the table.
        shared: int64 [K], rows of the table.
        bias: float [I] or None.

    Returns:
        [N] and [N, K].
    """
    good = (hidden * F.embedding(targets, table)).sum(1)
    bad = linear(hidden, F.embedding(shared, table))
    return (good, bad) if bias is None else (good + bias[targets], bad + bias[shared])


def sampled_cross_entropy(
    positive: Tensor,
    negative: Tensor,
    temperature: float = 1.0,
    weights: Tensor | None = None,
    hits: Tensor | None = None,
    others: int = 0,
) -> Tensor:
    """InfoNCE: cross entropy of the positive among itself and its negatives.

    Args:
        positive: float [N], scores of the targets.
        negative: float [N, K].
        temperature: divides all scores.
        weights: float [N] as in `full_cross_entropy`.
        hits: bool [N, K], negatives that are the target after all: left out.
        others: where positive, the negatives' sum is scaled up to so many items: ``log(exp(s+) +
            others / K * sum_k exp(s-_k)) - s+``, with K those that are not left out.
    """
    logits = _wide(torch.cat([positive[:, None], negative], dim=1)) / temperature
    if others:
        known = negative.new_full((len(negative), 1), negative.shape[1])
        known = known if hits is None else known - hits.sum(1, keepdim=True)
        logits = torch.cat([logits[:, :1], logits[:, 1:] + (others / known.clamp_min(1)).log()], 1)
    if hits is not None:
        logits = logits.masked_fill(F.pad(hits, (1, 0)), -torch.inf)
    each = torch.logsumexp(logits, dim=1) - logits[:, 0]
    return _reduce(each, weights)


def binary_cross_entropy(
    positive: Tensor,
    negative: Tensor,
    beta: float = 1.0,
    weights: Tensor | None = None,
) -> Tensor:
    """``-(beta * log sig(s+) + sum_k log(1 - sig(s-_k))) / (K + 1)``, averaged over tokens.

    ``beta = 1`` is SASRec's binary cross entropy (up to the constant factor K + 1); another
    beta is gBCE (arXiv 2308.07192, eq. 9), see `gbce_beta`.
    """
    good = beta * F.softplus(-_wide(positive))
    bad = F.softplus(_wide(negative)).sum(1)
    return _reduce((good + bad) / (negative.shape[1] + 1), weights)


def gbce_beta(n_items: int, negatives: int, t: float) -> float:
    """Exponent of gBCE: ``alpha * (t * (1 - 1 / alpha) + 1 / alpha)`` (arXiv 2308.07192, eq. 11).

    Args:
        n_items: items that compete.
        negatives: drawn for each target; ``alpha = negatives / (n_items - 1)``.
        t: calibration, 0 (plain BCE) to 1 (full correction of the sampling).
    """
    alpha = min(1.0, negatives / max(n_items - 1, 1))
    return alpha * (t * (1 - 1 / alpha) + 1 / alpha)


def draw_negatives(
    seen: Tensor,
    valid: Tensor,
    n_items: int,
    count: int,
    generator: torch.Generator,
    owners: Tensor | None = None,
) -> Tensor:
    """Uniform draws with replacement, exactly without the rows' own items, by rank shifting.

    Args:
        seen: int64 [B, S], rows of a table; repeats are allowed.
        valid: bool [B, S], entries of `seen` that count.
        n_items: rows of the table.
        count: draws for each row of `seen`, or for each of `owners`.
        generator: on the device of `seen`.
        owners: int64 [N], rows of `seen` that draw, if not each of them once.

    Returns:
        int64 [B, count] or [N, count]. A row that has seen every item gets seen ones.
    """
    return Unseen.of(seen, valid, n_items).draw(count, generator, owners)


def _wide(scores: Tensor) -> Tensor:
    """In single precision, or double where they are so already."""
    return scores if scores.dtype == torch.float64 else scores.float()


def _reduce(each: Tensor, weights: Tensor | None) -> Tensor:
    return each.mean() if weights is None else (each * weights).sum()
