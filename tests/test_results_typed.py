"""Records, costs and curves as values with types: nothing is lost, and what is wrong is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recmerge_bench import identity
from recmerge_bench.identity import Identity
from recmerge_bench.results.curves import curves_path, load_curves
from recmerge_bench.results.files import cost_path, load_costs, load_records, records_files

COMMITTED = records_files(Path(__file__).parents[1] / "leaderboards" / "records")


def written(value: object) -> str:
    """As `recmerge_bench.running.store.write_json` writes it."""
    return json.dumps(value, sort_keys=True, indent=1) + "\n"


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_committed_files_are_written_as_they_were_read(path: Path) -> None:
    assert written(load_records(path).to_json()) == path.read_text()
    assert written(load_costs(cost_path(path)).to_json()) == cost_path(path).read_text()
    curves = curves_path(path)
    if curves.is_file():
        again = {"schema": 1, "suite": path.stem,
                 "curves": [c.to_json() for c in load_curves(curves)]}  # fmt: skip
        assert written(again) == curves.read_text()


def test_records_have_attributes() -> None:
    records = load_records(COMMITTED[0].with_name("quick.json"))
    result = records.results[0]
    assert result.done and set(result.metrics["mean"]) == set(records.header.metrics)
    track = records.header.tracks[result.identity.track]
    assert track.domains == result.domains and track.dataset == result.identity.dataset
    assert result.configuration is not None
    assert result.configuration.method.name == result.identity.method


def test_an_identity_says_row_and_table() -> None:
    assert set(identity.FIELDS) == set(Identity.model_fields)
    one, two = (Identity(dataset="d", backbone="b", method="m", recipe="r", profile="p",
                         variant="v", track="t", protocol="q", seed=s) for s in (0, 1))  # fmt: skip
    assert one.row == two.row == ("b", "m", "v", "r", "p") and one.place == ("t", "q")
    assert one.seedless == two.seedless and len({one, two, one.model_copy()}) == 2
    assert str(two) == "t q b m v seed 1"
