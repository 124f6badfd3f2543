"""Weight files: read through memory maps, written tensor by tensor under a temporary name."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, ClassVar, Protocol

import torch
from torch import Tensor

from recmerge_bench.errors import HandledError, near
from recmerge_bench.files import written_aside

#: Names that safetensors has for dtypes.
DTYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8",
    torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip

_TYPES = {name: dtype for dtype, name in DTYPES.items()}

#: What makes transformers read a file.
FORMAT = {"format": "pt"}


class Weights:
    """Named tensors: in files, in memory, or made of others when they are asked for.

    Attributes:
        path: what messages call them.
        names: sorted.
        lent: whether the tensors are a caller's own, so that strategies are given copies.
    """

    path: Path
    names: list[str]
    lent: ClassVar[bool] = False

    def __getitem__(self, name: str) -> Tensor:
        """The tensor of that name."""
        raise NotImplementedError

    def like(self, name: str) -> Tensor:
        """A tensor of that one's shape and dtype, without its values where these cost anything."""
        return self[name]

    def entries(self, name: str, part: slice) -> Tensor:
        """A stretch of the tensor's entries, row by row: [n]."""
        return self[name].reshape(-1)[part]

    def files(self) -> list[Path]:
        """What is read: every file that the tensors depend on."""
        return []


class Checkpoint(Weights):
    """A safetensors file; its tensors are views of the file, read when they are looked at.

    Args:
        path: the file.

    Raises:
        HandledError: no such file, not a safetensors file, or a dtype (such as fp8) that is not
            merged.
    """

    def __init__(self, path: Path) -> None:
        from safetensors import SafetensorError, safe_open

        self.path = path
        if not path.is_file():
            raise HandledError(f"there is no file {path}")
        try:
            self._file = safe_open(str(path), framework="pt")
            self.names = sorted(self._file.keys())
        except (SafetensorError, OSError) as error:
            raise HandledError(
                f"{path}: not a safetensors file ({error}); a pickled checkpoint has a name that "
                "ends in .bin, .pt or .pth and needs --allow-pickle"
            ) from None
        self._shapes: dict[str, Tensor] = {}
        for name in self.names:
            part = self._file.get_slice(name)
            kind = str(part.get_dtype())
            if kind not in DTYPES.values():
                raise HandledError(
                    f"{path}: '{name}' is of dtype {kind}, which is not merged; convert it to one "
                    f"of {', '.join(DTYPES.values())}"
                )
            self._shapes[name] = torch.empty(part.get_shape(), dtype=_TYPES[kind], device="meta")
        self._latest: tuple[str, Tensor] | None = None

    def __getitem__(self, name: str) -> Tensor:
        # Stretches of one tensor come after each other, and finding it takes as long as adding one.
        if self._latest is None or self._latest[0] != name:
            self._latest = name, self._file.get_tensor(name)
        return self._latest[1]

    def like(self, name: str) -> Tensor:
        """From the file's header: a tensor without values."""
        return self._shapes[name]

    def files(self) -> list[Path]:
        """The file."""
        return [self.path]


def empty_like(tensor: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """A tensor without values, of that shape; floats in `dtype` where one is given."""
    own = tensor.dtype if dtype is None or not tensor.is_floating_point() else dtype
    return torch.empty(tensor.shape, dtype=own, device="meta")


def check_alike(base: Weights, other: Weights, besides: Collection[str] = ()) -> None:
    """Both hold the same parameters, those named `besides` not looked at.

    Floats may differ in their precision.

    Raises:
        HandledError: names, shapes or kinds of numbers differ; says which.
    """
    own, others = (set(c.names) - set(besides) for c in (base, other))
    missing, extra = sorted(own - others), sorted(others - own)
    if missing or extra:
        name = (missing or extra)[0]
        who, hint = (other, near(name, extra)) if missing else (base, near(name, missing))
        raise HandledError(
            f"{who.path} lacks '{name}'{hint} ({len(missing)} missing, {len(extra)} unknown "
            f"against {base.path}): experts and base must share an architecture"
        )
    for name in sorted(own):
        _check_tensor(name, base.like(name), other.like(name), other.path)


def _check_tensor(name: str, ours: Tensor, theirs: Tensor, path: Path) -> None:
    if ours.shape != theirs.shape:
        raise HandledError(
            f"{path}: '{name}' has shape {tuple(theirs.shape)}, the base's is {tuple(ours.shape)}"
        )
    floats = ours.is_floating_point() and theirs.is_floating_point()
    if not floats and ours.dtype != theirs.dtype:
        raise HandledError(
            f"{path}: '{name}' has dtype {theirs.dtype}, the base's is {ours.dtype}: floats merge "
            "with floats, and integers are the base's"
        )


class Writes(Protocol):
    """Takes the tensors of a merged model, stretch by stretch, in an order that was announced."""

    def write(self, tensor: Tensor) -> None:
        """The next stretch; it ends where a tensor ends or before."""


class Writer:
    """A safetensors file whose header is known before its first byte of data."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream

    def write(self, tensor: Tensor) -> None:
        """The next stretch of the data, in the order of the header."""
        self.stream.write(raw_bytes(tensor))


def raw_bytes(tensor: Tensor) -> memoryview:
    """A tensor's bytes, as safetensors has them."""
    view: memoryview = tensor.contiguous().view(-1).view(torch.uint8).numpy().data
    return view


def header(like: Mapping[str, Tensor], metadata: Mapping[str, str]) -> tuple[bytes, int]:
    """What a safetensors file begins with, and how many bytes of data follow.

    Args:
        like: names, dtypes and shapes, in the order in which the data follow.
        metadata: the file's metadata.
    """
    entries: dict[str, object] = {"__metadata__": {**FORMAT, **metadata}}
    place = 0
    for name, tensor in like.items():
        size = tensor.numel() * tensor.element_size()
        entries[name] = {
            "dtype": DTYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [place, place + size],
        }
        place += size
    raw = json.dumps(entries, separators=(",", ":")).encode()
    raw += b" " * (-len(raw) % 8)
    return len(raw).to_bytes(8, "little") + raw, place


@contextmanager
def writing(
    path: Path, like: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> Iterator[Writer]:
    """Write tensors of these names, dtypes and shapes, in this order; renamed when complete.

    Args:
        path: where the file goes.
        like: names, dtypes and shapes.
        metadata: the file's metadata, beside what says that the tensors are torch's.
    """
    first, size = header(like, metadata)
    with written_aside(path) as part, part.open("wb") as stream:
        stream.write(first)
        yield Writer(stream)
        if stream.tell() != len(first) + size:
            raise RuntimeError(f"{path}: {stream.tell()} bytes written, not as announced")
