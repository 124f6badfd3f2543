"""Runs a plan: what is ready goes to the executor, the longest way to the end first."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from recmerge_bench.blame import wrong
from recmerge_bench.collection import uncollected
from recmerge_bench.definitions import ExecutorDefinition
from recmerge_bench.planning.cells import Cell, Plan
from recmerge_bench.processes.words import ENDS
from recmerge_bench.running.early_imports import late_kind
from recmerge_bench.running.jobs import job_spec
from recmerge_bench.running.memory_bound import REMEDY, MemoryBound
from recmerge_bench.running.store import RECORD, Store
from recmerge_bench.running.waiting import Waiting

Listener = Callable[[dict[str, Any]], None]
BUSY_WAIT = 0.5
#: How often a job whose runner is lost is submitted again.
AGAIN = 2


@dataclass
class Outcome:
    """How a run ended.

    Attributes:
        cached: cells that were done before.
        computed: cells that this run finished (or saw another run finish).
        failures: key -> what went wrong.
        reasons: key -> (reason, remedy) of cells that turned out to be blocked while running.
    """

    cached: set[str] = field(default_factory=set)
    computed: set[str] = field(default_factory=set)
    failures: dict[str, dict[str, Any]] = field(default_factory=dict)
    reasons: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Todo:
    """How a plan's wanted cells stand in a store.

    Attributes:
        waiting: cells to compute, in the plan's order.
        done: cells that need not be computed; what only they need is in neither.
        damaged: key -> what is wrong with a cell that was finished and has to be computed again.
    """

    waiting: list[str]
    done: set[str]
    damaged: dict[str, str]


#: Kind of the cells that judge the trials of searches.
TRIAL = "validate"
#: Kinds that results are published with: without them nothing says what the ranks are of.
PUBLISHED = ("data", "split")


@uncollected()
def todo(plan: Plan, store: Store, known: Collection[str] = ()) -> Todo:
    """What is to be computed for the plan's wanted cells; every byte of what is done is checked.

    Cells that are `known` to be done are not looked at again. What only finished cells need need
    not exist any more, but for the data and the split that a result is published with.
    """
    with store.listed(key for key in plan.cells if key not in known):
        return _todo(plan, store, known)


def _todo(plan: Plan, store: Store, known: Collection[str]) -> Todo:
    done: set[str] = set()
    seen: set[str] = set()
    damaged: dict[str, str] = {}
    queue = list(plan.wanted)
    while queue:
        key = queue.pop()
        if key in seen:
            continue
        seen.add(key)
        inputs = list(plan.cells[key].inputs.values())
        flaw = "" if key in known else _flaw(plan.cells[key], store)
        if flaw:
            damaged[key] = flaw
        elif key in known or store.has(key):
            done.add(key)
            inputs = [k for k in inputs if plan.cells[k].kind in PUBLISHED]
        queue += inputs
    wanted = seen - done
    waiting = [k for k in plan.cells if k in wanted and not plan.cells[k].blocked]
    return Todo(waiting, done, damaged)


def _flaw(cell: Cell, store: Store) -> str:
    """What is wrong with a cell that lies in the store; empty where it is whole or not there."""
    if damage := store.damage(cell.key):
        return damage
    if not store.has(cell.key):
        return ""
    record = store.record(cell.key)
    expected = {"kind": cell.kind, "inputs": dict(cell.inputs), "seed": cell.seed}
    other = [name for name, value in expected.items() if record.get(name) != value]
    place = store.folder(cell.key) / RECORD
    return f"{place}: of other {' and '.join(other)} than the plan's cell" if other else ""


class Run:
    """One execution of a plan.

    Args:
        plan: what to compute.
        store: where results go.
        executor: opened, ready for jobs.
        device: ``cpu`` or ``cuda``.
        fail_fast: stop at the first failure.
        listener: told of every event, for display.
        start: what `todo` says of them, if it was asked before.
        grown: the plan as it is now, asked after every trial of a search: it may hold more.
        memory: what its cells may take; None: there is no bound.
    """

    def __init__(
        self,
        plan: Plan,
        store: Store,
        executor: ExecutorDefinition,
        device: str = "cpu",
        fail_fast: bool = False,
        listener: Listener = lambda event: None,
        start: Todo | None = None,
        grown: Callable[[], Plan] | None = None,
        memory: MemoryBound | None = None,
    ) -> None:
        self.grown, self.memory = grown, memory
        self.plan, self.store, self.executor = plan, store, executor
        self.device, self.fail_fast, self.listener = device, fail_fast, listener
        start = todo(plan, store) if start is None else start
        for key in set(start.damaged) & set(start.waiting):
            store.discard(key)
        self.outcome = Outcome(cached=start.done)
        self.running: set[str] = set()
        self.busy: dict[str, float] = {}
        self.lost: dict[str, int] = {}
        self.waiting = self._waiting(start.waiting)
        self.known = dict(plan.cells)  # of earlier plans too: what runs may be in none later

    def go(self) -> Outcome:
        """Run until nothing is left that can run."""
        self.attach()
        while True:
            self.submit_ready()
            if not self.running and not self.busy:
                if not self.waiting.any_ready():
                    return self.outcome
                if self.executor.free() < 1:
                    raise wrong(self._runner(), "free", "gives 0 though nothing runs")
                continue  # what was ready is done by another run, and made others ready
            for event in self.executor.events(BUSY_WAIT):
                self.take(event)
            if self.fail_fast and self.outcome.failures:
                return self.outcome

    def attach(self) -> None:
        """Wait for what an earlier run, which is gone, handed to a queue that still has it."""
        for key in sorted(self.executor.attach(tuple(self.waiting))):
            self.waiting.discard(key)
            self.running.add(key)
            self.listener({"event": "submitted", "key": key})

    def submit_ready(self) -> None:
        """Hand out ready cells while there are free slots."""
        now = time.monotonic()
        for key in [k for k, when in self.busy.items() if now >= when]:
            del self.busy[key]
            self.waiting.add([key])
        self.block_too_large()
        for key, memory in self.startable(self.executor.free()).items():
            if key not in self.waiting:  # a search that another run finished needs it no more
                self._let_go(key)
                continue
            self.waiting.discard(key)
            if self.store.intact(key):  # another run was quicker
                self.take({"event": "done", "key": key})
                continue
            self.running.add(key)
            job = job_spec(self.plan.cells[key], self.plan, self.store.out, self.device)
            job["later"] = self.later(key)
            self.executor.submit(job if memory is None else {**job, "max_memory": memory})
            self.listener({"event": "submitted", "key": key})

    def later(self, key: str) -> list[str]:
        """Kinds that import much of the cells that wait for this one."""
        cells = (self.plan.cells[user] for user in self.waiting.users(key))
        return sorted({late_kind(c.kind, c.job["config"]) for c in cells} - {""})

    def startable(self, free: int) -> dict[str, int | None]:
        """Cells to start now, the heaviest first, and the bytes that each may take."""
        if self.memory is None:
            return dict.fromkeys(islice(self.waiting.ready(), free))
        chosen: dict[str, int | None] = {}
        for key in self.waiting.ready():
            if len(chosen) >= free:
                break
            if memory := self.memory.start(self.plan.cells[key]):
                chosen[key] = memory
        return chosen

    def block_too_large(self) -> None:
        """Cells whose inputs are there, and that can never run within the bound, are blocked."""
        if self.memory is None:
            return
        for key in list(self.waiting.ready()):
            if reason := self.memory.flaw(self.plan.cells[key]):
                self.waiting.discard(key)
                self.take({"event": "blocked", "key": key, "reason": reason, "mend": REMEDY})

    def _let_go(self, key: str) -> None:
        if self.memory is not None:
            self.memory.end(key)

    def _runner(self) -> ExecutorDefinition:
        """The executor itself, for messages."""
        runner: ExecutorDefinition = getattr(self.executor, "inner", self.executor)
        return runner

    def _waiting(self, keys: Iterable[str]) -> Waiting:
        """These cells of the plan, none of which runs."""
        done = self.outcome
        waiting = Waiting(
            self.plan.cells, path_costs(self.plan),
            lambda key: key in done.cached or key in done.computed,
        )  # fmt: skip
        waiting.add(keys)
        return waiting

    def take(self, event: dict[str, Any]) -> None:
        """Account for what happened to a cell."""
        key, what = event["key"], event["event"]
        if what in ENDS:
            self.running.discard(key)
            self._let_go(key)
        if what == "done" and not self.store.intact(key):
            message = str(wrong(self._runner(), "events", "says 'done', and there is no result"))
            event = {"event": "failed", "key": key, "error": message, "handled": True}
            what = "failed"
        if what == "done":
            self.outcome.computed.add(key)
            self.waiting.finished(key)
        elif what == "busy":
            self.busy[key] = time.monotonic() + BUSY_WAIT
        elif what == "blocked":
            self.outcome.reasons[key] = (event["reason"], event["mend"])
        elif what == "failed" and self._again(event):
            self.waiting.add([key])
            event = {"event": "lost", "key": key}
        elif what == "failed":
            failure = {k: v for k, v in event.items() if k != "event"}
            failure["label"] = self.known[key].label
            self.outcome.failures[key] = failure
            self.store.fail(key, failure)
        self.listener(event)
        if what == "done" and self.grown is not None and self.known[key].kind == TRIAL:
            self.grow(self.grown())

    def _again(self, event: Mapping[str, Any]) -> bool:
        """Whether a failed job is handed in again: its runner was lost, and not too often."""
        key = event["key"]
        if not event.get("lost") or key not in self.plan.cells:
            return False
        self.lost[key] = self.lost.get(key, 0) + 1
        return self.lost[key] <= AGAIN

    def grow(self, plan: Plan) -> None:
        """Go on with a plan that holds more; what failed in this run is not tried again in it."""
        outcome = self.outcome
        start = todo(plan, self.store, outcome.cached | outcome.computed)
        known = {*self.waiting, *self.running, *self.busy, *outcome.failures, *outcome.reasons}
        more = [key for key in start.waiting if key not in known]
        # Another run may have finished what this one was about to do for a search.
        still = [key for key in self.waiting if key in plan.cells]
        self.busy = {key: when for key, when in self.busy.items() if key in plan.cells}
        for key in set(start.damaged) & set(more):
            self.store.discard(key)
        self.plan = plan
        self.known.update(plan.cells)
        outcome.cached |= start.done - outcome.computed
        self.waiting = self._waiting([*still, *more])
        self.listener({"event": "grown", "plan": plan, "waiting": more})


def path_costs(plan: Plan) -> dict[str, float]:
    """Seconds from the start of each cell to the end of the longest chain behind it."""
    users: dict[str, list[str]] = {k: [] for k in plan.cells}
    for key, cell in plan.cells.items():
        for needed in cell.inputs.values():
            users[needed].append(key)
    weight: dict[str, float] = {}
    for key in reversed(list(plan.cells)):
        weight[key] = plan.cells[key].cost + max((weight[u] for u in users[key]), default=0.0)
    return weight
