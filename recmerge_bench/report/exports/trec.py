"""TREC run files and qrels, made of stored ranks.

What is stored of a test instance is its target and how many candidates score above it and equal to
it: no lists. `trec_eval` has no use for the rank column, it sorts a query's documents by score and
counts; so the places above the target are held by fillers (``above-1``, ``above-2``, ...) that
stand for items which are not known here, with scores that fall by one from place to place. Each
query has one relevant document, the target, so that with runs of depth D

- ``ndcg_cut.k`` and ``success.k`` for k <= D, and ``recip_rank`` of targets within D, are ours
  wherever the mid-rank ``1 + better + equal / 2`` is a whole number;
- a mid-rank between two places goes to the lower of both: ``success.k`` (HR@k) stays exact, NDCG
  and the reciprocal rank of that instance come out lower than ours (by at most 0.126 and 0.167,
  those of rank 1.5 at 2, and by less further down);
- a target below D is left out: ``recip_rank`` lacks its 1 / rank, which is below 1 / D.

What the fillers were, and all places below the target, is lost. `trec_eval` averages over all
queries of a file: there is one file for each domain, and a mean over domains is the mean of its
values of these files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.evaluation.metrics import rank
from recmerge_bench.evaluation.ranks import RankTable, same_targets
from recmerge_bench.report.exports.source import Source
from recmerge_bench.untrusted.paths import SHORT, slug, within


def write(source: Source, folder: Path) -> Iterator[Path]:
    """``trec/<track>-<protocol>-<domain>.qrels`` and beside it a ``.run`` for each result.

    Raises:
        HandledError: nothing is done, or ranks are missing.
        DataError: results of one table are of different test targets.
    """
    ranks = source.ranks()
    first: dict[tuple[str, str], RankTable] = {}
    done = [r for r in source.records["results"] if r["status"] == "done"]
    if not done:
        raise HandledError(f"{source.path}: nothing is done there: no runs to export")
    for result in done:
        if result["key"] not in ranks:
            raise HandledError(
                f"{source.ranks_path}: lacks the ranks of {result['identity']['method']} "
                f"({result['key'][:12]}); build the records again"
            )
        place = (result["identity"]["track"], result["identity"]["protocol"])
        table = ranks[result["key"]]
        if place not in first:
            first[place] = table
            yield from _qrels(folder / "trec", place, result["domains"], table)
        elif not same_targets(first[place], table):
            raise DataError(
                f"results of {' '.join(place)} were ranked on different test targets: they share "
                "no qrels", source.path,
            )  # fmt: skip
        name = _name(result["identity"])
        yield from _runs(folder / "trec", place, name, result["domains"], table, source.depth)


def queries(table: RankTable, domain: str) -> tuple[np.ndarray, list[str]]:
    """Rows of a domain and the query of each: the user, numbered where one has several."""
    rows = np.flatnonzero(np.asarray(table.domains, object)[table.domain] == domain)
    seen: dict[int, int] = {}
    names = []
    for user in table.users[rows].tolist():
        seen[user] = seen.get(user, 0) + 1
        names.append(f"u{user}" if seen[user] == 1 else f"u{user}.{seen[user]}")
    return rows, names


def _qrels(
    folder: Path, place: tuple[str, str], domains: list[str], table: RankTable
) -> Iterator[Path]:
    folder.mkdir(exist_ok=True)
    for domain in domains:
        rows, names = queries(table, domain)
        path = within(folder, f"{slug(*place, domain)}.qrels")
        with path.open("w", encoding="ascii") as file:
            for name, target in zip(names, table.targets[rows].tolist(), strict=True):
                file.write(f"{name} 0 i{target} 1\n")
        yield path


def _runs(
    folder: Path, place: tuple[str, str], name: str, domains: list[str], table: RankTable,
    depth: int,
) -> Iterator[Path]:  # fmt: skip
    for domain in domains:
        rows, queried = queries(table, domain)
        at = np.ceil(rank(table.n_better[rows], table.n_equal[rows])).astype(np.int64)
        stem = f"{slug(*place, domain)}-{name}"
        path = within(folder, f"{stem if len(stem) <= SHORT else slug(stem)}.run")
        with path.open("w", encoding="ascii") as file:
            for query, target, placed in zip(
                queried, table.targets[rows].tolist(), at.tolist(), strict=True
            ):
                file.write(_lines(query, target, placed, depth, name))
        yield path


def _lines(query: str, target: int, placed: int, depth: int, tag: str) -> str:
    """Places 1 to the target's, or to the depth where it is below."""
    items = [f"above-{n}" for n in range(1, min(placed - 1, depth) + 1)]
    items += [f"i{target}"] if placed <= depth else []
    return "".join(
        f"{query} Q0 {item} {n} {depth - n + 1} {tag}\n" for n, item in enumerate(items, 1)
    )


def _name(identity: Mapping[str, Any]) -> str:
    parts = [identity[k] for k in ("backbone", "method", "variant", "recipe", "profile")]
    seed = "" if identity["seed"] is None else f"s{identity['seed']}"
    return slug(*(p for p in (*parts, seed) if p))
