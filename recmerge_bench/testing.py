"""Conformance tests that plugin authors inherit, a class for a kind; needs pytest.

from recmerge_bench.testing import StrategyConformance

class TestMedian(StrategyConformance):
    @pytest.fixture
    def strategy(self):
        return Median()
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from recmerge_bench.borders.datasets import loaded
from recmerge_bench.borders.merges import check_merged
from recmerge_bench.borders.metrics import list_value_of, values_of
from recmerge_bench.borders.models import (
    check_facts,
    check_items,
    check_net,
    check_scores,
    check_state,
    check_users,
    history_limit,
)
from recmerge_bench.borders.splits import checked_split, rules_of
from recmerge_bench.data.interactions import Catalogue, Interactions
from recmerge_bench.data.sequences import Instances, Sequences, Split
from recmerge_bench.definitions import (
    Backbone,
    CountingModel,
    DatasetDefinition,
    DomainCatalogue,
    Expert,
    ListMetricDefinition,
    MetricDefinition,
    ProtocolDefinition,
    StrategyDefinition,
)
from recmerge_bench.merging.guard import sealed
from recmerge_bench.tiers import MergeInput

SHAPES = {"a.weight": (6, 4), "a.bias": (6,), "z": (3, 5)}


def models(count: int = 3, seed: int = 0) -> MergeInput:
    """A base and experts that moved from it at random, as a T0 strategy is handed them."""
    generator = torch.Generator().manual_seed(seed)

    def draw(scale: float) -> dict[str, torch.Tensor]:
        return {n: torch.randn(s, generator=generator) * scale for n, s in SHAPES.items()}

    base = draw(1.0)
    experts = []
    for number in range(count):
        change = draw(0.1)
        experts.append(Expert(f"d{number}", {n: base[n] + change[n] for n in base}))
    return MergeInput(base, tuple(experts), seed)


class StrategyConformance:
    """What every strategy of tier T0 that gives one model has to do.

    Attributes:
        order_matters: the result may depend on the order of the experts (it draws, or the later
            of equals wins).
    """

    order_matters: ClassVar[bool] = False

    @pytest.fixture
    def strategy(self) -> StrategyDefinition:
        """The strategy under test: override it."""
        raise NotImplementedError

    def test_names_shapes_and_types_are_the_bases(self, strategy: StrategyDefinition) -> None:
        """All of them, finite."""
        given = models()
        check_merged(strategy, given.base, strategy.merge(given))

    def test_what_is_handed_in_stays_as_it_was(self, strategy: StrategyDefinition) -> None:
        """Base and experts."""
        given, before = models(), models()
        strategy.merge(given)
        for name, tensor in before.base.items():
            assert torch.equal(given.base[name], tensor)
        for after, theirs in zip(given.experts, before.experts, strict=True):
            assert all(torch.equal(after.weights[n], t) for n, t in theirs.weights.items())

    def test_the_same_input_gives_the_same_bytes(self, strategy: StrategyDefinition) -> None:
        """Whatever the global random state is."""
        first = strategy.merge(models())
        torch.rand(3)
        second = strategy.merge(models())
        assert all(torch.equal(first[n], second[n]) for n in first)

    def test_experts_equal_to_the_base_give_the_base(self, strategy: StrategyDefinition) -> None:
        """No task vector, no change."""
        base = models().base
        given = MergeInput(base, tuple(Expert(d, dict(base)) for d in "abc"), 0)
        for name, tensor in strategy.merge(given).items():
            torch.testing.assert_close(tensor, base[name], atol=1e-6, rtol=0)

    def test_half_precision_is_merged_in_fp32(self, strategy: StrategyDefinition) -> None:
        """And rounded once, at the end."""
        given = models()

        def cast(given: MergeInput, dtype: torch.dtype) -> MergeInput:
            experts = (
                Expert(e.domain, {n: t.to(dtype) for n, t in e.weights.items()})
                for e in given.experts
            )
            base = {n: t.to(dtype) for n, t in given.base.items()}
            return MergeInput(base, tuple(experts), given.seed)

        half = cast(given, torch.float16)
        exact = strategy.merge(cast(half, torch.float32))
        for name, tensor in strategy.merge(half).items():
            assert tensor.dtype == torch.float16
            assert torch.equal(tensor, exact[name].half())

    def test_the_order_of_experts(self, strategy: StrategyDefinition) -> None:
        """Changes nothing, or the class says so."""
        if self.order_matters:
            pytest.skip("this strategy says that the order matters")
        given = models()
        other = MergeInput(given.base, given.experts[::-1], given.seed)
        merged = strategy.merge(other)
        for name, tensor in strategy.merge(given).items():
            torch.testing.assert_close(tensor, merged[name], atol=1e-5, rtol=0)

    def test_no_file_is_opened(self, strategy: StrategyDefinition, tmp_path: Path) -> None:
        """Weights are handed over; a strategy of tier T0 reads nothing else."""
        strategy.merge(models())  # imports what it needs
        with sealed([tmp_path]) as opened:
            strategy.merge(models())
        assert opened == []


def events(users: int = 30, items: int = 12, seed: int = 0) -> Interactions:
    """Random events of two domains, eight of each user in each, for the conformance tests."""
    draw = np.random.default_rng(seed)
    one = np.concatenate([draw.permutation(items)[:8], items + draw.permutation(items)[:8]])
    rows = np.stack([draw.permutation(one) for _ in range(users)]).astype(np.int32)
    catalogue = Catalogue(
        ("d0", "d1"),
        np.array([0, items, 2 * items]),
        [f"i{n}" for n in range(2 * items)],
        [f"title: item {n}" for n in range(2 * items)],
    )
    return Interactions(
        np.arange(users + 1) * 16,
        rows.reshape(-1),
        np.tile(np.arange(16, dtype=np.int64), users),
        [f"u{n}" for n in range(users)],
        catalogue,
    )


def split_of(made: Interactions) -> Split:
    """The last event of each user and domain for test, the one before for validation."""
    owner = made.item_domains()[made.items].reshape(made.n_users, -1)
    rows = made.items.reshape(made.n_users, -1)
    items = np.concatenate([row[own == d] for row, own in zip(rows, owner, strict=True)
                            for d in (0, 1)])  # fmt: skip
    count = 2 * made.n_users
    users = np.repeat(np.arange(made.n_users, dtype=np.int32), 2)
    domains = np.tile(np.array([0, 1], np.int16), made.n_users)
    sequences = Sequences(
        np.arange(count + 1) * 8, items, users, domains, np.full(count, 6, np.int32)
    )
    valid, test = (
        Instances(
            np.arange(count, dtype=np.int32), np.full(count, at, np.int32), users, domains,
            items[np.arange(count) * 8 + at],
        )
        for at in (6, 7)
    )  # fmt: skip
    return Split(sequences, valid, test, {})


class DatasetConformance:
    """What every dataset has to give; `data_root` is None unless it is overridden."""

    data_root: ClassVar[Path | None] = None

    @pytest.fixture
    def dataset(self) -> DatasetDefinition:
        """The dataset under test: override it."""
        raise NotImplementedError

    def test_events_are_as_promised(self, dataset: DatasetDefinition) -> None:
        """Types, ranges, order, and the same twice."""
        first, second = (loaded(dataset, self.data_root) for _ in range(2))
        assert np.array_equal(first.items, second.items)
        assert np.array_equal(first.times, second.times)


class ProtocolConformance:
    """What every protocol has to give."""

    @pytest.fixture
    def protocol(self) -> ProtocolDefinition:
        """The protocol under test: override it."""
        raise NotImplementedError

    def test_nothing_is_trained_on_and_ranked(self, protocol: ProtocolDefinition) -> None:
        """Targets, histories and training parts fit the events and one another."""
        rules_of(protocol)
        made = events()
        first, second = (checked_split(protocol, made, made.catalogue.domains) for _ in range(2))
        assert np.array_equal(first.test.targets, second.test.targets)


class BackboneConformance:
    """What every model of items, trained on one domain at a time, has to give."""

    @pytest.fixture
    def backbone(self) -> Backbone:
        """The model under test: override it."""
        raise NotImplementedError

    def test_items_and_users_are_the_domains(self, backbone: Backbone) -> None:
        """Tables, vectors and the seed."""
        check_facts(backbone)
        catalogue, cpu = events().catalogue, torch.device("cpu")
        nets = [backbone.build(catalogue, ["d1"], seed=3).eval() for _ in range(2)]
        states = [check_net(backbone, net, catalogue, ["d1"]).state_dict() for net in nets]
        assert all(torch.equal(states[0][n], states[1][n]) for n in states[0])
        with torch.inference_mode():
            vectors, _ = check_items(backbone, backbone.items(nets[0], "d1"), "d1", 12, cpu)
            long = min(4, history_limit(backbone))
            items = torch.arange(12, 12 + long).expand(3, long).contiguous()
            users = backbone.encode(nets[0], items, torch.tensor([1, long, long]), "d1")
        check_users(backbone, users, 3, vectors.shape[1])


class CountingConformance:
    """What every counting model has to give."""

    @pytest.fixture
    def counting(self) -> CountingModel:
        """The model under test: override it."""
        raise NotImplementedError

    def test_scores_are_the_domains(self, counting: CountingModel) -> None:
        """And of no held-out event."""
        made = events()
        split, catalogue = split_of(made), made.catalogue
        state = check_state(counting, counting.fit(split, catalogue, catalogue.domains))
        hidden = split.sequences.items.copy()
        for at in (6, 7):
            hidden[at::8] = np.roll(hidden[at::8], 2)
        changed = Split(
            Sequences(split.sequences.offsets, hidden, split.sequences.users,
                      split.sequences.domains, split.sequences.train_end),
            split.valid, split.test, {},
        )  # fmt: skip
        again = counting.fit(changed, catalogue, catalogue.domains)
        assert all(np.array_equal(state[n], again[n]) for n in state), "it read held-out events"
        histories = [np.array([12], np.int32), np.array([13, 14], np.int32)]
        check_scores(counting, counting.scores(state, histories, catalogue, "d1"), 2, 12, "d1")


class MetricConformance:
    """What every metric has to give, with the cut-off `k`."""

    k: ClassVar[int | None] = 10

    @pytest.fixture
    def metric(self) -> MetricDefinition:
        """The metric under test: override it."""
        raise NotImplementedError

    def test_values_are_finite_and_of_each_rank_alone(self, metric: MetricDefinition) -> None:
        """No rank changes another's value."""
        ranks = np.array([1.0, 1.5, 2.0, 7.0, 10.0, 10.5, 400.0])
        whole = values_of(metric, ranks, self.k)
        alone = [values_of(metric, ranks[i : i + 1], self.k)[0] for i in range(len(ranks))]
        assert np.array_equal(whole, alone)


class ListMetricConformance:
    """What every metric of lists has to give."""

    @pytest.fixture
    def metric(self) -> ListMetricDefinition:
        """The metric under test: override it."""
        raise NotImplementedError

    def test_values_are_finite_and_of_no_order_of_users(self, metric: ListMetricDefinition) -> None:
        """Whole, short and empty lists; the lists handed in stay as they were."""
        items, catalogue = random_lists(), list_catalogue()
        before = items.copy()
        whole = list_value_of(metric, items, catalogue)
        assert np.array_equal(items, before)
        assert list_value_of(metric, items, catalogue) == whole
        other = list_value_of(metric, items[::-1].copy(), catalogue)
        assert abs(other - whole) <= 1e-9 * max(1.0, abs(whole))
        list_value_of(metric, np.full((2, 5), -1, np.int32), catalogue)


def random_lists(lists: int = 20, k: int = 5, size: int = 12, seed: int = 0) -> Any:
    """Lists of distinct items int32 [lists, k], some of them short."""
    draw = np.random.default_rng(seed)
    items = np.stack([draw.permutation(size)[:k] for _ in range(lists)]).astype(np.int32)
    items[0, 2:], items[1] = -1, -1
    return items


def list_catalogue(size: int = 12, width: int = 4, seed: int = 0) -> DomainCatalogue:
    """A domain of items with texts and vectors, some without any training event."""
    draw = np.random.default_rng(seed)
    names = [f"i{n}" for n in range(size)]
    return DomainCatalogue(
        "d", names, [f"title: item {n}" for n in range(size)], draw.integers(0, 4, size),
        draw.standard_normal((size, width)).astype(np.float32),
    )  # fmt: skip
