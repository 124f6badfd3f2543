"""Weights of RecBole's own training under the names that they have here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from recmerge_bench.api import Catalogue, HandledError

if TYPE_CHECKING:
    from torch import Tensor

_ITEMS, _BIAS = "item_embedding.weight", "output_bias"


def from_recbole(
    state: Mapping[str, Tensor],
    rows: Mapping[str, int],
    catalogue: Catalogue,
    domains: Sequence[str],
) -> dict[str, Tensor]:
    """The state dict of `RecBoleNet` for weights that RecBole trained.

    RecBole's files hold its `Config` besides, so that reading one runs what it says:
    ``torch.load(file, weights_only=False)["state_dict"]`` is for files of your own.

    Args:
        state: RecBole's state dict.
        rows: raw item id -> RecBole's number of the item (``dataset.field2token_id["item_id"]``).
        catalogue: the items, with the same raw ids.
        domains: those of the net, whose items RecBole knows.

    Raises:
        HandledError: RecBole's data set lacks an item, or the state dict an item table.
    """
    import torch

    if _ITEMS not in state:
        raise HandledError(f"RecBole's weights lack {_ITEMS}")
    own = {f"core.{name}": value for name, value in state.items() if name not in (_ITEMS, _BIAS)}
    table, bias = state[_ITEMS], state.get(_BIAS)
    own["core.item_embedding.padding"] = table[:1]
    for domain in domains:
        places = torch.tensor(_places(rows, catalogue, domain))
        own[f"tables.{domain}"] = table[places]
        if bias is not None:
            own[f"biases.{domain}"] = bias[places][:, None]
    if bias is not None:  # a model that masks items: its mask is the row behind the last item
        own["core.item_embedding.mask"], own["padding_bias"] = table[-1:], bias[:1]
    return own


def _places(rows: Mapping[str, int], catalogue: Catalogue, domain: str) -> list[int]:
    tokens = catalogue.tokens[catalogue.span(domain)]
    for token in tokens:
        if token not in rows:
            raise HandledError(f"RecBole's data set has no item '{token}' of domain '{domain}'")
    return [int(rows[token]) for token in tokens]
