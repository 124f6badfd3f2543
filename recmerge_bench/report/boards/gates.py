"""What a board says of its naive gates, above a table."""

from __future__ import annotations

from recmerge_bench.identity import Place
from recmerge_bench.report.boards.elements import plain
from recmerge_bench.results.gates import gates
from recmerge_bench.results.records import Records


def gate_lines(records: Records, place: Place) -> list[str]:
    """A paragraph for each backbone with a gate, as Markdown; what is not passed is bold."""
    paragraphs = []
    for gate in gates(records.header, records.results, place).values():
        head, text = map(plain, gate.sentences())
        paragraphs.append(f"{head} {text}" if gate.passed else f"**{head}** {text}")
    return paragraphs


def gate_notes(records: Records, place: Place) -> list[str]:
    """A short line for each, for a terminal."""
    by_backbone = gates(records.header, records.results, place)
    return [gate.short() for gate in by_backbone.values()]


def gate_texts(records: Records, place: Place) -> list[str]:
    """The same as plain text."""
    by_backbone = gates(records.header, records.results, place)
    return [" ".join(gate.sentences()) for gate in by_backbone.values()]
