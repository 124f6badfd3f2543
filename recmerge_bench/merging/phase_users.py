"""Items as users of phases of time: the data of merging phases without user data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.definitions import Backbone
from recmerge_bench.merging.pseudo_users import PseudoUsers


class PhaseUsers(PseudoUsers):
    """Phases in the place of domains, over one domain's items and tables, which all merge.

    Args:
        definition: the backbone.
        catalogue: the items.
        domain: whose phases.
        known: phase -> items that had come in by then, as rows of the domain: int64 [N].
        seed: of the run.
        device: where models go.
        kept: phase -> tensors beside those that merge, the same for every phase.
    """

    def __init__(
        self, definition: Backbone, catalogue: Catalogue, domain: str,
        known: Mapping[str, NDArray[np.int64]], seed: int, device: str = "cpu",
        kept: Mapping[str, Mapping[str, Tensor]] | None = None,
    ) -> None:  # fmt: skip
        apart = {phase: (kept or {}).get(phase, {}) for phase in known}
        super().__init__(definition, catalogue, apart, seed, device)
        self._domain = domain
        self._known = {phase: torch.from_numpy(rows) for phase, rows in known.items()}

    def size(self, domain: str) -> int:
        """Items that a phase knows."""
        return len(self._known[domain])

    def own(self, domain: str, rows: Tensor) -> Tensor:
        """The item that each pseudo-user has met."""
        return self._known[domain][rows.cpu()]

    def encode(self, net: nn.Module, domain: str, rows: Tensor) -> Tensor:
        """See `Users.encode`."""
        return super().encode(net, self._domain, self.own(domain, rows))

    def encode_all(self, net: nn.Module, domain: str, block: int = 4096) -> Tensor:
        """See `Users.encode_all`."""
        with torch.inference_mode():
            rows = torch.arange(self.size(domain))
            return torch.cat([self.encode(net, domain, part) for part in rows.split(block)])

    def texts(self, domain: str) -> Sequence[str]:
        """The texts of all items of the domain."""
        return super().texts(self._domain)

    def net(self, weights: Mapping[str, Tensor], domains: Sequence[str] | None = None) -> nn.Module:
        """The model of the domain with these weights, whichever phases it is to serve."""
        from recmerge_bench.training.streams import load_init

        self.read.add("models run")
        net = self._definition.build(self._catalogue, (self._domain,), self._seed)
        of_base = next(iter(self._kept.values()), {})
        load_init(self._definition, net, {**of_base, **weights}, self._catalogue)
        return net.to(self._device).eval()

    def items(self, net: nn.Module, domain: str) -> tuple[Tensor, Tensor | None]:
        """Vectors of all items of the domain [N, width] and biases [N] or None."""
        return super().items(net, self._domain)
