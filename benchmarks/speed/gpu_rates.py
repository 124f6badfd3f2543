"""Stage `rates` of `gpu.py`: targets and users a second, and the share of the device's peak."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from peak import counted, matrix_peak, wait

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Instances, Sequences, Split
from recmerge_bench.evaluation.loaded import LoadedModel
from recmerge_bench.evaluation.split_ranks import rank_split
from recmerge_bench.registry import discover
from recmerge_bench.targets import define
from recmerge_bench.training.options import TrainOptions
from recmerge_bench.training.trainer import fit

#: Model, kind, options; the width is that of the stage's size.
MODELS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "sasrec, full softmax": ("backbone", "sasrec", {"init": "random"}),
    "sasrec, 256 negatives": (
        "backbone", "sasrec",
        {"init": "random", "loss": "sampled-ce", "negatives": 256, "sampling": "uniform"},
    ),
    "esasrec": ("backbone", "esasrec", {"init": "random"}),
    "merit": ("cdsr", "merit", {}),
    "abxi": ("cdsr", "abxi", {}),
}  # fmt: skip


def world(users: int, items: int) -> tuple[Catalogue, Split]:
    """Random sequences of 52 events over two domains of so many items each, as one of each user."""
    rng = np.random.default_rng(0)
    names = [str(i) for i in range(2 * items)]
    catalogue = Catalogue(("a", "b"), np.array([0, items, 2 * items]), names, names)
    rows = np.arange(users, dtype=np.int32)
    events = rng.integers(0, 2 * items, (users, 52)).astype(np.int32)
    mixed, ends = np.full(users, -1, np.int16), np.full(users, 50, np.int32)
    sequences = Sequences(np.arange(users + 1) * 52, events.ravel(), rows, mixed, ends)
    targets = events[:, 50]
    domains = (targets >= items).astype(np.int16)
    valid = Instances(rows, ends, rows, domains, targets)
    return catalogue, Split(sequences, valid, valid.take(np.zeros(0, np.int64)), {})


def trained(
    title: str, device: str, width: int, steps: int, batch: int, precision: str, split: Any
) -> dict[str, Any]:
    """Targets a second of a training, and matrix-product operations a second."""
    kind, name, more = MODELS[title]
    spec = discover(environ={}).get(kind, name)
    definition = define(spec.target, {**spec.options, **more, "width": width})
    catalogue, parts = split
    place = torch.device(device)

    def run(count: int) -> Any:
        options = TrainOptions(
            steps=count, epochs=0, eval_every=-1, batch_size=batch, patience=0,
            precision=precision, report_every=count,  # type: ignore[arg-type]
        )  # fmt: skip
        result = fit(
            definition, catalogue, parts, catalogue.domains, "mixed", options, 0, device=device
        )
        wait(place)
        return result

    run(2)
    result = run(steps)
    flops = counted(lambda: run(1))
    seconds, targets = result.report["seconds"], result.report["targets"]
    net = definition.build(catalogue, catalogue.domains, 0)
    net.load_state_dict(result.state)
    model = LoadedModel(definition, net.to(place).eval(), catalogue.domains, None, place)
    start = time.perf_counter()
    rank_split([model], parts, catalogue, None, parts.valid)
    wait(place)
    return {
        "targets_per_second": targets / seconds,
        "steps_per_second": steps / seconds,
        "tflop_per_second": flops * steps / seconds / 1e12,
        "users_ranked_per_second": len(parts.valid) / (time.perf_counter() - start),
    }


def stage(
    device: str, small: bool, only: tuple[str, ...] = ()
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The peaks, then every model (with one of some words, if any) in every precision."""
    place = torch.device(device)
    kinds = {"fp32": torch.float32, "bf16": torch.bfloat16}
    size = 256 if small else 8192
    peaks = {}
    for precision, dtype in kinds.items():
        peaks[precision] = matrix_peak(place, dtype, size, 3 if small else 20)
    yield "peak of square products, TFLOP/s", {p: rate / 1e12 for p, rate in peaks.items()}
    split = world(40 if small else 50_000, 30 if small else 15_000)
    width, steps, batch = (16, 2, 8) if small else (256, 40, 1024)
    for precision in kinds if place.type == "cuda" else ("fp32",):
        for title in MODELS:
            if only and not any(word in f"{title}, {precision}" for word in only):
                continue
            try:
                found = trained(title, device, width, steps, batch, precision, split)
                found["share_of_peak"] = found["tflop_per_second"] * 1e12 / peaks[precision]
            except Exception as error:  # one model's fault is not the others'
                found = {"error": f"{type(error).__name__}: {error}"[:500]}
            yield f"{title}, {precision}", found
