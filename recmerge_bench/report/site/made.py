"""What the rows of a method were made with, and what their settings were tried on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from recmerge_bench.report.boards.configurations import (
    UNRECORDED,
    backbone_tuned,
    options_text,
    trained_text,
    tuned_text,
)
from recmerge_bench.report.boards.table import Line, tables
from recmerge_bench.report.site.load import Suite


@dataclass(frozen=True)
class Made:
    """Rows with one configuration.

    Attributes:
        method: its name.
        label: as printed, with the backbone.
        suites: boards on which such a row is done.
        options: all of the method's, in a line.
        tuned: how many settings were tried for the row, on which data, and what was tried.
        models: the same for the models behind it; empty where nothing is recorded.
        digits: the first ones of the configuration's SHA-256.
    """

    method: str
    label: str
    suites: tuple[str, ...]
    options: str
    tuned: str
    models: str
    digits: str


def all_made(suites: Sequence[Suite]) -> list[Made]:
    """Of all rows that are done and whose configuration is recorded; equal ones together."""
    lines = list(_lines(suites))
    boards: dict[str, dict[str, None]] = {}
    for suite, line in lines:
        boards.setdefault(line.configuration_sha256, {})[suite.shown] = None
    firsts = {line.configuration_sha256: line for _, line in reversed(lines)}
    return [_made(firsts[key], tuple(names)) for key, names in boards.items()]


@dataclass(frozen=True)
class Trained:
    """Models of a backbone that were made in one way.

    Attributes:
        backbone: its name.
        text: its options, base and trainings in a line.
        tuned: how many settings were tried for that, on which data; empty where it is not recorded.
        suites: boards on which such models are.
    """

    backbone: str
    text: str
    tuned: str
    suites: tuple[str, ...]


def all_trained(suites: Sequence[Suite]) -> list[Trained]:
    """Of all rows that are done, equal trainings together."""
    boards: dict[tuple[str, str, str], dict[str, None]] = {}
    for suite, line in _lines(suites):
        if line.configuration and line.identity.backbone:
            text = trained_text(line.configuration)
            key = (line.identity.backbone, text, backbone_tuned(line).partition(": ")[2])
            boards.setdefault(key, {})[suite.shown] = None
    return [Trained(*key, tuple(names)) for key, names in boards.items()]


def _lines(suites: Sequence[Suite]) -> Iterator[tuple[Suite, Line]]:
    for suite in suites:
        for lines in tables(suite.records).values():
            yield from ((suite, one) for one in lines if one.values and one.configuration)


def _made(line: Line, suites: tuple[str, ...]) -> Made:
    configuration, (backbone, label) = line.configuration, line.name
    assert configuration is not None
    budget = configuration.tuning.row
    tried = f" ({budget.tried})" if budget and budget.tried else ""
    return Made(
        line.identity.method,
        label if backbone == "–" else f"{label}, {backbone}",
        suites,
        options_text(configuration.method.options) or "none",
        (tuned_text(line) or UNRECORDED) + tried,
        backbone_tuned(line),
        line.configuration_sha256[:12],
    )
