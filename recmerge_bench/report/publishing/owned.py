"""Which files of a folder of boards are a suite's, from its records' header alone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from recmerge_bench.errors import HandledError
from recmerge_bench.names import repeated
from recmerge_bench.report.figures.memorised import card_figures
from recmerge_bench.report.figures.pareto import cost_figures
from recmerge_bench.results.files import archive_of, load_records, records_files
from recmerge_bench.results.header import Header
from recmerge_bench.results.records import Records
from recmerge_bench.untrusted.paths import BESIDE

#: What records consist of, by the end of their names.
ENDS = (".json", ".cost.json", ".curves.json", ".groups.json", ".ranks.parquet")


def owned(suite: str, header: Header) -> set[str]:
    """Paths within a folder of boards that the suite's files may have, drawn or not."""
    made = (*cost_figures(header).values(), *card_figures(header).values())
    figures = [*header.figures, *made]
    return {
        *(f"{suite}{end}.md" for end in ("", *BESIDE)),
        *(f"records/{suite}{end}" for end in ENDS),
        *(f"figures/{suite}-{name}{end}" for name in figures for end in (".csv", ".svg")),
    }


def check_apart(records: Records, folder: Path, others: Iterable[Path] = ()) -> None:
    """Refuse a suite whose files would be those of another suite or of somebody else.

    Args:
        records: of the suite.
        folder: of records of all suites (``records/``).
        others: files that no suite may write, by their paths within the folder of boards.

    Raises:
        HandledError: they would be.
    """
    suite, own = records.suite, owned(records.suite, records.header)
    if (archive_of(folder) / f"{suite}.json").is_file():
        raise HandledError(
            f"suite '{suite}': its board is in the archive, since another has replaced it; give "
            "the suite another name"
        )
    if again := _both(own):
        raise HandledError(f"suite '{suite}': two of its files would be called {again}")
    for path in records_files(folder):
        if path.stem == suite:
            continue
        theirs = owned(path.stem, load_records(path).header)
        if both := _both([*theirs, *own]):
            raise HandledError(
                f"suite '{suite}': its file {both} would be that of suite '{path.stem}'; give it "
                "another name (submit --board NAME)"
            )
    if both := _both([*map(str, others), *own]):
        raise HandledError(
            f"suite '{suite}': its file {both} is there and is of no suite; give it another name "
            "(submit --board NAME)"
        )


def _both(paths: Iterable[str]) -> str:
    """The first of these that is there twice where case counts for nothing; else nothing."""
    names = sorted(paths, key=str.casefold)
    return next((names[n] for n, _ in repeated(map(str.casefold, names))), "")
