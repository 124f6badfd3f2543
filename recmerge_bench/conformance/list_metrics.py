"""What every metric of lists has to give."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from recmerge_bench.borders.metrics import list_value_of
from recmerge_bench.conformance.common import COMMON
from recmerge_bench.conformance.requirement import Unmet, requirement
from recmerge_bench.conformance.subject import Subject
from recmerge_bench.definitions import DomainCatalogue
from recmerge_bench.errors import PluginError

_SIZE, _LISTS, _K = 12, 20, 5


@dataclass
class ListMetricSubject(Subject):
    """A metric of lists under test."""

    @property
    def catalogue(self) -> DomainCatalogue:
        """A domain of items with texts and vectors, each with training events."""
        draw = np.random.default_rng(0)
        return DomainCatalogue(
            "d", [f"i{n}" for n in range(_SIZE)], [f"title: item {n}" for n in range(_SIZE)],
            draw.integers(1, 5, _SIZE), draw.standard_normal((_SIZE, 4)).astype(np.float32),
        )  # fmt: skip

    def without_events(self, items: slice) -> DomainCatalogue:
        """The same without training events of these items."""
        counts = self.catalogue.counts.copy()
        counts[items] = 0
        return replace(self.catalogue, counts=counts)

    @property
    def lists(self) -> np.ndarray:
        """Lists of distinct items int32 [lists, k], one short and one empty."""
        draw = np.random.default_rng(0)
        items = np.stack([draw.permutation(_SIZE)[:_K] for _ in range(_LISTS)]).astype(np.int32)
        items[0, 2:], items[1] = -1, -1
        return items

    def value(self, items: np.ndarray, catalogue: DomainCatalogue | None = None) -> float:
        """Checked value."""
        return list_value_of(self.definition, items, catalogue or self.catalogue)

    def outputs(self) -> dict[str, np.ndarray]:
        """The value, and the lists afterwards."""
        items = self.lists
        return {"value": np.array(self.value(items)), "lists": items}


@requirement(
    "shapes",
    "one finite number (or one a list) of whole, short and empty lists, which stay as they are",
    why="rankings of small catalogues are shorter than k: -1 stands where there is no item",
    remedy="leave -1 out (items[items >= 0]), and give a value where nothing is left",
)
def shapes(subject: ListMetricSubject) -> None:
    """By the checks that a run makes."""
    if not np.array_equal(subject.first().outputs["lists"], subject.lists):
        raise Unmet("value() changed the lists that it was handed")
    subject.value(np.full((2, _K), -1, np.int32))


@requirement(
    "zero-counts",
    "items without training events, and a domain without any, have finite values",
    why="held-out items need not occur in training, and a domain may be tested that nothing was "
    "trained on: 1 / count and log(count) are infinite there, and the metric has no value",
    remedy="add one to every count (catalogue.counts + 1), or divide by np.maximum(counts, 1)",
)
def zero_counts(subject: ListMetricSubject) -> None:
    """Lists of such items, and all lists where there is no event at all."""
    some, none = slice(0, _SIZE, 4), slice(None)
    unseen = np.arange(_SIZE, dtype=np.int32)[some]
    tried = (
        (some, np.tile(unseen, (2, 1)), "lists of items without training events"),
        (none, subject.lists, "a domain without training events"),
    )
    for without, items, what in tried:
        with np.errstate(all="ignore"):
            try:
                subject.value(items, subject.without_events(without))
            except (PluginError, ArithmeticError) as error:
                raise Unmet(f"{what}: {error or type(error).__name__}") from None


@requirement(
    "order-of-users",
    "the order of the lists changes nothing",
    why="users are numbered by their raw ids, an accident of the file",
    remedy="count over all lists, or give one value a list",
)
def order(subject: ListMetricSubject) -> None:
    """Lists in reverse order."""
    whole, back = subject.value(subject.lists), subject.value(subject.lists[::-1].copy())
    if abs(whole - back) > 1e-9 * max(1.0, abs(whole)):
        raise Unmet(f"the lists in reverse order have {back:.6g}, not {whole:.6g}")


@requirement(
    "quality",
    "lists that differ have other values",
    why="a metric that is the same for all models tells nothing",
    remedy="look whether value() reads the lists",
)
def quality(subject: ListMetricSubject) -> None:
    """The same list for all users, of the items that are counted most, and of those least."""
    ranked = np.argsort(-subject.catalogue.counts, kind="stable").astype(np.int32)
    values = {
        subject.value(np.tile(ranked[:_K], (_LISTS, 1))),
        subject.value(np.tile(ranked[-_K:], (_LISTS, 1))),
        subject.value(subject.lists),
    }
    if len(values) < 2:
        raise Unmet(f"lists of popular, of rare and of random items all have {values.pop():.4g}")


REQUIREMENTS = (shapes, zero_counts, order, quality, *COMMON)

__all__ = ["REQUIREMENTS", "ListMetricSubject"]
