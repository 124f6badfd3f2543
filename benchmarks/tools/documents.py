"""Put committed results into the documents that print them, between their markers.

    python benchmarks/tools/documents.py

A marker is a line ``<!-- result NAME -->``; what follows, up to ``<!-- end -->``, is made here from
the committed boards and records. A test compares the documents with what this would write.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    "README.md",
    "benchmarks/speed/README.md",
    "benchmarks/quality/README.md",
    "benchmarks/claims/README.md",
)
_BLOCK = re.compile(r"(<!-- result ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def board(suite: str, section: str) -> str:
    """The first table by domain of a section of a board."""
    text = (ROOT / "leaderboards" / f"{suite}.md").read_text(encoding="utf-8")
    part = text.split(f"## {section}\n", 1)[1].split("by domain\n\n", 1)[1]
    return part.split("\n\n", 1)[0]


def records(folder: str) -> list[dict[str, Any]]:
    """The last record of each comparison."""
    found = {}
    for path in sorted((ROOT / folder).glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            found[record["comparison"], record["threads"]] = record
    return list(found.values())


def readable(rate: float) -> str:
    """Three digits, or all of a whole number."""
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"


def speed() -> str:
    """Ratios to each other side, a line a comparison and side."""
    lines = [
        "| work | against | ours | theirs | ratio | peak memory |",
        "|---|---|---|---|---|---|",
    ]
    for record in records("benchmarks/speed/records"):
        rates, peaks = record["rates"], record["peak_mb"]
        unit = f"{record['unit']}/{'CPU s' if record.get('of') else 's'}"
        for other in [name for name in rates if name != "ours"]:
            lines.append(
                f"| {record['comparison']} | {other} | {readable(rates['ours'])} {unit} | "
                f"{readable(rates[other])} {unit} | {rates['ours'] / rates[other]:,.1f} × | "
                f"{peaks['ours'] / peaks[other]:.2f} × |"
            )
    return "\n".join(lines)


def quality() -> str:
    """RecBole minus ours, mean of our seeds."""
    path = ROOT / "benchmarks" / "quality" / "records" / "comparison.json"
    lines = [
        "| model | RecBole's epoch | RecBole | ours | RecBole − ours [95 %] |",
        "|---|---|---|---|---|",
    ]
    for row in json.loads(path.read_text(encoding="utf-8"))["rows"]:
        if row["ours"] == "mean of seeds":
            lines.append(
                f"| {row['model']} | {row['recbole']} | {row['recbole_ndcg']:.4f} | "
                f"{row['ours_ndcg']:.4f} | {row['difference']:+.4f} "
                f"[{row['lower']:+.4f}, {row['upper']:+.4f}] |"
            )
    return "\n".join(lines)


def claims() -> str:
    """Each claim with its difference and both intervals."""
    path = ROOT / "benchmarks" / "claims" / "records" / "mergerec-cpu.json"
    lines = [
        "| claim | difference | these models [95 %] | the methods [95 %] | found |",
        "|---|---|---|---|---|",
    ]
    for row in json.loads(path.read_text(encoding="utf-8"))["claims"]:
        users, drawn = (f"[{a:+.4f}, {b:+.4f}]" for a, b in (row["users"], row["methods"]))
        lines.append(
            f"| {row['claim']} | {row['difference']:+.4f} | {users} | {drawn} | {row['verdict']} |"
        )
    return "\n".join(lines)


RESULTS: dict[str, Callable[[], str]] = {
    "quick-merging": lambda: board("quick", "merging, loo"),
    "speed": speed,
    "quality": quality,
    "claims": claims,
}


def renewed(document: str) -> str:
    """A document's text with all its results as committed."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return _BLOCK.sub(lambda m: m.group(1) + RESULTS[m.group(2)]() + "\n" + m.group(3), text)


def main() -> None:
    """Write all documents."""
    for document in DOCUMENTS:
        (ROOT / document).write_text(renewed(document), encoding="utf-8")


if __name__ == "__main__":
    main()
