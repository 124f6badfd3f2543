"""Which formats there are, and files that are written all or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from recmerge_bench.errors import HandledError, near
from recmerge_bench.identity import FIELDS
from recmerge_bench.names import repeated
from recmerge_bench.registry import Registry
from recmerge_bench.report.exports.source import Source
from recmerge_bench.results.chosen import chooser, written
from recmerge_bench.results.files import load_records, records_files
from recmerge_bench.untrusted.paths import within

if TYPE_CHECKING:
    from recmerge_bench.results.records import Records

FORMATS = ("csv", "parquet", "latex", "trec", "results")
Maker = Callable[[Source, Path], Iterator[Path]]


def export_suite(
    folder: Path, suite: str, formats: tuple[str, ...], to: Path, registry: Registry,
    only: Sequence[str] = (),
) -> list[Path]:  # fmt: skip
    """Write a suite's records in other forms; all files or none.

    Args:
        folder: of records.
        suite: by name.
        formats: of `FORMATS`.
        to: folder that the files go to; made if it is not there.
        registry: for the metrics by query of the TREC files.
        only: ``key=value,...`` of the identity: results that fit one of them; () takes all.

    Returns:
        The files.

    Raises:
        HandledError: no such suite, nothing chosen, no ranks where they are needed, or a file in
            the folder's place.
        DataError: records or ranks are damaged.
    """
    path = within(folder, f"{suite}.json")
    _known(folder, suite, path)
    records = _chosen(load_records(path), only)
    source = Source(path, records, registry)
    if to.exists() and not to.is_dir():
        raise HandledError(f"{to}: not a folder; name another with --to")
    to.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".export-", dir=to))
    try:
        made = [file for name in formats for file in _maker(name)(source, aside)]
        for later, _ in repeated(str(file).casefold() for file in made):
            raise HandledError(
                f"{path}: two results would share the file {made[later].name}: give their rows "
                "other variants, or choose with --only"
            )
        return [_moved(file, to / file.relative_to(aside)) for file in made]
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _moved(file: Path, final: Path) -> Path:
    final.parent.mkdir(parents=True, exist_ok=True)
    os.replace(file, final)
    return final


def _maker(name: str) -> Maker:
    from recmerge_bench.report.exports import latex, long_table, summary, trec

    makers: dict[str, Maker] = {
        "csv": long_table.write_csv, "parquet": long_table.write_parquet,
        "latex": latex.write, "trec": trec.write, "results": summary.write,
    }  # fmt: skip
    return makers[name]


def _known(folder: Path, suite: str, path: Path) -> None:
    if path.is_file() and "." not in suite:
        return
    beside = [p.stem for p in records_files(folder)]
    if not beside:
        raise HandledError(f"{folder}: no records there")
    raise HandledError(
        f"{folder}: no records of suite '{suite}'{near(suite, beside)}; there are: "
        f"{', '.join(beside)}"
    )


def _chosen(records: Records, only: Sequence[str]) -> Records:
    """Results that are asked for.

    Raises:
        HandledError: no such key, or no such result.
    """
    if not only:
        return records
    fits = chooser(only, FIELDS if records.results else ())
    kept = [result for result in records.results if fits(result.identity)]
    if not kept:
        key, _, value = only[0].partition(",")[0].partition("=")
        there = dict.fromkeys(written(getattr(r.identity, key)) for r in records.results)
        raise HandledError(f"--only {' --only '.join(only)} matches no result{near(value, there)}")
    return records.model_copy(update={"results": kept})
