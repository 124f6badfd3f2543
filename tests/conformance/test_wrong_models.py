"""Wrong models fail the requirement that is theirs, with words that say what is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import nn
from virtual_device import second_device

from recmerge_bench.conformance.kinds import requirements, subject
from recmerge_bench.conformance.merging_world import TinyModel, TinyOptions
from recmerge_bench.conformance.requirement import Outcome, try_requirement


class AllItems(TinyModel):
    def items(self, net: Any, domain: str) -> Any:
        return net.tables.scope_table(net.tables.domains), None


class ProbesInts(TinyModel):
    def probe(self, net: Any, histories: Any, lengths: Any, domain: str) -> Any:
        return {"length": lengths}


class ProbesMatrix(TinyModel):
    def probe(self, net: Any, histories: Any, lengths: Any, domain: str) -> Any:
        return {"states": self.encode(net, histories, lengths, domain)}


class ProbesNaN(TinyModel):
    def probe(self, net: Any, histories: Any, lengths: Any, domain: str) -> Any:
        return {"gate": torch.zeros(len(lengths)) / 0}


class ProbesAList(TinyModel):
    def probe(self, net: Any, histories: Any, lengths: Any, domain: str) -> Any:
        return [lengths]


class ProbeNotDone(TinyModel):
    def probe(self, net: Any, histories: Any, lengths: Any, domain: str) -> Any:
        return {"gate": net.gate}


class Probes(TinyModel):
    """As it should be: one quantity of all users, one that few of them have."""

    def probe(self, net: Any, histories: Any, lengths: Any, domain: str) -> Any:
        return {"length": lengths.double(), "of long ones": torch.ones(int((lengths > 3).sum()))}


class LooksUpByScope(TinyModel):
    """Items that its history does not hold, looked up by the history's own scope."""

    def encode(self, net: Any, histories: Any, lengths: Any, domain: str) -> Any:
        vectors = super().encode(net, histories, lengths, domain)
        scope = net.tables.narrowest(histories, domain)
        other = torch.full((1,), net.tables.rows.shape[0] - 1)
        return vectors + net.tables.lookup(other, scope)


class SizedByDomain(TinyModel):
    def build(self, catalogue: Any, domains: Any, seed: int) -> Any:
        net = super().build(catalogue, domains, seed)
        net.bias = nn.Parameter(torch.zeros(sum(map(catalogue.size, domains))))
        return net


class BatchNormed(TinyModel):
    def encode(self, net: Any, histories: Any, lengths: Any, domain: str) -> Any:
        vectors = super().encode(net, histories, lengths, domain)
        return vectors - vectors.mean(0)


class LastColumn(TinyModel):
    def encode(self, net: Any, histories: Any, lengths: Any, domain: str) -> Any:
        whole = torch.full_like(lengths, histories.shape[1])
        return super().encode(net, histories, whole, domain)


class PaddingInLoss(TinyModel):
    def loss(self, net: Any, batch: Any) -> Any:
        value, count = super().loss(net, batch)
        return value + net.tables.domain_table("d0")[batch.items].square().mean(), count


class DividesByZero(TinyModel):
    def loss(self, net: Any, batch: Any) -> Any:
        value, count = super().loss(net, batch)
        return value / (batch.lengths.float().mean() - 1), count


class Peeks(TinyModel):
    def loss(self, net: Any, batch: Any) -> Any:
        return super().loss(net, replace(batch, items=batch.items.roll(-1, 1)))


class CopiesTargets(TinyModel):
    def loss(self, net: Any, batch: Any) -> Any:
        return super().loss(net, replace(batch, items=batch.targets))


class PreparesFromAll(TinyModel):
    policy: ClassVar[dict[str, str]] = {**TinyModel.policy, "prepared.": "drop"}

    def prepare(self, split: Any, catalogue: Any, domains: Any) -> Any:
        return {"counts": np.bincount(split.sequences.items).astype(np.float32)}


class Prepares(TinyModel):
    """As it should be: what is prepared is stored with the weights, and read when it ranks."""

    def prepare(self, split: Any, catalogue: Any, domains: Any) -> Any:
        items = split.sequences.training()[1]
        return {"counts": np.bincount(items, minlength=catalogue.n_items).astype(np.float32)}

    def encode(self, net: Any, histories: Any, lengths: Any, domain: str) -> Any:
        vectors = super().encode(net, histories, lengths, domain)
        return vectors + 1e-3 * net.prepared.counts[histories[:, :1]]


class PreparesAndDrops(Prepares):
    """As `NextItemBackbone` has it: ranking does without what was prepared."""

    policy: ClassVar[dict[str, str]] = {**TinyModel.policy, "prepared.": "drop"}


class KeepsAside(TinyModel):
    def loss(self, net: Any, batch: Any) -> Any:
        with torch.no_grad():
            mean = net.tables.domain_table("d0").mean(0)
            net.aside = [*getattr(net, "aside", ()), mean]
        return super().loss(net, batch)

    def encode(self, net: Any, histories: Any, lengths: Any, domain: str) -> Any:
        vectors = super().encode(net, histories, lengths, domain)
        return vectors + sum(9 * mean for mean in getattr(net, "aside", ()))


class CountsCalls(TinyModel):
    calls = 0

    def loss(self, net: Any, batch: Any) -> Any:
        self.calls += 1
        value, count = super().loss(net, batch)
        return value * self.calls + 0.1 * self.calls * net.inner.bias.sum(), count


class ByPlace(TinyModel):
    def build(self, catalogue: Any, domains: Any, seed: int) -> Any:
        net = super().build(catalogue, domains, seed)
        net.places = {d: n for n, d in enumerate(domains)}
        own = torch.randn(2, self.options.width, generator=torch.Generator().manual_seed(seed))
        net.own = nn.Parameter(own)
        return net

    def encode(self, net: Any, histories: Any, lengths: Any, domain: str) -> Any:
        vectors = super().encode(net, histories, lengths, domain)
        return vectors + net.own[net.places[domain]]


class OneWidth(TinyModel):
    def build(self, catalogue: Any, domains: Any, seed: int) -> Any:
        net = super().build(catalogue, domains, seed)
        net.outer = nn.Linear(12, 12)
        return net


class LearnsNothing(TinyModel):
    def loss(self, net: Any, batch: Any) -> Any:
        value, count = super().loss(net, batch)
        return value * 0, count


class DrawsGlobally(TinyModel):
    def build(self, catalogue: Any, domains: Any, seed: int) -> Any:
        net = super().build(catalogue, domains, seed)
        net.inner = nn.Linear(self.options.width, self.options.width)
        return net


class SetsDtype(TinyModel):
    def encode(self, net: Any, histories: Any, lengths: Any, domain: str) -> Any:
        torch.set_default_dtype(torch.float64)
        return super().encode(net, histories, lengths, domain)


class SeedsBuild(TinyModel):
    def build(self, catalogue: Any, domains: Any, seed: int) -> Any:
        torch.manual_seed(seed)
        return super().build(catalogue, domains, seed)


class SeedsLoss(TinyModel):
    def loss(self, net: Any, batch: Any) -> Any:
        torch.manual_seed(3)
        return super().loss(net, batch)


class SeedsAside(TinyModel):
    """As it should be: what is seeded is put back, dropout draws as it likes."""

    def build(self, catalogue: Any, domains: Any, seed: int) -> Any:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return super().build(catalogue, domains, seed)

    def loss(self, net: Any, batch: Any) -> Any:
        value, count = super().loss(net, batch)
        return value * torch.rand(()), count


class OnTheCPU(TinyModel):
    def encode(self, net: Any, histories: Any, lengths: Any, domain: str) -> Any:
        vectors = super().encode(net, histories, lengths, domain)
        return vectors + torch.ones(len(vectors), 1)


WRONG: dict[type[TinyModel], tuple[str, str]] = {
    AllItems: ("facts-and-shapes", "gave vectors [40, 12] for 'd0'; they are [20, width]"),
    ProbesInts: ("facts-and-shapes", "probe() gave 'length' as torch.int64 [6]; it gives a float"),
    ProbesMatrix: ("facts-and-shapes", "probe() gave 'states' as torch.float32 [6, 12]"),
    ProbesNaN: ("facts-and-shapes", "probe() gave 'gate' as NaN or infinite values"),
    ProbesAList: ("facts-and-shapes", "probe() gave list; it gives tensors by name"),
    ProbeNotDone: ("facts-and-shapes", "object has no attribute 'gate'"),
    SizedByDomain: ("experts-fit", "'bias' is [20] in a model of d0 and [40] in one of d0 and d1"),
    BatchNormed: ("batch-invariance", "alone differ from those together"),
    LastColumn: ("padding", "behind the end users' vectors differ"),
    PaddingInLoss: ("padding", "other items in the padding of training windows"),
    DividesByZero: ("finite", "windows of one event: "),
    Peeks: ("causality", "it sees the events that it is to predict"),
    PreparesFromAll: ("causality", "prepare() reads held-out events: with others, 'counts'"),
    PreparesAndDrops: ("checkpoint", "its policy drops what prepare() gives ('prepared.'), and"),
    KeepsAside: ("checkpoint", "when it is loaded from its file"),
    CountsCalls: ("checkpoint", "a training that was interrupted ends elsewhere"),
    ByPlace: ("order-of-domains", "built for d1, d0, scores differ by"),
    OneWidth: ("widths", "shapes cannot be multiplied"),
    CopiesTargets: ("quality", "NDCG@10 after 24 steps is"),
    LearnsNothing: ("quality", "NDCG@10 after 24 steps is"),
    DrawsGlobally: ("determinism", "inner.bias' differs"),
    SeedsBuild: ("no-side-effects", "SeedsBuild.build() reseeds torch's global random state"),
    SeedsLoss: ("no-side-effects", "SeedsLoss.loss() reseeds torch's global random state"),
    SetsDtype: ("no-side-effects", "torch's default dtype"),
}


def tried(definition: Any, name: str, **facts: Any) -> Outcome:
    [each] = [r for r in requirements("backbone") if r.name == name]
    return try_requirement(each, subject("backbone", definition, steps=24, **facts))


def test_the_right_one_passes() -> None:
    made = subject("backbone", TinyModel(), steps=24)
    outcomes = [try_requirement(each, made) for each in requirements("backbone")]
    assert {o.name: o.status for o in outcomes if o.status != "passed"} in (
        {}, {"devices": "skipped"}
    )  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=lambda w: w.__name__)
def test_a_wrong_one_fails_with_the_right_words(wrong: type[TinyModel]) -> None:
    name, words = WRONG[wrong]
    outcome = tried(wrong(TinyOptions()), name)
    assert outcome.status == "failed" and words in outcome.what, outcome
    assert outcome.why and outcome.remedy
    assert torch.get_default_dtype() == torch.float32


def test_what_is_prepared_may_be_read_when_it_ranks() -> None:
    for name in ("checkpoint", "causality"):
        outcome = tried(Prepares(TinyOptions()), name)
        assert outcome.status == "passed", outcome


def test_probes_as_they_should_be() -> None:
    assert tried(Probes(), "facts-and-shapes").status == "passed"


def test_what_is_looked_up_by_a_narrower_scope_hangs_on_the_batch() -> None:
    [each] = [r for r in requirements("cdsr") if r.name == "batch-invariance"]
    outcome = try_requirement(each, subject("cdsr", LooksUpByScope(TinyOptions()), steps=24))
    assert outcome.status == "failed" and "tables.lookup(neighbours)" in outcome.remedy, outcome


def test_drawing_from_the_global_generator_is_no_reseeding() -> None:
    assert tried(SeedsAside(), "no-side-effects").status == "passed"


def test_a_second_device() -> None:
    with second_device():
        assert tried(TinyModel(), "devices", device="cuda").status == "passed"
        outcome = tried(OnTheCPU(), "devices", device="cuda")
    assert outcome.status == "failed" and "tensors of both devices" in outcome.what
