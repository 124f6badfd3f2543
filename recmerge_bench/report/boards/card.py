"""What a table is measured under."""

from __future__ import annotations

from collections.abc import Sequence

from recmerge_bench.identity import Place
from recmerge_bench.report.boards.configurations import data_facts
from recmerge_bench.report.boards.pieces import facts, plain
from recmerge_bench.report.boards.table import Line
from recmerge_bench.results.header import Header, Protocol
from recmerge_bench.untrusted.texts import code

#: Before the hash of a candidate set.
SET = ", set "


def card_facts(header: Header, place: Place, lines: Sequence[Line]) -> list[tuple[str, str]]:
    """The protocol card: what, and how it stands here."""
    about = header.tracks[place.track]
    said = header.protocols.get(place.protocol)  # absent where its plugin was
    first = next((line for line in lines if line.values), lines[0])
    counts = first.instances
    instances = ", ".join(f"{d} {counts.get(d, 0)}" for d in first.domains if counts)
    seeds = sorted({s for line in lines for s in line.replicates if s is not None})
    return [
        ("dataset", about.dataset),
        ("domains", ", ".join(first.domains)),
        *data_facts(lines, about.isolated),
        *([("experts of", ", ".join(about.experts))] if about.experts else []),
        ("source of the shared base", ", ".join(about.source) or "none"),
        *([("split", _split(said))] if said else []),
        ("ranked against", _ranking(first, said)),
        ("history masked", "yes" if first.masked else "no"),
        ("ties", "mid-rank (1 + better + equal / 2)"),
        ("test targets", instances or "not run"),
        ("seeds", ", ".join(map(str, seeds)) or "none: nothing here depends on one"),
    ]


def card(header: Header, place: Place, lines: Sequence[Line]) -> str:
    """The same as Markdown."""
    said = card_facts(header, place, lines)
    return facts([(name, _marked(text)) for name, text in said], "protocol card")


def _marked(text: str) -> str:
    """Escaped, but for what stands between backticks at its end."""
    head, sign, rest = text.partition(SET)
    return plain(head) + (f"{SET}{code(rest)}" if sign else "")


def _split(said: Protocol) -> str:
    options = ", ".join(f"{k}={v}" for k, v in sorted(said.split.items()))
    return said.summary + (f" ({options})" if options else "")


def _ranking(line: Line, said: Protocol | None) -> str:
    if line.candidates in ("", "full") and not (said and said.negatives):
        return "all items of the target's domain"
    count, seed = (said.negatives, said.candidate_seed) if said else (None, None)
    text = "sampled candidates" if count is None else f"{count} sampled candidates, seed {seed}"
    return f"{text}{SET}{line.candidates[:16]}" if line.candidates else text
