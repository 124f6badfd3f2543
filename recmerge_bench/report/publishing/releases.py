"""Frozen releases of the boards: ``releases/NAME/``, written once, checked by their hashes."""

from __future__ import annotations

import json
import re
from collections.abc import Set
from pathlib import Path

from recmerge_bench.digests import sha256
from recmerge_bench.errors import HandledError
from recmerge_bench.files import write_text
from recmerge_bench.untrusted.paths import below

#: Names such as ``2026.12`` or ``2026.12.1``.
NAME = re.compile(r"\d{4}\.\d{2}(\.\d+)?")
SUMS = "SHA256SUMS"
LICENCE = """\
To the extent possible under law, the RecMerge-Bench developers have waived all copyright and
related or neighbouring rights to the results in this folder (CC0 1.0,
https://creativecommons.org/publicdomain/zero/1.0/). The data sets behind them keep their licences.
"""


def freeze(boards: Path, name: str, version: str) -> list[Path]:
    """Copy the boards and records of a folder to ``releases/NAME``; ranks by their lock alone.

    Args:
        boards: the folder of boards.
        name: of the release, such as ``2026.12``.
        version: of the package.

    Returns:
        The files written.

    Raises:
        HandledError: the name is no release's, or it is there already: a release is never edited.
    """
    if not NAME.fullmatch(name):
        raise HandledError(f"{name!r}: a release is named by year and month, such as 2026.12")
    to = boards / "releases" / name
    if to.exists():
        raise HandledError(
            f"{to}: is there already, and a release is never edited: take a new name"
        )
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(boards.glob("*.md"))}
    for path in sorted((boards / "records").glob("*.json")):
        texts[f"records/{path.name}"] = path.read_text(encoding="utf-8")
    texts |= {"LICENSE": LICENCE, "zenodo.json": _deposit(name, version)}
    for file, text in texts.items():
        write_text(to / file, text)
    lines = [f"{sha256(to / file)}  {file}" for file in sorted(texts)]
    write_text(to / SUMS, "\n".join(lines) + "\n")
    return [to / file for file in (*sorted(texts), SUMS)]


def _deposit(name: str, version: str) -> str:
    """What Zenodo reads when the release's tag is archived there, which gives it a DOI."""
    facts = {
        "title": f"RecMerge-Bench: boards of {name}",
        "upload_type": "dataset",
        "description": "Boards and records of merging sequential recommenders and of cross-domain "
        f"sequential recommendation, made with recmerge-bench {version}.",
        "creators": [{"name": "The RecMerge-Bench developers"}],
        "license": "cc-zero",
        "version": name,
        "keywords": ["sequential recommendation", "model merging", "benchmark"],
    }
    return json.dumps(facts, indent=1) + "\n"


def release_faults(boards: Path) -> tuple[list[str], Set[Path]]:
    """What differs from the hashes of each release, and all files that releases have."""
    faults: list[str] = []
    known: set[Path] = set()
    for sums in sorted((boards / "releases").glob(f"*/{SUMS}")):
        known.add(sums)
        for line in sums.read_text(encoding="utf-8").splitlines():
            wanted, _, name = line.partition("  ")
            file = below(sums.parent, name)
            known.add(file)
            if not file.is_file():
                faults.append(f"{file}: missing; the release has it")
            elif sha256(file) != wanted:
                faults.append(f"{file}: changed; a release is never edited")
    return faults, known
