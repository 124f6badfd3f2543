"""What records say of a suite before its results."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Literal

from pydantic import Field, FiniteFloat, NonNegativeInt, field_validator, model_validator

from recmerge_bench.identity import Identity, Row
from recmerge_bench.names import repeated, wrong_domains
from recmerge_bench.planning.references import checked_numbers
from recmerge_bench.typed import Value
from recmerge_bench.untrusted.paths import figure_flaw, suite_flaw


def listed_once(what: str, names: Sequence[Hashable]) -> None:
    """Nothing is listed twice.

    Raises:
        ValueError: something is.
    """
    for later, _ in repeated(names):
        raise ValueError(f"{what} have {names[later]!r} twice")


class Figure(Value):
    """A figure that the suite declares (`recmerge_bench.planning.suite.Figure`)."""

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
    tracks: list[str]
    methods: list[str]
    option: str
    backbones: list[str] = Field(default_factory=list)
    protocols: list[str] = Field(default_factory=list)

    def shows(self, identity: Identity) -> bool:
        """Whether the figure is of such a row."""
        asked = (
            (self.tracks, identity.track),
            (self.methods, identity.method),
            (self.backbones, identity.backbone),
            (self.protocols, identity.protocol),
        )
        return all(not names or name in names for names, name in asked)


class Protocol(Value):
    """What a protocol's card says of it.

    Attributes:
        summary: one line.
        split: options of the split.
        negatives: sampled items that a target is ranked among; None: all of its domain.
        candidate_seed: that they are drawn with.
        mask_history: whether items of the history are taken out; None in records before it was
            noted here.
        shuffle_seed: of the random order in which test histories are read; None: the true one.
        phases: of a protocol that has any: ``count``, ``warm`` and ``after``
            (`recmerge_bench.api.Phases`).
    """

    summary: str
    split: dict[str, Any]
    negatives: NonNegativeInt | None
    candidate_seed: int | None
    mask_history: bool | None = None
    shuffle_seed: NonNegativeInt | None = None
    phases: dict[Literal["count", "warm", "after"], NonNegativeInt] | None = None


class RowChoice(Value):
    """A row of a track, one on each backbone; what is None fits any."""

    method: str
    backbone: str | None = None
    variant: str | None = None
    recipe: str | None = None
    profile: str | None = None

    def fits(self, row: Row) -> bool:
        """Whether a row is such."""
        return all(getattr(self, part) in (None, value) for part, value in row._asdict().items())

    @property
    def words(self) -> str:
        """The row as a person reads it."""
        parts = (self.variant, self.recipe and f"{self.recipe} recipe", self.profile)
        more = "; ".join(filter(None, parts))
        return f"{self.method} ({more})" if more else self.method


class Baseline(RowChoice):
    """The row that a track's others are compared with."""


class Gate(Value):
    """Counting rows that a track's trained models have to beat (`recmerge_bench.results.gates`).

    Attributes:
        models: the trained models.
        rows: the counting rows.
    """

    models: RowChoice
    rows: list[RowChoice] = Field(min_length=1)


class PaperTest(Value):
    """The test behind a paper's stars (`recmerge_bench.planning.references.PaperTest`)."""

    name: str
    levels: list[FiniteFloat]


class PaperMethod(Value):
    """Which of our rows a paper's method is; what is None or empty fits any.

    Without a method the paper's has no counterpart of ours. `source` is its number's, where a
    table has several.
    """

    method: str | None
    variant: str | None
    recipes: list[str]
    role: Literal["baseline", "proposed", "reference"]
    backbone: str | None = None
    source: str = ""


class Paper(Value):
    """A paper's numbers that a track is set beside (`recmerge_bench.planning.references`)."""

    reference: str
    title: str
    source: str
    setting: str
    seeds: int
    protocol: str
    differs: list[str]
    notes: list[str]
    test: PaperTest | None
    backbones: dict[str, list[str]]
    methods: dict[str, PaperMethod]
    numbers: list[str]
    within: FiniteFloat | None = Field(default=None, gt=0, lt=1)

    @model_validator(mode="after")
    def _numbers_are_numbers(self) -> Paper:
        checked_numbers(self.numbers, self.methods)
        return self


class Track(Value):
    """What the header says of a track.

    `temporal` is where a phase's model starts, in tracks of that kind
    (`recmerge_bench.planning.suite.Track.phase_models`); the columns of their tables are phases.
    """

    dataset: str
    domains: list[str]
    protocols: list[str]
    source: list[str]
    temporal: Literal["first", "previous"] | None = None
    experts: list[str] = Field(default_factory=list)
    isolated: bool = False
    notes: list[str] = Field(default_factory=list)
    reference: str | None = None
    profile: str | None = None
    baseline: Baseline | None = None
    gate: Gate | None = None
    paper: Paper | None = None

    @model_validator(mode="after")
    def _names_are_apart(self) -> Track:
        for names in (self.domains, self.experts):
            if flaw := wrong_domains(names):
                raise ValueError(flaw)
        listed_once("protocols", self.protocols)
        return self


class Audit(Value):
    """What a split leaks: see `recmerge_bench.results.audits`."""

    dataset: str
    timed: bool
    instances: int
    later_own: FiniteFloat | None
    later_other: FiniteFloat | None
    later_same_user: FiniteFloat | None
    later_events: FiniteFloat | None
    same_events: int
    shared_keys: int
    seen_targets: FiniteFloat
    equal_times: FiniteFloat | None = None
    items: dict[str, list[int]]

    @field_validator("items")
    @classmethod
    def _are_spans(cls, value: dict[str, list[int]]) -> dict[str, list[int]]:
        for domain, span in value.items():
            if len(span) != 2 or not 0 <= span[0] <= span[1]:
                raise ValueError(f"'{domain}' has no first item and one past the last")
        return value


class Encoder(Value):
    """What a text encoder was trained on, and what of each dataset that covers."""

    trained_on: str
    source: str
    overlap: dict[str, str]


class Size(Value):
    """What a dataset holds."""

    dataset: str
    users: int
    events: int
    items: dict[str, int]


class GroupFact(Value):
    """What the test targets of a group have in common, and how many there are."""

    about: str
    instances: NonNegativeInt


class Superseded(Value):
    """That another board has replaced this one, and why.

    Attributes:
        by: the suite whose board did.
        why: a short reason; may be empty.
    """

    by: str
    why: str = ""

    @field_validator("by")
    @classmethod
    def _names_files(cls, value: str) -> str:
        if flaw := suite_flaw(value):
            raise ValueError(flaw)
        return value


class ListMetric(Value):
    """A metric of the first items of rankings: its name, and what it is in a line."""

    name: str
    summary: str


class Header(Value):
    """What a board says before its tables.

    Attributes:
        title: one line.
        label: what kind of board it is.
        metrics: the first is the primary one.
        seeds: of the suite.
        order: of the tracks.
        tracks: by name.
        command: that ran the suite.
        audits: by key of a split.
        pretraining: by name of a text encoder.
        datasets: by fingerprint of their events.
        protocols: by name; those whose plugin was not there are absent.
        figures: by name.
        groups: beginnings of the names of groups of test targets that are reported.
        group_facts: key of a split -> name of a group -> what it is.
        superseded: where another board has replaced this one, which is in the archive then.
        list_metrics: those of the first items of rankings.
    """

    title: str
    label: Literal["smoke", "converged", "paper"]
    metrics: list[str] = Field(min_length=1)
    seeds: list[int]
    order: list[str]
    tracks: dict[str, Track]
    command: str
    audits: dict[str, Audit]
    pretraining: dict[str, Encoder]
    datasets: dict[str, Size] = Field(default_factory=dict)
    protocols: dict[str, Protocol] = Field(default_factory=dict)
    figures: dict[str, Figure] = Field(default_factory=dict)
    groups: list[str] = Field(default_factory=list)
    group_facts: dict[str, dict[str, GroupFact]] = Field(default_factory=dict)
    superseded: Superseded | None = None
    list_metrics: list[ListMetric] = Field(default_factory=list)

    @property
    def primary(self) -> str:
        """The metric that boards order by."""
        return self.metrics[0]

    @property
    def names_of_lists(self) -> list[str]:
        """Names of the metrics of lists."""
        return [metric.name for metric in self.list_metrics]

    @model_validator(mode="after")
    def _names_fit(self) -> Header:
        if sorted(self.order) != sorted(self.tracks):
            raise ValueError("order and tracks do not name the same tracks")
        listed_once("metrics", [*self.metrics, *self.names_of_lists])
        listed_once("seeds", self.seeds)
        for name in self.figures:
            if flaw := figure_flaw(name):
                raise ValueError(flaw)
        return self
