"""The data of a suite's figures, from its records alone: one long table a figure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from statistics import mean, stdev
from typing import Any

from recmerge_bench.planning.keys import canonical
from recmerge_bench.report.csv_text import Field, Number, csv_text
from recmerge_bench.results.results import MEAN

#: Rows of a figure are told apart by these.
_ROW = ("backbone", "method", "variant", "recipe", "profile", "track")


@dataclass(frozen=True)
class Point:
    """A point of a line.

    Attributes:
        panel: which axes it belongs to, named by what is on their y axis.
        series: which line.
        x: place.
        y: mean over the seeds.
        spread: sample standard deviation over the seeds, None below two.
        seeds: how many.
    """

    panel: str
    series: str
    x: float
    y: float
    spread: float | None
    seeds: int


@dataclass(frozen=True)
class FigureData:
    """Everything that a drawing needs.

    Attributes:
        name: of the figure within its suite.
        title: one line.
        x: what is on the x axis.
        points: in the order of panels, series and x.
        ticks: names of x = 0, 1, ..., where x is no number.
    """

    name: str
    title: str
    x: str
    points: tuple[Point, ...]
    ticks: tuple[str, ...] = ()

    def csv(self) -> str:
        """The points as comma-separated text."""
        named = ("name",) if self.ticks else ()
        columns = ("panel", "series", *named, "x", "y", "spread", "seeds")
        return csv_text(columns, (self._fields(p) for p in self.points))

    def _fields(self, point: Point) -> list[Field]:
        names = [point.panel, point.series, *([self.ticks[int(point.x)]] if self.ticks else [])]
        spread = nan if point.spread is None else point.spread
        return [*names, *map(Number, (point.x, point.y, spread)), point.seeds]


def figures(records: Mapping[str, Any], curves: Sequence[Mapping[str, Any]]) -> list[FigureData]:
    """All figures that the suite declares and that there is data for."""
    makers = {
        "course": _course, "weights": _weights, "option": _option, "experts": _experts,
        "groups": _groups, "probes": _probes, "comparison": _comparison,
    }  # fmt: skip
    axes = {
        "course": "step", "weights": "step", "experts": "merged domains", "groups": "group",
        "probes": "", "comparison": "",
    }  # fmt: skip
    found = []
    for name, about in records["header"].get("figures", {}).items():
        source = curves if about["kind"] in ("course", "weights") else records["results"]
        rows = [r for r in source if _wanted(about, r)]
        points = tuple(makers[about["kind"]](records, about, rows))
        if points:
            x = axes.get(about["kind"], about["option"])
            ticks = _TICKS.get(about["kind"], lambda rows: ())(rows)
            absent = unrecorded(about, rows)
            note = f" ({absent} results left out: configuration not recorded)" if absent else ""
            found.append(FigureData(name, about["title"] + note, x, points, ticks))
    return found


def _wanted(about: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    identity = row["identity"]
    return (
        row.get("status", "done") == "done"
        and (not about["tracks"] or identity["track"] in about["tracks"])
        and (not about["methods"] or identity["method"] in about["methods"])
    )


def _named(identity: Mapping[str, Any]) -> str:
    notes = "; ".join(filter(None, [identity["variant"], f"{identity['recipe']} recipe"]))
    return f"{identity['method']} ({notes})"


def _course(
    records: Mapping[str, Any], about: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> Iterator[Point]:
    for panel, key in (
        ("cross entropy, nats", "cross_entropy"), ("entropy, nats", "entropy"),
        ("NDCG@10", "NDCG@10"),
    ):  # fmt: skip
        for series, alike in _by_row(rows):
            for at, point in enumerate(alike[0]["points"]):
                values = [_domain_mean(r["points"][at]["domains"], key) for r in alike]
                yield _point(panel, series, point["step"], values)


def _weights(
    records: Mapping[str, Any], about: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> Iterator[Point]:
    for panel, alike in _by_row(rows):
        for number, domain in enumerate(alike[0]["domains"]):
            for at, step in enumerate(alike[0]["weights"]):
                values = [r["weights"][at]["mean"][number] for r in alike]
                yield _point(panel, domain, step["step"], values)


def _option(
    records: Mapping[str, Any], about: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> Iterator[Point]:
    """Rows that differ in an option of their method: whatever they are called, by what they are.

    Rows whose configuration is not recorded are left out (`unrecorded` counts them).
    """
    found: dict[str, dict[float, list[float]]] = {}
    told: dict[str, tuple[Mapping[str, Any], dict[str, Any]]] = {}
    for row in rows:
        configuration = row.get("configuration")
        if not configuration:
            continue
        options = dict(configuration["method"]["options"])
        x = options.pop(about["option"], None)
        if isinstance(x, bool) or not isinstance(x, (int, float)):
            continue
        rest = {
            **{part: value for part, value in configuration.items() if part != "tuning"},
            "method": {**configuration["method"], "options": options},
        }
        series = canonical([row["identity"]["track"], rest])
        told.setdefault(series, (row["identity"], rest))
        found.setdefault(series, {}).setdefault(float(x), []).append(_score(records, row))
    names = _series_names(told)
    yield from _lines(_panel(records), {names[s]: line for s, line in found.items()})


def _series_names(
    told: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]],
) -> dict[str, str]:
    """Method and recipe of each series, with the places in which series of one name differ."""
    plain = {s: _named({**who, "variant": ""}) for s, (who, _) in told.items()}
    names = {}
    for series, (who, rest) in told.items():
        others = [told[s] for s, name in plain.items() if name == plain[series] and s != series]
        apart = {
            place: value
            for place, value in _places({**rest, "track": who["track"]}).items()
            if any(_places({**r, "track": w["track"]}).get(place) != value for w, r in others)
        }
        notes = ",".join(f"{place.rpartition('.')[2]}={value}" for place, value in apart.items())
        names[series] = _named({**who, "variant": notes})
    return names


def _places(value: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Dotted place -> value, of nested mappings."""
    found: dict[str, Any] = {}
    for key, inner in value.items():
        place = f"{above}.{key}" if above else key
        found |= _places(inner, place) if isinstance(inner, Mapping) else {place: inner}
    return found


def unrecorded(about: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> int:
    """How many results a figure of options leaves out for want of a configuration."""
    return sum(
        not r.get("configuration") for r in rows if about["kind"] == "option" and _wanted(about, r)
    )


def _experts(
    records: Mapping[str, Any], about: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> Iterator[Point]:
    """Normalised average over the domains that were merged."""
    found: dict[str, dict[float, list[float]]] = {}
    for row in rows:
        track = records["header"]["tracks"][row["identity"]["track"]]
        configuration = row.get("configuration")  # files before schema 3 have the track's alone
        merged = configuration["experts"] if configuration else track.get("experts")
        merged = merged or row["domains"]
        at = found.setdefault(_named(row["identity"]), {}).setdefault(float(len(merged)), [])
        at.append(_score(records, row, merged))
    whole = {s: line for s, line in found.items() if len(line) > 1}
    yield from _lines(_panel(records), whole)


def _groups(
    records: Mapping[str, Any], about: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> Iterator[Point]:
    """Groups whose names end in a number, in its order."""
    metric = records["header"]["metrics"][0]
    for series, alike in _by_row([r for r in rows if r.get("groups")]):
        for name in alike[0]["groups"]:
            kind, _, number = name.rpartition("-")
            if number.isdigit() and kind.startswith(about["option"]):
                values = [r["groups"][name][MEAN] for r in alike]
                yield _point(f"{metric} by {kind}", series, int(number), values)


def _probes(
    records: Mapping[str, Any], about: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> Iterator[Point]:
    """Mean over the seeds of a probe's mean over users; the spread is that over users."""
    names = _probe_names(rows)
    for series, alike in _by_row([r for r in rows if r.get("probes")]):
        protocol = alike[0]["identity"]["protocol"]
        alike = [r for r in alike if r["identity"]["protocol"] == protocol]  # the same users
        for domain in alike[0]["domains"]:
            for x, name in enumerate(names):
                told = [r["probes"].get(domain, {}).get(name) for r in alike]
                known = [t for t in told if t and t["users"]]
                if known:
                    spread = mean(t["std"] for t in known)
                    value = mean(t["mean"] for t in known)
                    yield Point(f"{domain} targets", series, x, value, spread, len(known))


def _probe_names(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    parts = [names for r in rows for names in r.get("probes", {}).values()]
    return tuple(sorted({name for names in parts for name in names}))


def _comparison(
    records: Mapping[str, Any], about: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> Iterator[Point]:
    """Rows beside each other, a panel for each domain, a series for each protocol."""
    metric, names = records["header"]["metrics"][0], _row_names(rows)
    for domain in dict.fromkeys(d for row in rows for d in row["domains"]):
        for protocol in dict.fromkeys(row["identity"]["protocol"] for row in rows):
            mine = [r for r in rows if r["identity"]["protocol"] == protocol]
            for series, alike in _by_row([r for r in mine if domain in r["metrics"]]):
                values = [r["metrics"][domain][metric] for r in alike]
                yield _point(f"{metric}, {domain}", protocol, names.index(series), values)


def _row_names(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_named(row["identity"]) for row in rows))


_TICKS = {"probes": _probe_names, "comparison": _row_names}


def _panel(records: Mapping[str, Any]) -> str:
    return f"{records['header']['metrics'][0]} / expert's, %"


def _score(
    records: Mapping[str, Any], row: Mapping[str, Any], domains: Iterable[str] | None = None
) -> float:
    """Mean over the domains of the metric divided by the own-domain expert's, in per cent.

    The expert is the reference row of the same dataset, protocol, backbone and seed.
    """
    metric, identity = records["header"]["metrics"][0], row["identity"]
    names = {t["reference"] for t in records["header"]["tracks"].values() if t["reference"]}
    same = ("dataset", "protocol", "backbone", "profile", "seed")
    reference = next(
        r
        for r in records["results"]
        if r["status"] == "done"
        and r["identity"]["method"] in names
        and all(r["identity"][k] == identity[k] for k in same)
        and r["identity"]["track"] in _alike(records, identity["track"])
    )
    domains = [d for d in (domains or row["domains"]) if d != MEAN]
    return 100 * mean(row["metrics"][d][metric] / reference["metrics"][d][metric] for d in domains)


def _alike(records: Mapping[str, Any], track: str) -> list[str]:
    """Tracks whose experts start from the same base."""
    tracks = records["header"]["tracks"]
    return [n for n, about in tracks.items() if about["source"] == tracks[track]["source"]]


def _lines(panel: str, found: Mapping[str, Mapping[float, list[float]]]) -> Iterator[Point]:
    for series, line in found.items():
        for x in sorted(line):
            yield _point(panel, series, x, line[x])


def _by_row(
    rows: Sequence[Mapping[str, Any]],
) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """Rows that differ in their seed alone, under their name."""
    found: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(tuple(row["identity"][k] for k in _ROW), []).append(row)
    for alike in found.values():
        yield _named(alike[0]["identity"]), alike


def _domain_mean(domains: Mapping[str, Mapping[str, float]], key: str) -> float:
    return mean(values[key] for values in domains.values())


def _point(panel: str, series: str, x: float, values: Sequence[float]) -> Point:
    spread = stdev(values) if len(values) > 1 else None
    return Point(panel, series, float(x), mean(values), spread, len(values))
