"""Vocabularies that differ: the base's tables, none, or all tokens' rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import builders
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

from recmerge_bench.cli import cli
from recmerge_bench.errors import HandledError

transformers = pytest.importorskip("transformers")
TABLE = "embeddings.word_embeddings.weight"


def command(models: list[Path], out: Path, *words: Any) -> Any:
    experts = [w for m in models[1:] for w in ("--expert", str(m))]
    return CliRunner().invoke(
        cli, ["merge", "--method", "weight-averaging", "--base", str(models[0]), *experts,
              "-o", str(out), *words], standalone_mode=False,
    )  # fmt: skip


def with_tokens(base: Path, place: Path, tokens: list[str], seed: int) -> Path:
    """The model with further tokens and other weights."""
    torch.manual_seed(seed)
    tokenizer = transformers.AutoTokenizer.from_pretrained(base)
    tokenizer.add_tokens(tokens)
    net = transformers.BertModel.from_pretrained(base)
    net.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    for parameter in net.parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape)
    net.save_pretrained(place)
    tokenizer.save_pretrained(place)
    return place


@pytest.fixture
def models(tmp_path: Path) -> list[Path]:
    base = builders.tiny_bert(tmp_path / "base")
    one = with_tokens(base, tmp_path / "one", ["<a>", "<b>"], 1)
    return [base, one, with_tokens(base, tmp_path / "two", ["<c>", "<a>"], 2)]


def test_nothing_said_of_them_is_told_what_to_say(models: list[Path], tmp_path: Path) -> None:
    ran = command(models, tmp_path / "out")
    text = str(ran.exception)
    assert isinstance(ran.exception, HandledError) and "\n" not in text
    assert "one has a vocabulary of 14 tokens, the base of 12" in text
    assert TABLE in text and "--policy embed=base" in text and not (tmp_path / "out").exists()


def test_the_bases_tables_or_none(models: list[Path], tmp_path: Path) -> None:
    assert command(models, tmp_path / "b", "--policy", "embed=base").return_value == 0
    base = load_file(models[0] / "model.safetensors")
    kept = load_file(tmp_path / "b" / "model.safetensors")
    assert torch.equal(kept[TABLE], base[TABLE]) and kept.keys() == base.keys()
    transformers.AutoModel.from_pretrained(tmp_path / "b")
    assert command(models, tmp_path / "d", "--policy", "embed=drop").return_value == 0
    assert kept.keys() - load_file(tmp_path / "d" / "model.safetensors").keys() == {TABLE}


@pytest.mark.parametrize("block", [7, 1 << 18])
def test_rows_are_united_by_token(
    block: int, models: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recmerge_bench.merging.stream.BLOCK", block)
    out = tmp_path / "out"
    ran = command(models, out, "--policy", "embed=concatenate")
    assert ran.return_value == 0, ran.output
    net = transformers.AutoModel.from_pretrained(out)
    tokenizer = transformers.AutoTokenizer.from_pretrained(out)
    assert len(tokenizer) == net.config.vocab_size == 15
    rows = net.state_dict()[TABLE]
    tables = [load_file(m / "model.safetensors")[TABLE] for m in models]
    ids = [transformers.AutoTokenizer.from_pretrained(m).get_vocab() for m in models]
    for token, row in tokenizer.get_vocab().items():
        own = [t[i[token]] for t, i in zip(tables[1:], ids[1:], strict=True) if token in i]
        torch.testing.assert_close(rows[row], torch.stack(own).mean(0), msg=token)
    assert tokenizer.tokenize("red <b> shoe <c>") == ["red", "<b>", "shoe", "<c>"]


def test_what_cannot_be_united(models: list[Path], tmp_path: Path) -> None:
    def refused(message: str) -> None:
        ran = command(models, tmp_path / "out", "--policy", "embed=concatenate")
        assert isinstance(ran.exception, HandledError), ran.output
        assert message in str(ran.exception) and not (tmp_path / "out").exists()

    file = models[2] / "tokenizer.json"
    read = json.loads(file.read_text())
    file.write_text(json.dumps({**read, "model": {**read["model"], "type": "BPE"}}))
    assert command(models, tmp_path / "o", "--policy", "embed=concatenate").return_value == 0
    read["model"]["vocab"]["strange"], read["model"]["type"] = 12, "BPE"
    read["added_tokens"] = [t for t in read["added_tokens"] if t["content"] != "<c>"]
    file.write_text(json.dumps(read))
    refused("the token 'strange' is of a tokenizer trained otherwise than the base's")
    read["model"]["vocab"]["strange"] = 99
    file.write_text(json.dumps(read))
    refused("has tokens beyond the rows")
    read["model"]["vocab"]["strange"] = "x"
    file.write_text(json.dumps(read))
    refused("the token 'strange' has the row 'x'")
    file.unlink()
    refused("two has no tokenizer.json")


def test_equal_sizes_with_other_tokens_are_told(models: list[Path], tmp_path: Path) -> None:
    other = with_tokens(models[0], tmp_path / "other", ["<b>", "<a>"], 3)
    ran = command([models[1], other], tmp_path / "out")
    assert isinstance(ran.exception, HandledError), ran.output
    assert f"row 12 of '{TABLE}' is the token '<b>', the base's '<a>'" in str(ran.exception)
    ran = command([models[1], other], tmp_path / "out", "--policy", "embed=concatenate")
    assert ran.return_value == 0, ran.output
    made, own = (load_file(f / "model.safetensors")[TABLE] for f in (tmp_path / "out", other))
    torch.testing.assert_close(made, own[[*range(12), 13, 12]])
