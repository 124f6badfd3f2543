"""Whether results of one suite fit each other: what no result can tell by itself."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from recmerge_bench.errors import DataError
from recmerge_bench.identity import FIELDS, Identity, Place
from recmerge_bench.planning.configuration import Configuration, hash_of

if TYPE_CHECKING:
    from recmerge_bench.results.records import Records, Result


class Named(Protocol):
    """A result, or what it cost."""

    @property
    def key(self) -> str:
        """Of the result's ranks."""

    @property
    def identity(self) -> Identity:
        """What tells it from the others."""


def check_tables(records: Records, path: Path) -> None:
    """Results stand in tables of the header, and all of a table have its domains.

    Raises:
        DataError: one does not.
    """
    domains: dict[Place, list[str]] = {}
    for number, result in enumerate(records.results):
        place = result.identity.place
        if place.track not in records.header.tracks:
            raise DataError(f"results.{number}: the header has no track '{place.track}'", path)
        if place.protocol not in records.header.tracks[place.track].protocols:
            raise DataError(
                f"results.{number}: track '{place.track}' has no protocol '{place.protocol}'", path
            )
        first = domains.setdefault(place, result.domains)
        if first != result.domains:
            raise DataError(
                f"results.{number}: other domains ({', '.join(result.domains)}) than the first "
                f"result of its table ({', '.join(first)})", path,
            )  # fmt: skip
    _check_derived(records, path)


def _check_derived(records: Records, path: Path) -> None:
    """Comparisons and mean ranks are of tables and metrics of the header."""
    places = {Place(t, p) for t, track in records.header.tracks.items() for p in track.protocols}
    for part in ("comparisons", "across"):
        for number, one in enumerate(getattr(records, part)):
            if one.place not in places or one.metric not in records.header.metrics:
                raise DataError(
                    f"{part}.{number}: the header has no such table, or no metric '{one.metric}'",
                    path,
                )


def check_configurations(results: Sequence[Result], path: Path) -> None:
    """Configurations are those that their hashes and identities say; seeds of a row are alike.

    Raises:
        DataError: one is not, or a row has seeds of different configurations.
    """
    known: dict[int, tuple[str, tuple[str, ...]]] = {}  # results of a file may share the object
    for number, result in enumerate(results):
        made = result.configuration
        if made is not None:
            if id(made) not in known:
                known[id(made)] = hash_of(made.recorded()), _named(made)
            _check_configuration(result, made, *known[id(made)], number, path)
    check_seeds(results, path)


#: What all seeds of one row of a suite have in common (`Identity.seedless`).
_seedless = attrgetter(*(name for name in FIELDS if name != "seed"))
#: What an identity says of a configuration.
SAYS = ("method", "backbone", "dataset", "protocol", "profile", "recipe")
_said = attrgetter(*SAYS)


def _named(made: Configuration) -> tuple[str, ...]:
    """What the identity of a result that was made so says: `SAYS`."""
    backbone = made.backbone.name if made.backbone else ""
    parts = (made.method.name, backbone, made.dataset.name, made.protocol.name)
    return (*parts, made.profile, made.recipe)


def _check_configuration(
    result: Result, configuration: Configuration, digest: str, named: tuple[str, ...],
    number: int, path: Path,
) -> None:  # fmt: skip
    """A configuration is the one that its hash says, and of this result.

    Args:
        result: that has it.
        configuration: the result's.
        digest: of the configuration.
        named: by the configuration.
        number: of the result.
        path: of the file.
    """
    says = _said(result.identity)
    if says != named:
        field, said, value = next(x for x in zip(SAYS, says, named, strict=True) if x[1] != x[2])
        raise DataError(
            f"results.{number}: its identity says {field} '{said}', its configuration "
            f"'{value}'; build the records again",
            path,
        )
    of_domains = configuration.phase_models is None  # else columns are phases of the one domain
    if result.done and of_domains and configuration.domains != result.domains:
        raise DataError(f"results.{number}: its configuration is of other domains", path)
    if digest != result.configuration_sha256:
        raise DataError(
            f"results.{number}: configuration_sha256 is not that of the configuration beside it; "
            "restore the file or build it again",
            path,
        )


def check_seeds(results: Sequence[Result], path: Path) -> None:
    """Seeds of one row are made alike: their mean is of one method.

    Raises:
        DataError: a row has seeds of different configurations.
    """
    seen: dict[tuple[str, ...], tuple[int, str]] = {}
    for number, result in enumerate(results):
        made = result.configuration_sha256
        if not made:
            continue
        before, other = seen.setdefault(_seedless(result.identity), (number, made))
        if other != made:
            raise DataError(
                f"results.{before} and results.{number} are seeds of one row, "
                f"'{result.identity.method}', and were made with different configurations: run "
                "all its seeds alike, or give the rows variants of their own",
                path,
            )


def check_named_once(entries: Sequence[Named], path: Path) -> None:
    """No two results have one identity.

    Raises:
        DataError: two have.
    """
    seen: dict[Identity, tuple[int, str]] = {}
    for number, entry in enumerate(entries):
        before, key = seen.setdefault(entry.identity, (number, entry.key))
        if before == number:
            continue
        who = entry.identity
        places = f"results.{before} and results.{number}"
        name = f"{who.method} ({who.variant or 'no variant'}, track {who.track})"
        if key == entry.key:
            raise DataError(f"{places} are one result, {name}, listed twice", path)
        raise DataError(
            f"{places} are different and both called {name}; give these rows of the suite "
            "variants of their own", path,
        )  # fmt: skip
