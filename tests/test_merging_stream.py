"""Checkpoints merged from disk are what a suite merges in memory; bad ones leave nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import builders
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from recmerge_bench.cli import cli
from recmerge_bench.definitions import Expert, WeightsOnly
from recmerge_bench.errors import HandledError
from recmerge_bench.merging import blocks, stream
from recmerge_bench.merging.blocks import TaskVectorBlocks, kth_largest_magnitude
from recmerge_bench.merging.stream import Streamed
from recmerge_bench.registry import discover
from recmerge_bench.targets import define, load_class

METHODS = builders.weights_only()
SHAPES = {"a.weight": (40, 30), "a.bias": (40,), "b.weight": (7, 9), "c": (), "table": (300, 5)}


def weights(seed: int, near: dict[str, torch.Tensor] | None = None) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    drawn = {n: torch.randn(s, generator=generator) for n, s in SHAPES.items()}
    if near is None:
        return drawn
    return {n: near[n] + 0.1 * t for n, t in drawn.items()}


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    base = weights(0)
    models = [base, *(weights(n, base) for n in (1, 2, 3))]
    paths = [tmp_path / f"m{n}.safetensors" for n in range(4)]
    for model, path in zip(models, paths, strict=True):
        save_file({**model, "ids": torch.arange(4)}, path)
    return paths


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "BLOCK", 257)
    monkeypatch.setattr(blocks, "BLOCK", 257)


def in_memory(strategy: Any, files: list[Path], seed: int) -> dict[str, torch.Tensor]:
    models = [{n: t for n, t in load_file(f).items() if n != "ids"} for f in files]
    experts = tuple(Expert(str(n), m) for n, m in enumerate(models[1:]))
    found: dict[str, torch.Tensor] = strategy.merge(WeightsOnly(models[0], experts, seed))
    return found


@pytest.mark.parametrize("method", METHODS)
def test_streaming_gives_what_merging_in_memory_gives(
    method: str, files: list[Path], tmp_path: Path
) -> None:
    spec = discover(environ={}).get("strategy", method)
    strategy = define(spec.target, spec.options)
    Streamed(files[0], files[1:]).merge(strategy, tmp_path / "out.safetensors", seed=5)
    found = load_file(tmp_path / "out.safetensors")
    assert torch.equal(found.pop("ids"), torch.arange(4))
    expected = in_memory(define(spec.target, spec.options), files, 5)
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-5, atol=1e-6)


def test_most_methods_stream() -> None:
    reach = {}
    for name in METHODS:
        spec = discover(environ={}).get("strategy", name)
        strategy = define(spec.target, spec.options)
        reach[name] = "entry" if strategy.surveys() else strategy.reach
    assert reach["ties"] == reach["task-arithmetic"] == reach["weight-averaging"] == "entry"
    assert sorted(n for n, r in reach.items() if r == "model") == [
        "dare", "della", "localize-and-stitch", "norm-balanced", "pcb", "pcb-mergerec",
        "pcb-one-percent",
    ]  # fmt: skip


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.integers(-5, 5) | st.floats(-1, 1, width=32), min_size=1, max_size=80),
    st.data(),
)
def test_selection_is_exact_ties_included(values: list[float], data: st.DataObject) -> None:
    count = data.draw(st.integers(1, len(values)))
    vector = torch.tensor(values, dtype=torch.float32)

    def pieces(step: int) -> Any:
        return (part.clone() for part in vector[::step].split(7))

    expected = vector.abs().sort(descending=True).values[count - 1]
    assert kth_largest_magnitude(pieces, len(values), count) == float(expected)


@pytest.mark.parametrize("kind", ["normal", "sparse", "few values", "one spike"])
@pytest.mark.parametrize("density", [0.00001, 0.2, 0.9, 1.0])
def test_selection_on_long_vectors(kind: str, density: float) -> None:
    generator = torch.Generator().manual_seed(0)
    vector = torch.randn(1_200_000, generator=generator)
    if kind == "sparse":
        vector[100_000:] = 0.0
    elif kind == "few values":
        vector = vector.round()
    elif kind == "one spike":
        vector[:600_000] *= 1e-6
    count = max(1, int(density * len(vector)))
    expected = vector.abs().kthvalue(len(vector) - count + 1).values
    found = kth_largest_magnitude(
        lambda step: (part.clone() for part in vector[::step].split(1 << 16)), len(vector), count
    )
    assert found == float(expected)


def test_blocks_are_differences_in_order() -> None:
    base = [torch.randn(3, 200), torch.randn(5).half()]
    expert = [torch.randn(3, 200), torch.randn(5).half()]
    rows = TaskVectorBlocks(base, [expert, base])
    flat = torch.cat(
        [(e.float() - b.float()).reshape(-1) for b, e in zip(base, expert, strict=True)]
    )
    assert torch.equal(torch.cat([b.clone() for b in rows.of(0)]), flat)
    assert rows.size == 605
    assert torch.equal(torch.cat([b for b in rows.together()], 1)[1], torch.zeros(605))


# -- the command -------------------------------------------------------------------------------


def command(*words: Any) -> Any:
    return CliRunner().invoke(cli, ["merge", *map(str, words)], standalone_mode=False)


def asked(files: list[Path], out: Path, *more: Any) -> list[Any]:
    experts = [word for f in files[1:] for word in ("--expert", f)]
    return ["--base", files[0], *experts, "-o", out, *more]


def test_the_command_writes_a_record_and_a_card(files: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "merged.safetensors"
    ran = command("--method", "ties", "--set", "density=0.3", *asked(files, out))
    assert ran.return_value == 0, ran.output
    record = json.loads(Path(f"{out}.json").read_text())
    assert record["options"]["density"] == 0.3 and len(record["experts"]) == 3
    assert record["parameters"] == {"merged": 2804, "kept_of_base": 4, "concatenated": 0}
    card = Path(f"{out}.md").read_text()
    assert record["base"]["sha256"] in card and "density=0.3" in card
    again = command("--method", "ties", *asked(files, out))
    assert isinstance(again.exception, HandledError) and "exists" in str(again.exception)
    assert command("--method", "ties", *asked(files, out, "--force")).return_value == 0


def test_policies(files: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "merged.safetensors"
    rules = ("--policy", "a.=base", "--policy", "a.bias=merge", "--policy", "table=drop")
    ran = command("--method", "weight-averaging", *asked(files, out, *rules))
    assert ran.return_value == 0, ran.output
    found, base = load_file(out), load_file(files[0])
    assert "table" not in found and torch.equal(found["a.weight"], base["a.weight"])
    assert not torch.equal(found["a.bias"], base["a.bias"])


def test_what_is_dropped_need_not_be_alike(files: list[Path], tmp_path: Path) -> None:
    spoil(files[0], lambda m: m.update({"lm_head.bias": torch.zeros(7)}))
    spoil(files[1], lambda m: m.update({"lm_head.bias": torch.zeros(9)}))
    out = tmp_path / "merged.safetensors"
    ran = command("--method", "weight-averaging", *asked(files, out))
    assert isinstance(ran.exception, HandledError) and not out.exists()
    ran = command("--method", "weight-averaging", *asked(files, out, "--policy", "lm_head.=drop"))
    assert ran.return_value == 0, ran.output
    assert sorted(load_file(out)) == sorted(n for n in load_file(files[2]))


def test_item_tables_are_concatenated_in_the_experts_order(
    files: list[Path], tmp_path: Path
) -> None:
    sizes = (3, 5, 2)
    for path, size in zip(files[1:], sizes, strict=True):
        spoil(path, lambda m, n=size: m.update(table=torch.full((n, 5), float(n))))
    spoil(files[0], lambda m: m.pop("table"))
    out = tmp_path / "merged.safetensors"
    ran = command("--method", "ties", *asked(files, out, "--policy", "table=concatenate"))
    assert ran.return_value == 0, ran.output
    found = load_file(out)
    assert found["table"][:, 0].tolist() == [3.0] * 3 + [5.0] * 5 + [2.0] * 2
    assert json.loads(Path(f"{out}.json").read_text())["parameters"]["concatenated"] == 50
    spoil(files[2], lambda m: m.update(table=torch.zeros(5, 4)))
    ran = command("--method", "ties", *asked(files, out, "--force", "--policy", "t=concatenate"))
    assert "rows differ" in str(ran.exception)
    spoil(files[2], lambda m: m.pop("table"))
    ran = command("--method", "ties", *asked(files, out, "--force", "--policy", "t=concatenate"))
    assert "m2.safetensors lacks 'table'" in str(ran.exception)


def spoil(path: Path, change: Any) -> None:
    model = load_file(path)
    change(model)
    path.unlink()
    save_file(model, path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda m: m.pop("c"), "lacks 'c'"),
        (lambda m: m.update(d=torch.ones(1)), "lacks 'd'"),
        (lambda m: m.update(c=torch.ones(2)), r"'c' has shape \(2,\), the base's is \(\)"),
        (lambda m: m.update(c=torch.tensor(1.0).half()), "'c' has dtype torch.float16"),
        (lambda m: m["table"].__setitem__((0, 0), np.nan), "'table' holds NaN"),
        (lambda m: m["table"].__setitem__((299, 4), np.inf), "'table' holds NaN or inf"),
    ],
)
@pytest.mark.parametrize("method", ["task-arithmetic", "ties", "ties-per-tensor", "dare", "tsv-m"])
def test_bad_experts_leave_nothing(
    change: Any, told: str, method: str, files: list[Path], tmp_path: Path
) -> None:
    spoil(files[2], change)
    ran = command("--method", method, *asked(files, tmp_path / "new" / "out.safetensors"))
    assert isinstance(ran.exception, HandledError), ran.output
    if method.startswith("ties") and "NaN" in told:
        told = "NaN"
    assert re.search(told, str(ran.exception))
    assert not list(tmp_path.glob("new/*"))


@pytest.mark.parametrize("method", ["task-arithmetic", "ties", "dare"])
def test_an_expert_equal_to_the_base(method: str, files: list[Path], tmp_path: Path) -> None:
    experts = [files[0], files[1], files[0]]
    ran = command("--method", method, *asked(experts, tmp_path / "out.safetensors"))
    assert "equals the base" in str(ran.exception)
    assert not (tmp_path / "out.safetensors").exists()


def test_pickles_and_broken_files_are_refused(files: list[Path], tmp_path: Path) -> None:
    torch.save({"a": torch.ones(2)}, tmp_path / "model.bin")
    (tmp_path / "cut.safetensors").write_bytes(files[1].read_bytes()[:-100])
    for bad in ("model.bin", "cut.safetensors", "absent.safetensors"):
        ran = command(
            "--method", "ties", *asked([files[0], tmp_path / bad], tmp_path / "o.safetensors")
        )
        assert isinstance(ran.exception, HandledError) and bad in str(ran.exception)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--method", "tie"], "did you mean 'ties'"),
        (["--method", "mergerec"], "more than weights"),
        (["--method", "fine-tune"], "does not merge experts"),
        (["--method", "emr"], "a model for each domain"),
        (["--method", "ties", "--set", "densty=1"], "did you mean 'density'"),
        (["--method", "ties", "--set", "density=2"], "not in"),
        (["--method", "ties", "--policy", "a.=bas"], "did you mean 'base'"),
        (["--method", "ties", "--policy", "=base"], "nothing is left to merge"),
    ],
)
def test_wrong_use(words: list[str], told: str, files: list[Path], tmp_path: Path) -> None:
    ran = command(*words, *asked(files, tmp_path / "out.safetensors"))
    assert told in str(ran.exception)
    assert not (tmp_path / "out.safetensors").exists()


# -- several scales in one pass ------------------------------------------------------------------


def scaled() -> list[str]:
    registry = discover(environ={})
    classes = {m: load_class(registry.get("strategy", m).target) for m in METHODS}
    return [m for m, found in classes.items() if getattr(found, "scaled", False)]


@pytest.mark.parametrize("method", scaled())
def test_a_sweep_is_what_single_merges_give(method: str, files: list[Path], tmp_path: Path) -> None:
    spec = discover(environ={}).get("strategy", method)
    source = Streamed(files[0], files[1:])
    outs = {s: tmp_path / f"{s}.safetensors" for s in (0.0, 0.4, 1.0, 2.5)}
    source.sweep(define(spec.target, {**spec.options, "scale": 1.0}), outs, seed=5)
    for scale, path in outs.items():
        single = tmp_path / "single.safetensors"
        strategy = define(spec.target, {**spec.options, "scale": scale})
        Streamed(files[0], files[1:]).merge(strategy, single, seed=5)
        wanted = load_file(single)
        for name, tensor in load_file(path).items():
            torch.testing.assert_close(tensor, wanted[name], atol=2e-6, rtol=1e-5)


def test_most_scaled_methods_say_so() -> None:
    assert {"task-arithmetic", "ties", "dare", "della", "wudi", "tsv-m"} <= set(scaled())


def test_each_scale_of_half_precision_is_rounded_once(tmp_path: Path) -> None:
    base = weights(0)
    models = [base, weights(1, base), weights(2, base)]
    paths = [tmp_path / f"h{n}.safetensors" for n in range(3)]
    for model, path in zip(models, paths, strict=True):
        save_file({n: t.half() for n, t in model.items()}, path)
    spec = discover(environ={}).get("strategy", "task-arithmetic")
    outs = {0.3: tmp_path / "s.safetensors"}
    Streamed(paths[0], paths[1:]).sweep(define(spec.target, {"scale": 1.0}), outs)
    found, start, *rest = load_file(outs[0.3]), *map(load_file, paths)
    for name, tensor in found.items():
        origin = start[name].float()
        exact = origin + 0.3 * sum(e[name].float() - origin for e in rest)
        assert tensor.dtype == torch.float16
        torch.testing.assert_close(tensor, exact.half(), atol=0, rtol=1e-3)


def test_the_command_sweeps(files: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "m-{scale}.st"
    done = command("--method", "task-arithmetic", "--sweep", "0.2,1", *asked(files, out))
    assert done.return_value == 0, done.output
    for name, scale in (("m-0.2.st", 0.2), ("m-1.st", 1.0)):
        about = json.loads((tmp_path / f"{name}.json").read_text())
        assert about["options"] == {"scale": scale} and about["merged"]["file"] == name
        assert f"scale={scale}" in (tmp_path / f"{name}.md").read_text()
    assert sorted(p.name for p in tmp_path.glob("m-*.st")) == ["m-0.2.st", "m-1.st"]


@pytest.mark.parametrize(
    ("method", "words", "told"),
    [
        ("task-arithmetic", ["--sweep", "0.2;1"], "takes numbers"),
        ("task-arithmetic", ["--sweep", "0.2", "--set", "scale=1"], "not by both"),
        ("weight-averaging", ["--sweep", "0.2"], "not linear in a scale"),
    ],
)
def test_wrong_sweeps(
    method: str, words: list[str], told: str, files: list[Path], tmp_path: Path
) -> None:
    done = command("--method", method, *words, *asked(files, tmp_path / "m-{scale}.st"))
    assert isinstance(done.exception, HandledError) and told in str(done.exception)
    plain = command("--method", "ties", "--sweep", "0.2", *asked(files, tmp_path / "m.st"))
    assert "{scale}" in str(plain.exception)
    assert not list(tmp_path.glob("m*.st"))
