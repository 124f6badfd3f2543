"""``<suite>.groups.json``: which test targets belong to which group, and metrics by group.

Groups come from the events and the cut alone (`recmerge_bench.data.slices`), so that they are the
same for every method; metrics by group derive from the stored ranks.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recmerge_bench import schema_numbers
from recmerge_bench.data.slices import slices
from recmerge_bench.errors import DataError
from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.names import MEAN
from recmerge_bench.registry import Registry
from recmerge_bench.results.beside import PackedGroup, read_groups
from recmerge_bench.results.metrics import metric_values
from recmerge_bench.results.reader import Reader
from recmerge_bench.results.run_manifest import RunManifest
from recmerge_bench.results.split import split_of

#: Quantile groups of history length and popularity (MergeRec, Fig. 5, has five).
BINS = 5


@dataclass(frozen=True)
class Group:
    """Some of the test targets of a split.

    Attributes:
        name: kebab-case.
        about: what they have in common.
        rows: bool [T], in the order of the split's test targets.
    """

    name: str
    about: str
    rows: NDArray[np.bool_]

    def to_json(self) -> dict[str, Any]:
        """Bits, packed."""
        packed = zlib.compress(np.packbits(self.rows).tobytes(), 9)
        return {
            "name": self.name,
            "about": self.about,
            "instances": len(self.rows),
            "rows": base64.b64encode(packed).decode("ascii"),
        }

    @classmethod
    def unpacked(cls, packed: PackedGroup) -> Group:
        """What `to_json` gave.

        Raises:
            ValueError: the bits are not those of so many targets.
        """
        count = packed.instances
        most = -(-count // 8)
        reader = zlib.decompressobj()
        data = reader.decompress(base64.b64decode(packed.rows, validate=True), most + 1)
        if len(data) != most:
            raise ValueError(f"group {packed.name}: {len(data)} bytes for {count} targets")
        bits = np.unpackbits(np.frombuffer(data, np.uint8), count=count).astype(bool)
        return cls(packed.name, packed.about, bits)


def make_groups(
    reader: Reader, manifest: RunManifest, wanted: Sequence[str]
) -> dict[str, list[Group]]:
    """Key of a split -> its groups whose names begin with one of `wanted`.

    Raises:
        HandledError: the protocol's sequences have no known times.
    """
    groups_by_split: dict[str, list[Group]] = {}
    for result in manifest.results:
        if not result.done:
            continue
        key = reader.source(result, "split")
        if key in groups_by_split:
            continue
        split, interactions = split_of(reader, result)
        groups_by_split[key] = [
            Group(s.name, s.about, s.rows)
            for s in slices(split, interactions, bins=BINS)
            if s.name.startswith(tuple(wanted))
        ]
    return groups_by_split


def by_group(
    registry: Registry, metric: str, table: RankTable, groups: Sequence[Group]
) -> dict[str, dict[str, float]]:
    """Group -> domain -> the metric's mean, and ``mean``: over the domains that it has."""
    values = metric_values(registry, [metric], table)[metric]
    means_by_group = {}
    for group in groups:
        if len(group.rows) != len(values):
            raise DataError(f"group {group.name} has {len(group.rows)} targets, not {len(values)}")
        means = {}
        for number, domain in enumerate(table.domains):
            of_group = group.rows & (table.domain == number)
            if of_group.any():
                means[domain] = float(values[of_group].mean())
        if means:
            means_by_group[group.name] = {**means, MEAN: float(np.mean(list(means.values())))}
    return means_by_group


def groups_json(suite: str, groups: Mapping[str, Sequence[Group]]) -> dict[str, Any]:
    """The file's content."""
    splits = {key: [g.to_json() for g in some] for key, some in sorted(groups.items())}
    return {"schema": schema_numbers.GROUPS, "suite": suite, "splits": splits}


def load_groups(path: Path) -> dict[str, list[Group]]:
    """Key of a split -> its groups; none where there is no file.

    Raises:
        DataError: the file is damaged or of another schema.
    """
    if not path.is_file():
        return {}
    try:
        return {key: [Group.unpacked(g) for g in some] for key, some in read_groups(path).items()}
    except (ValueError, zlib.error) as error:
        raise DataError(f"no groups of test targets ({error}); build them again", path) from None


def groups_path(records: Path) -> Path:
    """The groups beside a records file."""
    return records.with_name(f"{records.stem}.groups.json")
