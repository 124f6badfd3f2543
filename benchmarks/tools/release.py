"""Freeze the committed boards as a release: ``leaderboards/releases/NAME``, never edited after.

    python benchmarks/tools/release.py 2026.12

Then commit, tag ``boards-2026.12`` and push: Zenodo, where the repository is switched on there,
archives the tag by the release's ``zenodo.json`` (copy it to the root as ``.zenodo.json`` for that
commit) and gives it a DOI; write the DOI into CITATION.cff with the next commit.
`leaderboard check` compares every release with its SHA256SUMS.
"""

from __future__ import annotations

import sys
from pathlib import Path

from recmerge_bench._version import __version__
from recmerge_bench.report.publishing.releases import freeze

BOARDS = Path(__file__).resolve().parents[2] / "leaderboards"

if __name__ == "__main__":
    for file in freeze(BOARDS, sys.argv[1], __version__):
        print(f"wrote {file}")
