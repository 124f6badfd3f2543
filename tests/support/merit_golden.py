"""Reads the goldens of MERIT: their parameters under this project's names, their one batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import builders
import torch
from recmerge_bench_plugins.cdsr.merit import Merit, MeritOptions
from safetensors.torch import load_file
from torch import Tensor

from recmerge_bench.data.sequences import Batch

SIZES = (25, 35)
NAMES = {"m": "mixed", "a": "of_a", "b": "of_b"}


class Golden:
    """One of ``merit_released`` and ``merit_paper``."""

    def __init__(self, folder: Path, computes: str) -> None:
        inputs = load_file(folder / "merit_released.safetensors")
        self.out = load_file(folder / f"merit_{computes}.safetensors")
        self.inputs = {k.removeprefix("in/"): v for k, v in inputs.items() if k.startswith("in/")}
        self.parameters = renamed(inputs, "param/")
        self.gradients = renamed(self.out, "grad/")
        self.definition = Merit(
            MeritOptions(
                width=16, inner=680, max_len=12, negatives=5, dropout=0.0, computes=computes
            )  # type: ignore[arg-type]
        )
        catalogue = builders.catalogue(SIZES, ("a", "b"))
        self.net: Any = self.definition.build(catalogue, catalogue.domains, 0)
        self.net.load_state_dict(self.parameters)
        self.real = self.inputs["seq_m"] > 0

    def batch(self) -> Batch:
        """Right-padded, items from 0."""
        lengths = self.real.sum(1)
        items, targets = (left(self.inputs[k], lengths) for k in ("seq_m", "gt_m"))
        return Batch(items, targets, lengths, ("a", "b"), torch.Generator(), {})

    def negatives(self, tokens: Tensor, pools: int) -> Tensor:
        """What the reference drew, for the batch's tokens: rows of the joined tables."""
        return (self.inputs["neg_m" if pools == 2 else "neg_ab"][self.real] - 1)[tokens]


def left(grid: Tensor, lengths: Tensor) -> Tensor:
    """A left-padded grid of items from 1, right-padded and from 0."""
    size = grid.shape[1]
    at = (torch.arange(size) + size - lengths[:, None]).clamp_max(size - 1)
    return (grid.gather(1, at) - 1).masked_fill(torch.arange(size) >= lengths[:, None], 0)


def renamed(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The reference's parameters, or gradients of some of them, under our names."""
    given = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    collected = {
        "positions": given["ep.weight"],
        "tables.a": given["ei.weight"][1 : 1 + SIZES[0]],
        "tables.b": given["ei.weight"][1 + SIZES[0] :],
    }
    for short, name in NAMES.items():
        attention(collected, given, f"sa_{short}", f"branches.{name}.attention")
        attention(collected, given, f"caf_{short}", f"transfers.{name}.attention")
        block, ours = f"ffn_{short}", f"branches.{name}.ffn"
        gates = [given[f"{block}.gate_{k}.fc.weight"] for k in (1, 2, 3)]
        collected[f"{ours}.gate"] = torch.stack(gates)
        experts(collected, given, [f"{block}.expert_{k}" for k in "s123"], ours)
        for k in range(3):
            norm(collected, given, f"{block}.norm_{k + 1}", f"{ours}.norms.{k}")
        block, ours = f"ffn_caf_{short}", f"transfers.{name}.ffn"
        experts(collected, given, [f"{block}.mlp"], ours)
        norm(collected, given, f"{block}.norm", f"{ours}.norm")
    return collected


def attention(tensors: dict[str, Tensor], given: dict[str, Tensor], theirs: str, ours: str) -> None:
    tensors[f"{ours}.mha.in_weight"] = given[f"{theirs}.mha.in_proj_weight"]
    tensors[f"{ours}.mha.in_bias"] = given[f"{theirs}.mha.in_proj_bias"]
    tensors[f"{ours}.mha.out.weight"] = given[f"{theirs}.mha.out_proj.weight"]
    tensors[f"{ours}.mha.out.bias"] = given[f"{theirs}.mha.out_proj.bias"]
    norm(tensors, given, f"{theirs}.norm", f"{ours}.norm")


def norm(tensors: dict[str, Tensor], given: dict[str, Tensor], theirs: str, ours: str) -> None:
    tensors[f"{ours}.weight"] = given[f"{theirs}.weight"]
    tensors[f"{ours}.bias"] = given[f"{theirs}.bias"]


def experts(
    tensors: dict[str, Tensor], given: dict[str, Tensor], names: list[str], to: str
) -> None:
    if f"{names[0]}.fc_1.weight" not in given:  # the wide matrices have no stored gradient
        return
    # The reference's second layer is the one inside the SiLU.
    pairs = [torch.stack([given[f"{n}.fc_{k}.weight"] for k in (2, 1)]) for n in names]
    tensors[f"{to}.experts.up"] = torch.stack(pairs)
    tensors[f"{to}.experts.down"] = torch.stack([given[f"{n}.fc_3.weight"] for n in names])
