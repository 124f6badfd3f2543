"""What a protocol cuts from a dataset: sequences, training parts, and the instances to rank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Sequences:
    """Event sequences, one per user and domain (or per user, where domains are mixed).

    Attributes:
        offsets: int64 [S + 1].
        items: int32 [N], global item numbers, oldest first.
        users: int32 [S], user numbers of the dataset.
        domains: int16 [S], domain number, or -1 for a mixed sequence.
        train_end: int32 [S], the number of leading events that training may see.
    """

    offsets: np.ndarray
    items: np.ndarray
    users: np.ndarray
    domains: np.ndarray
    train_end: np.ndarray

    def __len__(self) -> int:
        return len(self.users)

    def training(self, domain: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Training parts as (offsets int64 [T + 1], items int32), of one domain or of all.

        Sequences whose training part is empty are left out.
        """
        keep = self.train_end > 0
        if domain is not None:
            keep &= self.domains == domain
        chosen = np.flatnonzero(keep)
        lengths = self.train_end[chosen].astype(np.int64)
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        positions = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
        return offsets, self.items[np.repeat(self.offsets[chosen], lengths) + positions]


@dataclass(frozen=True)
class Instances:
    """Targets to rank: instance i asks for ``items[offsets[sequence] + position]``.

    Its history is everything before that in the sequence.

    Attributes:
        sequence: int32 [T], row of `Sequences`.
        position: int32 [T], index of the target within the sequence (its history's length).
        users: int32 [T].
        domains: int16 [T], the target's domain: it is ranked among that domain's items.
        targets: int32 [T], global item numbers.
    """

    sequence: np.ndarray
    position: np.ndarray
    users: np.ndarray
    domains: np.ndarray
    targets: np.ndarray

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, rows: np.ndarray) -> Instances:
        """The chosen instances, in the order of `rows` (indices or a boolean mask)."""
        return Instances(
            self.sequence[rows],
            self.position[rows],
            self.users[rows],
            self.domains[rows],
            self.targets[rows],
        )


@dataclass(frozen=True)
class Split:
    """A dataset cut by a protocol.

    Attributes:
        sequences: all sequences of the chosen domains.
        valid: instances for model selection.
        test: instances for the board.
        report: counts of what was dropped and why.
        phases: int16 [T], the phase of each test instance, from 1, where the protocol has phases.
    """

    sequences: Sequences
    valid: Instances
    test: Instances
    report: dict[str, int]
    phases: np.ndarray | None = None


def without_test(split: Split) -> Split:
    """The split with every event after the training part and the validation target taken away."""
    sequences, valid = split.sequences, split.valid
    lengths = sequences.train_end.astype(np.int64)
    np.maximum.at(lengths, valid.sequence, valid.position.astype(np.int64) + 1)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    inside = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
    items = sequences.items[np.repeat(sequences.offsets[:-1], lengths) + inside]
    kept = Sequences(offsets, items, sequences.users, sequences.domains, sequences.train_end)
    return Split(kept, valid, valid.take(np.zeros(0, np.int64)), dict(split.report))


@dataclass(frozen=True)
class Batch:
    """Training windows of one domain scope, right-padded to the longest of the batch.

    Attributes:
        items: int64 tensor [B, L], global item numbers of the inputs; 0 where padded (see
            `lengths`: padding is told by length, never by the item number).
        targets: int64 tensor [B, L], the next event of each input position; for the domain
            scopes of one domain it is in the same domain.
        lengths: int64 tensor [B].
        scope: the domains whose items compete, as names.
        generator: seeded source of the randomness of this step (masking, negatives).
        extra: what a model's own `prepare` added.
    """

    items: torch.Tensor
    targets: torch.Tensor
    lengths: torch.Tensor
    scope: tuple[str, ...]
    generator: torch.Generator
    extra: dict[str, Any]
