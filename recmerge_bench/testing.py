"""Conformance tests that plugin authors inherit, a class for a kind; needs pytest.

    import pytest
    from recmerge_bench.testing import StrategyConformance

    class TestMedian(StrategyConformance):
        @pytest.fixture
        def strategy(self):
            return Median()

Each requirement of the kind is a test method, ``test_<requirement>``; a failure says what
happened, why it matters and how to put it right. ``recmerge-bench plugins check`` tries the same.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from recmerge_bench.conformance.kinds import requirements
from recmerge_bench.conformance.kinds import subject as subject_of
from recmerge_bench.conformance.merging_world import models
from recmerge_bench.conformance.requirement import Requirement, try_requirement
from recmerge_bench.conformance.subject import Subject
from recmerge_bench.conformance.worlds import interactions, split_of
from recmerge_bench.data.interactions import Interactions
from recmerge_bench.definitions import (
    Backbone,
    CountingModel,
    DatasetDefinition,
    ExecutorDefinition,
    ListMetricDefinition,
    MetricDefinition,
    ProtocolDefinition,
    StrategyDefinition,
    TextEncoder,
)


def events(users: int = 30, items: int = 12, seed: int = 0) -> Interactions:
    """Generated events of two domains, ``d0`` and ``d1``, for an author's own tests."""
    return interactions(users=users, items=items, seed=seed)


class Conformance:
    """What the classes of all kinds have in common.

    A class that names its `kind` gets a test method for each of the kind's requirements.

    Attributes:
        kind: see `recmerge_bench.specs.KINDS`; ``list-metric`` of metrics of lists.
        device: where the plugin is run besides the CPU; ``cpu``: on CUDA where there is one.
        shared: what the methods of one definition share, so that it is computed once.
    """

    kind: ClassVar[str] = ""
    device: ClassVar[str] = "cpu"
    shared: ClassVar[dict[str, Subject]] = {}

    def __init_subclass__(cls, **more: Any) -> None:
        """Add the kind's test methods."""
        super().__init_subclass__(**more)
        if "kind" in vars(cls):
            for each in requirements(cls.kind):
                name = f"test_{each.name.replace('-', '_')}"
                if name not in vars(cls):
                    setattr(cls, name, _method(each))

    def facts(self) -> dict[str, Any]:
        """Attributes of the kind's subject, from those of the class."""
        return {}

    def subject(self, definition: Any) -> Subject:
        """What the requirements are tried on; one for equal definitions, the latest alone kept."""
        key = f"{type(self).__qualname__} {type(definition)} {definition.options} {self.facts()}"
        if key not in Conformance.shared:
            Conformance.shared.clear()
            facts = {"device": self.device, **self.facts()}
            Conformance.shared[key] = subject_of(self.kind, definition, **facts)
        return Conformance.shared[key]


def _method(each: Requirement) -> Callable[[Conformance, Any], None]:
    def test(self: Conformance, definition: Any) -> None:
        outcome = try_requirement(each, self.subject(definition))
        if outcome.status == "skipped":
            pytest.skip(outcome.what)
        assert outcome.status == "passed", f"{outcome}"

    test.__doc__ = each.claim
    return test


class StrategyConformance(Conformance):
    """What every merge strategy has to do.

    Attributes:
        tier: the data tier that its spec declares.
        order_matters: the result may depend on the order of the experts (it draws, or the later
            of equals wins); the definition's attribute of this name says the same.
    """

    kind = "strategy"
    tier: ClassVar[str] = "T0"
    order_matters: ClassVar[bool] = False

    @pytest.fixture
    def strategy(self) -> StrategyDefinition:
        """The strategy under test: override it."""
        raise NotImplementedError

    @pytest.fixture
    def definition(self, strategy: StrategyDefinition) -> StrategyDefinition:
        """The same under the name that all kinds share."""
        return strategy

    def facts(self) -> dict[str, Any]:
        """Tier and order."""
        return {"tier": self.tier, "order_matters": self.order_matters}


class BackboneConformance(Conformance):
    """What every model of items, trained on one domain at a time, has to do.

    Attributes:
        steps: of the training whose quality is judged.
    """

    kind = "backbone"
    steps: ClassVar[int] = 80

    @pytest.fixture
    def backbone(self) -> Backbone:
        """The model under test: override it."""
        raise NotImplementedError

    @pytest.fixture
    def definition(self, backbone: Backbone) -> Backbone:
        """The same under the name that all kinds share."""
        return backbone

    def facts(self) -> dict[str, Any]:
        """Steps of the training."""
        return {"steps": self.steps}


class CDSRConformance(Conformance):
    """What every cross-domain model has to do.

    Attributes:
        single_target: it is trained for one target domain, as its spec says.
        steps: of the training whose quality is judged.
    """

    kind = "cdsr"
    single_target: ClassVar[bool] = False
    steps: ClassVar[int] = 80

    @pytest.fixture
    def cdsr(self) -> Backbone:
        """The model under test: override it."""
        raise NotImplementedError

    @pytest.fixture
    def definition(self, cdsr: Backbone) -> Backbone:
        """The same under the name that all kinds share."""
        return cdsr

    def facts(self) -> dict[str, Any]:
        """Steps of the training, and for whom it is."""
        return {"steps": self.steps, "single_target": self.single_target}


class CountingConformance(Conformance):
    """What every counting model (baseline) has to do."""

    kind = "counting"

    @pytest.fixture
    def counting(self) -> CountingModel:
        """The model under test: override it."""
        raise NotImplementedError

    @pytest.fixture
    def definition(self, counting: CountingModel) -> CountingModel:
        """The same under the name that all kinds share."""
        return counting


#: The kind is called a baseline too.
BaselineConformance = CountingConformance


class DatasetConformance(Conformance):
    """What every dataset has to give.

    Attributes:
        data_root: folder of raw data, where it needs one.
    """

    kind = "dataset"
    data_root: ClassVar[Path | None] = None

    @pytest.fixture
    def dataset(self) -> DatasetDefinition:
        """The dataset under test: override it."""
        raise NotImplementedError

    @pytest.fixture
    def definition(self, dataset: DatasetDefinition) -> DatasetDefinition:
        """The same under the name that all kinds share."""
        return dataset

    def facts(self) -> dict[str, Any]:
        """The folder."""
        return {"data_root": self.data_root}


class EncoderConformance(Conformance):
    """What every encoder of item text has to do.

    Attributes:
        data_root: folder of weights, where it needs one.
    """

    kind = "encoder"
    data_root: ClassVar[Path | None] = None

    @pytest.fixture
    def encoder(self) -> TextEncoder:
        """The encoder under test: override it."""
        raise NotImplementedError

    @pytest.fixture
    def definition(self, encoder: TextEncoder) -> TextEncoder:
        """The same under the name that all kinds share."""
        return encoder

    def facts(self) -> dict[str, Any]:
        """The folder."""
        return {"data_root": self.data_root}


class ProtocolConformance(Conformance):
    """What every protocol has to give."""

    kind = "protocol"

    @pytest.fixture
    def protocol(self) -> ProtocolDefinition:
        """The protocol under test: override it."""
        raise NotImplementedError

    @pytest.fixture
    def definition(self, protocol: ProtocolDefinition) -> ProtocolDefinition:
        """The same under the name that all kinds share."""
        return protocol


class MetricConformance(Conformance):
    """What every metric has to give.

    Attributes:
        k: the cut-off.
    """

    kind = "metric"
    k: ClassVar[int | None] = 10

    @pytest.fixture
    def metric(self) -> MetricDefinition:
        """The metric under test: override it."""
        raise NotImplementedError

    @pytest.fixture
    def definition(self, metric: MetricDefinition) -> MetricDefinition:
        """The same under the name that all kinds share."""
        return metric

    def facts(self) -> dict[str, Any]:
        """The cut-off."""
        return {"k": self.k}


class ListMetricConformance(Conformance):
    """What every metric of lists has to give."""

    kind = "list-metric"

    @pytest.fixture
    def metric(self) -> ListMetricDefinition:
        """The metric under test: override it."""
        raise NotImplementedError

    @pytest.fixture
    def definition(self, metric: ListMetricDefinition) -> ListMetricDefinition:
        """The same under the name that all kinds share."""
        return metric


class ExecutorConformance(Conformance):
    """What every executor has to do: it runs three small jobs."""

    kind = "executor"

    @pytest.fixture
    def executor(self) -> ExecutorDefinition:
        """The executor under test: override it."""
        raise NotImplementedError

    @pytest.fixture
    def definition(self, executor: ExecutorDefinition) -> ExecutorDefinition:
        """The same under the name that all kinds share."""
        return executor


__all__ = [
    "BackboneConformance",
    "BaselineConformance",
    "CDSRConformance",
    "Conformance",
    "CountingConformance",
    "DatasetConformance",
    "EncoderConformance",
    "ExecutorConformance",
    "ListMetricConformance",
    "MetricConformance",
    "ProtocolConformance",
    "StrategyConformance",
    "events",
    "models",
    "split_of",
]
