"""RecBole's own SASRec or BERT4Rec on MovieLens-100K, epoch by epoch, with ranks kept.

All items are one domain; events are given to RecBole in exact order (their position in the
user's history as time), so that its float32 times lose nothing. A killed run goes on with the
next epoch.

    python benchmarks/quality/recbole_reference.py --model SASRec --epochs 10 --out DIR
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np


def bundled_events() -> list[tuple[str, str, int]]:
    """(user, item, position in the user's history) of ml-100k, in exact integer time order."""
    files = distribution("recbole").files or []
    inter = next(f for f in files if str(f).endswith("ml-100k/ml-100k.inter"))
    rows = [x.split("\t") for x in Path(str(inter.locate())).read_text().splitlines()[1:]]
    by_user: dict[str, list[tuple[int, str]]] = {}
    for user, item, _, stamp in rows:
        by_user.setdefault(user, []).append((int(float(stamp)), item))
    events = []
    for user in sorted(by_user, key=int):
        for place, (_, item) in enumerate(sorted(by_user[user], key=lambda event: event[0])):
            events.append((user, item, place))
    return events


def write_dataset(folder: Path) -> None:
    """RecBole's atomic file with positions as time."""
    (folder / "ordered").mkdir(parents=True)
    lines = ["user_id:token\titem_id:token\ttimestamp:float"]
    lines += [f"{u}\t{i}\t{t}" for u, i, t in bundled_events()]
    (folder / "ordered" / "ordered.inter").write_text("\n".join(lines) + "\n")


def prepare(model: str, seed: int, folder: Path) -> tuple[Any, Any, Any, Any, Any, Any]:
    """RecBole's config, dataset, its three loaders and the model, built by hand."""
    kept, sys.argv = sys.argv, sys.argv[:1]
    try:
        from recbole.config import Config
        from recbole.data import create_dataset, data_preparation
        from recbole.utils import get_model, init_seed

        settings = {
            "data_path": str(folder),
            "seed": seed,
            "reproducibility": True,
            "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
            "eval_args": {
                "split": {"LS": "valid_and_test"},
                "order": "TO",
                "group_by": "user",
                "mode": "full",
            },
            "train_neg_sample_args": None,
            "use_gpu": False,
            "show_progress": False,
            "checkpoint_dir": str(folder / "saved"),
        }
        config = Config(model=model, dataset="ordered", config_dict=settings)
        init_seed(seed, True)
        dataset = create_dataset(config)
        train, valid, test = data_preparation(config, dataset)
        init_seed(seed, True)
        return config, dataset, train, valid, test, get_model(model)(config, train.dataset)
    finally:
        sys.argv = kept


def rank(model: Any, loader: Any, dataset: Any) -> dict[str, np.ndarray]:
    """Counts of better and equal items for each user, over all items but the padding."""
    import torch

    model.eval()
    parts: dict[str, list[Any]] = {"user": [], "target": [], "n_better": [], "n_equal": []}
    with torch.no_grad():
        for batch in loader:
            interaction = batch[0]
            target = interaction["item_id"]
            scores = model.full_sort_predict(interaction).view(len(target), -1)[:, 1:]
            if not bool(torch.isfinite(scores).all()):
                raise FloatingPointError("a score is NaN or infinite")
            own = scores.gather(1, target[:, None] - 1)
            parts["n_better"] += (scores > own).sum(1).tolist()
            parts["n_equal"] += ((scores == own).sum(1) - 1).tolist()
            parts["user"] += list(dataset.id2token("user_id", interaction["user_id"]))
            parts["target"] += list(dataset.id2token("item_id", target))
    order = np.argsort(np.asarray(parts["user"]).astype(np.int64), kind="stable")
    return {
        "user": np.asarray(parts["user"]).astype(np.int64)[order],
        "target": np.asarray(parts["target"]).astype(np.int64)[order],
        "n_better": np.asarray(parts["n_better"], np.int32)[order],
        "n_equal": np.asarray(parts["n_equal"], np.int32)[order],
    }


def metrics(counts: dict[str, np.ndarray]) -> dict[str, float]:
    """NDCG@10 and HR@10 by mid-rank."""
    place = 1 + counts["n_better"] + counts["n_equal"] / 2
    hit = place <= 10
    gain = np.where(hit, 1 / np.log2(place + 1), 0.0)
    return {"NDCG@10": float(gain.mean()), "HR@10": float(hit.mean())}


def train_epoch(model: Any, optimizer: Any, loader: Any, say: Any) -> tuple[int, float]:
    """One epoch as RecBole's trainer does it; (training targets, mean loss)."""
    import torch

    model.train()
    targets, total = 0, 0.0
    for number, batch in enumerate(loader):
        optimizer.zero_grad()
        loss = model.calculate_loss(batch)
        if torch.isnan(loss):
            raise FloatingPointError("the loss is NaN")
        loss.backward()
        optimizer.step()
        targets += len(batch)
        total += float(loss)
        if number % 5 == 0:
            say(f"  batch {number + 1}/{len(loader)}, loss {total / (number + 1):.4f}")
    return targets, total / (number + 1)


def save_state(path: Path, model: Any, optimizer: Any, epoch: int) -> None:
    """Everything the next epoch depends on, written whole."""
    import random

    import torch

    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "torch": torch.get_rng_state(),
        "numpy": np.random.get_state(),
        "python": random.getstate(),
        "epoch": epoch,
    }
    torch.save(state, f"{path}.tmp")
    os.replace(f"{path}.tmp", path)


def load_state(path: Path, model: Any, optimizer: Any) -> int:
    """Restore our own file; the number of epochs done."""
    import random

    import torch

    if not path.exists():
        return 0
    state = torch.load(path, weights_only=False)  # written by this script alone
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["torch"])
    np.random.set_state(state["numpy"])
    random.setstate(state["python"])
    return int(state["epoch"])


def main() -> None:
    """Train, rank after every epoch, keep ranks and a line of figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=["SASRec", "BERT4Rec"], required=True)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=2020)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    import torch

    torch.set_num_threads(given.threads)
    given.out.mkdir(parents=True, exist_ok=True)
    out = given.out.resolve()

    def say(text: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_dataset(folder)
        os.chdir(folder)
        config, dataset, train, valid, test, model = prepare(given.model, given.seed, folder)
        optimizer = torch.optim.Adam(model.parameters(), lr=config["learning_rate"])
        state = out / f"{given.model}.state"
        done = load_state(state, model, optimizer)
        for epoch in range(done + 1, given.epochs + 1):
            say(f"epoch {epoch}")
            start = time.perf_counter()
            targets, loss = train_epoch(model, optimizer, train, say)
            seconds = time.perf_counter() - start
            ranks = {"valid": rank(model, valid, dataset), "test": rank(model, test, dataset)}
            arrays = {f"{s}_{k}": v for s, part in ranks.items() for k, v in part.items()}
            np.savez_compressed(out / f"{given.model}-epoch{epoch:02d}.npz", **arrays)
            line = {
                "model": given.model,
                "epoch": epoch,
                "seconds": round(seconds, 1),
                "threads": given.threads,
                "seed": given.seed,
                "targets": targets,
                "loss": loss,
                **{s: metrics(part) for s, part in ranks.items()},
            }
            with open(out / f"{given.model}.jsonl", "a") as stream:
                stream.write(json.dumps(line) + "\n")
            save_state(state, model, optimizer, epoch)
            say(json.dumps(line))


if __name__ == "__main__":
    main()
