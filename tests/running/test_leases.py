"""Leases: one holder at a time, a dead one's time runs out, a late one overwrites nothing."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from recmerge_bench.objects.folder import Folder
from recmerge_bench.objects.store import Objects, StoreError
from recmerge_bench.running import leases, store, supervise
from recmerge_bench.running.leases import Busy, Fenced, Lease
from recmerge_bench.running.store import Store

KEY = "ab" * 32


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(leases.ENVIRONMENT, "0.5")


def elsewhere(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> Lease:
    """A lease that another machine holds."""
    with monkeypatch.context() as patch:
        patch.setattr(leases, "_machine", lambda: "another machine")
        lease = leases.acquire(objects, KEY)
        mine = lease.content()
    objects.put(lease.name, mine)
    return lease


def test_one_holds_and_lets_go(tmp_path: Path) -> None:
    objects = Folder(tmp_path)
    with leases.holding(objects, KEY) as lease:
        assert lease.holds() and leases.held(KEY) is lease
        with pytest.raises(Busy):
            leases.acquire(objects, KEY)
        leases.check(KEY)
    assert leases.held(KEY) is None and not objects.sizes("leases")


def test_one_of_many_takes_a_cell_over(tmp_path: Path) -> None:
    """Eight processes at once, eight times: one lease each time, whatever was there before."""
    context = multiprocessing.get_context("fork")
    wins = []
    for turn in range(8):
        objects, start = Folder(tmp_path / str(turn)), time.monotonic() + 0.05
        if turn % 2:  # a process that is dead held it
            dead = {"machine": leases._machine(), "process": 1 << 22, "began": "1", "nonce": "x"}
            objects.put(f"leases/{KEY}.00000007", json.dumps(dead).encode())
        queue, tried = context.SimpleQueue(), context.Barrier(8)

        def compete(
            objects: Folder = objects, start: float = start, queue: Any = queue, tried: Any = tried
        ) -> None:
            while time.monotonic() < start:
                pass
            try:
                queue.put(leases.acquire(objects, KEY).generation)
            except Busy:
                queue.put(0)
            tried.wait(30)  # the holder lives until the others have tried

        each = [context.Process(target=compete) for _ in range(8)]
        for process in each:
            process.start()
        got = [queue.get() for _ in each]
        for process in each:
            process.join()
        wins.append(sorted(got)[-2:])
    assert wins == [[0, 1], [0, 8]] * 4


def test_a_dead_process_of_this_machine_is_known_at_once(tmp_path: Path) -> None:
    code = (
        "import sys, os, signal; from pathlib import Path\n"
        "from recmerge_bench.running.store import Store\n"
        f"with Store(Path({str(tmp_path)!r})).lock({KEY!r}):\n"
        "    print('held', flush=True); signal.pause()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        with pytest.raises(Busy), Store(tmp_path).lock(KEY):
            pass
        with pytest.raises(Busy):  # without the kernel's lock as well
            leases.acquire(Folder(tmp_path), KEY)
        os.kill(holder.pid, signal.SIGKILL)
    start = time.monotonic()
    with Store(tmp_path).lock(KEY):
        assert time.monotonic() - start < leases.TTL / 4  # not waited out, on a busy machine too
        held = leases.held(KEY)
        assert held is not None and held.generation == 2


def test_a_listing_that_missed_the_holder_makes_no_second_one(tmp_path: Path) -> None:
    """One that is read while a lease takes another's place may see neither."""

    class Missing(Folder):
        listed = 0

        def sizes(self, prefix: str) -> dict[str, int]:
            self.listed += 1
            return {} if self.listed == 1 else super().sizes(prefix)

    holder = leases.Lease(Folder(tmp_path), KEY, 8, "x", leases.ttl())
    assert holder.objects.put_new(holder.name, holder.content())
    with pytest.raises(Busy):
        leases.acquire(Missing(tmp_path), KEY)
    assert list(Folder(tmp_path).sizes("leases")) == [holder.name] and holder.holds()


def test_another_machine_s_lease_is_over_when_it_does_not_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = Folder(tmp_path)
    theirs = elsewhere(objects, monkeypatch)
    monkeypatch.setattr(time, "time", lambda: random.random() * 1e9)  # clocks that nobody trusts
    start = time.monotonic()
    with pytest.raises(Busy):
        leases.acquire(objects, KEY)
    assert time.monotonic() - start < 0.4, "who is not patient gives way at once"
    mine = leases.acquire(objects, KEY, patient=True)
    assert 0.5 < time.monotonic() - start < 5 and mine.generation == theirs.generation + 1
    theirs.last -= 1
    assert not theirs.beat() and not theirs.holds()
    theirs.release()
    assert mine.holds(), "a late holder takes nothing away"


def test_who_beats_keeps_its_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = Folder(tmp_path)
    theirs = elsewhere(objects, monkeypatch)
    with leases.beating(theirs), pytest.raises(Busy):
        leases.acquire(objects, KEY, patient=True)
    assert theirs.beats >= 1 and theirs.holds()


class Broken(Folder):
    """A store that answers no more."""

    def sizes(self, prefix: str) -> dict[str, int]:
        raise StoreError("no route to it")


def test_who_cannot_reach_the_store_stops_by_itself(tmp_path: Path) -> None:
    lease = leases.acquire(Folder(tmp_path), KEY)
    lease.objects = Broken(tmp_path)
    lease.last -= 0.3
    assert lease.beat(), "not yet"
    lease.last -= 0.3
    assert not lease.beat()


def test_a_late_worker_overwrites_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two machines on one folder: the first sleeps while it writes, the second is quicker."""
    monkeypatch.setattr(store, "lock_at_once", lambda path: os.open(path, os.O_RDWR | os.O_CREAT))
    late, quick = Store(tmp_path), Store(tmp_path)
    objects = Folder(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(leases, "_machine", lambda: "another machine")
        with late.lock(KEY), late.writing(KEY) as theirs:
            sleeping = leases.held(KEY)
            assert sleeping is not None
            (theirs / "a.txt").write_text("late")
            patch.undo()
            with quick.lock(KEY, patient=True), quick.writing(KEY) as mine:
                assert mine != theirs
                (mine / "a.txt").write_text("quick")
                quick.commit(KEY, mine, {})
            before = (quick.folder(KEY) / "record.json").read_bytes()
            theirs.mkdir(exist_ok=True)
            (theirs / "a.txt").write_text("late")
            leases._HELD[KEY] = sleeping  # which is the other machine's, in its own process
            with pytest.raises(Fenced):
                late.commit(KEY, theirs, {})
            # And where it asked just before the other began, and sleeps until it has ended:
            patch.setattr(leases, "check", lambda key: None)
            late.commit(KEY, theirs, {})
    assert (quick.folder(KEY) / "record.json").read_bytes() == before
    assert quick.file(KEY, "a.txt").read_text() == "quick"
    assert not list((tmp_path / "tmp").iterdir()) and not objects.sizes("leases")


@pytest.mark.skipif(not supervise.FORKS, reason="cells have processes of their own on Linux")
def test_a_cell_that_was_taken_over_is_stopped(tmp_path: Path) -> None:
    def cell(job: Any, emit: Any) -> None:
        [name] = Folder(tmp_path).sizes("leases")
        generation = int(name.rpartition(".")[2])
        Folder(tmp_path).put(f"leases/{KEY}.{generation + 1:08d}", b'{"nonce": "another"}')
        time.sleep(60)

    job = {"key": KEY, "kind": "data", "config": {}, "out": str(tmp_path), "timeout": 60}
    events: list[dict[str, Any]] = []
    start = time.monotonic()
    supervise.supervise(job, events.append, cell)
    assert [e["event"] for e in events] == ["started", "busy"]
    assert time.monotonic() - start < 20
