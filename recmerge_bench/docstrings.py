"""What docstrings say of attributes and options: read by the schema of suites, boards and help."""

from __future__ import annotations

import inspect
import re


def attributes(doc: str | None) -> dict[str, str]:
    """Names under ``Attributes:`` of a docstring -> what it says of them, a paragraph each.

    Args:
        doc: of a class; None or one without such a part: nothing.
    """
    # from Python 3.13 on, docstrings come without their indentation: here, everywhere
    _, _, listed = inspect.cleandoc(doc or "").partition("Attributes:\n")
    texts: dict[str, str] = {}
    for entry in re.split(r"\n(?= {4}\w+: )", "\n" + listed):
        name, colon, text = entry.strip().partition(": ")
        if colon and name.isidentifier():
            texts[name] = " ".join(text.split("\n\n")[0].split()).replace("`", "")
    return texts


def summary(doc: str | None) -> str:
    """The first paragraph of a docstring in one line."""
    first = inspect.cleandoc(doc or "").split("\n\n")[0]
    return " ".join(first.split()).replace("`", "")
