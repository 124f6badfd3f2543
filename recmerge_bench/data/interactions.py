"""The one in-memory form of a dataset: flat integer arrays, items contiguous by domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class ItemTokens:
    """Item texts as tokens, without marks of beginning and end, flat.

    Attributes:
        ids: int32 [T].
        kinds: int8 [T]: 1 for an attribute's name, 2 for its value.
        offsets: int64 [I + 1]: item i has ``ids[offsets[i]:offsets[i + 1]]``.
        about: what a model has to know: special tokens, the encoder's architecture (JSON values).
        words: uint8 [T]: 1 where a word begins, 0 inside it; None where that was not stored.
    """

    ids: np.ndarray
    kinds: np.ndarray
    offsets: np.ndarray
    about: dict[str, Any]
    words: np.ndarray | None = None


@dataclass(frozen=True)
class Catalogue:
    """Items of all domains, numbered so that each domain's items are contiguous.

    Attributes:
        domains: names, in numbering order.
        domain_offsets: int64 [D + 1]; domain d holds the global items
            ``domain_offsets[d] .. domain_offsets[d + 1] - 1``.
        tokens: raw item ids as in the source files, by global item.
        texts: item text, by global item ("" where there is none); an attribute a line
            (``title: ...``) where the source tells attributes apart.
        vectors: float32 [I, width] of a frozen text encoder, by global item, where the model at
            hand asks for them (`Backbone.text_encoder`); else None.
        text_tokens: the texts' tokens, where it asks for those; else None.
    """

    domains: tuple[str, ...]
    domain_offsets: np.ndarray
    tokens: Sequence[str]
    texts: Sequence[str]
    vectors: np.ndarray | None = None
    text_tokens: ItemTokens | None = None

    @property
    def n_items(self) -> int:
        """Number of items of all domains."""
        return int(self.domain_offsets[-1])

    def span(self, domain: str) -> slice:
        """Global item numbers of a domain, as a slice."""
        d = self.domains.index(domain)
        return slice(int(self.domain_offsets[d]), int(self.domain_offsets[d + 1]))

    def size(self, domain: str) -> int:
        """Number of items of a domain."""
        s = self.span(domain)
        return s.stop - s.start


@dataclass(frozen=True)
class Interactions:
    """All events of a dataset, by user, in the documented order.

    Events of a user are sorted stably by (integer time, file order): row order in a file carries
    no other meaning, and that is the tie rule.

    Attributes:
        offsets: int64 [U + 1], events of user u are ``offsets[u] .. offsets[u + 1] - 1``.
        items: int32 [N], global item numbers (see `Catalogue`).
        times: int64 [N], integer time as in the source (seconds, milliseconds: the source's unit).
        user_tokens: raw user ids.
        catalogue: the items.
        report: counts of what was dropped, merged or capped on the way (name -> count).
    """

    offsets: np.ndarray
    items: np.ndarray
    times: np.ndarray
    user_tokens: Sequence[str]
    catalogue: Catalogue
    report: dict[str, int] = field(default_factory=dict)

    @property
    def n_users(self) -> int:
        """Number of users."""
        return len(self.offsets) - 1

    def item_domains(self) -> np.ndarray:
        """Domain number of every global item: int16 [I]."""
        sizes = np.diff(self.catalogue.domain_offsets)
        return np.repeat(np.arange(len(sizes), dtype=np.int16), sizes)
