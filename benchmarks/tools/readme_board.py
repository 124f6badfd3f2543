"""Copy a table of a committed board into the README, between its markers."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def table(board: str, section: str) -> str:
    """The first table under ``### NDCG@10 by domain`` of a section."""
    part = board.split(f"## {section}\n", 1)[1].split("by domain\n\n", 1)[1]
    return part.split("\n\n", 1)[0]


def main() -> None:
    """Write README.md."""
    readme = ROOT / "README.md"
    board = (ROOT / "leaderboards" / "quick.md").read_text(encoding="utf-8")
    text = re.sub(
        r"(<!-- board quick merging loo -->\n).*?(<!-- end -->)",
        lambda m: m.group(1) + table(board, "merging, loo") + "\n" + m.group(2),
        readme.read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )
    readme.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
