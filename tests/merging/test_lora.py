"""LoRA adapters merged as adapters, or applied to their model; beside PEFT's own merging."""

from __future__ import annotations

import json
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
from recmerge_bench.merging.lora import Adapter
from recmerge_bench.merging.lora_spaces import Knots

peft = pytest.importorskip("peft")
transformers = pytest.importorskip("transformers")
#: Of PEFT on this transformers, and of PEFT's densities of one.
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
TARGETS = ["query", "value", "word_embeddings"]


def command(*words: Any) -> Any:
    return CliRunner().invoke(cli, ["merge", *map(str, words)], standalone_mode=False)


def asked(adapters: list[Path], out: Path, *more: Any) -> list[Any]:
    return [*(w for a in adapters for w in ("--expert", a)), "-o", out, *more]


def adapter(
    base: Path, place: Path, seed: int, rank: int = 4, alpha: float = 8, **more: Any
) -> Path:
    """An adapter with random factors, as PEFT saves it."""
    torch.manual_seed(seed)
    config = peft.LoraConfig(
        r=rank, lora_alpha=alpha, target_modules=more.pop("targets", TARGETS), **more
    )
    net = peft.get_peft_model(transformers.BertModel.from_pretrained(base), config)
    for name, parameter in net.named_parameters():
        if "lora_" in name:
            parameter.data = 0.1 * torch.randn(parameter.shape)
    net.save_pretrained(str(place), save_embedding_layers=False)
    return place


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return builders.tiny_bert(tmp_path_factory.mktemp("lora") / "base")


@pytest.fixture(scope="module")
def adapters(base: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("adapters")
    return [adapter(base, folder / f"a{k}", k) for k in range(3)]


def products(folder: Path) -> dict[str, Tensor]:
    return {m: p.product() for m, p in Adapter(folder).pairs.items()}


def by_peft(base: Path, adapters: list[Path], weights: list[float], **options: Any) -> Any:
    """What PEFT makes of the adapters: module -> product."""
    net = peft.PeftModel.from_pretrained(
        transformers.BertModel.from_pretrained(base), str(adapters[0]), adapter_name="a0"
    )
    for number, path in enumerate(adapters[1:], 1):
        net.load_adapter(str(path), adapter_name=f"a{number}")
    names = [f"a{k}" for k in range(len(adapters))]
    net.add_weighted_adapter(names, weights, "merged", **options)
    made = {}
    for name, module in net.base_model.model.named_modules():
        if "merged" in getattr(module, "lora_A", {}):
            made[name] = module.get_delta_weight("merged")
        elif "merged" in getattr(module, "lora_embedding_A", {}):
            made[name] = module.get_delta_weight("merged").T
    return made


#: Our method and options, and PEFT's; where weights are equal and nothing is drawn they agree.
AGREE: dict[str, tuple[list[str], dict[str, Any], float]] = {
    "svd": (
        ["task-arithmetic", "--set", "scale=0.5"], {"combination_type": "svd", "svd_rank": 4}, 0.5
    ),
    "cat": (
        ["task-arithmetic", "--set", "scale=0.5", "--rank", "12"], {"combination_type": "cat"}, 0.5
    ),
    "ties_svd": (
        ["ties-per-tensor", "--set", "density=0.3"],
        {"combination_type": "ties_svd", "density": 0.3}, 1.0,
    ),
    # PEFT gives each side of a product the root of a weight
    "linear": (
        ["task-arithmetic", "--set", "scale=0.5", "--adapters", "factors"],
        {"combination_type": "linear"}, 0.25,
    ),
    "ties": (
        ["ties-per-tensor", "--set", "density=0.5", "--adapters", "factors"],
        {"combination_type": "ties", "density": 0.5}, 1.0,
    ),
    "dare_linear": (
        ["dare", "--set", "drop=0", "--set", "scale=1", "--adapters", "factors"],
        {"combination_type": "dare_linear", "density": 1.0}, 1.0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", AGREE)
def test_agreement_with_peft(kind: str, base: Path, adapters: list[Path], tmp_path: Path) -> None:
    words, options, weight = AGREE[kind]
    out = tmp_path / "merged"
    ran = command("--method", *words, *asked(adapters, out))
    assert ran.return_value == 0, ran.output
    theirs, ours = by_peft(base, adapters, [weight] * 3, **options), products(out)
    assert theirs.keys() == ours.keys() and len(ours) == 5
    for name, product in ours.items():
        torch.testing.assert_close(product, theirs[name], rtol=1e-4, atol=1e-5, msg=name)


def test_what_peft_reads_is_what_was_merged(
    base: Path, adapters: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "merged"
    ran = command("--method", "weight-averaging", *asked(adapters, out, "--rank", "12"))
    assert ran.return_value == 0, ran.output
    net = peft.PeftModel.from_pretrained(transformers.BertModel.from_pretrained(base), str(out))
    expected = {n: torch.zeros_like(t) for n, t in products(adapters[0]).items()}
    for path in adapters:
        for name, product in products(path).items():
            expected[name] += product / 3
    module = net.base_model.model.encoder.layer[1].attention.self.query
    torch.testing.assert_close(
        module.get_delta_weight("default"), expected["encoder.layer.1.attention.self.query"],
        rtol=1e-4, atol=1e-6,
    )  # fmt: skip
    record = json.loads((out / "merge.json").read_text())
    assert "base" not in record and len(record["experts"][0]["files"]) == 2
    assert record["experts"][2]["sha256"] in (out / "README.md").read_text()


@pytest.mark.parametrize("method", ["weight-averaging", "ties", "dare", "tsv-m"])
def test_alignment_changes_what_is_not_linear_alone(
    method: str, adapters: list[Path], tmp_path: Path
) -> None:
    made = {}
    for space in ("products", "knots"):
        out = tmp_path / space
        ran = command(
            "--method", method, *asked(adapters, out, "--adapters", space, "--rank", "12")
        )
        assert ran.return_value == 0, ran.output
        made[space] = products(out)
    same = all(
        torch.allclose(t, made["knots"][n], rtol=1e-4, atol=1e-5)
        for n, t in made["products"].items()
    )
    assert same == (method == "weight-averaging")


def test_aligned_parts_are_the_adapters(adapters: list[Path]) -> None:
    """U S V_k is s_k B_k A_k, and the rows of S V are orthogonal (Stoica et al., section 4)."""
    space = Knots([Adapter(a) for a in adapters])
    for module in space.modules:
        basis, parts = space._aligned(module)
        for adapter_pairs, part in zip(space.pairs(module), parts, strict=True):
            torch.testing.assert_close(basis @ part, adapter_pairs.product(), rtol=1e-4, atol=1e-5)
        side = torch.cat(parts, 1)
        gram = side @ side.T
        assert float((gram - gram.diag().diag()).abs().max()) < 1e-4 * float(gram.max())
        torch.testing.assert_close(basis.T @ basis, torch.eye(basis.shape[1]), atol=1e-5, rtol=0)


def test_ranks_may_differ_but_for_factors(base: Path, adapters: list[Path], tmp_path: Path) -> None:
    other = adapter(base, tmp_path / "wide", 9, rank=6, alpha=6, use_rslora=True)
    out = tmp_path / "merged"
    ran = command("--method", "task-arithmetic", *asked([adapters[0], other], out))
    assert ran.return_value == 0, ran.output
    assert json.loads((out / "adapter_config.json").read_text())["r"] == 6
    ran = command(
        "--method", "ties", *asked([adapters[0], other], tmp_path / "x", "--adapters", "factors")
    )
    assert "ranks differ at 'embeddings.word_embeddings' (4, 6)" in str(ran.exception)


def test_adapters_applied_to_their_base_and_merged_whole(
    base: Path, adapters: list[Path], tmp_path: Path
) -> None:
    out, models = tmp_path / "merged", []
    ran = command("--method", "weight-averaging", "--base", base, *asked(adapters, out))
    assert ran.return_value == 0, ran.output
    for path in adapters:
        net = peft.PeftModel.from_pretrained(transformers.BertModel.from_pretrained(base), path)
        models.append(net.merge_and_unload().state_dict())
    net = transformers.AutoModel.from_pretrained(out)
    for name, tensor in net.state_dict().items():
        expected = sum(m[name] for m in models) / 3
        torch.testing.assert_close(tensor, expected, rtol=1e-5, atol=1e-6)
    record = json.loads((out / "merge.json").read_text())
    assert record["base"]["file"] == "base" and len(record["experts"]) == 3


def test_a_stretch_of_an_applied_adapter_is_its_part(
    base: Path, adapters: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from recmerge_bench.merging import stream

    made = []
    for block in (7, 1 << 18):
        monkeypatch.setattr(stream, "BLOCK", block)
        out = tmp_path / f"{block}.safetensors"
        ran = command("--method", "ties", "--base", base, *asked(adapters, out))
        assert ran.return_value == 0, ran.output
        made.append(load_file(out))
    for name, tensor in made[0].items():
        torch.testing.assert_close(tensor, made[1][name], rtol=1e-6, atol=1e-7)


# -- bad adapters --------------------------------------------------------------------------------


def _config(folder: Path, **changes: Any) -> None:
    file = folder / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def _tensors(folder: Path, change: Any) -> None:
    file = folder / "adapter_model.safetensors"
    tensors = load_file(file)
    change(tensors)
    file.unlink()
    save_file(tensors, file)


def _first(tensors: dict[str, Tensor], end: str) -> str:
    return next(n for n in sorted(tensors) if n.endswith(end))


BAD: dict[str, tuple[Any, str]] = {
    "another kind": (lambda f: _config(f, peft_type="IA3"), "type 'IA3' are not merged"),
    "magnitudes": (lambda f: _config(f, use_dora=True), "DoRA"),
    "no alpha": (lambda f: _config(f, lora_alpha="many"), "lora_alpha is 'many'"),
    "no JSON": (lambda f: (f / "adapter_config.json").write_text("["), "not readable as JSON"),
    "a saved module": (
        lambda f: _tensors(f, lambda t: t.update({"base_model.model.head.weight": torch.ones(2)})),
        "'base_model.model.head.weight' is no LoRA factor",
    ),
    "half a pair": (
        lambda f: _tensors(f, lambda t: t.pop(_first(t, "query.lora_B.weight"))),
        "'encoder.layer.0.attention.self.query' has lora_A alone",
    ),
    "another width": (
        lambda f: _tensors(
            f, lambda t: t.update({_first(t, "query.lora_A.weight"): torch.ones(4, 9)})
        ),
        "to 'encoder.layer.0.attention.self.query",
    ),
    "factors that do not fit": (
        lambda f: _tensors(
            f, lambda t: t.update({_first(t, "query.lora_A.weight"): torch.ones(3, 16)})
        ),
        "do not fit: A is [3, 16], B [16, 4]",
    ),
    "not finite": (
        lambda f: _tensors(f, lambda t: t[_first(t, "query.lora_A.weight")].fill_(torch.inf)),
        "holds NaN or infinite values",
    ),
    "no weights": (
        lambda f: (f / "adapter_model.safetensors").unlink(), "has no adapter_model.safetensors"
    ),
}  # fmt: skip


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("case", BAD)
def test_bad_adapters_are_told_in_a_line(
    case: str, whole: bool, base: Path, adapters: list[Path], tmp_path: Path
) -> None:
    import shutil

    change, message = BAD[case]
    bad = tmp_path / "bad"
    shutil.copytree(adapters[1], bad)
    change(bad)
    words = ["--base", base] if whole else []
    ran = command("--method", "task-arithmetic", *words, *asked([adapters[0], bad], tmp_path / "o"))
    assert isinstance(ran.exception, HandledError), ran.output
    text = str(ran.exception)
    assert message in text and "\n" not in text and not (tmp_path / "o").exists()


def test_wrong_use(base: Path, adapters: list[Path], tmp_path: Path) -> None:
    def refused(message: str, *words: Any) -> None:
        ran = command("--method", "ties", *words)
        assert isinstance(ran.exception, HandledError), ran.output
        assert message in str(ran.exception), str(ran.exception)

    out = tmp_path / "out"
    refused("is no adapter's folder: without --base", *asked([adapters[0], base], out))
    refused("is an adapter's folder: it is no base", "--base", adapters[2],
            *asked(adapters[:2], out))  # fmt: skip
    refused("--adapters and --rank are for", "--base", base, *asked(adapters, out, "--rank", 4))
    refused("factors keep theirs", *asked(adapters, out, "--adapters", "factors", "--rank", 4))
    fewer = adapter(base, tmp_path / "fewer", 5, targets=["query"])
    refused("fewer does not adapt 'embeddings.word_embeddings'", *asked([adapters[0], fewer], out))
    wrong = tmp_path / "wrong.safetensors"
    save_file({"other.weight": torch.ones(3, 3)}, wrong)
    refused("which " + str(wrong) + " does not have", "--base", wrong, *asked(adapters, out))
    assert not out.exists()
