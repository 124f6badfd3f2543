"""Both sides of the speed comparison compute the same: losses and gradients."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import ROOT
from recmerge_bench_plugins.cdsr.merit import loss as merit_loss

SPEED = ROOT / "benchmarks" / "speed"


def test_both_sides_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(SPEED), *sys.path])
    import merit_plain
    import merit_step

    monkeypatch.setattr(merit_step, "FIRST", 90)
    monkeypatch.setattr(merit_step, "SECOND", 70)
    given = argparse.Namespace(width=16, negatives=6)
    definition, net = merit_step.our_model(given, dropout=0.0)
    for name, parameter in net.named_parameters():
        if "bias" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    plain = merit_plain.PlainMerit(90, 70, net.options)
    merit_plain.take_weights(plain, net)
    rng = np.random.default_rng(0)
    sequences = [rng.integers(1, 161, n).tolist() for n in (3, 9, 20, 48)]
    items, following, own = merit_plain.grids(sequences, 90, plain.size)
    drawn = merit_plain.draw(sequences, own, 90, 70, 6, rng)
    real = items > 0

    def same(net: Any, aim: Any, generator: Any) -> torch.Tensor:
        both = drawn[0] if aim.pools.shape[1] == 2 else drawn[1]
        return torch.from_numpy(both[real] - 1)[aim.tokens]

    for row, events in enumerate(sequences):
        assert not set(events) & set(drawn[0][row][real[row]].flatten().tolist())
    monkeypatch.setattr(merit_loss, "draw", same)
    ours, _ = definition.loss(net, merit_step.our_batch(sequences, 0))
    m, a, b = plain(torch.from_numpy(items))
    theirs = merit_step.plain_loss(plain, m, a + b + m.detach(), (following, own), drawn)
    torch.testing.assert_close(ours, theirs)
    ours.backward()
    theirs.backward()
    table = torch.cat([net.tables.domain_table(d).grad for d in net.domains])
    torch.testing.assert_close(table, plain.items.weight.grad[1:], atol=1e-6, rtol=1e-4)
    ours_ = net.branches["of_food"].ffn.experts.up.grad[0, 0]
    other = plain.mixtures["a"].shared.first.weight.grad
    torch.testing.assert_close(ours_, other, atol=1e-6, rtol=1e-4)


def test_users_of_like_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(SPEED), *sys.path])
    import merit_step

    monkeypatch.setattr(merit_step, "SHARED", Path("/nowhere"))
    lengths = [len(events) - 1 for events in merit_step.users()]
    assert min(lengths) >= 7 and max(lengths) == 47
    assert sum(lengths) / len(lengths) == pytest.approx(21.3, abs=1.0)
