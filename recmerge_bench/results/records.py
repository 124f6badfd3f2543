"""Records with their types: ``<suite>.json`` and ``<suite>.cost.json``.

Every key of the files is an attribute here; all behind it may trust what the types say. Imported
when a file is read or made: pydantic takes a while to load.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import FailFast, Field, FiniteFloat, NonNegativeInt, field_validator, model_validator

from recmerge_bench import schema_numbers
from recmerge_bench.identity import Identity
from recmerge_bench.names import MEAN, wrong_domains
from recmerge_bench.planning.configuration import Configuration
from recmerge_bench.results.card_values import Cards, Training
from recmerge_bench.results.compared import Across, Compared
from recmerge_bench.results.header import Header
from recmerge_bench.results.migrations import migrated
from recmerge_bench.results.whole import check_configurations, check_named_once, check_tables
from recmerge_bench.typed import Value, checked
from recmerge_bench.untrusted.paths import suite_flaw

if TYPE_CHECKING:
    import pandas

#: Status of a result that has its numbers.
DONE = "done"
#: Fields that a result which is done has.
NUMBERS = frozenset({"metrics", "instances", "candidates", "mask_history"})
#: Means of metrics, seconds and joules lie below: what axes show and sums hold.
LARGEST = 1e15


class Merge(Value):
    """What the merges behind a result read, and whether the kernel kept all else from them.

    `weights` are those that merges of phases learned, a merge each in the order of time: phase ->
    mean over its groups of parameters.
    """

    tier: str
    read: list[str]
    opened: int
    enforced: bool | None = None
    weights: list[dict[str, FiniteFloat]] = Field(default_factory=list)


class Origin(Value):
    """Where a row came from that the board's own run did not make.

    Attributes:
        bundle: name of the bundle that it was submitted in, or SHA-256 of what was imported.
        contact: whom to ask.
        note: whoever added it said.
        split: of its own run.
        flags: what is hard to believe of it.
        external: form of the file whose scores were ranked, made by other software
            (`recmerge_bench.submissions.run_files`); empty of what our own software made.
    """

    bundle: str
    contact: str
    note: str
    split: str
    flags: list[str]
    external: str = ""


class Probe(Value):
    """What a model told of itself at test: mean and spread over users; None without users."""

    users: NonNegativeInt
    mean: FiniteFloat | None
    std: FiniteFloat | None

    @model_validator(mode="after")
    def _users_have_values(self) -> Probe:
        if self.users and (self.mean is None or self.std is None):
            raise ValueError("it is of users and has no mean or no spread")
        return self


class Result(Value):
    """One result: done with its numbers, or not with its reason.

    Attributes:
        key: of its ranks: their cell's, or made of it where their items leave out the history's
            (`recmerge_bench.planning.keys.ranks_key`).
        identity: what tells it from the others.
        domains: scored.
        status: ``done``, or why not.
        reason: why it is not done.
        mend: how to fix that.
        metrics: domain, or ``mean`` over the domains -> metric -> value.
        list_metrics: the same of metrics of the first items of the rankings, which no ranks give;
            absent where the suite names none, or its candidates are sampled.
        lists_missing: metric of the first items -> why this result has no value of it; absent
            where all have theirs.
        instances: domain -> test targets; domains without any are absent.
        candidates: hash of the candidate sets, or ``full``.
        mask_history: whether items of the history are taken out of the ranking.
        shuffle_seed: of the random order in which test histories were read; None: the true one.
        data: fingerprint of the events.
        split: key of the split.
        groups: group of test targets -> domain, or ``mean`` -> the primary metric.
        probes: domain -> name -> what the model told of itself.
        libraries: behind it, with versions.
        plugins: likewise.
        merge: what merges read, where anything is merged.
        encoders: of item text.
        submitted: where it came from that the board's own run did not make.
        trained: keys of the trainings behind it, see `Records.trainings`.
        configuration: None where it is not recorded: in files before schema 3, and in rows whose
            plugins were not there.
        configuration_sha256: of its canonical JSON; empty where it is not recorded.
    """

    key: str
    identity: Identity
    domains: list[str]
    status: str
    reason: str = ""
    mend: str = ""
    metrics: dict[str, dict[str, FiniteFloat]] = Field(default_factory=dict)
    list_metrics: dict[str, dict[str, FiniteFloat]] = Field(default_factory=dict)
    lists_missing: dict[str, str] = Field(default_factory=dict)
    instances: dict[str, NonNegativeInt] = Field(default_factory=dict)
    candidates: str = ""
    mask_history: bool = False
    shuffle_seed: NonNegativeInt | None = None
    data: str = ""
    split: str = ""
    groups: dict[str, dict[str, FiniteFloat]] = Field(default_factory=dict)
    probes: dict[str, dict[str, Probe]] = Field(default_factory=dict)
    libraries: dict[str, str] = Field(default_factory=dict)
    plugins: dict[str, str] = Field(default_factory=dict)
    merge: Merge | None = None
    encoders: list[str] = Field(default_factory=list)
    submitted: Origin | None = None
    trained: list[str] = Field(default_factory=list)
    configuration: Configuration | None = None
    configuration_sha256: str = ""

    @property
    def done(self) -> bool:
        """Whether it has its numbers."""
        return self.status == DONE

    @model_validator(mode="after")
    def _both_or_neither(self) -> Result:
        if (self.configuration is None) != (self.configuration_sha256 == ""):
            raise ValueError("a configuration and its SHA-256 stand together or not at all")
        return self

    @model_validator(mode="after")
    def _done_has_numbers(self) -> Result:
        if self.done and (lacking := NUMBERS - self.model_fields_set):
            raise ValueError(f"it is done and lacks {', '.join(sorted(lacking))}")
        if flaw := wrong_domains(self.domains):
            raise ValueError(flaw)
        if strange := sorted({*self.metrics, *self.list_metrics}.difference(self.domains, {MEAN})):
            raise ValueError(f"it has metrics of {strange[0]}, which is none of its domains")
        if self.done and MEAN not in self.metrics:
            raise ValueError(f"it is done and has no {MEAN} over its domains")
        return self

    @field_validator("metrics", "list_metrics", "groups")
    @classmethod
    def _in_range(cls, value: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
        for domain, values in value.items():
            if not values or max(map(abs, values.values())) <= LARGEST:
                continue
            name = next(name for name, number in values.items() if abs(number) > LARGEST)
            raise ValueError(f"{name} of '{domain}' is beyond {LARGEST:g}")
        return value


class OfSuite(Value):
    """Of a suite, whose name its files have."""

    suite: str

    @field_validator("suite")
    @classmethod
    def _names_files(cls, value: str) -> str:
        if flaw := suite_flaw(value):
            raise ValueError(flaw)
        return value


class Records(OfSuite):
    """``<suite>.json``.

    Attributes:
        schema_: of the file.
        suite: its name.
        header: what a board says before its tables.
        results: done or not, in the order of the suite.
        comparisons: of rows with the baseline of their track.
        across: mean ranks over domains.
        cards: what else the ranks say.
        trainings: key of a training's cell -> what it reports; absent in records before it was
            kept.
    """

    schema_: int = Field(alias="schema")
    header: Header
    results: Annotated[list[Result], FailFast()]
    comparisons: Annotated[list[Compared], FailFast()] = Field(default_factory=list)
    across: Annotated[list[Across], FailFast()] = Field(default_factory=list)
    cards: Cards = Field(default_factory=Cards)
    trainings: dict[str, Training] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _every_metric_everywhere(self) -> Records:
        wanted = set(self.header.metrics)
        for number, result in enumerate(self.results):
            for domain, values in result.metrics.items():
                if lacking := wanted - values.keys():
                    raise ValueError(f"results.{number} has no {min(lacking)} of '{domain}'")
        return self

    @model_validator(mode="after")
    def _list_metrics_are_known(self) -> Records:
        known = set(self.header.names_of_lists)
        for number, result in enumerate(self.results):
            if not result.lists_missing and not result.list_metrics:
                continue
            named = set(result.lists_missing).union(*result.list_metrics.values())
            if strange := sorted(named - known):
                raise ValueError(f"results.{number} has {strange[0]}, which the header lacks")
        return self

    def to_pandas(self) -> pandas.DataFrame:
        """A row for each result and domain, and for the mean over the domains (``mean``).

        Columns: ``suite``, the identity, ``domain``, ``status``, ``reason``, ``instances``, each
        metric of the header, those of lists too, ``key``, ``configuration_sha256``, and the
        configuration, a column for each value: ``configuration.method.options.density``.

        Raises:
            HandledError: pandas is not installed; says how to install it.
        """
        from recmerge_bench.frames import frame
        from recmerge_bench.results.long_rows import long_rows

        return frame(long_rows(self))


class Cost(Value):
    """What one result took.

    Attributes:
        key: of the result.
        identity: of the result.
        seconds: by cell, ``kind:label``; by kind for the settings that a search tried,
            ``search:kind``.
        peak_memory: bytes.
        parameters: numbers in the weight files; None where they are not known.
        joules: None where the machine does not report them.
        started: seconds since 1970.
    """

    key: str
    identity: Identity
    seconds: dict[str, FiniteFloat]
    peak_memory: int
    parameters: int | None
    joules: FiniteFloat | None
    started: FiniteFloat = 0.0
    device: str = ""
    recmerge_bench: str = ""
    python: str = ""
    commit: str = ""
    dirty: bool = False
    machine: str = ""
    processor: str = ""
    cores: int | None = None
    system: str = ""

    @model_validator(mode="after")
    def _in_range(self) -> Cost:
        for name, amount in {**self.seconds, "joules": self.joules or 0.0}.items():
            if not 0 <= amount <= LARGEST:
                raise ValueError(f"{name}: {amount:g} is no amount of seconds or joules")
        return self


class Costs(OfSuite):
    """``<suite>.cost.json``."""

    schema_: int = Field(alias="schema")
    results: Annotated[list[Cost], FailFast()]


def check_records(raw: object, path: Path) -> Records:
    """Records of any known schema, checked and brought to the present schema.

    Raises:
        DataError: they are of an unknown schema or do not fit theirs; says where.
    """
    records = checked(Records, migrated(raw, path), path, "no records of a suite")
    check_tables(records, path)
    check_configurations(records.results, path)
    check_named_once(records.results, path)
    return records


def check_costs(raw: object, path: Path) -> Costs:
    """The same for a cost file."""
    costs = checked(Costs, migrated(raw, path, schema_numbers.COSTS), path, "no costs of a suite")
    check_named_once(costs.results, path)
    return costs
