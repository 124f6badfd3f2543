"""Weight files: read through memory maps, written tensor by tensor under a temporary name."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

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

#: How parts of a sharded checkpoint are called.
_SHARD = re.compile(r"-\d{3,}-of-\d{3,}\.")


class Weights(Protocol):
    """Named tensors, in a file or in memory.

    Attributes:
        path: what messages call them.
        names: sorted.
    """

    path: Path
    names: list[str]

    def __getitem__(self, name: str) -> Tensor:
        """The tensor of that name."""


class Checkpoint:
    """A safetensors file; its tensors are views of the file, read when they are looked at.

    Args:
        path: the file.

    Raises:
        HandledError: no such file, not a safetensors file, a shard, or a dtype (such as fp8) that
            is not merged.
    """

    def __init__(self, path: Path) -> None:
        from safetensors import SafetensorError, safe_open

        self.path = path
        if _SHARD.search(path.name) or path.name.endswith(".index.json"):
            raise HandledError(
                f"{path} is a part of a sharded checkpoint: a method has to see the whole model; "
                "load it and save it as one file first"
            )
        if not path.is_file():
            raise HandledError(f"there is no file {path}")
        try:
            self._file = safe_open(str(path), framework="pt")
            self.names = sorted(self._file.keys())
        except (SafetensorError, OSError) as error:
            raise HandledError(
                f"{path}: not a safetensors file ({error}); pickled checkpoints are not read: "
                "convert them with safetensors.torch.save_file"
            ) from None
        for name in self.names:
            kind = str(self._file.get_slice(name).get_dtype())
            if kind not in DTYPES.values():
                raise HandledError(
                    f"{path}: '{name}' is of dtype {kind}, which is not merged; convert it to one "
                    f"of {', '.join(DTYPES.values())}"
                )

    def __getitem__(self, name: str) -> Tensor:
        tensor: Tensor = self._file.get_tensor(name)
        return tensor


def check_alike(base: Weights, other: Weights, besides: Collection[str] = ()) -> None:
    """Both files hold the same parameters, those named `besides` not looked at.

    Raises:
        HandledError: names, shapes or dtypes differ; says which.
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
        ours, theirs = base[name], other[name]
        for what in ("shape", "dtype"):
            a, b = getattr(ours, what), getattr(theirs, what)
            if a != b:
                readable = (tuple(b), tuple(a)) if what == "shape" else (b, a)
                raise HandledError(
                    f"{other.path}: '{name}' has {what} {readable[0]}, the base's is {readable[1]}"
                )


class Writer:
    """A safetensors file whose header is known before its first byte of data."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream

    def write(self, tensor: Tensor) -> None:
        """The next stretch of the data, in the order of the header."""
        self.stream.write(tensor.contiguous().view(-1).view(torch.uint8).numpy().data)


@contextmanager
def writing(
    path: Path, like: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> Iterator[Writer]:
    """Write tensors of these names, dtypes and shapes, in this order; renamed when complete.

    Args:
        path: where the file goes.
        like: names, dtypes and shapes.
        metadata: the file's metadata.
    """
    header: dict[str, object] = {"__metadata__": dict(metadata)}
    place = 0
    for name, tensor in like.items():
        size = tensor.numel() * tensor.element_size()
        header[name] = {
            "dtype": DTYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [place, place + size],
        }
        place += size
    raw = json.dumps(header, separators=(",", ":")).encode()
    raw += b" " * (-len(raw) % 8)
    with written_aside(path) as part, part.open("wb") as stream:
        stream.write(len(raw).to_bytes(8, "little") + raw)
        yield Writer(stream)
        if stream.tell() != 8 + len(raw) + place:
            raise RuntimeError(f"{path}: {stream.tell()} bytes written, not as announced")
