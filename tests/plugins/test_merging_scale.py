"""The rule that chooses a scale without labels: what it is, in memory, from files, in records."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import builders
import pytest
import torch
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from recmerge_bench.api import Expert, HandledError, MergeInput
from recmerge_bench.cli import cli
from recmerge_bench.merging import stream
from recmerge_bench.merging.stream import Streamed
from recmerge_bench.planning.options import complete
from recmerge_bench.registry import discover
from recmerge_bench.targets import define, load_class
from recmerge_bench.toolkit.merging import blocks
from recmerge_bench.toolkit.merging.strategy import ScaledStrategy, norm_scale

REGISTRY = discover(environ={})


def scaled() -> list[str]:
    """Every T0 method with a scale."""
    names = builders.weights_only()
    return [n for n in names if load_class(REGISTRY.get("strategy", n).target).scaled]  # type: ignore[attr-defined]


def strategy(name: str, **options: Any) -> Any:
    spec = REGISTRY.get("strategy", name)
    return complete(spec, options, "test").definition()


def models(seed: int = 0, dtype: torch.dtype = torch.float32) -> MergeInput:
    """Three experts of unequal lengths around a base of two matrices, a vector and a scalar."""
    shapes: dict[str, tuple[int, ...]] = {"a": (12, 8), "b": (12,), "c": (9, 20), "d": ()}
    generator = torch.Generator().manual_seed(seed)
    base = {n: torch.randn(s, generator=generator).to(dtype) for n, s in shapes.items()}
    experts = tuple(
        Expert(f"d{k}", {
            n: t + (0.1 * (k + 1) * torch.randn(t.shape, generator=generator)).to(dtype)
            for n, t in base.items()
        })
        for k in range(3)
    )  # fmt: skip
    return MergeInput(base, experts, seed)


def length(one: Any, other: Any) -> float:
    squares = [(one[n].double() - other[n].double()).square().sum() for n in other]
    return math.sqrt(sum(float(s) for s in squares))


def test_every_scaled_method_has_the_rule() -> None:
    names = scaled()
    wanted = """task-arithmetic ties dare breadcrumbs della consensus tsv-m iso-c iso-cts pcb magmax
        wudi wudi-closed-form model-stock multi-slerp localize-and-stitch norm-balanced"""
    assert set(wanted.split()) <= set(names)
    for name in names:
        made = strategy(name, scale="norm")
        assert isinstance(made, ScaledStrategy) and made.by_rule()
        # The default is a number, but where a method's paper says that length.
        assert strategy(name).by_rule() == (name == "opcm")


@pytest.mark.parametrize("name", scaled())
def test_the_merged_vector_is_as_long_as_the_experts_on_average(name: str) -> None:
    given = models()
    merged = strategy(name, scale="norm").merge(given)
    lengths = [length(e.weights, given.base) for e in given.experts]
    assert length(merged, given.base) == pytest.approx(sum(lengths) / 3, rel=1e-5)
    chosen = given.notes["scale"]
    plain = strategy(name, scale=chosen).merge(given)
    for tensor, wanted in zip(merged.values(), plain.values(), strict=True):
        torch.testing.assert_close(tensor, wanted, rtol=1e-5, atol=1e-6)


def test_by_hand() -> None:
    base = {"w": torch.zeros(2)}
    experts = (Expert("x", {"w": torch.tensor([3.0, 0.0])}),
               Expert("y", {"w": torch.tensor([0.0, 4.0])}))  # fmt: skip
    given = MergeInput(base, experts, 0)
    merged = strategy("task-arithmetic", scale="norm").merge(given)  # |sum| is 5, the mean 3.5
    torch.testing.assert_close(merged["w"], torch.tensor([2.1, 2.8]))
    assert given.notes["scale"] == pytest.approx(0.7)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=8), st.floats(0.01, 100))
def test_orthogonal_and_equal_experts(lengths: list[float], factor: float) -> None:
    count = len(lengths)
    orthogonal = norm_scale([1.0] * count, math.sqrt(count))
    assert orthogonal == pytest.approx(1 / math.sqrt(count))
    assert norm_scale([2.0] * count, 2.0 * count) == pytest.approx(1 / count)  # all alike
    assert norm_scale([f * factor for f in lengths], sum(lengths) * factor) == pytest.approx(
        norm_scale(lengths, sum(lengths))
    )


def test_nothing_stays_nothing() -> None:
    one = torch.ones(3)
    experts = (Expert("x", {"w": one}), Expert("y", {"w": -one}))
    given = MergeInput({"w": torch.zeros(3)}, experts, 0)
    merged = strategy("task-arithmetic", scale="norm").merge(given)
    assert not merged["w"].any() and given.notes["scale"] == 0.0


@pytest.mark.parametrize("name", scaled())
def test_other_words_are_refused(name: str) -> None:
    spec = REGISTRY.get("strategy", name)
    with pytest.raises(HandledError, match=r"scale: .*valid number.* or .*'norm', not 'norms'"):
        complete(spec, {"scale": "norms"}, "test")
    with pytest.raises(HandledError, match="scale is a number or 'norm', not 'norms'"):
        define(spec.target, {**spec.options, "scale": "norms"}).merge(models())


# -- from files ----------------------------------------------------------------------------------


def files(given: MergeInput, folder: Path) -> list[Path]:
    paths = [folder / f"m{n}.safetensors" for n in range(4)]
    for path, tensors in zip(paths, [given.base, *(e.weights for e in given.experts)], strict=True):
        save_file(dict(tensors), path)
    return paths


@pytest.mark.parametrize("name", scaled())
def test_streaming_chooses_the_same(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BLOCK", 31)
    monkeypatch.setattr(blocks, "BLOCK", 31)
    given = models()
    paths = files(given, tmp_path)
    facts = Streamed(paths[0], paths[1:]).merge(strategy(name, scale="norm"), tmp_path / "out")
    wanted = strategy(name, scale="norm").merge(given)
    assert facts["scale"] == pytest.approx(given.notes["scale"], rel=1e-5)
    for key, tensor in load_file(tmp_path / "out").items():
        torch.testing.assert_close(tensor, wanted[key], rtol=1e-5, atol=2e-6)


def test_half_precision_is_measured_before_it_is_rounded(tmp_path: Path) -> None:
    given = models(dtype=torch.float16)
    paths = files(given, tmp_path)
    made = strategy("ties", scale="norm")
    facts = Streamed(paths[0], paths[1:]).merge(made, tmp_path / "out")
    made.merge(given)
    assert facts["scale"] == pytest.approx(given.notes["scale"], rel=1e-5)
    assert {t.dtype for t in load_file(tmp_path / "out").values()} == {torch.float16}


def test_the_command_records_what_was_chosen(tmp_path: Path) -> None:
    paths = files(models(), tmp_path)
    out = tmp_path / "merged.safetensors"
    words = ["merge", "--method", "magmax", "--set", "scale=norm", "--base", str(paths[0])]
    for path in paths[1:]:
        words += ["--expert", str(path)]
    done = CliRunner().invoke(cli, [*words, "-o", str(out)], standalone_mode=False)
    assert done.return_value == 0, done.output
    facts = json.loads(Path(f"{out}.json").read_text())
    assert facts["options"] == {"scale": "norm"} and facts["scale"] > 0
    assert "which gave a scale of" in Path(f"{out}.md").read_text()
    assert "scale" not in facts["parameters"]
