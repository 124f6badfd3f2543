"""A method across frozen releases of the boards, and on today's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recmerge_bench.report.site.load import Suite
from recmerge_bench.report.site.uses import Standing

if TYPE_CHECKING:
    from recmerge_bench.results.releases import Release, StoodTable

#: How the last column is called.
NOW = "now"


@dataclass(frozen=True)
class History:
    """The best row of a method in one table, release by release.

    Attributes:
        suite: its name, and whether its board is superseded.
        track: of it.
        protocol: of it.
        link: hash of the boards' page that shows the table; empty where no board has it now.
        stood: for each release, and now: mean and rank as text; a dash where it had no row.
    """

    suite: str
    track: str
    protocol: str
    link: str
    stood: tuple[str, ...]


Key = tuple[str, str, str]


def histories(
    releases: Sequence[Release], suites: Sequence[Suite], now: Sequence[Standing], name: str
) -> list[History]:
    """One for each table in which the method stood or stands; smoke boards say nothing of it."""
    smoke = {suite.name for suite in suites if suite.header.label == "smoke"}
    # A release knows a suite by its name, whether or not another has replaced it since.
    shown = {suite.name: suite.shown for suite in suites}
    names = {suite.shown: suite.name for suite in suites}
    columns = [_released(release, name) for release in releases]
    today = {(names[one.suite], *one.place): one for one in now}
    columns.append({key: one.text for key, one in today.items()})
    keys: dict[Key, None] = {}
    for column in columns:
        keys |= dict.fromkeys(key for key in column if key[0] not in smoke)
    return [
        History(shown.get(key[0], key[0]), *key[1:], today[key].link if key in today else "",
                tuple(column.get(key, "–") for column in columns))
        for key in sorted(keys)
    ]  # fmt: skip


def _released(release: Release, name: str) -> Mapping[Key, str]:
    return {
        (suite, table.track, table.protocol): text
        for suite, tables in release.suites.items()
        for table in tables
        if (text := _best(table, name))
    }


def _best(table: StoodTable, name: str) -> str:
    rows = [row for row in table.rows if name in (row.method, row.backbone)]
    if not rows:
        return ""
    best = max(rows, key=lambda row: row.mean)
    return f"{best.mean:.4f}, {best.rank} of {best.of} {best.band}"
