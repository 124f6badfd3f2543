"""Which records `recmerge-bench show` prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from recmerge_bench.errors import HandledError, near
from recmerge_bench.interface.plugins import Plugins, registry_of
from recmerge_bench.interface.results import load_results
from recmerge_bench.interface.suites import suite_name
from recmerge_bench.results.files import records_files
from recmerge_bench.results.records import Records


def board_records(
    suite: str,
    out: Path,
    tracks: Sequence[str] = (),
    *,
    plugins: Plugins = (),
    also: Path | None = None,
) -> Records:
    """Records of a board that has these tracks.

    Args:
        suite: a suite that was run into `out`, by its name or file, or a file of records.
        out: folder of runs, or of published boards: both keep ``records``.
        tracks: names; none: all.
        plugins: see `load_results`.
        also: another such folder, for what `out` does not have.

    Raises:
        HandledError: no such suite was run there; a track that it has not.
        DataError: the file is damaged.
    """
    if not suite.endswith(".json"):
        suite = suite_name(suite, registry_of(plugins))
    path = _file(suite, out, also)
    records = load_results(path, plugins=plugins).records
    for name in tracks:
        if name not in records.header.tracks:
            raise HandledError(
                f"{path}: no track '{name}'{near(name, records.header.tracks)}; "
                f"there are: {', '.join(records.header.tracks)}"
            )
    return records


def _file(suite: str, out: Path, also: Path | None) -> Path:
    """The records of a suite in the first folder that has them."""
    if suite.endswith(".json"):
        return Path(suite)
    folders = [folder for folder in (out, also) if folder is not None]
    for folder in folders:
        path = folder / "records" / f"{suite}.json"
        if path.is_file():
            return path
    known = [file.stem for folder in folders for file in records_files(folder / "records")]
    ran = f"there are: {', '.join(dict.fromkeys(known))}" if known else "nothing was run there"
    raise HandledError(f"{out}: no results of suite '{suite}'{near(suite, known)}; {ran}")
