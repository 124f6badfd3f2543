"""``evaluate`` gives the numbers of the run whose checkpoint it ranks with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from recmerge_bench.cli import cli
from recmerge_bench.running.store import Store

OPTIONS = {"width": 8, "max_len": 10, "heads": 1, "layers": 1}
PROTOCOLS = ["mixed", "mixed-capped-999", "mixed-masked"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two domains whose catalogues are smaller than the negatives asked for."""
    folder = tmp_path_factory.mktemp("evaluate")
    (folder / "data").mkdir()
    events = [
        f"u{u}\t{d}{(u * 7 + t * (t + 3)) % 15}\t{2 * t + ((d == 'b') ^ u % 2)}\n"
        for u in range(12) for t in range(5) for d in "ab"
    ]  # fmt: skip
    items = [f"{d}{n}\t{d}\n" for d in "ab" for n in range(15)]
    header = "user_id:token\titem_id:token\ttimestamp:float\n"
    (folder / "data" / "set.inter").write_text(header + "".join(events))
    (folder / "data" / "set.item").write_text("item_id:token\tdomain:token\n" + "".join(items))
    track = {
        "dataset": "atomic-folder", "dataset_options": {"path": "data"}, "domains": ["a", "b"],
        "protocols": PROTOCOLS,
        "training": {"steps": 5, "epochs": 0, "eval_every": -1, "batch_size": 8},
        "rows": [{"method": "sasrec-dt", "options": OPTIONS}],
    }  # fmt: skip
    suite: dict[str, object] = {"name": "case", "label": "smoke", "metrics": ["NDCG@10", "MRR"]}
    suite["tracks"] = {"t": track}
    (folder / "case.yaml").write_text(yaml.safe_dump(suite))
    words = ["run", "--suite", str(folder / "case.yaml"), "--data-root", str(folder),
             "--out", str(folder / "out"), "--strict"]  # fmt: skip
    done = CliRunner().invoke(cli, words, standalone_mode=False)
    assert done.return_value == 0, done.output
    return folder


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_numbers_are_those_of_the_run(run: Path, protocol: str) -> None:
    """A protocol that caps its negatives was refused: "fewer than 999 free items"."""
    records = json.loads((run / "out" / "records" / "case.json").read_text())
    row = next(r for r in records["results"] if r["identity"]["protocol"] == protocol)
    store = Store(run / "out")
    trained = store.record(row["key"])["inputs"]["model"]
    words = [
        "evaluate", str(store.file(trained, "model.safetensors")), "--backbone", "sasrec-dt",
        "--dataset", str(run / "data"), "--protocol", protocol, "--json",
        "--metric", "NDCG@10", "--metric", "MRR",
        *(w for k, v in OPTIONS.items() for w in ("--set", f"{k}={v}")),
    ]  # fmt: skip
    done = CliRunner().invoke(cli, words, standalone_mode=False)
    assert done.return_value == 0, (done.output, done.exception)
    found = json.loads(done.stdout)
    for domain in ("a", "b"):
        for metric, value in row["metrics"][domain].items():
            assert found[domain][metric] == pytest.approx(value, abs=1e-9)
