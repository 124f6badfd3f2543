"""The GPU command of benchmarks/speed, rehearsed: on the CPU whole, on a second device in part."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from virtual_device import run_cells, second_device

from recmerge_bench.registry import Registry

ROOT = Path(__file__).resolve().parents[1]
SPEED = ROOT / "benchmarks" / "speed"


@pytest.fixture(autouse=True)
def on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SPEED))


def test_all_stages(tmp_path: Path) -> None:
    command = [sys.executable, str(SPEED / "gpu.py"), "--device", "cpu", "--small", "--jobs", "1"]
    subprocess.run([*command, "--seconds", "300", "--out", str(tmp_path)], check=True)
    stages: dict[str, Any] = {
        name: json.loads((tmp_path / f"{name}.json").read_text())
        for name in ("nets", "cdsr", "text", "rates")
    }
    assert all(record["ended"] == "whole" for record in stages.values())
    for record in (stages["nets"], stages["rates"]):
        assert len(record["items"]) > 5
        assert [t for t, item in record["items"].items() if "error" in item] == []
    assert all(item["fp32"]["difference"] < 1e-5 for item in stages["nets"]["items"].values())
    for name in ("cdsr", "text"):
        assert stages[name]["results"] == stages[name]["of"] > 0
        assert all(t["whole"] for t in stages[name]["trainings"].values())


def test_what_is_cut_off_is_told(tmp_path: Path) -> None:
    gpu = importlib.import_module("gpu")
    assert gpu.bounded([sys.executable, "-c", "import time; time.sleep(60)"], 0.5) == (
        "its time was up"
    )
    assert gpu.bounded([sys.executable, "-c", "raise SystemExit(3)"], 30) == "failed with 3"
    suites = importlib.import_module("gpu_suites")
    item = suites.collect(suites.suite("gpu-cdsr", True), tmp_path, None)
    assert item["results"] == 0 < item["of"] and item["trainings"] == {}


# Autocast needs a real one: here it does nothing.
@pytest.mark.filterwarnings("ignore:CUDA is not available")
def test_models_and_rates_on_a_second_device() -> None:
    nets, rates = (importlib.import_module(n) for n in ("gpu_nets", "gpu_rates"))
    with second_device():
        registry = nets.discover(environ={})
        for (kind, name), options in nets.models(registry).items():
            actual = nets.check(registry, kind, name, options, "cuda")
            assert set(actual["loss"]) == {"fp32", "bf16"}
            assert actual["fp32"]["difference"] < 1e-4, name
        split = rates.world(12, 10)
        rates.wait = lambda place: None
        assert rates.trained("sasrec, 256 negatives", "cuda", 16, 1, 8, "bf16", split)


@pytest.mark.parametrize("name", ["gpu-cdsr", "gpu-text"])
def test_suites_on_a_second_device(name: str, registry: Registry, tmp_path: Path) -> None:
    keys = importlib.import_module("gpu_suites").suite(name, True)
    path = tmp_path / f"{name}.yaml"
    path.write_text(yaml.safe_dump(keys))
    with second_device():
        assert run_cells(registry, path, tmp_path / "out", "cuda") == []


@pytest.mark.parametrize("name", ["gpu-cdsr", "gpu-text"])
def test_the_suites_themselves_are_read(name: str, registry: Registry) -> None:
    from recmerge_bench.interface.suites import load_suite

    assert load_suite(SPEED / f"{name}.yaml", plugins=registry).name == name


def test_tf32_holds_while_training_and_no_longer() -> None:
    nets = importlib.import_module("gpu_nets")
    catalogue, split = nets.world("domain")
    spec = nets.discover(environ={}).get("backbone", "sasrec")
    definition = nets.define(spec.target, {**spec.options, "width": 8, "init": "random"})
    precisions: list[tuple[str, bool]] = []

    def note(_: dict[str, Any]) -> None:
        cudnn = torch.backends.cudnn
        precisions.append((torch.get_float32_matmul_precision(), cudnn.allow_tf32))

    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    with second_device():
        for precision in ("tf32", "fp32"):
            options = nets.TrainOptions(
                steps=1, epochs=0, eval_every=-1, report_every=1, precision=precision
            )
            nets.fit(
                definition, catalogue, split, catalogue.domains[:1], "domain", options, 0,
                device="cuda", progress=note,
            )  # fmt: skip
    assert precisions[0] == ("high", True) and precisions[-1] == ("highest", False)
    assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == before


def test_the_packed_model_is_whole_again_and_the_scripts_are_shell(tmp_path: Path) -> None:
    pack = importlib.import_module("gpu_pack")
    model, content = tmp_path / "model.whl", bytes(range(256)) * 40
    model.write_bytes(content)
    parts = [tmp_path / "first", tmp_path / "second"]
    for part in parts:
        part.mkdir()
    pack.halve(model, *parts)
    assert b"".join((part / "model.part").read_bytes() for part in parts) == content
    assert (parts[1] / "model.name").read_text() == "model.whl" and not model.exists()
    for script in (pack.FIRST, pack.SECOND):
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    alone = tmp_path / "go.sh"
    alone.write_text(pack.SECOND.replace("/tmp/gpu/", f"{tmp_path}/gpu/"))
    ran = subprocess.run(["bash", str(alone), "OUT", "text"], capture_output=True, text=True)
    assert ran.returncode == 2 and "first/go.sh has not run" in ran.stdout
