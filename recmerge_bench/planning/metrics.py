"""Metrics by name: which plugin is meant, with which options and cut-off.

A metric's name says all of it, so that boards, records and commands that hold names alone mean one
metric: ``NDCG@10``, ``MRR``, or with options ``NAME(option=value,...)@k``. A suite may write the
last as ``{metric: NAME@k, options: {option: value}}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from recmerge_bench.borders.metrics import split_metric, text_encoder_of, try_metric
from recmerge_bench.definitions import ListMetricDefinition
from recmerge_bench.errors import HandledError, near
from recmerge_bench.options import CompleteOptions
from recmerge_bench.planning.configuration import Named
from recmerge_bench.planning.options import complete
from recmerge_bench.registry import Registry
from recmerge_bench.specs import Spec
from recmerge_bench.yaml_text import parse_yaml

#: What is computed where nothing else is asked for.
METRICS = ("NDCG@10", "HR@10", "MRR")
#: Texts that options in a name may have as values.
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")
_WITH_OPTIONS = re.compile(r"([^()]*)\(([^()]*)\)")


@dataclass(frozen=True)
class MetricUse:
    """A metric as a name asks for it.

    Attributes:
        name: as boards and records have it.
        spec: the plugin's.
        options: all of them.
        k: the cut-off; None where the name has none.
        of_lists: whether it is of the first items of rankings, not of ranks.
        text_encoder: whose vectors of items a metric of lists reads.
    """

    name: str
    spec: Spec
    options: CompleteOptions
    k: int | None
    of_lists: bool = False
    text_encoder: str | None = None

    @property
    def named(self) -> Named:
        """As a row's configuration has it."""
        return Named(name=self.spec.name, options=self.options.values)


def rank_metric(registry: Registry, name: str, where: str = "") -> MetricUse:
    """The metric of a name, where ranks are all that it is made of.

    Raises:
        HandledError: see `metric_use`; or it is one of lists.
    """
    use = metric_use(registry, name, where)
    if use.of_lists:
        raise HandledError(
            f"{where}metric '{name}' is of the first items of rankings and not of ranks: a suite "
            "that lists it among its `metrics` has it by domain and seed, `evaluate` of one model "
            "by domain, and nothing else has it"
        )
    return use


def metric_use(registry: Registry, name: str, where: str = "") -> MetricUse:
    """The metric of a name, tried on a few ranks or lists.

    Args:
        registry: the plugins.
        name: such as ``NDCG@10``.
        where: what an error begins with.

    Raises:
        HandledError: there is none, it takes no such option or cut-off, or it does not work.
    """
    try:
        called, k = split_metric(name)
        plugin, given = _apart(called, name)
        spec = registry.get("metric", plugin)
        options = complete(spec, given, f"metric '{name}'")
        made = options.definition()
        try_metric(made, name, k)
    except HandledError as error:
        raise type(error)(f"{where}{error}") from None
    if isinstance(made, ListMetricDefinition):
        return MetricUse(name, spec, options, k, True, text_encoder_of(made))
    return MetricUse(name, spec, options, k)


def plugin_of(name: str) -> str:
    """Which plugin a metric's name means.

    Raises:
        HandledError: it is no metric's name.
    """
    return _apart(split_metric(name)[0], name)[0]


def check_metrics(registry: Registry, names: Iterable[str], where: str = "") -> None:
    """Whether these metrics of ranks are there and take their options and cut-offs.

    Raises:
        HandledError: see `rank_metric`.
    """
    for name in names:
        rank_metric(registry, name, where)


@dataclass(frozen=True)
class SuiteMetrics:
    """A suite's metrics, those of ranks apart from those of lists.

    Attributes:
        ranks: the first is the primary one.
        lists: in the suite's order.
    """

    ranks: tuple[MetricUse, ...]
    lists: tuple[MetricUse, ...] = ()

    @classmethod
    def of(cls, registry: Registry, names: Iterable[str], where: str) -> SuiteMetrics:
        """By their names.

        Raises:
            HandledError: see `metric_use`; or the first is none of ranks.
        """
        uses = [metric_use(registry, name, where) for name in names]
        if not uses:
            raise HandledError(f"{where}metrics: it names no metric")
        if uses[0].of_lists:
            raise HandledError(
                f"{where}metrics: the first orders the board and chooses models, and is a metric "
                f"of ranks; '{uses[0].name}' is of lists: name it after one"
            )
        return cls._apart(uses)

    @classmethod
    def of_any(cls, registry: Registry, names: Iterable[str]) -> SuiteMetrics:
        """By their names, where nothing is ordered by the first.

        Raises:
            HandledError: see `metric_use`.
        """
        return cls._apart([metric_use(registry, name) for name in names])

    @classmethod
    def _apart(cls, uses: Iterable[MetricUse]) -> SuiteMetrics:
        uses = list(uses)
        return cls(
            tuple(use for use in uses if not use.of_lists),
            tuple(use for use in uses if use.of_lists),
        )

    @property
    def with_options(self) -> dict[str, Named]:
        """Name -> plugin and all options, of the metrics that take any."""
        return {u.name: u.named for u in (*self.ranks, *self.lists) if u.options.values}

    @property
    def longest(self) -> int:
        """Items of each list that have to be stored; 0: none."""
        return max((use.k or 0 for use in self.lists), default=0)


def metric_name(given: object) -> str:
    """The name of a metric as a suite writes it: a text, or a mapping with ``options``.

    Raises:
        ValueError: it is neither; says what a metric is.
    """
    if isinstance(given, str):
        return given
    if not isinstance(given, Mapping):
        raise ValueError(f"a metric is a name such as NDCG@10, or a mapping, not {given!r}")
    known = ("metric", "options")
    for key in given:
        if key not in known:
            raise ValueError(f"a metric has no key '{key}'{near(str(key), known)}")
    name, options = given.get("metric"), given.get("options") or {}
    if not isinstance(name, str) or not isinstance(options, Mapping):
        raise ValueError("a metric is {metric: NAME@k, options: {option: value}}")
    called, sign, cutoff = name.partition("@")
    shown = ",".join(f"{option}={_text(option, value)}" for option, value in options.items())
    return f"{called}({shown}){sign}{cutoff}" if shown else name


def _text(option: str, value: object) -> str:
    """A value as a metric's name has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    plain = isinstance(value, str) and _PLAIN.fullmatch(value)
    if plain and parse_yaml(str(value), option).value == value:
        return str(value)
    raise ValueError(
        f"option '{option}' of a metric is a number, true, false or a plain word, not {value!r}"
    )


def _apart(called: str, name: str) -> tuple[str, dict[str, object]]:
    """Plugin and given options of a name without its cut-off."""
    if "(" not in called:
        return called, {}
    match = _WITH_OPTIONS.fullmatch(called)
    if match is None:
        raise HandledError(f"metric '{name}': options stand as NAME(option=value,...)@k")
    given: dict[str, object] = {}
    for part in match[2].split(","):
        option, sign, text = (p.strip() for p in part.partition("="))
        if not (sign and option and text):
            raise HandledError(f"metric '{name}': '{part}' is no option=value")
        if option in given:
            raise HandledError(f"metric '{name}': option '{option}' is given twice")
        given[option] = parse_yaml(text, f"metric '{name}', {option}").value
    return match[1], given


__all__ = ["METRICS", "MetricUse", "SuiteMetrics", "check_metrics", "metric_name", "metric_use",
           "plugin_of", "rank_metric"]  # fmt: skip
