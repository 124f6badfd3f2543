"""Models of item ids learn what popularity cannot, and look where they may."""

from __future__ import annotations

from typing import Any

import builders
import pytest
import torch
from recmerge_bench_plugins.backbones.bert4rec import BERT4Rec, BERT4RecOptions
from recmerge_bench_plugins.backbones.bsarec import BSARec, BSARecOptions, CausalBSARec
from recmerge_bench_plugins.backbones.esasrec import ESASRec, ESASRecOptions
from recmerge_bench_plugins.backbones.gru4rec import GRU4Rec, GRU4RecOptions
from recmerge_bench_plugins.backbones.hstu import HSTU, HSTUOptions
from recmerge_bench_plugins.backbones.sasrec import SASRec, SASRecOptions, SASRecPreNorm
from recmerge_bench_plugins.baselines.popularity import Popularity

from recmerge_bench.data.sequences import Split
from recmerge_bench.definitions import Backbone
from recmerge_bench.evaluation.metrics import ndcg, rank
from recmerge_bench.evaluation.ranking import Ranking
from recmerge_bench.training.options import TrainOptions
from recmerge_bench.training.trainer import fit

CAT = builders.catalogue((30, 20))
SMALL: dict[str, Any] = {"width": 32, "max_len": 10, "dropout": 0.1}
TINY: dict[str, Any] = {"width": 16, "layers": 1, "max_len": 6, "dropout": 0.0}


def popularity(split: Split) -> float:
    model = Popularity()
    state = model.fit(split, CAT, CAT.domains)
    counts = builders.fitted_counts(model, state, split, split.test, CAT, [Ranking()])[0]
    return float(ndcg(rank(*counts), 10).mean())


@pytest.mark.parametrize(
    ("definition", "steps"),
    [
        (SASRec(SASRecOptions(**SMALL)), 150),
        (SASRecPreNorm(SASRecOptions(**SMALL)), 150),
        (SASRec(SASRecOptions(**SMALL, loss="sampled-ce", negatives=8)), 150),
        (SASRec(SASRecOptions(**SMALL, loss="bce", negatives=2)), 250),
        (SASRec(SASRecOptions(**SMALL, loss="gbce", negatives=8)), 250),
        (BERT4Rec(BERT4RecOptions(**SMALL, std=0.1)), 400),
    ],
    ids=["ce", "prenorm", "sampled", "bce", "gbce", "bert4rec"],
)
def test_learns(definition: Backbone, steps: int) -> None:
    split = builders.planted(CAT, 300)
    options = TrainOptions(steps=steps, epochs=0, batch_size=32, lr=4e-3, eval_every=50)
    result = fit(definition, CAT, split, CAT.domains, "domain", options, 0)
    history = result.report["history"]
    assert history[-1]["loss"] < 0.9 * history[0]["loss"]
    net = definition.build(CAT, CAT.domains, 1)
    net.load_state_dict(result.state)
    counts = builders.net_counts(definition, net, split, split.test, CAT, [Ranking()])[0]
    assert ndcg(rank(*counts), 10).mean() > popularity(split) + 0.2


@pytest.mark.parametrize(
    "definition",
    [
        SASRec(SASRecOptions(**TINY, loss="sampled-ce", negatives=16, sampling="shared")),
        ESASRec(ESASRecOptions(**TINY, negatives=16)),
        BSARec(BSARecOptions(**TINY)),
        CausalBSARec(BSARecOptions(**TINY)),
        GRU4Rec(GRU4RecOptions(**TINY)),
        HSTU(HSTUOptions(**TINY, negatives=16)),
    ],
    ids=["shared", "esasrec", "bsarec", "bsarec-causal", "gru4rec", "hstu"],
)
def test_learns_in_a_few_steps(definition: Backbone) -> None:
    split = builders.planted(CAT, 100)
    options = TrainOptions(steps=40, epochs=0, batch_size=32, lr=1e-2, eval_every=40)
    result = fit(definition, CAT, split, CAT.domains, "domain", options, 0)
    net = definition.build(CAT, CAT.domains, 1)
    net.load_state_dict(result.state)
    counts = builders.net_counts(definition, net, split, split.test, CAT, [Ranking()])[0]
    assert ndcg(rank(*counts), 10).mean() > popularity(split) + 0.1


@pytest.mark.parametrize("kind", [SASRec, SASRecPreNorm])
def test_encode_is_the_state_that_training_saw(kind: type[SASRec]) -> None:
    """Of the last event; of every event where positions count from the start."""
    definition = kind(SASRecOptions(**SMALL))
    net: Any = definition.build(CAT, CAT.domains, 0).eval()
    items = torch.tensor([[31, 35, 40, 33, 36], [44, 30, 31, 0, 0]])
    lengths = torch.tensor([5, 3])
    states = net(items, lengths, ("beta",))
    whole = definition.encode(net, items, lengths, "beta")
    assert torch.allclose(whole, states[[0, 1], lengths - 1], atol=1e-5)
    for n in (1, 2, 3):
        known = torch.tensor([n, n])
        short = definition.encode(net, items[:, :n], known, "beta")
        if kind is SASRec:
            states = net(items[:, :n], known, ("beta",))
        assert torch.allclose(short, states[:, n - 1], atol=1e-5)


def test_bert4rec_masks() -> None:
    definition = BERT4Rec(BERT4RecOptions(**SMALL, mask_ratio=0.1, last_share=0.5))
    net: Any = definition.build(CAT, CAT.domains, 0).eval()
    lengths = torch.tensor([2, 6, 11] * 500)
    masked = net.draw_mask(lengths, 11, 0.1, 0.5, torch.Generator().manual_seed(0))
    assert bool((masked.sum(1) >= 1).all())
    assert not bool(masked[torch.arange(11) >= lengths[:, None]].any())
    assert bool(masked[:, 0].any())
    last = masked[torch.arange(1500), lengths - 1]
    assert 0.5 < float(last.float().mean()) < 0.75
    # A short history is kept: two one-item histories differ.
    one = definition.encode(net, torch.tensor([[3], [4]]), torch.tensor([1, 1]), "alpha")
    assert not torch.allclose(one[0], one[1])
