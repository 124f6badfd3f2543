"""The other way: a backbone of this package as a model of RecBole.

    from recmerge_bench_plugins.backbones.recbole_models.inside import register

    register("OurSASRec", SASRec(SASRecOptions(width=64)))
    Config(model="OurSASRec", dataset="ml-100k")

RecBole's trainer, data and evaluator take it from there; nothing here changes the process, as
RecBole's `Config` does (`fence.fenced` is for that).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from recmerge_bench.api import Backbone, Batch, Catalogue, HandledError

_PLACE = "recbole.model.sequential_recommender"
#: What our nets call the one domain of RecBole's items.
DOMAIN = "items"


def register(name: str, definition: Backbone) -> type:
    """Make a backbone known to RecBole by name: to `Config`, `get_model` and `run_recbole`.

    Args:
        name: what it is called there.
        definition: the backbone with its options.

    Returns:
        the class, which `Config` takes as well.

    Raises:
        HandledError: RecBole has a model of that name, or the backbone needs what RecBole does not
            hand over.
    """
    module = f"{_PLACE}.{name.lower()}"
    if not name.isidentifier():
        raise HandledError(f"RecBole's models are named like Python's classes, not {name!r}")
    if _has(name):
        raise HandledError(f"RecBole has a model '{name}' of its own")
    made = as_recbole_model(definition, name, module)
    place = ModuleType(module)
    place.__spec__ = ModuleSpec(module, None)
    setattr(place, name, made)
    sys.modules[module] = place
    return made


def _has(name: str) -> bool:
    """Whether a file of RecBole's would be taken for the name; nothing is imported."""
    place = find_spec("recbole")
    folders = [] if place is None else place.submodule_search_locations or []
    return any(any(Path(f, "model").glob(f"*/{name.lower()}.py")) for f in folders)


def as_recbole_model(definition: Backbone, name: str = "Bridged", module: str = __name__) -> type:
    """A class for RecBole's ``Config(model=...)`` that trains and scores with our definition.

    RecBole gives one row for each prefix; all positions of the prefix are trained. Its item n is
    item n - 1 of the one domain.

    Args:
        definition: the backbone with its options; its ``max_len`` is at least RecBole's
            ``MAX_ITEM_LIST_LENGTH``.
        name: of the class.
        module: that the class says it is of.

    Raises:
        HandledError: the backbone reads texts, which RecBole does not hand over.
    """
    if definition.text_encoder() is not None:
        raise HandledError(f"{type(definition).__name__} reads item texts: RecBole has none for it")
    import torch
    from recbole.model.abstract_recommender import SequentialRecommender
    from recbole.utils import InputType

    class Bridged(SequentialRecommender):  # type: ignore[misc, no-any-unimported]
        input_type = InputType.POINTWISE

        def __init__(self, config: Any, dataset: Any) -> None:
            super().__init__(config, dataset)
            _check_length(definition, self.max_seq_length)
            seed = int(config["seed"])
            self.net = definition.build(catalogue_of(dataset), (DOMAIN,), seed)
            self.draws = seed

        def calculate_loss(self, interaction: Mapping[str, Any]) -> Any:
            items, lengths = self._histories(interaction)
            last = (lengths - 1)[:, None]
            targets = torch.cat([items[:, 1:], items[:, -1:]], 1)
            targets = targets.scatter(1, last, interaction[self.ITEM_ID][:, None] - 1)
            self.draws += 1
            generator = torch.Generator(items.device).manual_seed(self.draws)
            batch = Batch(items, targets, lengths, (DOMAIN,), generator, {})
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
            users = definition.encode(self.net, items, lengths, DOMAIN)
            table, bias = definition.items(self.net, DOMAIN)
            scores = users @ table.T
            return scores if bias is None else scores + bias

    Bridged.__name__ = Bridged.__qualname__ = name
    Bridged.__module__ = module
    return Bridged


def catalogue_of(dataset: Any) -> Catalogue:
    """A RecBole dataset's items as one domain; RecBole's padding item is left out."""
    tokens = [str(t) for t in dataset.id2token("item_id", np.arange(1, dataset.num("item_id")))]
    return Catalogue((DOMAIN,), np.array([0, len(tokens)]), tokens, [""] * len(tokens))


def _check_length(definition: Backbone, longest: int) -> None:
    most = min(definition.max_history(), definition.encoded_history())
    if longest > most:
        raise HandledError(
            f"{type(definition).__name__} looks at {most} events and RecBole hands over {longest}: "
            f"set max_len, or MAX_ITEM_LIST_LENGTH to {most}"
        )
