"""README and ARCHITECTURE say what is true: the example runs, the board is the committed one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from compared_builders import gated, suite
from conftest import ROOT, SAMPLES, tool

from recmerge_bench.cli import COMMANDS
from recmerge_bench.registry import Registry
from recmerge_bench.results.all_ranks import write_all_ranks
from recmerge_bench.results.loading import Results
from recmerge_bench.results.records import check_records

README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(start: str) -> str:
    match = re.search(rf"<!-- {re.escape(start)} -->\n(.*?)<!-- end -->", README, re.DOTALL)
    assert match, start
    return match.group(1).strip()


def test_ci_calls_the_readmes_test_command() -> None:
    command = "python3 -m venv .tox/tool && .tox/tool/bin/pip install -q tox && .tox/tool/bin/tox"
    assert f"    {command}\n" in README
    assert command in (ROOT / ".ci" / "run").read_text()


def test_every_command_is_in_the_readme() -> None:
    for name in COMMANDS:
        assert f"`recmerge-bench {name}" in README, name


def test_printed_results_are_the_committed_ones() -> None:
    documents = tool("benchmarks/tools/documents.py")
    for document in documents.DOCUMENTS:
        text = (ROOT / document).read_text(encoding="utf-8")
        assert "<!-- result" in text and documents.renewed(document) == text, (
            f"{document}: run python benchmarks/tools/documents.py"
        )


def test_the_comparison_with_recbole_follows_from_its_records() -> None:
    folder = ROOT / "benchmarks" / "quality" / "records"
    compare = tool("benchmarks/quality/compare.py")
    actual = [row for model in compare.PAIRS for row in compare.rows(folder, model)]
    committed = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
    assert len(actual) == len(committed["rows"]) == 24
    for ours, theirs in zip(actual, committed["rows"], strict=True):
        for key, value in theirs.items():
            close = pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
            assert ours[key] == close
    settled = [r for r in actual if r["ours"] == "mean of seeds" and "validation" in r["recbole"]]
    assert [r["not_worse"] for r in settled] == [True, True]


def test_courses_of_trainings_are_those_that_were_selected_on() -> None:
    path = ROOT / "benchmarks" / "claims" / "records" / "merit-cpu-courses.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["trainings"] and all(
        t["kept"] == max(t["valid"]) and t["epochs"] == len(t["valid"])
        for t in document["trainings"]
    )


CLAIMS = sorted((ROOT / "benchmarks" / "claims").glob("*.yaml"))


@pytest.mark.parametrize("name", [path.stem for path in CLAIMS])
def test_the_claims_follow_from_the_committed_ranks(name: str) -> None:
    rows = tool("benchmarks/claims/claims.py").judged(name)
    path = ROOT / "benchmarks" / "claims" / "records" / f"{name}.json"
    committed = json.loads(path.read_text(encoding="utf-8"))["claims"]
    assert any("difference" in c for c in rows)
    for ours, theirs in zip(rows, committed, strict=True):
        assert ours["family"] == theirs["family"]
        assert ours.get("difference") == approximately(theirs.get("difference"))
        for claim in ("about_methods", "about_models"):
            judged = theirs.get(claim, {})  # nothing where a row is not run
            assert ours.get(claim, {}).keys() == judged.keys()
            for key, value in judged.items():
                assert ours[claim][key] == approximately(value)


def approximately(value: Any) -> Any:
    return pytest.approx(value, rel=1e-9) if isinstance(value, float) else value


def written(
    folder: Path, registry: Registry, records: dict[str, Any], tables: dict[str, Any]
) -> Results:
    write_all_ranks(folder / "made.ranks.parquet", tables)
    return Results(folder / "made.json", check_records(records, Path("made.json")), registry)


def test_a_claim_about_the_baseline_is_the_boards_comparison(
    registry: Registry, tmp_path: Path
) -> None:
    records, tables = suite(registry)
    [board] = records["comparisons"]
    rows = {row["method"]: row for row in board["rows"]}
    place = {"track": "merging", "protocol": "cut"}
    pairs = [("up", "base"), ("base", "down"), ("up", "down"), ("near", "down"), ("late", "up")]
    claims = [{**place, "row": {"method": a}, "against": {"method": b}} for a, b in pairs]
    made = tool("benchmarks/claims/claims.py")
    results = written(tmp_path, registry, records, tables)
    page = made.Page(results, "NDCG@10")
    up, down, pair, other, late = page.judged(claims)
    assert [x["family"] for x in (up, down, pair, other, late)] == [
        "board", "board", "page", "page", "not run"
    ]  # fmt: skip
    assert up["about_methods"] == rows["up"]["about_methods"]
    assert up["difference"] == rows["up"]["difference"]
    theirs = rows["down"]["about_methods"]
    assert (theirs["verdict"], down["about_methods"]["verdict"]) == ("worse", "better")
    assert down["about_methods"]["p"] == theirs["p"]
    assert down["about_methods"]["lower"] == -theirs["upper"]
    assert down["difference"] == -rows["down"]["difference"] > 0
    assert down["relative"] == pytest.approx(down["difference"] / rows["down"]["first"], rel=1e-8)
    assert pair["about_methods"]["level"] == pytest.approx(0.975)  # the first of two on the page
    assert pair["difference"] == pytest.approx(up["difference"] + down["difference"], rel=1e-8)
    # in another metric than the board's, nothing is the board's
    [mrr] = made.Page(results, "MRR").judged(claims[:1])
    assert mrr["family"] == "page"
    with pytest.raises(SystemExit, match="0 rows"):
        page.judged([{**place, "row": {"method": "nobody"}, "against": {"method": "base"}}])


def test_the_best_of_rows_and_a_metric_of_a_claims_own(registry: Registry, tmp_path: Path) -> None:
    records, tables = suite(registry)
    made, place = tool("benchmarks/claims/claims.py"), {"track": "merging", "protocol": "cut"}
    results = written(tmp_path, registry, records, tables)

    def of(*names: str, **more: str) -> dict[str, Any]:
        best = {"best_of": [{"method": name} for name in names]}
        return {**place, "row": best, "against": {"method": "base"}, **more}

    plain = {**place, "row": {"method": "up"}, "against": {"method": "base"}}
    claims = [of("down", "up"), of("up", "late"), plain, of("down", "up", metric="MRR")]
    best, unfinished, alone, mrr = made.judged_by(results, "NDCG@10", claims)
    assert best["difference"] == alone["difference"] > 0 and best["family"] == "board"
    assert unfinished["family"] == "not run"  # one of the two is
    assert mrr["metric"] == "MRR" and mrr["family"] == "page"
    assert mrr["difference"] != best["difference"]


def test_no_claim_is_judged_behind_a_shut_gate(registry: Registry, tmp_path: Path) -> None:
    records, tables = gated(registry, "down", "up", "counts")
    made, place = tool("benchmarks/claims/claims.py"), {"track": "merging", "protocol": "cut"}
    page = made.Page(written(tmp_path, registry, records, tables), "NDCG@10")
    pairs = [("near", "base"), ("same", "up"), ("down", "up"), ("late", "up")]
    claims = [{**place, "row": {"method": a}, "against": {"method": b}} for a, b in pairs]
    near, same, own, late = page.judged(claims)
    assert [x["family"] for x in (near, same, own, late)] == ["gate", "gate", "page", "not run"]
    assert near == same and near["reason"].startswith("naive gate not passed: down (")
    assert own["about_methods"]["verdict"] == "worse"  # the gate's own question


def test_the_example_plugin_is_the_tested_file_and_runs(tmp_path: Path) -> None:
    text = block("file tests/example_plugin.py").removeprefix("```python").removesuffix("```")
    file = ROOT / "tests" / "example_plugin.py"
    assert text.strip() == file.read_text().strip()
    rows = '[{"method": "median", "backbones": ["sasrec"]}]'
    ran = subprocess.run(
        [
            sys.executable, "-m", "recmerge_bench", "-p", str(file), "run",
            "--suite", str(SAMPLES / "tiny.yaml"), "--out", str(tmp_path),
            "--set", f"tracks.merging.rows={rows}", "--set", "tracks.merging.protocols=[loo]",
            "--only", "method=median",
        ],
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "median" in (tmp_path / "boards" / "tiny.md").read_text()


def test_the_readmes_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas")
    import torch

    (tmp_path / "leaderboards").symlink_to(ROOT / "leaderboards")
    monkeypatch.chdir(tmp_path)
    code = block("python").removeprefix("```python").removesuffix("```")
    weights = {
        name: {"weight": torch.full((4, 4), float(n))}
        for n, name in enumerate(("base", "one", "other"))
    }
    names: dict[str, Any] = dict(weights)
    exec(compile(code, "README.md", "exec"), names)
    assert names["run"].ok and set(names["run"].to_pandas().method) == {"popularity", "item-knn"}
    assert names["merged"]["weight"].shape == (4, 4)
    calls = re.findall(r"^rmb\.compare\(.*?\)(?=  #|$)", code, re.MULTILINE)
    quick, ml100k = (eval(call, names) for call in calls)
    assert quick.family == "pair"
    board = (ROOT / "leaderboards" / "ml100k.md").read_text(encoding="utf-8")
    row = next(x for x in board.splitlines() if f"| {names['method']} " in x and "| sasrec " in x)
    assert ml100k.family == "board" and f"{ml100k.verdict} ({100 * ml100k.relative:+.1f} %)" in row


def test_the_map_names_files_that_exist() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for name in re.findall(r"`((?:[a-z_]+/)+[a-z_0-9]+\.py)`", text):
        places = (ROOT / name, ROOT / "recmerge_bench" / name)
        assert any(p.is_file() for p in places), name


def test_the_trial_that_suite_cdsr_took_is_its_training() -> None:
    plan = yaml.safe_load((ROOT / "benchmarks" / "quality" / "cdsr-trials.yaml").read_text())
    track = yaml.safe_load((ROOT / "benchmarks" / "cdsr.yaml").read_text())["tracks"]
    track = track["food-kitchen"]
    own = tool("benchmarks/quality/cdsr_trials.py").asked(plan, "random batches")
    suite = {k: v for k, v in track["training"].items() if k not in ("steps", "select")}
    assert own["training"] == suite and own["protocol"] == track["protocols"][0]
    assert own["pair"] == track["domains"] and own["options"] == {"width": 64}
    assert plan["dataset_options"] == track["dataset_options"]
