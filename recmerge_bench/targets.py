"""From ``"package.module:Class"`` and options as JSON to a definition object."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from typing import Any

from recmerge_bench.errors import HandledError, near


def load_class(target: str) -> type:
    """Import the class that a spec's target names."""
    module, _, name = target.partition(":")
    loaded: type = getattr(importlib.import_module(module), name)
    return loaded


def define(target: str, options: Mapping[str, Any]) -> Any:
    """The definition with its options, checked for unknown names only (planning checks types)."""
    cls = load_class(target)
    known = {f.name for f in dataclasses.fields(cls.Options)}  # type: ignore[attr-defined]
    for name in options:
        if name not in known:
            raise HandledError(
                f"{target.partition(':')[2]} has no option '{name}'{near(name, known)}; "
                f"it has: {', '.join(sorted(known)) or 'none'}"
            )
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
    return cls(cls.Options(**values))  # type: ignore[attr-defined]
