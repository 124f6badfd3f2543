"""The static site: its data, its pages, and that it is the same from equal records."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import ROOT
from scipy import stats
from site_builders import HOSTILE, write_folder

from recmerge_bench.cli import cli
from recmerge_bench.docstrings import attributes
from recmerge_bench.errors import HandledError
from recmerge_bench.registry import Registry
from recmerge_bench.report.site.cards import bibtex, links
from recmerge_bench.report.site.load import Suite, load_suites
from recmerge_bench.report.site.numbers import short
from recmerge_bench.report.site.pages import POLICY, render_site
from recmerge_bench.report.site.suites import encode, suite_data
from recmerge_bench.report.site.uses import standings
from recmerge_bench.report.site.values import as_json
from recmerge_bench.report.site.write import write_site
from recmerge_bench.statistics.summary import mean_interval
from recmerge_bench.untrusted.paths import distinct

SITE = ROOT / "leaderboards" / "site"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("records"))


@pytest.fixture(scope="module")
def pages(folder: Path, registry: Registry) -> dict[str, str]:
    return render_site(load_suites(folder), registry)


def shown(suite: Suite) -> Any:
    """What the page of a suite is handed."""
    return as_json(suite_data(suite))


def row(data: dict[str, Any], label: str) -> dict[str, Any]:
    [wanted] = [r for r in data["tables"][0]["rows"] if r["label"] == label]
    return wanted


def test_rows_hold_what_the_board_shows(folder: Path) -> None:
    [suite] = load_suites(folder)
    data = shown(suite)
    own = row(data, "own")
    mean, interval, seeds = own["values"]["NDCG@10"]["books"]
    assert (mean, seeds) == (0.31, [0.3, 0.32])
    exact = stats.t.interval(0.95, 1, loc=0.31, scale=stats.sem([0.3, 0.32]))
    assert interval == pytest.approx(exact, rel=1e-5)
    assert own["verdict"] == "baseline" and own["shares"]["NDCG@10"]["books"] == 1
    assert own["cost"] == {"train": 2, "merge": 0.25, "other": 0.5, "peak": 1}
    average = row(data, "average (a|b; fixed recipe)")
    assert average["verdict"] == "worse" and average["difference"]["methods"] == [-0.16, -0.04]
    assert average["difference"]["alone"] == [-0.15, -0.05] and average["models"] == "worse"
    shares = average["shares"]["NDCG@10"]
    books, films = (0.2 / 0.3 + 0.2 / 0.32) / 2, (0.3 / 0.4 + 0.35 / 0.44) / 2
    assert shares["books"] == pytest.approx(books, rel=1e-5), "seed by seed, as boards have it"
    assert shares["films"] == pytest.approx(films, rel=1e-5)
    assert shares["mean of ratios"] == pytest.approx((books + films) / 2, rel=1e-5)
    whole = (0.25 / 0.35 + 0.275 / 0.38) / 2
    assert shares["ratio of means"] == pytest.approx(whole, rel=1e-5)
    assert row(data, "counts")["shares"]["NDCG@10"] is None
    assert data["tables"][0]["across"]["said"].startswith("too few domains")


def test_what_is_missing_stands_with_its_reason(folder: Path) -> None:
    [suite] = load_suites(folder)
    data = shown(suite)
    missing = {"status": "blocked", "reason": "no data", "mend": "mend it", "seeds": [0, 1]}
    assert row(data, "absent")["gaps"] == [missing] and row(data, "absent")["values"]["MRR"] == {}
    half = row(data, "average (paper recipe)")
    assert (half["seeds"], half["wanted"], half["gaps"][0]["seeds"]) == ([0], 2, [1])
    assert half["values"]["NDCG@10"]["books"][1] is None, "one seed has no interval"


def test_numbers() -> None:
    assert short(0.123456789) == 0.123457 and short(3.0) == 3 and short(None) is None
    assert mean_interval([1.0]) is None and mean_interval([1.0, 1.0]) == (1.0, 1.0)


class Loaded(HTMLParser):
    """Tags and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]


def test_names_that_are_markup_stay_text(pages: dict[str, str]) -> None:
    data = pages["data/fake.js"]
    assert data.isascii() and not set("<>&") & set(data)
    call = data.removeprefix('RECMERGE.take("fake",\n').removesuffix(");\n")
    assert json.loads(call)["title"] == HOSTILE
    page = pages[f"methods/{distinct(HOSTILE)}.html"]
    for text in (page, pages["index.html"], pages["methods/index.html"]):
        actual = Loaded(text)
        assert "img" not in actual.tags and "style" not in actual.tags
        assert not [a for a in actual.attributes if a[1].startswith("on") or a[1] == "style"]
    assert "&lt;/script&gt;" in page and "No plugin that comes with the package" in page


@pytest.mark.parametrize("value", [HOSTILE, ["</script>", {"&<!--": "\u2029"}], [], {}, 0.25, None])
def test_data_survive_their_encoding(value: Any) -> None:
    assert json.loads(encode(value)) == value


def test_pages_load_nothing_from_elsewhere(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        if not name.endswith(".html"):
            continue
        page = Loaded(text)
        for tag, attribute, value in page.attributes:
            if attribute in ("src", "href"):
                if tag == "a" and value.startswith("https://"):
                    continue  # a link that somebody may follow: nothing is fetched for the page
                assert not re.match(r"[a-z]+:|//", value), f"{name}: {tag} {value}"
                if value in ("../fake.md", "../archive/fake.md"):
                    continue  # the Markdown boards lie beside the site's folder
                if value.startswith("../../../plugins/"):
                    continue  # and the code beside the boards'
                if not value.startswith("#"):
                    place = (SITE / name).parent / value.partition("#")[0]
                    assert place.resolve().relative_to(SITE.resolve()).as_posix() in pages, value
        assert ("meta", "content", POLICY) in page.attributes
    for name, text in pages.items():
        if name.startswith("static/"):
            assert "http" not in text.replace("http://www.w3.org/2000/svg", ""), name
            assert "innerHTML" not in text and "eval(" not in text and "insertAdj" not in text


def test_equal_records_give_equal_bytes(folder: Path, tmp_path: Path, registry: Registry) -> None:
    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: turned(value[k]) for k in reversed(value)}
        return [turned(v) for v in value] if isinstance(value, list) else value

    for file in folder.glob("*.json"):
        turned_over = json.dumps(turned(json.loads(file.read_text())))
        (tmp_path / file.name).write_text(turned_over)
    once, again = (render_site(load_suites(f), registry) for f in (folder, tmp_path))
    assert once == again


def test_the_committed_site_is_light() -> None:
    files = [f for f in SITE.rglob("*") if f.is_file()]
    assert {"index.html", "style.css", "quick.js"} <= {f.name for f in files}
    own = sum(f.stat().st_size for f in files if f.parent.name != "data")
    data = sum(f.stat().st_size for f in files if f.parent.name == "data")
    assert 100_000 < own < 2_500_000 and data > 100_000
    assert max(f.stat().st_size for f in files if f.suffix == ".html") < 250_000


def test_every_method_and_dataset_has_a_page(registry: Registry) -> None:
    for kind, place in (("strategy", "methods"), ("backbone", "methods"), ("cdsr", "methods"),
                        ("dataset", "datasets")):  # fmt: skip
        for name in registry.names(kind):
            text = (SITE / place / f"{distinct(name)}.html").read_text()
            assert f"<h1>{name}</h1>" in text
    ties = (SITE / "methods" / "ties.html").read_text()
    for phrase in ("Yadav et al.", "paper-equations", "T0", "<code>density</code>", "quick"):
        assert phrase in ties
    ml = (SITE / "datasets" / "ml-100k.html").read_text()
    assert "943 users, 100,000 events" in ml and "GroupLens" in ml


@pytest.mark.parametrize(
    ("name", "wanted"), [("ties", "ties"), ("index", None), ("../x", None), ("Übung", None)]
)
def test_file_names_are_safe(name: str, wanted: str | None) -> None:
    actual = distinct(name)
    assert actual == wanted if wanted else re.fullmatch(r"[a-z0-9-]+", actual) and actual != name


def test_a_site_is_replaced_whole(tmp_path: Path, pages: dict[str, str]) -> None:
    to = tmp_path / "site"
    write_site({**pages, "old.html": "gone with the next one"}, to)
    write_site(pages, to)
    there = {f.relative_to(to).as_posix() for f in to.rglob("*") if f.is_file()}
    assert there == set(pages) and [f.name for f in tmp_path.iterdir()] == ["site"]


def test_other_folders_are_left_alone(tmp_path: Path, pages: dict[str, str]) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(HandledError, match="no site that"):
        write_site(pages, tmp_path)
    assert [f.name for f in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_failure_leaves_the_old_site(tmp_path: Path, pages: dict[str, str]) -> None:
    to = tmp_path / "site"
    write_site(pages, to)
    with pytest.raises(OSError):
        write_site({"index.html": "new", "index.html/below": "a file is no folder"}, to)
    assert (to / "index.html").read_text() == pages["index.html"]
    assert [f.name for f in tmp_path.iterdir()] == ["site"]


def test_the_command(folder: Path, tmp_path: Path) -> None:
    asked = ["leaderboard", "site", "--records", str(folder), "--to", str(tmp_path / "site")]
    ran = CliRunner().invoke(cli, asked, standalone_mode=False)
    assert ran.return_value == 0 and "wrote" in ran.output
    assert (tmp_path / "site" / "index.html").is_file()
    empty = CliRunner().invoke(cli, [*asked[:3], str(tmp_path), *asked[4:]], standalone_mode=False)
    assert isinstance(empty.exception, HandledError)


def test_two_files_of_one_suite(folder: Path, tmp_path: Path) -> None:
    write_folder(tmp_path)
    (tmp_path / "twice.json").write_text((folder / "fake.json").read_text())
    with pytest.raises(HandledError, match="two records files"):
        load_suites(tmp_path)


def test_probes_become_a_figure(folder: Path) -> None:
    [suite] = load_suites(folder)
    [figure] = shown(suite)["figures"]
    assert figure["ticks"] == ["gate a", "gate b"]
    assert figure["panels"][0]["series"][0]["points"] == [[0, 0.3, 0.1, 2], [1, 0.7, 0.1, 2]]


COLOURS = re.compile(r"--([a-z0-9-]+): (#[0-9a-f]{6})")
PAIRS = [
    *((n, g) for n in ("text", "muted", "accent") for g in ("ground", "surface")),
    *((n, "surface") for n in ("better", "worse", "equivalent", "undecided", "baseline")),
    *((f"h{n}-text", f"h{n}") for n in range(7)),
    ("note-text", "note"), ("ground", "accent"), ("muted", "raised"), ("text", "raised"),
]  # fmt: skip


def test_contrast() -> None:
    """WCAG 2: 4.5 for text, 3 for lines and dots of plots, in both themes."""
    blocks = (SITE / "static" / "style.css").read_text().split("\n* {")[0].split(":root")[1:]
    light, *dark = [dict(COLOURS.findall(block)) for block in blocks]
    assert len(dark) == 2 and dark[0] == dark[1] and light.keys() == dark[0].keys()
    for theme in (light, dark[0]):
        for ink, ground in PAIRS:
            assert contrast(theme[ink], theme[ground]) >= 4.5, (ink, ground, theme[ink])
        for number in range(8):
            assert contrast(theme[f"s{number}"], theme["surface"]) >= 3


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        flat = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * flat[0] + 0.7152 * flat[1] + 0.0722 * flat[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("indent", ["    ", ""])  # Python up to 3.12, and from 3.13 on
def test_options_are_described_alike_with_and_without_indentation(indent: str) -> None:
    lines = (
        "", "Attributes:", "    variant: 0, the model; 1: without", "        3: x.",
        "    width: of it.",
    )  # fmt: skip
    doc = "\n".join(["Of a model.", *(indent + line if line else line for line in lines)])
    assert attributes(doc) == {"variant": "0, the model; 1: without 3: x.", "width": "of it."}


def test_sources_are_links_and_entries() -> None:
    citation = "Hou et al., UniSRec & co, KDD 2022 (arXiv 2206.05941); doi 10.1145/12.34."
    wanted = (
        ("arXiv 2206.05941", "https://arxiv.org/abs/2206.05941"),
        ("doi:10.1145/12.34", "https://doi.org/10.1145/12.34"),
    )
    assert links(citation) == wanted and links("Kang & McAuley, ICDM 2018") == ()
    entry = bibtex("unisrec", citation)
    assert entry.startswith("@misc{unisrec,\n") and "  year = {2022}," in entry
    assert "  eprint = {2206.05941}," in entry and r"UniSRec \& co" in entry
    assert bibtex("own", "") == ""


def test_a_methods_page_says_where_it_stands() -> None:
    page = (SITE / "methods" / "mergerec.html").read_text(encoding="utf-8")
    assert '<a href="https://doi.org/10.1145/3770854.3780264"' in page and "@misc{mergerec," in page
    assert "<code>plugins/strategies/mergerec.py</code>" in page
    assert (SITE.parents[1] / "plugins" / "strategies" / "mergerec.py").is_file()
    [suite] = [s for s in load_suites(SITE.parent / "records") if s.name == "mergerec-cpu"]
    data = {suite.name: suite_data(suite)}
    standing = standings([suite], data, "mergerec")[0]
    assert standing.place == ("shared-base", "loo-released") and standing.band == "methods"
    means = {r.id: r.values["NDCG@10"]["mean"] for r in data[suite.name].tables[0].rows
             if r.band == "methods"}  # fmt: skip
    best = max(round(v.mean, 4) for v in means.values() if v)
    assert standing.count == len(means) and (standing.rank == 1) == (
        best == max(round(v.mean, 4) for r in data[suite.name].tables[0].rows
                    if r.method == "mergerec" and (v := r.values["NDCG@10"]["mean"]))
    )  # fmt: skip
    assert 4 <= standing.own <= 296 and all(4 <= x <= 296 for x in standing.others)
