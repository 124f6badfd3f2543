"""Each method against its paper or its authors' code, written out a second time in float64.

What a method's card says of how it was checked names the test here (or elsewhere).
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transcriptions as other
from recmerge_bench_plugins.strategies.iso_cts import own_directions
from task_vector_cases import (
    CLOSE,
    REGISTRY,
    SHAPES,
    Matrices,
    close,
    drawn,
    given_of,
    lists,
    strategy,
    transformed,
)

from recmerge_bench.planning.options import complete

# -- spectral ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rank", "experts", "directions"),
    [(r, k, n) for r, row in other.ISO_CTS_DIRECTIONS.items() for k, n in row.items()],
)
def test_iso_cts_directions(rank: int, experts: int, directions: int) -> None:
    assert own_directions(rank, experts, 0.8, "nearest") == directions


def test_iso_cts_floor_differs_in_26_of_50() -> None:
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
    assert options.values == {"density": 0.05, "clip": 0.0001, "divide": False, "scale": 1.2}
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


# -- entry by entry ------------------------------------------------------------------------------


def test_averages_and_sums_as_published() -> None:
    """These add up in fp32, as the weights are: compared at its rounding."""
    base, taus = drawn(1, seed=9, w=(37,))[0], drawn(4, seed=8, w=(37,))
    given = given_of(base, taus)
    models = [e.weights["w"].tolist() for e in given.experts]
    for name, options, wanted in (
        ("weight-averaging", {}, other.weight_average(models)),
        ("task-arithmetic", {"scale": 0.4},
         other.task_arithmetic(base["w"].tolist(), models, 0.4)),
    ):  # fmt: skip
        merged = strategy(name, **options).merge(given)["w"]
        wanted_ = torch.tensor(wanted, dtype=torch.float64)
        torch.testing.assert_close(merged, wanted_, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("density", [0.05, 0.2, 1.0])
@pytest.mark.parametrize("whole", [False, True])  # whole numbers: ties of magnitude, zero sums
def test_ties_as_published_and_as_released(density: float, whole: bool) -> None:
    taus = drawn(5, seed=10, w=(40,))
    if whole:
        taus = [{"w": (t["w"] * 40).round()} for t in taus]
    close(transformed("ties", taus, density=density)["w"], other.ties(lists(taus), density))
    official = transformed("ties-official", taus, density=density)["w"]
    close(official, other.ties(lists(taus), density, extra=1, majority=True))


def test_ties_per_tensor_as_mergekit_scopes_it() -> None:
    taus = drawn(3, seed=11, a=(4, 6), b=(3,))
    merged = transformed("ties-per-tensor", taus, density=0.4)
    for name in ("a", "b"):
        close(merged[name], other.ties(lists(taus, name), 0.4))


def test_dare_as_published() -> None:
    taus = drawn(3, seed=12, w=(50,))
    generator = torch.Generator().manual_seed(4)
    draws = [torch.rand(50, generator=generator).tolist() for _ in taus]
    close(transformed("dare", taus, seed=4, drop=0.7)["w"], other.dare(lists(taus), 0.7, draws))


def test_breadcrumbs_as_published() -> None:
    taus = drawn(3, seed=13, a=(5, 8), b=(300,))
    merged = transformed("breadcrumbs", taus)
    for name in ("a", "b"):
        close(merged[name], other.breadcrumbs(lists(taus, name), 0.85, 0.007))


def test_della_as_published() -> None:
    taus = drawn(3, seed=14, a=(4, 9), b=(6,))
    generator = torch.Generator().manual_seed(5)
    thinned: list[Matrices] = []
    for tau in taus:
        own = {}
        for name in ("a", "b"):
            lines = tau[name] if tau[name].dim() == 2 else tau[name][None]
            draws = torch.rand(lines.shape, generator=generator)
            rows = []
            for line, drawn_ in zip(lines.tolist(), draws.tolist(), strict=True):
                chances = other.della_chances(line, 0.5, 0.15)
                rows.append([
                    v / c if u < c else 0.0
                    for v, c, u in zip(line, chances, drawn_, strict=True)
                ])  # fmt: skip
            own[name] = torch.tensor(rows, dtype=torch.float64).view(tau[name].shape)
        thinned.append(own)
    merged = transformed("della", taus, seed=5)
    for name in ("a", "b"):
        close(merged[name], other.ties(lists(thinned, name), 1.0))


def test_magmax_as_released() -> None:
    taus = [{"w": (t["w"] * 40).round()} for t in drawn(4, seed=15, w=(60,))]
    close(transformed("magmax", taus)["w"], other.magmax(lists(taus)))


@pytest.mark.parametrize("threshold", [0.2, 0.6])
def test_consensus_and_tall_masks_as_published(threshold: float) -> None:
    taus = drawn(4, seed=16, w=(60,))
    merged = transformed("consensus", taus, threshold=threshold)["w"]
    close(merged, other.consensus(lists(taus), threshold, 2))
    base = {"w": torch.zeros(60, dtype=torch.float64)}
    each = strategy("tall-masks", threshold=threshold).merge_each(given_of(base, taus))
    total = [sum(column) for column in zip(*lists(taus), strict=True)]
    for domain, tau in zip(each, lists(taus), strict=True):
        mask = other.tall_mask(tau, total, threshold)
        wanted = torch.tensor([t * m for t, m in zip(total, mask, strict=True)])
        torch.testing.assert_close(each[domain]["w"].float(), wanted, rtol=1e-5, atol=1e-6)


def test_emr_as_published() -> None:
    taus = drawn(3, seed=17, a=(4, 5), b=(9,))
    base = {n: torch.zeros_like(t) for n, t in taus[0].items()}
    each = strategy("emr").merge_each(given_of(base, taus))
    rows = [[*t["a"].reshape(-1).tolist(), *t["b"].tolist()] for t in taus]
    for actual, wanted in zip(each.values(), other.emr(rows), strict=True):
        flat = torch.cat([actual["a"].reshape(-1), actual["b"]]).float()
        torch.testing.assert_close(flat, torch.tensor(wanted), rtol=1e-5, atol=1e-6)


def test_localize_and_stitch_and_norm_balanced() -> None:
    taus = drawn(4, seed=18, w=(80,))
    merged = transformed("localize-and-stitch", taus, density=0.2)["w"]
    close(merged, other.localize_and_stitch(lists(taus), 0.2))
    close(transformed("norm-balanced", taus)["w"], other.norm_balanced(lists(taus)))


@pytest.mark.parametrize("tangent", ["projection", "log"])
def test_multi_slerp_as_mergekit_has_it(tangent: str) -> None:
    taus = drawn(3, seed=19, a=(4, 5), b=(7,))
    merged = transformed("multi-slerp", taus, tangent=tangent)
    for name in ("a", "b"):
        rows = torch.stack([t[name].reshape(-1) for t in taus])
        wanted = other.multi_slerp(rows, tangent == "log")
        torch.testing.assert_close(merged[name].reshape(-1), wanted, **CLOSE)
    opposite = [{"w": torch.tensor([3.0, 0.0]).double()}, {"w": torch.tensor([-1.0, 0.0]).double()}]
    assert transformed("multi-slerp", opposite)["w"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_slerp_as_mergekit_has_it(share: float) -> None:
    """Both work in fp32 on the weights: compared at its rounding."""
    one, two = drawn(2, seed=20, a=(4, 5), near=(6,), zero=(5,))
    two["near"] = one["near"] * 1.1
    two["zero"] = torch.zeros(5, dtype=torch.float64)
    base = {n: torch.zeros_like(t) for n, t in one.items()}
    merged = strategy("slerp", share=share).merge(given_of(base, [one, two]))
    for name in one:
        wanted = other.slerp(share, one[name], two[name])
        torch.testing.assert_close(merged[name], wanted, rtol=1e-5, atol=1e-7)
