"""The documentation builds strictly, and its examples do what the pages say."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from browser import PROGRAM, Browser
from conftest import ROOT, tool
from examples import Reader, examples

DOCS = ROOT / "docs"
#: Pages with examples; the how-tos train models: minutes together, which `tox -e docs` has.
PAGES = [
    pytest.param(
        page,
        id=str(page.relative_to(DOCS)),
        marks=[pytest.mark.slow] if page.parent.name == "how-to" else [],
    )
    for page in sorted(DOCS.rglob("*.md"))
    if any(examples(page))
]


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results that the pages share: what one computed, the next finds."""
    return tmp_path_factory.mktemp("runs")


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run(
    page: Path, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    subtests: pytest.Subtests,
) -> None:  # fmt: skip
    (tmp_path / "runs").symlink_to(runs)
    (tmp_path / "leaderboards").symlink_to(ROOT / "leaderboards")  # as in a clone
    monkeypatch.chdir(tmp_path)
    reader = Reader(tmp_path)
    for example in examples(page):
        if example.skip:
            with subtests.test(msg=str(example)):
                pytest.skip(example.skip)
        else:
            reader.follow(example)


def test_blocks_are_marked_as_what_they_are() -> None:
    """A fence without a language, or of a shell that is no `bash`, would not be run."""
    known = {"bash", "python", "yaml", "toml", "text", "bibtex", "json", "ini"}
    for page in DOCS.rglob("*.md"):
        languages = {example.language for example in examples(page)}
        assert languages <= known, page
        fences = page.read_text(encoding="utf-8").count("```")
        assert fences == 2 * len(list(examples(page))), f"{page}: a fence without a language"


def test_yaml_in_pages_is_yaml() -> None:
    for page in DOCS.rglob("*.md"):
        for example in examples(page):
            if example.language == "yaml":
                yaml.safe_load(example.text)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built strictly: a broken link or a page that no menu has fails.

    Not quietly: MkDocs counts no warning that it does not print.
    """
    pytest.importorskip("mkdocs", reason="the site needs the extra: pip install -e .[docs]")
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(folder)],
        cwd=ROOT, capture_output=True, text=True, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


def test_the_site_has_pages_made_of_the_code(site: Path) -> None:
    for page, words in {
        "reference/contract.html": ("StrategyDefinition", "recmerge_bench_register"),
        "reference/python.html": ("per_user", "load_results"),
        "reproduce.html": ("paper-mergerec", "MergeRec (Layer-wise)", "0.1801 ± 0.0015"),
        "changelog.html": ("Unreleased",),
    }.items():
        text = (site / page).read_text(encoding="utf-8")
        assert all(word in text for word in words), page
        assert "<!-- made:" not in text


@pytest.fixture(scope="module")
def browser(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser for the site."""
    if PROGRAM is None:
        pytest.skip("no chromium here: apt-get install chromium")
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def test_the_site_opens_from_disk_and_finds(site: Path, browser: Browser) -> None:
    browser.open((site / "index.html").as_uri())
    browser.wait("!document.querySelector('.md-search').hidden")
    browser.run(
        "(() => { const field = document.querySelector('.md-search__input'); field.focus();"
        " field.value = 'task vector';"
        " field.dispatchEvent(new KeyboardEvent('keyup', {bubbles: true})); })()"
    )
    browser.wait("document.querySelectorAll('.md-search-result__item').length > 3")
    asked = [r for r in browser.requests() if not r.startswith(("file:", "data:"))]
    assert (asked, browser.complaints()) == ([], []), "nothing is fetched from elsewhere"


#: Texts of the drawing that leave it, overlap another, or can hardly be told from the ground.
UNREADABLE = """
(() => {
  const svg = document.querySelector("svg.rmb"), frame = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll("text")].map((t) => [t, t.getBoundingClientRect()]);
  const luminance = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const ground = luminance(getComputedStyle(svg.querySelector(".ground")).fill);
  const bad = [];
  for (const [text, box] of texts) {
    const ink = luminance(getComputedStyle(text).fill);
    const seen = [0, 1, 2].map((i) => ink[i] * ink[3] + ground[i] * (1 - ink[3]));
    const distance = Math.hypot(...[0, 1, 2].map((i) => seen[i] - ground[i]));
    if (distance < 120) bad.push(`faint: ${text.textContent}`);
    if (box.left < frame.left || box.right > frame.right) bad.push(`out: ${text.textContent}`);
    for (const [other, theirs] of texts)
      if (text !== other && box.left < theirs.right - 1 && theirs.left < box.right - 1 &&
          box.top < theirs.bottom - 4 && theirs.top < box.bottom - 4)
        bad.push(`overlap: ${text.textContent} / ${other.textContent}`);
  }
  return texts.length > 30 ? bad : ["no drawing"];
})()
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_drawing_is_readable(site: Path, browser: Browser, scheme: str) -> None:
    browser.size(1280, 900)
    browser.prefer(scheme)
    browser.open((site / "concepts.html").as_uri())
    browser.run("localStorage.clear()")  # what a visitor chose before
    browser.open((site / "concepts.html").as_uri())
    assert browser.run(UNREADABLE) == []
    dark = browser.run("document.body.getAttribute('data-md-color-scheme') === 'slate'")
    assert dark == (scheme == "dark")


def test_references_name_every_command_plugin_and_suite_key() -> None:
    from recmerge_bench.cli import COMMANDS
    from recmerge_bench.planning.suite import Suite, Track
    from recmerge_bench.registry import discover

    pages = tool("benchmarks/tools/reference_pages.py")
    commands, plugins, suite = pages.commands(), pages.plugins(), pages.suite()
    assert all(f"## recmerge-bench {name}\n" in commands for name in COMMANDS)
    registry = discover(environ={})
    assert all(f"{{#{kind}-{name.lower()}}}" in plugins for kind, name in registry.specs)
    for model in (Suite, Track):
        for key in model.model_fields:
            [row] = [x for x in suite.splitlines() if x.startswith(f"| `{key}` |")][:1]
            assert not row.endswith("|  |"), f"{model.__name__}.{key} has no meaning in a docstring"


def test_root_documents_are_there_and_agree() -> None:
    version = tool("recmerge_bench/_version.py").__version__
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == version and citation["license"] == "MIT"
    assert f"version = {{{version}}}" in (DOCS / "cite.bib").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    workflow = (ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    steps = [s.get("run", "") for job in yaml.safe_load(workflow)["jobs"].values()
             for s in job["steps"]]  # fmt: skip
    assert ".ci/run" in steps
    [first] = [s for s in steps if s.startswith("pip install")]
    assert f"    {first}\n" in readme, "CI calls the README's command"
    assert f"\n{first}\n" in (DOCS / "quickstart.md").read_text(encoding="utf-8")
    for template in (ROOT / ".github").rglob("*.yml"):
        assert yaml.safe_load(template.read_text(encoding="utf-8"))
