"""Suite -> plan: which cells there are, what each needs, and why some cannot run here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from recmerge_bench.collection import uncollected
from recmerge_bench.errors import HandledError
from recmerge_bench.planning.cells import ExecutorChoice, Plan
from recmerge_bench.planning.corpus import Corpus, CorpusPlanner
from recmerge_bench.planning.departures import note_departures
from recmerge_bench.planning.header import header
from recmerge_bench.planning.maker import CellMaker
from recmerge_bench.planning.metrics import SuiteMetrics
from recmerge_bench.planning.names import check_names
from recmerge_bench.planning.options import complete
from recmerge_bench.planning.searches import Values, no_values
from recmerge_bench.planning.sources import Sources
from recmerge_bench.planning.suite import Suite
from recmerge_bench.planning.temporal import TemporalPlanner
from recmerge_bench.planning.track_cells import TrackPlanner
from recmerge_bench.registry import Registry

#: Kind of a track -> what adds its cells.
PLANNERS = {"domains": TrackPlanner, "temporal": TemporalPlanner}


@uncollected()
def build(
    suite: Suite,
    registry: Registry,
    data_root: Path | None = None,
    sources: Sources | None = None,
    values: Values = no_values,
) -> Plan:
    """The plan of a suite. Reads raw files' digests, runs nothing, imports no torch.

    `sources` are those of the installation unless others are given; `values` those of the trials
    of searches that are done: what they choose is in the plan (`recmerge_bench.planning.searches`).

    Raises:
        HandledError: an unknown name, option or metric, or a cut-off that a metric does not take.
    """
    check_names(suite, lambda place: f"suite '{suite.name}', {'.'.join(map(str, place))}: ")
    metrics = SuiteMetrics.of(registry, suite.metrics, f"suite '{suite.name}': ")
    sources = sources or Sources.of_user()
    plan = Plan(suite.name, header=header(suite, registry), files=registry.files)
    plan.executor = executor_of(suite, registry)
    for name, track in suite.tracks.items():
        planner = PLANNERS[track.kind](
            plan, suite, name, track, registry, data_root, sources, metrics, values
        )
        planner.add()
        note_departures(plan, name, track, registry)
    sources.save()
    keys = [r.key for r in (*plan.results, *plan.curves)]
    lists = [r.lists for r in plan.results if r.lists]
    plan.wanted = list(dict.fromkeys([*keys, *lists]))
    return plan


def executor_of(suite: Suite, registry: Registry) -> ExecutorChoice | None:
    """Where the suite's cells run, its options checked; None where the suite does not say it.

    Raises:
        HandledError: no such executor, an unknown option or a value of a wrong type.
    """
    if suite.executor is None:
        return None
    where = f"suite '{suite.name}', executor"
    try:
        spec = registry.get("executor", suite.executor.name)
    except HandledError as error:
        raise HandledError(f"{where}: {error}") from None
    return ExecutorChoice(spec.name, complete(spec, suite.executor.options, where))


def data_cell_alone(
    registry: Registry,
    name: str,
    data_root: Path | None = None,
    options: Mapping[str, object] | None = None,
) -> tuple[Plan, str]:
    """A plan of one data cell, with the key that it has in suites.

    Raises:
        HandledError: no such dataset, or a wrong option.
    """
    registry.get("dataset", name)
    suite = Suite.model_validate({"name": "data", "tracks": {}})
    plan = Plan("data", files=registry.files)
    sources = Sources.of_user()
    maker = CellMaker(plan, suite, f"dataset '{name}'", registry, data_root, sources)
    key = CorpusPlanner(maker).data(Corpus(maker.use("dataset", name, options), ()))
    sources.save()
    return plan, key
