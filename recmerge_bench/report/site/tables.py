"""The tables of a suite as the site's pages read them: short names, rounded numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

from recmerge_bench.identity import Row
from recmerge_bench.report.boards.card import card_facts
from recmerge_bench.report.boards.configurations import made_text
from recmerge_bench.report.boards.cost_board import by_kind
from recmerge_bench.report.boards.shares import experts, shares
from recmerge_bench.report.boards.table import MEAN, Line, tables
from recmerge_bench.report.boards.verdicts import comparison_of, models_beside, said_of_models
from recmerge_bench.report.site.load import Suite
from recmerge_bench.report.site.numbers import short
from recmerge_bench.results.compared import Claim, Compared, ComparedRow, Judgement
from recmerge_bench.results.records import Records
from recmerge_bench.results.rows import row_of
from recmerge_bench.statistics.summary import mean_interval
from recmerge_bench.untrusted.paths import distinct


def row_id(row: Row) -> str:
    """A short name of a row, for links to a view of a table."""
    return hashlib.sha256("\0".join(row).encode()).hexdigest()[:6]


def table_data(suite: Suite) -> list[dict[str, Any]]:
    """Every table of a suite, in its order, tracks and protocols apart."""
    costs = {cost["key"]: cost for cost in suite.costs}
    mends = _mends(suite.records)
    found = []
    records = Records.model_validate(suite.records)
    for place, lines in tables(records).items():
        track, protocol = place
        compared = comparison_of(records, place)
        reference = suite.header["tracks"][track].get("reference")
        own = experts(lines, reference)
        said = _compared(compared)
        keys = _keys(suite.records, track, protocol)
        found.append(
            {
                "track": track,
                "protocol": protocol,
                "domains": lines[0].domains,
                "card": [list(row) for row in card_facts(records.header, place, lines)],
                "reference": reference if own else None,
                "compared": [_baseline(c, lines) for c in compared],
                "across": _across(suite.records, track, protocol),
                "rows": [
                    _row(line, own.get(line.identity.backbone), suite.header["metrics"])
                    | {k: v for k, v in said.get(line.identity.row, {}).items()}
                    | {"cost": _cost([costs[k] for k in keys[line.identity.row] if k in costs])}
                    | {"gaps": _gaps(line, mends)}
                    for line in lines
                ],
            }
        )
    return found


def _row(line: Line, own: Line | None, metrics: Sequence[str]) -> dict[str, Any]:
    row, (backbone, method) = line.identity.row, line.name
    places = [*line.domains, MEAN] if line.values else []
    return {
        "id": row_id(row),
        "backbone": backbone,
        "method": line.identity.method,
        "label": method,
        "page": distinct(line.identity.method),
        "recipe": line.identity.recipe,
        "made": made_text(line),
        "seeds": [s for s in line.seeds if s is not None] if line.seeds != [None] else [],
        "wanted": len([s for s in line.replicates if s is not None]),
        "values": {m: {d: _value(line.values.get((d, m), [])) for d in places} for m in metrics},
        "shares": {m: _shares(line, own, m) for m in metrics},
    }


def _value(values: Sequence[float]) -> list[Any] | None:
    """[mean, interval over seeds or null, each seed's]."""
    if not values:
        return None
    interval = mean_interval(values)
    ends = None if interval is None else [short(v) for v in interval]
    return [short(mean(values)), ends, [short(v) for v in values]]


def _shares(line: Line, own: Line | None, metric: str) -> dict[str, float | None] | None:
    """The boards' own shares of the expert's, means over the seeds; None without an expert."""
    found = shares(line, own, metric)
    return {name: short(mean(by_seed.values())) for name, by_seed in found.items()} or None


def _compared(comparisons: Sequence[Compared]) -> dict[Row, dict[str, Any]]:
    """Row -> verdict and what it follows from; the first family that has the row."""
    found: dict[Row, dict[str, Any]] = {}
    for number, about in enumerate(comparisons):
        found[about.baseline.row] = {"verdict": "baseline", "reason": ""}
        for row in about.rows:
            found.setdefault(
                row.row,
                {
                    "verdict": row.about_methods.verdict,
                    "reason": row.about_methods.reason,
                    "models": said_of_models(row),
                    "models_beside": models_beside(row),
                    "difference": {"family": number, **_difference(row)},
                },
            )
    return found


def _difference(row: ComparedRow) -> dict[str, Any]:
    effect, bootstrap = row.effect, row.bootstrap
    return {
        "mean": short(row.difference),
        "relative": short(row.relative),
        "methods": _ends(row.about_methods),
        "p": short(row.about_methods.p),
        "models": _ends(row.about_models),
        "alone": _ends(row.methods),
        "bootstrap": None if bootstrap is None else [short(v) for v in bootstrap],
        "dz": short(effect.dz),
        "wins": [effect.wins, effect.ties, effect.losses],
    }


def _ends(about: Judgement | Claim | None) -> list[Any] | None:
    if about is None or about.lower is None:
        return None
    return [short(about.lower), short(about.upper)]


def _baseline(about: Compared, lines: Sequence[Line]) -> dict[str, Any]:
    base = about.baseline.row
    label = next((" ".join(n for n in line.name if n != "–") for line in lines
                  if line.identity.row == base), about.baseline.method)  # fmt: skip
    return {
        "metric": about.metric,
        "id": row_id(base),
        "label": label,
        "mean": short(about.rows[0].baseline) if about.rows else None,
    }


def _across(records: Mapping[str, Any], track: str, protocol: str) -> dict[str, Any] | None:
    for table in records.get("across", []):
        if (table["track"], table["protocol"]) == (track, protocol):
            rows = table["rows"]
            runs = range(1, 1 + max((g for r in rows for g in r["groups"]), default=0))
            return {
                "metric": table["metric"],
                "rows": [[row_id(row_of(r)), r["mean_rank"], r["lower"], r["upper"]] for r in rows],
                "groups": [[n for n, r in enumerate(rows) if g in r["groups"]] for g in runs],
                "said": table["said"],
                "difference": short(table["critical_difference"]),
                "left": table["left_out"],
            }
    return None


def _keys(records: Mapping[str, Any], track: str, protocol: str) -> dict[Row, list[str]]:
    """Row -> keys of its results."""
    found: dict[Row, list[str]] = {}
    for result in records["results"]:
        identity = result["identity"]
        if (identity["track"], identity["protocol"]) == (track, protocol):
            found.setdefault(row_of(identity), []).append(result["key"])
    return found


def _cost(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Means over the seeds: seconds of training, of merging and of the rest; peak MiB."""
    if not entries:
        return None
    kinds = [by_kind(entry["seconds"]) for entry in entries]
    parts = {
        "train": mean(k["training"] for k in kinds),
        "merge": mean(k["merging"] for k in kinds),
        "other": mean(k["ranking"] + k["other"] for k in kinds),
    }
    peak = max(entry["peak_memory"] for entry in entries) / 2**20
    return {name: short(round(value, 2)) for name, value in parts.items()} | {"peak": round(peak)}


def _mends(records: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """(status, reason) -> how to mend it."""
    return {
        (r["status"], r.get("reason", "")): r.get("mend", "")
        for r in records["results"]
        if r["status"] != "done"
    }


def _gaps(line: Line, mends: Mapping[tuple[str, str], str]) -> list[dict[str, Any]]:
    return [
        {
            "status": status,
            "reason": reason,
            "mend": mends.get((status, reason), ""),
            "seeds": sorted(s for s in seeds if s is not None),
        }
        for (status, reason), seeds in line.gaps.items()
    ]
