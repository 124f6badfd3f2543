"""RegMean++ against fusion_bench's course of it, written out on a net of plain maps."""

from __future__ import annotations

import pytest
import torch
from recmerge_bench_plugins.strategies.regmean import Options, RegMean
from recmerge_bench_plugins.strategies.regmean.plus_plus import RegMeanPlusPlus, layer_of
from torch import Tensor

from recmerge_bench.api import HandledError, MergeInput, WithCatalogue
from recmerge_bench.conformance.merging_world import merging_world


def test_layers_are_blocks_or_modules() -> None:
    names = ["encoder.layers.0.qkv.weight", "layers.10.mlp.0.w", "projection.weight", "positions"]
    assert list(map(layer_of, names)) == [
        "encoder.layers.0", "layers.10", "projection", "positions",
    ]  # fmt: skip
    assert layer_of("net.norm.bias") == "net.norm" and layer_of("0.weight") == "0"


def solve(weights: list[Tensor], inputs: list[Tensor], alpha: float) -> Tensor:
    """fusion_bench's `regmean_params_merge`."""
    grams = []
    for x in inputs:
        gram = (x.T @ x) / len(x)
        grams.append(gram * (alpha + (1 - alpha) * torch.eye(len(gram), dtype=gram.dtype)))
    products = sum(g @ w.T for g, w in zip(grams, weights, strict=True))
    return (torch.linalg.inv(sum(grams[1:], grams[0])) @ products).T


def test_regmean_plus_plus_as_in_fusion_bench() -> None:
    """The tiny net: outer(tanh(inner(x))), x each domain's items as pseudo-users."""
    world = merging_world()
    given = world.given("T1")
    options = Options(sample=0, shrink=0.9, ridge=0.0)
    merged = RegMeanPlusPlus(options).merge(given)
    x = [next(iter(world.kept[e.domain].values())).double() for e in given.experts]

    def own(name: str) -> list[Tensor]:
        return [e.weights[name].double() for e in given.experts]

    inner, bias = solve(own("inner.weight"), x, 0.9), sum(own("inner.bias")) / 3
    torch.testing.assert_close(merged["inner.weight"].double(), inner, rtol=1e-4, atol=1e-5)
    through = [torch.tanh(v @ inner.T + bias) for v in x]
    outer = solve(own("outer.weight"), through, 0.9)
    torch.testing.assert_close(merged["outer.weight"].double(), outer, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(merged["inner.bias"].double(), bias, rtol=1e-5, atol=1e-6)
    plain = RegMean(options).merge(given)
    torch.testing.assert_close(plain["inner.weight"], merged["inner.weight"], rtol=1e-5, atol=1e-6)
    assert float((plain["outer.weight"] - merged["outer.weight"]).abs().max()) > 1e-3
    assert given.notes["solved"] == ["inner.weight", "outer.weight"]


def test_regmean_plus_plus_needs_a_catalogue() -> None:
    given = merging_world().given("T0")
    with pytest.raises(HandledError, match="regmean needs the item catalogue"):
        RegMeanPlusPlus(Options()).merge(given)
    assert isinstance(given, MergeInput) and not isinstance(given, WithCatalogue)
