"""Domains that were read one by one, as one dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from recmerge_bench.data.interactions import Interactions
from recmerge_bench.errors import DataError, HandledError, near
from recmerge_bench.toolkit.data.build import Columns, Item, Repeats, build_interactions
from recmerge_bench.toolkit.data.text_files import EVENTS, domain_name

#: ``shared``: equal user ids of two domains are one user; ``separate``: they are not.
Users = Literal["shared", "separate"]


@dataclass(frozen=True)
class DomainEvents:
    """A domain by itself.

    Attributes:
        domain: its name.
        columns: its events.
        texts: raw item id -> text, of all its items.
    """

    domain: str
    columns: Columns
    texts: Mapping[str, str]


def join_domains(
    parts: Sequence[DomainEvents], users: Users, repeats: Repeats = "keep", k_user: int = 0,
    k_item: int = 0,
) -> Interactions:  # fmt: skip
    """One dataset of several domains, numbered in their order.

    Items of different domains are different items: where there are several domains, an item's id is
    ``domain/id``. So is a user's where users are separate.

    Args:
        parts: each domain once.
        users: see `Users`.
        repeats: see `build_interactions`, as `k_user` and `k_item`, which count the events of all
            domains.

    Raises:
        DataError: there is nothing, or more than can be read.
    """
    many = len(parts) > 1
    if sum(len(part.columns.users) for part in parts) > EVENTS:
        raise DataError(f"more than {EVENTS} events")
    owners: list[str] = []
    tokens: list[str] = []
    items: dict[str, Item] = {}
    for part in parts:
        mark = f"{part.domain}/" if many else ""
        own = mark if users == "separate" else ""
        owners += [own + user for user in part.columns.users]
        tokens += [mark + item for item in part.columns.items]
        items |= {mark + token: Item(part.domain, text) for token, text in part.texts.items()}
    times = np.concatenate([part.columns.times for part in parts] or [np.zeros(0, np.int64)])
    report: dict[str, int] = {}
    for part in parts:
        for name, count in part.columns.report.items():
            report[name] = report.get(name, 0) + count
    names = [part.domain for part in parts]
    return build_interactions(Columns(owners, tokens, times, report), items, names, repeats,
                              k_user, k_item)  # fmt: skip


def chosen_places(
    places: Sequence[Path], wanted: Sequence[str], where: Path, ending: str = ""
) -> dict[str, Path]:
    """Domain -> its file or folder, in the order wanted; all by name if none are named.

    A place's name without `ending`, as `domain_name` has it, is its domain.

    Raises:
        DataError: two places would be one domain, or a wanted one is not there; says which are.
    """
    by_name: dict[str, Path] = {}
    for place in sorted(places):
        name = domain_name(place.name.removesuffix(ending))
        if name in by_name:
            raise DataError(
                f"'{by_name[name].name}' and '{place.name}' would both be the domain '{name}': "
                "rename one", where,
            )  # fmt: skip
        by_name[name] = place
    for name in wanted:
        if name not in by_name:
            there = ", ".join(by_name) or "none"
            raise DataError(f"no domain '{name}'{near(name, by_name)}; there are: {there}", where)
    return {name: by_name[name] for name in wanted or by_name}


def needs_path(dataset: str, path: str) -> None:
    """Refuse a dataset of files without a path.

    Raises:
        HandledError: it is empty.
    """
    if not path:
        raise HandledError(f"{dataset} needs the option path")
