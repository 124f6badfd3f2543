"""Any folder of domains: atomic files, sequence files, tables; what is read, refused, and where."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import recmerge_bench as rmb
from recmerge_bench.borders.datasets import domains_of, loaded, sources_of
from recmerge_bench.cli import cli
from recmerge_bench.data.interactions import Interactions
from recmerge_bench.errors import Blocked, DataError, HandledError
from recmerge_bench.planning.options import complete
from recmerge_bench.registry import Registry, discover
from recmerge_bench.testing import DatasetConformance
from recmerge_bench.toolkit.data.atomic import read_folder
from recmerge_bench.toolkit.data.csv_tables import likely_column, read_csv
from recmerge_bench.toolkit.data.sequence_files import read_sequences

INTER = "user_id:token\titem_id:token\ttimestamp:float\n"
ITEM = "item_id:token\ttitle:token_seq\n"
HEADER = "user_id,item_id,timestamp\n"


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def read(registry: Registry, name: str, path: Path, **options: Any) -> Interactions:
    given = {"path": str(path), **options}
    made = complete(registry.get("dataset", name), given, "here").definition()
    data = loaded(made, None)
    assert data.catalogue.domains == domains_of(made, None)
    assert all(p.is_file() for p in sources_of(made, None))
    return data


def said(data: Interactions) -> dict[str, list[tuple[str, int]]]:
    """User -> item ids and times."""
    return {
        user: [
            (data.catalogue.tokens[data.items[i]], int(data.times[i]))
            for i in range(data.offsets[n], data.offsets[n + 1])
        ]
        for n, user in enumerate(data.user_tokens)
    }


ATOMIC = {
    "Toys & Games/toys.inter": INTER + "u\t1\t5\nu\t2\t6\nv\t1\t7\n",
    "Toys & Games/toys.item": ITEM + "1\tball\n2\tcar\n",
    "Beauty/b.inter": INTER + "u\t1\t1\nw\t1\t2\n",
    "notes/readme.txt": "no domain",
}


def test_one_atomic_folder_a_domain(registry: Registry, tmp_path: Path) -> None:
    data = read(registry, "atomic-folder", write(tmp_path, ATOMIC))
    assert data.catalogue.domains == ("beauty", "toys-games")
    assert list(data.catalogue.tokens) == ["beauty/1", "toys-games/1", "toys-games/2"]
    assert list(data.catalogue.texts) == ["", "ball", "car"]
    assert said(data) == {
        "u": [("beauty/1", 1), ("toys-games/1", 5), ("toys-games/2", 6)],
        "v": [("toys-games/1", 7)], "w": [("beauty/1", 2)],
    }  # fmt: skip
    apart = read(registry, "atomic-folder", tmp_path, users="separate")
    assert list(apart.user_tokens) == ["beauty/u", "beauty/w", "toys-games/u", "toys-games/v"]
    alone = read(registry, "atomic-folder", tmp_path, domain_names=["toys-games"])
    assert list(alone.catalogue.tokens) == ["1", "2"], "one domain keeps its ids"
    same = read_folder(tmp_path / "Toys & Games")
    assert np.array_equal(alone.items, same.items) and np.array_equal(alone.times, same.times)


def test_the_order_of_domains_is_the_option_s(registry: Registry, tmp_path: Path) -> None:
    write(tmp_path, ATOMIC)
    data = read(registry, "atomic-folder", tmp_path, domain_names=["toys-games", "beauty"])
    assert data.catalogue.domains == ("toys-games", "beauty")


@pytest.mark.parametrize(
    ("files", "options", "fault"),
    [
        ({}, {"domain_names": ["toys"]}, "no domain 'toys'.*there are: beauty, toys-games"),
        ({"beauty_/x.inter": INTER + "u\t1\t1\n"}, {},
         "'Beauty' and 'beauty_' would both be the domain 'beauty'"),
        ({"Beauty/b.inter": "user_id:token\titem_id:token\ttimestamp:float\tdomain:token\n"
          "u\t1\t1\tfood\n"}, {}, "its files name the domain 'food'"),
        ({"Beauty/b.inter": INTER + "u\t1\tx\n"}, {}, r"b\.inter:2 \(column timestamp\): 'x'"),
        ({"Beauty/c.inter": INTER + "u\t1\t1\n"}, {}, "expected one .inter file, found 2"),
    ],
)  # fmt: skip
def test_wrong_folders_are_refused(
    registry: Registry, tmp_path: Path, files: Any, options: Any, fault: str
) -> None:
    write(tmp_path, {**ATOMIC, **files})
    with pytest.raises(DataError, match=fault):
        read(registry, "atomic-folder", tmp_path, **options)


SEQUENCES = {
    "Beauty.txt": "1 10 11 10\n2 11\n", "Toys.txt": "1 10 12\n3 12\n",
    "Toys.items.tsv": "10\ta ball\n99\tnever bought\n",
}  # fmt: skip


def test_one_sequence_file_a_domain(registry: Registry, tmp_path: Path) -> None:
    data = read(registry, "sequence-file", write(tmp_path, SEQUENCES))
    assert data.catalogue.domains == ("beauty", "toys")
    assert said(data) == {
        "beauty/1": [("beauty/10", 0), ("beauty/11", 1), ("beauty/10", 2)],
        "beauty/2": [("beauty/11", 0)],
        "toys/1": [("toys/10", 0), ("toys/12", 1)], "toys/3": [("toys/12", 0)],
    }  # fmt: skip
    texts = dict(zip(data.catalogue.tokens, data.catalogue.texts, strict=True))
    assert texts["toys/10"] == "a ball" and texts["beauty/10"] == texts["toys/12"] == ""
    shared = read(registry, "sequence-file", tmp_path, users="shared")
    assert list(shared.user_tokens) == ["1", "2", "3"]
    alone = read(registry, "sequence-file", tmp_path / "Beauty.txt")
    assert list(alone.user_tokens) == ["1", "2"] and alone.catalogue.domains == ("beauty",)


@pytest.mark.parametrize(
    ("layout", "text", "want"),
    [
        ("items", "5 6\n7\n", {"1": ["5", "6"], "2": ["7"]}),
        ("pairs", "a 5\nb 7\na 6\n", {"a": ["5", "6"], "b": ["7"]}),
        ("user-items", "a\t5\t6\r\nb  7 \n", {"a": ["5", "6"], "b": ["7"]}),
        ("user-items", "\ufeffa 5 6\nb 7", {"a": ["5", "6"], "b": ["7"]}),
    ],
)
def test_layouts(registry: Registry, tmp_path: Path, layout: str, text: str, want: Any) -> None:
    write(tmp_path, {"x.txt": text})
    data = read(registry, "sequence-file", tmp_path / "x.txt", layout=layout)
    assert {u: [i for i, _ in events] for u, events in said(data).items()} == want


@pytest.mark.parametrize(
    ("layout", "text", "fault"),
    [
        ("user-items", "", "the file is empty"),
        ("user-items", "1 2\n\n3 4\n", "x.txt:2: an empty line"),
        ("user-items", "1 2\n3\n", "x.txt:2: one field, '3', and no item"),
        ("user-items", "1 2\n1 3\n", "x.txt:2: user '1' has a second line .* layout pairs"),
        ("user-items", "1 2 3\n1 3 4\n", "x.txt:2: user '1' has a second line"),
        ("pairs", "1 2\n1 3 4\n", "x.txt:2: 3 fields: layout pairs"),
        ("user-items", "1 " + "x" * 1001, r"x.txt:1 \(column 2\): an id of 1001 characters"),
        ("user-items", b"1 2\n3 \xff\n", "x.txt:2 .*is not utf-8"),
        ("user-items", "1 2\r3 4\r", "carriage return alone"),
    ],
)
def test_wrong_sequences_are_refused(
    tmp_path: Path, layout: Any, text: str | bytes, fault: str
) -> None:
    write(tmp_path, {"x.txt": text})
    with pytest.raises(DataError, match=fault):
        read_sequences(tmp_path / "x.txt", "x", layout)


def test_wrong_texts_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"x.txt": "1 2\n", "t": "2\ta\n2\tb\n", "s": "2 a\n"})
    with pytest.raises(DataError, match="t:2: item '2' appears twice"):
        read_sequences(tmp_path / "x.txt", "x", texts=tmp_path / "t")
    with pytest.raises(DataError, match="s:1: no tab"):
        read_sequences(tmp_path / "x.txt", "x", texts=tmp_path / "s")


TABLE = (
    'buyer,stars,when,"shop name",asin,note\n'
    'ann,5,2014-07-23,Kids Toys,7,"two\nlines, one field"\n'
    "bob,1,100,Books,7,\n"
    "ann,4,1970-01-01T01:00:10+01:00,Books,8,x\n"
)
COLUMNS = {"user": "buyer", "item": "asin", "time": "when"}


def test_a_table_by_the_names_of_its_columns(registry: Registry, tmp_path: Path) -> None:
    write(tmp_path, {"t.csv": TABLE, "items.csv": "asin,title,brand\n7,seven,acme\n8,,\n"})
    data = read(
        registry, "csv", tmp_path / "t.csv", **COLUMNS, domain="shop name", rating="stars",
        least_rating=2, items=str(tmp_path / "items.csv"), item_id="asin", texts=["title", "brand"],
    )  # fmt: skip
    assert said(data) == {"ann": [("books/8", 10), ("kids-toys/7", 1406073600)]}
    assert list(data.catalogue.texts) == ["", "title: seven\nbrand: acme"]
    assert data.report["below_rating"] == 1
    alone = read(registry, "csv", tmp_path / "t.csv", **COLUMNS)
    assert alone.catalogue.domains == ("t",) and list(alone.catalogue.tokens) == ["7", "8"]


def test_the_table_of_events_can_be_that_of_items(registry: Registry, tmp_path: Path) -> None:
    """A title beside every event: rows of one item that agree count once."""
    rows = "user_id,item_id,timestamp,title\nu,1,5,one\nv,1,6,one\nv,2,7,two\n"
    file = str(write(tmp_path, {"t.csv": rows}) / "t.csv")
    data = read(registry, "csv", tmp_path / "t.csv", items=file)
    assert list(data.catalogue.texts) == ["title: one", "title: two"]
    write(tmp_path, {"t.csv": rows + "w,1,8,uno\n"})
    with pytest.raises(DataError, match=r"t.csv:5 .*item '1' has other texts on line 2"):
        read(registry, "csv", tmp_path / "t.csv", items=file)


def test_one_table_a_domain(registry: Registry, tmp_path: Path) -> None:
    files = {"Books.csv": HEADER + "u,1,5\n", "Toys.csv": HEADER + "u,1,4\nv,1,4\n"}
    files["names.csv"] = "item_id,title\n1,one\n"
    write(tmp_path, files)
    data = read(registry, "csv", tmp_path, items=str(tmp_path / "names.csv"))
    assert said(data) == {"u": [("toys/1", 4), ("books/1", 5)], "v": [("toys/1", 4)]}
    assert set(data.catalogue.texts) == {"title: one"}
    tabs = write(tmp_path / "tabs", {"x.tsv": HEADER.replace(",", "\t") + "u\t1\t5\n"})
    assert read(registry, "csv", tabs, delimiter="\t", ending=".tsv").n_users == 1


@pytest.mark.parametrize(
    ("text", "options", "fault"),
    [
        ("user,item_id,timestamp\nu,1,5\n", {},
         "t.csv:1: no column 'user_id'; it has: user, item_id, timestamp; set `user: user`"),
        ("cust,SKU,when\nu,1,5\n", {}, "set `user: cust`, `item: SKU`, `time: when`$"),
        ("who,SKU,timestamp\nu,1,5\n", {},
         "no column 'user_id' and no column 'item_id'; it has: who, SKU, timestamp; "
         "set `item: SKU`; name yours with the option `user`"),
        (HEADER.replace("item", "Item"), {}, "a header and no rows"),
        (HEADER.replace("item", "Item") + "u,1,5\n", {}, "set `item: Item_id`"),
        (HEADER, {}, "a header and no rows"),
        ("", {}, "the file is empty"),
        (HEADER + "u,1\n", {}, "t.csv:2: 2 fields, the header has 3"),
        (HEADER + 'u,"a\nb",5\nv,1\n', {}, "t.csv:4: 2 fields, the header has 3"),
        (HEADER + 'u,"1,5\n', {}, "no table of separated values"),
        (HEADER + "u,,5\n", {}, r"t.csv:2 \(column item_id\): empty id"),
        (HEADER + "u,1,5\nu,2,1.5\n", {}, r"t.csv:3 \(column timestamp\): '1.5' is no time"),
        (HEADER + "u,1,nan\n", {}, "'nan' is no time"),
        (HEADER + "u,1,--5\n", {}, "'--5' is no time"),
        (HEADER + "u,1,99999999999999999999\n", {}, "does not fit 64 bits"),
        ("user_id,item_id,timestamp,user_id\nu,1,5,u\n", {}, "column 'user_id' appears twice"),
        ("user_id;item_id;timestamp\nu;1;5\n", {}, "no column 'user_id' .* set `delimiter: ';'`$"),
        (HEADER + "u,1,5\n", {"delimiter": ";;"}, "delimiter takes one character"),
        (HEADER + "u,1,5\n", {"rating": "timestamp", "least_rating": 9}, "domain 't' is empty"),
        (HEADER + "u,x,5\n", {"rating": "item_id"}, "'x' is no finite number"),
        (HEADER + "u,1,5\n", {"domain": "shop"}, "no column 'shop'"),
        (HEADER + "u,1,5\n", {"texts": ["title"]},
         "csv: texts are columns of a file of items, a row an item: name it with items: FILE "
         r"\(the table of events, where it has them\)"),
        (HEADER + "a b,1,5\na-b,1,5\n", {"domain": "user_id"}, "would both be the domain 'a-b'"),
        (HEADER + "ab,1,5\n", {"domain": "user_id", "domain_names": ["abc"]},
         "no domain 'abc' .did you mean 'ab'"),
        ((HEADER + "u,1,5\n").encode("utf-16"), {}, "is not utf-8"),
    ],
)  # fmt: skip
def test_wrong_tables_are_refused(
    registry: Registry, tmp_path: Path, text: Any, options: Any, fault: str
) -> None:
    write(tmp_path, {"t.csv": text})
    with pytest.raises(HandledError, match=fault):
        read(registry, "csv", tmp_path / "t.csv", **options)


@pytest.mark.parametrize(
    ("option", "wanted", "columns", "likely"),
    [
        ("item", "item_id", ["cust", "SKU"], "SKU"),
        ("item", "item_id", ["price", "ItemID"], "ItemID"),
        ("item", "item_id", ["product_name", "parent_asin"], "product_name"),
        ("item", "item_id", ["parent_asin", "user"], "parent_asin"),
        ("user", "user_id", ["UserId", "reviewerID"], "UserId"),
        ("user", "user_id", ["reviewerID"], "reviewerID"),
        ("time", "timestamp", ["unixReviewTime", "rating"], "unixReviewTime"),
        ("time", "timestamp", ["timestmp"], "timestmp"),
        ("time", "timestamp", ["price", "colour"], ""),
    ],
)
def test_likely_columns(option: str, wanted: str, columns: list[str], likely: str) -> None:
    assert likely_column(option, wanted, columns) == likely


def test_columns_of_items_are_named_too(registry: Registry, tmp_path: Path) -> None:
    write(tmp_path, {"t.csv": HEADER + "u,1,5\n", "items.csv": "SKU,name\n1,one\n"})
    items = {"items": str(tmp_path / "items.csv")}
    with pytest.raises(DataError, match=r"items.csv:1: no column 'item_id' and .* `item_id: SKU`"):
        read(registry, "csv", tmp_path / "t.csv", **items)
    with pytest.raises(DataError, match=r"no column 'title'; it has: SKU, name; .* `texts`"):
        read(registry, "csv", tmp_path / "t.csv", **items, item_id="SKU")


@pytest.mark.parametrize("name", ["atomic-folder", "sequence-file", "csv"])
def test_nothing_there_says_what_to_do(registry: Registry, tmp_path: Path, name: str) -> None:
    with pytest.raises(HandledError, match=f"{name} needs the option path"):
        sources_of(complete(registry.get("dataset", name), {}, "here").definition(), None)
    made = complete(registry.get("dataset", name), {"path": "none"}, "here").definition()
    with pytest.raises(Blocked, match=r"there is no .*folder"):
        sources_of(made, tmp_path)
    assert domains_of(made, tmp_path) == ("none",)


def test_options_are_near_names(registry: Registry) -> None:
    with pytest.raises(HandledError, match=r"'delimeter' .did you mean 'delimiter'"):
        complete(registry.get("dataset", "csv"), {"delimeter": ";"}, "here")


@pytest.mark.parametrize(
    ("name", "file", "text", "line"),
    [("csv", "t.csv", HEADER + "u,1\n", "t.csv:2: 2 fields"),
     ("sequence-file", "t.txt", "1 2\n1\n", "t.txt:2: one field")],
)  # fmt: skip
def test_bad_input_is_one_line_and_exit_code_2(
    tmp_path: Path, name: str, file: str, text: str, line: str
) -> None:
    write(tmp_path, {file: text})
    words = ["datasets", "prepare", name, "--set", f"path={tmp_path / file}", "--out"]
    result = CliRunner().invoke(cli, [*words, str(tmp_path / "runs")], standalone_mode=False)
    error = result.exception
    assert isinstance(error, HandledError) and line in str(error) and "\n" not in str(error)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=6), min_size=1, max_size=6))
def test_layouts_of_the_same_sequences_agree(sequences: list[list[int]]) -> None:
    import tempfile

    registry = discover(environ={})
    lines = {
        "user-items": "".join(f"{u} {' '.join(map(str, s))}\n" for u, s in enumerate(sequences, 1)),
        "items": "".join(f"{' '.join(map(str, s))}\n" for s in sequences),
        "pairs": "".join(f"{u} {i}\n" for u, s in enumerate(sequences, 1) for i in s),
    }
    table = HEADER + "".join(
        f"{u},{i},{t}\n" for u, s in enumerate(sequences, 1) for t, i in enumerate(s)
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, {f"{layout}/x.txt": text for layout, text in lines.items()})
        made = [
            read(registry, "sequence-file", folder / layout / "x.txt", layout=layout)
            for layout in lines
        ]
        made.append(read(registry, "csv", write(folder, {"x.csv": table}) / "x.csv"))
    for other in made[1:]:
        assert said(other) == said(made[0])
        assert np.array_equal(other.items, made[0].items)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(alphabet='u1,"\n\r\t ;', max_size=80)))
def test_any_bytes_are_read_or_refused(content: bytes | str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "x"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        for reader in (read_csv, lambda p: read_sequences(p, "x")):
            try:
                reader(path)
            except HandledError as error:
                assert "\n" not in str(error)


#: Two domains, each with a user of three events, which every protocol needs.
THREE_EVENTS: dict[str, dict[str, str]] = {
    "atomic-folder": {
        "Toys/toys.inter": INTER + "u\t1\t5\nu\t2\t6\nu\t1\t7\nv\t1\t7\n",
        "Beauty/b.inter": INTER + "w\t1\t1\nw\t2\t2\nw\t3\t3\n",
    },
    "sequence-file": {"Beauty.txt": "1 10 11 10\n2 11\n", "Toys.txt": "1 10 12 11\n3 12\n"},
    "csv": {
        "Books.csv": HEADER + "u,1,5\nu,2,6\nu,3,7\n",
        "Toys.csv": HEADER + "u,1,4\nv,1,4\nv,2,5\nv,3,6\n",
    },
}


@pytest.mark.parametrize("name", sorted(THREE_EVENTS))
class TestFolders(DatasetConformance):
    @pytest.fixture
    def dataset(self, name: str, registry: Registry, tmp_path: Path) -> Any:
        path = write(tmp_path, THREE_EVENTS[name])
        return complete(registry.get("dataset", name), {"path": str(path)}, "here").definition()


def test_a_suite_runs_on_two_tables(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("books", "toys"):
        rows = "".join(f"u{u},{i},{t}\n" for u in range(30)
                       for t, i in enumerate(rng.permutation(12)[:6]))  # fmt: skip
        write(tmp_path, {f"data/{name}.csv": HEADER + rows})
    suite = {
        "name": "two-tables", "label": "smoke", "metrics": ["NDCG@10", "coverage@5"],
        "tracks": {"main": {
            "dataset": "csv", "dataset_options": {"path": "data"}, "domains": ["books", "toys"],
            "protocols": ["loo"], "rows": ["popularity", "last-item"],
        }},
    }  # fmt: skip
    run = rmb.run(suite, out=tmp_path / "runs", data_root=tmp_path, progress=False)
    assert run.failures == () and all(result.done for result in run.records.results)
    assert run.records.results[0].list_metrics["books"]["coverage@5"] > 0


def test_rows_that_domain_names_leaves_out_are_noted(tmp_path: Path) -> None:
    table = "user_id,item_id,timestamp,shop\n" + "".join(
        f"u{u},{shop}{t},{t},{shop}\n"
        for u in range(9) for shop in ("books", "games", "Old Toys") for t in range(5)
    )  # fmt: skip
    write(tmp_path, {"t.csv": table + "u1,tool,9,tools\n"})
    suite = {
        "name": "some", "label": "smoke", "metrics": ["NDCG@10"],
        "tracks": {"main": {
            "dataset": "csv", "domains": ["books"], "protocols": ["loo"], "rows": ["popularity"],
            "dataset_options": {"path": "t.csv", "domain": "shop", "domain_names": ["books"]},
        }},
    }  # fmt: skip
    note = (
        "csv: 91 rows of t.csv are of domains that domain_names leaves out (games 45, old-toys 45, "
        "tools 1); to read them, add their names there and to the track's domains"
    )
    for _ in range(2):  # what is cached is noted as well
        run = rmb.run(suite, out=tmp_path / "runs", data_root=tmp_path, progress=False)
        assert run.notes == (note,) and f"note: {note}" in repr(run)
    path = tmp_path / "some.yaml"
    path.write_text(json.dumps(suite))
    words = ["run", "--suite", str(path), "--out", str(tmp_path / "runs")]
    shown = CliRunner().invoke(cli, [*words, "--data-root", str(tmp_path)])
    assert shown.stdout.count(f"note: {note}\n") == 1, shown.output
