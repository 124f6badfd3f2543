"""Fisher, RegMean, greedy soup and CMA-ES on pseudo-users; EMR and TALL masks; what they need."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import builders
import numpy as np
import pytest
import torch
from recmerge_bench_plugins.backbones.sasrec_text import SASRecText, SASRecTextOptions
from recmerge_bench_plugins.strategies.cma_search import CmaSearch
from recmerge_bench_plugins.strategies.cma_search import Options as CmaOptions
from recmerge_bench_plugins.strategies.emr import Emr
from recmerge_bench_plugins.strategies.fisher import Fisher
from recmerge_bench_plugins.strategies.fisher import Options as FisherOptions
from recmerge_bench_plugins.strategies.greedy_soup import GreedySoup
from recmerge_bench_plugins.strategies.greedy_soup import Options as SoupOptions
from recmerge_bench_plugins.strategies.regmean import Options as RegOptions
from recmerge_bench_plugins.strategies.regmean import RegMean, ShippedRegMean
from recmerge_bench_plugins.strategies.tall_masks import Options as TallOptions
from recmerge_bench_plugins.strategies.tall_masks import TallMasks

from recmerge_bench.api import Expert, MergeInput, StrategyDefinition
from recmerge_bench.errors import HandledError
from recmerge_bench.merging.pseudo_users import PseudoUsers
from recmerge_bench.merging.statistics import shipped_grams
from recmerge_bench.tiers import IsolationError, WithCatalogue, merge_input
from recmerge_bench.toolkit.merging.grams import GramRecorder
from recmerge_bench.toolkit.merging.objective import Disagreement

PLAIN = builders.catalogue((30, 20))
VECTORS = np.random.default_rng(0).standard_normal((PLAIN.n_items, 12)).astype(np.float32)
CAT = replace(PLAIN, vectors=VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True))
MODEL = SASRecText(SASRecTextOptions(width=8, heads=2, max_len=6, dropout=0.0))


def world(changes: tuple[float, ...] = (0.3, 0.3), seed: int = 0) -> WithCatalogue:
    """A text model's base and an expert for each domain, moved at random."""
    base = MODEL.build(CAT, CAT.domains, seed).state_dict()
    generator = torch.Generator().manual_seed(seed)
    experts = tuple(
        Expert(d, {n: t + c * torch.randn(t.shape, generator=generator) for n, t in base.items()})
        for d, c in zip(CAT.domains, changes, strict=True)
    )
    pseudo = PseudoUsers(MODEL, CAT, {d: {} for d in CAT.domains}, seed)
    handed = merge_input("T1", base, experts, seed, catalogue=pseudo)
    assert isinstance(handed, WithCatalogue)
    return handed


def same(given: WithCatalogue) -> WithCatalogue:
    """All experts alike."""
    first = given.experts[0]
    return replace(given, experts=tuple(replace(first, domain=e.domain) for e in given.experts))


T1: list[Any] = [
    Fisher(FisherOptions(sample=8)),
    RegMean(RegOptions(sample=16)),
    GreedySoup(SoupOptions(sample=8)),
    CmaSearch(CmaOptions(evaluations=12, sample=8)),
]


@pytest.mark.parametrize("strategy", T1, ids=lambda s: type(s).__name__)
def test_all_tensors_come_back_the_same_every_time(strategy: StrategyDefinition) -> None:
    given = world()
    one, other = strategy.merge(given), strategy.merge(world())
    assert one.keys() == given.base.keys()
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]) and bool(tensor.isfinite().all())
        assert tensor.shape == given.base[name].shape


@pytest.mark.parametrize("strategy", T1, ids=lambda s: type(s).__name__)
def test_weights_alone_are_not_enough(strategy: StrategyDefinition) -> None:
    given = world()
    with pytest.raises(HandledError, match="T1"):
        strategy.merge(MergeInput(given.base, given.experts, 0))


@pytest.mark.parametrize("strategy", T1[:3], ids=lambda s: type(s).__name__)
def test_alike_experts_merge_to_themselves(strategy: StrategyDefinition) -> None:
    given = same(world())
    for name, tensor in strategy.merge(given).items():
        torch.testing.assert_close(tensor, given.experts[0].weights[name], rtol=1e-3, atol=1e-3)


def test_fisher_follows_whoever_minds() -> None:
    """Where one expert's values are far above the other's, its entry wins."""
    given = world()

    class Known(Fisher):
        def _diagonal(self, given: Any, expert: Expert, number: int) -> Any:
            return {n: torch.full_like(t, 1e3 * number) for n, t in given.base.items()}

    merged = Known(FisherOptions()).merge(given)
    for name, tensor in merged.items():
        torch.testing.assert_close(tensor, given.experts[1].weights[name], atol=1e-4, rtol=1e-4)


def test_fisher_values_are_squared_gradients_of_single_users() -> None:
    given = world()
    strategy = Fisher(FisherOptions(sample=5, temperature=0.5))
    actual = strategy._diagonal(given, given.experts[0], 0)
    pseudo = given.users
    net = pseudo.net(given.experts[0].weights, ["alpha"])
    generator = pseudo.generator(0, 11)
    rows = torch.randperm(30, generator=generator)[:5]
    total = torch.zeros_like(net.projection.weight)
    for row in rows:
        net.zero_grad()
        users = pseudo.encode(net, "alpha", row[None])
        logs = (pseudo.scores(users, pseudo.items(net, "alpha")) / 0.5).log_softmax(1)[0]
        drawn = torch.multinomial(logs.detach().exp(), 1, generator=generator)
        logs[drawn[0]].backward()
        total += net.projection.weight.grad.square() / 5
    torch.testing.assert_close(actual["projection.weight"], total)


def test_fisher_weighs_as_its_equation_says() -> None:
    """Matena & Raffel, eq. 4 (equal lambdas), entry by entry in float64."""
    given, strategy = world(), Fisher(FisherOptions(sample=4, temperature=0.5))
    values = [strategy._diagonal(given, e, k) for k, e in enumerate(given.experts)]
    merged = strategy.merge(given)
    for name, tensor in merged.items():
        top = bottom = torch.zeros_like(tensor, dtype=torch.float64)
        for expert, actual in zip(given.experts, values, strict=True):
            weight = actual[name].double() + 1e-6
            top, bottom = top + weight * expert.weights[name].double(), bottom + weight
        torch.testing.assert_close(tensor.double(), top / bottom, rtol=1e-5, atol=1e-6)


def test_regmean_is_its_equation() -> None:
    """Jin et al., eq. 2, with off-diagonals times alpha (section 3): inputs written out."""
    given = world()
    merged = RegMean(RegOptions(sample=0, shrink=0.9, ridge=0.0)).merge(given)
    name, sums = "projection.weight", []
    for expert, own in zip(given.experts, (slice(0, 30), slice(30, 50)), strict=True):
        x = torch.from_numpy(CAT.vectors[own]).double()  # type: ignore[index]
        gram = (x.T @ x) / len(x)
        alpha = torch.full_like(gram, 0.9).fill_diagonal_(1.0)
        sums.append((gram * alpha, expert.weights[name].double()))
    total = torch.linalg.inv(sums[0][0] + sums[1][0])
    wanted = (total @ sum(g @ w.T for g, w in sums)).T
    torch.testing.assert_close(merged[name].double(), wanted, rtol=1e-4, atol=1e-5)


def gram(*parts: torch.Tensor) -> torch.Tensor:
    flat = torch.cat([p.detach().reshape(-1, p.shape[-1]) for p in parts]).double()
    return flat.T @ flat


def test_grams_of_joint_projections_and_plain_maps() -> None:
    joint, plain = torch.nn.Linear(3, 6), torch.nn.Linear(3, 2)
    x, y = torch.randn(4, 3), torch.randn(2, 5, 3)
    with GramRecorder({"joint": joint.weight, "plain": plain.weight}) as seen:
        torch.nn.functional.linear(x, joint.weight[:2], joint.bias[:2])
        joint(y)
        torch.nn.functional.linear(x, torch.ones(2, 3))
    sums = seen.sums()
    assert {n: count for n, (_, count) in sums.items()} == {"joint[0:2]": 14, "joint[2:6]": 10}
    torch.testing.assert_close(sums["joint[0:2]"][0], gram(x, y))
    torch.testing.assert_close(sums["joint[2:6]"][0], gram(y))
    assert list(seen.means(pooled=True)) == ["joint"]
    torch.testing.assert_close(seen.means(pooled=True)["joint"], gram(x, y) / 14)


def test_grams_of_maps_without_a_module() -> None:
    w = torch.nn.Parameter(torch.randn(6, 3))
    x = torch.randn(4, 3)
    calls: list[Any] = [
        lambda: torch.nn.functional.linear(input=x, weight=w),
        lambda: x @ w.T,
        lambda: torch.matmul(x, w.t()),
        lambda: x.mm(w.transpose(0, 1)),
    ]
    for call in calls:
        with GramRecorder({"w": w}) as seen:
            call()
        torch.testing.assert_close(seen.means()["w"], gram(x) / 4)
    with GramRecorder({"w": w}) as seen:
        x @ w[1:3].T
        torch.randn(4, 6) @ w  # its inputs are no rows' inputs
        torch.nn.functional.linear(x[:, :2], w[:, :2])  # nor are some columns'
    assert list(seen.sums()) == ["w[1:3]"]


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("sides", ["self", "cross", "widths"])
def test_grams_of_multihead_attention(batch_first: bool, sides: str) -> None:
    """All four maps, whose outputs written out by hand give attention's own output."""
    widths = {"kdim": 5, "vdim": 6} if sides == "widths" else {}
    layer = torch.nn.MultiheadAttention(4, 2, batch_first=batch_first, **widths).eval()
    q = torch.randn(3, 3, 4)
    k = q if sides == "self" else torch.randn(3, 3, widths.get("kdim", 4))
    v = k if sides != "widths" else torch.randn(3, 3, 6)
    maps = {n: p for n, p in layer.named_parameters() if p.dim() == 2}
    with torch.no_grad(), GramRecorder(maps) as seen:
        answer = layer(q, k, v, need_weights=False)[0]
    sums = seen.sums()
    if sides == "self":
        torch.testing.assert_close(sums["in_proj_weight"][0], gram(q))
    elif sides == "cross":
        torch.testing.assert_close(sums["in_proj_weight[0:4]"][0], gram(q))
        torch.testing.assert_close(sums["in_proj_weight[4:8]"][0], gram(k))
        torch.testing.assert_close(sums["in_proj_weight[8:12]"][0], gram(v))
    else:
        for name, x in (("q", q), ("k", k), ("v", v)):
            torch.testing.assert_close(sums[f"{name}_proj_weight"][0], gram(x))
    w, b = layer.out_proj.weight.double(), layer.out_proj.bias.double()
    inner = torch.linalg.solve(w, (answer.double() - b).reshape(-1, 4).T).T
    torch.testing.assert_close(sums["out_proj.weight"][0], gram(inner), rtol=1e-3, atol=1e-4)
    with torch.no_grad():
        torch.testing.assert_close(layer(q, k, v, need_weights=False)[0], answer)


def test_regmean_answers_as_the_experts_do() -> None:
    """No map has a smaller sum of squared differences on the inputs."""
    given = world()
    strategy = RegMean(RegOptions(sample=0, shrink=1.0, ridge=0.0))
    merged = strategy.merge(given)
    assert "projection.weight" in given.notes["solved"]
    assert given.notes["averaged"] == ["positions"]
    grams = [strategy._grams(given, e, k) for k, e in enumerate(given.experts)]
    for name in ("projection.weight", "encoder.layers.0.inner.weight"):
        w = merged[name].double().requires_grad_()
        loss = torch.zeros((), dtype=torch.float64)
        for expert, gram in zip(given.experts, grams, strict=True):
            d = w - expert.weights[name].double()
            loss = loss + (d @ gram[name] @ d.T).trace()
        loss.backward()
        scale = sum(g[name].abs().max() for g in grams)
        assert w.grad is not None and float(w.grad.abs().max() / scale) < 1e-4


def test_regmean_says_what_it_averaged() -> None:
    """Maps that it cannot see as such: a product by einsum, a stack of maps, half of one's rows."""

    class Odd(SASRecText):
        def build(self, *a: Any) -> Any:
            net = super().build(*a)
            net.einsum = torch.nn.Parameter(torch.randn(8, 8))
            net.stack = torch.nn.Parameter(torch.randn(2, 8, 8))
            net.part = torch.nn.Parameter(torch.randn(8, 8))
            net.column = torch.nn.Linear(8, 1)
            return net

        def encode(self, net: Any, *a: Any) -> torch.Tensor:
            x = super().encode(net, *a)
            net.column(x)
            torch.nn.functional.linear(x, net.part[:3])
            return torch.einsum("bi,oi->bo", x, net.einsum) + (net.stack @ x.T)[0].T

    model = Odd(SASRecTextOptions(width=8, heads=2, max_len=6, dropout=0.0))
    base = model.build(CAT, CAT.domains, 0).state_dict()
    experts = tuple(Expert(d, {n: t + 0.1 for n, t in base.items()}) for d in CAT.domains)
    pseudo = PseudoUsers(model, CAT, {d: {} for d in CAT.domains}, 0)
    given = merge_input("T1", base, experts, 0, catalogue=pseudo)
    RegMean(RegOptions()).merge(given)
    assert given.notes["averaged"] == ["einsum", "part (5 rows)", "positions", "stack"]
    assert {"column.weight", "part[0:3]"} <= set(given.notes["solved"])


def test_the_disagreement_is_a_divergence() -> None:
    given = same(world())
    objective = Disagreement(given, 10, 0.1)
    assert objective.of(given.experts[0].weights) == pytest.approx(0.0, abs=1e-6)
    assert objective.of(given.base) > 0.01


def test_a_soup_leaves_out_who_spoils_it() -> None:
    given = world((0.02, 5.0))
    GreedySoup(SoupOptions(sample=16)).merge(given)
    notes = given.notes
    assert len(notes["chosen"]) == 1 and notes["disagreement"] == min(notes["alone"].values())


@pytest.mark.parametrize("changes", [(0.02, 5.0), (0.3, 0.3), (0.05, 0.06)])
def test_the_soup_follows_its_recipe(changes: tuple[float, ...]) -> None:
    """Wortsman et al., recipe 1, with agreement as the score: by rising disagreement."""
    given = world(changes)
    merged = GreedySoup(SoupOptions(sample=16)).merge(given)
    objective = Disagreement(given, 16, 1.0)

    def average(some: list[Expert]) -> dict[str, torch.Tensor]:
        return {n: torch.stack([e.weights[n] for e in some]).mean(0) for n in given.base}

    order = sorted(given.experts, key=lambda e: objective.of(e.weights))
    soup = [order[0]]
    for expert in order[1:]:
        if objective.of(average([*soup, expert])) <= objective.of(average(soup)):
            soup.append(expert)
    assert given.notes["chosen"] == [e.domain for e in soup]
    for name, tensor in average(soup).items():
        torch.testing.assert_close(merged[name], tensor, rtol=1e-5, atol=1e-6)


def test_the_search_ends_below_its_start() -> None:
    given = world()
    CmaSearch(CmaOptions(evaluations=60, sample=16, temperature=0.1)).merge(given)
    start = CmaSearch(CmaOptions(evaluations=1, sample=16, temperature=0.1, spread=1e-9))
    still = world()
    start.merge(still)
    assert given.notes["disagreement"] < still.notes["disagreement"]
    assert given.notes["trace"][-1][1] == pytest.approx(given.notes["disagreement"], rel=1e-4)


def test_shipped_grams_are_of_the_experts_own_data() -> None:
    given = world()
    split = builders.planted(CAT, users=40)
    expert = given.experts[1]
    net = given.users.net(expert.weights, ["beta"])
    grams = shipped_grams(MODEL, net, expert.weights, split, CAT, "beta", 0, 0)
    offsets, items = split.sequences.training(1)
    parts = [items[a:b][-6:] for a, b in pairwise(offsets)]
    shown = np.concatenate([*parts, np.arange(30, 50)])  # no padding among them
    x = torch.from_numpy(CAT.vectors[shown]).double()  # type: ignore[index]
    torch.testing.assert_close(grams["projection.weight"], x.T @ x / len(shown))


def test_a_tier_gets_its_statistics_and_no_lower_one_does() -> None:
    given = world()
    grams = {e.domain: RegMean(RegOptions())._grams(given, e, 0) for e in given.experts}
    above = merge_input("T2", given.base, given.experts, 0, catalogue=given.items, statistics=grams)
    one = ShippedRegMean(RegOptions()).merge(above)
    for name, tensor in RegMean(RegOptions()).merge(given).items():
        assert tensor.shape == one[name].shape
    with pytest.raises(HandledError, match="T2"):
        ShippedRegMean(RegOptions()).merge(given)
    with pytest.raises(IsolationError, match="grams"):
        assert given.grams  # type: ignore[attr-defined]
    with pytest.raises(IsolationError, match="sequences"):
        assert above.sequences  # type: ignore[attr-defined]


# -- modulators ----------------------------------------------------------------------------------


def vectors(rows: list[list[float]]) -> MergeInput:
    base = {"w": torch.zeros(len(rows[0]))}
    return merge_input(
        "T0", base, tuple(Expert(str(k), {"w": torch.tensor(r)}) for k, r in enumerate(rows)), 0
    )


def test_emr_by_hand() -> None:
    given = vectors([[1.0, -2.0, 0.5, 0.0], [3.0, 1.0, -0.4, 0.0]])
    models = Emr().merge_each(given)
    # Signs + - + +; largest of the agreeing 3, 2, .5, 0.
    scale = 3.5 / 5.5
    torch.testing.assert_close(models["0"]["w"], scale * torch.tensor([3.0, -2.0, 0.5, 0.0]))
    torch.testing.assert_close(models["1"]["w"], torch.tensor([4.4 / 3 * 3, 0.0, 0.0, 0.0]))


def test_emr_of_one_expert_is_the_expert() -> None:
    given = vectors([[1.0, -2.0, 0.5]])
    torch.testing.assert_close(Emr().merge_each(given)["0"]["w"], given.experts[0].weights["w"])


def test_tall_masks_by_hand() -> None:
    given = vectors([[1.0, -2.0, 0.1], [3.0, 1.0, 1.0]])
    models = TallMasks(TallOptions(threshold=0.4)).merge_each(given)
    torch.testing.assert_close(models["0"]["w"], torch.tensor([0.0, -1.0, 0.0]))
    torch.testing.assert_close(models["1"]["w"], torch.tensor([4.0, -1.0, 1.1]))
