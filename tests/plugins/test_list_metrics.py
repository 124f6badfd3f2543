"""Metrics of lists: computed by hand, against plain definitions, at the border and in a suite."""

from __future__ import annotations

import io
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from conftest import SAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

import recmerge_bench as rmb
from recmerge_bench.borders.metrics import list_value_of
from recmerge_bench.definitions import DomainCatalogue, ListMetricDefinition
from recmerge_bench.errors import HandledError, PluginError
from recmerge_bench.interface.suites import load_suite
from recmerge_bench.planning.metrics import metric_use, rank_metric
from recmerge_bench.planning.plan import build
from recmerge_bench.registry import Registry
from recmerge_bench.report.boards.markdown import render
from recmerge_bench.report.boards.show import print_board
from recmerge_bench.report.exports.long_table import rows
from recmerge_bench.results.files import load_records


def catalogue(counts: list[int], vectors: list[list[float]] | None = None) -> DomainCatalogue:
    names = [f"i{n}" for n in range(len(counts))]
    own = None if vectors is None else np.asarray(vectors, np.float32)
    return DomainCatalogue("d", names, names, np.asarray(counts, np.int64), own)


def value(registry: Registry, name: str, items: Any, own: DomainCatalogue) -> float:
    use = metric_use(registry, f"{name}@{len(items[0])}")
    return list_value_of(use.options.definition(), np.asarray(items, np.int32), own)


def test_coverage_by_hand(registry: Registry) -> None:
    own = catalogue([1] * 5)
    assert value(registry, "coverage", [[0, 1], [1, 2], [0, 1]], own) == 3 / 5
    assert value(registry, "coverage", [[4, -1], [-1, -1]], own) == 1 / 5


def test_gini_by_hand(registry: Registry) -> None:
    own = catalogue([1] * 4)
    assert value(registry, "Gini", [[0, 1], [2, 3]], own) == 0
    # places 0, 0, 1, 3: (-3*0 - 1*0 + 1*1 + 3*3) / (4 * 4)
    assert value(registry, "Gini", [[3, 2], [3, -1], [3, -1]], own) == 10 / 16
    assert value(registry, "Gini", [[-1], [-1]], own) == 0
    assert value(registry, "Gini", [[2], [2]], own) == pytest.approx(3 / 4)  # (N - 1) / N


def test_novelty_by_hand(registry: Registry) -> None:
    own = catalogue([3, 0, 0, 1])  # (c + 1) / 8: 1/2, 1/8, 1/8, 1/4
    assert value(registry, "novelty", [[0, 3], [1, 2]], own) == pytest.approx((1.5 + 3) / 2)
    assert value(registry, "novelty", [[0, -1], [1, 2]], own) == pytest.approx((1 + 3) / 2)


def test_distance_by_hand(registry: Registry) -> None:
    own = catalogue([1] * 4, [[1, 0], [0, 2], [3, 3], [0, 0]])
    half = 1 - np.sqrt(0.5)
    assert value(registry, "ILD", [[0, 1]], own) == pytest.approx(1)
    assert value(registry, "ILD", [[0, 1, 2]], own) == pytest.approx((1 + 2 * half) / 3)
    assert value(registry, "ILD", [[0, 3]], own) == pytest.approx(1)
    assert value(registry, "ILD", [[0, -1], [0, 2]], own) == pytest.approx(half / 2)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 5))
def test_against_plain_definitions(registry: Registry, seed: int, k: int, lists: int) -> None:
    rng = np.random.default_rng(seed)
    n = 8
    vectors = rng.standard_normal((n, 3))
    own = catalogue(rng.integers(0, 5, n).tolist(), vectors.tolist())
    items = np.stack([rng.permutation(n)[:k] for _ in range(lists)]).astype(np.int32)
    units = vectors / np.linalg.norm(vectors, axis=1)[:, None]
    pairs = [[1 - units[a] @ units[b] for a, b in combinations(row, 2)] for row in items]
    ild = np.mean([np.mean(p) if p else 0.0 for p in pairs])
    assert value(registry, "ILD", items, own) == pytest.approx(ild, abs=1e-5)
    assert value(registry, "coverage", items, own) == len(set(items.ravel().tolist())) / n
    places = np.bincount(items.ravel(), minlength=n)
    differences = np.abs(places[:, None] - places[None]).sum()
    gini = differences / (2 * n * places.sum())
    assert value(registry, "Gini", items, own) == pytest.approx(gini)
    order = rng.permutation(lists)
    for name in ("coverage", "Gini", "novelty", "ILD"):
        whole = value(registry, name, items, own)
        assert value(registry, name, items[order], own) == pytest.approx(whole)
        assert value(registry, name, items[:, ::-1], own) == pytest.approx(whole)


class Returns(ListMetricDefinition):
    def __init__(self, given: Any) -> None:
        super().__init__()
        self.given = given

    def value(self, items: np.ndarray, catalogue: DomainCatalogue) -> Any:
        return self.given


@pytest.mark.parametrize(
    "wrong",
    [np.nan, np.inf, None, "0.5", True, np.zeros(3), np.zeros(2, np.float32),
     np.array([0.5, np.nan]), np.zeros((2, 2)), [0.5, 0.5], 1j],
)  # fmt: skip
def test_values_are_finite_numbers(wrong: Any) -> None:
    items, own = np.zeros((2, 3), np.int32), catalogue([1, 2])
    with pytest.raises(PluginError, match=r"Returns\.value\(\) gave"):
        list_value_of(Returns(wrong), items, own)
    for good in (0.5, 1, np.float64(0.5), np.float32(0.5), np.array([0.25, 0.75])):
        assert list_value_of(Returns(good), items, own) in (0.5, 1.0)


@pytest.mark.parametrize("name", ["coverage", "coverage@1001", "Gini", "ILD(encoder=3)@10"])
def test_cut_offs_and_options_are_checked(registry: Registry, name: str) -> None:
    with pytest.raises(HandledError, match="metric"):
        metric_use(registry, name)


def test_nothing_but_a_suite_has_them(registry: Registry) -> None:
    with pytest.raises(HandledError, match="of the first items of rankings and not of ranks"):
        rank_metric(registry, "coverage@10")


TINY = ["NDCG@10", "coverage@10", "Gini@5", "novelty@10", "ILD(encoder=hashed-words)@3"]


def _tiny(**keys: Any) -> dict[str, Any]:
    tiny = yaml.safe_load((SAMPLES / "tiny.yaml").read_text())
    rows = ["popularity", "last-item", {"method": "zero-shot"}]
    track = {**tiny["tracks"]["merging"], "rows": rows}
    track["protocols"] = ["loo", "loo-masked", "loo-sampled-99"]
    return {**tiny, "metrics": TINY, "tracks": {"merging": track}, **keys}


def test_the_first_metric_is_of_ranks(registry: Registry) -> None:
    with pytest.raises(HandledError, match="metrics: the first orders the board"):
        build(load_suite(_tiny(metrics=TINY[1:]), plugins=registry), registry)


def test_an_encoder_that_is_not_there(registry: Registry) -> None:
    wrong = ["MRR", "ILD(encoder=hashed-wrods)@3"]
    with pytest.raises(HandledError, match="did you mean 'hashed-words'"):
        build(load_suite(_tiny(metrics=wrong), plugins=registry), registry)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return rmb.run(_tiny(), out=tmp_path_factory.mktemp("runs"), progress=False)


def test_a_suite_has_them_by_domain_and_seed(run: Any, registry: Registry) -> None:
    assert run.failures == ()
    records = load_records(run.out / "records" / "tiny.json")
    header, names = records.header, TINY[1:]
    assert header.metrics == ["NDCG@10"] and header.names_of_lists == names
    assert all(result.encoders == [] for result in records.results), "a metric's is no model's"
    for result in records.results:
        sampled = result.candidates != "full"
        assert (not result.list_metrics) == sampled
        for domain in () if sampled else (*result.domains, "mean"):
            assert set(result.list_metrics[domain]) == set(names)
    by = {(r.identity.method, r.identity.protocol): r for r in records.results}
    plain, masked = by["popularity", "loo"], by["popularity", "loo-masked"]
    size = header.datasets[plain.data].items["action"]
    # Everybody is shown the ten most popular items; without their own, users are shown others.
    assert plain.list_metrics["action"]["coverage@10"] == pytest.approx(10 / size)
    assert masked.list_metrics["action"]["coverage@10"] > 10 / size
    assert plain.list_metrics["action"]["Gini@5"] == pytest.approx((size - 5) / size)
    last = by["last-item", "loo"].list_metrics["mean"]
    assert last["novelty@10"] > plain.list_metrics["mean"]["novelty@10"]
    exported = [r for r in rows(records) if r.metric == "coverage@10"]
    assert len(exported) == 3 * 6 and all(r.value is not None for r in exported)


def test_boards_show_them(run: Any) -> None:
    records = load_records(run.out / "records" / "tiny.json")
    board = render(records)
    full = (run.out / "boards" / "tiny-full.md").read_text()
    assert board.count("### First items of the rankings") == 2, "of the two full rankings"
    assert "- coverage@10: share of the domain's items" in board
    assert full.count("### coverage@10") == 2
    mean = records.results[0].list_metrics["mean"]["coverage@10"]
    assert f"{mean:.4f}" in board


def test_their_cells_are_chosen_with_their_rows(run: Any) -> None:
    again = rmb.plan(_tiny(), out=run.out, only="method=popularity")
    kinds = [cell.kind for cell in again.cells if cell.status == "done"]
    assert kinds.count("lists") == 2 and kinds.count("rank") == 2
    assert all(cell.status == "done" for cell in again.cells)


def test_checks_see_a_changed_mean(run: Any, registry: Registry, tmp_path: Path) -> None:
    from recmerge_bench.report.publishing.check import check

    folder = tmp_path / "boards"
    (folder / "records").mkdir(parents=True)
    for path in (run.out / "records").iterdir():
        (folder / "records" / path.name).write_bytes(path.read_bytes())
    path = folder / "records" / "tiny.json"
    records = load_records(path)
    mean = records.results[0].list_metrics["mean"]["coverage@10"]
    text = path.read_text()
    assert not any("list_metrics" in line for line in check(folder, registry))
    at = text.index(repr(mean), text.index('"mean"', text.index('"list_metrics"')))
    path.write_text(text[:at] + "0.5" + text[at + len(repr(mean)) :])
    assert any("list_metrics.mean.coverage@10 is 0.5" in line for line in check(folder, registry))


UNSOUND = """
from recmerge_bench.api import ListMetricDefinition, MetricSpec, hookimpl


class UnseenShare(ListMetricDefinition):
    def value(self, items, catalogue):
        return float("nan") if catalogue.size > 20 else 0.5


@hookimpl
def recmerge_bench_register():
    return [MetricSpec("unseen-share", f"{__name__}:UnseenShare", "of unseen items")]
"""


def test_one_that_fails_leaves_the_others_and_is_said(tmp_path: Path) -> None:
    (tmp_path / "unsound.py").write_text(UNSOUND)
    track = {**_tiny()["tracks"]["merging"], "protocols": ["loo"], "rows": ["popularity"]}
    suite = _tiny(metrics=["NDCG@10", "unseen-share@5", "coverage@5"], tracks={"merging": track})
    done = rmb.run(suite, out=tmp_path / "runs", plugins=[tmp_path / "unsound.py"], progress=False)
    [failure] = done.failures
    assert "unseen-share@5" in failure.label and "gave NaN" in failure.error
    assert "Traceback" in failure.file.read_text()
    [result] = done.records.results
    assert set(result.list_metrics["mean"]) == {"coverage@5"}
    assert "gave NaN" in result.lists_missing["unseen-share@5"]
    board = done.board()
    assert "no unseen-share@5 of popularity: failed: PluginError" in board
    assert f"{result.list_metrics['mean']['coverage@5']:.4f}" in board
    full = (done.out / "boards" / "tiny-full.md").read_text()
    assert "no unseen-share@5 of popularity" in full
    console = Console(file=io.StringIO(), width=200)
    print_board(done.records, console)
    assert "no unseen-share@5 of popularity" in console.file.getvalue()  # type: ignore[attr-defined]


def test_distances_of_texts_need_texts(tmp_path: Path) -> None:
    events = [f"u{u},i{(u * 3 + t) % 30},{t},d" for u in range(40) for t in range(6)]
    (tmp_path / "d.csv").write_text("user_id,item_id,timestamp,shop\n" + "\n".join(events))
    track = {
        "dataset": "csv", "domains": ["d"], "protocols": ["loo"],
        "dataset_options": {"path": str(tmp_path / "d.csv"), "domain_names": ["d"]},
        "rows": ["popularity"],
    }  # fmt: skip
    tiny = _tiny(metrics=["NDCG@10", "ILD@5", "coverage@5"])
    track = {**tiny["tracks"]["merging"], **track}
    del track["source"]
    done = rmb.run({**tiny, "tracks": {"merging": track}}, out=tmp_path / "runs", progress=False)
    assert done.failures == ()
    [result] = done.records.results
    assert set(result.list_metrics["mean"]) == {"coverage@5"}
    assert result.lists_missing == {"ILD@5": "no item texts in 'd'"}
    assert "no ILD@5 of popularity: no item texts" in done.board()
