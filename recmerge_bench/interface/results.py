"""Results as callers read them: of a run, or from a records file with the ranks beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Union

from recmerge_bench.collection import uncollected
from recmerge_bench.errors import HandledError
from recmerge_bench.interface.plugins import Plugins, registry_of
from recmerge_bench.interface.tables import Value, html_table, text_table
from recmerge_bench.names import MEAN
from recmerge_bench.report.boards.table import Line, tables
from recmerge_bench.results import loading
from recmerge_bench.results.files import load_records, records_files

if TYPE_CHECKING:
    from recmerge_bench.interface.runs import Run

#: A run, what `load_results` gave, a records file (``<suite>.json``), or a folder of one suite's.
ResultsLike = Union["Run", loading.Results, str, Path]


class Results(loading.Results):
    """A suite's records and ranks, shown as a table: see `recmerge_bench.results.loading.Results`.

    Attributes:
        path: of the records file.
        records: what it holds, typed.
        registry: that metrics are taken from.
    """

    def table(self) -> str:
        """A line for each row of the board: the first metric's mean over domains and seeds."""
        return text_table(*self._summary())

    def html(self, title: str, notes: Sequence[str] = ()) -> str:
        """The same for a notebook."""
        return html_table(title, *self._summary(), notes)

    def __repr__(self) -> str:
        return f"{super().__repr__()}\n{self.table()}"

    def _repr_html_(self) -> str:
        return self.html(super().__repr__())

    def _summary(self) -> tuple[list[str], list[list[Value]]]:
        """Headers and lines of `table`."""
        metric = self.records.header.primary
        rows: list[list[Value]] = [
            [*place, *line.name, line.mean(MEAN, metric), _state(line)]
            for place, lines in tables(self.records).items()
            for line in lines
        ]
        return ["track", "protocol", "backbone", "method", f"{metric} ({MEAN})", "seeds"], rows


@uncollected()
def load_results(path: str | Path, *, plugins: Plugins = ()) -> Results:
    """Read results: of any known schema, checked.

    Args:
        path: a records file (``leaderboards/records/ml100k.json``, ``runs/records/quick.json``), or
            a folder that holds one suite's.
        plugins: files or modules to load beside the installed plugins, for their metrics.

    Raises:
        DataError: the file is damaged or of a later schema; says where.
        HandledError: there is no such file, or a folder of several suites.
    """
    file = Path(path)
    if file.is_dir():
        folder = file / "records" if (file / "records").is_dir() else file
        files = records_files(folder)
        if len(files) != 1:
            names = ", ".join(p.name for p in files) or "none"
            raise HandledError(f"{folder}: name one records file; there are: {names}")
        [file] = files
    return Results(file, load_records(file), registry_of(plugins))


def opened(results: ResultsLike, plugins: Plugins = ()) -> loading.Results:
    """Results of whatever a caller has."""
    if isinstance(results, (str, Path)):
        return load_results(results, plugins=plugins)
    loaded = results if isinstance(results, loading.Results) else results.results
    return loading.Results(loaded.path, loaded.records, registry_of(plugins)) if plugins else loaded


def _state(line: Line) -> str:
    missing = [f"{len(seeds)} {status}" for (status, _), seeds in line.gaps.items()]
    return ", ".join([f"{len(line.seeds)} done", *missing])
