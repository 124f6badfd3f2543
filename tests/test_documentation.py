"""The documentation builds strictly, and its examples do what the pages say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
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


def test_the_site_builds_strictly(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="the site needs the extra: pip install -e .[docs]")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "-q", "--strict", "-d", str(tmp_path / "site")],
        cwd=ROOT, capture_output=True, text=True, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    page = (tmp_path / "site" / "reference" / "contract.html").read_text(encoding="utf-8")
    assert "StrategyDefinition" in page and "recmerge_bench_register" in page
    html = (tmp_path / "site" / "quickstart.html").read_text(encoding="utf-8")
    assert "fonts.googleapis" not in html, "the site fetches nothing"


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
