"""Names that become file names: the only place where text of strangers turns into a path.

A safe name is one component of a path on every common system: letters, digits, ``. _ -``, no
leading dot or hyphen, no trailing dot, at most `LONGEST` characters, and no name that Windows
keeps for a device.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from recmerge_bench.errors import HandledError

LONGEST = 200
#: What `slug` leaves of long texts.
SHORT = 120
#: What lies beside a suite's board under its name (``<suite>-full.md``).
BESIDE = ("-full", "-cost", "-cards")
#: Figures of these beginnings are made by themselves.
COST, MEMORISED = "cost", "memorised"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}")
_SITE = re.compile(r"[a-z0-9]([a-z0-9-]{0,60}[a-z0-9])?")
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def is_safe(name: str) -> bool:
    """Whether a text is one harmless component of a path."""
    return (
        len(name) <= LONGEST
        and _NAME.fullmatch(name) is not None
        and not name.endswith(".")
        and _DEVICES.fullmatch(name) is None
    )


def within(folder: Path, *names: str) -> Path:
    """A path below `folder`, of names that are safe one by one.

    Raises:
        HandledError: one is not; names it.
    """
    for name in names:
        if not isinstance(name, str) or not is_safe(name):
            raise HandledError(
                f"{shown(name)} cannot be part of a file's name: letters, digits, . _ and - "
                f"alone, {LONGEST} characters at most"
            )
    return folder.joinpath(*names)


def below(folder: Path, relative: str) -> Path:
    """A path below `folder` from one with slashes, such as ``a/b.json``.

    Raises:
        HandledError: it leads elsewhere, or a part of it is no safe name.
    """
    parts = relative.split("/") if isinstance(relative, str) else [relative]
    return within(folder, *parts)


def is_relative(relative: object) -> bool:
    """Whether `below` takes it."""
    return isinstance(relative, str) and all(map(is_safe, relative.split("/")))


def suite_flaw(name: object) -> str:
    """Why a text cannot name a suite; empty if it can.

    ``<suite>-full``, ``<suite>-cost`` and ``<suite>-cards`` lie beside a board, so no suite ends
    so.
    """
    if not isinstance(name, str) or not _PLAIN.fullmatch(name) or not is_safe(name):
        return (
            f"{shown(name)} is no name of a suite: small letters, digits, - and _, 61 characters "
            "at most"
        )
    end = next((e for e in BESIDE if name.endswith(e)), "")
    if end:
        return (
            f"no suite is called '{name}': its files would be those of '{name.removesuffix(end)}'"
            "; give it another name"
        )
    return ""


def figure_flaw(name: object) -> str:
    """Why a text cannot name a figure of a suite; empty if it can."""
    if not isinstance(name, str) or not _PLAIN.fullmatch(name) or not is_safe(name):
        return (
            f"{shown(name)} is no name of a figure: small letters, digits, - and _, 61 characters "
            "at most"
        )
    for own in (COST, MEMORISED):
        if name == own or name.startswith(f"{own}-"):
            return (
                f"no figure is called '{name}': those of names with '{own}' are made by themselves"
            )
    return ""


def slug(*parts: str) -> str:
    """A file name that tells these parts to a reader; different parts may give one name."""
    whole = "-".join(map(_readable, parts))
    whole = whole if is_safe(whole) or len(whole) > SHORT else f"x-{whole}"
    return whole if len(whole) <= SHORT else f"{whole[: SHORT - 10]}-{_hash(chr(0).join(parts))}"


def distinct(name: str) -> str:
    """A file name of its own for any text: itself where that is safe, else with a hash."""
    if _SITE.fullmatch(name) and is_safe(name) and name != "index":
        return name
    kept = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    return f"{kept or 'x'}-{_hash(name)}"


def apart(names: Sequence[tuple[str, ...]]) -> list[str]:
    """A file name for each of these: `slug`, with a hash where two would be one (in any case)."""
    plain = [slug(*parts) for parts in names]
    folded = [p.casefold() for p in plain]
    return [
        f"{name}-{_hash(chr(0).join(parts))}" if folded.count(name.casefold()) > 1 else name
        for name, parts in zip(plain, names, strict=True)
    ]


def shown(name: object) -> str:
    """A stranger's text within a message: quoted, its ends escaped, cut to 60 characters."""
    text = ascii(name)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _readable(part: str) -> str:
    kept = re.sub(r"[^A-Za-z0-9.]+", "-", part).strip("-.") or "none"
    return kept if len(kept) <= 60 else f"{kept[:50]}-{_hash(part)}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
