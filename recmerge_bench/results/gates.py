"""The naive gate: whether a track's trained models beat the counting rows that its suite names.

Methods that merge models say something where the models are worth merging. So a track may declare
(`recmerge_bench.planning.suite.GateUse`) which counting rows its trained models have to beat, by
the suite's first metric, in the mean over domains and seeds. Where they do not, or where that is
not known yet, no verdict is formed about the rows of that backbone under that protocol. All of it
follows from the records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

from recmerge_bench.identity import Place, Row
from recmerge_bench.names import MEAN
from recmerge_bench.results.header import Gate as Declared
from recmerge_bench.results.header import Header, RowChoice
from recmerge_bench.results.records import Result

#: What a row without verdict has as its reason.
SHUT = "naive gate not passed"


@dataclass(frozen=True)
class Standing:
    """A row that a gate is about.

    Attributes:
        name: as the suite names it.
        rows: of the board, that fit it on the gate's backbone.
        mean: over the seeds that are done, of the mean over the domains; None where none is.
        reason: why there is no mean; else empty.
    """

    name: str
    rows: tuple[Row, ...]
    mean: float | None
    reason: str = ""

    @property
    def words(self) -> str:
        """Name and number."""
        return self.name if self.mean is None else f"{self.name} ({self.mean:.4f})"


@dataclass(frozen=True)
class Gate:
    """A gate of one backbone in one table.

    Attributes:
        backbone: whose rows it is about; empty where the models are rows by themselves.
        metric: the board's first.
        models: the trained models.
        counting: the rows that they have to beat.
    """

    backbone: str
    metric: str
    models: Standing
    counting: tuple[Standing, ...]

    @property
    def unknown(self) -> list[Standing]:
        """Rows without a number, so that nothing is decided."""
        return [one for one in (self.models, *self.counting) if one.mean is None]

    @property
    def unbeaten(self) -> list[Standing]:
        """Counting rows that the models are not above."""
        own = self.models.mean
        return [
            one for one in self.counting
            if own is not None and one.mean is not None and one.mean >= own
        ]  # fmt: skip

    @property
    def passed(self) -> bool:
        """Whether the models are above every counting row."""
        return not self.unknown and not self.unbeaten

    @property
    def reason(self) -> str:
        """Why no verdict is formed, in short; empty where the gate is passed."""
        if self.unbeaten:
            return f"{SHUT}: {self.models.words} does not beat {_list(self.unbeaten)}"
        return f"{SHUT}: {self._lacking}" if self.unknown else ""

    @property
    def _lacking(self) -> str:
        return ", ".join(f"{one.name} has no results ({one.reason})" for one in self.unknown)

    def asks(self, first: Row, second: Row) -> bool:
        """Whether two rows are the models and a counting row: the gate's own question."""
        counting = [row for one in self.counting for row in one.rows]
        return any(
            one in self.models.rows and other in counting
            for one, other in ((first, second), (second, first))
        )

    def short(self) -> str:
        """The outcome in a line, for a terminal."""
        on = f" on {self.backbone}" if self.backbone else ""
        if self.passed:
            return f"Gate passed{on}: {self.models.words} beats {_list(self.counting)}"
        if self.unbeaten:
            return (
                f"No verdicts{on}: {self.models.words} does not beat {_list(self.unbeaten)}, "
                f"which only count{'s' * (len(self.unbeaten) == 1)}"
            )
        return f"No verdicts{on} yet: {self._lacking}"

    def sentences(self) -> tuple[str, str]:
        """What a board prints above its table: what the outcome is, and why, in plain text."""
        on = f" on {self.backbone}" if self.backbone else ""
        if self.passed:
            return (
                f"Naive gate passed{on}:",
                f"the trained models, {self.models.words}, beat {_list(self.counting)} in "
                f"{self.metric}, means over domains and seeds.",
            )
        outcome = "not passed" if self.unbeaten else "not decided"
        head = f"Naive gate {outcome}{on}, so rows{on or ' here'} get no verdict."
        if not self.unbeaten:
            return head, f"{self._lacking[0].upper()}{self._lacking[1:]}."
        beaten = [one for one in self.counting if one.mean is not None and one not in self.unbeaten]
        text = (
            f"The trained models, {self.models.words}, do not beat {_list(self.unbeaten)}, which "
            f"only count{'s' * (len(self.unbeaten) == 1)}, in {self.metric}, means over domains "
            "and seeds"
        )
        text += f"; they beat {_list(beaten)}" if beaten else ""
        return head, f"{text}. What is better on models this weak need not be better on good ones."


def gates(header: Header, results: Sequence[Result], place: Place) -> dict[str, Gate]:
    """Backbone -> its gate in one table; none where the track declares none, or on smoke boards.

    Every backbone of the table has one: where the models are no row on it, nothing is decided.

    Args:
        header: of the suite.
        results: with their metrics, done or not.
        place: the table.
    """
    declared = header.tracks[place.track].gate
    if declared is None or header.label == "smoke":
        return {}
    here = _by_row(results, place)
    backbones = list(filter(None, dict.fromkeys(row.backbone for row in here)))
    alone = any(declared.models.fits(row) for row in here if not row.backbone)
    if alone or not backbones:
        backbones.append("")
    return {b: _gate(declared, b, header.primary, here) for b in backbones}


def _by_row(results: Sequence[Result], place: Place) -> dict[Row, list[Result]]:
    by_row: dict[Row, list[Result]] = {}
    for result in results:
        if result.identity.place == place:
            by_row.setdefault(result.identity.row, []).append(result)
    return by_row


def shut(header: Header, results: Sequence[Result], place: Place, *rows: Row) -> Gate | None:
    """The gate that keeps these rows of a table from a verdict about them; None: nothing does.

    The gate's own question, the trained models beside a counting row, may always be asked.
    """
    by_backbone = gates(header, results, place)
    for row in rows:
        gate = by_backbone.get(row.backbone)
        if gate is not None and not gate.passed and not (len(rows) == 2 and gate.asks(*rows)):
            return gate
    return None


def closed(header: Header, results: Sequence[Result], place: Place) -> frozenset[str]:
    """Backbones of a table whose gate is not passed."""
    by_backbone = gates(header, results, place)
    return frozenset(backbone for backbone, gate in by_backbone.items() if not gate.passed)


def _gate(
    declared: Declared, backbone: str, metric: str, here: Mapping[Row, Sequence[Result]]
) -> Gate:
    def standing(choice: RowChoice, backbones: tuple[str, ...]) -> Standing:
        rows = [row for row in here if row.backbone in backbones and choice.fits(row)]
        results = [result for row in rows for result in here[row]]
        values = [r.metrics[MEAN][metric] for r in results if r.done]
        if values:
            return Standing(choice.words, tuple(rows), mean(values))
        gaps = [f"{r.status}: {r.reason}" if r.reason else r.status for r in results]
        return Standing(choice.words, tuple(rows), None, next(iter(gaps), "no such row here"))

    return Gate(
        backbone, metric, standing(declared.models, (backbone,)),
        tuple(standing(choice, ("", backbone)) for choice in declared.rows),
    )  # fmt: skip


def _list(standings: Sequence[Standing]) -> str:
    names = [one.words for one in standings]
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
