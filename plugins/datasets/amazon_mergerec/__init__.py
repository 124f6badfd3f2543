"""MergeRec's eight Amazon domains, as its authors released them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from recmerge_bench.api import (
    DatasetDefinition,
    DatasetSpec,
    HandledError,
    Interactions,
    Spec,
    hookimpl,
    near,
)

if TYPE_CHECKING:
    from recmerge_bench.toolkit.data.download import RemoteFile

ADDRESS = "https://github.com/DIALLab-SKKU/MergeRec/raw/main/datasets/"
#: SHA-256 of the archives that were at hand; the others are trusted on first use.
CHECKSUMS = {
    "beauty": "178739b3d2d154a7355a112cc1998f714ac443cf96a9bed5bb09a487a00eeceb",
    "pantry": "446860493bda86a9c978280a210123fd17c298a746e97e4af11a65c96470252a",
    "sports": "3f6929b1bfb85f618bdf14e53a7afdb55a151837baf4b39b6babf1ef96448e54",
    "toys": "2dfc146e57c40a760110eb6bc0a3b51d2481d98f8c6b66be8535959269a50ba4",
}
#: Users, items, interactions: Table 5 of the paper.
COUNTS = {
    "arts": (56210, 22855, 492492),
    "beauty": (22363, 12101, 198502),
    "instruments": (27530, 10611, 231312),
    "office": (101499, 27932, 798912),
    "pantry": (14180, 4968, 137769),
    "scientific": (11041, 5327, 76896),
    "sports": (35598, 18357, 296337),
    "toys": (19412, 11924, 167597),
}


@dataclass(frozen=True)
class Options:
    """Options of amazon-mergerec.

    Attributes:
        domain_names: which of the eight are read, in numbering order.
        clean: undo HTML entities and take out tags in item text (off in the paper's recipes).
        check_counts: compare users, items and interactions with Table 5.
    """

    domain_names: tuple[str, ...] = tuple(COUNTS)
    clean: bool = False
    check_counts: bool = True

    def __post_init__(self) -> None:
        for name in self.domain_names:
            if name not in COUNTS:
                raise HandledError(f"amazon-mergerec has no domain '{name}'{near(name, COUNTS)}")


class AmazonMergeRec(DatasetDefinition):
    """Sequences without times: a place in a domain's sequence stands for the time.

    As nothing orders a person's events of two domains, a person is one user in each domain.
    Pantry is not quite 5-core: 3 users and 6 items have fewer than five events, and two users
    have no validation and test target (``leave-one-out`` with min_length 4, here protocol
    ``loo-released``, leaves those two out). Its repeats are kept.
    """

    Options = Options

    def domains(self, data_root: Path | None = None) -> tuple[str, ...]:
        """As the options say."""
        return tuple(self.options.domain_names)

    def files(self) -> list[RemoteFile]:
        """One archive a domain."""
        from recmerge_bench.toolkit.data.download import RemoteFile

        return [
            RemoteFile(f"{d.title()}.tar.gz", f"{ADDRESS}{d.title()}.tar.gz", CHECKSUMS.get(d))
            for d in self.options.domain_names
        ]

    def sources(self, data_root: Path | None) -> list[Path]:
        """The archives."""
        from recmerge_bench.toolkit.data.download import locate

        names = self.options.domain_names
        some = f" --set domain_names=[{','.join(names)}]" if set(names) != set(COUNTS) else ""
        return locate(self.files(), "amazon-mergerec", data_root, some)

    def fetch(self, data_root: Path | None, mirror: str | None) -> list[Path]:
        """Download the archives that are not there."""
        from recmerge_bench.toolkit.data.download import fetch

        return fetch(self.files(), "amazon-mergerec", data_root, mirror)

    def load(self, data_root: Path | None) -> Interactions:
        """Read the archives.

        Raises:
            DataError: an archive is not the right one, or its content is not what it should be.
        """
        from recmerge_bench_plugins.datasets.amazon_mergerec.released import build, read_domain

        parts = {}
        for domain, path in zip(self.options.domain_names, self.sources(data_root), strict=True):
            expected = COUNTS[domain] if self.options.check_counts else None
            parts[domain] = read_domain(path, domain, self.options.clean, expected)
        return build(parts)


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``amazon-mergerec``."""
    return [
        DatasetSpec(
            "amazon-mergerec", f"{__name__}:AmazonMergeRec",
            "MergeRec's eight Amazon domains with item text, as released",
            licence="UCSD Amazon reviews: research use",
            citation="MergeRec, KDD 2026, Table 5; Ni et al., EMNLP 2019; McAuley et al., 2015",
        )
    ]  # fmt: skip
