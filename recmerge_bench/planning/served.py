"""A row of a track while its cells are made: where it is ranked, and the models that it is of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from recmerge_bench.planning.corpus import PlannedSplit
from recmerge_bench.planning.names import variant_of
from recmerge_bench.planning.suite import Row, Track
from recmerge_bench.planning.trainings import Model, seed_text
from recmerge_bench.specs import CountingSpec


@dataclass(frozen=True)
class RowAt:
    """A row on a backbone, under a protocol, with a seed.

    Attributes:
        row: of the suite.
        backbone: that a strategy runs on; empty for a model that is a row by itself.
        split: of the protocol.
        seed: None where nothing depends on one.
    """

    row: Row
    backbone: str
    split: PlannedSplit
    seed: int | None

    def label(self, kind: str, *last: str) -> str:
        """What a person reads of a cell of the row: its kind, the row, and what tells it apart."""
        parts = (kind, self.backbone, self.row.method, variant_of(self.row), *last)
        return " ".join(filter(None, (*parts, seed_text(self.seed))))


@dataclass(frozen=True)
class Served:
    """Models that rank the targets of a row, or of a trial of it.

    Attributes:
        model: what they are models of.
        models: role -> key of the cell that holds one.
        together: see `recmerge_bench.running.loading.Stored`, as the others.
        initial_tables: see there.
        mean_score: see there.
    """

    model: Model
    models: Mapping[str, str]
    together: bool = False
    initial_tables: bool = False
    mean_score: bool = False

    def described(self, track: Track) -> dict[str, object]:
        """What a worker loads them by."""
        return {
            "model": self.model.described,
            "counting": isinstance(self.model.spec, CountingSpec),
            "domains": list(track.domains),
            "together": self.together,
            **({"single_target": True} if self.model.single_target else {}),
            "initial_tables": self.initial_tables,
            **({"mean_score": True} if self.mean_score else {}),
        }
