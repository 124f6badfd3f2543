"""Archives in the form of MergeRec's release."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any


def small(**changes: Any) -> dict[str, Any]:
    files: dict[str, Any] = {
        "umap": {"U0": 0, "U1": 1},
        "smap": {"I0": 0, "I1": 1, "I2": 2},
        "meta_data": {
            f"I{n}": {"title": f"A &amp; <b>{n}</b>", "brand": "", "category": "x\ny"}
            for n in range(4)
        },
        "train": {"1": [0, 1], "0": [2]},
        "val": {"0": [1], "1": [2]},
        "test": {"0": [0], "1": [0]},
    }
    return files | changes


def archive(path: Path, files: dict[str, Any], folder: str = "Toys") -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, value in files.items():
            raw = value if isinstance(value, bytes) else json.dumps(value).encode()
            info = tarfile.TarInfo(f"{folder}/{name}.json")
            info.size = len(raw)
            tar.addfile(info, io.BytesIO(raw))
    return path
