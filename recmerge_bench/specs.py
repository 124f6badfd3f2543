"""What a plugin says of itself: light, frozen facts, from the standard library alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Kind = Literal[
    "dataset", "encoder", "backbone", "cdsr", "strategy", "protocol", "metric", "executor"
]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True)
class Profile:
    """A method's settings under a name that suites' tracks and rows use (``family``, ``cpu``).

    Attributes:
        options: of the method, laid over its defaults and under those that a suite gives.
        training: of its trainings, laid over the track's and under the row's.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Spec:
    """One method, dataset, protocol, metric or executor, described without importing it.

    Attributes:
        kind: one of ``KINDS``.
        name: kebab-case, stable: it stands in suites, records and boards.
        target: ``"package.module:Class"``, a subclass of the kind's definition; imported only
            when a cell needs it.
        summary: one line.
        options: preset options, laid under those that a suite gives.
        profiles: further presets by the name of a profile; a profile that is not named here
            changes nothing.
        inputs: strategies only: which trained models it takes, among ``base``, ``experts``,
            ``joint``.
        passthrough: strategies only: nothing is merged, the inputs are evaluated as they are.
        tier: strategies only: data tier, ``T0`` (weights only) to ``T4`` (labels).
        counting: the model is fitted in one pass over counts, without gradient training.
        single_target: CDSR models only: it predicts in one domain alone, so that one is trained,
            and selected on validation, for each domain (see `Backbone.target`).
        deterministic: the result depends on no seed: one cell serves all seeds.
        fidelity: how the implementation was checked: ``code-verified``, ``paper-equations``,
            ``reconstructed`` or ``own``.
        requires: distributions a worker must be able to import for it (``transformers``).
        licence: of the method's code; for a dataset, of the data.
        citation: paper or source, one line.
    """

    kind: Kind
    name: str
    target: str
    summary: str
    options: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    passthrough: bool = False
    tier: str = "T0"
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    counting: bool = False
    single_target: bool = False
    deterministic: bool = False
    fidelity: str = "own"
    requires: tuple[str, ...] = ()
    licence: str = "MIT"
    citation: str = ""
