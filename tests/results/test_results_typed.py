"""Records, costs and curves as values with types: nothing is lost, and what is wrong is refused."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boards_builders as made
import numpy as np
import pytest
from conftest import ROOT
from site_builders import across, comparison

from recmerge_bench import identity
from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.identity import Identity
from recmerge_bench.registry import Registry
from recmerge_bench.results.curves import curves_path, load_curves
from recmerge_bench.results.files import cost_path, load_costs, load_records, records_files
from recmerge_bench.results.loading import load_results
from recmerge_bench.results.shared_values import shared

COMMITTED = records_files(ROOT / "leaderboards" / "records")


def written(value: object) -> str:
    """As `recmerge_bench.running.store.write_json` writes it."""
    return json.dumps(value, sort_keys=True, indent=1) + "\n"


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_committed_files_are_written_as_they_were_read(path: Path) -> None:
    assert written(shared(load_records(path).to_json())) == path.read_text()
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


def test_a_frame_has_a_row_for_each_result_and_domain() -> None:
    pytest.importorskip("pandas")
    records = load_records(COMMITTED[0].with_name("regression.json"))
    frame = records.to_pandas()
    assert len(frame) == sum(len(r.domains) + 1 for r in records.results)
    for result in records.results:
        mask = (frame["key"] == result.key) & (frame["domain"] == "mean")
        [row] = frame[mask].to_dict("records")
        assert row[records.header.primary] == result.metrics["mean"][records.header.primary]
        assert row["method"] == result.identity.method
        assert result.configuration is not None
        assert row["configuration.method.name"] == result.identity.method
        for option, value in result.configuration.method.options.items():
            if not isinstance(value, (dict, list)):
                assert row[f"configuration.method.options.{option}"] == value


def test_without_pandas_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)  # importing it raises
    with pytest.raises(HandledError, match="pip install"):
        load_records(COMMITTED[0].with_name("regression.json")).to_pandas()


def test_values_by_user_have_the_boards_means(registry: Registry) -> None:
    results = load_results(COMMITTED[0].with_name("quick.json"), registry)
    metric = results.records.header.primary
    by_user = results.per_user(metric)
    assert len(by_user.results) == sum(r.done for r in results.records.results)
    for number, result in enumerate(r for r in results.records.results if r.done):
        for domain, targets in result.instances.items():
            rows = (by_user.result == number) & (by_user.domain == by_user.domains.index(domain))
            assert by_user.targets[rows].sum() == targets
            assert len(np.unique(by_user.user[rows])) == rows.sum()
            mean = np.average(by_user.value[rows], weights=by_user.targets[rows])
            assert mean == pytest.approx(result.metrics[domain][metric], rel=1e-9)


def test_values_by_user_of_some_results(registry: Registry) -> None:
    results = load_results(COMMITTED[0].with_name("quick.json"), registry)
    who = next(r.identity for r in results.records.results if r.identity.seed is not None)
    some = results.per_user("MRR", method=who.method, seed=who.seed, track=who.track)
    assert {(i.method, i.seed, i.track) for i in some.results} == {
        (who.method, who.seed, who.track)
    }
    with pytest.raises(HandledError, match="did you mean 'method'"):
        results.per_user("MRR", metod="ties")
    with pytest.raises(HandledError, match="no result with method='none'"):
        results.per_user("MRR", method="none")
    pytest.importorskip("pandas")
    frame = some.to_pandas()
    assert len(frame) == len(some) and set(identity.FIELDS) < set(frame.columns)
    assert frame["method"].unique().tolist() == [who.method]
    assert frame["value"].mean() == pytest.approx(some.value.mean())


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda r: r["results"][0]["identity"].update(protocol="other"), "no protocol 'other'"),
        (lambda r: r["comparisons"][0].update(track="other"), r"comparisons\.0"),
        (lambda r: r["across"][0].update(metric="HR@3"), r"across\.0.*'HR@3'"),
        (lambda r: r["across"][0]["rows"][0].update(mean_rank="1"), "mean_rank"),
        (lambda r: r["header"]["protocols"].update(cut={"summary": "s"}), "protocols.cut.split"),
    ],
)
def test_what_tables_are_of_is_in_the_header(
    edit: Callable[[dict[str, Any]], object], message: str, tmp_path: Path
) -> None:
    records = {**made.records(), "comparisons": [comparison()], "across": [across()]}
    path = tmp_path / "fake.json"
    path.write_text(json.dumps(records))
    assert load_records(path).to_json() == records
    edit(records)
    path.write_text(json.dumps(records))
    with pytest.raises(DataError, match=message):
        load_records(path)
