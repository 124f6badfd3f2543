"""Boards as text: golden bytes, gaps with reasons, what a reader must be able to tell apart."""

from __future__ import annotations

import copy
import io
import random
from pathlib import Path

import boards_builders as made
import pytest
from conftest import ROOT, SAMPLES, committed
from json_boards import UNRECORDED, print_board, render, render_cost, render_full
from rich.console import Console

from recmerge_bench.report.publishing.finish import render_suite

COMMITTED = ROOT / "leaderboards"


def lines_with(text: str, word: str) -> list[str]:
    return [line for line in text.splitlines() if word in line]


def test_the_boards_are_the_golden_ones() -> None:
    assert render(made.records()) == (SAMPLES / "boards_golden.md").read_text(encoding="utf-8")
    full = (SAMPLES / "boards_golden_full.md").read_text(encoding="utf-8")
    assert render_full(made.records()) == full


def test_mean_and_sample_deviation_over_seeds_by_hand() -> None:
    row = lines_with(render_full(made.records()), "own ")[0]
    # 0.30, 0.32: mean 0.31, deviation 0.01 * sqrt(2); 0.40, 0.44; means 0.35, 0.38
    assert "**0.3100** ± 0.0141" in row and "**0.4200** ± 0.0283" in row
    assert "**0.3650** ± 0.0212" in row
    compact = lines_with(render(made.records()), "| own ")[0]
    assert "**0.3100**" in compact and "±" not in compact


def test_shares_of_the_expert_seed_by_seed_by_hand() -> None:
    rows = lines_with(render_full(made.records()), "average (a")
    cells = [cell.strip() for cell in next(r for r in rows if "%" in r).split(" | ")]
    # books .2/.30 and .2/.32; films .3/.40 and .35/.44; of the means .25/.35 and .275/.38
    books, films, means = (66.667, 62.5), (75.0, 79.545), (71.429, 72.368)
    both = [(b + f) / 2 for b, f in zip(books, films, strict=True)]
    for cell, (one, two) in zip(cells[2:], (books, films, both, means), strict=True):
        assert cell.rstrip(" |") == f"{(one + two) / 2:.1f} ± {abs(one - two) / 2**0.5:.1f} %"
    assert f"{sum(both) / 2:.1f} %" in lines_with(render(made.records()), "average (a")[0]


def test_seeds_are_counted_where_they_differ() -> None:
    assert "| ÷ own   | seeds   |" in lines_with(render(made.records()), "÷ own")[0]
    records = made.records()
    records["results"] = [r for r in records["results"] if r["identity"]["seed"] != 1]
    assert "| seeds" not in lines_with(render(records), "÷ own")[0]


def test_best_is_bold_second_underlined_and_ties_share() -> None:
    records = made.records()
    records["results"][0]["metrics"]["books"]["NDCG@10"] = 0.31001
    rows = render(records).split("by domain")[1].split("\n\n")[1].split("\n")[3:]
    books = {row.split(" | ")[1].strip(): row.split(" | ")[5].strip() for row in rows}
    assert books == {
        "own": "**0.3100**", "counts": "**0.3100**",
        "average (a\\|b; fixed recipe)": "<u>0.2000</u>",
        "average (paper recipe)": "0.1000",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("method", "status", "seeds", "reason"),
    [
        ("absent", "blocked", "0, 1", "no data"),
        ("late", "not run", "0", "stopped"),
        ("average (paper recipe)", "failed", "1", "it \\| broke"),
    ],
)
def test_what_is_missing_stands_there_with_its_reason(
    method: str, status: str, seeds: str, reason: str
) -> None:
    missing = render(made.records()).split("### Missing")[1]
    row = [part.strip() for part in lines_with(missing, method)[0].split(" | ")]
    assert row[1:3] == [method, status] and row[3] == seeds
    assert row[4].startswith(reason)


def test_a_board_on_which_nothing_is_done() -> None:
    records = made.records()
    records["results"] = records["results"][-3:]
    text = render(records)
    assert "not run" in text and "by domain" not in text
    assert "none, nothing is done" in render_cost({**made.costs(), "results": []})


def test_recipes_and_variants_are_told_apart_and_pipes_escaped() -> None:
    text = render(made.records())
    assert lines_with(text, "average (a\\|b; fixed recipe)") and lines_with(
        text, "average (paper recipe)"
    )
    for table in text.split("\n\n"):
        rows = [line for line in table.splitlines() if line.startswith("|")]
        assert len({row.replace("\\|", "").count("|") for row in rows}) <= 1


def test_the_card_tells_the_seeds_of_its_own_table() -> None:
    records = made.records()
    records["results"] = [r for r in records["results"] if r["identity"]["seed"] != 1]
    assert lines_with(render(records), "| seeds ")[0].split("|")[2].strip() == "0"


def test_sampled_candidates_are_counted_with_seed_and_hash() -> None:
    records = made.records()
    records["header"]["protocols"]["cut"].update(negatives=99, candidate_seed=7)
    for result in records["results"]:
        result["candidates"] = "f" * 64
    assert "99 sampled candidates, seed 7, set `ffffffffffffffff`" in render(records)


def test_smoke_boards_say_so() -> None:
    records = made.records()
    records["header"]["label"] = "smoke"
    assert "**Smoke board**" in render(records) and "no verdicts" in render(records)


def test_rows_stand_in_the_suites_order_and_keys_in_any() -> None:
    records = made.records()
    turned = dict(reversed(list(records.items())))
    turned["results"] = [dict(reversed(list(r.items()))) for r in records["results"]]
    assert render(turned) == render(records)


def test_the_order_in_which_seeds_come_changes_nothing() -> None:
    records = made.records()
    order = {r["identity"]["method"]: i for i, r in reversed(list(enumerate(records["results"])))}
    for seed in range(5):
        mixed = copy.deepcopy(records)
        random.Random(seed).shuffle(mixed["results"])
        mixed["results"].sort(
            key=lambda r: (order[r["identity"]["method"]], r["identity"]["recipe"])
        )
        assert render(mixed) == render(records)


def test_costs_tell_training_merging_and_ranking_apart_and_name_every_machine() -> None:
    costs = made.costs()
    entry = costs["results"][0]
    again = {**entry, "key": "b" * 64, "identity": {**entry["identity"], "seed": 1}}
    costs["results"].append({**again, "seconds": {"train:a": 4.0, "rank:b": 0.5}})
    text = render_cost(costs)
    assert [p.strip() for p in lines_with(text, "| own")[0].split("|")[3:11]] == [
        "3.00", "0.12", "0.50", "6.00", "1", "12,345", "–", "2",
    ]  # fmt: skip
    assert "Energy is not reported" in text
    costs["results"][1].update(device="big gpu", joules=7.0)
    text = render_cost(costs)
    assert "big gpu, 2 cores" in text and "cpu, 2 cores" in text and "RAPL" in text
    assert lines_with(text, "| own")[0].split("|")[9].strip() == "7"


def test_the_screen_shows_names_as_they_are() -> None:
    records = made.records()
    records["results"][3]["identity"]["variant"] = "to=[bold]"
    console = Console(file=io.StringIO(), width=200)
    print_board(records, console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "average (to=[bold]; fixed recipe)" in shown and "4 result(s) missing" in shown


@pytest.mark.parametrize(
    "suite", sorted(p.stem for p in COMMITTED.glob("records/*.json") if p.name.count(".") == 1)
)
def test_committed_boards_are_what_their_records_give(suite: str, tmp_path: Path) -> None:
    for file in render_suite(COMMITTED / "records", suite, tmp_path):
        assert file.read_bytes() == (COMMITTED / file.name).read_bytes()


def test_boards_show_options_and_what_rows_were_tuned_on() -> None:
    """``fisher, temperature .05`` is seen whatever the row is called."""
    records = made.records()
    track = records["header"]["tracks"]["merging"]
    track["notes"] = ["moved from there"]
    assert "tuned on |" not in render(records).split("### NDCG")[1]
    for result in records["results"]:
        if result["identity"]["method"] == "own":
            result.update(made.configured(result["identity"], temperature=0.05))
            tuning = result["configuration"]["tuning"]
            tuning["row"] = {"tried": "temperatures", "data": "validation-labels", "times": 3,
                           "dataset": "made-up", "domains": ["books"]}  # fmt: skip
            tuning["backbone"] = {**tuning["row"], "tried": "widths", "times": 9}
    full, text = render_full(records), render(records)
    row = next(line for line in full.split("### Configurations")[1].splitlines() if "| own" in line)
    tried = "3 settings tried on validation labels of books"
    assert "temperature=0.05" in row and f"{tried} (temperatures)" in row
    assert records["results"][1]["configuration_sha256"][:12] in row
    assert f"not declared (5 rows); {tried} (1 row)" in text
    assert "net: 9 settings tried on validation labels of books (widths)" in text
    assert "- moved from there" in text
    table = text.split("### NDCG")[1]
    assert "3 settings tried on validation labels of books" in table and "tuned on" in table
    for result in records["results"]:
        result.update(UNRECORDED)
    assert "not recorded (6 rows)" in render(records)
    assert "Not recorded: these rows were made before" in render_full(records)


def test_many_rows_not_run_for_one_reason_stand_in_one_line() -> None:
    records = made.records()
    last = next(r for r in records["results"] if r["status"] != "done")
    names = [f"method-{n}" for n in range(20)]
    for backbone in ("net", "other"):
        for seed in (0, 1):
            for name in names:
                who = made.identity(name, seed, backbone)
                records["results"].append({
                    **last, "identity": who, "key": made.key_of({**who, "variant": backbone}),
                    "status": "not run", "reason": "it was stopped", **UNRECORDED,
                })  # fmt: skip
    missing = render(records).split("### Missing")[1].split("## ")[0]
    line = f"40 rows not run (it was stopped), seeds 0, 1: on net, other: {', '.join(names)}."
    assert missing.count("method-7") == 1 and line in missing
    # What differs still has a row of its own, as it had before.
    table = render(made.records()).split("### Missing")[1].split("## ")[0].strip()
    assert all(row in missing for row in table.splitlines())


def test_boards_open_with_the_headline_then_the_ranked_table_in_bands() -> None:
    text = committed("mergerec-cpu.md").read_text(encoding="utf-8")
    superseded, opening = text.split("\n\n")[1:3]
    assert superseded.startswith("> **Superseded by [merging](../merging.md)**")
    assert opening.startswith("One model merged from 3 experts") and "**Best merge: " in opening
    first = text.split("## shared-base")[1]
    assert first.index("by domain") < first.index("protocol card"), "the table comes first"
    rows = [
        [cell.strip(" *<u>/") for cell in line.split("|")[1:-1]]
        for line in first.split("by domain\n\n")[1].split("\n\n")[0].splitlines()[2:]
    ]
    bands = [row[1] for row in rows if not row[0]]
    assert bands == ["Heuristics", "References", "Methods"]
    means: list[float] = []
    for row in rows:
        if not row[0]:
            means = []
            continue
        means.append(float(row[2]))
        assert means == sorted(means, reverse=True)
        assert int(row[0]) == means.index(means[-1]) + 1
    for figure in ("course", "history", "popularity", "weights"):
        assert f"](figures/mergerec-cpu-{figure}.svg)" in text
        assert committed(f"figures/mergerec-cpu-{figure}.svg").is_file()
