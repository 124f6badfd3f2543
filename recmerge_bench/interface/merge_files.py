"""Merges outside a suite, from files to files: streamed, with a record and a model card."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recmerge_bench.definitions import StrategyDefinition
from recmerge_bench.digests import file_digest
from recmerge_bench.errors import HandledError
from recmerge_bench.interface.guard import plugins_blamed
from recmerge_bench.interface.merges import (
    bar_of,
    check_seed,
    merging_spec,
    refuse_actions,
    strategy_of,
)
from recmerge_bench.interface.plugins import Plugins, registry_of
from recmerge_bench.interface.progress import Reporter
from recmerge_bench.planning.options import fits
from recmerge_bench.specs import StrategySpec

if TYPE_CHECKING:
    from recmerge_bench.merging.stream import Streamed

#: Scale -> file; the one scale None without a sweep.
Outs = dict[float | None, Path]
HELD = {
    "entry": "a few blocks at a time",
    "tensor": "a tensor of each at a time",
    "model": "all in memory: this method has to see them together",
}


@plugins_blamed()
def merge_files(
    method: str,
    *,
    base: str | Path,
    experts: Sequence[str | Path],
    out: str | Path,
    options: Mapping[str, Any] | None = None,
    policy: Mapping[str, str] | None = None,
    sweep: Sequence[float] | None = None,
    seed: int = 0,
    force: bool = False,
    plugins: Plugins = (),
    progress: bool | None = None,
) -> list[Path]:
    """Merge safetensors files of one architecture, streaming them from disk.

    Beside each merged file come ``.json``, a record of what was merged and how, and ``.md``, a
    model card.

    Args:
        method: a merge strategy of data tier T0 (weights alone).
        base: the experts' shared base.
        experts: at least one, each given once.
        out: the merged file.
        options: the strategy's.
        policy: as in `merge`.
        sweep: several scales in one pass; the name of `out` then holds ``{scale}``.
        seed: for strategies that draw.
        force: replace existing files.
        plugins: files or modules to load beside the installed plugins.
        progress: True shows it, False does not; None: on a terminal.

    Returns:
        the merged files.

    Raises:
        HandledError: as `merge`; a place that cannot be written to, or is taken.
        PluginError: an error out of the strategy's code.
    """
    from recmerge_bench.merging.outputs import refuse_equal, refuse_outs, refuse_twice, staged
    from recmerge_bench.merging.stream import Streamed

    registry, report = registry_of(plugins), Reporter(progress)
    given, paths = dict(options or {}), (Path(base), *map(Path, experts))
    registry.get("strategy", method)
    outs = _outs(Path(out), sweep, given)
    refuse_twice(paths[1:])
    refuse_outs(outs, paths, force)
    spec = merging_spec(registry, method, sweep is not None)
    given |= {} if sweep is None else {"scale": 1.0}
    complete_options, strategy = strategy_of(spec, given)
    rules = dict(policy or {})
    refuse_actions(rules)
    source = Streamed(paths[0], paths[1:], rules)
    report.line(_cost(source, strategy))
    facts = {path: _facts(path) for path in paths}  # before anything is replaced
    refuse_equal({path: facts[path]["sha256"] for path in paths[1:]})
    with staged(outs, source.bytes()[1]) as places:
        start = time.perf_counter()
        parameters = _merged(source, strategy, places, check_seed(seed), spec, report)
        record = {
            "method": method,
            "policy": rules,
            "seed": seed,
            "base": facts[paths[0]],
            "experts": [facts[path] for path in paths[1:]],
            **({"scale": parameters.pop("scale")} if "scale" in parameters else {}),
            "parameters": parameters,
            "seconds": time.perf_counter() - start,
        }
        _Companions(spec, record, complete_options.values).write(places)
    return list(outs.values())


def _outs(out: Path, sweep: Sequence[float] | None, options: Mapping[str, Any]) -> Outs:
    if sweep is None:
        return {None: out}
    if "{scale}" not in out.name:
        raise HandledError(f"a sweep writes several files: put {{scale}} into the name '{out}'")
    if "scale" in options:
        raise HandledError("give scales by the sweep or by scale=, not by both")
    for number, scale in enumerate(sweep):
        if not fits(scale):
            raise HandledError(f"a sweep takes numbers that fp32 holds, not {scale}")
        if scale in sweep[:number]:
            raise HandledError(f"the sweep names {scale:g} twice")
    return {s: out.with_name(out.name.replace("{scale}", f"{s:.12g}")) for s in sweep}


def _cost(source: Streamed, strategy: StrategyDefinition) -> str:
    read, written = source.bytes()
    seen = strategy.scope if not strategy.prepass_scope() else "entry"
    return (
        f"{len(source.experts)} experts, {len(source.merged)} tensors: reads "
        f"{read / 1e6:,.0f} MB at the least, writes {written / 1e6:,.0f} MB; {HELD[seen]}"
    )


def _merged(
    source: Streamed, strategy: StrategyDefinition, outs: Outs, seed: int, spec: StrategySpec,
    report: Reporter,
) -> dict[str, Any]:  # fmt: skip
    metadata = {"method": spec.name}
    with bar_of(source, report) as bar:
        if None in outs:
            return source.merge(strategy, outs[None], seed, metadata, bar)
        scaled = {scale: path for scale, path in outs.items() if scale is not None}
        return source.sweep(strategy, scaled, seed, metadata, bar)


def _facts(path: Path) -> dict[str, Any]:
    return {"file": path.name, "bytes": path.stat().st_size, "sha256": file_digest(path)}


@dataclass(frozen=True)
class _Companions:
    """The record and the card that lie beside merged files.

    Attributes:
        spec: of the strategy.
        record: what all files have in common.
        options: all of the strategy's.
    """

    spec: StrategySpec
    record: Mapping[str, Any]
    options: Mapping[str, Any]

    def write(self, places: Mapping[float | None, Path]) -> None:
        """Write them beside the files."""
        from recmerge_bench.running.provenance import provenance

        for scale, file in places.items():
            used = self.options if scale is None else {**self.options, "scale": scale}
            own = {
                **self.record, "provenance": provenance(), "options": dict(used),
                "merged": _facts(file),
            }  # fmt: skip
            text = json.dumps(own, indent=1, sort_keys=True) + "\n"
            Path(f"{file}.json").write_text(text, encoding="utf-8")
            Path(f"{file}.md").write_text(self.card(own), encoding="utf-8")

    def card(self, own: Mapping[str, Any]) -> str:
        """The model card of a file."""
        spec, options = self.spec, ", ".join(f"{k}={v}" for k, v in own["options"].items())
        if "scale" in own:
            options += f" (which gave a scale of {own['scale']:.6g})"
        experts = [(f"expert {n}", e) for n, e in enumerate(own["experts"])]
        files = "\n".join(
            f"| {role} | {f['file']} | {f['sha256']} |"
            for role, f in [("base", own["base"]), *experts]
        )
        return (
            f"# {own['merged']['file']}\n\n"
            f"Merged by `{spec.name}` ({spec.summary}); options: {options or 'none'}; "
            f"seed {own['seed']}.\n"
            f"{own['parameters']['merged']:,} parameters merged, "
            f"{own['parameters']['kept_of_base']:,} are the base's.\n\n"
            f"Method: {spec.citation or 'own'}. No user data was read: "
            f"{spec.data_tier.handed} only (tier {spec.tier}).\n\n"
            f"| role | file | SHA-256 |\n|---|---|---|\n{files}\n\n"
            f"Its licence follows from those of the base and the experts.\n"
        )
