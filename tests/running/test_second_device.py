"""Every method on a second device: nothing mixes places, and results are those of the CPU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from conftest import SAMPLES
from safetensors.torch import load_file
from virtual_device import CUDA, Mixed, marked, run_cells, second_device

from recmerge_bench.registry import Registry
from recmerge_bench.specs import METHOD_KINDS
from recmerge_bench.toolkit.models import products

EVERYTHING = SAMPLES / "everything.yaml"


def test_it_carries_tensors_nets_and_gradients() -> None:
    with second_device():
        x = torch.ones(2, 3, device="cuda")
        net = torch.nn.Linear(3, 3).to("cuda")
        net(x).sum().backward()
        assert x.device == net.weight.device == net.weight.grad.device == CUDA
        assert (x[torch.tensor([0])] + torch.tensor(1.0)).device == CUDA
        assert x.view(6).detach().double().device == CUDA
        assert x.cpu().device == torch.device("cpu") and x.cpu().numpy().sum() == 6
        sparse = torch.eye(2, device="cuda").to_sparse()
        assert torch.sparse.mm(sparse, x).device == CUDA
    assert marked(x) and not marked(torch.ones(2))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: x + torch.ones(3),
        lambda x: x.index_select(0, torch.tensor([0])),
        lambda x: torch.nn.Linear(3, 3)(x),
        lambda x: torch.stack([x, torch.ones(3)]),
        lambda x: torch.rand(3, device="cuda", generator=torch.Generator()),
        lambda x: torch.multinomial(x, 1, generator=torch.Generator()),
        lambda x: x.numpy(),
        lambda x: np.asarray(x),
    ],
)
def test_what_a_real_device_refuses(wrong: Callable[[Any], Any]) -> None:
    with second_device():
        x = torch.ones(3, device="cuda")
        with pytest.raises((Mixed, TypeError)):
            wrong(x)


def test_every_method(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = tmp_path / "cpu", tmp_path / "cuda"
    with second_device():
        assert run_cells(registry, EVERYTHING, there, "cuda") == []
    # Matrices are multiplied by one library on both sides: sums in another order, which training
    # makes larger, would hide draws that differ.
    monkeypatch.setattr(products, "_HAS_IT", False)
    assert run_cells(registry, EVERYTHING, here, "cpu") == []
    models = sorted(p.relative_to(here) for p in here.glob("store/*/*/*.safetensors"))
    assert len(models) > 60
    for path in models:
        ours, theirs = load_file(here / path), load_file(there / path)
        assert ours.keys() == theirs.keys()
        for name, tensor in ours.items():
            torch.testing.assert_close(theirs[name], tensor, rtol=1e-4, atol=2e-5)
            assert not marked(theirs[name])


def test_every_method_is_there(registry: Registry) -> None:
    """A new method has to be added to the suite of this test, or named here with its reason."""
    elsewhere = {"hf-text", "blair-base", "blair-large", "minilm-text"}  # test_nn_towers
    elsewhere |= {"recformer-base", "recformer-large"}  # test_nn_pretraining
    elsewhere |= {n for n in registry.names("backbone") if n.startswith("recbole:")}  # of its own
    elsewhere |= {"continue-training", "recency-average", "exponential-average"}  # of phases
    tracks = yaml.safe_load(EVERYTHING.read_text(encoding="utf-8"))["tracks"].values()
    rows = [row for track in tracks for row in track["rows"]]
    here = {row if isinstance(row, str) else row["method"] for row in rows}
    here |= {name for track in tracks for name in track.get("backbones", ())}
    methods = {n for kind, n in registry.specs if kind in METHOD_KINDS}
    assert methods - here == elsewhere
