"""RecTools' side of `train_beside.py`; imports nothing of ours."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import numpy as np
import pandas as pd
from pytorch_lightning import Callback, Trainer, seed_everything
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel
from train_sides import Events, Meter, Work, ndcg_at_10

logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
warnings.filterwarnings("ignore")


class Timed(Callback):
    """Counts targets and CPU seconds."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter

    def __deepcopy__(self, memo: Any) -> Timed:
        """RecTools trains with a copy of the trainer."""
        return self

    def on_train_batch_start(self, trainer: Any, module: Any, batch: Any, batch_idx: int) -> None:
        """Padding is no target."""
        self.meter.step(int((batch["y"] != 0).sum()))

    def on_train_end(self, trainer: Any, module: Any) -> None:
        """Of the last step."""
        self.meter.stop()


def dataset(events: Events) -> Dataset:
    """An event's place in its user's history as time."""
    sizes = np.diff(events.offsets)
    places = np.arange(len(events.items)) - np.repeat(events.offsets[:-1], sizes)
    frame = pd.DataFrame(
        {
            Columns.User: np.repeat(np.arange(len(sizes)), sizes),
            Columns.Item: events.items,
            Columns.Weight: 1.0,
            Columns.Datetime: pd.Timestamp("2000-01-01") + pd.to_timedelta(places, unit="D"),
        }
    )
    return Dataset.construct(frame)


def train(work: Work, events: Events) -> dict[str, Any]:
    """Train with RecTools' own model class and Lightning's loop."""
    seed_everything(work.seed)
    meter = Meter(work.warm)
    limit = {"max_epochs": work.epochs} if work.epochs else {"max_steps": work.warm + work.steps}

    def trainer() -> Trainer:
        return Trainer(
            **limit, accelerator="cpu", devices=1, logger=False, enable_progress_bar=False,
            enable_model_summary=False, enable_checkpointing=False, callbacks=[Timed(meter)],
        )  # fmt: skip

    model = SASRecModel(
        n_blocks=work.blocks, n_heads=work.heads, n_factors=work.width, dropout_rate=work.dropout,
        session_max_len=work.max_len, batch_size=work.batch, lr=work.lr, get_trainer_func=trainer,
        loss="sampled_softmax" if work.negatives else "softmax", n_negatives=work.negatives or 1,
        recommend_torch_device="cpu",
    )  # fmt: skip
    data = dataset(events)
    model.fit(data)
    more = {"ndcg": ndcg(model, data, events)} if work.epochs else {}
    return {**meter.measured(), **more}


def ndcg(model: SASRecModel, data: Dataset, events: Events) -> float:
    """Of the validation items, items of the history masked."""
    users = np.flatnonzero(events.targets >= 0)
    lists = model.recommend(users, data, k=10, filter_viewed=True)
    own = lists[Columns.Item].to_numpy() == events.targets[lists[Columns.User].to_numpy()]
    ranks = np.full(len(events.targets), 11)
    ranks[lists[Columns.User].to_numpy()[own]] = lists[Columns.Rank].to_numpy()[own]
    return ndcg_at_10(ranks[users])
