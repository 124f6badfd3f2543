"""RecFormer's encoder: a Longformer with token types and item positions, names as released.

Written from a description of the model (Li et al., "Text Is All You Need", KDD 2023); no released
code was used. Exact for every length: a band of local attention plus one global token, either as
one masked product or in blocks of queries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.api import HandledError
from recmerge_bench.toolkit.models.towers import TokenGrid

PAD = 1
#: Longest sequence that is attended to in one product with a band mask.
DENSE_LIMIT = 256
#: Prefixes that saved files put before the encoder's names, longest first.
PREFIXES = ("_forward_module.model.longformer.", "model.model.", "model.", "longformer.")
#: What files hold beside the encoder.
STRAY = ("embeddings.position_ids", "lm_head.", "item_embedding.", "item_embeddings")


@dataclass(frozen=True)
class Size:
    """Sizes of an encoder; the defaults are RecFormer-base's.

    Attributes:
        width: of hidden states.
        layers: number of layers.
        heads: number of attention heads.
        inner: width of the feed-forward's inside.
        vocabulary: tokens.
        positions: rows of the position table (two more than the longest sequence).
        items: rows of the item-position table.
        window: attention window; half of it to each side.
        dropout: on embeddings and sub-layers' outputs.
    """

    width: int = 768
    layers: int = 12
    heads: int = 12
    inner: int = 3072
    vocabulary: int = 50265
    positions: int = 4098
    items: int = 51
    window: int = 64
    dropout: float = 0.1


SIZES = {
    "base": Size(),
    "large": Size(width=1024, layers=24, heads=16, inner=4096),
}


@dataclass(frozen=True)
class Tokens:
    """A batch of token sequences, right-padded; position 0 is ``<s>``.

    Attributes:
        ids: int64 [B, L], padding is 1.
        real: bool [B, L], no padding.
        types: int64 [B, L]: 0 ``<s>``, 1 an attribute's name, 2 its value, 3 padding.
        items: int64 [B, L]: 0 ``<s>``, 1 the most recent item, 2 the one before, ...
    """

    ids: Tensor
    real: Tensor
    types: Tensor
    items: Tensor


class RecFormer(nn.Module):
    """The encoder; its state dict has the released checkpoints' names."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = size
        self.embeddings = _Embeddings(size)
        self.encoder = nn.Module()
        self.encoder.layer = nn.ModuleList(_Layer(size) for _ in range(size.layers))

    def forward(self, tokens: Tokens, first_only: bool = False) -> Tensor:
        """Hidden states [B, L, width], or those of ``<s>`` alone [B, width].

        Args:
            tokens: the batch.
            first_only: compute of the last layer what ``<s>`` needs.
        """
        hidden = self.embeddings(tokens)
        layers: list[_Layer] = list(self.encoder.layer)  # type: ignore[arg-type]
        radius = self.size.window // 2
        for layer in layers[:-1]:
            hidden = layer(hidden, tokens.real, radius)
        last = layers[-1]
        return last.first(hidden, tokens.real) if first_only else last(hidden, tokens.real, radius)


class _Embeddings(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(size.vocabulary, size.width, padding_idx=PAD)
        self.position_embeddings = nn.Embedding(size.positions, size.width, padding_idx=PAD)
        self.token_type_embeddings = nn.Embedding(4, size.width)
        self.item_position_embeddings = nn.Embedding(size.items, size.width)
        self.LayerNorm = nn.LayerNorm(size.width, eps=1e-5)
        self.dropout = size.dropout

    def forward(self, tokens: Tokens) -> Tensor:
        places = tokens.real.long().cumsum(1) * tokens.real + PAD
        total = (
            self.word_embeddings(tokens.ids)
            + self.position_embeddings(places)
            + self.token_type_embeddings(tokens.types)
            + self.item_position_embeddings(tokens.items)
        )
        return F.dropout(self.LayerNorm(total), self.dropout, self.training)


class _Layer(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        # Containers without a forward: the released names have these dots in them.
        self.attention = nn.ModuleDict(
            {"self": _Attention(size), "output": _Output(size.width, size.width, size.dropout)}
        )
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(size.width, size.inner)})
        self.output = _Output(size.inner, size.width, size.dropout)

    def forward(self, hidden: Tensor, real: Tensor, radius: int) -> Tensor:
        return self._after(self.attention["self"](hidden, real, radius), hidden)

    def first(self, hidden: Tensor, real: Tensor) -> Tensor:
        """Of ``<s>`` alone: [B, L, width] to [B, width]."""
        whole = self.attention["self"].whole(hidden, real)  # type: ignore[operator]
        return self._after(whole, hidden[:, 0])

    def _after(self, attended: Tensor, hidden: Tensor) -> Tensor:
        mixed = self.attention["output"](attended, hidden)
        output: Tensor = self.output(F.gelu(self.intermediate["dense"](mixed)), mixed)
        return output


class _Output(nn.Module):
    """A projection, dropout, the residual and a norm."""

    def __init__(self, inner: int, width: int, dropout: float) -> None:
        super().__init__()
        self.dense = nn.Linear(inner, width)
        self.LayerNorm = nn.LayerNorm(width, eps=1e-5)
        self.dropout = dropout

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        dropped = F.dropout(self.dense(x), self.dropout, self.training)
        output: Tensor = self.LayerNorm(dropped + residual)
        return output


class _Attention(nn.Module):
    """A band around each token and ``<s>``; ``<s>`` itself attends to all, with its own maps."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.heads = size.heads
        self.query, self.key, self.value = (nn.Linear(size.width, size.width) for _ in range(3))
        self.query_global = nn.Linear(size.width, size.width)
        self.key_global = nn.Linear(size.width, size.width)
        self.value_global = nn.Linear(size.width, size.width)

    def forward(self, hidden: Tensor, real: Tensor, radius: int) -> Tensor:
        q, k, v = (self._split(getattr(self, n)(hidden)) for n in ("query", "key", "value"))
        local = self._dense if hidden.shape[1] <= DENSE_LIMIT else self._blocked
        mixed = local(q, k, v, real, radius).transpose(1, 2).flatten(2)
        # Not in place: autograd needs the product as it was.
        return torch.cat([self.whole(hidden, real)[:, None], mixed[:, 1:]], 1)

    def whole(self, hidden: Tensor, real: Tensor) -> Tensor:
        """Attention of ``<s>`` over all tokens: [B, width].

        One query needs no projected keys and values: q (W h + b) is (q W) h up to a constant that
        the softmax cancels, and the mean of projected values is the projected mean.
        """
        width = hidden.shape[-1]
        head = (self.heads, width // self.heads)
        query = self.query_global(hidden[:, 0]).unflatten(-1, head) * head[1] ** -0.5
        keys = torch.einsum("bhe,hed->bhd", query, self.key_global.weight.unflatten(0, head))
        scores = torch.einsum("bhd,bld->bhl", keys, hidden)
        chances = scores.masked_fill(~real[:, None], -torch.inf).softmax(-1)
        means = torch.einsum("bhl,bld->bhd", chances, hidden)
        values = torch.einsum("bhd,hed->bhe", means, self.value_global.weight.unflatten(0, head))
        return values.flatten(1) + self.value_global.bias

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    @staticmethod
    def _dense(q: Tensor, k: Tensor, v: Tensor, real: Tensor, radius: int) -> Tensor:
        place = torch.arange(q.shape[2], device=q.device)
        near = (place[:, None] - place).abs() <= radius
        near[:, 0] = True
        mask = near & real[:, None, :]
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None])

    @staticmethod
    def _blocked(q: Tensor, k: Tensor, v: Tensor, real: Tensor, radius: int) -> Tensor:
        """Blocks of `radius` queries against the 3 blocks around them and ``<s>``."""
        size, span = q.shape[2], 3 * radius
        blocks = -(-size // radius)
        room = blocks * radius - size

        def windows(x: Tensor) -> Tensor:
            around = F.pad(x, (0, 0, radius, radius + room)).unfold(2, span, radius)
            return torch.cat(
                [x[:, :, None, :1].expand(-1, -1, blocks, -1, -1), around.transpose(3, 4)], 3
            )

        place = torch.arange(blocks * radius, device=q.device).view(blocks, radius, 1)
        keys = torch.arange(blocks, device=q.device).view(-1, 1, 1) * radius - radius
        keys = keys + torch.arange(span, device=q.device)
        # Key 0 stands first in every block: once is enough.
        near = ((place - keys).abs() <= radius) & (keys > 0) & (keys < size)
        true = F.pad(real, (radius, radius + room)).unfold(1, span, radius)
        mask = near & true[:, :, None, :]
        mask = F.pad(mask, (1, 0), value=True)[:, None]
        queries = F.pad(q, (0, 0, 0, room)).unflatten(2, (blocks, radius))
        mixed = F.scaled_dot_product_attention(queries, windows(k), windows(v), attn_mask=mask)
        return mixed.flatten(2, 3)[:, :, :size]


class RecFormerEncoder(nn.Module):
    """The encoder behind the towers' interface: ``<s>``'s state. State dict: ``net.*``."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.net = RecFormer(size)

    def forward(self, grid: TokenGrid) -> Tensor:
        """[B, width]."""
        output: Tensor = self.net(Tokens(grid.ids, grid.real, grid.kinds, grid.places), True)
        return output


def load_released(net: RecFormer, tensors: Mapping[str, Tensor], origin: str) -> None:
    """Put a checkpoint's weights in, all of them or none.

    Args:
        net: the encoder.
        tensors: by name, with any of the known prefixes; language-model heads, item tables and
            position numbers beside the encoder are passed over.
        origin: for errors.

    Raises:
        HandledError: a weight is missing, unknown or of another shape; lists them.
    """
    names = list(tensors)
    prefix = next((p for p in PREFIXES if any(n.startswith(p) for n in names)), "")
    own = {n.removeprefix(prefix): t for n, t in tensors.items()}
    own = {n: t for n, t in own.items() if not n.startswith(STRAY)}
    state = net.state_dict()
    check_fit({n: t.shape for n, t in state.items()}, own, origin)
    net.load_state_dict({n: own[n] for n in state})


def check_fit(
    shapes: Mapping[str, Sequence[int]], tensors: Mapping[str, Tensor], origin: str
) -> None:
    """Refuse tensors that are not exactly of these names and shapes.

    Raises:
        HandledError: one is missing, unknown or of another shape; lists them.
    """
    wrong = [f"missing {n}" for n in shapes if n not in tensors]
    wrong += [f"unknown {n}" for n in tensors if n not in shapes]
    wrong += [
        f"{n} is {tuple(tensors[n].shape)}, not {tuple(shape)}"
        for n, shape in shapes.items()
        if n in tensors and tuple(tensors[n].shape) != tuple(shape)
    ]
    if wrong:
        shown = "; ".join(wrong[:8]) + (f"; and {len(wrong) - 8} more" if len(wrong) > 8 else "")
        raise HandledError(f"{origin} does not fit this RecFormer: {shown}")
