"""Learned weights: gradients, the losses by hand, what a tier may read, and that they learn."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import builders
import pytest
import torch
from recmerge_bench_plugins.backbones.sasrec import SASRec, SASRecOptions
from recmerge_bench_plugins.strategies.adamerging import AdaMerging
from recmerge_bench_plugins.strategies.adamerging import Options as AdaOptions
from recmerge_bench_plugins.strategies.mergerec import MergeRec, Options

from recmerge_bench.api import Expert, MergeInput, StrategyDefinition
from recmerge_bench.errors import HandledError
from recmerge_bench.merging.guard import sealed
from recmerge_bench.merging.pseudo_users import PseudoUsers
from recmerge_bench.policy import select
from recmerge_bench.registry import Registry
from recmerge_bench.targets import define
from recmerge_bench.tiers import IsolationError, WithCatalogue, merge_input
from recmerge_bench.toolkit.merging.coefficients import Coefficients
from recmerge_bench.toolkit.merging.learned import transformed
from recmerge_bench.toolkit.merging.task_vectors import TaskVectors

CAT = builders.catalogue((30, 20))
MODEL = SASRec(SASRecOptions(width=16, heads=2, max_len=8, dropout=0.1))


def world(seed: int = 0, change: float = 0.3) -> WithCatalogue:
    """Two experts that moved from a base, each with its own item table."""
    base = MODEL.build(CAT, CAT.domains, seed).state_dict()
    generator = torch.Generator().manual_seed(seed)
    experts, kept = [], {}
    shared = select(base, MODEL.policy, "merge")
    for domain in CAT.domains:
        moved = {
            n: t + change * t.std().clamp(min=0.1) * torch.randn(t.shape, generator=generator)
            for n, t in shared.items()
        }
        experts.append(Expert(domain, moved))
        table = f"tables.{domain}"
        kept[domain] = {table: torch.randn(base[table].shape, generator=generator)}
    pseudo = PseudoUsers(MODEL, CAT, kept, seed)
    handed = merge_input("T1", shared, tuple(experts), seed, catalogue=pseudo)
    assert isinstance(handed, WithCatalogue)
    return handed


# -- gradients and merging -----------------------------------------------------------------------


@pytest.mark.parametrize(("granularity", "groups"), [("domain", 1), ("layer", 3), ("tensor", 27)])
def test_weights_gradient_is_autograds(granularity: str, groups: int) -> None:
    given = world()
    vectors = TaskVectors.of(given)
    learned = Coefficients(vectors, granularity, 0.2)
    assert len(learned.groups) == groups
    generator = torch.Generator().manual_seed(1)
    learned.weights.copy_(torch.rand(learned.weights.shape, generator=generator))
    learned.merge()
    net = given.users.net(given.base)
    learned.bind(net)
    rows = torch.arange(10)
    given.users.encode(net, "alpha", rows).square().sum().backward()

    # The straightforward way: merged tensors as functions of the weights.
    weights = learned.weights.clone().requires_grad_()
    total = vectors.base.clone()
    for part, group in learned.runs:
        total[part] = total[part] + weights[:, group] @ vectors.rows[:, part]
    tensors = {n: total[part].view(shape) for n, part, shape in vectors.parameters()}
    torch.testing.assert_close(total, learned.flat)
    plain = given.users.net(given.base)

    class Call(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = plain

        def forward(self) -> torch.Tensor:
            return given.users.encode(self.net, "alpha", rows)

    call = Call()
    actual = torch.func.functional_call(call, {f"net.{n}": t for n, t in tensors.items()}, ())
    actual.square().sum().backward()
    assert weights.grad is not None and float(weights.grad.abs().max()) > 0
    torch.testing.assert_close(learned.weights_gradient(), weights.grad, rtol=1e-4, atol=1e-4)


def test_no_steps_give_the_start() -> None:
    given = world()
    merged = MergeRec(Options(steps=0, start=0.3)).merge(given)
    vectors = TaskVectors.of(given)
    wanted = vectors.merged(0.3)
    for name, tensor in merged.items():
        torch.testing.assert_close(tensor, wanted[name])


# -- losses --------------------------------------------------------------------------------------


def by_hand(student: list[float], teacher: list[float], options: Options) -> float:
    s, t = (torch.tensor(x, dtype=torch.float64) for x in (student, teacher))
    label = -torch.log_softmax(s * options.label_scale, 0)[int(t.argmax())]
    p, q = (torch.softmax(x / options.temperature, 0) for x in (s, t))
    if options.direction == "teacher-merged":
        p, q = q, p
    divergence = float((p * (p / q).log()).sum())
    return float(label) + options.distillation * options.temperature**2 * divergence


@pytest.mark.parametrize("direction", ["merged-teacher", "teacher-merged"])
def test_mergerecs_loss_by_hand(direction: Any) -> None:
    options = Options(
        direction=direction, temperature=0.5, distillation=7.0, label_scale=0.05, steps=1
    )
    student, teacher = [0.2, -0.4, 1.3], [1.1, 0.3, -0.2]
    each = MergeRec(options).each(torch.tensor([student]), torch.tensor([teacher]))
    assert float(each) == pytest.approx(by_hand(student, teacher, options), rel=1e-5)
    with_absent = [torch.tensor([[*x, -torch.inf]]) for x in (student, teacher)]
    with_absent[0].requires_grad_()
    loss = MergeRec(options).each(*with_absent)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(by_hand(student, teacher, options), rel=1e-5)
    assert with_absent[0].grad is not None and bool(with_absent[0].grad.isfinite().all())


def test_entropy_by_hand() -> None:
    student = torch.tensor([[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, -torch.inf, -torch.inf]])
    each = AdaMerging(AdaOptions()).each(student, student)
    assert each.tolist() == pytest.approx([1.3862944, 0.6931472], abs=1e-6)


# -- learning ------------------------------------------------------------------------------------


@pytest.mark.parametrize("granularity", ["domain", "layer"])
def test_mergerec_finds_the_expert_that_is_right(granularity: Any) -> None:
    """Both domains' teachers are one model: weights go to it and away from the other."""
    given = world()
    right = given.experts[0]
    twin = Expert("beta", right.weights)
    wrong = Expert("gamma", given.experts[1].weights)
    options = Options(steps=150, lr=0.02, granularity=granularity, distillation=1.0)
    strategy = MergeRec(options)
    vectors = TaskVectors.of(MergeInput(given.base, (right, wrong), 0))
    learned = Coefficients(vectors, granularity, 0.2)
    net = given.users.net(given.base)
    learned.bind(net)
    teaching = merge_input("T1", given.base, (right, twin), 0, catalogue=given.items)
    assert isinstance(teaching, WithCatalogue)
    trace = strategy._learn(learned, net, teaching)
    assert trace[-1]["loss"] < 0.8 * trace[0]["loss"]
    gain = learned.weights[0].mean() - learned.weights[1].mean()
    assert float(gain) > 0.3


def test_adamerging_lowers_entropy() -> None:
    given = world()
    AdaMerging(AdaOptions(steps=200, lr=0.05)).merge(given)
    losses = [t["loss"] for t in given.notes["trace"]]
    assert sum(losses[-10:]) < 0.9 * sum(losses[:10])
    assert len(given.notes["weights"]) == 2 and given.notes["groups"] == [
        "layer 0",
        "layer 1",
        "others",
    ]


def test_the_same_seed_gives_the_same_bytes() -> None:
    options = Options(steps=20, dropout=True, refresh=5, sampling="balanced", exclude_self=True)
    one, two = (MergeRec(options).merge(world()) for _ in range(2))
    other = MergeRec(options).merge(world(seed=1))
    assert all(torch.equal(one[n], two[n]) for n in one)
    assert any(not torch.equal(one[n], other[n]) for n in one)


# -- data tiers ----------------------------------------------------------------------------------


def test_weights_only_has_nothing_else() -> None:
    given = MergeInput({}, (), 0)
    for name in ("users", "catalogue", "split", "interactions", "context"):
        with pytest.raises(IsolationError, match=f"tier T0 is given weights, not '{name}'"):
            getattr(given, name)
    catalogue = world()
    with pytest.raises(IsolationError, match="tier T1"):
        catalogue.sequences  # noqa: B018
    with pytest.raises(HandledError, match="T3 reads"):
        merge_input("T3", {}, (), 0)


@pytest.mark.parametrize("how", ["open", "list", "relative", "link"])
def test_files_of_the_run_cannot_be_opened(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "runs" / "store"
    store.mkdir(parents=True)
    secret = store / "split.npy"
    secret.write_text("targets")
    monkeypatch.chdir(tmp_path)
    link = tmp_path / "link"
    link.symlink_to(secret)

    class Cheat(StrategyDefinition):
        def merge(self, given: MergeInput) -> dict[str, torch.Tensor]:
            if how == "list":
                list(store.iterdir())
            elif how == "relative":
                Path("runs/store/split.npy").read_text()
            else:
                (link if how == "link" else secret).read_text()
            return {}

    with pytest.raises(IsolationError, match="may not read"), sealed([tmp_path / "runs"]):
        Cheat().merge(MergeInput({}, (), 0))
    assert secret.read_text() == "targets"  # afterwards it is a file like any other


def test_what_is_opened_elsewhere_is_told(tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("x")
    with sealed([tmp_path / "runs"]) as opened:
        other.read_text()
    assert opened == [str(other)]


def test_what_was_read_is_in_the_record() -> None:
    given = world()
    MergeRec(Options(steps=1)).merge(given)
    assert given.users.read == {"item vectors", "models run", "pseudo-users"}
    assert json.dumps(given.notes)


@pytest.mark.parametrize(
    "options",
    [
        {"steps": -1},
        {"batch": 0},
        {"density": 0.0},
        {"granularity": "head"},
        {"temperature": 0.0},
        {"batches": 2},
        {"clamp": True, "start": 1.5},
        {"label": "hinge"},
        {"sampling": "all"},
    ],
)
def test_options_out_of_range_are_errors(options: dict[str, Any]) -> None:
    with pytest.raises(HandledError):
        Options(**options)


def test_kept_entries_are_those_that_the_ties_authors_select() -> None:
    """EnnengYang/AdaMerging, ties_merging_utils.py, `ties_merging_split`, written out again."""
    vectors = TaskVectors.of(world())
    whole = vectors.rows.clone()
    kept = transformed(vectors.with_rows(whole.clone()), "kept", 0.3).rows
    size = whole.shape[1]
    trimmed = whole.clone()
    for row in trimmed:
        least = row.abs().sort().values[size - int(size * 0.3) - 1]  # one more than the share
        row[row.abs() < least] = 0.0
    signs = trimmed.sum(0).sign()
    signs[signs == 0] = signs.sum().sign()
    wanted = torch.where(signs > 0, trimmed.clamp(min=0), trimmed.clamp(max=0))
    assert torch.equal(kept, wanted)
    ties = transformed(vectors.with_rows(whole.clone()), "ties", 0.3).rows
    assert int((kept != 0).sum() - (ties != 0).sum()) in (1, 2)  # of each expert, where agreeing


# -- AdaMerging as released ----------------------------------------------------------------------


def released(given: WithCatalogue, strategy: AdaMerging) -> torch.Tensor:
    """EnnengYang/AdaMerging, main_layer_wise_adamerging(pp).py, by autograd: the raw weights.

    Only the drawn rows and the task vectors are the strategy's; the item vectors, in the place of
    the classification heads, stand still.
    """
    o, pseudo = strategy.options, given.users
    vectors = transformed(TaskVectors.of(given), o.vectors, o.density)
    parts = list(vectors.parameters())
    raw = torch.full((len(parts), len(vectors.rows)), 0.3, requires_grad=True)
    optimizer = torch.optim.Adam([raw], lr=o.lr, betas=(0.9, 0.999), weight_decay=0.0)

    def merged() -> dict[str, torch.Tensor]:
        weights, collected = raw.clamp(0.0, 1.0), {}
        for number, (name, part, shape) in enumerate(parts):
            total = vectors.base[part]
            for k, row in enumerate(vectors.rows):
                total = total + weights[number, k] * row[part]
            collected[name] = total.view(shape)
        return collected

    net = pseudo.net({n: t.detach() for n, t in merged().items()})
    heads = {d: pseudo.items(net, d) for d in pseudo.domains}

    class Call(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, domain: str, rows: torch.Tensor) -> torch.Tensor:
            return pseudo.scores(pseudo.encode(self.net, domain, rows), heads[domain])

    call = Call()
    for step in range(o.steps):
        losses = torch.zeros(())
        for domain, rows in strategy._sample(pseudo, step).items():
            assert len(set(rows.tolist())) == len(rows)
            for batch in (rows[:16], rows[16:32]):
                tensors = {f"net.{n}": t for n, t in merged().items()}
                x = torch.func.functional_call(call, tensors, (domain, batch))
                losses = losses + -(x.softmax(1) * x.log_softmax(1)).sum(1).mean(0)
        optimizer.zero_grad()
        losses.backward()
        optimizer.step()
    return raw.detach()


@pytest.mark.parametrize("name", ["adamerging", "adamerging-pp"])
def test_adamerging_as_released(name: str, registry: Registry) -> None:
    spec = registry.get("strategy", name)
    options = dict(spec.options) | {"steps": 12, "lr": 0.1}
    strategy = define(spec.target, options)
    given = world(change=0.3)
    raw = released(given, strategy)
    strategy.merge(given)
    names = [n for n, _, _ in TaskVectors.of(given).parameters()]
    assert list(given.notes["groups"]) == names
    actual = torch.tensor(given.notes["weights"]).T
    assert bool((raw < 0).any()) and bool((raw > 0).any())  # the clamp has been at work
    torch.testing.assert_close(actual, raw.clamp(0, 1), atol=1e-5, rtol=1e-4)
    first = define(spec.target, dict(spec.options) | {"steps": 0})
    first.merge(given)
    assert torch.tensor(given.notes["weights"]).eq(torch.tensor(0.3)).all()


def test_adamergings_settings_are_the_released_ones(registry: Registry) -> None:
    for name, vectors in (("adamerging", "task"), ("adamerging-pp", "kept")):
        spec = registry.get("strategy", name)
        o = define(spec.target, spec.options).options
        assert (o.start, o.clamp, o.lr, o.steps) == (0.3, True, 1e-3, 500)
        assert (o.sampling, o.batch, o.batches, o.granularity) == ("each", 16, 2, "tensor")
        assert (o.vectors, o.density, spec.tier) == (vectors, 0.2, "T3")


def test_mergerecs_equation_12_as_it_is_written() -> None:
    """Minus the sum over items of y log s(x) + (1 - y) log(1 - s(x)), y the expert's top item."""
    student = torch.tensor([[0.2, -0.4, 1.3], [2.0, -1.0, 0.0]], dtype=torch.float64)
    teacher = torch.tensor([[1.1, 0.3, -0.2], [0.0, 0.1, 0.3]], dtype=torch.float64)
    options = Options(label="binary", label_scale=3.0, distillation=0.0)
    actual = MergeRec(options).each(student, teacher).tolist()
    for x, t, loss in zip(student.tolist(), teacher.tolist(), actual, strict=True):
        total = 0.0
        for number, score in enumerate(x):
            p = 1 / (1 + math.exp(-3.0 * score))
            total -= math.log(p) if number == t.index(max(t)) else math.log(1 - p)
        assert loss == pytest.approx(total, rel=1e-12)
    assert MergeRec(Options(distillation=0.0)).each(student, teacher).tolist() != actual
    with_absent = torch.cat([student, torch.full((2, 1), -torch.inf)], 1).requires_grad_()
    also = MergeRec(options).each(with_absent, torch.cat([teacher, teacher[:, :1] - 9], 1))
    assert also.tolist() == pytest.approx(actual)
    also.sum().backward()
    assert with_absent.grad is not None and bool(with_absent.grad.isfinite().all())
