"""Where methods and datasets stand on the boards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from recmerge_bench.identity import Place
from recmerge_bench.names import MEAN
from recmerge_bench.report.boards.shares import MEAN_OF_RATIOS
from recmerge_bench.report.site.load import Suite
from recmerge_bench.report.site.values import Interval, SuiteData, Table, TableRow, Value

if TYPE_CHECKING:
    from recmerge_bench.results.header import Audit, Size


@dataclass(frozen=True)
class Use:
    """A row of a board, for the page of its method or backbone.

    Attributes:
        suite: its name, and whether its board is superseded.
        place: track and protocol.
        link: hash of the boards' page that shows it.
        row: as in the suite's data.
        metric: the suite's primary one.
    """

    suite: str
    place: Place
    link: str
    row: TableRow
    metric: str

    @property
    def _mean(self) -> Value | None:
        return self.row.values[self.metric].get(MEAN)

    @property
    def value(self) -> str:
        """Mean over domains and seeds, or why there is none."""
        if self._mean is None:
            return ", ".join(sorted({missing.status for missing in self.row.gaps})) or "–"
        return f"{self._mean.mean:.4f}"

    @property
    def not_run(self) -> bool:
        """Whether nothing of it was begun: boards name such rows, a page that lists all would not
        be read."""
        return self._mean is None and {m.status for m in self.row.gaps} == {"not run"}

    @property
    def interval(self) -> str:
        """Over seeds."""
        interval = None if self._mean is None else self._mean.interval
        return "–" if interval is None else _interval(interval, ".4f")

    @property
    def share(self) -> str:
        """Of the own-domain expert's, mean of ratios."""
        shares = self.row.shares[self.metric]
        return "–" if shares is None else f"{100 * shares[MEAN_OF_RATIOS]:.1f} %"

    @property
    def difference(self) -> str:
        """From the baseline, with the interval behind the verdict about the methods."""
        difference = self.row.difference
        if difference is None:
            return "–"
        behind = difference.methods
        ends = "" if behind is None else f" {_interval(behind, '+.4f')}"
        return f"{difference.mean:+.4f}{ends}"

    @property
    def seeds(self) -> str:
        """Done, of those wanted."""
        done, wanted = len(self.row.seeds), self.row.wanted
        return "–" if not wanted else str(done) if done == wanted else f"{done} of {wanted}"


def _interval(ends: Interval, form: str) -> str:
    return f"[{ends[0]:{form}}, {ends[1]:{form}}]"


def uses(suites: Sequence[Suite], data: Mapping[str, SuiteData], name: str) -> list[Use]:
    """Rows of the method or backbone of that name, in the order of the boards."""
    rows = []
    for suite in suites:
        for table in data[suite.name].tables:
            place = Place(table.track, table.protocol)
            link = view(suite.name, *place)
            rows += [
                Use(suite.shown, place, link, row, suite.header.primary)
                for row in table.rows
                if name in (row.method, row.backbone)
            ]
    return rows


@dataclass(frozen=True)
class Standing:
    """Where the best row of a method stands in one table.

    Attributes:
        suite: its name.
        place: track and protocol.
        link: as in `Use`.
        label: of the row.
        band: that it stands in.
        rank: within the band, from 1, by printed means.
        count: rows of the band that are done.
        own: its place on a line from the least to the greatest mean of the band, 0 to 300.
        others: those of the others.
        mean: of the row.
    """

    suite: str
    place: Place
    link: str
    label: str
    band: str
    rank: int
    count: int
    own: int
    others: tuple[int, ...]
    mean: float

    @property
    def text(self) -> str:
        """Mean and rank."""
        return f"{self.mean:.4f}, {self.rank} of {self.count} {self.band}"


#: Length of the line that rows of a band stand on, and what is left free at its ends.
LENGTH, FREE = 300, 4


def standings(suites: Sequence[Suite], data: Mapping[str, SuiteData], name: str) -> list[Standing]:
    """One for each table in which a row of the method is done; smoke boards say nothing of it."""
    found = []
    for suite in suites:
        for table in data[suite.name].tables if suite.header.label != "smoke" else ():
            place = Place(table.track, table.protocol)
            best = _best(table, name, suite.header.primary)
            if best is not None:
                link = view(suite.name, *place)
                found.append(_standing(suite, place, link, table, best))
    return found


def _means(table: Table, band: str, metric: str) -> dict[str, float]:
    """Row of a band -> its mean, of those that are done."""
    values = {r.id: r.values[metric].get(MEAN) for r in table.rows if r.band == band}
    return {row: value.mean for row, value in values.items() if value is not None}


def _best(table: Table, name: str, metric: str) -> TableRow | None:
    done = {r.id: v.mean for r in table.rows if (v := r.values[metric].get(MEAN)) is not None}
    rows = [r for r in table.rows if name in (r.method, r.backbone) and r.id in done]
    return max(rows, key=lambda row: done[row.id], default=None)


def _standing(suite: Suite, place: Place, link: str, table: Table, row: TableRow) -> Standing:
    means = _means(table, row.band, suite.header.primary)
    printed = sorted((round(value, 4) for value in means.values()), reverse=True)
    low, high = min(means.values()), max(means.values())

    def at(value: float) -> int:
        share = (value - low) / (high - low) if high > low else 0.5
        return round(FREE + (LENGTH - 2 * FREE) * share)

    return Standing(
        suite.shown, place, link, row.label, row.band,
        printed.index(round(means[row.id], 4)) + 1, len(means), at(means[row.id]),
        tuple(sorted({at(value) for other, value in means.items() if other != row.id})),
        means[row.id],
    )  # fmt: skip


def audits(suites: Sequence[Suite], name: str) -> list[tuple[str, Audit]]:
    """(suite, what a split of the dataset leaks), once for each different split."""
    seen: dict[str, tuple[str, Audit]] = {}
    for suite in suites:
        for split, audit in suite.header.audits.items():
            if audit.dataset == name:
                seen.setdefault(split, (suite.shown, audit))
    return [seen[split] for split in sorted(seen, key=lambda s: (seen[s][0], s))]


def view(suite: str, track: str, protocol: str) -> str:
    """The hash of the boards' page that shows a table."""
    parts = {"suite": suite, "track": track, "protocol": protocol}
    return "&".join(f"{key}={quote(value, safe='')}" for key, value in parts.items())


def names(suites: Sequence[Suite]) -> list[str]:
    """Methods and backbones of all results."""
    identities = [result.identity for suite in suites for result in suite.records.results]
    return sorted({name for i in identities for name in (i.method, i.backbone) if name})


def recorded_with(suites: Sequence[Suite], name: str) -> list[str]:
    """The plugins behind the results of a method, with versions, that could be its own."""
    plugins = {
        f"{module} ({version})"
        for suite in suites
        for result in suite.records.results
        if name in (result.identity.method, result.identity.backbone)
        for module, version in result.plugins.items()
    }
    return sorted(plugins)


@dataclass(frozen=True)
class DatasetUse:
    """A table that a dataset stands behind.

    Attributes:
        suite: its name.
        place: track and protocol.
        link: as in `Use`.
        role: what the dataset is there for.
        targets: (domain, number of test targets), where it is known.
    """

    suite: str
    place: Place
    link: str
    role: str
    targets: tuple[tuple[str, int], ...]


def dataset_uses(suites: Sequence[Suite], name: str) -> list[DatasetUse]:
    """Tables of a dataset, and those whose shared base is trained on it."""
    rows = []
    for suite in suites:
        for name_of_track in suite.header.order:
            track = suite.header.tracks[name_of_track]
            for protocol in track.protocols:
                place = Place(name_of_track, protocol)
                link = view(suite.name, *place)
                if track.dataset == name:
                    targets = _targets(suite, place, track.domains)
                    rows.append(DatasetUse(suite.shown, place, link, "test", targets))
                if any(source.startswith(f"{name} (") for source in track.source):
                    rows.append(DatasetUse(suite.shown, place, link, "shared base", ()))
    return rows


def _targets(suite: Suite, place: Place, domains: Sequence[str]) -> tuple[tuple[str, int], ...]:
    for result in suite.records.results:
        if result.identity.place == place and result.instances:
            known = [d for d in domains if d in result.instances] or list(result.instances)
            return tuple((d, result.instances[d]) for d in known)
    return ()


def sizes(suites: Sequence[Suite], name: str) -> list[tuple[str, Size]]:
    """Fingerprint of a dataset's events -> users, events and items by domain, from all records."""
    by_fingerprint = {
        fingerprint: size
        for suite in suites
        for fingerprint, size in suite.header.datasets.items()
        if size.dataset == name
    }
    return sorted(by_fingerprint.items())


def dataset_names(suites: Sequence[Suite]) -> list[str]:
    """Datasets of all tracks, and those that records tell the size of."""
    tracks = {track.dataset for suite in suites for track in suite.header.tracks.values()}
    sized = {size.dataset for suite in suites for size in suite.header.datasets.values()}
    return sorted(tracks | sized)
