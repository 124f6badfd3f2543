"""Methods that came later, each against its paper or its public code, written out in float64."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest
import torch
import transcriptions as other
import transcriptions_field as field
from recmerge_bench_plugins.strategies.dare_ties import generators
from safetensors.torch import load_file, save_file
from task_vector_cases import CLOSE, close, drawn, given_of, lists, strategy, transformed

from recmerge_bench.api import HandledError
from recmerge_bench.merging import stream
from recmerge_bench.merging.stream import Streamed
from recmerge_bench.toolkit.merging import blocks
from recmerge_bench.toolkit.seeds import mixed


def test_weight_averaging_by_domain() -> None:
    base, taus = drawn(1, seed=9, w=(37,))[0], drawn(3, seed=8, w=(37,))
    given = given_of(base, taus)
    models = [e.weights["w"] for e in given.experts]
    wanted = (3 * models[0] + models[1] + 0 * models[2]) / 4
    for weights in ({"d2": 0, "d0": 3, "d1": 1}, [6, 2, 0]):
        merged = strategy("weight-averaging", weights=weights).merge(given)["w"]
        torch.testing.assert_close(merged, wanted, rtol=1e-6, atol=1e-7)
    plain = strategy("weight-averaging").merge(given)["w"]
    torch.testing.assert_close(plain, sum(models) / 3, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"d0": 1, "d1": 1}, "weights are of d0, d1; the experts are d0, d1, d2"),
        ({"d0": 1, "d1": 1, "x": 1}, "weights are of d0, d1, x"),
        ([1.0, 2.0], "2 weights for 3 experts"),
    ],
)
def test_weights_of_other_experts_are_refused(weights: object, message: str) -> None:
    given = given_of(*(drawn(1, w=(3,))[0], drawn(3, w=(3,))))
    with pytest.raises(HandledError, match=message):
        strategy("weight-averaging", weights=weights).merge(given)


@pytest.mark.parametrize("weights", [[-1.0, 2.0], {"d0": 0.0}, [0.0, 0.0]])
def test_weights_that_are_no_shares_are_refused(weights: object) -> None:
    with pytest.raises(HandledError, match=r"weight-averaging: (no weight is neg|some weight is)"):
        strategy("weight-averaging", weights=weights)


@pytest.mark.parametrize("density", [0.1, 0.5, 1.0])
def test_sce_as_mergekit_has_it(density: float) -> None:
    taus = drawn(4, seed=30, a=(6, 9), b=(17,), zero=(5,))
    for tau in taus:
        tau["zero"] = torch.zeros(5, dtype=torch.float64)
    merged = transformed("sce", taus, density=density)
    for name in ("a", "b"):
        close(merged[name], field.sce(lists(taus, name), density))
        assert bool(merged[name].any())
    assert not merged["zero"].any()


@pytest.mark.parametrize("of", ["tensor", "rows", "columns"])
@pytest.mark.parametrize("share", [0.5, 0.2])
def test_nuslerp_as_mergekit_has_it(of: str, share: float) -> None:
    taus = drawn(2, seed=31, a=(4, 6), bias=(7,), parallel=(5,))
    taus[1]["parallel"] = taus[0]["parallel"] * 2
    merged = transformed("nuslerp", taus, of=of, share=share)
    one, two = taus
    for name in ("bias", "parallel"):
        close(merged[name], field.nuslerp_line(share, one[name].tolist(), two[name].tolist()))
    if of == "tensor":
        sides = [(one["a"].reshape(-1).tolist(), two["a"].reshape(-1).tolist())]
    elif of == "rows":
        sides = list(zip(one["a"].tolist(), two["a"].tolist(), strict=True))
    else:
        sides = list(zip(one["a"].T.tolist(), two["a"].T.tolist(), strict=True))
    lines = torch.tensor([field.nuslerp_line(share, a, b) for a, b in sides], dtype=torch.float64)
    wanted = lines.T if of == "columns" else lines.reshape(4, 6)
    torch.testing.assert_close(merged["a"], wanted, **CLOSE)


def test_nuslerp_takes_two() -> None:
    with pytest.raises(HandledError, match="two experts, not 3"):
        transformed("nuslerp", drawn(3, w=(4,)))


@pytest.mark.parametrize("experts", [2, 3, 5])
def test_karcher_as_mergekit_has_it(experts: int) -> None:
    base, taus = drawn(1, seed=33, a=(4, 5), b=(7,))[0], drawn(experts, seed=32, a=(4, 5), b=(7,))
    taus[0]["b"] = torch.zeros(7, dtype=torch.float64)  # no direction, but a length: nothing
    merged = transformed("karcher", taus)
    for name in base:
        wanted = field.karcher([t[name] for t in taus])
        torch.testing.assert_close(merged[name], wanted, **CLOSE)
    merged = strategy("karcher", of="weights").merge(given_of(base, taus))
    for name in base:
        wanted = field.karcher([base[name] + t[name] for t in taus])
        torch.testing.assert_close(merged[name], wanted, rtol=1e-5, atol=1e-7)  # fp32 outside


def test_karcher_of_two_is_half_way_and_opposites_have_no_way() -> None:
    one, two = torch.tensor([2.0, 0.0]).double(), torch.tensor([0.0, 4.0]).double()
    half = transformed("karcher", [{"w": one}, {"w": two}])["w"]
    torch.testing.assert_close(half, torch.tensor([3.0, 3.0]).double() / 2**0.5, **CLOSE)
    away = transformed("karcher", [{"w": one}, {"w": -one}])["w"]
    assert away.tolist() == [2.0, 0.0]


@pytest.mark.parametrize("density", [0.2, 1.0])
def test_dare_ties_as_published(density: float) -> None:
    taus = drawn(3, seed=34, w=(60,))
    draws = [torch.rand(60, generator=g).tolist() for g in generators(4, 3)]
    thinned = [
        [v / 0.7 if u >= 0.3 else 0.0 for v, u in zip(row, drawn_, strict=True)]
        for row, drawn_ in zip(lists(taus), draws, strict=True)
    ]
    merged = transformed("dare-ties", taus, seed=4, drop=0.3, density=density)["w"]
    close(merged, other.ties(thinned, density))


@pytest.mark.parametrize("density", [0.2, 0.001, 1.0])
def test_dare_ties_streams_with_the_same_draws(
    density: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = given_of(drawn(1, seed=35, a=(30, 20), b=(300,))[0], drawn(3, a=(30, 20), b=(300,)))
    paths = [tmp_path / f"m{n}.safetensors" for n in range(4)]
    for path, model in zip(paths, [given.base, *(e.weights for e in given.experts)], strict=True):
        save_file({n: t.float() for n, t in model.items()}, path)
    base, *experts = (load_file(path) for path in paths)
    made = strategy("dare-ties", density=density)
    wanted = made.merge(given_of(base, [{n: e[n] - base[n] for n in e} for e in experts]))
    for size in (1 << 16, 61):
        monkeypatch.setattr(stream, "BLOCK", size)
        monkeypatch.setattr(blocks, "BLOCK", size + 3)
        Streamed(paths[0], paths[1:]).merge(made, tmp_path / "out")
        for name, tensor in load_file(tmp_path / "out").items():
            torch.testing.assert_close(tensor, wanted[name], rtol=1e-6, atol=1e-6)


# -- one after the other, other bases, depth -------------------------------------------------------


@pytest.mark.parametrize("experts", [1, 2, 4])
@pytest.mark.parametrize("alpha", [0.5, 0.2, 1.0])
def test_opcm_as_released(experts: int, alpha: float) -> None:
    taus = drawn(experts, seed=36, a=(5, 8), b=(9, 4), bias=(7,))
    base = {n: torch.zeros_like(t) for n, t in taus[0].items()}
    merged = strategy("opcm", alpha=alpha).merge(given_of(base, taus))
    for name, wanted in field.opcm(taus, alpha).items():
        torch.testing.assert_close(merged[name], wanted, rtol=1e-5, atol=1e-6)


def test_opcm_in_double_precision_is_outside_and_orders_matter() -> None:
    taus = drawn(2, seed=37, w=(6, 4))
    merged = transformed("opcm", taus)["w"]
    u, s, vh = torch.linalg.svd(taus[0]["w"], full_matrices=False)
    rank = int((s.cumsum(0) / s.sum() <= 0.5).sum())
    assert rank >= 1
    inside = u.T @ (merged - taus[0]["w"]) @ vh.T
    assert float(inside[:rank, :rank].abs().max()) < 1e-12
    assert float(inside.diagonal().abs().max()) < 1e-12
    backwards = transformed("opcm", taus[::-1])["w"]
    assert float((merged - backwards).abs().max()) > 1e-3


def test_opcm_of_an_expert_that_left_a_matrix_alone() -> None:
    taus = drawn(2, seed=38, w=(3, 3))
    zero = {"w": torch.zeros(3, 3, dtype=torch.float64)}
    torch.testing.assert_close(
        transformed("opcm", [zero, *taus])["w"], transformed("opcm", taus)["w"], **CLOSE
    )


def test_mask_merging_as_released() -> None:
    """The masks' draws are ours; what is made of masked vectors is the released code's."""
    taus = drawn(2, seed=39, a=(9, 5), b=(20,))
    rows = [lists(taus, "a")[k] + lists(taus, "b")[k] for k in range(2)]
    merged = transformed("mask-merging", taus, rate=0.0)
    flat = torch.cat([merged["a"].reshape(-1), merged["b"]])
    close(flat, field.mask_merging(rows, 0.8))
    generator = torch.Generator().manual_seed(3)
    masked = []
    for row in rows:
        draws = [*torch.rand(45, generator=generator), *torch.rand(20, generator=generator)]
        masked.append([v / 0.7 if u >= 0.3 else 0.0 for v, u in zip(row, draws, strict=True)])
    merged = transformed("mask-merging", taus, seed=3, rate=0.3, trim=0.5)
    close(torch.cat([merged["a"].reshape(-1), merged["b"]]), field.mask_merging(masked, 0.5))


def test_mask_merging_by_magnitude() -> None:
    taus = [{"w": torch.tensor([1.0, -4.0, 2.0, 3.0], dtype=torch.float64)}]
    merged = transformed("mask-merging", taus, mask="magnitude", rate=0.5, trim=0.0)["w"]
    assert merged.tolist() == [0.0, -8.0, 0.0, 6.0]
    same = transformed("mask-merging", taus, mask="magnitude", rate=0.5, trim=0.0, rescale=False)
    assert same["w"].tolist() == [0.0, -4.0, 0.0, 3.0]


@pytest.mark.parametrize("merge", ["linear", "ties"])
@pytest.mark.parametrize("replacement", ["first", "mean"])
def test_base_replacement_written_out(replacement: str, merge: str) -> None:
    base, taus = drawn(1, seed=41, w=(50,))[0], drawn(3, seed=40, w=(50,))
    given = given_of(base, taus)
    models = [e.weights["w"] for e in given.experts]
    start = models[0] if replacement == "first" else sum(models) / 3
    others = models[1:] if replacement == "first" else models
    rows = [(m - start).tolist() for m in others]
    added = other.ties(rows, 0.4) if merge == "ties" else [sum(c) for c in zip(*rows, strict=True)]
    wanted = start + 0.7 * torch.tensor(added, dtype=torch.float64)
    made = strategy(
        "base-replacement", replacement=replacement, merge=merge, density=0.4, scale=0.7
    )
    torch.testing.assert_close(made.merge(given)["w"], wanted, rtol=1e-5, atol=1e-6)


def test_base_replacement_of_one_expert_is_that_expert() -> None:
    given = given_of(drawn(1, seed=41, w=(5,))[0], drawn(1, seed=40, w=(5,)))
    merged = strategy("base-replacement").merge(given)["w"]
    torch.testing.assert_close(merged, given.experts[0].weights["w"], rtol=1e-6, atol=1e-7)


DEEP = {"layers.0.w": (3, 4), "layers.1.w": (3, 4), "net.layers.2.mlp.w": (5,), "head.w": (2,)}


@pytest.mark.parametrize("merge", ["task-arithmetic", "ties", "consensus"])
def test_lines_as_released(merge: str) -> None:
    taus = drawn(3, seed=42, **DEEP)
    options = {"ties": {"density": 0.2}, "consensus": {"threshold": 0.4}}
    total = {n: sum(t[n] for t in taus) for n in taus[0]}
    added = total if merge == "task-arithmetic" else transformed(merge, taus, **options[merge])
    squares = [sum(float(t.square().sum()) for t in m.values()) for m in (total, added)]
    alpha = (squares[0] / squares[1]) ** 0.5 / 3
    merged = transformed("lines", taus, merge=merge, beta=0.6)
    for name, wanted in field.lines(added, alpha, 0.6, 3).items():
        torch.testing.assert_close(merged[name], wanted, **CLOSE)
    if merge == "task-arithmetic":
        assert alpha == pytest.approx(1 / 3)


def test_lines_of_one_expert_scales_any_merge() -> None:
    [tau] = drawn(1, seed=44, **DEEP)
    merged = transformed("lines", [tau], alpha=0.2, beta=0.8)
    for name, wanted in field.lines(tau, 0.2, 0.8, 3).items():
        torch.testing.assert_close(merged[name], wanted, **CLOSE)


def test_lines_takes_a_number_inside_a_block_for_none() -> None:
    made = strategy("lines", beta=1.0)
    names = ["layers.2.mlp.0.w", "layers.1.w", "tables.7.w"]
    assert made.scales(names, 0.2) == {names[0]: 1.2, names[1]: 0.7, names[2]: 0.2}
    assert made.scales(["w"], 0.2) == {"w": 0.2}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"merge": "median"}, "merge"),
        ({"alpha": "norm"}, "alpha"),
        ({"blocks": "layers"}, "one group"),
        ({"blocks": "("}, "blocks: "),
        ({"merge": "ties", "density": 0.0}, "density"),
    ],
)
def test_lines_refuses(options: dict[str, object], message: str) -> None:
    with pytest.raises(HandledError, match=message):
        strategy("lines", **options)


@pytest.mark.parametrize("experts", [1, 3])
def test_doge_as_released(experts: int) -> None:
    taus = drawn(experts, seed=45, a=(13, 7), b=(7, 16), bias=(7,), z=(6, 6))
    merged = transformed("doge", taus, steps=60, subspace=3)
    assert not merged.pop("bias").any()
    matrices = [{n: t for n, t in tau.items() if n != "bias"} for tau in taus]
    for name, wanted in field.doge(matrices, 0.07, 0.3, 3, 60).items():
        torch.testing.assert_close(merged[name], wanted, rtol=1e-8, atol=1e-10)
    still = transformed("doge", taus, steps=0, subspace=3)
    assert float((still["a"] - merged["a"]).abs().max()) > 1e-5  # it has moved


def test_doge_of_an_expert_that_left_a_matrix_alone() -> None:
    taus = drawn(2, seed=46, a=(6, 5))
    taus[1]["a"] = torch.zeros(6, 5, dtype=torch.float64)
    assert bool(transformed("doge", taus, steps=3)["a"].isfinite().all())


def test_sharprec_psa_as_released() -> None:
    taus = drawn(3, seed=47, a=(5, 6), still=(4,))
    for tau in taus:
        tau["still"] = torch.full((4,), 1e-8, dtype=torch.float64)
    mean = sum(t["a"] for t in taus) / 3
    plain = transformed("sharprec-psa", taus, noise=0.0)
    close(plain["a"], field.psa(mean.reshape(-1).tolist(), [0.0] * 30, 0.98, 0.1, 10.0))
    assert not plain["still"].any()
    noisy = transformed("sharprec-psa", taus, seed=2, noise=0.01, power=0.9)["a"]
    draw = torch.Generator().manual_seed(mixed(2, zlib.crc32(b"a")))
    noise = (0.01 * torch.randn(30, generator=draw).double()).tolist()
    close(noisy, field.psa(mean.reshape(-1).tolist(), noise, 0.9, 0.1, 10.0))


@pytest.mark.parametrize("adapters", [2, 4])
def test_weaverec_of_adapters_as_released(adapters: int) -> None:
    """Whole models that adapters were added to merge as the adapters' products do."""
    base = drawn(1, seed=48, w=(5, 6))[0]
    left = [t["b"] for t in drawn(adapters, seed=49, b=(5, 2))]
    right = [t["a"] for t in drawn(adapters, seed=50, a=(2, 6))]
    taus = [{"w": 2.0 * b @ a} for b, a in zip(left, right, strict=True)]
    merged = strategy("weaverec").merge(given_of(base, taus))["w"]
    factors = [(b.tolist(), a.tolist()) for b, a in zip(left, right, strict=True)]
    wanted = torch.tensor(field.of_adapters(base["w"].tolist(), factors, 2.0), dtype=torch.float64)
    torch.testing.assert_close(merged, wanted, rtol=1e-12, atol=1e-12)
