"""What a suite's manifest, and with it the records, say of the suite."""

from __future__ import annotations

from typing import Any

from recmerge_bench.errors import HandledError, near
from recmerge_bench.planning.metrics import SuiteMetrics
from recmerge_bench.planning.references import carried
from recmerge_bench.planning.suite import Figure, Suite, Track
from recmerge_bench.registry import Registry


def header(suite: Suite, registry: Registry) -> dict[str, Any]:
    """The header: what boards say of the suite and of its tracks.

    Raises:
        HandledError: a figure, a metric or a paper's table that is not there.
    """
    metrics = SuiteMetrics.of(registry, suite.metrics, f"suite '{suite.name}': ")
    return {
        "title": suite.title,
        "label": suite.label,
        "metrics": [use.name for use in metrics.ranks],
        **({"list_metrics": _summaries(metrics)} if metrics.lists else {}),
        "seeds": list(suite.seeds),
        "tracks": {name: _track(suite, name, registry, metrics) for name in suite.tracks},
        "order": list(suite.tracks),
        **({"figures": _figures(suite)} if suite.figures else {}),
        **({"groups": list(suite.groups)} if suite.groups else {}),
    }


def _summaries(metrics: SuiteMetrics) -> list[dict[str, str]]:
    return [{"name": use.name, "summary": use.spec.summary} for use in metrics.lists]


def _track(suite: Suite, name: str, registry: Registry, metrics: SuiteMetrics) -> dict[str, Any]:
    track = suite.tracks[name]
    facts: dict[str, Any] = {
        "dataset": track.dataset,
        "domains": list(track.domains),
        "source": _source(track),
        "protocols": list(track.protocols),
        "profile": track.profile,
        "reference": track.reference,
    }
    if track.kind == "temporal":
        facts["temporal"] = track.phase_models
    if track.experts:
        facts["experts"] = list(track.experts)
    if track.isolated:
        facts["isolated"] = True
    if track.notes:
        facts["notes"] = list(track.notes)
    if track.baseline:
        facts["baseline"] = track.baseline.model_dump()
    if track.gate:
        facts["gate"] = track.gate.model_dump(mode="json")
    if track.paper:
        where = f"suite '{suite.name}', track '{name}'"
        facts["paper"] = carried(track, tuple(use.name for use in metrics.ranks), registry, where)
    return facts


def _figures(suite: Suite) -> dict[str, Any]:
    """The suite's figures; every track that they name is there.

    Raises:
        HandledError: one is not.
    """
    for name, figure in suite.figures.items():
        for track in figure.tracks:
            if track not in suite.tracks:
                raise HandledError(
                    f"suite '{suite.name}', figure '{name}': no track is named '{track}'"
                    f"{near(track, suite.tracks)}"
                )
    return {name: _figure(figure) for name, figure in suite.figures.items()}


def _figure(figure: Figure) -> dict[str, Any]:
    """All but what chooses every backbone and protocol, which older records do not have."""
    values = figure.model_dump(mode="json")
    return {k: v for k, v in values.items() if v or k not in ("backbones", "protocols")}


def _source(track: Track) -> list[str]:
    """What the base is trained on, for the board."""
    if track.base is not None:
        return [f"{track.base.dataset} ({', '.join(track.base.domains)})"]
    return list(track.source)
