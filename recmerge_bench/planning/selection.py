"""By what weights are chosen in a training: a metric under a protocol, checked and filled in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from recmerge_bench.borders.metrics import split_metric, try_metric
from recmerge_bench.contracts import definition
from recmerge_bench.errors import HandledError
from recmerge_bench.planning.corpus import CorpusPlanner, Cut
from recmerge_bench.planning.maker import CellMaker, Gap, module
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
        gap: why it cannot be done here.
    """

    name: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    gap: Gap = None


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

    def of(self, select: str, cut: Cut, validates: bool = True) -> Choice:
        """The choice for a training on this cut; `select` as in `TrainOptions.select`.

        The protocol's validation candidates become a cell where the training `validates` only.

        Raises:
            HandledError: no such metric or protocol, a wrong cut-off, or a protocol that cuts the
                data otherwise than the training's.
        """
        key = (select, cut.name, cut.split, validates)
        if key not in self._made:
            self._made[key] = self._of(select, cut, validates)
        return self._made[key]

    def _of(self, select: str, cut: Cut, validates: bool) -> Choice:
        if not (select or validates):
            return Choice()
        metric, protocol = split_select(select)
        if not metric and not self.metrics:
            raise HandledError(f"{self.where}: the suite names no metric; name one here")
        metric = metric or self.metrics[0]
        told, modules, gap = self._metric(metric)
        protocol = protocol or self._first_alike(cut)
        other, missing = self._find("protocol", protocol)
        gap = gap or missing
        if gap is not None or other is None:
            return Choice(select, gap=gap)
        self._must_cut_alike(protocol, cut)
        if not validates:
            return Choice()
        inputs, masked = self.corpora.validation(protocol, cut)
        name = f"{metric}@{protocol}"
        config = {"selection": {"name": name, "metric": told, "mask_history": masked}}
        return Choice(name, config, inputs, modules)

    def _metric(self, text: str) -> tuple[dict[str, Any], tuple[str, ...], Gap]:
        """What a worker is told of a metric; tried on a rank, so that a wrong cut-off shows now."""
        try:
            base, k = split_metric(text)
        except HandledError as error:
            raise HandledError(f"{self.where}: {error}") from None
        spec, gap = self._find("metric", base)
        if spec is None or gap is not None:
            return {}, (), gap
        try:
            try_metric(definition(spec), text, k)
        except HandledError as error:
            raise HandledError(f"{self.where}: {error}") from None
        told = {"target": spec.target, "options": dict(spec.options), "k": k}
        return told, (module(spec),), None

    def _find(self, kind: str, name: str) -> tuple[Spec | None, Gap]:
        try:
            return self.maker.find((kind,), name)
        except HandledError as error:
            said = str(error).removeprefix(f"{self.maker.where}: ")
            raise HandledError(f"{self.where}: {said}") from None

    def _alike(self, name: str, cut: Cut) -> bool:
        return self.corpora.cut(name, cut.corpus, cut.data, ranked=False).split == cut.split

    def _first_alike(self, cut: Cut) -> str:
        """The first of the track's protocols that cuts the data as the training's does."""
        return next((p for p in self.protocols if p == cut.name or self._alike(p, cut)), cut.name)

    def _must_cut_alike(self, name: str, cut: Cut) -> None:
        if name == cut.name or self._alike(name, cut):
            return
        fitting = [p for p in self.protocols if p == cut.name or self._alike(p, cut)]
        raise HandledError(
            f"{self.where}: '{name}' cuts the data otherwise than '{cut.name}' and cannot choose "
            f"its models; {' or '.join(fitting)} can, or give '{cut.name}' a track of its own"
        )
