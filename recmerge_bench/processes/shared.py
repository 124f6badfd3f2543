"""Objects with tensors and arrays from one process to another through memory that both map.

To a process that is trusted less: `pack` pickles what it is handed and lays arrays beside it.
From it: `write_tensors` and `read_tensors`, JSON and numbers alone, so that reading runs no code.
"""

from __future__ import annotations

import io
import math
import mmap
import os
import pickle
import struct
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

_ALIGN = 64  # the processor's vectors load from such addresses; results do not depend on it
_LENGTH = struct.Struct("<Q")
_DTYPES = {
    str(d).removeprefix("torch."): d
    for d in (
        torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32,
        torch.int16, torch.int8, torch.uint8, torch.bool,
    )
}  # fmt: skip
_MAX_DIM = 64


def memory(name: str) -> int:
    """An anonymous file: its descriptor."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with tempfile.TemporaryFile() as stream:
        return os.dup(stream.fileno())


def seal(handle: int) -> None:
    """From now on nobody changes it, whoever holds it; where the system can do that.

    Raises:
        OSError: somebody may still be writing to it.
    """
    if hasattr(os, "memfd_create"):  # Linux, as the seals
        import fcntl

        kinds = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK
        fcntl.fcntl(handle, fcntl.F_ADD_SEALS, kinds)


def write_all(handle: int, data: Any) -> None:
    """All bytes of a buffer, at the descriptor's place."""
    view = memoryview(data).cast("B")
    while len(view):
        view = view[os.write(handle, view) :]


class _Pickler(pickle.Pickler):
    def __init__(self, stream: io.BytesIO, handle: int) -> None:
        super().__init__(stream, protocol=5)
        self.handle = handle
        self.kept: dict[int, tuple[Any, tuple[Any, ...]]] = {}

    def persistent_id(self, obj: Any) -> Any:
        if type(obj) is not Tensor and not _plain(obj):
            return None
        if id(obj) not in self.kept:
            self.kept[id(obj)] = (obj, self._laid(obj))
        return self.kept[id(obj)][1]

    def _laid(self, obj: Any) -> tuple[Any, ...]:
        tensor = isinstance(obj, Tensor)
        array = _bytes_of(obj) if tensor else np.ascontiguousarray(obj)
        dtype = str(obj.dtype).removeprefix("torch.") if tensor else obj.dtype.str
        return (tensor, dtype, tuple(obj.shape), _put(self.handle, array))


def _plain(obj: Any) -> bool:
    return isinstance(obj, np.ndarray) and not obj.dtype.hasobject


def _bytes_of(tensor: Tensor) -> np.ndarray:
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy() if flat.numel() else np.zeros(0, np.uint8)


def _put(handle: int, array: np.ndarray) -> int:
    place = -(-os.lseek(handle, 0, os.SEEK_CUR) // _ALIGN) * _ALIGN
    os.lseek(handle, place, os.SEEK_SET)
    if array.nbytes:
        write_all(handle, array.reshape(-1).view(np.uint8))
    return place


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream: io.BytesIO, body: mmap.mmap) -> None:
        super().__init__(stream)
        self.body, self.made = body, {}  # type: ignore[var-annotated]

    def persistent_load(self, pid: Any) -> Any:
        if pid not in self.made:
            self.made[pid] = self._lifted(*pid)
        return self.made[pid]

    def _lifted(self, tensor: bool, dtype: str, shape: tuple[int, ...], place: int) -> Any:
        if tensor:
            return _tensor(self.body, _DTYPES[dtype], shape, place)
        count = math.prod(shape)
        return np.frombuffer(self.body, np.dtype(dtype), count, place).reshape(shape)


def _tensor(body: mmap.mmap, dtype: torch.dtype, shape: tuple[int, ...], place: int) -> Tensor:
    count = math.prod(shape)
    if not count:
        return torch.empty(shape, dtype=dtype)
    return torch.frombuffer(body, dtype=dtype, count=count, offset=place).reshape(shape)


def pack(obj: Any, handle: int) -> None:
    """Lay an object into an anonymous file: a length, the arrays, the pickle, in this order."""
    os.lseek(handle, _ALIGN, os.SEEK_SET)
    stream = io.BytesIO()
    _Pickler(stream, handle).dump(obj)
    place = os.lseek(handle, 0, os.SEEK_CUR)
    write_all(handle, stream.getbuffer())
    os.pwrite(handle, _LENGTH.pack(place), 0)


def unpack(handle: int) -> Any:
    """The object; its arrays are views of the file that are private to this process."""
    body = _mapped(handle)
    (place,) = _LENGTH.unpack_from(body, 0)
    return _Unpickler(io.BytesIO(body[place:]), body).load()


def _mapped(handle: int) -> mmap.mmap:
    flags = mmap.MAP_PRIVATE
    size = os.fstat(handle).st_size
    return mmap.mmap(handle, size, flags=flags, prot=mmap.PROT_READ | mmap.PROT_WRITE)


def write_tensors(tensors: Mapping[str, Tensor], handle: int) -> list[list[Any]]:
    """Lay tensors into an anonymous file; what `read_tensors` has to know, as JSON values."""
    return [
        [name, str(t.dtype).removeprefix("torch."), list(t.shape), _put(handle, _bytes_of(t))]
        for name, t in tensors.items()
    ]


def read_tensors(entries: Any, handle: int) -> dict[str, Tensor]:
    """Tensors that a process which is not trusted laid there.

    Raises:
        ValueError: the entries are of another form, or reach beyond the file.
    """
    if not isinstance(entries, list):
        raise ValueError("no list of tensors")
    body = _mapped(handle) if os.fstat(handle).st_size else None
    return dict(_read(entry, body) for entry in entries)


def _read(entry: Any, body: mmap.mmap | None) -> tuple[str, Tensor]:
    name, dtype, shape, place = _checked(entry)
    count = math.prod(shape)
    if not count:
        return name, torch.empty(shape, dtype=dtype)
    if body is None or place + count * dtype.itemsize > len(body):
        raise ValueError("a tensor beyond the end")
    return name, _tensor(body, dtype, shape, place)


def _checked(entry: Any) -> tuple[str, torch.dtype, tuple[int, ...], int]:
    """Name, dtype, shape and place of what may be anything that JSON has."""
    if not isinstance(entry, list) or len(entry) != 4:
        raise ValueError("no tensor's entry")
    name, kind, shape, place = entry
    known = isinstance(name, str) and isinstance(kind, str) and kind in _DTYPES
    if not (known and isinstance(shape, list) and len(shape) <= _MAX_DIM and _whole(place)):
        raise ValueError("no tensor's entry")
    if not all(_whole(n) for n in shape):
        raise ValueError("no tensor's shape")
    return name, _DTYPES[kind], tuple(shape), place


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 48
