"""RecBole's losses on our batches: its own `calculate_loss` wherever that can be called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from recmerge_bench_plugins.backbones.recbole_models.net import HISTORY, ITEM, LENGTH
from torch import Tensor
from torch.nn import functional as F

from recmerge_bench.api import Batch
from recmerge_bench.toolkit.models.cloze import ClozeNet
from recmerge_bench.toolkit.models.losses import valid_tokens

if TYPE_CHECKING:
    from recmerge_bench_plugins.backbones.recbole_models.net import RecBoleNet


def all_positions(net: RecBoleNet, batch: Batch) -> tuple[Tensor, int]:
    """RecBole's cross entropy (the padding is a class) of the states after all events."""
    keep = valid_tokens(batch.lengths, batch.items.shape[1])
    states = net.states(batch.items, batch.lengths, batch.scope).flatten(0, 1)[keep]
    targets = net.rows(batch.targets, batch.scope).flatten()[keep]
    core: Any = net.core
    return F.cross_entropy(states @ core.item_embedding.weight.T, targets), len(keep)


def one_prefix(net: RecBoleNet, batch: Batch) -> tuple[Tensor, int]:
    """RecBole's loss of the item that follows a prefix of each window, its length uniform."""
    draws = torch.rand(len(batch.items), generator=batch.generator, device=batch.items.device)
    lengths = (draws * batch.lengths).long() + 1
    asked = net.ask(batch.items, lengths, batch.scope)
    targets = batch.targets.gather(1, lengths[:, None] - 1).squeeze(1)
    asked[ITEM] = net.rows(targets, batch.scope)
    return _value(net, asked), len(targets)


def _value(net: RecBoleNet, asked: dict[str, Tensor]) -> Tensor:
    core: Any = net.core
    if net.facts.name != "FEARec":
        value: Tensor = core.calculate_loss(asked)
        return value.reshape(())  # GCSAN's penalty makes a vector of one number
    # Its own looks up sequences of the same target in RecBole's data set; the contrast of two
    # passes, which differ by dropout, needs none.
    first, second = (core(asked[HISTORY], asked[LENGTH]) for _ in range(2))
    value = F.cross_entropy(first @ core.item_embedding.weight.T, asked[ITEM])
    if len(first) < 2 or core.ssl not in ("us", "un"):
        return value
    logits, labels = core.info_nce(first, second, core.tau, len(first), core.sim)
    return value + core.lmd * core.aug_nce_fct(logits, labels)


def masked_items(
    net: RecBoleNet, batch: Batch, ratio: float, last_share: float
) -> tuple[Tensor, int]:
    """BERT4Rec's loss of masked items. A window's first event is no target in RecBole either.

    Args:
        net: the module.
        batch: windows of inputs and next events, which together are the sequences.
        ratio: share of the events that are masked.
        last_share: share of the sequences in which the last event alone is masked.
    """
    events = torch.cat([batch.items[:, :1], batch.targets], 1)
    lengths = batch.lengths + 1
    masked = ClozeNet.draw_mask(
        batch.lengths, batch.items.shape[1], ratio, last_share, batch.generator
    )
    masked = F.pad(masked, (1, 0))
    core: Any = net.core
    sequences = net.ask(events, lengths, batch.scope)[HISTORY]
    places, known = _listed(masked)
    return core.calculate_loss(
        {
            core.MASK_ITEM_SEQ: sequences.masked_fill(masked, core.mask_token),
            core.MASK_INDEX: places,
            core.POS_ITEMS: sequences.gather(1, places),
            core.NEG_ITEMS: torch.zeros_like(places),
        }
    ), int(known)


def _listed(masked: Tensor) -> tuple[Tensor, int]:
    """Positions of the masks, 0 behind the last ones: int64 [B, M]; and how many there are."""
    counts = masked.sum(1)
    order = torch.argsort(masked.int(), dim=1, descending=True, stable=True)
    places = order[:, : int(counts.max())]
    inside = torch.arange(places.shape[1], device=masked.device) < counts[:, None]
    return places * inside, int(counts.sum())
