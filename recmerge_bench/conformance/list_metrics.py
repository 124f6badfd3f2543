"""What every metric of lists has to give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recmerge_bench.borders.metrics import list_value_of
from recmerge_bench.conformance.common import COMMON
from recmerge_bench.conformance.requirement import Unmet, requirement
from recmerge_bench.conformance.subject import Subject
from recmerge_bench.definitions import DomainCatalogue

_SIZE, _LISTS, _K = 12, 20, 5


@dataclass
class ListMetricSubject(Subject):
    """A metric of lists under test."""

    @property
    def catalogue(self) -> DomainCatalogue:
        """A domain of items with texts and vectors, some without any training event."""
        draw = np.random.default_rng(0)
        return DomainCatalogue(
            "d", [f"i{n}" for n in range(_SIZE)], [f"title: item {n}" for n in range(_SIZE)],
            draw.integers(0, 4, _SIZE), draw.standard_normal((_SIZE, 4)).astype(np.float32),
        )  # fmt: skip

    @property
    def lists(self) -> np.ndarray:
        """Lists of distinct items int32 [lists, k], one short and one empty."""
        draw = np.random.default_rng(0)
        items = np.stack([draw.permutation(_SIZE)[:_K] for _ in range(_LISTS)]).astype(np.int32)
        items[0, 2:], items[1] = -1, -1
        return items

    def value(self, items: np.ndarray) -> float:
        """Checked value."""
        return list_value_of(self.definition, items, self.catalogue)

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


REQUIREMENTS = (shapes, order, quality, *COMMON)

__all__ = ["REQUIREMENTS", "ListMetricSubject"]
