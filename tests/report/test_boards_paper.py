"""Papers' numbers beside ours: hand-checked tables, deltas, what is no reproduction, stars."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import boards_builders as made
import numpy as np
import pytest
from conftest import committed
from hypothesis import given
from hypothesis import strategies as st
from json_boards import beside, render, render_full, tables
from scipy import stats

from recmerge_bench.errors import DataError
from recmerge_bench.files import write_json
from recmerge_bench.planning.plan import build
from recmerge_bench.planning.suite_files import load_suite
from recmerge_bench.registry import Registry
from recmerge_bench.report.boards.paper import Beside, order_alike
from recmerge_bench.report.boards.stars import stars
from recmerge_bench.report.publishing.check import check
from recmerge_bench.report.publishing.finish import render_suite
from recmerge_bench.results.all_ranks import write_all_ranks
from recmerge_bench.results.files import load_records
from recmerge_bench.results.header import PaperTest

METHODS = {
    "Expert": {"method": "own", "variant": None, "recipes": [], "role": "reference"},
    "Mean": {"method": "average", "variant": "a|b", "recipes": [], "role": "baseline"},
    "Ours": {"method": "late", "variant": None, "recipes": ["paper"], "role": "proposed"},
    "Other": {"method": "absent", "variant": None, "recipes": [], "role": "baseline"},
}
NUMBERS = [
    "Table 1,Big,Mean,books,NDCG@10,value,0.1900,0.0100,0",
    "Table 1,Big,Mean,films,NDCG@10,value,0.5000,0.0100,0",
    "Table 1,Big,Mean,average,NDCG@10,value,0.3450,,0",
    "Table 1,Big,Mean,average,NDCG@10,share,70.0,,0",
    "Table 1,Big,Ours,books,NDCG@10,value,0.2500,0.0100,2",
    "Table 1,Big,Other,books,NDCG@10,value,0.1500,,0",
]


def records(**changes: Any) -> dict[str, Any]:
    """The fabricated suite with a fabricated paper."""
    document = made.records()
    document["header"]["tracks"]["merging"]["paper"] = {
        "reference": "table", "title": "A paper, Table 1", "source": "a journal", "setting": "",
        "seeds": 5, "protocol": "cut", "average": "ratio of means", "units": ["value", "share"],
        "differs": [], "notes": ["Mind the gap."], "test": None,
        "backbones": {"net": ["Big"]}, "methods": METHODS, "numbers": NUMBERS, **changes,
    }  # fmt: skip
    return document


def entries(document: dict[str, Any]) -> list[Beside]:
    [(place, lines)] = tables(document).items()
    return beside(document["header"], place, lines)


def cells(text: str, *words: str) -> list[str]:
    [line] = [x for x in text.splitlines() if all(w in x for w in words)]
    return [c.strip() for c in line.strip("| ").split(" | ")]


def test_numbers_side_by_side_by_hand() -> None:
    text = render_full(records())
    assert "### A paper, Table 1 and ours" in text and "Mind the gap." in text
    # ours .2 and .2; .3 and .35 over the seeds
    row = cells(text, "| Mean", "| books", "NDCG@10 ")
    assert row[1:] == [
        "average (a\\|b; fixed recipe)", "books", "NDCG@10", "0.1900 ± 0.0100",
        "0.2000 ± 0.0000", "+0.0100", "+5.3 %", "no",
    ]  # fmt: skip
    row = cells(text, "| Mean", "| films", "NDCG@10 ")
    assert row[4:] == ["0.5000 ± 0.0100", "0.3250 ± 0.0354", "-0.1750", "-35.0 %", "yes"]
    # .25 / .35 and .275 / .38: 71.43 and 72.37 per cent
    row = cells(text, "| Mean", "| average", "÷ expert")
    assert row[4:] == ["70.00 %", "71.90 ± 0.66 %", "+1.90 points", "+2.7 %", "yes"]
    assert cells(text, "| Other", "| books")[4:] == ["0.1500", "blocked", "–", "–", "–"]
    assert cells(text, "| Ours", "| books")[1:] == [
        "–", "books", "NDCG@10", "0.2500 ± 0.0100\\*\\*", "no row", "–", "–", "–",
    ]  # fmt: skip


def test_the_compact_board_has_the_average_of_the_primary_metric_alone() -> None:
    part = render(records()).split("### A paper")[1].split("### ")[0]
    assert "÷ expert" in part and "| books" not in part and "| average" in part


@pytest.mark.parametrize("differs", [[], ["other candidates"]])
def test_what_is_no_reproduction_says_so(differs: list[str]) -> None:
    for text in (render(records(differs=differs)), render_full(records(differs=differs))):
        assert ("for comparison, not a reproduction" in text) == bool(differs)
        assert ("- other candidates" in text) == bool(differs)
        assert ("| inside" in text) != bool(differs)


def test_other_protocols_and_profiles_are_not_set_beside_it() -> None:
    document = records(protocol="another")
    assert entries(document) == [] and "A paper" not in render(document)
    document = records()
    for result in document["results"]:
        result["identity"]["profile"] = "large"
    assert all(e.line is None for e in entries(document))


def test_several_backbones_are_averaged_with_their_range() -> None:
    lines = [
        f"Table 1,{b},Mean,{d},NDCG@10,share,{v},,1"
        for b, d, v in (("Big", "books", 60), ("Big", "films", 70), ("Small", "books", 80),
                        ("Small", "films", 94))
    ]  # fmt: skip
    averaged = records(numbers=lines, backbones={"net": ["Big", "Small"]})
    rows = entries(averaged)
    assert [(e.domain, e.paper, e.range, e.stars) for e in rows] == [
        ("books", 70, (60, 80), 0), ("films", 82, (70, 94), 0),
        ("mean of ratios", 76, (65, 87), 0),
    ]  # fmt: skip
    by_hand = [100 * (0.2 / 0.3 + 0.3 / 0.4) / 2, 100 * (0.2 / 0.32 + 0.35 / 0.44) / 2]
    assert list(rows[-1].ours.values()) == pytest.approx(by_hand)
    assert "76.00 % [65.00, 87.00]" in render(averaged)


def test_rows_stand_backbone_by_backbone() -> None:
    lines = [
        f"Table 1,{b},{m},books,NDCG@10,value,0.5,,0"
        for m in ("Expert", "Mean") for b in ("Big", "Small")
    ]  # fmt: skip
    both = {"net": ["Big"], "other": ["Small"]}
    rows = entries(records(numbers=lines, backbones=both))
    assert [(e.backbones[0], e.method) for e in rows] == [
        ("Big", "Expert"), ("Big", "Mean"), ("Small", "Expert"), ("Small", "Mean")
    ]  # fmt: skip
    assert [e.line is None for e in rows] == [False, False, True, True]


def test_a_sum_is_over_the_domains() -> None:
    document = records(numbers=["Table 1,Big,Mean,sum,NDCG@10,value,0.6,,0"])
    assert list(entries(document)[0].ours.values()) == pytest.approx([0.5, 0.55])


values = st.lists(st.floats(0.001, 0.999), min_size=2, max_size=8)


@given(values, st.floats(0.001, 0.999))
def test_deltas_agree_and_intervals_are_scipys(ours: list[float], paper: float) -> None:
    one = Beside("m", (), None, "d", "NDCG@10", False, (paper,), None, 0, dict(enumerate(ours)))
    assert one.difference == pytest.approx(np.mean(ours) - paper)
    assert one.relative == pytest.approx(np.mean(ours) / paper - 1)
    assert one.interval is not None and one.inside is not None
    if np.ptp(ours) > 1e-9:
        theirs = stats.t.interval(0.95, len(ours) - 1, np.mean(ours), stats.sem(ours))
        assert one.interval == pytest.approx(theirs, rel=1e-9, abs=1e-12)
    assert one.inside == (one.interval[0] <= paper <= one.interval[1])


def test_one_seed_has_no_interval_and_none_no_difference() -> None:
    one = Beside("m", (), None, "d", "MRR", False, (0.1,), None, 0, {0: 0.2})
    assert one.interval is None and one.inside is None and one.difference == pytest.approx(0.1)
    none = Beside("m", (), None, "d", "MRR", False, (0.1,), None, 0, {})
    assert none.difference is None and none.relative is None


def entry(role: str, ours: dict[Any, float], method: str = "m") -> Beside:
    return Beside(method, (), None, "d", "MRR", False, (0.1,), None, 1, ours, role)


def test_stars_are_scipys_paired_test_against_our_best_baseline() -> None:
    ours = {0: 0.20, 1: 0.21, 2: 0.22, 3: 0.20}
    weak, strong = {s: 0.1 for s in range(4)}, {0: 0.19, 1: 0.21, 2: 0.20, 4: 0.9}
    test = PaperTest(name="paired-t-over-seeds", levels=[0.3, 0.2, 0.01])
    some = [entry("baseline", weak), entry("baseline", strong, "s"), entry("proposed", ours)]
    [actual] = stars(some, test)
    assert actual.against.method == "s"  # over the seeds in common: 0, 1, 2
    theirs = stats.ttest_rel([0.20, 0.21, 0.22], [0.19, 0.21, 0.20]).pvalue
    assert actual.p == pytest.approx(theirs) and actual.stars == sum(
        theirs <= x for x in (0.3, 0.2)
    )
    assert stars(some, None) == []
    below = [entry("baseline", {s: v + 0.1 for s, v in ours.items()}), entry("proposed", ours)]
    assert stars(below, test)[0].stars == 0
    constant = [entry("baseline", {None: 0.1}), entry("proposed", ours)]
    one_sided = PaperTest(name="one-tailed-t-over-seeds", levels=[0.02])
    theirs = stats.ttest_1samp(list(ours.values()), 0.1, alternative="greater").pvalue
    assert stars(constant, one_sided)[0].p == pytest.approx(theirs)
    assert stars([entry("proposed", ours)], test) == []
    assert stars([entry("baseline", weak), entry("proposed", {0: 0.2})], test) == []


def test_pairs_of_methods_are_counted_by_hand() -> None:
    def one(method: str, paper: float, ours: dict[Any, float], role: str = "baseline") -> Beside:
        return Beside(method, (), None, "d", "MRR", False, (paper,), None, 0, ours, role)

    collected = [
        one("a", 0.3, {0: 0.3}), one("a", 0.3, {0: 0.0}), one("b", 0.2, {0: 0.4}),
        one("c", 0.1, {0: 0.2}), one("d", 0.1, {0: 0.1}), one("e", 0.9, {}),
        one("x", 0.0, {0: 1.0}, "reference"),
    ]  # fmt: skip
    # a-b turned; a-c, a-d, b-c, b-d alike; c-d equal in the paper; e not done; x is the expert
    assert order_alike(collected) == (4, 5)
    assert order_alike(collected[-2:]) == (0, 0)
    assert "as the paper does" not in render(records())


def test_the_full_board_prints_the_papers_own_test() -> None:
    document = records(test={"name": "paired-t-over-seeds", "levels": [0.03, 0.01]})
    for seed in (0, 1):
        who = made.identity("late", seed, recipe="paper")
        document["results"].append(made.result(who, 0.5 + seed / 100, 0.5))
    text = render_full(document)
    assert "#### The paper's own test" in text and "\\* 0.03, \\*\\* 0.01" in text
    row = cells(text.split("own test")[1], "late", "books", "average")
    first, second = np.array([0.5, 0.51]), np.array([0.2, 0.2])
    p = stats.ttest_rel(first, second).pvalue
    assert row[5:] == [f"{p:.3g}", "\\*" if p <= 0.03 else "none", "\\*\\*"]


@pytest.mark.parametrize(
    "name", ["paper-mergerec", "paper-scarce", "paper-unseen", "paper-merit", "merit-ablation"]
)
def test_suites_of_papers_are_rendered_with_nothing_done(
    name: str, registry: Registry, tmp_path: Path
) -> None:
    plan = build(load_suite(name, registry), registry, tmp_path)
    state = {"status": "not run", "reason": "no GPU here", "mend": ""}
    results = [
        {"key": r.key, "identity": dict(r.identity), "domains": list(r.domains), **state}
        for r in plan.results
    ]
    header = json.loads(json.dumps({**plan.header, "command": "run it"}))
    document = {"schema": 1, "suite": name, "header": header, "results": results}
    write_json(tmp_path / f"{name}.json", document)
    loaded = load_records(tmp_path / f"{name}.json").to_json()
    text = render(loaded)
    with_paper = [t for t in header["tracks"].values() if "paper" in t]
    departing = [t for t in with_paper if t["paper"]["differs"]]
    assert text.count(" and ours\n") == len(with_paper) - len(departing)
    assert text.count("not a reproduction") == len(departing)
    assert bool(departing) == (name in ("paper-scarce", "paper-unseen"))
    at = -4 if departing else -5  # such tables have no column *inside*
    rows = [x for x in text.splitlines() if x.split("|")[at : at + 1] == [" not run "]]
    assert len(rows) >= 4 * len(with_paper) and "no row" not in text
    assert render_full(loaded).count("not run") >= len(rows)


def test_the_check_finds_a_papers_number_that_was_edited(
    registry: Registry, tmp_path: Path
) -> None:
    suite = load_suite("paper-unseen", registry)
    document = {"schema": 1, "suite": "paper-unseen", "results": []}
    header = build(suite, registry, tmp_path).header
    document["header"] = json.loads(json.dumps({**header, "command": "run it"}))
    folder = tmp_path / "records"

    def wrong(content: dict[str, Any]) -> list[str]:
        write_json(folder / "paper-unseen.json", content)
        write_json(
            folder / "paper-unseen.cost.json",
            {"schema": 1, "suite": "paper-unseen", "results": []},
        )
        write_all_ranks(folder / "paper-unseen.ranks.parquet", {})
        render_suite(folder, "paper-unseen", tmp_path)
        return check(tmp_path, registry)

    assert wrong(document) == []
    edited = copy.deepcopy(document)
    paper = edited["header"]["tracks"]["unseen"]["paper"]
    paper["numbers"][3] = paper["numbers"][3].replace("0.", "0.9", 1)
    [line] = wrong(edited)
    assert "which 'mergerec-unseen' lacks" in line and "paper-unseen.json:" in line
    paper.update(document["header"]["tracks"]["unseen"]["paper"], reference="mergerec-unsen")
    [line] = wrong(edited)
    assert "no paper's table is named 'mergerec-unsen' (did you mean" in line


@pytest.mark.parametrize(
    "number",
    ["x", "Table 1,Big,Mean,books,NDCG@10,value,nan,,0", "Table 1,Big,Who,books,MRR,value,0.1,,0",
     "Table 1,Big,Mean,books,NDCG@10,value,0.1,,many"],
)  # fmt: skip
def test_records_with_damaged_papers_numbers_do_not_load(number: str, tmp_path: Path) -> None:
    write_json(tmp_path / "fake.json", records(numbers=[number]))
    with pytest.raises(DataError, match=r"tracks\.merging\.paper.* paper's number"):
        load_records(tmp_path / "fake.json")
    write_json(tmp_path / "fake.json", records())
    assert load_records(tmp_path / "fake.json").to_json() == records()


def test_committed_comparisons_name_what_differs() -> None:
    text = committed("mergerec-cpu.md").read_text(encoding="utf-8")
    part = text.split("for comparison, not a reproduction")[1]
    assert "- profile cpu; the paper's is paper" in part
    assert "experts beauty, pantry, toys (the paper's: arts, beauty" in part
