"""Submitted results become rows of the board that they belong to, or a board of their own."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from recmerge_bench.errors import HandledError
from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.files import write_json, write_text
from recmerge_bench.planning.rerun import differences
from recmerge_bench.registry import Registry
from recmerge_bench.report.publishing.check import expected
from recmerge_bench.report.publishing.owned import check_apart, owned
from recmerge_bench.results.all_ranks import read_all_ranks, write_all_ranks
from recmerge_bench.results.audits import pretraining
from recmerge_bench.results.curves import curves_json, curves_path, load_curves
from recmerge_bench.results.derived import with_derived
from recmerge_bench.results.files import cost_path, load_costs, load_records, records_files
from recmerge_bench.results.groups import by_group, groups_json, groups_path, load_groups
from recmerge_bench.results.records import Records, Result
from recmerge_bench.results.results import MEAN, domain_means
from recmerge_bench.results.whole import check_seeds
from recmerge_bench.submissions.plausible import COLUMNS, flags_of
from recmerge_bench.submissions.replacing import replaced
from recmerge_bench.submissions.submission import Submission, read_submission
from recmerge_bench.submissions.tables_match import Table, check_tables
from recmerge_bench.untrusted.paths import within


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
        if not within(boards, "records", f"{sent.records['suite']}.json").is_file():
            _check_new(sent, boards)
        with replaced(boards) as copy:
            done = _joined(sent, copy, registry, replace_rows, accept_flagged)
            places = [boards / f.relative_to(copy) for f in done.files]
    return replace(done, files=places)


def _check_new(sent: Submission, boards: Path) -> None:
    """A new board's files may not be those of another suite, or of anybody."""
    there = (p.relative_to(boards) for p in boards.rglob("*") if p.is_file())
    known = {n for p in records_files(boards / "records")
             for n in owned(p.stem, load_records(p).header)}  # fmt: skip
    others = [p for p in there if p.parts[0] != "site" and p.as_posix() not in known]
    check_apart(Records.model_validate(sent.records), boards / "records", others)


def _joined(
    sent: Submission, folder: Path, registry: Registry, replace_rows: bool, accept_flagged: bool
) -> Joined:
    suite = sent.records["suite"]
    path = within(folder, "records", f"{suite}.json")
    done = Joined(suite)
    board = _board(path) if path.is_file() else _empty(sent)
    tables = check_tables(sent, board)
    records = {**board.records, "results": list(board.records["results"])}
    costs = {**board.costs, "results": list(board.costs["results"])}
    ranks, names = dict(board.ranks), {}
    for result, cost in zip(sent.records["results"], _costs(sent), strict=True):
        table = tables[_place(result)]
        entry = _entry(sent, result, table, board, registry)
        flags = entry["submitted"]["flags"]
        if not _admit(records["results"], entry, sent, board, done, replace_rows):
            continue
        done.flags += [f"{_name(entry)}: {flag}" for flag in flags]
        mine = sent.ranks[result["key"]]
        entry["key"] = _free_key(entry["key"], mine, ranks, sent.bundle)
        names[result["key"]] = entry["key"]
        ranks[entry["key"]] = mine
        _put(records["results"], entry)
        _put(costs["results"], {**cost, "key": entry["key"]})
    if done.flags and not accept_flagged:
        raise HandledError(
            f"hard to believe: {'; '.join(done.flags)}: look at it, then --accept-flagged adds it "
            "with the flag on the board"
        )
    check_seeds([Result.model_validate(r) for r in records["results"]], path)
    if names:
        used = {r["key"] for r in records["results"]}
        ranks = {k: t for k, t in ranks.items() if k in used}
        _finish(sent, board, folder, registry, records, costs, ranks, names, done)
    return done


def _board(path: Path) -> Submission:
    return Submission(
        load_records(path).raw, load_costs(cost_path(path)).raw,
        read_all_ranks(path.with_name(f"{path.stem}.ranks.parquet")),
        [c.to_json() for c in load_curves(curves_path(path))], load_groups(groups_path(path)),
    )  # fmt: skip


def _empty(sent: Submission) -> Submission:
    """A board without rows; what it says of itself is the submission's."""
    header = {**sent.records["header"], "pretraining": {}}
    return Submission(
        {**sent.records, "header": header, "results": []}, {**sent.costs, "results": []}, {},
        [], sent.groups,
    )  # fmt: skip


def _costs(sent: Submission) -> list[dict[str, Any]]:
    """The cost of each result, in their order."""
    by_name = {_identity(c): c for c in sent.costs["results"]}
    try:
        return [by_name[_identity(r)] for r in sent.records["results"]]
    except KeyError:
        raise HandledError("a result's cost is of another identity than the result") from None


def _entry(
    sent: Submission, result: Mapping[str, Any], table: Table, board: Submission,
    registry: Registry,
) -> dict[str, Any]:  # fmt: skip
    """The result as a row of the board: its metrics, its groups, its split."""
    assert sent.manifest is not None
    metrics = board.records["header"]["metrics"]
    ranks = sent.ranks[result["key"]]
    split = table.split or result.get("split", "")
    entry = {k: v for k, v in result.items() if k not in ("groups", "submitted")}
    entry["metrics"] = domain_means(registry, metrics, ranks, result["domains"])
    if board.groups:
        if split not in board.groups:  # the first rows of their table bring its groups
            if split not in sent.groups:
                raise HandledError(f"{_name(entry)}: the board has groups of targets, this none")
            board.groups[split] = sent.groups[split]
        entry["groups"] = by_group(registry, metrics[0], ranks, board.groups[split])
    flags = flags_of(entry, ranks, metrics[0], table.best.get(metrics[0]))
    entry["split"] = split
    entry["submitted"] = {
        "bundle": sent.bundle, "contact": sent.manifest.contact, "note": sent.manifest.note,
        "split": result.get("split", ""), "flags": flags,
    }  # fmt: skip
    return entry


def _admit(
    results: list[dict[str, Any]], entry: Mapping[str, Any], sent: Submission,
    board: Submission, done: Joined, replace_rows: bool,
) -> bool:  # fmt: skip
    """Whether a row is to be put in; counts what becomes of it."""
    before = [r for r in results if _identity(r) == _identity(entry)]
    if not replace_rows:
        _check_alike(results, entry)
    if not before or before[0]["status"] != "done":
        done.added.append(_name(entry))
        return True
    alike = (entry["configuration_sha256"], "")
    if before[0]["configuration_sha256"] in alike and _same(
        board.ranks[before[0]["key"]], sent.ranks[entry["key"]]
    ):
        done.present += 1
        return False
    if not replace_rows:
        raise HandledError(
            f"{_name(entry)}: is on the board with other numbers (mean "
            f"{_shown(before[0])}, here {_shown(entry)}); --replace takes the new ones, "
            "`submit --only` leaves rows out"
        )
    done.replaced.append(_name(entry))
    return True


def _check_alike(results: list[dict[str, Any]], entry: Mapping[str, Any]) -> None:
    """A row of the board's name is made as the board's, whatever its seed.

    Raises:
        HandledError: it is made otherwise; says in what.
    """
    for other in results:
        told, mine = other["configuration"], entry["configuration"]
        if told and _row(other) == _row(entry) and told != mine:
            apart = list(differences(mine, told))
            raise HandledError(
                f"{_name(entry)}: the board's row of this name was made with another configuration "
                f"(here, there): {'; '.join(apart[:5])}{'; ...' if len(apart) > 5 else ''}; give "
                "the row a variant of its own, or run it as the board's"
            )


def _row(result: Mapping[str, Any]) -> tuple[Any, ...]:
    """A result's identity, the seed apart."""
    return tuple((k, v) for k, v in _identity(result) if k != "seed")


def _same(one: RankTable, other: RankTable) -> bool:
    return all(np.array_equal(getattr(one, c), getattr(other, c)) for c in COLUMNS[3:])


def _free_key(key: str, mine: RankTable, ranks: Mapping[str, RankTable], bundle: str) -> str:
    """The key, or one of its own where the board's has other ranks under it."""
    while key in ranks and not _same(ranks[key], mine):
        key = hashlib.sha256(f"{bundle} {key}".encode()).hexdigest()
    return key


def _put(entries: list[dict[str, Any]], entry: dict[str, Any]) -> None:
    """In the place of those of its identity, or at the end."""
    places = [n for n, e in enumerate(entries) if _identity(e) == _identity(entry)]
    if not places:
        entries.append(entry)
        return
    entries[places[0]] = entry
    for extra in reversed(places[1:]):
        del entries[extra]


def _finish(
    sent: Submission, board: Submission, folder: Path, registry: Registry,
    records: dict[str, Any], costs: dict[str, Any], ranks: Mapping[str, RankTable],
    names: Mapping[str, str], done: Joined,
) -> None:  # fmt: skip
    """What rows make together anew, then all files of the suite."""
    header = dict(records["header"])
    seeds = {r["identity"]["seed"] for r in records["results"]} - {None}
    header["seeds"] = sorted({*header["seeds"], *seeds})
    header["pretraining"] = {**pretraining(registry, records["results"]), **header["pretraining"]}
    used = {r.get("split", "") for r in records["results"]}
    audits = sent.records["header"]["audits"]  # of tables that these rows are the first of
    header["audits"] = {**{k: v for k, v in audits.items() if k in used}, **header["audits"]}
    made = Records.model_validate({**records, "header": header})
    whole = with_derived(registry, made, ranks.__getitem__).to_json()
    suite = done.suite
    path = within(folder, "records", f"{suite}.json")
    write_json(path, whole)
    write_json(cost_path(path), costs)
    write_all_ranks(path.with_name(f"{suite}.ranks.parquet"), ranks)
    written = [path, cost_path(path), path.with_name(f"{suite}.ranks.parquet")]
    mine = [r["identity"] for r in sent.records["results"] if r["key"] in names]
    fresh = [c for c in sent.curves if c["identity"] in mine]
    if curves := [*(c for c in board.curves if c["identity"] not in mine), *fresh]:
        write_json(curves_path(path), curves_json(suite, curves))
        written.append(curves_path(path))
    if board.groups:
        write_json(groups_path(path), groups_json(suite, board.groups))
        written.append(groups_path(path))
    for file, text in expected(folder, suite).items():
        if text is None:
            raise HandledError(
                f"{file.name} has to be drawn anew: pip install -c constraints.txt matplotlib"
            )
        write_text(file, text)
        done.files.append(file)
    done.files += written


def _identity(entry: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted((k, v) for k, v in entry["identity"].items()))


def _place(result: Mapping[str, Any]) -> tuple[str, str]:
    return result["identity"]["track"], result["identity"]["protocol"]


def _name(result: Mapping[str, Any]) -> str:
    identity = result["identity"]
    parts = [identity["track"], identity["protocol"], identity["backbone"], identity["method"],
             identity["variant"]]  # fmt: skip
    seed = "" if identity["seed"] is None else f" seed {identity['seed']}"
    return " ".join(p for p in parts if p) + seed


def _shown(result: Mapping[str, Any]) -> str:
    name, value = next(iter(result["metrics"][MEAN].items()))
    return f"{name} {value:.6f}"
