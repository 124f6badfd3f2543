"""MovieLens-100K as the RecBole wheel carries it, its genres as domains; RecBole not imported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recmerge_bench.api import (
    Blocked,
    DataError,
    DatasetDefinition,
    DatasetSpec,
    Interactions,
    Spec,
    hookimpl,
)

GENRES = {
    "romance": {"Romance"},
    "thriller": {"Thriller", "Crime", "Horror", "Mystery", "Film-Noir"},
    "action": {"Action", "Adventure", "War", "Western", "Sci-Fi", "Fantasy"},
    "comedy": {"Comedy", "Children's", "Animation", "Musical"},
}
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
        """``ml-100k.inter`` and ``ml-100k.item``, of `data_root` if they are there.

        Raises:
            Blocked: RecBole's wheel is not installed.
        """
        names = ("ml-100k.inter", "ml-100k.item")
        if data_root is not None and all((data_root / "ml-100k" / n).is_file() for n in names):
            return [data_root / "ml-100k" / n for n in names]
        from importlib.metadata import PackageNotFoundError, distribution

        mend = "pip install -c constraints.txt 'recbole==1.2.1' (Python < 3.12)"
        try:
            files = distribution("recbole").files or []
        except PackageNotFoundError:
            raise Blocked("ml-100k comes with the recbole wheel, which is absent", mend) from None
        listed = {f.name: Path(str(f.locate())) for f in files if f.parent.name == "ml-100k"}
        found = [listed[n] for n in names if n in listed and listed[n].is_file()]
        if len(found) < len(names):
            raise Blocked("this recbole has no ml-100k files", mend)
        return found

    def load(self, data_root: Path | None) -> Interactions:
        """Read events and films.

        Raises:
            DataError: the files are not those of MovieLens-100K.
        """
        from recmerge_bench.data.atomic import read_table
        from recmerge_bench.data.build import Columns, Item, build_interactions

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
        mine = set(genres.split(" "))
        return next((name for name, group in GENRES.items() if group & mine), REST)

    def check(self, built: Interactions, file: Path) -> None:
        """Counts as published."""
        sizes = {d: built.catalogue.size(d) for d in built.catalogue.domains}
        expected = {"movies": 1682} if self.options.whole else SIZES
        if sizes != expected or len(built.items) != EVENTS:
            raise DataError(
                f"not MovieLens-100K: {len(built.items)} events and items {sizes}, "
                f"expected {EVENTS} and {expected}", file,
            )  # fmt: skip


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
            licence=licence,
            citation="Harper and Konstan, The MovieLens Datasets, ACM TiiS 2015",
        )
        for name, whole, summary in (
            ("ml-100k", False, "MovieLens-100K, five genre domains, shared users"),
            ("ml-100k-whole", True, "MovieLens-100K, all films as one domain"),
        )
    ]
