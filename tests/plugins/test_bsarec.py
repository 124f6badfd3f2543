"""`bsarec` is BSARec's released block on sequences padded on the left, by a Fourier transform."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import Any

import builders
import pytest
import torch
from dense_blocks import attention, compare, gelu, linear, norm, randomised, recorded_dropout
from recmerge_bench_plugins.backbones.bsarec import BSARec, BSARecOptions, CausalBSARec
from recmerge_bench_plugins.backbones.bsarec import net as module
from torch import Tensor

from recmerge_bench.data.sequences import Batch
from recmerge_bench.errors import HandledError
from recmerge_bench.toolkit.models import losses, query_prenorm

CAT = builders.catalogue((30, 20))
OPTIONS = BSARecOptions(
    width=12, layers=2, heads=2, max_len=8, dropout=0.0, c=5, alpha=0.6, init="random"
)
ITEMS = torch.tensor(
    [[31, 35, 40, 33, 36, 49, 30], [44, 30, 31, 0, 0, 0, 0], [38, 0, 0, 0, 0, 0, 0]]
)
LENGTHS = torch.tensor([7, 3, 1])
EPS = 1e-12


def filtered(grid: list[Tensor | None], beta: Tensor, c: int) -> list[Tensor]:
    """`FrequencyLayer.forward` up to its dropout, with padded slots zero."""
    width = len(beta)
    x = torch.stack([torch.zeros(width, dtype=beta.dtype) if s is None else s for s in grid])
    spectrum = torch.fft.rfft(x, dim=0, norm="ortho")
    kept = torch.arange(len(spectrum)) < c // 2 + 1
    low = torch.fft.irfft(spectrum * kept[:, None], n=len(x), dim=0, norm="ortho")
    return list(low + beta**2 * (x - low))


def dense(net: Any, items: list[int], options: BSARecOptions, causal: bool) -> list[Tensor]:
    """States of one sequence padded on the left to all slots."""
    w = dict(net.named_parameters())
    slots, table = net.positions.flip(0), w["tables.beta"]
    grid: list[Tensor | None] = [None] * (len(slots) - len(items))
    for item in items:
        grid.append(norm(w, "norm", table[item - 30] + slots[len(grid)], EPS))
    for number in range(options.layers):
        grid = block(w, f"layers.{number}", grid, options, causal)
    return [x for x in grid if x is not None]


def block(
    w: dict[str, Tensor], name: str, grid: list[Tensor | None], o: BSARecOptions, causal: bool
) -> list[Tensor | None]:
    """`BSARecBlock.forward`."""
    out: list[Tensor | None] = []
    for i, x in enumerate(grid):
        if x is None:
            out.append(None)
            continue
        known = [k for k in grid[: i + 1] if k is not None]
        # As the last slot of its own prefix, or in its place among all slots.
        own = [None] * (len(grid) - i - 1) + grid[: i + 1]
        seen = filtered(own, w[f"{name}.beta"], o.c)[-1] if causal else (
            filtered(grid, w[f"{name}.beta"], o.c)[i]
        )  # fmt: skip
        one = norm(w, f"{name}.filter_norm", x + seen, EPS)
        two = attention(w, f"{name}.attention", x, known, o.heads)
        two = norm(w, f"{name}.attention_norm", x + two, EPS)
        y = o.alpha * one + (1 - o.alpha) * two
        fed = linear(w, f"{name}.outer", gelu(linear(w, f"{name}.inner", y)))
        out.append(norm(w, f"{name}.inner_norm", y + fed, EPS))
    return out


@pytest.mark.parametrize("c", [0, 3, 5, 9])
@pytest.mark.parametrize("kind", [BSARec, CausalBSARec])
def test_states_and_gradients_of_the_dense_net(kind: type[CausalBSARec], c: int) -> None:
    """9 keeps all frequencies of the eight slots, 0 the mean alone."""
    options = replace(OPTIONS, c=c)
    definition = kind(options)
    net = randomised(definition.build(CAT, CAT.domains, 3))
    rows = [row[:n].tolist() for row, n in zip(ITEMS, LENGTHS.tolist(), strict=True)]
    expected = [dense(net, row, options, kind is CausalBSARec) for row in rows]
    grid = net(ITEMS, LENGTHS, ("beta",))
    got = [s for row, n in zip(grid, LENGTHS.tolist(), strict=True) for s in row[:n]]

    def unused(name: str) -> bool:  # where nothing is high, its factor is idle
        return name == "tables.alpha" or (c == 9 and name.endswith("beta"))

    compare(net, got, list(chain(*expected)), unused)
    last = definition.encode(net, ITEMS, LENGTHS, "beta")
    compare(net, list(last), [s[-1] for s in expected], unused)


def test_one_causal_block_is_bsarec() -> None:
    """With one block every state is the last one of its own prefix; with two it is not."""
    for layers, same in ((1, True), (2, False)):
        options = replace(OPTIONS, layers=layers)
        net = randomised(CausalBSARec(options).build(CAT, CAT.domains, 3))
        with torch.no_grad():  # in one pass they count from the window's end, else the prefix's
            net.positions.copy_(net.positions[:1].expand_as(net.positions))
        states = net(ITEMS, LENGTHS, ("beta",)).flatten(0, 1)[losses.valid_tokens(LENGTHS, 7)]
        other = BSARec(options).build(CAT, CAT.domains, 3).double().eval()
        other.load_state_dict(net.state_dict())
        items, lengths = module.prefixes(ITEMS, LENGTHS)
        own = other(items, lengths, ("beta",), last_only=True)
        assert torch.allclose(states, own, rtol=1e-10, atol=1e-10) == same


def test_each_prefix_is_trained_as_a_sequence_of_its_own() -> None:
    """The loss by hand: the full softmax at the last state of every prefix."""
    definition = BSARec(OPTIONS)
    net = randomised(definition.build(CAT, CAT.domains, 3))
    inputs, targets, lengths = ITEMS[:, :-1], ITEMS[:, 1:].clone(), torch.tensor([6, 2, 1])
    targets[2, 0] = 41
    batch = Batch(inputs, targets, lengths, ("beta",), torch.Generator(), {})
    value, count = definition.loss(net, batch)
    table, terms = net.tables.domain_table("beta"), []
    for row, answers, length in zip(inputs, targets, lengths.tolist(), strict=True):
        for n in range(1, length + 1):
            state = dense(net, row[:n].tolist(), OPTIONS, False)[-1]
            terms.append((table @ state).log_softmax(0)[int(answers[n - 1]) - 30])
    assert count == len(terms) == 9
    torch.testing.assert_close(value, -torch.stack(terms).mean(), rtol=1e-10, atol=0.0)


def test_prefixes_come_in_the_order_of_targets() -> None:
    items, lengths = module.prefixes(torch.tensor([[1, 2, 3], [4, 5, 0]]), torch.tensor([3, 2]))
    assert lengths.tolist() == [1, 2, 3, 1, 2]
    assert items.tolist() == [[1, 2, 3]] * 3 + [[4, 5, 0]] * 2


def test_a_later_event_changes_no_earlier_state_of_the_causal_form() -> None:
    net = randomised(CausalBSARec(OPTIONS).build(CAT, CAT.domains, 3))
    one = torch.tensor([[31, 35, 40, 33]])
    other = torch.tensor([[31, 35, 40, 48]])
    lengths = torch.tensor([4])
    states = [net(items, lengths, ("beta",))[:, :3] for items in (one, other)]
    torch.testing.assert_close(*states, rtol=0, atol=1e-12)
    free = randomised(BSARec(OPTIONS).build(CAT, CAT.domains, 3))
    states = [free(items, lengths, ("beta",))[:, :3] for items in (one, other)]
    assert not torch.allclose(*states, rtol=0, atol=1e-4)


def test_dropout_stands_where_the_authors_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Embeddings; attention weights, the filter, attention's output, the feed-forward's output."""
    seen = recorded_dropout(monkeypatch, 0.5, query_prenorm, module)
    options = replace(OPTIONS, layers=1, dropout=0.5)
    CausalBSARec(options).build(CAT, CAT.domains, 0).train()(ITEMS, LENGTHS, ("beta",))
    grid = (3, 7, 12)
    assert seen == [grid, (3, 2, 7, 7), grid, grid, grid]


def test_refused_options() -> None:
    for values in ({"alpha": 1.5}, {"c": -1}):
        with pytest.raises(HandledError, match="alpha lies in"):
            BSARecOptions(**values)  # type: ignore[arg-type]
