"""Text of anyone in Markdown, CSV and code spans stays text."""

from __future__ import annotations

import csv
import html
import io
import re

import pytest

from recmerge_bench.report.csv_text import csv_text
from recmerge_bench.untrusted.texts import cell, code, markdown

FORMULAS = ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_computes_stays_text(text: str) -> None:
    assert cell(text) == f"'{text}" and cell("a" + text) == "a" + text
    written = csv_text(["one", "other"], [[text, 'pl"a,in']])
    [_, row] = csv.reader(io.StringIO(written, newline=""))
    assert row == [f"'{text}", 'pl"a,in']


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("alpha_x=.5 (a-b)", "alpha_x=.5 (a-b)"),
        ("a|b", "a\\|b"),
        ("a\nb\tc", "a b c"),
        ("<img src=x onerror=y>", "&lt;img src=x onerror=y&gt;"),
        ("[x](http://y)", "[x\\](http://y)"),
        ("`code`", "\\`code\\`"),
        ("**bold** _so_", "\\*\\*bold\\*\\* \\_so\\_"),
        ("a\\|b", "a\\\\\\|b"),
        ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
        ("R&D ÷ µ", "R&D ÷ µ"),
    ],
)
def test_markdown_prints_it_as_it_is(text: str, wanted: str) -> None:
    assert markdown(text) == wanted
    shown = html.unescape(re.sub(r"\\([\\`*_\]|~])", r"\1", wanted))
    assert shown == re.sub(r"\s", " ", text)


def test_nothing_ends_a_code_span() -> None:
    assert code("a`b|c\nd") == "`a'b\\|c d`" and code("") == "` `"
