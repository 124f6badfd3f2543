"""Every first-party plugin does what its kind has to do: the tests that plugin authors inherit."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from recmerge_bench import testing
from recmerge_bench.borders.splits import checked_split
from recmerge_bench.conformance.kinds import tried_as
from recmerge_bench.contracts import spec_class
from recmerge_bench.planning.maker import absent
from recmerge_bench.planning.options import complete
from recmerge_bench.registry import discover
from recmerge_bench.specs import CDSRSpec, Spec, StrategySpec
from recmerge_bench.testing import events, split_of

FOUND = discover(environ={})
#: Options that make a plugin small enough for this file, where its class has them.
SMALL = {"width": 16, "layers": 1, "heads": 1, "steps": 4, "evaluations": 20}
#: The same of one plugin alone.
OWN = {"synthetic": {"users": 60, "items": 30}, "submitit": {"cluster": "local"}}
#: Learn too slowly for a short training: what they rank is judged after more steps.
SLOW = {"bert4rec", "gsasrec", "bert4rec-dt", "bert4rec-st", "recbole:BERT4Rec", "recbole:CORE",
        "recbole:NextItNet"}  # fmt: skip


def small(kind: str, name: str) -> Any:
    spec = FOUND.get(kind, name)
    known = {f.name for f in dataclasses.fields(spec_class(spec).Options)}
    options = {k: v for k, v in SMALL.items() if k in known} | OWN.get(name, {})
    return complete(spec, options, "conformance").definition()


def distinct(kind: str) -> list[str]:
    """Names of a kind, one for each class with its preset options."""
    specs = [FOUND.get(kind, name) for name in FOUND.names(kind)]
    made = {(s.target, repr(sorted(s.options.items()))): s.name for s in reversed(specs)}
    return sorted(made.values())


def of_lists(name: str) -> bool:
    return tried_as(FOUND.get("metric", name)) == "list-metric"


def each(kind: str, names: list[str] | None = None) -> Any:
    return pytest.mark.parametrize("name", names or distinct(kind), scope="class")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Named:
    """A plugin by the name of its spec."""

    kind: str
    spec: Spec

    @pytest.fixture(autouse=True)
    def known(self, name: str) -> None:
        kind = self.kind.removeprefix("list-")
        type(self).spec = FOUND.get(kind, name)
        if missing := absent(name, self.spec.requires):
            pytest.skip(missing[0])


@each("strategy")
class TestStrategies(Named, testing.StrategyConformance):
    @pytest.fixture
    def strategy(self, name: str) -> Any:
        return small("strategy", name)

    def facts(self) -> dict[str, Any]:
        assert isinstance(self.spec, StrategySpec)
        return {"tier": self.spec.tier, "passthrough": self.spec.passthrough}


@each("backbone")
class TestBackbones(Named, testing.BackboneConformance):
    @pytest.fixture
    def backbone(self, name: str) -> Any:
        return small("backbone", name)

    def facts(self) -> dict[str, Any]:
        return {"steps": 80 if self.spec.name in SLOW else 24}


@each("cdsr")
class TestCDSR(Named, testing.CDSRConformance):
    @pytest.fixture
    def cdsr(self, name: str) -> Any:
        return small("cdsr", name)

    def facts(self) -> dict[str, Any]:
        assert isinstance(self.spec, CDSRSpec)
        steps = 80 if self.spec.name in SLOW else 24
        return {"steps": steps, "single_target": self.spec.single_target}


@each("counting")
class TestCounting(Named, testing.BaselineConformance):
    @pytest.fixture
    def counting(self, name: str) -> Any:
        return small("counting", name)


class Datasets(Named, testing.DatasetConformance):
    @pytest.fixture
    def dataset(self, name: str) -> Any:
        return small("dataset", name)


@each("dataset", [n for n in FOUND.names("dataset") if not n.startswith("ml-100k")])
class TestDatasets(Datasets):
    pass


@pytest.mark.slow
@each("dataset", ["ml-100k", "ml-100k-whole"])
class TestMovieLens(Datasets):
    """A second for each load."""


@each("encoder")
class TestEncoders(Named, testing.EncoderConformance):
    @pytest.fixture
    def encoder(self, name: str) -> Any:
        return small("encoder", name)


@each("protocol")
class TestProtocols(Named, testing.ProtocolConformance):
    @pytest.fixture
    def protocol(self, name: str) -> Any:
        return small("protocol", name)


@each("metric", [n for n in distinct("metric") if of_lists(n)])
class TestListMetrics(Named, testing.ListMetricConformance):
    @pytest.fixture
    def metric(self, name: str) -> Any:
        return small("metric", name)


@each("metric", [n for n in distinct("metric") if not of_lists(n)])
class TestMetrics(Named, testing.MetricConformance):
    @pytest.fixture
    def metric(self, name: str) -> Any:
        return small("metric", name)


class Executors(Named, testing.ExecutorConformance):
    @pytest.fixture
    def executor(self, name: str) -> Any:
        return small("executor", name)


@each("executor", ["local"])
class TestExecutors(Executors):
    pass


@pytest.mark.slow
@each("executor", [n for n in FOUND.names("executor") if n != "local"])
class TestClusters(Executors):
    """Their processes take seconds to start."""


@pytest.mark.parametrize("mixed", [False, True])
def test_the_tiny_datas_own_split_is_right(mixed: bool) -> None:
    made = events()

    class Fixed:
        def phases(self) -> None:
            return None

        def split(self, *arguments: Any, unscored: Any = ()) -> Any:
            return split_of(made, mixed)

    count = made.n_users * (1 if mixed else 2)
    split = checked_split(Fixed(), made, made.catalogue.domains)  # type: ignore[arg-type]
    assert len(split.test) == count
