"""The net of ABXI: one encoder for all sequences, adapted to each domain by low-rank maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from recmerge_bench_plugins.cdsr.abxi.low_rank import LowRank
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.api import Catalogue
from recmerge_bench.toolkit.models.alignment import by_timestamp, reverse_order, task_guided
from recmerge_bench.toolkit.models.domain_losses import domain_numbers
from recmerge_bench.toolkit.models.encoder import init_weights
from recmerge_bench.toolkit.models.losses import valid_tokens
from recmerge_bench.toolkit.models.padded_attention import PaddedAttention
from recmerge_bench.toolkit.models.swiglu import SwiGLU
from recmerge_bench.toolkit.models.tables import build_tables

Adapter = Literal["low-rank", "swiglu", "none"]


@dataclass(frozen=True)
class Parts:
    """What the net is made of; the defaults are the published model.

    Attributes:
        separate: an encoder for each sequence in the place of one for all.
        adapter: of the encoder to each sequence ("dLoRA").
        invariant: of the mixed sequence's states to each domain ("iLoRA").
        shared_projector: a SwiGLU on the mixed sequence's states, one for all domains.
        own_projectors: one on each domain's states, with a norm.
        task_guided: how sequences line up, see `alignment`.
    """

    separate: bool = False
    adapter: Adapter = "low-rank"
    invariant: Adapter = "low-rank"
    shared_projector: bool = True
    own_projectors: bool = True
    task_guided: bool = True

    @property
    def bare(self) -> bool:
        """Whether nothing stands between the encoder and one norm of the sum of both states."""
        adapted = self.invariant != "none" or self.shared_projector or self.own_projectors
        return not adapted


@dataclass(frozen=True)
class Sizes:
    """Widths and the like.

    Attributes:
        width: width of item vectors and layers.
        heads: number of attention heads.
        inner: of every SwiGLU.
        domain_rank: of the maps from the shared encoder to a sequence.
        invariant_rank: of the maps from the mixed sequence to a domain.
        dropout: on embeddings and on every sub-layer's output.
        max_len: longest sequence; shorter ones count as padded on the left up to it.
    """

    width: int
    heads: int
    inner: int
    domain_rank: int
    invariant_rank: int
    dropout: float
    max_len: int


class SequenceEncoder(nn.Module):
    """Post-norm attention; the SwiGLU's output is left to be added with an adapter's."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.attention = PaddedAttention(sizes.width, sizes.heads)
        self.norm = nn.LayerNorm(sizes.width)
        self.feed_forward = SwiGLU(sizes.width, sizes.inner)
        self.dropout = sizes.dropout

    def attend(self, queries: Tensor, tokens: Tensor, visible: Tensor, masked: Tensor) -> Tensor:
        """``norm(q + drop(attention(q)))``: [B, Q, width]; arguments: see `PaddedAttention`."""
        mixed = self.attention(queries, tokens, visible, masked)
        out: Tensor = self.norm(queries + F.dropout(mixed, self.dropout, self.training))
        return out


class TaskGuidedNet(nn.Module):
    """State dict: ``tables.<domain>``, ``positions`` [max_len, width] (the last event has the
    first row), ``encoders.<n>``, ``adapters.<n>``, ``norms.<n>`` (n is 0 for the mixed sequence,
    then 1 + the domain's number), ``invariants.<d>``, ``shared_projector``,
    ``own_projectors.<d>``, ``mixed_norms.<d>``, ``own_norms.<d>``.

    Sequence ``d`` is a domain's own. Since each position belongs to the sequence of one domain,
    all own sequences together are one grid whose attention stays within the domain.

    Args:
        catalogue: the items.
        domains: domains to hold tables for.
        seed: of all random initial values.
        sizes: see `Sizes`.
        parts: see `Parts`.
        init: of the tables, see `build_tables`.
        std: standard deviation of initial item and position vectors and of linear maps.
    """

    owners: Tensor

    def __init__(
        self,
        catalogue: Catalogue,
        domains: Sequence[str],
        seed: int,
        sizes: Sizes,
        parts: Parts,
        init: str,
        std: float,
    ) -> None:
        super().__init__()
        self.parts, self.sizes = parts, sizes
        self.tables = build_tables(catalogue, domains, sizes.width, init, std, seed)
        self.register_buffer(
            "owners", domain_numbers(catalogue, self.tables.domains), persistent=False
        )
        count, width = len(self.tables.domains), sizes.width
        self.positions = nn.Parameter(torch.zeros(sizes.max_len, width))
        encoders = 1 + count if parts.separate else 1
        self.encoders = nn.ModuleList(SequenceEncoder(sizes) for _ in range(encoders))
        self.adapters = self._adapters(parts.adapter, 1 + count, sizes.domain_rank)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(1 + count))
        self.invariants = self._adapters(parts.invariant, count, sizes.invariant_rank)
        self.shared_projector = SwiGLU(width, sizes.inner) if parts.shared_projector else None
        self.own_projectors = nn.ModuleList(
            SwiGLU(width, sizes.inner) for _ in range(count * parts.own_projectors)
        )
        self.mixed_norms = nn.ModuleList(
            nn.LayerNorm(width) for _ in range(count * (not parts.bare))
        )
        self.own_norms = nn.ModuleList(
            nn.LayerNorm(width) for _ in range(count * (parts.own_projectors or parts.bare))
        )
        self._reset(std, torch.Generator().manual_seed(seed))

    def forward(self, items: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
        """States after each event, for scoring its target: [N, width] of the N valid tokens.

        Args:
            items: int64 [B, L], global items, right-padded.
            targets: int64 [B, L], the next events.
            lengths: int64 [B].
        """
        keep = valid_tokens(lengths, items.shape[1])
        valid = torch.arange(items.shape[1], device=items.device) < lengths[:, None]
        owners = self.owners[items].masked_fill(~valid, -1)
        target_domains = self.owners[targets].masked_fill(~valid, -1)
        vectors = self.tables.lookup(items)
        unused = self.sizes.max_len - lengths[:, None].expand_as(items)
        mixed = self._mixed(vectors, valid, unused).flatten(0, 1)[keep]
        mixed = self._adapted(mixed, torch.zeros_like(keep))
        if self.parts.task_guided:
            source, groups = (
                task_guided(owners, target_domains, len(self.tables.domains)),
                target_domains,
            )
        else:
            source, groups = by_timestamp(owners), owners
        own = self._own(vectors, source, groups, unused).flatten(0, 1)[keep]
        present, groups = (source >= 0).flatten()[keep], groups.flatten()[keep]
        own = self._adapted(own, groups + 1) * present[:, None]
        target_domains = target_domains.flatten()[keep]
        own = own * (groups == target_domains)[:, None]
        out = torch.zeros_like(mixed)
        for number, rows in self._of_each(target_domains):
            out = out.index_copy(0, rows, self._read_out(mixed[rows], own[rows], number))
        return out

    def next_state(self, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """State after the whole history for a next item of `domain`: [B, width].

        The domain's own sequence is then all of its events and nothing else. Each of the two
        sequences is cut to its own latest `max_len` events and padded on the left up to that.

        Args:
            histories: int64 [B, L], global items, right-padded.
            lengths: int64 [B], each at least 1.
            domain: the target's domain.
        """
        number = self.tables.domains.index(domain)
        valid = torch.arange(histories.shape[1], device=histories.device) < lengths[:, None]
        vectors = self.tables.lookup(histories, self.tables.narrowest(histories, domain))
        mixed = self._latest(vectors, self._keep_latest(valid), 0)
        own = self._latest(vectors, self.own_mask(histories, lengths, number), 1 + number)
        return self._read_out(mixed, own, number)

    def own_mask(self, histories: Tensor, lengths: Tensor, number: int) -> Tensor:
        """Which events make a domain's own sequence in `next_state`: bool [B, L]."""
        valid = torch.arange(histories.shape[1], device=histories.device) < lengths[:, None]
        return self._keep_latest(valid & (self.owners[histories] == number))

    def _keep_latest(self, mask: Tensor) -> Tensor:
        """The latest `max_len` true entries of each row."""
        return mask & (reverse_order(mask) <= self.sizes.max_len)

    def _mixed(self, vectors: Tensor, valid: Tensor, unused: Tensor) -> Tensor:
        """Attention of the mixed sequence: [B, L, width]."""
        x = self._embed(vectors, reverse_order(valid), valid)
        visible = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).tril()
        return self._encoder(0).attend(x, x, visible[None], unused)

    def _own(self, vectors: Tensor, source: Tensor, groups: Tensor, unused: Tensor) -> Tensor:
        """Attention of all domains' own sequences: [B, L, width]; junk where `source` is -1."""
        present = source >= 0
        same = (groups[:, :, None] == groups[:, None]) & present[:, None]
        order = (same & present[:, :, None]).triu().sum(2)
        at = source.clamp_min(0)[..., None].expand(-1, -1, vectors.shape[2])
        x = self._embed(vectors.gather(1, at), order, present)
        visible = same.tril()
        columns = torch.arange(1, x.shape[1] + 1, device=x.device)
        masked = unused + columns - visible.sum(2)
        if not self.parts.separate:
            return self._encoder(0).attend(x, x, visible, masked)
        out = torch.zeros_like(x)
        for number in range(len(self.tables.domains)):
            attended = self._encoder(1 + number).attend(x, x, visible, masked)
            out = torch.where((groups == number)[..., None], attended, out)
        return out

    def _latest(self, vectors: Tensor, mask: Tensor, sequence: int) -> Tensor:
        """Last state of a sequence that is the true entries of `mask`: [B, width]."""
        x = self._embed(vectors, reverse_order(mask), mask)
        columns = torch.arange(x.shape[1], device=x.device)
        last = columns.masked_fill(~mask, -1).amax(1)
        # Without any event, the last position is a masked one: a zero vector.
        query = x[torch.arange(len(x), device=x.device), last.clamp_min(0)][:, None]
        masked = self.sizes.max_len - mask.sum(1, keepdim=True)
        out = self._encoder(sequence).attend(query, x, mask[:, None], masked)[:, 0]
        return self._adapted(out, torch.full_like(last, sequence))

    def _embed(self, vectors: Tensor, order: Tensor, mask: Tensor) -> Tensor:
        """Vectors with their positions, zero where masked."""
        x = vectors + self.positions[(order - 1).clamp_min(0)]
        return self._drop(x * mask[..., None])

    def _adapted(self, states: Tensor, sequences: Tensor) -> Tensor:
        """The second sub-layer of tokens [N, width] of sequences [N], its norm included."""
        out = torch.zeros_like(states)
        for number in range(len(self.norms)):
            rows = (sequences == number).nonzero().squeeze(1)
            if not len(rows):
                continue
            h = states[rows]
            total = h + self._drop(self._encoder(number).feed_forward(h))
            if len(self.adapters):
                total = total + self._drop(self.adapters[number](h))
            out = out.index_copy(0, rows, self.norms[number](total))
        return out

    def _read_out(self, mixed: Tensor, own: Tensor, number: int) -> Tensor:
        """What items of a domain are scored with, from both sequences' states [N, width]."""
        if self.parts.bare:
            joined: Tensor = self.own_norms[number](mixed + own)
            return joined
        total = mixed
        if self.shared_projector is not None:
            total = total + self._drop(self.shared_projector(mixed))
        if len(self.invariants):
            total = total + self._drop(self.invariants[number](mixed))
        if self.parts.own_projectors:
            own = self.own_norms[number](own + self._drop(self.own_projectors[number](own)))
        out: Tensor = self.mixed_norms[number](total) + own
        return out

    def _of_each(self, numbers: Tensor) -> Iterator[tuple[int, Tensor]]:
        """Each domain's number and its rows, where it has any."""
        for number in range(len(self.tables.domains)):
            rows = (numbers == number).nonzero().squeeze(1)
            if len(rows):
                yield number, rows

    def _encoder(self, sequence: int) -> SequenceEncoder:
        encoder = self.encoders[sequence if self.parts.separate else 0]
        assert isinstance(encoder, SequenceEncoder)
        return encoder

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.sizes.dropout, self.training)

    def _adapters(self, kind: Adapter, count: int, rank: int) -> nn.ModuleList:
        if kind == "none":
            return nn.ModuleList()
        width, inner = self.sizes.width, self.sizes.inner
        return nn.ModuleList(
            LowRank(width, rank) if kind == "low-rank" else SwiGLU(width, inner)
            for _ in range(count)
        )

    def _reset(self, std: float, generator: torch.Generator) -> None:
        with torch.no_grad():
            self.positions.normal_(0.0, std, generator=generator)
        init_weights(self, std, generator)
        for part in self.modules():
            if isinstance(part, (PaddedAttention, LowRank)):
                part.reset(generator)
