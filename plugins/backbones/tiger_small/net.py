"""The encoder of histories and the decoder of semantic ids, over one vocabulary of codes."""

from __future__ import annotations

from typing import Literal

import torch
from recmerge_bench_plugins.backbones.tiger_small.semantic_ids import (
    Codebooks,
    assign,
    tell_apart,
)
from recmerge_bench_plugins.backbones.tiger_small.t5 import (
    BUCKETS,
    DecoderLayer,
    EncoderLayer,
    RMSNorm,
    buckets,
    initialise,
)
from recmerge_bench_plugins.backbones.tiger_small.trie import Trie
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.api import Catalogue
from recmerge_bench.toolkit.models.dropout import dropout
from recmerge_bench.toolkit.models.frozen_items import FrozenItems

_CODEBOOKS = Codebooks()


class TigerNet(nn.Module):
    """State dict: ``codebook`` [levels, codes, columns] (frozen), ``codes`` [(levels + 1) * codes,
    width], a vector of each code at each place, ``start`` [width], ``encoder_bias`` and
    ``decoder_bias`` [buckets, heads], ``encoder.*``, ``decoder.*``, and their last norms.

    No name and no shape is a domain's. Semantic ids are not stored: they follow from the codebook.

    Args:
        catalogue: the items, with ``vectors``, all of which the codebook is made from.
        seed: of the codebook and of all random initial values.
        levels: levels of the residual quantisation; an id has one code more.
        codes: number of codes of a level.
        tokens: what the encoder reads of an item: its ``codes`` one by one, or their sum.
        width: width of token vectors and layers.
        layers: number of layers of the encoder.
        decoder_layers: of the decoder.
        heads: number of heads of each attention.
        inner: inner width of the feed-forwards.
        share: dropout.

    Raises:
        HandledError: the catalogue has no vectors.
    """

    codebook: Tensor

    def __init__(
        self,
        catalogue: Catalogue,
        seed: int,
        *,
        levels: int,
        codes: int,
        tokens: Literal["codes", "sum"],
        width: int,
        layers: int,
        decoder_layers: int,
        heads: int,
        inner: int,
        share: float,
    ) -> None:
        super().__init__()
        self.frozen = FrozenItems(catalogue)
        assert catalogue.vectors is not None
        self.register_buffer("codebook", _CODEBOOKS.of(catalogue.vectors, levels, codes, seed))
        self.size, self.tokens, self.share = codes, tokens, share
        self.codes = nn.Parameter(torch.empty((levels + 1) * codes, width))
        self.start = nn.Parameter(torch.empty(width))
        self.encoder_bias = nn.Parameter(torch.empty(BUCKETS, heads))
        self.decoder_bias = nn.Parameter(torch.empty(BUCKETS, heads))
        self.encoder = nn.ModuleList(
            EncoderLayer(width, heads, inner, share) for _ in range(layers)
        )
        self.decoder = nn.ModuleList(
            DecoderLayer(width, heads, inner, share) for _ in range(decoder_layers)
        )
        self.encoder_norm, self.decoder_norm = RMSNorm(width), RMSNorm(width)
        self._draw(torch.Generator().manual_seed(seed))
        self._spans = {name: catalogue.span(name) for name in catalogue.domains}
        self._known: tuple[object, Tensor, dict[str, Trie]] | None = None

    @property
    def places(self) -> int:
        """Codes of an id."""
        return len(self.codebook) + 1

    def ids(self) -> Tensor:
        """Semantic ids of all items of the catalogue: int64 [I, places]."""
        return self._semantic()[0]

    def trie(self, domain: str) -> Trie:
        """The tree of a domain's ids."""
        ids, tries = self._semantic()
        if domain not in tries:
            with torch.inference_mode(False), torch.no_grad():
                tries[domain] = Trie.of(ids[self._spans[domain]])
        return tries[domain]

    def remember(self, items: Tensor) -> Tensor:
        """States of the tokens of histories; none depends on later items: [B, T, width].

        Args:
            items: int64 [B, L], global items, right-padded.
        """
        given = self._embedded(self.ids()[items])
        x = given.sum(2) if self.tokens == "sum" else given.flatten(1, 2)
        owner = self.owners(items.shape[1])
        bias = self.encoder_bias[buckets(len(owner), True, x.device)].permute(2, 0, 1)
        bias = bias.masked_fill(owner[None, :] > owner[:, None], -torch.inf)
        x = dropout(x, self.share, self.training)
        for layer in self.encoder:
            x = layer(x, bias)
        return dropout(self.encoder_norm(x), self.share, self.training)

    def owners(self, length: int) -> Tensor:
        """The event that each of the encoder's tokens belongs to: int64 [T]."""
        size = self.places if self.tokens == "codes" else 1
        return torch.arange(length, device=self.start.device).repeat_interleave(size)

    def decode(
        self, prefixes: Tensor, memory: Tensor, unseen: Tensor, last_only: bool = False
    ) -> Tensor:
        """States from which the next code follows, after the start and after each known code.

        Args:
            prefixes: int64 [A, R, P], codes; A is the number of users, or 1: the same for all.
            memory: [B, T, width], of `remember`.
            unseen: see `DecoderLayer.forward`, for P + 1 tokens; for one where `last_only`.
            last_only: after the whole prefix alone.

        Returns:
            [B, R, P + 1, width], or [B, R, 1, width].
        """
        start = self.start.expand(*prefixes.shape[:2], 1, -1)
        x = torch.cat([start, self._embedded(prefixes)], 2)
        x = dropout(x, self.share, self.training)
        size = x.shape[2]
        bias = self.decoder_bias[buckets(size, False, x.device)].permute(2, 0, 1)
        later = torch.ones(size, size, dtype=torch.bool, device=x.device).triu(1)
        bias = bias.masked_fill(later, -torch.inf)
        *before, last = self.decoder
        for layer in before:
            x = layer(x, bias, memory, unseen)
        x = last(x, bias, memory, unseen, last_only)
        return dropout(self.decoder_norm(x), self.share, self.training)

    def logits(self, states: Tensor, place: int, allowed: Tensor | None = None) -> Tensor:
        """Of the codes at a place, or of some of them: [..., width] to [..., codes]."""
        table = self.codes[place * self.size : (place + 1) * self.size]
        if allowed is not None:
            table = F.embedding(allowed, table)
        return F.linear(states * table.shape[1] ** -0.5, table)

    def _embedded(self, ids: Tensor) -> Tensor:
        """Vectors of the first codes of ids: [..., P] to [..., P, width]."""
        shift = torch.arange(ids.shape[-1], device=ids.device) * self.size
        return F.embedding(ids + shift, self.codes)

    def _semantic(self) -> tuple[Tensor, dict[str, Trie]]:
        """Ids and trees, made again where the codebook was written to since."""
        book = self.codebook
        version = object() if book.is_inference() else (book.data_ptr(), book._version)
        if self._known is None or self._known[0] != version:
            # Validation runs in inference mode, and trainings go on with the same ids.
            with torch.inference_mode(False), torch.no_grad():
                codes = assign(self.frozen.features, book)
                parts = [tell_apart(codes[span], self.size) for span in self._spans.values()]
                self._known = (version, torch.cat(parts), {})
        return self._known[1], self._known[2]

    def _draw(self, generator: torch.Generator) -> None:
        for each in (self.codes, self.start):
            nn.init.normal_(each, generator=generator)
        for each in (self.encoder_bias, self.decoder_bias):
            nn.init.normal_(each, std=len(self.start) ** -0.5, generator=generator)
        initialise(self, generator)
