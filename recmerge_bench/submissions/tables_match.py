"""Whether a submission's tables are those of a board: data, cut, candidates, test targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from recmerge_bench.errors import HandledError, near
from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.identity import Place
from recmerge_bench.names import MEAN
from recmerge_bench.results.header import Audit, Header
from recmerge_bench.results.rank_tables import same_targets
from recmerge_bench.results.records import Result

if TYPE_CHECKING:
    from recmerge_bench.results.suite_files import SuiteFiles
    from recmerge_bench.submissions.submission import Submission

#: What the header says of a track that makes its tables what they are.
TRACK = ("dataset", "domains", "source", "experts", "isolated")
#: The same of a protocol.
PROTOCOL = ("split", "negatives", "candidate_seed", "shuffle_seed")
#: The same of a result, and the remedy of a difference.
RESULT = {
    "data": "prepare the same data (`recmerge-bench datasets prepare`) with the same options",
    "candidates": "draw the same candidates: the protocol's own number and seed",
    "mask_history": "rank under the board's protocol",
    "shuffle_seed": "rank under the board's protocol",
}
REMEDY = "or submit it as a suite of its own (submit --board NAME)"


@dataclass
class Table:
    """A table of a board that submitted rows join.

    Attributes:
        split: key of its split; empty where nothing of it is done yet.
        best: metric -> the highest mean over the domains.
    """

    split: str = ""
    best: dict[str, float] = field(default_factory=dict)


def check_tables(sent: Submission, board: SuiteFiles) -> dict[Place, Table]:
    """The board's tables that the submission has rows of.

    Raises:
        HandledError: a table differs; says in what, and the remedy.
    """
    ours, theirs = sent.records.header, board.records.header
    if ours.label != theirs.label:
        raise HandledError(
            f"its header.label is '{ours.label}', the board's '{theirs.label}': "
            f"train as the board's suite does, {REMEDY}"
        )
    rows: dict[Place, list[Result]] = {}
    for result in sent.records.results:
        rows.setdefault(result.identity.place, []).append(result)
    tables = {}
    for place, results in rows.items():
        where = f"track '{place.track}', protocol '{place.protocol}'"
        _headers(ours, theirs, place, where)
        there = [r for r in board.records.results if r.done and r.identity.place == place]
        _results(sent, board, results, there or results[:1], bool(there), where)
        tables[place] = _table(there)
    return tables


def _headers(ours: Header, theirs: Header, place: Place, where: str) -> None:
    track, protocol = place
    if track not in theirs.tracks:
        known = theirs.tracks
        raise HandledError(
            f"the board has no track '{track}'{near(track, known)}: it has {', '.join(known)}; "
            f"name it as the board does, {REMEDY}"
        )
    if protocol not in theirs.tracks[track].protocols:
        raise HandledError(f"{where}: the board has no such protocol in that track; {REMEDY}")
    tracks = ours.tracks[track], theirs.tracks[track]
    for fact in TRACK:
        one, other = (getattr(t, fact) for t in tracks)
        _equal(where, fact, one, other, "use the board's suite")
    protocols = ours.protocols.get(protocol), theirs.protocols.get(protocol)
    for fact in PROTOCOL:
        one, other = (getattr(p, fact, None) for p in protocols)
        _equal(where, fact, one, other, "use the board's protocol")


def _results(
    sent: Submission, board: SuiteFiles, results: Sequence[Result], there: Sequence[Result],
    on_board: bool, where: str,
) -> None:  # fmt: skip
    first = there[0]
    ranks = (board if on_board else sent).ranks[first.key]
    audits = (board if on_board else sent).records.header.audits
    for result in results:
        row = f"{where}: {result.identity.method}"
        _facts(row, result, first, [r.data for r in there])
        _targets(row, sent.ranks[result.key], ranks)
        _audits(row, sent.records.header.audits.get(result.split), audits.get(first.split))


def _facts(row: str, result: Result, first: Result, data: Sequence[str | None]) -> None:
    """A result is of the domains, the dataset, the data and the candidates of the table's first."""
    _equal(row, "domains", result.domains, first.domains, "score the same domains")
    one, other = result.identity.dataset, first.identity.dataset
    _equal(row, "dataset", one, other, "use the board's dataset")
    for fact, remedy in RESULT.items():
        # Records of schema 1 name the data of the base for some rows of a table.
        if fact != "data" or result.data not in data:
            _equal(row, fact, getattr(result, fact), getattr(first, fact), remedy)


def _targets(row: str, ours: RankTable, theirs: RankTable) -> None:
    """Ranks are of the same targets of the same users, in the same order."""
    if not same_targets(ours, theirs):
        raise HandledError(
            f"{row}: its test targets are not the board's ({len(ours.users)} here, "
            f"{len(theirs.users)} there): cut the same data by the same protocol, {REMEDY}"
        )


def _audits(row: str, ours: Audit | None, theirs: Audit | None) -> None:
    """Equal targets may still follow other training events: then the audits differ."""
    if ours is None or theirs is None:
        return
    for fact in sorted(ours.model_fields_set & theirs.model_fields_set):  # later versions have more
        one, other = (getattr(audit, fact, None) for audit in (ours, theirs))
        close = (
            isinstance(one, float) and isinstance(other, float)
            and abs(one - other) <= 1e-8 * max(abs(one), abs(other))
        )  # fmt: skip
        if not close:
            _equal(row, f"audit ({fact})", one, other, "train on what the board's split trains on")


def _equal(where: str, fact: str, ours: object, theirs: object, remedy: str) -> None:
    if ours != theirs:
        raise HandledError(
            f"{where}: {fact} differs: {_short(ours)} here, {_short(theirs)} on the board; "
            f"{remedy}, {REMEDY}"
        )


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:16]}..."


def _table(there: Sequence[Result]) -> Table:
    table = Table()
    for result in there:
        table.split = table.split or result.split
        for metric, value in result.metrics[MEAN].items():
            table.best[metric] = max(value, table.best.get(metric, value))
    return table
