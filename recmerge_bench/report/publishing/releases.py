"""Frozen releases of the boards: ``releases/NAME/``, written once, checked by their hashes.

A release holds the Markdown boards, ``standings.json`` (where each row stood: what pages of methods
show of it), all records in ``records.tar.xz``, their licence and what Zenodo asks for.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Set
from pathlib import Path

from recmerge_bench.digests import sha256
from recmerge_bench.errors import HandledError
from recmerge_bench.files import write_bytes, write_text
from recmerge_bench.report.boards.standings import standings
from recmerge_bench.results.files import load_records, records_files
from recmerge_bench.results.releases import STANDINGS
from recmerge_bench.untrusted.paths import below

#: Names such as ``2026.12`` or ``2026.12.1``.
NAME = re.compile(r"\d{4}\.\d{2}(\.\d+)?")
SUMS = "SHA256SUMS"
RECORDS = "records.tar.xz"
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
    texts |= {
        "LICENSE": LICENCE, "zenodo.json": _deposit(name, version), STANDINGS: _standings(boards)
    }  # fmt: skip
    for file, text in texts.items():
        write_text(to / file, text)
    write_bytes(to / RECORDS, _packed(boards / "records"))
    files = sorted([*texts, RECORDS])
    lines = [f"{sha256(to / file)}  {file}" for file in files]
    write_text(to / SUMS, "\n".join(lines) + "\n")
    return [to / file for file in (*files, SUMS)]


def _standings(boards: Path) -> str:
    suites = {
        path.stem: standings(load_records(path)) for path in records_files(boards / "records")
    }
    return json.dumps(suites, indent=None, separators=(",", ":"), sort_keys=True) + "\n"


def _packed(records: Path) -> bytes:
    """All JSON of the records, a tenth of its size; names, modes and times say nothing else."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:xz") as archive:
        for path in sorted(records.glob("*.json")):
            entry = tarfile.TarInfo(f"records/{path.name}")
            entry.size = path.stat().st_size
            with path.open("rb") as stream:
                archive.addfile(entry, stream)
    return made.getvalue()


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
