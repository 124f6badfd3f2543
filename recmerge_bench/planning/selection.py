"""By what weights are chosen in a training: a metric under a protocol, checked and filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from recmerge_bench.errors import HandledError
from recmerge_bench.planning.corpus import CorpusPlanner, PlannedSplit
from recmerge_bench.planning.maker import CellMaker, Reason, module
from recmerge_bench.planning.metrics import plugin_of, rank_metric
from recmerge_bench.specs import Spec
from recmerge_bench.training.options import split_select


@dataclass(frozen=True)
class Choice:
    """How a cell that validates does it.

    Attributes:
        name: ``METRIC@PROTOCOL``, "" where nothing is validated.
        config: what the worker is told, for the cell's configuration and key.
        inputs: stored candidates of the validation targets, where the protocol samples.
        modules: of the metric.
        reason: why it cannot be done here.
    """

    name: str = ""
    config: Mapping[str, object] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    reason: Reason = None


class Selector:
    """Resolves ``select`` for the trainings of a track.

    Args:
        maker: finds specs.
        corpora: adds the candidates' cells.
        protocols: the track's.
        metrics: the suite's.
    """

    def __init__(
        self,
        maker: CellMaker,
        corpora: CorpusPlanner,
        protocols: tuple[str, ...],
        metrics: tuple[str, ...],
    ) -> None:
        self.maker, self.corpora = maker, corpora
        self.protocols, self.metrics = protocols, metrics
        self.where = f"{maker.where}, training, select"
        self._made: dict[tuple[str, str, str, bool], Choice] = {}

    def of(self, select: str, split: PlannedSplit, validates: bool = True) -> Choice:
        """The choice for a training on this split; `select` as in `TrainOptions.select`.

        The protocol's validation candidates become a cell where the training `validates` only.

        Raises:
            HandledError: no such metric or protocol, a wrong cut-off, or a protocol that splits the
                data otherwise than the training's.
        """
        key = (select, split.name, split.key, validates)
        if key not in self._made:
            self._made[key] = self._of(select, split, validates)
        return self._made[key]

    def _of(self, select: str, split: PlannedSplit, validates: bool) -> Choice:
        if not (select or validates):
            return Choice()
        metric, protocol = split_select(select)
        if not metric and not self.metrics:
            raise HandledError(f"{self.where}: the suite names no metric; name one here")
        metric = metric or self.metrics[0]
        described, modules, reason = self._metric(metric)
        protocol = protocol or self._first_alike(split)
        other, missing = self._find("protocol", protocol)
        reason = reason or missing
        if reason is not None or other is None:
            return Choice(select, reason=reason)
        self._must_split_alike(protocol, split)
        if self._shuffles(protocol, split):
            raise HandledError(
                f"{self.where}: '{protocol}' shuffles the histories of test targets and chooses no "
                "models: name a protocol that splits alike and reads the true order"
            )
        if not validates:
            return Choice()
        inputs, masked = self.corpora.validation(protocol, split)
        name = f"{metric}@{protocol}"
        config = {"selection": {"name": name, "metric": described, "mask_history": masked}}
        return Choice(name, config, inputs, modules)

    def _metric(self, text: str) -> tuple[dict[str, object], tuple[str, ...], Reason]:
        """What a worker is told of a metric; tried on a rank, so that a wrong cut-off shows now."""
        try:
            plugin = plugin_of(text)
        except HandledError as error:
            raise HandledError(f"{self.where}: {error}") from None
        spec, reason = self._find("metric", plugin)
        if spec is None or reason is not None:
            return {}, (), reason
        use = rank_metric(self.maker.registry, text, f"{self.where}: ")
        return {**use.options.to_json(), "k": use.k}, (module(spec),), None

    def _find(self, kind: str, name: str) -> tuple[Spec | None, Reason]:
        try:
            return self.maker.find((kind,), name)
        except HandledError as error:
            message = str(error).removeprefix(f"{self.maker.where}: ")
            raise HandledError(f"{self.where}: {message}") from None

    def _alike(self, name: str, split: PlannedSplit) -> bool:
        return self.corpora.split(name, split.corpus, split.data, ranked=False).key == split.key

    def _first_alike(self, split: PlannedSplit) -> str:
        """The first of the track's protocols that splits the data as the training's does.

        Those that shuffle histories come last: they choose nothing.
        """
        alike = [p for p in self.protocols if p == split.name or self._alike(p, split)]
        return min(alike, key=lambda p: self._shuffles(p, split), default=split.name)

    def _shuffles(self, name: str, split: PlannedSplit) -> bool:
        planned = self.corpora.split(name, split.corpus, split.data, ranked=False)
        return planned.shuffle_seed is not None

    def _must_split_alike(self, name: str, split: PlannedSplit) -> None:
        if name == split.name or self._alike(name, split):
            return
        fitting = [p for p in self.protocols if p == split.name or self._alike(p, split)]
        raise HandledError(
            f"{self.where}: '{name}' splits the data otherwise than '{split.name}' and cannot "
            f"choose its models; {' or '.join(fitting)} can, or give '{split.name}' a track of "
            "its own"
        )
