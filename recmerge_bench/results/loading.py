"""Results of a suite as they are committed, down to single users: records and the ranks beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from recmerge_bench.errors import HandledError, near
from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.identity import FIELDS, Identity
from recmerge_bench.registry import Registry, discover
from recmerge_bench.results.files import load_records
from recmerge_bench.results.metrics import metric_values
from recmerge_bench.results.rank_files import ranks_of
from recmerge_bench.results.records import Records, Result

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, repr=False)
class PerUser:
    """A metric by result, domain and user: N rows.

    Attributes:
        metric: such as ``NDCG@10``.
        results: what the rows are of.
        domains: their names.
        result: int32 [N], index into `results`.
        domain: int32 [N], index into `domains`.
        user: int32 [N], as the dataset numbers them: the same in all results on one split.
        targets: int32 [N], the user's test targets in the domain.
        value: float64 [N], the metric's mean over these.
    """

    metric: str
    results: tuple[Identity, ...]
    domains: tuple[str, ...]
    result: NDArray[np.int32]
    domain: NDArray[np.int32]
    user: NDArray[np.int32]
    targets: NDArray[np.int32]
    value: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.value)

    def __repr__(self) -> str:
        return (
            f"{self.metric} of {len(self.results)} results by domain and user: {len(self)} rows; "
            "to_pandas() gives them as a frame"
        )

    def to_pandas(self) -> pandas.DataFrame:
        """A row each: the identity, ``domain``, ``user``, ``targets``, ``value``.

        Names are categorical columns: a value each, not a text.

        Raises:
            HandledError: pandas is not installed; says how to install it.
        """
        from recmerge_bench.frames import imported

        pd = imported()
        columns: dict[str, object] = {}
        for field in FIELDS:
            values = [getattr(who, field) for who in self.results]
            if field == "seed":
                columns[field] = pd.array(values, dtype="Int64")[self.result]
                continue
            names = list(dict.fromkeys(values))
            codes = np.asarray([names.index(v) for v in values], np.int32)[self.result]
            columns[field] = pd.Categorical.from_codes(codes, names)
        columns["domain"] = pd.Categorical.from_codes(self.domain, list(self.domains))
        columns |= {"user": self.user, "targets": self.targets, "value": self.value}
        frame: pandas.DataFrame = pd.DataFrame(columns)
        return frame


@dataclass(frozen=True, repr=False)
class Results:
    """A suite's records and, read when they are asked for, its ranks.

    Attributes:
        path: ``<suite>.json``.
        records: its content.
        registry: that metrics are taken from.
    """

    path: Path
    records: Records
    registry: Registry

    def __len__(self) -> int:
        return len(self.records.results)

    def __repr__(self) -> str:
        done = sum(result.done for result in self.records.results)
        return f"results of suite '{self.records.suite}' in {self.path}: {done} of {len(self)} done"

    def to_pandas(self) -> pandas.DataFrame:
        """A row for each result and domain: see `Records.to_pandas`."""
        return self.records.to_pandas()

    @cached_property
    def ranks(self) -> dict[str, RankTable]:
        """Key of a result that is done -> its ranks, from ``<suite>.ranks.parquet`` or the
        results store.

        Raises:
            HandledError: there is no such file, or it is not to be had now.
            DataError: it is damaged, or another than the lock beside it says.
        """
        return ranks_of(self.path)

    def per_user(self, metric: str, **fields: str | int | None) -> PerUser:
        """A metric by result, domain and user, of results that are done.

        Args:
            metric: any that a plugin registers, whether the suite has it or not.
            fields: parts of identities that have these values (``method="ties", seed=0``); all
                results if none is given.

        Raises:
            HandledError: no such metric or field, no result is such, or its ranks are missing.
            DataError: the ranks are damaged.
        """
        chosen = self._chosen(fields)
        domains = tuple(dict.fromkeys(d for result in chosen for d in result.domains))
        parts = [self._by_user(result, metric, domains) for result in chosen]
        number = np.repeat(np.arange(len(chosen), dtype=np.int32), [len(p[1]) for p in parts])
        domain, user, targets = (
            np.concatenate([p[column] for p in parts]).astype(np.int32) for column in range(3)
        )
        value = np.concatenate([p[3] for p in parts])
        who = tuple(result.identity for result in chosen)
        return PerUser(metric, who, domains, number, domain, user, targets, value)

    def _chosen(self, fields: Mapping[str, str | int | None]) -> list[Result]:
        """Results that are done and whose identities have these values; at least one."""
        for field in fields:
            if field not in FIELDS:
                raise HandledError(
                    f"no field '{field}'{near(field, FIELDS)}; there are: {', '.join(FIELDS)}"
                )
        chosen = [
            result
            for result in self.records.results
            if result.done and all(getattr(result.identity, k) == v for k, v in fields.items())
        ]
        if not chosen:
            asked = ", ".join(f"{k}={v!r}" for k, v in fields.items())
            raise HandledError(f"{self.path}: no result {f'with {asked} ' if asked else ''}is done")
        return chosen

    def _by_user(
        self, result: Result, metric: str, domains: tuple[str, ...]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Domain (index into `domains`), user, targets and mean value: a row for each pair."""
        if result.key not in self.ranks:
            raise HandledError(
                f"{self.path}: the ranks of {result.identity} are missing; build the records again"
            )
        table = self.ranks[result.key]
        values = metric_values(self.registry, [metric], table)[metric]
        place = np.asarray([domains.index(name) for name in table.domains], np.int64)
        pairs = np.stack([place[table.domain], table.users.astype(np.int64)], axis=1)
        distinct, row, targets = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
        sums = np.bincount(row.reshape(-1), weights=values, minlength=len(distinct))
        return distinct[:, 0], distinct[:, 1], targets.astype(np.int64), sums / targets


def load_results(path: Path | str, registry: Registry | None = None) -> Results:
    """The results of a suite from its records file and what lies beside it.

    Args:
        path: ``<suite>.json``, as ``leaderboards/records`` or a run's ``records`` have it.
        registry: that metrics are taken from; all installed plugins if not given.

    Raises:
        HandledError: there is no such file.
        DataError: it is damaged or of a later schema; says where.
    """
    path = Path(path)
    return Results(path, load_records(path), discover() if registry is None else registry)
