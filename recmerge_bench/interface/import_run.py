"""Scores that other software gave, ranked under a protocol of a run: a row beside the run's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recmerge_bench.borders.metrics import split_metric
from recmerge_bench.data.codec import load_interactions, load_split
from recmerge_bench.digests import file_digest
from recmerge_bench.errors import HandledError, near
from recmerge_bench.evaluation.ranking import Ranking
from recmerge_bench.evaluation.ranks import RankTable, same_targets
from recmerge_bench.files import write_json
from recmerge_bench.identity import Identity, Place
from recmerge_bench.interface.guard import plugins_blamed
from recmerge_bench.interface.plugins import Plugins, registry_of
from recmerge_bench.json_values import canonical
from recmerge_bench.names import MEAN
from recmerge_bench.planning.keys import digest
from recmerge_bench.planning.metrics import check_metrics
from recmerge_bench.registry import Registry
from recmerge_bench.report.publishing.finish import render_suite
from recmerge_bench.results.all_ranks import write_all_ranks
from recmerge_bench.results.derived import with_derived
from recmerge_bench.results.files import cost_path, load_costs, load_records, save_records
from recmerge_bench.results.header import Header
from recmerge_bench.results.metrics import domain_means
from recmerge_bench.results.rank_files import ranks_of
from recmerge_bench.results.rank_lock import relock
from recmerge_bench.results.reader import Reader, manifests
from recmerge_bench.results.records import Cost, Costs, Origin, Records, Result
from recmerge_bench.results.run_manifest import RunManifest, RunResult
from recmerge_bench.running.mirror import opened
from recmerge_bench.submissions.run_files import FORMS, Form, ScoredRun, form_of, read_run
from recmerge_bench.submissions.run_ranks import RunRanks, Unlisted, exact, rank_run
from recmerge_bench.untrusted.paths import within

#: Behind a suite's name: the board of its rows beside imported ones.
ENDING = "-external"


@dataclass(frozen=True, repr=False)
class ImportedRun:
    """A row that other software made, on its board.

    Attributes:
        result: with its metrics by domain.
        ranks: of the test targets.
        remarks: what a reader has to know of how the ranks came about.
        files: the board's, boards first.
    """

    result: Result
    ranks: RankTable
    remarks: tuple[str, ...]
    files: tuple[Path, ...]

    def __repr__(self) -> str:
        mean = self.result.metrics[MEAN]
        values = ", ".join(f"{name} {value:.4f}" for name, value in mean.items())
        return f"{self.result.identity.method}, external: {values} (mean over the domains)"


@plugins_blamed()
def import_run(
    files: str | Path | Mapping[str, str | Path],
    *,
    name: str,
    track: str,
    protocol: str,
    suite: str = "quick",
    out: str | Path = "runs",
    to: str | Path | None = None,
    form: str = "",
    metrics: Sequence[str] = (),
    unlisted: Unlisted = "refuse",
    note: str = "",
    plugins: Plugins = (),
) -> ImportedRun:
    """Rank scores made elsewhere on a run's test targets, and write their row beside the run's own.

    The row stands on the board ``<suite>-external``, marked as external, with all rows of the same
    track and protocol. A further import joins it; one of the same name takes its place.

    Args:
        files: one file of all domains, or domain -> file; see
            `recmerge_bench.submissions.run_files` for their forms.
        name: of the row, as a method's.
        track: of the suite.
        protocol: of the track, with one test target for a user and domain.
        suite: that was run into `out`.
        out: folder of the run, in whose store data and split lie.
        to: folder of the board and its ``records``; ``OUT/external`` if not given.
        form: of the files: ``trec``, ``tsv``, ``atomic`` or ``npz``; by their endings if empty.
        metrics: those of the suite that the board has; all if empty.
        unlisted: what becomes of candidates without a score: ``refuse`` where a metric depends on
            them; ``equal``: they are one tie below the others.
        note: one line that the board prints.
        plugins: files or modules to load beside the installed plugins, for their metrics.

    Raises:
        HandledError: no such run, track, protocol or metric; an incomplete run; lists too short.
        DataError: bad content of a file, with its line.
    """
    registry = registry_of(plugins)
    out = opened(out)
    reader = Reader(out, registry)
    [manifest] = manifests(out, suite)
    place = _place(manifest, track, protocol)
    folder = out / "external" if to is None else Path(to)
    base = _base(out / "records", folder / "records", suite, place, metrics, registry)
    runs = _read(files, form)
    source = _done(manifest, place)
    counted, table = _ranked(reader, source, runs, base.records, unlisted)
    made = _result(base, place, table, runs, name, note, registry)
    added = base.with_row(made, table)
    written = added.write(folder, registry)
    return ImportedRun(made, table, tuple(exact(counted)), tuple(written))


def _place(manifest: RunManifest, track: str, protocol: str) -> Place:
    """A table of the run.

    Raises:
        HandledError: there is no such.
    """
    tracks = manifest.header.tracks
    if track not in tracks:
        raise HandledError(
            f"suite '{manifest.suite}' has no track '{track}'{near(track, tracks)}; it has: "
            f"{', '.join(tracks)}"
        )
    known = tracks[track].protocols
    if protocol not in known:
        raise HandledError(
            f"track '{track}' has no protocol '{protocol}'{near(protocol, known)}; it has: "
            f"{', '.join(known)}"
        )
    return Place(track, protocol)


def _done(manifest: RunManifest, place: Place) -> RunResult:
    """A result of the table that is done: its data, split and candidates are the table's.

    Raises:
        HandledError: none is.
    """
    for result in manifest.results:
        if result.done and result.identity.place == place:
            return result
    raise HandledError(
        f"no row of track '{place.track}', protocol '{place.protocol}' is done: run the suite "
        "first, a counting row is enough (--only method=popularity)"
    )


def _read(files: str | Path | Mapping[str, str | Path], form: str) -> dict[str, ScoredRun]:
    given = files if isinstance(files, Mapping) else {"": files}
    if form and form not in FORMS:
        raise HandledError(f"no form '{form}'{near(form, FORMS)}; there are {', '.join(FORMS)}")
    if not given:
        raise HandledError("no file is given")
    forms: dict[str, Form] = {name: form or form_of(Path(p)) for name, p in given.items()}  # type: ignore[misc]
    return {name: read_run(Path(path), forms[name]) for name, path in given.items()}


def _ranked(
    reader: Reader, source: RunResult, runs: Mapping[str, ScoredRun], records: Records,
    unlisted: Unlisted,
) -> tuple[RunRanks, RankTable]:  # fmt: skip
    """Ranks of the run's test targets, in the rows of the table's own."""
    own = reader.ranks(source)
    facts = own.about["protocol"]
    if "shuffle_seed" in facts:
        raise HandledError(
            f"'{source.identity.protocol}' shuffles the histories, which other software has not "
            "read: rank under the protocol that reads the true order"
        )
    store = reader.store
    data = load_interactions(store.check(reader.source(source, "data")))
    split = load_split(store.check(reader.source(source, "split")))
    drawn = None
    if key := reader.cell(source.key).inputs.get("candidates"):
        drawn = np.load(store.check(key) / "candidates.npy", mmap_mode="r", allow_pickle=False)
    cutoffs = {name: split_metric(name)[1] for name in records.header.metrics}
    counted = rank_run(
        runs, data, split, source.domains, Ranking(drawn, facts["mask_history"]), cutoffs, unlisted
    )
    test = split.test
    table = RankTable(
        test.users, data.catalogue.domains, test.domains.astype(np.int32), test.targets,
        counted.n_better, counted.n_equal, own.about,
    )  # fmt: skip
    if not same_targets(table, own):
        raise HandledError("the split is not that of the ranks: run the suite again")
    return counted, table


@dataclass(frozen=True)
class _Base:
    """A table's rows: of the run, and imported before.

    Attributes:
        records: of that table alone.
        costs: of its rows.
        ranks: key -> table.
    """

    records: Records
    costs: Costs
    ranks: Mapping[str, RankTable]

    def with_row(self, made: Result, table: RankTable) -> _Base:
        """With an imported row, in the place of one of its identity."""
        kept = [r for r in self.records.results if r.identity != made.identity]
        costs = [c for c in self.costs.results if c.identity != made.identity]
        cost = Cost(key=made.key, identity=made.identity, seconds={}, peak_memory=0,
                    parameters=None, joules=None)  # fmt: skip
        ranks = {r.key: self.ranks[r.key] for r in kept if r.done}
        return _Base(
            self.records.changed(results=[*kept, made]),
            self.costs.changed(results=[*costs, cost]),
            {**ranks, made.key: table},
        )

    def write(self, folder: Path, registry: Registry) -> list[Path]:
        """Records and boards, verdicts made anew; returns the files, boards first."""
        records = with_derived(registry, self.records, self.ranks.__getitem__)
        inner = folder / "records"
        paths = [within(inner, f"{records.suite}{end}")
                 for end in (".json", ".cost.json", ".ranks.parquet")]  # fmt: skip
        inner.mkdir(parents=True, exist_ok=True)
        save_records(paths[0], records)
        write_json(paths[1], self.costs.to_json())
        write_all_ranks(paths[2], self.ranks)
        relock(inner, [records.suite])
        return [*render_suite(inner, records.suite, folder), *paths]


def _base(
    run: Path, external: Path, suite: str, place: Place, metrics: Sequence[str],
    registry: Registry,
) -> _Base:  # fmt: skip
    """The table's rows as the run has them now, with those that were imported before."""
    path = within(run, f"{suite}.json")
    records, costs = load_records(path), load_costs(cost_path(path))
    ranks = ranks_of(path)
    wanted = list(metrics) or records.header.metrics
    check_metrics(registry, wanted, "import-run: ")
    results = [r for r in records.results if r.identity.place == place]
    before = within(external, f"{suite}{ENDING}.json")
    if before.is_file():
        known = load_records(before)
        place_there = [r for r in known.results if r.submitted and r.submitted.external]
        if any(r.identity.place != place for r in place_there):
            raise HandledError(
                f"{before}: holds imported runs of another table; give this one a folder by --to"
            )
        ranks |= ranks_of(before)
        mine = {r.identity for r in results}
        results += [r for r in place_there if r.identity not in mine]
        costs = costs.changed(results=[*costs.results, *load_costs(cost_path(before)).results])
    results = [_with_metrics(r, wanted, ranks, registry) for r in results]
    keys = {r.key for r in results}
    own = list({c.key: c for c in costs.results if c.key in keys}.values())
    shown = records.without("cards", "comparisons", "across").changed(
        suite=f"{suite}{ENDING}", header=_header(records, place, wanted), results=results
    )
    return _Base(shown, costs.changed(suite=shown.suite, results=own), ranks)


def _with_metrics(
    result: Result, wanted: Sequence[str], ranks: Mapping[str, RankTable], registry: Registry
) -> Result:
    """A row with these metrics and no groups."""
    plain = result.without("groups")
    if not result.done:
        return plain
    table = ranks[result.key]
    return plain.changed(metrics=domain_means(registry, wanted, table, result.domains))


def _header(records: Records, place: Place, metrics: Sequence[str]) -> Header:
    header = records.header
    track = header.tracks[place.track].changed(protocols=[place.protocol])
    return header.without("figures", "groups", "group_facts").changed(
        title=f"{header.title}: {place.track}, {place.protocol}, beside runs made elsewhere",
        metrics=list(metrics), order=[place.track], tracks={place.track: track},
        command=f"recmerge-bench import-run FILE --suite {records.suite} --track {place.track} "
        f"--protocol {place.protocol} --name NAME",
    )  # fmt: skip


def _result(
    base: _Base, place: Place, table: RankTable, runs: Mapping[str, ScoredRun], name: str,
    note: str, registry: Registry,
) -> Result:  # fmt: skip
    """The imported row."""
    first = next(r for r in base.records.results if r.done)
    files = {domain: file_digest(run.file) for domain, run in runs.items()}
    content = digest(files) if len(files) > 1 else next(iter(files.values()))
    identity = Identity(
        backbone="", method=_name(name), variant="", recipe="fixed", profile="external",
        dataset=first.identity.dataset, track=place.track, protocol=place.protocol, seed=None,
    )  # fmt: skip
    form = ", ".join(dict.fromkeys(run.form for run in runs.values()))
    metrics = base.records.header.metrics
    return Result(
        key=digest({"external": content, "identity": canonical(identity.to_json())}),
        identity=identity, domains=first.domains, status="done",
        metrics=domain_means(registry, metrics, table, first.domains),
        instances=first.instances, candidates=first.candidates, mask_history=first.mask_history,
        data=first.data, split=first.split,
        submitted=Origin(bundle=content, contact="", note=note, split=first.split, flags=[],
                         external=form),
    )  # fmt: skip


def _name(name: str) -> str:
    """A row's name.

    Raises:
        HandledError: it is empty, long or no line.
    """
    if not name.strip() or len(name) > 80 or not name.isprintable():
        raise HandledError(f"a row's name is one line of 1 to 80 characters, not {name!r:.100}")
    return name


__all__ = ["ENDING", "ImportedRun", "import_run"]
