"""Runs: a suite computed, its boards and records written, and what came of it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from recmerge_bench.borders.executors import CheckedExecutor
from recmerge_bench.durations import duration
from recmerge_bench.files import write_text
from recmerge_bench.interface.executors import executor_changes, executor_of_run
from recmerge_bench.interface.fetching import fetch_small
from recmerge_bench.interface.guard import plugins_blamed
from recmerge_bench.interface.plans import Missing, chosen, counted, planner
from recmerge_bench.interface.plugins import Plugins, registry_of
from recmerge_bench.interface.progress import Reporter
from recmerge_bench.interface.results import Results, load_results
from recmerge_bench.interface.suites import Changes, Selectors, SuiteLike, load_suite, texts
from recmerge_bench.planning.cells import Plan
from recmerge_bench.planning.suite import Suite
from recmerge_bench.registry import Registry
from recmerge_bench.report.publishing.unchanged import build_if_changed
from recmerge_bench.running.cost_files import published_costs
from recmerge_bench.running.estimate import measured
from recmerge_bench.running.event_log import logged, new_run
from recmerge_bench.running.leaving import leave_records
from recmerge_bench.running.live_state import LiveState, shown_live
from recmerge_bench.running.manifest import write_manifest
from recmerge_bench.running.memory_bound import MemoryBound
from recmerge_bench.running.mirror import opened, share
from recmerge_bench.running.scheduler import Outcome, Todo, todo
from recmerge_bench.running.scheduler import Run as Execution
from recmerge_bench.running.store import RECORD, Store
from recmerge_bench.sizes import bytes_of
from recmerge_bench.untrusted.paths import within

if TYPE_CHECKING:
    import pandas

    from recmerge_bench.results.loading import PerUser
    from recmerge_bench.results.records import Records


@dataclass(frozen=True)
class Failure:
    """A cell that failed.

    Attributes:
        key: of the cell.
        label: what a person reads.
        kind: of the cell.
        error: what went wrong, one line.
        handled: wrong use or bad data, rather than a bug.
        file: JSON with the traceback.
    """

    key: str
    label: str
    kind: str
    error: str
    handled: bool
    file: Path


@dataclass(frozen=True, repr=False)
class Run:
    """A suite's run, and what its folder now holds of the suite.

    Attributes:
        out: the folder: ``store``, ``records``, ``boards``, ``suites``.
        suite: its name.
        keys: of the results that the run was asked for.
        registry: the plugins that it ran with.
        computed: cells that this run finished.
        cached: cells that were done before.
        failures: cells that failed, and metrics of lists that did; run again to retry cells.
        missing: what blocks results of the suite here, each reason once.
        files: boards and records that were written.
        notes: what datasets warned of when they were read, such as rows that were left out.
    """

    out: Path
    suite: str
    keys: frozenset[str]
    registry: Registry
    computed: int
    cached: int
    failures: tuple[Failure, ...]
    missing: tuple[Missing, ...]
    files: tuple[Path, ...] = field(default=())
    notes: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether nothing failed; blocked results are no failure."""
        return not self.failures

    @cached_property
    def results(self) -> Results:
        """All that the folder now holds of the suite, rows of other runs too."""
        path = within(self.out / "records", f"{self.suite}.json")
        return load_results(path, plugins=self.registry)

    @property
    def records(self) -> Records:
        """The records of `results`, typed."""
        return self.results.records

    def to_pandas(self) -> pandas.DataFrame:
        """A row for each result that the run was asked for and each of its domains.

        Columns as those of `Results.to_pandas`.

        Raises:
            HandledError: pandas is not installed.
        """
        return self._asked().to_pandas()

    def per_user(self, metric: str, **fields: str | int | None) -> PerUser:
        """A metric by user of the results that the run was asked for, see `Results.per_user`."""
        return self._asked().per_user(metric, **fields)

    def _asked(self) -> Results:
        """The results that the run was asked for."""
        chosen = [result for result in self.records.results if result.key in self.keys]
        records = self.records.model_copy(update={"results": chosen})
        return Results(self.results.path, records, self.registry)

    def board(self) -> str:
        """The suite's compact board, Markdown."""
        return within(self.out / "boards", f"{self.suite}.md").read_text(encoding="utf-8")

    def __repr__(self) -> str:
        lines = [self._title(), *(f"  failed: {f.label}: {f.error}" for f in self.failures)]
        lines += [f"  blocked: {m}" for m in self.missing]
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join([*lines, self._asked().table()])

    def _repr_html_(self) -> str:
        notes = [*(f"failed: {f.label}: {f.error}" for f in self.failures),
                 *(f"blocked: {m}" for m in self.missing),
                 *(f"note: {note}" for note in self.notes)]  # fmt: skip
        return self._asked().html(self._title(), notes)

    def _title(self) -> str:
        return (
            f"run of suite '{self.suite}' in {self.out}: {len(self.keys)} results asked for; "
            f"{self.computed} cells computed, {self.cached} cached, {len(self.failures)} failed"
        )


@plugins_blamed()
def run(
    suite: SuiteLike = "quick",
    *,
    out: str | Path = "runs",
    plugins: Plugins = (),
    changes: Changes = (),
    seeds: Iterable[int] | None = None,
    only: Selectors = (),
    data_root: str | Path | None = None,
    jobs: int | None = None,
    device: str = "cpu",
    executor: str | None = None,
    fail_fast: bool = False,
    progress: bool | None = None,
    max_memory: str | int | None = None,
) -> Run:
    """Run a suite; what is done already is not done again. Boards and records lie in `out`.

    Args:
        suite: name (`quick`), YAML file, keys, or what `load_suite` gave.
        out: folder for the store, records and boards.
        plugins: files (``median.py``) or modules to load beside the installed plugins.
        changes: laid over the suite, such as ``{"tracks.merging.training.steps": 50}``; those of
            ``executor.KEY`` are options of the executor.
        seeds: replicates, in the place of the suite's and every track's.
        only: these rows alone, such as ``method=ties,seed=0``; several add up. A method of a
            plugin that is named here joins the suite as a row if it has none.
        data_root: folder with raw data, for datasets that are not bundled.
        jobs: cells at a time; the executor's choice if None.
        device: ``cpu`` or ``cuda``.
        executor: by name, in the place of the suite's; None: the suite's, else ``local``.
        fail_fast: stop at the first failure.
        progress: True shows it, False does not; None: on a terminal.
        max_memory: what all cells that run at a time may take, such as ``8GiB``; None: no bound.
            A cell that needs more is blocked; ranking works in smaller blocks.

    Raises:
        HandledError: wrong use or bad input. A cell that fails raises nothing: see `Run.failures`.
        PluginError: an error out of a plugin's code in this process.
    """
    root = None if data_root is None else Path(data_root)
    most = None if max_memory is None else bytes_of(max_memory, "--max-memory")
    seeds = None if seeds is None else list(seeds)
    registry, report = registry_of(plugins), Reporter(progress)
    options, changes = executor_changes(changes)
    declared = executor is None and not options
    store = Store(opened(out).resolve())

    def cells() -> Callable[[], Plan]:
        return planner(suite, registry, changes, seeds, only, root, declared, store)

    plans = cells()
    whole = plans()
    if fetch_small(whole, registry, root, report.line):
        plans = cells()
        whole = plans()
    plan = chosen(whole, only)
    _say_blocked(plan, report)
    store.sweep()
    start = todo(plan, store)
    for key, flaw in start.damaged.items():
        again = "computed again" if key in start.waiting else "it cannot be computed here"
        report.line(f"damaged: {plan.cells[key].label}: {flaw}; {again}")
    outcome = Outcome(cached=start.done)
    if start.waiting:
        of_suite = load_suite(suite, changes=changes, plugins=registry).executor
        runner = executor_of_run(of_suite, registry, executor, options)
        searched = any(cell.waits for cell in plan.cells.values())
        grown = (lambda: chosen(plans(), only)) if searched else None
        known = measured(plan, store, boards=published_costs())
        work = Work(known, store, start, jobs, device, runner, fail_fast, grown, most)
        outcome = work.compute(report)
        if searched:  # what was chosen is planned by now
            whole = plans()
            plan = chosen(whole, only)
    else:
        done = len(start.done & set(plan.wanted))
        cached = f"all {done} results cached" if done else "nothing can run here yet"
        report.line(f"suite '{plan.suite}': {cached}")
    command = _command(suite, store, texts(changes), seeds, registry.named)
    manifest = write_manifest(whole, store, outcome, command)
    files = build_if_changed(store.out, registry, manifest)
    share(store.out)
    if outcome.computed:
        leave_records(store, plan.suite, plan.cells)
    return Run(
        store.out, plan.suite, frozenset(r.ranks_key for r in plan.results), registry,
        len(outcome.computed), len(outcome.cached),
        (*_failures(plan, store, outcome), *_failed_metrics(plan, store)),
        _missing(manifest["results"], {r.key for r in plan.results}), tuple(files),
        tuple(dict.fromkeys(_notes(plan, store))),
    )  # fmt: skip


@dataclass(frozen=True)
class Work:
    """Cells to compute, and how.

    Attributes:
        plan: the cells and those they need.
        store: where results go.
        start: what is to do.
        jobs: cells at a time; None: as the executor has it.
        device: ``cpu`` or ``cuda``.
        executor: not opened yet.
        fail_fast: stop at the first failure.
        grown: the plan as it is later, where trials of searches are among the cells.
        max_memory: bytes that all cells that run at a time may take; None: no bound.
    """

    plan: Plan
    store: Store
    start: Todo
    jobs: int | None
    device: str
    executor: CheckedExecutor
    fail_fast: bool
    grown: Callable[[], Plan] | None = None
    max_memory: int | None = None

    def compute(self, report: Reporter) -> Outcome:
        """Compute them; what failed and what was done stands in the outcome."""
        plan, waiting = self.plan, self.start.waiting
        cached = len(self.start.done & set(plan.wanted))
        runner = self.executor
        threads = max(plan.cells[k].threads for k in waiting)
        runner.open(self.jobs, threads, self.store.out / "logs")
        try:
            slots = runner.free()
            cost = sum(plan.cells[k].cost for k in waiting) / slots
            report.line(
                f"suite '{plan.suite}': {len(waiting)} cells to do, "
                + (f"{cached} results are there already, " if cached else "")
                + f"{slots} at a time with {threads} thread(s) each, about {duration(cost)}"
            )
            run_id = new_run()
            state = LiveState(run_id, plan, waiting, cached, slots)
            with (
                report.following(plan, waiting, cached, slots) as shown,
                shown_live(self.store.out, state, shown) as live,
                logged(self.store.out, plan, live, run_id) as listener,
            ):
                return Execution(
                    plan, self.store, runner, self.device, self.fail_fast, listener, self.start,
                    self.grown, self._bound(slots),
                ).go()  # fmt: skip
        finally:
            runner.close()

    def _bound(self, slots: int) -> MemoryBound | None:
        most = self.max_memory
        return None if most is None else MemoryBound(most, slots, self.store)


def _failures(plan: Plan, store: Store, outcome: Outcome) -> tuple[Failure, ...]:
    folder = store.out / "failures"
    return tuple(
        Failure(
            key, failure["label"], plan.cells[key].kind, str(failure["error"]),
            bool(failure.get("handled")), folder / f"{key}.json",
        )
        for key, failure in outcome.failures.items()
    )  # fmt: skip


def _failed_metrics(plan: Plan, store: Store) -> Iterator[Failure]:
    """Metrics of lists that failed in cells whose other metrics have their values."""
    for key in dict.fromkeys(r.lists for r in plan.results if r.lists):
        if not store.has(key):
            continue
        for name, failure in store.record(key)["report"].get("failed", {}).items():
            label = f"{plan.cells[key].label} {name}"
            file = store.folder(key) / RECORD
            yield Failure(key, label, "lists", str(failure["error"]), True, file)


def _notes(plan: Plan, store: Store) -> Iterator[str]:
    """What datasets warned of when they were read, by this run or an earlier one."""
    for key, cell in plan.cells.items():
        if cell.kind == "data" and store.has(key):
            yield from store.record(key)["report"].get("notes", ())


def _say_blocked(plan: Plan, report: Reporter) -> None:
    """What cannot run here and how to fix it, before anything starts."""
    blocked = [b for r in plan.results if (b := plan.cells[r.key].blocked)
               and not plan.cells[r.key].waits]  # fmt: skip
    if blocked:
        report.line(f"{len(blocked)} of {len(plan.results)} results are blocked here:")
    for missing in counted(blocked):
        report.line(f"  {missing}")


def _missing(results: Sequence[Mapping[str, Any]], asked: Set[str]) -> tuple[Missing, ...]:
    """What blocks results that were asked for; the manifest has the suite's other ones too."""
    blocked = (r for r in results if r["status"] == "blocked" and r["key"] in asked)
    return counted((r["reason"], r["mend"]) for r in blocked)


def _command(
    suite: SuiteLike, store: Store, changes: tuple[str, ...], seeds: Iterable[int] | None,
    plugins: tuple[str, ...],
) -> str:  # fmt: skip
    """The command that gives this board, wherever its results are put."""
    words = ["recmerge-bench", *(w for p in plugins for w in ("-p", p)), "run"]
    words += ["--suite", _place(suite, store)]
    words += [w for change in changes for w in ("--set", change)]
    return shlex.join([*words, *(("--seeds", ",".join(map(str, seeds))) if seeds else ())])


def _place(suite: SuiteLike, store: Store) -> str:
    """What names a suite on a command line; one that is no file yet is written beside the run."""
    if isinstance(suite, (str, Path)):
        return str(suite)
    if isinstance(suite, Suite):
        keys = suite.model_dump(mode="json", exclude_defaults=True, exclude={"extends"})
        keys = {"name": suite.name, **keys}
    else:
        keys = dict(suite)
    path = within(store.out / "suites", f"{keys['name']}.yaml")
    write_text(path, yaml.safe_dump(keys, sort_keys=False, allow_unicode=True))
    return f"{path.parent.name}/{path.name}"
