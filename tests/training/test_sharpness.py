"""Sharpness-aware minimisation: the gradient of a step is that of the weights moved uphill."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import builders
import pytest
import torch
from recmerge_bench_plugins.backbones.sasrec import SASRec, SASRecOptions
from torch import nn

from recmerge_bench.training.options import TrainOptions
from recmerge_bench.training.sharpness import moved_uphill
from recmerge_bench.training.trainer import TrainResult, _Training, fit
from recmerge_bench.training.validation import FULL

CAT = builders.catalogue((30, 20))
SPLIT = builders.planted(CAT, users=60)
OPTIONS = TrainOptions(epochs=2, batch_size=8, lr=3e-3, report_every=1)


class Killed(Exception):
    """Stands for a killed worker."""


def kill(facts: dict[str, Any]) -> None:
    if facts["step"] >= 3:
        raise Killed


def train(options: TrainOptions, **more: Any) -> TrainResult:
    definition = SASRec(SASRecOptions(width=16, heads=2, max_len=8))
    return fit(definition, CAT, SPLIT, ("alpha",), "domain", options, 3, **more)


def same(a: TrainResult, b: TrainResult) -> bool:
    return all(torch.equal(a.state[name], b.state[name]) for name in a.state)


def test_a_move_has_its_length_and_direction_and_is_taken_back() -> None:
    one, other, still = (nn.Parameter(torch.tensor(v)) for v in ([1.0, 2.0], [[3.0]], [5.0]))
    one.grad, other.grad = torch.tensor([3.0, 0.0]), torch.tensor([[4.0]])
    with moved_uphill([one, other, still], 0.5):
        torch.testing.assert_close(one.data, torch.tensor([1.3, 2.0]))
        torch.testing.assert_close(other.data, torch.tensor([[3.4]]))
        assert still.tolist() == [5.0]
    assert one.tolist() == [1.0, 2.0]
    assert other.tolist() == [[3.0]]
    one.grad = torch.zeros(2)
    with moved_uphill([one], 0.5):
        assert one.tolist() == [1.0, 2.0]


def test_it_leaves_a_sharp_minimum_that_descent_stays_in() -> None:
    """Minima of one depth at 0 (curvature 100) and 3 (curvature 1); they part at 3 / 11."""

    def loss(x: torch.Tensor) -> torch.Tensor:
        return -torch.logsumexp(torch.stack([-50 * x**2, -0.5 * (x - 3) ** 2]), 0)

    ends = []
    for radius in (0.0, 0.9):
        x = nn.Parameter(torch.tensor(0.05))
        for _ in range(400):
            (x.grad,) = torch.autograd.grad(loss(x), [x])
            if radius:
                with moved_uphill([x], radius):
                    (moved,) = torch.autograd.grad(loss(x), [x])
                x.grad = moved
            with torch.no_grad():
                x -= 0.01 * x.grad
        ends.append(float(x.detach()))
    assert abs(ends[0]) < 0.05
    assert ends[1] > 3 / 11


def training(**values: Any) -> _Training:
    definition = SASRec(SASRecOptions(width=16, heads=2, max_len=8, dropout=0.3))
    return _Training(
        definition, CAT, SPLIT, ("alpha",), "domain", replace(OPTIONS, **values), 3, None,
        torch.device("cpu"), FULL, None,
    )  # fmt: skip


def test_a_step_takes_the_gradient_of_the_moved_weights_with_the_same_draws() -> None:
    """By hand: the first batch's gradient, a move, the gradient there with the same dropout."""
    one, hand = training(sharpness=0.2, clip=0.0), training(clip=0.0)
    batches, _ = next(hand._batches())
    one._step(batches)
    list(hand._pass(batches))
    params = list(hand.names.values())
    grads = [p.grad.clone() for p in params if p.grad is not None]
    length = torch.cat([g.flatten() for g in grads]).norm()
    before = [p.detach().clone() for p in params]
    with torch.no_grad():
        for p, g in zip(params, grads, strict=True):
            p.add_(0.2 * g / length)
    hand.optimizer.zero_grad()
    list(hand._pass(batches))
    for p, value in zip(params, before, strict=True):
        p.data.copy_(value)
    for name, parameter in one.names.items():
        wanted = hand.names[name].grad
        torch.testing.assert_close(parameter.grad, wanted, rtol=1e-4, atol=1e-6)


def test_it_resumes_to_the_same_bytes_and_counts_targets_once(tmp_path: Path) -> None:
    sharp = replace(OPTIONS, sharpness=0.05, save_every=1)
    straight = train(sharp)
    with pytest.raises(Killed):
        train(sharp, resume_dir=tmp_path, progress=kill)
    assert same(train(sharp, resume_dir=tmp_path), straight)
    plain = train(OPTIONS)
    assert not same(plain, straight)
    assert plain.report["targets"] == straight.report["targets"]


def test_records_of_trainings_without_it_are_as_before() -> None:
    assert "sharpness" not in TrainOptions().to_json()
    sharp = TrainOptions(sharpness=0.05)
    assert TrainOptions.from_json(sharp.to_json()) == sharp
