"""Requirements tried in a process of their own: one that ends or hangs costs that one alone."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any

from recmerge_bench.conformance.requirement import (
    Outcome,
    Requirement,
    failed,
    in_order,
    not_tried,
    try_requirement,
)
from recmerge_bench.processes.words import how_it_died

#: Makes the subject, in the process where it is tried.
Make = Callable[[], Any]
_FORKS = "fork" in multiprocessing.get_all_start_methods()


def outcomes(wanted: Sequence[Requirement], make: Make, patience: float) -> Iterator[Outcome]:
    """Try requirements one after another; where the process dies, the next goes on in another.

    Where the first fails, the others are not tried.

    Args:
        wanted: in their order.
        make: the subject; called in the process, once for each process.
        patience: seconds for each requirement.
    """
    if not _FORKS:  # nothing can be handed to a new interpreter: the plugin may be a file
        yield from in_order(wanted, make())
        return
    left = list(wanted)
    while left:
        for outcome in _in_one(left, make, patience):
            tried = left.pop(0)
            yield outcome
            if tried is wanted[0] and outcome.status == "failed":
                yield from (not_tried(each, tried) for each in left)
                return


def _in_one(left: Sequence[Requirement], make: Make, patience: float) -> Iterator[Outcome]:
    """What one process says, until it has said all or is gone."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(theirs, tuple(left), make), daemon=True)
    process.start()
    theirs.close()
    try:
        for each in list(left):
            if not ours.poll(patience):
                yield failed(each, f"it did not end within {patience:.0f} s", _ENDLESS)
                return
            try:
                yield Outcome(**ours.recv())
            except EOFError:
                process.join(5)
                yield failed(each, how_it_died(process.exitcode or 0), _GONE)
                return
    finally:
        process.kill()
        process.join()
        ours.close()


_ENDLESS = "look for a loop without an end, a lock, or a wait for another process; --patience"
_GONE = "raise an error for what goes wrong: never os._exit(), sys.exit() or a signal"


def _serve(pipe: Connection, wanted: Sequence[Requirement], make: Make) -> None:
    os.dup2(2, 1)  # a command's output is its own
    sys.stdout = sys.stderr
    _one_thread()
    subject = make()
    for each in wanted:
        pipe.send(try_requirement(each, subject).to_json())


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


__all__ = ["outcomes"]
