"""``evaluate`` gives the ranks of the run whose checkpoints it ranks with, row by row."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

import recmerge_bench as rmb
from recmerge_bench.cli import cli
from recmerge_bench.errors import HandledError
from recmerge_bench.evaluation.ranks import MASKED, RANKS, RankTable, read_ranks
from recmerge_bench.interface.evaluate import evaluate
from recmerge_bench.interface.evaluations import Evaluation
from recmerge_bench.planning.keys import ranks_key
from recmerge_bench.registry import Registry
from recmerge_bench.running.store import Store

OPTIONS = {"width": 8, "max_len": 10, "heads": 1, "layers": 1}
LISTS = ["coverage@3", "Gini@3", "novelty@3", "ILD@3", "ILD@2"]
PROTOCOLS = ["mixed", "mixed-capped-999", "mixed-masked", "mixed-shuffled"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two domains whose catalogues are smaller than the negatives asked for."""
    folder = tmp_path_factory.mktemp("evaluate")
    (folder / "data").mkdir()
    events = [
        f"u{u}\t{d}{(u * 7 + t * (t + 3)) % 15}\t{2 * t + ((d == 'b') ^ u % 2)}\n"
        for u in range(12) for t in range(5) for d in "ab"
    ]  # fmt: skip
    items = [f"{d}{n}\t{d}\tthing {n % 4} of {d}\n" for d in "ab" for n in range(15)]
    header = "user_id:token\titem_id:token\ttimestamp:float\n"
    (folder / "data" / "set.inter").write_text(header + "".join(events))
    (folder / "data" / "set.item").write_text(
        "item_id:token\tdomain:token\ttitle:token_seq\n" + "".join(items)
    )
    track = {
        "dataset": "atomic-folder", "dataset_options": {"path": "data"}, "domains": ["a", "b"],
        "protocols": PROTOCOLS,
        "training": {"steps": 5, "epochs": 0, "eval_every": -1, "batch_size": 8},
        "rows": [
            {"method": "sasrec-dt", "options": OPTIONS},
            {"method": "cd-sasrec", "options": OPTIONS},
            {"method": "sasrec-st", "options": OPTIONS},
            "popularity",
        ],
    }  # fmt: skip
    merging = {
        **{k: track[k] for k in ("dataset", "dataset_options", "domains", "training")},
        "protocols": ["loo"], "backbones": {"sasrec": {"options": OPTIONS}},
        "rows": ["weight-averaging", "emr", "surgery"],
    }  # fmt: skip
    suite: dict[str, object] = {"name": "case", "label": "smoke"}
    suite["metrics"] = ["NDCG@10", "MRR", *LISTS]
    suite["tracks"] = {"t": track, "m": merging}
    (folder / "case.yaml").write_text(yaml.safe_dump(suite))
    words = ["run", "--suite", str(folder / "case.yaml"), "--data-root", str(folder),
             "--out", str(folder / "out"), "--strict"]  # fmt: skip
    done = CliRunner().invoke(cli, words, standalone_mode=False)
    assert done.return_value == 0, done.output
    return folder


def rank_cell(run: Path, method: str, protocol: str) -> tuple[dict[str, Any], RankTable]:
    """The record and the ranks of a row."""
    records = json.loads((run / "out" / "records" / "case.json").read_text())
    row = next(
        r for r in records["results"]
        if (r["identity"]["method"], r["identity"]["protocol"]) == (method, protocol)
    )  # fmt: skip
    store = Store(run / "out")
    keys = [folder.name for folder in (run / "out" / "store").glob("*/*")]
    tables = {ranks_key(k, masked): (k, masked) for k in keys for masked in (False, True)}
    key, masked = tables[row["key"]]
    table = read_ranks(store.file(key, MASKED if masked else RANKS))
    said = {"metrics": row["metrics"], "list_metrics": row.get("list_metrics")}
    return {**store.record(key), **said}, table


def models(run: Path, record: dict[str, Any]) -> dict[str, Path]:
    """Role -> folder of the cells that a rank cell ranked with."""
    store = Store(run / "out")
    inputs = record["inputs"].items()
    return {role: store.folder(key) for role, key in inputs if role.startswith("model")}


def assert_same(one: RankTable, other: RankTable) -> None:
    assert len(one.users) and one.domains == other.domains
    for name in ("users", "domain", "targets", "n_better", "n_equal"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    facts = ("candidates", "mask_history", "shuffle_seed")
    protocols = [{k: t.about["protocol"].get(k) for k in facts} for t in (one, other)]
    assert protocols[0] == protocols[1]


def command(*words: object) -> Any:
    return CliRunner().invoke(cli, ["evaluate", *map(str, words)], standalone_mode=False)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("method", ["sasrec-dt", "cd-sasrec", "sasrec-st", "popularity"])
def test_cells_of_a_run_rank_as_its_rank_cells(
    registry: Registry, run: Path, method: str, protocol: str
) -> None:
    """Single-target models, too: a cell for each domain."""
    record, wanted = rank_cell(run, method, protocol)
    folders = models(run, record)
    assert len(folders) == (2 if method in ("cd-sasrec", "sasrec-st") else 1)
    assert_same(evaluate(registry, list(folders.values()), protocol).table, wanted)


@pytest.mark.parametrize("method", ["weight-averaging", "emr", "surgery"])
def test_merged_models_rank_as_the_rank_cells(registry: Registry, run: Path, method: str) -> None:
    """One for all domains, one for each, and one with adapters."""
    record, wanted = rank_cell(run, method, "loo")
    done = evaluate(registry, list(models(run, record).values()), "loo")
    assert_same(done.table, wanted)
    assert done.lists is None


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_weight_file_gives_the_numbers_of_the_run(run: Path, protocol: str) -> None:
    """A protocol that caps its negatives was refused: "fewer than 999 free items"."""
    record, _ = rank_cell(run, "sasrec-dt", protocol)
    done = command(
        models(run, record)["model"] / "model.safetensors", "--backbone", "sasrec-dt", *named(run),
        "--protocol", protocol, "--json", "--metric", "NDCG@10", "--metric", "MRR",
    )  # fmt: skip
    assert done.return_value == 0, (done.output, done.exception)
    document = json.loads(done.stdout)
    for domain in ("a", "b"):
        for metric, value in record["metrics"][domain].items():
            assert document[domain][metric] == pytest.approx(value, abs=1e-9)


def named(run: Path) -> list[object]:
    """What a weight file does not say itself."""
    options = [word for k, v in OPTIONS.items() for word in ("--set", f"{k}={v}")]
    return ["--dataset", run / "data", *options]


def test_a_file_for_each_target_domain(run: Path, tmp_path: Path) -> None:
    """``DOMAIN=FILE`` for all domains, and for one of them."""
    record, wanted = rank_cell(run, "cd-sasrec", "mixed-capped-999")
    files = {role[6:]: f / "model.safetensors" for role, f in models(run, record).items()}
    asked = ["--backbone", "cd-sasrec", *named(run), "--protocol", "mixed-capped-999",
             "--ranks", tmp_path / "ranks.parquet"]  # fmt: skip
    done = command(*(f"{d}={file}" for d, file in files.items()), *asked)
    assert done.return_value == 0, (done.output, done.exception)
    assert_same(read_ranks(tmp_path / "ranks.parquet"), wanted)
    done = command(f"b={files['b']}", *asked)
    assert done.return_value == 0 and "\na " not in done.output
    some, rows = read_ranks(tmp_path / "ranks.parquet"), wanted.domain == 1
    assert np.array_equal(some.n_better, wanted.n_better[rows]) and (some.domain == 1).all()
    for words, message in {
        (files["a"],): "is for one target domain",
        (f"a={files['a']}", files["b"]): "give every checkpoint as DOMAIN=PATH",
        (files["a"], files["b"]): "name each one's domain",
        (f"c={files['a']}",): "'c' is not among the domains a, b",
        (f"a={tmp_path / 'none'}",): "no such file or folder",
        (f"b={tmp_path}",): "not a cell of a run",
    }.items():
        done = command(*words, *asked)
        assert isinstance(done.exception, HandledError) and message in str(done.exception), message


def test_cells_are_of_one_model_and_of_models(registry: Registry, run: Path) -> None:
    one, two = (models(run, rank_cell(run, m, "mixed")[0]) for m in ("sasrec-dt", "sasrec-st"))
    ranks = Store(run / "out").folder(rank_cell(run, "sasrec-dt", "mixed")[0]["key"])
    for given, message in (
        ([*one.values(), two["model:a"]], "of several models"),
        ([two["model:a"], two["model:a"]], "given twice"),
        ({"a": two["model:a"], "": two["model:a"]}, "both serve 'a'"),
        ([ranks], "a 'rank' cell holds no model"),
    ):
        with pytest.raises(HandledError, match=message):
            evaluate(registry, given, "mixed")
    with pytest.raises(HandledError, match="not of 'cd-sasrec' with these options"):
        evaluate(registry, list(two.values()), "mixed", model="cd-sasrec")


FULL = ["mixed", "mixed-masked", "mixed-shuffled"]


@pytest.mark.parametrize(
    ("method", "protocol"),
    [("sasrec-dt", p) for p in FULL] + [("cd-sasrec", p) for p in FULL]
    + [("popularity", "mixed-masked"), ("weight-averaging", "loo"), ("emr", "loo")],
)  # fmt: skip
def test_metrics_of_lists_are_those_of_the_run(run: Path, method: str, protocol: str) -> None:
    """Trained, merged and counting models; masked, shuffled, and a model for each domain."""
    record, _ = rank_cell(run, method, protocol)
    wanted = record["list_metrics"]
    assert set(wanted) == {"a", "b", "mean"} and set(wanted["a"]) == set(LISTS)
    asked = ["MRR", *LISTS, "NDCG@10"]
    done = evaluation(models(run, record).values(), protocol=protocol, metrics=asked)
    assert done.names == asked
    for domain, values in {**record["metrics"], **wanted}.items():
        for name, value in values.items():
            assert done.metrics[domain][name] == pytest.approx(value, abs=1e-9), (domain, name)


def test_metrics_of_lists_of_one_domain(run: Path) -> None:
    """A model of one domain, asked for its domain alone: the mean is that domain's."""
    record, _ = rank_cell(run, "cd-sasrec", "mixed")
    done = command(models(run, record)["model:b"], "--protocol", "mixed", "--json",
                   *(word for name in LISTS for word in ("--metric", name)))  # fmt: skip
    assert done.return_value == 0, (done.output, done.exception)
    document = json.loads(done.stdout)
    assert set(document) == {"b", "mean"} and document["b"] == document["mean"]
    assert document["b"] == pytest.approx(record["list_metrics"]["b"], abs=1e-9)


def test_metrics_of_lists_need_whole_rankings_and_texts(run: Path, tmp_path: Path) -> None:
    folder = models(run, rank_cell(run, "popularity", "mixed")[0])["model"]
    with pytest.raises(HandledError, match="'mixed-capped-999' ranks among candidates: metrics of"):
        evaluation(folder, protocol="mixed-capped-999", metrics=["MRR", "coverage@3"])
    bare = tmp_path / "bare"
    shutil.copytree(run / "data", bare)
    lines = (bare / "set.item").read_text().splitlines()
    (bare / "set.item").write_text("\n".join("\t".join(s.split("\t")[:2]) for s in lines) + "\n")
    file = models(run, rank_cell(run, "sasrec-dt", "mixed")[0])["model"] / "model.safetensors"
    given = {"model": "sasrec-dt", "options": OPTIONS, "dataset": bare, "protocol": "mixed"}
    with pytest.raises(HandledError, match="'ILD@3': no item texts in 'a'; leave it out"):
        evaluation(file, metrics=["MRR", "ILD@3"], **given)
    assert evaluation(file, metrics=["coverage@3"], **given).metrics["mean"]["coverage@3"] > 0


def evaluation(folders: Any, **words: Any) -> Evaluation:
    """As from Python."""
    given = folders if isinstance(folders, Path) else list(folders)
    made: Evaluation = rmb.evaluate(given, **words)
    return made
