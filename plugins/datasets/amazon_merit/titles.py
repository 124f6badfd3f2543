"""Item titles for a pair: a table of raw item ids and titles, tab-separated, with a header.

MERIT's release has no text. The table of Food-Kitchen was made of the item texts that LLMCDSR's
authors keep by raw id (xhran2010/LLMCDSR, data/food-kitchen/text_A.pkl and text_B.pkl); it has no
address of its own.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from recmerge_bench.api import DataError, Interactions

HEADER = "item\ttitle"
#: Bytes of a table: twenty times Food-Kitchen's.
LIMIT = 1 << 25


def read_titles(path: Path) -> dict[str, str]:
    """Raw item id -> title, not empty.

    Raises:
        DataError: not such a table, or an item stands in it twice.
    """
    lines = _lines(path)
    if lines[0] != HEADER:
        raise DataError(f"the header is '{lines[0][:60]}', not item, a tab, title", path, 1)
    titles: dict[str, str] = {}
    for number, line in enumerate(lines[1:], 2):
        raw, tab, title = line.partition("\t")
        if not (raw and tab and title.strip()) or "\t" in title:
            raise DataError(f"'{line[:60]}' is not: item, a tab, title", path, number)
        if raw in titles:
            raise DataError(f"item '{raw}' has two titles", path, number)
        titles[raw] = title.strip()
    return titles


def with_titles(interactions: Interactions, path: Path) -> Interactions:
    """The same events; items have ``title: ...`` as their text where the table knows them.

    Counted (``report``): items, and events of items, without a title; titles of other items.

    Raises:
        DataError: see `read_titles`, or it has no title of any item.
    """
    titles = read_titles(path)
    catalogue = interactions.catalogue
    own = [titles.pop(token.partition(":")[2], "") for token in catalogue.tokens]
    bare = np.array([not title for title in own])
    if bare.all():
        raise DataError("no item of this pair has a title in it", path)
    texts = [f"title: {title}" if title else "" for title in own]
    report = {
        **interactions.report,
        "items_without_title": int(bare.sum()),
        "events_of_items_without_title": int(bare[interactions.items].sum()),
        "titles_of_other_items": len(titles),
    }
    return replace(interactions, catalogue=replace(catalogue, texts=texts), report=report)


def _lines(path: Path) -> list[str]:
    with path.open("rb") as stream:
        data = stream.read(LIMIT + 1)
    if len(data) > LIMIT:
        raise DataError(f"the table has more than {LIMIT} bytes", path)
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DataError("the line is not UTF-8", path, line) from None
    if lines[-1] == "":
        lines.pop()
    if not lines:
        raise DataError("the file is empty", path)
    return [line.removesuffix("\r") for line in lines]
