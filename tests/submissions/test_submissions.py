"""Submitted bundles: round trips, what is refused and how it is said, whole or not at all."""

from __future__ import annotations

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
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from json_boards import UNRECORDED

from recmerge_bench.cli import cli
from recmerge_bench.errors import HandledError
from recmerge_bench.registry import Registry
from recmerge_bench.report.publishing.check import check
from recmerge_bench.report.publishing.finish import build, render_suite
from recmerge_bench.results import suite_files
from recmerge_bench.results.all_ranks import read_all_ranks, write_all_ranks
from recmerge_bench.results.files import load_costs, load_records
from recmerge_bench.submissions import untrusted
from recmerge_bench.submissions.joining import join
from recmerge_bench.submissions.replacing import replaced
from recmerge_bench.submissions.submission import submit

OWN = {"own": 0.0, "average": 0.3}
FAKE = ("fake.json", "fake.cost.json", "fake.ranks.parquet")


@pytest.fixture
def boards(tmp_path: Path, registry: Registry) -> Path:
    """A folder with the board of two methods."""
    folder = tmp_path / "boards"
    sent.write_suite(folder / "records", registry, OWN)
    render_suite(folder / "records", "fake", folder)
    return folder


def packed(tmp_path: Path, registry: Registry, methods: dict[str, float] | None = None,
           **more: Any) -> Path:  # fmt: skip
    """A bundle of further methods."""
    edit = more.pop("edit", None)
    path = sent.write_suite(tmp_path / "theirs", registry, methods or {"mine": 0.6}, edit=edit)
    return submit(path, tmp_path / "out", registry, **more)[0]


def test_a_submission_becomes_rows_of_the_board(
    tmp_path: Path, boards: Path, registry: Registry
) -> None:
    bundle = packed(tmp_path, registry, contact="ann@uni.example", note="a first try")
    before = load_records(boards / "records" / "fake.json").to_json()
    done = join(bundle, boards, registry)
    assert done.added == ["merging cut net mine seed 0", "merging cut net mine seed 1"]
    assert check(boards, registry) == [] and all(f.is_file() for f in done.files)
    records = load_records(boards / "records" / "fake.json").to_json()
    assert [r for r in records["results"] if "submitted" not in r] == before["results"]
    own_rows = [r for r in records["results"] if r["identity"]["method"] == "mine"]
    digest = bundle.name.removeprefix("fake-").removesuffix(".rmb.tar.gz")
    assert len(own_rows) == 2 and own_rows[0]["submitted"]["bundle"].startswith(digest)
    assert own_rows[0]["submitted"]["contact"] == "ann@uni.example"
    theirs = load_records(tmp_path / "theirs" / "fake.json")
    assert own_rows[0]["metrics"] == theirs.results[0].metrics
    [family] = records["comparisons"]
    assert {row["method"] for row in family["rows"]} == {"average", "mine"}
    costs = load_costs(boards / "records" / "fake.cost.json").to_json()
    assert [c["identity"] for c in costs["results"][-2:]] == [r["identity"] for r in own_rows]
    text = (boards / "fake.md").read_text()
    assert "mine †" in text and "average †" not in text
    note = f"† submitted: mine: bundle `{digest}`, contact `ann@uni.example`, note `a first try`."
    assert note in text
    assert not list(tmp_path.glob(".boards*"))


def test_adding_twice_and_again_changes_nothing(
    tmp_path: Path, boards: Path, registry: Registry
) -> None:
    bundle = packed(tmp_path, registry)
    join(bundle, boards, registry)
    after = sent.tree(boards)
    done = join(bundle, boards, registry)
    assert (done.present, done.added, done.files) == (2, [], []) and sent.tree(boards) == after
    join(bundle, boards, registry, replace_rows=True)
    assert sent.tree(boards) == after


def test_equal_records_give_equal_bundles(tmp_path: Path, registry: Registry) -> None:
    first = packed(tmp_path, registry)
    bytes_ = first.read_bytes()
    first.unlink()
    assert packed(tmp_path, registry) == first and first.read_bytes() == bytes_
    with tarfile.open(first) as archive:
        members = archive.getmembers()
    assert [m.name for m in members] == ["manifest.json", *sorted(FAKE)]
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, 0, "", "")}
    other = packed(tmp_path, registry, note="something else")
    assert other.name != first.name


def test_a_suite_without_a_board_gets_one(tmp_path: Path, registry: Registry) -> None:
    bundle = packed(tmp_path, registry, OWN, board="fresh")
    done = join(bundle, tmp_path / "new", registry)
    assert len(done.added) == 4 and check(tmp_path / "new", registry) == []
    assert (tmp_path / "new" / "fresh.md").read_text().startswith("# fresh: ")
    for name, message in (("fresh-cost", "would be those of 'fresh'"), ("../up", "is no name of")):
        with pytest.raises(HandledError, match=message):
            packed(tmp_path, registry, OWN, board=name)
    (tmp_path / "new" / "Other.md").write_text("somebody's notes")
    clash = packed(tmp_path, registry, OWN, board="other")
    with pytest.raises(HandledError, match=r"its file other\.md is there and is of no suite"):
        join(clash, tmp_path / "new", registry)
    assert (tmp_path / "new" / "Other.md").read_text() == "somebody's notes"


def test_a_run_is_packed_from_its_store(tmp_path: Path, registry: Registry) -> None:
    out = made.run_folder(tmp_path / "run")
    bundle, manifest = submit(out, tmp_path / "b", registry)
    assert manifest.results == 1 and manifest.protocols == ["cut"]
    assert manifest.plugins == {"module_of_ranking": "r 1", "module_of_training": "t 1"}
    build(out, tmp_path / "l", tmp_path / "l" / "records", registry)
    assert join(bundle, tmp_path / "l", registry).present == 1
    with pytest.raises(HandledError, match="no suite was run"):
        submit(tmp_path / "l", tmp_path / "b", registry)


def test_rows_are_chosen_and_gaps_filled(tmp_path: Path, boards: Path, registry: Registry) -> None:
    some = {"mine": 0.6, "absent": 0.1}
    bundle = packed(tmp_path, registry, some, only=["method=absent,seed=0"])
    assert join(bundle, boards, registry).added == ["merging cut net absent seed 0"]
    records = load_records(boards / "records" / "fake.json").to_json()
    [filled] = [r for r in records["results"] if r["identity"]["method"] == "absent"]
    assert filled["status"] == "done" and check(boards, registry) == []
    for only, message in ((["method=nobody"], "no result of method=nobody is done"),
                          (["metod=x"], "did you mean 'method'")):  # fmt: skip
        with pytest.raises(HandledError, match=message):
            packed(tmp_path, registry, some, only=only)


def test_other_numbers_of_a_row_need_replace(
    tmp_path: Path, boards: Path, registry: Registry
) -> None:
    path = sent.write_suite(tmp_path / "theirs", registry, {"average": 0.5})
    bundle = submit(path, tmp_path, registry)[0]
    before = sent.tree(boards)
    with pytest.raises(HandledError, match=r"average seed 0: is on the board with other numbers"):
        join(bundle, boards, registry)
    assert sent.tree(boards) == before
    assert len(join(bundle, boards, registry, replace_rows=True).replaced) == 2
    assert check(boards, registry) == []
    assert len(read_all_ranks(boards / "records" / "fake.ranks.parquet")) == 4


def as_made(*, seeds: tuple[int, ...] = (0, 1), **options: Any) -> sent.Edit:
    """Results made with options of the method, or with nothing recorded."""

    def edit(records: dict[str, Any]) -> None:
        for result in records["results"]:
            if result["identity"]["seed"] in seeds:
                configuration = made.configured(result["identity"], **options)
                result.update(configuration if options else UNRECORDED)

    return edit


def test_what_is_not_configured_is_refused(
    tmp_path: Path, boards: Path, registry: Registry
) -> None:
    path = sent.write_suite(tmp_path / "theirs", registry, {"mine": 0.6}, edit=as_made())
    with pytest.raises(HandledError, match="configuration of 'mine' is not recorded"):
        submit(path, tmp_path / "out", registry)
    bundle = packed(tmp_path, registry)

    def strip(records: dict[str, Any]) -> None:
        for result in records["results"]:
            result.update(UNRECORDED)

    before = sent.tree(boards)
    files = sent.edited(sent.members(bundle), "fake.json", strip)
    with pytest.raises(HandledError, match="configuration of 'mine' is not recorded"):
        join(sent.again(files, tmp_path / "x.rmb.tar.gz"), boards, registry)
    assert sent.tree(boards) == before


def test_a_row_of_one_name_and_another_configuration_is_refused(
    tmp_path: Path, boards: Path, registry: Registry
) -> None:
    """Whatever its numbers, and whatever its seed: the board's seeds are one row."""
    before = sent.tree(boards)
    for number, seeds in enumerate([(0, 1), (7,)]):
        path = sent.write_suite(
            tmp_path / f"theirs{number}", registry, {"average": OWN["average"]},
            seeds=seeds, edit=as_made(seeds=seeds, temperature=0.05),
        )  # fmt: skip
        bundle = submit(path, tmp_path / f"out{number}", registry)[0]
        with pytest.raises(HandledError, match=r"method\.options\.temperature: 0\.05, None"):
            join(bundle, boards, registry)
        assert sent.tree(boards) == before
    both = tmp_path / "theirs0" / "fake.json"
    bundle = submit(both, tmp_path / "out", registry)[0]
    assert len(join(bundle, boards, registry, replace_rows=True).replaced) == 2
    one = submit(tmp_path / "theirs1" / "fake.json", tmp_path / "out", registry)[0]
    assert join(one, boards, registry).added == ["merging cut net average seed 7"]


def test_seeds_of_two_bundles_are_both_named(
    tmp_path: Path, boards: Path, registry: Registry
) -> None:
    actual = [packed(tmp_path, registry, only=[f"seed={n}"], contact=f"c{n}") for n in (0, 1)]
    for bundle in actual:
        join(bundle, boards, registry)
    text = (boards / "fake.md").read_text()
    assert text.count("† submitted: mine: ") == 2 and "`c0`" in text and "`c1`" in text
    assert check(boards, registry) == []


DIFFERENT: list[tuple[sent.Edit, str]] = [
    (lambda r: [x.update(data="f" * 64) for x in r["results"][:2]], "data differs: f"),
    (lambda r: [x.update(candidates="f" * 64) for x in r["results"][:2]], "candidates differs"),
    (lambda r: [x.update(mask_history=True) for x in r["results"][:2]], "mask_history differs"),
    (lambda r: r["header"]["protocols"]["cut"].update(candidate_seed=2), "candidate_seed differs"),
    (lambda r: r["header"]["protocols"]["cut"]["split"].update(last=9), "split differs"),
    (lambda r: r["header"]["tracks"]["merging"].update(source=[]), "source differs"),
    (lambda r: r["header"]["tracks"]["merging"].update(dataset="x"), "dataset differs"),
    (lambda r: r["header"]["audits"][sent.SPLIT].update(later_own=0.4), r"audit \(later_own\)"),
    (lambda r: r["header"].update(label="paper"), "header.label is 'paper'"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "message"), DIFFERENT)
def test_what_differs_never_shares_a_table(
    edit: sent.Edit, message: str, tmp_path: Path, boards: Path, registry: Registry
) -> None:
    bundle, before = packed(tmp_path, registry, edit=edit), sent.tree(boards)
    with pytest.raises(HandledError, match=message) as caught:
        join(bundle, boards, registry)
    assert "submit --board NAME" in str(caught.value) and "\n" not in str(caught.value)
    assert sent.tree(boards) == before and not list(tmp_path.glob(".boards*"))


def renamed(track: str, protocol: str) -> sent.Edit:
    def edit(records: dict[str, Any]) -> None:
        header = records["header"]
        facts = {**header["tracks"]["merging"], "protocols": [protocol]}
        header.update(order=[track], tracks={track: facts})
        header["protocols"] = {protocol: header["protocols"]["cut"]}
        for result in records["results"]:
            result["identity"].update(track=track, protocol=protocol)
            result.update(made.configured(result["identity"]))

    return edit


@pytest.mark.parametrize(
    ("track", "protocol", "message"),
    [("mergin", "cut", "did you mean 'merging'"), ("merging", "slice", "no such protocol")],
)
def test_unknown_tracks_and_protocols(
    track: str, protocol: str, message: str, tmp_path: Path, boards: Path, registry: Registry
) -> None:
    folder = tmp_path / "theirs"
    path = sent.write_suite(folder, registry, {"mine": 0.6}, edit=renamed(track, protocol))
    costs = json.loads((folder / "fake.cost.json").read_text())
    for entry in costs["results"]:
        entry["identity"].update(track=track, protocol=protocol)
    (folder / "fake.cost.json").write_text(json.dumps(costs))
    with pytest.raises(HandledError, match=message):
        join(submit(path, tmp_path, registry)[0], boards, registry)


def test_other_test_targets_are_refused(tmp_path: Path, boards: Path, registry: Registry) -> None:
    folder = tmp_path / "theirs"
    path = sent.write_suite(folder, registry, {"mine": 0.6})
    ranks = read_all_ranks(folder / "fake.ranks.parquet")
    for table in ranks.values():
        table.targets[0] += 1
    write_all_ranks(folder / "fake.ranks.parquet", ranks)
    with pytest.raises(HandledError, match=r"test targets are not the board's \(60 here, 60"):
        join(submit(path, tmp_path, registry)[0], boards, registry)


def test_what_is_hard_to_believe_is_flagged(
    tmp_path: Path, boards: Path, registry: Registry
) -> None:
    bundle = packed(tmp_path, registry, {"oracle": 50.0})
    with pytest.raises(HandledError, match="every target of books is ranked first"):
        join(bundle, boards, registry)
    done = join(bundle, boards, registry, accept_flagged=True)
    assert any("times the best of the board" in flag for flag in done.flags)
    assert "**flagged**: every target of books is ranked first" in (boards / "fake.md").read_text()
    assert check(boards, registry) == []


RANKS: list[tuple[Any, str]] = [
    (lambda t: t.n_better.__setitem__(0, -1), "no whole numbers from 0 up"),
    (lambda t: t.n_better.__setitem__(0, 100), "100 items beside a target, 99 were ranked"),
    (lambda t: t.targets.__setitem__(0, 150), "a target is no item of it"),
    (lambda t: (t.users.__setitem__(1, 0), t.targets.__setitem__(1, 0)), "ranked twice"),
    (lambda t: t.domain.__setitem__(0, 1), "it has ranks of"),
    (lambda t: t.n_better.__setitem__(0, (t.n_better[0] + 1) % 9), "metrics are not those"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "message"), RANKS)
def test_ranks_that_cannot_be(
    edit: Any, message: str, tmp_path: Path, boards: Path, registry: Registry
) -> None:
    files = sent.members(packed(tmp_path, registry))
    ranks_file = tmp_path / "r.parquet"
    ranks_file.write_bytes(files["fake.ranks.parquet"])
    ranks = read_all_ranks(ranks_file)
    edit(ranks[sorted(ranks)[0]])
    write_all_ranks(ranks_file, ranks)
    bad = sent.again({**files, "fake.ranks.parquet": ranks_file.read_bytes()}, tmp_path / "bad.gz")
    refused(bad, boards, registry, message)


def refused(bundle: Path, boards: Path, registry: Registry, message: str) -> None:
    before = sent.tree(boards)
    with pytest.raises(HandledError, match=message) as caught:
        join(bundle, boards, registry)
    assert "\n" not in str(caught.value) and sent.tree(boards) == before


RECORDS: list[tuple[str, sent.Edit, str]] = [
    ("fake.json", lambda r: r["results"][0]["metrics"]["books"].update(MRR=float("nan")), "NaN"),
    ("fake.json", lambda r: r["results"][0]["metrics"]["mean"].update(MRR=0.99), "metrics are not"),
    ("fake.json", lambda r: r["results"][0].update(extra=1), "knows no extra"),
    ("fake.json", lambda r: r["results"][0].update(status="failed"), "results that are done"),
    ("fake.json", lambda r: r["results"][0].update(key="../x"), "64 hexadecimal"),
    ("fake.json", lambda r: r["results"][0].update(key="a" * 64), "not of the same keys"),
    ("fake.json", lambda r: r["results"].append(r["results"][0]), "one result, .* twice"),
    ("fake.json", lambda r: r["results"].pop(), "different numbers of results"),
    ("fake.json", lambda r: r["results"][0]["instances"].update(books=10**9), "should be 10000000"),
    ("fake.json", lambda r: r["results"][0]["instances"].update(books=10**30), "too large"),
    ("fake.json", lambda r: r["results"][0]["instances"].update(books=-1), "or equal to 0"),
    ("fake.json", lambda r: r["results"][0]["instances"].update(books=29), "should be 119"),
    ("fake.json", lambda r: r["header"].update(metrics=["Nope@10"]), "Nope"),
    ("fake.json", lambda r: r["header"].update(title="<script>"), r"header.title: a text"),
    ("fake.json", lambda r: r["header"].update(title="a\nb"), r"header.title: a text"),
    ("fake.json", lambda r: r["header"].update(title="x" * 3000), r"header.title: a text"),
    ("fake.json", lambda r: r["results"][0]["identity"].update(method="[x](y)"), "a text"),
    ("fake.json", lambda r: r.update(schema=9), "schema 9 is unknown"),
    ("fake.json", lambda r: r.update(suite="other"), "name different suites"),
    ("fake.json", lambda r: r["results"][0].update(groups={"a": {"mean": 1.0}}), "not there"),
    ("fake.cost.json", lambda c: c["results"][0].update(peak_memory=-5), "below 0"),
    ("fake.cost.json", lambda c: c["results"].pop(), "not of the same keys"),
    ("fake.cost.json", lambda c: c["results"][0]["identity"].update(method="x"), "other identity"),
    ("manifest.json", lambda m: m.update(schema=2), "bundle of schema 2"),
    ("manifest.json", lambda m: m.update(suite="../up"), "no name of a suite"),
    ("manifest.json", lambda m: m.update(contact="`x`"), "contact and note"),
    ("manifest.json", lambda m: m.update(more=1), "more: Extra inputs"),
    ("manifest.json", lambda m: m.pop("suite"), "suite: Field required"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "edit", "message"), RECORDS)
def test_records_that_cannot_be(
    name: str, edit: sent.Edit, message: str, tmp_path: Path, boards: Path, registry: Registry
) -> None:
    files = sent.edited(sent.members(packed(tmp_path, registry)), name, edit)
    refused(sent.again(files, tmp_path / "bad.gz"), boards, registry, message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"schema": 2, "schema": 2}', "a key twice"),
        ('{"schema": 1e999}', "not finite"),
        ('{"schema": ' + "9" * 5000 + "}", "too large"),
        ("[" * 100_000, "not readable as JSON"),
        ("{", r"fake\.json:1: not readable"),
        ("[]", "lacks schema"),
    ],
)
def test_json_that_is_no_honest_json(
    text: str, message: str, tmp_path: Path, boards: Path, registry: Registry
) -> None:
    files = {**sent.members(packed(tmp_path, registry)), "fake.json": text.encode()}
    refused(sent.again(files, tmp_path / "bad.gz"), boards, registry, message)


def parquet(columns: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PAR1", "not a table of ranks"),
        (parquet({"a": pa.array([1])}), "its columns are a"),
        (parquet({n: pa.array([[1]]) for n in untrusted.COLUMNS}), "not a table of ranks"),
        (parquet({n: pa.array(["x"] if k == "BYTE_ARRAY" else [1], None if k == "BYTE_ARRAY"
                              else pa.int32()) for n, k in untrusted.COLUMNS.items()}),
         "1 rows, there should be 120"),
    ],
)  # fmt: skip
def test_tables_of_ranks_that_are_none(
    data: bytes, message: str, tmp_path: Path, boards: Path, registry: Registry
) -> None:
    files = {**sent.members(packed(tmp_path, registry)), "fake.ranks.parquet": data}
    refused(sent.again(files, tmp_path / "bad.gz"), boards, registry, message)


def test_ranks_with_holes_are_refused(tmp_path: Path, boards: Path, registry: Registry) -> None:
    files = sent.members(packed(tmp_path, registry))
    with pq.ParquetFile(io.BytesIO(files["fake.ranks.parquet"])) as file:
        whole = file.read()
    column = whole.column("n_better").combine_chunks()
    holed = pa.array([None, *column.to_pylist()[1:]], pa.int32())
    place = whole.column_names.index("n_better")
    out = io.BytesIO()
    pq.write_table(whole.set_column(place, "n_better", holed), out)
    files["fake.ranks.parquet"] = out.getvalue()
    refused(sent.again(files, tmp_path / "bad.gz"), boards, registry, "a value is missing")


HOSTILE = [
    [sent.entry("/etc/passwd", b"x")],
    [sent.entry("../up.json", b"x")],
    [sent.entry("a/fake.json", b"x")],
    [sent.entry("fake.py", b"x")],
    [sent.entry(".json", b"x")],
    [sent.entry("fake.json", type=tarfile.SYMTYPE, linkname="/etc/passwd")],
    [sent.entry("fake.json", type=tarfile.LNKTYPE, linkname="manifest.json")],
    [sent.entry("fake.json", type=tarfile.DIRTYPE)],
    [sent.entry("fake.json", type=tarfile.CHRTYPE)],
    [sent.entry("fake.json", type=tarfile.FIFOTYPE)],
    [sent.entry("fake.json", b"x"), sent.entry("fake.json", b"y")],
    [sent.entry(f"s{n}.json", b"x") for n in range(20)],
    [sent.entry("manifest.json", b"0" * (2 << 20))],
]


@pytest.mark.parametrize("entries", HOSTILE)
def test_hostile_archives(
    entries: list[Any], tmp_path: Path, boards: Path, registry: Registry
) -> None:
    refused(sent.tarred(entries, tmp_path / "bad.gz"), boards, registry, "refuses the entry")


@pytest.mark.parametrize("format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_extended_headers_are_not_read(
    format: int, tmp_path: Path, boards: Path, registry: Registry
) -> None:
    long = [sent.entry("x" * 300 + ".json", b"x")]
    refused(sent.tarred(long, tmp_path / "b.gz", format), boards, registry, "refuses the entry")


def test_bombs_are_not_unpacked(
    tmp_path: Path, boards: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A header that promises 1 TiB, zeros without end, and a member cut off."""
    bomb = tmp_path / "bomb.gz"
    info = tarfile.TarInfo("fake.json")
    info.size = 1 << 40
    header = info.tobuf(tarfile.GNU_FORMAT)
    import gzip

    bomb.write_bytes(gzip.compress(header + b"0" * 1024))
    refused(bomb, boards, registry, "1099511627776 bytes, at most")
    bomb.write_bytes(gzip.compress(b"\0" * (64 << 20)))
    refused(bomb, boards, registry, "something follows the end")
    info.size = 5000
    bomb.write_bytes(gzip.compress(info.tobuf(tarfile.USTAR_FORMAT) + b"0" * 100))
    refused(bomb, boards, registry, "cut off")
    for data in (b"", b"no gzip", gzip.compress(b"no tar"), gzip.compress(b"\0" * 1024)[:-9],
                 gzip.compress(b"\0" * 1024)):  # fmt: skip
        bomb.write_bytes(data)
        refused(bomb, boards, registry, "not a bundle of records|lacks manifest")
    refused(tmp_path / "nowhere", boards, registry, "no such bundle")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_changed_byte_passes(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory, registry: Registry
) -> None:
    """Whatever byte of the tar is changed, the bundle is refused in one line or is the same."""
    import gzip

    folder = tmp_path_factory.mktemp("bytes")
    path = sent.write_suite(folder / "theirs", registry, {"mine": 0.6}, seeds=(0,))
    bundle = submit(path, folder, registry)[0]
    raw = bytearray(gzip.decompress(bundle.read_bytes()))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    bundle.write_bytes(gzip.compress(bytes(raw), 1))
    try:
        done = join(bundle, folder / "boards", registry)
    except HandledError as error:
        assert "\n" not in str(error) and not (folder / "boards").exists()
    else:
        assert done.added == ["merging cut net mine seed 0"]
        assert check(folder / "boards", registry) == []


def test_a_manifest_that_describes_other_files(
    tmp_path: Path, boards: Path, registry: Registry
) -> None:
    files = sent.members(packed(tmp_path, registry))
    bad = tmp_path / "bad.gz"
    changed = {**files, "fake.json": files["fake.json"] + b" "}
    refused(sent.again(changed, bad, False), boards, registry, "is not the file")
    less = {n: d for n, d in files.items() if n != "fake.cost.json"}
    refused(sent.again(less, bad, False), boards, registry, "not those that its manifest names")
    refused(sent.again(less, bad), boards, registry, "has to hold")
    other = {**files, "other.json": b"{}"}
    refused(sent.again(other, bad), boards, registry, "has to hold")


def test_what_is_packed_is_checked_first(tmp_path: Path, registry: Registry) -> None:
    def better(records: dict[str, Any]) -> None:
        records["results"][0]["metrics"]["mean"]["NDCG@10"] = 0.9

    with pytest.raises(HandledError, match="metrics are not those that its ranks give"):
        packed(tmp_path, registry, edit=better)
    for contact in ("a\nb", "<b>", "x" * 201):
        with pytest.raises(HandledError, match="--contact is one line"):
            packed(tmp_path, registry, contact=contact)
    with pytest.raises(HandledError, match="no such run or records"):
        submit(tmp_path / "nowhere", tmp_path, registry)


KILL = """
import os, signal, sys
from pathlib import Path
from recmerge_bench.submissions import joining, replacing
from recmerge_bench.registry import discover
from recmerge_bench.results import suite_files

module, name, when = sys.argv[3].split(":")
module = {"joining": joining, "replacing": replacing, "suite_files": suite_files}[module]
real = getattr(module, name)

def dying(*args, **more):
    if when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    real(*args, **more)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(module, name, dying)
joining.join(Path(sys.argv[1]), Path(sys.argv[2]), discover(environ={}))
"""


@pytest.mark.parametrize(
    ("where", "joined"),
    [
        ("suite_files:write_json:after", False), ("joining:write_text:after", False),
        ("replacing:_swap:before", False), ("replacing:_swap:after", True),
    ],
)  # fmt: skip
def test_a_kill_leaves_the_old_boards_or_the_new(
    where: str, joined: bool, tmp_path: Path, boards: Path, registry: Registry
) -> None:
    bundle, before = packed(tmp_path, registry), sent.tree(boards)
    ended = subprocess.run([sys.executable, "-c", KILL, str(bundle), str(boards), where],
                           capture_output=True, check=False)  # fmt: skip
    assert ended.returncode == -9, ended.stderr.decode()
    after = sent.tree(boards)
    assert (after != before) == joined and check(boards, registry) == []
    assert list(tmp_path.glob(".boards.*.joining"))
    done = join(bundle, boards, registry)
    assert (done.present == 2) == joined and check(boards, registry) == []
    assert not list(tmp_path.glob(".boards*"))
    if joined:
        assert sent.tree(boards) == after


def test_without_an_atomic_swap_two_renames_are_mended(
    tmp_path: Path, boards: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recmerge_bench.files._exchange", lambda one, other: False)
    bundle, before = packed(tmp_path, registry), sent.tree(boards)
    boards.rename(tmp_path / ".boards.77.before")  # what a kill between the two leaves
    with replaced(boards) as copy:
        assert sent.tree(copy) == before
    join(bundle, boards, registry)
    assert check(boards, registry) == [] and not list(tmp_path.glob(".boards*"))


def test_an_error_leaves_nothing_and_two_do_not_join_at_once(
    tmp_path: Path, boards: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, before = packed(tmp_path, registry), sent.tree(boards)
    with replaced(boards), pytest.raises(HandledError, match="another process is changing it"):
        join(bundle, boards, registry)

    def full(path: Path, value: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(suite_files, "write_json", full)
    with pytest.raises(OSError, match="no space"):
        join(bundle, boards, registry)
    assert sent.tree(boards) == before and not list(tmp_path.glob(".boards*"))


def test_groups_are_those_of_the_board(tmp_path: Path, boards: Path, registry: Registry) -> None:
    from json_boards import derive

    from recmerge_bench.files import write_json
    from recmerge_bench.results.groups import Group, groups_json

    rows = np.arange(2 * sent.USERS) % 3 == 0
    groups = {sent.SPLIT: [Group("third", "every third target", rows)]}
    path = boards / "records" / "fake.json"
    write_json(boards / "records" / "fake.groups.json", groups_json("fake", groups))
    ranks = read_all_ranks(boards / "records" / "fake.ranks.parquet")
    write_json(path, derive(load_records(path).to_json(), ranks, registry, groups))
    join(packed(tmp_path, registry), boards, registry)
    own_row = load_records(path).to_json()["results"][-1]
    assert own_row["identity"]["method"] == "mine" and set(own_row["groups"]) == {"third"}
    assert check(boards, registry) == []


def test_the_commands(tmp_path: Path, boards: Path, registry: Registry) -> None:
    path = sent.write_suite(tmp_path / "theirs", registry, {"mine": 0.6})

    def asked(*words: Any) -> Any:
        return CliRunner().invoke(cli, [str(w) for w in words], standalone_mode=False)

    output = asked("submit", path, "--to", tmp_path, "--only", "seed=1", "--contact", "me")
    assert output.return_value == 0 and "1 result(s) for the board of 'fake'" in output.output
    [bundle] = tmp_path.glob("*.rmb.tar.gz")
    output = asked("leaderboard", "add", bundle, "--to", boards)
    assert output.return_value == 0 and "added merging cut net mine seed 1" in output.output
    assert "1 result(s) joined the board of 'fake'\n" in output.output
    output = asked("leaderboard", "add", bundle, "--to", boards)
    assert "0 result(s) joined the board of 'fake'; 1 already there" in output.output
    assert isinstance(asked("leaderboard", "add", path, "--to", boards).exception, HandledError)
