"""Selectors: ``kind=train,label=*ties*`` or ``method=ties,seed=0`` choose cells of a plan."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from recmerge_bench.errors import HandledError, near
from recmerge_bench.identity import FIELDS
from recmerge_bench.planning.cells import Plan
from recmerge_bench.planning.faults import there_are

CELL_FIELDS = ("key", "kind", "label")
RESULT_FIELDS = FIELDS


def select(plan: Plan, selector: str) -> list[str]:
    """Keys of the cells that a selector matches, in the plan's order.

    Terms are joined by commas and must all hold; a term is ``field=pattern`` with ``*`` as a
    wildcard; alternatives are joined by ``|``. A term without a field matches labels that contain
    it. Fields of a board's row (method, seed, ...) choose rank cells, fields of a cell any.

    Raises:
        HandledError: an unknown field.
    """
    asked = terms(selector)
    return [
        key
        for key, views in _views(plan)
        if any(all(_holds(view, *term) for term in asked) for view in views)
    ]


def unmet(plan: Plan, selector: str) -> str:
    """The first alternative of a selector that nothing has, with near values; empty: none.

    Returns:
        such as ``no method 'tie' (did you mean 'ties'?)``.
    """
    views = [view for _, some in _views(plan) for view in some]
    for field, patterns in terms(selector):
        known = dict.fromkeys(_text(view, field) for view in views if field in view)
        for pattern in patterns:
            if any(_holds({field: value}, field, [pattern]) for value in known):
                continue
            said = f"no {field} '{pattern}'{there_are(pattern, known)}"
            if "" in known:
                said += f"; rows without one are `{field}=`"
            own = "; one of a file of yours needs -p FILE.py before the command"
            return said + (own if field in ("method", "backbone") else "")
    return ""


def _views(plan: Plan) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each cell's key, and what terms are held against: the cell, or the rows that it holds."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for result in (*plan.results, *plan.curves):
        rows.setdefault(result.key, []).append(dict(result.identity))
    for key, cell in plan.cells.items():
        own = {"key": cell.key, "kind": cell.kind, "label": cell.label}
        yield key, [{**own, **row} for row in rows.get(key, [])] or [own]


def terms(selector: str) -> list[tuple[str, list[str]]]:
    """A selector as (field, patterns).

    Raises:
        HandledError: an unknown field.
    """
    return [_term(text) for text in selector.split(",") if text]


def _term(text: str) -> tuple[str, list[str]]:
    field, sign, pattern = text.partition("=")
    if not sign:
        return "label", [f"*{text.strip()}*"]
    known = (*CELL_FIELDS, *RESULT_FIELDS)
    if field.strip() not in known:
        raise HandledError(
            f"selector '{text}': no field '{field}'{near(field, known)}; "
            f"there are {', '.join(known)}"
        )
    return field.strip(), pattern.strip().split("|")


def _holds(view: dict[str, Any], field: str, patterns: list[str]) -> bool:
    if field not in view:
        return False
    value = _text(view, field)
    if field == "key":
        return any(value.startswith(p) for p in patterns)
    return any(fnmatchcase(value, p) for p in patterns)


def _text(view: dict[str, Any], field: str) -> str:
    return "" if view[field] is None else str(view[field])
