"""What a board asks and what it answers, in two sentences made from its records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from recmerge_bench.identity import Place
from recmerge_bench.names import MEAN
from recmerge_bench.report.boards.ranking import Ranked, ranked
from recmerge_bench.report.boards.shares import MEAN_OF_RATIOS, experts, shares
from recmerge_bench.report.boards.table import Line, names_of, tables
from recmerge_bench.report.boards.verdicts import compared_rows, comparison_of, verdict_text
from recmerge_bench.results.records import Records


@dataclass(frozen=True)
class Best:
    """The best row of methods, in parts that several boards can be summed up by.

    Attributes:
        merge: whether it is a merge; else a model as it is.
        domains: how many it was scored in.
        share: of its own-domain experts, mean of ratios; None where there is no expert.
        heuristic: how its printed mean stands to the best heuristic's: ``above``, ``below`` or
            ``level with``; empty without a heuristic.
        verdict: about the methods, beside the table's baseline; empty where nothing was tested.
    """

    merge: bool
    domains: int
    share: float | None
    heuristic: str
    verdict: str


@dataclass(frozen=True)
class Headline:
    """Of a board.

    Attributes:
        question: what its first table asks.
        answer: what its records say to that, with numbers.
        detail: how its best row stands to the table's baseline; may be empty.
        place: the table that answers; None where nothing is done.
        done: results that there are.
        wanted: results that the suite asks for.
        best: what the answer says of the best row; None where it names none.
    """

    question: str
    answer: str
    detail: str
    place: Place | None
    done: int
    wanted: int
    best: Best | None = None


def headline(records: Records) -> Headline:
    """Of the suite's first table in which a method has results; equal records, equal text."""
    arranged = tables(records)
    metric = records.header.primary
    done = sum(result.done for result in records.results)
    first = next(iter(arranged.values()), [])
    for place, lines in arranged.items():
        order = ranked(lines, metric)
        if any(row.band == "methods" for row in order):
            answer = _answer(records, place, lines, order)
            best = _best(records, place, lines, order)
            return Headline(_question(lines), *answer, place, done, len(records.results), best)
    waiting = "No method has results yet."
    return Headline(_question(first), waiting, "", None, done, len(records.results))


def _question(lines: Sequence[Line]) -> str:
    """What a table asks, by what its rows are."""
    domains = list(lines[0].domains) if lines else []
    made = lines[0].configuration if lines else None
    if made is not None and made.phase_models is not None:
        return (
            f"Data arrives in phases, each tested by what was trained before it ({_and(domains)}): "
            "is merging the phases' models as good as training again on everything?"
        )
    strategies = any(line.kind == "strategy" for line in lines)
    if len(domains) > 1 and strategies:
        return (
            f"One model merged from {len(domains)} experts ({_and(domains)}): which way of merging "
            "keeps most of what each expert knows?"
        )
    if len(domains) > 1:
        return f"Users act in {_and(domains)}: which model predicts best in each domain?"
    return "Which sequential model predicts a user's next item best, and do any beat counting?"


def _and(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + f" and {names[-1]}"


def _answer(
    records: Records, place: Place, lines: Sequence[Line], order: Sequence[Ranked]
) -> tuple[str, str]:
    """Answer and detail."""
    metric = records.header.primary
    if records.header.label == "smoke":
        return "A smoke board: it shows that everything runs and says nothing about methods.", ""
    best = next(row.line for row in order if row.band == "methods")
    what = "Best merge" if best.tier else "Best model"
    what += f" on {best.domains[0]}" if len(best.domains) == 1 else ""
    parts = [f"{what}: {_name(best, lines)}, {metric} {best.mean(MEAN, metric):.4f}"]
    share = _share(records, place, lines, best)
    parts += [] if share is None else [f"{100 * share:.0f} % of its experts"]
    beside = _heuristic(order, best, metric)
    return ", ".join(parts) + beside + ".", _verdict(records, place, lines, best)


def _best(
    records: Records, place: Place, lines: Sequence[Line], order: Sequence[Ranked]
) -> Best | None:
    """None on a smoke board, which says nothing about methods."""
    if records.header.label == "smoke":
        return None
    line = next(row.line for row in order if row.band == "methods")
    compared = compared_rows(comparison_of(records, place)).get(line.identity.row)
    return Best(
        bool(line.tier), len(line.domains), _share(records, place, lines, line),
        _stands(order, line, records.header.primary)[0],
        compared.about_methods.verdict if compared else "",
    )  # fmt: skip


def _name(line: Line, lines: Sequence[Line]) -> str:
    """A row's name, with its backbone where the table has several.

    Where models are compared as they are, their own name says more than the strategy's.
    """
    backbone, method = line.name
    if line.kind == "strategy" and not any(one.tier for one in lines):
        return backbone
    several = len({one.identity.backbone for one in lines if one.identity.backbone}) > 1
    return f"{method} on {backbone}" if several and backbone != "–" else method


def _share(records: Records, place: Place, lines: Sequence[Line], line: Line) -> float | None:
    """Of the own-domain experts, mean of ratios over the seeds; None where it is one itself."""
    own = experts(lines, records.header.tracks[place.track].reference).get(line.identity.backbone)
    if own is None or own is line:
        return None
    values = shares(line, own, records.header.primary).get(MEAN_OF_RATIOS)
    return mean(values.values()) if values else None


def _heuristic(order: Sequence[Ranked], best: Line, metric: str) -> str:
    """How the best method stands to the best heuristic, as printed."""
    word, counting = _stands(order, best, metric)
    if counting is None:
        return ""
    theirs = counting.mean(MEAN, metric) or 0.0
    return f"; {word} the best heuristic, {counting.name[1]} ({theirs:.4f})"


def _stands(order: Sequence[Ranked], best: Line, metric: str) -> tuple[str, Line | None]:
    """How it stands to the best heuristic, and which that is."""
    counting = next((row.line for row in order if row.band == "heuristics"), None)
    if counting is None:
        return "", None
    theirs, ours = (round(line.mean(MEAN, metric) or 0.0, 4) for line in (counting, best))
    return "above" if ours > theirs else "below" if ours < theirs else "level with", counting


def _verdict(records: Records, place: Place, lines: Sequence[Line], best: Line) -> str:
    """What is said of it beside the table's baseline."""
    names = names_of(lines)
    for family in comparison_of(records, place):
        row = compared_rows([family]).get(best.identity.row)
        if row is not None:
            base = names.get(family.baseline.row, ("", family.baseline.method))[1]
            return f"Compared with {base}: {verdict_text(row)}."
        if best.identity.row == family.baseline.row and best.tier:
            return "It is the baseline that the others are compared with."
    return ""
