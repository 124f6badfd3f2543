"""What every dataset has to give."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from recmerge_bench.borders.datasets import domains_of, loaded, sources_of
from recmerge_bench.conformance.common import COMMON
from recmerge_bench.conformance.requirement import Unmet, Untried, requirement
from recmerge_bench.conformance.subject import Subject
from recmerge_bench.conformance.watch import watched
from recmerge_bench.data.interactions import Interactions
from recmerge_bench.errors import HandledError, PluginError


@dataclass
class DatasetSubject(Subject):
    """A dataset under test.

    Attributes:
        data_root: folder of raw data, where it needs one.
    """

    data_root: Path | None = field(default=None, kw_only=True)

    def events(self) -> Interactions:
        """The checked events, loaded once."""
        self.warm()
        if "events" not in self.kept:
            self.kept["events"] = loaded(self.definition, self.data_root)
        made: Interactions = self.kept["events"]
        return made

    def warm(self) -> None:
        """A missing file, or option, is told before anything is measured.

        Raises:
            Blocked: a file is missing.
            Untried: the dataset asks for an option.
        """
        try:
            sources_of(self.definition, self.data_root)
        except PluginError:
            raise
        except HandledError as error:
            raise Untried(f"{error}; give it with --set NAME=VALUE") from None

    def outputs(self) -> dict[str, np.ndarray]:
        """Events, users and items."""
        made = loaded(self.definition, self.data_root)
        self.kept.setdefault("events", made)
        catalogue = made.catalogue
        return {
            "offsets": made.offsets, "items": made.items, "times": made.times,
            "users": np.array(made.user_tokens, object).astype(str),
            "item tokens": np.array(catalogue.tokens, object).astype(str),
            "texts": np.array(list(catalogue.texts), object).astype(str),
            "domain offsets": catalogue.domain_offsets,
        }  # fmt: skip


@requirement(
    "events",
    "events, users, items and domains are of the types, ranges and order that are promised",
    why="everything behind it trusts them: an item out of range is another domain's",
    remedy="build them with recmerge_bench.toolkit.data.build.build_interactions",
)
def events(subject: DatasetSubject) -> None:
    """By the checks that a run makes."""
    subject.first()


@requirement(
    "domains-known",
    "domains() reads no file",
    why="plans are made, and suites checked, before any data are there",
    remedy="name the domains from the options, or from the names of files alone; read in load()",
)
def domains_known(subject: DatasetSubject) -> None:
    """Watched."""
    subject.warm()
    domains_of(subject.definition, subject.data_root)
    with watched() as caught:
        domains_of(subject.definition, subject.data_root)
    opened = [phrase for phrase in caught if phrase.startswith(("opened", "connected", "looked"))]
    if opened:
        raise Unmet(f"domains() {opened[0]}")


@requirement(
    "sources-named",
    "sources() names every file that load() reads, and load() touches no network",
    why="the files' digests enter the cell's key: a file that is not named can change unseen",
    remedy="return all raw files from sources(); download in fetch() alone",
)
def sources_named(subject: DatasetSubject) -> None:
    """What Python opens while it loads, against what is named."""
    subject.first()
    named = {str(path.resolve()) for path in sources_of(subject.definition, subject.data_root)}
    with watched() as caught:
        loaded(subject.definition, subject.data_root)
    for phrase in caught:
        verb, _, target = phrase.partition(" ")
        if verb != "listed" and not (verb == "opened" and _known(target, named)):
            raise Unmet(f"load() {phrase}, which sources() does not name")


def _known(path: str, named: set[str]) -> bool:
    """Whether a file is named, or was there for the moment alone."""
    return path in named or not Path(path).exists()


@requirement(
    "quality",
    "every domain has users with the three events that a protocol needs",
    why="leave-one-out needs an event to learn from, one to validate on and one to test on",
    remedy="drop domains that are too small, or lower the k-core (k_user, k_item)",
)
def quality(subject: DatasetSubject) -> None:
    """Users by domain with three events."""
    made = subject.events()
    users = np.repeat(np.arange(made.n_users), np.diff(made.offsets))
    owner = made.item_domains()[made.items]
    counts = {}
    for number, domain in enumerate(made.catalogue.domains):
        own = np.bincount(users[owner == number], minlength=made.n_users)
        counts[domain] = int((own >= 3).sum())
    subject.measured["quality"] = {f"users of {d}": float(n) for d, n in counts.items()}
    for domain, count in counts.items():
        if not count:
            raise Unmet(f"no user has three events in '{domain}'")


REQUIREMENTS = (events, domains_known, sources_named, quality, *COMMON)

__all__ = ["REQUIREMENTS", "DatasetSubject"]
