"""What strategies' cards say of how they were checked is there, and is said where people look."""

from __future__ import annotations

import ast
import json
from functools import cache

import pytest
from click.testing import CliRunner
from conftest import ROOT

from recmerge_bench.cli import cli
from recmerge_bench.errors import HandledError
from recmerge_bench.planning.plan import build
from recmerge_bench.planning.suite_files import load_suite
from recmerge_bench.registry import Registry, discover
from recmerge_bench.report.site.cards import method_cards
from recmerge_bench.specs import Check, StrategySpec

REGISTRY = discover(environ={})
STRATEGIES = sorted(REGISTRY.names("strategy"))


def spec_of(name: str) -> StrategySpec:
    spec = REGISTRY.get("strategy", name)
    assert isinstance(spec, StrategySpec)
    return spec


@cache
def sources_of(file: str) -> dict[str, str]:
    """Test name -> its source, decorators included."""
    text = (ROOT / file).read_text(encoding="utf-8")
    lines, lines_by_name = text.splitlines(), {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            lines_by_name[node.name] = "\n".join(lines[first - 1 : node.end_lineno])
    return lines_by_name


@pytest.mark.parametrize("name", STRATEGIES)
def test_each_strategy_says_what_it_was_checked_against(name: str) -> None:
    """The named tests exist, and one of them makes some mention of the strategy or its class."""
    spec = spec_of(name)
    assert spec.checks, f"{name} says nothing of how it was checked"
    sources = []
    for check in spec.checks:
        file, _, test = check.test.partition("::")
        sources.append(sources_of(file)[test])
    words = (name, name.replace("-", "_"), spec.target.rpartition(":")[2], name.split("-")[0])
    assert any(word in source for word in words for source in sources)
    checks = " ".join(check.against for check in spec.checks)
    if spec.fidelity == "code-verified":  # names a repository, or the file of one
        assert "/" in checks
    assert ("own" in checks.split()[0]) == (spec.fidelity == "own"), checks


def test_cards_and_lists_say_it() -> None:
    cards = method_cards(REGISTRY)
    for name in STRATEGIES:
        facts = [text for card in cards[name] for key, text in card.facts
                 if key == "Equations, and how they are checked"]  # fmt: skip
        assert facts == [str(check) for check in spec_of(name).checks]
    done = CliRunner().invoke(cli, ["plugins", "show", "wudi"], standalone_mode=False)
    assert done.exit_code == 0 and "nathanielyvo/WUDI-Merging" in done.output
    output = CliRunner().invoke(cli, ["plugins", "list", "--json"], standalone_mode=False)
    rows = {r["name"]: r for r in json.loads(output.output)["plugins"] if r["kind"] == "strategy"}
    assert rows["wudi"]["checks"][0]["tolerance"] == "1e-9 relative, float64"


def test_mergerecs_card_tells_paper_from_code() -> None:
    checks = " ".join(c.against for c in spec_of("mergerec").checks)
    assert "softmax cross entropy" in checks and "eq. 12" in checks and "binary" in checks


@pytest.mark.parametrize(
    ("against", "test", "tolerance"),
    [
        ("", "tests/test_a.py::test_b", "exact"),
        ("a\nb", "tests/test_a.py::test_b", "exact"),
        ("eq. 1", "tests/test_a.py", "exact"),
        ("eq. 1", "tests/test_a.py::check", "exact"),
        ("eq. 1", "tests/test_a.py::test_b", ""),
    ],
)
def test_empty_statements_are_refused(against: str, test: str, tolerance: str) -> None:
    with pytest.raises(HandledError, match="Check: "):
        Check(against, test, tolerance)
    with pytest.raises(HandledError, match="checks takes a tuple of Check"):
        StrategySpec(
            "mine", "a.b:C", "One line", inputs=("base", "experts"),
            checks=("eq. 1",),  # type: ignore[arg-type]
        )  # fmt: skip


def test_what_is_passed_through_is_the_trained_model(registry: Registry) -> None:
    """zero-shot, fine-tune and joint rank cells of trainings; a merge ranks a merged one."""
    plan = build(load_suite("quick", registry, ("seeds=[0]",)), registry)
    seen = set()
    for result in plan.results:
        method = result.identity["method"]
        if method not in ("zero-shot", "fine-tune", "joint", "ties"):
            continue
        cell = plan.cells[result.key]
        models = {plan.cells[k].kind: plan.cells[k].label for k in cell.inputs.values()}
        assert ("merge" in models) == (method == "ties")
        if method != "ties":
            word = {"zero-shot": "base"}.get(method, method)
            assert word in models["train"], models["train"]
        seen.add(method)
    assert seen == {"zero-shot", "fine-tune", "joint", "ties"}
