"""One merge of models on disk: checked, streamed, recorded; a failed one leaves nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recmerge_bench.definitions import StrategyDefinition
from recmerge_bench.errors import HandledError
from recmerge_bench.interface.merge_records import Companions, facts_of
from recmerge_bench.interface.merges import (
    bar_of,
    check_seed,
    merging_spec,
    refuse_actions,
    strategy_of,
)
from recmerge_bench.interface.progress import Reporter
from recmerge_bench.options import CompleteOptions
from recmerge_bench.planning.options import fits
from recmerge_bench.registry import Registry
from recmerge_bench.specs import StrategySpec

if TYPE_CHECKING:
    from recmerge_bench.merging.checkpoints import Weights
    from recmerge_bench.merging.estimates import Estimate
    from recmerge_bench.merging.stream import Out, Streamed
    from recmerge_bench.merging.vocabularies import Matched
    from recmerge_bench.merging.weighted import Share

#: Scale -> file or folder; the one scale None without a sweep.
Outs = dict[float | None, Path]
HELD = {
    "entry": "a few blocks at a time",
    "tensor": "a tensor of each at a time",
    "model": "all in memory: this method has to see them together",
}


@dataclass(frozen=True, kw_only=True)
class MergeJob:
    """What is merged, how and where to; see `recmerge_bench.interface.merge_files.merge_files`."""

    method: str
    base: Path | None
    experts: tuple[Path, ...]
    out: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    policy: Mapping[str, str] = field(default_factory=dict)
    sweep: Sequence[float] | None = None
    dtype: str | None = None
    max_shard_size: str | int | None = None
    allow_pickle: bool = False
    adapters: str | None = None
    rank: int | None = None
    shares: tuple[Share, ...] = ()
    normalize: bool = False
    seed: int = 0
    force: bool = False

    @property
    def folders(self) -> bool:
        """Whether merged models are folders: of folders and indices, unless a file is named."""
        if self.base is None:
            return True
        indexed = self.base.is_dir() or self.base.name.endswith(".index.json")
        return indexed and self.out.suffix != ".safetensors"

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Base and experts."""
        return self.experts if self.base is None else (self.base, *self.experts)

    def outs(self) -> Outs:
        """Where each scale's model goes.

        Raises:
            HandledError: the scales are no different numbers, or the name of `out` has no room
                for them.
        """
        if self.sweep is None:
            return {None: self.out}
        if "{scale}" not in self.out.name:
            raise HandledError(
                f"a sweep writes several files: put {{scale}} into the name '{self.out}'"
            )
        if "scale" in self.options:
            raise HandledError("give scales by the sweep or by scale=, not by both")
        for number, scale in enumerate(self.sweep):
            if not fits(scale):
                raise HandledError(f"a sweep takes numbers that fp32 holds, not {scale}")
            if scale in self.sweep[:number]:
                raise HandledError(f"the sweep names {scale:g} twice")
        name = self.out.name
        return {s: self.out.with_name(name.replace("{scale}", f"{s:.12g}")) for s in self.sweep}


@dataclass(frozen=True)
class Prepared:
    """A merge of which everything is checked that can be before it is made.

    Attributes:
        job: what was asked for.
        outs: where each scale's model goes.
        spec: of the strategy.
        options: all of the strategy's.
        strategy: with them.
        source: what is merged.
        place_of: what makes a place to write to of a path.
    """

    job: MergeJob
    outs: Outs
    spec: StrategySpec
    options: CompleteOptions
    strategy: StrategyDefinition
    source: Streamed
    place_of: Places


def prepare(job: MergeJob, registry: Registry) -> Prepared:
    """Check a merge and open its inputs.

    Raises:
        HandledError: as `merge_files`.
    """
    from recmerge_bench.merging.outputs import refuse_outs, refuse_twice

    registry.get("strategy", job.method)
    outs = job.outs()
    refuse_twice(job.experts)
    refuse_outs(outs, job.inputs, job.force, job.folders)
    spec = merging_spec(registry, job.method, job.sweep is not None)
    given = {**job.options, **({} if job.sweep is None else {"scale": 1.0})}
    options, strategy = strategy_of(spec, given)
    refuse_actions(job.policy)
    check_seed(job.seed)
    source, place_of = _opened(job)
    return Prepared(job, outs, spec, options, strategy, source, place_of)


def preview(job: MergeJob, registry: Registry) -> Estimate:
    """What a merge would take, everything checked and nothing written.

    Raises:
        HandledError: as `merge_files`.
    """
    from recmerge_bench.merging.estimates import estimate

    prepared = prepare(job, registry)
    return estimate(prepared.source, prepared.strategy, job.seed, len(prepared.outs))


def run_job(job: MergeJob, registry: Registry, report: Reporter) -> list[Path]:
    """Merge.

    Returns:
        the merged files or folders.

    Raises:
        HandledError: as `merge_files`.
        PluginError: an error out of the strategy's code.
    """
    from recmerge_bench.merging.outputs import refuse_equal, staged

    prepared = prepare(job, registry)
    source, strategy = prepared.source, prepared.strategy
    report.line(_cost(source, strategy))
    facts = [facts_of(e.path, e.files()) for e in source.experts]
    refuse_equal({p: f["sha256"] for p, f in zip(job.experts, facts, strict=True)})
    with staged(prepared.outs, source.bytes()[1]) as places:
        start = time.perf_counter()
        written = {scale: prepared.place_of(place) for scale, place in places.items()}
        parameters = _merged(source, strategy, written, job.seed, prepared.spec, report)
        record = {
            **_described(job),
            **({} if job.base is None else {"base": facts_of(job.base, source.base.files())}),
            "experts": facts,
            **({"scale": parameters.pop("scale")} if "scale" in parameters else {}),
            "parameters": parameters,
            "seconds": time.perf_counter() - start,
        }
        Companions(prepared.spec, record, prepared.options.values).write(places)
    return list(prepared.outs.values())


def _described(job: MergeJob) -> dict[str, Any]:
    """What a record says of what was asked for; of what is seldom, only where it was."""
    shares = [{"weight": s.weight, "layers": dict(s.layers)} for s in job.shares]
    seldom = {"dtype": job.dtype, "adapters": job.adapters, "weights": shares,
              "normalize": job.normalize}  # fmt: skip
    return {
        "method": job.method, "policy": dict(job.policy), "seed": job.seed,
        **{key: value for key, value in seldom.items() if value},
    }  # fmt: skip


#: What makes a place to write to of a path that is staged.
Places = Callable[[Path], "Out"]


def _opened(job: MergeJob) -> tuple[Streamed, Places]:
    """What is merged, and where it is written to."""
    return _adapters(job) if job.base is None else _models(job, job.base)


def _models(job: MergeJob, path: Path) -> tuple[Streamed, Places]:
    """Models, and adapters as the models that they make of the base."""
    from recmerge_bench.merging.lora import Adapter, Applied, is_adapter
    from recmerge_bench.merging.opening import open_weights
    from recmerge_bench.merging.precision import precision
    from recmerge_bench.merging.stream import Streamed
    from recmerge_bench.merging.vocabularies import matched

    if job.adapters is not None or job.rank is not None:
        raise HandledError(
            "--adapters and --rank are for adapters that are merged without --base; with it they "
            "are applied to the base and merged whole"
        )
    dtype = None if job.dtype is None else precision(job.dtype)
    base = open_weights(path, job.allow_pickle)
    experts = [
        Applied(base, Adapter(p)) if is_adapter(p) else open_weights(p, job.allow_pickle)
        for p in job.experts
    ]
    fitting = matched(base, experts, job.inputs, job.policy)
    shared = _shared(job, fitting.base, fitting.experts)
    source = Streamed(fitting.base, shared, fitting.policy, dtype)
    return source, _places_of(job, path, source, fitting)


def _shared(job: MergeJob, base: Weights, experts: Sequence[Weights]) -> list[Weights]:
    """Experts that count as the job says."""
    from recmerge_bench.merging.weighted import weighted

    return weighted(base, experts, job.shares, job.normalize) if job.shares else list(experts)


def _adapters(job: MergeJob) -> tuple[Streamed, Places]:
    """Adapters as they are, to an adapter."""
    from recmerge_bench.merging.lora import Adapter, is_adapter
    from recmerge_bench.merging.lora_spaces import InSpace, MergedAdapter, Nothing, space_of
    from recmerge_bench.merging.precision import precision
    from recmerge_bench.merging.stream import Streamed

    for path in job.experts:
        if not is_adapter(path):
            raise HandledError(
                f"{path} is no adapter's folder: without --base adapters alone are merged, to an "
                "adapter; give the experts' shared base"
            )
    if job.max_shard_size is not None:
        raise HandledError("--max-shard-size is for models: an adapter is one file")
    adapters = [Adapter(path) for path in job.experts]
    space = space_of(job.adapters or "products", adapters)
    if job.rank is not None and not space.ranked:
        raise HandledError(
            "--rank is for adapters merged as products or knots: factors keep theirs"
        )
    if job.shares and not space.ranked:
        raise HandledError("weights are for adapters merged as products or knots: that of a factor "
                           "would count twice in their product")  # fmt: skip
    if job.rank is not None and job.rank < 1:
        raise HandledError(f"a rank is a whole number from 1, not {job.rank}")
    rank = job.rank or space.rank
    dtype = adapters[0].dtype if job.dtype is None else precision(job.dtype)
    experts = [InSpace(space, number) for number in range(len(adapters))]
    base = Nothing(space)
    source = Streamed(base, _shared(job, base, experts), job.policy)
    return source, lambda place: MergedAdapter(place, space, rank, dtype)


def _places_of(job: MergeJob, base: Path, source: Streamed, fitting: Matched) -> Places:
    """For models.

    Raises:
        HandledError: a size of shards that is none, or where there are no shards.
    """
    from recmerge_bench.merging.written_folders import SHARD, MergedFolder, shard_size

    if not job.folders:
        if job.max_shard_size is not None:
            raise HandledError(
                f"{job.out} is one file: --max-shard-size is for folders (of a base that is one)"
            )
        return lambda place: place
    size = SHARD if job.max_shard_size is None else shard_size(job.max_shard_size)
    folder = base if base.is_dir() else base.parent
    changes = _changes(job, folder, source)
    if fitting.config:
        changes[""] = {**changes.get("", {}), **fitting.config}
    return lambda place: MergedFolder(
        place, folder, _modules(source.base), size, changes, fitting.texts
    )


def _modules(base: Weights) -> list[str]:
    return list(getattr(base, "parts", {"": base}))


def _changes(job: MergeJob, folder: Path, source: Streamed) -> dict[str, dict[str, Any]]:
    """What each module's configuration says otherwise than the base's."""
    from recmerge_bench.merging.folders import configuration
    from recmerge_bench.merging.precision import precision

    if job.dtype is None:
        return {}
    name = str(precision(job.dtype)).removeprefix("torch.")
    configs = {m: configuration(folder / m) for m in _modules(source.base)}
    keys = ("dtype", "torch_dtype")
    return {
        module: {key: name for key in keys if key in config} or {"dtype": name}
        for module, config in configs.items() if config.get("model_type")
    }  # fmt: skip


def _cost(source: Streamed, strategy: StrategyDefinition) -> str:
    read, written = source.bytes()
    seen = strategy.scope if not strategy.prepass_scope() else "entry"
    return (
        f"{len(source.experts)} experts, {len(source.merged)} tensors: reads "
        f"{read / 1e6:,.0f} MB at the least, writes {written / 1e6:,.0f} MB; {HELD[seen]}"
    )


def _merged(
    source: Streamed, strategy: StrategyDefinition, outs: Mapping[float | None, Out], seed: int,
    spec: StrategySpec, report: Reporter,
) -> dict[str, Any]:  # fmt: skip
    metadata = {"method": spec.name}
    with bar_of(source, report) as bar:
        if None in outs:
            return source.merge(strategy, outs[None], seed, metadata, bar)
        scaled: dict[float, Any] = {s: out for s, out in outs.items() if s is not None}
        return source.sweep(strategy, scaled, seed, metadata, bar)
