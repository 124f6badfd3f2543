"""Names in a suite: nothing is listed twice, and no name stands for two things."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from recmerge_bench.errors import HandledError
from recmerge_bench.names import repeated, same_file, wrong_domains
from recmerge_bench.yaml_text import Place

if TYPE_CHECKING:
    from recmerge_bench.planning.suite import Row, Suite, Track

#: What is wrong, and where it stands.
Fault = tuple[Place, str]


def check_names(suite: Suite, where: Callable[[Place], str]) -> None:
    """Refuse a suite that names a thing twice, or two things alike.

    Args:
        suite: to check.
        where: what an error about a place begins with.

    Raises:
        HandledError: it does.
    """
    for place, fault in _faults(suite):
        raise HandledError(f"{where(place)}{fault}")


def variant_of(row: Row) -> str:
    """What tells a row from others of its method: said, or made of its options.

    A row that is searched is called so, whatever the search chooses.
    """
    if row.variant is not None:
        return row.variant
    parts = [f"{k}={row.options[k]}" for k in sorted(row.options)]
    return ",".join([*parts, *(["tuned"] if row.tune else [])])


def _faults(suite: Suite) -> Iterator[Fault]:
    for end in ("-full", "-cost"):
        if suite.name.endswith(end):
            yield (
                ("name",),
                (
                    f"its board would be the file '{suite.name}.md' of suite "
                    f"'{suite.name.removesuffix(end)}'; choose another name"
                ),
            )
    for key in ("seeds", "metrics", "groups"):
        yield from _twice((key,), getattr(suite, key))
    for name, track in suite.tracks.items():
        yield from _track(("tracks", name), track)
    for name, figure in suite.figures.items():
        for key in ("tracks", "methods"):
            yield from _twice(("figures", name, key), getattr(figure, key))
    yield from _files(suite)


def _twice(place: Place, values: Sequence[object] | None) -> Iterator[Fault]:
    for later, _ in repeated(values or ()):
        yield (*place, later), f"{place[-1]} has {values[later]!r} twice"  # type: ignore[index]


def _track(place: Place, track: Track) -> Iterator[Fault]:
    base = track.base.domains if track.base else ()
    for key, names in (
        ("domains", track.domains), ("experts", track.experts), ("source", track.source),
        ("base", base),
    ):  # fmt: skip
        fault = wrong_domains(names)
        if fault:
            yield (*place, key), f"{key}: {fault}"
    for key in ("protocols", "seeds"):
        yield from _twice((*place, key), getattr(track, key))
    for number, row in enumerate(track.rows):
        yield from _twice((*place, "rows", number, "backbones"), row.backbones)
    for use in (track.paper,) if track.paper else ():
        yield from _twice((*place, "paper", "units"), use.units)
        for name, some in use.backbones.items():
            yield from _twice((*place, "paper", "backbones", name), some)
    yield from _rows((*place, "rows"), track)


def _rows(place: Place, track: Track) -> Iterator[Fault]:
    """Rows that boards could not tell apart."""
    names: dict[tuple[str, ...], list[tuple[int, Row]]] = {}
    for number, row in enumerate(track.rows):
        if row.variant is not None and _like_recipe(row.variant):
            yield (
                (*place, number),
                (
                    f"the variant '{row.variant}' of '{row.method}' reads like a recipe; say it as "
                    "`recipe:`"
                ),
            )
        profile = track.profile if row.profile is None else row.profile
        name = (row.method, variant_of(row), row.recipe, profile)
        for before, other in names.setdefault(name, []):
            if not row.backbones or not other.backbones or {*row.backbones} & {*other.backbones}:
                yield (*place, number), _alike(number, before, row, other)
        names[name].append((number, row))


def _alike(number: int, before: int, row: Row, other: Row) -> str:
    same = row.model_copy(update={"backbones": ()}) == other.model_copy(update={"backbones": ()})
    which = f"rows {before + 1} and {number + 1}"
    if same:
        return f"{which} are one row, '{row.method}', listed twice"
    return f"{which} would have one name, '{row.method}'; tell them apart by `variant:`"


def _like_recipe(variant: str) -> bool:
    last = variant.rpartition(";")[2].split()
    recipes = ("paper", "released", "released-2", "fixed")
    return len(last) == 2 and last[1] == "recipe" and last[0] in recipes


def _files(suite: Suite) -> Iterator[Fault]:
    """Tables, domains and figures whose files would be one."""
    taken: dict[str, str] = {}
    for name, track in suite.tracks.items():
        for protocol in track.protocols:
            described = f"track '{name}' under '{protocol}'"
            for parts, what in (
                (("table", name, protocol), described),
                *((("domain", name, protocol, d), f"'{d}' of {described}") for d in track.domains),
                (("figure", "cost-pareto", name, protocol), f"the cost figure of {described}"),
            ):
                other = taken.setdefault(same_file(*parts), what)
                if other != what:
                    yield ("tracks", name), f"the files of {what} would be those of {other}"
    for name in suite.figures:
        what = f"figure '{name}'"
        other = taken.setdefault(same_file("figure", name), what)
        if other != what:
            yield ("figures", name), f"the files of {what} would be those of {other}"
