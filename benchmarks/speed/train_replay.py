"""Replay's side of `train_beside.py`; imports nothing of ours.

The model, its losses and its Lightning module are Replay's; batches come from a plain loader over
arrays (its own reads Parquet), which costs less. Its sampled softmax shares a batch's negatives.
"""

from __future__ import annotations

import logging
import warnings
from typing import Any

import lightning
import numpy as np
import torch
from replay.data import FeatureHint, FeatureSource, FeatureType
from replay.data.nn import TensorFeatureInfo, TensorFeatureSource, TensorSchema
from replay.nn.lightning import LightningModule
from replay.nn.lightning.optimizer import OptimizerFactory
from replay.nn.loss import CESampled
from replay.nn.sequential import SasRec
from replay.nn.transform import UniformNegativeSamplingTransform
from train_sides import Events, Meter, Work, ndcg_at_10

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore")


class Timed(lightning.Callback):
    """Counts targets and CPU seconds."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter

    def on_train_batch_start(self, trainer: Any, module: Any, batch: Any, batch_idx: int) -> None:
        """Padding is no target."""
        self.meter.step(int(batch["target_padding_mask"].sum()))

    def on_train_end(self, trainer: Any, module: Any) -> None:
        """Of the last step."""
        self.meter.stop()


def schema(work: Work, n_items: int) -> TensorSchema:
    """Items alone; padding is the number after the last."""
    source = [TensorFeatureSource(FeatureSource.INTERACTIONS, "item")]
    item = TensorFeatureInfo(
        "item", is_seq=True, feature_type=FeatureType.CATEGORICAL, embedding_dim=work.width,
        padding_value=n_items, cardinality=n_items, feature_hint=FeatureHint.ITEM_ID,
        feature_sources=source,
    )  # fmt: skip
    return TensorSchema([item])


def padded(rows: list[np.ndarray], size: int, padding: int) -> torch.Tensor:
    """The last `size` items of each row, padded on the left: int64 [R, size]."""
    grid = np.full((len(rows), size), padding)
    for row, items in enumerate(rows):
        kept = items[-size:]
        grid[row, size - len(kept) :] = kept
    return torch.from_numpy(grid)


def batches(work: Work, events: Events) -> torch.utils.data.DataLoader[Any]:
    """Shuffled windows of the latest events, as Replay's model takes them."""
    users = range(len(events.targets))
    histories = [events.history(u) for u in users if len(events.history(u)) > 1]
    grid = padded(histories, work.max_len + 1, events.n_items)
    draw: Any = lambda batch: batch  # noqa: E731
    if work.negatives:
        draw = UniformNegativeSamplingTransform(events.n_items, work.negatives)

    def collate(rows: list[torch.Tensor]) -> dict[str, Any]:
        part = torch.stack(rows)
        items, following = part[:, :-1], part[:, 1:, None]
        return draw(
            {
                "feature_tensors": {"item": items},
                "padding_mask": items != events.n_items,
                "positive_labels": following,
                "target_padding_mask": (following != events.n_items)
                & (items != events.n_items)[..., None],
            }
        )

    return torch.utils.data.DataLoader(
        grid, batch_size=work.batch, shuffle=True, collate_fn=collate
    )


def train(work: Work, events: Events) -> dict[str, Any]:
    """Train."""
    lightning.seed_everything(work.seed)
    meter, kind = Meter(work.warm), schema(work, events.n_items)
    net = SasRec.from_params(
        kind, embedding_dim=work.width, num_heads=work.heads, num_blocks=work.blocks,
        max_sequence_length=work.max_len, dropout=work.dropout,
    )  # fmt: skip
    if work.negatives:
        net.loss = CESampled()
        net.loss.logits_callback = net.get_logits
    limit = {"max_epochs": work.epochs} if work.epochs else {"max_steps": work.warm + work.steps}
    trainer = lightning.Trainer(
        **limit, accelerator="cpu", devices=1, logger=False, enable_progress_bar=False,
        enable_model_summary=False, enable_checkpointing=False, callbacks=[Timed(meter)],
    )  # fmt: skip
    trainer.fit(
        LightningModule(net, OptimizerFactory(learning_rate=work.lr)), batches(work, events)
    )
    more = {"ndcg": ndcg(net, work, events)} if work.epochs else {}
    return {**meter.measured(), **more}


@torch.inference_mode()
def ndcg(net: SasRec, work: Work, events: Events) -> float:
    """Of the validation items, items of the history masked; ties count against the target."""
    net.eval()
    users, ranks = np.flatnonzero(events.targets >= 0), []
    for part in np.array_split(users, max(1, len(users) // 256)):
        rows = [events.history(u) for u in part]
        items = padded(rows, work.max_len, events.n_items)
        scores = net({"item": items}, items != events.n_items)["logits"]
        targets = torch.from_numpy(events.targets[part])[:, None]
        own = scores.gather(1, targets)
        for row, history in enumerate(rows):
            scores[row, torch.from_numpy(history)] = -torch.inf
        ranks.append(((scores >= own).sum(1)).clamp_min(1).numpy())
    return ndcg_at_10(np.concatenate(ranks))
