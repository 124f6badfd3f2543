"""MERIT against outputs, losses and gradients of the released code and of the paper's equations."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from merit_golden import Golden, left
from recmerge_bench_plugins.cdsr.merit import loss as merit_loss
from torch import Tensor


@pytest.fixture(params=["paper", "released"])
def golden(request: pytest.FixtureRequest, shared: Path) -> Golden:
    return Golden(shared / "goldens", request.param)


def close(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


@pytest.fixture
def given_negatives(golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        merit_loss,
        "draw",
        lambda net, aim, generator: golden.negatives(aim.tokens, aim.pools.shape[1]),
    )


def test_states(golden: Golden) -> None:
    batch = golden.batch()
    reading = golden.net.read(batch.items, batch.lengths)
    mixed, own = golden.net(reading)
    close(mixed, golden.out["out/train_h_m"][golden.real])
    # The released branch `a` works on tokens of b: each token has a state in one of the two.
    theirs = (golden.out["out/train_h_a"] + golden.out["out/train_h_b"])[golden.real]
    close(own, theirs)
    for short, name in (("a", "of_a"), ("b", "of_b")):
        works = golden.out[f"out/train_h_{short}"][golden.real].abs().sum(1) > 0
        assert torch.equal(works.nonzero().squeeze(1), reading.tokens[name].flat)


def test_targets_of_a_tokens_own_domain(golden: Golden) -> None:
    batch = golden.batch()
    aim = merit_loss.Targets.of(
        golden.net, batch, golden.net.read(batch.items, batch.lengths)
    ).own()
    theirs = golden.inputs["gt_ab"][golden.real]
    assert torch.equal(aim.tokens, (theirs > 0).nonzero().squeeze(1))
    assert torch.equal(aim.targets, theirs[theirs > 0] - 1)


def losses(golden: Golden, frozen: Tensor | None = None) -> dict[str, Tensor]:
    """Both losses; `frozen`: what the mixed state gives the domains' scores without gradient."""
    net, batch = golden.net, golden.batch()
    answers = merit_loss.Targets.of(net, batch, net.read(batch.items, batch.lengths))
    mixed, own = net(answers.reading)
    own = own + (mixed.detach() if frozen is None else frozen)
    return {
        "loss_m": merit_loss.cross_entropy(net, mixed, answers.mixed("domain"), batch.generator),
        "loss_ab": merit_loss.cross_entropy(net, own, answers.own(), batch.generator),
    }


def test_losses_and_gradients(golden: Golden, given_negatives: None) -> None:
    parts = losses(golden)
    for name, value in parts.items():
        close(value, golden.out[f"out/{name}"])
    value, count = golden.definition.loss(golden.net, golden.batch())
    close(value, parts["loss_m"] + parts["loss_ab"])
    assert count == int(golden.real.sum())
    value.backward()
    for name, parameter in golden.net.named_parameters():
        ours = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        if name in golden.gradients:
            close(ours, golden.gradients[name])
        else:
            assert "experts" in name


def test_gradients_that_are_not_stored(golden: Golden, given_negatives: None) -> None:
    """Those of the wide matrices, by central differences along a random direction each."""
    net = golden.net.double()
    batch = golden.batch()
    generator = torch.Generator().manual_seed(0)
    golden.definition.loss(net, batch)[0].backward()
    frozen = net(net.read(batch.items, batch.lengths))[0].detach()
    names = [n for n, _ in net.named_parameters() if n not in golden.gradients]
    assert len(names) == 12
    for name in names:
        parameter = net.get_parameter(name)
        direction = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        # Mostly along the gradient, so that what is compared is large beside the loss's rounding.
        direction = parameter.grad / parameter.grad.norm() + 0.3 * direction / direction.norm()
        ends = []
        for step in (1e-2, -1e-2):
            with torch.no_grad():
                parameter += step * direction
                ends.append(sum(losses(golden, frozen).values(), torch.zeros(())).double())
                parameter -= step * direction
        slope = float((parameter.grad * direction).sum())
        assert float((ends[0] - ends[1]) / 2e-2) == pytest.approx(slope, rel=1e-2, abs=1e-4)


def test_evaluation(golden: Golden) -> None:
    batch = golden.batch()
    net, definition = golden.net.eval(), golden.definition
    items = left(golden.inputs["seq_m"], batch.lengths)
    m, a, b = (golden.out[f"out/eval_h_{x}"] for x in "mab")
    close(definition.encode(net, items, batch.lengths, "a"), m + a)
    close(definition.encode(net, items, batch.lengths, "b"), m + b)
    zero = golden.definition.options.computes == "released"
    assert (float(a.abs().max()) == 0) is zero and (float(b.abs().max()) == 0) is zero
