"""All files of a suite's results, as one value: read and written together."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.files import write_json
from recmerge_bench.results.all_ranks import write_all_ranks
from recmerge_bench.results.beside import Curve
from recmerge_bench.results.curves import curves_json, curves_path, load_curves
from recmerge_bench.results.files import cost_path, load_costs, load_records, save_records
from recmerge_bench.results.groups import Group, groups_json, groups_path, load_groups
from recmerge_bench.results.rank_files import ranks_beside, ranks_of
from recmerge_bench.results.records import Costs, Records


@dataclass(frozen=True)
class SuiteFiles:
    """What the files of a suite hold.

    Attributes:
        records: ``<suite>.json``.
        costs: ``<suite>.cost.json``.
        ranks: key of a result that is done -> its ranks, ``<suite>.ranks.parquet``.
        curves: ``<suite>.curves.json``; there is no such file where they are none.
        groups: key of a split -> groups of its test targets, ``<suite>.groups.json``; likewise.
    """

    records: Records
    costs: Costs
    ranks: dict[str, RankTable]
    curves: list[Curve] = field(default_factory=list)
    groups: dict[str, list[Group]] = field(default_factory=dict)


def read_suite_files(path: Path) -> SuiteFiles:
    """The files of the suite whose records lie at `path`.

    Raises:
        HandledError: records or ranks are not there, or one of the files is damaged.
    """
    return SuiteFiles(
        load_records(path), load_costs(cost_path(path)), ranks_of(path),
        load_curves(curves_path(path)), load_groups(groups_path(path)),
    )  # fmt: skip


def write_suite_files(path: Path, files: SuiteFiles) -> list[Path]:
    """Write them, the records to `path` and the others beside them; returns their paths."""
    suite = files.records.suite
    save_records(path, files.records)
    write_json(cost_path(path), files.costs.to_json())
    write_all_ranks(ranks_beside(path), files.ranks)
    paths = [path, cost_path(path), ranks_beside(path)]
    if files.curves:
        paths.append(curves_path(path))
        write_json(paths[-1], curves_json(suite, files.curves))
    if files.groups:
        paths.append(groups_path(path))
        write_json(paths[-1], groups_json(suite, files.groups))
    return paths
