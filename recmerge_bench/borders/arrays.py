"""Arrays that a plugin returns: type, dtype and shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from recmerge_bench.errors import PluginError

#: What is wrong -> the error that says whose result it is.
Fault = Callable[[str], PluginError]


def check_array(
    fault: Fault, name: str, value: Any, dtype: type, shape: tuple[int | None, ...]
) -> np.ndarray:
    """An array of exactly this dtype and shape (None: any length).

    Raises:
        PluginError: it is another.
    """
    wanted = f"{np.dtype(dtype)} {_shown(shape)}"
    if not isinstance(value, np.ndarray):
        raise fault(f"gave {name} as {type(value).__name__}; it is an array, {wanted}")
    fits = len(value.shape) == len(shape) and all(
        want in (None, have) for want, have in zip(shape, value.shape, strict=True)
    )
    if value.dtype != dtype or not fits:
        raise fault(f"gave {name} as {value.dtype} {_shown(value.shape)}; it is {wanted}")
    return value


def check_offsets(fault: Fault, name: str, value: Any, rows: int | None, end: int) -> np.ndarray:
    """Offsets int64 [rows + 1] that rise from 0 to `end`.

    Raises:
        PluginError: they do not.
    """
    offsets = check_array(fault, name, value, np.int64, (None if rows is None else rows + 1,))
    if not len(offsets) or offsets[0] != 0 or offsets[-1] != end or (np.diff(offsets) < 0).any():
        raise fault(f"gave {name} that do not rise from 0 to {end}")
    return offsets


def check_range(fault: Fault, name: str, value: np.ndarray, below: int, least: int = 0) -> None:
    """Integers from `least` to `below` - 1.

    Raises:
        PluginError: one is outside.
    """
    if len(value) and (value.min() < least or value.max() >= below):
        worst = value.max() if value.max() >= below else value.min()
        raise fault(f"gave {name} that hold {worst}; they are {least} .. {below - 1}")


def check_texts(fault: Fault, name: str, value: Any, count: int, distinct: bool = False) -> None:
    """A sequence of so many texts.

    Raises:
        PluginError: another number, something else than texts, or one twice where `distinct`.
    """
    if isinstance(value, str) or not hasattr(value, "__len__") or len(value) != count:
        size = len(value) if hasattr(value, "__len__") else type(value).__name__
        raise fault(f"gave {name} of length {size}; there are {count}")
    if not all(isinstance(text, str) for text in value):
        raise fault(f"gave {name} that are not all texts")
    if distinct and len(set(value)) < count:
        raise fault(f"gave {name} with one of them twice")


def _shown(shape: tuple[int | None, ...]) -> str:
    return "[" + ", ".join("any" if n is None else str(n) for n in shape) + "]"
