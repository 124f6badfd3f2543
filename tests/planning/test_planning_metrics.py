"""Options of metrics and executors: in suites, in configurations, in runs; wrong ones refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from conftest import SAMPLES

import recmerge_bench as rmb
from recmerge_bench.errors import HandledError
from recmerge_bench.interface.suites import load_suite
from recmerge_bench.planning.configuration import Configuration
from recmerge_bench.planning.metrics import metric_name, metric_use
from recmerge_bench.planning.plan import build
from recmerge_bench.registry import Registry, discover
from recmerge_bench.results.files import load_records
from recmerge_bench.results.rerun import matching, suite_of

PLUGIN = '''
from dataclasses import dataclass
from recmerge_bench.api import ExecutorSpec, MetricDefinition, MetricSpec, hookimpl
from recmerge_bench_plugins.executors.local import LocalExecutor


@dataclass(frozen=True)
class Patience:
    persistence: float = 0.5


class RankBiased(MetricDefinition):
    """Rank-biased precision (Moffat and Zobel 2008) of one relevant item."""

    Options = Patience

    def value(self, rank, k):
        p = self.options.persistence
        return (1 - p) * p ** (rank - 1)


@dataclass(frozen=True)
class Slots:
    slots: int = 1


class Slotted(LocalExecutor):
    Options = Slots

    def open(self, jobs, threads, log):
        log.parent.mkdir(parents=True, exist_ok=True)
        (log.parent / "slots.txt").write_text(str(self.options.slots))
        super().open(self.options.slots, threads, log)


@hookimpl
def recmerge_bench_register():
    return [MetricSpec("RBP", f"{__name__}:RankBiased", "rank-biased precision"),
            ExecutorSpec("slotted", f"{__name__}:Slotted", "so many jobs at a time")]
'''
NAME = "RBP(persistence=0.8)@10"


@pytest.fixture
def plugin(tmp_path: Path) -> str:
    path = tmp_path / "patient_plugin.py"
    path.write_text(PLUGIN)
    return str(path)


@pytest.fixture
def with_plugin(plugin: str) -> Registry:
    return discover([plugin], environ={})


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("NDCG@10", "NDCG@10"),
        ({"metric": "NDCG@10"}, "NDCG@10"),
        ({"metric": "RBP@10", "options": {"persistence": 0.8}}, NAME),
        ({"metric": "RBP", "options": {"persistence": 1}}, "RBP(persistence=1)"),
        (
            {"metric": "D@5", "options": {"encoder": "hashed-words", "unit": True}},
            "D(encoder=hashed-words,unit=true)@5",
        ),
    ],
)
def test_a_metric_with_options_has_one_name(given: object, name: str) -> None:
    assert metric_name(given) == name


@pytest.mark.parametrize(
    "given",
    [7, ["NDCG@10"], {"metric": "NDCG@10", "option": {}}, {"options": {}}, {"metric": 3},
     {"metric": "D@5", "options": {"a": [1]}}, {"metric": "D@5", "options": {"a": "x,b=2"}},
     {"metric": "D@5", "options": {"a": "true"}}, {"metric": "D@5", "options": {"a": "x)"}},
     {"metric": "D@5", "options": {"a": None}}],
)  # fmt: skip
def test_what_is_no_metric_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="metric"):
        metric_name(given)


def test_options_change_values(with_plugin: Registry) -> None:
    use = metric_use(with_plugin, NAME)
    assert (use.k, use.options.values) == (10, {"persistence": 0.8})
    value = use.options.definition().value(np.array([1.0, 3.0]), None)
    assert np.allclose(value, [0.2, 0.2 * 0.64])
    assert metric_use(with_plugin, "RBP").options.values == {"persistence": 0.5}


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("RBP(persistance=0.8)", "unknown option 'persistance' .did you mean 'persistence'"),
        ("RBP(persistence=high)", "persistence: .*not 'high'"),
        ("RBP(persistence=0.8,persistence=0.9)", "given twice"),
        ("RBP(persistence)", "no option=value"),
        ("RBP(persistence=0.8", "options stand as NAME"),
        ("RBP(persistence=0.8)x@10", "options stand as NAME"),
        ("NDCG(persistence=0.8)@10", "unknown option 'persistence'"),
    ],
)
def test_wrong_options_are_refused(with_plugin: Registry, name: str, fault: str) -> None:
    with pytest.raises(HandledError, match=fault):
        metric_use(with_plugin, name)


def _tiny(**keys: Any) -> dict[str, Any]:
    tiny = yaml.safe_load((SAMPLES / "tiny.yaml").read_text())
    track = tiny["tracks"]["merging"] | {"rows": ["popularity"], "protocols": ["loo"]}
    return {**tiny, "tracks": {"merging": track}, **keys}


METRICS = ["NDCG@10", {"metric": "RBP@10", "options": {"persistence": 0.8}}]


def test_options_stand_in_the_configuration(with_plugin: Registry) -> None:
    suite = load_suite(
        _tiny(metrics=METRICS, executor={"name": "slotted", "options": {"slots": 2}}),
        plugins=with_plugin,
    )
    plan = build(suite, with_plugin)
    made = plan.results[0].configuration
    assert made is not None and plan.header["metrics"] == ["NDCG@10", NAME]
    plain = made.to_json()
    assert plain["metrics"] == {NAME: {"name": "RBP", "options": {"persistence": 0.8}}}
    assert plain["executor"] == {"name": "slotted", "options": {"slots": 2}}
    assert Configuration.model_validate(plain).recorded() == plain
    without = build(load_suite(_tiny(), plugins=with_plugin), with_plugin).results[0]
    assert without.configuration is not None
    assert not {"metrics", "executor"} & without.configuration.to_json().keys()
    assert without.key == plan.results[0].key, "where a cell runs, and metrics, are in no key"


@pytest.mark.parametrize(
    ("executor", "fault"),
    [
        ("sloted", "executor: no plugin registers.*did you mean 'slotted'"),
        ({"name": "slotted", "options": {"slot": 2}}, "executor, slotted: unknown option 'slot'"),
        ({"name": "slotted", "options": {"slots": "two"}}, "slots: .*not 'two'"),
        ({"name": "local", "options": {"slots": 2}}, "unknown option 'slots'"),
    ],
)
def test_a_wrong_executor_is_refused(with_plugin: Registry, executor: object, fault: str) -> None:
    with pytest.raises(HandledError, match=fault):
        build(load_suite(_tiny(executor=executor), plugins=with_plugin), with_plugin)


def test_a_run_takes_them_and_its_row_is_made_again(tmp_path: Path, plugin: str) -> None:
    suite = _tiny(metrics=METRICS, executor={"name": "slotted", "options": {"slots": 2}})
    run = rmb.run(suite, out=tmp_path / "runs", plugins=[plugin], progress=False)
    assert run.failures == () and (tmp_path / "runs" / "slots.txt").read_text() == "2"
    records = load_records(tmp_path / "runs" / "records" / "tiny.json")
    result = records.results[0]
    assert 0 < result.metrics["mean"][NAME] < 0.2
    again = suite_of(records, matching(records.results, ["method=popularity"]))
    assert again["metrics"] == ["NDCG@10", NAME]
    assert again["executor"] == {"name": "slotted", "options": {"slots": 2}}
    assert load_suite(again, plugins=[plugin]).executor is not None


def test_the_command_s_executor_stands_in_no_configuration(tmp_path: Path, plugin: str) -> None:
    suite = _tiny(executor={"name": "slotted", "options": {"slots": 2}})
    run = rmb.run(suite, out=tmp_path, plugins=[plugin], executor="local", progress=False)
    assert run.failures == () and not (tmp_path / "slots.txt").exists()
    made = load_records(tmp_path / "records" / "tiny.json").results[0].configuration
    assert made is not None and made.executor is None
