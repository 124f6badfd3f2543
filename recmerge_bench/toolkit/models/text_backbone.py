"""What the text backbones share: MergeRec's fine-tuning of one encoder for users and items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from recmerge_bench.definitions import Backbone

if TYPE_CHECKING:
    from torch import Tensor

    from recmerge_bench.data.sequences import Batch


class TextBackbone(Backbone):
    """A window's last event is the target, all before it the history; negatives are in the batch.

    Options have ``encoder``, ``temperature``, ``max_items`` and ``mask_duplicates``; nets are
    `TextTower` s.
    """

    policy: ClassVar[Mapping[str, str]] = {}

    def text_encoder(self) -> str | None:
        """As the options say."""
        return str(self.options.encoder)

    def trains_encoder(self) -> bool:
        """Always."""
        return True

    def from_encoder(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The encoder's names below ``encoder.``."""
        return {f"encoder.{n}": t for n, t in weights.items()}

    def loss(self, net: Any, batch: Batch) -> tuple[Tensor, int]:
        """One target a window: its last event."""
        import torch

        from recmerge_bench.toolkit.models.towers import in_batch_loss, rows_of

        rows = torch.arange(len(batch.lengths), device=batch.items.device)
        targets = batch.targets[rows, batch.lengths - 1]
        users = net(rows_of(batch.items, batch.lengths))
        items = net(rows_of(targets[:, None], torch.ones_like(targets)))
        o = self.options
        value = in_batch_loss(users, items, targets, o.temperature, o.mask_duplicates)
        return value, len(targets)

    def encode(self, net: Any, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """User vectors of length one."""
        from recmerge_bench.toolkit.models.towers import rows_of

        vectors: Tensor = net.all(rows_of(histories, lengths))
        return vectors

    def items(self, net: Any, domain: str) -> tuple[Tensor, Tensor | None]:
        """Item vectors of length one; no bias."""
        return net.items(domain), None

    def max_history(self) -> int:
        """`max_items`."""
        return int(self.options.max_items)
