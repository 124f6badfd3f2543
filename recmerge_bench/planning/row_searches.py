"""The searches of a track: of its backbones' settings first, then of its rows'."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from recmerge_bench.errors import HandledError
from recmerge_bench.json_values import JsonObject
from recmerge_bench.planning.cells import Plan
from recmerge_bench.planning.chosen_rows import only_row
from recmerge_bench.planning.corpus import PlannedSplit
from recmerge_bench.planning.maker import CellMaker
from recmerge_bench.planning.methods import MethodUse, StrategyUse, method_of
from recmerge_bench.planning.names import variant_of
from recmerge_bench.planning.options import training_options
from recmerge_bench.planning.sampler import PACKAGE
from recmerge_bench.planning.searches import Task, Values, Waiting, search
from recmerge_bench.planning.spaces import Chosen, Setting
from recmerge_bench.planning.suite import BackboneTune, BackboneUse, Row, Track
from recmerge_bench.planning.trainings import Trainings
from recmerge_bench.planning.tune import TuneSpace
from recmerge_bench.planning.tuning import OF_USERS
from recmerge_bench.specs import METHOD_KINDS, CountingSpec, Spec, StrategySpec

#: Plans the cell that judges a trial: method, row, split, seed and what trials are judged by.
Judge = Callable[[MethodUse, Row, PlannedSplit, int | None, str], str]


@dataclass(frozen=True)
class Settled:
    """A row with nothing left to search.

    Attributes:
        row: with the chosen options and what was tried for them.
        backbone: what was chosen for its backbone.
        own: what was chosen for the row itself.
    """

    row: Row
    backbone: Chosen | None = None
    own: Chosen | None = None

    @property
    def trials(self) -> tuple[str, ...]:
        """Keys of the cells that judged what was tried, for the backbone and for the row."""
        return tuple(key for some in (self.backbone, self.own) if some for key in some.trials)


class RowSearches:
    """What is searched for the rows of a track.

    Args:
        plan: of all cells.
        maker: of the track's.
        trainings: of the track.
        track: whose rows.
        judge: plans the cell that judges a trial.
        values: of trials that are done.
    """

    def __init__(
        self, plan: Plan, maker: CellMaker, trainings: Trainings, track: Track, judge: Judge,
        values: Values,
    ) -> None:  # fmt: skip
        self.plan, self.maker, self.trainings, self.track = plan, maker, trainings, track
        self.judge, self.values = judge, values
        self.where = f"{maker.where}, tune"
        self._done: dict[tuple[object, ...], Chosen | Waiting] = {}

    def settled(
        self, row: Row, spec: Spec, backbone: str, split: PlannedSplit
    ) -> Settled | Waiting:
        """The row as its searches leave it, or what they wait for.

        Raises:
            HandledError: see `recmerge_bench.planning.searches.search`.
        """
        chosen = self._backbone(backbone, split) if isinstance(spec, StrategySpec) else None
        if isinstance(chosen, Waiting):
            return chosen
        if row.tune is None:
            return Settled(row, chosen)
        own = self._row(row, row.tune, spec, backbone, split, chosen)
        if isinstance(own, Waiting):
            return own
        return Settled(_with(row, own.setting, own), chosen, own)

    def _backbone(self, name: str, split: PlannedSplit) -> Chosen | Waiting | None:
        use = self.track.backbones.get(name)
        if use is None or use.tune is None:
            return None
        place = (name, split.key)
        if place not in self._done:
            self._done[place] = self._search(self._of_backbone(name, use.tune, split))
        return self._done[place]

    def _row(
        self, row: Row, tune: TuneSpace, spec: Spec, backbone: str, split: PlannedSplit,
        chosen: Chosen | None,
    ) -> Chosen | Waiting:  # fmt: skip
        place = (id(row), backbone, split.key)
        if place not in self._done:
            self._done[place] = self._search(self._of_row(row, tune, spec, backbone, split, chosen))
        return self._done[place]

    def _search(self, task: Task) -> Chosen | Waiting:
        assert self.track.tune is not None
        if missing := self.maker.absent("tune", (PACKAGE,)):
            return Waiting((), 0, self.track.tune.trials, missing)
        return search(task, self.track.tune, self.values)

    def _of_row(
        self, row: Row, tune: TuneSpace, spec: Spec, backbone: str, split: PlannedSplit,
        chosen: Chosen | None,
    ) -> Task:  # fmt: skip
        where = f"{self.where} of '{row.method}'"

        def method(setting: Setting) -> tuple[Row, MethodUse]:
            tried = _with(row, setting)
            made = method_of(spec, tried, backbone, self.trainings, chosen)
            if made is None:
                raise HandledError(f"{where}: no method that could be searched")
            return tried, made

        def training(setting: Setting) -> Mapping[str, object]:
            tried, made = method(setting)
            if isinstance(made, StrategyUse):
                return self.trainings.joint_training(made.model, tried)
            return made.model.training

        counts = isinstance(spec, CountingSpec)
        joint = isinstance(spec, StrategySpec) and "joint" not in spec.inputs
        if tune.training and (counts or joint):
            raise HandledError(f"{where}: '{row.method}' has no training of its own to search")
        _, plain = method(Setting())
        return self._task(
            where, tune, plain.options.values, method, training, split,
            seedless=counts and spec.deterministic,  # type: ignore[attr-defined]
        )  # fmt: skip

    def _of_backbone(self, name: str, tune: BackboneTune, split: PlannedSplit) -> Task:
        where = f"{self.where} of backbone '{name}'"
        row = only_row(self.track, tune.judged, f"judged for backbone '{name}'", self.maker.where)
        spec, _ = self.maker.find(METHOD_KINDS, row.method)
        if not isinstance(spec, StrategySpec) or (row.backbones and name not in row.backbones):
            raise HandledError(f"{where}: judged names '{row.method}', no row on '{name}'")
        if row.tune is not None:
            raise HandledError(f"{where}: judged names '{row.method}', which is searched itself")

        def method(setting: Setting) -> tuple[Row, MethodUse]:
            made = method_of(spec, row, name, self.trainings, Chosen(setting))
            assert made is not None
            return row.model_copy(update={"curve": 0, "variant": setting.text}), made

        def training(setting: Setting) -> Mapping[str, object]:
            return self.trainings.backbone(name, Chosen(setting)).training

        model = self.trainings.backbone(name)
        options = model.options.values if model.options else {}
        return self._task(where, tune, options, method, training, split, judged=row.method)

    def _task(
        self,
        where: str,
        tune: TuneSpace,
        options: JsonObject,
        method: Callable[[Setting], tuple[Row, MethodUse]],
        training: Callable[[Setting], Mapping[str, object]],
        split: PlannedSplit,
        judged: str = "",
        seedless: bool = False,
    ) -> Task:
        """`method` makes the row and its method with a setting, `training` what it trains with."""
        use = self.track.tune
        assert use is not None
        select = self.trainings.selector.of(use.select, split).name

        def refusal(setting: Setting) -> str:
            try:
                method(setting)
                if setting.training:
                    training_options(training(setting), where)
            except HandledError as error:
                return str(error).removeprefix(f"{self.maker.where}, ")
            return ""

        def trial(setting: Setting) -> str:
            row, made = method(setting)
            return self.judge(made, row, split, None if seedless else use.seed, use.select)

        defaults: dict[str, JsonObject] = {"options": options}
        if tune.training:
            defaults["training"] = training_options(training(Setting()), where).to_json()
        return Task(
            where, tune, defaults, refusal, trial, lambda key: self.plan.cells[key].blocked,
            select, judged,
        )  # fmt: skip


def _with(row: Row, setting: Setting, chosen: Chosen | None = None) -> Row:
    """A row with what a setting sets, and with its budget where the setting was chosen."""
    return row.model_copy(
        update={
            "options": {**row.options, **dict(setting.options)},
            "training": {**row.training, **dict(setting.training)},
            "variant": variant_of(row) if chosen else setting.text,
            "curve": row.curve if chosen else 0,
            "tuning": chosen.tuning if chosen else None,
            "tune": None,
        }
    )


def check_searches(track: Track, where: str) -> None:
    """Refuse a track whose searches have no budget, or whose methods' budgets are not the same.

    Args:
        track: to check.
        where: what errors begin with.

    Raises:
        HandledError: a search without the track's `tune`, or that without a search; something that
            is searched and set or declared as well; a row or backbone beside searched ones that
            was tuned otherwise, or says nothing.
    """
    for fault in _faults(track):
        raise HandledError(f"{where}: {fault}")


def _faults(track: Track) -> Iterator[str]:
    rows: list[tuple[str, Row | BackboneUse]] = [(f"'{row.method}'", row) for row in track.rows]
    backbones: list[tuple[str, Row | BackboneUse]] = [
        (f"backbone '{name}'", use) for name, use in track.backbones.items()
    ]
    searched = [(name, use) for name, use in (*rows, *backbones) if use.tune is not None]
    for name, model in track.models.items():
        if model.tune is not None:
            yield f"models.{name}: a row by itself is searched in its row: give it `tune` there"
    if track.tune is None and searched:
        yield f"{searched[0][0]} is searched, but the track gives no budget: tune: {{trials: 20}}"
    if track.tune is None:
        return
    if not searched:
        yield "tune gives a budget, and no row and no backbone says what is searched (tune)"
    for name, use in searched:
        yield from _twice(name, use.tune, use)
        if use.tuning is not None:
            yield f"{name} has both tune and tuning: a search declares its budget itself"
    of_rows = [(name, row.tune, row.tuning or track.tuning) for name, row in rows]
    of_backbones = [(name, use.tune, use.tuning) for name, use in backbones]
    for group in (of_rows, of_backbones):
        if any(tune is not None for _, tune, _ in group):
            for name, tune, tuning in group:
                if tune is None and (tuning is None or tuning.data in OF_USERS):
                    yield (
                        f"{name} stands beside searched ones: say what is searched for it (tune), "
                        "or tuning: none, so that all have the same budget or say that they have "
                        "none"
                    )  # fmt: skip


def _twice(name: str, tune: TuneSpace | None, use: Row | BackboneUse) -> Iterator[str]:
    for group in ("options", "training"):
        for option in getattr(tune, group):
            if option in getattr(use, group):
                yield f"{name}: {group}.{option} is set and searched; keep one of the two"
