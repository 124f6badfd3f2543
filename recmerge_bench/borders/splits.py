"""Protocols: their rules at the plan, and what they cut."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from recmerge_bench.blame import wrong
from recmerge_bench.borders.arrays import Fault, check_array, check_offsets, check_range
from recmerge_bench.data.interactions import Interactions
from recmerge_bench.data.sequences import Instances, Sequences, Split
from recmerge_bench.definitions import Phases, ProtocolDefinition


@dataclass(frozen=True)
class Rules:
    """What a protocol says of itself; see `ProtocolDefinition`."""

    split_options: Mapping[str, Any]
    candidates: int | None
    candidate_seed: int
    cap_candidates: bool
    mask_history: bool
    shuffle_seed: int | None = None
    phases: Phases | None = None


def _is_json(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


def _is_whole(value: object, least: int) -> bool:
    return type(value) is int and value >= least


def rules_of(protocol: ProtocolDefinition) -> Rules:
    """A protocol's answers, checked.

    Raises:
        PluginError: one is of another type, or out of range.
    """
    options = protocol.split_options()
    if not isinstance(options, dict) or not _is_json(options):
        raise wrong(protocol, "split_options", f"gave {options!r}; it gives JSON values by name")
    count, order = protocol.candidates(), protocol.shuffle_seed()
    if count is not None and not _is_whole(count, 1):
        raise wrong(protocol, "candidates", f"gave {count!r}; it gives a number from 1, or None")
    if order is not None and not _is_whole(order, 0):
        raise wrong(protocol, "shuffle_seed", f"gave {order!r}; it gives a number from 0, or None")
    seed = protocol.candidate_seed()
    if not _is_whole(seed, 0):
        raise wrong(protocol, "candidate_seed", f"gave {seed!r}; it gives a number from 0")
    capped, masked = protocol.cap_candidates(), protocol.mask_history()
    for method, answer in (("cap_candidates", capped), ("mask_history", masked)):
        if type(answer) is not bool:
            raise wrong(protocol, method, f"gave {answer!r}; it gives True or False")
    return Rules(options, count, seed, capped, masked, order, _phases_of(protocol))


def _phases_of(protocol: ProtocolDefinition) -> Phases | None:
    """Its phases, checked.

    Raises:
        PluginError: they are none, or none is trained on, or none tested.
    """
    phases = protocol.phases()
    if phases is None:
        return None
    fault = partial(wrong, protocol, "phases")
    if not isinstance(phases, Phases):
        raise fault(f"gave {phases!r}; it gives Phases or None")
    if not all(_is_whole(n, 0) for n in (phases.count, phases.warm, phases.after)):
        raise fault("gave numbers that are no whole numbers from 0")
    if not 1 <= phases.warm < phases.count or phases.after >= phases.count:
        raise fault(f"gave {phases}; 1 <= warm < count, and after < count")
    return phases


def checked_split(
    protocol: ProtocolDefinition,
    interactions: Interactions,
    domains: Sequence[str],
    unscored: Sequence[str] = (),
    span: tuple[int, int] | None = None,
) -> Split:
    """`ProtocolDefinition.split`, checked against the events that it was cut from.

    `span` are the first and the last phase that are trained on, for `phase_split` in its place.

    Raises:
        DataError: nothing is left to train on or to rank.
        PluginError: it is not what `Split` says, or trains on what it ranks.
    """
    if span is None:
        split, of = protocol.split(interactions, domains, unscored=unscored), "split"
    else:
        split, of = protocol.phase_split(interactions, domains, *span), "phase_split"
    fault = partial(wrong, protocol, of)
    if not isinstance(split, Split):
        raise fault(f"gave {type(split).__name__}; it gives a Split")
    names = interactions.catalogue.domains
    asked = np.array([names.index(d) for d in (*domains, *unscored)], np.int64)
    scored = np.array([names.index(d) for d in domains], np.int64)
    _check_sequences(fault, split.sequences, interactions, asked)
    _check_events(fault, split.sequences, interactions)
    for part, instances in (("valid", split.valid), ("test", split.test)):
        _check_instances(fault, part, instances, split.sequences, interactions, scored)
    valid, test = (_places(i, split.sequences) for i in (split.valid, split.test))
    if len(np.intersect1d(valid, test)):
        raise fault("asks for one event both in valid and in test")
    if not len(split.test):  # one domain may have none: boards leave it out
        raise fault("gave no test target")
    if span is None and (phases := _phases_of(protocol)) is not None:
        _check_phases(fault, split, phases)
    return split


def _check_phases(fault: Fault, split: Split, phases: Phases) -> None:
    """Every test target has its phase, one that is tested."""
    if split.phases is None:
        raise fault("gave no phases of its test targets")
    own = check_array(fault, "phases", split.phases, np.int16, (len(split.test),))
    if not np.isin(own, phases.tested).all():
        raise fault(f"gave test targets of phases that are none of {phases.tested}")


def _check_sequences(
    fault: Fault, returned: Sequences, interactions: Interactions, asked: np.ndarray
) -> None:
    if not isinstance(returned, Sequences):
        raise fault(f"gave {type(returned).__name__} as sequences; they are Sequences")
    users = check_array(fault, "sequences.users", returned.users, np.int32, (None,))
    items = check_array(fault, "sequences.items", returned.items, np.int32, (None,))
    offsets = check_offsets(fault, "sequences.offsets", returned.offsets, len(users), len(items))
    domains = check_array(fault, "sequences.domains", returned.domains, np.int16, (len(users),))
    ends = check_array(fault, "sequences.train_end", returned.train_end, np.int32, (len(users),))
    check_range(fault, "sequences.users", users, interactions.n_users)
    check_range(fault, "sequences.items", items, interactions.catalogue.n_items)
    if not np.isin(domains, [-1, *asked]).all():
        raise fault("gave sequences of domains that it was not asked for")
    if (ends < 0).any() or (ends > np.diff(offsets)).any():
        raise fault("gave train_end outside of its sequences")
    pairs = users.astype(np.int64) * (len(interactions.catalogue.domains) + 1) + domains + 1
    if len(np.unique(pairs)) < len(pairs):
        raise fault("gave two sequences of one user and domain")
    own = interactions.item_domains()[items]
    of = np.repeat(domains, np.diff(offsets))
    if not np.isin(own, asked).all() or ((of >= 0) & (own != of)).any():
        raise fault("gave sequences with items of other domains")


def _check_events(fault: Fault, sequences: Sequences, interactions: Interactions) -> None:
    """Sequences hold events of their user, each at most once, oldest first."""
    n_items = interactions.catalogue.n_items
    whose = np.repeat(np.arange(interactions.n_users), np.diff(interactions.offsets))
    known, first, count = np.unique(
        whose * n_items + interactions.items, return_index=True, return_counts=True
    )
    row = np.repeat(np.arange(len(sequences)), np.diff(sequences.offsets))
    keys = sequences.users[row].astype(np.int64) * n_items + sequences.items
    at = np.minimum(np.searchsorted(known, keys), max(len(known) - 1, 0))
    if len(keys) and (not len(known) or (known[at] != keys).any()):
        raise fault("gave a user events that the dataset does not have")
    for mixed in (False, True):
        part = (sequences.domains[row] < 0) == mixed
        used = np.bincount(at[part], minlength=len(known))
        if (used > count).any():
            raise fault("gave a user an event more often than the dataset has it")
    sure = count[at] == 1  # which of several equal events it is cannot be told
    times, rows = interactions.times[first[at[sure]]], row[sure]
    if ((np.diff(times) < 0) & (np.diff(rows) == 0)).any():
        raise fault("gave sequences that are not oldest first")


def _check_instances(
    fault: Fault,
    part: str,
    instances: Instances,
    sequences: Sequences,
    interactions: Interactions,
    scored: np.ndarray,
) -> None:
    if not isinstance(instances, Instances):
        raise fault(f"gave {type(instances).__name__} as {part}; they are Instances")
    size = (len(instances.targets),)
    for name, dtype in (("sequence", np.int32), ("position", np.int32), ("users", np.int32),
                        ("domains", np.int16), ("targets", np.int32)):  # fmt: skip
        check_array(fault, f"{part}.{name}", getattr(instances, name), dtype, size)
    check_range(fault, f"{part}.sequence", instances.sequence, len(sequences))
    lengths = np.diff(sequences.offsets)[instances.sequence]
    if (instances.position < 1).any() or (instances.position >= lengths).any():
        raise fault(f"gave {part}.position without a history, or outside of the sequence")
    if (instances.position < sequences.train_end[instances.sequence]).any():
        raise fault(f"trains on targets of {part}: train_end lies behind them")
    _check_targets(fault, part, instances, sequences, interactions)
    if not np.isin(instances.domains, scored).all():
        raise fault(f"gave targets of {part} in domains that are not scored")


def _check_targets(
    fault: Fault, part: str, instances: Instances, sequences: Sequences, interactions: Interactions
) -> None:
    """Targets stand where they say, are of the users and domains that they say, and only once."""
    places = _places(instances, sequences)
    if (sequences.items[places] != instances.targets).any():
        raise fault(f"gave {part}.targets that do not stand at {part}.position")
    if (sequences.users[instances.sequence] != instances.users).any():
        raise fault(f"gave {part}.users that are not their sequences'")
    if (interactions.item_domains()[instances.targets] != instances.domains).any():
        raise fault(f"gave {part}.domains that are not their targets'")
    if len(np.unique(places)) < len(places):
        raise fault(f"asks for one event twice in {part}")


def _places(instances: Instances, sequences: Sequences) -> np.ndarray:
    return np.asarray(sequences.offsets[instances.sequence] + instances.position, np.int64)
