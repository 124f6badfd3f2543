"""`leaderboard compare`: whether what moved is more than the noise of seeds and users."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from compared_builders import suite
from json_boards import derive, movements, notes

from recmerge_bench.cli import cli
from recmerge_bench.evaluation.metrics import ndcg, rank
from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.files import write_json
from recmerge_bench.registry import Registry
from recmerge_bench.report.boards.movement import Movement, same_targets
from recmerge_bench.results.all_ranks import write_all_ranks
from recmerge_bench.statistics.families import holm

Suite = tuple[dict[str, Any], dict[str, RankTable]]


def changed(registry: Registry, actual: Suite, method: str, by: int, share: float = 1.0) -> Suite:
    """The suite with the targets of a method's ranks further down, for a share of the users."""
    records, tables = copy.deepcopy(actual[0]), dict(actual[1])
    for result in records["results"]:
        if result["identity"]["method"] == method and result["status"] == "done":
            old = tables[result["key"]]
            rng = np.random.default_rng([result["identity"]["seed"] or 0, 5])
            moved = old.n_better + by * (rng.random(len(old.users)) < share)
            tables[result["key"]] = RankTable(
                old.users, old.domains, old.domain, old.targets, moved.astype(np.int32),
                old.n_equal, {},
            )  # fmt: skip
    return derive(records, tables, registry), tables


def moved_rows(registry: Registry, one: Suite, other: Suite) -> list[Movement]:
    return list(movements(registry, one[0], other[0], one[1], other[1]))


def test_a_real_change_is_beyond_the_noise_and_its_size_is_right(registry: Registry) -> None:
    before = suite(registry)
    after = changed(registry, before, "up", 3)
    moves = moved_rows(registry, before, after)
    assert [(m.row[1].method, m.metric) for m in moves] == [
        ("up", "NDCG@10"), ("up", "HR@10"), ("up", "MRR")
    ]  # fmt: skip
    first = moves[0]
    assert (len(first.comparison.seeds), first.comparison.users, first.beyond) == (5, 300, True)
    means = [
        np.mean([
            ndcg(rank(tables[r["key"]].n_better, tables[r["key"]].n_equal), 10).mean()
            for r in records["results"] if r["identity"]["method"] == "up"
        ])
        for records, tables in (before, after)
    ]  # fmt: skip
    assert first.comparison.difference == pytest.approx(means[1] - means[0], rel=1e-9)
    sentence = first.judged[1]
    assert sentence.lower is not None and sentence.upper is not None
    assert sentence.lower < first.comparison.difference < sentence.upper < 0
    alone = [m.comparison.methods for m in moves]
    assert [m.judged[1].p for m in moves] == pytest.approx(holm([c.p for c in alone if c]))
    assert "beyond the noise of users and 5 seeds (300 users; p < 0.001" in str(first)
    assert "Holm over 3 that moved" in str(first)


def test_a_chance_change_is_within_it(registry: Registry) -> None:
    before = suite(registry)
    records, tables = copy.deepcopy(before[0]), dict(before[1])
    for result in records["results"]:
        if result["identity"]["method"] == "same" and result["status"] == "done":
            old = tables[result["key"]]
            sign = np.random.default_rng([result["identity"]["seed"], 6]).integers(
                -1, 2, len(old.users)
            )
            better = np.clip(old.n_better + sign, 0, None).astype(np.int32)
            tables[result["key"]] = RankTable(
                old.users, old.domains, old.domain, old.targets, better, old.n_equal, {}
            )
    moves = moved_rows(registry, before, (derive(records, tables, registry), tables))
    ndcgs = [m for m in moves if m.metric == "NDCG@10"]
    assert len(ndcgs) == 1 and not ndcgs[0].beyond and "within the noise" in str(ndcgs[0])


def test_one_seed_and_none_draw_users_alone(registry: Registry) -> None:
    for seeds, method, sentence, count in (
        ((0,), "up", "of users alone; of the methods: no verdict (1 of 5 seeds) (300", 1),
        ((0, 1, 2), "up", "of users alone; of the methods: no verdict (3 of 5 seeds) (300", 3),
        ((0, 1), "counts", "of users alone (300", 0),
    ):  # fmt: skip
        before = suite(registry, seeds=seeds)
        moves = moved_rows(registry, before, changed(registry, before, method, 2))
        assert len(moves[0].comparison.seeds) == count and sentence in str(moves[0])


def test_what_cannot_be_told_from_noise_is_said(registry: Registry) -> None:
    few = suite(registry, users={"films": 3})
    moves = moved_rows(registry, few, changed(registry, few, "up", 3))
    assert moves[0].beyond is None
    sentence = "no verdict (3 of 30 users): whether that is noise is unknown"
    assert str(moves[0]).endswith(sentence)


def test_equal_suites_move_nothing_and_other_targets_are_not_tested(registry: Registry) -> None:
    before = suite(registry)
    assert moved_rows(registry, before, before) == [] and notes(before[0], before[0]) == []
    after = changed(registry, before, "up", 3)
    for result in after[0]["results"]:
        result["candidates"] = "other"
    assert moved_rows(registry, before, after) == []
    after = changed(registry, before, "up", 3)
    for key, table in after[1].items():
        after[1][key] = RankTable(
            table.users, table.domains, table.domain, table.targets + 1, table.n_better,
            table.n_equal, {},
        )  # fmt: skip
    assert moved_rows(registry, before, after) == []


def test_targets_are_compared_by_the_names_of_domains() -> None:
    users = np.arange(4, dtype=np.int32)
    number = np.array([0, 0, 1, 1])
    one = RankTable(users, ("a", "b"), number, users, users, users, {})
    turned = RankTable(users, ("b", "a"), 1 - number, users, users, users, {})
    assert same_targets(one, turned)
    assert not same_targets(one, RankTable(users, ("b", "a"), number, users, users, users, {}))
    assert not same_targets(one, RankTable(users[:3], ("a", "b"), number[:3], *[users[:3]] * 3, {}))


def test_order_and_verdicts_and_protocols_that_changed_are_told(registry: Registry) -> None:
    before = suite(registry)
    after = changed(registry, before, "up", 30)
    for records in (before[0], after[0]):
        records["header"]["protocols"] = {"cut": {"summary": "", "split": {}, "negatives": None,
                                                   "candidate_seed": 1}}  # fmt: skip
    lines = notes(before[0], after[0])
    assert "merging cut net up fixed cpu: place 1 of 6 by NDCG@10, now 6" in lines
    assert "merging cut net up fixed cpu: the verdict was better, is worse" in lines
    other = "protocol cut is not the same: its tables are not comparable"
    after[0]["header"]["protocols"]["cut"]["negatives"] = 99
    assert other in notes(before[0], after[0])


def test_what_an_older_record_does_not_say_of_a_protocol_is_no_difference(
    registry: Registry,
) -> None:
    before, after = suite(registry)[0], suite(registry)[0]
    for records, more in ((before, {}), (after, {"mask_history": False})):
        records["header"]["protocols"] = {
            "cut": {"summary": "", "split": {}, "negatives": None, "candidate_seed": 1, **more}
        }
    assert notes(before, after) == notes(after, before) == []
    before["header"]["protocols"]["cut"]["mask_history"] = True
    assert notes(before, after) == ["protocol cut is not the same: its tables are not comparable"]


def test_the_command_tells_whether_it_matters(registry: Registry, tmp_path: Path) -> None:
    before = suite(registry)
    after = changed(registry, before, "up", 1)
    for name, (records, tables) in (("a", before), ("b", after)):
        write_json(tmp_path / f"{name}.json", records)
        write_all_ranks(tmp_path / f"{name}.ranks.parquet", tables)
    files = [str(tmp_path / "a.json"), str(tmp_path / "b.json")]

    def asked(*more: str) -> Any:
        arguments = ["leaderboard", "compare", *files, *more]
        return CliRunner().invoke(cli, arguments, standalone_mode=False)

    ended = asked()
    assert ended.return_value == 1 and "note: merging cut net up fixed cpu: NDCG@10" in ended.output
    assert ended.output.splitlines()[-1].endswith("difference(s) beyond 0.0")
    fine = asked("--tolerance", "0.9")
    assert fine.return_value == 0 and "beyond the noise" in fine.output
    (tmp_path / "b.ranks.parquet").unlink()
    ended = asked()
    assert ended.return_value == 1 and "note: not tested whether it matters: no " in ended.output
