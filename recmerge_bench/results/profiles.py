"""``datasets/<fingerprint>.json`` beside the records: how a dataset's events are spread.

Data are not committed, so such a file is made where they are (`recmerge-bench datasets profile`),
and its totals are compared with the sizes that records state for the same fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from pydantic import Field, NonNegativeInt

from recmerge_bench.data.codec import fingerprint
from recmerge_bench.data.interactions import Interactions
from recmerge_bench.data.profile import spread
from recmerge_bench.errors import DataError
from recmerge_bench.files import write_json
from recmerge_bench.results.header import Size
from recmerge_bench.typed import Value, checked
from recmerge_bench.untrusted.jsons import read_json

REMEDY = "`recmerge-bench datasets profile` writes it again"
#: From, to and how many; JSON has no tuples.
Bin = Annotated[tuple[NonNegativeInt, NonNegativeInt, NonNegativeInt], Field(strict=False)]


class Profile(Value):
    """Counts of a dataset's events (`recmerge_bench.data.profile.Spread`).

    Attributes:
        dataset: its name.
        fingerprint: of the events, 64 hex digits (`recmerge_bench.data.codec.fingerprint`).
        users: in all.
        events: in all.
        lengths: from, to and users, by events that a user has.
        popularity: domain -> from, to and items, by events that an item has.
        tied: events that share their time with another event of the same user.
    """

    dataset: str
    fingerprint: str
    users: NonNegativeInt
    events: NonNegativeInt
    lengths: list[Bin]
    popularity: dict[str, list[Bin]]
    tied: NonNegativeInt


def profile(name: str, interactions: Interactions) -> Profile:
    """Of loaded data."""
    return Profile(dataset=name, fingerprint=fingerprint(interactions),
                   **asdict(spread(interactions)))  # fmt: skip


def profiles_of(records: Path) -> Path:
    """Where the profiles of a folder of records lie: ``datasets`` beside ``records``."""
    return records.parent / "datasets"


def save_profile(folder: Path, made: Profile) -> Path:
    """Write a profile under the first digits of its fingerprint; the file."""
    path = folder / f"{made.fingerprint[:16]}.json"
    write_json(path, made.to_json())
    return path


def load_profiles(folder: Path) -> dict[str, Profile]:
    """Fingerprint -> profile, of all files of a folder; none where there is no folder.

    Raises:
        DataError: a file is damaged, or named after another fingerprint.
    """
    profiles = {}
    for path in sorted(folder.glob("*.json")):
        read = checked(Profile, read_json(path), path, "no profile of a dataset", REMEDY)
        if path.stem != read.fingerprint[:16]:
            raise DataError("is not named after the fingerprint that it gives", path)
        profiles[read.fingerprint] = read
    return profiles


def profile_faults(folder: Path, sizes: Iterable[tuple[str, Size]]) -> list[str]:
    """Profiles of no data of the records, or whose totals are not those that records state."""
    known, faults = dict(sizes), []
    for key, made in load_profiles(folder).items():
        place, size = folder / f"{key[:16]}.json", known.get(key)
        items = {domain: sum(n for *_, n in bins) for domain, bins in made.popularity.items()}
        totals = (made.users, made.events, items)
        if size is None:
            faults.append(f"{place}: no records are of data with this fingerprint")
        elif totals != (size.users, size.events, size.items) or made.users != sum(
            n for *_, n in made.lengths
        ):
            faults.append(f"{place}: its counts are not those that records state for these data")
    return faults
