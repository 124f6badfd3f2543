"""The site in headless Chromium, opened from disk: keyboard, phone, dark mode, no request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from browser import PROGRAM, Browser
from conftest import ROOT, committed
from site_builders import HOSTILE, write_folder

from recmerge_bench.registry import Registry
from recmerge_bench.report.site.load import load_suites
from recmerge_bench.report.site.pages import render_site
from recmerge_bench.report.site.write import write_site

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="no chromium here: apt-get install chromium"
)
SITE = ROOT / "leaderboards" / "site"
DRAWN = "document.querySelectorAll('#panel *').length > 0"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        opened.prefer("light")
        opened.size(1280, 900)
        yield opened


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    suites = load_suites(write_folder(folder / "records"))
    write_site(render_site(suites, registry), folder / "site")
    return folder / "site"


def show(browser: Browser, hash_: str = "", site: Path = SITE) -> None:
    browser.open(f"{(site / 'index.html').as_uri()}#{hash_}")
    browser.wait(DRAWN)


def calm(browser: Browser) -> None:
    """Nothing went wrong and nothing but files was asked for."""
    assert browser.complaints() == []
    addresses = browser.requests()
    assert addresses and all(a.startswith("file:///") for a in addresses), addresses


def column(browser: Browser, number: int) -> list[str]:
    rows = "[...document.querySelectorAll('#panel tbody tr')]"
    return list(browser.run(f"{rows}.map(row => row.cells[{number}].innerText)"))


def choose(browser: Browser, name: str, value: str) -> None:
    browser.run(
        f"(() => {{ const e = document.getElementById({json.dumps(name)});"
        f"e.value = {json.dumps(value)}; e.dispatchEvent(new Event('input', {{bubbles: true}}));"
        "e.dispatchEvent(new Event('change', {bubbles: true})); })()"
    )


def record(suite: str) -> dict[str, Any]:
    return dict(json.loads(committed(f"records/{suite}.json").read_text()))


def test_opens_from_disk_with_the_records_numbers(browser: Browser) -> None:
    show(browser, "suite=quick")
    calm(browser)
    means = [
        r["metrics"]["action"]["NDCG@10"]
        for r in record("quick")["results"]
        if r["identity"]["method"] == "item-knn" and r["identity"]["protocol"] == "loo"
    ]
    place = column(browser, 0).index("×item-knn")
    assert column(browser, 2)[place] == f"{means[0]:.4f}"
    assert "recmerge-bench run --suite quick" in browser.run("document.body.innerText")


def test_choices_change_the_table_and_the_link(browser: Browser) -> None:
    show(browser, "suite=quick")
    before = column(browser, 2)
    choose(browser, "protocol", "loo-sampled-99")
    assert column(browser, 2) != before
    choose(browser, "metric", "MRR")
    assert "MRR by domain" in browser.run("document.querySelector('#panel caption').innerText")
    choose(browser, "domain", "comedy")
    heads = browser.run("[...document.querySelectorAll('#panel thead th')].map(t => t.innerText)")
    assert heads[2:5] == ["NDCG@10", "HR@10", "MRR"]
    shown = column(browser, 2)
    link = browser.run("location.hash")
    assert all(part in link for part in ("loo-sampled-99", "metric=MRR", "domain=comedy"))
    choose(browser, "suite", "ml100k")
    browser.wait("document.getElementById('title').innerText.startsWith('ml100k')")
    records = json.loads((ROOT / "leaderboards" / "records" / "ml100k.json").read_text())
    made = [r["identity"] for r in records["results"]]
    parts = ("backbone", "method", "recipe", "profile", "variant")
    table = [i for i in made if (i["track"], i["protocol"]) == ("merging", "loo")]
    assert len(column(browser, 0)) == len({tuple(i[p] for p in parts) for i in table}) > 30
    show(browser, link[1:])
    assert column(browser, 2) == shown
    calm(browser)


def test_sorts_by_keyboard(browser: Browser) -> None:
    show(browser, "suite=quick")
    suites_order = column(browser, 0)
    focus = "document.activeElement.innerText.trim()"
    browser.run("document.getElementById('q').focus()")
    for _ in range(20):
        browser.press("Tab")
        if str(browser.run(focus)).startswith("mean"):
            break
    state = "document.activeElement.closest('th').getAttribute('aria-sort')"
    assert browser.run(state) == "none"
    browser.press("Enter", "\r")
    assert browser.run(state) == "descending", "focus stays on the header"
    values = [float(text.split(" ")[0]) for text in column(browser, 6)]
    assert values == sorted(values, reverse=True) and len(values) == 11
    browser.press("Enter", "\r")
    assert browser.run(state) == "ascending"
    assert [float(t.split(" ")[0]) for t in column(browser, 6)] == sorted(values)
    browser.press("Enter", "\r")
    assert browser.run(state) == "none" and column(browser, 0) == suites_order
    outline = browser.run("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "focus is seen"


def test_views_by_arrow_keys(browser: Browser) -> None:
    show(browser, "suite=mergerec-cpu")
    browser.run("document.getElementById('tab-table').focus()")
    seen = []
    for _ in range(6):
        browser.press("ArrowRight")
        seen.append(browser.run("document.activeElement.innerText"))
        assert browser.run("document.activeElement.getAttribute('aria-selected')") == "true"
    assert seen == ["Intervals", "Heat map", "Ranks", "Curves", "Cost", "Table"]
    calm(browser)


def test_filters_and_hides(browser: Browser) -> None:
    show(browser, "suite=quick")
    choose(browser, "q", "sasrec joint")
    assert column(browser, 0) == ["×joint"]
    choose(browser, "q", "")
    choose(browser, "backbone", "bert4rec")
    assert set(column(browser, 1)) == {"bert4rec"} and len(column(browser, 0)) == 2
    choose(browser, "backbone", "")
    browser.run("document.querySelector('[aria-label=\"Hide item-knn\"]').click()")
    assert "×item-knn" not in column(browser, 0)
    assert browser.run("document.getElementById('status').innerText") == "10 of 11 rows shown"
    browser.run("document.getElementById('unhide').click()")
    assert len(column(browser, 0)) == 11


def test_dark_mode(browser: Browser) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    show(browser, "suite=quick")
    light = browser.run(ground)
    browser.prefer("dark")
    dark = browser.run(ground)
    assert light != dark and sum(map(int, dark[4:-1].split(", "))) < 120
    browser.run("document.getElementById('theme').click()")
    assert browser.run(ground) == light, "auto, then light"
    browser.run("document.getElementById('theme').click()")
    browser.prefer("light")
    assert browser.run(ground) == dark, "dark whatever the system says"
    browser.run("document.getElementById('theme').click()")
    assert browser.run(ground) == light


VIEWS = ["table", "intervals", "heat", "ranks", "curves", "cost"]


@pytest.mark.parametrize("view", VIEWS)
def test_fits_a_phone(browser: Browser, view: str) -> None:
    browser.size(360, 740)
    try:
        show(browser, f"suite=mergerec-cpu&view={view}")
        assert browser.run("document.documentElement.scrollWidth") == 360
        wide = browser.run(
            "[...document.querySelectorAll('#panel .scroll')]"
            ".some(box => box.scrollWidth > box.clientWidth)"
        )
        if view == "table":
            assert wide, "the table scrolls in its own box"
            browser.run("document.querySelector('#panel .scroll').scrollLeft = 200")
            left = "document.querySelector('#panel tbody th').getBoundingClientRect().left"
            assert 0 <= browser.run(left) < 30, "its first column stays"
    finally:
        browser.size(1280, 900)


def test_plots_have_data(browser: Browser) -> None:
    records, count = record("mergerec-cpu"), "document.querySelectorAll('#panel {}').length"
    rows = {
        tuple(r["identity"][k] for k in ("backbone", "method", "variant", "recipe"))
        for r in records["results"]
        if r["identity"]["track"] == "shared-base"
    }
    show(browser, "suite=mergerec-cpu&view=intervals")
    assert browser.run(count.format(".strip .interval")) == len(rows) - 1, "all but the baseline"
    show(browser, "suite=mergerec-cpu&view=intervals&show=value")
    assert browser.run(count.format(".strip .seed")) > 5 * 30
    show(browser, "suite=mergerec-cpu&view=heat")
    assert browser.run(count.format("td.heat")) == 5 * (len(rows) - 3), "three have no backbone"
    show(browser, "suite=mergerec-cpu&view=ranks")
    assert browser.run(count.format(".strip .mean")) == len(rows)
    assert browser.run(count.format(".bar-slot.on")) > len(rows)
    assert "too few domains for a Friedman test" in browser.run("document.body.innerText").replace(
        "Too", "too"
    )
    show(browser, "suite=mergerec-cpu&view=cost")
    assert browser.run(count.format("circle.dot title")) == len(rows)
    show(browser, "suite=mergerec-cpu&view=curves")
    for name in records["header"]["figures"]:
        choose_figure = (
            "(() => { const e = document.querySelector('[data-key=figure]');"
            f"e.value = {json.dumps(name)}; e.dispatchEvent(new Event('change')); }})()"
        )
        browser.run(choose_figure)
        assert browser.run(count.format(".chart .line")) > 0, name
        assert browser.run(count.format(".chart title")) > 0
        assert browser.run(count.format("details tbody tr")) > 0, "its data as a table"
        assert "NaN" not in browser.run("document.getElementById('panel').innerHTML")
    calm(browser)


def test_every_view_of_every_table_draws(browser: Browser) -> None:
    show(browser)
    for path in sorted((ROOT / "leaderboards").rglob("records/*.cost.json")):
        suite = path.name.removesuffix(".cost.json")
        header = record(suite)["header"]
        for track, facts in header["tracks"].items():
            for protocol in facts["protocols"]:
                if header["protocols"][protocol].get("shuffle_seed") is not None:
                    continue  # stands in the card of its twin alone
                for view in VIEWS:
                    place = {"suite": suite, "track": track, "protocol": protocol}
                    link = "&".join(f"{k}={quote(v)}" for k, v in {**place, "view": view}.items())
                    browser.run(f"void (location.hash = {json.dumps(link)})")
                    shown = [f"document.getElementById('{k}').value === '{v}'"
                             for k, v in place.items()]  # fmt: skip
                    tab = f"document.getElementById('tab-{view}').ariaSelected === 'true'"
                    browser.wait(" && ".join([*shown, tab]))
                    html = browser.run("document.getElementById('panel').innerHTML")
                    assert html and "NaN" not in html and "undefined" not in html, link
    calm(browser)


def test_all_pages_open(browser: Browser) -> None:
    pages = sorted(p for part in ("methods", "datasets") for p in (SITE / part).glob("*.html"))
    assert len(pages) > 60
    browser.size(360, 740)
    try:
        for page in pages:
            browser.open(page.as_uri())
            assert browser.complaints() == []
            assert browser.run("document.querySelector('h1') !== null")
            assert browser.run("document.documentElement.scrollWidth") == 360, page.name
            assert all(a.startswith("file:///") for a in browser.requests())
    finally:
        browser.size(1280, 900)


def test_links_from_pages_lead_to_their_table(browser: Browser) -> None:
    browser.open((SITE / "methods" / "ties.html").as_uri())
    links = browser.run("[...document.querySelectorAll('td a')].map(a => a.href)")
    assert links
    browser.open(links[-1])
    browser.wait(DRAWN)
    assert any(name.startswith("×ties") for name in column(browser, 0))


@pytest.mark.parametrize("view", VIEWS)
def test_markup_in_records_is_shown_as_text(browser: Browser, hostile: Path, view: str) -> None:
    show(browser, f"suite=fake&view={view}&q={quote(HOSTILE)}", hostile)
    show(browser, f"suite=fake&view={view}", hostile)
    calm(browser)
    assert browser.run("window.hurt") is None
    assert browser.run("document.querySelectorAll('main img, main script').length") == 0
    text = browser.run("document.body.innerText")
    assert '<img src=x onerror="window.hurt=1">' in text
    assert "it | broke" not in text and "no data" in text, "missing results and their reasons"


def test_a_link_that_names_nothing_shows_the_first_table(browser: Browser) -> None:
    show(browser, "suite=none&track=%3Cimg%3E&view=x&metric=y&sort=-z&hide=a,b&domain=q")
    assert len(column(browser, 0)) > 3
    calm(browser)
