"""RecFormer's pre-training: pairs of a prefix and its next item, and masked words on both sides.

Written from a description of it (Li et al., "Text Is All You Need", KDD 2023, and the released
settings); no released code was used.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from recmerge_bench_plugins.backbones.recformer.encoder import (
    STRAY,
    RecFormer,
    RecFormerEncoder,
    Size,
    Tokens,
    check_fit,
)
from recmerge_bench_plugins.backbones.recformer.word_masking import mask_words
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.api import Batch, Catalogue, HandledError
from recmerge_bench.toolkit.models.encoder import init_weights
from recmerge_bench.toolkit.models.towers import TextTower, TokenGrid, in_batch_loss, rows_of

#: Standard deviation of random initial weights (BERT's, RoBERTa's, Longformer's).
STD = 0.02
#: Seed of the item positions of a start from a language model: such a start is one for all runs.
POSITION_SEED = 0
ITEM_POSITIONS = "embeddings.item_position_embeddings.weight"
TOKEN_TYPES = "embeddings.token_type_embeddings.weight"
WORDS = "embeddings.word_embeddings.weight"
HEAD = "lm_head."


class LanguageHead(nn.Module):
    """States to scores of all tokens, with weights of its own (not tied to the embeddings).

    State dict: ``dense.*``, ``layer_norm.*``, ``decoder.{weight,bias}``.
    """

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.dense = nn.Linear(size.width, size.width)
        self.layer_norm = nn.LayerNorm(size.width, eps=1e-5)
        self.decoder = nn.Linear(size.width, size.vocabulary)

    def forward(self, states: Tensor) -> Tensor:
        """[N, width] to [N, vocabulary]."""
        logits: Tensor = self.decoder(self.layer_norm(F.gelu(self.dense(states))))
        return logits


class PretrainingTower(TextTower):
    """A tower with a language model's head, which is there for pre-training alone.

    State dict: ``encoder.net.*`` and ``lm_head.*``.

    Raises:
        HandledError: the tokenizer has no mask token.
    """

    specials: Tensor
    encoder: RecFormerEncoder

    def __init__(
        self, encoder: RecFormerEncoder, catalogue: Catalogue, max_tokens: int, max_items: int
    ) -> None:
        super().__init__(encoder, catalogue, max_tokens, max_items)
        facts = self.tokens.about
        if facts.get("mask") is None:
            raise HandledError("pre-training hides words, but this tokenizer has no mask token")
        self.mask, self.vocabulary = int(facts["mask"]), int(facts["vocabulary"])
        self.lm_head = LanguageHead(encoder.net.size)
        special = torch.tensor(facts["specials"], dtype=torch.int64)
        self.register_buffer("specials", special, persistent=False)

    def masked_words_loss(
        self, grid: TokenGrid, share: float, generator: torch.Generator
    ) -> Tensor:
        """Mean cross entropy of the tokens of hidden words; 0 where there is no word.

        Args:
            grid: with ``words``.
            share: of the words that are hidden.
            generator: on the grid's device.
        """
        ids, masked = mask_words(grid, share, self.mask, self.vocabulary, self.specials, generator)
        states = self.encoder.net(Tokens(ids, grid.real, grid.kinds, grid.places))
        scores = self.lm_head(states[masked])
        total = F.cross_entropy(scores, grid.ids[masked], reduction="sum")
        return total / masked.sum().clamp_min(1)


def draw_pairs(batch: Batch) -> tuple[Tensor, Tensor]:
    """Lengths of prefixes and the items that follow them: int64 [B] and int64 [B].

    Of a window of n events, the target's place (from 0) is uniform in (n - 1) // 2 .. n - 1, but
    not 0, where the prefix would be empty (windows of two events).

    Args:
        batch: windows; its generator is the source of randomness.
    """
    low = (batch.lengths // 2).clamp_min(1)
    draws = torch.rand(len(low), generator=batch.generator, device=low.device, dtype=torch.float64)
    place = torch.minimum(low + (draws * (batch.lengths - low + 1)).long(), batch.lengths)
    rows = torch.arange(len(low), device=low.device)
    return place, batch.targets[rows, place - 1]


def pretraining_losses(
    tower: PretrainingTower, batch: Batch, temperature: float, duplicates: bool, share: float
) -> tuple[Tensor, Tensor]:
    """The contrastive loss, and that of the hidden words of sequences plus that of items.

    Contrastive: each prefix's next item among those of the batch, one direction only, of texts
    without hidden words; words are hidden in passes of their own.

    Args:
        tower: the net.
        batch: windows.
        temperature: divides the cosines.
        duplicates: see `in_batch_loss`.
        share: of each text's words that are hidden.
    """
    lengths, targets = draw_pairs(batch)
    users = tower.grid(rows_of(batch.items, lengths), words=True)
    items = tower.grid(rows_of(targets[:, None], torch.ones_like(targets)), words=True)
    vectors = [F.normalize(tower.encoder(grid), dim=-1) for grid in (users, items)]
    contrast = in_batch_loss(vectors[0], vectors[1], targets, temperature, duplicates)
    words = [tower.masked_words_loss(grid, share, batch.generator) for grid in (users, items)]
    return contrast, words[0] + words[1]


def draw_weights(module: nn.Module, generator: torch.Generator) -> None:
    """Random initial weights: normal(0, 0.02), biases and padding rows 0, norms 1 and 0.

    Args:
        module: the tower or a part of it.
        generator: on the CPU.
    """
    init_weights(module, STD, generator)
    for part in module.modules():
        if isinstance(part, nn.Embedding):
            with torch.no_grad():
                part.weight.normal_(0.0, STD, generator=generator)
                if part.padding_idx is not None:
                    part.weight[part.padding_idx].zero_()


def from_language_model(
    size: Size, tensors: Mapping[str, Tensor], head: bool, origin: str
) -> dict[str, Tensor]:
    """A Longformer language model's weights as a `PretrainingTower`'s state.

    Copied key by key; the only row of token types becomes all four; item positions, which such a
    model has not, are drawn normal(0, 0.02) from a fixed seed. A head's decoder that the file
    leaves out is tied to the word embeddings there, and starts from them here.

    Args:
        size: of the encoder.
        tensors: of ``LongformerForMaskedLM``, with its names.
        head: whether the head's weights are asked for.
        origin: for errors.

    Raises:
        HandledError: a weight is missing, unknown or of another shape; lists them.
    """
    with torch.device("meta"):
        net, top = RecFormer(size), LanguageHead(size)
    shapes = {n: tuple(t.shape) for n, t in net.state_dict().items() if n != ITEM_POSITIONS}
    shapes[TOKEN_TYPES] = (1, size.width)
    if head:
        shapes |= {f"{HEAD}{n}": tuple(t.shape) for n, t in top.state_dict().items()}
    own = _named(tensors, head)
    check_fit(shapes, own, origin)
    drawn = torch.empty(size.items, size.width)
    drawn.normal_(0.0, STD, generator=torch.Generator().manual_seed(POSITION_SEED))
    own[TOKEN_TYPES] = own[TOKEN_TYPES].expand(4, -1)
    own[ITEM_POSITIONS] = drawn
    # Copies: tensors that share memory (a tied decoder) cannot be saved side by side.
    return {
        n if n.startswith(HEAD) else f"encoder.net.{n}": t.float().clone(
            memory_format=torch.contiguous_format
        )
        for n, t in own.items()
    }


def _named(tensors: Mapping[str, Tensor], head: bool) -> dict[str, Tensor]:
    """The encoder's tensors without their prefix, and those of the head under its names here."""
    stray = (*STRAY, "pooler.")
    plain = {n.removeprefix("longformer."): t for n, t in tensors.items()}
    own = {n: t for n, t in plain.items() if not n.startswith(stray)}
    if not head:
        return own
    own |= {n: t for n, t in plain.items() if n.startswith(HEAD) and n != f"{HEAD}bias"}
    if f"{HEAD}bias" in plain:
        own[f"{HEAD}decoder.bias"] = plain[f"{HEAD}bias"]
    if WORDS in own:
        own.setdefault(f"{HEAD}decoder.weight", own[WORDS])
    return own


def frozen_words(encoder: RecFormerEncoder) -> None:
    """Take the word embeddings out of training."""
    encoder.net.embeddings.word_embeddings.weight.requires_grad_(False)
