"""Text towers: token layout, batches, the loss, and a suite from pre-trained weights to board."""

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
from recmerge_bench_plugins.backbones.hf_text import HfText, HfTextOptions
from recmerge_bench_plugins.backbones.recformer import RecFormerBackbone, RecFormerOptions
from recmerge_bench_plugins.backbones.recformer import encoder as recformer
from recmerge_bench_plugins.backbones.recformer.encoder import RecFormer, Size
from safetensors.torch import load_file
from torch.nn import functional as F
from virtual_device import run_with_plugin, second_device

from recmerge_bench.api import Catalogue, ItemTokens
from recmerge_bench.data.codec import load_tokens, save_tokens
from recmerge_bench.data.sequences import Batch
from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.toolkit.models.hf import attribute_tokens, encoder_weights, item_tokens
from recmerge_bench.toolkit.models.towers import in_batch_loss, rows_of

TEXTS = ["title: red shoe\nbrand: hat", "title: blue hat", "title: shoe shoe shoe", "title: red"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return builders.tiny_bert(tmp_path_factory.mktemp("bert"))


def catalogue(tokens: ItemTokens) -> Catalogue:
    offsets = np.array([0, 3, 4])
    return Catalogue(("a", "b"), offsets, list("wxyz"), TEXTS, text_tokens=tokens)


def words(ids: Any) -> str:
    return " ".join(builders.WORDS[i] for i in ids)


def hf(folder: Path, **options: Any) -> tuple[HfText, Any]:
    model = HfText(HfTextOptions(**options))
    net = model.build(catalogue(item_tokens(folder, TEXTS, 32)), ("a", "b"), 0)
    net.load_state_dict(model.from_encoder(encoder_weights(folder / "model.safetensors")))
    return model, net.eval()


def test_tokens_of_an_item_and_of_a_user(folder: Path) -> None:
    tokens = item_tokens(folder, TEXTS, 2)
    assert words(tokens.ids[: tokens.offsets[1]]) == "title : red shoe brand : hat"
    assert tokens.kinds[: tokens.offsets[1]].tolist() == [1, 1, 2, 2, 1, 1, 2]
    assert words(tokens.ids[tokens.offsets[2] : tokens.offsets[3]]) == "title : shoe shoe"
    _, net = hf(folder)
    grid = net.grid([np.array([3, 1]), np.array([3])])
    assert words(grid.ids[0]) == "[CLS] title : blue hat ; title : red [SEP]"
    assert words(grid.ids[1]) == "[CLS] title : red [SEP] [PAD] [PAD] [PAD] [PAD] [PAD]"
    assert grid.real.sum(1).tolist() == [10, 5]
    assert grid.places[0].tolist() == [0, 1, 1, 1, 1, 1, 2, 2, 2, 0]


def test_long_users_lose_what_is_oldest(folder: Path) -> None:
    _, net = hf(folder, max_tokens=7, max_items=2)
    grid = net.grid([np.array([0, 3, 1])])
    assert words(grid.ids[0]) == "[CLS] title : blue hat ; [SEP]"


def test_tokens_survive_the_store(folder: Path, tmp_path: Path) -> None:
    tokens = item_tokens(folder, TEXTS, 32)
    save_tokens(tokens, tmp_path)
    again = load_tokens(tmp_path)
    assert again.about == tokens.about and again.about["config"]["hidden_size"] == 16
    assert np.array_equal(again.ids, tokens.ids) and np.array_equal(again.kinds, tokens.kinds)


def test_vectors_are_the_models_on_the_same_text(folder: Path) -> None:
    from transformers import AutoModel, AutoTokenizer

    _, net = hf(folder, pooling="mean")
    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    text = "title: blue hat; title: red"
    given = tokenizer(text, return_tensors="pt")
    states = AutoModel.from_pretrained(str(folder)).eval()(
        input_ids=given["input_ids"], attention_mask=given["attention_mask"]
    )
    expected = F.normalize(states.last_hidden_state.mean(1), dim=-1)
    torch.testing.assert_close(net([np.array([3, 1])]), expected, atol=1e-6, rtol=1e-5)


def test_batches_within_a_budget_change_nothing(folder: Path) -> None:
    _, net = hf(folder)
    histories = [np.array(h) for h in ([0, 1, 2, 3], [3], [1, 0], [2])]
    net.budget = 12
    with torch.inference_mode():
        torch.testing.assert_close(net.all(histories), net(histories), atol=1e-6, rtol=1e-5)
        assert net.items("a").shape == (3, 16)


def test_a_pseudo_user_is_its_item(folder: Path) -> None:
    model, net = hf(folder)
    with torch.inference_mode():
        users = model.encode(net, torch.tensor([[0], [1], [2]]), torch.ones(3).long(), "a")
        torch.testing.assert_close(users, model.items(net, "a")[0])


def test_the_loss_by_hand() -> None:
    users, items = F.normalize(torch.randn(3, 4), dim=1), F.normalize(torch.randn(3, 4), dim=1)
    targets = torch.tensor([5, 7, 5])
    items[2] = items[0]
    scores = users @ items.T / 0.05
    plain = -torch.stack([scores[i].log_softmax(0)[i] for i in range(3)]).mean()
    torch.testing.assert_close(in_batch_loss(users, items, targets, 0.05, False), plain)
    rivals = [[0, 1], [1, 0, 2], [2, 1]]
    fair = -torch.stack([scores[i, r].log_softmax(0)[0] for i, r in enumerate(rivals)]).mean()
    torch.testing.assert_close(in_batch_loss(users, items, targets, 0.05, True), fair)


def test_a_window_trains_on_its_last_event(folder: Path) -> None:
    model, net = hf(folder)
    items = torch.tensor([[0, 1, 0], [3, 0, 0]])
    targets = torch.tensor([[1, 2, 0], [1, 0, 0]])
    batch = Batch(items, targets, torch.tensor([2, 1]), ("a", "b"), torch.Generator(), {})
    value, count = model.loss(net, batch)
    users, answers = net([np.array([0, 1]), np.array([3])]), net([np.array([2]), np.array([1])])
    expected = in_batch_loss(users, answers, torch.tensor([2, 1]), 0.05, False)
    torch.testing.assert_close(value, expected)
    assert count == 2
    assert [r.tolist() for r in rows_of(items, torch.tensor([2, 1]))] == [[0, 1], [3]]


def test_weight_files_of_strangers(folder: Path, tmp_path: Path) -> None:
    whole = load_file(folder / "model.safetensors")
    torch.save({f"bert.{n}": t.half() for n, t in whole.items()}, tmp_path / "model.bin")
    actual = encoder_weights(tmp_path / "model.bin")
    assert not any(n.startswith("pooler") for n in actual)
    name = "embeddings.word_embeddings.weight"
    torch.testing.assert_close(actual[name], whole[name].half().float())

    class Evil:
        def __reduce__(self) -> Any:
            return (print, ("hostile",))

    torch.save({"a": Evil()}, tmp_path / "evil.bin")
    (tmp_path / "cut.safetensors").write_bytes(b"12345678{")
    for bad in ("evil.bin", "cut.safetensors"):
        with pytest.raises(DataError, match="not a"):
            encoder_weights(tmp_path / bad)


def test_without_tokens() -> None:
    plain = replace(builders.catalogue(), vectors=None)
    with pytest.raises(HandledError, match="without tokens"):
        HfText(HfTextOptions()).build(plain, ("alpha",), 0)


# -- RecFormer -----------------------------------------------------------------------------------

TINY = Size(width=32, layers=2, heads=4, inner=64, positions=70, vocabulary=20, dropout=0.0)


def test_recformers_layout_and_weights(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(recformer.SIZES, "base", TINY)
    tokens = attribute_tokens(folder, TEXTS, 2)
    assert words(tokens.ids[: tokens.offsets[1]]) == "title red shoe brand hat"
    assert tokens.kinds[: tokens.offsets[1]].tolist() == [1, 2, 2, 1, 2]
    model = RecFormerBackbone(RecFormerOptions(dropout=0.0, max_tokens=60))
    net = model.build(catalogue(tokens), ("a", "b"), 0)
    source = RecFormer(TINY)
    released = {f"longformer.{n}": t for n, t in source.state_dict().items()}
    net.load_state_dict(model.from_encoder(released))
    grid = net.grid([np.array([3, 1]), np.array([3])])
    assert words(grid.ids[0, 1:]) == "title blue hat title red"
    assert grid.kinds.tolist() == [[0, 1, 2, 2, 1, 2], [0, 1, 2, 3, 3, 3]]
    assert grid.places.tolist() == [[0, 1, 1, 1, 2, 2], [0, 1, 1, 0, 0, 0]]
    with torch.inference_mode():
        given = recformer.Tokens(grid.ids, grid.real, grid.kinds, grid.places)
        expected = F.normalize(source.eval()(given)[:, 0], dim=-1)
        torch.testing.assert_close(net.eval()([np.array([3, 1]), np.array([3])]), expected)
    with pytest.raises(HandledError, match="missing embeddings"):
        model.from_encoder({n: t for n, t in released.items() if "word" not in n})


# -- the whole path ------------------------------------------------------------------------------

PLUGIN = """
from dataclasses import dataclass
from pathlib import Path
from recmerge_bench.api import EncoderSpec, hookimpl
from recmerge_bench.toolkit.models.hf_folder import HfFolder

class Tiny(HfFolder):
    def sources(self, data_root):
        here = Path({folder!r})
        return [here / n for n in ("model.safetensors", "config.json", "tokenizer.json")]

@hookimpl
def recmerge_bench_register():
    return [EncoderSpec("tiny-bert", f"{{__name__}}:Tiny", "a tiny BERT")]
"""
SUITE = """
name: towers
label: smoke
metrics: [NDCG@10]
tracks:
  merging:
    dataset: synthetic
    dataset_options: {users: 40, items: 24, n_domains: 2, clusters: 4}
    domains: [d0, d1]
    protocols: [loo]
    training: {steps: 2, epochs: 0, eval_every: -1, batch_size: 4, lr: 0.001}
    backbones:
      hf-text: {options: {encoder: tiny-bert, max_items: 5}}
    rows: [zero-shot, fine-tune, ties, {method: mergerec, options: {steps: 2}}]
"""


def test_from_pretrained_weights_to_a_board(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny.py").write_text(PLUGIN.format(folder=str(folder)))
    (tmp_path / "towers.yaml").write_text(SUITE)
    ran = subprocess.run(
        [
            sys.executable, "-m", "recmerge_bench", "-p", str(tmp_path / "tiny.py"), "run",
            "--suite", str(tmp_path / "towers.yaml"), "--out", str(tmp_path / "out"),
        ],
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    rows = json.loads((tmp_path / "out" / "records" / "towers.json").read_text())["results"]
    assert {r["status"] for r in rows} == {"done"} and len(rows) == 4
    records = [json.loads(p.read_text()) for p in tmp_path.glob("out/store/*/*/record.json")]
    kinds = [r["kind"] for r in records]
    assert kinds.count("weights") == 1 and kinds.count("text") == 1
    base = next(p for p in tmp_path.glob("out/store/*/*/record.json")
                if json.loads(p.read_text())["kind"] == "weights").parent  # fmt: skip
    source = load_file(folder / "model.safetensors")
    for name, tensor in load_file(base / "model.safetensors").items():
        assert torch.equal(tensor, source[name.removeprefix("encoder.net.")])


def test_on_a_second_device(folder: Path, tmp_path: Path) -> None:
    with second_device():
        assert run_with_plugin(PLUGIN.format(folder=str(folder)), SUITE, tmp_path, "cuda") == []
