"""Submitted results become rows of the board that they belong to, or a board of their own."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from recmerge_bench.errors import HandledError
from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.files import write_text
from recmerge_bench.json_values import differences
from recmerge_bench.names import MEAN
from recmerge_bench.registry import Registry
from recmerge_bench.report.publishing.check import expected
from recmerge_bench.report.publishing.owned import check_apart, owned
from recmerge_bench.results.audits import pretraining
from recmerge_bench.results.beside import Curve
from recmerge_bench.results.derived import with_derived
from recmerge_bench.results.files import (
    load_records,
    records_files,
)
from recmerge_bench.results.groups import by_group
from recmerge_bench.results.header import Header
from recmerge_bench.results.metrics import domain_means
from recmerge_bench.results.rank_lock import relock
from recmerge_bench.results.rank_tables import free_key, same_ranks
from recmerge_bench.results.records import Cost, Origin, Result
from recmerge_bench.results.suite_files import SuiteFiles, read_suite_files, write_suite_files
from recmerge_bench.results.whole import check_seeds
from recmerge_bench.submissions.plausible import flags_of
from recmerge_bench.submissions.replacing import replaced
from recmerge_bench.submissions.submission import Submission, read_submission
from recmerge_bench.submissions.tables_match import Table, check_tables
from recmerge_bench.untrusted.paths import within

Entry = TypeVar("Entry", Result, Cost)


@dataclass
class Joined:
    """What `join` did.

    Attributes:
        suite: whose board it is.
        added: identities of rows that are new, or that filled a gap.
        replaced: identities of rows that had other numbers before.
        present: how many rows were there already, with the same numbers.
        flags: what is hard to believe, a line each.
        files: what was written, boards first.
    """

    suite: str
    added: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    present: int = 0
    flags: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)


def join(
    bundle: Path, boards: Path, registry: Registry, replace_rows: bool = False,
    accept_flagged: bool = False,
) -> Joined:  # fmt: skip
    """Check a bundle and add its results to the boards of a folder, whole or not at all.

    Args:
        bundle: what `recmerge_bench.submissions.submission.submit` wrote, maybe a stranger's.
        boards: folder with ``records/`` and boards; made where there is none.
        registry: for the metrics.
        replace_rows: rows that are there with other numbers are replaced; otherwise refused.
        accept_flagged: rows that are hard to believe are added, with their flags on the board.

    Raises:
        HandledError: the bundle is refused, and why; nothing is changed then.
    """
    with tempfile.TemporaryDirectory() as name:
        sent = read_submission(bundle, registry, Path(name))
        if not within(boards, "records", f"{sent.records.suite}.json").is_file():
            _check_new(sent, boards)
        with replaced(boards) as copy:
            done = _joined(sent, copy, registry, replace_rows, accept_flagged)
            places = [boards / f.relative_to(copy) for f in done.files]
    return replace(done, files=places)


def _check_new(sent: Submission, boards: Path) -> None:
    """A new board's files may not be those of another suite, or of anybody."""
    there = (p.relative_to(boards) for p in boards.rglob("*") if p.is_file())
    known = {
        name
        for path in records_files(boards / "records")
        for name in owned(path.stem, load_records(path).header)
    }
    others = [p for p in there if p.parts[0] != "site" and p.as_posix() not in known]
    check_apart(sent.records, boards / "records", others)


@dataclass
class _Rows:
    """The board's rows while they change.

    Attributes:
        results: of the board.
        costs: of these.
        ranks: by key.
        names: key of a submitted result -> its key on the board.
    """

    results: list[Result]
    costs: list[Cost]
    ranks: dict[str, RankTable]
    names: dict[str, str] = field(default_factory=dict)

    def add(self, sent: Submission, entry: Result, cost: Cost) -> None:
        """A submitted row, in the place of one of its identity or at the end."""
        table = sent.ranks[entry.key]
        key = free_key(entry.key, table, self.ranks, sent.bundle)
        self.names[entry.key], self.ranks[key] = key, table
        _put(self.results, entry.changed(key=key))
        _put(self.costs, cost.changed(key=key))


def _joined(
    sent: Submission, folder: Path, registry: Registry, replace_rows: bool, accept_flagged: bool
) -> Joined:
    suite = sent.records.suite
    path = within(folder, "records", f"{suite}.json")
    done = Joined(suite)
    board = read_suite_files(path) if path.is_file() else _empty(sent)
    tables = check_tables(sent, board)
    rows = _Rows(list(board.records.results), list(board.costs.results), dict(board.ranks))
    for result, cost in zip(sent.records.results, _costs(sent), strict=True):
        entry, flags = _entry(sent, result, tables[result.identity.place], board, registry)
        if _admit(rows.results, entry, sent, board, done, replace_rows):
            done.flags += [f"{entry.identity}: {flag}" for flag in flags]
            rows.add(sent, entry, cost)
    if done.flags and not accept_flagged:
        raise HandledError(
            f"hard to believe: {'; '.join(done.flags)}: look at it, then --accept-flagged adds it "
            "with the flag on the board"
        )
    check_seeds(rows.results, path)
    if rows.names:
        _finish(sent, board, folder, registry, rows, done)
    return done


def _empty(sent: Submission) -> SuiteFiles:
    """A board without rows; what it says of itself is the submission's."""
    header = sent.records.header.changed(pretraining={})
    return SuiteFiles(
        sent.records.changed(header=header, results=[]), sent.costs.changed(results=[]), {}, [],
        sent.groups,
    )  # fmt: skip


def _costs(sent: Submission) -> list[Cost]:
    """The cost of each result, in their order."""
    by_identity = {c.identity: c for c in sent.costs.results}
    try:
        return [by_identity[r.identity] for r in sent.records.results]
    except KeyError:
        raise HandledError("a result's cost is of another identity than the result") from None


def _entry(
    sent: Submission, result: Result, table: Table, board: SuiteFiles, registry: Registry
) -> tuple[Result, list[str]]:
    """The result as a row of the board (its metrics, groups, split), and its flags."""
    assert sent.manifest is not None
    metrics = board.records.header.metrics
    ranks = sent.ranks[result.key]
    split = table.split or result.split
    # Values of list metrics cannot be made again from ranks: none is taken from strangers.
    entry = result.without(
        "groups", "submitted", "trained", "list_metrics", "lists_missing"
    ).changed(metrics=domain_means(registry, metrics, ranks, result.domains), split=split)
    if board.groups:
        if split not in board.groups:  # the first rows of their table bring its groups
            if split not in sent.groups:
                raise HandledError(f"{entry.identity}: the board has groups of targets, this none")
            board.groups[split] = sent.groups[split]
        entry = entry.changed(groups=by_group(registry, metrics[0], ranks, board.groups[split]))
    flags = flags_of(entry, ranks, metrics[0], table.best.get(metrics[0]))
    origin = Origin(
        bundle=sent.bundle, contact=sent.manifest.contact, note=sent.manifest.note,
        split=result.split, flags=flags,
    )  # fmt: skip
    return entry.changed(submitted=origin), flags


def _admit(
    results: Sequence[Result], entry: Result, sent: Submission, board: SuiteFiles,
    done: Joined, replace_rows: bool,
) -> bool:  # fmt: skip
    """Whether a row is to be put in; counts what becomes of it."""
    before = next((r for r in results if r.identity == entry.identity), None)
    if not replace_rows:
        _check_alike(results, entry)
    if before is None or not before.done:
        done.added.append(str(entry.identity))
        return True
    alike = before.configuration_sha256 in (entry.configuration_sha256, "")
    if alike and same_ranks(board.ranks[before.key], sent.ranks[entry.key]):
        done.present += 1
        return False
    if not replace_rows:
        raise HandledError(
            f"{entry.identity}: is on the board with other numbers (mean "
            f"{_shown(before)}, here {_shown(entry)}); --replace takes the new ones, "
            "`submit --only` leaves rows out"
        )
    done.replaced.append(str(entry.identity))
    return True


def _check_alike(results: Sequence[Result], entry: Result) -> None:
    """A row of the board's name is made as the board's, whatever its seed.

    Raises:
        HandledError: it is made otherwise; says in what.
    """
    for other in results:
        theirs, ours = (
            None if r.configuration is None else r.configuration.recorded() for r in (other, entry)
        )
        if theirs and other.identity.seedless == entry.identity.seedless and theirs != ours:
            apart = list(differences(ours, theirs))
            raise HandledError(
                f"{entry.identity}: the board's row of this name was made with another "
                f"configuration (here, there): {'; '.join(apart[:5])}"
                f"{'; ...' if len(apart) > 5 else ''}; give the row a variant of its own, or run "
                "it as the board's"
            )


def _put(entries: list[Entry], entry: Entry) -> None:
    """In the place of those of its identity, or at the end."""
    places = [n for n, e in enumerate(entries) if e.identity == entry.identity]
    if not places:
        entries.append(entry)
        return
    entries[places[0]] = entry
    for extra in reversed(places[1:]):
        del entries[extra]


def _finish(
    sent: Submission, board: SuiteFiles, folder: Path, registry: Registry, rows: _Rows,
    done: Joined,
) -> None:  # fmt: skip
    """What rows make together anew, then all files of the suite."""
    suite, keys = done.suite, {r.key for r in rows.results}
    ranks = {key: table for key, table in rows.ranks.items() if key in keys}
    header = _header(sent, board, registry, rows.results)
    records = board.records.changed(header=header, results=rows.results)
    whole = with_derived(registry, records, ranks.__getitem__, board.groups)
    path = within(folder, "records", f"{suite}.json")
    costs = board.costs.changed(results=rows.costs)
    curves = _joined_curves(sent, board, rows)
    written = write_suite_files(path, SuiteFiles(whole, costs, ranks, curves, board.groups))
    written += relock(path.parent, [suite])
    _write_expected(folder, suite, done)
    done.files += written


def _joined_curves(sent: Submission, board: SuiteFiles, rows: _Rows) -> list[Curve]:
    """The board's curves, but for rows that the submission brings, and then those of these."""
    fresh = {r.identity for r in sent.records.results if r.key in rows.names}
    kept = [c for c in board.curves if c.identity not in fresh]
    return [*kept, *(c for c in sent.curves if c.identity in fresh)]


def _write_expected(folder: Path, suite: str, done: Joined) -> None:
    """The boards and figures that the suite's records make."""
    for file, text in expected(folder, suite).items():
        if text is None:
            raise HandledError(
                f"{file.name} has to be drawn anew: pip install -c constraints.txt matplotlib"
            )
        write_text(file, text)
        done.files.append(file)


def _header(
    sent: Submission, board: SuiteFiles, registry: Registry, results: Sequence[Result]
) -> Header:
    """The board's header with what the rows bring: seeds, text encoders, audits of their splits."""
    header = board.records.header
    seeds = {r.identity.seed for r in results if r.identity.seed is not None}
    splits = {r.split for r in results}
    audits = sent.records.header.audits  # of tables that these rows are the first of
    return header.changed(
        seeds=sorted({*header.seeds, *seeds}),
        pretraining={**pretraining(registry, results), **header.pretraining},
        audits={**{k: v for k, v in audits.items() if k in splits}, **header.audits},
    )


def _shown(result: Result) -> str:
    name, value = next(iter(result.metrics[MEAN].items()))
    return f"{name} {value:.6f}"
