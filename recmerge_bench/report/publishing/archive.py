"""Boards that others have replaced: kept, readable and checked, in a folder of their own."""

from __future__ import annotations

import shutil
from pathlib import Path

from recmerge_bench.errors import HandledError, near
from recmerge_bench.report.publishing.finish import render_suite
from recmerge_bench.report.publishing.owned import owned
from recmerge_bench.results.files import archive_of, load_records, records_files, save_records
from recmerge_bench.results.header import Superseded
from recmerge_bench.results.rank_lock import move_entry
from recmerge_bench.results.records import Records
from recmerge_bench.untrusted.paths import within


def archive_suite(boards: Path, suite: str, by: str, why: str = "") -> list[Path]:
    """Move a suite's records, boards and figures to ``archive/``, marked as superseded.

    Its ranks and numbers stay as they are; its header says by which suite it was replaced, and so
    do those that it had replaced itself. What was begun and not ended is ended by calling it again.

    Args:
        boards: folder with ``records/``, boards and ``figures/``.
        suite: to archive.
        by: the suite that replaces it, whose records are in `boards`.
        why: a short reason, printed on the board.

    Returns:
        the files written, boards first.

    Raises:
        HandledError: there is no such suite, or none that replaces it.
    """
    records = boards / "records"
    known = [path.stem for path in records_files(records)]
    for name in (suite, by):
        if name not in known:
            raise HandledError(
                f"{records}: no records of suite '{name}'{near(name, known)}; there are: "
                f"{', '.join(known) or 'none'}"
            )
    if by == suite:
        raise HandledError(f"suite '{suite}' cannot replace itself; name the new one")
    archive = archive_of(records)
    old = load_records(within(records, f"{suite}.json"))
    mine = sorted(name for name in owned(suite, old.header) if (boards / name).is_file())
    files = [_copied(boards / name, archive.parent / name) for name in mine
             if not name.endswith(".md")]  # fmt: skip
    move_entry(suite, records, archive)
    made = _marked(archive, old, Superseded(by=by, why=why))
    for path in records_files(archive):
        before = load_records(path)
        mark = before.header.superseded
        if mark is not None and mark.by == suite:
            made += _marked(archive, before, mark.changed(by=by))
    for name in sorted(mine, key=lambda name: name == f"records/{suite}.json"):
        (boards / name).unlink()  # the records last: they say what else there is to move
    return [*made, *files]


def _marked(archive: Path, records: Records, mark: Superseded) -> list[Path]:
    """Write a suite's records with a mark, and its boards."""
    header = records.header.changed(superseded=mark)
    save_records(within(archive, f"{records.suite}.json"), records.changed(header=header))
    return render_suite(archive, records.suite, archive.parent)


def archive_faults(boards: Path) -> list[str]:
    """What is not where it has to be: marked boards outside the archive, others within it.

    Raises:
        HandledError: a file of records is damaged.
    """
    records = boards / "records"
    known = {path.stem for path in records_files(records)}
    faults = []
    for path in records_files(records):
        if load_records(path).header.superseded is not None:
            faults.append(f"{path}: superseded, and outside the archive")
    for path in records_files(archive_of(records)):
        mark = load_records(path).header.superseded
        if mark is None:
            faults.append(f"{path}: in the archive, and its header does not say superseded by what")
        elif mark.by not in known:
            faults.append(f"{path}: superseded by '{mark.by}', of which there are no records")
        if path.stem in known:
            faults.append(f"{path}: the suite stands outside the archive too")
    return faults


def _copied(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    return target
