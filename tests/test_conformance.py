"""Ours pass the tests that plugin authors inherit; wrong ones do not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from recmerge_bench import testing
from recmerge_bench.borders.splits import checked_split
from recmerge_bench.planning.options import complete
from recmerge_bench.registry import discover
from recmerge_bench.testing import (
    BackboneConformance,
    CountingConformance,
    DatasetConformance,
    ListMetricConformance,
    MetricConformance,
    ProtocolConformance,
    events,
    split_of,
)

FOUND = discover(environ={})


def ours(kind: str, name: str, **options: Any) -> Any:
    return complete(FOUND.get(kind, name), options, "conformance").definition()


class TestSynthetic(DatasetConformance):
    @pytest.fixture
    def dataset(self) -> Any:
        return ours("dataset", "synthetic", users=60, items=30)


@pytest.mark.parametrize("name", ["coverage", "Gini", "novelty", "ILD"])
class TestListMetrics(ListMetricConformance):
    @pytest.fixture
    def metric(self, name: str) -> Any:
        return ours("metric", name)

    def test_values_are_finite_and_of_no_order_of_users(self, metric: Any, name: str) -> None:
        super().test_values_are_finite_and_of_no_order_of_users(metric)


class TestLeaveOneOut(ProtocolConformance):
    @pytest.fixture
    def protocol(self) -> Any:
        return ours("protocol", "loo")


class TestSASRec(BackboneConformance):
    @pytest.fixture
    def backbone(self) -> Any:
        return ours("backbone", "sasrec", width=8)


@pytest.mark.parametrize(
    "name", ["sasrec-prenorm", "gsasrec", "bert4rec", "esasrec", "bsarec", "bsarec-causal",
             "gru4rec", "hstu-small", "unisrec", "unisrec-ids"],
)  # fmt: skip
class TestBackbones(BackboneConformance):
    @pytest.fixture
    def backbone(self, name: str) -> Any:
        return ours("backbone", name, width=8)

    def test_items_and_users_are_the_domains(
        self, backbone: Any, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if backbone.text_encoder() is not None:
            made = events()
            rng = np.random.default_rng(0)
            vectors = rng.standard_normal((made.catalogue.n_items, 6)).astype(np.float32)
            known = replace(made, catalogue=replace(made.catalogue, vectors=vectors))
            monkeypatch.setattr(testing, "events", lambda: known)
        super().test_items_and_users_are_the_domains(backbone)


@pytest.mark.parametrize("name", ["popularity", "item-knn", "last-item"])
class TestCounting(CountingConformance):
    @pytest.fixture
    def counting(self, name: str) -> Any:
        return ours("counting", name)

    def test_one_that_reads_held_out_events_fails(self, counting: Any, name: str) -> None:
        class Peeks(type(counting)):  # type: ignore[misc]
            def fit(self, split: Any, catalogue: Any, domains: Any) -> Any:
                state = super().fit(split, catalogue, domains)
                return {**state, "seen": np.asarray(split.sequences.items)}

        with pytest.raises(AssertionError, match="held-out"):
            self.test_scores_are_the_domains(Peeks(counting.options))


@pytest.mark.parametrize("name", ["HR", "NDCG", "MRR"])
class TestMetric(MetricConformance):
    @pytest.fixture
    def metric(self, name: str) -> Any:
        return ours("metric", name)


def test_the_conformance_tests_own_split_is_right() -> None:
    made = events()

    class Fixed:
        def split(self, *arguments: Any, unscored: Any = ()) -> Any:
            return split_of(made)

    assert len(checked_split(Fixed(), made, ("d0", "d1")).test) == 60  # type: ignore[arg-type]
