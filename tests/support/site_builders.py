"""A folder of fabricated records with all that the site can show, hostile names included."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from boards_builders import costs, identity, key_of, records, result

from recmerge_bench.files import write_json

HOSTILE = '</script><img src=x onerror="window.hurt=1">&\u2028'


def hostile_records() -> dict[str, Any]:
    """The fabricated suite with figures and probes; names, reasons and titles that are markup."""
    made = copy.deepcopy(records())
    made["header"]["title"] = HOSTILE
    made["header"]["command"] = f"run {HOSTILE}"
    made["header"]["figures"] = {
        "gates": {"kind": "probes", "methods": [], "tracks": [], "option": "", "title": HOSTILE}
    }
    for seed, books in ((0, 0.5), (1, 0.6)):
        row = result(identity(HOSTILE, seed, variant=HOSTILE), books, 0.2)
        row["key"] = f"{row['key'][:60]}abc{seed}"
        row["probes"] = {"books": {"gate a": {"mean": 0.3, "std": 0.1, "users": 9},
                                   "gate b": {"mean": 0.7, "std": 0.1, "users": 9}}}  # fmt: skip
        made["results"].append(row)
    for row in made["results"]:
        if row["status"] == "failed":
            row["reason"] = HOSTILE
    return made


def across() -> dict[str, Any]:
    """Ranks over the domains of three rows, two groups."""
    names = [("", "counts", ""), ("net", "own", ""), ("net", "average", "a|b")]
    rows = [
        {"backbone": b, "method": m, "variant": v, "recipe": "fixed", "profile": "cpu",
         "mean_rank": rank, "lower": 1.0, "upper": 3.0, "groups": groups}
        for (b, m, v), rank, groups in zip(names, (3.0, 1.0, 2.0), ([2], [1], [1, 2]), strict=True)
    ]  # fmt: skip
    return {"track": "merging", "protocol": "cut", "metric": "NDCG@10", "rows": rows,
            "domains": 2, "left_out": 0, "critical_difference": None,
            "said": "too few domains for a Friedman test: 2 of at least 8"}  # fmt: skip


def comparison() -> dict[str, Any]:
    """`average` beside `own`."""
    claim = {"difference": -0.1, "lower": -0.15, "upper": -0.05, "df": 9.0, "error": 0.02,
             "p": 0.001}  # fmt: skip
    row = {k: identity("average", 0, variant="a|b")[k] for k in
           ("backbone", "method", "variant", "recipe", "profile")}  # fmt: skip
    base = {**row, "method": "own", "variant": ""}
    compared = {**row, "methods": claim, "trained_models": claim, "bootstrap": [-0.16, -0.04],
                "effect": {"dz": -0.5, "wins": 1, "ties": 2, "losses": 3},
                "first": 0.27, "difference": -0.1, "relative": -0.27, "baseline": 0.37,
                "users": 50, "sign_flip": 0.01, "seeds": [0, 1, 2, 3, 4],
                "about_methods": {"verdict": "worse", "reason": "", "p": 0.002, "level": 0.975,
                                  "lower": -0.16, "upper": -0.04},
                "about_models": {"verdict": "worse", "reason": "", "p": 0.001, "level": 0.975,
                                 "lower": -0.14, "upper": -0.06}}  # fmt: skip
    return {"track": "merging", "protocol": "cut", "metric": "NDCG@10", "baseline": base,
            "rows": [compared]}  # fmt: skip


def write_folder(folder: Path, made: dict[str, Any] | None = None) -> Path:
    """Records, costs and ranks over domains of the fabricated suite."""
    made = made or hostile_records()
    made = {**made, "comparisons": [comparison()], "across": [across()]}
    own = costs()
    own["results"][0]["key"] = key_of(own["results"][0]["identity"])
    own["results"][0]["seconds"] = {"train:a": 2.0, "merge:b": 0.25, "rank:c": 0.5}
    write_json(folder / "fake.json", made)
    write_json(folder / "fake.cost.json", own)
    return folder
