"""``data/<suite>.js``: all that the boards' page shows of a suite, loaded by a script element."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from recmerge_bench.report.boards.headline import headline
from recmerge_bench.report.boards.markdown import LABELS
from recmerge_bench.report.boards.superseded import superseded_text
from recmerge_bench.report.figures.data import FigureData
from recmerge_bench.report.figures.declared import figures
from recmerge_bench.report.figures.names import short_names
from recmerge_bench.report.site.load import Suite
from recmerge_bench.report.site.numbers import short
from recmerge_bench.report.site.tables import table_data
from recmerge_bench.report.site.values import Figure, FigurePoint, Json, Panel, Series, SuiteData


def suite_data(suite: Suite) -> SuiteData:
    """Everything of a suite that its page shows."""
    header, mark = suite.header, suite.header.superseded
    kind = LABELS[header.label].replace("**", "")
    head = headline(suite.records)
    return SuiteData(
        suite=suite.name,
        title=header.title,
        label=header.label,
        about=kind if mark is None else f"{superseded_text(mark)} {kind}",
        question=head.question,
        answer=head.answer,
        detail=head.detail,
        place=head.place,
        seeds=header.seeds,
        datasets=sorted({track.dataset for track in header.tracks.values()}),
        date=newest(suite),
        done=head.done,
        total=head.wanted,
        command=header.command,
        metrics=header.metrics,
        tables=table_data(suite),
        figures=[_figure(data) for data in figures(suite.records, suite.curves)],
        superseded=None if mark is None else mark.by,
    )


def newest(suite: Suite) -> str | None:
    """The day (UTC, ISO) on which the newest of its results was made, where that is known."""
    started = max((cost.started for cost in suite.costs), default=0.0)
    return datetime.fromtimestamp(started, UTC).date().isoformat() if started else None


def _figure(data: FigureData) -> Figure:
    panels: dict[str, dict[str, list[FigurePoint]]] = {}
    for p in data.points:
        line = panels.setdefault(p.panel, {}).setdefault(p.series, [])
        line.append(FigurePoint(short(p.x), short(p.y), short(p.spread), p.seeds))
    brief, rows = short_names(data.series), short_names(data.ticks)
    return Figure(
        name=data.name,
        title=data.title,
        x=data.x,
        y=data.y,
        ticks=list(data.ticks),
        rows=[rows[tick] for tick in data.ticks],
        mark=data.mark,
        spread=data.spread,
        whole=data.whole,
        shown=data.shown,
        panels=[
            Panel(name, [Series(series, brief[series], points) for series, points in lines.items()])
            for name, lines in panels.items()
        ],
    )


def encode(value: Json) -> str:
    """JSON of ASCII alone, without what could end a script; a line for each part."""
    text = _lines(value, 0)
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


#: Values this deep stand in a line of their own; deeper ones share it.
_DEPTH = 4


def _lines(value: Json, depth: int) -> str:
    if depth >= _DEPTH or not value or isinstance(value, (str, int, float)):
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    if isinstance(value, Mapping):
        parts = (f"{json.dumps(str(k))}:{_lines(v, depth + 1)}" for k, v in value.items())
        return "{\n" + ",\n".join(parts) + "\n}"
    return "[\n" + ",\n".join(_lines(v, depth + 1) for v in value) + "\n]"
