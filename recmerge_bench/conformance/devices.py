"""The second device that a requirement is tried on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from recmerge_bench.conformance.requirement import Untried
from recmerge_bench.conformance.subject import Subject


@contextmanager
def some_device(subject: Subject) -> Iterator[str]:
    """Name the device beside the CPU.

    Raises:
        Untried: there is none here.
    """
    import torch

    if subject.device == "cpu" and not torch.cuda.is_available():
        raise Untried("no CUDA device here")
    yield subject.device if subject.device != "cpu" else "cuda"


__all__ = ["some_device"]
