"""A finished cell's folder -> what its record says of the model in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.options import CompleteOptions
from recmerge_bench.running.store import RECORD, Store


@dataclass(frozen=True)
class FinishedModel:
    """The model of a ``train`` or ``merge`` cell.

    Attributes:
        options: of its definition.
        domains: that it was trained or merged on.
        scored: domains whose targets the split behind it holds.
        unscored: further domains whose training parts it holds.
        target: the one domain that it is for, of a single-target model; else "".
        merged: whether a strategy made it.
        seed: of the cell.
        data: folder of the dataset's cell.
        text: folder of the items' vectors or tokens, for models that read them.
    """

    options: CompleteOptions
    domains: tuple[str, ...]
    scored: tuple[str, ...]
    unscored: tuple[str, ...]
    target: str
    merged: bool
    seed: int
    data: Path
    text: Path | None


def finished_model(folder: Path) -> FinishedModel:
    """The model of a cell's folder, every file of it checked.

    Raises:
        HandledError: it is no such cell of a run's store, or it is damaged.
    """
    store, key = _place(folder)
    record = store.record(key)
    if record.get("kind") not in ("train", "merge"):
        raise HandledError(f"{folder}: a '{record.get('kind')}' cell holds no model to evaluate")
    folder = store.check(key)
    inputs = _inputs(store, record)
    try:
        config, split = record["config"], store.record(inputs["split"])["config"]
        return FinishedModel(
            CompleteOptions.read(config["model"]),
            _texts(config["domains"]),
            _texts(split["domains"]),
            _texts(split["unscored"]),
            _text(config.get("target", "")),
            record["kind"] == "merge",
            int(record["seed"] or 0),
            store.check(inputs["data"]),
            store.check(inputs["text"]) if "text" in inputs else None,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"not the record of a model ({error!r})", folder / RECORD) from None


def _place(folder: Path) -> tuple[Store, str]:
    full = folder.resolve()
    if len(full.parents) < 4 or full.parents[1].name != "store":
        raise HandledError(f"{folder}: not a cell of a run (OUT/store/ab/abcdef...)")
    return Store(full.parents[2]), full.name


def _inputs(store: Store, record: Mapping[str, Any]) -> dict[str, str]:
    """Role -> key of what a cell read, and the trainings whose models it merged."""
    own = record.get("inputs", {})
    behind = [k for role, k in own.items() if role == "base" or role.startswith("expert:")]
    roles: dict[str, str] = {}
    for key in behind:  # of the experts, the last ones: the base may be of other data
        roles |= store.record(key).get("inputs", {})
    return {**roles, **own}


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list of names")
    return tuple(_text(each) for each in value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
