"""``<suite>-full.md``: every metric and domain with its spread, and what verdicts rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean

from recmerge_bench.identity import Place
from recmerge_bench.names import MEAN
from recmerge_bench.report.boards import (
    across_tables,
    configurations,
    elements,
    lists,
    paper_tables,
)
from recmerge_bench.report.boards.audit_section import audit_section, meanings
from recmerge_bench.report.boards.elements import plain
from recmerge_bench.report.boards.gates import gate_lines
from recmerge_bench.report.boards.nearness import near_section
from recmerge_bench.report.boards.paper import beside
from recmerge_bench.report.boards.shares import MEAN_OF_RATIOS, RATIO_OF_MEANS, experts, shares
from recmerge_bench.report.boards.table import Line, best_two, tables
from recmerge_bench.report.boards.verdicts import comparison_of, section
from recmerge_bench.results.gates import closed
from recmerge_bench.results.header import GroupFact
from recmerge_bench.results.records import Records
from recmerge_bench.untrusted.texts import code

SAID = (
    "Means over the seeds ± sample standard deviation. Best in **bold**, second <u>underlined</u>."
)


def render_full(records: Records) -> str:
    """The full board."""
    suite, header = records.suite, records.header
    parts = [
        f"# {suite}: {plain(header.title)}, in full",
        f"{SAID} Protocols, verdicts and what is missing: [{suite}.md]({suite}.md).",
    ]
    for place, lines in tables(records).items():
        parts += _section(records, place, lines)
    parts += meanings(records)
    return "\n\n".join(parts) + "\n"


def _section(records: Records, place: Place, lines: list[Line]) -> list[str]:
    header = records.header
    metrics, track = header.metrics, header.tracks[place.track]
    parts = [f"## {plain(place.track)}, {plain(place.protocol)}"]
    parts += gate_lines(records, place)
    done = [line for line in lines if line.values]
    for metric in metrics if done else ():
        parts += [f"### {plain(metric)}", _by_domain(done, metric)]
        own = experts(done, track.reference)
        if any(_own(line, own) for line in done):
            title = f"#### {metric} divided by that of {code(str(track.reference))}"
            parts += [f"{title} (the same backbone and seed)", _shares(done, metric, own)]
    parts += lists.whole(header, done)
    for compared in comparison_of(records, place):
        parts += section(compared, done)
    across = across_tables.across_of(records, place)
    parts += across_tables.section(across, done, whole=True) if across else []
    entries = beside(header, place, lines)
    without = closed(header, records.results, place)
    if entries and track.paper:
        parts += paper_tables.full(track.paper, entries, without)
        parts += near_section(track.paper, entries, lines, metrics[0])
    grouped = [line for line in done if line.groups]
    if grouped:
        facts = header.group_facts.get(grouped[0].split, {})
        parts += [f"### {metrics[0]} by group of test targets", *_groups(grouped, facts)]
    parts += configurations.section(done) if done else []
    return parts + audit_section(records, place)


def _by_domain(lines: list[Line], metric: str) -> str:
    domains = [*lines[0].domains, MEAN]
    best = {d: best_two(lines, d, metric) for d in domains}
    rows = [
        [
            *elements.name(line), *(elements.cell(line, d, metric, best[d]) for d in domains),
            elements.seeds(line),
        ]
        for line in lines
    ]  # fmt: skip
    return elements.table(["backbone", "method", *map(plain, domains), "seeds"], rows)


def _own(line: Line, own: Mapping[str, Line]) -> Line | None:
    """The expert that a row is divided by; none for the expert itself."""
    expert = own.get(line.identity.backbone)
    return None if expert is line else expert


def _shares(lines: list[Line], metric: str, own: Mapping[str, Line]) -> str:
    domains = [*lines[0].domains, MEAN_OF_RATIOS, RATIO_OF_MEANS]
    rows = []
    for line in lines:
        expert = _own(line, own)
        if expert is not None:
            ratios = shares(line, expert, metric)
            cells = (elements.percent(list(ratios.get(d, {}).values())) for d in domains)
            rows.append([*elements.name(line), *cells])
    return elements.table(["backbone", "method", *map(plain, domains)], rows)


def _groups(lines: Sequence[Line], facts: Mapping[str, GroupFact]) -> list[str]:
    """Mean over the domains within each group, and what the groups are."""
    names = list(dict.fromkeys(name for line in lines for name in line.groups))
    rows = [
        [
            *elements.name(line),
            *(f"{mean(line.groups[n]):.4f}" if n in line.groups else "–" for n in names),
        ]
        for line in lines
    ]
    descriptions = [
        f"- {plain(n)}: {plain(facts[n].about)} ({facts[n].instances:,} targets)"
        for n in names
        if n in facts
    ]
    table = elements.table(["backbone", "method", *map(plain, names)], rows)
    return [table, "\n".join(descriptions)] if descriptions else [table]
