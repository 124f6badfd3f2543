"""Plugin discovery: a broken one stops nothing, order changes nothing, torch stays out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import SAMPLES

from recmerge_bench.errors import HandledError
from recmerge_bench.registry import Registry, discover

GOOD = """
from recmerge_bench.api import StrategyDefinition, StrategySpec, hookimpl

class First(StrategyDefinition):
    def merge(self, given):
        return dict(given.experts[0].weights)

@hookimpl
def recmerge_bench_register():
    return [StrategySpec("first-expert", f"{__name__}:First", "takes", inputs=("base", "experts"))]
"""


MODEL = """
from recmerge_bench.api import Backbone, BackboneSpec, hookimpl

class Mine(Backbone):
    def build(self, catalogue, domains, seed): pass
    def loss(self, net, batch): pass
    def encode(self, net, histories, lengths, domain): pass
    def items(self, net, domain): pass
    def max_history(self): pass

@hookimpl
def recmerge_bench_register():
    return [BackboneSpec("mine", f"{__name__}:Mine", "a model")]
""".replace("BackboneSpec, hook", "BackboneSpec, CDSRSpec, hook")


TINY = SAMPLES / "tiny.yaml"


def bench(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "recmerge_bench", *words], capture_output=True, text=True,
        env={**os.environ, **environ},
    )  # fmt: skip


def test_first_party_plugins_come_by_entry_points(registry: Registry) -> None:
    assert {"sasrec", "bert4rec"} <= set(registry.names("backbone"))
    assert {"popularity", "item-knn"} <= set(registry.names("counting"))
    assert {"weight-averaging", "task-arithmetic", "ties"} <= set(registry.names("strategy"))
    for plugin in registry.plugins:
        assert plugin.origin == "recmerge-bench"


def test_a_strangers_file_is_registered_the_same_way(tmp_path: Path) -> None:
    file = tmp_path / "stranger.py"
    file.write_text(GOOD)
    registry = discover([str(file)], environ={})
    spec = registry.get("strategy", "first-expert")
    assert [p.origin for p in registry.plugins if spec in p.specs] == [str(file)]
    assert registry.files == {"stranger": str(file)}
    del sys.modules["stranger"]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A plugin of two modules: the hook imports its class from the other."""
    package = tmp_path / "strangers_folder"
    package.mkdir()
    (package / "__init__.py").write_text(
        GOOD.replace("from recmerge", "from .taking import first\nfrom recmerge")
        .replace("dict(given.experts[0].weights)", "first(given)")
    )  # fmt: skip
    (package / "taking.py").write_text(
        "def first(given):\n    return dict(given.experts[0].weights)\n"
    )
    yield package
    for name in [n for n in sys.modules if n.startswith("strangers_folder")]:
        del sys.modules[name]


def test_a_strangers_folder_is_a_plugin(folder: Path) -> None:
    registry = discover([str(folder)], environ={})
    assert registry.problems == [] and "first-expert" in registry.names("strategy")
    assert registry.files == {"strangers_folder": str(folder)}
    assert "strangers_folder.taking" in sys.modules
    assert "first-expert" not in discover(environ={}).names("strategy")
    part = sys.modules["strangers_folder.taking"]
    assert discover([str(folder)], environ={}).files == registry.files
    assert sys.modules["strangers_folder.taking"] is not part, "its parts are read again too"


def test_a_part_of_a_folder_that_fails_is_told_and_forgotten(folder: Path) -> None:
    (folder / "taking.py").write_text("def first(given): pass\n\nraise ValueError('no')\n")
    [problem] = discover([str(folder)], environ={}).problems
    assert f"{folder / 'taking.py'}:3: ValueError: no" in problem
    assert not any(name.startswith("strangers_folder") for name in sys.modules)


def test_a_folders_strategy_merges_in_a_worker(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    rows = '[{"method": "first-expert", "backbones": ["sasrec"]}]'
    done = bench(
        "-p", str(folder), "run", "--suite", str(TINY), "--out", str(out),
        "--set", f"tracks.merging.rows={rows}", "--set", "tracks.merging.protocols=[loo]",
        "--only", "method=first-expert",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "first-expert" in (out / "boards" / "tiny.md").read_text()


def test_the_environment_names_plugins_too(tmp_path: Path) -> None:
    file = tmp_path / "stranger_env.py"
    file.write_text(GOOD)
    registry = discover(environ={"RECMERGE_BENCH_PLUGINS": str(file)})
    assert "first-expert" in registry.names("strategy")
    del sys.modules["stranger_env"]


@pytest.mark.parametrize(
    "text",
    ["import no_such_module", "raise SystemError('x')", "def broken(:", GOOD.replace(":First", "")],
)
def test_a_broken_plugin_is_reported_and_stops_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "broken_plugin.py"
    file.write_text(text)
    registry = discover([str(file)], environ={})
    assert len(registry.problems) == 1
    assert "broken_plugin" in registry.problems[0]
    assert "ties" in registry.names("strategy")
    sys.modules.pop("broken_plugin", None)


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Callable[[str, str], str]]:
    """Write a plugin file; its module is forgotten afterwards."""
    before = set(sys.modules)

    def write(name: str, text: str) -> str:
        file = tmp_path / f"{name}.py"
        file.write_text(text)
        return str(file)

    yield write
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.mark.parametrize("kind", ["strategy", "cdsr"])
def test_a_contested_name_is_nobodys(write: Callable[[str, str], str], kind: str) -> None:
    text = GOOD.replace("first-expert", "ties")
    if kind == "cdsr":
        text = MODEL.replace("BackboneSpec", "CDSRSpec").replace("mine", "ties")
    file = write("twice", text)
    registry = discover([file], environ={})
    [problem] = registry.problems
    assert "'ties' is registered by recmerge_bench_plugins.strategies.ties (" in problem
    assert f"and by twice ({file}:" in problem and "distribution recmerge-bench" in problem
    with pytest.raises(HandledError, match="one name means one thing"):
        registry.get("strategy", "ties")
    with pytest.raises(HandledError, match="one name means one thing"):
        registry.find(("strategy", "cdsr", "backbone"), "ties")
    assert registry.get("strategy", "task-arithmetic").name == "task-arithmetic"
    assert registry.refused == []


def test_the_order_of_two_strangers_decides_nothing(write: Callable[[str, str], str]) -> None:
    files = [write("aaa", GOOD), write("zzz", GOOD)]
    for order in (files, files[::-1]):
        registry = discover(order, environ={})
        with pytest.raises(HandledError, match=r"registered by (aaa|zzz) .* and by (zzz|aaa) "):
            registry.get("strategy", "first-expert")


def test_a_plugin_named_twice_is_one(write: Callable[[str, str], str]) -> None:
    file = write("once", GOOD)
    registry = discover(
        [file, "recmerge_bench_plugins.strategies.ties"], {"RECMERGE_BENCH_PLUGINS": file}
    )
    assert registry.problems == [] and registry.refused == []
    assert registry.get("strategy", "first-expert") and registry.get("strategy", "ties")


def test_a_suite_that_uses_a_contested_name_stops_and_others_go_on(
    write: Callable[[str, str], str],
) -> None:
    file = write("clash", GOOD.replace("first-expert", "ties"))
    uses = bench("-p", file, "plan", "--suite", "quick")
    assert uses.returncode == 2
    assert "suite 'quick', track" in uses.stderr and "one name means one thing" in uses.stderr
    other = bench("-p", file, "plan", "--suite", "quick", "--set", 'tracks.merging.rows=["joint"]')
    assert other.returncode == 0, other.stderr
    listed = bench("-p", file, "plugins", "list")
    assert listed.stdout.count("ties (contested)") == 2


def test_suites_of_one_name_are_contested_too(
    tmp_path: Path, write: Callable[[str, str], str]
) -> None:
    (tmp_path / "quick.yaml").write_text("name: quick\ntracks: {}\n")
    text = (
        "from pathlib import Path\nfrom recmerge_bench.api import hookimpl\n@hookimpl\n"
        "def recmerge_bench_suites():\n    return [Path(__file__).parent]\n"
    )
    file = write("suites_too", text)
    done = bench("-p", file, "plan", "--suite", "quick")
    assert done.returncode == 2 and "two files are the suite 'quick'" in done.stderr
    assert bench("-p", file, "plan", "--suite", "ml100k").returncode == 0


REFUSED = {
    "misspelt": (GOOD.replace("bench_register", "bench_registr"), ":8: there is no hook"),
    "pending": (GOOD.replace("recmerge_bench_register", "check_pending"), ":8: there is no hook"),
    "unmarked": (GOOD.replace("@hookimpl", ""), ":9: recmerge_bench_register needs @hookimpl"),
    "both": (
        GOOD.replace("@hookimpl", "").replace("bench_register", "bench_registers"),
        ":9: there is no hook",
    ),
    "no-hook": ("x = 1\n", "implements no hook"),
    "no-list": (GOOD.replace("[Strat", "Strat").replace("))]", "))"), "has to return a list"),
    "nothing": (GOOD.replace("return [Str", "[Str"), "returns nothing"),
    "no-spec": (GOOD.replace("[Strat", "[7, Strat"), "registers 7, which is no spec"),
    # Its own properties could say another tier to the planner than the merge is handed.
    "own-spec": (
        GOOD.replace(
            "@hookimpl", "class Mine(StrategySpec):\n    kind = 'strategy'\n\n@hookimpl"
        ).replace("[StrategySpec", "[Mine"),
        "which is no spec",
    ),
    "twice": (GOOD.replace("return [", "return 2 * ["), "is registered at"),
    "tier": (GOOD.replace("))]", '), tier="T9")]'), ":10: StrategySpec 'first-expert': tier takes"),
    "inputs": (GOOD.replace('"experts"', '"expert"'), ":10: StrategySpec"),
    "spaces": (GOOD.replace("first-expert", "first expert"), "name takes lower-case letters"),
    "arguments": (GOOD.replace("register()", "register(config)"), "takes no arguments"),
    "old-form": (
        GOOD.replace(
            "return [StrategySpec(",
            "from recmerge_bench.specs import Spec\n    return [Spec('stratgy', ",
        ),
        "(did you mean 'strategy'?)",
    ),
    "no-class": (GOOD.replace(":First", ":Fist"), "has no 'Fist' (did you mean 'First'"),
    "no-module": (GOOD.replace("{__name__}:", "no_such_one:"), "there is no module 'no_such_one'"),
    "elsewhere": (
        GOOD.replace("{__name__}:First", "recmerge_bench.toolkit.models.causal:Nothing"),
        "no 'Nothing'",
    ),
    "wrong-class": (
        GOOD.replace("class First(StrategyDefinition)", "class First(MetricDefinition)").replace(
            "import Str", "import MetricDefinition, Str"
        ),
        "a strategy's class inherits from StrategyDefinition",
    ),
    "no-subclass": (GOOD.replace("class First(StrategyDefinition)", "class First"), "inherits"),
    "no-method": (GOOD.replace("def merge(", "def merged("), "First does not define merge()"),
    "few-arguments": (GOOD.replace("(self, given)", "(self)"), "merge() has to take (self, given)"),
    "more-arguments": (GOOD.replace("given):", "given, more):"), "merge() has to take"),
    "own-init": (
        GOOD.replace("    def merge", "    def __init__(self):\n        pass\n    def merge"),
        "has to be made of its options alone",
    ),
    "earlier-name": (
        GOOD.replace("    def merge", "    reach = 'entry'\n    def merge"),
        "First.reach is called scope",
    ),
    "scope": (GOOD.replace("    def merge", "    scope = 'all'\n    def merge"), "First.scope is"),
    "preset": (GOOD.replace("))]", "), options={'nope': 1})]"), "name 'nope', which First does"),
    "options": (GOOD.replace("    def merge", "    Options = dict\n    def merge"), "a dataclass"),
    "exit": ("import sys\nsys.exit(0)\n", "SystemExit"),
    "syntax": ("def broken(:\n", ":1: SyntaxError"),
    "import": ("\nimport no_such_module\n", ":2: ModuleNotFoundError"),
    "mute": ("class E(Exception):\n    def __str__(self):\n        1 / 0\nraise E\n", ":4: E"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_refused_at_discovery(write: Callable[[str, str], str], case: str) -> None:
    text, message = REFUSED[case]
    file = write("wrong_one", text)
    before = dict(discover(environ={}).specs)
    registry = discover([file], environ={})
    [problem] = registry.problems
    assert message in problem and "wrong_one" in problem and "\n" not in problem
    assert registry.specs == before and registry.files == {}
    assert registry.refused and registry.refused[0] in problem
    by_environment = discover(environ={"RECMERGE_BENCH_PLUGINS": file})
    assert len(by_environment.problems) == 1 and by_environment.refused == []


@pytest.mark.parametrize("method", ["build", "loss", "encode", "items", "max_history"])
def test_a_model_without_a_method_is_refused(write: Callable[[str, str], str], method: str) -> None:
    assert discover([write("mine_all", MODEL)], environ={}).problems == []
    file = write("mine_less", MODEL.replace(f"def {method}(", f"def no_{method}("))
    [problem] = discover([file], environ={}).problems
    assert f"Mine does not define {method}()" in problem


def test_a_single_target_model_is_handed_its_target(write: Callable[[str, str], str]) -> None:
    text = MODEL.replace("BackboneSpec", "CDSRSpec")
    text = text.replace('"a model")', '"a model", single_target=True)')
    assert "single_target" in text
    [problem] = discover([write("mine_single", text)], environ={}).problems
    assert "Mine does not define build_for()" in problem


@pytest.mark.parametrize("text", ["import no_such_module\n", None])
def test_a_named_file_that_is_missing_or_broken_exits_2(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "named.py"
    if text:
        file.write_text(text)
    done = bench("-p", str(file), "plugins", "list")
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith(f"error: plugin '{file}'") and done.stderr.count("\n") == 1
    assert "bug in recmerge-bench" not in done.stderr


def test_a_broken_plugin_of_the_environment_stops_nothing(write: Callable[[str, str], str]) -> None:
    file = write("broken", "import no_such_module\n")
    done = bench("plugins", "list", RECMERGE_BENCH_PLUGINS=file)
    assert done.returncode == 0 and "ties" in done.stdout
    assert done.stderr.startswith(f"warning: plugin '{file}'")


def test_what_a_plugin_prints_is_not_the_commands(write: Callable[[str, str], str]) -> None:
    file = write("talks", "print('hello')\n" + GOOD)
    done = bench("-p", file, "plugins", "list", "--json")
    assert json.loads(done.stdout)["problems"] == [] and "hello" in done.stderr


AT_PLAN = """
from recmerge_bench.api import DatasetDefinition, DatasetSpec, hookimpl

class Mine(DatasetDefinition):
    def domains(self, data_root=None):
        return len(None)
    def load(self, data_root):
        pass

@hookimpl
def recmerge_bench_register():
    return [DatasetSpec("mine", f"{__name__}:Mine", "fails when it is planned")]
"""


def test_an_error_out_of_a_plugin_is_the_plugins(write: Callable[[str, str], str]) -> None:
    file = write("at_plan", AT_PLAN)
    words = ("-p", file, "plan", "--suite", "quick", "--set", "tracks.merging.dataset=mine")
    done = bench(*words)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith(f"error: plugin at_plan, {file}:6: TypeError: object of type")
    assert "Traceback" in bench(*words, RECMERGE_BENCH_TRACEBACK="1").stderr


def test_a_class_that_cannot_be_imported_is_told_by_the_plan(
    tmp_path: Path, write: Callable[[str, str], str]
) -> None:
    package = tmp_path / "lazy_one"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "inside.py").write_text("import no_such_module\n\n\nclass Mine:\n    pass\n")
    file = write("points_there", f"import sys\nsys.path.append({str(tmp_path)!r})\n"
                 + AT_PLAN.replace("{__name__}:", "lazy_one.inside:"))  # fmt: skip
    assert bench("-p", file, "plugins", "list").returncode == 0
    done = bench("-p", file, "plan", "--suite", "quick", "--set", "tracks.merging.dataset=mine")
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert f"{package / 'inside.py'}:1: lazy_one.inside:Mine cannot be imported" in done.stderr
    (package / "inside.py").write_text("class Mine:\n    pass\n")
    done = bench("-p", file, "plan", "--suite", "quick", "--set", "tracks.merging.dataset=mine")
    assert done.returncode == 2 and "inherits from DatasetDefinition" in done.stderr


def test_only_takes_several() -> None:
    def labels(*only: str) -> set[str]:
        words = [w for text in only for w in ("--only", text)]
        done = bench("plan", "--suite", "quick", "--json", *words)
        assert done.returncode == 0, done.stderr
        return {c["label"] for c in json.loads(done.stdout)["cells"] if c["kind"] == "rank"}

    ties, joint = labels("method=ties,seed=0"), labels("method=joint")
    assert ties and joint and not ties & joint
    assert labels("method=ties,seed=0", "method=joint") == ties | joint
    wrong = bench("plan", "--suite", "quick", "--only", "method=ties", "--only", "method=nothing")
    assert wrong.returncode == 2 and "method=nothing matches nothing" in wrong.stderr


def test_near_names_are_suggested(registry: Registry) -> None:
    with pytest.raises(HandledError, match="did you mean 'ties'"):
        registry.get("strategy", "tiess")


def test_a_forgotten_or_misplaced_p_is_hinted_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "wrote my_way.py" in bench("plugins", "new", "my-way", "--kind", "strategy").stdout
    forgotten = bench("run", "--suite", "my-way.yaml")
    assert forgotten.returncode == 2 and forgotten.stderr.count("\n") == 1
    assert "no plugin registers the strategy" in forgotten.stderr
    assert forgotten.stderr.endswith(
        "a plugin's file is named before the command: `recmerge-bench -p my_way.py COMMAND ...`\n"
    )
    metric = bench("plan", "--suite", "quick", "--set", "metrics=[NDCG@10, reach@10]")
    assert "the metric 'reach'" in metric.stderr and "`recmerge-bench -p FILE.py" in metric.stderr
    asked = bench("plan", "--suite", "quick", "--only", "method=my-way")
    assert "no method 'my-way'; there are: abxi, " in asked.stderr
    assert "; one of a file of yours needs -p FILE.py before" in asked.stderr
    misplaced = bench("run", "-p", "my_way.py", "--suite", "my-way.yaml")
    assert misplaced.returncode == 2
    belongs = "-p belongs before the command: `recmerge-bench -p FILE.py run ...`\n"
    assert misplaced.stderr == f"error: {belongs}"
    wrong = bench("-p", "my_way.py", "plan", "--suite", "quick", "--set", "executor=mine")
    assert "-p my_way.py registers strategy 'my-way'" in wrong.stderr


@pytest.mark.parametrize(
    "arguments", [["--help"], ["plugins", "list"], ["plan", "--suite", "quick"]]
)
def test_light_commands_import_no_torch(arguments: list[str]) -> None:
    code = (
        "import sys; from recmerge_bench.cli import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "heavy = {'torch', 'transformers', 'recbole'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
