"""A suite's records and ranks as every format is handed them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.registry import Registry
from recmerge_bench.results.rank_files import ranks_beside, ranks_of

if TYPE_CHECKING:
    from recmerge_bench.results.records import Records


@dataclass(frozen=True)
class Source:
    """What is exported.

    Attributes:
        path: the records file.
        records: its content, results restricted to those chosen.
        registry: for metrics by query.
    """

    path: Path
    records: Records
    registry: Registry

    @property
    def ranks_path(self) -> Path:
        """The ranks beside the records, whether or not they lie there."""
        return ranks_beside(self.path)

    def ranks(self) -> dict[str, RankTable]:
        """Key -> ranks.

        Raises:
            HandledError: there is no such file.
            DataError: it is damaged.
        """
        return ranks_of(self.path)
