"""Boards as Markdown, from records alone; equal records give equal bytes.

``<suite>.md`` is compact: means, verdicts, a paper's numbers, what is missing. All metrics with
their spread and all intervals are in ``<suite>-full.md`` (`recmerge_bench.report.boards.full`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from recmerge_bench.identity import Place, Row
from recmerge_bench.names import MEAN
from recmerge_bench.report.boards import (
    across_tables,
    elements,
    lists,
    paper_tables,
    phase_matrices,
)
from recmerge_bench.report.boards.card import card
from recmerge_bench.report.boards.configurations import tuned_text, was_tuned
from recmerge_bench.report.boards.elements import plain
from recmerge_bench.report.boards.gates import gate_lines
from recmerge_bench.report.boards.headline import headline
from recmerge_bench.report.boards.nearness import near_section
from recmerge_bench.report.boards.paper import beside
from recmerge_bench.report.boards.ranking import BANDS, ranked
from recmerge_bench.report.boards.shares import MEAN_OF_RATIOS, experts, shares
from recmerge_bench.report.boards.submitted import footnotes
from recmerge_bench.report.boards.table import Line, best_two, names_of, tables
from recmerge_bench.report.boards.verdicts import (
    compared_rows,
    comparison_of,
    models_beside,
    models_verdict_text,
    verdict_text,
)
from recmerge_bench.results.compared import Compared, ComparedRow
from recmerge_bench.results.gates import closed
from recmerge_bench.results.header import Header
from recmerge_bench.results.records import Records

LABELS = {
    "smoke": "**Smoke board**: small fixed budgets that show that everything runs. "
    "It carries no verdicts, and its numbers say nothing about methods.",
    "converged": "Trainings end by validation. Means over the seeds.",
    "paper": "The papers' settings. Means over the seeds.",
}

#: Rows that are not done for one reason: more of them than this stand in one line.
ALIKE = 12

RANKED = (
    "Rows are ranked by the mean in three bands: heuristics that only count, references (trained "
    "models as they are), and the methods that are compared. Best of a band in **bold**, second "
    "<u>underlined</u>"
)
BEST = f"{RANKED}; nothing is said about significance."
BEST_TESTED = (
    f"{RANKED}. The verdict is about the difference from the "
    "track's baseline: better, worse, equivalent or undecided; or there is none, and why."
)


def render(records: Records, pictures: Mapping[str, str] | None = None) -> str:
    """The compact board ``<suite>.md``.

    Args:
        records: of the suite.
        pictures: title -> file, seen from the board, of each figure that the suite declares.
    """
    header, suite = records.header, records.suite
    head = headline(records)
    parts = [f"# {suite}: {plain(header.title)}"]
    parts.append(f"{plain(head.question)} **{plain(head.answer)}** {plain(head.detail)}".rstrip())
    parts.append(
        f"{LABELS[header.label]} Every metric and domain with its spread, and the intervals "
        f"behind the verdicts: [{suite}-full.md]({suite}-full.md). Order, memorised steps, ties, "
        f"other splits and what was trained: [{suite}-cards.md]({suite}-cards.md)."
    )
    parts.append(BEST if not records.comparisons else BEST_TESTED)
    for place, lines in tables(records).items():
        parts += _section(records, place, lines)
    parts += phase_matrices.sections(records)
    if pictures:
        parts.append("## Figures")
        parts += [f"![{plain(title)}]({file})" for title, file in pictures.items()]
    parts += reproduce(header)
    return "\n\n".join(parts) + "\n"


def reproduce(header: Header) -> list[str]:
    """The commands that make the board."""
    return [
        "## Reproduce",
        f"    {' '.join(header.command.split())}\n"
        "    recmerge-bench leaderboard build --out runs --to leaderboards",
    ]


def _section(records: Records, place: Place, lines: list[Line]) -> list[str]:
    header = records.header
    metric, track = header.primary, header.tracks[place.track]
    parts = [f"## {plain(place.track)}, {plain(place.protocol)}", *gate_lines(records, place)]
    done = [line for line in lines if line.values]
    if done:
        compared = comparison_of(records, place)
        parts.append(f"### {plain(metric)} by domain")
        parts.append(_table(done, metric, track.reference, compared))
        parts += footnotes([(elements.name(line)[1], line.submitted) for line in done])
        parts += _legend(done, track.reference, compared)
    parts.append(card(header, place, lines))
    parts += ["\n".join(f"- {plain(note)}" for note in track.notes)] if track.notes else []
    if done:
        across = across_tables.across_of(records, place)
        parts += across_tables.section(across, done, whole=False) if across else []
        parts += lists.compact(header, done)
    entries = beside(header, place, lines)
    without = closed(header, records.results, place)
    if entries and track.paper:
        parts += paper_tables.compact(track.paper, entries, metric, without)
        parts += near_section(track.paper, entries, lines, metric)
    missing = [line for line in lines if line.gaps]
    if missing:
        parts += ["### Missing", _missing(missing)]
    return parts


def _table(lines: list[Line], metric: str, reference: str | None, compared: list[Compared]) -> str:
    """Three bands, ranked by the mean: means, the share of the expert, the verdict, the domains.

    Seeds where rows have not equally many; backbones where there are several.
    """
    several = len({line.identity.backbone for line in lines if line.identity.backbone}) > 1
    domains = lines[0].domains if len(lines[0].domains) > 1 else []
    further = list(_further_columns(lines, metric, reference, compared_rows(compared)))
    headers = ["", "method", *["backbone"] * several, "mean" if domains else plain(metric),
               *(header for header, _ in further), *map(plain, domains)]  # fmt: skip
    order = ranked(lines, metric)
    rows: list[list[str]] = []
    for band in BANDS:
        of_band = [row for row in order if row.band == band]
        if of_band:
            rows.append(["", f"**{band.capitalize()}**", *[""] * (len(headers) - 2)])
        best = {d: best_two([row.line for row in of_band], d, metric) for d in (MEAN, *domains)}
        for row in of_band:
            backbone, method = elements.name(row.line)
            rows.append([
                str(row.rank), method, *[backbone] * several,
                elements.cell(row.line, MEAN, metric, best[MEAN], spread=False),
                *(cell(row.line) for _, cell in further),
                *(elements.cell(row.line, d, metric, best[d], spread=False) for d in domains),
            ])  # fmt: skip
    return elements.table(headers, rows)


def _further_columns(
    lines: list[Line], metric: str, reference: str | None,
    verdicts: Mapping[Row, ComparedRow | None],
) -> Iterator[tuple[str, Callable[[Line], str]]]:  # fmt: skip
    """Header and cell of each column behind the means that has something to say."""
    own = experts(lines, reference)
    if own:
        yield f"÷ {plain(str(reference))}", lambda line: _share(line, own, metric)
    if verdicts:
        yield "verdict", lambda line: _verdict(verdicts, line.identity.row)
    if any(row and models_beside(row) for row in verdicts.values()):
        yield "these models", lambda line: _of_models(verdicts.get(line.identity.row))
    if any(was_tuned(line) for line in lines):
        yield "tuned on", lambda line: plain(tuned_text(line))
    if len({len(line.seeds) for line in lines if line.seeds != [None]}) > 1:
        yield "seeds", elements.seeds


def _share(line: Line, own: Mapping[str, Line], metric: str) -> str:
    """Mean of the domains' ratios."""
    expert = own.get(line.identity.backbone)
    if expert is None or expert is line:
        return "–"
    ratios = shares(line, expert, metric).get(MEAN_OF_RATIOS, {})
    return elements.percent(list(ratios.values()), spread=False)


def _verdict(rows: Mapping[Row, ComparedRow | None], row: Row) -> str:
    """What is said of the methods, with the difference."""
    if row not in rows:
        return "–"
    compared = rows[row]
    if compared is None:
        return "baseline"
    verdict, relative = verdict_text(compared), compared.relative
    if relative is None:
        return verdict
    share = f"{round(100 * relative, 1) + 0.0:+.1f} %"  # + 0.0: no -0.0
    return f"{verdict}, {share}" if compared.about_methods.reason else f"{verdict} ({share})"


def _of_models(compared: ComparedRow | None) -> str:
    """What is said of these models, where the verdict leaves the methods open."""
    return models_verdict_text(compared) if compared and models_beside(compared) else "–"


def _legend(
    lines: Sequence[Line], reference: str | None, compared: Sequence[Compared]
) -> list[str]:
    sentences = []
    if experts(lines, reference):
        sentences.append(
            f"÷ {plain(str(reference))}: {MEAN_OF_RATIOS} to the same backbone's and seed's."
        )
    sentences += [_against(compared, lines)] if compared else []
    return [" ".join(sentences)] if sentences else []


def _against(compared: Sequence[Compared], lines: Sequence[Line]) -> str:
    """What the verdicts are about."""
    names = names_of(lines)
    baselines = []
    for family in compared:
        place = f" on {family.baseline.backbone}" if family.baseline.backbone else ""
        baselines.append(f"{elements.baseline_name(family, names)}{plain(place)}")
    none = any(models_beside(row) for family in compared for row in family.rows)
    models = (
        " *These models*: of the models as they were trained, resampling users alone; it says "
        "nothing about other seeds."
    ) * none
    return (
        f"Verdicts: the difference of the means over the domains from {', '.join(baselines)} (per "
        "cent), resampling seeds and users, adjusted for all rows of the table. There is none "
        f"with fewer than five seeds or 30 users of a domain.{models}"
    )


def _missing(lines: Sequence[Line]) -> str:
    """What is not done and why: a row of a table each, or one line for many rows alike."""
    alike: dict[tuple[str, str, str], list[Line]] = {}
    for line in lines:
        for (status, reason), seeds in line.gaps.items():
            alike.setdefault((status, elements.seed_list(seeds), reason), []).append(line)
    few = {why for why, some in alike.items() if len(some) <= ALIKE}
    rows = [
        [*elements.name(line), status, elements.seed_list(seeds), plain(reason)]
        for line in lines
        for (status, reason), seeds in line.gaps.items()
        if (status, elements.seed_list(seeds), reason) in few
    ]
    parts = [_in_one_line(*why, some) for why, some in alike.items() if len(some) > ALIKE]
    if rows:
        parts.append(elements.table(["backbone", "method", "status", "seeds", "reason"], rows))
    return "\n\n".join(parts)


def _in_one_line(status: str, seeds: str, reason: str, lines: Sequence[Line]) -> str:
    """Rows that are not done for the same reason: their methods by backbone."""
    methods: dict[str, list[str]] = {}
    for line in lines:
        backbone, method = elements.name(line)
        methods.setdefault(backbone, []).append(method)
    backbones: dict[tuple[str, ...], list[str]] = {}
    for backbone, some in methods.items():
        backbones.setdefault(tuple(some), []).append(backbone)
    named = "; ".join(_placed(places, some) for some, places in backbones.items())
    of_seeds = f", seeds {seeds}" if seeds not in ("", "–") else ""
    return f"{len(lines)} rows {status} ({plain(reason)}){of_seeds}: {named}."


def _placed(backbones: Sequence[str], methods: Sequence[str]) -> str:
    """Methods, and the backbones that they are on where they need one."""
    on = "" if list(backbones) == ["–"] else f"on {', '.join(backbones)}: "
    return on + ", ".join(methods)
