"""Stage `nets` of `gpu.py`: every model on the device, beside the CPU with the same weights."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Split
from recmerge_bench.data.splits import leave_one_out
from recmerge_bench.evaluation.loaded import build
from recmerge_bench.gpu_products import products
from recmerge_bench.registry import Registry, discover
from recmerge_bench.targets import define
from recmerge_bench.training.options import TrainOptions
from recmerge_bench.training.prepared import attach, prepare
from recmerge_bench.training.trainer import fit

#: Sizes of every model for a smoke test; a test holds that all methods are in it.
EVERYTHING = Path(__file__).resolve().parents[2] / "tests" / "samples" / "everything.yaml"


def models(registry: Registry) -> dict[tuple[str, str], dict[str, Any]]:
    """(kind, name) of the models that need no downloaded weights -> options of a small one."""
    tracks = yaml.safe_load(EVERYTHING.read_text(encoding="utf-8"))["tracks"].values()
    rows = [row for track in tracks for row in track["rows"] if isinstance(row, dict)]
    named = [(row["method"], row.get("options", {})) for row in rows]
    named += [(n, use["options"]) for t in tracks for n, use in t.get("backbones", {}).items()]
    found = {}
    for name, options in named:
        for kind in ("backbone", "cdsr"):
            if (kind, name) in registry.specs:
                found.setdefault((kind, name), options)
    return found


def world(protocol: str) -> tuple[Catalogue, Split]:
    """Generated users of two domains, with vectors and tokens for the models that read text."""
    spec = discover(environ={}).get("dataset", "synthetic")
    sizes = {"users": 80, "items": 40, "n_domains": 2}
    loaded = define(spec.target, {**spec.options, **sizes}).load(None)
    drawn = np.random.default_rng(0).standard_normal((loaded.catalogue.n_items, 24))
    catalogue = replace(loaded.catalogue, vectors=drawn.astype(np.float32))
    return catalogue, leave_one_out(loaded, loaded.catalogue.domains, protocol)


def check(registry: Registry, kind: str, name: str, options: Any, device: str) -> dict[str, Any]:
    """Two steps of training in both precisions, and the scores of one net in both places.

    Args:
        registry: of the plugins.
        kind: ``backbone`` or ``cdsr``.
        name: of the model.
        options: of it.
        device: torch device.

    Returns:
        by precision: the loss after two steps; and the largest difference of scores from the CPU's,
        as a share of their standard deviation, with the share of users whose best item is the same.
    """
    spec = registry.get(kind, name)
    definition = define(spec.target, {**spec.options, **options})
    catalogue, split = world("domain" if kind == "backbone" else "mixed")
    domains = catalogue.domains[:1] if kind == "backbone" else catalogue.domains
    scope: Any = "domain" if kind == "backbone" else "mixed"
    target = domains[0] if getattr(spec, "single_target", False) else None
    out: dict[str, Any] = {"loss": {}}
    for precision in ("fp32", "bf16") if torch.device(device).type == "cuda" else ("fp32",):
        given = TrainOptions(
            steps=2, epochs=0, eval_every=-1, batch_size=16, report_every=1,
            precision=precision,  # type: ignore[arg-type]
        )  # fmt: skip
        told: list[dict[str, Any]] = []
        fit(
            definition, catalogue, split, domains, scope, given, 0,
            device=device, target=target, progress=told.append,
        )  # fmt: skip
        out["loss"][precision] = told[-1]["loss"]
    net = build(definition, catalogue, domains, 0, target)
    attach(net, prepare(definition, split, catalogue, domains, 1.0))
    net.eval()
    histories = some(split, definition.max_history(), scope == "domain")
    ours = scores(definition, net, histories, domains[0], "cpu", False)
    there = copy.deepcopy(net).to(device)
    for precision in ("fp32", "bf16"):
        theirs = scores(definition, there, histories, domains[0], device, precision == "bf16")
        out[precision] = {
            "difference": float((theirs - ours).abs().max() / ours.std()),
            "same_best": float((theirs.argmax(1) == ours.argmax(1)).float().mean()),
        }
    return out


def some(split: Split, longest: int, of_domain: bool) -> torch.Tensor:
    """The first events of eight users (of the first domain alone): int64 [8, 2 to 4]."""
    rows = split.valid.sequence[split.valid.domains == 0] if of_domain else split.valid.sequence
    starts = split.sequences.offsets[rows[:8]]
    events = split.sequences.items[starts[:, None] + np.arange(min(4, longest))]
    return torch.from_numpy(events.astype(np.int64))


@torch.inference_mode()
def scores(
    definition: Any, net: Any, histories: torch.Tensor, domain: str, device: str, bf16: bool
) -> torch.Tensor:
    """Of the domain's items after some histories: float32 [users, items], on the CPU."""
    lengths = torch.full((len(histories),), histories.shape[1])
    histories, lengths = histories.to(device), lengths.to(device)
    with products(), torch.autocast(torch.device(device).type, torch.bfloat16, enabled=bf16):
        if not definition.scores_are_products():
            whole: torch.Tensor = definition.scores(net, histories, lengths, domain)
            return whole.float().cpu()
        users = definition.encode(net, histories, lengths, domain)
        items, bias = definition.items(net, domain)
        made = users.float() @ items.float().T
    made = made if bias is None else made + bias.float()
    return made.float().cpu()


def stage(
    device: str, small: bool, only: tuple[str, ...] = ()
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each model's outcome, or what went wrong with it; of those with one of some words, if any."""
    registry = discover(environ={})
    for (kind, name), options in models(registry).items():
        if only and not any(word in name for word in only):
            continue
        try:
            yield name, check(registry, kind, name, options, device)
        except Exception as error:  # one model's fault is not the others'
            yield name, {"error": f"{type(error).__name__}: {error}"[:500]}
