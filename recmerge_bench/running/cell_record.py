"""``record.json`` of a cell, checked when it is read: what stands behind may trust its types."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from recmerge_bench.untrusted.paths import is_relative, is_safe, shown

_DIGEST = re.compile(r"[0-9a-f]{64}")
#: The record's own checksum, a key of it.
SEAL = "seal"
Check = Callable[[Any], bool]


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _texts(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_text, value.values()))


#: No seconds, bytes or joules of a cell are beyond this.
_LARGEST = 1e18


def _number(value: Any) -> bool:
    # compared before anything makes a float of it: whole numbers of JSON have no end
    real = isinstance(value, (int, float)) and not isinstance(value, bool)
    return real and 0 <= value <= _LARGEST


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63


def _mapping(value: Any) -> bool:
    return isinstance(value, dict)


def _keys(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_key, value.values()))


def _key(value: Any) -> bool:
    return isinstance(value, str) and is_safe(value)


def _digest(value: Any) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _energy(value: Any) -> bool:
    return value is None or (
        isinstance(value, dict) and all(_number(value.get(k)) for k in ("joules", "share"))
    )


def _provenance(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and all(_texts(value.get(k)) for k in ("libraries", "plugins"))
        and all(check(value[k]) for k, check in _MACHINE.items() if k in value)
    )


#: Facts about the machine and the code, as costs repeat them.
_MACHINE: dict[str, Check] = {
    **dict.fromkeys(
        ("recmerge_bench", "python", "commit", "machine", "processor", "system"), _text
    ),
    "dirty": lambda v: isinstance(v, bool),
    "cores": lambda v: v is None or _whole(v),
}


#: Parts that a record may have; what is there has to be of this form.
PARTS: dict[str, tuple[Check, str]] = {
    "key": (_key, "a cell's key"),
    "kind": (_text, "text"), "label": (_text, "text"), "device": (_text, "text"),
    "config": (_mapping, "a mapping"), "report": (_mapping, "a mapping"),
    "inputs": (_keys, "a mapping to keys of cells"),
    "seed": (lambda v: v is None or _whole(v), "a whole number or null"),
    "threads": (_whole, "a whole number"),
    "peak_memory": (lambda v: _whole(v) and v >= 0, "a whole number from 0 up"),
    "seconds": (_number, "a number from 0 up"), "started": (_number, "a number from 0 up"),
    "energy": (_energy, "null or joules and share"),
    "provenance": (_provenance, "a mapping with libraries and plugins"),
    "files": (lambda v: _named(v, _digest),
              "a mapping of files below the cell to their SHA-256"),
    "sizes": (lambda v: _named(v, lambda s: _whole(s) and s >= 0),
              "a mapping of files below the cell to their bytes"),
}  # fmt: skip


def _named(value: Any, check: Check) -> bool:
    return isinstance(value, dict) and all(is_relative(k) and check(v) for k, v in value.items())


def checked_record(raw: Any) -> dict[str, Any]:
    """The record of a cell, if it is one.

    Raises:
        ValueError: it is none; says which part.
    """
    if not isinstance(raw, Mapping):
        raise ValueError("no record of a cell: no JSON object")
    if "files" not in raw:
        raise ValueError("no record of a cell: it lacks files")
    for name, (check, wanted) in PARTS.items():
        if name in raw and not check(raw[name]):
            raise ValueError(f"its {name!r} is not {wanted}: {shown(raw[name])}")
    return dict(raw)


def record_flaw(record: Mapping[str, Any], key: str) -> str:
    """Why a record is not that of the cell `key` as it was sealed, or an empty string."""
    if record.get("key") != key:
        return f"the record of another cell ({shown(record.get('key'))})"
    if record.get(SEAL) != seal_of(record):
        return "its own checksum does not agree: it was edited, or an older version wrote it"
    if record["files"].keys() != record.get("sizes", {}).keys():
        return "it does not say which files belong to it"
    return ""


def seal_of(record: Mapping[str, Any]) -> str:
    """SHA-256 of a record's canonical JSON, without the seal itself."""
    content = {k: v for k, v in record.items() if k != SEAL}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
