"""Figures of a method's option: the shares of rows that differ in it alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from recmerge_bench.json_values import canonical
from recmerge_bench.report.figures.data import Point
from recmerge_bench.report.figures.expert_shares import line_points, panel_of, share_of_expert
from recmerge_bench.report.figures.rows import named
from recmerge_bench.results.long_rows import places as dotted

if TYPE_CHECKING:
    from recmerge_bench.identity import Identity
    from recmerge_bench.results.records import Records, Result


@dataclass
class Series:
    """Rows that are made alike but for the option.

    Attributes:
        identity: of the first.
        rest: dotted place in the configuration -> value, the option and tuning budgets left out.
        line: the option's value -> a share for each seed.
    """

    identity: Identity
    rest: dict[str, object]
    line: dict[float, list[float]] = field(default_factory=dict)


def option_points(records: Records, option: str, results: Sequence[Result]) -> Iterator[Point]:
    """Shares of the expert by the option's value, whatever the rows are called.

    Rows whose configuration is not recorded are left out, as are those without a share.
    """
    series_by_key: dict[str, Series] = {}
    for result in results:
        value, rest = _without(result, option)
        share = None if value is None else share_of_expert(records, result)
        if value is not None and share is not None:
            key = canonical([result.identity.track, rest])
            places = dotted({**rest, "track": result.identity.track})
            series = series_by_key.setdefault(key, Series(result.identity, places))
            series.line.setdefault(value, []).append(share)
    names = series_names(list(series_by_key.values()))
    lines = {name: series.line for name, series in zip(names, series_by_key.values(), strict=True)}
    yield from line_points(panel_of(records.header), lines)


def _without(result: Result, option: str) -> tuple[float | None, dict[str, object]]:
    """The option's value, if it is a number, and all else of the configuration but budgets."""
    made = result.configuration
    if made is None:
        return None, {}
    options = dict(made.method.options)
    value = options.pop(option, None)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None, {}
    method = made.method.model_copy(update={"options": options})
    rest = made.model_copy(update={"method": method}).recorded()
    return float(value), {part: content for part, content in rest.items() if part != "tuning"}


def series_names(all_series: Sequence[Series]) -> list[str]:
    """Method and recipe of each series, with the places in which series of one name differ."""
    plain = [named(series.identity, variant="") for series in all_series]
    names = []
    for number, series in enumerate(all_series):
        others = [
            other.rest
            for at, other in enumerate(all_series)
            if plain[at] == plain[number] and at != number
        ]
        apart = {
            place: value
            for place, value in series.rest.items()
            if any(other.get(place) != value for other in others)
        }
        notes = ",".join(f"{place.rpartition('.')[2]}={value}" for place, value in apart.items())
        names.append(named(series.identity, variant=notes))
    return names
