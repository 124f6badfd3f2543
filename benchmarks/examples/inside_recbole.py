"""A backbone of this package, trained and evaluated by RecBole on a data set of its own.

``python benchmarks/examples/inside_recbole.py --dataset ml-100k --epochs 5``
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from recmerge_bench_plugins.backbones.recbole_models.fence import fenced
from recmerge_bench_plugins.backbones.recbole_models.inside import register
from recmerge_bench_plugins.backbones.sasrec import SASRec, SASRecOptions


def main() -> None:
    """Print RecBole's metrics of the test targets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="ml-100k", help="ml-100k, or a folder of data_path")
    parser.add_argument("--data-path", type=Path, help="where the folder lies, if not in RecBole")
    parser.add_argument("--epochs", type=int, default=5)
    given = parser.parse_args()
    place = None if given.data_path is None else str(given.data_path.resolve())
    with fenced() as folder:  # RecBole reads arguments, changes the folder's files and more
        result = run(given.dataset, place, given.epochs, str(folder))
    print(json.dumps(result))


def run(dataset: str, data_path: str | None, epochs: int, folder: str) -> dict[str, float]:
    """Train and test as RecBole does it; inside the fence."""
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.trainer import Trainer
    from recbole.utils import get_model, init_seed

    register("OurSASRec", SASRec(SASRecOptions(width=64, max_len=50, init="random")))
    settings = {
        "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
        "eval_args": {
            "split": {"LS": "valid_and_test"}, "order": "TO", "group_by": "user", "mode": "full",
        },
        "train_neg_sample_args": None,  # the model has a loss of its own
        "MAX_ITEM_LIST_LENGTH": 50,
        "epochs": epochs,
        "use_gpu": False,
        "show_progress": False,
        "checkpoint_dir": folder,
    }  # fmt: skip
    if data_path is not None:
        settings["data_path"] = data_path
    config = Config(model="OurSASRec", dataset=dataset, config_dict=settings)
    init_seed(config["seed"], config["reproducibility"])
    train, valid, test = data_preparation(config, create_dataset(config))
    model = get_model("OurSASRec")(config, train.dataset).to(config["device"])
    trainer = Trainer(config, model)
    trainer.fit(train, valid, saved=False, show_progress=False, verbose=False)
    result = trainer.evaluate(test, load_best_model=False, show_progress=False)
    return {name: float(value) for name, value in result.items()}


if __name__ == "__main__":
    main()
