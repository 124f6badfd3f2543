"""RecBole's settings of a model from its own YAML files, without its `Config`.

`Config` takes 2.6 s of imports, reads the command line and changes the process; models ask it for
values by name alone. A test compares both.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from recmerge_bench.api import HandledError, near

#: Fields that RecBole's transform for masking makes; models ask for their names.
_MASKS = {
    "MASK_ITEM_SEQ": "masked_items",
    "POS_ITEMS": "hidden_items",
    "NEG_ITEMS": "negative_items",
    "MASK_INDEX": "masked_positions",
}


class Settings(dict[str, Any]):
    """Values by name; None for what is not set, as in RecBole's `Config`."""

    def __missing__(self, name: str) -> None:
        return None


def settings_of(model: str, width: int, max_len: int, given: Mapping[str, Any]) -> Settings:
    """All settings that a model asks for.

    Args:
        model: name of its class.
        width: of item vectors.
        max_len: positions.
        given: laid over the model's own file; names of that file.

    Raises:
        HandledError: a name that the model's file lacks, or that an option stands for.
    """
    import torch

    own = model_settings(model)
    _check_names(model, own, given)
    general = {**_read("overall.yaml"), **_read("dataset/sample.yaml")}
    decided = {
        "MAX_ITEM_LIST_LENGTH": max_len,
        _width_name(own): width,
        "device": torch.device("cpu"),
        "train_batch_size": 1,
        **_MASKS,
    }
    return Settings({**general, **own, **given, **decided})


def model_settings(model: str) -> dict[str, Any]:
    """What RecBole's own file sets for a model.

    Raises:
        HandledError: RecBole is not installed.
    """
    return _read(f"model/{model}.yaml")


def check_settings(model: str, given: Mapping[str, Any]) -> None:
    """Refuse names that a model's file lacks, where RecBole is installed.

    Raises:
        HandledError: such a name.
    """
    if given and find_spec("recbole") is not None:
        _check_names(model, model_settings(model), given)


def _check_names(model: str, own: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    for name in given:
        if name in ("MAX_ITEM_LIST_LENGTH", _width_name(own)):
            raise HandledError(f"recbole:{model}: '{name}' is set by the options width and max_len")
        if name not in own:
            raise HandledError(
                f"recbole:{model}: RecBole's file of the model has no '{name}'{near(name, own)}"
            )


def _width_name(own: Mapping[str, Any]) -> str:
    """What a model calls the width of its item vectors; GRU4Rec and NARM have a state's besides."""
    return "embedding_size" if "embedding_size" in own else "hidden_size"


def _read(name: str) -> dict[str, Any]:
    import yaml

    found = find_spec("recbole")
    if found is None or not found.submodule_search_locations:
        raise HandledError("recbole is not installed")
    file = Path(found.submodule_search_locations[0]) / "properties" / name
    values = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    return {key: _number(value) for key, value in values.items()}


def _number(value: Any) -> Any:
    """``1e-12``, which YAML 1.1 takes for a text, as the number that RecBole reads."""
    if isinstance(value, str) and value[:1].isdigit():
        try:
            return float(value)
        except ValueError:
            return value
    return value
