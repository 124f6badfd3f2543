"""Git Re-Basin: permutations that change nothing, and copies under them that merge back."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import builders
import numpy as np
import pytest
import torch
from recmerge_bench_plugins.backbones.recformer.encoder import RecFormer, Size, Tokens
from recmerge_bench_plugins.strategies.git_re_basin import GitReBasin, Options
from recmerge_bench_plugins.strategies.git_re_basin.symmetries import (
    Axis,
    Symmetry,
    matched,
    permuted,
    symmetries,
)
from task_vector_cases import REGISTRY
from torch import Tensor, nn

from recmerge_bench.api import Expert, HandledError, MergeInput
from recmerge_bench.planning.options import complete

PLAIN = builders.catalogue((30, 20))
VECTORS = np.random.default_rng(0).standard_normal((PLAIN.n_items, 12)).astype(np.float32)
CAT = replace(PLAIN, vectors=VECTORS)
Weights = dict[str, Tensor]
HEADS = 2


class Ranker:
    """One of our backbones, small, with random weights."""

    def __init__(self, name: str) -> None:
        options: dict[str, Any] = {"width": 16, "layers": 2, "heads": HEADS, "max_len": 8}
        self.model = complete(REGISTRY.get("backbone", name), options, "test").definition()
        self.net = self.model.build(CAT, CAT.domains, 0).eval()
        draw = torch.Generator().manual_seed(1)
        for parameter in self.net.parameters():  # initial biases are zeros: nothing would show
            parameter.data = parameter.data + 0.1 * torch.randn(parameter.shape, generator=draw)

    def __call__(self) -> Tensor:
        histories, lengths = torch.tensor([[1, 4, 2, 9], [5, 6, 0, 0]]), torch.tensor([4, 2])
        with torch.no_grad():
            user = self.model.encode(self.net, histories, lengths, "alpha")
            return user @ self.model.items(self.net, "alpha")[0].T


class Plain:
    """A module of a library, run on random states."""

    def __init__(self, name: str) -> None:
        torch.manual_seed(0)
        if name == "torch":
            layer = nn.TransformerEncoderLayer(16, HEADS, 32, batch_first=True)
            self.net: Any = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).eval()
            self.inputs: dict[str, Any] = {"src": torch.randn(2, 5, 16)}
        elif name == "recformer":
            self.net = RecFormer(Size(width=16, layers=2, heads=HEADS, inner=32, vocabulary=20))
            ids, real = torch.tensor([[0, 4, 5, 6]]), torch.ones(1, 4, dtype=torch.bool)
            tokens = Tokens(ids, real, torch.tensor([[0, 1, 2, 2]]), torch.tensor([[0, 1, 1, 1]]))
            self.net, self.inputs = self.net.eval(), {"tokens": tokens}
        else:
            from transformers import BertConfig, BertModel

            config = BertConfig(
                vocab_size=20, hidden_size=16, num_hidden_layers=2, num_attention_heads=HEADS,
                intermediate_size=32,
            )  # fmt: skip
            self.net = BertModel(config, add_pooling_layer=False).eval()
            self.inputs = {"input_ids": torch.tensor([[3, 4, 5, 6]])}
        for parameter in self.net.parameters():
            parameter.data = parameter.data + 0.1 * torch.randn(parameter.shape)

    def __call__(self) -> Tensor:
        with torch.no_grad():
            made = self.net(**self.inputs)
        return made if isinstance(made, Tensor) else made.last_hidden_state


def nets() -> dict[str, tuple[Any, int]]:
    """Name -> how it is made, and how many symmetries two layers of it have."""
    known = {
        "sasrec": 2,  # its attention has no output projection: heads stay where they are
        "sasrec-prenorm": 4, "bert4rec": 4, "bsarec": 4, "esasrec": 4, "hstu-small": 2,
        "sasrec-text": 2, "unisrec": 4,
    }  # fmt: skip
    return {
        **{name: (Ranker, count) for name, count in known.items()},
        "torch": (Plain, 4), "bert": (Plain, 4), "recformer": (Plain, 4),
    }  # fmt: skip


def weights_of(net: nn.Module) -> Weights:
    kept = ("tables.",)
    return {n: t.detach().clone() for n, t in net.named_parameters() if not n.startswith(kept)}


def shuffled(weights: Weights, seed: int) -> Weights:
    """A copy with all units in another order."""
    draw = torch.Generator().manual_seed(seed)
    for part in symmetries(weights, HEADS):
        order = torch.randperm(part.size, generator=draw)
        while part.size > 1 and bool((order == torch.arange(part.size)).all()):
            order = torch.randperm(part.size, generator=draw)
        weights = permuted(weights, part, order)
    return weights


def load(net: nn.Module, weights: Weights) -> None:
    net.load_state_dict({**net.state_dict(), **weights})


@pytest.mark.parametrize("name", nets())
def test_permutations_change_weights_and_not_what_is_computed(name: str) -> None:
    make, count = nets()[name]
    made = make(name)
    own = weights_of(made.net)
    parts = symmetries(own, HEADS)
    assert len(parts) == count, [part.name for part in parts]
    before = made()
    other = shuffled(own, 3)
    assert any(not torch.equal(own[n], other[n]) for n in own)
    load(made.net, other)
    torch.testing.assert_close(made(), before, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", nets())
@pytest.mark.parametrize("copies", [1, 3])
def test_permuted_copies_merge_back_by_git_re_basin(name: str, copies: int) -> None:
    own = weights_of(nets()[name][0](name).net)
    experts = [Expert("d0", own)]
    experts += [Expert(f"d{k}", shuffled(own, k)) for k in range(1, copies + 1)]
    base = {n: torch.zeros_like(t) for n, t in own.items()}
    heads = 1 if not any(p.name.endswith("heads") for p in symmetries(own, HEADS)) else HEADS
    given = MergeInput(base, tuple(experts), 0)
    merged = GitReBasin(Options(heads=heads)).merge(given)
    for key, tensor in merged.items():
        torch.testing.assert_close(tensor, own[key], rtol=1e-6, atol=1e-6)
    assert sum(given.notes["moved"].values()) > 0


def test_noisy_permuted_copies_are_matched_and_averaged() -> None:
    own = weights_of(Ranker("sasrec-prenorm").net)
    draw = torch.Generator().manual_seed(5)
    noisy = [
        {n: t + 0.01 * torch.randn(t.shape, generator=draw) for n, t in own.items()}
        for _ in range(3)
    ]
    copies = [noisy[0], shuffled(noisy[1], 1), shuffled(noisy[2], 2)]
    experts = tuple(Expert(f"d{k}", copy) for k, copy in enumerate(copies))
    merged = GitReBasin(Options(heads=HEADS)).merge(MergeInput(own, experts, 0))
    for key, tensor in merged.items():
        wanted = sum(model[key] for model in noisy) / 3
        torch.testing.assert_close(tensor, wanted, rtol=1e-5, atol=1e-6)


def test_matching_is_the_best_of_all_permutations() -> None:
    draw = torch.Generator().manual_seed(7)
    shapes = {"a": (5, 3), "b": (2, 5)}
    target, other = (
        {n: torch.randn(s, generator=draw) for n, s in shapes.items()} for _ in range(2)
    )
    part = Symmetry("x", (Axis("a", (5, 3), 0), Axis("b", (2, 5), 1)))

    def alike(order: tuple[int, ...]) -> float:
        at = list(order)
        return float((target["a"] * other["a"][at]).sum() + (target["b"] * other["b"][:, at]).sum())

    best = max(permutations(range(5)), key=alike)
    assert matched(target, other, part).tolist() == list(best)


def test_no_attention_of_so_many_heads_is_an_error() -> None:
    own = weights_of(Ranker("sasrec").net)
    given = MergeInput(own, (Expert("a", own), Expert("b", own)), 0)
    with pytest.raises(HandledError, match="no attention of 2 heads"):
        GitReBasin(Options(heads=2)).merge(given)
