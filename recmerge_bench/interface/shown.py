"""Which records and which of their results `recmerge-bench show` prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from recmerge_bench.errors import HandledError, near
from recmerge_bench.interface.plugins import Plugins
from recmerge_bench.interface.results import load_results
from recmerge_bench.results.files import records_files
from recmerge_bench.results.records import Records


def board_records(
    suite: str, out: Path, tracks: Sequence[str] = (), *, plugins: Plugins = ()
) -> tuple[Records, frozenset[str]]:
    """Records of a board, and the keys of its results in some tracks.

    Args:
        suite: a suite that was run into `out`, or a file of records.
        out: folder of runs, or of published boards: both keep ``records``.
        tracks: names; none: all.
        plugins: see `load_results`.

    Raises:
        HandledError: no such suite was run there; a track that it has not.
        DataError: the file is damaged.
    """
    path = Path(suite) if suite.endswith(".json") else out / "records" / f"{suite}.json"
    if not path.is_file() and not suite.endswith(".json"):
        known = [file.stem for file in records_files(out / "records")]
        ran = f"there are: {', '.join(known)}" if known else "nothing was run there"
        raise HandledError(f"{out}: no results of suite '{suite}'{near(suite, known)}; {ran}")
    records = load_results(path, plugins=plugins).records
    for name in tracks:
        if name not in records.header.tracks:
            raise HandledError(
                f"{path}: no track '{name}'{near(name, records.header.tracks)}; "
                f"there are: {', '.join(records.header.tracks)}"
            )
    chosen = (r.key for r in records.results if not tracks or r.identity.track in tracks)
    return records, frozenset(chosen)
