"""Results of all suites that were run into a folder, with what they took."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from recmerge_bench.frames import frame
from recmerge_bench.interface.plugins import Plugins, registry_of
from recmerge_bench.interface.suites import suite_name
from recmerge_bench.interface.tables import Value, html_table, text_table
from recmerge_bench.results.long_rows import places
from recmerge_bench.results.records import DONE
from recmerge_bench.results.run_rows import RunRow, rows
from recmerge_bench.running.mirror import opened

if TYPE_CHECKING:
    import pandas

#: Parts of identities that a shown table has columns of.
SHOWN = ("track", "protocol", "backbone", "method", "variant", "seed")


@dataclass(frozen=True, repr=False)
class RunResults:
    """Rows, one for each result and domain and one for each result's mean over its domains.

    Attributes:
        out: the folder.
        rows: in the order of the suites.
        notes: a line for each metric that the rows lack, since its plugin is not loaded.
    """

    out: Path
    rows: tuple[RunRow, ...]
    notes: tuple[str, ...] = ()

    @property
    def metrics(self) -> list[str]:
        """Names of all metrics of the rows."""
        return list(dict.fromkeys(name for row in self.rows for name in row.metrics))

    def to_pandas(self) -> pandas.DataFrame:
        """A row each: the keys of `RunRow.to_json`, configurations and metrics in columns.

        Raises:
            HandledError: pandas is not installed.
        """
        return frame([_columns(row) for row in self.rows])

    def table(self) -> tuple[list[str], list[list[Value]]]:
        """Headers and lines of what is shown; reasons only where something is not done."""
        why = [] if all(row.status == DONE for row in self.rows) else ["reason"]
        headers = ["suite", *SHOWN, "domain", "status", *self.metrics, *why]
        return headers, [[*self._line(row), *([row.reason] if why else [])] for row in self.rows]

    def _line(self, row: RunRow) -> list[Value]:
        identity: list[Value] = [getattr(row.identity, name) for name in SHOWN]
        values = [row.metrics.get(name) for name in self.metrics]
        return [row.suite, *identity, row.domain, row.status, *values]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[RunRow]:
        return iter(self.rows)

    def __repr__(self) -> str:
        return "\n".join([text_table(*self.table()), *self.notes])

    def _repr_html_(self) -> str:
        return html_table(f"results in {self.out}", *self.table())


def run_results(
    out: str | Path = "runs", suite: str | None = None, *, plugins: Plugins = ()
) -> RunResults:
    """All that runs left in a folder: done or not, with seconds, memory and provenance.

    `load_results` reads one suite's records, without what each result took.

    Args:
        out: the folder of the runs.
        suite: of one suite only: its name, or the file that was run.
        plugins: files or modules to load beside the installed plugins, for their metrics.

    Raises:
        HandledError: no suite was run into the folder, or not this one.
        DataError: a file of the run is damaged.
    """
    folder = opened(out)
    registry = registry_of(plugins)
    name = None if suite is None else suite_name(suite, registry)
    made, notes = rows(folder, registry, name)
    return RunResults(folder, tuple(made), notes)


def _columns(row: RunRow) -> dict[str, object]:
    columns: dict[str, object] = dict(row.to_json())
    configuration = columns.pop("configuration")
    columns.pop("metrics")
    inner = places(configuration, "configuration") if isinstance(configuration, dict) else {}
    return {**columns, **row.metrics, **inner}
