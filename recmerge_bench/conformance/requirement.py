"""A requirement, how it is tried, and how that ended: what, why it matters, how to put it right."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from recmerge_bench.blame import culprit, one_line
from recmerge_bench.conformance.state import changes
from recmerge_bench.errors import Blocked, DataError, HandledError, PluginError

Status = Literal["passed", "failed", "skipped"]


class Unmet(AssertionError):
    """A requirement is not met.

    Args:
        what: happened, with numbers.
        remedy: how to put it right, where that is not the requirement's own advice.
    """

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.remedy = remedy


class Untried(Exception):
    """A requirement cannot be tried here; its text is the reason."""


@dataclass(frozen=True)
class Requirement:
    """One thing that plugins of a kind have to do.

    Attributes:
        name: kebab-case, stable: it stands in reports and names the pytest method.
        claim: what has to hold, one line.
        why: it matters, one line.
        remedy: how to put a failure right.
        test: tries it on a `Subject`; raises `Unmet`, or `Untried` where it cannot be tried.
    """

    name: str
    claim: str
    why: str
    remedy: str
    test: Callable[[Any], None]


def requirement(
    name: str, claim: str, *, why: str, remedy: str
) -> Callable[[Callable[[Any], None]], Requirement]:
    """Make a requirement of the function that tries it."""
    return lambda test: Requirement(name, claim, why, remedy, test)


@dataclass(frozen=True)
class Outcome:
    """How a requirement ended.

    Attributes:
        name: of the requirement.
        status: ``passed``, ``failed`` or ``skipped``.
        claim: what was tried.
        what: happened; the reason of what was skipped; empty where it passed.
        why: it matters; empty unless it failed.
        remedy: how to put it right; empty unless it failed.
        seconds: that it took.
        measured: numbers worth telling, by name.
    """

    name: str
    status: Status
    claim: str
    what: str = ""
    why: str = ""
    remedy: str = ""
    seconds: float = 0.0
    measured: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def __str__(self) -> str:
        """Several lines: the message of a failed test."""
        return f"{self.name}: {self.what}\nwhy it matters: {self.why}\nto fix: {self.remedy}"


def try_requirement(each: Requirement, subject: Any) -> Outcome:
    """Try a requirement on a subject; whatever a plugin raises is an outcome."""
    start = time.perf_counter()
    with changes():  # what a plugin changes for the process is put back before the next
        status, what, remedy = _attempt(each, subject)
    seconds = round(time.perf_counter() - start, 3)
    measured = dict(getattr(subject, "measured", {}).pop(each.name, {}))
    if status != "failed":
        return Outcome(each.name, status, each.claim, what, "", "", seconds, measured)
    return failed(each, what, remedy, seconds, measured)


def in_order(wanted: Sequence[Requirement], subject: Any) -> Iterator[Outcome]:
    """Try requirements one after another; where the first fails, the others are not tried."""
    for number, each in enumerate(wanted):
        outcome = try_requirement(each, subject)
        yield outcome
        if not number and outcome.status == "failed":
            yield from (not_tried(other, each) for other in wanted[1:])
            return


def not_tried(each: Requirement, first: Requirement) -> Outcome:
    """The outcome of a requirement that has to wait for another."""
    return Outcome(each.name, "skipped", each.claim, f"'{first.name}' has to hold first")


def failed(
    each: Requirement,
    what: str,
    remedy: str = "",
    seconds: float = 0.0,
    measured: dict[str, float] | None = None,
) -> Outcome:
    """The outcome of a requirement that is not met."""
    return Outcome(
        each.name, "failed", each.claim, what, each.why, remedy or each.remedy, seconds,
        measured or {},
    )  # fmt: skip


def _attempt(each: Requirement, subject: Any) -> tuple[Status, str, str]:
    """Status, what happened, and a remedy of its own."""
    try:
        each.test(subject)
    except Untried as reason:
        return "skipped", str(reason), ""
    except Unmet as error:
        return "failed", str(error), error.remedy
    except Blocked as missing:
        return "skipped", f"{missing.reason}; {missing.remedy}", ""
    except HandledError as error:  # a border's words, or the plugin's own
        return "failed", str(error), _border_remedy(error)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit and the like out of a method are failures too
        where = culprit(error)
        text = f"{type(error).__name__}: {one_line(error)}".rstrip(": ")
        return "failed", f"{where}: {text}" if where else text, _READ_LINE
    return "passed", "", ""


_READ_LINE = (
    "read the line that is named, with the tiny data of recmerge_bench.conformance.worlds in "
    "mind; RECMERGE_BENCH_TRACEBACK=1 with `recmerge-bench run` shows the whole way there"
)


def _border_remedy(error: HandledError) -> str:
    if isinstance(error, DataError):
        return "put the file right where it says, or the options that say how the file is read"
    if not isinstance(error, PluginError):
        return ""
    return "return what the message says belongs there; the method's docstring has the contract"


__all__ = [
    "Outcome", "Requirement", "Unmet", "Untried", "failed", "in_order", "not_tried", "requirement",
    "try_requirement",
]  # fmt: skip
