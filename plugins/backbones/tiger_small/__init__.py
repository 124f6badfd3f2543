"""TIGER in small (Rajput et al., NeurIPS 2023): the next item is generated as a semantic id.

Idea: An item's text becomes a short sequence of codes, so that items alike begin alike. A
transformer generates the codes of the next item one after the other. No weight belongs to an item
or a domain, and the whole model can be merged.

An item's text vector is quantised level by level (each level codes what the ones before leave); one
code more tells apart items with the same codes. A T5 encoder reads the history's codes, a T5
decoder gives the next item's codes one after the other, trained by cross entropy at each place.
Items are ranked by the exact logarithm of their probability among the domain's items, along the
tree of their ids (see `decoding`): what a beam search of any width approaches.

One codebook serves all domains: it is made from the texts of the whole catalogue where a training
starts at random, and goes with the weights to all that start from them. No parameter belongs to an
item or a domain, so that the whole model merges and serves any domain; the codebook stays the
base's.

Not as published: codes by k-means of residuals, not by an RQ-VAE (no net is trained for them), of
MiniLM's vectors; no token of the user, which no other domain would know; the encoder is causal over
events (as is no T5), so that each event of a window is a target in one pass; an id's codes are one
token, their sum, unless ``tokens: codes``; the softmax at a place is over that place's codes; sizes
are a CPU's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from recmerge_bench.api import (
    Backbone,
    BackboneSpec,
    Batch,
    Catalogue,
    Check,
    HandledError,
    Spec,
    hookimpl,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

_TESTS = "tests/plugins/test_tiger_small.py"


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """``tiger-small``."""
    return [
        BackboneSpec(
            "tiger-small",
            f"{__name__}:TigerSmall",
            "generates the next item's semantic id: residual codes of text, encoder and decoder",
            fidelity="reconstructed",
            checks=(
                Check(
                    "transformers' T5ForConditionalGeneration with the same weights: logits at "
                    "every place",
                    f"{_TESTS}::test_logits_are_those_of_t5",
                    "1e-6: theirs has norms and softmaxes in float32",
                ),
                Check(
                    "probabilities of every id by a decoder that is run along its path alone",
                    f"{_TESTS}::test_log_probabilities_by_hand",
                    "1e-10; they add up to 1 within 1e-10",
                ),
                Check(
                    "a beam as wide as the tree, against the exact ranking",
                    f"{_TESTS}::test_a_wide_beam_is_exact",
                    "1e-10, the same order",
                ),
            ),
            citation="Rajput et al., Recommender Systems with Generative Retrieval, NeurIPS 2023 "
            "(arXiv 2305.05065)",
        )
    ]


@dataclass(frozen=True)
class TigerOptions:
    """Options of tiger-small.

    Attributes:
        encoder: a text encoder by name.
        levels: levels of the residual quantisation; an id has one code more.
        codes: number of codes of a level.
        tokens: what the encoder reads of an item: its ``codes`` one by one, or their ``sum``.
        width: width of token vectors and layers.
        layers: number of layers of the encoder.
        decoder_layers: number of layers of the decoder. With one, what a prefix attends to within
            itself is the same for all users, and ranking costs least.
        heads: number of heads of each attention.
        inner: inner width of the feed-forwards.
        dropout: on embeddings, attention weights, inside and after every sub-layer.
        max_len: number of latest events that are used.
        beam: where positive, test records how many of the ten likeliest items a beam search of so
            many prefixes gives too (probe ``beam-recall``); costs a second ranking.
    """

    encoder: str = "minilm"
    levels: int = 2
    codes: int = 256
    tokens: Literal["codes", "sum"] = "sum"
    width: int = 64
    layers: int = 2
    decoder_layers: int = 1
    heads: int = 2
    inner: int = 128
    dropout: float = 0.1
    max_len: int = 20
    beam: int = 0

    def __post_init__(self) -> None:
        least = min(
            self.levels, self.layers, self.decoder_layers, self.heads, self.inner, self.max_len
        )
        if least < 1 or self.codes < 2 or self.beam < 0:
            raise HandledError(
                "tiger-small: sizes are positive, codes is at least 2, beam is not negative"
            )
        if self.width < self.heads or self.width % self.heads:
            raise HandledError(
                f"tiger-small: width {self.width} is no multiple of heads {self.heads}"
            )
        if self.tokens not in ("codes", "sum"):
            raise HandledError(f"tiger-small: tokens is codes or sum, not {self.tokens!r}")
        if not 0 <= self.dropout < 1:
            raise HandledError(f"tiger-small: dropout lies in [0, 1): {self.dropout!r}")


class TigerSmall(Backbone):
    """Scores are log-probabilities of ids, not products of vectors."""

    Options = TigerOptions
    policy: ClassVar[Mapping[str, str]] = {"codebook": "base"}

    def text_encoder(self) -> str | None:
        """As the options say."""
        return str(self.options.encoder)

    def build(self, catalogue: Catalogue, domains: Sequence[str], seed: int) -> nn.Module:
        """See `Backbone.build`; nothing in it depends on the domains."""
        from recmerge_bench_plugins.backbones.tiger_small.net import TigerNet

        o = self.options
        return TigerNet(
            catalogue,
            seed,
            levels=o.levels,
            codes=o.codes,
            tokens=o.tokens,
            width=o.width,
            layers=o.layers,
            decoder_layers=o.decoder_layers,
            heads=o.heads,
            inner=o.inner,
            share=o.dropout,
        )

    def loss(self, net: Any, batch: Batch) -> tuple[Tensor, int]:
        """Mean over all positions of the batch of the sum over an id's places."""
        import torch
        from torch.nn import functional as F

        from recmerge_bench.toolkit.models import losses

        keep = losses.valid_tokens(batch.lengths, batch.items.shape[1])
        ids = net.ids()[batch.targets]
        memory = net.remember(batch.items)
        at = torch.arange(batch.items.shape[1], device=ids.device).repeat_interleave(net.places)
        later = net.owners(batch.items.shape[1]) > at[:, None]
        unseen = memory.new_zeros(later.shape).masked_fill(later, -torch.inf)
        states = net.decode(ids[..., :-1], memory, unseen).flatten(0, 1)[keep]
        goals = ids.flatten(0, 1)[keep]
        parts = [
            F.cross_entropy(net.logits(states[:, place], place), goals[:, place])
            for place in range(net.places)
        ]
        return torch.stack(parts).sum(), len(keep)

    def scores(self, net: Any, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """Logarithms of the domain's items' probabilities."""
        from recmerge_bench_plugins.backbones.tiger_small.decoding import item_log_probabilities

        return item_log_probabilities(net, histories, lengths, domain)

    def probe(
        self, net: Any, histories: Tensor, lengths: Tensor, domain: str
    ) -> Mapping[str, Tensor]:
        """``beam-recall``, where the options ask for it."""
        import torch
        from recmerge_bench_plugins.backbones.tiger_small.decoding import (
            beam_search,
            item_log_probabilities,
        )

        if not self.options.beam:
            return {}
        exact = item_log_probabilities(net, histories, lengths, domain)
        first = exact.topk(min(10, exact.shape[1])).indices
        beams = beam_search(net, histories, lengths, domain, self.options.beam)
        shares = [
            torch.isin(own, items[: len(own)]).float().mean()
            for own, (items, _) in zip(first, beams, strict=True)
        ]
        return {"beam-recall": torch.stack(shares)}

    def max_history(self) -> int:
        """`max_len`."""
        return int(self.options.max_len)
