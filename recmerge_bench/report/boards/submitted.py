"""How boards mark rows that their own run did not make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from recmerge_bench.results.records import Origin
from recmerge_bench.untrusted.texts import code, markdown

#: Behind a submitted method's name.
MARK = "†"


def footnotes(rows: Iterable[tuple[str, Sequence[Origin]]]) -> list[str]:
    """A paragraph that says where submitted rows came from; nothing where there are none.

    Args:
        rows: name of a row as printed, and what its submitted seeds came from
            (`recmerge_bench.results.records.Origin`).
    """
    rows_by_origin: dict[tuple[str, ...], list[str]] = {}
    for name, seeds in rows:
        for origin in seeds:
            described = (origin.bundle[:12], origin.contact, origin.note, *origin.flags)
            rows_by_origin.setdefault(described, []).append(name.removesuffix(f" {MARK}"))
    if not rows_by_origin:
        return []
    lines = []
    for (bundle, contact, note, *flags), names in rows_by_origin.items():
        parts = [f"bundle {code(bundle)}", *([f"contact {code(contact)}"] if contact else []),
                 *([f"note {code(note)}"] if note else []),
                 *([f"**flagged**: {markdown('; '.join(flags))}"] if flags else [])]  # fmt: skip
        lines.append(f"{MARK} submitted: {', '.join(dict.fromkeys(names))}: {', '.join(parts)}.")
    return ["\n\n".join(lines)]
