"""Cards: from stored ranks and trainings' reports to the page, and what the check says of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boards_builders as made
import numpy as np
import pytest
from compared_builders import USERS, suite
from compared_builders import table as ranked
from json_boards import derive, render, typed

from recmerge_bench.evaluation.metrics import ndcg
from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.files import write_json
from recmerge_bench.identity import Place
from recmerge_bench.registry import Registry
from recmerge_bench.report.cards.memorised import answer
from recmerge_bench.report.cards.page import render_cards
from recmerge_bench.report.figures.declared import figures
from recmerge_bench.report.publishing.check import check
from recmerge_bench.report.publishing.finish import render_suite
from recmerge_bench.results.all_ranks import read_all_ranks, write_all_ranks
from recmerge_bench.results.groups import Group, groups_json, groups_path
from recmerge_bench.results.places import board_places, true_order
from recmerge_bench.results.reader import Cell
from recmerge_bench.results.trainings import training_of

SHUFFLED, LATER = "cut-shuffled", "later"
TIERS = {"tier": "T0", "read": ["base"], "opened": 0}
#: The steps of every third target are in training.
SEEN = np.arange(2 * USERS) % 3 == 0
OF_SPLIT = [Group("transition-seen", "followed", SEEN), Group("transition-new", "not so", ~SEEN)]
GROUPS = {made.SPLIT: OF_SPLIT, "f" * 64: OF_SPLIT}


def protocol(**more: Any) -> dict[str, Any]:
    return {
        "summary": "the last one", "split": {"scope": "domain"}, "negatives": None,
        "candidate_seed": 1, "mask_history": True, **more,
    }  # fmt: skip


def worse(table: RankTable, rows: np.ndarray, places: int) -> RankTable:
    """So many items more stand before the targets of these rows; some have an equal."""
    better = table.n_better + np.where(rows, places, 0).astype(np.int32)
    equal = (np.arange(len(better)) % 10 == 0).astype(np.int32) * 3
    return RankTable(
        table.users, table.domains, table.domain, table.targets, better, equal, table.about
    )


def board(registry: Registry, **more: Any) -> tuple[dict[str, Any], dict[str, RankTable]]:
    """The fabricated suite, ranked in true order and shuffled, and under a second split."""
    records, tables = suite(registry, **more)
    records["schema"], header = 4, records["header"]
    track = header["tracks"]["merging"]
    track["reference"], track["protocols"] = "base", ["cut", SHUFFLED, LATER]
    header["protocols"] = {
        "cut": protocol(), SHUFFLED: protocol(summary="the same", shuffle_seed=7),
        LATER: protocol(split={"from": 0.9}),
    }  # fmt: skip
    header["groups"] = ["transition"]
    for entry in list(records["results"]):
        who = entry["identity"]
        if who["method"] == "up":
            entry["merge"] = TIERS
        for name, places in ((SHUFFLED, 3), (LATER, 0)):
            own = {**who, "protocol": name}
            other = {
                **entry, "identity": own, "key": name + entry["key"], **made.configured(own)
            }  # fmt: skip
            if entry["status"] == "done":
                lost = 0 if who["method"] == "counts" else places
                tables[other["key"]] = worse(tables[entry["key"]], SEEN | True, lost)
            if name == LATER:
                other["split"] = "f" * 64
            records["results"].append(other)
        if who["method"] == "up":  # it loses memorised targets, and no others
            tables[entry["key"]] = worse(ranked(who["seed"], 0.0), SEEN, 6)
    return derive(records, tables, registry, GROUPS), tables


def row(rows: list[dict[str, Any]], method: str) -> dict[str, Any]:
    return next(one for one in rows if one["method"] == method)


def mean_ndcg(table: RankTable, keep: np.ndarray, equals: float = 0.5) -> float:
    values = ndcg(1.0 + table.n_better + equals * table.n_equal, 10)
    return float(np.mean([values[keep & (table.domain == d)].mean() for d in (1, 2)]))


def tables_of(records: dict[str, Any], tables: dict[str, RankTable], method: str, name: str) -> Any:
    return [
        tables[r["key"]] for r in records["results"]
        if r["status"] == "done"
        and (r["identity"]["method"], r["identity"]["protocol"]) == (method, name)
    ]  # fmt: skip


def test_a_shuffled_table_stands_in_the_card_of_its_twin_alone(registry: Registry) -> None:
    records, tables = board(registry)
    header = typed(records).header
    assert true_order(header, Place("merging", SHUFFLED)) == ("merging", "cut")
    assert true_order(header, Place("merging", "cut")) is None
    assert [p.protocol for p in board_places(header)] == ["cut", LATER]
    assert f"## merging, {SHUFFLED}" not in render(records)
    assert SHUFFLED not in {c["protocol"] for c in records["comparisons"] + records["across"]}
    [card] = records["cards"]["order"]
    assert (card["protocol"], card["shuffled"]) == ("cut", SHUFFLED)
    every = np.ones(2 * USERS, bool)
    for method in ("base", "up", "counts"):
        true, kept = (
            np.mean([mean_ndcg(t, every) for t in tables_of(records, tables, method, name)])
            for name in ("cut", SHUFFLED)
        )
        loss = row(card["rows"], method)["loss"]
        assert loss["reference"] == pytest.approx(true) and loss["kept"] == pytest.approx(kept)
        assert loss["loss"] == pytest.approx(1 - kept / true, abs=1e-9)
        assert loss["lower"] <= loss["loss"] <= loss["upper"]
    assert row(card["rows"], "base")["loss"]["lower"] > 0.1
    alone = protocol(shuffle_seed=7, negatives=99)
    header = header.changed(
        protocols={**header.protocols, SHUFFLED: type(header.protocols["cut"])(**alone)}
    )
    assert true_order(header, Place("merging", SHUFFLED)) is None  # it differs in more


def test_merged_rows_that_lose_memorised_targets_are_told(registry: Registry) -> None:
    records, tables = board(registry)
    card = next(c for c in records["cards"]["memorised"] if c["protocol"] == "cut")
    assert card["reference"]["method"] == "base" and (card["seen"], card["new"]) == (200, 400)
    assert {r["method"] for r in card["rows"]} == {"up", "down", "same", "near"}
    assert [r["method"] for r in card["rows"] if r["merged"]] == ["up"]
    for method in ("up", "down"):
        own, experts = (tables_of(records, tables, m, "cut") for m in (method, "base"))
        for name, keep in (("seen", SEEN), ("new", ~SEEN)):
            ours, theirs = (np.mean([mean_ndcg(t, keep) for t in some]) for some in (own, experts))
            assert row(card["rows"], method)[name]["loss"] == pytest.approx(1 - ours / theirs)
    up, same = row(card["rows"], "up"), row(card["rows"], "same")
    assert up["new"]["loss"] == pytest.approx(0, abs=0.1) and up["excess"] > 0.2 and up["lower"] > 0
    assert up["judgement"]["verdict"] == "better"
    assert same["excess"] == 0 and same["judgement"]["verdict"] == "no verdict"
    typed_card = next(c for c in typed(records).cards.memorised if c.protocol == "cut")
    assert answer(typed_card) == (
        "Of 1 merged rows, memorised steps lose, relative to the others: more in 1."
    )
    few, _ = board(registry, seeds=(0, 1))
    typed_card = next(c for c in typed(few).cards.memorised if c.protocol == "cut")
    assert answer(typed_card) == "No verdict on any of the 1 merged rows (2 of 5 seeds)."
    for card in few["cards"]["memorised"]:
        card["rows"] = []
    assert "### Memorised" not in render_cards(typed(few))  # experts alone: nothing is beside them


def test_behind_a_shut_gate_there_is_no_verdict(registry: Registry) -> None:
    records, tables = board(registry)
    every = dict.fromkeys(("variant", "recipe", "profile"))
    records["header"]["tracks"]["merging"]["gate"] = {
        "models": {"method": "down", **every}, "rows": [{"method": "counts", **every}],
    }  # fmt: skip
    for entry in records["results"]:  # the counting row beats them
        if entry["identity"]["method"] == "counts":
            tables[entry["key"]] = ranked(0, 5.0)
    again = derive(records, tables, registry, GROUPS)
    card = next(c for c in again["cards"]["memorised"] if c["protocol"] == "cut")
    assert {r["judgement"]["verdict"] for r in card["rows"]} == {"no verdict"}
    assert {r["judgement"]["reason"] for r in card["rows"]} == {"naive gate not passed"}
    assert row(card["rows"], "up")["excess"] > 0.2  # the numbers stay


def test_ties_are_counted_in_both_orders(registry: Registry) -> None:
    records, tables = board(registry)
    assert [c["protocol"] for c in records["cards"]["ties"]] == ["cut", LATER]
    card = records["cards"]["ties"][0]
    every = np.ones(2 * USERS, bool)
    own = tables_of(records, tables, "up", "cut")
    for name, equals in (("first", 0.0), ("middle", 0.5), ("last", 1.0)):
        wanted = np.mean([mean_ndcg(t, every, equals) for t in own])
        assert row(card["rows"], "up")[name] == pytest.approx(wanted)
    assert row(card["rows"], "up")["tied"] == pytest.approx(0.1)
    assert 0 < row(card["rows"], "up")["moved"] < 0.1  # beyond rank 10 nothing moves
    base = row(card["rows"], "base")
    assert base["first"] == base["middle"] == base["last"] and base["tied"] == base["moved"] == 0


def test_targets_of_equal_times_are_told_where_they_are_known(registry: Registry) -> None:
    records, tables = board(registry)
    audit = {
        "dataset": "made-up", "timed": True, "instances": 600, "later_own": 0.1, "later_other": 0.1,
        "later_same_user": 0.0, "later_events": 0.1, "same_events": 0, "shared_keys": 0,
        "seen_targets": 0.0, "items": {},
    }  # fmt: skip
    for more, share in (({}, None), ({"equal_times": 0.25}, 0.25), ({"timed": False}, None)):
        records["header"]["audits"] = {made.SPLIT: {**audit, **more}}
        again = derive(records, tables, registry, GROUPS)
        assert again["cards"]["ties"][0]["equal_times"] == share
    text = render_cards(typed(again))
    assert "Times are places in a sequence here" in text
    facts = {"tied-last-day": {"about": "x", "instances": 150}}
    records["header"] |= {"audits": {made.SPLIT: audit}, "group_facts": {made.SPLIT: facts}}
    again = derive(records, tables, registry, GROUPS)  # old records have the group alone
    assert again["cards"]["ties"][0]["equal_times"] == 0.25
    assert "Of the targets, 25.0 % share their time" in render_cards(typed(again))


def test_two_splits_order_the_rows(registry: Registry) -> None:
    records, _ = board(registry)
    [card] = records["cards"]["splits"]
    assert (card["protocol"], card["other_protocol"], card["methods"]) == ("cut", LATER, 6)
    assert card["kendall"]["lower"] <= card["kendall"]["value"] <= card["kendall"]["upper"] <= 1
    other = {**records, "header": {**records["header"]}}
    other["results"] = [
        {**r, "mask_history": False} if r["identity"]["protocol"] == LATER else r
        for r in records["results"]
    ]
    _, tables = board(registry)
    assert derive(other, tables, registry, GROUPS)["cards"].get("splits", []) == []


def test_smoke_boards_have_cards_of_ties_alone(registry: Registry) -> None:
    records, _ = board(registry, label="smoke")
    assert list(records["cards"]) == ["ties"]


def test_the_page_and_the_figure(registry: Registry) -> None:
    records, _ = board(registry)
    assert "### Training" not in render_cards(typed(records))  # nothing is recorded of any
    records["trainings"] = {"a": training_of(cell(**report())).to_json()}
    for entry in records["results"]:
        entry["trained"] = ["a"] if entry["status"] == "done" else []
    text = render_cards(typed(records))
    assert "## Split sensitivity" in text and text.index("Split") < text.index("## merging, cut")
    part = text.split("## merging, cut")[1]
    assert "### Order: NDCG@10 on shuffled histories" in part and "seed 7" in part
    line = next(x for x in part.split("### Memorised steps")[1].splitlines() if "| up " in x)
    assert "memorised lose more" in line
    assert "**Of 1 merged rows, memorised steps lose" in part
    title = "What merging loses on memorised steps and on other targets: merging"
    assert f"![{title}](figures/fake-memorised-" in part
    assert "As under cut." in text.split(f"## merging, {LATER}")[1]
    drawn = {f.name: f for f in figures(typed(records), [])}
    figure = drawn["memorised-merging-cut"]
    assert figure.ticks[0].startswith("up") and len(figure.points) == 8
    assert {p.series for p in figure.points} == {"memorised steps", "other targets"}


def test_the_check_finds_an_edited_card(registry: Registry, tmp_path: Path) -> None:
    records, tables = board(registry)
    folder = tmp_path / "records"
    write_all_ranks(folder / "fake.ranks.parquet", tables)
    write_json(groups_path(folder / "fake.json"), groups_json("fake", GROUPS))
    records = derive(records, read_all_ranks(folder / "fake.ranks.parquet"), registry, GROUPS)

    def faults() -> list[str]:
        write_json(folder / "fake.json", records)
        write_json(folder / "fake.cost.json", {"schema": 3, "suite": "fake", "results": []})
        render_suite(folder, "fake", tmp_path)
        return [f for f in check(tmp_path, registry) if "figures" not in f]

    assert faults() == []
    records["cards"]["order"][0]["rows"][1]["loss"]["loss"] = 0.5
    [line] = faults()
    assert "cards.order.0.rows.1.loss.loss is 0.5, the ranks give" in line
    records = derive(records, tables, registry, GROUPS)
    assert faults() == []
    (tmp_path / "fake-cards.md").write_text("edited\n")
    assert any("fake-cards.md:1: is edited" in line for line in check(tmp_path, registry))


def report(**more: Any) -> dict[str, Any]:
    return {
        "epochs": 4, "steps": 40, "windows": 320, "targets": 4000, "best_step": 20,
        "best_valid": 0.25, "stopped": "patience", "selection": {"name": "NDCG@10@cut"},
        "history": [{"step": 10, "epoch": 1, "loss": 3.0}, {"step": 20, "epoch": 2, "loss": 2.5}],
        **more,
    }  # fmt: skip


def cell(**facts: Any) -> Cell:
    return Cell("train", "train a", {}, facts, 1.0, 1, 1.0, "cpu", {}, {})


def test_trainings_say_what_they_met(registry: Registry) -> None:
    training = training_of(cell(**report()))
    assert (training.epochs, training.best_epoch, training.loss) == (4, 2, 2.5)
    assert training.select == "NDCG@10@cut" and training.windows == 320
    blind = training_of(cell(**report(history=[], best_step=0, selection=None, best_valid=None)))
    assert (blind.best_epoch, blind.loss, blind.select) == (None, None, "")
    records, _ = board(registry)
    records["trainings"] = {"a": training.to_json(), "b": training.to_json()}
    for entry in records["results"]:
        if entry["identity"]["method"] == "up" and entry["status"] == "done":
            entry["trained"] = ["a", "b"]
    text = render_cards(typed(records)).split("### Training")[1]
    cells = [c.strip() for c in next(x for x in text.splitlines() if "| up " in x).split("|")]
    assert cells[2:9] == ["up", "2", "640", "8,000", "4.0 (2.0)", "2.500", "NDCG@10@cut"]
    start = report(epochs=1, history=[], best_step=0, selection=None, best_valid=None)
    records["trainings"]["b"] = training_of(cell(**start)).to_json()  # initial weights
    text = render_cards(typed(records)).split("### Training")[1]
    assert "| 4.0 (2.0) " in text and "| 2.5 " not in text
