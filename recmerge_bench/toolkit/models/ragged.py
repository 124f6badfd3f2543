"""Subsequences of mixed sequences, and what is known at each of their events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from recmerge_bench.toolkit.models.alignment import kept_columns
from recmerge_bench.toolkit.models.cdsr_blocks import inside


@dataclass(frozen=True)
class Compact:
    """Chosen events of right-padded sequences, themselves right-padded.

    Attributes:
        items: int64 [B, T], T at least 1; what stands in padding is any item.
        places: int64 [B, T], columns that they came from.
        lengths: int64 [B], 0 where none was chosen.
    """

    items: Tensor
    places: Tensor
    lengths: Tensor

    @property
    def valid(self) -> Tensor:
        """Entries that are no padding: bool [B, T]."""
        return inside(self.lengths, self.items.shape[1])

    def seen_from(self, bounds: Tensor) -> Tensor:
        """Which of these events lie before a bound: bool [B, Q, T] for int64 bounds [B, Q]."""
        return (self.places[:, None] < bounds[..., None]) & self.valid[:, None]


def compact(items: Tensor, keep: Tensor) -> Compact:
    """The chosen events in their order.

    Args:
        items: int64 [B, L].
        keep: bool [B, L].
    """
    columns, lengths = kept_columns(keep)
    return Compact(items.gather(1, columns), columns, lengths)


def masked_mean(states: Tensor, mask: Tensor) -> Tensor:
    """Mean of the states that each query sees; zero where it sees none.

    Args:
        states: float [B, S, width].
        mask: bool [B, T, S].

    Returns:
        float [B, T, width].
    """
    share = mask.to(states.dtype)
    return share @ states / share.sum(-1, keepdim=True).clamp_min(1.0)


@dataclass(frozen=True)
class View:
    """A batch as a model of one target domain sees it.

    Attributes:
        own: the target domain's events.
        source: the other domains' events, in one sequence.
        bounds: int64 [B, T]: how many leading mixed events are known when it is asked what
            follows own event t.
        events: int64 [B, L], mixed events, right-padded.
        lengths: int64 [B].
    """

    own: Compact
    source: Compact
    bounds: Tensor
    events: Tensor
    lengths: Tensor


@dataclass(frozen=True)
class NextItems:
    """What a training view is asked.

    Attributes:
        items: int64 [B, T], the target domain's next item after each own event.
        seen: all of the target domain's events of the windows, targets included.
    """

    items: Tensor
    seen: Compact


def training_view(
    items: Tensor, targets: Tensor, lengths: Tensor, is_own: Callable[[Tensor], Tensor], until: str
) -> tuple[View, NextItems]:
    """Windows of mixed events as inputs and targets of one domain.

    Args:
        items: int64 [B, L], inputs (see `Batch`).
        targets: int64 [B, L].
        lengths: int64 [B].
        is_own: tells the target domain's items.
        until: how far an own event's knowledge reaches: ``target``, all mixed events before the
            one to be predicted (as at test time), or ``item``, those up to the own event.
    """
    events = torch.cat([items[:, :1], targets], 1)
    own = is_own(events)
    kept = compact(events, own & inside(lengths + 1, events.shape[1]))
    size = max(kept.items.shape[1] - 1, 1)
    inputs = Compact(kept.items[:, :size], kept.places[:, :size], (kept.lengths - 1).clamp_min(0))
    following = kept.places.roll(-1, 1)[:, :size]
    bounds = following if until == "target" else inputs.places + 1
    source = compact(events, ~own & inside(lengths, events.shape[1]))
    view = View(inputs, source, bounds, events, lengths + 1)
    return view, NextItems(kept.items.roll(-1, 1)[:, :size], kept)


def history_view(
    histories: Tensor, lengths: Tensor, is_own: Callable[[Tensor], Tensor], until: str
) -> View:
    """Histories, asked for what follows their last own event.

    Args:
        histories: int64 [B, L], right-padded.
        lengths: int64 [B].
        is_own: tells the target domain's items.
        until: as in `training_view`.
    """
    known = inside(lengths, histories.shape[1])
    own = is_own(histories)
    kept = compact(histories, own & known)
    bounds = kept.places + 1
    if until == "target":
        last = torch.arange(kept.items.shape[1], device=lengths.device) >= (
            kept.lengths[:, None] - 1
        )
        bounds = torch.where(last, lengths[:, None], kept.places.roll(-1, 1))
    return View(kept, compact(histories, ~own & known), bounds, histories, lengths)
