"""Plans: a suite's cells, which are done, which can run here and what they would cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from recmerge_bench.durations import duration
from recmerge_bench.errors import HandledError
from recmerge_bench.frames import frame
from recmerge_bench.interface.plugins import Plugins, registry_of
from recmerge_bench.interface.suites import (
    Changes,
    Selectors,
    SuiteLike,
    load_suite,
    selectors,
    with_asked_rows,
)
from recmerge_bench.interface.tables import Value, html_table
from recmerge_bench.planning.cells import BOARD, GUESS, STORE, Cell, Result
from recmerge_bench.planning.cells import Plan as Cells
from recmerge_bench.planning.plan import build
from recmerge_bench.planning.searches import no_values
from recmerge_bench.planning.select import select, unmet
from recmerge_bench.planning.sources import Sources
from recmerge_bench.planning.stages import STAGES
from recmerge_bench.registry import Registry
from recmerge_bench.running.cost_files import published_costs
from recmerge_bench.running.estimate import cells_done, measured
from recmerge_bench.running.mirror import place_of
from recmerge_bench.running.store import Store
from recmerge_bench.running.trials import trial_value

if TYPE_CHECKING:
    import pandas

Status = Literal["done", "to do", "blocked"]


@dataclass(frozen=True)
class PlannedCell:
    """A cell and how it stands.

    Attributes:
        key: content key, 64 hex digits.
        kind: ``data``, ``split``, ``candidates``, ``text``, ``train``, ``merge``, ``rank``, ...
        label: what a person reads.
        inputs: role -> key of another cell.
        seed: None where the result depends on none.
        status: done, to do or blocked.
        reason: why it is blocked, or what search it waits for; else empty.
        remedy: what to do about that.
        seconds: of one worker, estimated.
        basis: what the estimate rests on: ``store`` (measured in this run's store), ``board`` (in
            the records of published boards) or ``guess``.
    """

    key: str
    kind: str
    label: str
    inputs: dict[str, str]
    seed: int | None
    status: Status
    reason: str
    remedy: str
    seconds: float
    basis: str = GUESS


@dataclass(frozen=True)
class PlannedTrack:
    """How a track's results stand.

    Attributes:
        name: the track.
        done: results that are there.
        to_do: results that can be made here.
        blocked: results that cannot.
        seconds: of one worker, estimated, for all cells that the track alone would need.
    """

    name: str
    done: int
    to_do: int
    blocked: int
    seconds: float


@dataclass(frozen=True)
class Missing:
    """Something that cells need and that is not here.

    Attributes:
        reason: what is missing.
        remedy: the exact thing to do about it.
        count: how many cells (of a plan) or results (of a run) wait for it.
    """

    reason: str
    remedy: str
    count: int

    def __str__(self) -> str:
        return f"{self.count} x {self.reason}; to fix: {self.remedy}"


@dataclass(frozen=True, repr=False)
class Plan:
    """What a run of a suite would do.

    Attributes:
        suite: its name.
        cells: every cell after its inputs.
        tracks: in the suite's order.
    """

    suite: str
    cells: tuple[PlannedCell, ...]
    tracks: tuple[PlannedTrack, ...] = ()

    @property
    def seconds(self) -> float:
        """Estimated seconds of one worker for what is to do."""
        return sum(cell.seconds for cell in self.cells if cell.status == "to do")

    @property
    def bases(self) -> dict[str, tuple[int, float]]:
        """What the estimate rests on -> how many cells to do, and their seconds."""
        bases: dict[str, tuple[int, float]] = {}
        for basis in (STORE, BOARD, GUESS):
            seconds = [c.seconds for c in self.cells if c.status == "to do" and c.basis == basis]
            if seconds:
                bases[basis] = len(seconds), sum(seconds)
        return bases

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of its cells, in the order of the stages."""
        return tuple(kind for kind in STAGES if any(c.kind == kind for c in self.cells))

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What blocks cells here, each reason once."""
        return counted((c.reason, c.remedy) for c in self.cells if c.status == "blocked")

    def count(self, status: Status, kind: str | None = None) -> int:
        """How many cells (of a kind) stand so."""
        return sum(c.status == status and kind in (None, c.kind) for c in self.cells)

    def to_pandas(self) -> pandas.DataFrame:
        """A row for each cell, columns as the attributes of `PlannedCell`.

        Raises:
            HandledError: pandas is not installed.
        """
        return frame([asdict(cell) for cell in self.cells])

    def __repr__(self) -> str:
        return "\n".join([self._title(), *(f"  {k}: {self.states(k)}" for k in self.kinds),
                          *(f"  blocked: {m}" for m in self.missing)])  # fmt: skip

    def _repr_html_(self) -> str:
        rows: list[list[Value]] = [
            [kind, *(self.count(s, kind) for s in ("done", "to do", "blocked"))]
            for kind in self.kinds
        ]
        notes = [f"blocked: {m}" for m in self.missing]
        return html_table(self._title(), ["cells", "done", "to do", "blocked"], rows, notes)

    def states(self, kind: str) -> str:
        """``2 done, 1 to do`` of a kind."""
        states: tuple[Status, ...] = ("done", "to do", "blocked")
        return ", ".join(f"{n} {s}" for s in states if (n := self.count(s, kind)))

    def _title(self) -> str:
        return (
            f"plan of suite '{self.suite}': {self.count('done')} cells done, "
            f"{self.count('to do')} to do (about {duration(self.seconds)} of one worker), "
            f"{self.count('blocked')} blocked"
        )


def plan(
    suite: SuiteLike = "quick",
    *,
    out: str | Path = "runs",
    plugins: Plugins = (),
    changes: Changes = (),
    seeds: Iterable[int] | None = None,
    only: Selectors = (),
    data_root: str | Path | None = None,
) -> Plan:
    """Every cell of a suite: done, to do, or blocked and how to fix that. Starts nothing.

    Args:
        suite: see `load_suite`, as `changes`, `seeds` and `plugins`.
        out: folder of the run, whose finished cells are done.
        plugins: files or modules to load beside the installed plugins.
        changes: laid over the suite.
        seeds: replicates, in the place of the suite's.
        only: these rows alone, such as ``method=ties,seed=0``; several add up.
        data_root: folder with raw data, for datasets that are not bundled.

    Raises:
        HandledError: anything wrong in the suite; a selector that matches nothing.
    """
    registry, store = registry_of(plugins), Store(place_of(out).resolve())
    cells = chosen(planned(suite, registry, changes, seeds, only, data_root, store=store), only)
    with store.listed(cells.cells):
        done = cells_done(cells, store)
        cells = measured(cells, store, done, published_costs())
    described = {key: _described(cell, key in done) for key, cell in cells.cells.items()}
    return Plan(cells.suite, tuple(described.values()), tuple(_tracks(cells, described)))


def planned(
    suite: SuiteLike,
    registry: Registry,
    changes: Changes = (),
    seeds: Iterable[int] | None = None,
    only: Selectors = (),
    data_root: str | Path | None = None,
    own_executor: bool = True,
    store: Store | None = None,
) -> Cells:
    """All cells of a suite; methods of named plugins that `only` asks for are rows of it.

    Where the suite's `own_executor` is not what runs them, no configuration names it. Searches are
    as far as their trials are done in the `store`.
    """
    return planner(suite, registry, changes, seeds, only, data_root, own_executor, store)()


def planner(
    suite: SuiteLike,
    registry: Registry,
    changes: Changes = (),
    seeds: Iterable[int] | None = None,
    only: Selectors = (),
    data_root: str | Path | None = None,
    own_executor: bool = True,
    store: Store | None = None,
) -> Callable[[], Cells]:
    """What makes the plan of a suite, again when it is called again: of the same sources and keys.

    Between two calls trials of searches may have been done, and nothing else may differ.
    """
    read = load_suite(suite, changes=changes, seeds=seeds, plugins=registry)
    if not own_executor:
        read = read.model_copy(update={"executor": None})
    asked, sources = with_asked_rows(read, registry, only), Sources.of_user()
    root = None if data_root is None else Path(data_root)
    values = no_values if store is None else partial(trial_value, store)
    return lambda: build(asked, registry, root, sources, values)


def chosen(cells: Cells, only: Selectors) -> Cells:
    """What `only` leaves of a plan; selectors add up.

    Raises:
        HandledError: one of them matches nothing, or names something that is not there.
    """
    keys: list[str] = []
    for selector in selectors(only):
        matching = select(cells, selector)
        fault = unmet(cells, selector)
        if fault or not matching:
            said = "names what is not" if matching else "matches nothing"
            why = fault or "no row has all of it"
            raise HandledError(
                f"only {selector} {said} in suite '{cells.suite}': {why}; "
                "see `recmerge-bench plan --cells`"
            )
        keys += matching
    return cells.restricted(list(dict.fromkeys(keys))) if only else cells


def counted(reasons: Iterable[tuple[str, str]]) -> tuple[Missing, ...]:
    """(reason, remedy) pairs, each once with its count, in their order."""
    return tuple(Missing(*pair, count) for pair, count in Counter(reasons).items())


def _tracks(cells: Cells, described: Mapping[str, PlannedCell]) -> Iterator[PlannedTrack]:
    """Each track's results by how they stand, and what all that they need would take."""
    tracks: dict[str, list[Result]] = {}
    for result in cells.results:
        tracks.setdefault(str(result.identity["track"]), []).append(result)
    for name, results in tracks.items():
        states = Counter(described[r.key].status for r in results)
        wanted = [key for r in results for key in (r.key, r.lists) if key in cells.cells]
        needed = (described[key] for key in cells.closure(wanted))
        seconds = sum(cell.seconds for cell in needed if cell.status == "to do")
        yield PlannedTrack(name, states["done"], states["to do"], states["blocked"], seconds)


def _described(cell: Cell, done: bool) -> PlannedCell:
    reason, remedy = cell.blocked or ("", "")
    status: Status = "done" if done else "to do"
    if cell.blocked and not cell.waits:
        status = "blocked"
    return PlannedCell(
        cell.key, cell.kind, cell.label, dict(cell.inputs), cell.seed, status, reason, remedy,
        round(cell.cost, 1), cell.basis,
    )  # fmt: skip
