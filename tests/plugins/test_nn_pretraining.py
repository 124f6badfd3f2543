"""RecFormer's pre-training: pairs, losses, initial weights, and a base of a track."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import builders
import numpy as np
import pytest
import torch
from recmerge_bench_plugins.backbones.recformer import RecFormerBackbone, RecFormerOptions
from recmerge_bench_plugins.backbones.recformer import encoder as recformer
from recmerge_bench_plugins.backbones.recformer.encoder import RecFormer, Size, Tokens
from recmerge_bench_plugins.backbones.recformer.pretraining import (
    LanguageHead,
    draw_pairs,
    from_language_model,
    pretraining_losses,
)
from recmerge_bench_plugins.backbones.recformer.word_masking import mask_words
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F
from virtual_device import run_with_plugin, second_device

from recmerge_bench.api import Catalogue
from recmerge_bench.data.sequences import Batch
from recmerge_bench.errors import HandledError
from recmerge_bench.running.loading import load_net
from recmerge_bench.toolkit.models.hf import attribute_tokens
from recmerge_bench.toolkit.models.towers import in_batch_loss
from recmerge_bench.training.options import TrainOptions
from recmerge_bench.training.streams import load_init
from recmerge_bench.training.trainer import fit

TINY = Size(width=16, layers=2, heads=2, inner=32, positions=90, vocabulary=300, dropout=0.0)
ITEM_POSITIONS = "embeddings.item_position_embeddings.weight"
TOKEN_TYPES = "embeddings.token_type_embeddings.weight"
WORDS = "embeddings.word_embeddings.weight"
MASK = 4


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return builders.catalogue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    lines = [*catalogue.texts, "title", "unbelievable lanterns"]
    return builders.tiny_bpe(tmp_path_factory.mktemp("bpe"), lines * 2)


@pytest.fixture
def items(folder: Path, catalogue: Catalogue) -> Catalogue:
    texts = [f"title: {text or 'unbelievable lanterns'}" for text in catalogue.texts]
    return replace(catalogue, text_tokens=attribute_tokens(folder, texts, 32))


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(recformer.SIZES, "base", TINY)


def model(**options: Any) -> RecFormerBackbone:
    given = {"objective": "pretraining", "start": "random", "dropout": 0.0, "max_tokens": 80}
    return RecFormerBackbone(RecFormerOptions(**{**given, **options}))


def batch(
    cat: Catalogue, size: int = 6, seed: int = 0, length: int = 5, repeat: bool = False
) -> Batch:
    """Random events of the first domain; with `repeat`, the same one all along a window."""
    rng = np.random.default_rng(seed)
    events = torch.from_numpy(rng.integers(0, cat.size("alpha"), (size, length + 1)))
    events = events[:, :1].repeat(1, length + 1) if repeat else events
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.full((size,), length)
    return Batch(events[:, :-1], events[:, 1:], lengths, ("alpha",), generator, {})


# -- what is asked of tokens ---------------------------------------------------------------------


def test_without_word_starts_or_mask(items: Catalogue) -> None:
    assert items.text_tokens is not None
    bare = replace(items, text_tokens=replace(items.text_tokens, words=None))
    net = model().build(bare, ("alpha",), 0)
    with pytest.raises(HandledError, match="where words begin"):
        model().loss(net, batch(bare))
    facts = {**items.text_tokens.about, "mask": None}
    maskless = replace(items, text_tokens=replace(items.text_tokens, about=facts))
    with pytest.raises(HandledError, match="no mask token"):
        model().build(maskless, ("alpha",), 0)
    facts = {**items.text_tokens.about, "vocabulary": 301}
    large = replace(items, text_tokens=replace(items.text_tokens, about=facts))
    with pytest.raises(HandledError, match="knows 300 tokens"):
        model().build(large, ("alpha",), 0)
    most = TINY.positions - 2
    with pytest.raises(HandledError, match=f"positions for {most} tokens"):
        model(max_tokens=most + 1).build(items, ("alpha",), 0)


# -- pairs and losses ----------------------------------------------------------------------------


def test_targets_lie_in_the_later_half() -> None:
    for length in (1, 2, 3, 6):
        n, size = length + 1, 3000
        events = torch.arange(n).repeat(size, 1)
        made = Batch(
            events[:, :-1], events[:, 1:], torch.full((size,), length), ("a",),
            torch.Generator().manual_seed(length), {},
        )  # fmt: skip
        lengths, targets = draw_pairs(made)
        assert torch.equal(lengths, targets)  # event t is what follows t events
        places = range(max((n - 1) // 2, 1), n)
        counts = torch.bincount(targets, minlength=n).tolist()
        expected = size / len(places)
        assert [p for p, count in enumerate(counts) if count] == list(places)
        assert all(abs(counts[p] - expected) < 5 * expected**0.5 for p in places)


def test_the_losses_by_hand(items: Catalogue) -> None:
    definition = model()
    net: Any = definition.build(items, ("alpha",), 0)
    given = batch(items, size=3)
    actual = pretraining_losses(net, given, 0.05, False, 0.15)
    again = batch(items, size=3)
    lengths, targets = draw_pairs(again)
    histories = [row[:n].numpy() for row, n in zip(again.items, lengths, strict=True)]
    sides = [net.grid(histories, True), net.grid([t[None].numpy() for t in targets], True)]
    vectors = [net(h) for h in (histories, [t[None].numpy() for t in targets])]
    expected = in_batch_loss(*vectors, targets, 0.05, False)
    torch.testing.assert_close(actual[0], expected)
    total = torch.zeros(())
    for grid in sides:
        ids, answers = mask_words(grid, 0.15, MASK, net.vocabulary, net.specials, again.generator)
        one_by_one = []
        for row, place in answers.nonzero().tolist():
            state = net.encoder.net(Tokens(ids, grid.real, grid.kinds, grid.places))[row, place]
            inner = net.lm_head.layer_norm(F.gelu(net.lm_head.dense(state)))
            scores = net.lm_head.decoder.weight @ inner + net.lm_head.decoder.bias
            one_by_one.append(torch.logsumexp(scores, 0) - scores[grid.ids[row, place]])
        total = total + torch.stack(one_by_one).mean()
    torch.testing.assert_close(actual[1], total, atol=1e-5, rtol=1e-5)
    value, count = model(word_weight=0.3).loss(net, batch(items, size=3))
    torch.testing.assert_close(value, actual[0] + 0.3 * actual[1])
    assert count == 3


def measured(net: Any, items: Catalogue) -> list[float]:
    """Both losses, over a few fixed batches."""
    with torch.no_grad():
        losses = [
            pretraining_losses(net.eval(), batch(items, 16, seed, repeat=True), 0.05, True, 0.15)
            for seed in range(4)
        ]
    return [float(torch.stack(x).mean()) for x in zip(*losses, strict=True)]


def trained(items: Catalogue, steps: int = 30, seed: int = 3, **options: Any) -> dict[str, Tensor]:
    """A training on users who meet the same item again and again."""
    training = TrainOptions(
        steps=steps, epochs=0, batch_size=16, lr=0.003, eval_every=-1, clip=1.0, report_every=5
    )
    sequences = [[item] * 6 for item in range(items.size("alpha"))] * 2
    split = builders.leave_two_out(sequences, [0] * len(sequences), items)
    definition = model(start="language-model", **options)
    start = definition.from_encoder(language_model())
    return fit(definition, items, split, ("alpha",), "domain", training, seed, start).state


def test_thirty_steps_lower_both_losses_and_leave_the_words(items: Catalogue) -> None:
    definition = model(start="language-model")
    net: Any = definition.build(items, ("alpha",), 3)
    load_init(definition, net, definition.from_encoder(language_model()), items)
    before = measured(net, items)
    words = net.state_dict()[f"encoder.net.{WORDS}"].clone()
    state = trained(items)
    assert torch.equal(state[f"encoder.net.{WORDS}"], words)
    net.load_state_dict(state)
    after = measured(net, items)
    assert after[0] < before[0] - 1.0 and after[1] < before[1] - 2.0, (before, after)


def test_trainings_follow_from_the_seed(items: Catalogue) -> None:
    one, same, other = (trained(items, 2, seed, freeze_words=False) for seed in (3, 3, 4))
    assert all(torch.equal(t, same[n]) for n, t in one.items())
    assert not torch.equal(one["lm_head.dense.weight"], other["lm_head.dense.weight"])
    words = language_model()[f"longformer.{WORDS}"]
    assert not torch.equal(one[f"encoder.net.{WORDS}"], words)


def test_experts_start_from_the_base_without_its_head(items: Catalogue, tmp_path: Path) -> None:
    base = dict(model().build(items, ("alpha",), 0).state_dict())
    assert any(n.startswith("lm_head.") for n in base)
    expert = model(objective="fine-tuning", start="recformer")
    net = expert.build(items, ("beta",), 1)
    load_init(expert, net, base, items)
    own = net.state_dict()
    assert {n for n in base if n not in own} == {n for n in base if n.startswith("lm_head.")}
    assert all(torch.equal(t, base[n]) for n, t in own.items())
    with pytest.raises(ValueError, match="unknown to the net"):
        load_init(expert, net, {**base, "head.bias": torch.ones(1)}, items)
    save_file(base, str(tmp_path / "base.safetensors"))
    load_net(expert, items, ("beta",), 0, tmp_path / "base.safetensors", exact=True)


# -- initial weights -----------------------------------------------------------------------------


def language_model(tied: bool = False) -> dict[str, Tensor]:
    """Random tensors under the names of a Longformer language model's file."""
    torch.manual_seed(5)
    net, head = RecFormer(TINY).state_dict(), LanguageHead(TINY).state_dict()
    tensors = {f"longformer.{n}": t for n, t in net.items() if n != ITEM_POSITIONS}
    tensors[f"longformer.{TOKEN_TYPES}"] = torch.randn(1, TINY.width)
    tensors["longformer.embeddings.position_ids"] = torch.arange(90)[None]
    tensors |= {f"lm_head.{n}": t for n, t in head.items()}
    tensors["lm_head.bias"] = tensors["lm_head.decoder.bias"]
    if tied:
        del tensors["lm_head.decoder.weight"], tensors["lm_head.decoder.bias"]
    return tensors


@pytest.mark.parametrize("tied", [False, True])
def test_a_language_models_weights_are_taken_over_whole(
    items: Catalogue, tied: bool, tmp_path: Path
) -> None:
    source = language_model(tied)
    definition = model(start="language-model")
    state = definition.from_encoder(source)
    net = definition.build(items, ("alpha",), 0)
    assert set(state) == set(net.state_dict())
    load_init(definition, net, state, items)
    for name, tensor in net.state_dict().items():
        inner = name.removeprefix("encoder.net.")
        if inner == TOKEN_TYPES:
            assert torch.equal(tensor, source[f"longformer.{inner}"].expand(4, -1))
        elif inner == ITEM_POSITIONS:
            assert 0.015 < float(tensor.std()) < 0.025
        elif tied and name == "lm_head.decoder.weight":
            assert torch.equal(tensor, source[f"longformer.{WORDS}"])
        elif tied and name == "lm_head.decoder.bias":
            assert torch.equal(tensor, source["lm_head.bias"])
        else:
            assert torch.equal(tensor, source[name.replace("encoder.net.", "longformer.")]), name
    save_file(state, str(tmp_path / "base.safetensors"))  # refuses tensors that share memory
    again = definition.from_encoder(source)
    assert all(torch.equal(t, again[n]) for n, t in state.items())
    encoder = model(start="language-model", objective="fine-tuning").from_encoder(source)
    assert not any(n.startswith("lm_head.") for n in encoder)


def test_a_language_model_that_does_not_fit() -> None:
    source = language_model()
    layer = "encoder.layer.1.attention.self.key_global.weight"
    without = {n: t for n, t in source.items() if n != f"longformer.{layer}"}
    four = {**source, f"longformer.{TOKEN_TYPES}": torch.ones(4, TINY.width)}
    for given, message in (
        (without, f"missing {layer}"),
        ({**source, "longformer.extra": torch.ones(1)}, "unknown extra"),
        (four, r"token_type_embeddings.weight is \(4, 16\), not \(1, 16\)"),
        ({n: t for n, t in source.items() if "lm_head.dense" not in n}, "missing lm_head.dense"),
        ({}, "missing embeddings.*and [0-9]+ more"),
    ):
        with pytest.raises(HandledError, match=message):
            from_language_model(TINY, given, True, "the file")
    with pytest.raises(HandledError, match="missing embeddings"):
        model(start="recformer").from_encoder(source)


@pytest.mark.parametrize(
    "wrong",
    [{"objective": "both"}, {"start": "bert"}, {"word_share": 1.0}, {"word_weight": -1.0}],
)
def test_wrong_options(wrong: dict[str, Any]) -> None:
    with pytest.raises(HandledError, match="recformer"):
        RecFormerOptions(**wrong)


# -- the whole path ------------------------------------------------------------------------------

PLUGIN = """
from pathlib import Path
from recmerge_bench.api import BackboneSpec, EncoderSpec, hookimpl
from recmerge_bench_plugins.backbones.recformer import RecFormerBackbone, RecFormerWeights

class Tiny(RecFormerBackbone):
    def shape(self):
        from recmerge_bench_plugins.backbones.recformer.encoder import Size
        return Size(width=16, layers=2, heads=2, inner=32, positions=90, vocabulary=300)

class Source(RecFormerWeights):
    def sources(self, data_root):
        here = Path({folder!r})
        return [here / n for n in ("model.safetensors", "tokenizer.json", "tokenizer_config.json")]

@hookimpl
def recmerge_bench_register():
    return [
        BackboneSpec("tiny-recformer", f"{{__name__}}:Tiny", "a tiny RecFormer"),
        EncoderSpec("tiny-longformer", f"{{__name__}}:Source", "a tiny Longformer"),
    ]
"""
SUITE = """
name: pretrained
label: smoke
metrics: [NDCG@10]
tracks:
  merging:
    dataset: synthetic
    dataset_options: {users: 60, items: 36, n_domains: 3, clusters: 4}
    base:
      dataset: synthetic
      dataset_options: {users: 60, items: 36, n_domains: 3, clusters: 4}
      domains: [d2]
      options: {objective: pretraining, start: language-model}
      training: {lr: 0.002}
    domains: [d0, d1]
    protocols: [loo]
    training: {steps: 2, epochs: 0, eval_every: -1, batch_size: 8, lr: 0.001}
    pretraining: {steps: 3, accumulate: 2, lr: 0.5}
    backbones:
      tiny-recformer: {options: {encoder: tiny-longformer, max_items: 4, max_tokens: 80}}
    rows: [zero-shot, fine-tune, ties]
"""


def test_a_suite_pre_trains_its_base(folder: Path, tmp_path: Path) -> None:
    save_file(language_model(tied=True), str(folder / "model.safetensors"))
    (tmp_path / "tiny_pre.py").write_text(PLUGIN.format(folder=str(folder)))
    (tmp_path / "pretrained.yaml").write_text(SUITE)
    ran = subprocess.run(
        [
            sys.executable, "-m", "recmerge_bench", "-p", str(tmp_path / "tiny_pre.py"), "run",
            "--suite", str(tmp_path / "pretrained.yaml"), "--out", str(tmp_path / "out"),
        ],
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    rows = json.loads((tmp_path / "out" / "records" / "pretrained.json").read_text())["results"]
    assert {r["status"] for r in rows} == {"done"} and len(rows) == 3
    cells = {p: json.loads(p.read_text()) for p in tmp_path.glob("out/store/*/*/record.json")}
    states = [
        (record["kind"], load_file(path.parent / "model.safetensors"))
        for path, record in cells.items()
        if record["kind"] in ("weights", "train", "merge")
    ]
    heads = {k: s for k, s in states if any(n.startswith("lm_head.") for n in s)}
    assert set(heads) == {"train", "weights"}
    assert len(states) == 5  # and two experts and the merged model, without a head
    start, base = heads["weights"], heads["train"]
    assert torch.equal(start[f"encoder.net.{WORDS}"], base[f"encoder.net.{WORDS}"])
    moved = [n for n in start if not torch.equal(start[n], base[n])]
    assert "encoder.net.encoder.layer.0.output.dense.weight" in moved
    assert any(n.startswith("lm_head.") for n in moved)


def test_on_a_second_device(folder: Path, tmp_path: Path) -> None:
    save_file(language_model(tied=True), str(folder / "model.safetensors"))
    with second_device():
        assert run_with_plugin(PLUGIN.format(folder=str(folder)), SUITE, tmp_path, "cuda") == []
