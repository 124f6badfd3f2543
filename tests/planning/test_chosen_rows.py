"""Rows that a track names: the naive gate of a suite, read strictly and carried into the header."""

from __future__ import annotations

import pytest

from recmerge_bench.errors import HandledError
from recmerge_bench.planning.plan import build
from recmerge_bench.planning.suite_files import load_suite
from recmerge_bench.registry import Registry

GATE = "tracks.merging.gate={models: fine-tune, rows: [last-item, item-knn]}"


def test_a_gate_travels_into_the_header(registry: Registry) -> None:
    plan = build(load_suite("quick", registry, [GATE]), registry)
    none = dict.fromkeys(("variant", "recipe", "profile"))
    assert plan.header["tracks"]["merging"]["gate"] == {
        "models": {"method": "fine-tune", **none},
        "rows": [{"method": "last-item", **none}, {"method": "item-knn", **none}],
    }
    without = build(load_suite("quick", registry), registry)
    assert "gate" not in without.header["tracks"]["merging"]
    assert list(plan.cells) == list(without.cells)  # no cell depends on it


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        ("{models: fine-tun, rows: [last-item]}", "0 rows are the models .*mean 'fine-tune'"),
        ("{models: fine-tune, rows: [last-itm]}", "0 rows are a row of its gate .*'last-item'"),
        ("{models: {method: fine-tune, variant: x}, rows: [last-item]}", "0 rows are the models"),
        ("{models: fine-tune, rows: [task-arithmetic]}", "rows are a row of its gate|no counting"),
        ("{models: fine-tune, rows: [weight-averaging]}", "'weight-averaging', which is no count"),
        ("{models: last-item, rows: [item-knn]}", "'last-item' is a counting recommender"),
        ("{models: fine-tune, rows: [last-item, last-item]}", "'last-item' twice"),
        ("{models: fine-tune, rows: []}", "gate.rows: Tuple should have at least 1"),
        ("{models: fine-tune}", "gate.rows: this key has to be given"),
        ("{models: fine-tune, row: [last-item]}", "unknown key .*mean 'rows'"),
        ("{models: {methd: fine-tune}, rows: [last-item]}", "unknown key .*mean 'method'"),
        ("{models: fine-tune, rows: [{method: last-item, varian: a}]}", "mean 'variant'"),
        ("{models: fine-tune, rows: last-item}", "gate.rows: takes a list, such as"),
    ],
)
def test_gates_are_read_strictly(registry: Registry, gate: str, message: str) -> None:
    with pytest.raises(HandledError, match=message):
        build(load_suite("quick", registry, [f"tracks.merging.gate={gate}"]), registry)
