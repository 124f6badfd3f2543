"""The trained models of a temporal track: of one phase, of one after the other, of all together."""

from __future__ import annotations

from collections.abc import Mapping

from recmerge_bench.definitions import Phases
from recmerge_bench.names import phase_name
from recmerge_bench.planning.corpus import CorpusPlanner, PlannedSplit
from recmerge_bench.planning.suite import Row, Track
from recmerge_bench.planning.trainings import Model, Trainings
from recmerge_bench.specs import StrategySpec


class PhaseTrainings:
    """Adds the cells that train models of phases. Training options are the same for all of them.

    Args:
        trainings: adds one training.
        corpora: the cells of its data.
        track: whose models; it has one domain.
        tested: the split that the track is tested on.
        phases: of its protocol.
    """

    def __init__(
        self, trainings: Trainings, corpora: CorpusPlanner, track: Track, tested: PlannedSplit,
        phases: Phases,
    ) -> None:  # fmt: skip
        self.trainings, self.corpora, self.track = trainings, corpora, track
        self.tested, self.phases = tested, phases
        self._splits: dict[tuple[int, int], PlannedSplit] = {}

    def split(self, first: int, last: int) -> PlannedSplit:
        """The split to train on phases `first` to `last`."""
        span = (first, last)
        if span not in self._splits:
            self._splits[span] = self.corpora.split(
                self.tested.name, self.tested.corpus, self.tested.data, ranked=False, span=span
            )
        return self._splits[span]

    def initial(self, model: Model, seed: int | None) -> str:
        """Where the first phase starts: pre-trained weights, or initial values of the seed."""
        weights = self.trainings.weights(model)
        if weights is not None:
            return weights
        still = {**model.training, "steps": 1, "epochs": 0, "lr": 0.0, "eval_every": -1}
        return self._cell(model, 1, 1, seed, "start", still, None)

    def of_phase(self, model: Model, phase: int, seed: int | None) -> str:
        """The model that was trained on one phase, from where the track says."""
        if phase == 1:
            start = self.initial(model, seed)
        else:
            before = 1 if self.track.phase_models == "first" else phase - 1
            start = self.of_phase(model, before, seed)
        what = phase_name(phase)
        return self._cell(model, phase, phase, seed, what, model.training, start)

    def continued(self, model: Model, phase: int, seed: int | None) -> str:
        """The model that was trained on one phase after the other up to this one."""
        if phase == 1:
            return self.of_phase(model, 1, seed)
        start = self.continued(model, phase - 1, seed)
        what = f"{phase_name(phase)} continued"
        return self._cell(model, phase, phase, seed, what, model.training, start)

    def retrained(self, model: Model, row: Row, phase: int, seed: int | None) -> str:
        """The model that was trained on all phases up to this one, from the start."""
        training = self.trainings.joint_training(model, row)
        what = f"phases 1-{phase}"
        return self._cell(model, 1, phase, seed, what, training, self.initial(model, seed))

    def passed(
        self, spec: StrategySpec, row: Row, model: Model, phase: int, seed: int | None
    ) -> dict[str, str]:
        """Role -> key of what a strategy passes through as it is after a phase."""
        match spec.inputs[0]:
            case "base":
                return {"model": self.of_phase(model, 1, seed)}
            case "joint":
                return {"model": self.retrained(model, row, phase, seed)}
            case "continued":
                return {"model": self.continued(model, phase, seed)}
        if spec.mean_score:
            members = range(1, phase + 1)
            return {f"model:{phase_name(p)}": self.of_phase(model, p, seed) for p in members}
        return {"model": self.of_phase(model, phase, seed)}

    def merged(self, model: Model, phase: int, seed: int | None) -> dict[str, str]:
        """Role -> key of what is merged after a phase: the first's is the base of the others."""
        experts = {
            f"expert:{phase_name(p)}": self.of_phase(model, p, seed) for p in range(2, phase + 1)
        }
        return {"base": self.of_phase(model, 1, seed), **experts}

    def entries(self, phase: int) -> str:
        """The phase in which each item occurs first, up to this one."""
        spans = {phase_name(p): self.split(p, p).key for p in range(1, phase + 1)}
        config: Mapping[str, object] = {"phases": list(range(1, phase + 1))}
        label = f"entries {self.tested.corpus.dataset.name} phases 1-{phase}"
        inputs = {"data": self.tested.data, **spans}
        return self.trainings.maker.cell("entries", label, config, config, inputs)

    def _cell(
        self, model: Model, first: int, last: int, seed: int | None, what: str,
        training: Mapping[str, object], base: str | None,
    ) -> str:  # fmt: skip
        split, domains = self.split(first, last), self.track.domains
        return self.trainings.cell(model, split, domains, seed, what, training, base)
