"""Our side of `train_beside.py`: the trainer, as a suite runs it."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from train_sides import Events, Meter, Work

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Instances, Sequences, Split
from recmerge_bench.evaluation.metrics import ndcg
from recmerge_bench.evaluation.ranking import Ranking
from recmerge_bench.registry import discover
from recmerge_bench.targets import define
from recmerge_bench.training.options import TrainOptions
from recmerge_bench.training.trainer import fit
from recmerge_bench.training.validation import Selection


def split_of(events: Events) -> tuple[Catalogue, Split]:
    """The events as our trainer takes them: one domain, ``items``."""
    names = [str(i) for i in range(events.n_items)]
    catalogue = Catalogue(("items",), np.array([0, events.n_items]), names, [""] * events.n_items)
    users = np.arange(len(events.targets), dtype=np.int32)
    lengths = np.diff(events.offsets).astype(np.int32)
    with_target = np.flatnonzero(events.targets >= 0)
    ends = np.searchsorted(with_target, users, side="right")
    offsets = events.offsets + np.concatenate([[0], ends])
    items = np.insert(events.items, events.offsets[with_target + 1], events.targets[with_target])
    domains = np.zeros(len(users), np.int16)
    sequences = Sequences(offsets, items.astype(np.int32), users, domains, lengths)
    valid = Instances(
        users[with_target], lengths[with_target], users[with_target], domains[with_target],
        events.targets[with_target].astype(np.int32),
    )  # fmt: skip
    return catalogue, Split(sequences, valid, valid.take(np.zeros(0, np.int64)), {})


def options(work: Work) -> dict[str, Any]:
    """Of our SASRec."""
    loss: dict[str, Any] = {"loss": "ce"}
    if work.negatives:
        sampling = "shared" if work.shared else "uniform"
        loss = {"loss": "sampled-ce", "negatives": work.negatives, "sampling": sampling}
    return {
        "width": work.width, "layers": work.blocks, "heads": work.heads, "init": "random",
        "dropout": work.dropout, "max_len": work.max_len, **loss,
    }  # fmt: skip


def train(work: Work, events: Events) -> dict[str, Any]:
    """Train."""
    catalogue, split = split_of(events)
    spec = discover(environ={}).get("backbone", "sasrec")
    definition = define(spec.target, {**spec.options, **options(work)})
    meter, loss = Meter(work.warm), definition.loss

    def counted(net: Any, batch: Any) -> Any:
        meter.step(int(batch.lengths.sum()))
        return loss(net, batch)

    definition.loss = counted
    masked = Selection("NDCG@10 masked", partial(ndcg, k=10), Ranking(None, True))
    given = TrainOptions(
        steps=0 if work.epochs else work.warm + work.steps, epochs=work.epochs,
        batch_size=work.batch, lr=work.lr, clip=0.0, patience=0,
        eval_every=0 if work.epochs else -1,
    )  # fmt: skip
    result = fit(
        definition, catalogue, split, ("items",), "domain", given, seed=work.seed, selection=masked
    )
    meter.stop()
    curve = [entry["valid"] for entry in result.report["history"] if "valid" in entry]
    more = {"ndcg": curve[-1], "curve": curve} if work.epochs else {}
    return {**meter.measured(), **more}
