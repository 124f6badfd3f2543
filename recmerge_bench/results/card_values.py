"""Cards as records have them (`recmerge_bench.results.cards`), and what trainings report."""

from __future__ import annotations

from typing import Annotated

from pydantic import FailFast, Field, FiniteFloat, NonNegativeInt

from recmerge_bench.identity import NamedRow, Place
from recmerge_bench.results.compared import Judgement
from recmerge_bench.typed import Value


class OfPlace(Value):
    """About one table of a suite, by the suite's first metric."""

    track: str
    protocol: str
    metric: str

    @property
    def place(self) -> Place:
        """The table that it is about."""
        return Place(self.track, self.protocol)


class Loss(Value):
    """See `recmerge_bench.statistics.relative.Loss`."""

    kept: FiniteFloat
    reference: FiniteFloat
    loss: FiniteFloat | None
    lower: FiniteFloat | None
    upper: FiniteFloat | None


class OrderRow(NamedRow):
    """A row's loss where histories are shuffled: kept is the shuffled mean.

    Attributes:
        seeds: how many are behind it; 0 where the row depends on none.
        loss: of the mean over the domains.
    """

    seeds: NonNegativeInt
    loss: Loss


class OrderCard(OfPlace):
    """A table's rows in true order beside the same models on shuffled histories.

    Attributes:
        shuffled: the protocol that shuffles.
        rows: those that are done under both.
    """

    shuffled: str
    rows: Annotated[list[OrderRow], FailFast()]


class TieRow(NamedRow):
    """A row under each order of equal scores; means over domains and seeds.

    Attributes:
        first: the target stands before its equals.
        middle: in their middle, as on the board.
        last: behind them.
        tied: share of targets with an equal.
        moved: share of targets whose metric the order changes.
    """

    first: FiniteFloat
    middle: FiniteFloat
    last: FiniteFloat
    tied: FiniteFloat
    moved: FiniteFloat


class TieCard(OfPlace):
    """Ties of a table.

    Attributes:
        equal_times: share of targets that another event of their sequence shares its time with,
            so that the data's tie rule made them the target; None where it is not known.
        rows: those that are done.
    """

    equal_times: FiniteFloat | None
    rows: Annotated[list[TieRow], FailFast()]


class MemorisedRow(NamedRow):
    """What a row loses of its reference on memorised steps and on the other targets.

    Attributes:
        merged: whether anything of it is merged.
        seeds: as in `OrderRow`.
        seen: loss on targets whose step from the last item is in training.
        new: on the others.
        excess: the first loss less the second; None where one is unknown.
        lower: of its interval of 95 %, of this row alone.
        upper: of it.
        judgement: of the excess, ``better``: above 0, within the family of the card's rows.
    """

    merged: bool
    seeds: NonNegativeInt
    seen: Loss
    new: Loss
    excess: FiniteFloat | None
    lower: FiniteFloat | None
    upper: FiniteFloat | None
    judgement: Judgement


class MemorisedCard(OfPlace):
    """Rows of a backbone beside the expert of each domain.

    Attributes:
        reference: the experts' row.
        seen: number of targets whose step is in training.
        new: of the others.
        rows: one family.
    """

    reference: NamedRow
    seen: NonNegativeInt
    new: NonNegativeInt
    rows: Annotated[list[MemorisedRow], FailFast()]


class Correlation(Value):
    """See `recmerge_bench.statistics.agreement.Correlation`."""

    value: FiniteFloat
    lower: FiniteFloat
    upper: FiniteFloat


class SplitCard(OfPlace):
    """How alike two splits of the same events order the rows that were run under both.

    Attributes:
        other_track: of the second table.
        other_protocol: likewise.
        methods: how many rows both have.
        users: of both together.
        kendall: tau-b.
        spearman: rho.
    """

    other_track: str
    other_protocol: str
    methods: NonNegativeInt
    users: NonNegativeInt
    kendall: Correlation
    spearman: Correlation


class Training(Value):
    """What a training reports of itself.

    Attributes:
        label: of its cell.
        epochs: done.
        steps: updates.
        windows: pieces of sequences met; None where it was not counted.
        targets: met.
        loss: mean training loss before the chosen weights were validated; None where nothing was.
        best_epoch: epochs done when they were; None likewise.
        best_valid: their validation score; None likewise.
        select: metric and protocol that chose them; empty likewise.
        stopped: why it ended.
    """

    label: str
    epochs: NonNegativeInt
    steps: NonNegativeInt
    windows: NonNegativeInt | None
    targets: NonNegativeInt
    loss: FiniteFloat | None
    best_epoch: FiniteFloat | None
    best_valid: FiniteFloat | None
    select: str
    stopped: str


class Cards(Value):
    """All cards of a suite that are made of ranks.

    Attributes:
        order: see `OrderCard`.
        ties: see `TieCard`.
        memorised: see `MemorisedCard`.
        splits: see `SplitCard`.
    """

    order: list[OrderCard] = Field(default_factory=list)
    ties: list[TieCard] = Field(default_factory=list)
    memorised: list[MemorisedCard] = Field(default_factory=list)
    splits: list[SplitCard] = Field(default_factory=list)

    @property
    def some(self) -> bool:
        """Whether there is any."""
        return bool(self.order or self.ties or self.memorised or self.splits)
