"""Against RecBole itself: equal metrics, what its float32 times change, our models inside it."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import tool

from recmerge_bench.evaluation.metrics import hit, mrr, ndcg, rank
from recmerge_bench.registry import Registry
from recmerge_bench.targets import define

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


def test_the_fence_puts_everything_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["recmerge-bench", "--topk=3", "--seed=77"])
    before = (
        dict(os.environ),
        Path.cwd(),
        list(sys.argv),
        sorted(p.name for p in Path.cwd().iterdir()),
    )
    scores = np.eye(4, dtype=np.float32) + np.arange(4, dtype=np.float32) / 10
    actual = bridge.recbole_metrics(scores, np.arange(4), [2])
    assert set(actual) == {"recall@2", "hit@2", "ndcg@2", "mrr@2"}
    after = (
        dict(os.environ),
        Path.cwd(),
        list(sys.argv),
        sorted(p.name for p in Path.cwd().iterdir()),
    )
    assert before == after
    assert not torch.is_anomaly_enabled()  # importing RecBole's sine.py turned it on


@pytest.mark.parametrize(
    ("name", "more", "epochs"), [("sasrec", {}, 15), ("bert4rec", {"std": 0.1, "dropout": 0.0}, 40)]
)
def test_our_models_run_inside_recbole(
    registry: Registry, name: str, more: dict[str, float], epochs: int
) -> None:
    rng = np.random.default_rng(0)
    spec = registry.get("backbone", name)
    definition = define(spec.target, {"width": 16, "layers": 1, "heads": 1, "max_len": 16, **more})
    with bridge.fenced() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from recbole.config import Config
        from recbole.data import create_dataset, data_preparation
        from recbole.trainer import Trainer

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
        bridged = bridge.as_recbole_model(definition)
        config = Config(model=bridged, dataset="walk", config_dict=given)
        dataset = create_dataset(config)
        train, valid, test = data_preparation(config, dataset)
        trainer = Trainer(config, bridged(config, train.dataset))
        trainer.fit(train, valid, saved=False, show_progress=False, verbose=False)
        result = trainer.evaluate(test, load_best_model=False, show_progress=False)
    assert result["hit@1"] > 0.5  # the next item is certain; chance is 0.05
