"""Items as users with a history of one event: the data of merging without user data (MergeRec)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recmerge_bench.toolkit.merging.users import Users


class PseudoUsers(Users):
    """The catalogue's items as users, the only data that a T1 strategy sees.

    User i of a domain has met the domain's item i and nothing else. Arguments: see `Users`.
    """

    def size(self, domain: str) -> int:
        """Items of a domain."""
        return self._catalogue.size(domain)

    def own(self, domain: str, rows: Tensor) -> Tensor:
        """The item that each pseudo-user has met: `rows`."""
        return rows

    def encode(self, net: nn.Module, domain: str, rows: Tensor) -> Tensor:
        """See `Users.encode`."""
        self.read.add("pseudo-users")
        start = self._catalogue.span(domain).start
        histories = (rows.to(self._device) + start)[:, None]
        lengths = torch.ones(len(rows), dtype=torch.int64, device=self._device)
        return self._encoded(net, histories, lengths, domain)

    def encode_all(self, net: nn.Module, domain: str, block: int = 4096) -> Tensor:
        """See `Users.encode_all`."""
        return super().encode_all(net, domain, block)
