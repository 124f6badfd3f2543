"""Each method against its paper or its authors' code, written out a second time in float64.

What a method's card says of how it was checked names the test here (or elsewhere).
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transcriptions as other
from recmerge_bench_plugins.iso_cts import own_directions
from torch import Tensor

from recmerge_bench.merging.task_vectors import TaskVectors
from recmerge_bench.planning.options import complete
from recmerge_bench.registry import discover
from recmerge_bench.targets import define

REGISTRY = discover(environ={})
CLOSE = {"rtol": 1e-9, "atol": 1e-10}
Matrices = dict[str, Tensor]


def strategy(name: str, **options: Any) -> Any:
    spec = REGISTRY.get("strategy", name)
    return define(spec.target, complete(spec, options, "test"))


def drawn(experts: int, seed: int = 0, **shapes: tuple[int, ...]) -> list[Matrices]:
    """Task vectors that share a part, so that cosines are neither 0 nor 1: float64."""
    generator = torch.Generator().manual_seed(seed)

    def one() -> Matrices:
        return {
            n: torch.randn(s, generator=generator, dtype=torch.float64) for n, s in shapes.items()
        }

    shared = one()
    return [
        {n: (0.5 * shared[n] + (0.6 + 0.2 * k) * t) * 0.05 for n, t in one().items()}
        for k in range(experts)
    ]


def transformed(name: str, taus: list[Matrices], seed: int = 0, **options: Any) -> Matrices:
    """What a method's rows add up to, in float64, at scale 1."""
    zero = {n: torch.zeros_like(t) for n, t in taus[0].items()}
    rows = torch.stack([torch.cat([t[n].reshape(-1) for n in sorted(t)]) for t in taus])
    vectors = TaskVectors(torch.zeros_like(rows[0]), rows, zero, ("d",) * len(taus))
    changed = strategy(name, **options).transform(vectors, seed)
    assert changed.rows.dtype == torch.float64
    return changed.merged(1.0)


SHAPES = {"a": (12, 7), "b": (7, 16), "bias": (7,), "flat": (1, 9), "small": (2, 5), "z": (16, 16)}


# -- spectral ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rank", "experts", "directions"),
    [(r, k, n) for r, row in other.ISO_CTS_DIRECTIONS.items() for k, n in row.items()],
)
def test_iso_cts_directions(rank: int, experts: int, directions: int) -> None:
    assert own_directions(rank, experts, 0.8, "nearest") == directions


def test_rounding_down_differs_in_26_of_50() -> None:
    pairs = [(r, k) for r, row in other.ISO_CTS_DIRECTIONS.items() for k in row]
    differ = [
        p for p in pairs
        if own_directions(*p, 0.8, "floor") != other.ISO_CTS_DIRECTIONS[p[0]][p[1]]
    ]  # fmt: skip
    assert len(pairs) == 50 and len(differ) == 26 and (16, 4) in differ
    assert own_directions(16, 4, 0.8, "floor") == 0  # nothing is left but Iso-C


@pytest.mark.parametrize("experts", [1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize("fraction", [0.8, 0.5, 1.0])
def test_iso_cts_as_released(experts: int, fraction: float) -> None:
    taus = drawn(experts, **SHAPES)
    merged = transformed("iso-cts", taus, common=fraction)
    for name in SHAPES:
        if round((min(SHAPES[name]) - int(fraction * min(SHAPES[name]))) / experts) * experts > min(
            SHAPES[name]
        ):
            continue  # the released code's number of directions exceeds the rank
        wanted = other.by_tensor(lambda t: other.iso_cts(t, fraction), [t[name] for t in taus])
        torch.testing.assert_close(merged[name], wanted, **CLOSE)


def test_iso_cts_is_not_iso_c_at_rank_16_of_4() -> None:
    taus = drawn(4, z=(16, 16))
    merged, plain = (transformed(n, taus)["z"] for n in ("iso-cts", "iso-c"))
    assert float((merged - plain).norm() / plain.norm()) > 0.05
    torch.testing.assert_close(transformed("iso-cts-floor", taus)["z"], plain, **CLOSE)


@pytest.mark.parametrize("experts", [1, 2, 4])
@pytest.mark.parametrize(("name", "method"), [("iso-c", other.iso_c), ("tsv-m", other.tsv_m)])
def test_spectral_methods_as_released(name: str, method: Any, experts: int) -> None:
    taus = drawn(experts, seed=1, **SHAPES)
    merged = transformed(name, taus)
    for key in SHAPES:
        wanted = other.by_tensor(method, [t[key] for t in taus])
        torch.testing.assert_close(merged[key], wanted, **CLOSE)


# -- WUDI ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", ["squared", "plain"])
@pytest.mark.parametrize("experts", [2, 5])
def test_wudi_as_released(norm: str, experts: int) -> None:
    taus = drawn(experts, seed=2, a=(12, 7), b=(7, 16), bias=(7,))
    merged = transformed("wudi", taus, norm=norm)
    total = {n: sum(t[n] for t in taus) for n in taus[0]}
    for name in ("a", "b"):
        wanted = other.wudi(torch.stack([t[name] for t in taus]), 1e-5, 300, norm == "squared")
        torch.testing.assert_close(merged[name], wanted, **CLOSE)
        assert float((merged[name] - total[name]).abs().max()) > 1e-4  # it has moved
    assert not merged["bias"].any()  # the released code for vision models leaves it
    mean = transformed("wudi", taus, rest="mean", steps=0)["bias"]
    torch.testing.assert_close(mean, total["bias"] / experts, **CLOSE)


def test_wudis_closed_form_has_no_gradient_and_is_another_method() -> None:
    taus = drawn(3, seed=3, a=(12, 7))
    rows = torch.stack([t["a"] for t in taus])
    closed = transformed("wudi-closed-form", taus, ridge=0.0)["a"].requires_grad_()
    loss = sum(((closed - t) @ t.T).square().sum() / t.square().sum() for t in rows)
    loss.backward()
    assert closed.grad is not None and float(closed.grad.abs().max()) < 1e-12
    published = transformed("wudi", taus)["a"]
    assert float(published.norm() / closed.detach().norm()) > 1.5


def test_an_expert_that_left_a_matrix_alone_takes_no_part() -> None:
    taus = drawn(3, seed=4, a=(6, 5))
    with_zero = [*taus, {"a": torch.zeros(6, 5, dtype=torch.float64)}]
    for name in ("wudi", "wudi-closed-form", "model-stock"):
        merged = transformed(name, with_zero)["a"]
        assert bool(merged.isfinite().all())
        if name != "model-stock":
            torch.testing.assert_close(merged, transformed(name, taus)["a"], **CLOSE)


# -- PCB, Model Stock ----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [12, 99, 100, 1500])
@pytest.mark.parametrize(
    ("name", "ratio", "clip"),
    [("pcb", 0.05, 1e-4), ("pcb-one-percent", 0.2, 0.01), ("pcb-mergerec", 0.2, 0.01)],
)
def test_pcb_as_released(name: str, ratio: float, clip: float, size: int) -> None:
    taus = drawn(4, seed=5, w=(size,))
    ratio = ratio if size > 20 else 0.5  # the released code divides zero by zero where one is left
    merged = transformed(name, taus, density=ratio)["w"]
    rows = torch.stack([t["w"] for t in taus])
    wanted = other.pcb(rows, ratio, clip, divide=name == "pcb-mergerec")
    torch.testing.assert_close(merged, wanted, **CLOSE)


def test_pcb_clamps_as_its_authors_do() -> None:
    options = complete(REGISTRY.get("strategy", "pcb"), {}, "test")
    assert options == {"density": 0.05, "clip": 0.0001, "divide": False, "scale": 1.2}
    taus = drawn(4, seed=5, w=(1500,))
    fine, coarse = (transformed(n, taus, density=0.2)["w"] for n in ("pcb", "pcb-one-percent"))
    assert float((fine - coarse).norm() / fine.norm()) > 0.01


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("experts", [2, 3, 5])
def test_model_stock_as_mergekit_has_it(experts: int, sign: float) -> None:
    taus = drawn(experts, seed=6, a=(4, 5), bias=(6,))
    taus[0] = {n: sign * t for n, t in taus[0].items()}  # an expert that goes the other way
    merged = transformed("model-stock", taus)
    for name in taus[0]:
        wanted = other.model_stock(torch.stack([t[name].reshape(-1) for t in taus]))
        torch.testing.assert_close(merged[name].reshape(-1), wanted, **CLOSE)


def test_model_stocks_clamp_is_an_option() -> None:
    tau = torch.tensor([1.0, 0.2], dtype=torch.float64)
    taus = [{"w": tau}, {"w": torch.tensor([-1.0, 0.2], dtype=torch.float64)}]
    cosine = (0.04 - 1.0) / 1.04
    share = 2 * cosine / (1 + cosine)
    assert share < -10
    wanted = torch.tensor([0.0, 0.2 * share], dtype=torch.float64)
    torch.testing.assert_close(transformed("model-stock", taus)["w"], wanted, **CLOSE)
    assert not transformed("model-stock", taus, clamp=True)["w"].any()
    opposite = [{"w": tau}, {"w": -tau}]
    assert not transformed("model-stock", opposite)["w"].any()  # no direction at all: the base
