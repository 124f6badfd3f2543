"""Tables of `README.md`, from the records; `benchmarks/tools/documents.py` puts them there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RECORDS = Path(__file__).resolve().parent / "records"


def records() -> list[dict[str, Any]]:
    """The last record of each comparison."""
    latest = {}
    for path in sorted(RECORDS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            latest[record["comparison"], record["threads"]] = record
    return list(latest.values())


def readable(rate: float) -> str:
    """Three digits, or all of a whole number."""
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"


def speed() -> str:
    """Ratios to each other side, a line a comparison and side."""
    lines = [
        "| work | against | ours | theirs | ratio | peak memory |",
        "|---|---|---|---|---|---|",
    ]
    for record in records():
        if "ndcg" in record:  # whole trainings, validations included: a table of their own
            continue
        rates, peaks = record["rates"], record["peak_mb"]
        unit = f"{record['unit']}/{'CPU s' if record.get('of') else 's'}"
        for other in [name for name in rates if name != "ours"]:
            lines.append(
                f"| {record['comparison']} | {other} | {readable(rates['ours'])} {unit} | "
                f"{readable(rates[other])} {unit} | {rates['ours'] / rates[other]:,.1f} × | "
                f"{peaks['ours'] / peaks[other]:.2f} × |"
            )
    return "\n".join(lines)


def training_quality() -> str:
    """NDCG@10 of all sides after as many epochs, histories masked."""
    lines = ["| training | NDCG@10 masked |", "|---|---|"]
    for record in records():
        sides = sorted(record.get("ndcg", {}).items())
        if sides:
            shown = ", ".join(f"{side} {ndcg:.4f}" for side, ndcg in sides)
            lines.append(f"| {record['comparison']} | {shown} |")
    return "\n".join(lines)


def training_share() -> str:
    """Share of the matrix-product peak that training reaches, and of its time by kind."""
    path = RECORDS / "training_share.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    lines = [
        f"| training (peak: {record['peak_gflop_per_second']:.0f} GFLOP/s) | of the peak | time |",
        "|---|---|---|",
    ]
    for row in record["works"]:
        kinds = sorted(row["time"].items(), key=lambda kv: -kv[1])
        shown = ", ".join(f"{kind} {part:.0%}" for kind, part in kinds if part >= 0.02)
        lines.append(f"| {row['work']} | {row['share_of_peak']:.0%} | {shown} |")
    return "\n".join(lines)


def gpu_rates() -> str:
    """Of models on a GPU; those that failed there are left to the record of the models."""
    path = RECORDS / "gpu" / "rates.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    lines = [
        f"| training on one {record['device']} | targets/s | of the peak | users ranked/s |",
        "|---|---|---|---|",
    ]
    for title, row in sorted(record["items"].items()):
        if "share_of_peak" in row:
            lines.append(
                f"| {title} | {readable(row['targets_per_second'])} | {row['share_of_peak']:.0%} | "
                f"{readable(row['users_ranked_per_second'])} |"
            )
    return "\n".join(lines)


def gpu_cdsr() -> str:
    """How far trainings came in their time on a GPU: validation MRR by domain."""
    path = RECORDS / "gpu" / "cdsr.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    lines = ["| training | seconds | epochs | validation MRR |", "|---|---|---|---|"]
    for label, row in sorted(record["trainings"].items()):
        last = row["history"][-1]
        values = ", ".join(f"{d} {last[d]:.4f}" for d in ("food", "kitchen"))
        lines.append(
            f"| {label.removeprefix('train ')} | {row['seconds']:.0f} | {row['epoch']} | {values} |"
        )
    return "\n".join(lines)
