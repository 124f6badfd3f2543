"""The configuration of a result: everything that a suite and its defaults say of how it came about.

A row's label is chosen freely; its configuration is what was computed. Manifests and records
carry it in full, with the SHA-256 of its canonical JSON, so that figures, comparisons and readers
never parse labels, and so that `recmerge-bench rerun` can make the row again. It is in no cell's
key: keys are made of the cells' own configurations.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, JsonValue, SerializerFunctionWrapHandler, model_serializer

from recmerge_bench.planning.keys import digest
from recmerge_bench.typed import Part

#: Options by name, as JSON: of a plugin of any version, or of a training.
Settings = dict[str, JsonValue]


class Named(Part):
    """A plugin's method, data or protocol, with all its options, defaults filled in."""

    name: str
    options: Settings


class Method(Named):
    """What the row is of.

    Attributes:
        kind: ``strategy``, or that of a model that is a row by itself.
    """

    kind: Literal["strategy", "cdsr", "backbone", "counting"]


class OtherBase(Part):
    """Other data that the shared base is trained on.

    Attributes:
        dataset: whose domains.
        domains: trained on jointly.
        options: of the backbone while the base is trained.
    """

    dataset: Named
    domains: list[str]
    options: Settings


class TrainedWith(Part):
    """Options of every training behind a row, complete (`TrainOptions`).

    Attributes:
        base: of the shared base; None where there is none or its weights are pre-trained ones.
        experts: by domain.
        joint: of the joint model.
        own: of the model that is the row itself (for a single-target one: of each domain's).
        merge: ``select``, by which a merge that reads labels is tuned (`TrainOptions.select`).
        hybrids: of the models of two domains together; absent where there are none.
    """

    base: Settings | None = None
    experts: dict[str, Settings] = Field(default_factory=dict)
    joint: Settings | None = None
    own: Settings | None = None
    merge: Settings | None = None
    hybrids: Settings | None = None

    @model_serializer(mode="wrap")
    def _without_what_is_not_there(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = handler(self)
        if values.get("hybrids") is None:
            values.pop("hybrids", None)
        return values


class Trial(Part):
    """A setting that a search tried.

    Attributes:
        options: that it set, of the method or backbone.
        training: that it set, of the training.
        value: on validation targets; higher is better.
    """

    options: Settings = Field(default_factory=dict)
    training: Settings = Field(default_factory=dict)
    value: float


class Search(Part):
    """What a search (``tune:``) tried, see `recmerge_bench.planning.searches`.

    Attributes:
        sampler: see `recmerge_bench.planning.tune.TuneUse`.
        drawn_with: what drew the settings, and its version.
        seed: of the drawing and of the trials' trainings.
        select: ``METRIC@PROTOCOL``: what trials were judged by.
        judged: for backbones: the method of the row whose models were judged; else empty.
        space: ``options`` and ``training``: what was searched, as the suite says it.
        trials: all of them, in order.
        chosen: number of the chosen one, from 0: the first of the best.
    """

    sampler: str
    drawn_with: str
    seed: int
    select: str
    judged: str = ""
    space: dict[str, Settings]
    trials: list[Trial]
    chosen: int = Field(ge=0)


class Budget(Part):
    """What was tried before settings were fixed, see `recmerge_bench.planning.tuning`.

    Attributes:
        tried: what was varied, a line.
        data: what the tries were judged on.
        dataset: whose data.
        domains: whose.
        times: how many settings were tried, the chosen one included.
        search: the trials, where the suite searched itself; else there is no such entry.
    """

    tried: str
    data: Literal["none", "pseudo-users", "training-data", "validation-labels"]
    dataset: str
    domains: list[str]
    times: int = Field(ge=0)
    search: Search | None = None

    @model_serializer(mode="wrap")
    def _without_what_is_not_there(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = handler(self)
        if values.get("search") is None:
            values.pop("search", None)
        return values


class Tuned(Part):
    """Tuning budgets; None: the suite declares none.

    Attributes:
        row: of the method's own settings.
        backbone: of the settings of the backbone, which concern all rows on it.
    """

    row: Budget | None
    backbone: Budget | None = None


#: Fields of a configuration that most have not.
SELDOM = ("metrics", "executor", "phase_models")


class Configuration(Part):
    """How a row was made, its seed apart.

    Attributes:
        method: with its options.
        backbone: that the strategy ran on.
        encoder: of item text, where the model reads it.
        dataset: of the targets.
        domains: scored.
        experts: whose models are merged, or trained jointly.
        source: unscored domains that the base was trained on.
        base: other data that it was trained on.
        training: of everything behind the row.
        protocol: with its options.
        profile: whose settings were used; they are in the options above.
        recipe: as the suite calls it.
        threads: CPU threads of every cell.
        tuning: what was tried before.
        metrics: by the suite's name of it, those that take options; absent where none does.
        executor: that the suite declares; absent where it declares none, or where the run was told
            another. What was run where says each cell's record.
        phase_models: of a track of kind ``temporal``: `Track.phase_models`; else absent. `experts`
            of `training` then have one entry for all phases, under the domain's name.
    """

    method: Method
    backbone: Named | None
    encoder: Named | None
    dataset: Named
    domains: list[str]
    experts: list[str]
    source: list[str]
    base: OtherBase | None
    training: TrainedWith
    protocol: Named
    profile: str
    recipe: str
    threads: int
    tuning: Tuned
    metrics: dict[str, Named] = Field(default_factory=dict)
    executor: Named | None = None
    phase_models: Literal["first", "previous"] | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """Plain JSON values; what is absent in most configurations only where it is there."""
        plain = self.model_dump(mode="json")
        return {k: v for k, v in plain.items() if v or k not in SELDOM}

    def recorded(self) -> dict[str, JsonValue]:
        """The entries that it was read with and no others: what its hash in records is of."""
        return self.model_dump(exclude_unset=True)


def hash_of(configuration: object) -> str:
    """SHA-256 of the canonical JSON (sorted keys, no blanks), 64 hex digits."""
    return digest(configuration)


def configured(configuration: Configuration | None) -> dict[str, JsonValue]:
    """The entries of a result, as JSON values."""
    if configuration is None:
        return {"configuration": None, "configuration_sha256": ""}
    plain = configuration.to_json()
    return {"configuration": plain, "configuration_sha256": hash_of(plain)}
