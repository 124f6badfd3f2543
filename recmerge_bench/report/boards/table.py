"""Records, arranged: rows of one table with a mean and a spread for each domain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean, stdev
from typing import Any

from recmerge_bench.report.boards.submitted import MARK
from recmerge_bench.results.results import MEAN
from recmerge_bench.results.rows import Row, row_of


@dataclass
class Line:
    """A method on a board, its seeds together.

    Attributes:
        identity: without the seed.
        seeds: those that are done; [None] for a method without seed.
        values: (domain, metric) -> value of each seed.
        gaps: (status, reason) -> seeds that are not done.
        instances: number of test targets by domain.
        candidates: hash of the candidate sets, or ``full``.
        masked: whether items of the history are taken out of the ranking.
        groups: group of test targets -> primary metric of each seed, mean over the domains.
        split: key of the cut that the groups are of.
        several: the method stands in this table under other recipes too.
        profiles: what else is named of the row stands there under another profile too.
        configuration: what the row was made with; None where it is not recorded.
        configuration_sha256: of its canonical JSON.
        tier: data tier of its merge; empty where nothing is merged.
        submitted: where the seeds came from that the board's own run did not make.
    """

    identity: dict[str, Any]
    domains: list[str] = field(default_factory=list)
    seeds: list[Any] = field(default_factory=list)
    values: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    gaps: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    instances: dict[str, int] = field(default_factory=dict)
    candidates: str = ""
    masked: bool = False
    groups: dict[str, list[float]] = field(default_factory=dict)
    split: str = ""
    several: bool = False
    profiles: bool = False
    submitted: list[dict[str, Any]] = field(default_factory=list)
    configuration: dict[str, Any] | None = None
    configuration_sha256: str = ""
    tier: str = ""

    @property
    def name(self) -> tuple[str, str]:
        """Backbone and method as printed; where all are the fixed recipe, it is not named."""
        recipe, profile = self.identity["recipe"], self.identity["profile"]
        notes = [
            self.identity["variant"],
            f"{recipe} recipe" if self.several or recipe != "fixed" else "",
            f"profile {profile or 'none'}" if self.profiles else "",
        ]
        shown = "; ".join(note for note in notes if note)
        method = self.identity["method"] + (f" ({shown})" if shown else "")
        method += f" {MARK}" if self.submitted else ""
        return self.identity["backbone"] or "–", method

    @property
    def replicates(self) -> list[Any]:
        """All its seeds, done or not; [None] for a method without seed."""
        return [*self.seeds, *(s for seeds in self.gaps.values() for s in seeds)]

    def mean(self, domain: str, metric: str) -> float | None:
        """Mean over the seeds, None where nothing is done."""
        found = self.values.get((domain, metric))
        return mean(found) if found else None

    def spread(self, domain: str, metric: str) -> float | None:
        """Sample standard deviation over the seeds, None below two."""
        found = self.values.get((domain, metric), [])
        return stdev(found) if len(found) > 1 else None


def tables(records: Mapping[str, Any]) -> dict[tuple[str, str], list[Line]]:
    """(track, protocol) -> lines, in the suite's order."""
    found: dict[tuple[str, str], dict[tuple[Any, ...], Line]] = {}
    for result in records["results"]:
        identity = dict(result["identity"])
        seed = identity.pop("seed")
        place = found.setdefault((identity["track"], identity["protocol"]), {})
        line = place.setdefault(row_of(identity), Line(identity))
        line.domains = result["domains"]
        if line.configuration is None and result.get("configuration"):
            line.configuration = result["configuration"]
            line.configuration_sha256 = result["configuration_sha256"]
        line.tier = line.tier or (result.get("merge") or {}).get("tier", "")
        if result["status"] != "done":
            gap = (result["status"], result.get("reason", ""))
            line.gaps.setdefault(gap, []).append(seed)
            continue
        line.seeds.append(seed)
        line.instances = result.get("instances", {})
        line.candidates, line.masked = result["candidates"], result["mask_history"]
        line.split = result.get("split", "")
        line.submitted += [result["submitted"]] if result.get("submitted") else []
        for group, means in result.get("groups", {}).items():
            line.groups.setdefault(group, []).append(means[MEAN])
        for domain, metrics in result["metrics"].items():
            for metric, value in metrics.items():
                line.values.setdefault((domain, metric), []).append(value)
    header = records["header"]
    order = [(t, p) for t in header["order"] for p in header["tracks"][t]["protocols"]]
    for lines in found.values():
        name_apart(lines.values())
    return {key: list(found[key].values()) for key in order if key in found}


def names_of(lines: Sequence[Line]) -> dict[Row, tuple[str, str]]:
    """Row -> backbone and method as printed."""
    return {row_of(line.identity): line.name for line in lines}


def name_apart(lines: Iterable[Line]) -> None:
    """Rows of one table learn what their names have to say to tell them from one another."""
    recipes: dict[str, set[str]] = {}
    profiles: dict[tuple[str, ...], set[str]] = {}
    rows = list(lines)
    for line in rows:
        recipes.setdefault(line.identity["method"], set()).add(line.identity["recipe"])
        profiles.setdefault(_but_profile(line), set()).add(line.identity["profile"])
    for line in rows:
        line.several = len(recipes[line.identity["method"]]) > 1
        line.profiles = len(profiles[_but_profile(line)]) > 1


def _but_profile(line: Line) -> tuple[str, ...]:
    return tuple(str(line.identity[k]) for k in ("backbone", "method", "variant", "recipe"))


def best_two(lines: Sequence[Line], domain: str, metric: str) -> tuple[float | None, float | None]:
    """The highest and the second highest mean, as printed (four decimals)."""
    values = {round(v, 4) for line in lines if (v := line.mean(domain, metric)) is not None}
    first, second, *_ = [*sorted(values, reverse=True), None, None]
    return first, second
