"""What tells a result from the others of its suite, and a row from the others of its table."""

from __future__ import annotations

from typing import NamedTuple

from recmerge_bench.typed import Value


class Row(NamedTuple):
    """What tells a row of a table from the others."""

    backbone: str
    method: str
    variant: str
    recipe: str
    profile: str


class Place(NamedTuple):
    """What tells a table of a suite from the others."""

    track: str
    protocol: str


class NamedRow(Value):
    """A row, as it is written: see `Row`."""

    backbone: str
    method: str
    variant: str
    recipe: str
    profile: str

    @property
    def row(self) -> Row:
        """The same as a key."""
        return Row(self.backbone, self.method, self.variant, self.recipe, self.profile)


class Identity(NamedRow):
    """What tells a result from the others of its suite.

    Attributes:
        dataset: of the test targets.
        backbone: that a strategy ran on; empty for a model that is a row by itself.
        method: strategy or model.
        recipe: as the suite calls it.
        profile: whose settings.
        variant: as the suite calls it.
        track: of the suite.
        protocol: that it is ranked under.
        seed: None where nothing depends on one.
    """

    dataset: str
    track: str
    protocol: str
    seed: int | None

    @property
    def place(self) -> Place:
        """The table that it stands in."""
        return Place(self.track, self.protocol)

    @property
    def seedless(self) -> tuple[str, ...]:
        """What all seeds of one row of the suite have in common."""
        return (self.dataset, *self.place, *self.row)

    def __str__(self) -> str:
        """As a person reads it: ``track protocol backbone method variant seed 0``."""
        parts = (*self.place, self.backbone, self.method, self.variant)
        seed = "" if self.seed is None else f" seed {self.seed}"
        return " ".join(part for part in parts if part) + seed


#: The parts of an identity, in the order that tables have them.
FIELDS = (
    "dataset", "backbone", "method", "recipe", "profile", "variant", "track", "protocol", "seed",
)  # fmt: skip
