"""What a table is measured under."""

from __future__ import annotations

from collections.abc import Sequence

from recmerge_bench.identity import Place
from recmerge_bench.report.boards.configurations import data_facts
from recmerge_bench.report.boards.elements import facts, plain
from recmerge_bench.report.boards.table import Line
from recmerge_bench.results.header import Header, Protocol
from recmerge_bench.untrusted.texts import code

#: Before the hash of a candidate set.
SET = ", set "


def card_facts(header: Header, place: Place, lines: Sequence[Line]) -> list[tuple[str, str]]:
    """The protocol card: what, and how it stands here."""
    track = header.tracks[place.track]
    protocol = header.protocols.get(place.protocol)  # absent where its plugin was
    first = next((line for line in lines if line.values), lines[0])
    return [
        ("dataset", track.dataset),
        ("domains", ", ".join(first.domains)),
        *data_facts(lines, track.isolated),
        *([("experts of", ", ".join(track.experts))] if track.experts else []),
        ("source of the shared base", ", ".join(track.source) or "none"),
        *([("split", _split(protocol))] if protocol else []),
        ("ranked against", _ranking(first, protocol)),
        ("history masked", "yes" if first.masked else "no"),
        ("ties", "mid-rank (1 + better + equal / 2)"),
        ("test targets", _targets(first) or "not run"),
        ("seeds", _seeds(lines) or "none: nothing here depends on one"),
    ]


def _targets(line: Line) -> str:
    sizes = line.instances
    return ", ".join(f"{d} {sizes.get(d, 0)}" for d in line.domains if sizes)


def _seeds(lines: Sequence[Line]) -> str:
    seeds = sorted({s for line in lines for s in line.replicates if s is not None})
    return ", ".join(map(str, seeds))


def card(header: Header, place: Place, lines: Sequence[Line]) -> str:
    """The same as Markdown."""
    rows = card_facts(header, place, lines)
    return facts([(name, _marked(text)) for name, text in rows], "protocol card")


def _marked(text: str) -> str:
    """Escaped, but for what stands between backticks at its end."""
    head, sign, rest = text.partition(SET)
    return plain(head) + (f"{SET}{code(rest)}" if sign else "")


def _split(protocol: Protocol) -> str:
    options = ", ".join(f"{k}={v}" for k, v in sorted(protocol.split.items()))
    return protocol.summary + (f" ({options})" if options else "")


def _ranking(line: Line, protocol: Protocol | None) -> str:
    if line.candidates in ("", "full") and not (protocol and protocol.negatives):
        return "all items of the target's domain"
    count, seed = (protocol.negatives, protocol.candidate_seed) if protocol else (None, None)
    text = "sampled candidates" if count is None else f"{count} sampled candidates, seed {seed}"
    return f"{text}{SET}{line.candidates[:16]}" if line.candidates else text
