"""RegMean++: RegMean layer by layer, on what the merged layers below make of the inputs.

Idea: RegMean takes each layer's inputs from the expert's own lower layers, which the merged model
does not have. Here layers are merged from the bottom up. Each layer's inputs are computed through
the merged layers below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from recmerge_bench_plugins.strategies.regmean import RegMean

from recmerge_bench.api import WithCatalogue

if TYPE_CHECKING:
    from torch import Tensor

    from recmerge_bench.toolkit.merging.grams import GramRecorder

_BLOCK = re.compile(r"(?:.+?\.)?\d+(?=\.)")


def layer_of(name: str) -> str:
    """The layer that a parameter belongs to: its block, or its module where it is in no block."""
    match = _BLOCK.match(name)
    return match[0] if match else name.rpartition(".")[0] or name


class RegMeanPlusPlus(RegMean):
    """``W = (sum_k W_k G_k) (sum_k G_k)^-1``, G_k seen through the merged layers below W.

    RegMean takes each expert's inputs as that expert's own lower layers make them; the merged model
    has other lower layers. Here layers are merged in the order in which they are applied: one of
    an expert is given what the layers merged so far make of its domain's pseudo-users and items,
    and inside it its own maps come one after the other. What is applied as no linear map
    (embeddings, positions, norms outside blocks) is averaged at the start.
    """

    def _solved(self, given: WithCatalogue, merged: dict[str, Tensor]) -> list[str]:
        """Layer by layer: `merged` has the experts' mean, and the layers that are done."""
        first = given.experts[0]
        order = self._recorded(given, first.weights, first.domain, 0).order
        layers = list(dict.fromkeys(map(layer_of, order)))
        solved: list[str] = []
        for place, layer in enumerate(layers):
            above = set(layers[place:])
            grams = [
                self._means(
                    self._recorded(given, mixed(merged, e.weights, above), e.domain, k), layer
                )
                for k, e in enumerate(given.experts)
            ]
            names = [n for n in grams[0] if all(n in by_name for by_name in grams)]
            for name in names:
                self._solve(given, name, [by_name[name] for by_name in grams], merged)
            solved += names
        return solved

    def _means(self, recorder: GramRecorder, layer: str) -> dict[str, Tensor]:
        """Mean Gram matrices of one layer's maps."""
        means = recorder.means(self.options.joint == "pooled")
        return {name: gram for name, gram in means.items() if layer_of(name) == layer}


def mixed(
    merged: Mapping[str, Tensor], own: Mapping[str, Tensor], above: Iterable[str]
) -> dict[str, Tensor]:
    """An expert whose layers other than those `above` are the merged ones."""
    layers = set(above)
    return {name: own[name] if layer_of(name) in layers else t for name, t in merged.items()}
