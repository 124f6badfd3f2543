"""Checkpoints merged from disk are what a suite merges in memory; bad ones leave nothing."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import socket
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
from recmerge_bench.definitions import Expert, MergeInput
from recmerge_bench.errors import HandledError
from recmerge_bench.merging import checkpoints, stream
from recmerge_bench.merging.stream import Streamed
from recmerge_bench.registry import discover
from recmerge_bench.targets import define, load_class
from recmerge_bench.toolkit.merging import blocks
from recmerge_bench.toolkit.merging.blocks import TaskVectorBlocks, kth_largest_magnitude

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
    actual: dict[str, torch.Tensor] = strategy.merge(MergeInput(models[0], experts, seed))
    return actual


@pytest.mark.parametrize("method", METHODS)
def test_streaming_gives_what_merging_in_memory_gives(
    method: str, files: list[Path], tmp_path: Path
) -> None:
    spec = discover(environ={}).get("strategy", method)
    strategy = define(spec.target, spec.options)
    Streamed(files[0], files[1:]).merge(strategy, tmp_path / "out.safetensors", seed=5)
    tensors = load_file(tmp_path / "out.safetensors")
    assert torch.equal(tensors.pop("ids"), torch.arange(4))
    expected = in_memory(define(spec.target, spec.options), files, 5)
    assert tensors.keys() == expected.keys()
    for name, tensor in expected.items():
        torch.testing.assert_close(tensors[name], tensor, rtol=1e-5, atol=1e-6)


def test_most_methods_stream() -> None:
    scopes = {}
    for name in METHODS:
        spec = discover(environ={}).get("strategy", name)
        strategy = define(spec.target, spec.options)
        scopes[name] = "entry" if strategy.prepass_scope() else strategy.scope
    assert scopes["ties"] == scopes["task-arithmetic"] == scopes["weight-averaging"] == "entry"
    assert sorted(n for n, r in scopes.items() if r == "model") == [
        "base-replacement", "dare", "della", "doge", "exponential-average", "git-re-basin", "lines",
        "localize-and-stitch", "mask-merging", "norm-balanced", "pcb", "pcb-mergerec",
        "pcb-one-percent", "recency-average",
    ]  # fmt: skip


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.integers(-5, 5) | st.floats(-1, 1, width=32), min_size=1, max_size=80),
    st.data(),
)
def test_selection_is_exact_ties_included(values: list[float], data: st.DataObject) -> None:
    count = data.draw(st.integers(1, len(values)))
    vector = torch.tensor(values, dtype=torch.float32)

    def parts(step: int) -> Any:
        return (part.clone() for part in vector[::step].split(7))

    expected = vector.abs().sort(descending=True).values[count - 1]
    assert kth_largest_magnitude(parts, len(values), count) == float(expected)


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
    actual = kth_largest_magnitude(
        lambda step: (part.clone() for part in vector[::step].split(1 << 16)), len(vector), count
    )
    assert actual == float(expected)


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
    tensors, base = load_file(out), load_file(files[0])
    assert "table" not in tensors and torch.equal(tensors["a.weight"], base["a.weight"])
    assert not torch.equal(tensors["a.bias"], base["a.bias"])


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
    tensors = load_file(out)
    assert tensors["table"][:, 0].tolist() == [3.0] * 3 + [5.0] * 5 + [2.0] * 2
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
    ("change", "message"),
    [
        (lambda m: m.pop("c"), "lacks 'c'"),
        (lambda m: m.update(d=torch.ones(1)), "lacks 'd'"),
        (lambda m: m.update(c=torch.ones(2)), r"'c' has shape \(2,\), the base's is \(\)"),
        (lambda m: m.update(c=torch.tensor(1)), "'c' has dtype torch.int64, the base's is"),
        (lambda m: m["table"].__setitem__((0, 0), np.nan), "'table' holds NaN"),
        (lambda m: m["table"].__setitem__((299, 4), np.inf), "'table' holds NaN or inf"),
    ],
)
@pytest.mark.parametrize("method", ["task-arithmetic", "ties", "ties-per-tensor", "dare", "tsv-m"])
def test_bad_experts_leave_nothing(
    change: Any, message: str, method: str, files: list[Path], tmp_path: Path
) -> None:
    spoil(files[2], change)
    ran = command("--method", method, *asked(files, tmp_path / "new" / "out.safetensors"))
    assert isinstance(ran.exception, HandledError), ran.output
    if method.startswith("ties") and "NaN" in message:
        message = "NaN"
    assert re.search(message, str(ran.exception))
    assert not list(tmp_path.glob("new/*"))


@pytest.mark.parametrize("method", ["task-arithmetic", "ties", "dare"])
def test_an_expert_equal_to_the_base(method: str, files: list[Path], tmp_path: Path) -> None:
    experts = [files[0], files[1], files[0]]
    ran = command("--method", method, *asked(experts, tmp_path / "out.safetensors"))
    assert "equals the base" in str(ran.exception)
    assert not (tmp_path / "out.safetensors").exists()


@pytest.mark.parametrize("name", ["m0.safetensors", "m2.safetensors", "link", "hard"])
@pytest.mark.parametrize("end", ["", ".json"])
def test_no_input_is_replaced(name: str, end: str, files: list[Path], tmp_path: Path) -> None:
    """``-o BASE --force`` replaced the base and recorded the merged file's hash as the base's."""
    (tmp_path / "link").symlink_to(files[1])
    os.link(files[3], tmp_path / "hard")
    given = files
    if end:  # the record that is written beside OUT would be an input
        given = [*files[:3], tmp_path / f"{name}{end}"]
        given[3].write_bytes(files[3].read_bytes())
    before = {p: p.read_bytes() for p in tmp_path.iterdir()}
    ran = command("--method", "ties", *asked(given, tmp_path / name, "--force"))
    assert isinstance(ran.exception, HandledError), ran.output
    assert "one of the files to merge" in str(ran.exception)
    assert {p: p.read_bytes() for p in tmp_path.iterdir()} == before


@pytest.mark.parametrize("kind", ["device", "fifo", "socket", "folder as parent", "record a fifo"])
def test_only_regular_files_are_replaced(kind: str, files: list[Path], tmp_path: Path) -> None:
    """As root it replaced a device node."""
    out = tmp_path / "out"
    if kind == "device":
        out.symlink_to("/dev/null")
    elif kind == "fifo":
        os.mkfifo(out)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(out))
    elif kind == "record a fifo":
        os.mkfifo(tmp_path / "out.json")
    else:
        out.write_text("a file")
        out = out / "model"
    names = sorted(p.name for p in tmp_path.iterdir())
    ran = command("--method", "ties", *asked(files, out, "--force"))
    assert isinstance(ran.exception, HandledError), ran.output
    assert sorted(p.name for p in tmp_path.iterdir()) == names
    assert Path("/dev/null").is_char_device()


def test_an_expert_counts_once(files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(files[1])
    (tmp_path / "copy").write_bytes(files[1].read_bytes())
    for again, message in ((files[1], "given twice"), (tmp_path / "link", "given twice"),
                        (tmp_path / "copy", "hold the same bytes")):  # fmt: skip
        ran = command("--method", "ties", *asked([*files, again], tmp_path / "o"))
        assert isinstance(ran.exception, HandledError) and message in str(ran.exception)
    assert not (tmp_path / "o").exists()


def test_a_record_of_someone_else_is_not_replaced(files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "o.json").write_text("mine")
    ran = command("--method", "ties", *asked(files, tmp_path / "o"))
    assert "o.json exists" in str(ran.exception)
    assert (tmp_path / "o.json").read_text() == "mine" and not (tmp_path / "o").exists()


@pytest.mark.parametrize("broken", ["data", "record", "room"])
def test_a_full_disk_leaves_nothing(
    broken: str, files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def no(*_: Any, **__: Any) -> None:
        raise full

    if broken == "data":
        monkeypatch.setattr(checkpoints.Writer, "write", no)
    elif broken == "record":
        monkeypatch.setattr(Path, "write_text", no)
    else:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 0))
    out = tmp_path / "new" / "deep" / "m-{scale}"
    ran = command("--method", "task-arithmetic", "--sweep", "0.2,1", *asked(files, out))
    assert isinstance(ran.exception, HandledError), ran.output
    assert ("No space" in str(ran.exception)) or ("MB are free" in str(ran.exception))
    assert "\n" not in str(ran.exception)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("words", [["--set", "scale=2"], ["--sweep", "1,2"]])
def test_what_does_not_fit_half_precision_is_refused(words: list[str], tmp_path: Path) -> None:
    """60000 + 2 * (2000 + 3000) is more than 65504; a sweep wrote inf."""
    paths = [tmp_path / f"h{n}" for n in range(3)]
    for path, first in zip(paths, (60000.0, 62000.0, 63000.0), strict=True):
        save_file({"w": torch.tensor([first, 60000.0]).half()}, path)
    out = tmp_path / ("m-{scale}" if "--sweep" in words else "m")
    ran = command("--method", "task-arithmetic", *words, *asked(paths, out))
    assert "'w' holds NaN or infinite values" in str(ran.exception)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["h0", "h1", "h2"]


def test_fp8_and_shards_are_refused_by_name(files: list[Path], tmp_path: Path) -> None:
    for path in files[:2]:
        spoil(path, lambda m: m.update(c=torch.tensor(1.0).to(torch.float8_e4m3fn)))
    ran = command("--method", "ties", *asked(files[:2], tmp_path / "o"))
    assert re.search(r"m0.safetensors: 'c' is of dtype F8_E4M3", str(ran.exception))
    part = tmp_path / "model-00001-of-00002.safetensors"
    part.write_bytes(files[2].read_bytes())
    ran = command("--method", "ties", *asked([files[3], part], tmp_path / "o"))
    assert "part of a sharded checkpoint" in str(ran.exception)
    assert not (tmp_path / "o").exists()


def test_pickles_and_broken_files_are_refused(files: list[Path], tmp_path: Path) -> None:
    torch.save({"a": torch.ones(2)}, tmp_path / "model.bin")
    (tmp_path / "cut.safetensors").write_bytes(files[1].read_bytes()[:-100])
    for bad in ("model.bin", "cut.safetensors", "absent.safetensors"):
        ran = command(
            "--method", "ties", *asked([files[0], tmp_path / bad], tmp_path / "o.safetensors")
        )
        assert isinstance(ran.exception, HandledError) and bad in str(ran.exception)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--method", "tie"], "did you mean 'ties'"),
        (["--method", "mergerec"], "more than weights"),
        (["--method", "fine-tune"], "does not merge experts"),
        (["--method", "emr"], "a model for each domain"),
        (["--method", "ties", "--set", "densty=1"], "did you mean 'density'"),
        (["--method", "ties", "--set", "density=2"], "not in"),
        (["--method", "ties", "--policy", "a.=bas"], "did you mean 'base'"),
        (["--method", "ties", "--policy", "=base"], "nothing is left to merge"),
        (["--method", "ties", "--policy", "a=base", "--policy", "a=drop"], "names 'a' twice"),
        (["--method", "ties", "--policy", "tabel=base"], "begins with 'tabel' (did you mean 'tab"),
        (["--method", "ties", "--policy", "a.wieght=base"], "did you mean 'a.weight'"),
        (["--method", "ties", "--dtype", "bfloat61"], "did you mean 'bfloat16'"),
        (["--method", "ties", "--dtype", "fp8"], "not merged into 8 bits"),
        (["--method", "ties", "--max-shard-size", "1GB"], "is for folders"),
        (["--method", "dare", "--set", "drop=nan"], "drop lies in"),
        (["--method", "dare", "--set", "drop=.nan"], "drop lies in"),
        (["--method", "dare", "--set", "drop=-.inf"], "drop lies in"),
        (["--method", "dare", "--set", "drop=1"], ""),
        (["--method", "ties", "--set", "density=0"], ""),
        (["--method", "task-arithmetic", "--set", "scale=two"], "scale"),
        (["--method", "task-arithmetic", "--set", "scale=1e39"], "numbers that fp32 holds"),
        (["--method", "task-arithmetic", "--set", "scale=nan"], "numbers that fp32 holds"),
    ],
)
def test_wrong_use(words: list[str], message: str, files: list[Path], tmp_path: Path) -> None:
    ran = command(*words, *asked(files, tmp_path / "out.safetensors"))
    assert isinstance(ran.exception, HandledError) and message in str(ran.exception)
    assert not (tmp_path / "out.safetensors").exists()


# -- several scales in one pass ------------------------------------------------------------------


def scaled() -> list[str]:
    registry = discover(environ={})
    classes = {m: load_class(registry.get("strategy", m).target) for m in METHODS}
    return [m for m, cls in classes.items() if getattr(cls, "scaled", False)]


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
    tensors, start, *rest = load_file(outs[0.3]), *map(load_file, paths)
    for name, tensor in tensors.items():
        origin = start[name].float()
        exact = origin + 0.3 * sum(e[name].float() - origin for e in rest)
        assert tensor.dtype == torch.float16
        torch.testing.assert_close(tensor, exact.half(), atol=0, rtol=1e-3)


def test_the_command_sweeps(files: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "m-{scale}.st"
    done = command("--method", "task-arithmetic", "--sweep", "0.2,1", *asked(files, out))
    assert done.return_value == 0, done.output
    for name, scale in (("m-0.2.st", 0.2), ("m-1.st", 1.0)):
        facts = json.loads((tmp_path / f"{name}.json").read_text())
        assert facts["options"] == {"scale": scale} and facts["merged"]["file"] == name
        assert f"scale={scale}" in (tmp_path / f"{name}.md").read_text()
    assert sorted(p.name for p in tmp_path.glob("m-*.st")) == ["m-0.2.st", "m-1.st"]
    near = command("--method", "task-arithmetic", "--sweep", "0.1,0.10000001", *asked(files, out))
    assert near.return_value == 0, near.output  # two files, not one
    assert (tmp_path / "m-0.10000001.st").is_file() and (tmp_path / "m-0.1.st").is_file()


@pytest.mark.parametrize("seed", ["-1", str(2**64), "1e3", "nan"])
def test_seeds_are_whole_numbers_of_63_bits(seed: str, files: list[Path], tmp_path: Path) -> None:
    ran = CliRunner().invoke(
        cli,
        ["merge", "--method", "dare", "--seed", seed, *map(str, asked(files, tmp_path / "o"))],
    )
    assert ran.exit_code == 2 and not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("method", "words", "message"),
    [
        ("task-arithmetic", ["--sweep", "0.2;1"], "takes numbers"),
        ("task-arithmetic", ["--sweep", "0.2", "--set", "scale=1"], "not by both"),
        ("weight-averaging", ["--sweep", "0.2"], "not linear in a scale"),
        ("task-arithmetic", ["--sweep", "0.2,nan"], "numbers that fp32 holds"),
        ("task-arithmetic", ["--sweep", "0.2,0.20"], "names 0.2 twice"),
        ("task-arithmetic", ["--sweep", "0.1,0.10000000000000002"], "would both be written to"),
    ],
)
def test_wrong_sweeps(
    method: str, words: list[str], message: str, files: list[Path], tmp_path: Path
) -> None:
    done = command("--method", method, *words, *asked(files, tmp_path / "m-{scale}.st"))
    assert isinstance(done.exception, HandledError) and message in str(done.exception)
    plain = command("--method", "ties", "--sweep", "0.2", *asked(files, tmp_path / "m.st"))
    assert "{scale}" in str(plain.exception)
    assert not list(tmp_path.glob("m*.st"))


def test_a_tensor_is_found_once_for_all_of_its_stretches(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(10), "b": torch.ones(3)}, tmp_path / "one.safetensors")
    checkpoint = checkpoints.Checkpoint(tmp_path / "one.safetensors")
    first, second = (checkpoint.entries("a", slice(k, k + 5)) for k in (0, 5))
    assert first.untyped_storage().data_ptr() == second.untyped_storage().data_ptr()
    assert checkpoint["a"] is checkpoint["a"] and checkpoint["b"].tolist() == [1, 1, 1]
    assert checkpoint["a"].tolist() == [0] * 10
