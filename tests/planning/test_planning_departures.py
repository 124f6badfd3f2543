"""What a suite makes otherwise than a paper is found in its configuration."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from conftest import ROOT

from recmerge_bench.errors import HandledError
from recmerge_bench.planning.plan import build
from recmerge_bench.planning.suite_files import load_suite
from recmerge_bench.registry import Registry
from recmerge_bench.report.boards.paper_tables import heading
from recmerge_bench.results.header import Paper


def differs(registry: Registry, suite: str, *changes: str) -> dict[str, list[str]]:
    plan = build(load_suite(suite, registry, changes), registry, ROOT / "nothing")
    tracks = plan.header["tracks"].items()
    papers = {name: facts["paper"] for name, facts in tracks if facts.get("paper")}
    for facts in papers.values():
        assert ("for comparison" in heading(Paper.model_validate(facts))) == bool(facts["differs"])
    return {name: facts["differs"] for name, facts in papers.items()}


@pytest.mark.parametrize("suite", ["paper-merit", "merit-ablation", "paper-mergerec"])
def test_suites_of_the_papers_settings_depart_in_nothing(registry: Registry, suite: str) -> None:
    assert not any(differs(registry, suite).values())


@pytest.mark.parametrize("suite", ["merit-cpu", "mergerec-cpu"])
def test_smaller_ones_say_so_of_themselves(registry: Registry, suite: str) -> None:
    """No sentence of these tracks is written by hand but what no configuration can tell."""
    assert all(differs(registry, suite).values())
    width = differs(registry, "merit-cpu")["width-food-kitchen"]
    assert width[0].startswith("training epochs 60 (the paper's: 500), batch_size 64 (the paper's")
    assert "select MRR@mixed-merit (the paper's: MRR@mixed-merit-sampled-999)" in width[0]


def test_experts_of_unscored_domains_are_not_validated_and_the_board_says_it(
    registry: Registry,
) -> None:
    assert differs(registry, "paper-unseen")["unseen"] == [
        "training select none (the paper's: NDCG@10@loo-released)"
    ]


BASE = "tracks.food-kitchen."


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (f"{BASE}training.lr=0.001", "training lr 0.001 (the paper's: 0.0001)"),
        (f"{BASE}training.ema=0.9", "training ema 0.9 (the paper's: 0)"),
        (f"{BASE}training.drop=0.8", "all rows but abxi paper, abxi released: training drop 0.8"),
        (f"{BASE}training.select=MRR@mixed-merit", "training select MRR@mixed-merit (the paper's"),
        (f"{BASE}training.eval_every=-1", "select none (the paper's: MRR@mixed-merit-sampled-999)"),
        (f"{BASE}dataset_options.tie_break=random", "dataset option tie_break random (the paper's"),
        (
            f"{BASE}models={{merit: {{options: {{dropout: 0.1}}}}}}",
            "merit paper, merit computes=released released",
        ),
        (
            f"{BASE}models={{mgcl: {{training: {{accumulate: 2}}}}}}",
            "mgcl paper: training accumulate 2 (the pap",
        ),
        (
            "tracks.beauty-electronics.models={}",
            "abxi paper, abxi released: option domain_rank 16",
        ),
    ],
)
def test_any_key_that_departs_is_said(registry: Registry, change: str, message: str) -> None:
    """A suite that departs in any key is headed "for comparison", without a word by its author."""
    plain, departures = differs(registry, "paper-merit"), differs(registry, "paper-merit", change)
    (track,) = [name for name in departures if departures[name] != plain[name]]
    assert len(departures[track]) == 1 and message in departures[track][0]


def test_what_changes_no_number_is_no_departure(registry: Registry) -> None:
    assert not any(differs(registry, "paper-merit", f"{BASE}training.save_every=7").values())


def test_experts_and_their_base_are_compared(registry: Registry) -> None:
    few = differs(registry, "paper-mergerec", "tracks.mergerec.experts=[arts, beauty]")
    assert few["mergerec"][0].startswith("experts arts, beauty (the paper's: arts, beauty, ins")
    source = differs(registry, "paper-mergerec", "tracks.mergerec.source=[toys]")
    assert any("source domains toys (the paper's: none)" in line for line in source["mergerec"])


def test_a_backbone_of_a_table_without_others_is_compared_by_its_options(
    registry: Registry,
) -> None:
    """By setting too: the published feed-forward part is as wide as the vectors on Toys alone."""
    published = differs(registry, "sequential")
    wide = "esasrec fine-tune fixed: backbone option width 128 (the paper's: 256)"
    assert all(any(line.startswith(wide) for line in lines) for lines in published.values())
    assert ["inner 4 (the paper's: 1)" in str(lines) for lines in published.values()] == [
        name == "toys" for name in published
    ]
    same = "tracks.toys.backbones.esasrec.options"
    lines = differs(registry, "sequential", f"{same}.width=256", f"{same}.inner=1")["toys"]
    assert "width 128" not in str(lines) and "inner" not in str(lines)


def test_words_by_hand_only_add(registry: Registry) -> None:
    by_hand = f"{BASE}paper.differs=['the moon was full']"
    departures = differs(registry, "paper-merit", by_hand, f"{BASE}training.lr=0.001")[
        "food-kitchen"
    ]
    assert departures == ["training lr 0.001 (the paper's: 0.0001)", "the moon was full"]


def test_a_table_that_declares_nothing_is_no_reproduction(
    registry: Registry, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "benchmarks" / "paper", tmp_path / "paper")
    shutil.copy(ROOT / "benchmarks" / "paper-merit.yaml", tmp_path)
    file = tmp_path / "paper" / "merit.yaml"
    file.write_text(file.read_text().partition("configuration:")[0])
    bare = Registry(specs=registry.specs, plugins=registry.plugins, suite_paths=[tmp_path])
    assert differs(bare, "paper-merit")["food-kitchen"] == [
        "what the paper's rows were made with is not declared, so nothing was compared"
    ]


def test_models_that_are_no_row_are_refused(registry: Registry) -> None:
    with pytest.raises(HandledError, match=r"`models` names 'abix'.*did you mean 'abxi'"):
        differs(registry, "paper-merit", f"{BASE}models={{abix: {{options: {{heads: 2}}}}}}")
