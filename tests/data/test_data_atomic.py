"""Atomic files: what is read, what is refused and where, and that an export reads back."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from recmerge_bench.cli import cli
from recmerge_bench.data.codec import fingerprint
from recmerge_bench.data.interactions import Interactions
from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.toolkit.data.atomic import Fields, export_atomic, find_domains, read_folder
from recmerge_bench.toolkit.data.build import Columns, Item, build_interactions

INTER = "user_id:token\titem_id:token\ttimestamp:float\n"
ITEM = "item_id:token\ttitle:token_seq\tdomain:token\n"
GOOD_ITEM = ITEM + "1\tone\ta\n2\ttwo\tb\n"


def write(folder: Path, inter: str | bytes, item: str | bytes | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    for suffix, text in (("inter", inter), ("item", item)):
        if text is not None:
            data = text.encode() if isinstance(text, str) else text
            (folder / f"set.{suffix}").write_bytes(data)
    return folder


def test_reads_domains_texts_and_times(tmp_path: Path) -> None:
    inter = INTER + "u\t2\t881250949.0\nu\t1\t881250949\r\nv\t1\t-5.\nv\t2\t1e3"
    built = read_folder(write(tmp_path, inter, GOOD_ITEM))
    assert built.catalogue.domains == ("a", "b")
    assert built.catalogue.texts == ["one", "two"]
    assert built.items.tolist() == [1, 0, 0, 1]  # u's tie is in file order
    assert built.times.tolist() == [881250949, 881250949, -5, 1000]


def test_times_lose_no_digit(tmp_path: Path) -> None:
    exact = [2**53 + 1, 1735689600123456789, 2**63 - 1, -(2**63), 16777217]
    for form in ("{}", "{}.0"):
        rows = "".join(f"u\t1\t{form.format(t)}\n" for t in exact)
        built = read_folder(write(tmp_path, INTER + rows))
        assert built.times.tolist() == sorted(exact)


BAD_TIMES = {
    "x": "'x' is not a number",
    "": "'' is not a number",
    "1_000": "'1_000' is not a number",
    " 5": "' 5' is not a number",
    "٣": "'٣' is not a number",
    "nan": "'nan' is not a finite number",
    "-inf": "'-inf' is not a finite number",
    "1.5": "'1.5' is not a whole number: times are integers, scale them first",
    "123456789012345678.5": "'123456789012345678.5' is not a whole number: times are integers,",
    "9223372036854775808": "'9223372036854775808' does not fit 64 bits",
    "1e400": "'1e400' does not fit 64 bits",
}


@pytest.mark.parametrize("text", BAD_TIMES)
def test_bad_times_are_placed(tmp_path: Path, text: str) -> None:
    folder = write(tmp_path, f"{INTER}u\t1\t7\nu\t1\t{text}\n")
    with pytest.raises(DataError) as caught:
        read_folder(folder)
    place = f"{folder}/set.inter:3 (column timestamp): "
    assert str(caught.value).startswith(place + BAD_TIMES[text])
    assert (caught.value.line, caught.value.column) == (3, "timestamp")


BAD_FILES: dict[str, tuple[str | bytes, str | bytes | None, str, str]] = {
    "empty file": ("", None, "inter: ", "the file is empty"),
    "no rows": (INTER, None, "inter:1: ", "the file has a header and no rows"),
    "no types": ("user_id\titem_id\n1\t1\n", None, "inter:1 (column 1): ", "header field"),
    "bad type": ("user_id:token\titem_id:int\n", None, "inter:1 (column 2): ", "header field"),
    "same field": (INTER[:-1] + "\titem_id:token\n", None, "inter:1 (column 4): ", "field 'item"),
    "no field": ("user_id:token\titem_id:token\tat:float\nu\t1\t1\n", None, "inter:1: ",
                 "no field 'timestamp'"),
    "few fields": (INTER + "u\t1\t1\nu\t1\n", None, "inter:3 (column 3): ", "2 fields, the header"),
    "many fields": (INTER + "u\t1\t1\t1\n", None, "inter:2 (column 4): ", "4 fields, the header"),
    "blank line": (INTER + "u\t1\t1\n\nu\t1\t1\n", None, "inter:3 (column 2): ", "1 fields"),
    "bytes": (INTER.encode() + b"u\t1\t1\nu\t\xe9\t1\n", None, "inter:3 (column 2): ",
              "byte 52 is not utf-8"),
    "no user": (INTER + "u\t1\t1\n\t1\t1\n", None, "inter:3 (column user_id): ", "empty id"),
    "no item": (INTER + "u\t\t1\n", None, "inter:2 (column item_id): ", "empty id"),
    "unknown item": (INTER + "u\t1\t1\nu\t7\t1\n", GOOD_ITEM, "inter:3 (column item_id): ",
                     "item '7' is not in "),
    "item twice": (INTER + "u\t1\t1\n", GOOD_ITEM + "1\tuno\ta\n", "item:4 (column item_id): ",
                   "item '1' appears twice"),
    "two domains": (INTER + "u\t1\t1\n", GOOD_ITEM + "1\tuno\tb\n", "item:4 (column domain): ",
                    "item '1' is in two domains, 'a' and 'b'"),
    "files differ": (INTER[:-1] + "\tdomain:token\nu\t2\t1\tb\nu\t1\t1\tb\n", GOOD_ITEM,
                     "inter:3 (column domain): ", "item '1' is in two domains, 'a' and 'b'"),
    "domain name": (INTER + "u\t1\t1\n", ITEM + "1\tone\tBad name\n", "item:2 (column domain): ",
                    "'Bad name' is no domain name"),
    "old Mac": (INTER.replace("\n", "\r") + "u\t1\t1\r", None, "inter: ",
                "lines end with a carriage return alone"),
    "comma": ("user_id,item_id,timestamp\nu,1,1\n", None, "inter:1 (column 1): ",
              "header field 'user_id,item_id,timestamp' is not name:type with a type of token, "
              "token_seq, float, float_seq; fields are separated by tabs"),
    "spaces": ("user_id:token item_id:token timestamp:float\nu 1 1\n", None,
               "inter:1 (column 1): ", "header field 'user_id:token item_id:token timestamp"),
    "long header": ("x" * 10_000 + "\nu\n", None, "inter:1 (column 1): ",
                    f"header field '{'x' * 60}...' is not"),
    "no domain": (INTER + "u\t1\t1\n", ITEM + "1\tone\ta\n2\ttwo\t\n", "item:3 (column domain): ",
                  "'' is no domain name"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files_are_placed(tmp_path: Path, case: str) -> None:
    inter, item, place, message = BAD_FILES[case]
    folder = write(tmp_path, inter, item)
    with pytest.raises(DataError) as caught:
        read_folder(folder)
    assert str(caught.value).startswith(f"{folder}/set.{place}{message}")


def test_item_of_the_catalogue_without_a_domain(tmp_path: Path) -> None:
    inter = INTER[:-1] + "\tdomain:token\nu\t1\t1\ta\n"
    with pytest.raises(DataError, match=re.escape("set.item:3 (column item_id): item '2' has no")):
        read_folder(write(tmp_path, inter, "item_id:token\n1\n2\n"))


def test_empty_domain(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="domain 'b' is empty: 1 items, 0 events"):
        read_folder(write(tmp_path, INTER + "u\t1\t1\n", GOOD_ITEM))


def test_encoding_is_an_option(tmp_path: Path) -> None:
    folder = write(tmp_path, INTER + "u\t1\t1\n", b"item_id:token\ttitle:token\n1\tcaf\xe9\n")
    with pytest.raises(DataError, match=re.escape("set.item:2 (column 2): byte 31 is not utf-8")):
        read_folder(folder)
    assert read_folder(folder, encoding="latin-1").catalogue.texts == ["café"]
    with pytest.raises(HandledError, match="no encoding 'latin-0'"):
        read_folder(folder, encoding="latin-0")


def test_files_that_are_missing_or_too_many(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found 0"):
        read_folder(tmp_path)
    write(tmp_path, INTER + "u\t1\t1\n")
    (tmp_path / "more.inter").write_text(INTER)
    with pytest.raises(DataError, match="found 2"):
        read_folder(tmp_path)


def test_domains_of_a_folder(tmp_path: Path) -> None:
    events = INTER + "u\t1\t1\nu\t2\t1\n"
    plain = write(tmp_path / "My Set_2", events)
    assert find_domains(plain) == ["my-set-2"]
    assert read_folder(plain).catalogue.domains == ("my-set-2",)
    assert read_folder(plain, domains=["books"]).catalogue.domains == ("books",)
    assert find_domains(write(tmp_path / "x", events, GOOD_ITEM)) == ["a", "b"]
    inside = INTER[:-1] + "\tdomain:token\nu\t1\t1\td\nu\t2\t1\tc\n"
    assert find_domains(write(tmp_path / "y", inside)) == ["c", "d"]
    assert read_folder(tmp_path / "y").catalogue.domains == ("c", "d")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_domain_that_stands_first_is_found(tmp_path: Path, encoding: str, end: str) -> None:
    """Its header cell begins with the mark of the byte order."""
    events = INTER + "u\tb1\t1\nu\tc1\t2\n"
    items = "domain:token\titem_id:token\nbooks\tb1\ncds\tc1\n"
    texts = [text.replace("\n", end) for text in (events, items)]
    marks = ["\ufeff" if encoding in ("utf-8", "utf-16-le", "utf-16-be") else ""] * 2
    raw = [(m + t).encode(encoding) for m, t in zip(marks, texts, strict=True)]
    folder = write(tmp_path, *raw)
    given = encoding.removesuffix("-sig")
    assert find_domains(folder, given) == ["books", "cds"]
    assert read_folder(folder, encoding=given).catalogue.domains == ("books", "cds")
    plain = read_folder(write(tmp_path / "plain", events, items))
    assert fingerprint(read_folder(folder, encoding=given)) == fingerprint(plain)


@pytest.mark.parametrize(
    ("encoding", "message"), [("utf-16", "byte 0 is not utf-8"), ("utf-16-le", "zero bytes in the")]
)
def test_an_encoding_that_is_not_named_is_told(tmp_path: Path, encoding: str, message: str) -> None:
    folder = write(tmp_path, (INTER + "u\t1\t1\n").encode(encoding))
    for read in (read_folder, find_domains):
        with pytest.raises(DataError, match=message):
            read(folder)


def test_an_unknown_encoding_is_one_line_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(HandledError, match="no encoding 'utf-9'"):
        find_domains(write(tmp_path, INTER + "u\t1\t1\n"), "utf-9")


def test_texts_stay_as_they_are(tmp_path: Path) -> None:
    texts = ['12" vinyl, "unclosed', "6' long\u2028second\u0085third", "NA", "null", " x "]
    items = [f"{n}\t{text}\ta\n" for n, text in enumerate(texts)]
    events = [f"u\t{n}\t{n}\n" for n in range(len(texts))]
    header = "item_id:token\ttitle:token_seq\tdomain:token\n"
    built = read_folder(write(tmp_path, INTER + "".join(events), header + "".join(items)))
    by_token = dict(zip(built.catalogue.tokens, built.catalogue.texts, strict=True))
    assert [by_token[str(n)] for n in range(len(texts))] == texts


def test_what_other_systems_leave_is_not_looked_at(tmp_path: Path) -> None:
    folder = write(tmp_path, INTER + "u\t1\t1\n")
    (folder / "._set.inter").write_bytes(b"\0\5\26\7")
    (folder / "._set.item").write_bytes(b"\0\5\26\7")
    assert read_folder(folder).n_users == 1


def test_an_item_file_of_another_name_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, INTER + "u\t1\t1\n")
    (folder / "movies.item").write_text(GOOD_ITEM)
    with pytest.raises(DataError, match=r"movies\.item does not belong to set\.inter: call it set"):
        read_folder(folder)


def test_a_folder_exports_itself_by_a_dot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "films", INTER + "u\t1\t1\nu\t2\t1\n", GOOD_ITEM)
    monkeypatch.chdir(folder)
    ran = CliRunner().invoke(cli, ["datasets", "export", ".", "--to", "../out"])
    assert ran.exit_code == 0, ran.output
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["films.inter", "films.item"]
    assert fingerprint(read_folder(tmp_path / "out")) == fingerprint(read_folder(folder))
    with pytest.raises(DataError, match="no name for files"):
        export_atomic(read_folder(folder), tmp_path / "out", "")


def test_names_of_fields_are_options(tmp_path: Path) -> None:
    text = "who:token\twhat:token\tat:float\tshop:token\nu\t1\t3\ta\nu\t2\t2\ta\n"
    fields = Fields("who", "what", "at", "shop")
    built = read_folder(write(tmp_path, text), fields=fields)
    assert built.catalogue.domains == ("a",) and built.times.tolist() == [2, 3]
    assert find_domains(tmp_path, fields=fields) == ["a"]


WORD = st.text(st.characters(exclude_characters="\t\n\r", exclude_categories=["Cs"]), max_size=6)
TOKEN = WORD.filter(bool)


@st.composite
def datasets(draw: st.DrawFn) -> Interactions:
    tokens = draw(st.lists(TOKEN, min_size=2, max_size=6, unique=True))
    catalogue = {
        t: Item(("a", "b")[min(n, 1) if n < 2 else draw(st.integers(0, 1))], draw(WORD))
        for n, t in enumerate(tokens)
    }
    event = st.tuples(TOKEN, st.sampled_from(tokens), st.integers(-(2**63), 2**63 - 1))
    rows = [*draw(st.lists(event, max_size=12)), ("u", tokens[0], 5), ("u", tokens[1], 5)]
    users, items, times = zip(*rows, strict=True)
    return build_interactions(
        Columns(users, items, np.array(times, np.int64)), catalogue, draw(st.permutations("ab"))
    )


@settings(max_examples=60, deadline=None)
@given(datasets())
def test_an_export_reads_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, built: Interactions
) -> None:
    folder = tmp_path_factory.mktemp("export")
    export_atomic(built, folder, "set")
    again = read_folder(folder, domains=built.catalogue.domains)
    assert fingerprint(again) == fingerprint(built)
    assert sorted(p.name for p in folder.iterdir()) == ["set.inter", "set.item"]


def small(item: Item, token: str = "1", user: str = "u") -> Interactions:
    return build_interactions(Columns([user], [token], np.array([1])), {token: item}, ["a"])


@pytest.mark.parametrize(
    "built",
    [small(Item("a", "x\ty")), small(Item("a"), "1\n"), small(Item("a"), user="u\t"),
     small(Item("a"), ""), small(Item("a"), user="")],
)  # fmt: skip
def test_what_cannot_be_exported(tmp_path: Path, built: Interactions) -> None:
    with pytest.raises(DataError, match="cannot be exported"):
        export_atomic(built, tmp_path, "set")
    assert list(tmp_path.iterdir()) == []


def test_a_broken_export_leaves_the_old_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = export_atomic(small(Item("a", "old")), tmp_path, "set")
    before = first.read_bytes()

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        export_atomic(small(Item("a", "new"), user="other"), tmp_path, "set")
    assert first.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["set.inter", "set.item"]
