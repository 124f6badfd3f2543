"""Failed cells of a run's folder: which they are, and what each left to read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recmerge_bench.errors import HandledError, near
from recmerge_bench.processes.words import first_line
from recmerge_bench.running.mirror import place_of
from recmerge_bench.running.store import Store


@dataclass(frozen=True)
class FailedCell:
    """A cell that failed last time, and is tried again by the next run that needs it.

    Attributes:
        key: of the cell, 64 hex digits.
        label: what a person reads.
        error: what went wrong, one line.
        cause: ``wrong use or bad data``, ``time limit``, ``out of memory`` or ``error``, which is
            an unforeseen one.
        when: it failed last, UTC (``2026-11-27 21:08``).
        traceback: of the error; of a process that was killed, the last that it printed.
        file: JSON with all of this.
    """

    key: str
    label: str
    error: str
    cause: str
    when: str
    traceback: str
    file: Path

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "file": str(self.file)}


def failed_cells(out: str | Path = "runs") -> tuple[FailedCell, ...]:
    """The cells of a run's folder that failed last time and are not done since, the latest first.

    Args:
        out: the folder that ``run --out`` names.

    Raises:
        HandledError: there is no such folder.
    """
    folder = place_of(out)
    if not folder.is_dir():
        raise HandledError(f"{out}: no such folder; name that of a run (--out)")
    cells = [_cell(Store(folder), file) for file in (folder / "failures").glob("*.json")]
    return tuple(sorted(filter(None, cells), key=lambda c: (c.when, c.label), reverse=True))


def _cell(store: Store, file: Path) -> FailedCell | None:
    """None where the file is nothing that a run wrote, or the cell is done since."""
    failure = store.failure(file.stem)
    if failure is None or store.has(file.stem):
        return None
    when = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    return FailedCell(
        file.stem, failure["label"], first_line(failure["error"]), _cause(failure),
        when.strftime("%Y-%m-%d %H:%M"), str(failure.get("traceback", "")), file,
    )  # fmt: skip


def _cause(failure: dict[str, Any]) -> str:
    if failure.get("timeout"):
        return "time limit"
    if failure.get("out_of_memory"):
        return "out of memory"
    return "wrong use or bad data" if failure.get("handled") else "error"


def failed_cell(name: str, out: str | Path = "runs") -> FailedCell:
    """One of them.

    Args:
        name: the beginning of its key, or a part of its label.
        out: see `failed_cells`.

    Raises:
        HandledError: none is such, or several are.
    """
    cells = failed_cells(out)
    fitting = [c for c in cells if c.key.startswith(name.lower())]
    fitting = fitting or [c for c in cells if name in c.label]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise HandledError(f"{len(fitting)} failed cells are '{name}': {_few(fitting)}")
    if not cells:
        raise HandledError(f"no cell of {out} has failed (or each is done since)")
    known = [n for c in cells for n in (c.key[: max(8, len(name))], c.label)]
    raise HandledError(
        f"no failed cell of {out} is '{name}'{near(name, known)}; there are: {_few(cells)}"
    )


def _few(cells: list[FailedCell] | tuple[FailedCell, ...]) -> str:
    """The first few, with keys that can be typed."""

    def texts() -> Iterator[str]:
        for cell in cells[:5]:
            yield f"{cell.key[:8]} ({cell.label})"

    return "; ".join(texts()) + ("; ..." if len(cells) > 5 else "")
