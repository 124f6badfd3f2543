"""`rmb.load_results`: records as frames, and values by user from the ranks."""

from __future__ import annotations

import builtins
import shutil
from pathlib import Path

import pytest
from conftest import ROOT

import recmerge_bench as rmb
from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.names import MEAN

FILE = ROOT / "leaderboards" / "records" / "quick.json"
pandas = pytest.importorskip("pandas")


@pytest.fixture(scope="module")
def quick() -> rmb.Results:
    return rmb.load_results(FILE)


def test_a_row_for_each_result_and_domain_with_its_configuration(quick: rmb.Results) -> None:
    frame = quick.to_pandas()
    results = quick.records.results
    assert len(frame) == sum(len(r.domains) + 1 for r in results)
    ties = frame[(frame.method == "ties") & (frame.protocol == "loo") & (frame.seed == 0)]
    assert list(ties.domain) == ["action", "comedy", "romance", "thriller", MEAN]
    assert set(ties["configuration.method.options.density"]) == {0.2}
    assert set(ties["configuration.training.base.steps"]) == {200}
    means = ties[ties.domain == MEAN].iloc[0]
    parts = ties[ties.domain != MEAN]
    assert means["NDCG@10"] == pytest.approx(parts["NDCG@10"].mean())
    assert means.instances == parts.instances.sum()


def test_any_metric_by_user_is_there(quick: rmb.Results) -> None:
    hits = quick.per_user("HR@3", method="popularity").to_pandas()  # a cut-off that no record has
    assert set(hits["value"]) <= {0.0, 1.0} and len(hits) > 100
    assert set(hits.method) == {"popularity"}


def test_a_table_for_notebooks_escapes_what_it_shows(quick: rmb.Results) -> None:
    text, page = repr(quick), quick._repr_html_()
    assert "suite 'quick'" in text and "ties (density=0.2)" in text
    assert "<table>" in page and "ties (density=0.2)" in page
    header = quick.records.header.model_copy(update={"metrics": ["<b>NDCG@10"]})
    records = quick.records.model_copy(update={"header": header})
    strange = rmb.Results(FILE, records, quick.registry)
    assert "<b>NDCG" not in strange._repr_html_() and "&lt;b&gt;NDCG" in strange._repr_html_()


def test_what_is_not_there_is_said(quick: rmb.Results, tmp_path: Path) -> None:
    with pytest.raises(HandledError, match="no such records file"):
        rmb.load_results(tmp_path / "none.json")
    with pytest.raises(HandledError, match=r"name one records file; there are: .*quick.json"):
        rmb.load_results(FILE.parent)
    with pytest.raises(HandledError, match="did you mean 'NDCG'"):
        quick.per_user("NDGC@10")
    with pytest.raises(HandledError, match="did you mean 'method'"):
        quick.per_user("NDCG@10", methd="ties")
    (tmp_path / "records").mkdir()
    alone = shutil.copy(FILE, tmp_path / "records" / "quick.json")
    results = rmb.load_results(tmp_path)
    assert results.path == Path(alone)
    with pytest.raises(HandledError, match="no such file of ranks"):
        results.per_user("NDCG@10")
    Path(alone).write_text("{}")
    with pytest.raises(DataError):
        rmb.load_results(alone)


def test_without_pandas_it_says_how_to_get_it(
    quick: rmb.Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = builtins.__import__

    def absent(name: str, *rest: object) -> object:
        if name == "pandas":
            raise ImportError(name)
        return plain(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(HandledError, match=r"pip install -c constraints\.txt pandas"):
        quick.to_pandas()
