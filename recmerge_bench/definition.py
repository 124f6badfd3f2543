"""What the definitions of all kinds have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class NoOptions:
    """For definitions that take no options."""


class Definition:
    """Base of all definitions.

    Attributes:
        Options: a frozen dataclass; its fields, types and defaults are the method's options. They
            are checked when the plan is made, before anything runs.
    """

    Options: ClassVar[type] = NoOptions

    def __init__(self, options: Any = None) -> None:
        self.options: Any = self.Options() if options is None else options


__all__ = ["Definition", "NoOptions"]
