"""What a suite file may say: every key with its type; unknown keys are errors with a near name."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from recmerge_bench.planning.metrics import METRICS, metric_name
from recmerge_bench.planning.tune import TuneSpace, TuneUse
from recmerge_bench.planning.tuning import Tuning
from recmerge_bench.untrusted.paths import figure_flaw, suite_flaw


class Model(BaseModel):
    """Strict base: a key that the schema does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class MetricUse(Model):
    """A metric with options; read as the name that says the same (`metric_name`).

    Attributes:
        metric: ``NAME`` or ``NAME@k``.
        options: its options.
    """

    metric: str
    options: dict[str, Any] = {}


#: A metric by its name, see `recmerge_bench.planning.metrics`.
Metric = Annotated[str, BeforeValidator(metric_name, json_schema_input_type=str | MetricUse)]
#: What every library's generator takes.
Seed = Annotated[int, Field(ge=0, lt=2**63)]


class RowChoice(Model):
    """A row of the track, one on each backbone; what is not given fits any.

    Attributes:
        method: of the row.
        variant: of it.
        recipe: of it.
        profile: of it.
    """

    method: str
    variant: str | None = None
    recipe: str | None = None
    profile: str | None = None


def _method_alone(value: Any) -> Any:
    """A name alone is the row's method."""
    return {"method": value} if isinstance(value, str) else value


#: A row of the track: its method, or more of it.
Choice = Annotated[
    RowChoice, BeforeValidator(_method_alone, json_schema_input_type=str | RowChoice)
]


class BackboneTune(TuneSpace):
    """What is searched for a backbone; every row on it then has what was chosen.

    Attributes:
        options: of the backbone, as a row's.
        training: of its trainings, as a row's.
        judged: whose models are judged: a row of the track that runs on the backbone (a method, or
            more of it), such as the one that passes the experts through.
    """

    judged: Choice


class BackboneUse(Model):
    """How a track uses a backbone.

    Attributes:
        options: its options.
        training: its training's, laid over the track's.
        tuning: what was tried before these settings, and the track's training, were fixed; it
            concerns every row on the backbone alike.
        tune: what is searched, within the track's `tune`, instead.
    """

    options: dict[str, Any] = {}
    training: dict[str, Any] = {}
    tuning: Tuning | None = None
    tune: BackboneTune | None = None


class BaseUse(Model):
    """Data that a track's shared base is trained on, all the named domains jointly.

    Attributes:
        dataset: by name (the track's own or another).
        dataset_options: its options.
        domains: which of its domains.
        options: the backbones' options while the base is trained, laid over their own.
        training: training options of the base, laid over the track's `pretraining`.
    """

    dataset: str
    dataset_options: dict[str, Any] = {}
    domains: tuple[str, ...]
    options: dict[str, Any] = {}
    training: dict[str, Any] = {}


class Row(Model):
    """A method on the board, once for each of its backbones.

    Attributes:
        method: a strategy, a CDSR model or a backbone by name.
        backbones: for strategies: which of the track's backbones; all of them if empty.
        options: the method's options.
        training: training options of a CDSR model or a joint training, laid over the track's.
        recipe: ``paper``, ``released`` (the authors' code), ``released-2`` (a later release of it)
            or ``fixed``.
        profile: where it is not the track's.
        variant: what tells it from other rows of the method; made from `options` if empty.
        curve: for strategies that learn weights: how many test targets of each domain their
            course is measured on afterwards; 0: not measured.
        replicates: only the first so many of the track's seeds; 0: all of them.
        tuning: what was tried before the row's settings were fixed, see `Tuning`; the track's if
            absent.
        tune: what is searched for the row, within the track's `tune`, instead.
    """

    method: str
    backbones: tuple[str, ...] = ()
    options: dict[str, Any] = {}
    training: dict[str, Any] = {}
    recipe: Literal["paper", "released", "released-2", "fixed"] = "fixed"
    profile: str | None = None
    variant: str | None = None
    curve: int = Field(0, ge=0)
    replicates: int = Field(0, ge=0, strict=True)
    tuning: Tuning | None = None
    tune: TuneSpace | None = None


class Figure(Model):
    """A figure made of a suite's records.

    Attributes:
        kind: ``course`` (cross entropy and entropy along the steps), ``weights`` (learned weights
            along the steps), ``option`` (a metric against an option of the rows), ``experts`` (a
            metric against the number of merged domains), ``groups`` (a metric by numbered group
            of test targets), ``group-shares`` (the same, divided by the expert's), ``probes``
            (what models tell of themselves at test: gates), ``comparison`` (rows beside each
            other, by domain) or ``phases`` (a metric by tested phase, a line for each row and phase
            after which its models stand).
        title: one line.
        tracks: whose rows; all if empty.
        methods: which rows, by method; all if empty.
        option: for ``option``: its name; for ``groups`` and ``group-shares``: the beginning of
            their names.
        backbones: which rows, by backbone; all if empty.
        protocols: which rows, by protocol; all if empty.
    """

    kind: Literal[
        "course",
        "weights",
        "option",
        "experts",
        "groups",
        "group-shares",
        "probes",
        "comparison",
        "phases",
    ]
    title: str
    tracks: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    option: str = ""
    backbones: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()


class Baseline(RowChoice):
    """The row that a track's others are compared with."""


class GateUse(Model):
    """Which counting rows a track's trained models have to beat before methods are judged.

    Where the models' mean over domains and seeds, by the suite's first metric, is not above each
    of the rows' means, the board says so with the numbers, and no verdict is formed about rows of
    that backbone under that protocol (`recmerge_bench.results.gates`).

    Attributes:
        models: the trained models: a row (a method, or more of it), one on each backbone.
        rows: the counting rows, each likewise.
    """

    models: Choice
    rows: tuple[Choice, ...] = Field(min_length=1)


class PaperUse(Model):
    """A paper's table that a track is set beside; a name alone is its `table`.

    Attributes:
        table: by name: ``paper/<table>.yaml`` and ``.csv`` beside suite files.
        setting: which of its settings.
        protocol: the track's that it is shown under; the table's own if empty.
        backbones: backbone of the track -> the paper's whose mean stands beside it, where these
            are not the ones of the same name.
        units: ``value`` (metrics themselves), ``share`` (per cent of the domain's own expert).
        differs: what is not as in the paper and no configuration can tell; such a table is no
            reproduction. A protocol, a profile, options or a training that are not the paper's
            are said by themselves.
        notes: what else a reader has to know.
        within: how far below the table's best number of a domain, as a share of it, our best row
            may stay (0.05), in the suite's first metric: the board says for each domain whether it
            does.
    """

    table: str
    setting: str = ""
    protocol: str = ""
    backbones: dict[str, tuple[str, ...]] = {}
    units: tuple[Literal["value", "share"], ...] = ("value", "share")
    differs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    within: float | None = Field(None, gt=0, lt=1)


class ExecutorUse(Model):
    """Where a suite's cells run; a name alone is an executor with its defaults.

    Attributes:
        name: of an executor.
        options: its options.
    """

    name: str
    options: dict[str, Any] = {}


def _name_alone(value: Any) -> Any:
    """A name alone is all that is said."""
    return {"name": value} if isinstance(value, str) else value


class Track(Model):
    """Rows that share a dataset, its domains and its protocols.

    Attributes:
        kind: ``domains``: models of domains are merged; ``temporal``: models of phases of time,
            which a protocol with phases tells apart (`recmerge_bench.planning.temporal`).
        phase_models: of a temporal track: whether a phase's model starts from the ``first``
            phase's, as experts start from a base, or from that of the ``previous`` phase.
        dataset: a dataset by name.
        dataset_options: its options.
        domains: the scored domains.
        source: unscored domain(s) that the shared base is trained on.
        base: other data that it is trained on instead (for models without item tables).
        experts: domains whose experts are merged (and trained jointly), where these are not the
            scored ones: how merged models serve domains that no expert has seen.
        protocols: one board table for each.
        profile: name of the settings that methods and backbones use, see `ModelSpec.profiles`.
        training: training options of all models.
        pretraining: training options of the base, laid over `training`.
        joint: training options of joint models, laid over `training`.
        domain_training: domain -> training options of its expert, laid over `training`.
        backbones: the backbones that strategies run on.
        models: how the track uses models that are rows by themselves: options and training that
            the rows' own are laid over.
        rows: the methods; they replace those that the track inherits.
        more_rows: methods that are added to the rows that the track inherits, by ``<<`` in the
            file or from a suite that it extends; joined to `rows` when the suite is read.
        isolated: admit merge strategies of data tiers T0 and T1 only (trained rows are there to
            compare with).
        seeds: replicates of this track, where they are not the suite's.
        baseline: the row (a method, or more of it) that all others are compared with, one on each
            backbone; all of them are one family of tests. Smoke boards compare nothing.
        reference: the method that normalised scores divide by (the own-domain expert).
        gate: which counting rows the trained models have to beat, or nothing is said of methods
            (``gate: {models: fine-tune, rows: [last-item, item-knn]}``).
        paper: a paper's table that the rows are set beside.
        tuning: of rows that declare none themselves.
        tune: the budget of searches, the same for every row and backbone that says what is
            searched (`tune`); the others then declare ``tuning: none``.
        notes: what a reader of the board has to know of the track, a line each.
    """

    kind: Literal["domains", "temporal"] = "domains"
    phase_models: Literal["first", "previous"] = "first"
    dataset: str
    dataset_options: dict[str, Any] = {}
    domains: tuple[str, ...]
    experts: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    base: BaseUse | None = None
    protocols: tuple[str, ...]
    profile: str = ""
    training: dict[str, Any] = {}
    pretraining: dict[str, Any] = {}
    joint: dict[str, Any] = {}
    domain_training: dict[str, dict[str, Any]] = {}
    backbones: dict[str, BackboneUse] = {}
    models: dict[str, BackboneUse] = {}
    rows: tuple[Row, ...]
    more_rows: tuple[Row, ...] = ()
    isolated: bool = False
    seeds: tuple[Seed, ...] | None = None
    reference: str | None = None
    baseline: Baseline | None = None
    gate: GateUse | None = None
    paper: PaperUse | None = None
    tuning: Tuning | None = None
    tune: TuneUse | None = None
    notes: tuple[str, ...] = ()

    @field_validator("paper", mode="before", json_schema_input_type=str | PaperUse | None)
    @classmethod
    def _table_alone(cls, value: Any) -> Any:
        return {"table": value} if isinstance(value, str) else value

    @field_validator("baseline", mode="before", json_schema_input_type=str | Baseline | None)
    @classmethod
    def _baseline_by_method(cls, value: Any) -> Any:
        return _method_alone(value)

    @field_validator("source", mode="before", json_schema_input_type=str | tuple[str, ...])
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator(
        "rows", "more_rows", mode="before", json_schema_input_type=tuple[str | Row, ...]
    )
    @classmethod
    def _names_are_rows(cls, value: Any) -> Any:
        if not isinstance(value, (list, tuple)):
            raise ValueError("rows are a list of methods")
        return [{"method": v} if isinstance(v, str) else v for v in value]

    @field_validator("more_rows")
    @classmethod
    def _joined_when_read(cls, value: tuple[Row, ...]) -> tuple[Row, ...]:
        if value:
            raise ValueError("adds to rows that a track inherits: read the suite by load_suite")
        return value


class Suite(Model):
    """A board's definition.

    Attributes:
        name: the board's file name.
        title: one line.
        label: what kind of board it is: ``smoke`` boards carry no verdicts.
        extends: another suite (or several) by name or file, over which this one's keys are laid.
        seeds: one replicate each.
        threads: CPU threads of every cell (part of the keys: bits depend on it).
        timeout: seconds until a cell is killed.
        metrics: ``NAME`` or ``NAME@k``, or with options ``{metric: NAME@k, options: {...}}``, which
            is the same as ``NAME(option=value)@k``; the first is the primary one.
        executor: where cells run, where the command does not say it: a name, or ``{name: ...,
            options: {...}}``; the package's default if absent.
        expects: names that may be absent (plugins yet to come), with what to do about each; any
            other unknown name is an error.
        tracks: by name.
        figures: by name, see `Figure`.
        groups: groups of test targets that the board reports by themselves, by the beginnings of
            their names: ``tied-last-day``, ``cold-target``, ``history``, ``popularity``,
            ``transition``; see `recmerge_bench.data.slices.slices`.
    """

    name: str
    title: str = ""
    label: Literal["smoke", "converged", "paper"] = "converged"
    extends: str | tuple[str, ...] | None = None
    seeds: tuple[Seed, ...] = (0,)
    threads: int = Field(1, ge=1, le=1024)
    timeout: float = Field(3600.0, gt=0)
    metrics: tuple[Metric, ...] = METRICS
    executor: (
        Annotated[
            ExecutorUse, BeforeValidator(_name_alone, json_schema_input_type=str | ExecutorUse)
        ]
        | None
    ) = None
    expects: dict[str, str] = {}
    tracks: dict[str, Track]
    figures: dict[str, Figure] = {}
    groups: tuple[
        Literal["tied-last-day", "cold-target", "history", "popularity", "transition"], ...
    ] = ()

    @field_validator("name")
    @classmethod
    def _names_files(cls, value: str) -> str:
        if flaw := suite_flaw(value):
            raise ValueError(flaw)
        return value

    @field_validator("figures")
    @classmethod
    def _figures_name_files(cls, value: dict[str, Figure]) -> dict[str, Figure]:
        for name in value:
            if flaw := figure_flaw(name):
                raise ValueError(flaw)
        return value
