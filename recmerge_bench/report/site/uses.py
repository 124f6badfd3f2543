"""Where methods and datasets stand on the boards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from recmerge_bench.report.site.load import Suite
from recmerge_bench.results.results import MEAN


@dataclass(frozen=True)
class Use:
    """A row of a board, for the page of its method or backbone.

    Attributes:
        suite: its name.
        table: track and protocol.
        link: hash of the boards' page that shows it.
        row: as in the suite's data.
        metric: the suite's primary one.
    """

    suite: str
    table: tuple[str, str]
    link: str
    row: Mapping[str, Any]
    metric: str

    @property
    def value(self) -> str:
        """Mean over domains and seeds, or why there is none."""
        found = self.row["values"][self.metric].get(MEAN)
        if found is None:
            return ", ".join(sorted({gap["status"] for gap in self.row["gaps"]})) or "–"
        return f"{found[0]:.4f}"

    @property
    def interval(self) -> str:
        """Over seeds."""
        found = self.row["values"][self.metric].get(MEAN)
        return "–" if found is None or found[1] is None else _interval(found[1], ".4f")

    @property
    def share(self) -> str:
        """Of the own-domain expert's, mean of ratios."""
        shares = self.row["shares"][self.metric]
        value = None if shares is None else shares["mean of ratios"]
        return "–" if value is None else f"{100 * value:.1f} %"

    @property
    def difference(self) -> str:
        """From the baseline, with the interval behind the verdict about the methods."""
        found = self.row.get("difference")
        if found is None:
            return "–"
        ends = "" if found["methods"] is None else f" {_interval(found['methods'], '+.4f')}"
        return f"{found['mean']:+.4f}{ends}"

    @property
    def seeds(self) -> str:
        """Done, of those wanted."""
        done, wanted = len(self.row["seeds"]), self.row["wanted"]
        return "–" if not wanted else str(done) if done == wanted else f"{done} of {wanted}"


def _interval(ends: Sequence[float], form: str) -> str:
    return f"[{ends[0]:{form}}, {ends[1]:{form}}]"


def uses(suites: Sequence[Suite], data: Mapping[str, Mapping[str, Any]], name: str) -> list[Use]:
    """Rows of the method or backbone of that name, in the order of the boards."""
    found = []
    for suite in suites:
        for table in data[suite.name]["tables"]:
            place = (table["track"], table["protocol"])
            for row in table["rows"]:
                if name in (row["method"], row["backbone"]):
                    metric = suite.header["metrics"][0]
                    found.append(Use(suite.name, place, view(suite.name, *place), row, metric))
    return found


def view(suite: str, track: str, protocol: str) -> str:
    """The hash of the boards' page that shows a table."""
    parts = {"suite": suite, "track": track, "protocol": protocol}
    return "&".join(f"{key}={quote(value, safe='')}" for key, value in parts.items())


def names(suites: Sequence[Suite]) -> list[str]:
    """Methods and backbones of all results."""
    found = {
        str(result["identity"][part])
        for suite in suites
        for result in suite.records["results"]
        for part in ("method", "backbone")
    }
    return sorted(found - {""})


def recorded_with(suites: Sequence[Suite], name: str) -> list[str]:
    """The plugins behind the results of a method, with versions, that could be its own."""
    found = {
        f"{module} ({version})"
        for suite in suites
        for result in suite.records["results"]
        if name in (result["identity"]["method"], result["identity"]["backbone"])
        for module, version in result.get("plugins", {}).items()
    }
    return sorted(found)


@dataclass(frozen=True)
class DatasetUse:
    """A table that a dataset stands behind.

    Attributes:
        suite: its name.
        table: track and protocol.
        link: as in `Use`.
        role: what the dataset is there for.
        targets: (domain, number of test targets), where it is known.
    """

    suite: str
    table: tuple[str, str]
    link: str
    role: str
    targets: tuple[tuple[str, int], ...]


def dataset_uses(suites: Sequence[Suite], name: str) -> list[DatasetUse]:
    """Tables of a dataset, and those whose shared base is trained on it."""
    found = []
    for suite in suites:
        for track in suite.header["order"]:
            about = suite.header["tracks"][track]
            for protocol in about["protocols"]:
                link = view(suite.name, track, protocol)
                if about["dataset"] == name:
                    targets = _targets(suite, track, protocol, about["domains"])
                    use = DatasetUse(suite.name, (track, protocol), link, "test", targets)
                    found.append(use)
                if any(source.startswith(f"{name} (") for source in about["source"]):
                    use = DatasetUse(suite.name, (track, protocol), link, "shared base", ())
                    found.append(use)
    return found


def _targets(
    suite: Suite, track: str, protocol: str, domains: Iterable[str]
) -> tuple[tuple[str, int], ...]:
    for result in suite.records["results"]:
        identity = result["identity"]
        mine = (identity["track"], identity["protocol"]) == (track, protocol)
        if mine and result.get("instances"):
            return tuple((d, result["instances"].get(d, 0)) for d in domains)
    return ()


def sizes(suites: Sequence[Suite], name: str) -> list[dict[str, Any]]:
    """Users, events and items by domain of a dataset, by fingerprint, from all records."""
    found = {
        fingerprint: {**about, "fingerprint": fingerprint}
        for suite in suites
        for fingerprint, about in suite.header.get("datasets", {}).items()
        if about["dataset"] == name
    }
    return [found[fingerprint] for fingerprint in sorted(found)]


def dataset_names(suites: Sequence[Suite]) -> list[str]:
    """Datasets of all tracks, and those that records tell the size of."""
    tracks = {t["dataset"] for suite in suites for t in suite.header["tracks"].values()}
    told = {d["dataset"] for s in suites for d in s.header.get("datasets", {}).values()}
    return sorted(tracks | told)


