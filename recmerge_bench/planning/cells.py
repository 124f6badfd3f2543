"""Cells and the plan that they form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from recmerge_bench.options import CompleteOptions
from recmerge_bench.planning.configuration import Named
from recmerge_bench.planning.keys import ranks_key

if TYPE_CHECKING:
    from recmerge_bench.planning.configuration import Configuration

#: What an estimated cost rests on: cells of this run's store, or the records that it made; costs
#: of published boards; nothing that was measured.
STORE, BOARD, GUESS = "store", "board", "guess"


@dataclass(frozen=True)
class Cell:
    """One unit of work, computed once.

    Attributes:
        key: content key, 64 hex digits: its sources, configuration, inputs' keys and seed.
        kind: the stage: ``data``, ``split``, ``candidates``, ``train``, ``merge`` or ``rank``.
        label: what a person reads.
        inputs: role -> key of another cell.
        job: what a worker needs to run it. Options in its ``config`` are values
            (`CompleteOptions`, `TrainOptions`); `recmerge_bench.running.jobs.job_spec` makes JSON
            of them for the worker.
        threads: CPU threads it runs with.
        timeout: seconds until it is killed.
        seed: the run's seed, or None where the result depends on none.
        blocked: (reason, remedy) where it cannot run here.
        waits: blocked only until a search, whose trials are its inputs, is finished: a plan that
            is made then holds another cell in its place.
        cost: estimated seconds of one worker.
        basis: what the estimate rests on: `STORE`, `BOARD` or `GUESS`.
        memory: bytes that like cells of the store took at most; None where there are none.
    """

    key: str
    kind: str
    label: str
    inputs: Mapping[str, str]
    job: Mapping[str, Any]
    threads: int = 1
    timeout: float = 3600.0
    seed: int | None = None
    blocked: tuple[str, str] | None = None
    waits: bool = False
    cost: float = 1.0
    basis: str = GUESS
    memory: int | None = None


@dataclass(frozen=True)
class Result:
    """A row of a board for one seed, and the cell that holds its ranks.

    Attributes:
        key: the rank cell's key.
        masked: whether its ranks are the cell's second table, without the items of the history.
        identity: ``dataset, backbone, method, recipe, profile, variant, track, protocol, seed``.
        domains: the scored domains.
        configuration: all that the row is made with; None where a plugin is not there to say it.
            In no key.
        lists: key of the cell that holds its values of list metrics; empty where the suite names
            none or its candidates are sampled.
        trials: keys of the cells that judged the settings that were tried for it.
    """

    key: str
    identity: Mapping[str, Any]
    domains: tuple[str, ...]
    configuration: Configuration | None = None
    masked: bool = False
    lists: str = ""
    trials: tuple[str, ...] = ()

    @property
    def ranks_key(self) -> str:
        """What names its ranks in records."""
        return ranks_key(self.key, self.masked)


@dataclass(frozen=True)
class ExecutorChoice:
    """Where a suite says that its cells run.

    Attributes:
        name: of the executor.
        options: all of them.
    """

    name: str
    options: CompleteOptions

    @property
    def named(self) -> Named:
        """As a configuration has it."""
        return Named(name=self.name, options=self.options.values)


@dataclass
class Plan:
    """A suite's DAG of cells.

    Attributes:
        suite: its name.
        cells: key -> cell, every cell after its inputs.
        results: the board's rows by seed.
        curves: how learned merges came about, as `results`, their cells being curves.
        header: what boards say of the suite (title, label, metrics, ...).
        files: plugins (files or folders) that workers must import: module name -> path.
        raw: paths of raw files, which merges must not see.
        wanted: the cells that a run is to compute, with what they need.
        executor: where the suite says that they run; None: it does not. In no key.
    """

    suite: str
    cells: dict[str, Cell] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)
    curves: list[Result] = field(default_factory=list)
    header: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    raw: set[str] = field(default_factory=set)
    wanted: list[str] = field(default_factory=list)
    executor: ExecutorChoice | None = None

    def add(self, cell: Cell) -> str:
        """Add a cell unless an equal one is there; returns its key."""
        self.cells.setdefault(cell.key, cell)
        return cell.key

    def closure(self, keys: Iterator[str] | list[str]) -> set[str]:
        """These cells and everything they need."""
        seen: set[str] = set()
        queue = list(keys)
        while queue:
            key = queue.pop()
            if key not in seen:
                seen.add(key)
                queue += self.cells[key].inputs.values()
        return seen

    def restricted(self, wanted: list[str]) -> Plan:
        """The same plan with other wanted cells, and only what these need.

        Where a result is wanted, so are its values of list metrics.
        """
        asked = set(wanted)
        lists = [r.lists for r in self.results if r.lists and r.key in asked]
        wanted = list(dict.fromkeys([*wanted, *lists]))
        needed = self.closure(wanted)
        cells = {k: c for k, c in self.cells.items() if k in needed}
        results = [r for r in self.results if r.key in needed]
        curves = [r for r in self.curves if r.key in needed]
        return replace(self, cells=cells, results=results, curves=curves, wanted=wanted)
