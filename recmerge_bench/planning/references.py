"""Papers' tables that boards are set beside: ``paper/<name>.yaml`` and ``.csv`` by suite files.

The CSV holds the printed numbers, the YAML what they are and which of our rows each method is.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field, ValidationError

from recmerge_bench.errors import DataError, HandledError, near
from recmerge_bench.planning.faults import in_words
from recmerge_bench.planning.suite import Model, PaperUse, Track
from recmerge_bench.registry import Registry, only_file
from recmerge_bench.yaml_text import read_yaml


class Number(NamedTuple):
    """A number of a paper as a records' header carries it; texts as printed.

    Attributes:
        table: of the paper.
        backbone: as the paper calls it; may be empty.
        method: likewise.
        domain: of the track, or one of `SEVERAL`.
        metric: such as ``NDCG@10``.
        unit: one of `UNITS`.
        value: the number.
        std: its deviation; empty where none is printed.
        stars: how many.
    """

    table: str
    backbone: str
    method: str
    domain: str
    metric: str
    unit: str
    value: str
    std: str
    stars: str


#: Columns of every file of numbers.
COLUMNS = (
    "paper", "table", "setting", "backbone", "method", "domain", "metric", "unit", "value", "std",
    "stars", "source",
)  # fmt: skip
#: What is carried into the records' header, a line a number.
CARRIED = Number._fields
#: Bytes of a file of numbers.
LARGEST = 16 << 20
#: ``value``: the metric itself; ``share``: per cent of the domain's own expert's.
UNITS = ("value", "share")
#: Domains that stand for several: the mean of a table, and the sum over them.
SEVERAL = ("average", "sum")


class OurRow(Model):
    """Which of our rows a paper's method is; what is not given fits any.

    Attributes:
        method: by name; without one the paper's has no counterpart of ours.
        backbone: that the row is on, where the paper's method is a model by itself.
        variant: of the row.
        recipes: any of these.
        role: ``proposed``: the paper's own, which its stars are about; ``baseline``: what it is
            tested against; ``reference``: neither (the own-domain expert).
    """

    method: str | None = None
    backbone: str | None = None
    variant: str | None = None
    recipes: tuple[str, ...] = ()
    role: Literal["baseline", "proposed", "reference"] = "baseline"


class PaperTest(Model):
    """The test behind a table's stars.

    Attributes:
        name: of `recmerge_bench.statistics.published`.
        levels: largest p of one star, of two, ...
    """

    name: str
    levels: tuple[float, ...]


class Setup(Model):
    """What a paper's row is made with, laid over what is declared before it.

    Attributes:
        options: of the method.
        backbone_options: of the backbone that the row is of, where it is of one.
        training: see `TrainOptions`.
    """

    options: dict[str, Any] = Field(default_factory=dict)
    backbone_options: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)


class MethodSetup(Setup):
    """The same of a method.

    Attributes:
        settings: in a setting of the table.
        recipes: of our rows of a recipe.
    """

    settings: dict[str, Setup] = Field(default_factory=dict)
    recipes: dict[str, Setup] = Field(default_factory=dict)


class SettingSetup(Model):
    """What a setting of the table changes.

    Attributes:
        dataset_options: laid over the dataset's.
        training: laid over the training.
        experts: whose models are merged, where they are not the table's.
        target: training of the scored domains' experts, which are merged too.
    """

    dataset_options: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)
    experts: tuple[str, ...] = ()
    target: dict[str, Any] = Field(default_factory=dict)


class PaperData(Model):
    """A dataset of ours with its options."""

    name: str
    options: dict[str, Any] = Field(default_factory=dict)


class PaperConfiguration(Model):
    """What the rows of a paper's table were made with, in the terms of our suites.

    What is not declared has our defaults under the table's profile; see `departures`.

    Attributes:
        dataset: by our name.
        experts: whose models are merged; not compared if empty.
        training: of every model.
        settings: by setting.
        methods: by the paper's name.
    """

    dataset: PaperData
    experts: tuple[str, ...] = ()
    training: dict[str, Any] = Field(default_factory=dict)
    settings: dict[str, SettingSetup] = Field(default_factory=dict)
    methods: dict[str, MethodSetup] = Field(default_factory=dict)


class Reference(Model):
    """A paper's table.

    Attributes:
        title: paper, venue and table.
        source: where it is published.
        seeds: how many its means are over; 0: not stated.
        protocol: ours that is the paper's.
        profile: of ours that is the paper's.
        average: what its domain ``average`` is: ``ratio of means`` or ``mean``.
        backbones: the paper's name -> ours.
        test: behind its stars, where it has any.
        notes: what is not alike even where protocol, profile and configuration are.
        methods: the paper's name -> our row.
        configuration: what its rows were made with; without it no table is a reproduction.
    """

    title: str
    source: str
    seeds: int
    protocol: str
    profile: str
    average: str = ""
    backbones: dict[str, str] = Field(default_factory=dict)
    test: PaperTest | None = None
    notes: tuple[str, ...] = ()
    methods: dict[str, OurRow]
    configuration: PaperConfiguration | None = None


def _reference_files(registry: Registry) -> dict[str, list[Path]]:
    """All YAML files of papers' tables by name, in the folders ``paper`` beside suite files."""
    paths_by_name: dict[str, list[Path]] = {}
    for path in dict.fromkeys(p.resolve() for p in registry.suite_paths):
        folder = (path if path.is_dir() else path.parent) / "paper"
        for file in sorted(folder.glob("*.yaml")):
            if file not in paths_by_name.setdefault(file.stem, []):
                paths_by_name[file.stem].append(file)
    return paths_by_name


def load_reference(
    name: str, registry: Registry, where: str
) -> tuple[Reference, list[dict[str, str]]]:
    """What a table is, and its numbers: a row of `COLUMNS` each.

    Raises:
        HandledError: no table of that name.
        DataError: one of its files is not as it has to be; says where.
    """
    known = _reference_files(registry)
    if name not in known:
        raise HandledError(
            f"{where}: no paper's table is named '{name}'{near(name, known)}; there are: "
            f"{', '.join(sorted(known)) or 'none'}"
        )
    path = only_file(known, name, "the paper's table")
    assert path is not None
    reference = _reference(path)
    return reference, _numbers(path.with_suffix(".csv"), reference)


def _reference(path: Path) -> Reference:
    try:
        return Reference.model_validate(read_yaml(path).value)
    except ValidationError as error:
        faults = error.errors()
        first = next((e for e in faults if e["type"] == "extra_forbidden"), faults[0])
        place, message = ".".join(map(str, first["loc"])), in_words(first)
        if first["type"] == "extra_forbidden":
            known = OurRow if first["loc"][0] == "methods" else Reference
            message = f"unknown key{near(str(first['loc'][-1]), known.model_fields)}"
        raise DataError(f"{place}: {message}", path) from None


def _numbers(path: Path, reference: Reference) -> list[dict[str, str]]:
    if not path.is_file():
        raise HandledError(f"{path}: the numbers of '{path.stem}' are missing")
    rows = []
    try:
        reader = csv.DictReader(io.StringIO(_text(path), newline=""), strict=True)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise DataError(f"the columns are {', '.join(COLUMNS)}", path, 1)
        for row in reader:
            _check(row, reference, path, reader.line_num)
            rows.append(row)
    except csv.Error as error:
        raise DataError(f"not readable as CSV ({error})", path) from None
    return rows


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
        if len(raw) > LARGEST:
            raise DataError(f"larger than {LARGEST >> 20} MiB: no paper's numbers", path)
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError("not UTF-8; save it as UTF-8", path, line) from None
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", path) from None


def _check(row: Mapping[str, Any], reference: Reference, path: Path, line: int) -> None:
    if None in row or None in row.values():
        raise DataError(f"a row has {len(COLUMNS)} fields", path, line)
    if row["method"] not in reference.methods:
        message = f"method '{row['method']}' is not in {path.stem}.yaml"
        raise DataError(message + near(row["method"], reference.methods), path, line, "method")
    if reference.backbones and row["backbone"] not in reference.backbones:
        message = f"backbone '{row['backbone']}' is not in {path.stem}.yaml"
        raise DataError(
            message + near(row["backbone"], reference.backbones), path, line, "backbone"
        )
    if row["unit"] not in UNITS:
        raise DataError(f"'{row['unit']}' is not {' or '.join(UNITS)}", path, line, "unit")
    for name in ("value", "std"):
        if (name == "value" or row[name]) and not _finite(row[name]):
            raise DataError(f"'{row[name]}' is no number", path, line, name)
    if not row["stars"].isdigit():
        raise DataError(f"'{row['stars']}' is no number of stars", path, line, "stars")


def _finite(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def carried(
    track: Track, metrics: tuple[str, ...], registry: Registry, where: str
) -> dict[str, Any]:
    """What the header of a suite carries of the paper's table that a track is set beside.

    Raises:
        HandledError: no such table, setting, protocol or backbone.
        DataError: a file of it is damaged.
    """
    use = track.paper
    assert use is not None
    reference, printed = load_reference(use.table, registry, where)
    of_setting = _of_setting(printed, use, where)
    protocol = use.protocol or reference.protocol
    if protocol not in track.protocols:
        raise HandledError(
            f"{where}: '{use.table}' is of protocol '{protocol}', which the track lacks"
            f"{near(protocol, track.protocols)}"
        )
    backbones = _backbones(track, reference, where)
    rows = _of_track(of_setting, track, metrics, {b for some in backbones.values() for b in some})
    if not rows:
        raise HandledError(f"{where}: '{use.table}' has no number of its domains and metrics")
    if use.within and not any((r["metric"], r["unit"]) == (metrics[0], "value") for r in rows):
        raise HandledError(f"{where}: paper.within needs numbers of {metrics[0]} in '{use.table}'")
    return {
        "reference": use.table, "title": reference.title, "source": reference.source,
        "setting": use.setting, "seeds": reference.seeds, "protocol": protocol,
        "average": reference.average, "units": list(use.units),
        "differs": [*_differences(track, reference, protocol), *use.differs],
        "notes": [*reference.notes, *use.notes],
        "test": reference.test.model_dump(mode="json") if reference.test else None,
        "backbones": {b: list(some) for b, some in backbones.items()},
        "methods": _methods(reference, rows),
        "numbers": as_carried(rows, use.setting),
        **({"within": use.within} if use.within else {}),
    }  # fmt: skip


def _methods(reference: Reference, rows: Sequence[Mapping[str, str]]) -> dict[str, dict[str, Any]]:
    """The paper's methods, each with our row, and its source where the table has several."""
    several = len({r["source"] for r in rows}) > 1
    methods = {}
    for name, ours in reference.methods.items():
        absent = {"backbone"} if ours.backbone is None else set()
        methods[name] = ours.model_dump(mode="json", exclude=absent)
        sources = dict.fromkeys(r["source"] for r in rows if r["method"] == name)
        if several and sources:
            methods[name]["source"] = "; ".join(sources)
    return methods


def _of_setting(rows: list[dict[str, str]], use: PaperUse, where: str) -> list[dict[str, str]]:
    """Rows of the setting that the track is set beside."""
    settings = list(dict.fromkeys(r["setting"] for r in rows))
    if use.setting not in settings:
        raise HandledError(
            f"{where}: '{use.table}' has no setting '{use.setting}'{near(use.setting, settings)}; "
            f"there are: {', '.join(settings)}"
        )
    return [r for r in rows if r["setting"] == use.setting]


def _of_track(
    rows: list[dict[str, str]], track: Track, metrics: tuple[str, ...], backbones: set[str]
) -> list[dict[str, str]]:
    """Those of the track's domains, metrics and units, and of the paper's backbones beside it.

    Numbers over several domains come along where those are the track's.
    """
    assert track.paper is not None
    domains = {r["domain"] for r in rows} - set(SEVERAL)
    wanted = {*track.domains, *(SEVERAL if domains == set(track.domains) else ())}
    allowed = {
        "domain": wanted, "metric": set(metrics), "unit": set(track.paper.units),
        "backbone": {"", *backbones},
    }  # fmt: skip
    return [r for r in rows if all(r[column] in values for column, values in allowed.items())]


def _differences(track: Track, reference: Reference, protocol: str) -> list[str]:
    """In what the track's configuration is another than the paper's."""
    differs = []
    if protocol != reference.protocol:
        differs.append(f"protocol {protocol}; the paper's is {reference.protocol}")
    if track.profile != reference.profile:
        differs.append(f"profile {track.profile or 'none'}; the paper's is {reference.profile}")
    return differs


def _backbones(track: Track, reference: Reference, where: str) -> dict[str, tuple[str, ...]]:
    """Backbone of the track -> those of the paper that stand beside it."""
    use = track.paper
    assert use is not None
    for ours, some in use.backbones.items():
        if ours not in track.backbones:
            message = f"paper.backbones: the track has no backbone '{ours}'"
            raise HandledError(f"{where}: {message}{near(ours, track.backbones)}")
        for name in some:
            if name not in reference.backbones:
                message = f"paper.backbones: '{use.table}' has no backbone '{name}'"
                raise HandledError(f"{where}: {message}{near(name, reference.backbones)}")
    theirs = {
        ours: (name,) for name, ours in reference.backbones.items() if ours in track.backbones
    }
    return {**theirs, **use.backbones}


def as_carried(rows: Sequence[Mapping[str, str]], setting: str) -> list[str]:
    """The numbers of a setting as a header carries them: a line of comma-separated text each."""
    return [_line([r[c] for c in CARRIED]) for r in rows if r["setting"] == setting]


def _line(fields: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(fields)
    return out.getvalue()[:-1]


def numbers(lines: Sequence[str]) -> list[Number]:
    """The numbers that a header carries, a line each (`as_carried`)."""
    return [Number(*row) for row in csv.reader(lines)]


def checked_numbers(lines: Sequence[str], methods: Mapping[str, Any]) -> None:
    """Whether the lines that a header carries are numbers of these methods.

    Raises:
        ValueError: one is not.
    """
    for row in csv.reader(lines):
        if len(row) != len(CARRIED):
            raise ValueError(f"a paper's number has {len(CARRIED)} fields: {','.join(row)[:80]}")
        one = Number(*row)
        whole = _finite(one.value) and (not one.std or _finite(one.std))
        if not whole or not one.stars.isdigit() or one.method not in methods:
            raise ValueError(f"not a paper's number: {','.join(row)[:80]}")
