"""The schema of records files, and how files of older schemas are brought to the present one.

Imported when a file is read: pydantic takes a while to load.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    FiniteFloat,
    ValidationError,
    field_validator,
    model_validator,
)

from recmerge_bench.errors import DataError
from recmerge_bench.names import MEAN, repeated, wrong_domains
from recmerge_bench.planning.configuration import Configuration, hash_of
from recmerge_bench.results import declared
from recmerge_bench.results.comparison_schema import Compared, NamedRow, judged
from recmerge_bench.untrusted.paths import figure_flaw, suite_flaw

SCHEMA = 3


def _audited(old: dict[str, Any]) -> dict[str, Any]:
    """From 1 to 2: records have audits, of which nothing is known; costs have more numbers."""
    header, results = old.get("header"), old.get("results")
    if isinstance(header, Mapping):
        return {**old, "header": {"audits": {}, "pretraining": {}, **header}}
    if not isinstance(results, list):
        return old
    new = {"parameters": None, "joules": None}
    return {**old, "results": [{**new, **r} if isinstance(r, Mapping) else r for r in results]}


def _configured(old: dict[str, Any]) -> dict[str, Any]:
    """From 2 to 3: results have a configuration, which is not recorded."""
    results = old.get("results")
    if not isinstance(old.get("header"), Mapping) or not isinstance(results, list):
        return old
    new = {"configuration": None, "configuration_sha256": ""}
    return {**old, "results": [{**new, **r} if isinstance(r, Mapping) else r for r in results]}


#: schema -> what turns records of that schema into those of the next one. Raising `SCHEMA` means
#: adding an entry here (and one file of the old schema to the tests).
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {
    1: _audited,
    2: lambda old: judged(_configured(old)),
}


class _Part(BaseModel):
    """Wrong types are errors; keys that later versions add are let through."""

    model_config = ConfigDict(strict=True, extra="allow")


def _once(what: str, names: Sequence[Hashable]) -> None:
    """Nothing is listed twice.

    Raises:
        ValueError: something is.
    """
    for later, _ in repeated(names):
        raise ValueError(f"{what} have {names[later]!r} twice")


class Identity(_Part):
    """What tells a result from the others of its suite."""

    dataset: str
    backbone: str
    method: str
    recipe: str
    profile: str
    variant: str
    track: str
    protocol: str
    seed: int | None


class Paper(_Part):
    """A paper's numbers that a track is set beside (`recmerge_bench.planning.references`)."""

    reference: str
    title: str
    source: str
    setting: str
    seeds: int
    protocol: str
    differs: list[str]
    notes: list[str]
    test: dict[str, Any] | None
    backbones: dict[str, list[str]]
    methods: dict[str, dict[str, Any]]
    numbers: list[str]

    @model_validator(mode="after")
    def _numbers_are_numbers(self) -> Paper:
        from recmerge_bench.planning.references import checked_numbers

        checked_numbers(self.numbers, self.methods)
        return self


class Track(_Part):
    """What the header says of a track."""

    dataset: str
    domains: list[str]
    protocols: list[str]
    source: list[str]
    experts: list[str] = []
    isolated: bool = False
    notes: list[str] = []
    reference: str | None = None
    profile: str | None = None
    baseline: dict[str, str | None] | None = None
    paper: Paper | None = None

    @model_validator(mode="after")
    def _names_are_apart(self) -> Track:
        for names in (self.domains, self.experts):
            if said := wrong_domains(names):
                raise ValueError(said)
        _once("protocols", self.protocols)
        return self


class Audit(_Part):
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
    items: dict[str, list[int]]

    @field_validator("items")
    @classmethod
    def _are_spans(cls, value: dict[str, list[int]]) -> dict[str, list[int]]:
        for domain, span in value.items():
            if len(span) != 2 or not 0 <= span[0] <= span[1]:
                raise ValueError(f"'{domain}' has no first item and one past the last")
        return value


class Encoder(_Part):
    """What a text encoder was trained on, and what of each dataset that covers."""

    trained_on: str
    source: str
    overlap: dict[str, str]


class Size(_Part):
    """What a dataset holds."""

    dataset: str
    users: int
    events: int
    items: dict[str, int]


class Header(_Part):
    """What a board says before its tables."""

    title: str
    label: Literal["smoke", "converged", "paper"]
    metrics: list[str] = Field(min_length=1)
    seeds: list[int]
    order: list[str]
    tracks: dict[str, Track]
    command: str
    audits: dict[str, Audit]
    pretraining: dict[str, Encoder]
    datasets: dict[str, Size] = {}
    protocols: dict[str, dict[str, Any]] = {}
    figures: dict[str, dict[str, Any]] = {}
    groups: list[str] = []
    group_facts: dict[str, dict[str, Any]] = {}

    @model_validator(mode="after")
    def _order_names_tracks(self) -> Header:
        if sorted(self.order) != sorted(self.tracks):
            raise ValueError("order and tracks do not name the same tracks")
        _once("metrics", self.metrics)
        _once("seeds", self.seeds)
        for name, about in self.figures.items():
            if flaw := figure_flaw(name):
                raise ValueError(flaw)
            declared.Figure.model_validate(about)
        for said in self.protocols.values():
            declared.Protocol.model_validate(said)
        return self


class Merge(_Part):
    """What the merges behind a result read, and whether the kernel kept all else from them."""

    tier: str
    read: list[str]
    opened: int
    enforced: bool | None = None


class Submission(_Part):
    """Where a row came from that the board's own run did not make."""

    bundle: str
    contact: str
    note: str
    split: str
    flags: list[str]


class Result(_Part):
    """One result: done with its numbers, or not with its reason.

    Its configuration is None where it is not recorded: in files before schema 3, and in rows
    whose plugins were not there.
    """

    key: str
    identity: Identity
    domains: list[str]
    status: str
    reason: str = ""
    mend: str = ""
    metrics: dict[str, dict[str, FiniteFloat]] = {}
    instances: dict[str, int] = {}
    candidates: str = ""
    mask_history: bool = False
    data: str = ""
    split: str = ""
    groups: dict[str, dict[str, FiniteFloat]] = {}
    probes: dict[str, dict[str, Any]] = {}
    libraries: dict[str, str] = {}
    plugins: dict[str, str] = {}
    merge: Merge | None = None
    encoders: list[str] = []
    submitted: Submission | None = None
    configuration: Configuration | None = None
    configuration_sha256: str = ""

    @model_validator(mode="after")
    def _both_or_neither(self) -> Result:
        if (self.configuration is None) != (self.configuration_sha256 == ""):
            raise ValueError("a configuration and its SHA-256 stand together or not at all")
        return self

    @model_validator(mode="after")
    def _done_has_numbers(self) -> Result:
        lacking = {"metrics", "instances", "candidates", "mask_history"} - self.model_fields_set
        if self.status == "done" and lacking:
            raise ValueError(f"it is done and lacks {', '.join(sorted(lacking))}")
        if said := wrong_domains(self.domains):
            raise ValueError(said)
        if strange := sorted(set(self.metrics) - {*self.domains, MEAN}):
            raise ValueError(f"it has metrics of {strange[0]}, which is none of its domains")
        return self


class RankedRow(NamedRow):
    """A row's mean rank over the domains; in no group where there is no verdict about it."""

    mean_rank: FiniteFloat
    lower: FiniteFloat
    upper: FiniteFloat
    groups: list[int]


class Across(_Part):
    """Mean ranks of one table."""

    track: str
    protocol: str
    metric: str
    domains: int
    said: str | None
    critical_difference: FiniteFloat | None = None
    left_out: int
    no_groups: list[str] = []
    rows: Annotated[list[RankedRow], FailFast()]


class OfSuite(_Part):
    """Of a suite, whose name its files have."""

    @field_validator("suite", check_fields=False)
    @classmethod
    def _names_files(cls, value: str) -> str:
        if flaw := suite_flaw(value):
            raise ValueError(flaw)
        return value


class Records(OfSuite):
    """``<suite>.json``."""

    suite: str
    header: Header
    results: Annotated[list[Result], FailFast()]
    comparisons: Annotated[list[Compared], FailFast()] = []
    across: Annotated[list[Across], FailFast()] = []


class Cost(_Part):
    """What one result took."""

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


class Costs(OfSuite):
    """``<suite>.cost.json``."""

    suite: str
    results: Annotated[list[Cost], FailFast()]


def check_records(raw: Any, path: Path) -> dict[str, Any]:
    """Records of any known schema, checked and brought to the present schema.

    Raises:
        DataError: they are of an unknown schema or do not fit theirs; says where.
    """
    records = checked(Records, _migrated(raw, path), path, "no records of a suite")
    seen: dict[tuple[Any, ...], tuple[int, str]] = {}
    table: dict[tuple[str, str], list[str]] = {}
    for number, result in enumerate(records["results"]):
        identity = result["identity"]
        if identity["track"] not in records["header"]["tracks"]:
            raise DataError(
                f"results.{number}: the header has no track '{identity['track']}'", path
            )
        place = (identity["track"], identity["protocol"])
        if table.setdefault(place, result["domains"]) != result["domains"]:
            raise DataError(
                f"results.{number}: other domains ({', '.join(result['domains'])}) than the first "
                f"result of its table ({', '.join(table[place])})", path,
            )  # fmt: skip
        _check_configuration(result, number, path)
        _one_of_its_name(seen, number, result, path)
    check_seeds(records["results"], path)
    return records


def _one_of_its_name(
    seen: dict[tuple[Any, ...], tuple[int, str]], number: int, result: Mapping[str, Any], path: Path
) -> None:
    identity = result["identity"]
    name = tuple(identity[k] for k in Identity.model_fields)
    before, key = seen.setdefault(name, (number, result["key"]))
    if before == number:
        return
    places = f"results.{before} and results.{number}"
    about = (
        f"{identity['method']} ({identity['variant'] or 'no variant'}, track {identity['track']})"
    )
    if key == result["key"]:
        raise DataError(f"{places} are one result, {about}, listed twice", path)
    raise DataError(
        f"{places} are different and both called {about}; give these rows of the suite variants "
        "of their own", path,
    )  # fmt: skip


def _check_configuration(result: Mapping[str, Any], number: int, path: Path) -> None:
    """A configuration is the one that its hash says."""
    told, who = result.get("configuration"), result["identity"]
    if told is None:
        return
    backbone = told["backbone"]
    said = {
        "method": told["method"]["name"], "backbone": backbone["name"] if backbone else "",
        "dataset": told["dataset"]["name"], "protocol": told["protocol"]["name"],
        "profile": told["profile"], "recipe": told["recipe"],
    }  # fmt: skip
    for field, value in said.items():
        if who[field] != value:
            raise DataError(
                f"results.{number}: its identity says {field} '{who[field]}', its configuration "
                f"'{value}'; build the records again",
                path,
            )
    if result["status"] == "done" and told["domains"] != result["domains"]:
        raise DataError(f"results.{number}: its configuration is of other domains", path)
    if hash_of(told) != result["configuration_sha256"]:
        raise DataError(
            f"results.{number}: configuration_sha256 is not that of the configuration beside it; "
            "restore the file or build it again",
            path,
        )


def check_seeds(results: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Seeds of one row are made alike: their mean is of one method.

    Raises:
        DataError: a row has seeds of different configurations.
    """
    seen: dict[tuple[Any, ...], tuple[int, str]] = {}
    for number, result in enumerate(results):
        told = result.get("configuration_sha256", "")
        if not told:
            continue
        identity = result["identity"]
        row = tuple(v for k, v in sorted(identity.items()) if k != "seed")
        before, other = seen.setdefault(row, (number, told))
        if other != told:
            raise DataError(
                f"results.{before} and results.{number} are seeds of one row, "
                f"'{identity['method']}', and were made with different configurations: run all "
                "its seeds alike, or give the rows variants of their own",
                path,
            )


def check_costs(raw: Any, path: Path) -> dict[str, Any]:
    """The same for a cost file."""
    costs = checked(Costs, _migrated(raw, path), path, "no costs of a suite")
    seen: dict[tuple[Any, ...], tuple[int, str]] = {}
    for number, entry in enumerate(costs["results"]):
        _one_of_its_name(seen, number, entry, path)
    return costs


def _migrated(raw: Any, path: Path) -> dict[str, Any]:
    if not isinstance(raw, Mapping) or "schema" not in raw:
        raise DataError("no records of a suite: lacks schema", path)
    records = dict(raw)
    schema = records["schema"]
    if not isinstance(schema, int) or not 1 <= schema <= SCHEMA:
        raise DataError(f"schema {schema!r} is unknown; this version reads 1 to {SCHEMA}", path)
    for version in range(schema, SCHEMA):
        records = {**MIGRATIONS[version](records), "schema": version + 1}
    return records


def checked(
    model: type[BaseModel], raw: Any, path: Path, what: str,
    mend: str = "restore the file or build it again",
) -> dict[str, Any]:  # fmt: skip
    """What was read, if it fits the model.

    Raises:
        DataError: it does not; says where and how to mend it.
    """
    if not isinstance(raw, dict):
        raise DataError(f"{what}: no JSON object; {mend}", path)
    try:
        model.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ascii(".".join(map(str, first["loc"])))[1:-1][:200]
        message = first["msg"].removeprefix("Value error, ")
        raise DataError(f"{what}: {place}: {message}; {mend}", path) from None
    return raw
