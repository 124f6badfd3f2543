"""Boards as Markdown, from records alone; equal records give equal bytes."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import mean
from typing import Any

from tabulate import tabulate

from recmerge_bench.boards.table import MEAN, ROW, Line, best_two, tables
from recmerge_bench.boards.verdicts import comparison_of, section, verdicts_of

LABELS = {
    "smoke": "**Smoke board**: small fixed budgets that show that everything runs. "
    "It carries no verdicts, and its numbers say nothing about methods.",
    "converged": "Trainings end by validation. Means over seeds ± sample standard deviation.",
    "paper": "The papers' settings. Means over seeds ± sample standard deviation.",
}

BEST = "Best in **bold**, second <u>underlined</u>; nothing is said about significance."
BEST_TESTED = (
    "Best in **bold**, second <u>underlined</u>; the verdict is about the difference from the "
    "track's baseline (better, worse, equivalent, undecided) and stands below with its intervals."
)


def render(records: Mapping[str, Any]) -> str:
    """The board ``<suite>.md``."""
    header = records["header"]
    parts = [f"# {records['suite']}: {header['title']}", LABELS[header["label"]]]
    parts.append(BEST if not records.get("comparisons") else BEST_TESTED)
    for (track, protocol), lines in tables(records).items():
        parts += _section(header, track, protocol, lines, comparison_of(records, track, protocol))
    parts.append("## Reproduce")
    parts.append(
        f"    {header['command']}\n"
        "    recmerge-bench leaderboard build --out runs --to leaderboards"
    )
    return "\n\n".join(parts) + "\n"


def _section(
    header: Mapping[str, Any],
    track: str,
    protocol: str,
    lines: list[Line],
    compared: list[Mapping[str, Any]],
) -> list[str]:
    metrics = header["metrics"]
    parts = [f"## {track}, {protocol}", _card(header, track, protocol, lines)]
    done = [line for line in lines if line.values]
    if done:
        verdicts = verdicts_of(compared)
        parts += [f"### {metrics[0]} by domain", _main_table(done, metrics[0], verdicts)]
        for about in compared:
            parts += section(about, done)
        parts += ["### All metrics, mean over the domains", _metric_table(done, metrics)]
        reference = header["tracks"][track].get("reference")
        if reference and any(line.identity["method"] == reference for line in done):
            parts += [
                f"### {metrics[0]} divided by that of `{reference}` (the same backbone)",
                _normalised(done, metrics[0], reference),
            ]
    grouped = [line for line in done if line.groups]
    if grouped:
        facts = header.get("group_facts", {}).get(grouped[0].split, {})
        parts += [f"### {metrics[0]} by group of test targets", *_groups(grouped, facts)]
    missing = [line for line in lines if line.gaps]
    if missing:
        parts += ["### Missing", _missing(missing)]
    return parts


def _card(header: Mapping[str, Any], track: str, protocol: str, lines: list[Line]) -> str:
    rows = [(name, _plain(text)) for name, text in card_rows(header, track, protocol, lines)]
    return tabulate(rows, headers=("protocol card", ""), tablefmt="github", disable_numparse=True)


def card_rows(
    header: Mapping[str, Any], track: str, protocol: str, lines: list[Line]
) -> list[tuple[str, str]]:
    """The protocol card of a table: what is said of each thing, as plain text."""
    about = header["tracks"][track]
    said = header.get("protocols", {}).get(protocol)  # absent where its plugin was
    first = next((line for line in lines if line.values), lines[0])
    counts = first.instances
    instances = ", ".join(f"{d} {counts.get(d, 0)}" for d in first.domains if counts)
    seeds = sorted({s for line in lines for s in line.replicates if s is not None})
    return [
        ("dataset", about["dataset"]),
        ("domains", ", ".join(first.domains)),
        *([("merging reads", "no data of users (tiers T0, T1)")] if about.get("isolated") else []),
        *([("experts of", ", ".join(about["experts"]))] if about.get("experts") else []),
        ("source of the shared base", ", ".join(about["source"]) or "none"),
        *([("split", _split(said))] if said else []),
        ("ranked against", _ranking(first, said)),
        ("history masked", "yes" if first.masked else "no"),
        ("ties", "mid-rank (1 + better + equal / 2)"),
        ("test targets", instances or "not run"),
        ("seeds", ", ".join(map(str, seeds)) or "none: nothing here depends on one"),
    ]


def _split(said: Mapping[str, Any]) -> str:
    options = ", ".join(f"{k}={v}" for k, v in sorted(said["split"].items()))
    return str(said["summary"]) + (f" ({options})" if options else "")


def _ranking(line: Line, said: Mapping[str, Any] | None) -> str:
    if line.candidates in ("", "full") and not (said and said["negatives"]):
        return "all items of the target's domain"
    count, seed = (said["negatives"], said["candidate_seed"]) if said else (None, None)
    text = "sampled candidates" if count is None else f"{count} sampled candidates, seed {seed}"
    return f"{text}, set `{line.candidates[:16]}`" if line.candidates else text


def _main_table(lines: list[Line], metric: str, verdicts: Mapping[tuple[str, ...], str]) -> str:
    domains = [*lines[0].domains, MEAN]
    best = {d: best_two(lines, d, metric) for d in domains}
    rows = []
    for line in lines:
        row = tuple(str(line.identity[k]) for k in ROW)
        said = [verdicts.get(row, "–")] if verdicts else []
        cells = (_cell(line, d, metric, best[d]) for d in domains)
        rows.append([*_name(line), *cells, *said, _seeds(line)])
    headers = ["backbone", "method", *domains, *(["verdict"] if verdicts else []), "seeds"]
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


def _metric_table(lines: list[Line], metrics: list[str]) -> str:
    best = {m: best_two(lines, MEAN, m) for m in metrics}
    rows = [[*_name(line), *(_cell(line, MEAN, m, best[m]) for m in metrics)] for line in lines]
    headers = ["backbone", "method", *metrics]
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


def _cell(line: Line, domain: str, metric: str, best: tuple[float | None, float | None]) -> str:
    value = line.mean(domain, metric)
    if value is None:
        return "–"
    text = f"{value:.4f}"
    if round(value, 4) == best[0]:
        text = f"**{text}**"
    elif round(value, 4) == best[1]:
        text = f"<u>{text}</u>"
    spread = line.spread(domain, metric)
    return text if spread is None else f"{text} ± {spread:.4f}"


def _groups(lines: list[Line], facts: Mapping[str, Any]) -> list[str]:
    """Mean over the domains within each group, and what the groups are."""
    names = list(dict.fromkeys(name for line in lines for name in line.groups))
    rows = [
        [*_name(line), *(f"{mean(line.groups[n]):.4f}" if n in line.groups else "–" for n in names)]
        for line in lines
    ]
    table = tabulate(rows, ["backbone", "method", *names], tablefmt="github", disable_numparse=True)
    said = [
        f"- {n}: {_plain(facts[n]['about'])} ({facts[n]['instances']:,} targets)"
        for n in names
        if n in facts
    ]
    return [table, "\n".join(said)] if said else [table]


def _seeds(line: Line) -> str:
    return "–" if line.seeds == [None] else str(len(line.seeds))


def _seed(seed: int | None) -> str:
    return "–" if seed is None else str(seed)


def _normalised(lines: list[Line], metric: str, reference: str) -> str:
    domains = [*lines[0].domains]
    base = {
        line.identity["backbone"]: line for line in lines if line.identity["method"] == reference
    }
    rows = []
    for line in lines:
        own = base.get(line.identity["backbone"])
        if own is None or own is line:
            continue
        shares = [_share(line.mean(d, metric), own.mean(d, metric)) for d in domains]
        whole = [s for s in shares if s is not None]
        average = sum(whole) / len(whole) if len(whole) == len(shares) else None
        of_means = _share(line.mean(MEAN, metric), own.mean(MEAN, metric))
        rows.append([*_name(line), *map(_percent, [*shares, average, of_means])])
    headers = ["backbone", "method", *domains, "mean of ratios", "ratio of means"]
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


def _share(value: float | None, base: float | None) -> float | None:
    return None if value is None or not base else value / base


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def _missing(lines: list[Line]) -> str:
    rows = [
        [*_name(line), status, ", ".join(map(_seed, sorted(seeds))), _plain(reason)]
        for line in lines
        for (status, reason), seeds in line.gaps.items()
    ]
    headers = ["backbone", "method", "status", "seeds", "reason"]
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


def _name(line: Line) -> tuple[str, str]:
    backbone, method = line.name
    return _plain(backbone), _plain(method)


def _plain(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def render_cost(costs: Mapping[str, Any]) -> str:
    """The cost table ``<suite>-cost.md``: what differs between two equal runs."""
    rows = []
    for entry in costs["results"]:
        identity = entry["identity"]
        own = sum(s for name, s in entry["seconds"].items() if not name.startswith("train"))
        training = sum(s for name, s in entry["seconds"].items() if name.startswith("train"))
        rows.append(
            [
                identity["track"], identity["protocol"], identity["backbone"] or "–",
                identity["method"], _seed(identity["seed"]), f"{training:.1f}", f"{own:.1f}",
                f"{entry['peak_memory'] / 2**20:.0f}",
            ]
        )  # fmt: skip
    places = {
        f"{e.get('device', '?')}, {e.get('cores', '?')} cores, Python {e.get('python', '?')}"
        for e in costs["results"]
    }
    where = "; ".join(sorted(places)) or "none, nothing is done"
    headers = [
        "track", "protocol", "backbone", "method", "seed", "training s", "other s", "peak MiB",
    ]  # fmt: skip
    table = tabulate(rows, headers, tablefmt="github", disable_numparse=True)
    note = (
        "Seconds of one worker over all cells behind a row; shared trainings count for every row "
        "that needs them."
    )
    return f"# {costs['suite']}: cost\n\n{note} Hardware: {where}.\n\n{table}\n"
