"""Figures of rows beside each other: groups of targets, probes, tables of domains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import mean
from typing import TYPE_CHECKING

from recmerge_bench.names import MEAN
from recmerge_bench.report.figures.data import Point, over_seeds
from recmerge_bench.report.figures.expert_shares import expert_of, panel_of
from recmerge_bench.report.figures.names import bounds
from recmerge_bench.report.figures.rows import by_row, row_names

if TYPE_CHECKING:
    from recmerge_bench.results.records import Probe, Records, Result


def group_points(metric: str, kinds: str, results: Sequence[Result]) -> Iterator[Point]:
    """Groups whose names end in a number, in its order: a panel for each kind of groups.

    Args:
        metric: of the groups.
        kinds: how names of kinds begin that are shown.
        results: those without groups are left out.
    """
    for series, seeds in _grouped(results):
        for name, kind, number in _numbered(seeds[0], kinds):
            values = [seed.groups[name][MEAN] for seed in seeds]
            yield over_seeds(f"{metric} by {kind}", series, number - 1, values)


def group_share_points(records: Records, kinds: str, results: Sequence[Result]) -> Iterator[Point]:
    """The same as a share of the own-domain experts' mean in the group, in per cent.

    Seeds whose expert is not done, or has 0 in a group, are left out there; the paper's Fig. 5 is
    normalised so.
    """
    for series, seeds in _grouped(results):
        pairs = [(seed, expert) for seed in seeds if (expert := expert_of(records, seed))]
        for name, kind, number in _numbered(seeds[0], kinds):
            shares = [
                100 * seed.groups[name][MEAN] / expert.groups[name][MEAN]
                for seed, expert in pairs
                if expert.groups.get(name, {}).get(MEAN)
            ]
            if shares:
                panel = f"{panel_of(records.header)}, by {kind}"
                yield over_seeds(panel, series, number - 1, shares)


def group_names(records: Records, kinds: str, results: Sequence[Result]) -> tuple[list[str], str]:
    """Bounds of the groups by their numbers from 1 on, and what they are bounds of.

    Numbers and nothing where several kinds of groups are drawn, or their bounds are not recorded.
    """
    first = next(_grouped(results), None)
    if first is None:
        return [], "group"
    seeds = first[1]
    groups = list(_numbered(seeds[0], kinds))
    facts = records.header.group_facts.get(seeds[0].split, {})
    count = max((number for _, _, number in groups), default=0)
    if len({kind for _, kind, _ in groups}) != 1 or not all(name in facts for name, _, _ in groups):
        return [str(number + 1) for number in range(count)], "group"
    names, what = bounds([facts[name].about for name, _, _ in groups])
    return [name.replace(" to ", "–") for name in names], what


def _grouped(results: Sequence[Result]) -> Iterator[tuple[str, list[Result]]]:
    """Rows with groups, each under each of its protocols."""
    for protocol in dict.fromkeys(result.identity.protocol for result in results):
        yield from by_row(r for r in results if r.groups and r.identity.protocol == protocol)


def _numbered(result: Result, kinds: str) -> Iterator[tuple[str, str, int]]:
    """Groups whose names end in a number: name, kind and number."""
    for name in result.groups:
        kind, _, number = name.rpartition("-")
        if number.isdigit() and kind.startswith(kinds):
            yield name, kind, int(number)


def probe_points(results: Sequence[Result]) -> Iterator[Point]:
    """Mean over the seeds of a probe's mean over users; the spread is that over users."""
    names = probe_names(results)
    for series, seeds in by_row(r for r in results if r.probes):
        protocol = seeds[0].identity.protocol
        same_users = [seed for seed in seeds if seed.identity.protocol == protocol]
        for domain in seeds[0].domains:
            for x, name in enumerate(names):
                yield from _probe_point(domain, series, x, _probes_of(same_users, domain, name))


def _probes_of(seeds: Sequence[Result], domain: str, name: str) -> list[Probe]:
    """What the seeds' models told of themselves in a domain, where it is of any user."""
    probes = [seed.probes.get(domain, {}).get(name) for seed in seeds]
    return [probe for probe in probes if probe is not None and probe.users]


def _probe_point(domain: str, series: str, x: int, probes: Sequence[Probe]) -> Iterator[Point]:
    means = [probe.mean for probe in probes if probe.mean is not None]
    spreads = [probe.std for probe in probes if probe.std is not None]
    if probes:
        yield Point(f"{domain} targets", series, x, mean(means), mean(spreads), len(probes))


def probe_names(results: Sequence[Result]) -> tuple[str, ...]:
    """Names of all probes of the results."""
    domains = [names for result in results for names in result.probes.values()]
    return tuple(sorted({name for names in domains for name in names}))


def comparison_points(metric: str, results: Sequence[Result]) -> Iterator[Point]:
    """Rows beside each other, a panel for each protocol and domain.

    What is ranked among other items has an axis of its own. Nothing where there is one row alone.
    """
    names = row_names(results)
    if len(names) < 2:
        return
    domains = dict.fromkeys(d for result in results for d in result.domains)
    for protocol, ranked in _by_protocol(results).items():
        for domain in domains:
            for name, seeds in by_row(r for r in ranked if domain in r.metrics):
                values = [seed.metrics[domain][metric] for seed in seeds]
                yield over_seeds(f"{domain}, {protocol}", metric, names.index(name), values)


def _by_protocol(results: Sequence[Result]) -> dict[str, list[Result]]:
    by_protocol: dict[str, list[Result]] = {}
    for result in results:
        by_protocol.setdefault(result.identity.protocol, []).append(result)
    return by_protocol
