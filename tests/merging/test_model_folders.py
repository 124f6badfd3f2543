"""Folders of models in and out: what transformers and sentence-transformers save and read again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import builders
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file, save_file
from torch import Tensor

from recmerge_bench.cli import cli
from recmerge_bench.errors import HandledError
from recmerge_bench.merging.opening import open_weights
from recmerge_bench.merging.stream import Streamed
from recmerge_bench.registry import discover
from recmerge_bench.targets import define

transformers = pytest.importorskip("transformers")
Tensors = dict[str, Tensor]


def command(*words: Any) -> Any:
    return CliRunner().invoke(cli, ["merge", *map(str, words)], standalone_mode=False)


def asked(models: list[Path], out: Path, *more: Any) -> list[Any]:
    return [
        "--base",
        models[0],
        *(w for m in models[1:] for w in ("--expert", m)),
        "-o",
        out,
        *more,
    ]


def changed(folder: Path, place: Path, seed: int) -> Path:
    """The same model with other weights: an expert."""
    shutil.copytree(folder, place)
    generator = torch.Generator().manual_seed(seed)
    for file in place.rglob("model.safetensors"):
        tensors = {
            n: t + 0.1 * torch.randn(t.shape, generator=generator)
            for n, t in load_file(file).items()
        }
        file.unlink()
        save_file(tensors, file, {"format": "pt"})
    return place


def sharded(folder: Path, place: Path, parts: int) -> Path:
    """The same weights in several files with an index."""
    shutil.copytree(folder, place)
    tensors = load_file(place / "model.safetensors")
    (place / "model.safetensors").unlink()
    index: dict[str, str] = {}
    for part in range(parts):
        name = f"model-{part + 1:05d}-of-{parts:05d}.safetensors"
        own = {n: t for k, (n, t) in enumerate(sorted(tensors.items())) if k % parts == part}
        save_file(own, place / name, {"format": "pt"})
        index |= dict.fromkeys(own, name)
    text = json.dumps({"metadata": {"total_size": 1}, "weight_map": index})
    (place / "model.safetensors.index.json").write_text(text)
    return place


@pytest.fixture
def models(tmp_path: Path) -> list[Path]:
    base = builders.tiny_bert(tmp_path / "base")
    (base / "trainer_state.json").write_text("{}")
    (base / "README.md").write_text("the base's card")
    return [base, *(changed(base, tmp_path / f"e{k}", k) for k in (1, 2))]


def whole(folder: Path) -> Tensors:
    return {n: t for f in sorted(folder.glob("*.safetensors")) for n, t in load_file(f).items()}


def mean(models: list[Path]) -> Tensors:
    one, other = (whole(m) for m in models[1:])
    return {n: (t + other[n]) / 2 for n, t in one.items()}


@pytest.mark.parametrize("size", [None, "8KB"])
def test_transformers_reads_what_is_merged(
    size: str | None, models: list[Path], tmp_path: Path
) -> None:
    models[2] = sharded(models[2], tmp_path / "sharded", 3)
    out = tmp_path / "new" / "merged"
    words = ["--max-shard-size", size] if size else []
    ran = command("--method", "weight-averaging", *asked(models, out, *words))
    assert ran.return_value == 0, ran.output
    assert f"wrote {out}\n" in ran.output
    shards = sorted(out.glob("*.safetensors"))
    assert (out / "model.safetensors.index.json").is_file() == bool(size)
    assert len(shards) > 2 if size else [s.name for s in shards] == ["model.safetensors"]
    net = transformers.AutoModel.from_pretrained(out)
    expected = mean([*models])
    for name, tensor in net.state_dict().items():
        torch.testing.assert_close(tensor, expected[name], msg=name)
    assert transformers.AutoTokenizer.from_pretrained(out)("red shoe")["input_ids"]
    record = json.loads((out / "merge.json").read_text())
    assert len(record["experts"][1]["files"]) == 5  # three shards, the index, the configuration
    card = (out / "README.md").read_text()
    assert record["base"]["sha256"] in card and "the base's card" not in card
    assert not (out / "trainer_state.json").exists()
    assert not list(tmp_path.glob("new/.merging*"))


@pytest.mark.parametrize("method", ["ties", "dare"])
def test_a_global_method_sees_the_whole_model_whatever_the_shards(
    method: str, models: list[Path], tmp_path: Path
) -> None:
    spec = discover(environ={}).get("strategy", method)
    merged = []
    for parts in (1, 4):
        given = models
        if parts > 1:
            given = [sharded(m, tmp_path / f"s{k}", parts) for k, m in enumerate(models)]
        out = tmp_path / f"{parts}.safetensors"
        Streamed(given[0], given[1:]).merge(define(spec.target, spec.options), out, seed=3)
        merged.append(load_file(out))
    assert all(torch.equal(t, merged[1][n]) for n, t in merged[0].items())


def test_an_index_is_a_model_too(models: list[Path], tmp_path: Path) -> None:
    place = sharded(models[1], tmp_path / "s", 2)
    given = [models[0], place / "model.safetensors.index.json", models[2]]
    ran = command("--method", "weight-averaging", *asked(given, tmp_path / "one.safetensors"))
    assert ran.return_value == 0, ran.output
    expected = mean(models)
    for name, tensor in load_file(tmp_path / "one.safetensors").items():
        torch.testing.assert_close(tensor, expected[name])


def test_sentence_transformers_reads_what_is_merged(models: list[Path], tmp_path: Path) -> None:
    st = pytest.importorskip("sentence_transformers")
    parts = pytest.importorskip("sentence_transformers.models")
    saved = []
    for number, folder in enumerate(models):
        torch.manual_seed(number)
        body = parts.Transformer(str(folder))
        own = [body, parts.Pooling(16), parts.Dense(16, 4), parts.Normalize()]
        saved.append(tmp_path / f"st{number}")
        st.SentenceTransformer(modules=own, device="cpu").save(str(saved[-1]))
    out = tmp_path / "merged"
    ran = command("--method", "weight-averaging", *asked(saved, out, "--max-shard-size", "8KB"))
    assert ran.return_value == 0, ran.output
    net = st.SentenceTransformer(str(out), device="cpu")
    experts = [st.SentenceTransformer(str(s), device="cpu").state_dict() for s in saved[1:]]
    for name, tensor in net.state_dict().items():
        torch.testing.assert_close(tensor, (experts[0][name] + experts[1][name]) / 2)
    assert net.encode(["red shoe"]).shape == (1, 4)
    assert sorted(f.name for f in out.glob("2_Dense/*")) == ["config.json", "model.safetensors"]


def test_experts_in_half_precision_of_a_base_in_full(models: list[Path], tmp_path: Path) -> None:
    half = {n: t.bfloat16() for n, t in whole(models[1]).items()}
    (models[1] / "model.safetensors").unlink()
    save_file(half, models[1] / "model.safetensors", {"format": "pt"})
    out = tmp_path / "merged"
    ran = command("--method", "weight-averaging", *asked(models, out, "--dtype", "bf16"))
    assert ran.return_value == 0, ran.output
    other = whole(models[2])
    for name, tensor in whole(out).items():
        exact = (half[name].float() + other[name]) / 2
        assert tensor.dtype == torch.bfloat16 and torch.equal(tensor, exact.bfloat16())
    assert json.loads((out / "config.json").read_text())["dtype"] == "bfloat16"
    net = transformers.AutoModel.from_pretrained(out)
    assert net.dtype == torch.bfloat16


@pytest.mark.parametrize(
    "method",
    ["task-arithmetic", "ties", "ties-per-tensor", "weight-averaging", "magmax", "tsv-m", "dare"],
)
def test_double_precision_is_computed_in_double(method: str, tmp_path: Path) -> None:
    """1 + 1e-12 is 1 in single precision: nothing would be left of such task vectors."""
    base = {"w": torch.ones(6, 8, dtype=torch.float64)}
    generator = torch.Generator().manual_seed(0)
    experts = [
        {"w": base["w"] + 1e-12 * torch.randn(6, 8, generator=generator, dtype=torch.float64)}
        for _ in range(3)
    ]
    paths = [tmp_path / f"{n}.safetensors" for n in range(4)]
    for model, path in zip([base, *experts], paths, strict=True):
        save_file(model, path)
    spec = discover(environ={}).get("strategy", method)
    Streamed(paths[0], paths[1:]).merge(define(spec.target, spec.options), tmp_path / "out")
    merged = load_file(tmp_path / "out")["w"]
    assert merged.dtype == torch.float64
    assert 0 < float((merged - base["w"]).abs().max()) < 1e-10


# -- bad folders ---------------------------------------------------------------------------------


def _index(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    file = folder / "model.safetensors.index.json"
    index = json.loads(file.read_text())
    change(index)
    file.write_text(json.dumps(index))


BROKEN: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a shard is missing": (
        lambda f: (f / "model-00002-of-00003.safetensors").unlink(),
        "model-00002-of-00003.safetensors is not there",
    ),
    "the index is no JSON": (
        lambda f: (f / "model.safetensors.index.json").write_text("{"), "not readable as JSON",
    ),
    "no weight map": (lambda f: _index(f, lambda i: i.pop("weight_map")), "no 'weight_map'"),
    "a shard elsewhere": (
        lambda f: _index(f, lambda i: i["weight_map"].update(x="../../etc/passwd")),
        "'x' is said to lie in",
    ),
    "a tensor is missing": (
        lambda f: _index(
            f, lambda i: i["weight_map"].update({"pooler.x": "model-00001-of-00003.safetensors"})
        ),
        "lacks 'pooler.x', which the index says",
    ),
    "a tensor is not in the index": (
        lambda f: _index(f, lambda i: i["weight_map"].pop("embeddings.LayerNorm.bias")),
        "holds 'embeddings.LayerNorm.bias', which the index does not place",
    ),
    "quantised": (
        lambda f: (f / "config.json").write_text('{"quantization_config": {"quant_method": "q4"}}'),
        "the weights are quantised (q4)",
    ),
    "modules elsewhere": (
        lambda f: (f / "modules.json").write_text('[{"path": "../../x"}]'), "within the folder",
    ),
    "no weights": (
        lambda f: [p.unlink() for p in f.glob("model*")], "holds 0 safetensors files",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_broken_folders_are_told_in_a_line_and_leave_nothing(
    case: str, models: list[Path], tmp_path: Path
) -> None:
    change, message = BROKEN[case]
    models[1] = sharded(models[1], tmp_path / "sharded", 3)
    change(models[1])
    ran = command("--method", "ties", *asked(models, tmp_path / "new" / "merged"))
    assert isinstance(ran.exception, HandledError), ran.output
    assert message in str(ran.exception) and "\n" not in str(ran.exception)
    assert str(models[1]) in str(ran.exception)
    assert not (tmp_path / "new").exists()


def test_places_that_a_folder_must_not_take(models: list[Path], tmp_path: Path) -> None:
    def refused(out: Path, message: str, *more: str) -> None:
        ran = command("--method", "ties", *asked(models, out, *more))
        assert isinstance(ran.exception, HandledError) and message in str(ran.exception), out

    before = sorted(p.name for p in tmp_path.iterdir())
    refused(models[0], "lies in a folder to merge", "--force")
    refused(models[1] / "merged", "lies in a folder to merge", "--force")
    refused(models[0] / "model.safetensors", "lies in a folder to merge", "--force")
    refused(tmp_path, "holds what is to be merged", "--force")
    assert sorted(p.name for p in tmp_path.iterdir()) == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("kept")
    refused(tmp_path / "mine", "is not empty and no merged model", "--force")
    (tmp_path / "file").write_text("kept")
    refused(tmp_path / "file", "is no folder", "--force")
    refused(tmp_path / "out", "a shard's size is a number", "--max-shard-size", "big")
    out = tmp_path / "out"
    assert command("--method", "ties", *asked(models, out)).return_value == 0
    refused(out, "exists: name another folder, or give --force")
    (out / "old").write_text("")
    assert command("--method", "ties", *asked(models, out, "--force")).return_value == 0
    assert not (out / "old").exists() and (tmp_path / "mine" / "letter.txt").exists()
    assert not list(tmp_path.glob(".merging*"))


def test_pickles_are_read_where_they_are_allowed(models: list[Path], tmp_path: Path) -> None:
    for number in (0, 1):
        tensors = whole(models[number])
        (models[number] / "model.safetensors").unlink()
        torch.save(tensors, models[number] / "pytorch_model.bin")
    out = tmp_path / "out"
    ran = command("--method", "ties", *asked(models, out))
    assert "is a pickle: give --allow-pickle" in str(ran.exception) and not out.exists()
    ran = command("--method", "ties", *asked(models, out, "--allow-pickle"))
    assert ran.return_value == 0, ran.output
    transformers.AutoModel.from_pretrained(out)


class _Evil:
    """A pickle that would leave a file behind."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return Path.touch, (self.file,)


@pytest.mark.parametrize(
    ("holds", "message"),
    [("code", "runs no code of the file"), ("list", "not tensors by name"), ("text", "not read")],
)
def test_a_pickle_runs_no_code(
    holds: str, message: str, models: list[Path], tmp_path: Path
) -> None:
    bad, mark = tmp_path / "bad.bin", tmp_path / "ran"
    if holds == "text":
        bad.write_text("no pickle")
    else:
        torch.save({"w": _Evil(mark)} if holds == "code" else [torch.ones(2)], bad)
    with pytest.raises(HandledError, match=message):
        open_weights(bad, pickles=True)
    assert not mark.exists()


# -- our own checkpoints -------------------------------------------------------------------------


def test_tables_of_domains_need_no_hint(tmp_path: Path) -> None:
    base = {"net.w": torch.zeros(4, 4), "tables.source.weight": torch.zeros(7, 4)}
    models = [base]
    for domain, rows in (("books", 3), ("toys", 5)):
        table = torch.full((rows, 4), float(rows))
        models.append({
            "net.w": torch.full((4, 4), float(rows)), f"tables.{domain}.weight": table,
            f"biases.{domain}": torch.ones(rows), "prepared.popularity": torch.ones(rows),
        })  # fmt: skip
    paths = [tmp_path / f"{n}.safetensors" for n in range(3)]
    for model, path in zip(models, paths, strict=True):
        save_file(model, path)
    out = tmp_path / "out.safetensors"
    ran = command("--method", "weight-averaging", *asked(paths, out))
    assert ran.return_value == 0, ran.output
    merged = load_file(out)
    assert sorted(merged) == [
        "biases.books", "biases.toys", "net.w", "tables.books.weight", "tables.toys.weight",
    ]  # fmt: skip
    assert torch.equal(merged["net.w"], torch.full((4, 4), 4.0))
    assert torch.equal(merged["tables.toys.weight"], models[2]["tables.toys.weight"])
    record = json.loads(Path(f"{out}.json").read_text())
    assert record["parameters"]["kept_of_experts"] == 3 * 4 + 5 * 4 + 3 + 5


def test_layers_that_one_expert_lacks_are_no_tables(tmp_path: Path) -> None:
    deep = {f"layers.{n}.w": torch.full((2,), 1.0 + n) for n in range(4)}
    models = [{n: t * 0 for n, t in deep.items()}, deep, {n: deep[n] for n in list(deep)[:2]}]
    paths = [tmp_path / f"{n}.safetensors" for n in range(3)]
    for model, path in zip(models, paths, strict=True):
        save_file(model, path)
    with pytest.raises(HandledError, match=r"2.safetensors lacks 'layers.2.w'"):
        Streamed(paths[0], paths[1:])
