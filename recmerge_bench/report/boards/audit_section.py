"""The leakage audit of a table as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from recmerge_bench.identity import Place
from recmerge_bench.report.boards.elements import plain, table
from recmerge_bench.results.grouped import done_by_place
from recmerge_bench.results.header import Audit, Encoder
from recmerge_bench.results.records import Records, Result
from recmerge_bench.untrusted.texts import code

HEADING = "### Leakage audit"
ABSENT = "Not in these records: they were made before audits; build them again from the run."
NOTHING = "Nothing is done in this table: there is no split to audit."
FACTS = {
    "instances": ("test targets", "how many there are"),
    "later_own": (
        "later, own domain", "share with a training event, of anyone, in the target's own domain "
        "that is later than the target",
    ),
    "later_other": ("later, other domains", "the same in another domain"),
    "later_same_user": ("later, same user", "the same of the target's own user, in any domain"),
    "later_events": (
        "later events", "mean share of all training events that are later than the target",
    ),
    "same_events": (
        "trained targets", "test events that are training events too; not 0: the split is at fault",
    ),
    "shared_keys": ("shared keys", "user-item pairs among both test targets and training events"),
    "seen_targets": ("seen targets", "share whose user has the target in training, by repetition"),
}  # fmt: skip
SHARES = ("later_own", "later_other", "later_same_user", "later_events", "seen_targets")
PLACES = "Times are places in a sequence here, not moments: what is later is unknown."


def audit_section(records: Records, place: Place) -> list[str]:
    """Heading, table, what merges read and what text encoders knew; `meanings` says the rest."""
    done = done_by_place(records).get(place, [])
    if not done:
        return [HEADING, NOTHING]
    header = records.header
    audits = header.audits
    known = [audits[k] for k in dict.fromkeys(r.split for r in done) if k in audits]
    if not known:
        return [HEADING, ABSENT]
    return [HEADING, *_table(known)] + _read(done) + _encoders(done, header.pretraining)


def _table(audits: Sequence[Audit]) -> list[str]:
    """A row for each audit that says something of its own, and what times that are none mean."""
    rows = [[_shown(name, getattr(audit, name)) for name in FACTS] for audit in audits]
    unique = [row for n, row in enumerate(rows) if row not in rows[:n]]
    headers = [short for short, _ in FACTS.values()]
    note = [] if all(audit.timed for audit in audits) else [PLACES]
    return [table(headers, unique), *note]


def _shown(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{100 * value:.1f} %" if name in SHARES else f"{value:,}"


def meanings(records: Records) -> list[str]:
    """What the audits' columns are, once a board; nothing where there are no audits."""
    if not records.header.audits:
        return []
    lines = [f"- *{short}*: {meaning}" for short, meaning in FACTS.values()]
    return ["## What the leakage audit counts", "\n".join(lines)]


#: An encoder that the header does not describe.
UNKNOWN = Encoder(trained_on="unknown", source="", overlap={})
#: What the kernel did for the isolation of merges, by ``enforced`` in a record.
KEPT = {True: "enforced", False: "**not enforced**", None: "not recorded"}


def _read(done: Sequence[Result]) -> list[str]:
    """Which methods' merges read what, kept from the rest how; nothing where nothing is merged."""
    readings = {
        (merge.tier, tuple(merge.read), merge.opened, merge.enforced, result.identity.method): None
        for result in done
        if (merge := result.merge)
    }
    methods_by_reading: dict[tuple[str, tuple[str, ...], int, str], list[str]] = {}
    for tier, read, opened, enforced, method in readings:
        methods_by_reading.setdefault((tier, read, opened, KEPT[enforced]), []).append(method)
    if not methods_by_reading:
        return []
    rows = [
        [plain(tier), ", ".join(map(plain, read)), str(opened), kept, ", ".join(map(plain, names))]
        for (tier, read, opened, kept), names in sorted(methods_by_reading.items())
    ]
    headers = ["tier", "merging read", "other files", "isolation", "methods"]
    return [table(headers, rows)]


def _encoders(done: Sequence[Result], known: Mapping[str, Encoder]) -> list[str]:
    names = sorted({name for r in done for name in r.encoders})
    dataset = done[0].identity.dataset
    lines = []
    for name in names:
        encoder = known.get(name, UNKNOWN)
        overlap = encoder.overlap.get(dataset, "unknown")
        source = f" ({encoder.source})" if encoder.source else ""
        lines.append(
            f"- Text encoder {code(name)}: trained on {plain(encoder.trained_on)}"
            f"{plain(source)}; overlap with {plain(dataset)}: {plain(overlap)}"
        )
    return ["\n".join(lines)] if lines else []
