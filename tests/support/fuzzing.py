"""Seeded mutators that know the structure of what they damage, and the command line called in
process: one line and an exit code, whatever comes."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import random
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recmerge_bench.cli import main

#: Values of wrong types, out of range or odd.
ODD: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**62, 2**64, -(2**63), 10**400, 0.5, -0.0, 1e308, 5e-324,
    float("nan"), float("inf"), -float("inf"), "", " ", "x", "0", "-1", "nan", "1e999", "../x",
    "/etc/passwd", "..", ".", "a/b", "x/../../escaped", "con", "CON.md", "a\x00b", "\ud800",
    "é", "\u202e", "=1+1", "<script>", "`", "a|b", "](x)", "mean", "x" * 5000, "\n", "~", "${HOME}",
    [], {}, [[]], [{}], {"": ""}, {"x": {}}, [None], [0], ["x"], [[], []], {"x": None}, [1, "x"],
]  # fmt: skip


class Mutator:
    """Damages one thing at a time.

    Args:
        seed: of its choices.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def json(self, raw: bytes) -> bytes:
        """A JSON text with values swapped, dropped, nested or renamed, or damaged as text."""
        if self.random.random() < 0.12:
            return self.text(raw)
        value = json.loads(raw)
        for _ in range(self.random.choice([1, 1, 1, 2, 3])):
            value = self.value(value)
        return json.dumps(value).encode("utf-8", "surrogatepass")

    def value(self, value: Any) -> Any:
        """A copy of a nest of values with one of them changed."""
        whole = [copy.deepcopy(value)]
        places = list(_places(whole))
        place, key = self.random.choice(places)
        place[key], gone = self._changed(place[key])
        if gone:
            del place[key]
        elif isinstance(place, dict) and self.random.random() < 0.1:
            place[self.random.choice([k for k in ODD if isinstance(k, str)])] = place.pop(key)
        return whole[0] if whole else None

    def _changed(self, old: Any) -> tuple[Any, bool]:
        kind = self.random.randrange(8)
        if kind == 0:
            return old, True
        if kind == 1:
            return _deep(self.random.choice([3, 45, 2000]), self.random.choice("[{")), False
        if kind == 2 and isinstance(old, list):
            return old[: len(old) // 2], False
        if kind == 3 and isinstance(old, list):
            return [*old, *old, *copy.deepcopy(old[:1])], False
        if kind == 4 and isinstance(old, dict) and old:
            return {f"{k}x": v for k, v in old.items()}, False
        if kind == 5 and isinstance(old, (int, float)) and not isinstance(old, bool):
            near = [-old, old * 1000, old + 1, str(old)[:4000], [old], 0.5]
            return self.random.choice(near), False
        if kind == 5 and isinstance(old, str):
            return self.random.choice([old[::-1], old.upper(), old * 2, old[:-1], [old]]), False
        return copy.deepcopy(self.random.choice(ODD)), False

    def text(self, raw: bytes) -> bytes:
        """Bytes cut off, flipped, doubled, in another encoding, or of something else."""
        at = self.random.randrange(len(raw) or 1)
        kind = self.random.randrange(11)
        if kind == 0:
            return raw[:at]
        if kind <= 2 and raw:
            changed = bytearray(raw)
            for _ in range(kind * 3):
                changed[self.random.randrange(len(raw))] ^= 1 << self.random.randrange(8)
            return bytes(changed)
        if kind == 3:
            return raw[:at] + self.random.randbytes(self.random.randrange(1, 40)) + raw[at:]
        if kind == 4:
            return raw[:at] + raw[at + self.random.randrange(1, 400) :]
        if kind == 5:
            end = at + self.random.randrange(1, 400)
            return raw[:end] + raw[at:end] + raw[end:]
        if kind == 6:
            code = self.random.choice(["utf-16", "utf-32", "latin-1", "utf-8-sig", "cp500"])
            return raw.decode("utf-8", "replace").encode(code, "replace")
        if kind == 7:
            return self.random.choice([b"", b"\0", b"\xff\xfe", b"null", b"[]", b"{}", b"1"])
        if kind == 8:
            return b"[" * self.random.choice([100, 100_000])
        if kind == 9:
            lines = raw.splitlines(keepends=True) or [b""]
            one, other = (self.random.randrange(len(lines)) for _ in range(2))
            lines[one] = lines[other]
            return b"".join(lines)
        words = [b"../x", b"nan", b"-1", b"\x00", b"\xed\xa0\x80", b"[[[[", b"{a: b", b"!!x "]
        return raw[:at] + self.random.choice(words) + raw[at:]


def _places(whole: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of every value."""
    todo = [whole]
    while todo:
        place = todo.pop()
        for key in list(place) if isinstance(place, dict) else range(len(place)):
            yield place, key
            if isinstance(place[key], (dict, list)):
                todo.append(place[key])


def _deep(depth: int, kind: str) -> Any:
    value: Any = 1
    for _ in range(min(depth, 150)):
        value = [value] if kind == "[" else {"x": value}
    return value


def asked(*words: Any) -> tuple[int, str]:
    """Exit code and what stands on stderr of a command, run in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(w) for w in words])
        except SystemExit as ended:
            return int(ended.code or 0), err.getvalue()
        except BaseException:  # what main itself could not say
            traceback.print_exc(file=err)
            return 70, err.getvalue()
    return 71, err.getvalue()


def flaw(code: int, output: str) -> str:
    """What is wrong with how a command ended; nothing where it ended as it should."""
    lines = [line for line in output.splitlines() if not line.startswith("warning: ")]
    if code not in (0, 1, 2) or "Traceback" in output:
        frames = [n for n, line in enumerate(lines) if line.lstrip().startswith("File ")]
        last = lines[frames[-1]].strip() if frames else ""
        bug = len(lines) > 1 and "This is a bug" in lines[-1]
        error = lines[-2] if bug else "".join(lines[-1:])
        return f"exit {code}: {error[:200]} | {last}"
    if code == 2 and len(lines) > 12:
        return f"exit 2 with {len(lines)} lines: {lines[0][:100]}"
    if code == 2 and not any(line.startswith(("error: ", "refused ")) for line in lines):
        return f"exit 2 and no error: {output[:200]!r}"
    return ""


def names(folder: Path) -> dict[str, int]:
    """Relative path -> size of all files below a folder."""
    return {p.relative_to(folder).as_posix(): p.stat().st_size
            for p in sorted(folder.rglob("*")) if p.is_file()}  # fmt: skip
