"""A row of hybrids, run to a board: what is merged, whose tables serve, what the board says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import recmerge_bench as rmb
from recmerge_bench.planning.cells import Plan
from recmerge_bench.planning.plan import build
from recmerge_bench.planning.suite import Suite
from recmerge_bench.registry import discover

SUITE: dict[str, Any] = {
    "name": "hybrids",
    "label": "converged",
    "seeds": [0],
    "metrics": ["NDCG@10"],
    "tracks": {
        "mixed": {
            "dataset": "synthetic",
            "dataset_options": {"users": 60, "items": 20, "n_domains": 3},
            "domains": ["d0", "d1", "d2"],
            "protocols": ["loo"],
            "tuning": "none",
            "reference": "fine-tune",
            "training": {"steps": 3, "epochs": 0, "batch_size": 16, "lr": 0.01},
            "backbones": {
                "sasrec": {"options": {"width": 8, "layers": 1, "heads": 1, "max_len": 10}}
            },
            "rows": ["fine-tune", "weight-averaging", "weaverec"],
        }
    },
}


@pytest.fixture(scope="module")
def plan() -> Plan:
    return build(Suite.model_validate(SUITE), discover())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[rmb.Results, Path]:
    out = tmp_path_factory.mktemp("hybrids")
    return rmb.run(SUITE, out=out, jobs=1).results, out


def _weights(out: Path, key: str) -> dict[str, torch.Tensor]:
    return load_file(out / "store" / key[:2] / key / "model.safetensors")


def test_a_domain_is_served_by_the_mean_of_its_models_with_its_own_table(
    plan: Plan, finished: tuple[rmb.Results, Path]
) -> None:
    (row,) = [r for r in plan.results if r.identity["method"] == "weaverec"]
    served = plan.cells[row.key].inputs
    for target in ("d0", "d1", "d2"):
        merge = plan.cells[served[f"model:{target}"]]
        merged = _weights(finished[1], merge.key)
        members = {
            role.removeprefix("expert:"): _weights(finished[1], key)
            for role, key in merge.inputs.items() if role.startswith("expert:")
        }  # fmt: skip
        own = members[target]
        tables = [n for n in own if n.startswith("tables.")]
        assert tables and len(members) == 3
        for name in own:
            mean = sum(m[name] for m in members.values()) / 3  # hybrids know the target's table too
            wanted = own[name] if name in tables else mean
            torch.testing.assert_close(merged[name], wanted, rtol=1e-5, atol=1e-7)
        hybrid = next(m for n, m in members.items() if n != target)
        assert not torch.equal(hybrid[tables[0]], own[tables[0]])


def test_the_row_is_on_the_board_with_what_was_mixed(finished: tuple[rmb.Results, Path]) -> None:
    results, out = finished
    by_method = {r.identity.method: r for r in results.records.results}
    row = by_method["weaverec"]
    assert row.status == "done", row.reason
    assert row.merge and row.merge.tier == "T0" and row.merge.read == ["weights"]
    assert row.metrics["d0"] != by_method["weight-averaging"].metrics["d0"]
    text = (out / "boards" / "hybrids.md").read_text()
    assert "experts of weaverec are trained on data of two domains together" in text
    full = (out / "boards" / "hybrids-full.md").read_text()
    assert "; hybrids: accumulate=" in full, "the options of their trainings"
