"""Rankings that other software wrote, as scores of pairs of user and item: four forms of files.

- ``trec``: a TREC run, ``user Q0 item rank score tag``, white space between. As with `trec_eval`,
  the score orders and the rank is not read.
- ``tsv``: ``user<TAB>item<TAB>score``, no header: the recommendation files of Elliot and WarpRec.
- ``atomic``: RecBole's atomic form, a header such as ``user_id:token item_id:token score:float``,
  tabs between: what is written of `recbole.utils.case_study.full_sort_topk`.
- ``npz``: NumPy arrays ``users`` (text [U]), ``items`` (text [I]), ``scores`` (float [U, I]), as
  they are written of `recbole.utils.case_study.full_sort_scores`.

Larger scores are better. Ids are those that ``recmerge-bench datasets export`` writes.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from recmerge_bench.errors import DataError
from recmerge_bench.toolkit.data.atomic import read_table
from recmerge_bench.toolkit.data.text_files import BYTES, EVENTS, check_id, decoded, lines_of

Form = Literal["trec", "tsv", "atomic", "npz"]
FORMS: tuple[str, ...] = get_args(Form)


@dataclass(frozen=True)
class ScoredRun:
    """A file's scores.

    Attributes:
        file: where they came from.
        form: of the file.
        users: distinct raw ids.
        items: distinct raw ids.
        user: int64 [N], index into `users`.
        item: int64 [N], index into `items`.
        scores: float64 [N], finite.
        lines: int64 [N], line of each; empty where the file has none.
    """

    file: Path
    form: Form
    users: list[str]
    items: list[str]
    user: NDArray[np.int64]
    item: NDArray[np.int64]
    scores: NDArray[np.float64]
    lines: NDArray[np.int64]

    def place(self, number: int) -> int | None:
        """The line of a pair, where the file has lines."""
        return int(self.lines[number]) if len(self.lines) else None


def form_of(path: Path) -> Form:
    """The form that a file's ending says.

    Raises:
        DataError: it says none.
    """
    endings: dict[str, Form] = {
        ".npz": "npz", ".tsv": "tsv", ".trec": "trec", ".run": "trec", ".inter": "atomic",
    }  # fmt: skip
    if path.suffix not in endings:
        known = ", ".join(f"{end} is {form}" for end, form in endings.items())
        raise DataError(f"its ending says no form ({known}): name it by --format", path)
    return endings[path.suffix]


def read_run(path: Path, form: Form) -> ScoredRun:
    """Read a file of one of the forms.

    Raises:
        DataError: bad content, with file and line, and how to fix it.
    """
    if form == "npz":
        return _read_npz(path)
    readers: dict[str, Callable[[Path], Iterator[tuple[str, str, str]]]] = {
        "trec": _trec_lines, "tsv": _tsv_lines, "atomic": _atomic_lines,
    }  # fmt: skip
    users: dict[str, int] = {}
    items: dict[str, int] = {}
    parts: tuple[list[int], list[int], list[float]] = ([], [], [])
    first = 2 if form == "atomic" else 1
    for line, (user, item, score) in enumerate(readers[form](path), first):
        if line > EVENTS:
            raise DataError(f"more than {EVENTS} lines", path)
        parts[0].append(users.setdefault(check_id(user, path, line), len(users)))
        parts[1].append(items.setdefault(check_id(item, path, line), len(items)))
        parts[2].append(_score(score, path, line))
    user_of, item_of = (np.array(p, np.int64) for p in parts[:2])
    lines = np.arange(first, first + len(user_of))
    return ScoredRun(
        path, form, list(users), list(items), user_of, item_of, np.array(parts[2]), lines
    )  # fmt: skip


def _score(text: str, path: Path, line: int) -> float:
    try:
        value = float(text)
    except ValueError:
        raise DataError(f"'{text:.40}' is no score", path, line) from None
    if not math.isfinite(value):
        raise DataError(
            f"the score is {text:.40}: NaN and infinite scores cannot be ranked; leave the line "
            "out or give a number", path, line,
        )  # fmt: skip
    return value


def _trec_lines(path: Path) -> Iterator[tuple[str, str, str]]:
    for number, line in enumerate(lines_of(decoded(path), path), 1):
        fields = line.split()
        if len(fields) != 6:
            raise DataError(
                f"{len(fields)} fields; a line of a TREC run is: user Q0 item rank score tag", path,
                number,
            )  # fmt: skip
        yield fields[0], fields[2], fields[4]


def _tsv_lines(path: Path) -> Iterator[tuple[str, str, str]]:
    for number, line in enumerate(lines_of(decoded(path), path), 1):
        fields = line.split("\t")
        if len(fields) != 3:
            raise DataError(
                f"{len(fields)} fields; a line is a user, an item and a score with tabs between",
                path, number,
            )  # fmt: skip
        yield fields[0], fields[1], fields[2]


def _atomic_lines(path: Path) -> Iterator[tuple[str, str, str]]:
    table = read_table(path)
    yield from zip(table["user_id"], table["item_id"], table["score"], strict=True)


def _read_npz(path: Path) -> ScoredRun:
    users, items, scores = _arrays(path)
    for name, tokens in (("users", users), ("items", items)):
        if tokens.dtype.kind != "U" or tokens.ndim != 1:
            raise DataError(f"'{name}' is {tokens.dtype} {tokens.shape}, not text [N]", path)
        if len(np.unique(tokens)) < len(tokens):
            raise DataError(f"'{name}' has an id twice", path)
    if scores.dtype.kind != "f" or scores.shape != (len(users), len(items)):
        raise DataError(
            f"'scores' is {scores.dtype} {scores.shape}, not floats [{len(users)}, {len(items)}]",
            path,
        )
    wrong = np.argwhere(~np.isfinite(scores))
    if len(wrong):
        user, item = users[wrong[0][0]], items[wrong[0][1]]
        raise DataError(f"the score of user '{user:.40}', item '{item:.40}' is not finite", path)
    user_of, item_of = np.divmod(np.arange(scores.size), max(len(items), 1))
    flat = scores.astype(np.float64).reshape(-1)
    return ScoredRun(path, "npz", users.tolist(), items.tolist(), user_of, item_of, flat,
                     np.zeros(0, np.int64))  # fmt: skip


def _arrays(path: Path) -> list[NDArray[np.generic]]:
    """The three arrays, their sizes looked at before they are unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > BYTES:
            raise DataError(f"unpacks to more than {BYTES >> 30} GiB", path)
        with np.load(path, allow_pickle=False) as file:
            lacking = [n for n in ("users", "items", "scores") if n not in file]
            if lacking:
                raise DataError(f"no array '{lacking[0]}'; there are {', '.join(file)}", path)
            return [file[name] for name in ("users", "items", "scores")]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError) as error:
        raise DataError(f"no NumPy arrays ({error})", path) from None
