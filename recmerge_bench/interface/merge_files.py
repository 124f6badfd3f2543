"""Merges outside a suite, from files to files: streamed, with a record and a model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recmerge_bench.interface.guard import plugins_blamed
from recmerge_bench.interface.merge_jobs import MergeJob, preview, run_job
from recmerge_bench.interface.plugins import Plugins, registry_of
from recmerge_bench.interface.progress import Reporter


@plugins_blamed()
def merge_files(
    method: str,
    *,
    base: str | Path | None = None,
    experts: Sequence[str | Path],
    out: str | Path,
    options: Mapping[str, Any] | None = None,
    policy: Mapping[str, str] | None = None,
    sweep: Sequence[float] | None = None,
    dtype: str | None = None,
    max_shard_size: str | int | None = None,
    allow_pickle: bool = False,
    adapters: str | None = None,
    rank: int | None = None,
    seed: int = 0,
    force: bool = False,
    plugins: Plugins = (),
    progress: bool | None = None,
) -> list[Path]:
    """Merge models of one architecture on disk, streaming them.

    A model is a safetensors file, the index of a sharded one, or a folder as transformers and
    sentence-transformers save it. Where the base is a folder, so is the merged model, with the
    base's configuration, tokenizer and modules; a name of `out` that ends in ``.safetensors`` is
    one file whatever the base is. With a merged file come ``.json``, a record of what was merged
    and how, and ``.md``, a model card; a folder has them as ``merge.json`` and ``README.md``.

    Folders of LoRA adapters (PEFT's) are experts too: with a base they are applied to it and
    merged whole, mixed with models or not; without one they are merged to an adapter.

    Args:
        method: a merge strategy of data tier T0 (weights alone).
        base: the experts' shared base; None where adapters are merged to an adapter.
        experts: at least one, each given once.
        out: the merged file or folder.
        options: the strategy's.
        policy: as in `merge`.
        sweep: several scales in one pass; the name of `out` then holds ``{scale}``.
        dtype: of the merged floats, such as ``bfloat16``; each as the base's if absent.
        max_shard_size: of a folder's weight files, such as ``5GB`` (the default).
        allow_pickle: read pickled weights too, by ``torch.load(weights_only=True)``.
        adapters: what the method sees of adapters without a base: ``products`` (the default),
            ``factors`` or ``knots``, see `recmerge_bench.merging.lora_spaces`.
        rank: of the merged adapter; by default the largest of the experts'.
        seed: for strategies that draw.
        force: replace an existing file, or the folder of a merged model.
        plugins: files or modules to load beside the installed plugins.
        progress: True shows it, False does not; None: on a terminal.

    Returns:
        the merged files or folders.

    Raises:
        HandledError: as `merge`; a place that cannot be written to, or is taken.
        PluginError: an error out of the strategy's code.
    """
    job = _job(
        method, base, experts, out, options=options, policy=policy, sweep=sweep, dtype=dtype,
        max_shard_size=max_shard_size, allow_pickle=allow_pickle, adapters=adapters, rank=rank,
        seed=seed, force=force,
    )  # fmt: skip
    return run_job(job, registry_of(plugins), Reporter(progress))


@plugins_blamed()
def preview_files(
    method: str,
    *,
    base: str | Path | None = None,
    experts: Sequence[str | Path],
    out: str | Path,
    plugins: Plugins = (),
    **asked: Any,
) -> str:
    """What `merge_files` would take, in a line: memory, disk and time. Nothing is written.

    Raises:
        HandledError: as there.
    """
    job = _job(method, base, experts, out, **asked)
    return preview(job, registry_of(plugins)).text()


def _job(
    method: str, base: str | Path | None, experts: Sequence[str | Path], out: str | Path,
    **asked: Any,
) -> MergeJob:  # fmt: skip
    return MergeJob(
        method=method, base=None if base is None else Path(base),
        experts=tuple(map(Path, experts)), out=Path(out),
        **{**asked, "options": dict(asked.get("options") or {}),
           "policy": dict(asked.get("policy") or {})},
    )  # fmt: skip
