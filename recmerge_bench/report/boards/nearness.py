"""Whether the best of ours comes near the best of a paper's table, within a declared share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recmerge_bench.report.boards.elements import plain
from recmerge_bench.report.boards.paper import Beside
from recmerge_bench.report.boards.table import Line
from recmerge_bench.results.header import Paper


@dataclass(frozen=True)
class Nearness:
    """The best row of ours beside the best number of a paper's table, of one domain.

    Attributes:
        best: the paper's.
        line: ours with the highest mean over the seeds; None where nothing is done.
        mean: that mean.
        within: largest shortfall that passes, as a share of the paper's number.
    """

    best: Beside
    line: Line | None
    mean: float | None
    within: float

    @property
    def passed(self) -> bool | None:
        """Whether ours is near enough, or above; None where nothing is done."""
        return None if self.mean is None else self.mean >= (1 - self.within) * self.best.paper

    def __str__(self) -> str:
        theirs = f"{self.best.paper:.4f} ({self.best.method})"
        if self.line is None or self.mean is None:
            return (
                f"**{plain(self.best.domain)}: not decided**, nothing is done; the table's best "
                f"is {plain(theirs)}"
            )
        backbone, method = self.line.name
        ours = method if backbone == "–" else f"{method} on {backbone}"
        share = self.mean / self.best.paper - 1
        outcome = f"{self.best.domain}: {'passed' if self.passed else 'not passed'}"
        return (
            f"**{plain(outcome)}**, {self.mean:.4f} ({plain(ours)}) against {plain(theirs)}, "
            f"{100 * share:+.1f} %"
        )


def nearness(
    paper: Paper, entries: Sequence[Beside], lines: Sequence[Line], metric: str
) -> list[Nearness]:
    """One for each domain of which the table has the metric itself; none where none is declared.

    Args:
        paper: with the share that is declared (`recmerge_bench.planning.suite.PaperUse.within`).
        entries: its numbers beside ours.
        lines: all rows of the table; the best may be one that no number of the paper's is about.
        metric: the board's first.
    """
    if paper.within is None:
        return []
    best: dict[str, Beside] = {}
    for entry in entries:
        if entry.metric == metric and not entry.share:
            before = best.setdefault(entry.domain, entry)
            best[entry.domain] = entry if entry.paper > before.paper else before
    return [_near(entry, lines, metric, paper.within) for entry in best.values()]


def near_section(
    paper: Paper, entries: Sequence[Beside], lines: Sequence[Line], metric: str
) -> list[str]:
    """The same as Markdown, below the table."""
    near = nearness(paper, entries, lines, metric)
    if not near:
        return []
    head = f"Best of ours within {100 * near[0].within:g} % of the table's best, {plain(metric)}:"
    return ["\n".join([head, "", *(f"- {one}" for one in near)])]


def _near(best: Beside, lines: Sequence[Line], metric: str, within: float) -> Nearness:
    means = [(mean, line) for line in lines if (mean := line.mean(best.domain, metric)) is not None]
    if not means:
        return Nearness(best, None, None, within)
    mean, line = max(means, key=lambda one: one[0])
    return Nearness(best, line, mean, within)
