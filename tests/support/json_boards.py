"""Boards of records that tests write as JSON: what takes typed records, on mappings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console

from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.identity import Place
from recmerge_bench.registry import Registry
from recmerge_bench.report.boards import compare as comparing
from recmerge_bench.report.boards import (
    cost_board,
    full,
    markdown,
    movement,
    paper,
    show,
    table,
    verdicts,
)
from recmerge_bench.report.figures import pareto
from recmerge_bench.results import across, all_ranks, comparisons
from recmerge_bench.results.compared import Compared, ComparedRow
from recmerge_bench.results.groups import Group
from recmerge_bench.results.header import Header
from recmerge_bench.results.records import Costs, Records, Result

Json = Mapping[str, Any]
#: What results say of their configuration where it is not recorded.
UNRECORDED = {"configuration": None, "configuration_sha256": ""}


def typed(records: Json) -> Records:
    """As they are read from a file."""
    return Records.model_validate(records)


def render(records: Json) -> str:
    """The compact board."""
    return markdown.render(typed(records))


def render_full(records: Json) -> str:
    """The full board."""
    return full.render_full(typed(records))


def render_cost(costs: Json, plots: Sequence[pareto.Pareto] = ()) -> str:
    """The cost board."""
    return cost_board.render_cost(Costs.model_validate(costs), plots)


def print_board(records: Json, console: Console) -> None:
    """The board on screen."""
    show.print_board(typed(records), console)


def tables(records: Json) -> dict[Place, list[table.Line]]:
    """Rows by table."""
    return table.tables(typed(records))


def beside(header: Json, place: Place, lines: Sequence[table.Line]) -> list[paper.Beside]:
    """A paper's numbers beside ours."""
    return paper.beside(Header.model_validate(header), place, lines)


def paretos(records: Json, costs: Json) -> list[pareto.Pareto]:
    """Plots of quality against cost."""
    return pareto.paretos(typed(records), Costs.model_validate(costs))


def compare(before: Json, after: Json, *allowances: float) -> list[str]:
    """What differs."""
    return comparing.compare(typed(before), typed(after), *allowances)


def movements(
    registry: Registry, before: Json, after: Json, old: movement.Ranks, new: movement.Ranks
) -> Iterator[movement.Movement]:
    """What moved, tested."""
    return movement.movements(registry, typed(before), typed(after), old, new)


def notes(before: Json, after: Json) -> list[str]:
    """Changes of order and of verdicts."""
    return movement.notes(typed(before), typed(after))


def verdict_text(row: Json) -> str:
    """The verdict of a compared row."""
    return verdicts.verdict_text(ComparedRow.model_validate(row))


def models_verdict_text(row: Json) -> str:
    """What is said of these trained models."""
    return verdicts.models_verdict_text(ComparedRow.model_validate(row))


def make_comparisons(
    registry: Registry, header: Json, results: Sequence[Json], ranks: comparisons.Ranks
) -> list[dict[str, Any]]:
    """Rows beside their baseline."""
    rows = [Result.model_validate(r) for r in results]
    made = comparisons.make_comparisons(registry, Header.model_validate(header), rows, ranks)
    return [one.to_json() for one in made]


def make_across(
    registry: Registry, header: Json, results: Sequence[Json], ranks: comparisons.Ranks,
    compared: Sequence[Json] = (),
) -> list[dict[str, Any]]:  # fmt: skip
    """Mean ranks."""
    rows = [Result.model_validate(r) for r in results]
    known = [Compared.model_validate(c) for c in compared]
    made = across.make_across(registry, Header.model_validate(header), rows, ranks, known)
    return [one.to_json() for one in made]


def derive(
    records: Json, ranks: Mapping[str, RankTable], registry: Registry,
    groups: Mapping[str, Sequence[Group]] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Records with the numbers that ranks give."""
    return all_ranks.derive(typed(records), ranks, registry, groups).to_json()
