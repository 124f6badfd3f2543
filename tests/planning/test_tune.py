"""``tune:``: equal budgets, settings that follow from seed and values, one line for misuse."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from recmerge_bench.errors import HandledError
from recmerge_bench.planning import sampler
from recmerge_bench.planning.cells import Cell, Plan
from recmerge_bench.planning.plan import build
from recmerge_bench.planning.spaces import Axis, Space, space_of
from recmerge_bench.planning.suite_files import load_suite
from recmerge_bench.planning.tune import Range, TuneSpace
from recmerge_bench.registry import Registry

pytest.importorskip("optuna")

SUITE = """\
name: searched
label: smoke
metrics: [NDCG@10, MRR]
tracks:
  merging:
    dataset: synthetic
    dataset_options: {users: 60, items: 30, n_domains: 2}
    domains: [d0, d1]
    protocols: [loo, loo-masked, loo-shuffled]
    reference: fine-tune
    tune: {trials: 5, seed: 3, select: MRR@loo}
    tuning: none
    training: {steps: 4, epochs: 0, eval_every: -1, batch_size: 16}
    backbones:
      sasrec:
        options: &small {width: 16, layers: 1, heads: 1, max_len: 10}
        tune:
          judged: fine-tune
          options: {dropout: [0.0, 0.2, 0.5]}
          training: {lr: {low: 0.001, high: 0.1, log: true}}
      gru4rec: {options: {width: 16, layers: 1, max_len: 10}, tuning: none}
    rows:
      - fine-tune
      - weight-averaging
      - {method: ties, tune: {options: {density: {low: 0.1, high: 1.0}, scale: [0.5, 1.0]}}}
      - method: sasrec
        options: *small
        variant: alone
        tune: {options: {dropout: {low: 0, high: 0.6}}, training: {batch_size: [8, 16, 32]}}
      - {method: joint, tune: {training: {lr: {low: 0.001, high: 0.1, log: true}}}}
"""
SMALL = {"width": 16, "layers": 1, "heads": 1, "max_len": 10}
Values = Callable[[str], float | None]


def read(registry: Registry, folder: Path, *changes: str, text: str = SUITE) -> Any:
    path = folder / "searched.yaml"
    path.write_text(text)
    return load_suite(str(path), registry, changes)


def value_of(key: str) -> float:
    """Some value of a trial, the same each time."""
    return int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) / 2**32


def trials(plan: Plan) -> list[Cell]:
    return [cell for cell in plan.cells.values() if cell.kind == "validate"]


def finished(suite: Any, registry: Registry) -> Iterator[tuple[Plan, dict[str, float]]]:
    """Plans from the first to the last, as a run would make them, and the values before each."""
    known: dict[str, float] = {}
    while True:
        plan = build(suite, registry, values=known.get)
        yield plan, dict(known)
        new = [cell.key for cell in trials(plan) if cell.key not in known]
        if not new:
            return
        known.update({key: value_of(key) for key in new})


@pytest.fixture(scope="module")
def whole(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    suite = read(registry, tmp_path_factory.mktemp("suite"))
    return list(finished(suite, registry))


def searches(plan: Plan) -> dict[tuple[str, str], Any]:
    """(backbone, method) -> the budget that its row records."""
    return {
        (r.identity["backbone"], r.identity["method"]): r.configuration.tuning
        for r in plan.results
        if r.configuration and r.identity["protocol"] == "loo"
    }


def test_every_search_has_the_same_budget_and_tries_nothing_twice(whole: list[Any]) -> None:
    plan, known = whole[-1]
    tuned = searches(plan)
    assert {name for name, t in tuned.items() if t.row.data == "validation-labels"} == {
        ("sasrec", "ties"), ("gru4rec", "ties"), ("", "sasrec"), ("sasrec", "joint"),
        ("gru4rec", "joint"),
    }  # fmt: skip
    budgets = [t.row for t in tuned.values() if t.row.data != "none"]
    budgets += [tuned["sasrec", "fine-tune"].backbone]
    for budget in budgets:
        assert budget.times == len(budget.search.trials) == 5
        settings = [str((t.options, t.training)) for t in budget.search.trials]
        assert len(set(settings)) == 5
        values = [t.value for t in budget.search.trials]
        assert values[budget.search.chosen] == max(values)
        assert set(values) <= set(known.values())
        assert budget.search.select == "MRR@loo" and budget.domains == ["d0", "d1"]
    assert len(known) == len(trials(plan)) == 5 * len(budgets)
    assert tuned["sasrec", "fine-tune"].row.data == "none"
    assert tuned["gru4rec", "fine-tune"].backbone.data == "none"
    assert all(t.backbone.search for (b, _), t in tuned.items() if b == "sasrec")


def test_a_row_waits_for_its_search_and_no_test_target_is_ranked_before(whole: list[Any]) -> None:
    for plan, known in whole:
        for result in plan.results:
            cell, method = plan.cells[result.key], result.identity["method"]
            searched = method in ("ties", "sasrec", "joint") or (
                result.identity["backbone"] == "sasrec"
            )
            behind = plan.closure([result.key])
            kinds = {plan.cells[key].kind for key in behind}
            if cell.waits:
                assert searched and cell.blocked and "trials are done" in cell.blocked[0]
                assert kinds & {"validate"} and not (kinds - {"rank"}) & {"rank"}
                assert all(k not in known for k in behind if plan.cells[k].kind == "validate")
            else:
                assert "validate" not in kinds
        ready = {k for k in plan.closure(plan.wanted) if not plan.cells[k].blocked}
        waiting = [r for r in plan.results if plan.cells[r.key].waits]
        ranked = {plan.cells[k].label for k in ready if plan.cells[k].kind == "rank"}
        assert not any(plan.cells[r.key].label in ranked for r in waiting)
    first, last = whole[0][0], whole[-1][0]
    assert any(c.waits for c in first.cells.values())
    assert not any(c.waits for c in last.cells.values())


def test_the_tuned_row_has_the_cells_of_a_row_that_says_what_was_chosen(
    whole: list[Any], registry: Registry, tmp_path: Path
) -> None:
    plan, _ = whole[-1]
    tuned = searches(plan)
    keys = yaml.safe_load(SUITE)
    track = keys["tracks"]["merging"]
    del track["tune"]

    def chosen(budget: Any, group: str) -> dict[str, Any]:
        return dict(getattr(budget.search.trials[budget.search.chosen], group))

    sasrec = track["backbones"]["sasrec"]
    del sasrec["tune"]
    backbone = tuned["sasrec", "ties"].backbone
    sasrec["options"] |= chosen(backbone, "options")
    sasrec["training"] = chosen(backbone, "training")
    rows = []
    for name in ("sasrec", "gru4rec"):
        ties, joint = tuned[name, "ties"].row, tuned[name, "joint"].row
        rows += [
            {"method": "ties", "backbones": [name], "options": chosen(ties, "options")},
            {"method": "joint", "backbones": [name], "training": chosen(joint, "training")},
        ]
    alone = tuned["", "sasrec"].row
    own = {"method": "sasrec", "options": {**SMALL, **chosen(alone, "options")},
           "training": chosen(alone, "training")}  # fmt: skip
    track["rows"] = ["fine-tune", "weight-averaging", *rows, own]
    plain = build(read(registry, tmp_path, text=yaml.safe_dump(keys)), registry)
    assert {r.key for r in plain.results} == {r.key for r in plan.results}


def test_settings_follow_from_the_seed_and_the_values(
    whole: list[Any], registry: Registry, tmp_path: Path
) -> None:
    sampler._DRAWN.clear()
    again = list(finished(read(registry, tmp_path), registry))
    assert [set(p.cells) for p, _ in again] == [set(p.cells) for p, _ in whole]
    other = build(read(registry, tmp_path, "tracks.merging.tune.seed=4"), registry)
    assert not {c.key for c in trials(other)} & {c.key for c in trials(whole[0][0])}

    def labels(sign: float) -> set[str]:
        suite = read(registry, tmp_path, "tracks.merging.rows=[{method: ties, tune: {options: "
                     "{density: {low: 0.1, high: 1.0}}}}, fine-tune]")  # fmt: skip
        known: dict[str, float] = {}
        while True:
            plan = build(suite, registry, values=known.get)
            new = [c for c in trials(plan) if c.key not in known]
            if not new:
                return {c.label for c in trials(plan) if "ties" in c.label}
            # By the setting and not by the key, which every edit of the code changes.
            for cell in new:
                density = re.search(r"density=([0-9.]+)", cell.label)
                known[cell.key] = sign * float(density[1]) if density else 0.0

    assert labels(1.0) != labels(-1.0), "later trials depend on the values of those before"


def test_random_search_knows_all_its_trials_at_once(registry: Registry, tmp_path: Path) -> None:
    suite = read(registry, tmp_path, "tracks.merging.tune.sampler=random")
    plan = build(suite, registry)
    assert len([c for c in trials(plan) if " sasrec dropout=" in c.label]) == 5
    half = build(read(registry, tmp_path), registry)
    assert len([c for c in trials(half) if " sasrec dropout=" in c.label]) == 3


def test_a_space_as_large_as_the_budget_is_tried_whole(registry: Registry, tmp_path: Path) -> None:
    row = "{method: sasrec, tune: {options: {max_len: [2, 3, 4, 5, 6]}}}"
    changes = [f"tracks.merging.rows=[fine-tune, {row}]"]
    *_, (plan, _) = finished(read(registry, tmp_path, *changes), registry)
    search = searches(plan)["", "sasrec"].row.search
    assert sorted(t.options["max_len"] for t in search.trials) == [2, 3, 4, 5, 6]


def test_a_setting_that_the_method_refuses_is_no_trial(registry: Registry, tmp_path: Path) -> None:
    """A decay needs a number of steps: two of nine settings have none."""
    space = (
        "{judged: fine-tune, training: {schedule: [constant, linear, cosine], steps: [0, 4, 8]}}"
    )
    changes = [
        f"tracks.merging.backbones={{sasrec: {{tune: {space}}}}}",
        "tracks.merging.rows=[fine-tune]", "tracks.merging.training={epochs: 1, eval_every: -1}",
    ]  # fmt: skip
    whole_space = read(registry, tmp_path, *changes, "tracks.merging.tune.trials=7")
    *_, (plan, _) = finished(whole_space, registry)
    tried = [t.training for t in searches(plan)["sasrec", "fine-tune"].backbone.search.trials]
    assert len(tried) == 7
    assert not [t for t in tried if t["schedule"] != "constant" and not t["steps"]]
    more = read(registry, tmp_path, *changes, "tracks.merging.tune.trials=8")
    with pytest.raises(HandledError, match="takes 7 settings of the space, fewer than the 8"):
        list(finished(more, registry))


BACKBONES = "tracks.merging.backbones"


def row(text: str) -> str:
    """The change that leaves the backbone's judged row and this one."""
    return f"tracks.merging.rows=[fine-tune, {{{text}}}]"


def ties(tune: str) -> str:
    return row(f"method: ties, tune: {{{tune}}}")


def density(choices: str) -> str:
    return ties(f"options: {{density: {choices}}}")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (ties("options: {densty: [0.1, 0.2]}"), "options.densty: .*unknown option.*'density'"),
        (density("[0.1]"), "has two at least"),
        (density("[0.1, 0.1]"), "0.1 twice"),
        (density("0.1"), "takes a list of values or {low: ..., high: ...}, not 0.1"),
        (density("{low: 1, high: 0.1}"), r"low \(1\) has to be below high"),
        (density("{low: 0, high: 1, log: true}"), "logarithmic range is above 0"),
        (density("{low: 0.1, high: 1, log: true, step: 0.1}"), "takes no step"),
        (density("{low: 0.1, hi: 1}"), "no key 'hi'.*'high'"),
        (density("{low: 0.1}"), "high: this key has to be given"),
        (density("{low: 0.1, high: .inf}"), "finite"),
        (density("{low: 0.1, high: a}"), "high: takes a whole number, not 'a'"),
        (density("{low: true, high: 2}"), "low: takes a whole number, not True"),
        (density("{low: 0, high: 1, step: 2}"), r"step \(2\) has to be"),
        (density("{low: 0, high: 1, step: 1.0e-9}"), "more than 100,000 steps"),
        (density("{low: 0.5, high: 7}"), "options.density: .*density"),
        (ties("trials: 9, options: {scale: [1, 2]}"), "'trials' is the track's: every search of"),
        (ties(""), "tune: names nothing to search"),
        (ties("option: {}"), "option: unknown key.*'options'"),
        (ties("training: {lr: [0.1, 0.2]}"), "'ties' has no training of its own"),
        (ties("options: {scale: [0.5, 1.0]}"), "has 2 settings, fewer than the 5 trials"),
        (row("method: joint, tune: {training: {rate: [1, 2]}}"), "training.rate: .*unknown option"),
        (
            row("method: sasrec, tune: {options: {layers: {low: 1.5, high: 9}}}"),
            "options.layers: takes whole numbers, not 1.5 to 9",
        ),
        (
            row("method: ties, options: {scale: 1.0}, tune: {options: {scale: [1, 2]}}"),
            "options.scale is set and searched",
        ),
        (
            row("method: ties, tuning: none, tune: {options: {scale: [1, 2]}}"),
            "both tune and tuning",
        ),
        ("tracks.merging.tune={trial: 5}", r"trial: unknown key \(did you mean 'trials'"),
        (f"{BACKBONES}.sasrec.tune={{judge: ties}}", "judge: unknown key .*'judged'"),
        ("tracks.merging.tuning=null", "'fine-tune' stands beside searched ones"),
        ("tracks.merging.tune=null", "searched, but the track gives no budget"),
        ("tracks.merging.tune.trials=1", "trials: .*greater than or equal to 2"),
        ("tracks.merging.tune.trials=true", "trials: takes a whole number, not True"),
        ("tracks.merging.tune.seed=-1", "seed: Input should be"),
        ("tracks.merging.tune.sampler=grid", "sampler: .*'tpe' or 'random'"),
        ("tracks.merging.tune.select=NDGC@10@loo", "did you mean 'NDCG'"),
        ("tracks.merging.tune.select=MRR@mixed", "splits the data otherwise"),
        ("tracks.merging.isolated=true", "data-isolated: 'ties' was tuned on labels"),
        (f"{BACKBONES}.gru4rec={{}}", "backbone 'gru4rec' stands beside searched ones"),
        (f"{BACKBONES}.sasrec.tune.judged=wudi", "0 rows are judged for backbone 'sasrec'"),
        (f"{BACKBONES}.sasrec.tune.judged=ties", "'ties', which is searched itself"),
        (f"{BACKBONES}.sasrec.tune.judged=sasrec", "'sasrec', no row on 'sasrec'"),
        (
            f"{BACKBONES}.sasrec.tune={{options: {{dropout: [0, 0.5]}}}}",
            "judged: this key has to be given",
        ),
        (
            "tracks.merging.models={sasrec: {tune: {judged: ties, options: {dropout: [0, 0.5]}}}}",
            "models.sasrec: .*searched in its row",
        ),
    ],
)
def test_bad_searches_are_refused_in_one_line(
    registry: Registry, tmp_path: Path, change: str, message: str
) -> None:
    with pytest.raises(HandledError, match=message) as error:
        build(read(registry, tmp_path, change), registry)
    assert "\n" not in str(error.value) and "merging" in str(error.value)


def test_a_budget_without_a_search_is_refused(registry: Registry, tmp_path: Path) -> None:
    changes = [f"{BACKBONES}={{sasrec: {{}}}}", "tracks.merging.rows=[fine-tune]"]
    with pytest.raises(HandledError, match="no row and no backbone says what is searched"):
        build(read(registry, tmp_path, *changes), registry)


def test_without_the_package_the_row_is_blocked_with_the_remedy(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recmerge_bench.planning.row_searches.PACKAGE", "no-such-package")
    plan = build(read(registry, tmp_path), registry)
    ties = next(r for r in plan.results if r.identity["method"] == "ties")
    cell = plan.cells[ties.key]
    assert cell.blocked and not cell.waits
    reason, remedy = cell.blocked
    assert reason == "'tune' needs the package no-such-package"
    assert remedy.startswith("pip install -c constraints.txt no-such-package")
    plain = [r for r in plan.results if (r.identity["backbone"], r.identity["method"])
             == ("gru4rec", "fine-tune")]  # fmt: skip
    assert plain and not any(plan.cells[r.key].blocked for r in plain)


# -- spaces ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("span", "default", "values", "first", "last"),
    [
        ({"low": 0, "high": 1}, 0.5, 1001, 0.0, 1.0),
        ({"low": 0, "high": 1}, 1, 2, 0, 1),
        ({"low": 1, "high": 9, "step": 2}, 1, 5, 1, 9),
        ({"low": 0.1, "high": 0.5, "step": 0.2}, 0.1, 3, 0.1, 0.5),
        ({"low": 0.1, "high": 0.4, "step": 0.2}, 0.1, 2, 0.1, 0.3),
        ({"low": 1e-5, "high": 1e-1, "log": True}, 0.1, 1001, 1e-5, 0.1),
        ({"low": 1, "high": 64, "log": True}, 4, 64, 1, 64),
        ({"low": 0.5, "high": 0.5001}, 0.1, 101, 0.5, 0.5001),
    ],
)
def test_values_of_ranges(
    span: dict[str, Any], default: Any, values: int, first: Any, last: Any
) -> None:
    space = space_of(TuneSpace(options={"x": span}), {"options": {"x": default}})  # type: ignore[dict-item]
    (axis,) = space.axes
    drawn = [axis.value(n) for n in range(axis.count)]
    assert (drawn[0], drawn[-1], axis.distinct) == (first, last, values)
    assert drawn == sorted(drawn) and {type(v) for v in drawn} == {type(default)}
    assert space.count == axis.distinct


def test_logarithmic_ranges_are_even_in_their_logarithm() -> None:
    axis = Axis("options", "x", span=Range(low=1e-4, high=1.0, log=True))
    assert axis.value(250) == pytest.approx(1e-3) and axis.value(750) == pytest.approx(1e-1)


def test_the_estimator_seeks_where_values_were_high() -> None:
    space = Space((Axis("options", "x", span=Range(low=0.0, high=1.0)),))
    tried = [({"options.x": n}, -abs(n - 700) / 1000) for n in range(0, 1000, 50)]
    near = [sampler.draw(space, 0, n, 0, tried)["options.x"] for n in range(20)]
    far = [sampler.draw(space, 0, n, 0, [])["options.x"] for n in range(20)]
    assert sum(abs(n - 700) < 200 for n in near) > sum(abs(n - 700) < 200 for n in far) + 5


LEAKS = """
import logging, random, sys, warnings
import numpy as np
from recmerge_bench.planning.sampler import draw
from recmerge_bench.planning.spaces import Axis, Space
from recmerge_bench.planning.tune import Range
assert "optuna" not in sys.modules
np.random.seed(1); random.seed(1)
before = (random.getstate(), np.random.get_state()[1].tolist(), list(warnings.filters),
          logging.getLogger().handlers[:], logging.root.level)
space = Space((Axis("options", "x", span=Range(low=0.0, high=1.0)),))
draw(space, 0, 0, 0, []); draw(space, 0, 1, 0, [({"options.x": 3}, 0.5)])
after = (random.getstate(), np.random.get_state()[1].tolist(), list(warnings.filters),
         logging.getLogger().handlers[:], logging.root.level)
assert before == after
own = logging.getLogger("optuna")
assert (own.handlers, own.level, own.propagate) == ([], 0, True), own.handlers
import optuna
optuna.logging.set_verbosity(optuna.logging.INFO)
draw(space, 5, 0, 0, [])
assert optuna.logging.get_verbosity() == optuna.logging.INFO
"""


def test_optuna_is_imported_when_needed_and_leaves_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", LEAKS], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_suite_that_does_not_tune_imports_no_optuna() -> None:
    code = (
        "import sys; from recmerge_bench.registry import discover; "
        "from recmerge_bench.planning.plan import build; "
        "from recmerge_bench.planning.suite_files import load_suite; r = discover(environ={}); "
        "build(load_suite('quick', r), r); assert 'optuna' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
