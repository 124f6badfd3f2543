"""All files of the site as text, from committed records and the package's own cards alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from recmerge_bench.registry import Registry
from recmerge_bench.report.boards.headline import headline
from recmerge_bench.report.glossary import GLOSSARY
from recmerge_bench.report.site import uses
from recmerge_bench.report.site.answers import answers
from recmerge_bench.report.site.cards import METHODS, Card, dataset_cards, method_cards
from recmerge_bench.report.site.history import NOW, histories
from recmerge_bench.report.site.load import NOTHING, Beside, Suite
from recmerge_bench.report.site.made import all_made, all_trained
from recmerge_bench.report.site.orders import orders
from recmerge_bench.report.site.suites import encode, suite_data
from recmerge_bench.report.site.values import SuiteData, as_json
from recmerge_bench.untrusted.paths import distinct

#: The file that tells a site of ours from other folders.
MARK = "site.json"
#: Nothing but files beside the page is loaded, and no script or style within it runs.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)


def render_site(
    suites: Sequence[Suite], registry: Registry, beside: Beside = NOTHING
) -> dict[str, str]:
    """Path within the site -> text; equal records and cards give equal bytes.

    Args:
        suites: of all records.
        registry: for the cards of methods and datasets.
        beside: profiles of datasets and frozen releases.
    """
    data = {suite.name: suite_data(suite) for suite in suites}
    page = Pages(suites, data, registry, beside)
    pages = {
        MARK: _mark(suites),
        "index.html": page.home(),
        "boards.html": page.boards(),
        "static/glossary.js": f"RECMERGE.glossary = {encode(GLOSSARY)};\n",
        "methods/index.html": page.methods(),
        "datasets/index.html": page.datasets(),
    }
    pages |= {f"data/{distinct(n)}.js": script(n, data[n]) for n in data}
    pages |= {f"methods/{distinct(name)}.html": page.method(name) for name in page.method_names}
    pages |= {f"datasets/{distinct(name)}.html": page.dataset(name) for name in page.dataset_names}
    pages |= static()
    return dict(sorted(pages.items()))


def script(name: str, data: SuiteData) -> str:
    """A suite's data as a call that hands it to the page."""
    return f"RECMERGE.take({encode(name)},\n{encode(as_json(data))});\n"


def static() -> dict[str, str]:
    """Style and scripts."""
    folder = files("recmerge_bench.report.site") / "static"
    names = sorted(f.name for f in folder.iterdir() if f.name.endswith((".css", ".js", ".svg")))
    return {f"static/{name}": (folder / name).read_text(encoding="utf-8") for name in names}


def _mark(suites: Sequence[Suite]) -> str:
    facts = {"made by": "recmerge-bench leaderboard site", "suites": [s.name for s in suites]}
    return json.dumps(facts, indent=1) + "\n"


def card_link(data: SuiteData) -> str:
    """The hash of the boards' page that shows the table behind a suite's headline."""
    if data.place is None:
        return f"suite={quote(data.suite, safe='')}"
    return uses.view(data.suite, *data.place)


def markdown_of(suite: Suite) -> str:
    """Where a suite's Markdown board lies, seen from the site's folder beside the boards."""
    folder = "../archive" if suite.header.superseded else ".."
    return f"{folder}/{suite.name}.md"


class Pages:
    """Renders the HTML pages.

    Args:
        suites: all of them, by name.
        data: name of a suite -> its data (`suite_data`).
        registry: for the cards.
        beside: profiles of datasets and frozen releases.
    """

    def __init__(
        self, suites: Sequence[Suite], data: Mapping[str, SuiteData], registry: Registry,
        beside: Beside = NOTHING,
    ) -> None:  # fmt: skip
        self.suites, self.data, self.beside = suites, data, beside
        self.made, self.trained = all_made(suites), all_trained(suites)
        self.cards, self.dataset_cards = method_cards(registry), dataset_cards(registry)
        self.method_names = sorted({*self.cards, *uses.names(suites)})
        self.dataset_names = sorted({*self.dataset_cards, *uses.dataset_names(suites)})
        self.environment = Environment(
            loader=PackageLoader("recmerge_bench.report.site"), autoescape=True,
            undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
            keep_trailing_newline=True,
        )  # fmt: skip
        self.environment.globals.update(policy=POLICY, slug=distinct)

    def _render(self, template: str, root: str, **values: object) -> str:
        text = self.environment.get_template(template).render(root=root, **values)
        return "\n".join(line.rstrip() for line in text.splitlines() if line.strip()) + "\n"

    def home(self) -> str:
        """The first page: the problem, a card for each suite, the glossary."""
        cards = [(suite, self.data[suite.name], card_link(self.data[suite.name]),
                  markdown_of(suite)) for suite in self.suites]  # fmt: skip
        cards.sort(key=lambda card: (card[1].superseded is not None, card[1].label == "smoke"))
        heads = [headline(s.records) for s in self.suites if not s.header.superseded]
        answered = answers([head.best for head in heads if head.best])
        return self._render("home.html", "", suites=cards, glossary=GLOSSARY, answers=answered)

    def boards(self) -> str:
        """The page that shows the suites."""
        listed = [(s.name, f"{self.data[s.name].title} ({s.shown})",
                   f"data/{distinct(s.name)}.js", markdown_of(s)) for s in self.suites]  # fmt: skip
        return self._render("boards.html", "", suites=listed)

    def methods(self) -> str:
        """A list of all methods."""
        groups: dict[str, list[tuple[str, Card | None, int]]] = {}
        for name in self.method_names:
            card = next(iter(self.cards.get(name, [])), None)
            called = "without a card" if card is None else card.kind
            rows = len(uses.uses(self.suites, self.data, name))
            groups.setdefault(called, []).append((name, card, rows))
        order = [*METHODS.values(), "without a card"]
        return self._render("methods.html", "../", groups=[(g, groups[g]) for g in order
                                                           if g in groups])  # fmt: skip

    def method(self, name: str) -> str:
        """A method's page."""
        rows = uses.uses(self.suites, self.data, name)
        shown = [use for use in rows if not use.not_run]
        standings = uses.standings(self.suites, self.data, name)
        plugins = [] if name in self.cards else uses.recorded_with(self.suites, name)
        return self._render(
            "method.html", "../", name=name, cards=self.cards.get(name, []), uses=shown,
            waiting=len(rows) - len(shown), plugins=plugins,
            standings=standings, made=[one for one in self.made if one.method == name],
            trained=[one for one in self.trained if one.backbone == name],
            releases=[*(one.name for one in self.beside.releases), NOW],
            histories=histories(self.beside.releases, self.suites, standings, name),
        )  # fmt: skip

    def datasets(self) -> str:
        """A list of all datasets."""
        listed = [
            (name, self.dataset_cards.get(name), uses.sizes(self.suites, name))
            for name in self.dataset_names
        ]
        return self._render("datasets.html", "../", datasets=listed)

    def dataset(self, name: str) -> str:
        """A dataset's page."""
        audits = uses.audits(self.suites, name)
        return self._render(
            "dataset.html", "../", name=name, card=self.dataset_cards.get(name),
            uses=uses.dataset_uses(self.suites, name), sizes=uses.sizes(self.suites, name),
            audits=audits, timed=any(a.timed for _, a in audits), profiles=self.beside.profiles,
            orders=orders(self.suites, name),
        )  # fmt: skip
