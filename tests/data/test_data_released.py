"""MergeRec's release format: the real archives, and wrong ones."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import SHARED
from recmerge_bench_plugins.datasets.amazon_mergerec.released import build, read_domain
from released_builders import archive, small

from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.registry import discover
from recmerge_bench.targets import define

REAL = SHARED / "data" / "mergerec"
real = pytest.mark.skipif(not REAL.is_dir(), reason="../shared/data/mergerec is absent")


def test_sequences_in_order_and_text_a_line_an_attribute(tmp_path: Path) -> None:
    part = read_domain(archive(tmp_path / "t.tar.gz", small()), "toys")
    whole = build({"toys": part})
    assert list(whole.user_tokens) == ["toys:U0", "toys:U1"]
    assert whole.items.tolist() == [2, 1, 0, 0, 1, 2, 0]
    assert whole.catalogue.texts[0] == "title: A &amp; <b>0</b>\nbrand: \ncategory: x y"
    clean = read_domain(tmp_path / "t.tar.gz", "toys", clean=True)
    assert clean.texts["I0"] == "title: A & 0\nbrand: \ncategory: x y"


def test_a_person_is_one_user_in_each_domain(tmp_path: Path) -> None:
    parts = {d: read_domain(archive(tmp_path / d, small(), d.title()), d) for d in ("toys", "arts")}
    assert build(parts).n_users == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"smap": {"I0": 1, "I1": 0, "I2": 2}}, "smap.json does not number"),
        ({"train": {"0": [2], "1": [0, 3]}}, "user 1 has an item that is not in smap"),
        ({"train": {"0": [2], "1": ["0"]}}, "not in smap"),
        ({"test": {"0": [0, 1], "1": [0]}}, "user 0 has 2 targets"),
        ({"test": {"0": [0], "7": [0]}}, "test.json: user 7 is not in train.json"),
        ({"train": {"0": [2], "1": [0], "9": [0]}}, "user 9 is not in umap"),
        ({"meta_data": {"I0": {"title": "x"}}}, "no text fields for item I1"),
        ({"val": b"{"}, "Toys/val.json is not JSON"),
        ({"val": [1]}, "Toys/val.json is no JSON object"),
    ],
)
def test_contradictions(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_domain(archive(tmp_path / "t.tar.gz", small(**changes)), "toys")


def test_not_such_an_archive(tmp_path: Path) -> None:
    (tmp_path / "no.tar.gz").write_bytes(b"nonsense")
    with pytest.raises(DataError, match="not a readable tar"):
        read_domain(tmp_path / "no.tar.gz", "toys")
    whole = archive(tmp_path / "t.tar.gz", small()).read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError):
        read_domain(tmp_path / "cut.tar.gz", "toys")
    with pytest.raises(DataError, match=r"lacks Arts/train\.json"):
        read_domain(tmp_path / "t.tar.gz", "arts")
    with tarfile.open(tmp_path / "link.tar", "w") as tar:
        info = tarfile.TarInfo("Toys/train.json")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(info)
    with pytest.raises(DataError, match="no plain file"):
        read_domain(tmp_path / "link.tar", "toys")


def test_other_counts_than_published(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Table 5 has"):
        read_domain(archive(tmp_path / "t.tar.gz", small()), "toys", expected=(2, 3, 8))


def test_unknown_domains_get_a_hint() -> None:
    spec = discover(environ={}).get("dataset", "amazon-mergerec")
    with pytest.raises(HandledError, match="did you mean 'toys'"):
        define(spec.target, {"domain_names": ("toy",)})


@real
def test_the_real_archives() -> None:
    spec = discover(environ={}).get("dataset", "amazon-mergerec")
    names = ("beauty", "pantry", "toys")
    data = define(spec.target, {"domain_names": names}).load(REAL)
    # Table 5 is checked on load; these are the deviations of Pantry.
    assert data.report["pantry_users_without_targets"] == 2
    assert data.report["pantry_users_below_5_events"] == 3
    assert data.report["pantry_items_below_5_events"] == 6
    protocol = discover(environ={}).get("protocol", "loo-released")
    split = define(protocol.target, protocol.options).split(data, names)
    assert np.bincount(split.test.domains).tolist() == [22363, 14178, 19412]
    with tarfile.open(REAL / "Toys.tar.gz") as tar:
        test, smap = (json.load(tar.extractfile(f"Toys/{n}.json")) for n in ("test", "smap"))  # type: ignore[arg-type]
    tokens_of = list(smap)
    toys = split.test.domains == 2
    tokens = [data.catalogue.tokens[i] for i in split.test.targets[toys]]
    assert sorted(tokens) == sorted(f"toys:{tokens_of[t[0]]}" for t in test.values())
