"""Scores as a share of the own-domain expert's, and figures of them by number of experts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import mean
from typing import TYPE_CHECKING

from recmerge_bench.report.figures.data import Point, over_seeds
from recmerge_bench.report.figures.rows import named

if TYPE_CHECKING:
    from recmerge_bench.identity import Identity
    from recmerge_bench.results.header import Header
    from recmerge_bench.results.records import Records, Result

#: Series -> x -> a value for each seed.
Lines = dict[str, dict[float, list[float]]]


def panel_of(header: Header) -> str:
    """What is on the y axis."""
    return f"{header.primary}, % of the expert's"


def share_of_expert(
    records: Records, result: Result, domains: Sequence[str] | None = None
) -> float | None:
    """Mean over the domains of the metric divided by the own-domain expert's, in per cent.

    None where there is no such share: no expert is done, one of the domains has no score of both,
    or the expert's is 0.

    Args:
        records: where the expert's result is looked for: the reference row of the same dataset,
            protocol, backbone, profile and seed.
        result: whose score.
        domains: of the mean; the result's own if None.
    """
    expert = expert_of(records, result)
    if expert is None:
        return None
    metric = records.header.primary
    ratios = []
    for domain in domains or result.domains:
        ours, theirs = (r.metrics.get(domain, {}).get(metric) for r in (result, expert))
        if ours is None or not theirs:
            return None
        ratios.append(ours / theirs)
    return 100 * mean(ratios) if ratios else None


def expert_of(records: Records, result: Result) -> Result | None:
    """The own-domain experts' result that another is divided by, if it is done.

    That of the reference row with the same dataset, protocol, backbone, profile, seed and source.
    """
    return next((r for r in records.results if _is_expert(records.header, r, result)), None)


def _is_expert(header: Header, candidate: Result, result: Result) -> bool:
    references = {t.reference for t in header.tracks.values() if t.reference}
    return (
        candidate.done
        and candidate.identity.method in references
        and _made_alike(candidate.identity) == _made_alike(result.identity)
        and _source(header, candidate.identity) == _source(header, result.identity)
    )


def _made_alike(identity: Identity) -> tuple[str | int | None, ...]:
    return (
        identity.dataset, identity.protocol, identity.backbone, identity.profile, identity.seed,
    )  # fmt: skip


def _source(header: Header, identity: Identity) -> list[str]:
    """What the base was trained on, from which the experts of a track start."""
    return header.tracks[identity.track].source


def expert_points(records: Records, results: Sequence[Result]) -> Iterator[Point]:
    """Mean share over the domains that were merged, by how many they are; a series a row."""
    lines: Lines = {}
    for result in results:
        merged = _merged(records.header, result)
        share = share_of_expert(records, result, merged)
        if share is not None:
            line = lines.setdefault(named(result.identity), {})
            line.setdefault(float(len(merged)), []).append(share)
    longer = {series: line for series, line in lines.items() if len(line) > 1}
    yield from line_points(panel_of(records.header), longer)


def _merged(header: Header, result: Result) -> Sequence[str]:
    """Domains whose experts were merged; files before schema 3 have the track's alone."""
    if result.configuration is not None:
        return result.configuration.experts or result.domains
    return header.tracks[result.identity.track].experts or result.domains


def line_points(panel: str, lines: Mapping[str, Mapping[float, list[float]]]) -> Iterator[Point]:
    """Points of the lines of a panel, each by rising x."""
    for series, line in lines.items():
        for x in sorted(line):
            yield over_seeds(panel, series, x, line[x])
