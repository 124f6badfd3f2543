"""The comparisons of a table as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recmerge_bench.boards.pieces import p_value, plain, table
from recmerge_bench.boards.table import Line, names_of
from recmerge_bench.records.rows import row_of

NOTE = (
    "Difference of the means over the domains. *Methods*: seeds and users both drawn anew (crossed "
    "variance), which the verdict follows; in brackets the 95 % interval, beside it that of the "
    "two-level bootstrap. *These models*: users alone drawn anew. p is two-sided, adjusted by Holm "
    "for all rows of this table. Equivalent: the interval lies within ±1 % of the baseline. Fewer "
    "than five seeds give no verdict."
)


def comparison_of(records: Mapping[str, Any], track: str, protocol: str) -> list[Mapping[str, Any]]:
    """The comparisons of one table: one for each backbone that has a baseline."""
    return [
        c
        for c in records.get("comparisons", [])
        if (c["track"], c["protocol"]) == (track, protocol)
    ]


def verdicts_of(comparisons: Sequence[Mapping[str, Any]]) -> dict[tuple[str, ...], str]:
    """Row -> its verdict; the baseline's own is ``baseline``."""
    found: dict[tuple[str, ...], str] = {}
    for about in comparisons:
        found[row_of(about["baseline"])] = "baseline"
        for row in about["rows"]:
            found.setdefault(row_of(row), row["verdict"])
    return found


def relative_of(comparisons: Sequence[Mapping[str, Any]]) -> dict[tuple[str, ...], float | None]:
    """Row -> its difference from the baseline as a share of the baseline's mean."""
    found: dict[tuple[str, ...], float | None] = {}
    for about in comparisons:
        for row in about["rows"]:
            found.setdefault(row_of(row), row["relative"])
    return found


def section(about: Mapping[str, Any], lines: Sequence[Line]) -> list[str]:
    """Heading, table and what its columns are."""
    names = names_of(lines)
    base = names.get(row_of(about["baseline"]), ("", about["baseline"]["method"]))
    backbone = f" on {base[0]}" if base[0] not in ("", "–") else ""
    rows = []
    for row in about["rows"]:
        name = names.get(row_of(row), (row["backbone"], row["method"]))
        methods, models, effect = row["methods"], row["trained_models"], row["effect"]
        rows.append(
            [
                plain(name[1]),
                f"{models['difference']:+.4f}",
                "–" if row["relative"] is None else f"{100 * row['relative']:+.1f} %",
                "–" if methods is None else _interval(methods["lower"], methods["upper"]),
                _interval(*row["bootstrap"]),
                "–" if row["p_holm"] is None else p_value(row["p_holm"]),
                row["verdict"],
                _interval(models["lower"], models["upper"]),
                "–" if effect["dz"] is None else f"{effect['dz']:+.3f}",
                f"{effect['wins']}/{effect['ties']}/{effect['losses']}",
            ]
        )
    headers = [
        "method", "difference", "relative", "methods", "bootstrap", "p", "verdict", "these models",
        "dz", "win/tie/loss",
    ]  # fmt: skip
    heading = f"### {about['metric']} beside `{plain(base[1])}`{backbone}"
    return [heading, table(headers, rows), NOTE]


def _interval(lower: float, upper: float) -> str:
    return f"[{lower:+.4f}, {upper:+.4f}]"
