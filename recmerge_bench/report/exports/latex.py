"""Boards as LaTeX tables (booktabs): the primary metric by domain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from recmerge_bench.identity import Place
from recmerge_bench.names import MEAN
from recmerge_bench.report.boards.gates import gate_texts
from recmerge_bench.report.boards.table import Line, best_two, tables
from recmerge_bench.report.boards.verdicts import comparison_of, verdicts_of
from recmerge_bench.report.exports.source import Source
from recmerge_bench.results.compared import Compared
from recmerge_bench.results.records import Records
from recmerge_bench.untrusted.paths import slug, within

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}", "–": r"\textendash{}", "÷": r"\ensuremath{\div}",
    "±": r"\ensuremath{\pm}", "[": "{[}", "]": "{]}",
}  # fmt: skip


def escaped(text: str) -> str:
    """Text that LaTeX prints as it is; what is no printable character becomes a space.

    `"` needs T1 (``\\usepackage[T1]{fontenc}``), which the file's first line names. Brackets are
    in braces, so that none is taken for the option of a line's end; two hyphens, commas or
    apostrophes are kept from becoming one sign.
    """
    kept = "".join(c if c.isprintable() else " " for c in text)
    made = ""
    for c, following in zip(kept, f"{kept[1:]} ", strict=False):
        made += _SPECIAL.get(c, c) + "{}" * (c == following and c in "-,'")
    return made


def write(source: Source, folder: Path) -> Iterator[Path]:
    """``<suite>-<track>-<protocol>.tex``: one for each table on which something is done."""
    records = source.records
    for place, lines in tables(records).items():
        done = [line for line in lines if line.values]
        if done:
            text = latex_table(records, place, done, comparison_of(records, place))
            path = within(folder, f"{slug(records.suite, *place)}.tex")
            path.write_text(text, encoding="utf-8")
            yield path


def latex_table(
    records: Records, place: Place, lines: Sequence[Line], compared: Sequence[Compared] = ()
) -> str:
    """A floating table: mean and standard deviation, best bold, second underlined, verdicts."""
    header = records.header
    metric, verdicts = header.primary, verdicts_of(compared)
    domains = [*lines[0].domains, MEAN]
    best = {d: best_two(lines, d, metric) for d in domains}
    heads = ["backbone", "method", *domains, *(["verdict"] if verdicts else [])]
    body = []
    for line in lines:
        cells = [*map(escaped, line.name), *(_cell(line, d, metric, best[d]) for d in domains)]
        cells += [escaped(verdicts.get(line.identity.row, "–"))] if verdicts else []
        body.append("    " + " & ".join(cells) + r" \\")
    left = "l" if verdicts else ""
    return "\n".join(
        [
            "% needs \\usepackage{booktabs} and \\usepackage[T1]{fontenc}, in UTF-8",
            r"\begin{table}",
            r"  \centering",
            f"  \\caption{{{_caption(records, place)}}}",
            f"  \\label{{tab:{slug(records.suite, *place)}}}",
            f"  \\begin{{tabular}}{{ll{'r' * len(domains)}{left}}}",
            r"    \toprule",
            "    " + " & ".join(map(escaped, heads)) + r" \\",
            r"    \midrule",
            *body,
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _caption(records: Records, place: Place) -> str:
    header = records.header
    smoke = " A smoke board: its numbers say nothing about methods." * (header.label == "smoke")
    what = ", ".join(map(escaped, (header.primary, *place)))
    gated = "".join(f" {escaped(text)}" for text in gate_texts(records, place))
    return (
        f"{escaped(header.title)}: {what}; means over the seeds $\\pm$ sample standard deviation, "
        f"best in bold, second underlined.{smoke}{gated}"
    )


def _cell(line: Line, domain: str, metric: str, best: tuple[float | None, float | None]) -> str:
    value = line.mean(domain, metric)
    if value is None:
        return "--"
    text = f"{value:.4f}"
    if round(value, 4) == best[0]:
        text = rf"\textbf{{{text}}}"
    elif round(value, 4) == best[1]:
        text = rf"\underline{{{text}}}"
    spread = line.spread(domain, metric)
    return text if spread is None else rf"{text} {{\tiny $\pm$ {spread:.4f}}}"
