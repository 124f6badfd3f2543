"""The leakage audit of a table as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recmerge_bench.report.boards.pieces import plain, table
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
PLACES = "Times are places in a sequence here, no moments: what is later cannot be told."


def audit_section(records: Mapping[str, Any], track: str, protocol: str) -> list[str]:
    """Heading, table, what merges read and what text encoders knew; `meanings` says the rest."""
    mine = [
        r for r in records["results"]
        if (r["identity"]["track"], r["identity"]["protocol"]) == (track, protocol)
    ]  # fmt: skip
    done = [r for r in mine if r["status"] == "done"]
    if not done:
        return [HEADING, NOTHING]
    header = records["header"]
    audits = header.get("audits", {})
    keys = list(dict.fromkeys(r.get("split", "") for r in done))
    known = [audits[k] for k in keys if k in audits]
    if not known:
        return [HEADING, ABSENT]
    parts = [HEADING, _table(known), *([PLACES] if not all(a["timed"] for a in known) else [])]
    return parts + _read(done) + _encoders(done, header.get("pretraining", {}))


def _table(audits: Sequence[Mapping[str, Any]]) -> str:
    rows = [[_shown(name, about.get(name)) for name in FACTS] for about in audits]
    unique = [row for n, row in enumerate(rows) if row not in rows[:n]]
    headers = [short for short, _ in FACTS.values()]
    return table(headers, unique)


def _shown(name: str, value: Any) -> str:
    if value is None:
        return "–"
    return f"{100 * value:.1f} %" if name in SHARES else f"{value:,}"


def meanings(records: Mapping[str, Any]) -> list[str]:
    """What the audits' columns are, once a board; nothing where there are no audits."""
    if not records["header"].get("audits"):
        return []
    lines = [f"- *{short}*: {about}" for short, about in FACTS.values()]
    return ["## What the leakage audit counts", "\n".join(lines)]


#: What the kernel did for the isolation of merges, by ``enforced`` in a record.
KEPT = {True: "enforced", False: "**not enforced**", None: "not recorded"}


def _read(done: Sequence[Mapping[str, Any]]) -> list[str]:
    """Which methods' merges read what, kept from the rest how; nothing where nothing is merged."""
    found: dict[tuple[str, tuple[str, ...], int, str], list[str]] = {}
    for result in done:
        if about := result.get("merge"):
            kept = KEPT[about.get("enforced")]
            place = (about["tier"], tuple(about["read"]), about["opened"], kept)
            names = found.setdefault(place, [])
            if (name := result["identity"]["method"]) not in names:
                names.append(name)
    if not found:
        return []
    rows = [
        [plain(tier), ", ".join(map(plain, read)), str(opened), kept, ", ".join(map(plain, names))]
        for (tier, read, opened, kept), names in sorted(found.items())
    ]
    headers = ["tier", "merging read", "other files", "isolation", "methods"]
    return [table(headers, rows)]


def _encoders(done: Sequence[Mapping[str, Any]], known: Mapping[str, Any]) -> list[str]:
    names = sorted({name for r in done for name in r.get("encoders", ())})
    dataset = done[0]["identity"]["dataset"]
    lines = []
    for name in names:
        about = known.get(name, {})
        overlap = about.get("overlap", {}).get(dataset, "unknown")
        source = f" ({about['source']})" if about.get("source") else ""
        lines.append(
            f"- Text encoder {code(name)}: trained on {plain(about.get('trained_on', 'unknown'))}"
            f"{plain(source)}; overlap with {plain(dataset)}: {plain(overlap)}"
        )
    return ["\n".join(lines)] if lines else []
