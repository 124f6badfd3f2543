"""Rows of a table with their scores, as all cards take them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from recmerge_bench.identity import Place, Row
from recmerge_bench.registry import Registry
from recmerge_bench.results.comparisons import (
    Ranks,
    check_same_targets,
    plain_numbers,
    rows_of,
    scores_of,
    units_of,
)
from recmerge_bench.results.header import Header
from recmerge_bench.results.records import Result
from recmerge_bench.statistics.scores import Scores, Units


@dataclass(frozen=True)
class Sources:
    """What cards are made of.

    Attributes:
        registry: for the metrics.
        header: of the suite.
        results: done or not.
        ranks: key of a result -> its table.
    """

    registry: Registry
    header: Header
    results: Sequence[Result]
    ranks: Ranks

    def done(self, place: Place) -> dict[Row, dict[int | None, str]]:
        """Row of a table -> seed -> key of its ranks; rows of which nothing is done are absent."""
        return {row: seeds for row, seeds in rows_of(self.results, place).items() if seeds}

    def first(self, place: Place) -> Result | None:
        """Any result of a table that is done."""
        return next((r for r in self.results if r.done and r.identity.place == place), None)

    def scored(self, rows: Mapping[Row, Mapping[int | None, str]]) -> dict[Row, Scores]:
        """The first metric of rows of one table."""
        metric = self.header.primary
        return {
            row: scores_of(self.registry, metric, seeds, self.ranks) for row, seeds in rows.items()
        }

    def units(self, rows: Mapping[Row, Mapping[int | None, str]], where: str) -> Units:
        """The test instances that rows were ranked on.

        Raises:
            HandledError: two were ranked on others.
        """
        keys = [key for seeds in rows.values() for key in seeds.values()]
        check_same_targets(keys, self.ranks, where)
        return units_of(self.ranks(keys[0]))


def common(
    one: Mapping[Row, Mapping[int | None, str]], other: Mapping[Row, Mapping[int | None, str]]
) -> Iterator[Row]:
    """Rows that both tables have with a seed in common, in the first's order."""
    return (row for row in one if row in other and set(one[row]) & set(other[row]))


def values_of(made: Any) -> dict[str, Any]:
    """A dataclass of numbers as records have it."""
    plain: dict[str, Any] = plain_numbers(asdict(made))
    return plain
