"""A temporal track, run: phases as columns, models of phases merged, tables that grow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import recmerge_bench as rmb
from recmerge_bench.planning.plan import build
from recmerge_bench.planning.suite import Suite
from recmerge_bench.registry import discover
from recmerge_bench.results.rerun import matching, suite_of
from recmerge_bench.running.phase_experts import rows_entered

PHASES = ["phase-4", "phase-5", "phase-6", "phase-7", "phase-8"]

SUITE: dict[str, Any] = {
    "name": "phases",
    "label": "converged",
    "seeds": [0],
    "metrics": ["NDCG@10"],
    "tracks": {
        "first": {
            "kind": "temporal",
            "dataset": "synthetic",
            "dataset_options": {
                "users": 120, "items": 30, "n_domains": 1, "clusters": 6, "mean_length": 40.0
            },
            "domains": ["d0"],
            "protocols": ["phases-8-masked", "phases-8-masked-after-3"],
            "profile": "cpu",
            "tuning": "none",
            "reference": "joint",
            "training": {"steps": 2, "epochs": 0, "batch_size": 16, "lr": 0.01, "eval_every": 2},
            "backbones": {
                "sasrec": {"options": {"width": 8, "layers": 1, "heads": 1, "max_len": 10}}
            },
            "rows": [
                "popularity", "joint", "continue-training", "fine-tune", "zero-shot", "ensemble",
                "weight-averaging", {"method": "exponential-average", "options": {"rate": 1.0}},
                {"method": "mergerec", "options": {"granularity": "domain", "steps": 2}},
            ],
        }
    },
    "figures": {"phases": {"kind": "phases", "title": "By tested phase"}},
}  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[rmb.Results, Path]:
    out = tmp_path_factory.mktemp("phases")
    return rmb.run(SUITE, out=out, jobs=1).results, out


def test_columns_are_the_tested_phases(finished: tuple[rmb.Results, Path]) -> None:
    for result in finished[0].records.results:
        assert result.status == "done", (result.identity, result.reason)
        assert result.domains == PHASES and set(result.metrics) == {*PHASES, "mean"}
        assert all(result.instances[phase] > 0 for phase in PHASES)
        assert not result.mask_history or result.identity.protocol.startswith("phases-8-masked")


def _values(results: rmb.Results, method: str, protocol: str = "phases-8-masked") -> list[float]:
    (one,) = [
        r for r in results.records.results
        if (r.identity.method, r.identity.protocol) == (method, protocol)
    ]  # fmt: skip
    return [one.metrics[phase]["NDCG@10"] for phase in PHASES]


def test_an_average_that_forgets_at_once_is_the_last_phase(
    finished: tuple[rmb.Results, Path],
) -> None:
    """Rate 1 leaves nothing of what came before: the last phase's model, to the rank."""
    assert _values(finished[0], "exponential-average") == pytest.approx(
        _values(finished[0], "fine-tune")
    )
    assert _values(finished[0], "weight-averaging") != _values(finished[0], "fine-tune")


def test_what_stands_after_a_phase_ranks_the_next_alike_in_both_protocols(
    finished: tuple[rmb.Results, Path],
) -> None:
    for method in ("joint", "continue-training", "weight-averaging", "mergerec"):
        after = _values(finished[0], method, "phases-8-masked-after-3")
        assert after[0] == _values(finished[0], method)[0]
    assert _values(finished[0], "zero-shot") == _values(
        finished[0], "zero-shot", "phases-8-masked-after-3"
    )


def test_a_row_of_a_later_item_comes_from_its_phase() -> None:
    first = np.array([1, 3, 2, 0], np.int16)
    models = {
        n: {"items.d.weight": torch.full((4, 2), float(n)), "layer": torch.full((4,), float(n))}
        for n in (1, 2, 3)
    }
    policy = {"items.": "domain"}
    base = rows_entered(1, models, first, policy)
    assert base["items.d.weight"][:, 0].tolist() == [1.0, 3.0, 2.0, 1.0]
    assert base["layer"].tolist() == [1.0] * 4
    second = rows_entered(2, models, first, policy)
    assert second["items.d.weight"][:, 0].tolist() == [2.0, 3.0, 2.0, 2.0]
    assert models[1]["items.d.weight"][1, 0] == 1.0


def test_nothing_is_kept_apart_where_phases_share_the_catalogue(
    finished: tuple[rmb.Results, Path],
) -> None:
    """A merged file has all tensors of the base, the item table too."""
    for path in finished[1].glob("store/*/*/record.json"):
        record = json.loads(path.read_text())
        if record["kind"] != "merge":
            continue
        base = record["inputs"]["base"]
        whole = load_file(str(finished[1] / "store" / base[:2] / base / "model.safetensors"))
        merged = load_file(str(path.parent / "model.safetensors"))
        shapes = {n: t.shape for n, t in whole.items() if t.is_floating_point()}
        assert {n: t.shape for n, t in merged.items()} == shapes


def test_learned_weights_of_each_time_are_recorded(finished: tuple[rmb.Results, Path]) -> None:
    learned = [
        r.merge.weights for r in finished[0].records.results
        if r.identity.method == "mergerec" and r.merge and r.identity.protocol == "phases-8-masked"
    ]  # fmt: skip
    assert [list(w) for w in learned[0]] == [
        [f"phase-{p}" for p in range(2, last + 1)] for last in range(3, 8)
    ]


def test_the_board_has_matrices_in_the_place_of_tables_of_one_time(
    finished: tuple[rmb.Results, Path],
) -> None:
    text = (finished[1] / "boards" / "phases.md").read_text()
    assert "## first, phases-8-masked\n" in text
    assert "## first, phases-8-masked-after-3\n" not in text
    assert "## first: trained phase by tested phase, NDCG@10" in text
    assert "| after phase 3 |" in text
    assert "is merging the phases' models as good as training again" in text


@pytest.mark.parametrize("method", ["joint", "continue-training", "weight-averaging", "mergerec"])
def test_a_row_again_is_the_same_cells(finished: tuple[rmb.Results, Path], method: str) -> None:
    records = finished[0].records
    selectors = [f"method={method},protocol=phases-8-masked"]
    row = matching(records.results, selectors)
    again = build(Suite.model_validate(suite_of(records, row)), discover())
    assert [r.ranks_key for r in again.results] == [r.key for r in row.results]
