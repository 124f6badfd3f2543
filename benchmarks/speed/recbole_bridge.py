"""The one fenced place that imports RecBole: its evaluator, its event order, its model interface.

RecBole's ``Config`` reads ``sys.argv``, sets environment variables and writes folders; everything
here runs inside `fenced`. Nothing is imported from ``recbole.quick_start``.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from recmerge_bench.api import Batch, Blocked, Catalogue

MENDS = {"float_": "float64", "complex_": "complex128", "unicode_": "str_"}


@contextmanager
def fenced() -> Iterator[Path]:
    """A place where RecBole may do what it does; what it changes in the process is put back.

    That is the arguments, the environment, the working directory and torch's anomaly detection,
    which importing RecBole's sequential models turns on (``sine.py``).

    Yields:
        a temporary folder, which is also the working directory.

    Raises:
        Blocked: RecBole is not installed.
    """
    from importlib.util import find_spec

    if find_spec("recbole") is None:
        raise Blocked("recbole is not installed", "pip install -c constraints.txt recbole==1.2.1")
    import torch

    arguments, variables, place = sys.argv, dict(os.environ), Path.cwd()
    anomaly = torch.is_anomaly_enabled()
    missing = [name for name in MENDS if not hasattr(np, name)]
    for name in missing:  # numpy 2 dropped names that Config() needs
        setattr(np, name, getattr(np, MENDS[name]))
    with tempfile.TemporaryDirectory() as folder:
        try:
            sys.argv = arguments[:1]
            os.chdir(folder)
            yield Path(folder)
        finally:
            os.chdir(place)
            sys.argv = arguments
            os.environ.clear()
            os.environ.update(variables)
            torch.autograd.set_detect_anomaly(anomaly)
            for name in missing:
                delattr(np, name)


def settings(folder: Path, **more: Any) -> dict[str, Any]:
    """RecBole settings that this project relies on, stated in full."""
    return {
        "checkpoint_dir": str(folder / "saved"),
        "use_gpu": False,
        "show_progress": False,
        "seed": 2026,
        "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
        "eval_args": {
            "split": {"LS": "valid_and_test"},
            "order": "TO",
            "group_by": "user",
            "mode": "full",
        },
        "train_neg_sample_args": None,
        **more,
    }


def recbole_metrics(
    scores: np.ndarray, targets: np.ndarray, topk: Sequence[int]
) -> dict[str, float]:
    """RecBole's own evaluator on a matrix of scores: full ranking, history not masked.

    Args:
        scores: float32 [T, items].
        targets: int64 [T], columns of `scores`.
        topk: cut-offs.

    Returns:
        such as ``{"ndcg@10": 0.1}``, ten decimals kept.
    """
    import torch

    with fenced() as folder:
        from recbole.config import Config
        from recbole.evaluator import Collector, Evaluator

        config = Config(
            model="SASRec",
            dataset="ml-100k",
            config_dict=settings(
                folder,
                metrics=["Recall", "Hit", "NDCG", "MRR"],
                topk=list(topk),
                metric_decimal_place=10,
            ),
        )
        collector, evaluator = Collector(config), Evaluator(config)
        padded = torch.full((len(scores), scores.shape[1] + 1), -np.inf)
        padded[:, 1:] = torch.from_numpy(scores)
        rows, columns = torch.arange(len(targets)), torch.from_numpy(targets) + 1
        collector.eval_batch_collect(padded, None, rows, columns)
        found = evaluator.evaluate(collector.get_data_struct())
    return {name: float(value) for name, value in found.items()}


def recbole_test_targets(inter: Path, bundled: bool) -> dict[str, str]:
    """The test target of each user as RecBole's leave-one-out picks it, with its float32 times.

    Args:
        inter: an atomic file of interactions.
        bundled: with the configuration that RecBole bundles for ml-100k (times normalised), or
            with the defaults that any other dataset gets.

    Returns:
        raw user id -> raw item id.
    """
    with fenced() as folder:
        from recbole.config import Config
        from recbole.data import create_dataset

        name = "ml-100k" if bundled else "plain"
        (folder / name).mkdir()
        (folder / name / f"{name}.inter").write_bytes(inter.read_bytes())
        more = settings(folder, data_path=str(folder))
        config = Config(model="SASRec", dataset=name, config_dict=more)
        dataset = create_dataset(config)
        test = dataset.build()[2].inter_feat
        users = dataset.id2token("user_id", test["user_id"])
        items = dataset.id2token("item_id", test["item_id"])
    return dict(zip(map(str, users), map(str, items), strict=True))


def catalogue_of(dataset: Any) -> Catalogue:
    """A RecBole dataset's items as one domain, ``items``; RecBole's padding item is left out."""
    tokens = [str(t) for t in dataset.id2token("item_id", np.arange(1, dataset.num("item_id")))]
    return Catalogue(("items",), np.array([0, len(tokens)]), tokens, [""] * len(tokens))


def as_recbole_model(definition: Any) -> type:
    """A class for RecBole's ``Config(model=...)`` that trains and scores with our definition.

    RecBole gives one row for each prefix; all positions of the prefix are trained.
    """
    import torch
    from recbole.model.abstract_recommender import SequentialRecommender
    from recbole.utils import InputType

    class Bridged(SequentialRecommender):  # type: ignore[misc, no-any-unimported]
        input_type = InputType.POINTWISE

        def __init__(self, config: Any, dataset: Any) -> None:
            super().__init__(config, dataset)
            catalogue = catalogue_of(dataset)
            self.net = definition.build(catalogue, ("items",), int(config["seed"]))
            self.generator = torch.Generator().manual_seed(int(config["seed"]))

        def calculate_loss(self, interaction: Mapping[str, Any]) -> Any:
            items, lengths = self._histories(interaction)
            last = (lengths - 1)[:, None]
            targets = torch.cat([items[:, 1:], items[:, -1:]], 1)
            targets = targets.scatter(1, last, interaction[self.ITEM_ID][:, None] - 1)
            batch = Batch(items, targets, lengths, ("items",), self.generator, {})
            return definition.loss(self.net, batch)[0]

        def full_sort_predict(self, interaction: Mapping[str, Any]) -> Any:
            scores = self._scores(interaction)
            return torch.cat([torch.full_like(scores[:, :1], -np.inf), scores], 1)

        def predict(self, interaction: Mapping[str, Any]) -> Any:
            chosen = interaction[self.ITEM_ID][:, None] - 1
            return self._scores(interaction).gather(1, chosen).squeeze(1)

        def _histories(self, interaction: Mapping[str, Any]) -> tuple[Any, Any]:
            lengths = interaction[self.ITEM_SEQ_LEN]
            items = interaction[self.ITEM_SEQ][:, : int(lengths.max())]
            return (items - 1).clamp(min=0), lengths

        def _scores(self, interaction: Mapping[str, Any]) -> Any:
            items, lengths = self._histories(interaction)
            users = definition.encode(self.net, items, lengths, "items")
            table, bias = definition.items(self.net, "items")
            scores = users @ table.T
            return scores if bias is None else scores + bias

    return Bridged
