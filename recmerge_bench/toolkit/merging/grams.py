"""Inner products of what linear maps are given, collected while a net runs."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

_PRODUCTS = {
    torch.matmul, torch.mm, torch.Tensor.matmul, torch.Tensor.mm, torch.Tensor.__matmul__,
}  # fmt: skip
_PART = re.compile(r"(.+)\[(\d+):(\d+)\]")
#: `F.multi_head_attention_forward`'s arguments, in order.
_ATTENTION = (
    "query", "key", "value", "embed_dim_to_check", "num_heads", "in_proj_weight", "in_proj_bias",
    "bias_k", "bias_v", "add_zero_attn", "dropout_p", "out_proj_weight", "out_proj_bias",
)  # fmt: skip


def part_of(name: str) -> tuple[str, slice]:
    """Parameter and rows that a Gram matrix belongs to: ``w[0:64]``, or ``w`` for all rows."""
    match = _PART.fullmatch(name)
    if match is None:
        return name, slice(None)
    return match[1], slice(int(match[2]), int(match[3]))


class GramRecorder(TorchFunctionMode):
    """While active, adds up x^T x for every linear map whose weight is one of these parameters.

    Seen are `F.linear` (and so `nn.Linear`), products ``x @ w.T``, and `nn.MultiheadAttention`
    with its joint projection of queries, keys and values and its output projection. A map may be
    applied through some of its rows alone (a part of a joint projection): each stretch of rows
    has inputs of its own.

    Args:
        parameters: matrices [out, in], by name.

    Attributes:
        order: names of those that were applied, the first one first.
    """

    def __init__(self, parameters: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.order: list[str] = []
        self._parameters = dict(parameters)
        self._owners = {p.untyped_storage().data_ptr(): n for n, p in parameters.items()}
        self._seen: dict[str, dict[tuple[int, int], tuple[Tensor, int]]] = {
            n: {} for n in parameters
        }

    def sums(self) -> dict[str, tuple[Tensor, int]]:
        """x^T x (float64 [in, in]) and how many x, for all rows or a part of them: see `part_of`.

        Where maps through different rows overlap, the rows are cut into stretches that saw alike.
        """
        stretches = {}
        for name, spans in self._seen.items():
            whole = (0, len(self._parameters[name]))
            for start, end in itertools.pairwise(sorted({end for span in spans for end in span})):
                over = [sums for rows, sums in spans.items() if rows[0] <= start and end <= rows[1]]
                if over:
                    key = name if (start, end) == whole else f"{name}[{start}:{end}]"
                    stretches[key] = _added(over)
        return stretches

    def means(self, pooled: bool = False) -> dict[str, Tensor]:
        """Mean of x^T x, named as in `sums`.

        Args:
            pooled: one for each parameter, over the inputs of any of its rows.
        """
        sums = self.sums()
        if pooled:
            sums = {n: _added(spans.values()) for n, spans in self._seen.items() if spans}
        return {n: total / count for n, (total, count) in sums.items()}

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Record, then let the function run."""
        named = kwargs or {}
        if func is F.linear:
            values = dict(zip(("input", "weight"), args, strict=False)) | named
            self._add(values["input"], values["weight"])
        elif func in _PRODUCTS and len(args) == 2 and _is_transposed(args[1]):
            self._add(args[0], args[1].T)
        elif func is F.multi_head_attention_forward:
            self._attention(func, dict(zip(_ATTENTION, args, strict=False)) | named, args, named)
        return func(*args, **named)

    def _attention(
        self, func: Any, values: Mapping[str, Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> None:
        """What attention's four maps are given; it runs inside where no mode can look."""
        sides = [values[n] for n in ("query", "key", "value")]
        if values.get("use_separate_proj_weight"):
            names = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
            for x, name in zip(sides, names, strict=True):
                self._add(x, values[name])
        elif sides[0] is sides[1] is sides[2]:
            self._add(sides[0], values["in_proj_weight"])
        else:
            for x, weight in zip(sides, values["in_proj_weight"].chunk(3), strict=True):
                self._add(x, weight)
        out = values["out_proj_weight"]
        # With the identity for its output projection attention returns what that is given.
        plain = {"out_proj_weight": torch.eye(len(out), dtype=out.dtype, device=out.device),
                 "out_proj_bias": None}  # fmt: skip
        swapped = list(args)
        for name, value in plain.items():
            if name not in kwargs:
                swapped[_ATTENTION.index(name)] = value
        own = {**kwargs, **{n: v for n, v in plain.items() if n in kwargs}}
        self._add(func(*swapped, **own)[0], out)

    def _add(self, x: Tensor, weight: Tensor) -> None:
        """Count inputs [..., in] of a weight, if that is a parameter or some of its rows."""
        name = self._owners.get(weight.untyped_storage().data_ptr())
        if name is None:
            return
        parameter = self._parameters[name]
        if weight.shape[1:] != parameter.shape[1:] or weight.stride() != parameter.stride():
            return  # some columns, or another view: not a map of these inputs
        offset = int(weight.storage_offset() - parameter.storage_offset())
        first = offset // parameter.stride(0)
        rows = x.detach().reshape(-1, x.shape[-1]).double()
        span = (first, first + len(weight))
        if name not in self.order:
            self.order.append(name)
        gram, count = self._seen[name].get(span, (torch.zeros((), dtype=torch.float64), 0))
        self._seen[name][span] = (gram.to(rows.device) + rows.T @ rows, count + len(rows))


def _is_transposed(matrix: Any) -> bool:
    """Whether a tensor is some matrix's transpose: its columns are contiguous, its rows not."""
    return isinstance(matrix, Tensor) and matrix.dim() == 2 and matrix.stride(0) == 1


def _added(parts: Iterable[tuple[Tensor, int]]) -> tuple[Tensor, int]:
    """Sums of matrices and of counts."""
    grams, counts = zip(*parts, strict=True)
    return torch.stack(grams).sum(0), sum(counts)
