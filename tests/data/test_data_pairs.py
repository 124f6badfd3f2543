"""MERIT's release format: a tiny release, wrong ones, and the real pair."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from merit_builders import DAY, EVENTS, ITEMS, USERS, item_map, lines, write_release
from recmerge_bench_plugins.datasets.amazon_merit.pairs import Pair, build, read_release
from recmerge_bench_plugins.datasets.amazon_merit.titles import with_titles
from torch.nn.functional import cosine_similarity

from recmerge_bench.data.codec import fingerprint
from recmerge_bench.data.interactions import Interactions
from recmerge_bench.digests import file_digest
from recmerge_bench.errors import Blocked, DataError, HandledError
from recmerge_bench.registry import Registry
from recmerge_bench.targets import define
from recmerge_bench.toolkit.data.atomic import export_atomic, read_folder

NAMES = ("food", "kitchen")


def merit(registry: Registry, **options: Any) -> Any:
    return define(registry.get("dataset", "amazon-merit").target, options)


@pytest.fixture(scope="module")
def real(registry: Registry, shared: Path) -> Interactions:
    loaded: Interactions = merit(registry).load(shared / "data" / "merit")
    return loaded


def as_lines(built: Interactions) -> list[str]:
    """The sequences as the authors write them."""
    collected = []
    for user in range(built.n_users):
        own = slice(built.offsets[user], built.offsets[user + 1])
        events = zip(built.items[own], built.times[own], strict=True)
        collected.append(" ".join([str(user), *(f"{item + 1}|{time}" for item, time in events)]))
    return collected


def test_a_release_as_it_stands(tmp_path: Path) -> None:
    built = build(read_release(*write_release(tmp_path)), NAMES)
    assert as_lines(built) == lines()
    assert list(built.user_tokens) == list(USERS)
    assert built.catalogue.domains == NAMES
    tokens = [f"{name}:{raw}" for name, own in zip(NAMES, ITEMS, strict=True) for raw in own]
    assert built.catalogue.tokens == tokens
    assert [built.catalogue.size(name) for name in NAMES] == [6, 7]
    assert set(built.report.values()) == {0, 1}  # user 0's 8|5 stands before its 4|5
    assert built.report["ties_that_do_not_ascend"] == 1
    kinds = [a.dtype.name for a in (built.offsets, built.items, built.times)]
    assert kinds == ["int64", "int32", "int64"]


def test_counts_are_those_of_table_1(tmp_path: Path) -> None:
    last = [(own[-2][0] > 6, own[-1][0] > 6) for own in EVENTS]
    first = sum(item <= 6 for own in EVENTS for item, _ in own)
    total = sum(map(len, EVENTS))
    valid, test = (sum(column) for column in zip(*last, strict=True))
    assert read_release(*write_release(tmp_path)).counts() == {
        "users": (3,),
        "items": (6, 7),
        "interactions": (first, total - first),
        "validation targets": (3 - valid, valid),
        "test targets": (3 - test, test),
    }


def test_what_is_out_of_the_ordinary_is_counted(tmp_path: Path) -> None:
    text = lines()
    text[1] = f"1 1|{DAY} 7|{DAY + 1}"
    pair = read_release(*write_release(tmp_path, "\n".join(text)))
    assert pair.report["users_below_5_events_of_a_domain"] == 1
    assert pair.report["times_not_at_midnight"] == 1


def test_exported_files_give_the_same_again(tmp_path: Path) -> None:
    built = build(read_release(*write_release(tmp_path)), NAMES)
    export_atomic(built, tmp_path / "out", "pair")
    assert fingerprint(read_folder(tmp_path / "out", domains=NAMES)) == fingerprint(built)


def line_2(line: str) -> str:
    return "\n".join([lines()[0], line, lines()[2], ""])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        (line_2(""), r"txt:2: '' is not: user item\|time"),
        (line_2("1"), "txt:2: '1' is not"),
        (line_2("1 1|86400 2|nan"), "txt:2: '1 1.*nan' is not"),
        (line_2("1 1|86400  2|86400"), "txt:2: "),
        (line_2("1 1|86400 2|-86400"), "txt:2: "),
        (line_2("1 1|" + "9" * 30), "txt:2: "),
        (lines()[0].encode() + b"\n1 \xff|3\n", "txt:2: "),
        (line_2("4 1|86400"), "txt:2: the line is of user 4, not 1: users are numbered"),
        (line_2("1 1|86400 14|86400"), r"txt:2: an item is not one of 1 .. 13 \(14\|86400\)"),
        (line_2("1 0|86400 7|86400"), r"txt:2: an item is not one of 1 .. 13 \(0\|86400\)"),
        (line_2("1 1|86400 2|5"), r"txt:2: a time is before the one of the event before it \(2\|5"),
        (line_2("1 1|86400 2|86400 1|86400"), r"txt:2: the user has met the item before \(1\|864"),
        ("\n".join(lines()[:2]), r"txt: 2 users, map_user_50.txt has 3"),
    ],
)
def test_wrong_sequences(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_release(*write_release(tmp_path, text))
    assert "\n" not in str(caught.value)


def items_with(**changes: Any) -> str:
    return json.dumps({**item_map(), **changes})


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ("{", "map_item_50.txt:1: not JSON"),
        ('{"A1": [1, 0]\n"A2": [2, 0]}', "map_item_50.txt:2: not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "no JSON object"),
        ("{}", "no JSON object"),
        ('{"A1": [1, 0], "B1": [2, 1], "A1": [3, 1]}', "'A1' is in the map twice"),
        (items_with(A1=1), "item 'A1' has 1, not"),
        (items_with(A1=[1, 2]), r"item 'A1' has \[1, 2\], not"),
        (items_with(A1=[True, 0]), "item 'A1' has .True, 0., not"),
        (items_with(A1=[99, 0]), r"item 'A1' has the number 99, not one of 1 .. 13"),
        (items_with(A1=[2, 0]), "two items have the number 2"),
        (items_with(A1=[7, 0], B1=[1, 1]), "item 'A2' of the first domain has a number above"),
        ('{"A1": [NaN, 0]}', "item 'A1' has .nan, 0., not"),
    ],
)
def test_wrong_items(tmp_path: Path, items: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_release(*write_release(tmp_path, items=items))


@pytest.mark.parametrize(
    ("users", "message"),
    [
        ('{"U0": 0, "U1": 1, "U2": 3}', "user 'U2' has the number 3, not one of 0 .. 2"),
        ('{"U0": 0, "U1": 1, "U2": 1}', "two users have the number 1"),
        ('{"U0": 0, "U1": 1, "": 2}', "has no id"),
        ('{"U0": "0"}', "user 'U0' has the number '0'"),
        ('{"U0": 0, "U0": 1}', "'U0' is in the map twice"),
    ],
)
def test_wrong_users(tmp_path: Path, users: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_release(*write_release(tmp_path, users=users))


def test_an_empty_domain() -> None:
    pair = Pair(["u"], ["A", "B"], 1, np.array([0, 1]), np.zeros(1, np.int32), np.zeros(1, int))
    with pytest.raises(DataError, match="domain 'kitchen' is empty: 1 items, 0 events"):
        build(pair, NAMES)


def test_options_are_checked(registry: Registry) -> None:
    with pytest.raises(HandledError, match="did you mean 'food-kitchen'"):
        merit(registry, pair="food-kitchn")
    with pytest.raises(HandledError, match="tie_seed is -1"):
        merit(registry, tie_seed=-1)
    assert merit(registry, pair="movie-book").domains() == ("movie", "book")


def test_another_release_than_the_papers_is_told(registry: Registry, tmp_path: Path) -> None:
    write_release(tmp_path / "afk")
    with pytest.raises(DataError, match=r"users are \(3,\), Table 1 has \(7144,\)"):
        merit(registry).load(tmp_path)
    assert merit(registry, check_counts=False).load(tmp_path).n_users == 3


def test_the_files_and_where_they_come_from(registry: Registry, tmp_path: Path) -> None:
    data = merit(registry, pair="beauty-electronics")
    with pytest.raises(Blocked) as blocked:
        data.sources(tmp_path)
    assert "abe/abe_50_preprocessed.txt, abe/map_item_50.txt" in blocked.value.reason
    assert "--set pair=beauty-electronics" in blocked.value.remedy
    write_release(tmp_path / "mirror" / "amb", code="amb")
    books = merit(registry, pair="movie-book")  # no checksum is known: trusted on first use
    fetched = books.fetch(tmp_path / "home", str(tmp_path / "mirror"))
    assert books.sources(tmp_path / "home") == fetched
    assert sorted(p.name for p in fetched[0].parent.glob("*.sha256"))[0].startswith("amb_50")
    fetched[0].write_text("other")
    with pytest.raises(DataError, match="SHA-256"):
        books.fetch(tmp_path / "home", None)
    with pytest.raises(HandledError, match="not the right file"):
        write_release(tmp_path / "mirror" / "afk")
        merit(registry).fetch(tmp_path / "home", str(tmp_path / "mirror"))


def test_movie_book_is_released_and_can_be_made(registry: Registry, tmp_path: Path) -> None:
    books = merit(registry, pair="movie-book")
    (tmp_path / "mirror").mkdir()
    address = "DiMarzioBian/MERIT/raw/HEAD/data/amb/amb_50_preprocessed.txt"
    assert books.files()[0].url.endswith(address)
    with pytest.raises(HandledError, match=r"has no amb/amb_50.*repository has them in data/amb"):
        books.fetch(tmp_path, str(tmp_path / "mirror"))
    with pytest.raises(Blocked) as blocked:
        books.sources(tmp_path)
    assert "prepare amazon-merit" in blocked.value.remedy and "lacks" not in blocked.value.remedy
    made = merit(registry, pair="movie-book", source="ratings").files()
    assert [f.name for f in made] == [
        "ratings_Movies_and_TV.csv", "ratings_Books.csv", "amb/map_item_50.txt",
        "amb/map_user_50.txt",
    ]  # fmt: skip


def write_titles(folder: Path, text: str | bytes) -> Path:
    path = folder / "afk_titles.tsv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_titles_are_the_items_text(tmp_path: Path) -> None:
    built = build(read_release(*write_release(tmp_path)), NAMES)
    rows = "item\ttitle\nB7\tA  pan, é\r\nA1\t Tea\nZ9\tno item of the pair\n"
    titled = with_titles(built, write_titles(tmp_path, rows))
    texts = dict(zip(titled.catalogue.tokens, titled.catalogue.texts, strict=True))
    known = {token: text for token, text in texts.items() if text}
    assert known == {"kitchen:B7": "title: A  pan, é", "food:A1": "title: Tea"}
    events = sum(item not in (1, 13) for own in EVENTS for item, _ in own)
    assert titled.report == {
        **built.report,
        "items_without_title": 11,
        "events_of_items_without_title": events,
        "titles_of_other_items": 1,
    }
    assert as_lines(titled) == as_lines(built)


@pytest.mark.parametrize("model", ["sasrec-dt", "merit"])
def test_item_tables_start_from_titles(registry: Registry, tmp_path: Path, model: str) -> None:
    built = build(read_release(*write_release(tmp_path)), NAMES)
    rows = "item\ttitle\nA1\tgreen tea\nA2\tgreen tea\nA3\tblack tea\nB1\tgreen tea\n"
    catalogue = with_titles(built, write_titles(tmp_path, rows)).catalogue
    spec = registry.get("cdsr", model)
    texts = define(spec.target, {**spec.options, "width": 64, "init": "text"})
    nets = [texts.build(catalogue, NAMES, seed) for seed in (0, 1)]
    food, kitchen = (nets[0].tables.domain_table(name).detach() for name in NAMES)
    assert all((nets[1].tables.domain_table(name) == nets[0].tables.domain_table(name)).all()
               for name in NAMES)  # fmt: skip
    assert (food[0] == food[1]).all() and (food[0] == kitchen[0]).all()
    alike = cosine_similarity(food[0], food[2:], dim=1)
    assert alike[0] > 0.5 > alike[1:].abs().max()  # without a title: at random, each its own


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("A1\tTea\n", "tsv:1: the header is 'A1.*not item, a tab, title"),
        ("item\ttitle\nA1\n", "tsv:2: 'A1' is not: item, a tab"),
        ("item\ttitle\nA1\t \n", "tsv:2: "),
        ("item\ttitle\n\tTea\n", "tsv:2: "),
        ("item\ttitle\nA1\tTea\tgreen\n", "tsv:2: "),
        ("item\ttitle\nA1\tTea\nA1\tPan\n", "tsv:3: item 'A1' has two titles"),
        (b"item\ttitle\nA1\tTea\nA2\t\xff\n", "tsv:3: the line is not UTF-8"),
        ("item\ttitle\nZ1\tTea\n", "no item of this pair has a title"),
    ],
)
def test_wrong_titles(tmp_path: Path, text: str | bytes, message: str) -> None:
    built = build(read_release(*write_release(tmp_path)), NAMES)
    with pytest.raises(DataError, match=message):
        with_titles(built, write_titles(tmp_path, text))


def test_titles_have_no_address_and_may_come_from_a_mirror(
    registry: Registry, shared: Path, tmp_path: Path
) -> None:
    titled = merit(registry, titles=True)
    assert [f.name for f in titled.files()][-1] == "afk_titles.tsv"
    with pytest.raises(Blocked) as blocked:
        titled.sources(tmp_path / "home")
    assert "--set titles=true" in blocked.value.remedy
    home, mirror = tmp_path / "home", shared / "data" / "merit"
    for name in ("afk/afk_50_preprocessed.txt", "afk/map_item_50.txt", "afk/map_user_50.txt"):
        (home / "amazon-merit" / name).parent.mkdir(parents=True, exist_ok=True)
        (home / "amazon-merit" / name).write_bytes((mirror / name).read_bytes())
    with pytest.raises(HandledError, match=r"afk_titles.tsv has no address: put it into .*home"):
        titled.fetch(home, None)
    assert titled.fetch(home, str(mirror)) == titled.sources(home)
    with pytest.raises(HandledError, match="no titles for movie-book; it has them for food-kit"):
        merit(registry, pair="movie-book", titles=True)


def test_the_real_titles(registry: Registry, real: Interactions, shared: Path) -> None:
    titled = merit(registry, titles=True).load(shared / "data" / "merit")
    assert titled.report["items_without_title"] == 28_095 - 23_357
    share = titled.report["events_of_items_without_title"] / len(real.items)
    assert share == pytest.approx(0.048, abs=0.0005)
    assert titled.report["titles_of_other_items"] == 0
    assert (titled.items == real.items).all() and titled.catalogue.tokens == real.catalogue.tokens


@pytest.mark.parametrize("pair", ["food-kitchen", "beauty-electronics"])
def test_all_files_of_a_pair_at_hand_are_pinned(
    registry: Registry, shared: Path, pair: str
) -> None:
    for file in merit(registry, pair=pair).files():
        assert file.sha256 == file_digest(shared / "data" / "merit" / file.name), file.name


def test_the_real_pair_is_the_released_one_line_by_line(real: Interactions, shared: Path) -> None:
    """All counts of Table 1 were compared on loading; here the order of every user."""
    folder = shared / "data" / "merit" / "afk"
    released = (folder / "afk_50_preprocessed.txt").read_text().splitlines()
    assert len(released) == 7144 and as_lines(real) == released
    words = json.loads((folder / "map_item_50.txt").read_text())
    assert [t.partition(":")[2] for t in real.catalogue.tokens] == list(words)
    assert list(real.user_tokens) == list(json.loads((folder / "map_user_50.txt").read_text()))
    assert [real.catalogue.size(name) for name in NAMES] == [11837, 16258]


def test_the_real_ties(real: Interactions) -> None:
    assert real.report == {
        "users_below_5_events_of_a_domain": 0,
        "times_not_at_midnight": 0,
        "ties_that_do_not_ascend": 0,
        "neighbours_of_one_time": 40_498 + 11_385,
        "users_with_a_tied_last_event": 2275,
    }
