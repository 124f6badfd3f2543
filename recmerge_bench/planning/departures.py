"""How the rows beside a paper's table are made otherwise than the paper's were.

Read from the rows' configurations, against the one that the table's file declares; nobody has to
think of it when a suite is written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from recmerge_bench.planning.cells import Plan, Result
from recmerge_bench.planning.configuration import Configuration, Named
from recmerge_bench.planning.options import complete, training_options
from recmerge_bench.planning.references import (
    OurRow,
    PaperConfiguration,
    Reference,
    Setup,
    load_reference,
)
from recmerge_bench.planning.suite import Track
from recmerge_bench.registry import Registry
from recmerge_bench.specs import ModelSpec, Profile

#: Options of a training that change nothing of what it gives.
SILENT = ("save_every", "report_every")

#: Rows that a line names.
_FEW = 4


class Departure(NamedTuple):
    """Something that a row is made otherwise with than the paper's.

    Attributes:
        group: ``training``, ``dataset option``, ...; may be empty.
        name: of the setting.
        ours: the row's, None where it has none.
        paper: what the paper's table declares.
    """

    group: str
    name: str
    ours: object
    paper: object

    @property
    def text(self) -> str:
        """As a line has it."""
        return f"{self.name} {self.ours} (the paper's: {self.paper})"


def note_departures(plan: Plan, name: str, track: Track, registry: Registry) -> None:
    """Put what the configurations of a planned track's rows depart in into the plan's header.

    It stands before what the suite adds by hand.
    """
    use = track.paper
    if use is None:
        return
    carried = plan.header["tracks"][name]["paper"]
    reference, _ = load_reference(use.table, registry, name)
    rows = [
        r
        for r in plan.results
        if (r.identity["track"], r.identity["protocol"]) == (name, carried["protocol"])
        and r.identity["profile"] == track.profile  # others are not beside the paper's
    ]
    differs = carried["differs"]
    known, added = (
        differs[: len(differs) - len(use.differs)],
        differs[len(differs) - len(use.differs) :],
    )
    carried["differs"] = [*known, *departures(reference, use.setting, rows, registry), *added]


def departures(
    reference: Reference, setting: str, rows: Sequence[Result], registry: Registry
) -> list[str]:
    """A line for each set of rows that depart in the same settings, with ours and the paper's.

    Args:
        reference: the paper's table.
        setting: which of its settings.
        rows: all rows of the table, any number of seeds.
        registry: for defaults of options.
    """
    if reference.configuration is None:
        return ["what the paper's rows were made with is not declared, so nothing was compared"]
    compared = _Compared(reference.configuration, reference, setting, registry)
    labels_by_departure: dict[Departure, dict[str, None]] = defaultdict(dict)
    names: dict[str, None] = {}
    for row in rows:
        theirs = _method(reference, row)
        if row.configuration is None or theirs is None:
            continue
        label = _label(row)
        names[label] = None
        for one in compared.row(row.configuration, theirs):
            written = one._replace(ours=_text(one.ours), paper=_text(one.paper))
            labels_by_departure[written][label] = None
    groups: dict[tuple[str, ...], list[Departure]] = defaultdict(list)
    for one, labels in labels_by_departure.items():
        groups[tuple(labels)].append(one)
    return [_line(labels, some, list(names)) for labels, some in groups.items()]


class _Compared:
    """Rows against what a paper's table declares for one of its settings."""

    def __init__(
        self,
        declared: PaperConfiguration,
        reference: Reference,
        setting: str,
        registry: Registry,
    ) -> None:
        self.declared, self.reference, self.setting = declared, reference, setting
        self.registry = registry
        self.here = declared.settings.get(setting)

    def row(self, ours: Configuration, method: str) -> Iterator[Departure]:
        """Everything that one row is made otherwise with."""
        yield from self._data(ours)
        whole = self.declared.methods.get(method)
        parts: list[Setup | None] = [whole]
        if whole is not None:
            parts += [whole.settings.get(self.setting), whole.recipes.get(ours.recipe)]
        given = [p for p in parts if p is not None]
        options = {k: v for p in given for k, v in p.options.items()}
        yield from self._options("option", ours.method.kind, ours.method, options)
        if ours.backbone is not None:
            own = self.reference.methods[method].backbone
            known = [own] if own else list(self.reference.backbones.values())
            if ours.backbone.name in known:
                declared = {k: v for p in given for k, v in p.backbone_options.items()}
                yield from self._options("backbone option", "backbone", ours.backbone, declared)
            else:
                yield Departure("", "backbone", ours.backbone.name, ", ".join(known))
        training = {**self.declared.training, **(self.here.training if self.here else {})}
        for part in given:
            training |= part.training
        yield from self._trainings(ours, training)

    def _data(self, ours: Configuration) -> Iterator[Departure]:
        declared = self.declared.dataset
        if ours.dataset.name != declared.name:
            yield Departure("", "dataset", ours.dataset.name, declared.name)
        else:
            options = {**declared.options, **(self.here.dataset_options if self.here else {})}
            yield from self._options("dataset option", "dataset", ours.dataset, options)
        experts = self.declared.experts
        if self.here is not None and self.here.experts:
            experts = self.here.experts
        if experts and set(ours.experts) != {*experts, *self._target(ours)}:
            wanted = sorted({*experts, *self._target(ours)})
            yield Departure("", "experts", ours.experts, wanted)
        if ours.base is not None:
            yield Departure("base", "data", ours.base.dataset.name, "none")
        if ours.source:
            yield Departure("source", "domains", ours.source, "none")

    def _target(self, ours: Configuration) -> tuple[str, ...]:
        """The scored domains, where they are merged as the paper's setting says."""
        return tuple(ours.domains) if self.here is not None and self.here.target else ()

    def _options(
        self, group: str, kind: str, ours: Named, declared: Mapping[str, object]
    ) -> Iterator[Departure]:
        """Against the plugin's own options under the paper's profile and what is declared."""
        spec = self.registry.specs.get((kind, ours.name))
        if spec is None:
            return
        profiles = spec.profiles if isinstance(spec, ModelSpec) else {}
        preset = profiles.get(self.reference.profile) or Profile()
        wanted = complete(spec, {**preset.options, **declared}, "the paper's table")
        for name, value in wanted.values.items():
            if ours.options.get(name) != value:
                yield Departure(group, name, ours.options.get(name), value)

    def _trainings(
        self, ours: Configuration, declared: Mapping[str, object]
    ) -> Iterator[Departure]:
        trained = ours.training
        target = self.here.target if self.here is not None else {}
        yield from _training("training", trained.own, declared)
        yield from _training("joint training", trained.joint, declared)
        yield from _training("hybrids' training", trained.hybrids, declared)
        for domain, own in trained.experts.items():
            more = target if domain in ours.domains else {}
            yield from _training("training", own, {**declared, **more})


def _training(
    group: str, ours: Mapping[str, object] | None, declared: Mapping[str, object]
) -> Iterator[Departure]:
    """All options but the silent ones; what is not declared has its default."""
    if ours is None:
        return
    wanted = training_options(declared, "the paper's table").to_json()
    for name, value in wanted.items():
        if name not in SILENT and ours.get(name) != value:
            yield Departure(group, name, ours.get(name), value)


def _method(reference: Reference, row: Result) -> str | None:
    """Which of the paper's methods a row is, if any."""
    return next((name for name, ours in reference.methods.items() if _fits(ours, row)), None)


def _fits(ours: OurRow, row: Result) -> bool:
    identity = row.identity
    return (
        identity["method"] == ours.method
        and ours.backbone in (None, identity["backbone"])
        and ours.variant in (None, identity["variant"])
        and (not ours.recipes or identity["recipe"] in ours.recipes)
    )


def _label(row: Result) -> str:
    parts = [row.identity[k] for k in ("backbone", "method", "variant", "recipe")]
    return " ".join(filter(None, parts))


def _line(labels: Sequence[str], some: Sequence[Departure], of: Sequence[str]) -> str:
    groups: dict[str, list[str]] = defaultdict(list)
    for one in some:
        groups[one.group].append(one.text)
    sentence = "; ".join(f"{group} {', '.join(ones)}".strip() for group, ones in groups.items())
    return f"{_whose(labels, of)}{sentence}"


def _whose(labels: Sequence[str], of: Sequence[str]) -> str:
    """Which rows, as short as can be: all, all but a few, the few, or the first few."""
    others = [label for label in of if label not in labels]
    if not others:
        return ""
    if len(others) < len(labels) and len(others) <= _FEW:
        return f"all rows but {', '.join(others)}: "
    if len(labels) <= _FEW + 1:
        return f"{', '.join(labels)}: "
    return f"{', '.join(labels[:_FEW])} and {len(labels) - _FEW} more rows: "


def _text(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_text, value)) or "none"
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value in (None, "") else str(value)
