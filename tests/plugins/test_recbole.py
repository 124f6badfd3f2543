"""Against RecBole itself: equal metrics, what its float32 times change, our models inside it."""

from __future__ import annotations

import json
import logging
import os
import random
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import ROOT, tool
from recmerge_bench_plugins.backbones.recbole_models import RecBoleModel, RecBoleOptions
from recmerge_bench_plugins.backbones.recbole_models.fence import fenced
from recmerge_bench_plugins.backbones.recbole_models.inside import register

from recmerge_bench.errors import HandledError
from recmerge_bench.evaluation.metrics import hit, mrr, ndcg, rank
from recmerge_bench.registry import Registry
from recmerge_bench.targets import define
from recmerge_bench.testing import events

pytest.importorskip("recbole", reason="RecBole is not installed (Python >= 3.12)")
pytestmark = pytest.mark.filterwarnings("ignore")
bridge = tool("benchmarks/speed/recbole_bridge.py")


def test_full_ranking_numbers_equal_recboles_to_six_decimals() -> None:
    rng = np.random.default_rng(3)
    scores = rng.permuted(np.tile(np.arange(400, dtype=np.float32), (250, 1)), axis=1)
    targets = np.where(rng.random(250) < 0.6, scores.argmax(1), rng.integers(0, 400, 250))
    own = scores[np.arange(250), targets][:, None]
    ranks = rank((scores > own).sum(1), (scores == own).sum(1) - 1)
    theirs = bridge.recbole_metrics(scores, targets, [5, 10])
    for k in (5, 10):
        assert theirs[f"hit@{k}"] == pytest.approx(hit(ranks, k).mean(), abs=1e-6)
        assert theirs[f"recall@{k}"] == pytest.approx(hit(ranks, k).mean(), abs=1e-6)
        assert theirs[f"ndcg@{k}"] == pytest.approx(ndcg(ranks, k).mean(), abs=1e-6)
        assert theirs[f"mrr@{k}"] == pytest.approx(mrr(ranks, k).mean(), abs=1e-6)


def test_float32_times_change_test_targets(registry: Registry) -> None:
    from recmerge_bench.data.splits import leave_one_out

    spec = registry.get("dataset", "ml-100k-whole")
    dataset = define(spec.target, spec.options)
    interactions = dataset.load(None)
    test = leave_one_out(interactions, ["movies"]).test
    exact = {
        interactions.user_tokens[u]: interactions.catalogue.tokens[i]
        for u, i in zip(test.users, test.targets, strict=True)
    }
    inter = dataset.sources(None)[0]
    changed = {}
    for bundled in (False, True):
        theirs = bridge.recbole_test_targets(inter, bundled)
        assert set(theirs) == set(exact)
        changed[bundled] = sum(exact[user] != item for user, item in theirs.items())
    assert len(exact) == 943
    assert changed == {False: 149, True: 4}


def process_state() -> dict[str, Any]:
    """What RecBole changes in a process that it runs in."""
    import yaml

    root = logging.getLogger()
    numpy_names = {n: vars(np).get(n) for n in ("bool", "int", "float", "object", "float_", "long")}
    return {
        "environment": dict(os.environ),
        "folder": (Path.cwd(), sorted(p.name for p in Path.cwd().iterdir())),
        "arguments": list(sys.argv),
        "random": (random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist()),
        "numpy": numpy_names,
        "torch": (
            torch.is_anomaly_enabled(), torch.get_default_dtype(), torch.get_num_threads(),
            torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark,
        ),
        "logging": (list(root.handlers), root.level, root.manager.disable),
        "warnings": list(warnings.filters),
        "yaml": {k: len(v) for k, v in yaml.FullLoader.yaml_implicit_resolvers.items()},
        "output": sys.stdout,
    }  # fmt: skip


def test_the_fence_puts_everything_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["recmerge-bench", "--topk=3", "--seed=77"])
    before = process_state()
    scores = np.eye(4, dtype=np.float32) + np.arange(4, dtype=np.float32) / 10
    actual = bridge.recbole_metrics(scores, np.arange(4), [2])
    assert set(actual) == {"recall@2", "hit@2", "ndcg@2", "mrr@2"}
    # FEARec prints while it is built, sine.py turns anomaly detection on when it is imported
    RecBoleModel(RecBoleOptions(model="FEARec", width=8)).build(events().catalogue, ["d0"], 0)
    after = process_state()
    assert {key: after[key] for key in before} == before
    assert capsys.readouterr() == ("", "")


def test_the_fence_stands_after_an_error() -> None:
    before = process_state()
    with pytest.raises(RuntimeError, match="inside"), fenced():
        from recbole.utils import init_seed

        init_seed(1, True)
        logging.getLogger().addHandler(logging.NullHandler())
        print("dropped")
        np.float_ = 3  # type: ignore[attr-defined]
        raise RuntimeError("inside")
    assert process_state() == before


@pytest.mark.parametrize(
    ("name", "more", "epochs"), [("sasrec", {}, 15), ("bert4rec", {"std": 0.1, "dropout": 0.0}, 40)]
)
def test_our_models_run_inside_recbole(
    registry: Registry, name: str, more: dict[str, float], epochs: int
) -> None:
    rng = np.random.default_rng(0)
    spec = registry.get("backbone", name)
    definition = define(spec.target, {"width": 16, "layers": 1, "heads": 1, "max_len": 16, **more})
    with fenced() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from recbole.config import Config
        from recbole.data import create_dataset, data_preparation
        from recbole.trainer import Trainer
        from recbole.utils import get_model

        (folder / "walk").mkdir()
        lines = ["user_id:token\titem_id:token\ttimestamp:float"]
        for user in range(60):
            start = int(rng.integers(0, 20))
            lines += [f"u{user}\ti{(start + t) % 20}\t{t}" for t in range(6 + user % 9)]
        (folder / "walk" / "walk.inter").write_text("\n".join(lines) + "\n")
        given = bridge.settings(
            folder, data_path=str(folder), epochs=epochs, train_batch_size=64, learning_rate=0.005,
            MAX_ITEM_LIST_LENGTH=16, topk=[1], metrics=["Hit"], valid_metric="Hit@1",
            stopping_step=99,
        )  # fmt: skip
        bridged = register(f"Our{name}", definition)
        config = Config(model=f"Our{name}", dataset="walk", config_dict=given)
        dataset = create_dataset(config)
        train, valid, test = data_preparation(config, dataset)
        assert get_model(f"Our{name}") is bridged is config.model_class
        trainer = Trainer(config, bridged(config, train.dataset))
        trainer.fit(train, valid, saved=False, show_progress=False, verbose=False)
        result = trainer.evaluate(test, load_best_model=False, show_progress=False)
    assert result["hit@1"] > 0.5  # the next item is certain; chance is 0.05


def test_names_that_recbole_has_are_refused(registry: Registry) -> None:
    spec = registry.get("backbone", "sasrec")
    with pytest.raises(HandledError, match="has a model 'SASRec' of its own"):
        register("SASRec", define(spec.target, {}))
    with pytest.raises(HandledError, match="named like Python's classes"):
        register("our-sasrec", define(spec.target, {}))
    texts = registry.get("backbone", "sasrec-text")
    with pytest.raises(HandledError, match="reads item texts"):
        register("Texts", define(texts.target, {}))


def test_the_example_runs(tmp_path: Path) -> None:
    """A backbone of ours by name, on data in a folder, all of it by RecBole."""
    (tmp_path / "walk").mkdir()
    lines = ["user_id:token\titem_id:token\ttimestamp:float"]
    lines += [f"u{u}\ti{(u + t) % 20}\t{t}" for u in range(60) for t in range(6 + u % 9)]
    (tmp_path / "walk" / "walk.inter").write_text("\n".join(lines) + "\n")
    ran = subprocess.run(
        [
            sys.executable, str(ROOT / "benchmarks" / "examples" / "inside_recbole.py"),
            "--dataset", "walk", "--data-path", str(tmp_path), "--epochs", "30",
        ],
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]
    result = json.loads(ran.stdout)
    assert result["hit@10"] >= result["ndcg@10"] > 0.5  # chance is 0.23
    assert [p.name for p in tmp_path.iterdir()] == ["walk"]  # RecBole's folders are gone
