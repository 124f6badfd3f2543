"""Pictures of other processors: last decimals and ids made of them are no difference."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from conftest import ROOT

from recmerge_bench.report.figures.portable import first_difference, portable

RECORDS = ROOT / "leaderboards" / "records" / "ml100k.json"
DRAWN = """<?xml version="1.0" encoding="utf-8"?>
<svg width="302.4pt" version="1.1">
 <g id="axes_1">
  <path d="M 41.125000 -0.000001
L 57.1249998 12.5
" clip-path="url(#p0123456789)" style="stroke-width: 0.8"/>
  <use xlink:href="#m00aa11bb22" x="57.124999"/>
  <text x="3.1">0.12345 of 1.1</text>
  <path id="m00aa11bb22" d="M 0 2.345208"/>
  <clipPath id="p0123456789"/>
 </g>
</svg>
"""


def test_coordinates_are_rounded_and_ids_are_counted() -> None:
    text = portable(DRAWN)
    assert 'd="M 41.12 0\nL 57.12 12.5\n"' in text
    assert "url(#shape-1)" in text and '<clipPath id="shape-1"/>' in text
    assert 'href="#shape-0"' in text and '<path id="shape-0" d="M 0 2.35"/>' in text
    assert ">0.12345 of 1.1<" in text  # what is shown stays
    assert 'version="1.1"' in text and 'encoding="utf-8"' in text and 'id="axes_1"' in text


def test_another_processors_last_bits_are_no_difference() -> None:
    other = DRAWN.replace("57.1249998", "57.1250003").replace("p0123456789", "pff00ff00ff")
    assert first_difference(portable(DRAWN), portable(other)) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.12345 of", "0.12346 of"),  # a number that is read
        ("57.1249998", "57.3"),
        ("stroke-width: 0.8", "stroke-width: 0.9"),
        ("L 57", "M 57"),
        ('<text x="3.1">', '<text y="3.1">'),
        (" </g>\n", ""),
        ("</svg>\n", "</svg>\n<!-- more -->\n"),
    ],
)
def test_what_shows_is_a_difference(old: str, new: str) -> None:
    changed = DRAWN.replace(old, new)
    assert changed != DRAWN
    assert first_difference(portable(DRAWN), portable(changed)) is not None


def test_names_of_shapes_follow_their_order_alone() -> None:
    one = portable(DRAWN)
    other = portable(re.sub("00aa11bb22", "99ee88dd77", DRAWN))
    assert one == other


DRAW = """
import sys
from pathlib import Path
from recmerge_bench.report.figures.draw_pareto import pareto_svg
from recmerge_bench.report.figures.pareto import paretos
from recmerge_bench.results.files import cost_path, load_costs, load_records

path = Path(sys.argv[1])
plots = paretos(load_records(path), load_costs(cost_path(path)))
assert plots
print("".join(pareto_svg(plot) for plot in plots))
"""
#: A processor without AVX-512 and AVX2, as numpy, OpenBLAS and torch see it.
OTHER = {
    "NPY_DISABLE_CPU_FEATURES": (
        "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL"
    ),
    "OPENBLAS_CORETYPE": "Prescott",
    "ATEN_CPU_CAPABILITY": "default",
    "OMP_NUM_THREADS": "2",
}


def test_committed_costs_are_drawn_alike_on_another_processor() -> None:
    """Five of these pictures differed between two processors."""
    pytest.importorskip("matplotlib")
    drawn = [
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", DRAW, str(RECORDS)],
            env={**os.environ, **env}, capture_output=True, text=True, check=True,
        ).stdout
        for env in ({}, OTHER)
    ]  # fmt: skip
    assert len(drawn[0].splitlines()) > 100
    assert first_difference(*drawn) is None
