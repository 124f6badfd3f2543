"""The upkeep of a store: what in it is damaged, what takes how much, what nothing needs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.results.reader import manifests
from recmerge_bench.results.run_manifest import RunManifest, read_manifest
from recmerge_bench.running.mirror import opened
from recmerge_bench.running.published import file_name
from recmerge_bench.running.scheduler import PUBLISHED, TRIAL
from recmerge_bench.running.store import RECORD, Busy, Store
from recmerge_bench.untrusted.paths import is_safe

DAY = 86_400.0


@dataclass(frozen=True)
class Damage:
    """Something in a store that is not as it was written.

    Attributes:
        place: the file or folder, or a name in the object store.
        flaw: what is wrong with it.
    """

    place: str
    flaw: str

    def __str__(self) -> str:
        return self.flaw if self.place in self.flaw else f"{self.place}: {self.flaw}"


@dataclass(frozen=True)
class Usage:
    """Cells of one kind.

    Attributes:
        kind: ``train``, ``rank``, ...; or ``work``, ``logs``, ``tmp``: what is beside the cells.
        cells: how many.
        bytes: of their files.
        unused: bytes of those that no manifest needs.
    """

    kind: str
    cells: int
    bytes: int
    unused: int


@dataclass(frozen=True)
class Unused:
    """A finished cell that no manifest needs.

    Attributes:
        key: of the cell.
        kind: of the cell.
        label: what a person reads.
        bytes: of its files.
        removed: whether it was taken away.
    """

    key: str
    kind: str
    label: str
    bytes: int
    removed: bool


def verify(out: str | Path = "runs") -> Iterator[Damage]:
    """Read all of a store, and name what is damaged: every byte of every finished cell.

    Records and boards below ``records`` and ``boards`` are not looked at: every run makes them
    again. Logs have nothing to be compared with.

    Args:
        out: a run's folder or an address.

    Yields:
        what is damaged or missing: cells, manifests, notes of failures.

    Raises:
        HandledError: there is no such folder, or the object store cannot be asked.
    """
    folder = opened(out)
    if not folder.is_dir():
        raise HandledError(f"{out}: no such folder; name that of a run (--out)")
    store = Store(folder)
    yield from _cells(store)
    yield from _published(store)
    suites = []
    for path in sorted((folder / "suites").glob("*.json")):
        try:
            suites.append(read_manifest(path))
        except HandledError as error:
            yield Damage(str(path), str(error))
    for path in sorted((folder / "failures").glob("*.json")):
        if store.failure(path.stem) is None:
            yield Damage(str(path), "no note of a failure")
    for manifest in suites:
        yield from _missing(store, manifest)


def _cells(store: Store) -> Iterator[Damage]:
    """Damage of the cells in the folder."""
    for folder in sorted((store.out / "store").glob("*/*")):
        key = folder.name
        if not folder.is_dir() or not is_safe(key) or folder.parent.name != key[:2]:
            yield Damage(str(folder), "no cell is called so")
            continue
        flaw = store.damage_here(key)
        if flaw:
            yield Damage(str(folder), flaw)
            continue
        named = {RECORD, *store.record(key)["files"]}
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            if path.relative_to(folder).as_posix() not in named:
                yield Damage(str(path), "no file of its cell: its record does not name it")


def _published(store: Store) -> Iterator[Damage]:
    """Damage of the cells in the object store, each file read once."""
    if store.published is None:
        return
    whole: dict[str, bool] = {}
    for key in list(store.published.keys()):
        try:
            record = store.published.record(key)
        except DataError as error:
            yield Damage(key, str(error))
            continue
        for name, digest in record["files"].items():
            if digest not in whole:
                whole[digest] = store.published.whole(digest)
            if not whole[digest]:
                place = f"{store.published.objects.address}/{file_name(digest)}"
                yield Damage(
                    place, f"missing or damaged: {name} of {key[:12]} ({record.get('label')})"
                )


def _missing(store: Store, manifest: RunManifest) -> Iterator[Damage]:
    """Results that a manifest says are done, of which the ranks, the split or the data are gone.

    What they were made with besides need not exist any more.
    """
    place = f"{store.out}/suites/{manifest.suite}.json"
    for result in manifest.results:
        queue = {"ranks": result.key} if result.done else {}
        while queue:
            role, key = queue.popitem()
            if not store.has(key):
                what = f"the {role} of {result.identity} ({key[:12]})"
                yield Damage(place, f"{what}: gone from the store; run the suite again")
                continue
            with suppress(HandledError):  # damaged, and named as such
                inputs = store.record(key).get("inputs", {})
                queue |= {r: k for r, k in inputs.items() if r in PUBLISHED}


def needed(store: Store, suites: Iterable[RunManifest]) -> set[str]:
    """Keys of the cells that manifests need: those behind every row, and trials of searches.

    A row's cells are needed whether or not it is done, and so is what they were made of.
    """
    queue = []
    for manifest in suites:
        for row in (*manifest.results, *manifest.curves):
            queue += [row.key, *row.cells, *((row.lists,) if row.lists else ())]
    queue += [key for key in list(store.keys()) if _kind(store, key) == TRIAL]
    wanted: set[str] = set()
    while queue:
        key = queue.pop()
        if key not in wanted:
            wanted.add(key)
            with suppress(HandledError):  # gone or damaged: nothing is known of its inputs
                queue += store.record(key).get("inputs", {}).values()
    return wanted


def _kind(store: Store, key: str) -> str:
    with suppress(HandledError):
        return str(store.record(key).get("kind", ""))
    return "damaged"


def usage(out: str | Path = "runs") -> list[Usage]:
    """What a store's cells take by kind, and what lies beside them.

    Raises:
        HandledError: no suite was run there, or a manifest is damaged.
    """
    store, wanted = _opened(out)
    kinds: dict[str, list[tuple[int, bool]]] = {}
    with store.listed():
        for key in list(store.keys()):
            kinds.setdefault(_kind(store, key), []).append((_bytes(store, key), key not in wanted))
    made = [
        Usage(k, len(c), sum(b for b, _ in c), sum(b for b, free in c if free))
        for k, c in kinds.items()
    ]
    beside = [(name, _below(store.out / name)) for name in ("work", "logs", "tmp", "arriving")]
    rest = [Usage(name, 0, size, 0) for name, size in beside if size]
    return [*sorted(made, key=lambda u: (-u.bytes, u.kind)), *rest]


def collect(
    out: str | Path = "runs", *, delete: bool = False, older: float = DAY
) -> Iterator[Unused]:
    """Cells that no manifest needs; taken away if that is asked for.

    A run that is at work has its manifest at its end only: cells younger than `older` stay, and
    cells that somebody is at work on. Whoever shares an object store has to see to it that no run
    is at work on it: a file of a cell that is being published may be one that nothing needed.

    Args:
        out: a run's folder or an address.
        delete: take them away; else they are named alone.
        older: seconds since a cell was finished, by this machine's clock.

    Raises:
        HandledError: no manifest is there, or one is damaged: nothing says what is needed.
    """
    store, wanted = _opened(out)
    for key in [key for key in list(store.keys()) if key not in wanted]:
        try:
            record = store.record(key)
        except HandledError:
            continue  # `verify` names it, and the next run that needs it computes it again
        if time.time() - float(record.get("started", 0)) - float(record.get("seconds", 0)) < older:
            continue
        removed = delete and _remove(store, key)
        yield Unused(key, record.get("kind", ""), record.get("label", ""),
                     sum(record["sizes"].values()), removed)  # fmt: skip
    if delete and store.published is not None:
        store.published.clear_unnamed()


def _opened(out: str | Path) -> tuple[Store, set[str]]:
    folder = opened(out)
    store = Store(folder)
    suites = manifests(folder)
    with store.listed():
        return store, needed(store, suites)


def _remove(store: Store, key: str) -> bool:
    try:
        store.remove(key)
    except Busy:
        return False
    return True


def _bytes(store: Store, key: str) -> int:
    with suppress(HandledError):
        return sum(store.record(key)["sizes"].values())
    return _below(store.folder(key))


def _below(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


__all__ = ["Damage", "Unused", "Usage", "collect", "usage", "verify"]
