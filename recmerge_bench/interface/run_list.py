"""The runs of a folder: which suites, how far, with what command."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from recmerge_bench.results.reader import manifests
from recmerge_bench.results.run_manifest import RunManifest
from recmerge_bench.running.mirror import opened
from recmerge_bench.untrusted.paths import within


@dataclass(frozen=True)
class RunState:
    """A suite that was run into a folder.

    Attributes:
        suite: its name.
        ended: when the last run of it ended, UTC.
        command: that it was run with, without ``--out``.
        states: status -> how many of its results.
        open: rows that are not done: identity, status, reason and remedy.
    """

    suite: str
    ended: str
    command: str
    states: dict[str, int]
    open: tuple[tuple[str, str, str, str], ...]


def run_states(out: str | Path = "runs", suite: str | None = None) -> list[RunState]:
    """How the suites of a folder stand, from their manifests.

    Args:
        out: a run's folder or an address.
        suite: this one alone.

    Raises:
        HandledError: no suite was run there, or not this one, or a manifest is damaged.
    """
    folder = opened(out)
    return [_state(folder, manifest) for manifest in manifests(folder, suite)]


def _state(folder: Path, manifest: RunManifest) -> RunState:
    stamp = within(folder / "suites", f"{manifest.suite}.json").stat().st_mtime
    rows = manifest.results
    return RunState(
        manifest.suite, f"{datetime.fromtimestamp(stamp, UTC):%Y-%m-%d %H:%M}",
        manifest.header.command, dict(Counter(row.status for row in rows)),
        tuple((str(r.identity), r.status, r.reason, r.mend) for r in rows if not r.done),
    )  # fmt: skip
