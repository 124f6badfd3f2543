"""What `trec_eval` would say of each ranking, and the relevant documents: from stored ranks.

What is stored of a test instance is its target and how many candidates score above it and equal to
it: no lists. A TREC run lists documents, `trec_eval` orders them by score and reads no rank, so a
run of the targets alone would put every one of them first, and a run with other documents above
them would have to invent those. There are no runs here, but what is known:

- ``.qrels``: the one relevant document of each query, the target (``query 0 document 1``);
- ``.eval``: a result's values by query, in the form that ``trec_eval -q`` prints
  (``measure query value``, tabs between): its ``rank``, which is the mid-rank
  ``1 + better + equal / 2``, and the suite's metrics as the boards have them; then ``num_q`` and
  each metric's mean under the query ``all``.

A query is a user and a document an item, as numbered in the split; a user with several targets
has a query for each. There is one pair of files for each domain, and a board's mean over domains
is the mean of its values ``all`` of these files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.evaluation.metrics import rank
from recmerge_bench.evaluation.ranks import RankTable, same_targets
from recmerge_bench.report.exports.source import Source
from recmerge_bench.results.metrics import metric_values
from recmerge_bench.untrusted.paths import SHORT, slug, within

if TYPE_CHECKING:
    from recmerge_bench.identity import Identity, Place
    from recmerge_bench.results.records import Result

RANK, QUERIES, ALL = "rank", "num_q", "all"


def write(source: Source, folder: Path) -> Iterator[Path]:
    """``trec/<track>-<protocol>-<domain>.qrels`` and beside it an ``.eval`` for each result.

    Raises:
        HandledError: nothing is done, or ranks or a metric's plugin are missing.
        DataError: results of one table are of different test targets.
    """
    ranks = source.ranks()
    first: dict[Place, RankTable] = {}
    done = [result for result in source.records.results if result.done]
    if not done:
        raise HandledError(f"{source.path}: nothing is done there: no ranks to export")
    (folder / "trec").mkdir(exist_ok=True)
    for result in done:
        place = result.identity.place
        table = _table(ranks, result, source)
        if place not in first:
            first[place] = table
            yield from _qrels(folder / "trec", place, result.domains, table)
        elif not same_targets(first[place], table):
            raise DataError(
                f"results of {' '.join(place)} were ranked on different test targets: they share "
                "no qrels", source.path,
            )  # fmt: skip
        yield from _evaluations(folder / "trec", result, table, source)


def _table(ranks: Mapping[str, RankTable], result: Result, source: Source) -> RankTable:
    if result.key not in ranks:
        raise HandledError(
            f"{source.ranks_path}: lacks the ranks of {result.identity.method} "
            f"({result.key[:12]}); build the records again"
        )
    return ranks[result.key]


def queries(table: RankTable, domain: str) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Rows of a domain and the query of each: the user, numbered where one has several."""
    rows = np.flatnonzero(np.asarray(table.domains, object)[table.domain] == domain)
    seen: dict[int, int] = {}
    names = []
    for user in table.users[rows].tolist():
        seen[user] = seen.get(user, 0) + 1
        names.append(f"u{user}" if seen[user] == 1 else f"u{user}.{seen[user]}")
    return rows, names


def _qrels(folder: Path, place: Place, domains: Sequence[str], table: RankTable) -> Iterator[Path]:
    for domain in domains:
        rows, names = queries(table, domain)
        path = within(folder, f"{slug(*place, domain)}.qrels")
        targets = zip(names, table.targets[rows].tolist(), strict=True)
        path.write_text("".join(f"{query} 0 i{item} 1\n" for query, item in targets), "ascii")
        yield path


def _evaluations(folder: Path, result: Result, table: RankTable, source: Source) -> Iterator[Path]:
    values = metric_values(source.registry, source.records.header.metrics, table)
    values = {RANK: rank(table.n_better, table.n_equal), **values}
    for domain in result.domains:
        rows, names = queries(table, domain)
        stem = f"{slug(*result.identity.place, domain)}-{_name(result.identity)}"
        path = within(folder, f"{stem if len(stem) <= SHORT else slug(stem)}.eval")
        path.write_text(evaluation({m: v[rows] for m, v in values.items()}, names), "utf-8")
        yield path


def evaluation(values: Mapping[str, npt.NDArray[np.float64]], names: Sequence[str]) -> str:
    """Text of an ``.eval`` file.

    Args:
        values: measure -> float64 [Q], of which `RANK` is one; it has no mean.
        names: the queries, [Q].
    """
    columns = {measure: column.tolist() for measure, column in values.items()}
    lines = [
        f"{measure}\t{name}\t{columns[measure][number]!r}\n"
        for number, name in enumerate(names)
        for measure in columns
    ]
    lines.append(f"{QUERIES}\t{ALL}\t{len(names)}\n")
    for measure in columns if names else ():
        if measure != RANK:
            lines.append(f"{measure}\t{ALL}\t{float(values[measure].mean())!r}\n")
    return "".join(lines)


def _name(identity: Identity) -> str:
    seed = "" if identity.seed is None else f"s{identity.seed}"
    return slug(*(part for part in (*identity.row, seed) if part))
