"""Requirements that every kind has."""

from __future__ import annotations

import numpy as np

from recmerge_bench.conformance.requirement import Requirement, Unmet, requirement
from recmerge_bench.conformance.state import other_random_state
from recmerge_bench.conformance.subject import Subject, difference

#: Seconds and bytes that the tiny data may cost: a hundred times what they need.
SECONDS, BYTES = 20.0, 1 << 30


@requirement(
    "determinism",
    "the same seed and input give the same bytes",
    why="a cell is named by the hash of what goes into it: other bytes under one name are no "
    "result, and a rerun would contradict the board",
    remedy="draw from the seed or generator that is handed over (torch.Generator().manual_seed("
    "seed), np.random.default_rng(seed)), never from global state, the clock or the order of a set",
)
def same_bytes(subject: Subject) -> None:
    """Twice, the second time with another definition and other global random states."""
    first = subject.first().outputs
    with other_random_state():
        held, subject.definition = subject.definition, subject.again()
        try:
            second = subject.outputs()
        finally:
            subject.definition = held
    if fault := difference(first, second):
        raise Unmet(f"run twice with one seed, {fault}")


_RESEEDS = (
    "no torch.manual_seed() in a plugin: whatever draws next (dropout, another model) would repeat "
    "the same numbers. Draw from torch.Generator().manual_seed(seed) or batch.generator, or seed "
    "inside `with torch.random.fork_rng():`; layers may draw from the global generator as it is"
)


@requirement(
    "no-side-effects",
    "argv, environment, working directory, random states, default dtype and threads stay as "
    "they were",
    why="what is set for the whole process changes the results of whatever runs in it next",
    remedy="set nothing for the process; where a library needs it, put it back in a finally, or "
    "draw inside torch.random.fork_rng()",
)
def no_side_effects(subject: Subject) -> None:
    """One run of everything, watched."""
    if changed := subject.first().changed:
        raise Unmet(f"{subject.who} changed {' and '.join(changed)}")
    if reseeded := subject.reseeded():
        method, names = next(iter(reseeded.items()))
        raise Unmet(f"{subject.who}.{method}() reseeds {' and '.join(names)}", _RESEEDS)


@requirement(
    "time-and-memory",
    f"the tiny data cost at most {SECONDS:.0f} s and {BYTES >> 20} MiB",
    why="real data are ten thousand times as large",
    remedy="look for a loop over users, items or entries that a vectorised operation replaces, "
    "and for tables of all users by all items",
)
def cost(subject: Subject) -> None:
    """One run of everything, measured."""
    run = subject.first()
    seconds, taken = run.seconds, run.memory
    subject.measured["time-and-memory"] = {
        "seconds": round(seconds, 4), "mebibytes": round(taken / 2**20, 1)
    }  # fmt: skip
    if seconds > SECONDS:
        raise Unmet(f"{subject.who} took {seconds:.1f} s on the tiny data")
    if taken > BYTES:
        raise Unmet(f"{subject.who} took {taken >> 20} MiB on the tiny data")


def refuse_not_finite(outputs: dict[str, np.ndarray], what: str) -> None:
    """Raise where an array of floats holds NaN or infinity."""
    for name, array in outputs.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise Unmet(f"{what}: '{name}' holds NaN or infinite values")


COMMON: tuple[Requirement, ...] = (same_bytes, no_side_effects, cost)

__all__ = ["COMMON", "cost", "no_side_effects", "refuse_not_finite", "same_bytes"]
