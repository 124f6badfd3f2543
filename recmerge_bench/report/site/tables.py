"""The tables of a suite as the site's pages read them: short names, rounded numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from statistics import mean
from typing import TYPE_CHECKING

from recmerge_bench.names import MEAN
from recmerge_bench.report.boards.card import card_facts
from recmerge_bench.report.boards.configurations import made_text
from recmerge_bench.report.boards.cost_board import by_kind
from recmerge_bench.report.boards.gates import gate_texts
from recmerge_bench.report.boards.ranking import bands
from recmerge_bench.report.boards.shares import experts, shares
from recmerge_bench.report.boards.table import Line, tables
from recmerge_bench.report.boards.verdicts import comparison_of
from recmerge_bench.report.cards import splits, training
from recmerge_bench.report.cards.page import cards_of
from recmerge_bench.report.site.compared import baseline_of, mean_ranks, row_id, verdicts
from recmerge_bench.report.site.load import Suite
from recmerge_bench.report.site.numbers import short
from recmerge_bench.report.site.papers import paper_card
from recmerge_bench.report.site.values import Card, Gap, Spent, Table, TableRow, Value, Verdict
from recmerge_bench.statistics.summary import mean_interval
from recmerge_bench.untrusted.paths import distinct

if TYPE_CHECKING:
    from recmerge_bench.identity import Place, Row
    from recmerge_bench.results.records import Cost, Records


def table_data(suite: Suite) -> list[Table]:
    """Every table of a suite, in its order, tracks and protocols apart."""
    return [_table(suite, place, lines) for place, lines in tables(suite.records).items()]


def _table(suite: Suite, place: Place, lines: list[Line]) -> Table:
    records = suite.records
    compared = comparison_of(records, place)
    reference = records.header.tracks[place.track].reference
    own, judged, costs = experts(lines, reference), verdicts(compared), _costs(suite, place)
    fixes = _fixes(records)
    rows = []
    for line, band in zip(lines, bands(lines), strict=True):
        row, expert = line.identity.row, own.get(line.identity.backbone)
        shown = _row(line, expert, records.header.metrics, judged.get(row), costs[row], fixes)
        rows.append(dataclasses.replace(shown, band=band))
    return Table(
        track=place.track,
        protocol=place.protocol,
        domains=lines[0].domains,
        card=[
            *(("naive gate", text) for text in gate_texts(records, place)),
            *card_facts(records.header, place, lines),
        ],
        reference=reference if own else None,
        compared=[baseline_of(one, lines) for one in compared],
        across=mean_ranks(records, place),
        groups=_groups(records, lines),
        cards=_cards(records, place, lines),
        rows=rows,
        paper=paper_card(records, place, lines),
    )


def _groups(records: Records, lines: Sequence[Line]) -> dict[str, str]:
    """Groups of the table's test targets, each with what its targets have in common."""
    facts = {split: records.header.group_facts.get(split, {}) for split in {x.split for x in lines}}
    return {
        name: f"{name}: {fact.about} ({fact.instances:,} targets)"
        for of_split in facts.values()
        for name, fact in sorted(of_split.items())
    }


def _cards(records: Records, place: Place, lines: Sequence[Line]) -> list[Card]:
    """The cards of a table, and the suite's of other splits that it is in."""
    done = [line for line in lines if line.values]
    if not done:
        return []
    cards = [
        *cards_of(records, place, done), *training.tables(records, place, done),
        *splits.tables(records, place),
    ]  # fmt: skip
    return [
        Card(c.title, c.answer, list(c.headers), [list(row) for row in c.rows], c.note)
        for c in cards
    ]


def _row(
    line: Line, own: Line | None, metrics: Sequence[str], verdict: Verdict | None,
    costs: Sequence[Cost], fixes: Mapping[tuple[str, str], str],
) -> TableRow:  # fmt: skip
    backbone, method = line.name
    return TableRow(
        id=row_id(line.identity.row),
        backbone=backbone,
        method=line.identity.method,
        label=method,
        page=distinct(line.identity.method),
        recipe=line.identity.recipe,
        band="",
        made=made_text(line),
        seeds=[seed for seed in line.seeds if seed is not None],
        wanted=sum(seed is not None for seed in line.replicates),
        values={metric: _values(line, metric) for metric in metrics},
        shares={metric: _shares(line, own, metric) for metric in metrics},
        verdict=verdict.verdict if verdict else None,
        reason=verdict.reason if verdict else None,
        models=verdict.models if verdict else None,
        models_beside=verdict.models_beside if verdict else None,
        difference=verdict.difference if verdict else None,
        cost=_spent(costs),
        groups={group: short(mean(values)) for group, values in line.groups.items()},
        gaps=_gaps(line, fixes),
    )


def _values(line: Line, metric: str) -> dict[str, Value | None]:
    """Domain, and ``mean`` over the domains -> value; nothing where nothing is done."""
    domains = [*line.domains, MEAN] if line.values else []
    return {domain: _value(line.values.get((domain, metric), [])) for domain in domains}


def _value(values: Sequence[float]) -> Value | None:
    if not values:
        return None
    interval = mean_interval(values)
    ends = None if interval is None else (short(interval[0]), short(interval[1]))
    return Value(short(mean(values)), ends, [short(v) for v in values])


def _shares(line: Line, own: Line | None, metric: str) -> dict[str, float] | None:
    """The boards' own shares of the expert's, means over the seeds; None without an expert."""
    ratios = shares(line, own, metric)
    return {name: short(mean(by_seed.values())) for name, by_seed in ratios.items()} or None


def _costs(suite: Suite, place: Place) -> dict[Row, list[Cost]]:
    """Row -> costs of its results, as far as they are known."""
    known = {cost.key: cost for cost in suite.costs}
    costs_by_row: dict[Row, list[Cost]] = {}
    for result in suite.records.results:
        if result.identity.place == place:
            costs = costs_by_row.setdefault(result.identity.row, [])
            costs += [known[result.key]] if result.key in known else []
    return costs_by_row


def _spent(costs: Sequence[Cost]) -> Spent | None:
    """Means over the seeds: seconds of training, of merging and of the rest; peak MiB."""
    if not costs:
        return None
    kinds = [by_kind(cost.seconds) for cost in costs]
    return Spent(
        train=short(mean(k["training"] for k in kinds)),
        merge=short(mean(k["merging"] for k in kinds)),
        other=short(mean(k["ranking"] + k["searching"] + k["other"] for k in kinds)),
        peak=round(max(cost.peak_memory for cost in costs) / 2**20),
    )


def _fixes(records: Records) -> dict[tuple[str, str], str]:
    """(status, reason) -> how to fix it."""
    return {(r.status, r.reason): r.mend for r in records.results if not r.done}


def _gaps(line: Line, fixes: Mapping[tuple[str, str], str]) -> list[Gap]:
    return [
        Gap(status, reason, fixes.get((status, reason), ""),
            sorted(seed for seed in seeds if seed is not None))
        for (status, reason), seeds in line.gaps.items()
    ]  # fmt: skip
