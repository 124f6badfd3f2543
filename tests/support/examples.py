"""Examples of the documentation: fenced blocks of a page, run in order as a reader would.

A block with a title (``python title="median.py"``) is a file that the reader writes; ``bash``
blocks are commands, ``python`` blocks without a title run in one namespace for each page. A comment
``<!-- skip: reason -->`` before a block says why a test cannot run it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FENCE = re.compile(
    r"(?:^<!-- skip: (?P<skip>[^\n]*) -->\n)?"
    r"^(?P<indent> *)```(?P<language>\w+)(?: title=\"(?P<title>[^\"]+)\")?[^\n]*\n"
    r"(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Example:
    """A fenced block.

    Attributes:
        page: of which page.
        line: where its text begins.
        language: what the fence says.
        title: name of the file that it is, or "".
        text: the block.
        skip: why it is not run, or "".
    """

    page: Path
    line: int
    language: str
    title: str
    text: str
    skip: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def examples(page: Path) -> Iterator[Example]:
    """The blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start("text")) + 1
        block = re.sub(rf"^{match['indent']}", "", match["text"], flags=re.MULTILINE)
        yield Example(
            page, line, match["language"], match["title"] or "", block, match["skip"] or ""
        )


class Reader:
    """Somebody who does what a page says, in a folder.

    Args:
        folder: where.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, Any] = {"__name__": "page"}

    def follow(self, example: Example) -> None:
        """Write a file, run commands, or run Python.

        Raises:
            AssertionError: a command failed; with what it printed.
        """
        if example.title:
            path = self.folder / example.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(example.text, encoding="utf-8")
        elif example.language == "bash":
            self._run(example)
        elif example.language == "python":
            padded = "\n" * (example.line - 1) + example.text
            exec(compile(padded, str(example.page), "exec"), self.names)

    def _run(self, example: Example) -> None:
        tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", example.text],
            cwd=self.folder, env={**os.environ, "PATH": tools}, capture_output=True, text=True,
        )  # fmt: skip
        assert ran.returncode == 0, f"{example}: {ran.stdout[-3000:]}{ran.stderr[-3000:]}"
