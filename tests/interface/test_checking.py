"""``plugins check``: what it says of wrong plugins, and that it survives them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from recmerge_bench.cli import cli
from recmerge_bench.errors import HandledError
from recmerge_bench.interface.checking import CheckReport, _sought, check_plugin
from recmerge_bench.interface.plugin_options import REQUIRED, option_facts

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "plugins"

HEADER = """
from recmerge_bench.api import *

class Mean(StrategyDefinition):
    def merge(self, given):
        import torch
        return {n: torch.stack([e.weights[n].float() for e in given.experts]).mean(0).to(t.dtype)
                for n, t in given.base.items()}

@hookimpl
def recmerge_bench_register():
    return [StrategySpec("mine", f"{__name__}:Mine", "mine", inputs=("base", "experts"))]

"""
RIGHT = HEADER + "class Mine(Mean): pass\n"


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Any]:
    """Write a plugin file; its module is forgotten afterwards."""
    before = set(sys.modules)

    def write(text: str, name: str = "checked_plugin") -> str:
        path = tmp_path / f"{name}.py"
        path.write_text(text)
        return str(path)

    yield write
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def failures(report: CheckReport) -> dict[str, str]:
    return {o.name: o.what for o in report.all() if o.status == "failed"}


def invoke(*words: str) -> Any:
    return CliRunner().invoke(cli, ["plugins", "check", *words], standalone_mode=False)


def test_a_right_plugin(write: Any) -> None:
    ran = invoke(write(RIGHT))
    assert ran.return_value == 0, ran.output
    assert "strategy 'mine'" in ran.output and "ok    tier-kept: " in ran.output
    assert "NDCG@10" in ran.output and " 0 failed" in ran.output


def test_the_report_as_json(write: Any) -> None:
    text = RIGHT.replace("class Mine(Mean): pass", "class Mine(Mean):\n    scope = 'half'")
    ran = invoke(write(text), "--json")
    assert ran.return_value == 1
    report = json.loads(ran.stdout)
    assert report["ok"] is False and report["specs"] == []
    [refused] = [o for o in report["outcomes"] if o["status"] == "failed"]
    assert refused["name"] == "registers" and "Mine.scope is one of entry" in refused["what"]
    assert refused["why"] and refused["remedy"]


def test_what_is_wrong_at_first_stops_the_others(write: Any) -> None:
    text = HEADER + "class Mine(Mean):\n    def merge(self, given): return None\n"
    report = check_plugin(write(text))
    assert list(failures(report)) == ["shapes"]
    others = [o for o in report.specs[0].outcomes if o.name != "shapes"]
    assert {(o.status, o.what) for o in others} == {("skipped", "'shapes' has to hold first")}


BODIES = {
    "if len(given.experts) == 2: import os; os._exit(3)": "exit status 3",
    "if len(given.experts) == 2: raise SystemExit(4)": "SystemExit: 4",
    "if len(given.experts) == 2:\n            while True: pass": "it did not end within 3 s",
}


@pytest.mark.parametrize("body", BODIES)
def test_what_ends_or_hangs_costs_that_requirement_alone(write: Any, body: str) -> None:
    text = (
        f"{HEADER}class Mine(Mean):\n    def merge(self, given):\n        {body}\n"
        "        return super().merge(given)\n"
    )
    report = check_plugin(write(text), only=["shapes", "widths", "determinism"], patience=3)
    assert BODIES[body] in failures(report)["widths"]
    assert [o.status for o in report.specs[0].outcomes] == ["passed", "failed", "passed"]


@pytest.mark.parametrize(
    ("line", "name", "words"),
    [
        ("import torch", "import-time", "importing it imports torch"),
        ("import time; time.sleep(1.2)", "import-time", "importing it takes 1."),
        ("import os; os.environ['X'] = 'y'", "import-side-effects", "os.environ (X)"),
        ("import os; os._exit(5)", "registers", "its import ended the process with code 5"),
        ("import no_such_thing", "registers", "No module named 'no_such_thing'"),
    ],
)
def test_its_import(
    write: Any, line: str, name: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X", "x")  # put back afterwards
    report = check_plugin(write(f"{line}\n{RIGHT}"), only=["shapes"] if name[0] == "i" else ())
    assert words in failures(report)[name]


def test_what_is_no_plugin_is_bad_input(tmp_path: Path, write: Any) -> None:
    for name, words in {
        "nowhere.py": "there is no such file",
        "tiess": "did you mean 'ties'",
        str(tmp_path): "has an __init__.py",
    }.items():
        with pytest.raises(HandledError, match=words):
            check_plugin(name)
    with pytest.raises(HandledError, match=r"no requirement 'shape'.*did you mean 'shapes'"):
        check_plugin("weight-averaging", only=["shape"])
    with pytest.raises(HandledError, match="no option 'densty'"):
        check_plugin("ties", options={"densty": 1})


def test_a_folder_of_a_plugins_name_is_not_the_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ties").mkdir()
    monkeypatch.chdir(tmp_path)
    report = check_plugin("ties", only=["shapes"])
    assert report.ok and report.module == "recmerge_bench_plugins.strategies.ties"


def test_an_installed_plugin_by_name() -> None:
    report = check_plugin("ties-per-tensor", options={"density": 0.5}, only=["shapes"])
    assert report.ok and [s.name for s in report.specs] == ["ties-per-tensor"]
    facts = {f.name: f for f in report.specs[0].options}
    assert facts["scope"].preset == "tensor" and facts["scope"].default == "global"
    assert facts["scope"].type == "one of 'global', 'tensor'"
    assert facts["density"].meaning == "share of each task vector that is kept."


@pytest.mark.parametrize("name", ["recbole:STAMP", "backbone:recbole:STAMP", "backbone:sasrec"])
def test_a_kind_before_a_name_and_a_library_in_one(name: str) -> None:
    [spec] = _sought(name, ()).specs
    assert (spec.kind, spec.name) == ("backbone", name.removeprefix("backbone:"))


def test_what_needs_a_package_that_is_absent_is_not_tried(write: Any) -> None:
    text = RIGHT.replace('inputs=("base"', 'requires=("no-such-package",), inputs=("base"')
    report = check_plugin(write(text))
    [only] = report.specs[0].outcomes
    assert (only.status, report.ok) == ("skipped", True)
    assert "'mine' needs the package no-such-package; pip install" in only.what


def test_a_contested_name_is_told(write: Any) -> None:
    text = RIGHT.replace('"mine"', '"ties"', 1)
    assert "one name means one thing" in failures(check_plugin(write(text), only=["shapes"]))[
        "names-free"
    ]  # fmt: skip


def test_options_without_words_and_without_default() -> None:
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Options:
        path: str
        share: float | None = None

    class Made:
        pass

    Made.Options = Options  # type: ignore[attr-defined]
    path, share = option_facts(Made, {"share": 0.5})
    assert (path.default, path.type, path.meaning) == (REQUIRED, "str", "")
    assert (share.type, share.default, share.preset) == ("float or None", None, 0.5)


# -- the contributor's trial ---------------------------------------------------------------------

REFUSED = {
    "b_clash": "X does not define merge()",
    "b_forgot": "recmerge_bench_register needs @hookimpl above it",
    "b_import": "No module named 'nothing_such'",
    "b_nohook": "it implements no hook",
    "b_sig": "recmerge_bench_register takes no arguments, not (config)",
    "b_spec": "there are no specs of kind 'stratgy' (did you mean 'strategy'?)",
    "b_spec2": "StrategySpec 'Bad Name!' needs the field 'inputs'",
    "b_spec3": "StrategySpec 'single' needs the field 'inputs'",
    "b_spec4": "'b_spec4' has no 'Missing'",
    "b_syntax": "SyntaxError: invalid syntax",
    "b_typo": "there is no hook 'recmerge_bench_registr' (did you mean 'recmerge_bench_register'",
    "bad_model": "No module named 'recmerge_bench_plugins.leave_one_out'",
    "bad_run": "StrategySpec 'forgot-inputs' needs the field 'inputs'",
}


def case(shared: Path, name: str) -> str:
    return str(shared / "cases" / "plugins" / f"{name}.py")


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.filterwarnings("ignore:write .*Spec")
def test_refused_ones_of_the_trial(shared: Path, name: str) -> None:
    report = check_plugin(case(shared, name))
    what = failures(report)["registers"]
    assert REFUSED[name] in what and (f"{name}.py" in what), what


def test_a_slow_one_of_the_trial(shared: Path) -> None:
    assert "importing it imports torch" in failures(check_plugin(case(shared, "b_slow")))[
        "import-time"
    ]  # fmt: skip


def adapted(shared: Path, name: str, *changes: tuple[str, str]) -> str:
    """A case's text as it would have been written for the present names."""
    text = Path(case(shared, name)).read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return text


RUN = {
    "missing": "lacks 'a.0.weight'", "extra": "holds 'zzz'", "shape": "the base has [4, 3]",
    "nan": "with NaN or infinite values", "none": "gave NoneType", "numpy": "as ndarray",
    "half": "as torch.float16; the base has torch.float32", "raise": "KeyError: 'nothing'",
    "mutate": "changed the base's a.0.weight", "exit": "exit status 3",
    "print": "in reverse order",  # printing is no fault; taking the first expert is
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:write .*Spec")
def test_wrong_merges_of_the_trial(shared: Path, write: Any) -> None:
    text = adapted(shared, "bad_run", (' + [Spec("strategy", "wrong-kind"', " #"))
    report = check_plugin(write(text, "bad_run"), only=["shapes", "inputs-untouched",
                                                       "order-of-experts"])  # fmt: skip
    assert len(report.specs) == len(RUN)
    for spec in report.specs:
        words = RUN[spec.name.removeprefix("s-")]
        assert any(words in o.what for o in spec.outcomes if o.status == "failed"), spec


MODELS = {
    "leak": "trains on targets of valid", "wrong-domain": "domains that are not their targets'",
    "wrong-target": "targets that do not stand at", "c-nan": "gave NaN or infinite scores",
    "c-few": "gave scores as float32 [48, 19]", "c-all": "gave scores as float32 [48, 40]",
    "c-const": "NDCG@10 is", "c-none": "gave scores as NoneType",
    "Metscalar": "gave values as float", "Metnan": "NaN or infinite", "Metshort": "float64 [3]",
    "Metlist": "gave values as list", "bad-range": "gave items that hold",
    "bad-order": "out of the order of their times", "bad-float": "gave times as float64",
    "bad-dtype": "gave items as int64", "bad-tokens": "gave user_tokens of length 5",
    "bad-texts": "gave texts of length 0", "bad-names": "domains() promises",
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:write .*Spec")
def test_wrong_models_protocols_metrics_and_datasets_of_the_trial(shared: Path, write: Any) -> None:
    text = adapted(
        shared, "bad_model",
        ("recmerge_bench_plugins.leave_one_out", "recmerge_bench_plugins.protocols.leave_one_out"),
        ("recmerge_bench_plugins.synthetic", "recmerge_bench_plugins.datasets.synthetic"),
    )  # fmt: skip
    report = check_plugin(write(text, "bad_model"), only=["shapes", "events", "quality"])
    assert {s.name for s in report.specs} == MODELS.keys()
    for spec in report.specs:
        said = [o.what for o in spec.outcomes if o.status == "failed"]
        assert any(MODELS[spec.name] in what for what in said), (spec.name, said)


@pytest.mark.filterwarnings("ignore:write .*Spec")
def test_right_and_wrong_items_of_the_trial(
    shared: Path, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(shared / "cases" / "plugins"))
    report = check_plugin(case(shared, "bad_items"), only=["facts-and-shapes", "padding"])
    wrong, right = report.specs
    assert "gave vectors [40, 64] for 'd0'; they are [20, width]" in wrong.outcomes[0].what
    assert [o.status for o in right.outcomes] == ["passed", "passed"]


@pytest.mark.filterwarnings("ignore:WeightsOnly")
def test_the_trials_strategy_conforms(shared: Path) -> None:
    assert failures(check_plugin(case(shared, "geomedian"))) == {}
