"""Rows of the board: the rank cell of each, its list metrics, and what tells it from the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from recmerge_bench.errors import HandledError
from recmerge_bench.planning.cells import Plan, Result
from recmerge_bench.planning.configuration import Configuration
from recmerge_bench.planning.corpus import CorpusPlanner, PlannedSplit
from recmerge_bench.planning.maker import CellMaker, Reason, module
from recmerge_bench.planning.metrics import SuiteMetrics
from recmerge_bench.planning.names import variant_of
from recmerge_bench.planning.served import RowAt, Served
from recmerge_bench.planning.suite import Row, Track
from recmerge_bench.planning.trainings import Trainings


class RowResults:
    """Adds the rows of one track to the plan.

    Args:
        plan: of the suite.
        name: of the track.
        track: whose rows they are.
        maker: of its cells.
        corpora: of its datasets.
        trainings: of its models.
        metrics: of the suite.
        columns: what a row has a value of each for, under a protocol.
    """

    def __init__(
        self, plan: Plan, name: str, track: Track, maker: CellMaker, corpora: CorpusPlanner,
        trainings: Trainings, metrics: SuiteMetrics,
        columns: Callable[[PlannedSplit], tuple[str, ...]],
    ) -> None:  # fmt: skip
        self.plan, self.name, self.track, self.maker = plan, name, track, maker
        self.corpora, self.trainings, self.metrics = corpora, trainings, metrics
        self.columns = columns
        self.named: dict[tuple[tuple[str, object], ...], str] = {}  # identity -> key

    def rank(self, served: Served, at: RowAt, configuration: Configuration | None) -> None:
        """The rank cell of a row, and the row.

        Against all items, one cell serves protocols with and without the items of the history.
        """
        split, model = at.split, served.model
        sampled = "candidates" in split.inputs
        config: dict[str, object] = {
            **served.described(self.track),
            **({"mask_history": split.mask_history} if sampled else {}),
            **({} if split.shuffle_seed is None else {"shuffle_seed": split.shuffle_seed}),
            **({"top_k": self.metrics.longest} if self.metrics.lists and not sampled else {}),
        }
        inputs = {**split.inputs, **self.trainings.text(model, split), **served.models}
        label = at.label("rank", split.name)
        key = self.maker.cell(
            "rank", label, config, config, inputs, model.modules, at.seed, model.reason
        )
        masked = split.mask_history and not sampled
        lists = "" if sampled else self._lists(key, label, at, masked)
        self._result(key, at, configuration, masked, lists)

    def _lists(self, ranks: str, label: str, at: RowAt, masked: bool) -> str:
        """The cell of a row's list metrics; empty where the suite names none."""
        if not self.metrics.lists:
            return ""
        inputs = {"data": at.split.data, "split": at.split.key, "rank": ranks}
        asked = []
        for use in self.metrics.lists:
            role = f"text:{use.text_encoder}" if use.text_encoder else ""
            if use.text_encoder:
                inputs[role] = self.corpora.text(use.text_encoder, at.split, "vectors")
            asked.append({**use.options.to_json(), "name": use.name, "k": use.k, "text": role})
        config = {"metrics": asked, "domains": list(self.track.domains), "masked": masked}
        modules = tuple(dict.fromkeys(module(use.spec) for use in self.metrics.lists))
        label = label.replace("rank", "lists", 1)
        return self.maker.cell("lists", label, config, config, inputs, modules, at.seed)

    def blocked(
        self, at: RowAt, reason: Reason, trials: Sequence[str] = (), waits: bool = False
    ) -> None:
        """A row that cannot run: on the board with its reason.

        One that `waits` for trials cannot run yet; the trials are its inputs.
        """
        identity = {
            **_own_keys(at.row),
            "backbone": at.backbone,
            "protocol": at.split.name,
            "track": self.name,
        }
        inputs = {"data": at.split.data}
        inputs |= {f"trial:{number}": key for number, key in enumerate(trials)}
        own = self.plan.cells[at.split.data].blocked
        if own and reason:
            reason = (f"{own[0]}; {reason[0]}", f"{own[1]}; {reason[1]}")
        key = self.maker.cell(
            "rank", at.label("rank", at.split.name), identity, {}, inputs, (), at.seed, reason,
            waits=waits,
        )  # fmt: skip
        self._result(key, at)

    def _result(
        self, key: str, at: RowAt, configuration: Configuration | None = None,
        masked: bool = False, lists: str = "",
    ) -> None:  # fmt: skip
        """A row of the board for one seed, and what it is made with.

        Raises:
            HandledError: another row has its name.
        """
        identity = self.identity(at)
        if self.named.setdefault(tuple(identity.items()), key) != key:
            raise HandledError(
                f"{self.maker.where}: two rows would have one name, '{at.row.method}'; "
                "tell them apart by `variant:`"
            )
        self.plan.results.append(
            Result(key, identity, self.columns(at.split), configuration, masked, lists)
        )

    def identity(self, at: RowAt) -> dict[str, Any]:
        """What tells a row from others, for one seed."""
        return {
            "dataset": self.track.dataset,
            "backbone": at.backbone,
            "method": at.row.method,
            "recipe": at.row.recipe,
            "profile": self.track.profile if at.row.profile is None else at.row.profile,
            "variant": variant_of(at.row),
            "track": self.name,
            "protocol": at.split.name,
            "seed": at.seed,
        }


def _own_keys(row: Row) -> dict[str, object]:
    """A row's own keys, for the identity of a cell that cannot run."""
    return {"method": row.method, "options": row.options, "recipe": row.recipe}
