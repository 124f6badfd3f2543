"""`ensemble` ranks by the mean score of all experts, each with the domain's own item vectors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import builders
import numpy as np
import pytest
import torch
from conftest import SAMPLES
from recmerge_bench_plugins.backbones.gru4rec import GRU4Rec, GRU4RecOptions
from recmerge_bench_plugins.backbones.sasrec import SASRec, SASRecOptions
from safetensors.torch import save_file

from recmerge_bench.definitions import Backbone
from recmerge_bench.errors import HandledError
from recmerge_bench.evaluation.loaded import LoadedModel
from recmerge_bench.evaluation.ranking import Ranking
from recmerge_bench.evaluation.split_ranks import rank_split
from recmerge_bench.planning.plan import build
from recmerge_bench.planning.suite_files import load_suite
from recmerge_bench.registry import Registry
from recmerge_bench.running import stage_rank
from recmerge_bench.running.context import Context
from recmerge_bench.running.loading import Stored
from recmerge_bench.specs import StrategySpec

CAT = builders.catalogue((30, 20))
MODELS = [
    SASRec(SASRecOptions(width=8, layers=1, heads=1, max_len=6)),
    GRU4Rec(GRU4RecOptions(width=8, max_len=6)),
]


def expert(definition: Backbone, domain: str, seed: int, file: Path) -> Any:
    """A net of one domain with weights of its own, also in a file."""
    net = definition.build(CAT, [domain], seed).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in net.parameters():
            value.copy_(torch.randn(value.shape, generator=generator) * 0.3)
    save_file({n: t.contiguous() for n, t in net.state_dict().items()}, file)
    return net


@pytest.mark.parametrize("definition", MODELS, ids=["sasrec", "gru4rec"])
def test_ranks_are_those_of_the_mean_score(definition: Backbone, tmp_path: Path) -> None:
    """`ensemble`: with item vectors alone, and with biases of items."""
    files = {domain: tmp_path / f"{domain}.safetensors" for domain in CAT.domains}
    nets = {d: expert(definition, d, n, files[d]) for n, d in enumerate(CAT.domains)}
    split = builders.planted(CAT, 40)
    stored = Stored(
        definition, files, CAT.domains, together=False, members=tuple(files.values()), seed=9
    )
    table = rank_split(stored.models(CAT), split, CAT, Ranking())
    assert len(table.users) == len(split.test) > 20
    sequences = split.sequences
    for at in range(len(split.test)):
        domain = CAT.domains[int(split.test.domains[at])]
        start = int(sequences.offsets[split.test.sequence[at]])
        events = sequences.items[start : start + int(split.test.position[at])][-6:]
        history = torch.from_numpy(events.astype(np.int64))[None]
        scores = []
        for net in nets.values():
            # Each expert's shared part over the domain's own vectors.
            own: Any = definition.build(CAT, [domain], 3).eval()
            state = {n: t for n, t in net.state_dict().items() if n in own.state_dict()}
            home = {
                n: t
                for n, t in nets[domain].state_dict().items()
                if n.startswith(("tables.", "biases."))
            }
            own.load_state_dict({**state, **home})
            items, bias = definition.items(own, domain)
            user = definition.encode(own, history, torch.tensor([history.shape[1]]), domain)[0]
            scores.append(items @ user + (0 if bias is None else bias))
        mean = torch.stack(scores).mean(0).detach().numpy()
        goal = int(split.test.targets[at]) - CAT.span(domain).start
        better = int((mean > mean[goal] + 1e-6).sum())
        assert abs(int(table.n_better[at]) - better) <= int((abs(mean - mean[goal]) < 1e-6).sum())


def test_a_rank_cell_takes_all_experts(registry: Registry) -> None:
    file = SAMPLES / "everything.yaml"
    plan = build(load_suite(str(file), registry), registry)
    cells = {
        (r.identity["method"], r.identity["backbone"], r.identity["track"]): plan.cells[r.key]
        for r in plan.results
        if r.identity["method"] in ("ensemble", "fine-tune")
    }
    mean = cells["ensemble", "sasrec", "merging"]
    alone = cells["fine-tune", "sasrec", "merging"]
    models = {role: key for role, key in mean.inputs.items() if role.startswith("model")}
    assert set(models) == {"model:d0", "model:d1"} and models.items() <= alone.inputs.items()
    assert mean.job["config"]["mean_score"] is True and "mean_score" not in alone.job["config"]
    assert mean.key != alone.key


def test_only_experts_that_are_passed_through_make_an_ensemble() -> None:
    for inputs, passed in ((("base", "experts"), False), (("joint",), True)):
        with pytest.raises(HandledError, match="mean_score is of experts that are passed through"):
            StrategySpec("mine", "a:B", "x", inputs=inputs, passthrough=passed, mean_score=True)  # type: ignore[arg-type]


def test_a_domain_without_an_expert_has_its_initial_vectors(tmp_path: Path) -> None:
    """Every expert scores the unseen domain's initial items: none has vectors of its own."""
    definition, unseen = MODELS[0], CAT.domains[1]
    files = [tmp_path / f"{seed}.safetensors" for seed in (1, 2)]
    nets = [expert(definition, CAT.domains[0], n, f) for n, f in enumerate(files)]
    stored = Stored(
        definition, {unseen: files[0]}, (unseen,), together=False, initial_tables=True,
        members=tuple(files), seed=9,
    )  # fmt: skip
    (model,) = stored.models(CAT)
    assert isinstance(model, LoadedModel)
    initial: Any = definition.build(CAT, [unseen], 9)
    for own, net in zip(model.net, nets, strict=True):
        assert torch.equal(
            own.state_dict()[f"tables.{unseen}"], initial.tables.domain_table(unseen)
        )
        assert torch.equal(own.positions, net.positions)
    items, _ = model.definition.items(model.net, unseen)
    torch.testing.assert_close(items, initial.tables.domain_table(unseen).repeat(1, 2))


def test_plans_say_where_a_domain_has_no_expert(registry: Registry) -> None:
    track = {
        "dataset": "synthetic", "domains": ["d0", "d1"], "experts": ["d0"],
        "protocols": ["loo"], "backbones": {"sasrec": {}},
        "rows": ["fine-tune", "ensemble", "joint", "weight-averaging"],
    }  # fmt: skip
    for experts, unseen in ((["d0"], True), (["d0", "d1"], False)):
        tracks = {"t": {**track, "experts": experts}}
        plan = build(load_suite({"name": "x", "tracks": tracks}, registry), registry)
        initial = {
            r.identity["method"]: plan.cells[r.key].job["config"]["initial_tables"]
            for r in plan.results
        }
        assert initial.pop("fine-tune") is False, (
            "every scored domain has an expert to pass through"
        )
        assert set(initial.values()) == {unseen}


def test_a_rank_cell_serves_a_domain_without_an_expert(tmp_path: Path) -> None:
    definition = {"target": "recmerge_bench_plugins.backbones.sasrec:SASRec", "options": {}}
    config = {
        "model": definition, "counting": False, "domains": ["d0", "d1"], "together": False,
        "mean_score": True, "initial_tables": True,
    }  # fmt: skip
    context = Context(
        config, {"model:d0": tmp_path}, tmp_path, tmp_path, 0, 1, "cpu", lambda _: None
    )
    actual = stage_rank.stored(context)
    assert actual.members == (tmp_path,) and dict(actual.places) == {"d0": tmp_path, "d1": tmp_path}
    with pytest.raises(KeyError, match="model:d1"):
        stage_rank.stored(replace(context, config={**config, "mean_score": False}))
