"""A Hugging Face encoder behind the tower's interface."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from recmerge_bench.toolkit.models.hf import bare_encoder
from recmerge_bench.toolkit.models.text import mean_pooled
from recmerge_bench.toolkit.models.towers import TokenGrid, first_state


class HfEncoder(nn.Module):
    """State dict: ``net.*``, the encoder's own names.

    Args:
        config: the architecture, as in ``config.json``.
        pooling: ``first`` or ``mean``.
    """

    def __init__(self, config: dict[str, Any], pooling: str) -> None:
        super().__init__()
        self.net = bare_encoder(config)
        self.pool = mean_pooled if pooling == "mean" else first_state

    def forward(self, grid: TokenGrid) -> Tensor:
        """Pooled states [B, width]."""
        states = self.net(input_ids=grid.ids, attention_mask=grid.real.long()).last_hidden_state
        return self.pool(states, grid.real)
