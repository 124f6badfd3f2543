"""Names, JSON, tars and tables of strangers: what each bound refuses, with nothing left behind."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import boards_builders as made
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import submission_builders as sent
from fuzzing import asked

from recmerge_bench.digests import sha256
from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.files import write_json
from recmerge_bench.planning.options import complete
from recmerge_bench.registry import Registry
from recmerge_bench.report.publishing.finish import build, render_suite
from recmerge_bench.report.publishing.owned import check_apart
from recmerge_bench.results.all_ranks import COLUMNS
from recmerge_bench.results.files import load_records
from recmerge_bench.running.cell_record import SEAL, seal_of
from recmerge_bench.running.store import Store
from recmerge_bench.running.transfer import adopt
from recmerge_bench.submissions.joining import join
from recmerge_bench.submissions.submission import submit
from recmerge_bench.untrusted.jsons import DEPTH, loads, read_json
from recmerge_bench.untrusted.paths import (
    apart,
    below,
    distinct,
    figure_flaw,
    is_safe,
    slug,
    suite_flaw,
    within,
)  # fmt: skip
from recmerge_bench.untrusted.tables import page_header, read_table
from recmerge_bench.untrusted.tars import opened

UNSAFE = ["", ".", "..", "../x", "a/b", "/x", "a\\b", "x\n", "x\0", "x.", ".x", "-x", "con", "NUL",
          "com1.txt", "Lpt9", "x" * 201, "é", "a b", "\ud800", "x\u202e"]  # fmt: skip


@pytest.mark.parametrize("name", UNSAFE)
def test_no_unsafe_name_becomes_a_path(name: str, tmp_path: Path) -> None:
    assert not is_safe(name)
    with pytest.raises(HandledError, match="cannot be part of a file's name") as caught:
        within(tmp_path, name)
    assert str(caught.value).isprintable()
    if name != "a/b":
        with pytest.raises(HandledError):
            below(tmp_path, f"fine/{name}")
    for made_of in (slug(name), slug("t", name, "p"), distinct(name)):
        assert is_safe(made_of)
    assert suite_flaw(name) and figure_flaw(name)


def test_names_that_are_one_where_case_counts_for_nothing_are_kept_apart() -> None:
    actual = apart([("a-b", "c"), ("a", "b-c"), ("A", "B", "C"), ("d", "e")])
    assert len({name.casefold() for name in actual}) == 4 and actual[3] == "d-e"
    assert apart([("x", "y")]) == ["x-y"]


@pytest.mark.parametrize("name", ["foo-full", "foo-cost"])
def test_no_suite_takes_the_files_beside_anothers_board(name: str) -> None:
    assert "would be those of 'foo'" in suite_flaw(name) and not suite_flaw("foo")
    assert figure_flaw("cost-pareto-x-y") and figure_flaw("cost") and not figure_flaw("costly")


def test_figures_of_two_suites_may_not_be_one_file(tmp_path: Path, registry: Registry) -> None:
    def figure(name: str) -> sent.Edit:
        fields = {"kind": "option", "title": "", "tracks": [], "methods": [], "option": "x"}
        return lambda records: records["header"].update(figures={name: fields})

    boards = tmp_path / "boards"
    sent.write_suite(boards / "records", registry, {"own": 0.5}, "foo", edit=figure("bar-one"))
    path = sent.write_suite(tmp_path / "t", registry, {"own": 0.5}, "foo-bar", edit=figure("one"))
    bundle = submit(path, tmp_path, registry)[0]
    before = sent.tree(boards)
    with pytest.raises(HandledError, match=r"foo-bar-one\.(csv|svg) would be that of suite 'foo'"):
        join(bundle, boards, registry)
    assert sent.tree(boards) == before
    with pytest.raises(HandledError, match="would be that of suite 'foo'"):
        check_apart(load_records(path), boards / "records")


@pytest.mark.parametrize("name", ["x/../../escaped", "../up", "cost-pareto-a"])
def test_figures_lead_nowhere(name: str, tmp_path: Path, registry: Registry) -> None:
    fields = {"kind": "option", "title": "", "tracks": [], "methods": [], "option": "x"}
    folder = tmp_path / "in" / "records"
    path = sent.write_suite(folder, registry, {"own": 0.5})
    records = json.loads(path.read_text())
    records["header"]["figures"] = {name: fields}
    write_json(path, records)
    with pytest.raises(DataError, match=r"no figure is called|no name of a figure"):
        render_suite(folder, "fake", tmp_path / "in")
    out = made.run_folder(tmp_path / "run")
    manifest = json.loads((out / "suites" / "fake.json").read_text())
    manifest["header"]["figures"] = {name: fields}
    write_json(out / "suites" / "fake.json", manifest)
    with pytest.raises(DataError, match=r"no figure is called|no name of a figure"):
        build(out, tmp_path / "in", tmp_path / "in" / "records", registry)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "run"]


def test_a_manifest_of_another_name_leads_nowhere(tmp_path: Path, registry: Registry) -> None:
    out = made.run_folder(tmp_path / "a" / "b" / "run")
    manifest = json.loads((out / "suites" / "fake.json").read_text())
    for wrong in (
        {"suite": "../../escaped"}, {"suite": "fake-full"}, {"results": None}, {"header": []},
        {"results": [{**manifest["results"][0], "key": "../../x"}]},
        {"results": [{**manifest["results"][0], "cells": ["/etc"]}]},
    ):  # fmt: skip
        write_json(out / "suites" / "fake.json", {**manifest, **wrong})
        with pytest.raises(DataError, match="no manifest of a suite"):
            build(out, tmp_path / "a" / "b" / "t", tmp_path / "a" / "b" / "t" / "records", registry)
    assert not list(tmp_path.rglob("*escaped*"))


def test_the_archive_that_wrote_anywhere(tmp_path: Path, shared: Path) -> None:
    evil = shared / "cases" / "hostile" / "adopt_evil.py"
    deep = tmp_path / "a" / "b" / "c" / "d"
    deep.mkdir(parents=True)
    subprocess.run([sys.executable, str(evil)], cwd=deep, check=True)
    done = adopt([deep / "evil.tar"], Store(deep / "out"))
    assert (done.new, len(done.refused)) == (0, 1) and "'files'" in done.refused[0]
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["evil.tar"]


@pytest.mark.parametrize(
    "names",
    [["store/x.chunk000", "store/x"], ["store/x.chunk001"], ["store/.chunk000"],
     ["store/x.chunk000", "store/x.chunk002"], ["a", "a/b"], ["a/b", "a"]],
)  # fmt: skip
def test_chunks_that_are_no_file(names: list[str], tmp_path: Path) -> None:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in names:
            tar.addfile(sent.entry(name, b"x")[0], io.BytesIO(b"x"))
    (tmp_path / "g.tar").write_bytes(raw.getvalue())
    with pytest.raises(HandledError):
        adopt([tmp_path / "g.tar"], Store(tmp_path / "out"))
    assert [p.name for p in tmp_path.iterdir()] == ["g.tar"]


def test_extended_headers_are_bounded(tmp_path: Path) -> None:
    """A tar whose long name would be 2 GiB of zeros is refused before it is read."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 2 << 30
    raw = info.tobuf(tarfile.GNU_FORMAT) + b"\0" * 4096
    (tmp_path / "b.tar.gz").write_bytes(gzip.compress(raw))
    with (
        pytest.raises(DataError, match="an extended header of 2147483648 bytes"),
        opened(tmp_path / "b.tar.gz", "an archive", extended=True) as archive,
    ):
        list(archive)


@pytest.mark.parametrize("format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_names_are_read_where_they_may_be(format: int, tmp_path: Path) -> None:
    name = "Toys/" + "é" * 100 + ".json"
    sent.tarred([sent.entry(name, b"abc"), sent.entry("b", b"x")], tmp_path / "t.gz", format)
    with opened(tmp_path / "t.gz", "an archive", extended=True) as archive:
        actual = [(member.name, archive.whole()) for member in archive]
    assert actual == [(name, b"abc"), ("b", b"x")]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"[" * (DEPTH + 2) + b"]" * (DEPTH + 2), "nested more than"),
        (b"[" * 500_000, "nested more than|Expecting"),
        (b'{"a":' * 900 + b"1" + b"}" * 900, "nested more than"),
        (b"[" + b"[]," * 2_000_000 + b"1]", "more than 1000000 values"),
        (b'{"a": 1, "a": 2}', "key twice: 'a'"),
        (b"[1e999]", "not finite"),
        (b"[NaN]", "no number of JSON"),
        (b"[" + b"9" * 5000 + b"]", "too large"),
        ("[1]".encode("utf-16"), "codec can't decode"),
        (b"", "Expecting value"),
    ],
)
def test_json_in_bounds(raw: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        loads(raw)
    (tmp_path / "x.json").write_bytes(raw)
    with pytest.raises(DataError, match="not readable as JSON"):
        read_json(tmp_path / "x.json")


def table(path: Path, rows: int, **more: Any) -> Path:
    numbers = pa.array([1] * rows, pa.int32())
    columns = {n: numbers if k == "INT32" else pa.array(["k"] * rows) for n, k in COLUMNS.items()}
    pq.write_table(pa.table({**columns, **more.pop("columns", {})}), path, **more)
    return path


def read(path: Path, rows: int | None = None) -> Any:
    return read_table(path, COLUMNS, "a table of ranks", rows)


def test_tables_are_read_in_bounds(tmp_path: Path) -> None:
    assert read(table(tmp_path / "a", 10), 10).num_rows == 10
    with pytest.raises(DataError, match="10 rows, there should be 9"):
        read(table(tmp_path / "a", 10), 9)
    # One value of 12 MiB, ten thousand times: a few KiB in the file, 120 GB as text.
    large = pa.array(["x" * (12 << 20)]).dictionary_encode()
    repeated = pa.DictionaryArray.from_arrays(pa.array([0] * 10_000, pa.int32()), large.dictionary)
    bomb = table(tmp_path / "b", 10_000, columns={"key": repeated}, compression="zstd")
    assert bomb.stat().st_size < 64 << 10
    with pytest.raises(DataError, match=r"its texts are too long|dictionary is too large"):
        read(bomb)
    # Prefixes shared with the value before: each is as long as the first, none takes room.
    shared = pa.array(["x" * 1000] * 10_000)
    bomb = table(tmp_path / "c", 10_000, columns={"key": shared}, use_dictionary=False,
                 column_encoding={"key": "DELTA_BYTE_ARRAY"}, compression="zstd")  # fmt: skip
    with pytest.raises(DataError, match="encoding 7 is not read"):
        read(bomb)
    # Runs of one value: more rows than any true table has for its bytes.
    many = table(tmp_path / "d", 3_000_000, compression="zstd")
    assert many.stat().st_size < 32 << 10
    with pytest.raises(DataError, match="3000000 rows in"):
        read(many)
    with pytest.raises(DataError, match="a value is missing"):
        read(table(tmp_path / "e", 2, columns={"user": pa.array([1, None], pa.int32())}))


def test_pages_may_not_be_larger_than_the_footer_says(tmp_path: Path) -> None:
    """A page whose header promises a gigabyte, in a file whose footer tells of a few bytes."""
    path = table(tmp_path / "a", 10, compression="none", write_statistics=False)
    column = pq.ParquetFile(path).metadata.row_group(0).column(1)
    raw = bytearray(path.read_bytes())
    at = column.dictionary_page_offset or column.data_page_offset
    header, used = page_header(bytes(raw[at : at + 64]))
    old = bytes(raw[at : at + used])
    zigzag = header["uncompressed"] << 1
    assert zigzag < 128 and bytes([0x15, zigzag]) in old
    grown = old.replace(bytes([0x15, zigzag]), b"\x15\x80\x80\x80\x80\x08", 1)
    raw[at : at + used + 4] = grown  # the page's first bytes give way: lengths stay
    path.write_bytes(bytes(raw))
    with pytest.raises(DataError, match="pages are larger than it claims"):
        read(path)


def test_chunks_that_do_not_fit_the_schema_do_not_end_the_process(tmp_path: Path) -> None:
    """A column said to be required, whose sizes tell of levels: pyarrow aborts over it."""
    path = table(tmp_path / "a", 10)
    raw = path.read_bytes()
    optional, required = b"\x25\x02\x18\x04user", b"\x25\x00\x18\x04user"
    assert raw.count(optional) == 1
    path.write_bytes(raw.replace(optional, required))
    with pytest.raises(DataError, match="user: a part does not fit the column"):
        read(path)


@pytest.mark.parametrize("raw", [b'{"a": "\\ud800"}', b'["\\uDFFF x"]', b'{"\\udc00": 1}'])
def test_half_a_character_is_no_text(raw: bytes) -> None:
    with pytest.raises(ValueError, match="half of a character"):
        loads(raw)
    assert loads(b'"\\ud83d\\ude00"') == "\U0001f600"


BOMBS: dict[str, bytes] = {
    "lists": b'{"schema": 3, "results": [' + b"[]," * 10_000_000 + b"1]}",
    "objects": b'{"schema": 3, "suite": "fake", "results": [' + b"{}," * 490_000 + b"{}]}",
    "text": b'{"schema": 3, "suite": "' + b"x" * (30 << 20) + b'"}',
}
PEAK = """
import resource, sys
from pathlib import Path
from recmerge_bench.registry import discover
from recmerge_bench.submissions.joining import join
from recmerge_bench.errors import HandledError
registry = discover(environ={})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    join(Path(sys.argv[1]), Path(sys.argv[2]), registry)
except HandledError as error:
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10, str(error)[:300])
"""


@pytest.mark.parametrize("kind", sorted(BOMBS))
def test_a_small_bundle_takes_little_memory(kind: str, tmp_path: Path, registry: Registry) -> None:
    path = sent.write_suite(tmp_path / "t", registry, {"mine": 0.6})
    files = {**sent.members(submit(path, tmp_path, registry)[0]), "fake.json": BOMBS[kind]}
    bundle = sent.again(files, tmp_path / "bomb.rmb.tar.gz")
    assert bundle.stat().st_size < 512 << 10
    ended = subprocess.run([sys.executable, "-c", PEAK, str(bundle), str(tmp_path / "b")],
                           capture_output=True, text=True, check=True)  # fmt: skip
    grown, _, output = ended.stdout.partition(" ")
    assert output and int(grown) < 400, ended.stdout
    assert not (tmp_path / "b").exists()


def test_what_the_file_system_refuses_is_one_line(tmp_path: Path, registry: Registry) -> None:
    sent.write_suite(tmp_path / "records", registry, {"own": 0.5})
    (tmp_path / "file").write_text("")
    code, output = asked("leaderboard", "build", "--records", tmp_path / "records", "--to",
                       tmp_path / "file" / "below")  # fmt: skip
    assert code == 2 and output.startswith("error: ") and output.count("\n") == 1


def test_a_strangers_text_cannot_break_the_line() -> None:
    error = DataError("a\nb\x1b[2J\ud800" + "x" * 9000, "file\n.json")
    assert str(error).isprintable() and len(str(error)) < 2100


@pytest.mark.parametrize(
    ("kind", "name", "option", "value"),
    [
        ("backbone", "sasrec", "width", -1), ("backbone", "sasrec", "max_len", 0),
        ("backbone", "sasrec", "layers", 2**31),
        ("backbone", "sasrec", "max_len", []), ("backbone", "sasrec", "width", 2**62),
        ("backbone", "sasrec", "dropout", 1.0), ("backbone", "sasrec", "dropout", float("nan")),
        ("backbone", "sasrec", "temperature", 0.0), ("backbone", "sasrec", "negatives", -1),
        ("protocol", "loo", "candidate_seed", -1), ("strategy", "mergerec", "lr", -1e-3),
        ("strategy", "mergerec", "lr", float("inf")), ("strategy", "ties", "scale", 10**40),
    ],
)  # fmt: skip
def test_options_out_of_range(
    kind: str, name: str, option: str, value: Any, registry: Registry
) -> None:
    with pytest.raises(HandledError, match=option):
        complete(registry.get(kind, name), {option: value}, "here")


def test_a_split_of_other_data_makes_no_board(tmp_path: Path, registry: Registry) -> None:
    out = made.run_folder(tmp_path / "run")
    store = Store(out)
    folder = store.folder(made.SPLIT)
    record = json.loads((folder / "record.json").read_text())
    items = np.load(folder / "sequences-items.npy")
    items[0] = 10**6
    np.save(folder / "sequences-items.npy", items)
    digest = sha256(folder / "sequences-items.npy")
    record["files"]["sequences-items.npy"] = digest
    write_json(folder / "record.json", {**record, SEAL: seal_of(record)})
    with pytest.raises(DataError, match="other users, items or domains"):
        build(out, tmp_path / "b", tmp_path / "b" / "records", registry)


def test_options_that_are_divided_by_may_be_no_zero_in_text(registry: Registry) -> None:
    with pytest.raises(HandledError, match="an option is out of range"):
        complete(registry.get("cdsr", "merit"), {"heads": "0"}, "here")
