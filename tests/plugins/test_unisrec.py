"""`unisrec` computes UniSRec's released adaptor and transformer; text is shared, ids stay home."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import Any

import builders
import numpy as np
import pytest
import torch
from dense_blocks import attention, compare, gelu, linear, norm, randomised
from recmerge_bench_plugins.backbones.unisrec import UniSRec, UniSRecOptions
from recmerge_bench_plugins.backbones.unisrec import net as module
from torch import Tensor

from recmerge_bench.data.sequences import Batch
from recmerge_bench.errors import HandledError
from recmerge_bench.evaluation.metrics import ndcg, rank
from recmerge_bench.evaluation.ranking import Ranking
from recmerge_bench.policy import action
from recmerge_bench.toolkit.models import encoder, query_prenorm
from recmerge_bench.toolkit.models.whitening import zca
from recmerge_bench.training.options import TrainOptions
from recmerge_bench.training.trainer import fit

CAT = builders.catalogue((30, 20))
VECTORS = np.random.default_rng(0).standard_normal((CAT.n_items, 6)).astype(np.float32)
WITH = replace(CAT, vectors=VECTORS)
OPTIONS = UniSRecOptions(
    experts=3, width=12, layers=2, heads=2, inner=10, dropout=0.0, adaptor_dropout=0.0, max_len=7
)
ITEMS = torch.tensor(
    [[31, 35, 40, 33, 36, 49, 30], [44, 30, 31, 0, 0, 0, 0], [38, 0, 0, 0, 0, 0, 0]]
)
LENGTHS = torch.tensor([7, 3, 1])
EPS = 1e-12
FORMS = [{"ids": False}, {"ids": True}, {"ids": False, "experts": 1}, {"ids": True, "experts": 1}]


def made(**values: Any) -> tuple[UniSRec, Any]:
    definition = UniSRec(replace(OPTIONS, **values))
    return definition, randomised(definition.build(WITH, CAT.domains, 3))


def item(w: dict[str, Tensor], number: int) -> Tensor:
    """`MoEAdaptorLayer.forward` at test time, plus the item's own vector where there is one."""
    text = torch.from_numpy(VECTORS[number]).double()
    maps, offsets = w["adaptor.weight"], w["adaptor.bias"]
    parts = [m @ (text - b) for m, b in zip(maps, offsets, strict=True)]
    if len(parts) > 1:
        logits = torch.exp(text @ w["adaptor.gate"])
        parts = [g * p for g, p in zip(logits / logits.sum(), parts, strict=True)]
    total = torch.stack(parts).sum(0)
    return total + w["tables.beta"][number - 30] if "tables.beta" in w else total


def written(net: Any, items: list[int]) -> list[Tensor]:
    """`UniSRec.forward` with RecBole's `TransformerLayer`s, positions from the first event."""
    w = dict(net.named_parameters())
    grid = [norm(w, "norm", item(w, i) + w["positions"][n], EPS) for n, i in enumerate(items)]
    for number in range(2):
        name, out = f"encoder.layers.{number}", []
        for i, x in enumerate(grid):
            mixed = attention(w, f"{name}.attention", x, grid[: i + 1], 2)
            y = norm(w, f"{name}.attention_norm", mixed + x, EPS)
            fed = linear(w, f"{name}.outer", gelu(linear(w, f"{name}.inner", y)))
            out.append(norm(w, f"{name}.inner_norm", fed + y, EPS))
        grid = out
    return grid


@pytest.mark.parametrize("form", FORMS)
def test_items_states_and_gradients_of_the_written_net(form: dict[str, Any]) -> None:
    definition, net = made(**form)
    w = dict(net.named_parameters())

    def unused(name: str) -> bool:
        # The noise is of the training alone.
        return name in ("adaptor.noise", "tables.alpha")

    rows = [row[:n].tolist() for row, n in zip(ITEMS, LENGTHS.tolist(), strict=True)]
    expected = [written(net, row) for row in rows]
    grid = net(ITEMS, LENGTHS)
    got = [s for row, n in zip(grid, LENGTHS.tolist(), strict=True) for s in row[:n]]
    compare(net, got, list(chain(*expected)), unused)
    last = definition.encode(net, ITEMS, LENGTHS, "beta")
    lasts = [row[-1] / torch.sqrt((row[-1] ** 2).sum()) for row in expected]
    compare(net, list(last), lasts, unused)
    items, bias = definition.items(net, "beta")
    wanted = [item(w, number) for number in range(30, 50)]
    wanted = [v / torch.sqrt((v * v).sum()) for v in wanted]
    assert bias is None
    compare(net, list(items), wanted, lambda n: unused(n) or not n.startswith(("adapt", "tables")))


def batch_of() -> Batch:
    targets, lengths = ITEMS.roll(-1, 1), torch.tensor([6, 2, 1])
    targets[2, 0] = 41
    return Batch(ITEMS, targets, lengths, ("beta",), torch.Generator().manual_seed(2), {})


@pytest.mark.parametrize("negatives", [0, 400])
@pytest.mark.parametrize("ids", [False, True])
def test_the_loss_by_hand(ids: bool, negatives: int) -> None:
    """`UniSRec.calculate_loss` in fine-tuning; 400 draws of twenty items miss none."""
    definition, net = made(ids=ids, negatives=negatives)
    batch = batch_of()
    value, count = definition.loss(net, batch)
    w, terms = dict(net.named_parameters()), []
    table = torch.stack([item(w, number) for number in range(30, 50)])
    table = table / torch.sqrt((table**2).sum(1, keepdim=True))
    for row, answers, n in zip(ITEMS, batch.targets, batch.lengths.tolist(), strict=True):
        for state, goal in zip(written(net, row[:n].tolist()), answers.tolist(), strict=False):
            scores = torch.exp(table @ (state / torch.sqrt((state**2).sum())) / 0.07)
            terms.append(-torch.log(scores[goal - 30] / scores.sum()))
    assert count == len(terms) == 9
    torch.testing.assert_close(value, torch.stack(terms).mean(), rtol=1e-10, atol=0.0)


def test_few_rivals_are_the_batchs_targets_and_the_draws() -> None:
    definition, net = made(negatives=2)
    batch = batch_of()
    drawn = net.frozen.draw(("beta",), 2, torch.Generator().manual_seed(2))
    keep = torch.arange(7) < batch.lengths[:, None]
    rivals = sorted({*batch.targets[keep].tolist(), *drawn.tolist()})
    items, _ = definition.items(net, "beta")
    states = torch.nn.functional.normalize(net(ITEMS, batch.lengths)[keep], dim=-1)
    scores = states @ items[torch.tensor(rivals) - 30].T / 0.07
    answers = torch.tensor([rivals.index(t) for t in batch.targets[keep].tolist()])
    exact = torch.nn.functional.cross_entropy(scores, answers)
    torch.testing.assert_close(definition.loss(net, batch)[0], exact, rtol=1e-10, atol=0.0)


def test_text_is_shared_and_ids_stay_at_home() -> None:
    for ids in (False, True):
        definition = UniSRec(replace(OPTIONS, ids=ids))
        both: Any = definition.build(WITH, CAT.domains, 0)
        one: Any = definition.build(WITH, ["beta"], 0)
        kinds = {n: action(n, definition.policy) for n in both.state_dict()}
        home = {n for n, kind in kinds.items() if kind == "domain"}
        assert home == ({"tables.alpha", "tables.beta"} if ids else set())
        assert {k for n, k in kinds.items() if n not in home} == {"merge"}
        for name, value in one.state_dict().items():
            assert torch.equal(value, both.state_dict()[name])


def test_with_nothing_drawn_an_untrained_domain_is_ranked_by_text() -> None:
    text: Any = UniSRec(OPTIONS).build(WITH, CAT.domains, 0).eval()
    definition = UniSRec(replace(OPTIONS, ids=True, id_std=0.0))
    ids: Any = definition.build(WITH, CAT.domains, 0).eval()
    torch.testing.assert_close(definition.items(ids, "beta"), UniSRec(OPTIONS).items(text, "beta"))


def test_gates_are_noisy_in_training_alone() -> None:
    net: Any = UniSRec(OPTIONS).build(WITH, CAT.domains, 0)
    items = torch.arange(50)
    assert torch.equal(net.eval().vectors(items), net.vectors(items))
    torch.manual_seed(0)
    noisy = torch.stack([net.train().adaptor._gates(net.frozen.of(items)) for _ in range(4000)])
    # Zero maps: logits are normal noise, its standard deviation softplus(0) + .01 of each map.
    ratios = (noisy[..., 0] / noisy[..., 1]).log().flatten()
    spread = (2**0.5) * (float(np.log(2)) + 0.01)
    assert float(ratios.detach().std()) == pytest.approx(spread, rel=0.02)


def test_dropout_stands_where_the_authors_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text vectors; embeddings, attention weights, both parts' outputs."""
    seen: list[tuple[float, tuple[int, ...]]] = []

    def recorded(x: Tensor, share: float, training: bool) -> Tensor:
        assert training
        seen.append((share, tuple(x.shape)))
        return x

    for each in (encoder, query_prenorm, module):
        monkeypatch.setattr(each, "dropout", recorded)
    options = replace(OPTIONS, layers=1, dropout=0.5, adaptor_dropout=0.2)
    net = UniSRec(options).build(WITH, CAT.domains, 0).train()
    net(ITEMS, torch.tensor([7, 7, 7]))
    grid = (3, 7, 12)
    wanted = [(0.2, (10, 6)), (0.5, grid), (0.5, (3, 2, 7, 7)), (0.5, grid), (0.5, grid)]
    assert seen == wanted


@pytest.mark.parametrize(
    "form", [{}, {"experts": 1, "negatives": 16, "whiten": True}, {"ids": True, "experts": 1}]
)
def test_learns(form: dict[str, Any]) -> None:
    """What follows from the last item alone; ten of thirty or twenty at random have .2 and less."""
    options = replace(OPTIONS, width=32, heads=2, max_len=10, temperature=0.1, **form)
    definition, split = UniSRec(options), builders.planted(CAT, 300)
    rng = np.random.default_rng(1)
    wide = replace(CAT, vectors=rng.standard_normal((CAT.n_items, 24)).astype(np.float32))
    training = TrainOptions(steps=150, epochs=0, batch_size=32, lr=4e-3, eval_every=50)
    state = fit(definition, wide, split, CAT.domains, "domain", training, 0).state
    net = definition.build(wide, CAT.domains, 1)
    net.load_state_dict(state)
    counts = builders.net_counts(definition, net, split, split.test, wide, [Ranking()])[0]
    assert ndcg(rank(*counts), 10).mean() > 0.5


def test_whitened_vectors_are_of_the_whole_catalogue() -> None:
    plain: Any = UniSRec(OPTIONS).build(WITH, CAT.domains, 0)
    white: Any = UniSRec(replace(OPTIONS, whiten=True)).build(WITH, ["beta"], 0)
    assert torch.equal(white.frozen.features, torch.from_numpy(zca(VECTORS)))
    assert torch.equal(plain.frozen.features, torch.from_numpy(VECTORS))
    for name, value in white.state_dict().items():
        assert torch.equal(value, plain.state_dict()[name])


def test_refusals() -> None:
    with pytest.raises(HandledError, match="without text vectors"):
        UniSRec(OPTIONS).build(CAT, CAT.domains, 0)
    for values in ({"temperature": 0.0}, {"experts": 0}, {"negatives": -1}):
        with pytest.raises(HandledError, match="are positive"):
            UniSRecOptions(**values)  # type: ignore[arg-type]
    definition = UniSRec(replace(OPTIONS, ids=True))
    net = definition.build(WITH, ["beta"], 0)
    with pytest.raises(ValueError, match="items of domains other"):
        definition.encode(net, torch.tensor([[3]]), torch.tensor([1]), "beta")
