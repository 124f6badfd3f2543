"""What plugins return is looked at where it enters; each fault names plugin, file and line."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import SAMPLES

from recmerge_bench.blame import plugin_fault
from recmerge_bench.borders.arrays import check_array
from recmerge_bench.borders.datasets import loaded, sources_of
from recmerge_bench.borders.encoders import check_tokens, check_vectors
from recmerge_bench.borders.executors import CheckedExecutor
from recmerge_bench.borders.merges import check_each, check_merged
from recmerge_bench.borders.metrics import split_metric, try_metric, values_of
from recmerge_bench.borders.models import (
    check_items,
    check_loss,
    check_net,
    check_scores,
    check_state,
    check_users,
)
from recmerge_bench.borders.splits import checked_split, rules_of
from recmerge_bench.contracts import definition
from recmerge_bench.data.interactions import Interactions, ItemTokens
from recmerge_bench.data.sequences import Split
from recmerge_bench.definitions import (
    Backbone,
    CountingModel,
    DatasetDefinition,
    ExecutorDefinition,
    MetricDefinition,
    ProtocolDefinition,
    StrategyDefinition,
    TextEncoder,
)
from recmerge_bench.errors import HandledError, PluginError
from recmerge_bench.planning.metrics import check_metrics
from recmerge_bench.planning.options import complete
from recmerge_bench.planning.plan import build
from recmerge_bench.planning.suite_files import load_suite
from recmerge_bench.registry import Registry
from recmerge_bench.targets import define

replace = dataclasses.replace
HERE = rf"plugin test_borders, {__file__}:\d+: "


@pytest.fixture(scope="module")
def events(registry: Registry) -> Interactions:
    options = {"users": 120, "items": 40, "n_domains": 2, "mean_length": 12}
    dataset = complete(registry.get("dataset", "synthetic"), options, "borders").definition()
    made: Interactions = dataset.load(None)
    return made


class Data(DatasetDefinition):
    """Gives what it is told to."""

    def __init__(self, events: Interactions, names: tuple[str, ...] | None = None) -> None:
        super().__init__()
        self.events, self.names = events, names or events.catalogue.domains

    def domains(self, data_root: Path | None = None) -> tuple[str, ...]:
        return self.names

    def load(self, data_root: Path | None) -> Interactions:
        return self.events


def shop(i: Interactions, **changes: Any) -> Interactions:
    """The same events with another catalogue."""
    return replace(i, catalogue=replace(i.catalogue, **changes))


def test_right_events_pass(events: Interactions, registry: Registry) -> None:
    assert loaded(Data(events), None) is events
    for name in ("synthetic", "ml-100k"):
        data = definition(registry.get("dataset", name))
        try:
            assert loaded(data, None).n_users
        except Exception as error:
            assert "Blocked" in type(error).__name__


WRONG_EVENTS: dict[str, tuple[Callable[[Interactions], Any], str]] = {
    "nothing": (lambda i: None, "gave NoneType"),
    "outside": (lambda i: replace(i, items=i.items + 40), "items that hold"),
    "below": (lambda i: replace(i, items=i.items - 40), "items that hold -"),
    "reversed": (lambda i: replace(i, times=i.times[::-1].copy()), "out of the order"),
    "float": (lambda i: replace(i, times=i.times.astype(float)), "times as float64"),
    "int64": (lambda i: replace(i, items=i.items.astype(np.int64)), "items as int64"),
    "list": (lambda i: replace(i, items=i.items.tolist()), "items as list"),
    "short": (lambda i: replace(i, times=i.times[:-1]), "times as int64"),
    "users": (lambda i: replace(i, user_tokens=i.user_tokens[:5]), "user_tokens of length 5"),
    "same-user": (lambda i: replace(i, user_tokens=["u"] * i.n_users), "one of them twice"),
    "numbers": (lambda i: replace(i, user_tokens=list(range(i.n_users))), "not all texts"),
    "offsets": (lambda i: replace(i, offsets=i.offsets + 1), "do not rise"),
    "report": (lambda i: replace(i, report={"x": "y"}), "a report"),
    "texts": (lambda i: shop(i, texts=[]), "texts of length 0"),
    "tokens": (lambda i: shop(i, tokens=[*i.catalogue.tokens][:-1]), "domain_offsets that do not"),
    "same-item": (lambda i: shop(i, tokens=["t"] * i.catalogue.n_items), "one of them twice"),
    "names": (lambda i: shop(i, domains=("x", "y")), r"domains\(\) promises"),
}


@pytest.mark.parametrize("case", WRONG_EVENTS)
def test_wrong_events_are_refused(events: Interactions, case: str) -> None:
    change, message = WRONG_EVENTS[case]
    with pytest.raises(PluginError, match=HERE + r"Data\.load\(\) .*" + message):
        loaded(Data(change(events), events.catalogue.domains), None)


def test_sources_are_files(tmp_path: Path) -> None:
    class Lost(DatasetDefinition):
        def sources(self, data_root: Path | None) -> list[Path]:
            return [tmp_path / "lost.csv"]

    with pytest.raises(PluginError, match=r"lost.csv, which is no file: raise Blocked"):
        sources_of(Lost(), None)


@pytest.mark.parametrize("scope", [(0, 1), (0,)])
def test_our_protocols_cut_what_the_border_lets_pass(
    registry: Registry, events: Interactions, scope: tuple[int, ...]
) -> None:
    names = [events.catalogue.domains[i] for i in scope]
    seen = 0
    for name in registry.names("protocol"):
        rules = definition(registry.get("protocol", name))
        rules_of(rules)
        try:
            theirs = rules.split(events, names)
        except HandledError:
            continue  # these events do not suit it
        checked = checked_split(rules, events, names)
        assert np.array_equal(checked.test.targets, theirs.test.targets)
        seen += 1
    assert seen >= 3


class Cuts(ProtocolDefinition):
    """Leave one out, changed."""

    def __init__(self, right: ProtocolDefinition, change: Callable[[Split], Any]) -> None:
        super().__init__()
        self.right, self.change = right, change

    def split(self, interactions: Any, domains: Any, unscored: Any = ()) -> Split:
        made: Split = self.change(self.right.split(interactions, domains, unscored))
        return made


def seq(s: Split, **changes: Any) -> Split:
    return replace(s, sequences=replace(s.sequences, **changes))


def ranked(s: Split, **changes: Any) -> Split:
    return replace(s, test=replace(s.test, **changes))


def _backwards(s: Split) -> Split:
    """Every sequence in the order of a mirror."""
    q = s.sequences
    parts = [q.items[a:b][::-1] for a, b in zip(q.offsets, q.offsets[1:], strict=False)]
    items = np.concatenate(parts)
    places = q.offsets[s.test.sequence] + s.test.position
    valid = q.offsets[s.valid.sequence] + s.valid.position
    s = seq(s, items=items)
    return replace(
        s,
        test=replace(s.test, targets=items[places]),
        valid=replace(s.valid, targets=items[valid]),
    )


WRONG_SPLITS: dict[str, tuple[Callable[[Split], Any], str]] = {
    "nothing": (lambda s: None, "gave NoneType"),
    "leak": (
        lambda s: seq(s, train_end=np.diff(s.sequences.offsets).astype(np.int32)),
        "trains on targets of valid",
    ),
    "leak-test": (
        lambda s: seq(
            replace(s, valid=s.valid.take(np.arange(0))),
            train_end=np.diff(s.sequences.offsets).astype(np.int32),
        ),
        "trains on targets of test",
    ),
    "beyond": (lambda s: seq(s, train_end=s.sequences.train_end + 99), "train_end outside"),
    "domain": (lambda s: ranked(s, domains=(1 - s.test.domains)), "domains that are not their"),
    "target": (lambda s: ranked(s, targets=np.roll(s.test.targets, 1)), "do not stand at"),
    "users": (lambda s: ranked(s, users=s.test.users[::-1].copy()), "users that are not"),
    "first": (lambda s: ranked(s, position=s.test.position * 0), "without a history"),
    "after": (lambda s: ranked(s, position=s.test.position + 1), "outside of the sequence"),
    "same": (lambda s: replace(s, test=s.valid), "both in valid and in test"),
    "twice": (
        lambda s: replace(s, test=s.test.take(np.r_[0, np.arange(len(s.test))])),
        "one event twice in test",
    ),
    "int64": (lambda s: ranked(s, targets=s.test.targets.astype(int)), "targets as int64"),
    "stranger": (
        lambda s: seq(s, users=np.roll(s.sequences.users, 2)),
        "events that the dataset does not have|two sequences of one user",
    ),
    "invented": (
        lambda s: seq(s, items=np.full_like(s.sequences.items, s.sequences.items[0])),
        "items of other domains|does not have",
    ),
    "backwards": (_backwards, "not oldest first"),
    "no-target": (lambda s: replace(s, test=s.test.take(s.test.domains < 0)), "no test target"),
    "same-sequence": (
        lambda s: seq(s, users=s.sequences.users * 0),
        "two sequences of one user and domain",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG_SPLITS)
def test_wrong_splits_are_refused(registry: Registry, events: Interactions, case: str) -> None:
    change, message = WRONG_SPLITS[case]
    right = definition(registry.get("protocol", "loo"))
    assert checked_split(Cuts(right, lambda s: s), events, events.catalogue.domains)
    with pytest.raises(PluginError, match=HERE + rf"Cuts\.split\(\) .*({message})"):
        checked_split(Cuts(right, change), events, events.catalogue.domains)


@pytest.mark.parametrize(
    ("method", "value"),
    [("candidates", 0), ("candidates", 99.0), ("candidate_seed", -1), ("candidate_seed", None),
     ("mask_history", "no"), ("cap_candidates", 1), ("split_options", {"a": {1}}),
     ("split_options", None), ("shuffle_seed", True), ("shuffle_seed", -1)],
)  # fmt: skip
def test_wrong_rules_are_refused(registry: Registry, method: str, value: Any) -> None:
    right = definition(registry.get("protocol", "loo"))
    wrong = type("Wrong", (type(right),), {method: lambda self: value})
    with pytest.raises(PluginError, match=rf"Wrong\.{method}\(\) gave"):
        rules_of(wrong(right.options))


class Net(Backbone):
    """For its name alone."""

    def items(self, net: Any, domain: str) -> Any:
        """Nothing."""

    def encode(self, net: Any, histories: Any, lengths: Any, domain: str) -> Any:
        """Nothing."""

    def loss(self, net: Any, batch: Any) -> Any:
        """Nothing."""


@pytest.mark.parametrize(
    ("actual", "message"),
    [
        ((torch.zeros(9, 4), None), r"vectors \[9, 4\] for 'd'"),
        ((torch.zeros(5, 4, 1), None), "vectors"),
        ((torch.zeros(5, 4), torch.zeros(1)), r"a bias \[1\]"),
        ((torch.zeros(5, 4), torch.zeros(5, 1)), "a bias"),
        ((torch.zeros(5, 4, dtype=torch.int32), None), "float tensor"),
        ((np.zeros((5, 4)), None), "float tensor"),
        ((torch.zeros(5, 4, device="meta"), None), "on meta"),
        (torch.zeros(5, 4), "gave Tensor"),
    ],
)
def test_item_vectors_are_the_domains(actual: Any, message: str) -> None:
    cpu = torch.device("cpu")
    assert check_items(Net(), (torch.zeros(5, 4), torch.zeros(5)), "d", 5, cpu)
    with pytest.raises(PluginError, match=HERE + r"Net\.items\(\) .*" + message):
        check_items(Net(), actual, "d", 5, cpu)


@pytest.mark.parametrize("shape", [(1, 4), (3, 1, 4), (3, 5), (4,)])
def test_users_vectors_are_as_wide_as_items(shape: tuple[int, ...]) -> None:
    assert len(check_users(Net(), torch.zeros(3, 4), 3, 4)) == 3
    with pytest.raises(PluginError, match=HERE + r"Net\.encode\(\) gave"):
        check_users(Net(), torch.zeros(shape), 3, 4)


@pytest.mark.parametrize(
    "actual",
    [torch.ones((), requires_grad=True), (torch.ones(2, requires_grad=True), 2),
     (torch.ones(()), 2), (1.0, 2), (torch.ones((), requires_grad=True), 2.5),
     (torch.ones((), requires_grad=True), -1)],
)  # fmt: skip
def test_a_loss_is_one_number_that_can_fall(actual: Any) -> None:
    assert check_loss(Net(), (torch.ones((), requires_grad=True), np.int64(3)))[1] == 3
    with pytest.raises(PluginError, match=HERE + r"Net\.loss\(\) gave"):
        check_loss(Net(), actual)


def test_tables_have_a_row_for_each_item(events: Interactions) -> None:
    names = events.catalogue.domains
    net = torch.nn.Module()
    net.tables = torch.nn.ParameterDict({names[0]: torch.nn.Parameter(torch.zeros(3, 2))})
    with pytest.raises(PluginError, match=f"gave tables.{names[0]} as"):
        check_net(Net(), net, events.catalogue, names)
    with pytest.raises(PluginError, match=r"it gives a torch\.nn\.Module"):
        check_net(Net(), None, events.catalogue, names)


class Counts(CountingModel):
    """For its name alone."""

    def scores(self, state: Any, histories: Any, catalogue: Any, domain: str) -> Any:
        """Nothing."""


@pytest.mark.parametrize(
    "actual",
    [None, np.zeros((3, 4), np.float32), np.zeros((3, 6), np.float32), np.zeros((1, 5), np.float32),
     np.zeros((3, 5)), np.zeros((3, 5), np.int64), np.full((3, 5), np.nan, np.float32),
     np.full((3, 5), np.inf, np.float32), np.zeros((3, 5)).tolist()],
)  # fmt: skip
def test_counting_scores_are_the_domains(actual: Any) -> None:
    assert check_scores(Counts(), np.full((3, 5), 3e38, np.float32), 3, 5, "d").shape == (3, 5)
    with pytest.raises(PluginError, match=HERE + r"Counts\.scores\(\) gave .* for 'd'"):
        check_scores(Counts(), actual, 3, 5, "d")


def test_fitted_arrays_are_numbers() -> None:
    turned = check_state(Counts(), {"a": np.arange(6.0).reshape(2, 3).T})["a"]
    assert turned.flags.c_contiguous and turned[1, 0] == 1
    for wrong in (None, {"a": [1]}, {"a": np.array(["x"])}, {"a": np.array([np.nan])}, {1: 2}):
        with pytest.raises(PluginError, match=r"fit\(\) gave"):
            check_state(Counts(), wrong)


class Merges(StrategyDefinition):
    """For its name alone."""

    def merge(self, given: Any) -> Any:
        """Nothing."""


BASE = {"a": torch.zeros(2, 3), "b": torch.zeros(4)}
WRONG_MERGES: dict[str, tuple[Any, str]] = {
    "nothing": (None, "NoneType"),
    "int32": ({**BASE, "a": BASE["a"].int()}, "as torch.int32; the base has torch.float32"),
    "half": ({**BASE, "a": BASE["a"].half()}, "as torch.float16"),
    "double": ({**BASE, "a": BASE["a"].double()}, "as torch.float64"),
    "shape": ({**BASE, "a": torch.zeros(3, 2)}, r"as \[3, 2\]; the base has \[2, 3\]"),
    "scalar": ({**BASE, "a": torch.zeros(())}, r"as \[\]"),
    "missing": ({"a": BASE["a"]}, "lacks 'b'"),
    "extra": ({**BASE, "c": BASE["a"]}, "holds 'c'"),
    "nan": ({**BASE, "b": torch.full((4,), torch.nan)}, "NaN"),
    "infinite": ({**BASE, "b": torch.full((4,), torch.inf)}, "NaN or infinite"),
    "numpy": ({**BASE, "b": np.zeros(4, np.float32)}, "as ndarray"),
    "sparse": ({**BASE, "a": BASE["a"].to_sparse()}, "dense"),
    "meta": ({**BASE, "a": torch.zeros(2, 3, device="meta")}, "holds values"),
}


@pytest.mark.parametrize("case", WRONG_MERGES)
def test_wrong_merges_are_refused(case: str) -> None:
    actual, message = WRONG_MERGES[case]
    right = {n: t.clone().requires_grad_() for n, t in BASE.items()}
    kept = check_merged(Merges(), BASE, right)
    assert set(kept) == {"a", "b"} and not kept["a"].requires_grad
    with pytest.raises(PluginError, match=HERE + r"Merges\.merge\(\) gave .*" + message):
        check_merged(Merges(), BASE, actual)


def test_each_domain_gets_its_own_and_no_other() -> None:
    beside = {**BASE, "adapter.x": torch.zeros(2)}
    assert check_each(Merges(), BASE, ["d"], {"d": beside}, "adapter.")["d"].keys() == beside.keys()
    for wrong in ({"e": BASE}, {}, None, {"d": BASE, "e": BASE}, {"d": {"adapter.x": BASE["a"]}}):
        with pytest.raises(PluginError, match=r"merge_each\(\) gave"):
            check_each(Merges(), BASE, ["d"], wrong, "adapter.")


class Value(MetricDefinition):
    """Gives what it is told to."""

    def __init__(self, change: Callable[[np.ndarray], Any]) -> None:
        super().__init__()
        self.change = change

    def value(self, rank: np.ndarray, k: int | None) -> np.ndarray:
        actual: np.ndarray = self.change(rank)
        return actual


@pytest.mark.parametrize(
    "change",
    [lambda r: 0.5, lambda r: r * np.nan, lambda r: r[:3], lambda r: [1.0] * len(r),
     lambda r: (r < 3), lambda r: r.astype(np.float32), lambda r: r[:, None],
     lambda r: 1 / (r - r)],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_values_are_one_finite_number_a_rank(change: Callable[[np.ndarray], Any]) -> None:
    ranks = np.array([1.0, 2.0, 3.0, 4.5])
    assert values_of(Value(lambda r: 1 / r), ranks, None)[1] == 0.5
    with pytest.raises(PluginError, match=HERE + r"Value\.value\(\) gave"):
        values_of(Value(change), ranks, 10)
    with pytest.raises(HandledError, match="metric 'mine': "):
        try_metric(Value(change), "mine", 10)


@pytest.mark.parametrize(
    "name",
    ["HR", "Recall", "ndcg@10", "NDCG@²", "NDCG@0", "NDCG@-1", "NDCG@010", "NDCG@1.5", "NDCG@",
     "NDCG@١٠", "NDCG@10@10", "", "@10", "NoSuch@10", "NDCG @10", "NDCG@9999999999"],
)  # fmt: skip
def test_metrics_that_cannot_be_are_refused_by_the_plan(registry: Registry, name: str) -> None:
    with pytest.raises(HandledError):
        check_metrics(registry, [name])
    with pytest.raises(HandledError, match="suite 'tiny"):
        build(load_suite(str(SAMPLES / "tiny.yaml"), registry, (f"metrics=['{name}']",)),
              registry)  # fmt: skip


def test_metrics_with_their_cut_offs_pass(registry: Registry) -> None:
    check_metrics(registry, ["HR@1", "NDCG@1", "NDCG", "MRR", "MRR@10", "Recall@20"])
    assert split_metric("NDCG@10") == ("NDCG", 10) and split_metric("MRR") == ("MRR", None)
    hit = definition(registry.get("metric", "HR"))
    gain = definition(registry.get("metric", "NDCG"))
    ranks = np.array([1.0, 1.5, 2.0])
    assert np.array_equal(values_of(hit, ranks, 1), values_of(gain, ranks, 1))


class Encodes(TextEncoder):
    """For its name alone."""

    def encode(self, *arguments: Any) -> Any:
        """Nothing."""

    def tokens(self, *arguments: Any) -> Any:
        """Nothing."""


def test_vectors_and_tokens_are_one_a_text() -> None:
    right = np.ones((3, 2), np.float32)
    assert check_vectors(Encodes(), right, 3) is right
    wrongs = (right[:2], right.astype(float), right[:, :0], right * np.nan, right.tolist(), None)
    for wrong in wrongs:
        with pytest.raises(PluginError, match=HERE + r"Encodes\.encode\(\) gave"):
            check_vectors(Encodes(), wrong, 3)
    ids, kinds = np.arange(4, dtype=np.int32), np.ones(4, np.int8)
    whole = ItemTokens(ids, kinds, np.array([0, 2, 2, 4]), {})
    assert check_tokens(Encodes(), whole, 3) is whole
    for change in ({"ids": ids.astype(np.int64)}, {"ids": ids - 1}, {"kinds": kinds + 2},
                   {"offsets": np.array([0, 4])}, {"words": ids}, {"about": None}):  # fmt: skip
        with pytest.raises(PluginError, match=HERE + r"Encodes\.tokens\(\) gave"):
            check_tokens(Encodes(), replace(whole, **change), 3)


class Runs(ExecutorDefinition):
    """Says what it is told to."""

    slots: Any = 1
    answer: Any = ()

    def open(self, *arguments: Any) -> None:
        """Nothing."""

    def free(self) -> int:
        free_slots: int = self.slots
        return free_slots

    def submit(self, job: Any) -> None:
        """Nothing."""

    def events(self, timeout: float) -> Any:
        return self.answer


@pytest.mark.parametrize(
    "answer",
    [None, [None], [{"event": "done"}], [{"event": "done", "key": "other"}],
     [{"event": "finished", "key": "k"}], [{"event": "failed", "key": "k"}],
     [{"event": "failed", "key": "k", "error": "no", "lost": "perhaps"}]],
)  # fmt: skip
def test_executors_tell_of_their_jobs(answer: Any) -> None:
    runner = CheckedExecutor(Runs())
    runner.submit({"key": "k"})
    runner.inner.answer = answer  # type: ignore[attr-defined]
    with pytest.raises(PluginError, match=HERE + r"Runs\.events\(\) gave"):
        runner.events(0)


def test_the_first_end_of_a_job_counts_and_a_failure_has_all_its_fields() -> None:
    runner = CheckedExecutor(Runs())
    runner.submit({"key": "k"})
    again = [{"event": "done", "key": "k"}, {"event": "progress", "key": "k"}]
    runner.inner.answer = [{"event": "failed", "key": "k", "error": "no"}, *again]  # type: ignore[attr-defined]
    [event] = runner.events(0)
    flags = dict.fromkeys(("handled", "out_of_memory", "timeout", "lost"), False)
    assert event == {"event": "failed", "key": "k", "error": "no", "traceback": "", **flags}
    runner.inner.answer = again  # type: ignore[attr-defined]
    assert runner.events(0) == []
    runner.submit({"key": "k"})
    assert runner.events(0) == [again[0]]


@pytest.mark.parametrize("has", [["k"], None, {"other"}])
def test_an_executor_attaches_to_what_it_was_asked_for(has: Any) -> None:
    runner = CheckedExecutor(Runs())
    assert runner.attach(["k"]) == set()
    runner.inner.attach = lambda keys: has  # type: ignore[method-assign]
    with pytest.raises(PluginError, match=r"Runs\.attach\(\) gave"):
        runner.attach(["k"])


@pytest.mark.parametrize("slots", [0, -1, None, 2.0, True])
def test_executors_have_slots(slots: Any, tmp_path: Path) -> None:
    runner = CheckedExecutor(Runs())
    runner.open(None, 1, tmp_path)
    runner.inner.slots = slots  # type: ignore[attr-defined]
    with pytest.raises(PluginError, match=HERE + r"Runs\.free\(\) gave"):
        runner.open(None, 1, tmp_path)


def test_an_array_is_told_with_what_it_should_be() -> None:
    with pytest.raises(PluginError, match=r"gave x as int64 \[2\]; it is int32 \[any, 3\]"):
        check_array(PluginError, "x", np.arange(2), np.int32, (None, 3))  # type: ignore[arg-type]


IN_A_RUN = """
import dataclasses
import numpy as np
from recmerge_bench.api import DatasetDefinition, DatasetSpec, ProtocolSpec, hookimpl
from recmerge_bench_plugins.protocols.leave_one_out import LeaveOneOut

class Leak(LeaveOneOut):
    def split(self, interactions, domains, unscored=()):
        made = super().split(interactions, domains, unscored)
        ends = np.diff(made.sequences.offsets).astype(np.int32)
        return dataclasses.replace(
            made, sequences=dataclasses.replace(made.sequences, train_end=ends))

class Broken(DatasetDefinition):
    def domains(self, data_root=None):
        return ("action", "comedy", "drama", "romance")
    def load(self, data_root):
        return {}["nothing"]

@hookimpl
def recmerge_bench_register():
    return [ProtocolSpec("leak", f"{__name__}:Leak", "trains on its targets"),
            DatasetSpec("broken", f"{__name__}:Broken", "raises")]
"""


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ('protocols=["leak"]', 1, ":8: Leak.split() trains on targets of valid"),
        ("dataset=broken", 1, ":18: KeyError: 'nothing'"),
    ],
)
def test_a_run_says_whose_fault_it_was(
    tmp_path: Path, change: str, code: int, message: str
) -> None:
    file = tmp_path / "in_a_run.py"
    file.write_text(IN_A_RUN)
    out, track = tmp_path / "out", "tracks.merging"
    words = ["-p", file, "run", "--suite", SAMPLES / "tiny.yaml", "--out", out, "--jobs", 1]
    words += ["--set", f"{track}.{change}", "--set", "tracks.cdsr.rows=[]"]
    words += ["--only", "method=joint"]
    words += ["--set", f'{track}.rows=[{{"method": "joint", "backbones": ["sasrec"]}}]']
    done = subprocess.run(
        [sys.executable, "-m", "recmerge_bench", *map(str, words)], capture_output=True, text=True
    )
    assert done.returncode == code, done.stdout + done.stderr
    plugin_fault = "".join(f.read_text() for f in out.glob("failures/*.json"))
    assert f"plugin in_a_run, {file}{message}" in plugin_fault, plugin_fault
    assert "bug in recmerge-bench" not in done.stdout + done.stderr
    assert not list(out.glob("store/*/*/model.safetensors")), "nothing was trained"


def test_what_a_class_inherits_is_a_plugins_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = "from recmerge_bench.api import MetricDefinition\n\n\n"
    (tmp_path / "grandparent.py").write_text(
        f"{head}class Old(MetricDefinition):\n    def value(self, rank, k):\n        1 / 0\n"
    )
    heir = "from grandparent import Old\n\n\nclass New(Old):\n    pass\n"
    (tmp_path / "heir.py").write_text(heir)
    monkeypatch.syspath_prepend(tmp_path)
    metric = define("heir:New", {})
    with pytest.raises(ZeroDivisionError) as caught:
        metric.value(np.ones(1), None)
    text = f"plugin grandparent, {tmp_path / 'grandparent.py'}:6: ZeroDivisionError"
    assert (plugin_fault(caught.value) or "").startswith(text)
