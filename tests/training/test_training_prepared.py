"""What a model prepares from training parts travels with its weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import builders
import numpy as np
import pytest
import torch
from recmerge_bench_plugins.cdsr.c2dsr.item_graph import gather_neighbours
from recmerge_bench_plugins.cdsr.sasrec_dt import SASRecDT
from safetensors.torch import save_file

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Split
from recmerge_bench.errors import HandledError
from recmerge_bench.evaluation.ranking import Ranking
from recmerge_bench.running.loading import load_net
from recmerge_bench.toolkit.data.graphs import row_shares, successions
from recmerge_bench.training.options import TrainOptions
from recmerge_bench.training.prepared import without
from recmerge_bench.training.trainer import fit

CAT = builders.catalogue((30, 20))
SMALL = SASRecDT.Options(width=16, max_len=10, loss="full", dropout=0.0)
QUICK = TrainOptions(steps=4, epochs=0, batch_size=16, eval_every=-1)


class Counting(SASRecDT):
    """SASRec-dt whose scores are shifted by the items' training counts."""

    def prepare(
        self, split: Split, catalogue: Catalogue, domains: Sequence[str]
    ) -> Mapping[str, np.ndarray]:
        items = split.sequences.training()[1]
        return {"counts": np.bincount(items, minlength=catalogue.n_items)}

    def items(self, net: Any, domain: str) -> Any:
        counts = net.prepared.counts[CAT.span(domain)]
        return net.tables.domain_table(domain), counts.float().log1p()


def test_arrays_are_stored_with_the_weights_and_ranking_needs_no_split(tmp_path: Path) -> None:
    split, definition = builders.mixed(CAT, 30), Counting(SMALL)
    state = fit(definition, CAT, split, CAT.domains, "mixed", QUICK, 0).state
    items = split.sequences.training()[1]
    assert state["prepared.counts"].tolist() == np.bincount(items, minlength=50).tolist()
    file = tmp_path / "model.safetensors"
    save_file(state, str(file))
    net = load_net(definition, CAT, CAT.domains, 0, file, exact=True)
    assert torch.equal(net.prepared.counts, state["prepared.counts"])
    better, equal = builders.net_counts(definition, net, split, split.test, CAT, [Ranking()])[0]
    assert len(better) == len(equal) == len(split.test)


def test_weights_without_them_are_refused(tmp_path: Path) -> None:
    split = builders.mixed(CAT, 30)
    plain = fit(SASRecDT(SMALL), CAT, split, CAT.domains, "mixed", QUICK, 0).state
    assert not any(name.startswith("prepared.") for name in plain)
    file = tmp_path / "model.safetensors"
    save_file(plain, str(file))
    with pytest.raises(HandledError, match="lacks what the model prepares"):
        load_net(Counting(SMALL), CAT, CAT.domains, 0, file)
    save_file({**plain, "prepared.counts": torch.zeros(50)}, str(file))
    with pytest.raises(HandledError, match=r"prepared\.counts"):
        load_net(SASRecDT(SMALL), CAT, CAT.domains, 0, file)


def test_a_training_prepares_its_own_and_not_what_it_starts_from() -> None:
    definition, one, two = Counting(SMALL), builders.mixed(CAT, 30), builders.mixed(CAT, 20, 1)
    start = fit(definition, CAT, one, CAT.domains, "mixed", QUICK, 0).state
    state = fit(definition, CAT, two, CAT.domains, "mixed", QUICK, 0, init=start).state
    items = two.sequences.training()[1]
    assert state["prepared.counts"].tolist() == np.bincount(items, minlength=50).tolist()
    assert set(without(start)) == set(start) - {"prepared.counts"}


def test_a_killed_training_goes_on_with_them(tmp_path: Path) -> None:
    options = TrainOptions(
        steps=6, epochs=0, batch_size=16, eval_every=-1, save_every=2, report_every=1
    )

    def train(**more: Any) -> dict[str, torch.Tensor]:
        split = builders.mixed(CAT, 30)
        return fit(Counting(SMALL), CAT, split, CAT.domains, "mixed", options, 0, **more).state

    def kill(event: dict[str, Any]) -> None:
        if event["step"] >= 4:
            raise KeyboardInterrupt

    whole = train()
    with pytest.raises(KeyboardInterrupt):
        train(resume_dir=tmp_path, progress=kill)
    again = train(resume_dir=tmp_path)
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_a_share_of_the_users_is_refused() -> None:
    split, options = builders.mixed(CAT, 30), TrainOptions(steps=2, epochs=0, users=0.5)
    with pytest.raises(HandledError, match="set users to 1"):
        fit(Counting(SMALL), CAT, split, CAT.domains, "mixed", options, 0)


def test_successions_stay_within_sequence_and_group() -> None:
    offsets = np.array([0, 4, 4, 7])
    items = np.array([5, 1, 6, 2, 3, 7, 0])
    before, after = successions(offsets, items)
    assert list(zip(before, after, strict=True)) == [(5, 1), (1, 6), (6, 2), (3, 7), (7, 0)]
    before, after = successions(offsets, items, items > 4)
    assert sorted(zip(before, after, strict=True)) == [(1, 2), (3, 0), (5, 6)]


def test_row_shares_and_one_step_are_a_matrix_product() -> None:
    rng = np.random.default_rng(0)
    before, after = rng.integers(0, 9, (2, 40))
    graph = row_shares(before, after, 12)
    dense = np.zeros((12, 12))
    np.add.at(dense, (before, after), 1)
    dense /= np.maximum(dense.sum(1, keepdims=True), 1)
    table = torch.randn(12, 3, requires_grad=True)
    rows = torch.tensor([0, 11, 4, 4, 9])
    parts = [torch.from_numpy(a) for a in (graph.starts, graph.columns, graph.values)]
    vectors = gather_neighbours(table, rows, *parts)
    wanted = (torch.from_numpy(dense).float() @ table)[rows]
    torch.testing.assert_close(vectors, wanted, atol=1e-6, rtol=1e-5)
    grads = [torch.autograd.grad(t.square().sum(), table)[0] for t in (vectors, wanted)]
    torch.testing.assert_close(grads[0], grads[1], atol=1e-5, rtol=1e-5)
    lonely = gather_neighbours(table, torch.tensor([10, 11]), *parts)
    assert not bool(lonely.any())
