"""Weights are chosen by the metric of the protocol: planned, drawn, validated, kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders import catalogue, leave_two_out, planted
from conftest import SAMPLES
from recmerge_bench_plugins.cdsr.sasrec_dt import SASRecDT
from torch import Tensor, nn

from recmerge_bench.data.candidates import candidate_hash, draw
from recmerge_bench.data.codec import save_interactions, save_split
from recmerge_bench.data.interactions import Catalogue, Interactions
from recmerge_bench.data.sequences import Batch, Split, without_test
from recmerge_bench.definitions import Backbone
from recmerge_bench.errors import HandledError
from recmerge_bench.evaluation.loaded import LoadedModel
from recmerge_bench.evaluation.metrics import mrr
from recmerge_bench.evaluation.ranking import Ranking
from recmerge_bench.planning.cells import Cell, Plan
from recmerge_bench.planning.plan import build
from recmerge_bench.planning.suite_files import load_suite
from recmerge_bench.registry import Registry
from recmerge_bench.running import stage_candidates, stage_train
from recmerge_bench.running.context import Context
from recmerge_bench.running.jobs import config_of
from recmerge_bench.training.options import TrainOptions, split_select
from recmerge_bench.training.trainer import TrainResult, fit
from recmerge_bench.training.validation import FULL, Selection, Validator

TINY = str(SAMPLES / "tiny.yaml")


def tiny(registry: Registry, *changes: str) -> Plan:
    return build(load_suite(TINY, registry, changes), registry)


def cells(plan: Plan, label: str) -> list[Cell]:
    return [c for c in plan.cells.values() if c.label.startswith(label)]


CDSR = "tracks.cdsr.training={steps: 6, epochs: 0, eval_every: 3, batch_size: 16"


# -- the plan ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("protocols", "select", "name", "count", "k"),
    [
        ("[mixed-sampled-99, mixed]", "", "NDCG@10@mixed-sampled-99", 99, 10),
        ("[mixed, mixed-sampled-99]", "", "NDCG@10@mixed", None, 10),
        ("[mixed-sampled-99, mixed]", "MRR", "MRR@mixed-sampled-99", 99, None),
        ("[mixed-sampled-99, mixed]", "HR@5@mixed", "HR@5@mixed", None, 5),
        ("[mixed]", "MRR@mixed-sampled-999", "MRR@mixed-sampled-999", 999, None),
        ("[mixed-masked, mixed]", "", "NDCG@10@mixed-masked", None, 10),
        ("[mixed-shuffled, mixed]", "", "NDCG@10@mixed", None, 10),
        ("[mixed-shuffled]", "MRR@mixed", "MRR@mixed", None, None),
    ],
)
def test_what_selects_is_resolved_and_told(
    registry: Registry, protocols: str, select: str, name: str, count: int | None, k: int | None
) -> None:
    """The default is the suite's first metric under the track's first protocol."""
    plan = tiny(registry, f"tracks.cdsr.protocols={protocols}", f"{CDSR}, select: '{select}'}}")
    (train,) = cells(plan, "train sasrec-dt")  # one, whatever the number of protocols
    config = config_of(train)
    assert config["training"]["select"] == config["selection"]["name"] == name
    assert config["selection"]["mask_history"] is ("masked" in name)
    assert config["selection"]["metric"]["k"] == k
    drawn = [plan.cells[v] for r, v in train.inputs.items() if r == "valid_candidates"]
    assert [config_of(c) for c in drawn] == [
        {"count": count, "seed": 2026, "part": "valid"} for _ in drawn
    ]
    assert len(drawn) == (count is not None)
    assert {"data", "split"} <= set(train.inputs) and "candidates" not in train.inputs


def test_by_what_is_chosen_is_part_of_a_trainings_key(registry: Registry) -> None:
    def key(select: str, *more: str) -> str:
        (cell,) = cells(tiny(registry, f"{CDSR}, select: '{select}'}}", *more), "train sasrec-dt")
        return cell.key

    both = "tracks.cdsr.protocols=[mixed, mixed-sampled-99]"
    keys = [
        key(s) for s in ("", "MRR", "HR@10", "NDCG@10@mixed-sampled-99", "NDCG@10@mixed-masked")
    ]
    assert len(set(keys)) == len(keys)
    assert key("NDCG@10") == key("NDCG@10@mixed") == key("", both) == keys[0]
    assert key("", "metrics=[MRR]") == keys[1]


def test_where_nothing_is_validated_nothing_selects(registry: Registry) -> None:
    """Neither a metric nor candidates are in the key of a training that does not look at them."""
    sampled = (
        "tracks.cdsr.protocols=[mixed-sampled-99]",
        "tracks.merging.protocols=[loo-sampled-99]",
    )
    plan = tiny(registry, *sampled)
    for cell in (c for c in plan.cells.values() if c.kind == "train"):
        if not config_of(cell)["counting"]:
            assert config_of(cell)["training"]["select"] == ""
        assert "selection" not in config_of(cell)
        assert "valid_candidates" not in cell.inputs
    every = "tracks.merging.training={steps: 12, epochs: 0, eval_every: 3, batch_size: 16}"
    plan = tiny(registry, *sampled, every)
    (base,) = cells(plan, "train sasrec base")  # of `drama`, which has no targets
    assert config_of(base)["training"]["select"] == ""
    (expert,) = cells(plan, "train sasrec fine-tune action")
    assert config_of(expert)["training"]["select"] == "NDCG@10@loo-sampled-99"
    assert "valid_candidates" in expert.inputs and "valid_candidates" not in base.inputs


def test_protocols_that_cut_otherwise_choose_for_themselves(registry: Registry) -> None:
    both = "tracks.cdsr.protocols=[mixed-sampled-99, mixed, temporal-mixed]"
    plan = tiny(registry, both, f"{CDSR}}}")
    chosen = [config_of(c)["training"]["select"] for c in cells(plan, "train sasrec-dt")]
    assert chosen == ["NDCG@10@mixed-sampled-99", "NDCG@10@temporal-mixed"]
    message = "'mixed' splits the data otherwise than 'temporal-mixed' and cannot choose its models"
    with pytest.raises(HandledError, match=message):
        tiny(registry, both, f"{CDSR}, select: MRR@mixed}}")


@pytest.mark.parametrize("select", ["", "MRR@mixed-shuffled"])
def test_shuffled_histories_choose_no_models(registry: Registry, select: str) -> None:
    with pytest.raises(HandledError, match="'mixed-shuffled' shuffles the histories of test"):
        tiny(
            registry, "tracks.cdsr.protocols=[mixed-shuffled]", f"{CDSR}, select: '{select}'}}"
        )  # fmt: skip


def test_a_shuffled_protocol_ranks_the_same_models(registry: Registry) -> None:
    plan = tiny(
        registry, "tracks.cdsr.protocols=[mixed, mixed-shuffled]", f"{CDSR}}}",
        "tracks.merging.protocols=[loo, loo-sampled-99]",
    )  # fmt: skip
    assert len(cells(plan, "train sasrec-dt")) == 1
    true, other = cells(plan, "rank sasrec-dt")
    assert true.inputs == other.inputs and true.key != other.key
    assert "shuffle_seed" not in true.job["config"]
    assert other.job["config"] == {**true.job["config"], "shuffle_seed": 2026}


def test_a_base_of_other_data_is_validated_on_its_own(registry: Registry) -> None:
    base = "tracks.merging.base={dataset: ml-100k, domains: [drama, thriller]}"
    every = "tracks.merging.training={steps: 12, epochs: 0, eval_every: 3, batch_size: 16}"
    one = ("tracks.merging.source=[]", "tracks.merging.protocols=[loo-sampled-99]")
    plan = tiny(registry, base, every, *one)
    (made,), (expert,) = cells(plan, "train sasrec base"), cells(plan, "train sasrec fine-tune a")
    drawn = [plan.cells[c.inputs["valid_candidates"]] for c in (made, expert)]
    assert drawn[0].key != drawn[1].key
    assert drawn[0].inputs["split"] == made.inputs["split"] != expert.inputs["split"]


def test_strategies_that_read_labels_are_tuned_by_it(registry: Registry) -> None:
    rows = "tracks.merging.rows=[task-arithmetic-validated, task-arithmetic]"
    plan = tiny(registry, rows, "tracks.merging.protocols=[loo-sampled-99, loo]", "metrics=[MRR]")
    tuned, plain = cells(plan, "merge")
    assert config_of(tuned)["selection"]["name"] == "MRR@loo-sampled-99"
    assert config_of(plan.cells[tuned.inputs["valid_candidates"]])["part"] == "valid"
    assert "selection" not in config_of(plain) and "valid_candidates" not in plain.inputs


@pytest.mark.parametrize(
    ("select", "message"),
    [
        ("MRR@mixed-sampled-98", "did you mean 'mixed-sampled-99'"),
        ("NDGC@10", "did you mean 'NDCG'"),
        ("HR", "'HR': HR and Recall need a cut-off"),
        ("NDCG@0", "'NDCG@0': the cut-off after @ is a whole number from 1"),
        ("MRR@", "METRIC@PROTOCOL"),
        ("@mixed", "METRIC@PROTOCOL"),
        ("NDCG@10@mixed@mixed", "METRIC@PROTOCOL"),
        ("MRR of mixed", "METRIC@PROTOCOL"),
    ],
)
@pytest.mark.parametrize("every", ["3", "-1"])
def test_wrong_ones_are_refused_by_the_plan(
    registry: Registry, select: str, message: str, every: str
) -> None:
    """Even where nothing is validated: what is written and does nothing would mislead."""
    training = (
        f"tracks.cdsr.training={{steps: 6, epochs: 0, eval_every: {every}, select: '{select}'}}"
    )
    with pytest.raises(HandledError, match=message) as caught:
        tiny(registry, training)
    assert "\n" not in str(caught.value) and "select" in str(caught.value)


def test_a_number_is_a_cut_off_and_anything_else_a_protocol() -> None:
    wanted = {
        "": ("", ""), "MRR": ("MRR", ""), "MRR@10": ("MRR@10", ""), "MRR@loo": ("MRR", "loo"),
        "MRR@10@loo-sampled-99": ("MRR@10", "loo-sampled-99"),
    }  # fmt: skip
    assert {text: split_select(text) for text in wanted} == wanted
    assert TrainOptions(select="MRR@loo").select == "MRR@loo"


# -- the candidates ----------------------------------------------------------------------------


def stored(folder: Path, split: Split, cat: Catalogue) -> Mapping[str, Path]:
    """The data and the split as a stage finds them."""
    s = split.sequences
    times = np.zeros(len(s.items), np.int64)
    events = Interactions(s.offsets, s.items, times, [f"u{u}" for u in range(len(s))], cat)
    save_interactions(events, folder / "data")
    save_split(split, folder / "split")
    return {name: folder / name for name in ("data", "split")}


def drawn(folder: Path, split: Split, cat: Catalogue, part: str = "valid") -> tuple[Any, Any]:
    inputs = stored(folder, split, cat)
    config = {"count": 6, "seed": 2026, "part": part}
    out = folder / part
    out.mkdir()
    report = stage_candidates.run(Context(config, inputs, out, out, 0, 1, "cpu", lambda _: None))
    return report, np.load(out / "candidates.npy")


def sequences(test_item: int) -> list[list[int]]:
    return [
        [*((7 * user + 5 * i) % 12 for i in range(7)), 12 + user % 6, test_item]
        for user in range(40)
    ]


def test_candidates_of_validation_know_nothing_of_what_came_after(tmp_path: Path) -> None:
    """The same for whatever the test target is, which may be among them: as a user who stands at
    the validation target has met what he has met."""
    cat = catalogue((20, 20))
    splits = [leave_two_out(sequences(item), [0] * 40, cat) for item in (18, 19)]
    collected = []
    for number, split in enumerate(splits):
        (tmp_path / str(number)).mkdir()
        report, candidates = drawn(tmp_path / str(number), split, cat)
        assert report["hash"] == candidate_hash(candidates, split.valid) and report["count"] == 6
        collected.append((report["hash"], candidates))
        offsets, items = split.sequences.offsets, split.sequences.items
        for row, start in zip(candidates, offsets[:-1], strict=True):
            assert len(set(row.tolist())) == 6
            assert not set(row.tolist()) & set(items[start : start + 8].tolist())
        assert (candidates == (18, 19)[number]).any()  # the test target, unknown as yet
    assert collected[0][0] == collected[1][0] and np.array_equal(collected[0][1], collected[1][1])
    report, candidates = drawn(tmp_path / "0", splits[0], cat, "test")
    assert not (candidates == 18).any() and report["hash"] != collected[0][0]


def test_their_hash_is_pinned(tmp_path: Path) -> None:
    """The same sets on every machine, with every version of numpy."""
    cat = catalogue((20, 20))
    report, _ = drawn(tmp_path, leave_two_out(sequences(18), [0] * 40, cat), cat)
    assert report["hash"] == "09722b5a1d77c9590499bda40d2a927e5221ea97158e51f8287b84e051ed9b43"


# -- the choice --------------------------------------------------------------------------------

#: Scores of six items after one and after two epochs; the target is item 5.
TABLE = torch.tensor([[0.0, 0, 0, 0, 9, 5], [9, 9, 9, 0, 0, 5], [0, 0, 0, 0, 0, 0]])


@dataclass(frozen=True)
class NoOptions:
    """None."""


class Scripted(Backbone):
    """Its scores after each epoch are those of `TABLE`, whatever it is trained on."""

    Options = NoOptions

    def build(self, catalogue: Catalogue, domains: Any, seed: int) -> nn.Module:
        net = nn.Module()
        net.epoch = nn.Parameter(torch.zeros(1))
        return net

    def loss(self, net: Any, batch: Batch) -> tuple[Tensor, int]:
        return -net.epoch.sum(), len(batch.lengths)

    def encode(self, net: Any, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        return torch.zeros(len(lengths), 1)

    def items(self, net: Any, domain: str) -> tuple[Tensor, Tensor | None]:
        at = int(net.epoch.round().item()) - 1
        return torch.zeros(6, 1), TABLE[min(at, 2)].clone()

    def max_history(self) -> int:
        return 8


ONE = catalogue((6, 6))
PAIR = leave_two_out([[0, 1, 2, 5, 3], [1, 0, 2, 5, 3]], [0, 0], ONE)


def run(selection: Selection | None, **more: Any) -> TrainResult:
    options = TrainOptions(
        **{"epochs": 3, "batch_size": 8, "lr": 1.0, "clip": 0, "betas": (0.0, 0.0), **more}
    )
    return fit(Scripted(NoOptions()), ONE, PAIR, ("alpha",), "domain", options, 0,
               selection=selection)  # fmt: skip


def sampled(*items: int) -> Selection:
    candidates = np.tile(np.array(items, np.int32), (len(PAIR.valid), 1))
    return Selection("MRR@sampled", partial(mrr, k=None), Ranking(candidates))


def test_the_epoch_follows_the_sampled_metric_where_the_two_disagree() -> None:
    """Full ranking: second of six after one epoch, fourth after two. Among items 3 and 4: second
    after one, first after two."""
    full = run(Selection("MRR@full", partial(mrr, k=None))).report
    assert [h["valid"] for h in full["history"]] == [1 / 2, 1 / 4, 1 / 3.5]
    assert (full["best_step"], full["best_valid"]) == (1, 0.5)
    few = run(sampled(3, 4))
    assert [h["valid"] for h in few.report["history"]] == [1 / 2, 1.0, 1 / 2]
    assert (few.report["best_step"], few.report["best_valid"]) == (2, 1.0)
    assert few.state["epoch"].item() == pytest.approx(2, abs=0.1)
    assert few.report["selection"] == {"name": "MRR@sampled"}
    assert run(None).report["selection"] == {"name": FULL.name}
    assert run(None, eval_every=-1).report["selection"] is None


def test_plateau_and_early_stop_follow_it_too() -> None:
    more = {"epochs": 8, "patience": 1}
    assert run(Selection("MRR@full", partial(mrr, k=None)), **more).report["epochs"] == 2
    assert run(sampled(3, 4), **more).report["epochs"] == 3
    drops = {"schedule": "plateau", "drop": 0.001, "drop_patience": 0, "epochs": 3}
    slow = run(Selection("MRR@full", partial(mrr, k=None)), eval_every=0, **drops)
    assert slow.report["history"][-1]["valid"] == pytest.approx(1 / 4)  # dropped: stays at two
    assert run(sampled(3, 4), **drops).report["history"][-1]["valid"] == pytest.approx(1 / 2)


def test_histories_are_masked_where_the_protocol_masks() -> None:
    """Items 0, 1, 2 are the history: without them the target is first after two epochs."""
    masked = Selection("MRR@masked", partial(mrr, k=None), Ranking(None, mask_history=True))
    assert [h["valid"] for h in run(masked).report["history"]] == [1 / 2, 1.0, 1 / 2]


def test_a_part_of_the_targets_keeps_its_own_candidates() -> None:
    """With `eval_limit`, and for one of several domains."""
    cat = catalogue((60, 50))
    split = planted(cat, users=60)
    candidates = draw(without_test(split), split.valid, cat, 5, 1)
    definition = SASRecDT(replace(SASRecDT.Options(), width=16, heads=1, max_len=8))
    net = definition.build(cat, cat.domains, 0).eval()
    selection = Selection("MRR@s", partial(mrr, k=None), Ranking(candidates))
    few = Validator(cat, split, ("beta",), 7, selection)
    rows = [int(np.flatnonzero(split.valid.sequence == s)[0]) for s in few.instances.sequence]
    assert len(rows) == 7 and np.array_equal(few.ranking.candidates, candidates[rows])
    part = replace(split, valid=split.valid.take(np.array(rows)))
    alone = replace(selection, ranking=Ranking(candidates[rows]))
    loaded = LoadedModel(definition, net, cat.domains)
    assert few(loaded) == Validator(cat, part, ("beta",), 0, alone)(loaded)
    with pytest.raises(ValueError, match="4 rows of candidates"):
        Validator(cat, split, ("beta",), 7, replace(selection, ranking=Ranking(candidates[:4])))


def test_options_that_name_another_selection_are_refused() -> None:
    with pytest.raises(HandledError, match="'MRR@loo' and the selection given is 'MRR@sampled'"):
        run(sampled(3, 4), select="MRR@loo")


def test_a_training_cell_validates_among_the_stored_candidates(
    registry: Registry, tmp_path: Path
) -> None:
    cat = catalogue((40, 30), ("action", "comedy"))
    rng = np.random.default_rng(0)
    mixed = [rng.permutation(70)[:12].tolist() for _ in range(50)]
    split = leave_two_out(mixed, [-1] * 50, cat)
    stage_report, candidates = drawn(tmp_path, split, cat)
    protocols = "tracks.cdsr.protocols=[mixed-sampled-99]"
    (cell,) = cells(tiny(registry, protocols, f"{CDSR}, select: MRR}}"), "train sasrec-dt")
    inputs = {n: tmp_path / n for n in ("data", "split")} | {"valid_candidates": tmp_path / "valid"}
    out = tmp_path / "train"
    out.mkdir()
    context = Context(config_of(cell), inputs, out, out, 0, 1, "cpu", lambda _: None)
    report = stage_train.run(context)
    name = "MRR@mixed-sampled-99"
    assert report["selection"] == {
        "name": name,
        "candidates": stage_report["hash"],
        "mask_history": False,
    }
    definition = context.definition("model")
    net = definition.build(cat, cat.domains, 0)
    from safetensors.torch import load_file

    net.load_state_dict(load_file(str(out / "model.safetensors")))
    selection = Selection(name, partial(mrr, k=None), Ranking(candidates))
    loaded = LoadedModel(definition, net.eval(), cat.domains)
    actual = Validator(cat, split, cat.domains, 0, selection)(loaded)
    assert report["best_valid"] == pytest.approx(np.mean(list(actual.values())), rel=1e-9)
    full = Validator(cat, split, cat.domains, 0, replace(selection, ranking=Ranking()))
    assert np.mean(list(full(loaded).values())) < report["best_valid"]
