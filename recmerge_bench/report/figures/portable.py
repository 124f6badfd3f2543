"""SVG that does not hang on a processor: coordinates rounded, ids counted; pictures compared.

matplotlib writes coordinates to six decimals, whose last ones differ between processors, and makes
ids out of them.
"""

from __future__ import annotations

import re

#: Decimals of a coordinate: a hundredth of a point is not seen.
DECIMALS = 2
#: Points that two drawings of one figure may be apart: rounding may fall on either side.
TOLERANCE = 0.02

_NUMBER = re.compile(r"-?\d+\.\d+")
_ID = re.compile(r'(?<= id=")[^"]*?[0-9a-f]{10}(?=")')
_REFERENCE = re.compile(r'(?<=url\(#)[^)]+(?=\))|(?<=href="#)[^"]+(?=")')
_ANY_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def portable(svg: str) -> str:
    """The picture with rounded coordinates, and with ids by the order in which they are made."""
    names = {old: f"shape-{n}" for n, old in enumerate(dict.fromkeys(_ID.findall(svg)))}
    svg = _ID.sub(lambda m: names[m[0]], svg)
    svg = _REFERENCE.sub(lambda m: names.get(m[0], m[0]), svg)
    return "".join(_rounded(part) if part.startswith("<") else part for part in _parts(svg))


def first_difference(one: str, other: str) -> int | None:
    """Number of the first line (from 1) where two pictures differ by more than rounding.

    Text that is shown is compared as it is; in marks, numbers may be `TOLERANCE` apart.
    """
    ones, others = one.splitlines(), other.splitlines()
    for number in range(max(len(ones), len(others))):
        if number >= len(ones) or number >= len(others):
            return number + 1
        if not _alike(ones[number], others[number]):
            return number + 1
    return None


def _parts(svg: str) -> list[str]:
    """Marks and what stands between them, in order."""
    return re.split(r"(<[^>]*>)", svg)


def _rounded(mark: str) -> str:
    """A mark with its decimals rounded; a version and a title's words are no marks."""
    return mark if mark.startswith(("<?", "<!")) else _NUMBER.sub(_short, mark)


def _short(number: re.Match[str]) -> str:
    text = f"{float(number[0]):.{DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _alike(one: str, other: str) -> bool:
    if one == other:
        return True
    if _shown(one) != _shown(other):
        return False
    if _ANY_NUMBER.sub("", one) != _ANY_NUMBER.sub("", other):
        return False
    pairs = zip(_ANY_NUMBER.findall(one), _ANY_NUMBER.findall(other), strict=True)
    return all(abs(float(a) - float(b)) <= TOLERANCE for a, b in pairs)


def _shown(line: str) -> list[str]:
    """What of a line stands between marks; a line within a mark shows nothing."""
    if ">" not in line:
        return []
    return re.findall(r">([^<>]*)(?:<|$)", line)
