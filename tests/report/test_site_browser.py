"""The site in headless Chromium, opened from disk: keyboard, phone, dark mode, no request."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow.parquet
import pytest
from browser import PROGRAM, Browser
from conftest import ROOT, committed
from site_builders import HOSTILE, write_folder

from recmerge_bench.registry import Registry
from recmerge_bench.report.site.load import load_beside, load_suites
from recmerge_bench.report.site.pages import render_site
from recmerge_bench.report.site.write import write_site
from recmerge_bench.results.files import load_records
from recmerge_bench.results.places import board_places

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="no chromium here: apt-get install chromium"
)
RECORDS = ROOT / "leaderboards" / "records"
#: Made from the committed records by the code at hand (`leaderboard check` compares the committed).
SITE = Path(tempfile.mkdtemp(prefix="recmerge-site-")) / "site"
DRAWN = "document.querySelectorAll('#panel *').length > 0"


@pytest.fixture(scope="module", autouse=True)
def rendered(registry: Registry) -> Iterator[None]:
    write_site(render_site(load_suites(RECORDS), registry, load_beside(RECORDS)), SITE)
    yield
    shutil.rmtree(SITE.parent)


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
    browser.open(f"{(site / 'boards.html').as_uri()}#{hash_}")
    browser.wait(DRAWN)


def calm(browser: Browser) -> None:
    """Nothing went wrong and nothing but files was asked for."""
    assert browser.complaints() == []
    addresses = browser.requests()
    assert addresses and all(a.startswith("file:///") for a in addresses), addresses


ROWS = "[...document.querySelectorAll('#panel tbody tr[data-row]')]"


def column(browser: Browser, number: int) -> list[str]:
    """Texts of a column of the board's table: 0 is the rank, 1 the method, 2 the ranked value."""
    return list(browser.run(f"{ROWS}.map(row => row.cells[{number}].innerText)"))


def methods(browser: Browser) -> list[str]:
    return column(browser, 1)


def bands(browser: Browser) -> dict[str, list[tuple[str, float]]]:
    """Band -> (rank, value) of its rows, as drawn."""
    lines = browser.run(
        "[...document.querySelectorAll('#panel tbody tr')].map(row => row.dataset.row"
        " ? [row.cells[0].innerText, row.cells[2].innerText] : [row.innerText])"
    )
    shown: dict[str, list[tuple[str, float]]] = {}
    for line in lines:
        if len(line) == 1:
            current = shown.setdefault(line[0].split()[0], [])
        else:
            current.append((line[0], float(line[1].split()[0])))
    return shown


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
    place = methods(browser).index("item-knn")
    heads = browser.run("[...document.querySelectorAll('#panel thead th')].map(t => t.innerText)")
    assert column(browser, heads.index("action"))[place] == f"{means[0]:.4f}"
    assert "recmerge-bench run --suite quick" in browser.run("document.body.innerText")


def test_choices_change_the_table_and_the_link(browser: Browser) -> None:
    show(browser, "suite=quick")
    before = column(browser, 2)
    choose(browser, "protocol", "loo-sampled-99")
    assert column(browser, 2) != before
    choose(browser, "metric", "MRR")
    assert "MRR, by the mean" in browser.run("document.querySelector('#panel caption').innerText")
    choose(browser, "domain", "comedy")
    heads = browser.run("[...document.querySelectorAll('#panel thead th')].map(t => t.innerText)")
    assert [h.strip() for h in heads[2:6]] == ["MRR, comedy ▼", "÷ fine-tune", "NDCG@10", "HR@10"]
    shown = column(browser, 2)
    link = browser.run("location.hash")
    assert all(part in link for part in ("loo-sampled-99", "metric=MRR", "domain=comedy"))
    choose(browser, "suite", "ml100k")
    browser.wait("document.getElementById('title').innerText.includes('converged trainings')")
    assert browser.run("document.getElementById('metric').value") == "NDCG@10", "the suite's own"
    assert browser.run("document.getElementById('domain').value") == ""
    records = json.loads((ROOT / "leaderboards" / "records" / "ml100k.json").read_text())
    made = [r["identity"] for r in records["results"]]
    parts = ("backbone", "method", "recipe", "profile", "variant")
    table = [i for i in made if (i["track"], i["protocol"]) == ("merging", "loo")]
    assert len(column(browser, 0)) == len({tuple(i[p] for p in parts) for i in table}) > 30
    show(browser, link[1:])
    assert column(browser, 2) == shown
    calm(browser)


def test_ranked_in_three_bands(browser: Browser) -> None:
    show(browser, "suite=mergerec-cpu")
    shown = bands(browser)
    assert list(shown) == ["Heuristics", "References", "Methods"]
    assert [len(rows) for rows in shown.values()] == [3, 3, 33]
    for rows in shown.values():
        values = [value for _, value in rows]
        assert values == sorted(values, reverse=True)
        ranks = [int(rank) for rank, _ in rows]
        assert ranks == [values.index(value) + 1 for value in values], "equal means share a rank"
    best = browser.run(
        "[...document.querySelectorAll('#panel tbody strong')].filter(e => "
        "e.closest('td').cellIndex === 2).map(e => e.innerText)"
    )
    assert [float(text) for text in best] == [rows[0][1] for rows in shown.values()]
    calm(browser)


def test_verdicts_belong_to_what_is_shown(browser: Browser) -> None:
    """Fine-tune's verdict is of NDCG@10's mean: beside Recall@10 or one domain it is not shown."""
    heads = "[...document.querySelectorAll('#panel thead th')].map(t => t.innerText.trim())"
    cells = ROWS + ".map(r => [r.cells[{}].innerText, r.cells[{}].innerText])"
    for choice, compared in (("", True), ("metric=Recall@10", False), ("domain=toys", False)):
        show(browser, f"suite=mergerec-cpu&{choice}")
        names = browser.run(heads)
        shown = browser.run(cells.format(names.index("verdict"), names.index("difference")))
        assert all(all(pair) for pair in shown) == compared, choice
        assert any(any(pair) for pair in shown) == compared, choice
        why = browser.run("document.querySelector('#panel .why')?.innerText ?? ''")
        assert ("comparisons are of NDCG@10, mean over the domains" in why) != compared
    browser.run("document.querySelector('#panel .why button').click()")
    assert browser.run("document.getElementById('domain').value") == ""
    assert "better" in column(browser, browser.run(heads).index("verdict"))[0]


def test_too_few_seeds_are_said(browser: Browser) -> None:
    show(browser, "suite=merit-cpu")
    said = column(browser, 3)
    assert any("no verdict (3 of 5 seeds)" in text for text in said)


def test_back_undoes_a_choice(browser: Browser) -> None:
    show(browser, "suite=mergerec-cpu")
    choose(browser, "domain", "toys")
    choose(browser, "metric", "Recall@10")
    browser.run("history.back()")
    browser.wait("document.getElementById('metric').value === 'NDCG@10'")
    assert browser.run("document.getElementById('domain').value") == "toys"
    browser.run("history.back()")
    browser.wait("document.getElementById('domain').value === ''")
    browser.run("history.forward()")
    browser.wait("document.getElementById('domain').value === 'toys'")
    calm(browser)


def test_an_empty_filter_says_so(browser: Browser) -> None:
    show(browser, "suite=quick&q=zzz")
    assert "No row fits these filters (“zzz”)" in browser.run("document.body.innerText")
    browser.run("document.querySelector('[data-key=clear]').click()")
    assert len(methods(browser)) == 11 and not browser.run("document.getElementById('q').value")


def test_takes_the_table_along(browser: Browser) -> None:
    show(browser, "suite=merit-cpu&domain=food")
    saved = (
        "(() => { let kept = ''; const old = URL.createObjectURL;"
        "HTMLAnchorElement.prototype.click = () => {};"
        "window.Blob = class { constructor(parts) { kept = parts.join(''); } };"
        "URL.createObjectURL = () => '#'; "
        "document.querySelector('[data-key=\"take KIND\"]').click();"
        "URL.createObjectURL = old; return kept; })()"
    )
    lines = list(csv.DictReader(browser.run(saved.replace("KIND", "csv")).splitlines()))
    merit = [r for r in lines if r["method"] == "merit (paper recipe)" and r["metric"] == "MRR"]
    assert {r["domain"] for r in merit} == {"food", "kitchen", "mean"}
    assert [r["verdict"] for r in merit if r["domain"] == "food"] == [""]
    assert [r["verdict"] for r in merit if r["domain"] == "mean"] == ["no verdict (3 of 5 seeds)"]
    show(browser, "suite=merit-cpu")
    made = json.loads(browser.run(saved.replace("KIND", "json")))
    assert made["suite"] == "merit-cpu" and len(made["rows"]) == len(methods(browser))


def test_takes_a_parquet_file_along(browser: Browser) -> None:
    """What pyarrow reads of it is what the CSV says, absent values and wide characters too."""
    show(browser, "suite=merit-cpu")
    saved = (
        "(() => { let kept = null; HTMLAnchorElement.prototype.click = () => {};"
        "window.Blob = class { constructor(parts) { kept = parts[0]; } };"
        "URL.createObjectURL = () => '#';"
        "document.querySelector('[data-key=\"take KIND\"]').click(); return RESULT; })()"
    )
    text = browser.run(saved.replace("KIND", "csv").replace("RESULT", "kept"))
    inside = "btoa([...kept].map(b => String.fromCharCode(b)).join(''))"
    raw = base64.b64decode(browser.run(saved.replace("KIND", "parquet").replace("RESULT", inside)))
    table = pyarrow.parquet.read_table(io.BytesIO(raw))
    assert str(table.schema.field("mean").type) == "double"
    assert str(table.schema.field("method").type) == "string"
    wanted = list(csv.DictReader(text.splitlines()))
    rows = table.to_pylist()
    assert len(rows) == len(wanted) > 100 and table.column_names == list(wanted[0])
    for row, line in zip(rows, wanted, strict=True):
        for name, value in line.items():
            if isinstance(row[name], float):
                assert row[name] == float(value)
            else:
                assert (row[name] or "").lstrip("'") == value.lstrip("'"), name
    assert any(row["upper"] is None for row in rows) and any("–" in row["backbone"] for row in rows)
    built = browser.run("btoa([...RECMERGE.parquet(['a', 'b'], [])].map("
                        "b => String.fromCharCode(b)).join(''))")  # fmt: skip
    empty = pyarrow.parquet.read_table(io.BytesIO(base64.b64decode(built)))
    assert empty.num_rows == 0 and empty.column_names == ["a", "b"]


def test_the_papers_numbers_stand_beside_ours(browser: Browser) -> None:
    show(browser, "suite=mergerec-cpu&track=shared-base")
    marked = "[...document.querySelectorAll('#below table.paper td.theirs')].map(c => c.innerText)"
    assert "84.49 % [79.45, 89.73]" in browser.run(marked)
    title = browser.run("document.querySelector('#below h2').innerText")
    assert title.startswith("The paper's numbers beside ours. MergeRec (KDD 2026)")
    assert "not a reproduction" in title
    show(browser, "suite=ml100k")
    assert browser.run("document.querySelectorAll('#below table.paper').length") == 0


def test_many_missing_rows_are_folded(browser: Browser) -> None:
    show(browser, "suite=merging")
    folded = "document.querySelector('#below table.missing').closest('details').open"
    assert browser.run(folded) is False
    show(browser, "suite=sequential")
    assert browser.run(folded) is True


def test_compares_rows_side_by_side(browser: Browser) -> None:
    show(browser, "suite=mergerec-cpu")
    for name in ("mergerec (domain-wise; released recipe)", "ties-per-tensor"):
        browser.run(f"document.querySelector('[aria-label^=\"Compare {name}\"]').click()")
    browser.run("document.getElementById('tab-compare').click()")
    text = browser.run("document.getElementById('panel').innerText")
    assert "mergerec (domain-wise; released recipe)" in text and "ties-per-tensor" in text
    assert "3 to 4 events before the target" in text and "training, seconds" in text
    assert "history-1" not in text, "groups are named in words"
    drawn = browser.run("document.querySelectorAll('#panel .strip .mean').length")
    assert drawn == 2 * 4, "two rows, the mean and three domains"
    show(browser, "suite=recbole&view=compare")
    assert "Nothing is compared here" in browser.run("document.getElementById('panel').innerText")
    calm(browser)


def test_sorts_by_keyboard(browser: Browser) -> None:
    show(browser, "suite=quick")
    ranked = methods(browser)
    focus = "document.activeElement.innerText.trim()"
    browser.run("document.getElementById('q').focus()")
    for _ in range(20):
        browser.press("Tab")
        if str(browser.run(focus)).startswith("action"):
            break
    heads = browser.run("[...document.querySelectorAll('#panel thead th')].map(t => t.innerText)")
    place = heads.index("action")
    state = "document.activeElement.closest('th').getAttribute('aria-sort')"
    assert browser.run(state) == "none"
    for direction, reverse in (("descending", True), ("ascending", False)):
        browser.press("Enter", "\r")
        assert browser.run(state) == direction, "focus stays on the header"
        values = [float(text.split(" ")[0]) for text in column(browser, place)]
        for band in (values[:3], values[3:8], values[8:]):
            assert band == sorted(band, reverse=reverse)
    browser.press("Enter", "\r")
    assert browser.run(state) == "none" and methods(browser) == ranked
    outline = browser.run("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "focus is seen"


def test_views_by_arrow_keys(browser: Browser) -> None:
    show(browser, "suite=mergerec-cpu")
    browser.run("document.getElementById('tab-table').focus()")
    seen = []
    for _ in range(7):
        browser.press("ArrowRight")
        seen.append(browser.run("document.activeElement.innerText"))
        assert browser.run("document.activeElement.getAttribute('aria-selected')") == "true"
    assert seen == ["Compare", "Intervals", "Heat map", "Ranks", "Figures", "Cost", "Table"]
    calm(browser)


def test_filters_and_hides(browser: Browser) -> None:
    show(browser, "suite=quick")
    choose(browser, "q", "sasrec joint")
    assert methods(browser) == ["joint sasrec"]
    choose(browser, "q", "")
    choose(browser, "backbone", "bert4rec")
    assert len(methods(browser)) == 2 and all("bert4rec" in m for m in methods(browser))
    choose(browser, "backbone", "")
    browser.run("document.querySelector('[aria-label=\"Hide item-knn\"]').click()")
    assert "item-knn" not in methods(browser)
    assert browser.run("document.getElementById('status').innerText") == "10 of 11 rows"
    browser.run("document.getElementById('unhide').click()")
    assert len(methods(browser)) == 11


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


VIEWS = ["table", "compare", "intervals", "heat", "ranks", "curves", "cost"]


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
            left = "document.querySelector('#panel tr[data-row] th').getBoundingClientRect().left"
            assert 0 <= browser.run(left) < 30, "its first column stays"
            browser.run("document.querySelector('#panel .scroll').scrollTo(0, 300)")
            top = "document.querySelector('#panel {}').getBoundingClientRect().top"
            head = browser.run(f"{top.format('thead')} - {top.format('.scroll')}")
            assert abs(browser.run(f"{top.format('thead th')} - {top.format('.scroll')}")) < 3, (
                "its header stays"
            )
            assert head < -100, "while the rest has scrolled"
    finally:
        browser.size(1280, 900)


def test_a_phone_shows_method_mean_and_verdict(browser: Browser) -> None:
    """At 360 pixels, before anything is scrolled sideways; no header or name is cut."""
    browser.size(360, 740)
    try:
        for suite in ("mergerec-cpu", "merit-cpu", "merging", "sequential"):
            show(browser, f"suite={suite}")
            right = f"Math.max(...{ROWS}.flatMap(r => [...r.cells].slice(0, 4)).map(PLACE))"
            inner = right.replace("PLACE", "c => c.getBoundingClientRect().right")
            assert browser.run(inner) <= 349, suite
            assert browser.run("document.documentElement.scrollWidth") == 360
    finally:
        browser.size(1280, 900)


def test_the_first_rows_are_on_a_phones_first_screen(browser: Browser) -> None:
    """What stands before the table is folded there, and open where there is room."""
    try:
        for suite in ("cdsr", "merging", "merging-over-time", "recbole", "sequential"):
            browser.size(360, 740)
            show(browser, f"suite={suite}")
            below = browser.run(f"{ROWS}.map(row => row.getBoundingClientRect().bottom)")
            assert below[1] <= 740, suite
            seen = "['choices', 'more'].map(id => document.getElementById(id).open)"
            assert browser.run(seen) == [False, False]
            browser.run("document.querySelector('#choices summary').click()")
            assert browser.run("document.getElementById('track').offsetHeight") > 30
            assert browser.run("document.documentElement.scrollWidth") == 360
        show(browser, "suite=mergerec-cpu")
        assert browser.run("document.getElementById('more').open"), "it is superseded"
        browser.size(1280, 900)
        browser.wait("document.getElementById('choices').open")
        heights = "[...document.querySelectorAll('.fold > summary')].map(s => s.offsetHeight)"
        assert browser.run(heights) == [0, 0]
    finally:
        browser.size(1280, 900)


@pytest.mark.parametrize("width", [360, 600, 768, 1024, 1440])
def test_nothing_is_cut(browser: Browser, width: int) -> None:
    """No text is wider than the element that shows it, unless a box around it scrolls."""
    browser.size(width, 900)
    try:
        for page, hash_ in (("index.html", ""), ("boards.html", "suite=mergerec-cpu"),
                            ("boards.html", "suite=merging&view=compare")):  # fmt: skip
            browser.open(f"{(SITE / page).as_uri()}#{hash_}")
            browser.wait("document.querySelectorAll('main *').length > 30")
            assert browser.run("document.documentElement.scrollWidth") <= width
            cut = browser.run(
                "[...document.querySelectorAll('main p, main h1, main h2, main h3, main dd,"
                " main td, main th, main button')].filter(e => e.clientWidth &&"
                " !e.matches('.away') && getComputedStyle(e).overflowX !== 'visible' &&"
                " e.scrollWidth > e.clientWidth + 1).map(e => e.innerText)"
            )
            assert cut == []
    finally:
        browser.size(1280, 900)


def test_home_says_what_is_asked_and_answered(browser: Browser) -> None:
    browser.open((SITE / "index.html").as_uri())
    calm(browser)
    text = browser.run("document.body.innerText")
    assert "What does a merged recommender keep of its experts?" in text
    top = record("mergerec-cpu")
    assert top["header"]["title"] in text and "Best merge: " in text and "last-item" in text
    cards = browser.run("document.querySelectorAll('article.card').length")
    assert cards == len(list((ROOT / "leaderboards").rglob("records/*.cost.json")))
    links = browser.run("[...document.querySelectorAll('article.card h3 a')].map(a => a.href)")
    browser.open(links[0])
    browser.wait(DRAWN)
    assert len(methods(browser)) > 5
    browser.open(f"{(SITE / 'index.html').as_uri()}#suite=quick&view=ranks")
    browser.wait(
        "location.pathname.endsWith('boards.html') && location.hash.includes('view=ranks')"
    )


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
    assert browser.run(count.format(".chart .dot title")) == len(rows)
    show(browser, "suite=mergerec-cpu&view=curves")
    for name in records["header"]["figures"]:
        choose_figure = (
            "(() => { const e = document.querySelector('[data-key=figure]');"
            f"e.value = {json.dumps(name)}; e.dispatchEvent(new Event('change')); }})()"
        )
        browser.run(choose_figure)
        assert browser.run(count.format(".chart .line, #panel .chart .dot")) > 0, name
        assert browser.run(count.format(".chart title")) > 0
        assert browser.run(count.format("details tbody tr")) > 0, "its data as a table"
        assert "NaN" not in browser.run("document.getElementById('panel').innerHTML")
    calm(browser)


#: Texts of charts that lie over one another or outside their drawing, as the browser places them.
MISPLACED = """
[...document.querySelectorAll('#panel svg.chart')].flatMap(svg => {
  const frame = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll('text')]
    .map(t => [t.textContent, t.getBoundingClientRect()]);
  const wrong = texts.filter(([, b]) => b.left < frame.left - 1 || b.right > frame.right + 1
    || b.top < frame.top - 1 || b.bottom > frame.bottom + 1).map(([t]) => `outside: ${t}`);
  texts.forEach(([t, a], n) => texts.slice(n + 1).forEach(([u, b]) => {
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (wide > 1 && high > 3) wrong.push(`${t} over ${u}`);
  }));
  return wrong;
})
"""


@pytest.mark.parametrize("width", [360, 1280])
def test_no_text_of_a_chart_covers_another(browser: Browser, width: int) -> None:
    """Every declared figure and every cost plot, by where the browser puts its texts."""
    browser.size(width, 900)
    drawn = 0
    try:
        show(browser, "suite=mergerec-cpu&view=curves")
        for suite in ("mergerec-cpu", "merit-cpu", "merging"):
            header = record(suite)["header"]
            data = (SITE / "data" / f"{suite}.js").read_text()
            figures = re.findall(r'"figures":.*', data, re.DOTALL)[0]
            asked = [f"view=curves&figure={n}" for n in header["figures"] if f'"{n}"' in figures]
            asked += [f"view=cost&cost={axis}" for axis in ("learning", "merge", "peak")]
            for link in asked:
                browser.run(f"void (location.hash = 'suite={suite}&{link}')")
                name = link.rpartition("=")[2]
                browser.wait(
                    f"document.title.includes({json.dumps(header['title'])}) && "
                    f"document.querySelector('#panel [data-key=figure], #panel [data-key=cost]')"
                    f"?.value === {json.dumps(name)}"
                )
                assert browser.run(MISPLACED) == [], (link, width)
                drawn += browser.run("document.querySelectorAll('#panel svg.chart').length")
    finally:
        browser.size(1280, 900)
    assert drawn > 20


def test_eight_lines_at_most_unless_asked(browser: Browser) -> None:
    show(browser, "suite=mergerec-cpu&view=curves&figure=history")
    lines = "document.querySelectorAll('#panel svg.chart path.line').length"
    assert browser.run(lines) == 8
    labels = "[...document.querySelectorAll('#panel svg.chart text')].map(t => t.textContent)"
    texts = browser.run(labels)
    assert {"3–4", "10–549", "events before the target", "joint"} <= set(texts)
    assert any(text.startswith("NDCG@10, % of the expert's") for text in texts), "as in the paper"
    browser.run("document.querySelector('.legend [aria-pressed=false]').click()")
    assert browser.run(lines) == 9
    calm(browser)


def test_costs_are_of_what_was_done(browser: Browser) -> None:
    """Rows that merge nothing are no points of the plot of merging, and no cost is rounded to 0."""
    show(browser, "suite=mergerec-cpu&view=cost&cost=merge")
    named = "[...document.querySelectorAll('#panel .dot title')].map(t => t.textContent)"
    titles = browser.run(named)
    assert len(titles) == 33 and not any(t.startswith(("fine-tune", "joint")) for t in titles)
    assert all(float(t.split()[-1].replace(",", "")) > 0 for t in titles)
    assert "row(s) have no such cost" in browser.run("document.body.innerText")


def test_ablations_are_differences(browser: Browser) -> None:
    show(browser, "suite=merit-cpu&view=curves&figure=ablation")
    texts = browser.run(
        "[...document.querySelectorAll('#panel svg.chart text')].map(t => t.textContent)"
    )
    assert "SF1" in texts and "difference in MRR from merit (whole)" in texts
    rows = record("merit-cpu")["comparisons"]
    wanted = sum(len(c["rows"]) for c in rows if c["track"] == "ablation-food-kitchen")
    assert browser.run("document.querySelectorAll('#panel svg.chart circle.dot').length") == wanted
    assert browser.run("document.querySelectorAll('#panel line.line[x1]').length") >= wanted
    show(browser, "suite=merit-cpu&view=curves&figure=gates")
    assert browser.run("document.querySelectorAll('#panel svg.chart rect.dot').length") == 36


def test_every_view_of_every_table_draws(browser: Browser) -> None:
    show(browser)
    for path in sorted((ROOT / "leaderboards").rglob("records/*.cost.json")):
        suite = path.name.removesuffix(".cost.json")
        header = load_records(committed(f"records/{suite}.json")).header
        for track, protocol in board_places(header):  # others stand in cards and matrices
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
    links = browser.run("[...document.querySelectorAll('.band-row a')].map(a => a.href)")
    assert links
    browser.open(links[-1])
    browser.wait(DRAWN)
    assert any(name.startswith("ties") for name in methods(browser))


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
