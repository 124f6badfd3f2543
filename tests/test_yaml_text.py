"""Suites' YAML: 1.2's plain values, no key twice, bounded; errors are a line with file and line."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT, SAMPLES
from hypothesis import given
from hypothesis import strategies as st

from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.planning.suite_files import key_values
from recmerge_bench.yaml_text import BYTES, DEPTH, parse_yaml, read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001), ("2e-1", 0.2), ("1E5", 1e5), ("+1.e2", 100.0), (".5", 0.5),
        ("-.5e1", -5.0), ("0.001", 0.001), ("12", 12), ("-3", -3), ("0x1F", 31),
        ("0o17", 15), ("010", 10), ("1_000", "1_000"), ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"), ("no", "no"), ("on", "on"), ("y", "y"), ("true", True),
        ("FALSE", False), ("~", None), ("", None),
        ("null", None), ("'1e-3'", "1e-3"), ('"null"', "null"), ("!!str 1e-3", "1e-3"),
        ("1e", "1e"), ("e3", "e3"), ("1e-3x", "1e-3x"), (".inf", math.inf), ("-.Inf", -math.inf),
        ("[1e-3, a]", [0.001, "a"]), ("{x: 1e-3}", {"x": 0.001}),
    ],
)  # fmt: skip
def test_plain_values_are_those_of_yaml_1_2(text: str, value: Any) -> None:
    actual = parse_yaml(text, "here").value
    assert actual == value and type(actual) is type(value)
    assert key_values([f"a={text}"]) == {"a": value}


def test_not_a_number() -> None:
    assert math.isnan(parse_yaml(".nan", "here").value)


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(1 << 63), (1 << 63) - 1))
def test_numbers_as_python_writes_them_are_read_again(number: float, whole: int) -> None:
    assert parse_yaml(f"[{number!r}, {whole}]", "here").value == [number, whole]


@pytest.mark.parametrize("folder", ["benchmarks", "tests"])
def test_the_suites_that_there_are_read_as_before(folder: str) -> None:
    paths = sorted((ROOT / folder).rglob("*.yaml"))
    assert paths
    for path in paths:
        assert read_yaml(path).value == yaml.safe_load(path.read_text(encoding="utf-8"))


def test_where_things_stand() -> None:
    value = parse_yaml("a: 1\nb:\n  - x\n  - {c: 2,\n     d: 3}\n", "here")
    assert value.lines == {
        (): 1, ("a",): 1, ("b",): 2, ("b", 0): 3, ("b", 1): 4, ("b", 1, "c"): 4, ("b", 1, "d"): 5,
    }  # fmt: skip


def test_merge_keys_and_aliases() -> None:
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [{x: 5}, *a]}\n'<<': 4\n"
    value = parse_yaml(text, "here").value
    assert value == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}, "c": {"x": 5, "y": 2}, "<<": 4}


NINE = "".join(
    f"{c}: &{c} [{', '.join([f'*{b}'] * 9) if b else '1, 1, 1, 1, 1, 1, 1, 1, 1'}]\n"
    for b, c in zip(["", *"abcdefgh"], "abcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"a: 1\nb: 2\na: 3\n", r":3: .*'a' stands twice.*line 1"),
        (b"t:\n  x: {k: 1, k: 2}\n", r":2: .*'k' stands twice"),
        (b'a: 1\n"a": 2\n', r":2: .*'a' stands twice"),
        (b"<<: {}\n<<: {}\n", r":2: .*'<<' stands twice"),
        (b"[" * 2000, rf"deeper than {DEPTH}"),
        (b"".join(b"%s- a:\n" % (b"  " * n) for n in range(500)), rf"deeper than {DEPTH}"),
        (NINE.encode(), "more than 100,000 values"),
        (b"a: &a [*a]\n", "within what it names"),
        (b"a: &a {b: *a}\n", "within what it names"),
        (b"a: *b\n", "undefined alias"),
        (b"? [a]\n: b\n", "a key is text"),
        (b"? \n: x\n", "a key is empty"),
        (b"a: !!python/object/apply:os.system [x]\n", "not used here"),
        (b"a: !!set {x}\n", "not used here"),
        (b"a: !!binary aGk=\n", "not used here"),
        (b"a: !!int 5\n", "not used here"),
        (b"---\na: 1\n---\nb: 2\n", "another document"),
        (b"a: 1e999\n", "too large"),
        (b"a: " + b"9" * 5000, "too large"),
        (b"a: 9223372036854775808\n", "too large"),
        (b'a: "\\0"\n', "U\\+0000"),
        (b'a: "\\ud800"\n', "U\\+D800"),
        (b'a: "\\UFFFFFFFF"\n', "not readable as YAML"),
        (b"%YAML " + b"9" * 5000 + b".1\n---\na: 1\n", "not readable as YAML"),
        (b"a: \x00\n", "not readable as YAML"),
        (b"a: 1\nb: \xff\n", ":2: .*UTF-8"),
        ("a: 1\n".encode("utf-16"), "UTF-8"),
        ("a: 1\n".encode("utf-32"), "UTF-8"),
        (b"a: b: c\n", ":1: .*mapping values"),
        (b"a: [\n", ":2"),
        (b"#" * (BYTES + 1), "larger than 1 MiB"),
    ],
)
def test_what_is_refused_is_one_line(text: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(text)
    with pytest.raises(DataError, match=message) as caught:
        read_yaml(path)
    assert str(caught.value).startswith(str(path)) and len(str(caught.value).splitlines()) == 1


def test_a_mark_of_order_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes("a: 1\r\nb: é\r\n".encode("utf-8-sig"))
    assert read_yaml(path).value == {"a": 1, "b": "é"}


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_yaml(tmp_path)


def test_a_change_is_said_once() -> None:
    with pytest.raises(HandledError, match="--set a is given twice"):
        key_values(["a=1", "a=2"])
    with pytest.raises(DataError, match=r"--set a:1: .*'k' stands twice"):
        key_values(["a={k: 1, k: 2}"])


def test_damaged_suites_are_read_or_refused() -> None:
    """Bytes of a suite cut, doubled and overwritten: a value or a line, never a traceback."""
    rng, whole = random.Random(12), (SAMPLES / "tiny.yaml").read_bytes()
    odd = [b"\x00", b"\xff", b"{", b"[", b"&a ", b"*a", b"!!", b"'", b'"\\u', b"- ", b": ", b"\t",
           b"%", b"<<: ", b"? ", "\u2028".encode(), b"1e999", b"|\n"]  # fmt: skip
    refused = 0
    for _ in range(1000):
        text = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            start = rng.randrange(len(text))
            end = start + rng.choice((0, 1, 30))
            text[start:end] = rng.choice([*odd, bytes(text[start : start + 40]) * 2])
        try:
            parse_yaml(bytes(text).decode("utf-8", "surrogateescape"), "suite")
        except DataError as error:
            refused += 1
            assert len(str(error).splitlines()) == 1
    assert refused > 100
