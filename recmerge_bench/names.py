"""Names that are joined with others: which are taken, and which would be one.

A name tells one thing from others wherever it ends up: as a key among metrics by domain, as a
column, as part of a file's name. What would be two things under one name is refused where it is
declared, and where records of others are read.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator
from functools import lru_cache

#: What stands beside domains in records, boards, exports and papers' tables: the mean over them.
MEAN = "mean"
#: Names beside domains that no domain may have, in any case.
RESERVED = frozenset({MEAN, "mean of ratios", "ratio of means", "average", "sum"})


def repeated(values: Iterable[Hashable]) -> Iterator[tuple[int, int]]:
    """(later, earlier) positions of values that were there before."""
    first: dict[Hashable, int] = {}
    for number, value in enumerate(values):
        if first.setdefault(value, number) != number:
            yield number, first[value]


def same_file(*parts: str) -> str:
    """What the parts of a file's name have in common with others that may be the same file.

    File systems may not tell upper from lower case, and characters beyond letters, digits and dots
    become hyphens in file names; parts are joined by hyphens.
    """
    plain = (re.sub(r"[^\w.]+|_+", "-", part.casefold()).strip("-.") or "none" for part in parts)
    return "-".join(plain)


def wrong_domains(domains: Iterable[str]) -> str | None:
    """Why these cannot stand beside each other and their mean; None where they can."""
    return _wrong_domains(tuple(domains))


@lru_cache(maxsize=1024)
def _wrong_domains(names: tuple[str, ...]) -> str | None:
    """Of many results with the same domains it is asked once."""
    for name in names:
        if name.casefold().strip() in RESERVED:
            return (
                f"a domain cannot be called '{name}': boards, records and exports have that name "
                "for a value over all domains; give the domain another name"
            )
    for later, _ in repeated(names):
        return f"the domain '{names[later]}' is listed twice; it would count twice"
    return None


def phase_name(number: int) -> str:
    """Of a phase of time, where it stands in the place of a domain; numbered from 1."""
    return f"phase-{number}"
