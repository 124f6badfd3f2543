"""``RESULTS.md``: what an appendix needs of a board."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from recmerge_bench.digests import sha256
from recmerge_bench.identity import Place, Row
from recmerge_bench.names import MEAN
from recmerge_bench.report.boards import elements
from recmerge_bench.report.boards.card import card
from recmerge_bench.report.boards.elements import p_value, plain
from recmerge_bench.report.boards.gates import gate_lines
from recmerge_bench.report.boards.superseded import superseded_text
from recmerge_bench.report.boards.table import Line, best_two, names_of, tables
from recmerge_bench.report.boards.verdicts import comparison_of, models_beside
from recmerge_bench.report.exports.source import Source
from recmerge_bench.results.compared import Compared, ComparedRow, Judgement
from recmerge_bench.results.header import Header
from recmerge_bench.results.rank_lock import read_lock
from recmerge_bench.results.records import Records, Result
from recmerge_bench.statistics.verdicts import NONE


def write(source: Source, folder: Path) -> Iterator[Path]:
    """``RESULTS.md``: protocol, table, verdicts as sentences, command, versions, hashes."""
    path = folder / "RESULTS.md"
    path.write_text(summary(source), encoding="utf-8")
    yield path


def summary(source: Source) -> str:
    """Its text."""
    records = source.records
    header = records.header
    mark = header.superseded
    parts = [f"# Results: {plain(header.title)}", *([plain(superseded_text(mark))] if mark else [])]
    parts.append(_first(header))
    for place, lines in tables(records).items():
        parts += _section(records, place, lines)
    parts += ["## How to reproduce", f"    {' '.join(header.command.split())}"]
    parts += ["## Versions", _versions(records.results)]
    parts += ["## Records", _hashes(source)]
    return "\n\n".join(parts) + "\n"


def _first(header: Header) -> str:
    sentences = (
        "Means over the seeds ± sample standard deviation; best in **bold**, second "
        "<u>underlined</u>. A metric's mean over the domains weighs them alike. Ties count half."
    )
    if header.label == "smoke":
        sentences += (
            " **A smoke board: small fixed budgets; its numbers say nothing about methods.**"
        )
    return sentences


def _section(records: Records, place: Place, lines: list[Line]) -> list[str]:
    header, metric = records.header, records.header.primary
    title = f"## {plain(place.track)}, {plain(place.protocol)}"
    parts = [title, card(header, place, lines), *gate_lines(records, place)]
    done = [line for line in lines if line.values]
    if done:
        parts += [f"### {plain(metric)}", _table(done, metric)]
    names = names_of(lines)
    for family in comparison_of(records, place):
        parts.append("\n".join(f"- {sentence(family, row, names)}" for row in family.rows))
    return [*parts, *_not_done(lines)]


def _not_done(lines: Sequence[Line]) -> list[str]:
    missing = dict.fromkeys(reason for line in lines for reason in line.gaps)
    sentences = [f"- {status}: {plain(reason) or 'no reason'}" for status, reason in missing]
    return ["Not on the table:\n\n" + "\n".join(sentences)] if sentences else []


def _table(lines: Sequence[Line], metric: str) -> str:
    domains = [*lines[0].domains, MEAN]
    best = {d: best_two(lines, d, metric) for d in domains}
    rows = [
        [*elements.name(line), *(elements.cell(line, d, metric, best[d]) for d in domains)]
        for line in lines
    ]
    return elements.table(["backbone", "method", *map(plain, domains)], rows)


def sentence(family: Compared, row: ComparedRow, names: Mapping[Row, tuple[str, str]]) -> str:
    """What a comparison found, as a sentence."""
    own = names.get(row.row, (row.backbone, row.method))[1]
    base = names.get(family.baseline.row, ("", family.baseline.method))[1]
    n_seeds = len(row.seeds)
    drawn = f"{n_seeds} seed{'s' * (n_seeds != 1)}" if n_seeds else "no seed involved"
    where = f" on {family.baseline.backbone}" if family.baseline.backbone else ""
    relative = "" if row.relative is None else f" ({100 * row.relative:+.1f} %)"
    parts = [
        f"{plain(own)} {_SAID[row.about_methods.verdict]} {plain(base)}{where} by "
        f"{family.metric}: {row.difference:+.4f}{relative}{_rest(row.about_methods)}"
    ]
    if models_beside(row):
        word = row.about_models.verdict
        parts.append(f"these models: {word}{_rest(row.about_models)}")
    return f"{'; '.join(parts)}; {row.users} users, {drawn}."


_SAID = {
    "better": "is better than", "worse": "is worse than",
    "equivalent": "is equivalent (within 1 %) to",
    "undecided": "does not differ significantly from",
    NONE: "has no verdict beside",
}  # fmt: skip


def _rest(verdict: Judgement) -> str:
    """Interval and p behind a verdict, or why there is none."""
    if verdict.reason:
        return f" ({verdict.reason})"
    if verdict.lower is None or verdict.upper is None or verdict.level is None or verdict.p is None:
        return ""
    return (
        f", {100 * verdict.level:.3g} % interval [{verdict.lower:+.4f}, {verdict.upper:+.4f}], "
        f"p {p_value(verdict.p)} (two-sided, Holm)"
    )


def _versions(results: Sequence[Result]) -> str:
    """Libraries and plugins of the results that are done."""
    versions_by_name: dict[str, set[str]] = {}
    for result in results:
        for name, version in {**result.libraries, **result.plugins}.items():
            versions_by_name.setdefault(name, set()).update(version.split(", "))
    if not versions_by_name:
        return "Nothing is done."
    rows = [
        (plain(name), plain(", ".join(sorted(versions_by_name[name]))))
        for name in sorted(versions_by_name)
    ]
    return elements.table(("library or plugin", "version"), rows)


def _hashes(source: Source) -> str:
    files = [f for f in (source.path, source.ranks_path) if f.is_file()]
    rows = [(f.name, f"`{sha256(f)}`") for f in files]
    lock = read_lock(source.path.parent)
    name = source.ranks_path.name
    if source.ranks_path not in files and lock is not None and name in lock.files:
        rows.append((name, f"`{lock.files[name].sha256}`"))
    keys = sorted(r.key for r in source.records.results if r.done)
    joined = hashlib.sha256("\n".join(keys).encode()).hexdigest()
    rows.append((f"keys of the {len(keys)} results that are done", f"`{joined}`"))
    return elements.table(("file", "SHA-256"), rows)
