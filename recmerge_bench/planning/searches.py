"""Searches for settings (``tune:``): planned trial by trial, each a cell as any other.

A trial trains and merges what its row would with the trial's setting, and one cell more ranks the
validation targets. The values of finished trials are asked of whoever plans; the next setting
follows from them, the seed and the space alone. So a plan holds the trials that can be known now,
the row itself waits, and a plan made later knows more, until the search has all its trials. Then
the row is planned as if its file had said the best setting: its cells have the keys that they would
have then, and its configuration records the trials. A run makes its plan again after every trial;
one that was killed finds its trials in the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from recmerge_bench.errors import HandledError
from recmerge_bench.json_values import JsonObject, plain_object
from recmerge_bench.planning import sampler
from recmerge_bench.planning.configuration import Search, Trial
from recmerge_bench.planning.spaces import Axis, Chosen, Setting, Space, space_of
from recmerge_bench.planning.tune import TuneSpace, TuneUse
from recmerge_bench.planning.tuning import Tuning

#: The value of a trial's cell by its key; None: it is not done.
Values = Callable[[str], float | None]
#: Drawings of a setting before the first of those that are left is taken.
DRAWINGS = 50
#: Other options that a value is tried with before it is refused.
FELLOWS = 50


def no_values(key: str) -> float | None:
    """Of no trial: a plan holds the first ones of every search."""
    return None


@dataclass(frozen=True)
class Waiting:
    """A search that is not finished.

    Attributes:
        trials: keys of the cells to do next.
        done: how many trials are done.
        of: how many there will be.
        blocked: why the trials cannot run here, and the remedy; None where they can.
    """

    trials: tuple[str, ...]
    done: int
    of: int
    blocked: tuple[str, str] | None = None

    @property
    def reason(self) -> tuple[str, str]:
        """Why the row is not there yet, and what to do."""
        done = f"its settings are being searched: {self.done} of {self.of} trials are done"
        return self.blocked or (done, "run the suite again to go on")


@dataclass(frozen=True)
class Task:
    """A search to do.

    Attributes:
        where: what errors begin with.
        space: as the suite says it.
        defaults: values of all options by group, without the search.
        refusal: what the method says against a setting; empty where it takes it.
        trial: plans a setting; gives the key of the cell that judges it.
        blocked: why a cell cannot run here.
        select: ``METRIC@PROTOCOL``.
        judged: see `Search`.
    """

    where: str
    space: TuneSpace
    defaults: Mapping[str, JsonObject]
    refusal: Callable[[Setting], str]
    trial: Callable[[Setting], str]
    blocked: Callable[[str], tuple[str, str] | None]
    select: str
    judged: str = ""


def search(task: Task, use: TuneUse, values: Values) -> Chosen | Waiting:
    """What the search chose, or the trials that it needs next.

    Raises:
        HandledError: the space has an option that is unknown or set as well, a value that the
            method does not take, or fewer settings than there are trials.
    """
    space = space_of(task.space, task.defaults)
    _check(task, space, use)
    known: list[float | None] = []
    keys: list[str] = []
    drawn = _Drawn(task, space, use)
    for number in range(use.trials):
        if number >= use.at_random and None in known:
            break
        setting = drawn.next([v for v in known if v is not None])
        keys.append(task.trial(setting))
        if blocked := task.blocked(keys[-1]):
            return Waiting((), 0, use.trials, blocked)
        known.append(values(keys[-1]))
    scores = [value for value in known if value is not None]
    if len(scores) < use.trials:
        todo = tuple(k for k, value in zip(keys, known, strict=True) if value is None)
        return Waiting(todo, len(scores), use.trials)
    best = max(range(use.trials), key=lambda n: (scores[n], -n))
    tuning = _tuning(task, use, drawn.settings, scores, best)
    return Chosen(drawn.settings[best], tuning, tuple(keys))


class _Drawn:
    """The settings of a search, in the order in which they are drawn; none comes twice."""

    def __init__(self, task: Task, space: Space, use: TuneUse) -> None:
        self.task, self.space, self.use = task, space, use
        self.settings: list[Setting] = []
        self._places: list[dict[str, int]] = []
        self._seen: set[str] = set()

    def next(self, values: list[float]) -> Setting:
        """One that was not drawn before and that the method takes.

        Args:
            values: of those before; read only where all of them are there.
        """
        number = len(self.settings)
        guided = number >= self.use.at_random
        tried = list(zip(self._places, values, strict=True)) if guided else []
        for places in self._candidates(number, tried):
            setting = self.space.setting(places)
            if setting.key in self._seen:
                continue
            self._seen.add(setting.key)
            if not self.task.refusal(setting):
                self.settings.append(setting)
                self._places.append(places)
                return setting
        raise HandledError(
            f"{self.task.where}: the method takes {number} settings of the space, fewer than the "
            f"{self.use.trials} trials that every search of the track has: widen it or lower trials"
        )

    def _candidates(
        self, number: int, tried: list[tuple[dict[str, int], float]]
    ) -> Iterator[dict[str, int]]:
        for again in range(DRAWINGS):
            yield sampler.draw(self.space, self.use.seed, number, again, tried)
        yield from self.space.all()


def _check(task: Task, space: Space, use: TuneUse) -> None:
    """Refuse what no trial could be made of.

    Raises:
        HandledError: see `search`.
    """
    for axis in space.axes:
        default = task.defaults.get(axis.group, {}).get(axis.name)
        where = f"{task.where}, {axis.place}"
        if axis.span and not axis.whole and type(default) is int:
            raise HandledError(f"{where}: takes whole numbers, not {axis.span.text}")
        if axis.span and isinstance(default, bool):
            raise HandledError(f"{where}: takes true or false, not a range")
        for value in axis.ends:
            if fault := _fault(task, space, axis, value):
                raise HandledError(f"{where}: {fault}")
    if space.count < use.trials:
        raise HandledError(
            f"{task.where}: the space has {space.count} settings, fewer than the {use.trials} "
            "trials that every search of the track has: widen it or lower trials"
        )


def _fault(task: Task, space: Space, axis: Axis, value: object) -> str:
    """What the method says against a value, with the other options' defaults and with others."""
    alone = ((axis.name, value),)
    fault = task.refusal(
        Setting(options=alone) if axis.group == "options" else Setting(training=alone)  # type: ignore[arg-type]
    )
    if not fault:
        return ""
    number = next(n for n in range(axis.count) if axis.value(n) == value)
    for fellow, places in zip(range(FELLOWS), space.all(), strict=False):
        if fellow and not task.refusal(space.setting({**places, axis.place: number})):
            return ""
    return fault


def _tuning(
    task: Task, use: TuneUse, settings: list[Setting], values: list[float], best: int
) -> Tuning:
    """What was tried, as a hand-written budget would say it, with the trials."""
    plain = task.space.model_dump(mode="json", exclude_unset=True, include={"options", "training"})
    trials = [
        Trial.model_validate({**setting.to_json(), "value": value})
        for setting, value in zip(settings, values, strict=True)
    ]
    judged = {"judged": task.judged} if task.judged else {}
    made = Search(
        sampler=use.sampler, drawn_with=sampler.drawn_with(), seed=use.seed, select=task.select,
        space=plain_object(plain), trials=trials, chosen=best, **judged,  # type: ignore[arg-type]
    )  # fmt: skip
    best_text = f"{settings[best].text} of {task.space.text}"
    return Tuning(
        tried=f"search ({use.sampler}, seed {use.seed}, by {task.select}): {best_text}"[:2000],
        data="validation-labels", times=use.trials, search=made,
    )  # fmt: skip
