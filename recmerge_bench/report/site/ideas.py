"""What docstrings say of a method for its page: its idea, and where its equations are from.

A class's or module's docstring has a paragraph ``Idea: ...`` or ``Equations: ...``, or
``Idea (NAME, NAME): ...`` where several methods share it. Docstrings are in no cell's key, so that
words can be put right after results were computed.
"""

from __future__ import annotations

import inspect
import re
from importlib import import_module

from recmerge_bench.specs import Spec
from recmerge_bench.targets import load_class

_PARAGRAPH = r"^{}(?: \((?P<names>[^)]+)\))?:\s+(?P<text>.+?)(?=\n\s*\n|\Z)"


def idea(spec: Spec) -> str:
    """In three sentences or so; without such a paragraph the first one of the module's docstring.

    A class says it where its module has several methods.
    """
    if found := said_of(spec, "Idea"):
        return found
    first, _, rest = _docstrings(spec)[1].partition("\n\n")
    return plain(f"{first} {rest.partition(chr(10) * 2)[0]}")


def equations(spec: Spec) -> str:
    """Paper and equations, or code, that a method without `Check` is written from; may be empty."""
    return said_of(spec, "Equations")


def said_of(spec: Spec, head: str) -> str:
    """The paragraph under a head: the method's own before that of all in the docstring."""
    for own in (True, False):
        for text in _docstrings(spec):
            for match in re.finditer(_PARAGRAPH.format(head), text, re.M | re.S):
                names = [name.strip() for name in (match["names"] or "").split(",")]
                if spec.name in names if own else match["names"] is None:
                    return plain(match["text"])
    return ""


def _docstrings(spec: Spec) -> list[str]:
    """Of the class, then of its module."""
    module, cls = import_module(spec.target.partition(":")[0]), load_class(spec.target)
    return [inspect.cleandoc(one.__doc__ or "") for one in (cls, module)]


def plain(text: str) -> str:
    """Without the marks of reStructuredText, on one line."""
    return " ".join(re.sub(r"``?([^`]+)``?", r"\1", text).split())
