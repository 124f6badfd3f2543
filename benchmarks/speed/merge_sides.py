"""The two sides of `merge_files.py`, each run by the interpreter that has its library."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

EXPERTS = 8
WEIGHT = 0.4
DENSITY = 0.2
DROP = 0.5
#: Options of ours that are not a strategy's defaults.
OPTIONS: dict[str, dict[str, float]] = {"dare-ties": {"drop": DROP, "density": DENSITY}}

#: What `BertConfig` is given by size, beside its defaults (BERT-base).
SIZES: dict[str, dict[str, int]] = {
    "base": {},
    "minilm": {
        "hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12,
        "intermediate_size": 1536,
    },
    "one-layer": {"num_hidden_layers": 1},
}  # fmt: skip


def write_models(folder: Path, size: str) -> None:
    """A base and its experts, drawn once: names and shapes of a BERT of one of `SIZES`, fp32."""
    import torch
    from safetensors.torch import save_file
    from transformers import BertConfig, BertModel

    paths = [folder / "base.safetensors", *(folder / f"e{k}.safetensors" for k in range(EXPERTS))]
    if all(p.is_file() for p in paths):
        return
    folder.mkdir(parents=True, exist_ok=True)
    with torch.device("meta"):
        net = BertModel(BertConfig(**SIZES[size]))
    (folder / "size.txt").write_text(size, encoding="utf-8")
    shapes = {n: p.shape for n, p in net.named_parameters()}
    generator = torch.Generator().manual_seed(0)
    base = {n: 0.02 * torch.randn(s, generator=generator) for n, s in shapes.items()}
    save_file(base, paths[0])
    for path in paths[1:]:
        save_file(
            {n: t + 1e-3 * torch.randn(t.shape, generator=generator) for n, t in base.items()}, path
        )


def write_shards(folder: Path, parts: int) -> Path:
    """The same models as folders of so many shards with an index, written once."""
    from safetensors.torch import load_file, save_file

    place = folder / f"shards-{parts}"
    for name in ("base", *(f"e{k}" for k in range(EXPERTS))):
        own = place / name
        if (own / "model.safetensors.index.json").is_file():
            continue
        own.mkdir(parents=True, exist_ok=True)
        tensors, places = load_file(folder / f"{name}.safetensors"), {}
        for part in range(parts):
            file = f"model-{part + 1:05d}-of-{parts:05d}.safetensors"
            shard = {n: t for k, (n, t) in enumerate(sorted(tensors.items())) if k % parts == part}
            save_file(shard, own / file, {"format": "pt"})
            places |= dict.fromkeys(shard, file)
        text = json.dumps({"metadata": {}, "weight_map": places})
        (own / "model.safetensors.index.json").write_text(text, encoding="utf-8")
    return place


def model(folder: Path, name: str) -> Path:
    """A model's file, or its folder where the models are sharded."""
    sharded = folder / name
    return sharded if sharded.is_dir() else folder / f"{name}.safetensors"


def experts(folder: Path) -> list[Path]:
    """The experts' files or folders."""
    return [model(folder, f"e{k}") for k in range(EXPERTS)]


def ours(method: str, folder: Path) -> Any:
    """A function that merges."""
    from recmerge_bench.merging.stream import Streamed
    from recmerge_bench.merging.written_folders import MergedFolder
    from recmerge_bench.registry import discover
    from recmerge_bench.targets import define

    name = "weight-averaging" if method == "linear" else method
    spec = discover(environ={}).get("strategy", name)
    strategy = define(spec.target, {**spec.options, **OPTIONS.get(method, {})})

    def run() -> None:
        base = model(folder, "base")
        source = Streamed(base, experts(folder))
        if base.is_dir():
            source.merge(strategy, MergedFolder(folder / "ours", base))
        else:
            source.merge(strategy, folder / "ours.safetensors")

    return run


def mergekit(method: str, folder: Path) -> Any:
    """A function that plans and executes the merge as ``mergekit-pytorch`` does."""
    from mergekit.graph import Executor
    from mergekit.io.lazy_tensor_loader import LazyTensorLoader
    from mergekit.options import MergeOptions
    from mergekit.scripts.merge_raw_pytorch import (
        RawPyTorchMergeConfig,
        SimpleLoaderCache,
        plan_flat_merge,
    )

    settings: dict[str, Any] = {
        "linear": {"merge_method": "linear", "parameters": {"weight": 1.0}},
        "task-arithmetic": {
            "merge_method": "task_arithmetic",
            "parameters": {"weight": WEIGHT, "normalize": False},
        },
        "ties-per-tensor": {
            "merge_method": "ties",
            "parameters": {"weight": 1.0, "density": DENSITY, "normalize": True},
        },
    }[method]
    if method != "linear":
        settings["base_model"] = str(model(folder, "base"))
    models = [{"model": str(path)} for path in experts(folder)]
    config = RawPyTorchMergeConfig.model_validate({**settings, "models": models})
    options = MergeOptions()
    out = folder / "mergekit"
    out.mkdir(exist_ok=True)
    # `mergekit-pytorch` opens single files alone: folders by the loader of `mergekit-yaml`, which
    # does not run on BERT in 0.1.5.
    for path in (model(folder, "base"), *experts(folder)):
        if path.is_dir():
            SimpleLoaderCache().loaders[str(path)] = LazyTensorLoader.from_disk(
                str(path), lazy_unpickle=False
            )

    def run() -> None:
        tasks = plan_flat_merge(config, str(out), False, False, options)
        Executor(tasks, math_device="cpu", storage_device="cpu").execute()

    return run


def fusion_bench(method: str, folder: Path) -> Any:
    """A function that merges by fusion_bench's algorithm, files in and a file out."""
    import torch
    from fusion_bench import BaseModelPool
    from fusion_bench.method.dare.ties_merging import DareTiesMerging
    from fusion_bench.method.isotropic_merging.iso import ISO_C_Merge
    from fusion_bench.method.task_singular_vector.TSVM import TaskSingularVectorMerging
    from safetensors.torch import load_file, save_file
    from transformers import BertConfig, BertModel

    config = BertConfig(**SIZES[(folder / "size.txt").read_text(encoding="utf-8")])
    files = {"_pretrained_": model(folder, "base"), **{p.stem: p for p in experts(folder)}}

    class Pool(BaseModelPool):
        def load_model(self, name: str, *_: Any, **__: Any) -> Any:
            with torch.device("meta"):
                net = BertModel(config)
            net.load_state_dict(load_file(files[name]), assign=True)
            return net

    algorithms = {
        "dare-ties": lambda: DareTiesMerging(
            sparsity_ratio=DROP, only_on_linear_weights=False, rescale=True, scaling_factor=1.0,
            threshold=round(100 * DENSITY), remove_keys=[], merge_func="mean",
        ),
        "iso-c": lambda: ISO_C_Merge(scaling_factor=1.0),
        "tsv-m": TaskSingularVectorMerging,
    }  # fmt: skip
    algorithm = algorithms[method]()
    (folder / "fusion_bench").mkdir(exist_ok=True)

    def run() -> None:
        merged = algorithm.run(Pool(files)).state_dict()
        plain = {n: t.contiguous() for n, t in merged.items() if not t.is_meta}
        save_file(plain, folder / "fusion_bench" / "model.safetensors")

    return run


def difference(folder: Path, other: str) -> str:
    """Share of entries that differ by more than 1e-6, and the largest difference."""
    from recmerge_bench.merging.opening import open_weights

    theirs = open_weights(next((folder / other).glob("*.safetensors")))
    own = open_weights(model(folder, "ours"))
    count = total = 0
    largest = 0.0
    for name in own.names:
        apart = (own[name] - theirs[name]).abs()
        count += int((apart > 1e-6).sum())
        total += apart.numel()
        largest = max(largest, float(apart.max()))
    return f"{count / total:.1e} of entries, at most {largest:.1e}"


class Anonymous(threading.Thread):
    """Peak anonymous memory of this process, looked at every few milliseconds."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_mb, self.ended = 0.0, threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.005):
            for line in Path("/proc/self/status").read_text().splitlines():
                if line.startswith("RssAnon:"):
                    self.peak_mb = max(self.peak_mb, int(line.split()[1]) / 1024)


def main() -> None:
    """Measure one side once."""
    side, method, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    import torch

    torch.set_num_threads(1)
    sides = {"ours": ours, "mergekit": mergekit, "fusion_bench": fusion_bench}
    # A model that a turn before has written is no part of this one: freeing it would be.
    for old in [folder / f"{side}.safetensors", *(folder / side).rglob("*.safetensors")]:
        old.unlink(missing_ok=True)
    run = sides[side](method, folder)
    watch = Anonymous()
    watch.start()
    cpu, wall = sum(os.times()[:2]), time.perf_counter()
    run()
    cpu, wall = sum(os.times()[:2]) - cpu, time.perf_counter() - wall
    watch.ended.set()
    print(json.dumps({"cpu_s": cpu, "wall_s": wall, "anonymous_mb": watch.peak_mb}))


if __name__ == "__main__":
    main()
