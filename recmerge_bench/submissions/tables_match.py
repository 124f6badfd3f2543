"""Whether a submission's tables are those of a board: data, cut, candidates, test targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from recmerge_bench.errors import HandledError, near
from recmerge_bench.results.results import MEAN

if TYPE_CHECKING:
    from recmerge_bench.submissions.submission import Submission

#: What the header says of a track that makes its tables what they are.
TRACK: dict[str, Any] = {
    "dataset": None, "domains": [], "source": [], "experts": [], "isolated": False,
}  # fmt: skip
#: The same of a protocol.
PROTOCOL = ("split", "negatives", "candidate_seed")
#: The same of a result, and how to mend a difference.
RESULT = {
    "data": "prepare the same data (`recmerge-bench datasets prepare`) with the same options",
    "candidates": "draw the same candidates: the protocol's own number and seed",
    "mask_history": "rank under the board's protocol",
}
MEND = "or submit it as a suite of its own (submit --board NAME)"
Place = tuple[str, str]


@dataclass
class Table:
    """A table of a board that submitted rows join.

    Attributes:
        split: key of its split; empty where nothing of it is done yet.
        best: metric -> the highest mean over the domains.
    """

    split: str = ""
    best: dict[str, float] = field(default_factory=dict)


def check_tables(sent: Submission, board: Submission) -> dict[Place, Table]:
    """The board's tables that the submission has rows of.

    Raises:
        HandledError: a table differs; says in what, and how to mend it.
    """
    mine, theirs = sent.records["header"], board.records["header"]
    if mine["label"] != theirs["label"]:
        raise HandledError(
            f"its header.label is '{mine['label']}', the board's '{theirs['label']}': "
            f"train as the board's suite does, {MEND}"
        )
    rows: dict[Place, list[Mapping[str, Any]]] = {}
    for result in sent.records["results"]:
        place = (result["identity"]["track"], result["identity"]["protocol"])
        rows.setdefault(place, []).append(result)
    found = {}
    for (track, protocol), results in rows.items():
        where = f"track '{track}', protocol '{protocol}'"
        _headers(mine, theirs, track, protocol, where)
        there = [
            r for r in board.records["results"]
            if r["status"] == "done"
            and (r["identity"]["track"], r["identity"]["protocol"]) == (track, protocol)
        ]  # fmt: skip
        _results(sent, board, results, there or results[:1], bool(there), where)
        found[track, protocol] = _table(there)
    return found


def _headers(
    mine: Mapping[str, Any], theirs: Mapping[str, Any], track: str, protocol: str, where: str
) -> None:
    if track not in theirs["tracks"]:
        known = theirs["tracks"]
        raise HandledError(
            f"the board has no track '{track}'{near(track, known)}: it has {', '.join(known)}; "
            f"name it as the board does, {MEND}"
        )
    if protocol not in theirs["tracks"][track]["protocols"]:
        raise HandledError(f"{where}: the board has no such protocol in that track; {MEND}")
    one, other = mine["tracks"][track], theirs["tracks"][track]
    for fact, absent in TRACK.items():
        _equal(where, fact, one.get(fact, absent), other.get(fact, absent), "use the board's suite")
    one, other = (h.get("protocols", {}).get(protocol, {}) for h in (mine, theirs))
    for fact in PROTOCOL:
        _equal(where, fact, one.get(fact), other.get(fact), "use the board's protocol")


def _results(
    sent: Submission, board: Submission, results: Sequence[Mapping[str, Any]],
    there: Sequence[Mapping[str, Any]], on_board: bool, where: str,
) -> None:  # fmt: skip
    first = there[0]
    ranks = (board if on_board else sent).ranks[first["key"]]
    audits = (board if on_board else sent).records["header"]["audits"]
    for result in results:
        row = f"{where}: {result['identity']['method']}"
        if result["domains"] != first["domains"]:
            _equal(row, "domains", result["domains"], first["domains"], "score the same domains")
        if result["identity"]["dataset"] != first["identity"]["dataset"]:
            _equal(row, "dataset", result["identity"]["dataset"], first["identity"]["dataset"],
                   "use the board's dataset")  # fmt: skip
        for fact, mend in RESULT.items():
            # Records of schema 1 name the data of the base for some rows of a table.
            if fact != "data" or result.get(fact) not in [r.get(fact) for r in there]:
                _equal(row, fact, result.get(fact), first.get(fact), mend)
        table = sent.ranks[result["key"]]
        same = [
            np.array_equal(getattr(table, c), getattr(ranks, c)) for c in ("users", "targets")
        ]
        if not all(same) or _names(table) != _names(ranks):
            raise HandledError(
                f"{row}: its test targets are not the board's ({len(table.users)} here, "
                f"{len(ranks.users)} there): cut the same data by the same protocol, {MEND}"
            )
        _audits(row, sent.records["header"]["audits"].get(result.get("split", "")),
                audits.get(first.get("split", "")))  # fmt: skip


def _names(table: Any) -> list[str]:
    names = np.asarray(table.domains, object)
    return list(names[table.domain])


def _audits(row: str, mine: Mapping[str, Any] | None, theirs: Mapping[str, Any] | None) -> None:
    """Equal targets may still follow other training events: then the audits differ."""
    if mine is None or theirs is None:
        return
    for fact in {**mine, **theirs}:
        one, other = mine.get(fact), theirs.get(fact)
        close = (
            isinstance(one, float) and isinstance(other, float)
            and abs(one - other) <= 1e-8 * max(abs(one), abs(other))
        )  # fmt: skip
        if not close:
            _equal(row, f"audit ({fact})", one, other, "train on what the board's split trains on")


def _equal(where: str, fact: str, mine: Any, theirs: Any, mend: str) -> None:
    if mine != theirs:
        raise HandledError(
            f"{where}: {fact} differs: {_short(mine)} here, {_short(theirs)} on the board; "
            f"{mend}, {MEND}"
        )


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:16]}..."


def _table(there: Sequence[Mapping[str, Any]]) -> Table:
    found = Table()
    for result in there:
        found.split = found.split or result.get("split", "")
        for metric, value in result["metrics"][MEAN].items():
            found.best[metric] = max(value, found.best.get(metric, value))
    return found
