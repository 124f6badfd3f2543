"""`rmb.merge`: the command's strategies in memory, tensors in and out."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from conftest import ROOT
from safetensors.torch import load_file, save_file
from torch import Tensor

import recmerge_bench as rmb
from recmerge_bench.errors import HandledError, PluginError
from recmerge_bench.registry import Registry, discover
from recmerge_bench.specs import StrategySpec
from recmerge_bench.targets import load_class

Tensors = dict[str, Tensor]
#: What a search or a mask needs beyond its defaults, to be quick.
OPTIONS: dict[str, dict[str, object]] = {"wudi": {"steps": 20}, "doge": {"steps": 20}}


def offered() -> list[str]:
    """The strategies that the command merges files with."""
    registry = discover(environ={})
    collected = []
    for name in registry.names("strategy"):
        spec = registry.get("strategy", name)
        assert isinstance(spec, StrategySpec)
        merges = not spec.passthrough and "experts" in spec.inputs and spec.tier == "T0"
        if merges and not load_class(spec.target).modulated:
            collected.append(name)
    return collected


def model(seed: int) -> Tensors:
    rng = torch.Generator().manual_seed(seed)
    return {
        "a.weight": torch.randn(24, 16, generator=rng),
        "a.bias": torch.randn(16, generator=rng),
        "b.weight": torch.randn(16, 24, generator=rng),
        "half": torch.randn(8, 8, generator=rng).to(torch.bfloat16),
        "steps": torch.tensor([3, 4]),
        "scale": torch.randn((), generator=rng),
    }


@pytest.fixture
def base() -> Tensors:
    return model(0)


@pytest.fixture
def experts(base: Tensors) -> list[Tensors]:
    made = []
    for seed in (1, 2, 3):
        noise = model(seed)
        made.append(
            {n: t if t.dtype == torch.int64 else t + 0.1 * noise[n] for n, t in base.items()}
        )
    return made


@pytest.mark.parametrize("name", offered())
def test_every_strategy_merges_as_the_command_does(
    name: str, base: Tensors, experts: list[Tensors], tmp_path: Path, registry: Registry
) -> None:
    experts = experts[: 2 if name in ("slerp", "nuslerp") else 3]
    paths = [tmp_path / f"{n}.safetensors" for n in range(len(experts) + 1)]
    for tensors, path in zip([base, *experts], paths, strict=True):
        save_file(tensors, path)
    options = OPTIONS.get(name, {})
    [file] = rmb.merge_files(
        name, base=paths[0], experts=paths[1:], out=tmp_path / "out.st", options=options, seed=7,
        plugins=registry,
    )  # fmt: skip
    before = [{n: t.clone() for n, t in m.items()} for m in (base, *experts)]
    merged = rmb.merge(name, base=base, experts=experts, seed=7, plugins=registry, **options)
    written = load_file(file)
    assert merged.keys() == written.keys() == base.keys()
    for parameter, tensor in written.items():
        assert merged[parameter].dtype == base[parameter].dtype
        assert merged[parameter].shape == base[parameter].shape
        torch.testing.assert_close(merged[parameter], tensor, rtol=1e-6, atol=1e-6)
    assert not torch.equal(merged["a.weight"], base["a.weight"])
    for given, kept in zip((base, *experts), before, strict=True):
        assert all(torch.equal(given[n], kept[n]) for n in kept)


def test_averaging_is_the_mean(base: Tensors, experts: list[Tensors], registry: Registry) -> None:
    merged = rmb.merge("weight-averaging", base=base, experts=experts, plugins=registry)
    mean = torch.stack([e["a.weight"] for e in experts]).mean(0)
    torch.testing.assert_close(merged["a.weight"], mean)
    assert merged["steps"] is not base["steps"] and torch.equal(merged["steps"], base["steps"])
    assert merged.method == "weight-averaging" and merged.scale is None
    assert "6 tensors merged by weight-averaging" in repr(merged)


def test_a_rule_says_which_scale_it_chose(
    base: Tensors, experts: list[Tensors], registry: Registry
) -> None:
    merged = rmb.merge("ties", base=base, experts=experts, plugins=registry, scale="norm")
    assert merged.scale is not None and merged.scale > 0
    assert merged.options["scale"] == "norm"


def test_files_and_folders_are_weights_too(
    base: Tensors, experts: list[Tensors], tmp_path: Path, registry: Registry
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    save_file(base, folder / "model.safetensors")
    save_file(experts[0], tmp_path / "one.safetensors")
    given = [str(tmp_path / "one.safetensors"), *experts[1:]]
    mixed = rmb.merge("ties", base=folder, experts=given, plugins=registry)
    plain = rmb.merge("ties", base=base, experts=experts, plugins=registry)
    assert all(torch.equal(mixed[n], plain[n]) for n in plain)
    (tmp_path / "none").mkdir()
    with pytest.raises(HandledError, match="none holds 0 safetensors files"):
        rmb.merge("ties", base=tmp_path / "none", experts=experts, plugins=registry)


def test_gradients_and_views_are_no_matter(
    base: Tensors, experts: list[Tensors], registry: Registry
) -> None:
    plain = rmb.merge("ties", base=base, experts=experts, plugins=registry)
    turned = {**base, "b.weight": base["b.weight"].T.contiguous().T}
    turned["a.weight"] = torch.nn.Parameter(base["a.weight"])
    merged = rmb.merge("ties", base=turned, experts=experts, plugins=registry)
    assert not merged["a.weight"].requires_grad
    assert all(torch.equal(merged[n], plain[n]) for n in plain)


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("tie", {}, "did you mean 'ties'"),
        ("ties", {"densty": 0.2}, "unknown option 'densty' .did you mean 'density'"),
        ("ties", {"density": "many"}, "density"),
        ("ties", {"policy": {"a.": "bas"}}, "did you mean 'base'"),
        ("ties", {"seed": -1}, "a seed is a whole number"),
        ("mergerec", {}, "needs more than weights .data tier T1"),
        ("fisher", {}, "needs more than weights"),
        ("emr", {}, "makes a model for each domain"),
        ("fine-tune", {}, "does not merge experts"),
    ],
)
def test_what_the_command_refuses_is_refused(
    method: str, options: dict[str, object], message: str, base: Tensors,
    experts: list[Tensors], registry: Registry,
) -> None:  # fmt: skip
    with pytest.raises(HandledError, match=message):
        rmb.merge(method, base=base, experts=experts, plugins=registry, **options)  # type: ignore[arg-type]


def test_weights_that_do_not_fit_are_refused(
    base: Tensors, experts: list[Tensors], registry: Registry
) -> None:
    def refused(message: str, *experts: object, base: object = base) -> None:
        with pytest.raises(HandledError, match=message):
            rmb.merge("ties", base=base, experts=experts, plugins=registry)  # type: ignore[arg-type]

    one = experts[0]
    refused("expert 1 and expert 0 hold the same weights", one, dict(one))
    refused("expert 0 equals the base", base, one)
    refused("expert 0 lacks 'scale'", {n: t for n, t in one.items() if n != "scale"})
    refused("'a.bias' has shape", {**one, "a.bias": one["a.bias"][:3]})
    refused("'a.bias' has dtype", {**one, "a.bias": one["a.bias"].long()})
    refused("expert 0: 'a.bias' holds NaN", {**one, "a.bias": one["a.bias"] * float("nan")})
    refused("expert 0: 'a.bias' is a list, not a tensor", {**one, "a.bias": [1.0]})
    refused("'a.bias' is not a dense tensor", {**one, "a.bias": one["a.bias"].to("meta")})
    refused("complex64, which is not merged", {**one, "a.bias": one["a.bias"].to(torch.complex64)})
    refused("names of parameters are texts", {**one, 3: one["a.bias"]})
    refused("not a Linear; give its state_dict", torch.nn.Linear(2, 2))
    refused("a list of at least one checkpoint")
    refused("there is no file", one, base="nowhere.safetensors")
    with pytest.raises(HandledError, match="a list of at least one checkpoint"):
        rmb.merge("ties", base=base, experts=one, plugins=registry)  # type: ignore[arg-type]


def test_a_strategy_that_writes_into_what_it_is_given_changes_nothing_of_the_callers(
    base: Tensors, experts: list[Tensors], tmp_path: Path
) -> None:
    code = (ROOT / "tests" / "example_plugin.py").read_text(encoding="utf-8")
    code = code.replace("        import torch\n", WRITES).replace('"median"', '"writes"')
    file = tmp_path / "writes.py"
    file.write_text(code, encoding="utf-8")
    before = [{n: t.clone() for n, t in m.items()} for m in (base, *experts)]
    merged = rmb.merge("writes", base=base, experts=experts, plugins=file)
    assert not torch.equal(merged["a.weight"], base["a.weight"])
    for given, kept in zip((base, *experts), before, strict=True):
        assert all(torch.equal(given[n], kept[n]) for n in kept)


WRITES = """        import torch
        for expert in given.experts:
            for tensor in expert.weights.values():
                tensor.zero_()
        for tensor in given.base.values():
            tensor.add_(1)
"""


def test_an_error_of_a_plugin_says_whose_it_is(
    base: Tensors, experts: list[Tensors], tmp_path: Path
) -> None:
    code = (ROOT / "tests" / "example_plugin.py").read_text(encoding="utf-8")
    file = tmp_path / "breaks.py"
    file.write_text(code.replace("import torch\n", "raise KeyError('lost')\n"), encoding="utf-8")
    with pytest.raises(PluginError, match=r"plugin breaks, .*breaks.py:\d+: KeyError: 'lost'"):
        rmb.merge("median", base=base, experts=experts, plugins=[file])
