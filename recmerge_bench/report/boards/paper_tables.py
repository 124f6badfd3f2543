"""A paper's numbers beside ours, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from recmerge_bench.planning.references import SEVERAL
from recmerge_bench.report.boards.elements import plain, table
from recmerge_bench.report.boards.paper import Beside, order_alike
from recmerge_bench.report.boards.shares import MEAN_OF_RATIOS
from recmerge_bench.report.boards.stars import stars
from recmerge_bench.results.header import Paper

#: Makes a text safe for where it is printed.
Escape = Callable[[str], str]

INSIDE = (
    "*Inside*: whether the paper's number lies in our 95 % interval: Student's t over our seeds, "
    "the test users taken as given."
)
ONLY = "What differs from the paper's setting, so that neither number says that the other is wrong:"


def heading(paper: Paper, escape: Escape = plain) -> str:
    """Says at once whether the two columns measure the same."""
    if paper.differs:
        return f"{escape(paper.title)}: for comparison, not a reproduction"
    return f"{escape(paper.title)} and ours"


def compact(
    paper: Paper, entries: Sequence[Beside], primary: str, without: Collection[str] = ()
) -> list[str]:
    """The primary metric alone, of the paper's average where it prints one that is ours too.

    Args:
        paper: the paper.
        entries: its numbers beside ours.
        primary: the board's first metric.
        without: backbones about whose methods nothing is said (`recmerge_bench.results.gates`).
    """
    return _section(paper, chosen(entries, primary), without)


def chosen(entries: Sequence[Beside], primary: str) -> list[Beside]:
    """Those that `compact` prints."""
    kept = [e for e in entries if e.metric == primary]
    if not kept:  # a table of other metrics
        kept = [e for e in entries if e.metric == entries[0].metric]
    if any(e.share for e in kept):
        kept = [e for e in kept if e.share]
    return [e for e in kept if e.domain in (*SEVERAL, MEAN_OF_RATIOS)] or kept


def full(paper: Paper, entries: Sequence[Beside], without: Collection[str] = ()) -> list[str]:
    """All numbers that both have, and the paper's test on our seeds; `without` as in `compact`."""
    return [*_section(paper, entries, without), *_tests(paper, _judged(entries, without))]


def _judged(entries: Sequence[Beside], without: Collection[str]) -> list[Beside]:
    """Numbers that methods may be compared by."""
    return [e for e in entries if e.line is None or e.line.identity.backbone not in without]


def _section(paper: Paper, entries: Sequence[Beside], without: Collection[str]) -> list[str]:
    parts = [f"### {heading(paper)}"]
    if paper.differs:
        parts.append(ONLY + "\n\n" + _list(paper.differs))
    parts.append(table(*cells(paper, entries, plain)))
    if tested(paper, entries):
        parts.append(INSIDE)
    return [*parts, " ".join(sentences_of(paper, entries, without, plain))]


def tested(paper: Paper, entries: Sequence[Beside]) -> bool:
    """Whether the paper's numbers are looked for in our intervals."""
    return any(e.inside is not None for e in entries) and not paper.differs


def sentences_of(
    paper: Paper, entries: Sequence[Beside], without: Collection[str], escape: Escape
) -> list[str]:
    """Sentences below the table."""
    seeds = f"{paper.seeds} seeds" if paper.seeds else "how many seeds is not stated"
    sentences = [f"The paper: {escape(paper.source)}, {seeds}."]
    if any(e.range for e in entries):
        sentences.append("Its number is the mean of several backbones, their range in brackets.")
    if any(e.domain == MEAN_OF_RATIOS for e in entries):
        sentences.append("The mean of ratios is made of its numbers for these domains.")
    judged = _judged(entries, without)
    alike, pairs = order_alike(judged)
    if pairs:
        places = len({(e.domain, e.metric, e.share, e.backbones) for e in judged if e.ours})
        apart = ", each domain and metric by itself" if places > 1 else ""
        sentences.append(
            f"Ours order {alike} of the {pairs} pairs of its methods as the paper does{apart}."
        )
    return [*sentences, *map(escape, paper.notes)]


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {plain(line)}" for line in lines)


def cells(
    paper: Paper, entries: Sequence[Beside], escape: Escape
) -> tuple[list[str], list[list[str]]]:
    """Headers and rows."""
    several = len({e.backbones for e in entries}) > 1
    looked = not paper.differs
    sources = any(method.source for method in paper.methods.values())
    headers = [
        *(["backbone"] if several else []), "the paper's method", "ours", "domain", "metric",
        "paper", "ours", "difference", "relative", *(["inside"] if looked else []),
        *(["source"] if sources else []),
    ]  # fmt: skip
    rows = [
        [
            *([escape(", ".join(e.backbones))] if several else []),
            escape(e.method), escape(_our_row(e)),
            escape(e.domain), escape(_metric(e)),
            _paper(e) + escape("*") * e.stars, _ours(e, paper), _difference(e),
            "–" if e.relative is None else f"{100 * e.relative:+.1f} %",
            *([{True: "yes", False: "no", None: "–"}[e.inside]] if looked else []),
            *([escape(paper.methods[e.method].source)] if sources else []),
        ]
        for e in entries
    ]  # fmt: skip
    return headers, rows


def _our_row(entry: Beside) -> str:
    """Our row; on which backbone, where the paper's method is a model by itself."""
    if entry.line is None:
        return "–"
    backbone, method = entry.line.name
    return method if entry.backbones or backbone == "–" else f"{method} on {backbone}"


def _metric(entry: Beside) -> str:
    return f"{entry.metric} ÷ expert" if entry.share else entry.metric


def _paper(entry: Beside) -> str:
    text = _value(entry, entry.paper)
    if entry.std is not None:
        text += f" ± {entry.std:.4f}"
    if entry.range is not None:
        text += f" [{entry.range[0]:.2f}, {entry.range[1]:.2f}]"
    return text


def _value(entry: Beside, value: float) -> str:
    return f"{value:.2f} %" if entry.share else f"{value:.4f}"


def _ours(entry: Beside, paper: Paper) -> str:
    if entry.mean is None:
        return _missing(entry, paper)
    spread = entry.spread
    if spread is None:
        return _value(entry, entry.mean)
    if entry.share:
        return f"{entry.mean:.2f} ± {spread:.2f} %"
    return f"{entry.mean:.4f} ± {spread:.4f}"


def _missing(entry: Beside, paper: Paper) -> str:
    """Why there is no number of ours."""
    if entry.line is None:
        return "no row" if paper.methods[entry.method].method else "no counterpart"
    if entry.line.values:
        return "no expert" if entry.share else "not measured"
    return ", ".join(dict.fromkeys(status for status, _ in entry.line.gaps))


def _difference(entry: Beside) -> str:
    if entry.difference is None:
        return "–"
    return f"{entry.difference:+.2f} points" if entry.share else f"{entry.difference:+.4f}"


def _tests(paper: Paper, entries: Sequence[Beside]) -> list[str]:
    test, judged = paper.test, stars(entries, paper.test)
    if test is None or not judged:
        return []
    levels = ", ".join(f"{'*' * (n + 1)} {level:g}" for n, level in enumerate(test.levels))
    rows = [
        [
            plain(s.entry.line.name[1] if s.entry.line else "–"),
            plain(", ".join(s.entry.backbones)) or "–",
            plain(s.entry.domain), plain(_metric(s.entry)),
            plain(s.against.line.name[1] if s.against.line else "–"), f"{s.p:.3g}",
            "\\*" * s.stars or "none", "\\*" * s.entry.stars or "none",
        ]
        for s in judged
    ]  # fmt: skip
    headers = [
        "ours", "the paper's backbone", "domain", "metric", "best baseline of ours", "p",
        "stars by it", "stars printed",
    ]  # fmt: skip
    sentence = (
        f"The test that the paper prints stars by, `{test.name}` (largest p: "
        f"{levels.replace('*', chr(92) + '*')}), on our seeds. It takes the users as given, "
        "adjusts for no family, and enters no verdict of ours."
    )
    return ["#### The paper's own test", sentence, table(headers, rows)]
