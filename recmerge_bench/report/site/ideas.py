"""The idea of a method: the paragraph ``Idea: ...`` of its class's or module's docstring."""

from __future__ import annotations

import inspect
import re
from importlib import import_module

from recmerge_bench.specs import Spec
from recmerge_bench.targets import load_class

_IDEA = re.compile(r"^Idea:\s+(.+?)(?=\n\s*\n|\Z)", re.M | re.S)


def idea(spec: Spec) -> str:
    """In three sentences or so; without such a paragraph the first one of the module's docstring.

    A class says it where its module has several methods.
    """
    module, cls = import_module(spec.target.partition(":")[0]), load_class(spec.target)
    texts = [inspect.cleandoc(one.__doc__ or "") for one in (cls, module)]
    for text in texts:
        if match := _IDEA.search(text):
            return plain(match[1])
    first, _, rest = texts[1].partition("\n\n")
    return plain(f"{first} {rest.partition(chr(10) * 2)[0]}")


def plain(text: str) -> str:
    """Without the marks of reStructuredText, on one line."""
    return " ".join(re.sub(r"``?([^`]+)``?", r"\1", text).split())
