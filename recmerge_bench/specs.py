"""What a plugin says of itself: light, frozen facts, a type for each kind, checked when made.

Standard library alone: specs are made for every command.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, get_args

from recmerge_bench.deprecations import warn_deprecated
from recmerge_bench.errors import HandledError, near
from recmerge_bench.spec_parts import Check, Profile, check_mapping
from recmerge_bench.tiers import TIERS, Tier, TierName

Kind = Literal[
    "dataset",
    "encoder",
    "backbone",
    "cdsr",
    "counting",
    "strategy",
    "protocol",
    "metric",
    "executor",
]
KINDS: tuple[str, ...] = get_args(Kind)
#: Kinds whose names stand as rows' methods in suites: one name means one of them.
METHOD_KINDS: tuple[str, ...] = ("strategy", "cdsr", "backbone", "counting")

Fidelity = Literal["code-verified", "paper-equations", "reconstructed", "own"]
Input = Literal["base", "experts", "joint", "continued"]

#: Files whose frames stand between a spec and the line that makes it.
_OURS = (__file__, "<string>", dataclasses.__file__)
_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_TARGET = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


class _OfAnyKind(type):
    """Lets plugins of earlier versions stand: ``Spec(kind, name, ...)`` makes its kind's spec."""

    def __call__(cls, *args: Any, **values: Any) -> Any:
        """A spec; from the earlier form with a `DeprecationWarning` that names the present one."""
        kind = args[0] if args and cls is Spec else None
        if not isinstance(kind, str) or kind not in SPECS:
            return super().__call__(*args, **values)
        meant = SPECS["counting" if values.pop("counting", False) else kind]
        warn_deprecated(
            "Spec(kind, name, ...)",
            f"write {meant.__name__}(name, target, ...) for Spec({kind!r}, name, target, ...)",
        )
        return meant(*args[1:], **values)


@dataclass(frozen=True)
class Spec(metaclass=_OfAnyKind):
    """What the specs of all kinds say; plugins make those of their kind (`StrategySpec`, ...).

    A wrong value is refused when the spec is made: with a `HandledError` that says what is wrong.

    Attributes:
        kind: one of ``KINDS``, the class's.
        name: kebab-case, stable: it stands in suites, records and boards.
        target: ``"package.module:Class"``, a subclass of the kind's definition; imported only
            when a cell needs it.
        summary: one line.
        options: preset options, laid under those that a suite gives.
        requires: distributions a worker must be able to import for it (``transformers``).
        licence: of the method's code; for a dataset, of the data.
        citation: paper or source, one line.
        place: file and line that the spec was made at, for messages.
    """

    kind: ClassVar[Kind]
    #: What names look like, and how to say it.
    pattern: ClassVar[re.Pattern[str]] = _KEBAB
    called: ClassVar[str] = "lower-case letters and digits joined by hyphens, such as my-method"

    name: str
    target: str
    summary: str
    options: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    requires: tuple[str, ...] = field(default=(), kw_only=True)
    licence: str = field(default="MIT", kw_only=True)
    citation: str = field(default="", kw_only=True)
    place: str = field(default="", init=False, repr=False, compare=False)

    def __new__(cls, *args: Any, **values: Any) -> Spec:
        """Refuse specs of no kind, with the form that is meant."""
        if "kind" not in vars(cls):
            raise HandledError(_no_kind(args[0] if args else values.get("kind")))
        known = [f.name for f in dataclasses.fields(cls) if f.init]
        for name in values:
            if name not in known:
                raise HandledError(
                    f"{cls.__name__} has no field '{name}'{near(name, known)}; "
                    f"it has {', '.join(known)}"
                )
        _refuse_missing(cls, args, values)
        return super().__new__(cls)

    def __post_init__(self) -> None:
        """Check every field.

        Raises:
            HandledError: a value that the field does not take.
        """
        object.__setattr__(self, "place", _place())
        for each in dataclasses.fields(self):
            if each.type in ("str", "bool"):
                _check_type(self, each.name, {"str": str, "bool": bool}[str(each.type)])
        if not self.pattern.fullmatch(self.name):
            raise self.wrong("name", f"takes {self.called}")
        if not _TARGET.fullmatch(self.target):
            raise self.wrong("target", 'takes "package.module:Class"')
        if not self.summary or len(self.summary.splitlines()) != 1:
            raise self.wrong("summary", "takes one line")
        if not isinstance(self.requires, tuple) or not all(
            isinstance(r, str) and r for r in self.requires
        ):
            raise self.wrong("requires", "takes a tuple of distributions' names")
        check_mapping(self.options, f"{type(self).__name__} '{self.name}': options")

    def wrong(self, name: str, takes: str) -> HandledError:
        """The error of a field's value."""
        value = getattr(self, name)
        return HandledError(f"{type(self).__name__} {self.name!r}: {name} {takes}, not {value!r}")


@dataclass(frozen=True)
class DatasetSpec(Spec):
    """A dataset; the class is a `DatasetDefinition`. See `Spec`.

    Attributes:
        fetched_by_run: its raw files are small and of the package registry, so that `run` fetches
            them where they are missing; others wait for ``datasets prepare``.
    """

    kind: ClassVar[Kind] = "dataset"
    fetched_by_run: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class EncoderSpec(Spec):
    """A pre-trained encoder of item text; the class is a `TextEncoder`. See `Spec`."""

    kind: ClassVar[Kind] = "encoder"


@dataclass(frozen=True)
class ProtocolSpec(Spec):
    """An evaluation protocol; the class is a `ProtocolDefinition`. See `Spec`."""

    kind: ClassVar[Kind] = "protocol"


@dataclass(frozen=True)
class MetricSpec(Spec):
    """A metric, by its usual spelling (``NDCG``). See `Spec`.

    The class is a `MetricDefinition` (of ranks) or a `ListMetricDefinition` (of first items).
    """

    kind: ClassVar[Kind] = "metric"
    pattern: ClassVar[re.Pattern[str]] = re.compile(r"[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*")
    called: ClassVar[str] = "letters and digits joined by hyphens, such as NDCG"


@dataclass(frozen=True)
class ExecutorSpec(Spec):
    """Where jobs run; the class is an `ExecutorDefinition`. See `Spec`."""

    kind: ClassVar[Kind] = "executor"


@dataclass(frozen=True)
class MethodSpec(Spec):
    """What specs of methods (models and strategies) say besides. See `Spec`.

    Attributes:
        fidelity: how the implementation was checked: ``code-verified``, ``paper-equations``,
            ``reconstructed`` or ``own``.
        checks: what it was compared with, by which test, to which tolerance.
    """

    fidelity: Fidelity = field(default="own", kw_only=True)
    checks: tuple[Check, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        """See `Spec`."""
        super().__post_init__()
        _check_choice(self, "fidelity", get_args(Fidelity))
        if not isinstance(self.checks, tuple) or not all(isinstance(c, Check) for c in self.checks):
            raise self.wrong("checks", "takes a tuple of Check")


@dataclass(frozen=True)
class ModelSpec(MethodSpec):
    """What specs of trained or fitted models say besides. See `MethodSpec`.

    A model that another library has is named ``library:Model``, as the library spells it.

    Attributes:
        profiles: further presets by the name of a profile; a profile that is not named here
            changes nothing.
    """

    pattern: ClassVar[re.Pattern[str]] = re.compile(
        rf"({_KEBAB.pattern}:[A-Za-z0-9]+([-_][A-Za-z0-9]+)*|{_KEBAB.pattern})"
    )
    called: ClassVar[str] = f"{Spec.called}, or library:Model"

    profiles: Mapping[str, Profile] = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        """See `Spec`."""
        super().__post_init__()
        check_mapping(self.profiles, f"{type(self).__name__} '{self.name}': profiles")
        if not all(isinstance(p, Profile) for p in self.profiles.values()):
            raise self.wrong("profiles", "takes a Profile for each name")


@dataclass(frozen=True)
class BackboneSpec(ModelSpec):
    """A sequence model trained by gradient; the class is a `Backbone`. See `ModelSpec`."""

    kind: ClassVar[Kind] = "backbone"


@dataclass(frozen=True)
class CDSRSpec(ModelSpec):
    """A cross-domain model, trained on a track's domains; the class is a `Backbone`.

    Attributes (further ones: see `ModelSpec`):
        single_target: it predicts in one domain alone, so that one is trained, and selected on
            validation, for each domain (see `Backbone.build_for`).
    """

    kind: ClassVar[Kind] = "cdsr"
    single_target: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class CountingSpec(ModelSpec):
    """A recommender fitted in one pass over counts; the class is a `CountingModel`.

    Attributes (further ones: see `ModelSpec`):
        deterministic: the result depends on no seed: one cell serves all seeds.
    """

    kind: ClassVar[Kind] = "counting"
    deterministic: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class StrategySpec(MethodSpec):
    """How several models become one; the class is a `StrategyDefinition`.

    Attributes (further ones: see `MethodSpec`):
        inputs: which trained models it takes. A merge takes ``("base", "experts")``; what is
            passed through is one of ``base``, ``experts``, ``joint`` and, in tracks of kind
            ``temporal`` alone, ``continued``: the model that was trained on one phase after the
            other.
        passthrough: nothing is merged, the input is evaluated as it is.
        mean_score: where experts are passed through, that the mean of all their scores is ranked
            for each domain, not the scores of its own expert.
        tier: data tier, ``T0`` (weights only) to ``T4`` (labels).
    """

    kind: ClassVar[Kind] = "strategy"
    inputs: tuple[Input, ...] = field(kw_only=True)
    passthrough: bool = field(default=False, kw_only=True)
    mean_score: bool = field(default=False, kw_only=True)
    tier: TierName = field(default="T0", kw_only=True)

    @property
    def data_tier(self) -> Tier:
        """What `tier` means: what a merge reads and is handed."""
        return TIERS[self.tier]

    def __post_init__(self) -> None:
        """See `Spec`."""
        super().__post_init__()
        _check_choice(self, "tier", get_args(TierName))
        known = get_args(Input)
        if not isinstance(self.inputs, tuple) or not all(i in known for i in self.inputs):
            raise self.wrong("inputs", f"takes a tuple of {', '.join(known)}")
        if self.passthrough and len(self.inputs) != 1:
            raise self.wrong("inputs", f"of what is passed through is one of {', '.join(known)}")
        if self.mean_score and not (self.passthrough and self.inputs == ("experts",)):
            raise self.wrong("mean_score", "is of experts that are passed through")
        if not self.passthrough and sorted(self.inputs) != ["base", "experts"]:
            raise self.wrong("inputs", 'of a merge are ("base", "experts")')


#: Kind -> the class of its specs.
SPECS: dict[str, type[Spec]] = {
    cls.kind: cls
    for cls in (
        DatasetSpec,
        EncoderSpec,
        BackboneSpec,
        CDSRSpec,
        CountingSpec,
        StrategySpec,
        ProtocolSpec,
        MetricSpec,
        ExecutorSpec,
    )
}


def _refuse_missing(cls: type[Spec], args: tuple[Any, ...], values: Mapping[str, Any]) -> None:
    """Refuse a spec that lacks a field without a default."""
    fields = [f for f in dataclasses.fields(cls) if f.init]
    given = {f.name for f in [f for f in fields if not f.kw_only][: len(args)]} | set(values)
    for each in fields:
        if each.name not in given and each.default is each.default_factory is dataclasses.MISSING:
            name = repr(args[0] if args else values.get("name", ""))
            how = ': inputs=("base", "experts") of a merge' if each.name == "inputs" else ""
            raise HandledError(f"{cls.__name__} {name} needs the field '{each.name}'{how}")


def _no_kind(kind: Any) -> str:
    hint = near(kind, KINDS) if isinstance(kind, str) else ""
    known = ", ".join(c.__name__ for c in SPECS.values())
    return f"there are no specs of kind {kind!r}{hint}; a spec is made as one of {known}"


def _check_type(spec: Spec, name: str, kind: type) -> None:
    if not isinstance(getattr(spec, name), kind):
        raise spec.wrong(name, "takes a text" if kind is str else "takes True or False")


def _check_choice(spec: Spec, name: str, known: tuple[str, ...]) -> None:
    if getattr(spec, name) not in known:
        raise spec.wrong(name, f"takes one of {', '.join(known)}")


def _place() -> str:
    """File and line that made a spec: the first frame that is not of this module."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename in _OURS:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


__all__ = [
    "KINDS",
    "METHOD_KINDS",
    "SPECS",
    "BackboneSpec",
    "CDSRSpec",
    "Check",
    "CountingSpec",
    "DatasetSpec",
    "EncoderSpec",
    "ExecutorSpec",
    "Fidelity",
    "Input",
    "Kind",
    "MethodSpec",
    "MetricSpec",
    "ModelSpec",
    "Profile",
    "ProtocolSpec",
    "Spec",
    "StrategySpec",
]
