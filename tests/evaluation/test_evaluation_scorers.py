"""Ranks of nets and counting models; the stored table."""

from __future__ import annotations

from pathlib import Path

import builders
import numpy as np
import pytest
import torch
from recmerge_bench_plugins.backbones.bert4rec import BERT4Rec, BERT4RecOptions
from recmerge_bench_plugins.backbones.sasrec import SASRec, SASRecOptions
from recmerge_bench_plugins.baselines.popularity import Popularity

from recmerge_bench.errors import DataError
from recmerge_bench.evaluation.ranking import Ranking
from recmerge_bench.evaluation.scorers import history_batches

CAT = builders.catalogue((30, 20))
SPLIT = builders.planted(CAT, users=150)


@pytest.mark.parametrize(
    "definition",
    [
        SASRec(SASRecOptions(width=16, max_len=8, std=1.0)),
        BERT4Rec(BERT4RecOptions(width=16, max_len=8, std=1.0)),
    ],
    ids=["sasrec", "bert4rec"],
)
def test_batched_ranks_equal_one_by_one(definition: SASRec | BERT4Rec) -> None:
    net = definition.build(CAT, CAT.domains, 0).train()
    test = SPLIT.test
    (better, equal), masked = builders.net_counts(
        definition, net, SPLIT, test, CAT, [Ranking(), Ranking(mask_history=True)], block_bytes=4096
    )
    assert net.training and (masked[0] <= better).all()
    net.eval()
    for i in range(0, len(test), 7):
        name = CAT.domains[test.domains[i]]
        start = SPLIT.sequences.offsets[test.sequence[i]]
        past = SPLIT.sequences.items[start : start + test.position[i]][-8:].astype(np.int64)
        with torch.no_grad():
            user = definition.encode(
                net, torch.from_numpy(past)[None], torch.tensor([len(past)]), name
            )
            items, bias = definition.items(net, name)
            scores = (user @ items.T)[0] + (0 if bias is None else bias)
        own = scores[test.targets[i] - CAT.span(name).start]
        assert abs(int((scores > own + 1e-4).sum()) - better[i]) <= 1
        assert equal[i] == 0


def test_history_batches_cover_all() -> None:
    rows = np.arange(len(SPLIT.test))
    seen = []
    for part, histories, lengths in history_batches(SPLIT, SPLIT.test, rows, 12, 64):
        assert histories.size <= max(64, histories.shape[1]) and lengths.max() <= 12
        for i, history, n in zip(part, histories, lengths, strict=True):
            start = SPLIT.sequences.offsets[SPLIT.test.sequence[i]]
            past = SPLIT.sequences.items[start : start + SPLIT.test.position[i]][-12:]
            assert history[:n].tolist() == past.tolist()
        seen += part.tolist()
    assert sorted(seen) == rows.tolist()


def test_poisoned_net_raises() -> None:
    definition = SASRec(SASRecOptions(width=16, max_len=8))
    net = definition.build(CAT, CAT.domains, 0)
    with torch.no_grad():
        next(net.parameters()).fill_(torch.nan)
    with pytest.raises(FloatingPointError):
        builders.net_counts(definition, net, SPLIT, SPLIT.test, CAT, [Ranking()])


def test_table_of_ranks(tmp_path: Path) -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        pytest.skip("pyarrow cannot be imported here")
    from recmerge_bench.evaluation.ranks import RankTable, read_ranks, write_ranks

    model = Popularity()
    state = model.fit(SPLIT, CAT, CAT.domains)
    counts = builders.fitted_counts(model, state, SPLIT, SPLIT.test, CAT, [Ranking()])[0]
    test = SPLIT.test
    table = RankTable(
        test.users,
        CAT.domains,
        test.domains,
        test.targets,
        *counts,
        about={"protocol": "leave-one-out", "candidates": "full"},
    )
    write_ranks(tmp_path / "a.parquet", table)
    write_ranks(tmp_path / "b.parquet", table)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    back = read_ranks(tmp_path / "a.parquet")
    for name in ("users", "domain", "targets", "n_better", "n_equal"):
        assert np.array_equal(getattr(back, name), getattr(table, name))
    assert back.domains == CAT.domains and back.about == table.about
    (tmp_path / "c.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(DataError):
        read_ranks(tmp_path / "c.parquet")
