"""What specs hold besides names and texts: settings under a name, and what was checked.

Standard library alone, as `recmerge_bench.specs`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recmerge_bench.errors import HandledError

_TEST = re.compile(r"[\w./-]+\.py::(\w+::)?test_\w+")


@dataclass(frozen=True)
class Profile:
    """A method's settings under a name that suites' tracks and rows use (``family``, ``cpu``).

    Attributes:
        options: of the method, laid over its defaults and under those that a suite gives.
        training: of its trainings, laid over the track's and under the row's.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse anything but two mappings with texts as keys."""
        for name in ("options", "training"):
            check_mapping(getattr(self, name), f"Profile: {name}")


@dataclass(frozen=True)
class Check:
    """What an implementation was compared with, where, and how closely.

    Attributes:
        against: code (repository and file) or paper and equation; for a method of one's own, what
            of it is checked.
        test: ``tests/file.py::test_name`` that makes the comparison.
        tolerance: of the comparison, as the test has it.
    """

    against: str
    test: str
    tolerance: str

    def __post_init__(self) -> None:
        """Refuse empty or many-lined statements, and tests that are not named as pytest has it."""
        for name in ("against", "test", "tolerance"):
            value = getattr(self, name)
            if not isinstance(value, str) or len(value.splitlines()) != 1:
                raise HandledError(f"Check: {name} takes one line, not {value!r}")
        if not _TEST.fullmatch(self.test):
            raise HandledError(f"Check: test takes tests/file.py::test_name, not {self.test!r}")

    def __str__(self) -> str:
        return f"{self.against} ({self.test}; {self.tolerance})"


def check_mapping(value: Any, where: str) -> None:
    """Refuse all but a mapping with texts as keys.

    Raises:
        HandledError: it is none; begins with `where`.
    """
    if not isinstance(value, Mapping) or not all(isinstance(k, str) for k in value):
        raise HandledError(f"{where} takes a mapping with texts as keys, not {value!r}")


__all__ = ["Check", "Profile", "check_mapping"]
