"""Exports: long tables, LaTeX, TREC files whose values by query are ours, the appendix summary."""

from __future__ import annotations

import csv
import json
import math
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import boards_builders as made
import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from compared_builders import suite
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from recmerge_bench.cli import cli
from recmerge_bench.digests import sha256
from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.evaluation.metrics import ndcg, rank
from recmerge_bench.files import write_json
from recmerge_bench.registry import Registry, discover
from recmerge_bench.report.exports.latex import escaped
from recmerge_bench.report.exports.long_table import COLUMNS
from recmerge_bench.report.exports.write import FORMATS, export_suite
from recmerge_bench.results.all_ranks import read_all_ranks, write_all_ranks

COMMITTED = ROOT / "leaderboards" / "records"


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    """The fabricated suite's records, without ranks."""
    write_json(tmp_path / "records" / "fake.json", made.records())
    return tmp_path / "records"


@pytest.fixture
def compared(registry: Registry, tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """A suite with verdicts and its ranks."""
    records, tables = suite(registry)
    folder = tmp_path / "records"
    write_json(folder / "fake.json", records)
    write_all_ranks(folder / "fake.ranks.parquet", tables)
    return folder, records


def exported(
    folder: Path, suite: str, formats: tuple[str, ...], to: Path, only: tuple[str, ...] = ()
) -> list[Path]:
    return export_suite(folder, suite, formats, to, discover(environ={}), only)


# -- long tables ----------------------------------------------------------------------------------


def test_a_row_for_each_result_domain_and_metric(fake: Path, tmp_path: Path) -> None:
    files = exported(fake, "fake", ("csv", "parquet"), tmp_path / "to")
    assert [f.name for f in files] == ["fake.csv", "fake.parquet"]
    with files[0].open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    records = made.records()
    assert len(rows) == len(records["results"]) * 3 * 3 and tuple(rows[0]) == COLUMNS
    for row in rows:
        [result] = [
            r
            for r in records["results"]
            if r["key"] == row["key"] and r["identity"]["recipe"] == row["recipe"]
        ]
        assert row["reason"] == result["reason"] and row["status"] == result["status"]
        if row["status"] == "done":
            assert float(row["value"]) == result["metrics"][row["domain"]][row["metric"]]
            assert row["mask_history"] == "true" and row["candidates"] == "full"
        else:
            assert row["value"] == row["instances"] == row["mask_history"] == ""
    assert {r["instances"] for r in rows if r["domain"] == "mean"} == {"50", ""}
    with pq.ParquetFile(files[1]) as file:
        same = file.read().to_pylist()
    for ours, theirs in zip(rows, same, strict=True):
        assert {k: "" if v is None else str(v) for k, v in theirs.items()} == {
            **ours, "mask_history": ours["mask_history"].capitalize()
        }  # fmt: skip


# -- LaTeX ----------------------------------------------------------------------------------------

_WRITTEN = {
    r"\textbackslash{}": "\\", r"\textasciitilde{}": "~", r"\textasciicircum{}": "^",
    r"\textless{}": "<", r"\textgreater{}": ">", r"\textbar{}": "|", r"\textquotedbl{}": '"',
    r"\ensuremath{\div}": "÷", r"\ensuremath{\pm}": "±", "{[}": "[", "{]}": "]",
    r"\textendash{}": "–",
    r"\&": "&", r"\%": "%", r"\$": "$", r"\#": "#", r"\_": "_", r"\{": "{", r"\}": "}",
    r"\textasciigrave{}": "`", "-{}": "-", ",{}": ",", "'{}": "'",
}  # fmt: skip
_TOKEN = re.compile("|".join(map(re.escape, sorted(_WRITTEN, key=len, reverse=True))))


@given(st.text(max_size=40) | st.text("-–,'`\"\\{}[]%&$", max_size=20))
def test_escaped_text_reads_as_it_was_and_holds_no_command(text: str) -> None:
    actual = escaped(text)
    shown = _TOKEN.sub(lambda m: _WRITTEN[m.group()], actual)
    assert shown == "".join(c if c.isprintable() else " " for c in text)
    bare = _TOKEN.sub(" ", actual)
    assert not set(bare) & set('\\{}$&#%_^~<>|"[]\n\r\t`')
    assert not any(twice in bare for twice in ("--", ",,", "''"))


def rows_of(text: str) -> list[str]:
    return text.split("\\midrule\n")[1].split("    \\bottomrule")[0].splitlines()


def balanced(text: str) -> bool:
    """Environments and braces close in order."""
    open_ones = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if kind == "begin":
            open_ones.append(name)
        elif not open_ones or open_ones.pop() != name:
            return False
    plain = re.sub(r"\\[{}]", "", text)
    return not open_ones and plain.count("{") == plain.count("}")


def test_latex_tables_have_the_boards_numbers_and_a_whole_structure(
    fake: Path, tmp_path: Path
) -> None:
    [file] = exported(fake, "fake", ("latex",), tmp_path / "to")
    text = file.read_text(encoding="utf-8")
    assert file.name == "fake-merging-cut.tex" and balanced(text)
    assert re.search(r"\\begin\{tabular\}\{llrrr\}\n    \\toprule\n", text)
    rows = rows_of(text)
    assert len(rows) == 4 and all(re.sub(r"\\&", "", r).count("&") == 4 for r in rows)
    assert all(r.endswith(r" \\") for r in rows)
    assert rows[1].startswith(r"    net & own & \textbf{0.3100} {\tiny $\pm$ 0.0141} & ")
    assert r"average (a\textbar{}b; fixed recipe) & \underline{0.2000}" in rows[2]
    assert rows[0].startswith(r"    \textendash{} & counts & 0.1000 & ")


def test_latex_tables_print_verdicts(compared: tuple[Path, Any], tmp_path: Path) -> None:
    [file] = exported(compared[0], "fake", ("latex",), tmp_path / "to")
    text = file.read_text(encoding="utf-8")
    assert "{llrrrl}" in text and balanced(text)
    assert [r.split(" & ")[-1] for r in rows_of(text)] == [
        rf"{v} \\"
        for v in (
            "baseline", "better", "worse", "no verdict (no user differs)", "equivalent", "worse"
        )
    ]  # fmt: skip


def test_exports_name_what_is_said_of_these_models_alone(
    registry: Registry, tmp_path: Path
) -> None:
    records, tables = suite(registry, seeds=(0, 1, 2))
    write_json(tmp_path / "r" / "fake.json", records)
    write_all_ranks(tmp_path / "r" / "fake.ranks.parquet", tables)
    files = exported(tmp_path / "r", "fake", ("latex", "results"), tmp_path / "to")
    table, text = (file.read_text(encoding="utf-8") for file in files)
    assert "no verdict (3 of 5 seeds); these models: worse" in table
    down = next(x for x in text.splitlines() if x.startswith("- down "))
    assert down.startswith("- down has no verdict beside base on net by NDCG@10: -0.1")
    assert " %) (3 of 5 seeds); these models: worse, 98.3 % interval [-0.1" in down


@pytest.mark.parametrize("name", ["quick", "ml100k"])
def test_committed_boards_as_latex(name: str, tmp_path: Path) -> None:
    for file in exported(COMMITTED, name, ("latex",), tmp_path):
        text = file.read_text(encoding="utf-8")
        counts = {re.sub(r"\\&", "", r).count("&") for r in rows_of(text)}
        columns = re.search(r"\{tabular\}\{([lr]+)\}", text)
        assert balanced(text) and columns and counts == {len(columns[1]) - 1}
        assert "A smoke board" in text if name == "quick" else "verdict" in text


# -- TREC -----------------------------------------------------------------------------------------


def evaluated(path: Path) -> dict[str, dict[str, float]]:
    """Measure -> query -> value, of a file as `trec_eval -q` prints it."""
    values: dict[str, dict[str, float]] = defaultdict(dict)
    for line in path.read_text().splitlines():
        measure, query, value = line.split("\t")
        assert query not in values[measure]
        values[measure][query] = float(value)
    return values


def test_values_by_query_are_the_boards(
    compared: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    folder, records = compared
    exported(folder, "fake", ("trec",), tmp_path / "to")
    to = tmp_path / "to" / "trec"
    assert {f.suffix for f in to.iterdir()} == {".qrels", ".eval"}
    assert len(list(to.glob("*.qrels"))) == 2 and len(list(to.glob("*.eval"))) == 2 * 26
    for domain in made.DOMAINS:
        qrels = (to / f"merging-cut-{domain}.qrels").read_text().splitlines()
        for method, seed in (("up", 3), ("down", 0), ("base", 1)):
            [result] = [
                r
                for r in records["results"]
                if (r["identity"]["method"], r["identity"]["seed"]) == (method, seed)
            ]
            values = evaluated(to / f"merging-cut-{domain}-net-{method}-fixed-cpu-s{seed}.eval")
            for metric in records["header"]["metrics"]:
                ours = result["metrics"][domain][metric]
                assert values[metric]["all"] == pytest.approx(ours, rel=1e-12)
            queries = [line.split()[0] for line in qrels]
            assert list(values["rank"]) == queries and values["num_q"] == {"all": len(queries)}
            for query, place in values["rank"].items():
                gain = 1 / math.log2(place + 1) if place <= 10 else 0.0
                assert values["NDCG@10"][query] == pytest.approx(gain)


def test_trec_files_name_the_targets_and_no_other_document(
    compared: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    folder, records = compared
    files = exported(folder, "fake", ("trec",), tmp_path / "to")
    table = read_all_ranks(folder / "fake.ranks.parquet")[records["results"][0]["key"]]
    for number, domain in enumerate(table.domains):
        text = (tmp_path / "to" / "trec" / f"merging-cut-{domain}.qrels").read_text()
        named = [line.split() for line in text.splitlines()]
        targets = table.targets[table.domain == number].tolist()
        assert [n[2] for n in named] == [f"i{target}" for target in targets]
        assert {(n[1], n[3]) for n in named} == {("0", "1")}
    for file in files:
        if file.suffix == ".eval":  # measures, queries and numbers, no document at all
            assert not re.search(r"above|\bi\d", file.read_text())


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 14), st.integers(0, 5)),
        min_size=1, max_size=12,
    )
)  # fmt: skip
def test_a_user_has_a_query_for_each_target_and_ties_count_half(
    counts: list[tuple[int, int, int]],
) -> None:
    from recmerge_bench.evaluation.ranks import RankTable
    from recmerge_bench.report.exports.trec import evaluation, queries

    users, better, equal = (np.array([c[i] for c in counts]) for i in range(3))
    ones = np.zeros(len(counts), np.int64)
    held = RankTable(users, ("d",), ones, users + 50, better, equal, {})
    rows, names = queries(held, "d")
    assert rows.tolist() == list(range(len(counts))) and len(set(names)) == len(names)
    assert {int(n[1:].partition(".")[0]) for n in names} == set(users.tolist())
    ranks = rank(better, equal)
    values = {"rank": ranks, "NDCG@10": ndcg(ranks, 10)}
    lines = [x.split("\t") for x in evaluation(values, names).splitlines()]
    by_query = {(measure, query): float(value) for measure, query, value in lines}
    for query, (_, above, level) in zip(names, counts, strict=True):
        assert by_query["rank", query] == 1 + above + level / 2
    assert by_query["NDCG@10", "all"] == pytest.approx(ndcg(ranks, 10).mean())
    assert ("rank", "all") not in by_query and by_query["num_q", "all"] == len(counts)


def test_other_targets_share_no_qrels(
    compared: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    folder, records = compared
    tables = read_all_ranks(folder / "fake.ranks.parquet")
    key = records["results"][7]["key"]
    tables[key].targets[0] += 1
    write_all_ranks(folder / "fake.ranks.parquet", tables)
    with pytest.raises(DataError, match="different test targets"):
        exported(folder, "fake", ("csv", "trec"), tmp_path / "to")
    assert list((tmp_path / "to").iterdir()) == []
    del tables[key]
    write_all_ranks(folder / "fake.ranks.parquet", tables)
    with pytest.raises(HandledError, match="lacks the ranks of up"):
        exported(folder, "fake", ("trec",), tmp_path / "to")


def test_results_that_would_share_a_file_are_not_lost(
    compared: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    folder, records = compared
    for number, result in enumerate(records["results"][:2]):
        result["identity"].update(seed=0, variant=("a|b", "a b")[number])
    write_json(folder / "fake.json", records)
    with pytest.raises(HandledError, match=r"two results would share the file .*a-b"):
        exported(folder, "fake", ("trec",), tmp_path / "to")
    for number, variant in enumerate(("A", "a")):  # one file where case is not told apart
        records["results"][number]["identity"]["variant"] = variant
    write_json(folder / "fake.json", records)
    with pytest.raises(HandledError, match="two results would share the file"):
        exported(folder, "fake", ("trec",), tmp_path / "to")
    records["results"][1] = records["results"][0]  # the very same row, listed twice
    write_json(folder / "fake.json", records)
    with pytest.raises(DataError, match=r"results\.0 and results\.1 are one result, .*twice"):
        exported(folder, "fake", ("trec",), tmp_path / "to")


# -- RESULTS.md -----------------------------------------------------------------------------------


def test_the_summary_has_verdicts_command_versions_and_hashes(
    compared: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    folder, records = compared
    [file] = exported(folder, "fake", ("results",), tmp_path / "to")
    text = file.read_text(encoding="utf-8")
    assert file.name == "RESULTS.md" and "    recmerge-bench run --suite fake\n" in text
    [family] = records["comparisons"]
    up = next(r for r in family["rows"] if r["method"] == "up")
    sentence = next(x for x in text.splitlines() if x.startswith("- up "))
    claim = up["about_methods"]
    assert sentence.startswith(
        f"- up is better than base on net by NDCG@10: {up['difference']:+.4f} "
        f"({100 * up['relative']:+.1f} %), 98.8 % interval "
        f"[{claim['lower']:+.4f}, "
    )
    assert sentence.endswith("two-sided, Holm); 300 users, 5 seeds.")
    assert "- near is equivalent (within 1 %) to base" in text
    assert "- not run: stopped" in text and "| numpy" in text
    for name in ("fake.json", "fake.ranks.parquet"):
        assert f"`{sha256(folder / name)}`" in text


def test_a_summary_needs_no_ranks(fake: Path, tmp_path: Path) -> None:
    [file] = exported(fake, "fake", ("results",), tmp_path / "to")
    assert "- failed: it \\| broke" in file.read_text() and "ranks.parquet" not in file.read_text()


# -- the command ----------------------------------------------------------------------------------


def asked(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["leaderboard", "export", *arguments], standalone_mode=False)


def test_the_command_writes_all_formats_of_a_committed_suite(tmp_path: Path) -> None:
    formats = [x for name in FORMATS for x in ("--format", name)]
    ended = asked(
        "--records", str(COMMITTED), "--suite", "regression", *formats, "--to", str(tmp_path)
    )
    assert ended.return_value == 0, ended.output
    written = [Path(line.removeprefix("wrote ")) for line in ended.output.splitlines()]
    assert all(f.is_file() for f in written)
    assert {f.suffix for f in written} == {".csv", ".parquet", ".tex", ".qrels", ".eval", ".md"}
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_only_some_results(fake: Path, tmp_path: Path) -> None:
    [file] = exported(fake, "fake", ("csv",), tmp_path, only=("method=own,seed=1",))
    with file.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {(r["method"], r["seed"]) for r in rows} == {("own", "1")} and len(rows) == 9
    only = ("method=own,seed=1", "method=own,seed=0")
    [file] = exported(fake, "fake", ("csv",), tmp_path, only=only)
    with file.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {(r["method"], r["seed"]) for r in rows} == {("own", "0"), ("own", "1")}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--suite", "fak", "--format", "csv"], "no records of suite 'fak' (did you mean 'fake'?)"),
        (["--suite", "fake.cost", "--format", "csv"], "no records of suite"),
        (["--suite", "fake", "--format", "cvs"], "no format 'cvs' (did you mean 'csv'"),
        (["--suite", "fake", "--format", "trec"], "no such file of ranks"),
        (["--suite", "fake", "--format", "csv", "--only", "metod=own"], "did you mean 'method'"),
        (["--suite", "fake", "--format", "csv", "--only", "method=owm"], "did you mean 'own'"),
    ],
)
def test_wrong_use_is_one_line(
    fake: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (fake / "fake.cost.json").write_text("{}")
    to = tmp_path / "to"
    ended = asked("--records", str(fake), *arguments, "--to", str(to))
    assert isinstance(ended.exception, HandledError), ended.output
    assert message in str(ended.exception) and "\n" not in str(ended.exception)
    assert not to.exists() or list(to.iterdir()) == []


def test_damaged_records_and_a_file_in_the_way(fake: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(HandledError, match="not a folder"):
        exported(fake, "fake", ("csv",), tmp_path / "file")
    (fake / "fake.json").write_text(json.dumps({"schema": 1}))
    with pytest.raises(DataError, match="restore the file"):
        exported(fake, "fake", ("csv",), tmp_path / "to")
    with pytest.raises(HandledError, match="no records there"):
        exported(tmp_path / "nowhere", "fake", ("csv",), tmp_path / "to")
