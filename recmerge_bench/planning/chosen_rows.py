"""Rows that a track names for a purpose, its baseline and its gate's: each is one row of it."""

from __future__ import annotations

from recmerge_bench.errors import HandledError, near
from recmerge_bench.names import repeated
from recmerge_bench.planning.names import variant_of
from recmerge_bench.planning.suite import GateUse, Row, RowChoice, Track
from recmerge_bench.registry import Registry
from recmerge_bench.specs import METHOD_KINDS, CountingSpec


def check_chosen_rows(track: Track, registry: Registry, where: str) -> None:
    """Refuse a baseline or a gate that names no row of the track, or several.

    Args:
        track: whose rows.
        registry: tells which rows count.
        where: what errors begin with.

    Raises:
        HandledError: one does; a gate's row is no counting recommender, or its models are one.
    """
    if track.baseline is not None:
        only_row(track, track.baseline, "its baseline", where)
    if track.gate is not None:
        _check_gate(track, track.gate, registry, where)


def _check_gate(track: Track, gate: GateUse, registry: Registry, where: str) -> None:
    only_row(track, gate.models, "the models of its gate", where)
    if _counts(gate.models, registry):
        raise HandledError(
            f"{where}: gate.models '{gate.models.method}' is a counting recommender; name the "
            "trained models that have to beat one"
        )
    for later, _ in repeated(gate.rows):
        raise HandledError(f"{where}: gate.rows has '{gate.rows[later].method}' twice")
    for row in gate.rows:
        only_row(track, row, "a row of its gate", where)
        known = registry.find(METHOD_KINDS, row.method) is not None
        if known and not _counts(row, registry):
            raise HandledError(
                f"{where}: gate.rows has '{row.method}', which is no counting recommender"
            )


def _counts(choice: RowChoice, registry: Registry) -> bool:
    return isinstance(registry.find(METHOD_KINDS, choice.method), CountingSpec)


def only_row(track: Track, choice: RowChoice, purpose: str, where: str) -> Row:
    """The row of a track that a choice names (one on each backbone of the board).

    Args:
        track: whose rows.
        choice: what is said of it.
        purpose: what the row is chosen as, for the error.
        where: what errors begin with.

    Raises:
        HandledError: no row fits, or several do.
    """
    fitting = [row for row in track.rows if _fits(track, choice, row)]
    if len(fitting) != 1:
        asked = ", ".join(f"{k}: {v}" for k, v in choice.model_dump(exclude_none=True).items())
        known = [row.method for row in track.rows]
        raise HandledError(
            f"{where}: {len(fitting)} rows are {purpose} ({asked}); it has to be one"
            f"{near(choice.method, known) if not fitting else ''}"
        )
    return fitting[0]


def _fits(track: Track, choice: RowChoice, row: Row) -> bool:
    profile = track.profile if row.profile is None else row.profile
    return (
        row.method == choice.method
        and choice.variant in (None, variant_of(row))
        and choice.recipe in (None, row.recipe)
        and choice.profile in (None, profile)
    )
