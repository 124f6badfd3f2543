"""What every protocol has to do."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from recmerge_bench.borders.splits import checked_split, rules_of
from recmerge_bench.conformance.common import COMMON
from recmerge_bench.conformance.requirement import Unmet, requirement
from recmerge_bench.conformance.subject import Subject
from recmerge_bench.conformance.worlds import learnable
from recmerge_bench.data.interactions import Interactions
from recmerge_bench.data.sequences import Split


@dataclass
class ProtocolSubject(Subject):
    """A protocol under test."""

    @property
    def events(self) -> Interactions:
        """Events of two domains, mixed in time."""
        return learnable()[0]

    def split(
        self, made: Interactions | None = None, domains: tuple[str, ...] = (),
        unscored: tuple[str, ...] = (),
    ) -> Split:  # fmt: skip
        """A checked split."""
        made = made or self.events
        names = domains or made.catalogue.domains
        return checked_split(self.definition, made, names, unscored)

    def outputs(self) -> dict[str, np.ndarray]:
        """The arrays of the split."""
        split = self.split()
        made = {f"sequences.{n}": v for n, v in vars(split.sequences).items()}
        for part in ("valid", "test"):
            made |= {f"{part}.{n}": v for n, v in vars(getattr(split, part)).items()}
        return {n: np.array(v) for n, v in made.items()}


@requirement(
    "shapes",
    "its rules are known, targets stand where they say, and none is trained on",
    why="a target in a training part is the answer",
    remedy="cut with recmerge_bench.toolkit.data.splits, or set train_end before both targets",
)
def shapes(subject: ProtocolSubject) -> None:
    """By the checks that a run makes."""
    rules_of(subject.definition)
    subject.first()


@requirement(
    "causality",
    "training parts do not depend on the held-out events",
    why="what is chosen by looking at the test has seen it",
    remedy="drop users, items and events by training parts alone, or before the cut by counts "
    "that say nothing of an event's item",
)
def causality(subject: ProtocolSubject) -> None:
    """Other items in the place of the test targets."""
    split, made = subject.split(), subject.events
    targets = _where(made, split)
    items, starts = made.items.copy(), made.catalogue.domain_offsets
    owner = made.item_domains()[items[targets]]
    sizes = np.diff(starts)[owner]
    items[targets] = starts[owner] + (items[targets] - starts[owner] + 1) % sizes
    other = subject.split(replace(made, items=items.astype(np.int32)))
    ours, theirs = (s.sequences.training()[1] for s in (split, other))
    if not np.array_equal(ours, theirs):
        raise Unmet("with other items as test targets, the training parts are others")


def _where(made: Interactions, split: Split) -> np.ndarray:
    """The events that are test targets: the last ones of their user and item."""
    users = np.repeat(np.arange(made.n_users), np.diff(made.offsets))
    place = {(int(u), int(i)): n for n, (u, i) in enumerate(zip(users, made.items, strict=True))}
    pairs = zip(split.test.users, split.test.targets, strict=True)
    return np.array([place[int(u), int(i)] for u, i in pairs])


@requirement(
    "order-of-users",
    "the order of users changes no user's targets",
    why="users are numbered by their raw ids, an accident of the file",
    remedy="decide for each user by the user's own events, or by a seed and the user's token",
)
def order_of_users(subject: ProtocolSubject) -> None:
    """The same users, the last one first."""
    made = subject.events
    turned = _users_reversed(made)
    if _targets(made, subject.split()) != _targets(turned, subject.split(turned)):
        raise Unmet("with the users in reverse order, test targets are others")


def _users_reversed(made: Interactions) -> Interactions:
    parts = [np.arange(made.offsets[u], made.offsets[u + 1]) for u in range(made.n_users)][::-1]
    order = np.concatenate(parts)
    offsets = np.concatenate([[0], np.cumsum([len(p) for p in parts])]).astype(np.int64)
    return replace(
        made, offsets=offsets, items=made.items[order], times=made.times[order],
        user_tokens=list(made.user_tokens)[::-1],
    )  # fmt: skip


def _targets(made: Interactions, split: Split) -> set[tuple[str, int, int]]:
    """User token, target and length of its history."""
    test = split.test
    rows = zip(test.users, test.targets, test.position, strict=True)
    return {(made.user_tokens[u], int(t), int(p)) for u, t, p in rows}


@requirement(
    "order-of-domains",
    "the order in which domains are named changes no target",
    why="the order in a suite's file is an accident",
    remedy="go through the domains in the catalogue's order",
)
def order_of_domains(subject: ProtocolSubject) -> None:
    """Both orders."""
    made = subject.events
    names = made.catalogue.domains
    one, other = subject.split(domains=names), subject.split(domains=names[::-1])
    if _targets(made, one) != _targets(made, other):
        raise Unmet(f"with the domains named {', '.join(names[::-1])}, test targets are others")


@requirement(
    "unscored-domains",
    "domains that are not scored give training parts and no targets",
    why="a track may train on a source domain that it does not rank",
    remedy="pass `unscored` on to recmerge_bench.toolkit.data.splits, or keep targets to `domains`",
)
def unscored(subject: ProtocolSubject) -> None:
    """One of two domains unscored."""
    first, second = subject.events.catalogue.domains
    subject.split(domains=(first,), unscored=(second,))


REQUIREMENTS = (shapes, causality, order_of_users, order_of_domains, unscored, *COMMON)

__all__ = ["REQUIREMENTS", "ProtocolSubject"]
