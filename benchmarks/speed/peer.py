"""RecBole at work on events that we hand it, in exact order."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recmerge_bench.data.interactions import Interactions
from recmerge_bench.registry import discover
from recmerge_bench.targets import define

NAME = "given"


@dataclass(frozen=True)
class Parts:
    """RecBole's objects: configuration, training and test loaders, a SASRec."""

    config: Any
    train: Any
    test: Any
    model: Any


def load(dataset: str, **options: Any) -> Interactions:
    """One of our datasets."""
    spec = discover(environ={}).get("dataset", dataset)
    interactions: Interactions = define(spec.target, {**spec.options, **options}).load(None)
    return interactions


@contextmanager
def workplace() -> Iterator[Path]:
    """A temporary folder, also the working directory: RecBole writes logs there."""
    with tempfile.TemporaryDirectory() as name, chdir(name):
        yield Path(name)


def write(interactions: Interactions, folder: Path) -> None:
    """RecBole's atomic file of one domain, an event's place in its user's history as time."""
    (folder / NAME).mkdir(parents=True)
    places = np.arange(len(interactions.items)) - np.repeat(
        interactions.offsets[:-1], np.diff(interactions.offsets)
    )
    users = np.repeat(np.arange(interactions.n_users), np.diff(interactions.offsets))
    rows = zip(users, interactions.items, places, strict=True)
    lines = ["user_id:token\titem_id:token\ttimestamp:float"]
    lines += [f"u{user}\ti{item}\t{place}" for user, item, place in rows]
    (folder / NAME / f"{NAME}.inter").write_text("\n".join(lines) + "\n", encoding="utf-8")


def prepare(folder: Path, mode: str = "full", rows: int = 0, **more: Any) -> Parts:
    """Everything built by hand, as RecBole's ``data_preparation`` does it.

    Args:
        folder: where `write` wrote.
        mode: of evaluation, ``full`` or ``uni999``.
        rows: keep only so many test rows; 0: all.
        more: settings.
    """
    from recbole.config import Config
    from recbole.data import create_dataset
    from recbole.data.utils import create_samplers, get_dataloader
    from recbole.utils import get_model, init_seed
    from recbole_bridge import settings

    given = settings(folder, data_path=str(folder), **more)
    given["eval_args"] = {**given["eval_args"], "mode": mode}
    config = Config(model="SASRec", dataset=NAME, config_dict=given)
    init_seed(config["seed"], True)
    dataset = create_dataset(config)
    built = dataset.build()
    if rows:
        built[2].inter_feat = built[2].inter_feat[:rows]
    samplers = create_samplers(config, dataset, built)
    train = get_dataloader(config, "train")(config, built[0], samplers[0], shuffle=True)
    test = get_dataloader(config, "test")(config, built[2], samplers[2], shuffle=False)
    return Parts(config, train, test, get_model("SASRec")(config, built[0]))


def evaluate(parts: Parts) -> dict[str, float]:
    """RecBole's own evaluation of the model as it stands."""
    from recbole.trainer import Trainer

    metrics = Trainer(parts.config, parts.model).evaluate(parts.test, load_best_model=False)
    return {name: float(value) for name, value in metrics.items()}


class FirstBatches:
    """The first batches of a loader, for a trainer that wants a whole epoch.

    Args:
        loader: RecBole's.
        number: of batches.
    """

    def __init__(self, loader: Any, number: int) -> None:
        self.loader, self.number, self.targets = loader, number, 0
        self.shuffle = loader.shuffle

    def __len__(self) -> int:
        return self.number

    def __iter__(self) -> Iterator[Any]:
        for _, batch in zip(range(self.number), self.loader, strict=False):
            self.targets += len(batch)
            yield batch
