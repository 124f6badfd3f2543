"""The doctor tells what is here and what is missing, with the remedy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from recmerge_bench_plugins.backbones.recbole_models.fence import NEEDED

from recmerge_bench.cli import cli
from recmerge_bench.errors import Blocked
from recmerge_bench.interface import health
from recmerge_bench.registry import discover
from recmerge_bench.targets import define


def test_data_and_weights_with_their_remedies(tmp_path: Path) -> None:
    ran = CliRunner().invoke(cli, ["doctor", "--json", "--data-root", str(tmp_path)])
    facts = json.loads(ran.stdout)
    datasets = {row["name"]: row for row in facts["datasets"]}
    assert datasets["ml-100k"]["status"] == "found"
    assert datasets["synthetic"]["status"] == "generated"
    assert datasets["amazon-mergerec"]["status"].startswith("missing: amazon-mergerec: Arts")
    assert "datasets prepare amazon-mergerec --data-root" in datasets["amazon-mergerec"]["mend"]
    encoders = {row["name"]: row for row in facts["encoders"]}
    assert encoders["hashed-words"]["status"] == "generated"
    here = encoders["minilm"]["status"] == "found"
    assert here or "pip install" in encoders["minilm"]["mend"]
    assert facts["versions"]["torch"] and not facts["broken"]


def test_what_cannot_run_comes_first_with_its_remedy(tmp_path: Path) -> None:
    ran = CliRunner().invoke(cli, ["doctor", "--data-root", str(tmp_path)])
    first, second, third, *others = ran.stdout.splitlines()
    assert first.startswith("what is installed works; rows with these cannot run")
    assert "amazon-mergerec" in first and "no problems" not in ran.stdout
    assert second.startswith("missing: amazon-mergerec") and third.startswith("  to fix: recmerge")
    for line in ("datasets here: ", "encoders generated, nothing is read: hashed-words"):
        assert any(other.startswith(line) for other in others), ran.stdout
    assert "ml-100k" in next(line for line in others if line.startswith("datasets here"))


def test_problems_are_counted_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_version", lambda name: None if name == "pyarrow" else "1.0")
    first, second, *_ = health.doctor().lines()
    assert first == "1 problem to fix before anything else"
    assert second.startswith("problem: pyarrow is not installed; pip install")


def test_the_remedy_fetches_what_is_asked_for(tmp_path: Path) -> None:
    spec = discover(environ={}).get("dataset", "amazon-mergerec")
    with pytest.raises(Blocked) as blocked:
        define(spec.target, {"domain_names": ("toys", "arts")}).sources(tmp_path)
    assert "--set domain_names=[toys,arts]" in blocked.value.remedy


def test_what_of_recbole_is_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing, its data alone, its models too; each with what to install."""
    there: dict[str, str | None] = {
        "recbole": "1.2.1",
        "numpy": "2.4.6",
        **dict.fromkeys(health.RECBOLE_IMPORTS, "1.0"),
    }
    monkeypatch.setattr(health, "_version", lambda name: there.get(name, "1.0"))
    assert health.doctor().recbole == "1.2.1: data and models usable"
    there |= {"texttable": None, "colorlog": None}
    lacks = health.doctor().recbole
    assert "its models need texttable, colorlog (pip install texttable colorlog)" in lacks
    there["recbole"] = None
    absent = health.doctor().recbole
    assert "recbole==1.2.1' on Python 3.11" in absent
    assert "pip install --no-deps recbole==1.2.1 && pip install tensorboard" in absent


def test_the_doctor_names_what_the_models_import() -> None:
    assert {"recbole", *health.RECBOLE_IMPORTS} == set(NEEDED.values())
