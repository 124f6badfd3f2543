"""`rmb.compare`: the board's verdict where the board has it, its rule where it has not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from compared_builders import gated
from conftest import ROOT

import recmerge_bench as rmb
from recmerge_bench.errors import HandledError
from recmerge_bench.files import write_json
from recmerge_bench.interface.comparisons import RowLike
from recmerge_bench.names import MEAN
from recmerge_bench.registry import Registry
from recmerge_bench.report.boards.table import tables
from recmerge_bench.results.all_ranks import write_all_ranks
from recmerge_bench.statistics.verdicts import shown

FILE = ROOT / "leaderboards" / "records" / "ml100k.json"
BASELINE = "task-arithmetic (scale=0.4)"


@pytest.fixture(scope="module")
def board() -> rmb.Results:
    return rmb.load_results(FILE)


def test_every_comparison_of_the_board_is_given_as_the_board_prints_it(board: rmb.Results) -> None:
    """Each row beside its baseline: verdict, numbers and p of the records, both ways round."""
    lines = {place: {x.identity.row: x for x in xs} for place, xs in tables(board.records).items()}
    count = 0
    for entry in board.records.comparisons:
        names = lines[entry.place]
        base = names[entry.baseline.row].identity.row._asdict()
        for row in entry.rows:
            where = {"track": entry.track, "protocol": entry.protocol}
            backbone = entry.baseline.backbone or row.backbone or None
            one = row.row._asdict()
            comparison = rmb.compare(board, one, base, backbone=backbone, **where)
            assert comparison.family == "board" and comparison.domain == MEAN
            assert comparison.first == names[row.row].name[1]
            assert (comparison.difference, comparison.first_mean, comparison.second_mean) == (
                row.difference, row.first, row.baseline
            )  # fmt: skip
            assert str(comparison.methods) == shown(
                row.about_methods.verdict, row.about_methods.reason
            )
            assert (comparison.p, comparison.models.p) == (row.about_methods.p, row.about_models.p)
            back = rmb.compare(board, base, one, backbone=backbone, **where)
            assert back.difference == -row.difference and back.p == comparison.p
            assert (comparison.interval is None) == (back.interval is None)
            if comparison.interval and back.interval:
                assert back.interval == (-comparison.interval[1], -comparison.interval[0])
            count += 1
    assert count > 100


def test_names_are_those_that_the_board_prints(board: rmb.Results) -> None:
    text = (ROOT / "leaderboards" / "ml100k.md").read_text(encoding="utf-8")
    printed = next(x for x in text.splitlines() if "| zero-shot " in x and "| sasrec " in x)
    comparison = rmb.compare(board, "zero-shot", BASELINE, track="merging", backbone="sasrec")
    assert f"{comparison.verdict} ({100 * (comparison.relative or 0):+.1f} %)" in printed
    assert comparison.words().startswith(
        f"zero-shot on sasrec beside {BASELINE}, NDCG@10 of the mean"
    )
    assert "worse" in comparison._repr_html_() and "the board's comparison" in repr(comparison)


def test_a_pair_of_no_family_is_judged_by_itself(board: rmb.Results) -> None:
    asked = {"track": "merging", "backbone": "sasrec"}
    comparison = rmb.compare(board, "ties (density=0.2)", "weight-averaging", **asked)
    back = rmb.compare(board, "weight-averaging", "ties (density=0.2)", **asked)
    assert comparison.family == "pair" and comparison.users == 943 and len(comparison.seeds) == 5
    assert comparison.difference == pytest.approx(-back.difference) and comparison.p == back.p
    assert comparison.first_mean == pytest.approx(mean(board, "ties", "density=0.2"), abs=1e-9)
    assert {comparison.verdict, back.verdict} in (
        {"better", "worse"},
        {"undecided"},
        {"equivalent"},
    )


def mean(board: rmb.Results, method: str, variant: str) -> float:
    values = [
        r.metrics[MEAN]["NDCG@10"]
        for r in board.records.results
        if (r.identity.method, r.identity.variant) == (method, variant)
        and (r.identity.track, r.identity.protocol) == ("merging", "loo")
        and r.identity.backbone == "sasrec"
    ]
    assert len(values) == 5
    return sum(values) / 5


def test_domains_and_other_metrics(board: rmb.Results) -> None:
    asked = {"track": "merging", "backbone": "sasrec"}
    one = rmb.compare(board, "zero-shot", BASELINE, domain="action", **asked)
    assert one.family == "pair" and one.domain == "action" and one.users == 840
    assert one.difference < 0 and one.verdict == "worse"
    hits = rmb.compare(board, "zero-shot", BASELINE, metric="HR@5", **asked)
    assert hits.family == "pair" and hits.metric == "HR@5"
    assert 0 < hits.first_mean < hits.second_mean < 1


def test_a_smoke_board_has_no_verdict() -> None:
    quick = ROOT / "leaderboards" / "records" / "quick.json"
    comparison = rmb.compare(quick, "ties", "weight-averaging")
    assert comparison.family == "pair" and comparison.verdict == "no verdict"
    assert comparison.methods.reason == "2 of 5 seeds" and comparison.interval is None


def test_a_shut_gate_leaves_numbers_without_a_verdict(registry: Registry, tmp_path: Path) -> None:
    records, tables = gated(registry, "down", "up")
    write_json(tmp_path / "fake.json", records)
    write_all_ranks(tmp_path / "fake.ranks.parquet", tables)
    results = rmb.load_results(tmp_path / "fake.json")
    for first, second in (("near", "base"), ("base", "near"), ("up", "near")):
        comparison = rmb.compare(results, first, second)
        assert (
            comparison.verdict == comparison.models.verdict == "no verdict"
            and comparison.interval is None
        )
        assert comparison.methods.reason.startswith("naive gate not passed: down (")
        assert (
            comparison.difference
            == pytest.approx(comparison.first_mean - comparison.second_mean)
            != 0.0
        )
    own = rmb.compare(results, "down", "up")
    assert own.verdict == "worse" and own.family == "pair"


@pytest.mark.parametrize(
    ("first", "second", "more", "message"),
    [
        ("tie", BASELINE, {}, "no row is 'tie' (did you mean 'ties'"),
        ("zero-shot", "task-arithmetic", {"track": "merging", "backbone": "sasrec"},
         "give second= one of 'task-arithmetic (scale=0.4)'"),
        ("fine-tune", BASELINE, {}, "give track= one of 'merging', 'with-user-data'"),
        ("zero-shot", BASELINE, {"track": "merging"}, "give backbone= one of 'sasrec', 'bert4rec'"),
        ("zero-shot", BASELINE, {"track": "mergin"}, "no track 'mergin' (did you mean 'merging'"),
        ("zero-shot", BASELINE, {"protocol": "lo"}, "no protocol 'lo' (did you mean 'loo'"),
        ("zero-shot", BASELINE, {"backbone": "gru"}, "stand in no table together"),
        ("mergerec", "mergerec", {"track": "merging"}, "give first= one of"),
        ("sasrec-dt", "ties", {}, "stand in no table together"),
        ({"methd": "ties"}, BASELINE, {}, "no part of a row is called 'methd' (did you mean"),
        ("zero-shot", BASELINE, {"track": "merging", "backbone": "sasrec", "metric": "NDGC@10"},
         "did you mean 'NDCG'"),
        ("zero-shot", BASELINE, {"track": "merging", "backbone": "sasrec", "domain": "acton"},
         "no domain 'acton' (did you mean 'action'"),
    ],
)  # fmt: skip
def test_what_is_unknown_or_ambiguous_is_refused(
    first: RowLike,
    second: str, more: dict[str, str], message: str, board: rmb.Results,
) -> None:  # fmt: skip
    with pytest.raises(HandledError, match=re.escape(message)):
        rmb.compare(board, first, second, **more)  # type: ignore[arg-type]


def test_a_comparison_turned_twice_is_itself(board: rmb.Results) -> None:
    row = board.records.comparisons[0].rows[0]
    assert row.turned().turned().difference == row.difference
    assert row.turned().turned().about_methods == row.about_methods
    assert row.turned().about_methods.verdict == "better" and row.about_methods.verdict == "worse"
