"""The site's folder, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from recmerge_bench.errors import HandledError
from recmerge_bench.files import put_folder
from recmerge_bench.report.site.pages import MARK
from recmerge_bench.untrusted.paths import below


def write_site(pages: Mapping[str, str], folder: Path) -> None:
    """Make `folder` hold these files and no others.

    They are written aside and take the folder's place at once; the old ones go with it.

    Args:
        pages: path within the folder -> text.
        folder: new, empty, or a site that was written before.

    Raises:
        HandledError: the folder holds something else.
    """
    folder = folder.resolve()
    _ours(folder)
    aside = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    before = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    try:
        for name, text in pages.items():
            file = below(aside, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode("utf-8"))
        put_folder(aside, folder, before)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    shutil.rmtree(before, ignore_errors=True)


def _ours(folder: Path) -> None:
    """Refuse to replace what is no site of ours."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    try:
        made_by = json.loads((folder / MARK).read_text(encoding="utf-8"))["made by"]
    except (OSError, ValueError, KeyError, TypeError):
        made_by = ""
    if made_by != "recmerge-bench leaderboard site":
        raise HandledError(
            f"{folder}: holds files and is no site that `leaderboard site` wrote: name an empty "
            "or a new folder with --to"
        )
