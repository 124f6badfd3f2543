"""The memorisation card: does merging lose memorised steps first?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from recmerge_bench.identity import Place, Row
from recmerge_bench.report.boards.elements import p_value
from recmerge_bench.report.boards.table import Line, names_of
from recmerge_bench.report.cards.parts import CardTable, interval, lost, percent, row_name
from recmerge_bench.report.figures.memorised import card_figures
from recmerge_bench.results.card_values import MemorisedCard, MemorisedRow
from recmerge_bench.results.records import Records
from recmerge_bench.statistics.verdicts import NONE, shown

#: What is said of an excess, by the verdict.
WORDS = {
    "better": "memorised lose more", "worse": "memorised lose less", "equivalent": "alike",
    "undecided": "undecided",
}  # fmt: skip
HEADERS = (
    "method", "loss on memorised", "loss on others", "excess", "95 %", "verdict", "p", "seeds",
)  # fmt: skip
NOTE = (
    "Memorised: targets whose step from the last item of the history is in some training part of "
    "the split ({seen:,} targets); others: {new:,}. Loss: 1 − the row's {metric} / that of "
    "{reference}, means over the domains of the targets' means. Excess: loss on memorised less "
    "loss on the others, in points. The verdict is about the methods (resampling seeds and users), "
    "adjusted by Holm for all rows of the table; alike: within one point. There is none with fewer "
    "than five seeds or 30 users of a domain in either group."
)


def tables(records: Records, place: Place, lines: Sequence[Line]) -> list[CardTable]:
    """A table for each backbone with experts and rows beside them."""
    cards = [one for one in records.cards.memorised if one.place == place]
    names = names_of(lines)
    return [_card(card, names) for card in cards if card.rows]


def figure_of(records: Records, place: Place) -> str:
    """The name of a table's figure; empty where it has none."""
    return card_figures(records.header).get(place, "")


def _card(card: MemorisedCard, names: Mapping[Row, tuple[str, str]]) -> CardTable:
    backbone, reference = row_name(card.reference, names)
    rows = [
        [
            row_name(row, names)[1], lost(row.seen), lost(row.new), percent(row.excess, sign=True),
            interval(row.lower, row.upper), verdict_text(row),
            "–" if row.judgement.p is None else p_value(row.judgement.p), str(row.seeds or "–"),
        ]
        for row in card.rows
    ]  # fmt: skip
    title = f"Memorised steps: does merging {backbone} lose them first? Beside {reference}"
    note = NOTE.format(seen=card.seen, new=card.new, metric=card.metric, reference=reference)
    return CardTable(title, HEADERS, rows, note, answer(card))


def verdict_text(row: MemorisedRow) -> str:
    """The verdict of a row as the card prints it."""
    judgement = row.judgement
    return shown(WORDS.get(judgement.verdict, judgement.verdict), judgement.reason)


def answer(card: MemorisedCard) -> str:
    """A sentence that counts the merged rows by their verdicts."""
    merged = [row for row in card.rows if row.merged]
    judged = [row for row in merged if row.judgement.verdict != NONE]
    if not merged:
        return "No row of this table is merged."
    if not judged:
        reasons = "; ".join(dict.fromkeys(row.judgement.reason for row in merged))
        return f"No verdict on any of the {len(merged)} merged rows ({reasons})."
    left = len(merged) - len(judged)
    without = f"; no verdict on {left} more" if left else ""
    return (
        f"Of {len(judged)} merged rows, memorised steps lose, relative to the others: "
        f"{', '.join(_counted(judged))}{without}."
    )


def _counted(judged: Sequence[MemorisedRow]) -> list[str]:
    """How many rows have each verdict, in words."""
    counts = {
        word: sum(row.judgement.verdict == verdict for row in judged)
        for verdict, word in (("better", "more"), ("worse", "less"), ("equivalent", "as much"))
    }
    undecided = {"undecided": len(judged) - sum(counts.values())}
    return [f"{word} in {n}" for word, n in (counts | undecided).items() if n]
