"""A small fabricated suite: its records, and a run's folder with cells that hold its ranks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from recmerge_bench.data.codec import save_interactions, save_split
from recmerge_bench.data.interactions import Catalogue, Interactions
from recmerge_bench.data.splits import leave_one_out
from recmerge_bench.evaluation.ranks import RankTable, write_ranks
from recmerge_bench.files import write_json
from recmerge_bench.planning.configuration import hash_of
from recmerge_bench.running.store import Store

DATA, SPLIT = "d" * 64, "e" * 64
METRICS = ["NDCG@10", "HR@10", "MRR"]
DOMAINS = ["books", "films"]


def header(label: str = "converged") -> dict[str, Any]:
    track = {
        "dataset": "made-up", "domains": DOMAINS, "profile": "cpu", "protocols": ["cut"],
        "reference": "own", "source": ["music"],
    }  # fmt: skip
    return {
        "title": "A fabricated suite", "label": label, "metrics": METRICS, "seeds": [0, 1],
        "order": ["merging"], "tracks": {"merging": track},
        "command": "recmerge-bench run --suite fake", "audits": {}, "pretraining": {},
    }  # fmt: skip


def identity(method: str, seed: int | None, backbone: str = "net", **more: str) -> dict[str, Any]:
    return {
        "dataset": "made-up", "backbone": backbone, "method": method, "recipe": "fixed",
        "profile": "cpu", "variant": "", "track": "merging", "protocol": "cut", "seed": seed,
        **more,
    }  # fmt: skip


def key_of(who: dict[str, Any]) -> str:
    return (f"{who['method']}{who['variant']}{who['seed']}".encode().hex() + 64 * "0")[:64]


def configuration(who: dict[str, Any], **options: Any) -> dict[str, Any]:
    """A configuration that fits an identity; further options are the method's."""
    strategy = bool(who["backbone"])
    training = {"steps": 100, "lr": 0.001}
    return {
        "method": {"name": who["method"], "options": options,
                   "kind": "strategy" if strategy else "cdsr"},
        "backbone": {"name": who["backbone"], "options": {"width": 8}} if strategy else None,
        "encoder": None, "dataset": {"name": who["dataset"], "options": {}},
        "domains": DOMAINS, "experts": DOMAINS, "source": ["music"], "base": None,
        "training": {
            "base": training if strategy else None,
            "experts": {d: training for d in DOMAINS} if strategy else {},
            "joint": None, "own": None if strategy else training,
        },
        "protocol": {"name": who["protocol"], "options": {}}, "profile": who["profile"],
        "recipe": who["recipe"], "threads": 1, "tuning": {"row": None, "backbone": None},
    }  # fmt: skip


def configured(who: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The entries of a result."""
    settings = configuration(who, **options)
    return {"configuration": settings, "configuration_sha256": hash_of(settings)}


def result(who: dict[str, Any], books: float, films: float, **options: Any) -> dict[str, Any]:
    values = {"books": books, "films": films, "mean": (books + films) / 2}
    return {
        "key": key_of(who), "identity": who, "domains": DOMAINS,
        "status": "done", "reason": "", "mend": "", **configured(who, **options),
        "metrics": {d: dict(zip(METRICS, (v, 2 * v, v / 2), strict=True))
                    for d, v in values.items()},
        "instances": {"books": 30, "films": 20}, "candidates": "full", "mask_history": True,
        "data": "d" * 64, "split": "e" * 64, "libraries": {"numpy": "1"}, "plugins": {"p": "q 1"},
    }  # fmt: skip


def not_done(who: dict[str, Any], status: str, reason: str) -> dict[str, Any]:
    return {
        "key": key_of(who), "identity": who, "domains": DOMAINS, "status": status,
        "reason": reason, "mend": "mend it", **configured(who),
    }  # fmt: skip


def records() -> dict[str, Any]:
    """Done, half done, failed, blocked and not run; a recipe, a variant with a pipe in it."""
    protocol = {"summary": "the last one", "split": {"scope": "domain"}, "negatives": None,
                "candidate_seed": 1}  # fmt: skip
    return {
        "schema": 4,
        "suite": "fake",
        "header": {**header(), "protocols": {"cut": protocol}},
        "results": [
            result(identity("counts", None, backbone=""), 0.1, 0.2),
            result(identity("own", 0), 0.30, 0.40),
            result(identity("own", 1), 0.32, 0.44),
            result(identity("average", 0, variant="a|b"), 0.2, 0.3),
            result(identity("average", 1, variant="a|b"), 0.2, 0.35),
            result(identity("average", 0, recipe="paper"), 0.1, 0.1),
            not_done(identity("average", 1, recipe="paper"), "failed", "it | broke"),
            not_done(identity("absent", 0), "blocked", "no data"),
            not_done(identity("absent", 1), "blocked", "no data"),
            not_done(identity("late", 0), "not run", "stopped"),
        ],
    }


def costs() -> dict[str, Any]:
    who = identity("own", 0)
    return {
        "schema": 3,
        "suite": "fake",
        "results": [
            {
                "key": key_of(who), "identity": who, "parameters": 12_345, "joules": None,
                "seconds": {"train:a": 2.0, "merge:c": 0.25, "rank:b": 0.5, "split:d": 12.0},
                "peak_memory": 2**20, "device": "cpu", "cores": 2, "python": "3.11",
            }
        ],
    }  # fmt: skip


#: (domain, n_better, n_equal): ranks 1, 2.5 and 11 in books; 3 in films
RANKS = [("books", 0, 0), ("books", 1, 1), ("books", 10, 0), ("films", 2, 0)]


def run_folder(out: Path, methods: tuple[str, ...] = ("own",), loaded: str = "1") -> Path:
    """A run with a training and a rank cell for each method, and one result that failed."""
    store = Store(out)
    results: list[dict[str, Any]] = []
    built = interactions()
    split = leave_one_out(built, tuple(DOMAINS))
    _commit(store, DATA, "data", "made-up", 1.0, 1, {}, "1", lambda f: save_interactions(built, f))
    _commit(store, SPLIT, "split", "cut", 1.0, 1, {}, "1", lambda f: save_split(split, f))
    for method in methods:
        who = identity(method, 0)
        train, rank = f"{method}-train".encode().hex(), key_of(who)
        _commit(store, train, "train", method, 2.0, 300, {"module_of_training": "t 1"}, loaded)
        _commit(store, rank, "rank", method, 0.5, 200, {"module_of_ranking": "r 1"}, "1",
                lambda f: write_ranks(f / "ranks.parquet", ranks()))  # fmt: skip
        state = {"status": "done", "reason": "", "mend": "", **configured(who)}
        results.append({"key": rank, "identity": who, "domains": DOMAINS, **state,
                        "cells": [train, rank]})  # fmt: skip
    results.append({**not_done(identity("broken", 0), "failed", "it broke"), "cells": []})
    manifest = {"schema": 1, "suite": "fake", "header": header(), "results": results}
    write_json(out / "suites" / "fake.json", manifest)
    return out


def interactions() -> Interactions:
    """Four users with all twelve items of each of three domains, at times of no meaning."""
    domains = ("music", *DOMAINS)
    items = [12 * d + n for _ in range(4) for n in range(12) for d in range(3)]
    times = [place for _ in range(4) for place in range(36)]
    names = [f"item {n}" for n in range(36)]
    catalogue = Catalogue(domains, np.array([0, 12, 24, 36]), names, [""] * 36)
    offsets = np.arange(0, 4 * 36 + 1, 36)
    users = list("uvwx")
    return Interactions(
        offsets, np.array(items, np.int32), np.array(times), users, catalogue, {}
    )  # fmt: skip


def _commit(
    store: Store, key: str, kind: str, method: str, seconds: float, memory: int,
    plugins: dict[str, str], numpy: str, fill: Callable[[Path], None] = lambda folder: None,
) -> None:  # fmt: skip
    with store.writing(key) as folder:
        fill(folder)
        provenance = {
            "recmerge_bench": "0.1.0", "libraries": {"numpy": numpy}, "python": "3.11",
            "commit": "c", "dirty": False, "machine": "m", "processor": "p", "cores": 2,
            "system": "s", "plugins": plugins,
        }  # fmt: skip
        store.commit(key, folder, {
            "key": key, "kind": kind, "label": f"{kind} {method}", "seconds": seconds,
            "peak_memory": memory, "started": 1.0, "device": "cpu", "provenance": provenance,
            "inputs": {"data": DATA, "split": SPLIT},
            "report": {"fingerprint": "d" * 64} if kind == "data" else {},
        })  # fmt: skip


def ranks() -> RankTable:
    names = ("music", *DOMAINS)
    number = np.array([names.index(d) for d, _, _ in RANKS], np.int32)
    better, equal = (np.array([r[i] for r in RANKS], np.int32) for i in (1, 2))
    users = np.arange(len(RANKS), dtype=np.int32)
    facts = {"protocol": {"candidates": "full", "mask_history": False}, "instances": len(RANKS)}
    return RankTable(users, names, number, 12 * number + users, better, equal, facts)
