"""The process's own state that a plugin may not change: looked at, compared, put back."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np

#: What of the environment libraries set for themselves when they are first used.
_OF_LIBRARIES = ("KMP_", "OMP_", "MKL_", "CUDA_MODULE_LOADING", "TORCHINDUCTOR_", "PYTORCH_", "TF_")


def state() -> dict[str, Any]:
    """What is watched, by its name in messages. Torch's part only where torch is imported."""
    values: dict[str, Any] = {
        "sys.argv": list(sys.argv),
        "os.environ": {k: v for k, v in os.environ.items() if not k.startswith(_OF_LIBRARIES)},
        "the working directory": os.getcwd(),
        "Python's random state (random)": random.getstate(),
        "numpy's global random state": _numpy_random(),
        "numpy's error handling (np.seterr)": np.geterr(),
        "the handler of SIGINT": signal.getsignal(signal.SIGINT),
        "the handler of SIGTERM": signal.getsignal(signal.SIGTERM),
    }
    if "torch" in sys.modules:
        values |= _torch_state()
    return values


def _numpy_random() -> tuple[Any, ...]:
    name, keys, *rest = np.random.get_state(legacy=True)
    return (name, np.asarray(keys).tobytes(), *rest)


def _torch_state() -> dict[str, Any]:
    import torch

    return {
        "torch's global random state": torch.get_rng_state().numpy().tobytes(),
        "torch's default dtype": torch.get_default_dtype(),
        "torch's number of threads": torch.get_num_threads(),
        "torch's default device": str(torch.get_default_device()),
        "torch's grad mode": torch.is_grad_enabled(),
        "torch's deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
        "torch's precision of float32 products": torch.get_float32_matmul_precision(),
        "torch's anomaly detection": torch.is_anomaly_enabled(),
    }


@contextmanager
def changes() -> Iterator[list[str]]:
    """What of the process's state is other at the end; it gets its value back.

    Yields:
        a list that is filled when the context ends, a phrase for each.
    """
    before, changed = state(), list[str]()
    numpy_state, python_state = np.random.get_state(legacy=True), random.getstate()
    try:
        yield changed
    finally:
        after = state()
        names = [name for name, value in before.items() if after.get(name) != value]
        changed += [_shown(name, before, after) for name in names]
        if changed:
            _put_back(before, numpy_state, python_state)


def _shown(name: str, before: dict[str, Any], after: dict[str, Any]) -> str:
    """The name, and both values where they are short."""
    if "random state" in name:
        return name
    old, new = before[name], after[name]
    if isinstance(old, dict):
        keys = sorted(k for k in {*old, *new} if old.get(k) != new.get(k))
        return f"{name} ({', '.join(keys[:3])})"
    return f"{name} (from {old!r:.60} to {new!r:.60})"


def _put_back(before: dict[str, Any], numpy_state: Any, python_state: Any) -> None:
    sys.argv[:] = before["sys.argv"]
    for key in set(os.environ) - set(before["os.environ"]):
        if not key.startswith(_OF_LIBRARIES):
            del os.environ[key]
    os.environ.update(before["os.environ"])
    os.chdir(before["the working directory"])
    random.setstate(python_state)
    np.random.set_state(numpy_state)
    np.seterr(**before["numpy's error handling (np.seterr)"])
    for name, number in (("SIGINT", signal.SIGINT), ("SIGTERM", signal.SIGTERM)):
        handler = before[f"the handler of {name}"]
        if handler is not None and signal.getsignal(number) != handler:
            signal.signal(number, handler)
    if "torch's default dtype" in before:
        _put_torch_back(before)


def _put_torch_back(before: dict[str, Any]) -> None:
    import torch

    held = np.frombuffer(before["torch's global random state"], np.uint8).copy()
    torch.set_rng_state(torch.from_numpy(held))
    torch.set_default_dtype(before["torch's default dtype"])
    if torch.get_num_threads() != before["torch's number of threads"]:
        torch.set_num_threads(before["torch's number of threads"])
    if str(torch.get_default_device()) != before["torch's default device"]:
        torch.set_default_device(before["torch's default device"])
    torch.set_grad_enabled(before["torch's grad mode"])
    torch.use_deterministic_algorithms(before["torch's deterministic algorithms"])
    torch.set_float32_matmul_precision(before["torch's precision of float32 products"])
    torch.autograd.set_detect_anomaly(before["torch's anomaly detection"])


def other_random_state() -> AbstractContextManager[None]:
    """All global generators stand somewhere else for as long as the context lasts."""
    return _global_seed(977)


def reseeds(compute: Callable[[], object]) -> list[str]:
    """Whose global random state something sets: afterwards it is the same, whatever it was before.

    Drawing from a global generator moves it on and is not found; neither is a fork that is put
    back. Computes twice.

    Args:
        compute: what is looked at.

    Returns:
        names, such as ``torch's global random state``.
    """
    ends = []
    for seed in (977, 978):
        with _global_seed(seed):
            compute()
            ends.append(_random_states())
    return [name for name, end in ends[0].items() if end == ends[1][name]]


def _random_states() -> dict[str, Any]:
    values = state()
    return {name: values[name] for name in values if "random state" in name}


@contextmanager
def _global_seed(seed: int) -> Iterator[None]:
    """All global generators begin with a seed; afterwards they stand where they stood."""
    import torch

    held = torch.get_rng_state(), np.random.get_state(legacy=True), random.getstate()
    try:
        torch.manual_seed(seed)
        np.random.seed(seed)
        random.seed(seed)
        yield
    finally:
        torch.set_rng_state(held[0])
        np.random.set_state(held[1])
        random.setstate(held[2])


__all__ = ["changes", "other_random_state", "reseeds", "state"]
