"""A submission: records with all that belongs to them, made from a run or read from a bundle."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.identity import FIELDS, Identity
from recmerge_bench.registry import Registry
from recmerge_bench.results.all_ranks import read_all_ranks
from recmerge_bench.results.beside import read_groups
from recmerge_bench.results.chosen import chooser
from recmerge_bench.results.curves import curves_path, load_curves
from recmerge_bench.results.derived import without_derived
from recmerge_bench.results.files import cost_path
from recmerge_bench.results.groups import groups_path, load_groups
from recmerge_bench.results.making import write_records
from recmerge_bench.results.rank_files import ranks_beside
from recmerge_bench.results.reader import Reader, manifests
from recmerge_bench.results.records import (
    Result,
    check_costs,
    check_records,
)
from recmerge_bench.results.suite_files import SuiteFiles, read_suite_files, write_suite_files
from recmerge_bench.submissions.bundle import Manifest, manifest_of, unpack, write_bundle
from recmerge_bench.submissions.plausible import check_all
from recmerge_bench.submissions.untrusted import check_ranks_file, check_texts
from recmerge_bench.untrusted.jsons import read_json
from recmerge_bench.untrusted.paths import suite_flaw, within

T = TypeVar("T")


@dataclass(frozen=True)
class Submission(SuiteFiles):
    """Results that are done, with their ranks and costs, and without what rows say together.

    Attributes:
        manifest: of the bundle; None before there is one.
        bundle: SHA-256 of the manifest.
    """

    manifest: Manifest | None = None
    bundle: str = ""


def submit(
    source: Path,
    to: Path,
    registry: Registry,
    suite: str | None = None,
    only: Sequence[str] = (),
    board: str | None = None,
    contact: str = "",
    note: str = "",
) -> tuple[Path, Manifest]:
    """Pack results as a bundle, checked as those who receive it will.

    Args:
        source: a run's folder, or a records file with what lies beside it.
        to: folder for the bundle.
        registry: for the metrics.
        suite: which one of the run, where there are several.
        only: ``key=value,...`` of a result's identity; results that fit one of them, () takes
            all.
        board: the suite whose board this is for, where the run's has a name of its own.
        contact: whom to ask, one line.
        note: one line.

    Raises:
        HandledError: nothing is done, or the records are not what their ranks give.
    """
    with tempfile.TemporaryDirectory() as name:
        path = _records_of(source, Path(name), registry, suite)
        chosen = _chosen(read_suite_files(path), only, board)
        _check_configured(chosen.records.results, path)
        check_all(registry, chosen.records, chosen.costs, chosen.ranks, chosen.groups, path)
        folder = Path(name) / "bundle"
        files = write_suite_files(within(folder, f"{chosen.records.suite}.json"), chosen)
        check_texts(chosen.records.to_json(), path)
        manifest = manifest_of(chosen.records, files, contact, note)
        return write_bundle(manifest, files, to), manifest


def read_submission(bundle: Path, registry: Registry, folder: Path) -> Submission:
    """Read a stranger's bundle and check it by itself.

    Args:
        bundle: the file.
        registry: for the metrics.
        folder: an empty one to unpack into.

    Raises:
        HandledError: it is no bundle, or its records are not what they should be.
    """
    manifest, digest = unpack(bundle, folder)
    path = within(folder, f"{manifest.suite}.json")
    try:
        submission = _strict(path, manifest, digest)
        check_all(
            registry,
            submission.records,
            submission.costs,
            submission.ranks,
            submission.groups,
            path,
        )
    except HandledError as error:
        raise HandledError(f"{bundle}: {str(error).replace(f'{folder}/', '')}") from None
    return submission


def _records_of(source: Path, aside: Path, registry: Registry, suite: str | None) -> Path:
    """The records file; made anew where the source is a run."""
    if source.is_file():
        if suite is not None:
            raise HandledError("--suite chooses among the suites of a run; this is a records file")
        return source
    if not source.is_dir():
        raise HandledError(f"no such run or records file: {source}")
    runs = manifests(source, suite)
    if len(runs) > 1:
        names = ", ".join(m.suite for m in runs)
        raise HandledError(f"{source}: suites {names} were run here: choose with --suite")
    return write_records(Reader(source, registry), runs[0], aside / "records")[0]


def _strict(path: Path, manifest: Manifest, digest: str) -> Submission:
    """A stranger's records: everything is bounded before it is read."""
    raw = [read_json(p) for p in (path, cost_path(path))]
    for value in raw:
        check_texts(value, path)
    records, costs = check_records(raw[0], path), check_costs(raw[1], path)
    names = {records.suite, costs.suite, manifest.suite}
    if len(names) > 1:
        raise DataError(f"records, costs and manifest name different suites {sorted(names)}", path)
    if len(records.results) != manifest.results:
        raise DataError("records and manifest have different numbers of results", path)
    _check_configured(records.results, path)
    ranks_path = ranks_beside(path)
    once = {r.key: sum(r.instances.values()) for r in records.results}
    check_ranks_file(ranks_path, sum(once.values()))
    if groups_path(path).is_file():
        _bounded_groups(groups_path(path), max(once.values(), default=0))
    if curves_path(path).is_file():
        check_texts(read_json(curves_path(path)), path)
    ranks = read_all_ranks(ranks_path)  # the bundle's own file: no lock of strangers is asked
    if sum(len(table.users) for table in ranks.values()) != sum(once.values()):
        raise DataError("the ranks are of other instances than the records", ranks_path)
    return Submission(
        records, costs, ranks, load_curves(curves_path(path)), load_groups(groups_path(path)),
        manifest, digest,
    )  # fmt: skip


def _check_configured(results: Sequence[Result], path: Path) -> None:
    """Every result that is done says how it was made.

    Raises:
        DataError: one does not.
    """
    for number, result in enumerate(results):
        if result.done and result.configuration is None:
            raise DataError(
                f"results.{number}: the configuration of '{result.identity.method}' is not "
                "recorded, and a board has to know what its rows were made with: run the suite "
                "again with this version and submit that",
                path,
            )


def _bounded_groups(path: Path, most: int) -> None:
    sizes = [g.instances for some in read_groups(path).values() for g in some]
    if len(sizes) > 1000 or any(size > most for size in sizes):
        raise DataError("groups of more targets than there are, or too many groups", path)


def _asked_for(submission: SuiteFiles, only: Sequence[str]) -> dict[Identity, Result]:
    """Results that are done and that a selector chooses, without who submitted them.

    Raises:
        HandledError: there are none.
    """
    fits = chooser(only, FIELDS)
    results = {
        r.identity: r.without("submitted")
        for r in submission.records.results
        if r.done and fits(r.identity)
    }
    if not results:
        asked = f" of {', '.join(only)}" if only else ""
        raise HandledError(f"suite '{submission.records.suite}': no result{asked} is done")
    return results


def _chosen(submission: SuiteFiles, only: Sequence[str], board: str | None) -> Submission:
    """What is done of it and asked for, under the board's name."""
    results = _asked_for(submission, only)
    suite = _suite(submission, board)
    keys, splits = {r.key for r in results.values()}, {r.split for r in results.values()}
    header = submission.records.header
    costs = {c.identity: c for c in submission.costs.results if c.key in keys}
    return Submission(
        without_derived(submission.records).changed(
            suite=suite,
            header=header.changed(audits=_kept(header.audits, splits)),
            results=list(results.values()),
        ),
        submission.costs.changed(suite=suite, results=[costs[k] for k in results if k in costs]),
        _kept(submission.ranks, keys),
        [c for c in submission.curves if c.identity in results],
        _kept(submission.groups, splits),
    )


def _suite(submission: SuiteFiles, board: str | None) -> str:
    suite = board or submission.records.suite
    if flaw := suite_flaw(suite):
        raise HandledError(f"--board: {flaw}" if board else flaw)
    return suite


def _kept(entries: Mapping[str, T], keys: set[str]) -> dict[str, T]:
    return {key: entry for key, entry in entries.items() if key in keys}
