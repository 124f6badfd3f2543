"""Adds cells to a plan: names resolved to specs, keys made of everything that a result needs."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from recmerge_bench.borders.datasets import sources_of
from recmerge_bench.digests import file_digest
from recmerge_bench.errors import Blocked, HandledError
from recmerge_bench.json_values import plain_object
from recmerge_bench.options import CompleteOptions
from recmerge_bench.planning.cells import Cell, Plan
from recmerge_bench.planning.configuration import Named
from recmerge_bench.planning.keys import digest
from recmerge_bench.planning.options import complete
from recmerge_bench.planning.sources import PYTHON, Sources
from recmerge_bench.planning.stages import STAGES
from recmerge_bench.planning.suite import Suite
from recmerge_bench.registry import Registry
from recmerge_bench.specs import Spec

#: Why something cannot run here, and the remedy.
Reason = tuple[str, str] | None


@dataclass(frozen=True)
class PluginUse:
    """A plugin as a track uses it.

    Attributes:
        name: by which the suite names it.
        given: options that the suite gives.
        spec: None where the plugin is not there and the suite expects that.
        options: all of them; None where there is no spec.
        reason: why it cannot be used here.
    """

    name: str
    given: Mapping[str, object]
    spec: Spec | None
    options: CompleteOptions | None
    reason: Reason

    @property
    def named(self) -> Named:
        """As a configuration has it."""
        options = plain_object(self.given) if self.options is None else self.options.values
        return Named(name=self.name, options=options)


class CellMaker:
    """What the cells of one track have in common.

    Args:
        plan: where cells go.
        suite: for threads, the deadline and names that may be absent.
        where: what errors begin with.
        registry: the plugins.
        data_root: folder of raw data.
        sources: of stages and plugins; one for the whole plan, no file changes while it is made.
    """

    def __init__(
        self,
        plan: Plan,
        suite: Suite,
        where: str,
        registry: Registry,
        data_root: Path | None,
        sources: Sources,
    ) -> None:
        self.plan, self.suite, self.where = plan, suite, where
        self.registry, self.data_root = registry, data_root
        self.sources, self.absent = sources, functools.cache(absent)

    def find(self, kinds: tuple[str, ...], name: str) -> tuple[Spec | None, Reason]:
        """The spec, or why there is none: an error unless the suite expects the absence."""
        try:
            spec = self.registry.find(kinds, name)
        except HandledError as error:
            raise HandledError(f"{self.where}: {error}") from None
        if spec is not None:
            return spec, self.absent(spec.name, spec.requires)
        if name in self.suite.expects:
            what = kinds[0] if len(kinds) == 1 else "method"
            return None, (f"no plugin registers the {what} '{name}'", self.suite.expects[name])
        known = [n for kind in kinds for n in self.registry.names(kind)]
        what = f"the {' or '.join(kinds)} "
        raise self.registry.unknown(name, known, what, f"{self.where}: ")

    def use(self, kind: str, name: str, given: Mapping[str, object] | None = None) -> PluginUse:
        """A plugin with its options, made and checked here, once for all that is planned with it.

        Raises:
            HandledError: no such plugin that the suite would not expect to be absent; an unknown
                option or a value of a wrong type.
        """
        own = given or {}
        spec, reason = self.find((kind,), name)
        options = None if spec is None else complete(spec, own, self.where)
        return PluginUse(name, own, spec, options, reason)

    def files(self, definition: Any) -> tuple[list[tuple[str, str]], Reason]:
        """Name and digest of each raw file of a definition, or why they are not there."""
        try:
            paths = sources_of(definition, self.data_root)
            self.plan.raw |= {str(f) for f in paths}
            return sorted((f.name, file_digest(f)) for f in paths), None
        except Blocked as missing:
            return [], (missing.reason, missing.remedy)

    def cell(
        self,
        kind: str,
        label: str,
        identity: Mapping[str, object],
        config: Mapping[str, object],
        inputs: Mapping[str, str],
        modules: tuple[str, ...] = (),
        seed: int | None = None,
        reason: Reason = None,
        cost: float = 1.0,
        waits: bool = False,
    ) -> str:
        """Add a cell whose key is made of `identity`, its sources, inputs, seed and threads.

        Options in both are values; `config` holds them until another process is handed it.
        """
        reason = reason or next(
            (self.plan.cells[k].blocked for k in inputs.values() if self.plan.cells[k].blocked),
            None,
        )
        sources = self.sources.digest((STAGES[kind], *modules))
        content = {
            "kind": kind,
            "sources": sources,
            "identity": identity,
            "inputs": dict(inputs),
            "seed": seed,
            "threads": self.suite.threads,
        }
        job = {
            "config": config,
            "plugins": self._versions(modules),
            # a syntax tree is one Python's: beside the key, for when two machines' keys differ
            "sources": {"digest": sources, "python": PYTHON},
        }
        return self.plan.add(
            Cell(
                key=digest(content),
                kind=kind,
                label=label,
                inputs=dict(inputs),
                job=job,
                threads=self.suite.threads,
                timeout=self.suite.timeout,
                seed=seed,
                blocked=reason,
                waits=waits,
                cost=cost,
            )
        )

    def _versions(self, modules: tuple[str, ...]) -> dict[str, str]:
        """Versions of the plugins behind these modules, for the record."""
        return {
            p.module: f"{p.origin} {p.version}".strip()
            for p in self.registry.plugins
            if p.module in modules
        }


def absent(who: str, requires: tuple[str, ...]) -> Reason:
    """A distribution that the worker of the spec `who` needs and that is not installed."""
    for name in requires:
        try:
            distribution(name)
        except PackageNotFoundError:
            remedy = f"pip install -c constraints.txt {name}, or as `recmerge-bench doctor` says"
            return f"'{who}' needs the package {name}", remedy
    return None


def module(spec: Spec) -> str:
    """The module of a spec's class."""
    return spec.target.partition(":")[0]
