"""``plugins show``: options, profiles, tier, evidence, citation, file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from recmerge_bench.cli import cli
from recmerge_bench.errors import HandledError
from recmerge_bench.interface.bibtex import bibtex
from recmerge_bench.interface.plugin_facts import FIDELITY, plugin_facts
from recmerge_bench.registry import Registry


def invoke(*words: str) -> Any:
    return CliRunner().invoke(cli, ["plugins", "show", *words], standalone_mode=False)


def test_a_strategy(registry: Registry) -> None:
    [facts] = plugin_facts(registry, "ties-official")
    assert facts.tier == "T0: weights" and facts.fidelity.startswith("code-verified: compared with")
    assert facts.checks[0]["test"].startswith("tests/") and facts.checks[0]["tolerance"]
    options = {o.name: o for o in facts.options}
    assert (options["extra"].default, options["extra"].preset) == (0, 1)
    assert options["zero"].meaning.startswith("the elected sign where")
    path, _, line = facts.file.rpartition(":")
    assert Path(path).read_text().splitlines()[int(line) - 1].startswith("class Ties(")
    assert facts.facts["inputs"] == ["base", "experts"]
    assert "@inproceedings{yadav2023," in facts.bibtex


def test_a_models_profiles_and_inherited_options(registry: Registry) -> None:
    [facts] = plugin_facts(registry, "backbone:sasrec")
    assert facts.profiles["public-table"]["options"]["width"] == 256
    options = {o.name: o for o in facts.options}
    assert (
        options["negatives"].meaning
        == "sampled negatives for each target, for the losses that sample."
    )
    assert options["loss"].type == "one of 'ce', 'sampled-ce', 'bce', 'gbce'"


def test_every_plugin_is_shown_with_the_meaning_of_every_option(registry: Registry) -> None:
    for spec, _ in registry.claims():
        [facts] = plugin_facts(registry, f"{spec.kind}:{spec.name}")
        assert facts.file and not facts.problem, spec.name
        assert [o.name for o in facts.options if not o.meaning] == [], spec.name
        assert bool(facts.bibtex) == bool(spec.citation)


def test_all_words_for_fidelity_have_a_meaning() -> None:
    from typing import get_args

    from recmerge_bench.specs import Fidelity

    assert set(FIDELITY) == set(get_args(Fidelity))


def test_the_command() -> None:
    ran = invoke("ties-official")
    assert ran.return_value == 0
    for words in ("tier: T0: weights", "extra: int = 1 (class: 0)", "checked against", "@inproc",
                  "fidelity: code-verified: "):  # fmt: skip
        assert words in ran.output
    [one] = json.loads(invoke("ties-official", "--json").stdout)
    assert one["name"] == "ties-official" and one["options"][0]["name"] == "density"
    several = json.loads(invoke("ranking-metrics", "--json").stdout)
    assert {"HR", "NDCG"} <= {facts["name"] for facts in several}


def test_what_is_not_registered(registry: Registry) -> None:
    with pytest.raises(HandledError, match=r"no plugin registers 'tise'.*did you mean 'ties'"):
        plugin_facts(registry, "tise")


@pytest.mark.parametrize(
    ("citation", "parts"),
    [
        ("", []),
        (
            "Yadav et al., TIES-Merging, NeurIPS 2023",
            ["@inproceedings{yadav2023,", "author = {Yadav and others}", "title = {{TIES-Merging}}",
             "booktitle = {NeurIPS}", "year = {2023}"],
        ),
        (
            "Kang & McAuley, Attention, with commas, ICDM 2018 (arXiv 1808.09781)",
            ["author = {Kang and McAuley}", "title = {{Attention, with commas}}",
             "eprint = {1808.09781}", "archiveprefix = {arXiv}"],
        ),
        (
            "Hidasi et al., GRU4Rec, ICLR 2016; Hidasi & Czapp, RecSys 2023",
            ["@inproceedings{hidasi2016,", "@misc{hidasi2023,", "author = {Hidasi and Czapp}"],
        ),
        ("one & the same (no paper)", ["@misc{one,", r"note = {one \& the same (no paper)}"]),
    ],
)  # fmt: skip
def test_citations_as_bibtex(citation: str, parts: list[str]) -> None:
    text = bibtex(citation)
    assert all(part in text for part in parts), text
    assert text.count("{") == text.count("}") and text.count("@") == len(
        [p for p in citation.split(";") if p]
    )
