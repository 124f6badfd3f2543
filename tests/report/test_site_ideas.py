"""What docstrings say of methods for their pages: ideas and equations, shared or of one method."""

from __future__ import annotations

import re

import pytest
from conftest import ROOT

from recmerge_bench.registry import Registry
from recmerge_bench.report.site import ideas
from recmerge_bench.report.site.cards import Card, method_cards
from recmerge_bench.specs import StrategySpec


@pytest.fixture(scope="module")
def cards(registry: Registry) -> dict[str, list[Card]]:
    return method_cards(registry)


def test_paragraphs_of_one_method_stand_before_those_of_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = [
        "Of a class.",
        "A module.\n\nIdea: For all,\ntwo lines.\n\nIdea (b, c): For ``b``.\n\n",
    ]
    monkeypatch.setattr(ideas, "_docstrings", lambda spec: texts)
    specs = [StrategySpec(name, "m:C", "One line", inputs=("base", "experts")) for name in "abc"]
    assert [ideas.idea(spec) for spec in specs] == ["For all, two lines.", "For b.", "For b."]
    assert ideas.equations(specs[0]) == ""


def test_methods_of_one_module_have_ideas_of_their_own(cards: dict[str, list[Card]]) -> None:
    names = ("sasrec", "sasrec-prenorm", "gsasrec", "adamerging", "adamerging-pp",
             "adamerging-mergerec", "adamerging-pseudo", "adamerging-sequences")  # fmt: skip
    said = [cards[name][0].idea for name in names]
    assert len(set(said)) == len(names)
    for name in ("adamerging-mergerec", "adamerging-pseudo"):
        assert "pseudo-users" in cards[name][0].idea and "no data of users" in cards[name][0].idea
    assert "gBCE" in cards["gsasrec"][0].idea


def test_each_method_with_a_source_says_where_its_equations_are_from(
    cards: dict[str, list[Card]],
) -> None:
    """And the tests that it names are there."""
    for name, own in cards.items():
        for card in own:
            told = [text for what, text in card.facts if what.startswith("Equations")]
            assert told or not card.citation, name
            for file, test in re.findall(r"(tests/[\w/]+\.py)(?:::(\w+))?", " ".join(told)):
                text = (ROOT / file).read_text(encoding="utf-8")
                assert not test or f"def {test}(" in text, (name, test)


def test_options_have_no_marks_and_say_what_they_are(cards: dict[str, list[Card]]) -> None:
    for name, own in cards.items():
        for card in own:
            for option in card.options:
                assert "`" not in option.meaning, (name, option)
                assert option.meaning and not option.meaning.startswith("of "), (name, option)
