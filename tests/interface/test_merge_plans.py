"""Merge files: chains of merges, weights by expert and layer, previews, and what they refuse."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from click.testing import CliRunner
from safetensors.torch import load_file, save_file
from torch import Tensor

import recmerge_bench as rmb
from recmerge_bench.cli import cli
from recmerge_bench.errors import HandledError
from recmerge_bench.planning.merge_plan import MergePlan, merge_schema

Tensors = dict[str, Tensor]


def command(*words: Any) -> Any:
    return CliRunner().invoke(cli, ["merge", *map(str, words)], standalone_mode=False)


@pytest.fixture
def models(tmp_path: Path) -> list[Tensors]:
    """A base and three experts in files 0 to 3."""
    generator = torch.Generator().manual_seed(0)
    shapes = {"layer.0.w": (6, 5), "layer.1.w": (6, 5), "head.b": (7,)}
    base = {n: torch.randn(s, generator=generator) for n, s in shapes.items()}
    made = [base]
    for _ in range(3):
        made.append({n: t + torch.randn(t.shape, generator=generator) for n, t in base.items()})
    for number, tensors in enumerate(made):
        save_file(tensors, tmp_path / f"{number}.safetensors")
    return made


def plan(folder: Path, *merges: dict[str, Any]) -> Path:
    file = folder / "plan.yaml"
    file.write_text(yaml.safe_dump({"merges": list(merges)}))
    return file


def step(**more: Any) -> dict[str, Any]:
    files = [f"{n}.safetensors" for n in range(4)]
    return {"method": "task-arithmetic", "base": files[0], "experts": files[1:],
            "options": {"scale": 1.0}, "out": "out.safetensors", **more}  # fmt: skip


def test_weights_by_expert_and_layer(models: list[Tensors], tmp_path: Path) -> None:
    experts = [
        "1.safetensors", {"path": "2.safetensors", "weight": 0.5},
        {"path": "3.safetensors", "weight": 2.0, "layers": {"layer.*": 0.1, "layer.[1-9].*": 3.0}},
    ]  # fmt: skip
    ran = command(plan(tmp_path, step(experts=experts)))
    assert ran.return_value == 0, ran.output
    weights = {"layer.0.w": (1, 0.5, 0.1), "layer.1.w": (1, 0.5, 3.0), "head.b": (1, 0.5, 2.0)}
    base, *rest = models
    for name, tensor in load_file(tmp_path / "out.safetensors").items():
        parts = zip(weights[name], rest, strict=True)
        expected = base[name] + sum(w * (e[name] - base[name]) for w, e in parts)
        torch.testing.assert_close(tensor, expected)
    record = json.loads((tmp_path / "out.safetensors.json").read_text())
    assert record["weights"][2]["layers"]["layer.*"] == 0.1


def test_normalised_weights_make_weighted_averages(models: list[Tensors], tmp_path: Path) -> None:
    experts = [{"path": f"{n}.safetensors", "weight": float(n)} for n in (1, 2, 3)]
    made = step(method="weight-averaging", options={}, experts=experts, normalize=True)
    assert command(plan(tmp_path, made)).return_value == 0
    for name, tensor in load_file(tmp_path / "out.safetensors").items():
        expected = sum(n * models[n][name] for n in (1, 2, 3)) / 6
        torch.testing.assert_close(tensor, expected)


def test_a_chain_of_merges(models: list[Tensors], tmp_path: Path) -> None:
    files = [f"{n}.safetensors" for n in range(4)]
    first = step(name="pair", method="weight-averaging", options={}, experts=files[1:3])
    del first["out"]
    second = step(experts=[{"merge": "pair", "weight": 0.5}, files[3]], dtype="bfloat16")
    [out] = rmb.merge_plan(plan(tmp_path, first, second))
    assert out == tmp_path / "out.safetensors"
    base, one, two, three = models
    for name, tensor in load_file(out).items():
        origin = base[name]
        expected = origin + 0.5 * ((one[name] + two[name]) / 2 - origin) + (three[name] - origin)
        torch.testing.assert_close(tensor.float(), expected, rtol=1e-2, atol=2e-2)
        assert tensor.dtype == torch.bfloat16
    record = json.loads(Path(f"{out}.json").read_text())
    assert record["experts"][0]["file"] == "0-pair" and record["dtype"] == "bfloat16"
    left = {p.name for p in tmp_path.iterdir()}
    assert left == {*files, "plan.yaml", *(f"out.safetensors{e}" for e in ("", ".json", ".md"))}


@pytest.mark.parametrize("method", ["task-arithmetic", "ties", "tsv-m", "dare"])
def test_a_preview_writes_nothing(method: str, models: list[Tensors], tmp_path: Path) -> None:
    before = sorted(os.listdir(tmp_path))
    words = [w for n in (1, 2, 3) for w in ("--expert", tmp_path / f"{n}.safetensors")]
    ran = command(
        "--method", method, "--base", tmp_path / "0.safetensors", *words,
        "-o", tmp_path / "new" / "out", "--dry-run",
    )  # fmt: skip
    assert ran.return_value == 0, ran.output
    numbers = re.search(r"reads (\d+ \w+); disk: (\d+ \w+); memory: about (.*) beside.*time: "
                        r"about [\d.]+ s \(by merging 100%\)", ran.output)  # fmt: skip
    assert numbers is not None and numbers[2] == "0 kB"  # 268 bytes
    assert sorted(os.listdir(tmp_path)) == before


def test_a_preview_of_a_file(models: list[Tensors], tmp_path: Path) -> None:
    second = step(base={"merge": "a"}, out="second.safetensors")
    file = plan(tmp_path, step(name="a"), second)
    ran = command(file, "--dry-run")
    lines = ran.output.splitlines()
    assert lines[0].startswith("a: 3 experts, 3 tensors; reads 1 kB")
    assert lines[1] == "second.safetensors: takes a, which is not there yet"
    assert not (tmp_path / "out.safetensors").exists()


def test_what_is_estimated_follows_what_a_method_sees(tmp_path: Path) -> None:
    """A method that sees the whole model holds all of its tensors, others one at the most."""
    from recmerge_bench.merging.estimates import estimate
    from recmerge_bench.merging.stream import Streamed
    from recmerge_bench.registry import discover
    from recmerge_bench.targets import define

    generator = torch.Generator().manual_seed(0)
    base = {f"w{n}": torch.randn(40, 50, generator=generator) for n in range(4)}
    for number in range(3):
        save_file({n: t + number * 0.1 * torch.randn(t.shape, generator=generator)
                   for n, t in base.items()}, tmp_path / f"{number}.safetensors")  # fmt: skip
    source = Streamed(*((f := [tmp_path / f"{n}.safetensors" for n in range(3)])[0], f[1:]))
    memory = {}
    for method in ("task-arithmetic", "tsv-m", "dare"):
        spec = discover(environ={}).get("strategy", method)
        memory[method] = estimate(source, define(spec.target, spec.options), 0, 1).memory
    assert memory["task-arithmetic"] == memory["tsv-m"] < memory["dare"]
    assert memory["dare"] == 4 * memory["tsv-m"] == 4 * 2_000 * 4 * 8


BAD: dict[str, tuple[Any, str]] = {
    "no YAML": ("a: [", "not readable as YAML"),
    "not a mapping": ("[1]", "takes keys with values"),
    "no merges": ({"merges": []}, "merges: List should have at least 1 item"),
    "an unknown key": (
        {"merges": [step(metod="x")]}, "plan.yaml:8: merges.0.metod: unknown key (did you mean 'me"
    ),
    "a number for a path": ({"merges": [step(base=3)]}, "merges.0.base"),
    "a text for a number": (
        {"merges": [step(experts=[{"path": "1.safetensors", "weight": "much"}])]},
        "merges.0.experts.0.weight: takes a number",
    ),
    "a weight without end": (
        {"merges": [step(experts=[{"path": "1.safetensors", "weight": float("inf")}])]},
        "merges.0.experts.0.weight: takes a finite number",
    ),
    "an unknown action": ({"merges": [step(policy={"head": "bas"})]}, "merges.0.policy.head"),
    "no expert's place": ({"merges": [step(experts=[{"weight": 1.0}])]}, "has a 'path', or the"),
    "an unknown merge": (
        {"merges": [step(name="first"), step(experts=[{"merge": "frist"}])]},
        "no merge further up is named 'frist' (did you mean 'first'?)",
    ),
    "a merge for nothing": ({"merges": [step(out=None)]}, "it has no 'out', and no merge further"),
    "a name twice": (
        {"merges": [step(name="a"), step(name="a", out="b")]}, "named 'a' too"
    ),
    "one place twice": ({"merges": [step(), step()]}, "merges.1: "),
    "an unknown method": (
        {"merges": [step(method="tie")]}, "merges.0: no plugin registers the strategy 'tie'"
    ),
    "a wrong option in the second": (
        {"merges": [step(name="a"), step(base={"merge": "a"}, out="b", options={"scal": 1})]},
        "merges.1: merge, task-arithmetic: unknown option 'scal' (did you mean 'scale'?)",
    ),
    "a pattern without a layer": (
        {"merges": [step(experts=[{"path": "1.safetensors", "layers": {"layr.*": 2.0}}])]},
        "no parameter's name matches 'layr.*' (did you mean 'layer.",
    ),
    "two patterns of one length": (
        {"merges": [step(experts=[
            {"path": "1.safetensors", "layers": {"layer*": 2.0, "l?yer*": 3.0}}])]},
        "as long as each other and both match 'layer",
    ),
    "weights that cancel": (
        {"merges": [step(normalize=True, experts=[
            {"path": "1.safetensors", "weight": -1.0}, {"path": "2.safetensors"}])]},
        "add up to 0",
    ),
    "no weight at all": (
        {"merges": [step(experts=[{"path": "1.safetensors", "weight": 0.0}])]},
        "has weight 0 everywhere: leave it out",
    ),
    "a missing file": ({"merges": [step(), step(base="no", out="b")]}, "merges.1: there is no fil"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_told_in_a_line_before_anything_is_merged(
    case: str, models: list[Tensors], tmp_path: Path
) -> None:
    holds, message = BAD[case]
    file = tmp_path / "plan.yaml"
    file.write_text(holds if isinstance(holds, str) else yaml.safe_dump(holds))
    before = sorted(os.listdir(tmp_path))
    ran = command(file)
    assert isinstance(ran.exception, HandledError), ran.output
    text = str(ran.exception)
    assert message in text and str(file) in text and "\n" not in text, text
    assert sorted(os.listdir(tmp_path)) == before


def test_a_file_says_all(models: list[Tensors], tmp_path: Path) -> None:
    file = plan(tmp_path, step())
    ran = command(file, "--method", "ties", "--seed", "0")
    assert "says all of its merges: take --method, --seed away" in str(ran.exception)
    ran = command("--method", "ties", "-o", tmp_path / "x")
    assert "Missing option '--expert'" in str(ran.exception)
    assert not (tmp_path / "out.safetensors").exists()
    assert command(file).return_value == 0
    again = command(file)
    assert "merges.0: " in str(again.exception) and "--force" in str(again.exception)
    assert command(file, "--force").return_value == 0


def test_the_schema_describes_every_key_and_takes_what_is_taken() -> None:
    ran = command("--schema")
    schema = json.loads(ran.output)
    assert schema == json.loads(json.dumps(merge_schema()))
    for part in (schema, *schema["$defs"].values()):
        assert part["additionalProperties"] is False and part["description"]
        assert all(field.get("description") for field in part["properties"].values())
    assert set(schema["$defs"]["MergeStep"]["required"]) == {"method", "experts"}
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate({"merges": [step()]}, schema)
    MergePlan.model_validate({"merges": [step()]})
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"merges": [step(metod=1)]}, schema)
