"""What the tiers above T2 read of users: their training histories (T3), their next events (T4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Instances, Sequences, Split, without_test
from recmerge_bench.definitions import Backbone
from recmerge_bench.evaluation.loaded import LoadedModel
from recmerge_bench.toolkit.merging.users import Users
from recmerge_bench.training.validation import FULL, Selection, Validator


class UserSequences(Users):
    """Users' training histories in the place of pseudo-users, for strategies of tier T3.

    Where a pseudo-user has met one item, a user has met the latest `max_history` events of its
    training part. Validation and test targets are not among them and cannot be reached.

    Args:
        definition: see `Users`.
        catalogue: see there.
        kept: see there.
        split: whose training parts are taken.
        seed: of the run.
        device: where models go.
    """

    def __init__(
        self,
        definition: Backbone,
        catalogue: Catalogue,
        kept: Mapping[str, Mapping[str, Tensor]],
        split: Split,
        seed: int,
        device: str = "cpu",
    ) -> None:
        super().__init__(definition, catalogue, kept, seed, device)
        self._histories = {
            d: split.sequences.training(catalogue.domains.index(d)) for d in self.domains
        }

    def size(self, domain: str) -> int:
        """Users of a domain with a training event."""
        return len(self._histories[domain][0]) - 1

    def own(self, domain: str, rows: Tensor) -> Tensor:
        """Each user's latest training item, as a row of the domain's items: int64 [B]."""
        offsets, items = self._histories[domain]
        last = items[offsets[rows.cpu().numpy() + 1] - 1].astype(np.int64)
        return torch.from_numpy(last - self._catalogue.span(domain).start)

    def encode(self, net: nn.Module, domain: str, rows: Tensor) -> Tensor:
        """Vectors of users after their training histories [B, width].

        Args:
            net: from `net`.
            domain: whose users.
            rows: int64 [B], from 0 to the domain's size.
        """
        self.read.add("user sequences")
        offsets, items = self._histories[domain]
        ends = offsets[rows.cpu().numpy() + 1]
        starts = offsets[rows.cpu().numpy()]
        lengths = np.minimum(ends - starts, self._definition.encoded_history())
        # Right-padded with the last event, as everywhere: what stands there is not looked at.
        steps = np.minimum(np.arange(lengths.max()), lengths[:, None] - 1)
        histories = items[(ends - lengths)[:, None] + steps].astype(np.int64)
        return self._encoded(
            net,
            torch.from_numpy(histories).to(self._device),
            torch.from_numpy(lengths).to(self._device),
            domain,
        )


@dataclass(frozen=True)
class Validation:
    """Labelled validation targets, for strategies of tier T4; test events are cut away.

    Attributes:
        sequences: of the split, each ending with its validation target.
        instances: the validation targets.
        selection: by what they are scored, see `TrainOptions.select`.
    """

    sequences: Sequences
    instances: Instances
    selection: Selection
    _users: Users
    _definition: Backbone
    _catalogue: Catalogue

    @classmethod
    def of(
        cls,
        split: Split,
        users: Users,
        definition: Backbone,
        catalogue: Catalogue,
        selection: Selection = FULL,
    ) -> Validation:
        """The validation part of a split."""
        visible = without_test(split)
        return cls(visible.sequences, visible.valid, selection, users, definition, catalogue)

    def score(self, weights: Mapping[str, Tensor], limit: int = 0) -> dict[str, float]:
        """The selection's metric of a merged model for each domain.

        Args:
            weights: the tensors that merge, all of them.
            limit: at most this many targets of each domain, evenly spread; 0: all.
        """
        self._users.read.add("validation targets")
        domains = self._users.domains
        split = Split(self.sequences, self.instances, self.instances, {})
        validator = Validator(self._catalogue, split, domains, limit, self.selection)
        net = self._users.net(weights)
        device = next(net.parameters()).device
        return validator(LoadedModel(self._definition, net, domains, device=device))
