"""Ranks of boards in a results store: sent, taken away, fetched again, checked by hash."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import ROOT
from s3_server import s3_server

from recmerge_bench.cli import cli
from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.registry import Registry
from recmerge_bench.report.publishing.check import Checked, checked
from recmerge_bench.results import all_ranks
from recmerge_bench.results.all_ranks import read_all_ranks, write_all_ranks
from recmerge_bench.results.loading import load_results
from recmerge_bench.results.rank_files import NotAtHand, OtherBytes, cached_at, ranks_of
from recmerge_bench.results.rank_lock import read_lock
from recmerge_bench.results.rank_store import lock_ranks, pull, push

NAME = "regression.ranks.parquet"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("RECMERGE_BENCH_RESULTS", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def boards(tmp_path: Path) -> Path:
    """A small suite's boards and records, without a lock."""
    folder = tmp_path / "boards"
    (folder / "records").mkdir(parents=True)
    for file in (ROOT / "leaderboards").glob("regression*.md"):
        shutil.copy(file, folder)
    for file in (ROOT / "leaderboards" / "records").glob("regression.*"):
        shutil.copy(file, folder / "records")
    return folder


def _asked(*words: str) -> Any:
    return CliRunner().invoke(cli, list(words), standalone_mode=False, catch_exceptions=False)


@pytest.mark.parametrize("kind", ["folder", "memory", "s3"])
def test_there_and_back(
    kind: str, boards: Path, cache: Path, registry: Registry, tmp_path: Path,
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    records = boards / "records"
    address = {"folder": "records/kept", "memory": f"memory://{tmp_path.name}", "s3": ""}[kind]
    if kind == "s3":
        address = f"{request.getfixturevalue('s3')}/{tmp_path.name}"
    elif kind == "folder":
        address = str(records / "kept")
    else:  # no committed file may name it
        monkeypatch.setenv("RECMERGE_BENCH_RESULTS", address)
    before = (records / NAME).read_bytes()
    to = () if kind == "memory" else ("--to", address)
    sent = _asked("results", "push", "--boards", str(boards), *to)
    assert "sent" in sent.output and NAME in sent.output
    assert "was there" in _asked("results", "push", "--boards", str(boards)).output
    lock = read_lock(records)
    assert lock is not None and lock.files[NAME].bytes == len(before)
    assert lock.store == {"folder": "kept", "memory": "", "s3": address}[kind]
    (records / NAME).unlink()
    assert checked(boards, registry) == Checked([], [])
    assert ranks_of(records / "regression.json").keys() == read_all_ranks(cached_at(
        lock.files[NAME])).keys()  # fmt: skip
    shutil.rmtree(cache)
    assert _asked("results", "pull", "--boards", str(boards), "--beside").return_value == 0
    assert (records / NAME).read_bytes() == before


def test_move_takes_the_copy_away_when_it_can_be_found_again(
    boards: Path, s3: str, tmp_path: Path, registry: Registry
) -> None:
    records = boards / "records"
    with pytest.raises(HandledError, match="cannot name memory://"):
        list(push(records, to="memory://somewhere", move=True))
    assert (records / NAME).is_file()
    list(push(records, to=f"{s3}/{tmp_path.name}", move=True))
    assert not (records / NAME).exists()
    result = load_results(records / "regression.json", registry)
    assert len(result.per_user("NDCG@10")) > 0


def test_check_says_what_it_could_not_look_at(boards: Path, registry: Registry) -> None:
    records = boards / "records"
    assert _asked("leaderboard", "check", str(boards)).return_value == 0, "no lock: as before"
    lock_ranks(records)
    assert _asked("leaderboard", "check", str(boards)).return_value == 0
    (records / NAME).unlink()
    missing = _asked("leaderboard", "check", str(boards))
    assert missing.return_value == 4
    assert "not checked" in missing.output and "regression.json" in missing.output
    assert "names no results store" in missing.output and "0 thing(s) wrong" in missing.output
    board = boards / "regression.md"
    board.write_text(board.read_text().replace("0.", "1.", 1))
    assert _asked("leaderboard", "check", str(boards)).return_value == 1, (
        "what is wrong counts more"
    )


def test_a_store_that_is_away_is_no_wrong_board(boards: Path, registry: Registry) -> None:
    records = boards / "records"
    lock = lock_ranks(records)
    raw = json.loads((records / "ranks.lock.json").read_text())
    (records / "ranks.lock.json").write_text(json.dumps({**raw, "store": "kept"}))
    (records / NAME).unlink()
    result = checked(boards, registry)
    assert result.wrong == [] and "does not have it" in result.unchecked[0]
    with pytest.raises(NotAtHand):
        ranks_of(records / "regression.json")
    assert lock.files.keys() == {NAME}


def test_other_bytes_are_wrong_wherever_they_lie(
    boards: Path, cache: Path, s3: str, tmp_path: Path, registry: Registry
) -> None:
    from recmerge_bench.objects.address import objects_at

    records, address = boards / "records", f"{s3}/{tmp_path.name}"
    list(push(records, to=address))
    whole = (records / NAME).read_bytes()
    (records / NAME).write_bytes(whole[:-1] + b"X")
    [line] = checked(boards, registry).wrong
    assert "other bytes than ranks.lock.json says" in line
    with pytest.raises(OtherBytes):
        list(pull(records))
    (records / NAME).unlink()
    [name] = objects_at(address).sizes(read_lock(records).files[NAME].sha256[:2])  # type: ignore[union-attr]
    for damaged in (whole[:-1], whole[:-1] + b"X", b""):
        objects_at(address).put(name, damaged)
        [line] = checked(boards, registry).wrong
        assert "store's copy" in line and "damaged" in line
        assert not any(p.is_file() for p in cache.rglob("*")), "nothing damaged is kept"
    (records / NAME).write_bytes(whole)
    [sent] = push(records)
    assert sent.new, "a damaged copy is replaced"
    cached = cached_at(read_lock(records).files[NAME])  # type: ignore[union-attr]
    (records / NAME).unlink()
    assert checked(boards, registry).wrong == []
    cached.write_bytes(b"damaged in the cache")
    assert checked(boards, registry).wrong == [], "fetched again"


def test_the_lock_and_the_records_name_the_same(boards: Path, registry: Registry) -> None:
    records = boards / "records"
    lock_ranks(records)
    path = records / "ranks.lock.json"
    raw = json.loads(path.read_text())
    path.write_text(json.dumps({**raw, "files": {}}))
    assert "says nothing of" in checked(boards, registry).wrong[0]
    path.write_text(
        json.dumps({**raw, "files": raw["files"] | {"x.ranks.parquet": raw["files"][NAME]}})
    )
    assert "no records go with x.ranks.parquet" in checked(boards, registry).wrong[0]
    lock_ranks(records)
    assert checked(boards, registry).wrong == []


def test_a_lock_of_strangers(boards: Path) -> None:
    lock_ranks(boards / "records")
    path = boards / "records" / "ranks.lock.json"
    raw = json.loads(path.read_text())
    entry = raw["files"][NAME]
    for wrong in (
        {"store": "ssh://host/x"}, {"store": "/etc"}, {"store": "../.."}, {"schema": 2},
        {"store": "simplecache::s3://x"}, {"more": 1}, {"files": []},
        {"files": {"../x.ranks.parquet": entry}}, {"files": {NAME: {"bytes": 1}}},
        {"files": {NAME: entry | {"sha256": "../../x"}}}, {"files": {NAME: entry | {"bytes": -1}}},
    ):  # fmt: skip
        path.write_text(json.dumps(raw | wrong))
        with pytest.raises(DataError, match=r"ranks\.lock\.json"):
            read_lock(boards / "records")


def test_building_again_writes_the_lock(boards: Path, registry: Registry) -> None:
    from recmerge_bench.results.rank_lock import relock

    records = boards / "records"
    assert relock(records, ["regression"]) == [], "no lock: none is made"
    lock_ranks(records)
    tables = read_all_ranks(records / NAME)
    first = next(iter(tables.values()))
    first.n_better[0] += 1
    write_all_ranks(records / NAME, tables)
    assert checked(boards, registry).wrong
    relock(records, ["regression"])
    ranks_of(records / "regression.json")


def test_a_long_file_is_read_by_groups_out_of_a_mapped_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow.parquet as pq

    source = ROOT / "leaderboards" / "records" / "recbole.ranks.parquet"
    tables = read_all_ranks(source)
    monkeypatch.setattr(all_ranks, "GROUP", 2000)
    monkeypatch.setattr(all_ranks, "IN_MEMORY", 1000)
    write_all_ranks(tmp_path / "r", tables)
    facts = pq.read_metadata(tmp_path / "r")
    assert facts.num_row_groups > 5
    again = read_all_ranks(tmp_path / "r")
    assert again.keys() == tables.keys()
    for key, table in tables.items():
        for field in ("users", "domain", "targets", "n_better", "n_equal"):
            mapped = getattr(again[key], field)
            assert isinstance(mapped, np.memmap) and mapped.dtype == np.int32
            assert np.array_equal(mapped, getattr(table, field))
        assert again[key].domains == table.domains


def test_a_key_that_two_groups_hold(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    source = ROOT / "leaderboards" / "records" / "recbole.ranks.parquet"
    tables = read_all_ranks(source)
    pq.write_table(
        pq.read_table(source), tmp_path / "r", row_group_size=7777, write_statistics=False,
        use_dictionary=["key", "domain", "masked_key"],
    )  # fmt: skip
    again = read_all_ranks(tmp_path / "r")
    assert again.keys() == tables.keys()
    for key, table in tables.items():
        assert np.array_equal(again[key].n_better, table.n_better)
        assert np.array_equal(again[key].domain, table.domain)


def test_more_rows_than_a_board_may_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = ROOT / "leaderboards" / "records" / "recbole.ranks.parquet"
    monkeypatch.setattr(all_ranks, "MOST", 100)
    with pytest.raises(DataError, match="at most 100 are read"):
        read_all_ranks(source)
