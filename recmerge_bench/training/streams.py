"""Which sequences a training reads, and how initial weights are put in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Split
from recmerge_bench.definitions import Backbone
from recmerge_bench.errors import DataError
from recmerge_bench.policy import action
from recmerge_bench.training.batches import Stream

Scope = Literal["domain", "mixed"]


def training_streams(
    split: Split, catalogue: Catalogue, domains: Sequence[str], scope: Scope, users: float = 1.0
) -> list[Stream]:
    """Streams of a training: one for each domain, or one of mixed sequences.

    With `users` below 1, that share of each stream's sequences, at least one.

    Raises:
        DataError: the split was not cut for this scope, or nothing is left to learn from.
        ValueError: an unknown scope.
    """
    streams = _whole_streams(split, catalogue, domains, scope)
    if users < 1:
        streams = [_share(stream, users) for stream in streams]
    streams = [stream for stream in streams if stream.n_targets]
    if not streams:
        raise DataError(f"no training sequence of {', '.join(domains)} has two events")
    return streams


def _whole_streams(
    split: Split, catalogue: Catalogue, domains: Sequence[str], scope: Scope
) -> list[Stream]:
    """Streams of all the training sequences, where the split was cut for the scope."""
    mixed = bool((split.sequences.domains < 0).any())
    if scope == "mixed":
        if not mixed:
            raise DataError("this model needs sequences of mixed domains: use such a protocol")
        return [Stream(tuple(domains), *split.sequences.training())]
    if scope != "domain":
        raise ValueError(f"scope must be 'domain' or 'mixed', not {scope!r}")
    if mixed:
        raise DataError("this model needs one domain a sequence: use such a protocol")
    return [
        Stream((name,), *split.sequences.training(catalogue.domains.index(name)))
        for name in domains
    ]


def _share(stream: Stream, users: float) -> Stream:
    """The first sequences of a random order that depends on nothing but their number."""
    lengths = np.diff(stream.offsets)
    order = np.random.Generator(np.random.Philox(key=len(lengths))).permutation(len(lengths))
    keep = np.sort(order[: max(1, int(users * len(lengths)))])
    offsets = np.concatenate([[0], np.cumsum(lengths[keep])]).astype(np.int64)
    inside = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths[keep])
    items = stream.items[np.repeat(stream.offsets[keep], lengths[keep]) + inside]
    return Stream(stream.scope, offsets, items)


def load_init(
    definition: Backbone, net: nn.Module, init: Mapping[str, Tensor], catalogue: Catalogue
) -> None:
    """Copy initial weights by name.

    Per-domain weights of domains that the net lacks are passed over, as are those that the policy
    drops (heads of a pre-training); the net's own that `init` lacks keep the values `build` gave
    them.

    Raises:
        ValueError: an unknown name, another shape, or a shared weight is missing.
    """
    state = net.state_dict()
    _check_names(definition, state, init, catalogue)
    shared = [name for name in init if name in state]
    for name in shared:
        if state[name].shape != init[name].shape:
            raise ValueError(
                f"initial weight {name!r} has shape {tuple(init[name].shape)}, "
                f"the net's is {tuple(state[name].shape)}"
            )
    with torch.no_grad():
        for name in shared:
            state[name].copy_(init[name])


def _check_names(
    definition: Backbone,
    state: Mapping[str, Tensor],
    init: Mapping[str, Tensor],
    catalogue: Catalogue,
) -> None:
    """Initial weights are the net's, and none that domains share is missing.

    Raises:
        ValueError: an unknown name, or a missing one.
    """
    for name in [n for n in init if n not in state]:
        if not _may_be_foreign(name, definition, catalogue):
            raise ValueError(f"initial weight {name!r} is unknown to the net")
    for name in [n for n in state if n not in init]:
        if action(name, definition.policy) in ("merge", "base"):
            raise ValueError(f"the initial weights lack {name!r}")


def _may_be_foreign(name: str, definition: Backbone, catalogue: Catalogue) -> bool:
    """Whether an initial weight may be none of the net's: another domain's, or one to drop."""
    fate = action(name, definition.policy)
    of_domain = any(part in catalogue.domains for part in name.split("."))
    return fate == "drop" or (fate == "domain" and of_domain)
