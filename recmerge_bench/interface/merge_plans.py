"""Merge files: merges in a chain, all of them checked before the first is made."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from recmerge_bench.errors import HandledError
from recmerge_bench.interface.guard import plugins_blamed
from recmerge_bench.interface.merge_jobs import MergeJob, prepare, preview, run_job
from recmerge_bench.interface.merges import merging_spec, refuse_actions, strategy_of
from recmerge_bench.interface.plugins import Plugins, registry_of
from recmerge_bench.interface.progress import Reporter
from recmerge_bench.planning.merge_plan import Earlier, MergePlan, MergeStep, read_merge_plan
from recmerge_bench.registry import Registry
from recmerge_bench.untrusted.paths import is_safe


@plugins_blamed()
def merge_plan(
    file: str | Path,
    *,
    force: bool = False,
    plugins: Plugins = (),
    progress: bool | None = None,
) -> list[Path]:
    """Make the merges of a merge file, one after the other.

    Paths are from the file's folder. A merge without an ``out`` is made for those further down and
    removed in the end.

    Args:
        file: YAML; ``recmerge-bench merge --schema`` writes the schema.
        force: replace what stands where models go, as `merge_files`.
        plugins: files or modules to load beside the installed plugins.
        progress: True shows it, False does not; None: on a terminal.

    Returns:
        the merged files and folders.

    Raises:
        HandledError: the file says what it may not, or as `merge_files`.
        PluginError: an error out of a strategy's code.
    """
    path, registry, report = Path(file), registry_of(plugins), Reporter(progress)
    plan = read_merge_plan(path)
    written: list[Path] = []
    with _made(path, plan, force) as jobs:
        _check(path, plan, jobs, registry)
        for number, job in enumerate(jobs):
            with _named(path, number):
                made = run_job(job, registry, report)
            written += made if plan.merges[number].out is not None else []
    return written


@plugins_blamed()
def preview_plan(file: str | Path, *, force: bool = False, plugins: Plugins = ()) -> list[str]:
    """What each merge of a merge file would take: memory, disk and time; nothing is written.

    A merge that takes the model of another is checked as far as that can be before it is there.
    """
    path, registry = Path(file), registry_of(plugins)
    plan = read_merge_plan(path)
    lines = []
    with _made(path, plan, force) as jobs:
        _check(path, plan, jobs, registry)
        for number, (step, job) in enumerate(zip(plan.merges, jobs, strict=True)):
            label = step.name or step.out or str(number)
            if step.earlier():
                lines.append(f"{label}: takes {', '.join(step.earlier())}, which is not there yet")
                continue
            with _named(path, number):
                lines.append(f"{label}: {preview(job, registry).text()}")
    return lines


def _check(
    path: Path, plan: MergePlan, jobs: list[MergeJob], registry: Registry
) -> None:  # fmt: skip
    """All that can be checked of every merge before the first is made."""
    outs = [job.out.resolve() for job in jobs]
    for number, (step, job) in enumerate(zip(plan.merges, jobs, strict=True)):
        with _named(path, number):
            if job.out.resolve() in outs[:number]:
                raise HandledError(f"{job.out} is where a merge further up goes to")
            if not step.earlier():
                prepare(job, registry)
                continue
            strategy_of(merging_spec(registry, job.method), job.options)
            refuse_actions(job.policy)


@contextmanager
def _named(path: Path, number: int) -> Iterator[None]:
    """Errors say which merge of the file is meant."""
    try:
        yield
    except HandledError as error:
        if str(error).startswith(str(path)):
            raise
        raise type(error)(f"{path}, merges.{number}: {error}") from None


@contextmanager
def _made(path: Path, plan: MergePlan, force: bool) -> Iterator[list[MergeJob]]:
    """The merges with their paths; a place for models that are removed in the end."""
    home = path.resolve().parent
    between = Path(tempfile.mkdtemp(prefix=".merging-", dir=_beside(home, plan)))
    try:
        places: dict[str, Path] = {}
        jobs = []
        for number, step in enumerate(plan.merges):
            name = step.name if step.name and is_safe(step.name) else "model"
            job = _job(step, home, places, between / f"{number}-{name}", force)
            places |= {} if step.name is None else {step.name: job.out}
            jobs.append(job)
        yield jobs
    finally:
        shutil.rmtree(between, ignore_errors=True)


def _beside(home: Path, plan: MergePlan) -> Path | None:
    """A folder that is there, on the disk that the last model goes to."""
    out = plan.merges[-1].out
    if all(step.out is not None for step in plan.merges) or out is None:
        return None
    return next(p for p in (home / out).parents if p.is_dir())


def _job(
    step: MergeStep, home: Path, places: Mapping[str, Path], between: Path, force: bool
) -> MergeJob:
    from recmerge_bench.merging.weighted import Share

    uses = step.uses()
    base = None
    if step.base is not None:
        base = places[step.base.merge] if isinstance(step.base, Earlier) else home / step.base
    experts = tuple(
        home / use.path if use.path is not None else places[str(use.merge)] for use in uses
    )
    shares = tuple(Share(use.weight, use.layers) for use in uses)
    plain = all(s == Share() for s in shares) and not step.normalize
    job = MergeJob(
        method=step.method, base=base, experts=experts, out=between, options=step.options,
        policy=dict(step.policy), dtype=step.dtype, max_shard_size=step.max_shard_size,
        allow_pickle=step.allow_pickle, adapters=step.adapters, rank=step.rank,
        shares=() if plain else shares, normalize=step.normalize, seed=step.seed, force=force,
    )  # fmt: skip
    return job if step.out is None else replace(job, out=home / step.out)
