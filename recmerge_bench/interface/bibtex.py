"""One-line citations as BibTeX: what the line says, and nothing that it does not."""

from __future__ import annotations

import re

_ARXIV = re.compile(r"\s*\(arXiv[: ](?P<arxiv>\d{4}\.\d{4,5})(?:, [^)]*)?\)")
_PLACE = re.compile(r"(?P<venue>[^,]*?)\s+(?P<year>(?:19|20)\d\d)")


def bibtex(citation: str) -> str:
    """Entries of a spec's citation, one for each of its parts (between semicolons).

    ``Yadav et al., TIES-Merging, NeurIPS 2023`` is authors, title, venue and year; an entry has
    what could be told apart, and the part as it stands as its note.
    """
    entries, keys = [], set[str]()
    for part in (p.strip() for p in citation.split(";") if p.strip()):
        kind, key, fields = _entry(part)
        number = 2
        while key in keys:
            key, number = f"{key.rstrip('0123456789')}{number}", number + 1
        keys.add(key)
        inside = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
        entries.append(f"@{kind}{{{key},\n{inside}}}")
    return "\n".join(entries)


def _entry(part: str) -> tuple[str, str, dict[str, str]]:
    """Kind, key and fields."""
    fields: dict[str, str] = {}
    text = part
    if match := _ARXIV.search(text):
        fields |= {"eprint": match["arxiv"], "archiveprefix": "arXiv"}
        text = text[: match.start()] + text[match.end() :]
    parts = [one.strip() for one in text.split(", ")]
    place = _PLACE.fullmatch(parts[-1])
    if place is None or len(parts) < 2:
        return "misc", _key(parts[0], ""), {**fields, "note": _plain(part)}
    known = {"author": _authors(parts[0])}
    if len(parts) > 2:
        known["title"] = f"{{{_plain(', '.join(parts[1:-1]))}}}"
    known |= {"booktitle": _plain(place["venue"]), "year": place["year"]}
    kind = "inproceedings" if "title" in known and place["venue"] else "misc"
    fields = {**known, **fields, "note": _plain(part)}
    return kind, _key(parts[0], place["year"]), {n: v for n, v in fields.items() if v}


def _authors(text: str) -> str:
    names = re.sub(r"\s+et al\.?$", " and others", text)
    return _plain(names.replace(" & ", " and "))


def _key(authors: str, year: str) -> str:
    first = re.findall(r"[^\W\d_]+", authors)
    return f"{(first[0] if first else 'source').lower()}{year}"


def _plain(text: str) -> str:
    """Text that BibTeX takes as it is."""
    return re.sub(r"([&%#_$])", r"\\\1", text.replace("{", "").replace("}", ""))


__all__ = ["bibtex"]
