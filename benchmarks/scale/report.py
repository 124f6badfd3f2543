"""Tables and pictures of the records, from the records alone.

    python benchmarks/scale/report.py

writes a picture for each topic into `figures/`; `benchmarks/tools/documents.py` puts the tables
into the README.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).resolve().parent
RECORDS, FIGURES = HERE / "records", HERE / "figures"
Record = dict[str, Any]
AXES = {"cpu_s": "CPU seconds", "anonymous_mb": "peak anonymous memory, MB",
        "four_of_two": "seconds of four workers over those of two"}  # fmt: skip

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def records() -> list[Record]:
    """Of all topics, by name."""
    return [json.loads(p.read_text(encoding="utf-8")) for p in sorted(RECORDS.glob("*.json"))]


def floors() -> list[dict[str, Any]]:
    """What the issue asks for, with the value that was measured and whether it is met.

    A floor of a size that was not measured has the value None.
    """
    text = (HERE / "floors.json").read_text(encoding="utf-8")
    known = {record["topic"]: record for record in records()}
    made = []
    for topic, asked in json.loads(text).items():
        for floor in asked:
            value = measured(known[topic], floor) if topic in known else None
            met = value is not None and value <= floor["at_most"]
            made.append({"topic": topic, **floor, "value": value, "met": met})
    return made


def measured(record: Record, floor: dict[str, Any]) -> float | None:
    """The value that a floor is of."""
    place = floor["series"], floor["size"]
    point = next((p for p in record["points"] if (p["series"], p["size"]) == place), None)
    if point is None:
        return None
    if floor["figure"] == "exponent":
        exponent: float | None = record["exponents"][floor["series"]]
        return exponent
    if floor["figure"] == "beyond_vectors_mb":
        return float(point["anonymous_mb"] - point["item_vectors_mb"])
    return float(point[floor["figure"]])


def points_table() -> str:
    """A line for each measurement."""
    lines = ["| topic | | size | CPU s | wall s | peak MB | before MB |", "|---" * 7 + "|"]
    lines += [
        f"| {record['title']} | {p['series']} | {p['size']:,} {record['unit']} | {p['cpu_s']:.2f} "
        f"| {p['wall_s']:.2f} | {p['anonymous_mb']:,.0f} | {p['anonymous_before_mb']:,.0f} |"
        for record in records()
        for p in record["points"]
    ]
    return "\n".join(lines)


def exponents_table() -> str:
    """What grows how, a line for each series."""
    lines = ["| topic | | grows as size to the power | of |", "|---" * 4 + "|"]
    lines += [
        f"| {record['title']} | {series} | {'–' if value is None else f'{value:.2f}'} "
        f"| {AXES[record['figure']]} |"
        for record in records()
        for series, value in record["exponents"].items()
    ]
    return "\n".join(lines)


def floors_table() -> str:
    """Each floor, met or missed."""
    lines = ["| topic | | size | figure | at most | measured | |", "|---" * 7 + "|"]
    for floor in floors():
        value = "not measured" if floor["value"] is None else f"{floor['value']:,.2f}"
        state = "met" if floor["met"] else "–" if floor["value"] is None else "missed"
        lines.append(
            f"| {floor['topic']} | {floor['series']} | {floor['size']:,} | {floor['figure']} "
            f"| {floor['at_most']:,} | {value} | {state} |"
        )
    return "\n".join(lines)


def picture(record: Record) -> str:
    """Log-log, a line for each series with its exponent, as SVG."""
    from recmerge_bench.report.figures.canvas import drawn

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        for series, exponent in record["exponents"].items():
            some = [p for p in record["points"] if p["series"] == series]
            power = "" if exponent is None else f"size^{exponent:.2f}"
            label = ": ".join(filter(None, (series, power)))
            axes.plot([p["size"] for p in some], [p[record["figure"]] for p in some],
                      marker="o", label=label)  # fmt: skip
        axes.set(title=record["title"], xlabel=record["unit"], ylabel=AXES[record["figure"]])
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[1]:  # a single point has neither name nor exponent
            axes.legend(frameon=False)

    return drawn(f"scale-{record['topic']}", (5.5, 3.5), paint)


def main() -> None:
    """Draw all."""
    FIGURES.mkdir(exist_ok=True)
    for record in records():
        path = FIGURES / f"{record['topic']}.svg"
        path.write_text(picture(record), encoding="utf-8")
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
