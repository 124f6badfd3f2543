"""What cells took elsewhere: the cost files of a run's own records and of published boards.

A cost file says what each cell behind a result took, and whose result it is. Two levels of likeness
are kept: the same cell of the same suite by all that names it there, and cells of the same kind on
the same dataset for the same model or strategy, whatever their options. Nothing else is known of
them: options, and the sizes of what they read, stand in no cost file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import recmerge_bench
from recmerge_bench.errors import HandledError
from recmerge_bench.untrusted.jsons import read_json

#: Bytes and values of a file, as `results.files` has them.
SIZE, VALUES = 512 << 20, 40_000_000
#: Where a checkout, or a folder that one works in, has its published records.
PUBLISHED = Path("leaderboards", "records")
END = ".cost.json"
#: Seconds that a cell may have taken: some thirty years.
LONGEST = 1e9
#: Kinds of cells whose cost is a model's or a strategy's.
OF_MODELS = {"train", "merge", "rank", "validate", "lists"}


class Whose(NamedTuple):
    """What cells of one kind have in common that are likely to take as long."""

    kind: str
    dataset: str
    backbone: str
    method: str


@dataclass
class Costs:
    """Seconds of cells that were computed somewhere.

    Attributes:
        named: suite, and ``kind:label`` -> seconds of that cell.
        alike: whose -> seconds of each cell.
    """

    named: dict[tuple[str, str], float] = field(default_factory=dict)
    alike: dict[Whose, list[float]] = field(default_factory=dict)
    _others: dict[tuple[str, str], list[float]] = field(default_factory=dict, repr=False)

    def add(self, kind: str, identity: Mapping[str, Any], seconds: float) -> None:
        """A cell, with the identity of a result that needed it."""
        self.alike.setdefault(whose(kind, identity), []).append(seconds)

    def of_others(self, own: Whose, counting: Collection[str]) -> list[float]:
        """Seconds of the same kind on the same dataset, of models that do not only count.

        Args:
            own: what nothing is known of.
            counting: names of models that only count.
        """
        if (own.kind, own.dataset) not in self._others:
            self._others[own.kind, own.dataset] = [
                second
                for one, seconds in self.alike.items()
                if one[:2] == own[:2] and (one.backbone or one.method) not in counting
                for second in seconds
            ]
        return self._others[own.kind, own.dataset]

    def read(self, path: Path) -> None:
        """Take in a cost file; one that cannot be read tells nothing."""
        try:
            raw = read_json(path, SIZE, VALUES)
        except HandledError:
            return
        suite = path.name.removesuffix(END)
        for entry in raw.get("results", ()) if isinstance(raw, dict) else ():
            try:
                cells, identity = dict(entry["seconds"]), dict(entry["identity"])
            except (TypeError, ValueError, KeyError):
                continue
            for name, seconds in cells.items():
                # Results share cells.
                if _are_seconds(seconds) and (suite, name) not in self.named:
                    self.named[suite, name] = seconds
                    self.add(name.partition(":")[0], identity, seconds)


def _are_seconds(value: object) -> bool:
    """Files below the working folder may be anybody's."""
    return type(value) in (int, float) and 0 <= value <= LONGEST  # type: ignore[operator]


def whose(kind: str, identity: Mapping[str, Any]) -> Whose:
    """Of a cell that a result with this identity needs.

    A merge is its strategy's on a backbone. Trainings and ranks are their model's, and those of a
    backbone take as long in the rows of all strategies. All else is the dataset's.
    """
    dataset, backbone, method = (
        str(identity.get(k, "")) for k in ("dataset", "backbone", "method")
    )
    if kind not in OF_MODELS:
        backbone = method = ""
    elif kind != "merge" and backbone:
        method = ""
    return Whose(kind, dataset, backbone, method)


def cost_files(folder: Path) -> list[Path]:
    """Cost files of a folder of records, by name."""
    return sorted(folder.glob(f"*{END}"))


def published_costs() -> list[Path]:
    """Cost files of published boards: below the working folder, else beside the package's code."""
    checkout = Path(recmerge_bench.__file__).resolve().parents[1]
    for root in (Path.cwd(), checkout):
        if files := cost_files(root / PUBLISHED):
            return files
    return []


def costs_of(paths: Iterable[Path]) -> Costs:
    """All that these files tell."""
    costs = Costs()
    for path in paths:
        costs.read(path)
    return costs


__all__ = ["Costs", "Whose", "cost_files", "costs_of", "published_costs", "whose"]
