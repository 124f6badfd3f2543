"""Rows beside the baseline that their track declares: from stored ranks, a family each table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from recmerge_bench.errors import HandledError
from recmerge_bench.evaluation.ranks import RankTable, same_targets
from recmerge_bench.identity import NamedRow, Place, Row
from recmerge_bench.registry import Registry
from recmerge_bench.results.compared import Compared, ComparedRow
from recmerge_bench.results.gates import closed
from recmerge_bench.results.header import Baseline, Header
from recmerge_bench.results.metrics import metric_values
from recmerge_bench.results.places import board_places
from recmerge_bench.results.records import Result
from recmerge_bench.statistics.comparison import Comparison, Question, Settings, compare
from recmerge_bench.statistics.scores import Scores, Units, share_seeds

Ranks = Callable[[str], RankTable]


def make_comparisons(
    registry: Registry,
    header: Header,
    results: Sequence[Result],
    ranks: Ranks,
) -> list[Compared]:
    """An entry for each table and backbone whose track declares a baseline; smoke boards: none.

    All entries of a table are one family (`recmerge_bench.statistics.families`). Rows that share no
    seed with their baseline cannot be compared and are left out.

    Args:
        registry: for the metric.
        header: of the suite.
        results: done or not; those not done are in no family.
        ranks: key of a result -> its table.

    Raises:
        HandledError: a declared baseline is no row of its track.
    """
    if header.label == "smoke":
        return []
    return [
        one
        for place in board_places(header)
        for one in family_of(registry, header, results, ranks, place)
    ]


def family_of(
    registry: Registry, header: Header, results: Sequence[Result], ranks: Ranks, place: Place,
    settings: Settings | None = None,
) -> list[Compared]:  # fmt: skip
    """The entries of one table; none without a baseline, or of a backbone whose gate is shut.

    Raises:
        HandledError: the declared baseline is no row of the track, or rows were ranked on
            different test targets.
    """
    declared, metric = header.tracks[place.track].baseline, header.primary
    if declared is None:
        return []
    rows = rows_of(results, place)
    without = closed(header, results, place)
    baselines = [
        (b, row)
        for b, row in _baselines(rows, declared, place.track)
        if rows[row] and b not in without
    ]
    keys = [key for row in rows.values() for key in row.values()]
    if not baselines or not len(ranks(keys[0]).users):
        return []
    check_same_targets(keys, ranks, f"track '{place.track}', protocol '{place.protocol}'")
    scores = {
        row: scores_of(registry, metric, seeds, ranks) for row, seeds in rows.items() if seeds
    }
    compared = compare(dict(_questions(baselines, scores, units_of(ranks(keys[0])))), settings)
    return list(_entries(place, metric, baselines, compared))


def _entries(
    place: Place, metric: str, baselines: Sequence[tuple[str, Row]],
    compared: Mapping[tuple[str, Row], Comparison],
) -> Iterator[Compared]:  # fmt: skip
    """The entry of each baseline that any row was compared with."""
    for backbone, base in baselines:
        rows = [_compared(row, one) for (b, row), one in compared.items() if b == backbone]
        if rows:
            baseline = NamedRow(**base._asdict())
            yield Compared(**place._asdict(), metric=metric, baseline=baseline, rows=rows)


def _questions(
    baselines: Sequence[tuple[str, Row]], scores: Mapping[Row, Scores], units: Units
) -> Iterator[tuple[tuple[str, Row], Question]]:
    """(backbone, row) and what is asked: each row against its backbone's baseline."""
    for backbone, base in baselines:
        for row, own in scores.items():
            if row.backbone in ("", backbone) and row != base and share_seeds(own, scores[base]):
                yield (backbone, row), Question(own, scores[base], units)


def _compared(row: Row, comparison: Comparison) -> ComparedRow:
    """As records have it."""
    return ComparedRow.model_validate({**row._asdict(), **plain_numbers(asdict(comparison))})


def rows_of(results: Sequence[Result], place: Place) -> dict[Row, dict[int | None, str]]:
    """Row -> seed -> key of its ranks, where it is done."""
    keys_by_row: dict[Row, dict[int | None, str]] = {}
    for result in results:
        if result.identity.place == place:
            row = keys_by_row.setdefault(result.identity.row, {})
            if result.done:
                row[result.identity.seed] = result.key
    return keys_by_row


def _baselines(rows: Iterable[Row], declared: Baseline, track: str) -> Iterator[tuple[str, Row]]:
    """Backbone -> the row that fits what the suite says of its baseline."""
    described = declared.to_json()
    fitting = [row for row in rows if declared.fits(row)]
    if not fitting:
        raise HandledError(f"track '{track}': no row is its baseline {described}")
    for backbone in dict.fromkeys(row.backbone for row in fitting):
        rivals = [row for row in fitting if row.backbone == backbone]
        if len(rivals) > 1:
            raise HandledError(
                f"track '{track}': its baseline {described} fits {len(rivals)} rows: name its "
                "variant, recipe or profile"
            )
        yield backbone, rivals[0]


def check_same_targets(keys: Sequence[str], ranks: Ranks, where: str) -> None:
    """Refuse to set rows beside one another that were ranked on different test targets.

    Raises:
        HandledError: two were.
    """
    first = ranks(keys[0])
    for key in keys[1:]:
        if not same_targets(first, ranks(key)):
            raise HandledError(
                f"{where}: results {keys[0][:12]} and {key[:12]} were ranked on different test "
                "targets and cannot be compared: run the suite again"
            )


def units_of(table: RankTable) -> Units:
    """Instances, domains numbered in the order of their names: the same from any file."""
    order = np.argsort(np.argsort(np.asarray(table.domains, object)))
    return Units(order[table.domain], table.users)


def scores_of(
    registry: Registry, metric: str, keys: Mapping[int | None, str], ranks: Ranks
) -> Scores:
    """Values of a metric of all seeds of a row, float64 [S, T]."""
    values = [metric_values(registry, [metric], ranks(key))[metric] for key in keys.values()]
    names = None if list(keys) == [None] else tuple(keys)
    return Scores(np.stack(values), names)


def plain_numbers(value: Any) -> Any:
    """JSON values; numbers to ten significant digits, so that a last bit changes no file."""
    if isinstance(value, Mapping):
        return {k: plain_numbers(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_numbers(v) for v in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.10g}")
    return int(value) if isinstance(value, np.integer) else value
