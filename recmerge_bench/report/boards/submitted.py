"""How boards mark rows that their own run did not make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from recmerge_bench.results.records import Origin
from recmerge_bench.untrusted.texts import code, markdown

#: Behind the name of a submitted method, and of one that other software ran.
MARK, EXTERNAL = "†", "‡"


def mark_of(seeds: Sequence[Origin]) -> str:
    """What stands behind a method's name; nothing where the board's own run made it."""
    if not seeds:
        return ""
    return f" {EXTERNAL if any(origin.external for origin in seeds) else MARK}"


_UNKNOWN = (
    " It was ranked here on the same test targets and candidates; what it was trained on, and how, "
    "is not known here."
)


def footnotes(rows: Iterable[tuple[str, Sequence[Origin]]]) -> list[str]:
    """A paragraph that says where submitted rows came from; nothing where there are none.

    Args:
        rows: name of a row as printed, and what its submitted seeds came from
            (`recmerge_bench.results.records.Origin`).
    """
    rows_by_origin: dict[tuple[str, ...], list[str]] = {}
    for name, seeds in rows:
        for origin in seeds:
            described = (
                origin.bundle[:12], origin.contact, origin.note, origin.external, *origin.flags
            )  # fmt: skip
            rows_by_origin.setdefault(described, []).append(name.removesuffix(mark_of(seeds)))
    if not rows_by_origin:
        return []
    lines = []
    for (bundle, contact, note, form, *flags), names in rows_by_origin.items():
        source = f"scores of a file ({markdown(form)}) of SHA-256" if form else "bundle"
        parts = [f"{source} {code(bundle)}", *([f"contact {code(contact)}"] if contact else []),
                 *([f"note {code(note)}"] if note else []),
                 *([f"**flagged**: {markdown('; '.join(flags))}"] if flags else [])]  # fmt: skip
        what = f"{EXTERNAL} external" if form else f"{MARK} submitted"
        about = f"{', '.join(dict.fromkeys(names))}: {', '.join(parts)}."
        lines.append(f"{what}: {about}{_UNKNOWN * bool(form)}")
    return ["\n\n".join(lines)]
