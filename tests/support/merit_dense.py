"""MERIT written down plainly: left-padded grids of fixed length, every place computed.

From the published equations, for any number of domains, and from what is known of the two releases,
for two; dropout is off.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


class Dense:
    """The paper's model with the weights of a net of ours."""

    def __init__(self, net: Any) -> None:
        self.w = net.state_dict()
        self.o = net.options
        self.domains = net.domains
        self.paths = net.paths
        self.outputs = {
            b: [(b, b), *(p for p in net.paths if p[0] == b)] for b in self.branches(net.domains)
        }

    @staticmethod
    def branches(domains: Any) -> list[str]:
        return ["mixed", *(f"of_{d}" for d in domains)]

    def states(self, rows: Tensor, numbers: Tensor) -> dict[str, Tensor]:
        """Final states by branch, [B, L, width].

        Args:
            rows: int64 [B, L], left-padded rows of the joined tables.
            numbers: int64 [B, L], domain of each place, -1 for padding.
        """
        table = torch.cat([self.w[f"tables.{d}"] for d in self.domains])
        masks = {"mixed": numbers >= 0}
        masks |= {f"of_{d}": numbers == i for i, d in enumerate(self.domains)}
        states_: dict[Any, Tensor] = {}
        for name, mask in masks.items():
            position = mask.flip(1).cumsum(1).flip(1) * mask
            x = (table[rows] + self.w["positions"][position]) * mask[..., None]
            x = self.attended(x, x, [x], f"branches.{name}.attention") * mask[..., None]
            for number, path in enumerate(self.outputs[name]):
                states_[path] = self.expert(x, name, number) * mask[..., None]
        return {name: self.transfer(name, mask, states_) for name, mask in masks.items()}

    def transfer(self, name: str, mask: Tensor, states_: dict[Any, Tensor]) -> Tensor:
        x = states_[name, name]
        to = [p for p in self.paths if p[1] == name]
        groups = [states_[p] for p in to if p[0] == "mixed"]
        others = [states_[p] for p in to if p[0] != "mixed"]
        if others:
            groups.append(torch.stack(others).sum(0))
        mode = self.o.caf_m if name == "mixed" else self.o.ecaf_mode
        if mode == "add":
            for group in groups:
                x = x + group * mask[..., None]
        elif mode == "attn" and groups:
            x = self.attended(x, x, groups, f"transfers.{name}.attention") * mask[..., None]
        prefix = f"transfers.{name}.ffn"
        return (
            self.norm(x + self.swiglu(x, f"{prefix}.experts", 0), f"{prefix}.norm")
            * (mask[..., None])
        )

    def attended(self, x: Tensor, q: Tensor, groups: list[Tensor], prefix: str) -> Tensor:
        """Softmax over all groups' places up to the query's, padding and zeros included."""
        w, b = self.w[f"{prefix}.mha.in_weight"], self.w[f"{prefix}.mha.in_bias"]
        heads, width, size = self.o.heads, x.shape[2], x.shape[1]
        keys = torch.cat(groups, 1)
        q, k, v = (
            F.linear(t, w[i * width : (i + 1) * width], b[i * width : (i + 1) * width])
            .unflatten(2, (heads, -1))
            .transpose(1, 2)
            for i, t in enumerate((q, keys, keys))
        )
        causal = torch.ones(size, size, dtype=torch.bool).tril().repeat(1, len(groups))
        logits = (q @ k.transpose(2, 3) / (width // heads) ** 0.5).masked_fill(~causal, -torch.inf)
        mixed = (logits.softmax(-1) @ v).transpose(1, 2).flatten(2)
        out = F.linear(mixed, self.w[f"{prefix}.mha.out.weight"], self.w[f"{prefix}.mha.out.bias"])
        return self.norm(x + out, f"{prefix}.norm")

    def expert(self, x: Tensor, name: str, number: int) -> Tensor:
        prefix = f"branches.{name}.ffn"
        if self.o.ffn == "single":
            return self.norm(x + self.swiglu(x, f"{prefix}.experts", 0), f"{prefix}.norm")
        gate = F.linear(x, self.w[f"{prefix}.gate"][number]).softmax(-1)
        shared = self.swiglu(x, f"{prefix}.experts", 0)
        own = self.swiglu(x, f"{prefix}.experts", 1 + number)
        return self.norm(
            x + gate[..., :1] * shared + gate[..., 1:] * own, f"{prefix}.norms.{number}"
        )

    def swiglu(self, x: Tensor, prefix: str, number: int) -> Tensor:
        first, second = self.w[f"{prefix}.up"][number]
        inside = F.silu(F.linear(x, first)) * F.linear(x, second)
        return F.linear(inside, self.w[f"{prefix}.down"][number])

    def norm(self, x: Tensor, prefix: str) -> Tensor:
        return F.layer_norm(
            x, x.shape[-1:], self.w[f"{prefix}.weight"], self.w[f"{prefix}.bias"], 1e-5
        )


def absolute_positions(mask: Tensor, in_place: bool) -> Tensor:
    """Places from the end; in the later release the mask itself is multiplied and handed back."""
    order = mask.flip(1).cumsum(1).flip(1)
    if not in_place:
        return mask * order
    mask *= order
    return mask


class DenseReleased(Dense):
    """A release: masks of the domains swapped, positions handed to the wrong branches, ECAF blind
    to its second half; the later one (`in_place`) overwrites its masks by positions."""

    def __init__(self, net: Any, in_place: bool) -> None:
        super().__init__(net)
        self.in_place = in_place

    def states(self, rows: Tensor, numbers: Tensor) -> dict[str, Tensor]:
        """See `Dense.states`; a domain's branch works on the other one's tokens."""
        table = torch.cat([self.w[f"tables.{d}"] for d in self.domains])
        mask_m, mask_a, mask_b = ((numbers >= 0).long(), (numbers == 1).long(),
                                  (numbers == 0).long())  # fmt: skip
        pos_m, pos_a, pos_b = (
            absolute_positions(m, self.in_place) for m in (mask_m, mask_a, mask_b)
        )
        a, b = (f"of_{d}" for d in self.domains)
        m = "mixed"
        masks = {m: mask_m[..., None], a: mask_a[..., None], b: mask_b[..., None]}
        h: dict[Any, Tensor] = {}
        for name, position in ((m, pos_b), (a, pos_m), (b, pos_a)):
            x = (table[rows] + self.w["positions"][position]) * masks[name]
            x = self.attended(x, x, [x], f"branches.{name}.attention") * masks[name]
            for number, path in enumerate(self.outputs[name]):
                h[path] = self.expert(x, name, number) * masks[name]
        states_ = {}
        keys = {m: h[a, m] + h[b, m], a: h[m, a], b: h[m, b]}
        for name, key in keys.items():
            x, prefix = h[name, name], f"transfers.{name}"
            x = self.attended(x, x, [key], f"{prefix}.attention") * masks[name]
            x = x + self.swiglu(x, f"{prefix}.ffn.experts", 0)
            states_[name] = self.norm(x, f"{prefix}.ffn.norm") * masks[name]
        return states_
