"""SASRec training on MovieLens-100K: training targets per second, ours and RecBole's.

    python benchmarks/speed/train_sasrec.py [--small]

Equal sizes: 2 layers, 2 heads, width 64, 50 events, full softmax over all items. RecBole has one
target in each row and pads it to 50 events; ours trains all positions of a sequence in one pass.
Importing RecBole's models turns on torch's anomaly detection (``sine.py``), which every user of
RecBole 1.2.1 pays for; the third side is RecBole with it off again.
"""

from __future__ import annotations

import argparse
import time

import peer
import side_by_side


def ours(given: argparse.Namespace) -> side_by_side.Measured:
    """Our trainer with the settings of the quality comparison."""
    from recmerge_bench.data.splits import leave_one_out
    from recmerge_bench.registry import discover
    from recmerge_bench.targets import define
    from recmerge_bench.training.options import TrainOptions
    from recmerge_bench.training.trainer import fit

    interactions = peer.load("ml-100k-whole")
    split = leave_one_out(interactions, ["movies"])
    spec = discover(environ={}).get("backbone", "sasrec")
    definition = define(spec.target, {**spec.options, "init": "random"})
    seconds, targets = 0.0, 0
    for steps in (5, given.steps):  # the first is a warm-up
        options = TrainOptions(
            steps=steps, epochs=0, batch_size=8, lr=0.002, ema=0.998, eval_every=-1
        )
        start = time.perf_counter()
        result = fit(
            definition, interactions.catalogue, split, ("movies",), "domain", options, seed=0
        )
        seconds, targets = time.perf_counter() - start, result.report["targets"]
    return {"units": targets, "seconds": seconds}


def recbole(given: argparse.Namespace) -> side_by_side.Measured:
    """RecBole's trainer on its first batches."""
    return _recbole(given, anomaly=True)


def recbole_mended(given: argparse.Namespace) -> side_by_side.Measured:
    """The same without anomaly detection."""
    return _recbole(given, anomaly=False)


def _recbole(given: argparse.Namespace, anomaly: bool) -> side_by_side.Measured:
    import torch
    from recbole.trainer import Trainer

    with peer.workplace() as folder:
        peer.write(peer.load("ml-100k-whole"), folder)
        parts = peer.prepare(folder)
        trainer = Trainer(parts.config, parts.model)
        if not anomaly:
            torch.autograd.set_detect_anomaly(False)
        elif not torch.is_anomaly_enabled():
            raise SystemExit("RecBole no longer turns anomaly detection on: drop the third side")
        trainer._train_epoch(peer.FirstBatches(parts.train, 1), 0)  # warm-up
        batches = peer.FirstBatches(parts.train, given.batches)
        start = time.perf_counter()
        trainer._train_epoch(batches, 1)
        return {"units": batches.targets, "seconds": time.perf_counter() - start}


if __name__ == "__main__":
    side_by_side.run(
        side_by_side.Comparison(
            "SASRec training on MovieLens-100K",
            "targets",
            {"ours": ours, "RecBole": recbole, "RecBole, no anomaly detection": recbole_mended},
        ),
        [
            ("steps", (600, 60), "of ours"),
            ("batches", (6, 1), "of RecBole, 2048 rows each"),
        ],
    )
