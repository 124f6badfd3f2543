"""The committed drawings as a browser shows them: no text covers another, none leaves its frame."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import PROGRAM, Browser
from conftest import ROOT

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="no chromium here: apt-get install chromium"
)
BOARDS = ROOT / "leaderboards"
#: Texts that lie over one another or outside of their drawing.
MISPLACED = """
(() => {
  const frame = document.documentElement.getBoundingClientRect();
  const texts = [...document.querySelectorAll('text')]
    .map(t => [t.textContent, t.getBoundingClientRect()]);
  const wrong = texts.filter(([, b]) => b.left < frame.left - 1 || b.right > frame.right + 1
    || b.top < frame.top - 1 || b.bottom > frame.bottom + 1).map(([t]) => `outside: ${t}`);
  texts.forEach(([t, a], n) => texts.slice(n + 1).forEach(([u, b]) => {
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (wide > 2 && high > 4) wrong.push(`${t} over ${u}`);
  }));
  return wrong;
})()
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        opened.size(1400, 1000)
        yield opened


def test_no_text_of_a_drawing_covers_another_or_leaves_its_frame(browser: Browser) -> None:
    files = sorted(path for path in BOARDS.rglob("*.svg") if path.parent.name == "figures")
    assert len(files) > 50
    wrong: dict[str, list[str]] = {}
    for path in files:
        browser.open(path.as_uri())
        assert browser.run("document.querySelectorAll('text').length") > 3, path.name
        wrong[path.name] = browser.run(MISPLACED)
    assert {name: texts for name, texts in wrong.items() if texts} == {}


@pytest.mark.parametrize("words", ["losses, 95 %", "minus that of", "/ expert's", ">–<"])
def test_drawings_are_in_plain_words(words: str) -> None:
    files: list[Path] = [p for p in BOARDS.rglob("*.svg") if p.parent.name == "figures"]
    assert [p.name for p in files if words in p.read_text(encoding="utf-8")] == []
