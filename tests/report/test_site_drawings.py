"""What the site draws, looked at in headless Chromium: marks, names, ticks, links, no script."""

from __future__ import annotations

import itertools

import pytest
from browser import PROGRAM, Browser
from conftest import ROOT
from test_site_browser import DRAWN, MISPLACED, SITE, browser, column, rendered, show

__all__ = ["browser", "rendered"]  # fixtures

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="no chromium here: apt-get install chromium"
)


@pytest.mark.parametrize("width", [360, 1440])
def test_texts_of_strips_stand_apart(browser: Browser, width: int) -> None:
    """Ticks above or below strips, in all views that have them."""
    browser.size(width, 900)
    try:
        for suite in ("merging", "mergerec-cpu"):
            for view in ("compare", "intervals", "ranks"):
                show(browser, f"suite={suite}&view={view}")
                code = MISPLACED.strip().replace("svg.chart", "svg.strip.axis")
                wrong = [text for text in browser.run(code) if not text.startswith("outside")]
                assert wrong == [], (suite, view)
                ticks = "document.querySelectorAll('#panel svg.strip.axis text').length"
                assert browser.run(ticks) > 1
    finally:
        browser.size(1280, 900)


def test_the_table_of_intervals_fits_a_desktop(browser: Browser) -> None:
    """What few ask for is asked for; no verdict stands there twice."""
    browser.size(1440, 900)
    try:
        show(browser, "suite=mergerec-cpu&view=intervals")
        box = "document.querySelector('#panel .scroll')"
        assert browser.run(f"{box}.scrollWidth - {box}.clientWidth") <= 0
        assert "models: " not in browser.run(f"{box}.innerText")
        heads = "[...document.querySelectorAll('#panel thead th')].length"
        before = browser.run(heads)
        browser.run("document.querySelector('[data-key=\"mode more\"]').click()")
        assert browser.run(heads) == before + 3 and "more=1" in browser.run("location.hash")
    finally:
        browser.size(1280, 900)


@pytest.mark.parametrize("view", ["heat", "ranks", "table"])
def test_one_backbone_is_not_named_in_every_row(browser: Browser, view: str) -> None:
    show(browser, f"suite=mergerec-cpu&view={view}")
    text = "document.getElementById('panel').innerText"
    said = browser.run(text)
    assert "sasrec-text-prenorm" not in said.split("Difference and verdict")[0]
    show(browser, f"suite=merging&view={view}")
    assert "fine-tune sasrec" in browser.run(text).replace("\n", " ")


def test_series_differ_by_more_than_colour(browser: Browser) -> None:
    figure = "memorised-modulated-loo-released-masked"
    show(browser, f"suite=merging&view=curves&figure={figure}")
    kinds = "new Set([...document.querySelectorAll('{} .dot')].map(d => d.tagName)).size"
    assert browser.run(kinds.format("#panel svg.chart")) == 2
    assert browser.run(kinds.format("#panel .legend")) == 2, "the key shows the same marks"
    show(browser, "suite=merit-cpu&view=curves&figure=gates")
    assert browser.run("document.querySelectorAll('#panel svg.chart rect.hollow').length") == 18
    assert browser.run("document.querySelectorAll('#panel .legend rect.hollow').length") == 1


def test_rows_of_a_chart_have_whole_names_on_a_phone(browser: Browser) -> None:
    """Names that are cut in the middle may be the same; the axis of many rows is above them too."""
    browser.size(360, 740)
    try:
        figure = "memorised-sports-base-loo-released-masked"
        show(browser, f"suite=merging&view=curves&figure={figure}")
        names = browser.run(
            "[...document.querySelectorAll('#panel .row-name')].map(t => t.firstChild.data)"
        )
        assert len(names) == len(set(names)) > 50 and not any("…" in name for name in names)
        tops = browser.run(
            "[...document.querySelectorAll('#panel svg.chart text')].map(t => "
            "[t.textContent, t.getBoundingClientRect().top])"
        )
        first = min(top for text, top in tops if text in names)
        assert any(text == "0" and top < first for text, top in tops)
        assert browser.run(MISPLACED) == []
    finally:
        browser.size(1280, 900)


@pytest.mark.parametrize("width", [360, 1280])
def test_ticks_have_even_steps(browser: Browser, width: int) -> None:
    browser.size(width, 900)
    try:
        show(browser, "suite=merit-cpu&view=curves&figure=ablation")
        rows = browser.run(
            "[...document.querySelectorAll('#panel svg.chart')].map(svg => "
            "[...svg.querySelectorAll('text[text-anchor=middle]:not(.name)')].map(t => "
            "Number(t.textContent.replace('\u2212', '-'))))"
        )
        for ticks in rows:
            steps = {round(b - a, 9) for a, b in itertools.pairwise(ticks)}
            assert len(ticks) > 2 and len(steps) == 1, ticks
    finally:
        browser.size(1280, 900)


def test_copies_a_link_that_shows_the_same(browser: Browser) -> None:
    """And BibTeX; where the clipboard is closed, the text stands in a box to copy from."""
    show(browser, "suite=merit-cpu&metric=MRR&domain=food")
    written = (
        "(async () => { let kept = ''; const old = navigator.clipboard;"
        "Object.defineProperty(navigator, 'clipboard', {configurable: true, value:"
        " {writeText: async (text) => { kept = text; }}});"
        "document.querySelector('[data-key=\"take KIND\"]').click();"
        "await new Promise(done => setTimeout(done, 50)); return kept; })()"
    )
    link = browser.run(written.replace("KIND", "link"))
    shown = column(browser, 2)
    assert "domain=food" in link
    assert "@misc{recmergebench-meritcpu," in browser.run(written.replace("KIND", "bib"))
    browser.open(link)
    browser.wait(DRAWN)
    assert column(browser, 2) == shown
    closed = "{writeText: async () => { throw new Error('closed'); }}"
    browser.run("(async () => { Object.defineProperty(navigator, 'clipboard', "
                f"{{configurable: true, value: {closed}}});"
                "document.querySelector('[data-key=\"take link\"]').click();"
                "await new Promise(done => setTimeout(done, 50)); })()")  # fmt: skip
    assert browser.run("document.querySelector('textarea.copy').value") == link


def test_a_page_without_javascript_links_the_markdown_boards(browser: Browser) -> None:
    browser.ask("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open((SITE / "boards.html").as_uri())
        text = browser.run("document.querySelector('noscript').innerText")
        assert "This page needs JavaScript" in text and "Markdown boards" in text
        links = browser.run("[...document.querySelectorAll('noscript a')].map(a => "
                            "a.getAttribute('href'))")  # fmt: skip
        for link in links:
            assert (ROOT / "leaderboards" / "site" / link).resolve().is_file(), link
        assert len(links) == len(list((ROOT / "leaderboards").rglob("records/*.cost.json")))
        browser.open((SITE / "index.html").as_uri())
        assert "Best merge: " in browser.run("document.body.innerText")
    finally:
        browser.ask("Emulation.setScriptExecutionDisabled", value=False)


def test_the_first_screen_says_question_and_answer(browser: Browser) -> None:
    """What somebody new reads before scrolling, on 1440 x 900 pixels:

    1. the question: what does a merged recommender keep of its experts?
    2. what is measured: merging models of several domains, and models that read several, on the
       same data, seeds and tests, beside recommenders that only count;
    3. the answer, from the records: the share of the experts' score that the best merges keep,
       whether they beat counting and the board's baseline; and the same for cross-domain models;
    4. one drawing of each: base, experts, task vectors, one model; a user's events in two domains.
    """
    browser.size(1440, 900)
    try:
        browser.open((SITE / "index.html").as_uri())
        seen = browser.run(
            "[...document.querySelectorAll('main h1, main p, main figcaption, main .drawing')]"
            ".filter(e => e.getBoundingClientRect().bottom <= 900).map(e => e.textContent)"
        )
    finally:
        browser.size(1280, 900)
    text = " ".join(" ".join(seen).split())
    for part in (
        "What does a merged recommender keep of its experts?",
        "recommenders that only count",
        "% of its experts' score",
        "the best heuristic",
        "the board's baseline",
        "Cross-domain models",
        "task vectors",
        "reads both",
    ):
        assert part in text, (part, text)
