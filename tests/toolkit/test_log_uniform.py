"""Negatives by rank of popularity: their chances, the corrected loss, what is stored of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import builders
import numpy as np
import pytest
import torch
from dense_blocks import randomised
from recmerge_bench_plugins.backbones.gru4rec import GRU4Rec, GRU4RecOptions
from recmerge_bench_plugins.backbones.sasrec import SASRec, SASRecOptions
from safetensors.torch import save_file
from torch import Tensor

from recmerge_bench.data.sequences import Batch
from recmerge_bench.errors import HandledError
from recmerge_bench.policy import select
from recmerge_bench.running.loading import load_net
from recmerge_bench.toolkit.models.log_uniform import Ranked, corrections
from recmerge_bench.training.options import TrainOptions
from recmerge_bench.training.prepared import attach
from recmerge_bench.training.trainer import fit

CAT = builders.catalogue((30, 20))
OPTIONS = SASRecOptions(
    width=12, layers=1, heads=1, max_len=7, dropout=0.0, loss="sampled-ce", negatives=25,
    sampling="log-uniform", temperature=0.7,
)  # fmt: skip
ITEMS = torch.tensor([[31, 35, 40, 33, 36], [44, 30, 31, 0, 0], [38, 0, 0, 0, 0]])
LENGTHS = torch.tensor([4, 2, 1])
QUICK = TrainOptions(steps=3, epochs=0, batch_size=16, eval_every=-1)


def chance(rank: int, n: int) -> float:
    """TensorFlow's documentation of its sampler."""
    return float((np.log(rank + 2) - np.log(rank + 1)) / np.log(n + 1))


def test_ranks_are_by_count_and_then_by_place() -> None:
    ranked = Ranked.by(torch.tensor([3.0, 9.0, 3.0, 0.0]))
    assert ranked.rows.tolist() == [1, 0, 2, 3] and ranked.ranks.tolist() == [1, 0, 2, 3]


def test_draws_have_the_samplers_chances() -> None:
    ranked, draws = Ranked.by(torch.arange(20.0)), 200_000
    drawn = ranked.draw((draws // 4, 4), torch.Generator().manual_seed(0))
    wanted = np.array([chance(19 - row, 20) for row in range(20)])  # the last is the most popular
    assert wanted.sum() == pytest.approx(1.0, abs=1e-12)
    own = ranked.log_chance(torch.arange(20)).exp()
    np.testing.assert_allclose(own.numpy(), wanted, rtol=1e-12)
    shares = np.bincount(drawn.flatten().numpy(), minlength=20) / draws
    assert (abs(shares - wanted) < 4.5 * np.sqrt(wanted * (1 - wanted) / draws)).all()


@pytest.mark.parametrize("scaled", [False, True])
def test_the_loss_by_hand(scaled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    definition = SASRec(replace(OPTIONS, scaled=scaled))
    net: Any = randomised(definition.build(CAT, CAT.domains, 3))
    counts = torch.arange(50) % 13
    attach(net, {"popularity": counts.float().numpy()})
    drawn: list[Tensor] = []
    whole = Ranked.draw

    def recorded(*given: Any) -> Tensor:
        drawn.append(whole(*given))
        return drawn[-1]

    monkeypatch.setattr(Ranked, "draw", recorded)
    targets = ITEMS.roll(-1, 1)
    targets[2, 0] = 41
    batch = Batch(ITEMS, targets, LENGTHS, ("beta",), torch.Generator().manual_seed(2), {})
    value, count = definition.loss(net, batch)
    own = counts[30:].tolist()
    order = sorted(range(20), key=lambda row: (-own[row], row))
    p = [chance(order.index(row), 20) for row in range(20)]
    table, states = net.tables.domain_table("beta"), net(ITEMS, LENGTHS, ("beta",))
    terms, hits = [], 0
    for row, answers, n in zip(states, targets, LENGTHS.tolist(), strict=True):
        for state, item in zip(row[:n], answers.tolist(), strict=False):
            goal, scores = item - 30, torch.exp(table @ state / 0.7)
            others = [j for j in drawn[0][len(terms)].tolist() if j != goal]
            hits += 25 - len(others)
            if scaled:  # the mean over the draws of score / chance, given that it is no hit
                rest = sum(scores[j] * (1 - p[goal]) / p[j] for j in others) / len(others)
                good = scores[goal]
            else:
                rest, good = sum(scores[j] / p[j] for j in others), scores[goal] / p[goal]
            terms.append(-torch.log(good / (good + rest)))
    assert count == len(terms) == 7 and hits > 0
    torch.testing.assert_close(value, torch.stack(terms).mean(), rtol=1e-9, atol=0.0)


def test_the_scaled_sum_estimates_the_full_softmax() -> None:
    ranked, generator = Ranked.by(torch.arange(40.0)), torch.Generator().manual_seed(0)
    scores = torch.randn(40, generator=generator, dtype=torch.float64)
    targets = torch.full((60_000,), 35)
    drawn = ranked.draw((60_000, 8), generator)
    keep = (drawn != 35).any(1)
    drawn, targets = drawn[keep], targets[keep]
    good, bad = corrections(ranked, targets, drawn, scaled=True)
    assert not good.any()
    each = torch.where(drawn == 35, 0.0, (scores[drawn] + bad).exp()).sum(1)
    exact = scores.exp().sum() - scores[35].exp()
    assert abs(float(each.mean() - exact)) < 4 * float(each.std()) / len(each) ** 0.5


def test_counts_are_of_the_training_parts_and_ranking_needs_none(tmp_path: Path) -> None:
    split = builders.planted(CAT, 40)
    for definition in (
        SASRec(replace(OPTIONS, max_len=6)),
        GRU4Rec(GRU4RecOptions(
            width=12, max_len=6, loss="sampled-ce", negatives=9, sampling="log-uniform"
        )),
    ):  # fmt: skip
        state = fit(definition, CAT, split, CAT.domains, "domain", QUICK, 0).state
        items = split.sequences.training()[1]
        assert state["prepared.popularity"].tolist() == np.bincount(items, minlength=50).tolist()
        assert "prepared.popularity" not in select(state, definition.policy, "merge")
        file = tmp_path / "model.safetensors"
        for tensors in (state, {n: t for n, t in state.items() if not n.startswith("prepared.")}):
            save_file(tensors, str(file))
            net = load_net(definition, CAT, CAT.domains, 0, file)
            assert torch.equal(net.state_dict()["tables.beta"], state["tables.beta"])


def test_a_share_of_the_users_has_no_counts_of_all() -> None:
    split, some = builders.planted(CAT, 40), replace(QUICK, users=0.5)
    with pytest.raises(HandledError, match="prepares itself from all training sequences"):
        fit(SASRec(OPTIONS), CAT, split, CAT.domains, "domain", some, 0)
    uniform = replace(OPTIONS, sampling="uniform")
    assert fit(SASRec(uniform), CAT, split, CAT.domains, "domain", some, 0).state
