"""Records and boards of a suite, written from a run's folder or from committed records."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from recmerge_bench.collection import uncollected
from recmerge_bench.files import write_json, write_text
from recmerge_bench.registry import Registry
from recmerge_bench.report.figures.declared import figures
from recmerge_bench.report.figures.pareto import paretos
from recmerge_bench.report.publishing.owned import check_apart
from recmerge_bench.report.publishing.texts import board_texts
from recmerge_bench.results.all_ranks import derive
from recmerge_bench.results.audits import UNKNOWN, pretraining
from recmerge_bench.results.curves import curves_path, load_curves
from recmerge_bench.results.files import cost_path, load_costs, load_records, save_records
from recmerge_bench.results.groups import groups_path, load_groups
from recmerge_bench.results.making import write_records
from recmerge_bench.results.metrics import not_loaded
from recmerge_bench.results.rank_files import ranks_of
from recmerge_bench.results.rank_lock import relock
from recmerge_bench.results.reader import Reader, manifests
from recmerge_bench.results.records import Records
from recmerge_bench.results.run_manifest import RunManifest
from recmerge_bench.untrusted.paths import within


@uncollected()
def build(
    out: Path, boards: Path, records: Path, registry: Registry, suite: str | None = None,
    note: Callable[[str], None] | None = None, keep: bool = False,
) -> list[Path]:  # fmt: skip
    """Records and boards of the suites run into `out`; returns what was written, boards first.

    Args:
        out: the run's folder.
        boards: folder that boards are written to.
        records: folder that records are written to.
        registry: for the metrics.
        suite: of this one alone.
        note: is handed a line for each metric whose plugin is not loaded; the boards are made
            without it. Where this is not given, such a metric is an error, as the first of a
            suite always is: verdicts are about it.
        keep: rows that `records` has and the run lacks stay
            (`recmerge_bench.results.kept.with_kept`); `note` is told which do not, and why.

    Raises:
        HandledError: such a metric; no suite was run there; rows that would stay are of other data.
    """
    reader = Reader(out, registry)
    files: list[Path] = []
    for manifest in manifests(out, suite):
        if note is not None:
            manifest = _with_loaded_metrics(manifest, registry, note)
        kept = (note or _silent) if keep else None
        written = write_records(reader, manifest, records, kept)
        written += relock(records, [manifest.suite])
        files += [*render_suite(records, manifest.suite, boards), *written]
    return files


def _silent(line: str) -> None:
    """Where nobody asked for notes."""


def _with_loaded_metrics(
    manifest: RunManifest, registry: Registry, note: Callable[[str], None]
) -> RunManifest:
    """The manifest without the metrics, after the first, whose plugins are not loaded."""
    header = manifest.header
    lacking = not_loaded(registry, header.metrics[1:])
    for line in lacking.values():
        note(f"{manifest.suite}: {line}")
    kept = [name for name in header.metrics if name not in lacking]
    return manifest.changed(header=header.changed(metrics=kept)) if lacking else manifest


def derive_suite(records: Path, suite: str, registry: Registry) -> list[Path]:
    """Make a suite's committed records again from its ranks: metrics, groups, verdicts, mean ranks.

    What is no number of the ranks (identities, configurations, audits, costs) stays; files of an
    older schema become files of the present one.

    Raises:
        HandledError: there are no such records or ranks, or they are damaged.
    """
    path = records / f"{suite}.json"
    suite_records, costs = load_records(path), load_costs(cost_path(path))
    ranks = ranks_of(path)
    again = derive(suite_records, ranks, registry, load_groups(groups_path(path)))
    again = _with_encoders(again, registry)
    save_records(path, again)
    write_json(cost_path(path), costs.to_json())
    return [path, cost_path(path)]


def _with_encoders(records: Records, registry: Registry) -> Records:
    """The records with what is known of text encoders by now."""
    known = records.header.pretraining
    now = {
        name: encoder
        for name, encoder in pretraining(registry, records.results).items()
        if encoder.trained_on != UNKNOWN or name not in known
    }
    return records.changed(header=records.header.changed(pretraining={**known, **now}))


@uncollected()
def render_suite(records: Path, suite: str, boards: Path) -> list[Path]:
    """``<suite>.md`` and what lies beside it (``-full``, ``-cost``, ``-cards``) from records alone.

    Raises:
        HandledError: there are no such records, they are damaged, or another suite's files would
            be replaced.
    """
    path = within(records, f"{suite}.json")
    suite_records, costs = load_records(path), load_costs(cost_path(path))
    check_apart(suite_records, records)
    texts = board_texts(
        boards, suite_records, costs, paretos(suite_records, costs),
        figures(suite_records, load_curves(curves_path(path))),
    )  # fmt: skip
    for file, text in texts.items():
        write_text(file, text)
    return list(texts)
