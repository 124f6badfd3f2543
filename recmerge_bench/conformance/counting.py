"""What every recommender that is fitted in one pass over counts has to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from recmerge_bench.borders.models import check_scores, check_state
from recmerge_bench.conformance.common import COMMON
from recmerge_bench.conformance.requirement import Unmet, Untried, requirement
from recmerge_bench.conformance.subject import Subject, difference
from recmerge_bench.conformance.worlds import (
    USERS,
    chance,
    interactions,
    learnable,
    other_held_out,
    split_of,
)
from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Split
from recmerge_bench.evaluation.metrics import ndcg, rank

#: How much better than chance it has to rank, at the least.
BETTER_THAN_CHANCE = 1.3
State = Mapping[str, np.ndarray]


@dataclass
class CountingSubject(Subject):
    """A counting model under test.

    Attributes:
        mixed: fitted to sequences of several domains.
    """

    mixed: bool = field(default=False, kw_only=True)

    @property
    def catalogue(self) -> Catalogue:
        """The items."""
        return learnable()[0].catalogue

    @property
    def split(self) -> Split:
        """Learnable sequences."""
        return learnable(self.mixed)[1]

    def fit(self, split: Split | None = None, domains: Sequence[str] = ()) -> State:
        """Checked arrays."""
        names = domains or self.catalogue.domains
        state = self.definition.fit(split or self.split, self.catalogue, names)
        return check_state(self.definition, state)

    def histories(self, split: Split | None = None) -> list[np.ndarray]:
        """Of the validation targets of the first domain: int32 arrays."""
        split = split or self.split
        sequences, valid = split.sequences, split.valid
        rows = np.flatnonzero(valid.domains == 0)
        starts = sequences.offsets[valid.sequence[rows]]
        ends = starts + valid.position[rows]
        return [sequences.items[a:b] for a, b in zip(starts, ends, strict=True)]

    def scores(self, state: State, histories: Sequence[np.ndarray]) -> np.ndarray:
        """Checked scores of the first domain's items."""
        domain = self.catalogue.domains[0]
        scores = self.definition.scores(state, histories, self.catalogue, domain)
        size = self.catalogue.size(domain)
        return check_scores(self.definition, scores, len(histories), size, domain)

    def outputs(self) -> dict[str, np.ndarray]:
        """What it was fitted to, and scores."""
        state = self.fit()
        return {**state, "the scores": self.scores(state, self.histories()).copy()}


@requirement(
    "shapes",
    "fit() gives arrays by name, scores() float32 [histories, items of the domain], finite",
    why="arrays are stored as files, and a block of scores is ranked as it is",
    remedy="slice by catalogue.span(domain); astype(np.float32); no NaN for what was never seen",
)
def shapes(subject: CountingSubject) -> None:
    """By the checks that a run makes; histories of one event too."""
    subject.first()
    short = [h[:1] for h in subject.histories()[:3]]
    subject.scores(subject.fit(), short)


@requirement(
    "causality",
    "fit() reads training parts alone",
    why="counts of held-out events are the answer",
    remedy="count split.sequences.training(), not split.sequences.items",
)
def causality(subject: CountingSubject) -> None:
    """Other held-out events, the same arrays."""
    if fault := difference(subject.fit(), subject.fit(other_held_out(subject.split))):
        raise Unmet(f"fit() reads held-out events: with others, {fault}")


@requirement(
    "batch-invariance",
    "a user's scores do not depend on who else is in the block",
    why="users are ranked in blocks: a rank would hang on the block",
    remedy="no normalisation over the block; each row from its own history",
)
def batch_invariance(subject: CountingSubject) -> None:
    """Users together, alone, and in reverse order."""
    state, histories = subject.fit(), subject.histories()[:8]
    together = subject.scores(state, histories)
    alone = np.concatenate([subject.scores(state, [h]) for h in histories])
    back = subject.scores(state, histories[::-1])[::-1]
    for other, how in ((alone, "alone"), (back, "in reverse order")):
        if not np.allclose(together, other, rtol=1e-5, atol=1e-7):
            away = np.abs(together - other).max()
            raise Unmet(f"users' scores {how} differ from those together by {away:.3g}")


@requirement(
    "order-of-users",
    "the order of users and of domains changes no score",
    why="users are numbered by their raw ids, an accident of the file",
    remedy="sum over users; break ties by the item's number, not by what came first",
)
def order(subject: CountingSubject) -> None:
    """Sequences backwards, domains backwards."""
    histories = subject.histories()
    first = subject.scores(subject.fit(), histories)
    users = subject.scores(subject.fit(_users_reversed(subject.split)), histories)
    names = subject.catalogue.domains[::-1]
    domains = subject.scores(subject.fit(domains=names), histories)
    for other, what in ((users, "users"), (domains, "domains")):
        if not np.allclose(first, other, rtol=1e-4, atol=1e-6):
            away = np.abs(first - other).max()
            raise Unmet(f"with the {what} in reverse order scores differ by {away:.3g}")


def _users_reversed(split: Split) -> Split:
    """The same sequences, the last one first; held-out instances are left out."""
    sequences = split.sequences
    order = np.arange(len(sequences))[::-1]
    parts = [sequences.items[sequences.offsets[i] : sequences.offsets[i + 1]] for i in order]
    offsets = np.concatenate([[0], np.cumsum([len(p) for p in parts])]).astype(np.int64)
    turned = replace(
        sequences, offsets=offsets, items=np.concatenate(parts), users=sequences.users[order],
        domains=sequences.domains[order], train_end=sequences.train_end[order],
    )  # fmt: skip
    none = split.valid.take(np.zeros(0, np.int64))
    return Split(turned, none, none, {})


@requirement(
    "checkpoint",
    "stored arrays score as the fitted ones did",
    why="fitting and ranking are two processes: what is not in the arrays is lost",
    remedy="put all that scores() needs into what fit() returns; keep nothing in attributes",
)
def checkpoint(subject: CountingSubject) -> None:
    """Through a file, scored by a new definition."""
    from safetensors.numpy import load_file, save_file

    state, histories = subject.fit(), subject.histories()
    first = subject.scores(state, histories).copy()
    with TemporaryDirectory() as folder:
        path = str(Path(folder) / "model.safetensors")
        save_file(dict(state), path)
        loaded = load_file(path)
    held, subject.definition = subject.definition, subject.again()
    try:
        again = subject.scores(loaded, histories)
    finally:
        subject.definition = held
    if not np.array_equal(first, again):
        away = np.abs(first - again).max()
        raise Unmet(f"scores from the stored arrays differ by {away:.3g}")


@requirement(
    "quality",
    f"fitted to learnable data it ranks {BETTER_THAN_CHANCE} times as well as chance",
    why="a floor that is no better than chance is none",
    remedy="look whether scores are higher for what was counted more often, and are of the "
    "domain's items in the catalogue's order",
)
def quality(subject: CountingSubject) -> None:
    """Validation NDCG@10 on the first domain, beside chance."""
    # Half of the events fall on popular items: counts have to tell something, too.
    split = split_of(interactions(users=4 * USERS, noise=0.5))
    valid = split.valid
    targets = valid.targets[valid.domains == 0] - subject.catalogue.span("d0").start
    scores = subject.scores(subject.fit(split), subject.histories(split))
    own = scores[np.arange(len(targets)), targets][:, None]
    ranks = rank((scores > own).sum(1), (scores == own).sum(1) - 1)
    reached = float(ndcg(ranks, 10).mean())
    subject.measured["quality"] = {"NDCG@10": round(reached, 4), "chance": round(chance(), 4)}
    if reached < BETTER_THAN_CHANCE * chance():
        raise Unmet(f"NDCG@10 is {reached:.3f}, chance {chance():.3f}")


@requirement(
    "devices",
    "counting models need no device",
    why="they are numpy alone",
    remedy="return numpy arrays",
)
def devices(subject: CountingSubject) -> None:
    """Nothing to try."""
    raise Untried("counting models run on the CPU alone")


REQUIREMENTS = (
    shapes, causality, batch_invariance, order, checkpoint, quality, devices, *COMMON
)  # fmt: skip

__all__ = ["REQUIREMENTS", "CountingSubject"]
