"""MERIT's three pairs of Amazon domains: as its authors released them, or made from ratings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from recmerge_bench.api import (
    Blocked,
    DataError,
    DatasetDefinition,
    DatasetSpec,
    HandledError,
    Interactions,
    Spec,
    hookimpl,
    near,
)

if TYPE_CHECKING:
    from recmerge_bench_plugins.datasets.amazon_merit.pairs import Pair

    from recmerge_bench.toolkit.data.download import RemoteFile

ADDRESS = "https://github.com/DiMarzioBian/MERIT/raw/HEAD/data/"
RATINGS = "https://snap.stanford.edu/data/amazon/productGraph/categoryFiles/"
#: Pair -> the authors' name of it, and the two files of ratings.
FOLDERS = {
    "food-kitchen": ("afk", "Grocery_and_Gourmet_Food", "Home_and_Kitchen"),
    "beauty-electronics": ("abe", "Beauty", "Electronics"),
    "movie-book": ("amb", "Movies_and_TV", "Books"),
}
#: SHA-256 of the files that were at hand; those of movie-book are trusted on first use.
CHECKSUMS = {
    "afk/afk_50_preprocessed.txt": (
        "5f9856f574879920a70c93461add1ebc1c997b1ce6d626ba8d475315f53a4a15"
    ),
    "afk/map_item_50.txt": "64a939f71c0c48ba181d6d24e384af1160812bdf244f20c58ef101f5fc54b3c3",
    "afk/map_user_50.txt": "e20b90e5b7b298e38243a64eb54830d537ea5a7a3ab5ae74d6d0179142a6d684",
    "abe/abe_50_preprocessed.txt": (
        "e13235003725700fdc709eb78a8865bd7e4ab75dc28ae569f7a4cebcdab1e33b"
    ),
    "abe/map_item_50.txt": "4e144f3fea1a5e8037cd56167a084ce4d73c6ccc123187055470b3da9818de74",
    "abe/map_user_50.txt": "efcec3a6a523c25753390afee0cb2ad74f68de5dfaf27574e4108e97b8452d24",
    "afk_titles.tsv": "7be78f764de2a7ffd2ad14b9a0f84a971f79d67f2431cadc1334a25fe7a37cec",
}
#: Pairs whose items' titles are known, and the file that has them.
TITLES = {"food-kitchen": "afk_titles.tsv"}
#: Table 1 of the paper; two numbers are of the first and the second domain.
TABLE_1 = {
    "food-kitchen": {
        "users": (7144,),
        "items": (11837, 16258),
        "interactions": (83663, 89885),
        "validation targets": (2837, 4307),
        "test targets": (2419, 4725),
    },
    "beauty-electronics": {
        "users": (4474,),
        "items": (10379, 14188),
        "interactions": (50329, 63800),
        "validation targets": (2086, 2388),
        "test targets": (1875, 2599),
    },
    "movie-book": {
        "users": (28350,),
        "items": (35712, 90958),
        "interactions": (347654, 403147),
        "validation targets": (11728, 16622),
        "test targets": (10935, 17415),
    },
}


@dataclass(frozen=True)
class Options:
    """Options of amazon-merit.

    Attributes:
        pair: ``food-kitchen``, ``beauty-electronics`` or ``movie-book``; also the domains' names.
        source: ``released``: the authors' files; ``ratings``: the preprocessing done again on
            McAuley's ratings of 2014.
        tie_break: the order of a user's events of one day. ``asin``, the paper's: the first
            domain before the second, then by item id; ``random``; ``drop_tied_last_day``: users
            with several events on their last day are dropped and counted. It is applied to the
            50 events that the preprocessing left, so that users and items stay the same.
        tie_seed: seed of the random order of tied events.
        titles: whether items have their titles as text (``food-kitchen``, 95 % of its events;
            other items have none). The table has no address to be fetched from: it has to be at
            hand, or in a mirror, see `titles`.
        check_counts: compare with Table 1 (before ties are broken); from ratings, also the ids
            with the authors' maps.
    """

    pair: str = "food-kitchen"
    source: Literal["released", "ratings"] = "released"
    tie_break: Literal["asin", "random", "drop_tied_last_day"] = "asin"
    tie_seed: int = 0
    titles: bool = False
    check_counts: bool = True

    def __post_init__(self) -> None:
        if self.pair not in FOLDERS:
            raise HandledError(
                f"amazon-merit has no pair '{self.pair}'{near(self.pair, FOLDERS)}; "
                f"it has: {', '.join(FOLDERS)}"
            )
        if self.tie_seed < 0:
            raise HandledError(f"amazon-merit: tie_seed is {self.tie_seed}, below 0")
        if self.titles and self.pair not in TITLES:
            raise HandledError(
                f"amazon-merit has no titles for {self.pair}; it has them for {', '.join(TITLES)}"
            )


class AmazonMerit(DatasetDefinition):
    """Users with at least five events in each of two domains, their latest 50.

    Items have text with the option ``titles`` alone.

    Item n of the interactions is the authors' item n + 1. Times are days: 31 % of neighbouring
    events tie, and for 32 % of the users of food-kitchen the tie rule decides the test target.
    """

    Options = Options

    def domains(self, data_root: Path | None = None) -> tuple[str, ...]:
        """The pair's two."""
        return tuple(self.options.pair.split("-"))

    def files(self) -> list[RemoteFile]:
        """Sequences and two maps; from ratings: two tables, and the maps to check them with.

        With titles, their table comes last.
        """
        from recmerge_bench.toolkit.data.download import RemoteFile

        code, *categories = FOLDERS[self.options.pair]
        released = [f"{code}/{n}_50" for n in ("map_item", "map_user")]
        if self.options.source == "released":
            released.insert(0, f"{code}/{code}_50_preprocessed")
        elif not self.options.check_counts:
            released = []
        files = [
            RemoteFile(f"{n}.txt", f"{ADDRESS}{n}.txt", CHECKSUMS.get(f"{n}.txt")) for n in released
        ]
        if self.options.source == "ratings":
            names = [f"ratings_{c}.csv" for c in categories]
            files = [RemoteFile(n, f"{RATINGS}{n}") for n in names] + files
        if self.options.titles:
            name = TITLES[self.options.pair]
            files.append(RemoteFile(name, "", CHECKSUMS[name]))
        return files

    def sources(self, data_root: Path | None) -> list[Path]:
        """The files of `files`."""
        from recmerge_bench.toolkit.data.download import locate

        o = self.options
        some = f" --set pair={o.pair}"
        some += f" --set source={o.source}" if o.source != "released" else ""
        some += " --set titles=true" if o.titles else ""
        try:
            return locate(self.files(), "amazon-merit", data_root, some)
        except Blocked as missing:
            raise Blocked(missing.reason, missing.remedy + self._hint()) from None

    def fetch(self, data_root: Path | None, mirror: str | None) -> list[Path]:
        """Download the files that are not there."""
        from recmerge_bench.toolkit.data.download import fetch

        try:
            return fetch(self.files(), "amazon-merit", data_root, mirror)
        except DataError:
            raise
        except HandledError as error:
            raise HandledError(f"{error}{self._hint()}") from None

    def _hint(self) -> str:
        if (self.options.pair, self.options.source) != ("movie-book", "released"):
            return ""
        return (
            " (the authors' repository has them in data/amb, the sequences are over 4 MiB; "
            "source=ratings makes them anew)"
        )

    def load(self, data_root: Path | None) -> Interactions:
        """Read the files.

        Raises:
            DataError: a file is not of its form or not the right one.
        """
        from recmerge_bench_plugins.datasets.amazon_merit.pairs import build, read_release
        from recmerge_bench_plugins.datasets.amazon_merit.ratings import make_pair
        from recmerge_bench_plugins.datasets.amazon_merit.ties import break_ties
        from recmerge_bench_plugins.datasets.amazon_merit.titles import with_titles

        paths = self.sources(data_root)
        titles = paths.pop() if self.options.titles else None
        if self.options.source == "released":
            pair = read_release(*paths)
        else:
            pair = make_pair(paths[0], paths[1])
        if self.options.check_counts:
            self.check(pair, paths)
        names = self.options.pair.split("-")
        built = build(pair, (names[0], names[1]))
        if titles is not None:
            built = with_titles(built, titles)
        return break_ties(built, self.options.tie_break, self.options.tie_seed)

    def check(self, pair: Pair, paths: list[Path]) -> None:
        """Table 1 and, where they were made from ratings, the authors' ids."""
        from recmerge_bench_plugins.datasets.amazon_merit.pairs import read_items, read_users

        if self.options.source == "ratings":
            items, users = paths[2:]
            if (pair.items, pair.n_first) != read_items(items):
                raise DataError("the items made from the ratings are not those of this map", items)
            if pair.users != read_users(users):
                raise DataError("the users made from the ratings are not those of this map", users)
        counts = pair.counts()
        for what, expected in TABLE_1[self.options.pair].items():
            if counts[what] != expected:
                raise DataError(
                    f"{what} are {counts[what]}, Table 1 has {expected}: another file? "
                    "(check_counts=false takes it)", paths[0],
                )  # fmt: skip


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``amazon-merit``."""
    return [
        DatasetSpec(
            "amazon-merit", f"{__name__}:AmazonMerit",
            "MERIT's pairs of Amazon domains with the same users",
            licence="UCSD Amazon reviews: research use",
            citation="MERIT, MM 2025, Table 1; McAuley et al., SIGIR 2015",
        )
    ]  # fmt: skip
