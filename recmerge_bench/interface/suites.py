"""Suites as a caller gives them: by name, as a file, as keys, or read before."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from recmerge_bench.errors import HandledError
from recmerge_bench.interface.plugins import Plugins, registry_of
from recmerge_bench.planning.select import terms
from recmerge_bench.planning.suite import Row, Suite, Track
from recmerge_bench.planning.suite_files import load_suite as read_suite
from recmerge_bench.registry import Registry
from recmerge_bench.specs import METHOD_KINDS, CDSRSpec, CountingSpec, Spec, StrategySpec
from recmerge_bench.toolkit.merging.hybrids import mixes_domains

#: A suite's name, its YAML file, its keys, or what `load_suite` gave.
SuiteLike = str | Path | Mapping[str, Any] | Suite
#: Changes of a suite: dotted key -> value, or ``key=value`` texts as the command line takes them.
Changes = Mapping[str, Any] | Sequence[str]
#: One selector (``method=ties,seed=0``) or several, which add up.
Selectors = str | Sequence[str]


def load_suite(
    suite: SuiteLike = "quick",
    *,
    changes: Changes = (),
    seeds: Iterable[int] | None = None,
    plugins: Plugins = (),
) -> Suite:
    """Read and check a suite.

    Args:
        suite: name (`quick`), file (``mine.yaml``) or keys (``{"extends": "quick", ...}``).
        changes: laid over it, such as ``{"tracks.merging.training.steps": 50}``.
        seeds: replicates, in the place of the suite's and every track's.
        plugins: see `recmerge_bench.interface.plugins.registry_of`.

    Raises:
        HandledError: no such suite, not YAML, an unknown key, a value of a wrong type.
    """
    if isinstance(suite, Suite):
        if changes or seeds is not None:
            raise HandledError("a suite that was read is complete: give changes to load_suite")
        return suite
    given = dict(suite) if isinstance(suite, Mapping) else str(suite)
    replicates = None if seeds is None else list(seeds)
    return read_suite(given, registry_of(plugins), texts(changes), replicates)


def suite_name(given: str, registry: Registry) -> str:
    """The name of a suite that is given by its name or, as `run` takes it, by its file.

    Raises:
        HandledError: there is no such file, or no suite in it.
    """
    is_file = given.endswith((".yaml", ".yml"))
    return load_suite(given, plugins=registry).name if is_file else given


def texts(changes: Changes) -> tuple[str, ...]:
    """Changes as ``key=value`` texts, values as JSON (which is YAML)."""
    if isinstance(changes, Mapping):
        return tuple(f"{key}={_json(key, value)}" for key, value in changes.items())
    return (changes,) if isinstance(changes, str) else tuple(changes)


def _json(key: str, value: Any) -> str:
    try:
        return json.dumps(value)
    except (TypeError, ValueError) as error:
        raise HandledError(f"changes, {key}: {error}") from None


def selectors(only: Selectors) -> tuple[str, ...]:
    """Selectors as a tuple."""
    return (only,) if isinstance(only, str) else tuple(only)


def with_asked_rows(suite: Suite, registry: Registry, only: Selectors) -> Suite:
    """The suite with a row for each method that `only` names and no row has.

    Methods of plugins that were named with the call (``plugins``, ``-p``) alone: a strategy joins
    the tracks with backbones (isolated ones where its tier may), a counting model all tracks, a
    CDSR model those without backbones.
    """
    wanted = [name for name in _methods(only) if (spec := _named(registry, name)) is not None]
    tracks = dict(suite.tracks)
    for name in wanted:
        if any(row.method == name for track in suite.tracks.values() for row in track.rows):
            continue
        spec = _named(registry, name)
        for place, track in tracks.items():
            if spec is not None and _fits(spec, track):
                rows = (*track.rows, Row.model_validate({"method": name}))
                tracks[place] = track.model_copy(update={"rows": rows})
    return suite.model_copy(update={"tracks": tracks})


def _methods(only: Selectors) -> list[str]:
    """Names that selectors give for ``method``, without wildcards."""
    names_given = [
        p for s in selectors(only) for f, names in terms(s) if f == "method" for p in names
    ]
    return [name for name in dict.fromkeys(names_given) if "*" not in name]


def _named(registry: Registry, name: str) -> Spec | None:
    """The method of that name, if a plugin that was named with the call registers it."""
    spec = registry.find(METHOD_KINDS, name)
    if spec is None or registry.plugin_of(spec).name not in registry.named:
        return None
    return spec


def _fits(spec: Spec, track: Track) -> bool:
    if isinstance(spec, StrategySpec):
        mixed = spec.data_tier.reads_users or mixes_domains(spec)
        admitted = not track.isolated or spec.passthrough or not mixed
        return bool(track.backbones) and admitted
    if isinstance(spec, CDSRSpec):
        return not track.backbones
    return isinstance(spec, CountingSpec)
