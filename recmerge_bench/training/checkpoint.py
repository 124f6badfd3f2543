"""Resumable training state: one safetensors file and a JSON sidecar that vouches for it.

The sidecar names its tensor file with the digest and is replaced last, so that a crash at any
moment leaves the former state or the new one. Nothing is pickled.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from recmerge_bench.files import write_bytes

_SIDECAR = "training.json"


def save(folder: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Replace the folder's state.

    Args:
        folder: made if absent.
        tensors: any devices and dtypes; none may share memory once on the CPU.
        facts: plain JSON values.
    """
    from safetensors.torch import save as pack

    folder.mkdir(parents=True, exist_ok=True)
    data = pack({k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()})
    digest = hashlib.sha256(data).hexdigest()
    name = f"training-{digest[:16]}.safetensors"
    write_bytes(folder / name, data, durable=True)
    content = {"tensors": name, "sha256": digest, "facts": dict(facts)}
    text = json.dumps({**content, "seal": _seal(content)})
    write_bytes(folder / _SIDECAR, text.encode(), durable=True)
    for other in folder.glob("training-*.safetensors"):
        if other.name != name:
            other.unlink(missing_ok=True)


def _seal(content: Mapping[str, Any]) -> str:
    """SHA-256 of a sidecar's JSON: a step count that lost a digit is no other step count."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def load(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The folder's state, or None where there is none or it is damaged (with a warning)."""
    from safetensors.torch import load as unpack

    sidecar = folder / _SIDECAR
    if not sidecar.exists():
        return None
    try:
        facts = json.loads(sidecar.read_bytes())
        if facts.pop("seal", None) != _seal(facts):
            raise ValueError("the sidecar's own checksum does not agree")
        data = (folder / facts["tensors"]).read_bytes()
        if hashlib.sha256(data).hexdigest() != facts["sha256"]:
            raise ValueError("digest of the tensors differs")
        return unpack(data), dict(facts["facts"])
    except Exception as error:  # whatever is wrong with it, training can start anew
        warnings.warn(f"{folder}: unusable checkpoint, training restarts ({error})", stacklevel=2)
        return None


def optimizer_tensors(
    optimizer: torch.optim.Optimizer, names: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Moments and step counts as ``adam.<parameter>|<field>``."""
    tensors = {}
    for name, parameter in names.items():
        for field, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, Tensor):
                tensors[f"adam.{name}|{field}"] = value
    return tensors


def restore_optimizer(
    optimizer: torch.optim.Optimizer, names: Mapping[str, Tensor], tensors: Mapping[str, Tensor]
) -> None:
    """Put back what `optimizer_tensors` gave."""
    for key, value in tensors.items():
        if not key.startswith("adam."):
            continue
        name, field = key.removeprefix("adam.").rsplit("|", 1)
        optimizer.state[names[name]][field] = value.to(names[name].device)
