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
from recmerge_bench.report.site.values import Interval, SuiteData, TableRow, Value

if TYPE_CHECKING:
    from recmerge_bench.results.header import Size


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
            return tuple((d, result.instances.get(d, 0)) for d in domains)
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
