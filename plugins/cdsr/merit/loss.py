"""MERIT's targets, their weights and their negatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from recmerge_bench_plugins.cdsr.merit.net import MIXED, Reading
from torch import Tensor

from recmerge_bench.api import Batch
from recmerge_bench.toolkit.models import losses
from recmerge_bench.toolkit.models.sampled_scores import chosen_scores
from recmerge_bench.toolkit.models.unseen import Unseen


@dataclass(frozen=True)
class Aim:
    """Targets of a set of tokens.

    Attributes:
        tokens: int64 [N], which of the batch's tokens have one.
        rows: int64 [N], their sequences.
        targets: int64 [N], rows of the joined tables.
        numbers: int64 [N], the targets' domains.
        weights: float [N], the loss is the weighted sum.
        pools: int64 [N, P], numbers of the domains that negatives come from, equally many of
            each.
        events: of the batch.
        table: [I, width], the joined tables.
    """

    tokens: Tensor
    rows: Tensor
    targets: Tensor
    numbers: Tensor
    weights: Tensor
    pools: Tensor
    events: Events
    table: Tensor


@dataclass(frozen=True)
class Events:
    """Inputs and targets of each sequence as one: rows of the joined tables, int64 [B, L + 1].

    Attributes:
        rows: the events.
        valid: bool [B, L + 1].
        unseen: by domain, what its sequences leave for negatives; empty where none are drawn.
        starts: by domain, the row of the joined tables that these count from.
    """

    rows: Tensor
    valid: Tensor
    unseen: tuple[Unseen, ...] = ()
    starts: tuple[int, ...] = ()

    @classmethod
    def of(cls, net: Any, rows: Tensor, valid: Tensor) -> Events:
        """With what is left for the net's negatives."""
        if not net.options.negatives:
            return cls(rows, valid)
        unseen, starts = [], []
        for number, name in enumerate(net.domains):
            span = net.tables.scope_span(net.domains, name)
            # The released pool of the second domain begins one item too early.
            start = span.start - (net.options.computes != "paper" and number > 0)
            inside = valid & (rows >= start) & (rows < span.stop)
            unseen.append(Unseen.of(rows - start, inside, span.stop - start))
            starts.append(start)
        return cls(rows, valid, tuple(unseen), tuple(starts))


@dataclass(frozen=True)
class Targets:
    """What the tokens of a batch are to predict."""

    net: Any
    reading: Reading
    events: Events

    @classmethod
    def of(cls, net: Any, batch: Batch, reading: Reading) -> Targets:
        """From a batch."""
        both = torch.cat([batch.items[:, :1], batch.targets], 1)
        places = torch.arange(both.shape[1], device=both.device)
        rows = net.tables.scope_rows(both, net.domains)
        return cls(net, reading, Events.of(net, rows, places <= batch.lengths[:, None]))

    def mixed(self, norm: str) -> Aim:
        """The next event of each token, whatever its domain."""
        tokens = self.reading.tokens[MIXED]
        targets = self.events.rows[tokens.rows, tokens.at + 1]
        numbers = self.net.number(targets)
        parts = numbers if norm == "domain" else torch.zeros_like(numbers)
        pools = torch.arange(len(self.net.domains), device=targets.device)
        return Aim(
            tokens.flat,
            tokens.rows,
            targets,
            numbers,
            self._weights(tokens.rows, parts),
            pools.expand(len(targets), -1),
            self.events,
            self.reading.table,
        )

    def own(self) -> Aim:
        """The next event of each token's own domain, for tokens that have one."""
        tokens, end = self.reading.tokens[MIXED], self.events.rows.shape[1]
        grid = self.net.number(self.events.rows).masked_fill(~self.events.valid, -1)
        places = torch.arange(end, device=grid.device).expand_as(grid)
        at = torch.full_like(tokens.at, end)
        for number in range(len(self.net.domains)):
            later = places.masked_fill(grid != number, end).flip(1).cummin(1).values.flip(1)
            following = later[tokens.rows, tokens.at + 1]
            at = torch.where(self.reading.numbers == number, following, at)
        has = at < end
        rows, numbers = tokens.rows[has], self.reading.numbers[has]
        return Aim(
            tokens.flat[has],
            rows,
            self.events.rows[rows, at[has]],
            numbers,
            self._weights(rows, numbers),
            numbers[:, None],
            self.events,
            self.reading.table,
        )

    def _weights(self, rows: Tensor, parts: Tensor) -> Tensor:
        """1 / (users * targets of the same part in the same sequence).

        A user without a target in a domain adds nothing there; the mean is over all users.
        """
        users, domains = len(self.events.rows), len(self.net.domains)
        cells = rows * domains + parts
        counts = torch.bincount(cells, minlength=users * domains)
        return 1.0 / (users * counts[cells])


def cross_entropy(net: Any, states: Tensor, aim: Aim, generator: torch.Generator) -> Tensor:
    """InfoNCE of the states [tokens of the batch, width], or the full softmax over the pools."""
    o = net.options
    hidden = states.index_select(0, aim.tokens)
    if not o.negatives:
        return _full(net, hidden, aim)
    choices = torch.cat([aim.targets[:, None], draw(net, aim, generator)], 1)
    scores = chosen_scores(hidden, aim.table, choices)
    return losses.sampled_cross_entropy(scores[:, 0], scores[:, 1:], o.temperature, aim.weights)


def draw(net: Any, aim: Aim, generator: torch.Generator) -> Tensor:
    """Negatives, rows of the joined tables: int64 [N, P * negatives]."""
    count, events = net.options.negatives, aim.events
    drawn = aim.pools.new_empty((*aim.pools.shape, count))
    for number, (unseen, start) in enumerate(zip(events.unseen, events.starts, strict=True)):
        token, column = (aim.pools == number).nonzero(as_tuple=True)
        drawn[token, column] = start + unseen.draw(count, generator, aim.rows[token])
    return drawn.flatten(1)


def _full(net: Any, hidden: Tensor, aim: Aim) -> Tensor:
    """Over all domains for the mixed loss, over the target's own for the domains' losses."""
    temperature = net.options.temperature
    if aim.pools.shape[1] > 1:
        return losses.full_cross_entropy(
            hidden, aim.table, aim.targets, weights=aim.weights, temperature=temperature
        )
    total = hidden.new_zeros(())
    for number, name in enumerate(net.domains):
        chosen = (aim.numbers == number).nonzero().squeeze(1)
        start = net.tables.scope_span(net.domains, name).start
        if len(chosen):
            total = total + losses.full_cross_entropy(
                hidden[chosen],
                net.tables.domain_table(name),
                aim.targets[chosen] - start,
                weights=aim.weights[chosen],
                temperature=temperature,
            )
    return total
