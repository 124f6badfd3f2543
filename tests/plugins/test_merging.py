"""Merge strategies: exact values, the released code's vectors, and what all must obey."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recmerge_bench.api import Expert, HandledError, MergeInput
from recmerge_bench.registry import Registry
from recmerge_bench.targets import define
from recmerge_bench.testing import models
from recmerge_bench.toolkit.merging.task_vectors import TaskVectors
from recmerge_bench.toolkit.merging.trim import agreeing_means, elected_signs, keep_largest


def merge(registry: Registry, name: str, given: MergeInput, **options: Any) -> dict[str, Any]:
    spec = registry.get("strategy", name)
    merged: dict[str, Any] = define(spec.target, {**spec.options, **options}).merge(given)
    return merged


def flat(values: list[list[float]], base: list[float] | None = None) -> MergeInput:
    start = torch.tensor(base or [0.0] * len(values[0]))
    experts = (Expert(f"d{k}", {"w": start + torch.tensor(v)}) for k, v in enumerate(values))
    return MergeInput({"w": start}, tuple(experts), 0)


# -- exact values --------------------------------------------------------------------------------


def test_averaging_and_task_arithmetic(registry: Registry) -> None:
    given = flat([[1.0, 0.0], [3.0, -2.0]], [10.0, 10.0])
    assert merge(registry, "weight-averaging", given)["w"].tolist() == [12.0, 9.0]
    merged = merge(registry, "task-arithmetic", given, scale=0.5)
    assert merged["w"].tolist() == [12.0, 9.0]


def test_ties_by_hand(registry: Registry) -> None:
    given = flat([[4.0, -3.0, 0.1, 2.0], [-1.0, -5.0, 0.2, 6.0], [2.0, 1.0, 9.0, -0.3]])
    # floor(.5 * 4) = 2 entries of each: [4,-3,0,0], [0,-5,0,6], [2,0,9,0]
    merged = merge(registry, "ties", given, density=0.5)
    assert merged["w"].tolist() == [3.0, -4.0, 9.0, 6.0]


def test_ties_variants_differ_where_they_say(registry: Registry) -> None:
    given = flat([[4.0, 3.0, -2.0, -1.0], [4.0, -3.0, -2.0, -1.0]])
    assert merge(registry, "ties", given, density=0.5)["w"].tolist() == [4.0, 3.0, 0.0, 0.0]
    # one entry more, and the zero sum of the second column follows the majority, minus
    official = merge(registry, "ties-official", given, density=0.5)["w"].tolist()
    assert official == [4.0, 3.0, -2.0, 0.0]
    even = flat([[1.0, 3.0, -2.0, -1.5], [1.0, -3.0, -2.0, -1.5]])
    signs = merge(registry, "ties-official", even, density=0.75)["w"].tolist()
    assert signs == [1.0, -3.0, -2.0, -1.5]
    two = MergeInput(
        {"a": torch.zeros(2), "b": torch.zeros(2)},
        (Expert("x", {"a": torch.tensor([9.0, 8.0]), "b": torch.tensor([2.0, 1.0])}),),
        0,
    )
    whole = merge(registry, "ties", two, density=0.5)
    assert whole["a"].tolist() == [9.0, 8.0] and not whole["b"].any()
    each = merge(registry, "ties-per-tensor", two, density=0.5)
    assert each["a"].tolist() == [9.0, 0.0] and each["b"].tolist() == [2.0, 0.0]


@pytest.mark.parametrize(
    ("name", "key", "atol"),
    [
        ("ties", "ties", 0.0),
        ("pcb-mergerec", "pcb", 1e-6),
        ("localize-and-stitch", "localize_and_stitch", 0.0),
    ],
)
def test_vectors_of_the_released_code(
    registry: Registry, shared: Path, name: str, key: str, atol: float
) -> None:
    from safetensors.torch import load_file

    golden = load_file(str(shared / "goldens" / "mergerec_vectors.safetensors"))
    base, experts = golden["in/base"], golden["in/experts"]
    given = MergeInput(
        {"w": base}, tuple(Expert(str(k), {"w": e}) for k, e in enumerate(experts)), 0
    )
    spec = registry.get("strategy", name)
    strategy = define(spec.target, {**spec.options, "density": 0.2})
    rows = strategy.transform(TaskVectors.of(given), 0).rows
    wanted = golden[f"out/{key}_vectors_density_0.2"]
    assert rows.shape == wanted.shape and float(wanted.abs().max()) > 0
    torch.testing.assert_close(rows, wanted, atol=atol or 1e-7, rtol=1e-5)


def test_magmax_takes_the_largest_and_the_later_of_equals(registry: Registry) -> None:
    given = flat([[1.0, -2.0, 3.0], [-1.0, 1.0, 4.0]])
    assert merge(registry, "magmax", given, scale=1.0)["w"].tolist() == [-1.0, -2.0, 4.0]


def test_model_stock_by_angle(registry: Registry) -> None:
    equal = flat([[1.0, 1.0], [1.0, 1.0]])
    assert merge(registry, "model-stock", equal)["w"].tolist() == pytest.approx([1.0, 1.0])
    square = flat([[2.0, 0.0], [0.0, 2.0]])
    assert merge(registry, "model-stock", square)["w"].tolist() == pytest.approx([0.0, 0.0])
    sixty = flat([[1.0, 0.0], [0.5, math.sqrt(0.75)]])  # cos 1/2: t = 1 / 1.5
    actual = merge(registry, "model-stock", sixty)["w"]
    assert actual.tolist() == pytest.approx([0.5, math.sqrt(0.75) / 3], abs=1e-6)


def test_slerp_goes_along_the_circle(registry: Registry) -> None:
    given = flat([[1.0, 0.0], [0.0, 1.0]])
    half = 2**-0.5
    torch.testing.assert_close(merge(registry, "slerp", given)["w"], torch.tensor([half, half]))
    third = merge(registry, "slerp", given, share=1 / 3)["w"]
    torch.testing.assert_close(third, torch.tensor([3**0.5 / 2, 0.5]))
    near = flat([[1.0, 0.0], [1.0, 0.001]])
    torch.testing.assert_close(merge(registry, "slerp", near)["w"], torch.tensor([1.0, 0.0005]))
    with pytest.raises(HandledError, match="two experts, not 3"):
        merge(registry, "slerp", models())


def test_dare_keeps_the_expectation(registry: Registry) -> None:
    given = flat([[1.0] * 20000])
    merged = merge(registry, "dare", given, drop=0.75, scale=1.0)["w"]
    assert set(merged.tolist()) == {0.0, 4.0}
    assert float(merged.mean()) == pytest.approx(1.0, abs=0.05)


def test_task_vectors_of_one_length(registry: Registry) -> None:
    given = flat([[3.0, 4.0], [0.0, -1.0], [0.0, 0.0]])
    merged = merge(registry, "norm-balanced", given, scale=1.0)["w"]
    # lengths 5, 1 and 0: their mean is 2, and nothing stays nothing
    torch.testing.assert_close(merged, torch.tensor([1.2, 1.6 - 2.0]))
    one = MergeInput({"a": torch.zeros(1), "b": torch.zeros(1)}, (
        Expert("x", {"a": torch.tensor([1.0]), "b": torch.tensor([9.0])}),
        Expert("y", {"a": torch.tensor([3.0]), "b": torch.tensor([-3.0])}),
    ), 0)  # fmt: skip
    by_tensor = merge(registry, "norm-balanced", one, scale=1.0, by="tensor")
    assert (float(by_tensor["a"]), float(by_tensor["b"])) == (4.0, 0.0)
    with pytest.raises(HandledError, match="model or tensor"):
        merge(registry, "norm-balanced", one, by="layer")


def test_breadcrumbs_drops_both_ends(registry: Registry) -> None:
    given = flat([[float(n) for n in range(1, 11)]])
    merged = merge(registry, "breadcrumbs", given, bottom=0.5, top=0.1, scale=1.0)["w"]
    assert merged.tolist() == [0.0] * 5 + [6.0, 7.0, 8.0, 9.0, 0.0]
    all_but_bottom = merge(registry, "breadcrumbs", given, bottom=0.5, top=0.0, scale=1.0)["w"]
    assert all_but_bottom.tolist() == [0.0] * 5 + [6.0, 7.0, 8.0, 9.0, 10.0]


def test_della_expects_the_vector(registry: Registry) -> None:
    base = {"w": torch.zeros(1, 40)}
    vector = torch.linspace(1, 2, 40)[None]
    total = torch.zeros(1, 40)
    for seed in range(400):
        given = MergeInput(base, (Expert("d", {"w": vector}),), seed)
        total += merge(registry, "della", given)["w"]
    assert float((total / 400 - vector).abs().mean()) < 0.1


def test_consensus_drops_what_one_expert_needs(registry: Registry) -> None:
    given = flat([[1.0, 1.0], [1.0, 0.0]])
    # second column: expert 0 |1| > .6 * |0|, expert 1 |0| > .6 * |1| fails: one vote of two
    assert merge(registry, "consensus", given, scale=1.0)["w"].tolist() == [2.0, 0.0]


def matrices(*rows: torch.Tensor) -> MergeInput:
    base = {"w": torch.zeros_like(rows[0])}
    return MergeInput(base, tuple(Expert(str(k), {"w": r}) for k, r in enumerate(rows)), 0)


def orthogonal(size: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=torch.float64))[0]


def test_spectral_methods_on_orthogonal_experts(registry: Registry) -> None:
    left, right = orthogonal(6, 0), orthogonal(6, 1)
    parts = [(left[:, s] * 3) @ right[:, s].T for s in (slice(0, 3), slice(3, 6))]
    given = matrices(*(p.float() for p in parts))
    total = sum(parts).float()  # type: ignore[union-attr]
    for name in ("tsv-m", "iso-c"):  # nothing interferes and the spectrum is even
        torch.testing.assert_close(merge(registry, name, given)["w"], total, atol=1e-5, rtol=0)
    # rows of one expert meet nothing of the other's, so least interference is the sum too
    closed = merge(registry, "wudi-closed-form", given, ridge=0.0)["w"]
    torch.testing.assert_close(closed, total, atol=1e-5, rtol=0)


def test_iso_c_evens_the_spectrum(registry: Registry) -> None:
    given = models(2)
    merged = merge(registry, "iso-c", given)
    difference = merged["a.weight"] - given.base["a.weight"]
    values = torch.linalg.svdvals(difference)
    assert float(values.max() - values.min()) < 1e-5
    total = sum(e.weights["a.weight"] - given.base["a.weight"] for e in given.experts)
    assert float(values.mean()) == pytest.approx(float(torch.linalg.svdvals(total).mean()), 1e-4)
    bias = sum(e.weights["a.bias"] - given.base["a.bias"] for e in given.experts) / 2
    assert torch.allclose(merged["a.bias"] - given.base["a.bias"], bias, atol=1e-6)


def test_wudi_solvers_agree_on_the_loss(registry: Registry) -> None:
    given = models(3, seed=4)
    rows = torch.stack([e.weights["z"] - given.base["z"] for e in given.experts])

    def loss(merged: torch.Tensor) -> float:
        tau = merged - given.base["z"]
        products = (tau - rows) @ rows.mT
        return float((products.square().sum((1, 2)) / rows.square().sum((1, 2))).sum())

    closed = loss(merge(registry, "wudi-closed-form", given, ridge=0.0)["z"])
    adam = loss(merge(registry, "wudi", given, lr=1e-2, steps=2000)["z"])
    plain = loss(merge(registry, "task-arithmetic", given, scale=1.0)["z"])
    assert closed <= adam + 1e-6 < plain
    assert adam == pytest.approx(closed, abs=1e-3)


# -- primitives ----------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-4, 4, width=32), min_size=1, max_size=40), st.integers(0, 50))
def test_keep_largest_keeps_what_sorting_keeps(values: list[float], count: int) -> None:
    vector = torch.tensor(values)
    kept = keep_largest(vector.clone(), count)
    order = sorted((abs(v) for v in vector.tolist()), reverse=True)
    least = order[min(count, len(order)) - 1] if count else math.inf
    assert kept.tolist() == [v if abs(v) >= least else 0.0 for v in vector.tolist()]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5), st.integers(1, 12), st.integers(0, 10_000))
def test_agreeing_means_by_loops(rows: int, columns: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randint(-2, 3, (rows, columns), generator=generator).float()
    merged = agreeing_means(values.clone(), elected_signs(values)).sum(0).tolist()
    for column, actual in zip(values.T.tolist(), merged, strict=True):
        positive = sum(column) >= 0
        agree = [v for v in column if v != 0 and (v > 0) == positive]
        assert actual == pytest.approx(sum(agree) / len(agree) if agree else 0.0, abs=1e-6)


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("ties", {"density": 0.0}, "density"),
        ("ties", {"density": 1.5}, "density"),
        ("dare", {"drop": 1.0}, "drop"),
        ("breadcrumbs", {"bottom": 0.9, "top": 0.2}, "bottom"),
        ("della", {"density": 0.1}, "density"),
        ("iso-cts", {"common": 0.0}, "common"),
        ("pcb", {"clip": 0.5}, "clip"),
        ("wudi", {"norm": "cubed"}, "norm"),
        ("wudi-closed-form", {"ridge": -1.0}, "ridge"),
        ("iso-cts", {"own": "up"}, "own"),
    ],
)
def test_options_out_of_range_are_one_line(
    registry: Registry, name: str, options: dict[str, Any], says: str
) -> None:
    spec = registry.get("strategy", name)
    with pytest.raises(HandledError, match=says) as caught:
        define(spec.target, {**spec.options, **options})
    assert "\n" not in str(caught.value)
