"""Where words begin in stored tokens, and hiding whole words."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import builders
import numpy as np
import pytest
import torch
from recmerge_bench_plugins.backbones.recformer.word_masking import mask_words
from torch import Tensor

from recmerge_bench.data.codec import load_tokens, save_tokens
from recmerge_bench.toolkit.models.hf import attribute_tokens, item_tokens
from recmerge_bench.toolkit.models.towers import TokenGrid

BOW, PAD, END, MASK = 0, 1, 2, 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lines = [*builders.catalogue().texts, "title", "unbelievable lanterns"]
    return builders.tiny_bpe(tmp_path_factory.mktemp("bpe"), lines * 2)


# -- where words begin ---------------------------------------------------------------------------


def test_words_begin_at_spaces_and_pieces(folder: Path, tmp_path: Path) -> None:
    tokens = attribute_tokens(folder, ["title: river lantern model 1\nbrand: rivers", ""], 32)
    assert tokens.words is not None and tokens.words.dtype == np.uint8
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    parts: list[list[int]] = []
    for token, start in zip(tokens.ids, tokens.words, strict=True):
        parts.append([]) if start else None
        parts[-1].append(int(token))
    words = [tokenizer.decode(p).strip() for p in parts]
    assert words == ["title", "river", "lantern", "model", "1", "brand", "rivers"]
    assert len(tokens.ids) > len(words)
    save_tokens(tokens, tmp_path)
    again = load_tokens(tmp_path)
    assert np.array_equal(again.words, tokens.words)  # type: ignore[arg-type]
    assert (again.about["mask"], again.about["vocabulary"]) == (MASK, len(tokenizer))
    assert set(again.about["specials"]) == {0, 1, 2, 3, 4}
    (tmp_path / "words.npy").unlink()
    assert load_tokens(tmp_path).words is None


def test_word_pieces_go_on(tmp_path: Path) -> None:
    folder = builders.tiny_bert(tmp_path / "bert")
    facts = json.loads((folder / "tokenizer.json").read_text())
    facts["model"]["vocab"]["##s"] = len(facts["model"]["vocab"])
    (folder / "tokenizer.json").write_text(json.dumps(facts))
    tokens = item_tokens(folder, ["title: shoes hat"], 32)
    assert tokens.words is not None and tokens.words.tolist() == [1, 1, 1, 0, 1]
    assert tokens.about["mask"] is None


def test_released_tokenizer_files_name_no_special_tokens(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes((folder / "tokenizer.json").read_bytes())
    (tmp_path / "tokenizer_config.json").write_text('{"model_max_length": 512}')
    facts = attribute_tokens(tmp_path, ["title: river"], 32).about
    assert (facts["first"], facts["pad"], facts["mask"]) == (BOW, PAD, MASK)
    assert {BOW, PAD, MASK} <= set(facts["specials"])


# -- hidden words --------------------------------------------------------------------------------


def wide_grid(rows: int = 200, words: int = 40, seed: int = 0) -> TokenGrid:
    """Rows of words of one to three tokens after ``<s>``, padded; ids from 10, one END inside."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(rows):
        sizes = rng.integers(1, 4, words)
        made.append(np.concatenate([[1], *([1] + [0] * (n - 1) for n in sizes)]))
    size = max(map(len, made)) + 1
    starts = np.ones((rows, size), np.int64)
    real = np.zeros((rows, size), bool)
    for n, row in enumerate(made):
        starts[n, : len(row)], real[n, : len(row)] = row, True
    ids = np.where(real, rng.integers(10, 1000, (rows, size)), PAD)
    kinds = np.where(real, 2, 3)
    ids[:, 0], kinds[:, 0] = BOW, 0
    ids[:, 5] = END
    tensors = (torch.from_numpy(a) for a in (ids, real, kinds, np.ones_like(ids), starts))
    return TokenGrid(*tensors)


def groups(grid: TokenGrid, row: int) -> list[list[int]]:
    """Places of each word of a row; special tokens part words."""
    assert grid.words is not None
    collected: list[list[int]] = []
    open_word = False
    for place in range(grid.ids.shape[1]):
        ordinary = bool(grid.real[row, place]) and int(grid.ids[row, place]) not in (BOW, END)
        if ordinary and (not open_word or bool(grid.words[row, place])):
            collected.append([])
        if ordinary:
            collected[-1].append(place)
        open_word = ordinary
    return collected


def masked(grid: TokenGrid, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return mask_words(grid, 0.15, MASK, 1000, torch.tensor([0, 1, 2, 3, 4]), generator)


def test_a_share_of_whole_words_is_hidden() -> None:
    grid = wide_grid()
    ids, answers = masked(grid)
    for row in range(len(ids)):
        words = groups(grid, row)
        hits = [answers[row, places].tolist() for places in words]
        assert all(len(set(h)) == 1 for h in hits), "a word was hidden in part"
        assert sum(h[0] for h in hits) == round(0.15 * len(words))
    special = (grid.ids == BOW) | (grid.ids == END) | ~grid.real
    assert not bool((answers & special).any())
    assert torch.equal(ids[~answers], grid.ids[~answers])
    total = int(answers.sum())
    assert 0.13 < total / int((~special).sum()) < 0.17
    replaced = float((ids[answers] == MASK).float().mean())
    kept = float((ids[answers] == grid.ids[answers]).float().mean())
    margin = 4 * (0.8 * 0.2 / total) ** 0.5
    assert abs(replaced - 0.8) < margin and abs(kept - 0.1) < margin
    assert abs(1 - replaced - kept - 0.1) < margin


def test_which_words_are_hidden_is_even_and_follows_the_generator() -> None:
    grid = wide_grid(rows=1, words=20)
    words = groups(grid, 0)
    counts = np.zeros(len(words))
    for seed in range(300):
        answers = masked(grid, seed)[1][0]
        counts += [bool(answers[places[0]]) for places in words]
    expected = 300 * round(0.15 * len(words)) / len(words)
    assert np.abs(counts - expected).max() < 5 * expected**0.5
    assert all(torch.equal(*pair) for pair in zip(masked(grid, 7), masked(grid, 7), strict=True))
    assert not torch.equal(masked(grid, 7)[1], masked(grid, 8)[1])


def test_short_texts_hide_one_word_and_empty_ones_none() -> None:
    ids = torch.tensor([[BOW, 50, 51], [BOW, PAD, PAD]])
    real = ids != PAD
    kinds = torch.tensor([[0, 1, 2], [0, 3, 3]])
    grid = TokenGrid(ids, real, kinds, torch.zeros_like(ids), torch.ones_like(ids))
    answers = masked(grid)[1]
    assert answers.sum(1).tolist() == [1, 0]
    with pytest.raises(ValueError, match="beginnings"):
        masked(replace(grid, words=None))
