"""What of the plugin contract goes, when, and what to write instead: the one list.

What is listed here works on, with a `DeprecationWarning`, until the major version `until` of its
contract, which comes no sooner than six months and two minor releases after it was announced. It
then goes, and its entry with it.

Standard library alone: the API and specs read this.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass


@dataclass(frozen=True)
class Deprecation:
    """Something that goes.

    Attributes:
        instead: what to write instead, as the warning says it: "is called MergeInput".
        announced: year and month of the announcement.
        since: version of the contract that deprecates it.
        until: version of the contract that is without it.
    """

    instead: str
    announced: str
    since: str
    until: str


#: Name, as a plugin writes it -> what becomes of it.
DEPRECATIONS: dict[str, Deprecation] = {
    "WeightsOnly": Deprecation("is called MergeInput", "2026-11", "1.0", "2.0"),
    "Spec(kind, name, ...)": Deprecation(
        "is written as the spec of its kind, such as StrategySpec(name, ...)", "2026-11", "1.0",
        "2.0",
    ),
}  # fmt: skip


def warn_deprecated(name: str, message: str = "", stacklevel: int = 2) -> None:
    """Say that something goes, and with which version.

    Args:
        name: of `DEPRECATIONS`.
        message: more exact words than the list has, where there are some.
        stacklevel: as that of `warnings.warn`, counted from the caller.
    """
    entry = DEPRECATIONS[name]
    text = message or f"{name} {entry.instead}"
    warnings.warn(
        f"{text}; it goes with version {entry.until} of the plugin contract",
        DeprecationWarning,
        stacklevel=stacklevel + 1,
    )


__all__ = ["DEPRECATIONS", "Deprecation", "warn_deprecated"]
