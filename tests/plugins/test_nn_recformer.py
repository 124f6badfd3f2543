"""RecFormer's encoder: the released model's outputs, every length, strict loading."""

from __future__ import annotations

import pytest
import torch
from conftest import SHARED
from recmerge_bench_plugins.backbones.recformer import encoder as recformer
from recmerge_bench_plugins.backbones.recformer.encoder import (
    SIZES,
    RecFormer,
    Size,
    Tokens,
    load_released,
)
from safetensors import safe_open
from safetensors.torch import load_file

from recmerge_bench.errors import HandledError

GOLDEN = SHARED / "goldens" / "recformer_tiny.safetensors"
TINY = Size(
    width=32, layers=2, heads=4, inner=64, vocabulary=50, positions=700, items=12, window=16,
    dropout=0.0,
)  # fmt: skip


def batch(lengths: list[int], seed: int = 0) -> Tokens:
    generator = torch.Generator().manual_seed(seed)
    shape = (len(lengths), max(lengths))
    real = torch.arange(shape[1]) < torch.tensor(lengths)[:, None]
    draw = (torch.randint(n, shape, generator=generator) for n in (48, 2, 11))
    ids, types, items = next(draw) + 2, next(draw) + 1, next(draw) + 1
    ids[:, 0], types[:, 0], items[:, 0] = 0, 0, 0
    return Tokens(
        ids.masked_fill(~real, 1), real, types.masked_fill(~real, 3), items.masked_fill(~real, 0)
    )


def net(seed: int = 0) -> RecFormer:
    torch.manual_seed(seed)
    return RecFormer(TINY).eval()


@pytest.mark.skipif(not GOLDEN.is_file(), reason="../shared/goldens is absent")
@pytest.mark.parametrize("limit", [0, 1000], ids=["blocked", "dense"])
def test_the_released_models_outputs(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recformer, "DENSE_LIMIT", limit)
    with safe_open(str(GOLDEN), "pt") as file:
        shape = {k: int(v) for k, v in file.metadata().items() if v.isdecimal()}
    size = Size(
        width=shape["hidden"], layers=shape["layers"], heads=shape["heads"],
        inner=shape["intermediate"], vocabulary=shape["vocab"],
        positions=shape["max_position_embeddings"], items=shape["max_item_embeddings"],
        window=shape["attention_window"], dropout=0.0,
    )  # fmt: skip
    tensors = load_file(str(GOLDEN))
    model = RecFormer(size).eval()
    weights = {n.removeprefix("param/"): t for n, t in tensors.items() if n.startswith("param/")}
    load_released(model, weights, "the golden file")
    names = ("input_ids", "attention_mask", "token_type_ids", "item_position_ids")
    ids, real, types, items = (tensors[f"in/{n}"] for n in names)
    tokens = Tokens(ids, real.bool(), types, items)
    with torch.inference_mode():
        states = model(tokens)
        first = model(tokens, first_only=True)
    difference = (states - tensors["out/last_hidden_state"]).abs()[tokens.real]
    assert float(difference.max()) < 1e-5
    torch.testing.assert_close(first, tensors["out/pooler_output"], atol=1e-5, rtol=0)


@pytest.mark.parametrize("lengths", [[1], [9, 2], [17, 33, 8], [64, 65], [200, 5]])
def test_blocks_give_what_one_product_gives(
    lengths: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, tokens = net(), batch(lengths)
    collected = []
    for limit in (0, 1000):
        monkeypatch.setattr(recformer, "DENSE_LIMIT", limit)
        model.zero_grad()
        states = model(tokens)[tokens.real]
        states.square().sum().backward()
        collected.append(
            (states, [p.grad.clone() for p in model.parameters() if p.grad is not None])
        )
    torch.testing.assert_close(collected[0][0], collected[1][0], atol=1e-5, rtol=1e-5)
    for one, other in zip(collected[0][1], collected[1][1], strict=True):
        torch.testing.assert_close(one, other, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("limit", [0, 1000], ids=["blocked", "dense"])
def test_padding_and_company_change_nothing(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recformer, "DENSE_LIMIT", limit)
    model, tokens = net(), batch([40, 23])
    alone = Tokens(*(t[1:, :23] for t in (tokens.ids, tokens.real, tokens.types, tokens.items)))
    with torch.inference_mode():
        both, single = model(tokens), model(alone)
        torch.testing.assert_close(both[1, :23], single[0], atol=1e-6, rtol=1e-5)
        first = model(tokens, first_only=True)
    torch.testing.assert_close(first, both[:, 0], atol=1e-6, rtol=1e-5)


def test_the_window_ends_where_it_should(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a window away is seen, one more is not, and the first token is seen by all."""
    torch.manual_seed(0)
    model = RecFormer(Size(**{**TINY.__dict__, "layers": 1})).eval()
    tokens = batch([40])
    changed = Tokens(tokens.ids.clone(), tokens.real, tokens.types, tokens.items)
    changed.ids[0, 20] = 2 + (tokens.ids[0, 20] - 1) % 48
    for limit in (0, 1000):
        monkeypatch.setattr(recformer, "DENSE_LIMIT", limit)
        with torch.inference_mode():
            differs = (model(tokens) - model(changed)).abs().sum(-1)[0] > 1e-7
        assert differs.nonzero().flatten().tolist() == [0, *range(12, 29)]


def test_sizes_are_the_published_ones() -> None:
    for name, parameters, keys in (("base", 148_110_336, 270), ("large", 433_606_656, 534)):
        with torch.device("meta"):
            model = RecFormer(SIZES[name])
        assert sum(p.numel() for p in model.parameters()) == parameters
        assert len(model.state_dict()) == keys  # and position_ids in the released files


@pytest.mark.parametrize("prefix", ["", *recformer.PREFIXES])
def test_loading_is_whole_or_an_error(prefix: str) -> None:
    source, goal = net(1), net(2)
    weights = {f"{prefix}{n}": t for n, t in source.state_dict().items()}
    stray = {
        f"{prefix}embeddings.position_ids": torch.arange(3)[None],
        "lm_head.bias": torch.ones(1),
    }
    load_released(goal, {**weights, **stray}, "file")
    assert torch.equal(goal(batch([5])), source(batch([5])))
    name = f"{prefix}encoder.layer.1.output.dense.weight"
    for change, message in (
        ({n: t for n, t in weights.items() if n != name}, "missing encoder.layer.1.output"),
        ({**weights, f"{prefix}pooler.weight": torch.ones(1)}, "unknown pooler.weight"),
        ({**weights, name: torch.ones(2, 2)}, r"is \(2, 2\), not \(32, 64\)"),
    ):
        with pytest.raises(HandledError, match=message):
            load_released(goal, change, "file")
