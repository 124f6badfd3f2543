"""Audits on boards: facts counted by hand, times that are no times, what merges read."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import boards_builders as made
import numpy as np
import pytest
from json_boards import render_full

from recmerge_bench.data.codec import save_interactions, save_split
from recmerge_bench.data.interactions import Interactions
from recmerge_bench.data.splits import leave_one_out
from recmerge_bench.evaluation.ranks import RankTable, write_ranks
from recmerge_bench.files import write_json
from recmerge_bench.identity import Identity
from recmerge_bench.registry import Registry
from recmerge_bench.report.boards.audit_section import ABSENT, NOTHING, PLACES
from recmerge_bench.report.publishing.finish import build
from recmerge_bench.results.audits import are_moments
from recmerge_bench.results.files import load_records
from recmerge_bench.results.records import Result
from recmerge_bench.running.store import Store
from recmerge_bench.toolkit.data.build import Columns, Item, build_interactions

ITEMS = {f"{d}{n}": Item(d) for d in ("a", "b") for n in range(4)}
#: user, item, time: targets u's a3 at 3, v's a3 at 13, u's b2 at 22
EVENTS = [
    *(("u", f"a{n}", n) for n in range(4)),
    *(("v", f"a{n}", 10 + n) for n in range(4)),
    *(("u", f"b{n}", 20 + n) for n in range(3)),
]


def interactions(events: list[tuple[str, str, int]]) -> Interactions:
    users, items, times = zip(*events, strict=True)
    return build_interactions(Columns(users, items, np.array(times, np.int64)), ITEMS, ("a", "b"))


def run_of(
    events: list[tuple[str, str, int]], out: Path, encoder: str = "minilm",
    enforced: bool | None = None,
) -> Path:  # fmt: skip
    """A run with data, split, text, merge and rank cells over these events."""
    built, store = interactions(events), Store(out)
    split = leave_one_out(built, ("a", "b"))
    who = {**made.identity("ties", 0), "dataset": "made-up"}
    provenance = {"recmerge_bench": "0", "libraries": {}, "python": "3", "plugins": {}}
    shared = {"seconds": 1.0, "peak_memory": 1, "started": 1.0, "device": "cpu",
              "provenance": provenance, "inputs": {}, "config": {}, "report": {}}  # fmt: skip

    def cell(name: str, fill: Any, **more: Any) -> str:
        key = (name.encode().hex() + 64 * "0")[:64]
        with store.writing(key) as folder:
            fill(folder)
            facts = {**shared, "key": key, "kind": name, "label": name, **more}
            store.commit(key, folder, facts)
        return key

    count = len(split.test)
    zeros = np.zeros(count, np.int32)
    facts = {"protocol": {"candidates": "full", "mask_history": False}}
    table = RankTable(split.test.users, built.catalogue.domains,
                      split.test.domains.astype(np.int32), split.test.targets, zeros, zeros,
                      facts)  # fmt: skip
    data = cell("data", lambda f: save_interactions(built, f), report={"fingerprint": "d" * 64})
    other = cell("data of a base", lambda f: None, kind="data", report={"fingerprint": "o" * 64})
    split_cell = cell("split", lambda f: save_split(split, f))
    target = f"recmerge_bench_plugins.encoders.{encoder}:MiniLM"
    text = cell("text", lambda f: None, config={"encoder": {"target": target, "options": {}}})
    report = {"tier": "T1", "read": ["weights", "item texts"], "opened": ["/etc/x"]}
    report |= {} if enforced is None else {"enforced": enforced}
    merge = cell("merge", lambda f: None, report=report)
    inputs = {"data": data, "split": split_cell, "model": merge}
    rank = cell("rank", lambda f: write_ranks(f / "ranks.parquet", table), inputs=inputs)
    state = {"status": "done", "reason": "", "mend": ""}
    header = made.header()
    header["tracks"]["merging"]["domains"] = ["a", "b"]
    results = [
        {"key": rank, "identity": who, "domains": ["a", "b"], **state,
         "cells": [data, split_cell, text, merge, other, rank]},
        {**made.not_done(made.identity("gone", 0), "blocked", "no data"), "domains": ["a", "b"],
         "cells": []},
    ]  # fmt: skip
    write_json(out / "suites" / "fake.json", {"suite": "fake", "header": header,
                                              "results": results})  # fmt: skip
    return out


def built_records(out: Path, to: Path, registry: Registry) -> dict[str, Any]:
    build(out, to, to / "records", registry)
    return load_records(to / "records" / "fake.json").to_json()


def test_facts_are_those_counted_by_hand(tmp_path: Path, registry: Registry) -> None:
    records = built_records(run_of(EVENTS, tmp_path / "out"), tmp_path, registry)
    [(split, facts)] = records["header"]["audits"].items()
    assert records["results"][0]["split"] == split
    assert records["results"][0]["data"] == "d" * 64  # and not the base's
    # Trained: u's a0, a1 at 0, 1; v's a0, a1 at 10, 11; u's b0 at 20.
    assert facts == {
        "dataset": "made-up", "timed": True, "instances": 3,
        "later_own": pytest.approx(1 / 3),  # u's a3: v's at 10, 11
        "later_other": pytest.approx(2 / 3),  # u's and v's a3: b0 at 20
        "later_same_user": pytest.approx(1 / 3),  # u's a3
        "later_events": pytest.approx((3 / 5 + 1 / 5 + 0) / 3),
        "same_events": 0, "shared_keys": 0, "seen_targets": 0.0,
        "equal_times": 0.0, "items": {"a": [0, 4], "b": [4, 8]},
    }  # fmt: skip
    text = (tmp_path / "fake-full.md").read_text()
    assert "| 3 " in text and "33.3 %" in text and "66.7 %" in text
    assert text.count("## What the leakage audit counts") == 1


def test_what_merges_read_and_encoders_knew(tmp_path: Path, registry: Registry) -> None:
    records = built_records(run_of(EVENTS, tmp_path / "out"), tmp_path, registry)
    done, gone = records["results"]
    assert done["merge"] == {"tier": "T1", "read": ["item texts", "weights"], "opened": 1}
    assert done["encoders"] == ["minilm"] and "merge" not in gone
    known = records["header"]["pretraining"]["minilm"]
    assert list(known["overlap"]) == ["made-up"] and "model card" in known["source"]
    assert known["overlap"]["made-up"].startswith("none listed: no reviews, questions or product")
    text = (tmp_path / "fake-full.md").read_text()
    assert "| T1     | item texts, weights | 1" in text
    assert "- Text encoder `minilm`: trained on 1.17 billion sentence pairs" in text
    assert "Contamination, text encoder minilm: trained on 1.17 billion" in (
        (tmp_path / "fake-cards.md").read_text().replace("\\", "")
    )


def test_places_are_told_from_moments(tmp_path: Path, registry: Registry) -> None:
    places = [("u", f"a{n}", n) for n in range(4)] + [("v", f"b{n}", n) for n in range(3)]
    assert not are_moments(interactions(places))
    assert not are_moments(interactions([(u, i, t + 1) for u, i, t in places]))
    assert not are_moments(interactions([(u, i, 7) for u, i, _ in places]))
    assert are_moments(interactions(EVENTS))
    both = [("u", f"b{n}", n) for n in range(4)]  # places in each domain's sequence of one user
    assert not are_moments(interactions([*places, *both]))
    assert are_moments(interactions([*places[:-1], ("v", "b3", 3)]))
    records = built_records(run_of(places, tmp_path / "out"), tmp_path, registry)
    [facts] = records["header"]["audits"].values()
    assert not facts["timed"] and facts["later_own"] is None and facts["seen_targets"] == 0
    assert PLACES in (tmp_path / "fake-full.md").read_text()


def test_known_facts_of_encoders(registry: Registry) -> None:
    from recmerge_bench.results.audits import pretraining

    def row(encoder: str, dataset: str) -> Result:
        who = Identity.model_validate(made.identity("m", 0, dataset=dataset))
        return Result(key="k", identity=who, domains=[], status="failed", encoders=[encoder])

    rows = [row("blair-base-weights", "amazon-mergerec"), row("hashed-words", "anything"),
            row("blair-base-weights", "amazon-merit")]  # fmt: skip
    encoders = pretraining(registry, rows)
    assert "Amazon Reviews 2023" in encoders["blair-base-weights"].trained_on
    assert encoders["blair-base-weights"].overlap["amazon-mergerec"].startswith("all its domains")
    assert encoders["blair-base-weights"].overlap["amazon-merit"] == "unknown"
    assert encoders["hashed-words"].overlap == {"anything": "none"}
    names = {name for kind, name in registry.specs if kind == "encoder"}
    [file] = [p / "facts" / "pretraining.json" for p in registry.suite_paths if p.is_dir()]
    assert set(json.loads(file.read_text())) <= names


def test_boards_say_where_an_audit_is_missing() -> None:
    records = made.records()
    assert ABSENT in render_full(records)
    gaps = copy.deepcopy(records)
    gaps["results"] = [r for r in gaps["results"] if r["status"] != "done"]
    assert NOTHING in render_full(gaps) and ABSENT not in render_full(gaps)


@pytest.mark.parametrize(
    ("enforced", "message"),
    [(True, "| enforced"), (False, "**not enforced**"), (None, "| not recorded")],
)
def test_boards_say_what_kept_merges_apart(
    tmp_path: Path, registry: Registry, enforced: bool | None, message: str
) -> None:
    out = run_of(EVENTS, tmp_path / "out", enforced=enforced)
    records = built_records(out, tmp_path / "b", registry)
    assert records["results"][0]["merge"].get("enforced") is enforced
    assert message in render_full(records)
