"""A process gives up, for good, all but code, its scratch folder and what it was handed.

Two mechanisms of Linux, both without privileges: Landlock (files, TCP, others' processes) and a
filter of system calls (other networks, memory of others, ways around). What they do not hide: that
a file of a known name exists, and how large it is; the processor's load and the time.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from recmerge_bench.processes import landlock, seccomp
from recmerge_bench.processes.code_paths import (
    ByName,
    hidden_files,
    installed,
    modules_elsewhere,
    system,
    without,
)
from recmerge_bench.processes.parent import prctl

_READ = landlock.READ_FILE | landlock.READ_DIR
_EVERYTHING = (1 << 16) - 1
_DEVICES = ("null", "zero", "random", "urandom", "full")
_ACCELERATORS = ("nvidia*", "nvidia-caps/*", "dri/*", "kfd")
_KEPT = (
    "PATH", "LANG", "LANGUAGE", "TZ", "LD_LIBRARY_PATH", "PYTHONHASHSEED",
    "TOKENIZERS_PARALLELISM", "ATEN_CPU_CAPABILITY",
)  # fmt: skip
_KEPT_PREFIXES = (
    "LC_",
    "OMP_",
    "MKL_",
    "OPENBLAS_",
    "CUBLAS_",
    "CUDA_",
    "NVIDIA_",
    "ROCM_",
    "HIP_",
)
_CAP_DAC_OVERRIDE, _CAPBSET_DROP, _LAST_CAP = 1, 24, 63


@dataclass(frozen=True)
class Confinement:
    """What the kernel enforces.

    Attributes:
        files: the mechanism that shuts files (``landlock 7``), empty where there is none.
        calls: the one that shuts networks and others' memory.
        code: what lies outside of the Python installations and may be read.
    """

    files: str
    calls: str
    code: tuple[Path, ...]

    @property
    def enforced(self) -> bool:
        """Whether both are."""
        return bool(self.files and self.calls)


def confine(
    scratch: Path,
    class_paths: Iterable[str],
    files: Mapping[str, str],
    hidden: Iterable[str],
    device: str,
) -> Confinement:
    """Shut this process off.

    Args:
        scratch: a folder of its own, the only one that it may write to.
        class_paths: ``module:Class`` of the plugins that it will import.
        files: modules of single files: name -> path.
        hidden: files and folders that it must not read, wherever code may lie.
        device: ``cpu``, or one whose device files it needs.
    """
    elsewhere, shut = modules_elsewhere(files, class_paths), hidden_files(hidden)
    code = elsewhere.paths()
    sys.meta_path.insert(0, ByName(elsewhere.first))  # type: ignore[arg-type]
    sys.meta_path.append(ByName(elsewhere.last))  # type: ignore[arg-type]
    # Imports list folders: names of files are seen there, those of hidden ones too.
    rules = [(root, landlock.READ_DIR) for root in installed()]
    readable = (*system(), *installed(), *code)
    rules += [(part, _READ) for root in readable for part in without(root, shut)]
    rules += _device_rules(device)
    rules.append((scratch, _EVERYTHING))
    _forget(scratch)
    _drop_capabilities()
    shut_files = landlock.confine_files(rules)
    shut_calls = seccomp.confine_calls()
    return Confinement(
        f"landlock {landlock.version()}" if shut_files else "",
        "seccomp" if shut_calls else "",
        (*system(), *_device_files(device), *code, scratch),
    )


def _device_rules(device: str) -> list[tuple[Path, int]]:
    """What may be done with the files of a device, and where it is described."""
    described = () if device == "cpu" else ("/sys", "/proc/driver", "/proc/devices")
    both = landlock.READ_FILE | landlock.WRITE_FILE
    files = [(file, both) for file in _device_files(device)]
    return [*files, *((Path(place), _READ) for place in described)]


def _device_files(device: str) -> list[Path]:
    dev = Path("/dev")
    more = [] if device == "cpu" else [p for kind in _ACCELERATORS for p in dev.glob(kind)]
    return [dev / name for name in _DEVICES] + more


def _forget(scratch: Path) -> None:
    """The environment and the folder that point to the run."""
    for name in list(os.environ):
        if name not in _KEPT and not name.startswith(_KEPT_PREFIXES):
            del os.environ[name]
    os.environ.update(HOME=str(scratch), TMPDIR=str(scratch))
    tempfile.tempdir = None
    os.chdir(scratch)


def _drop_capabilities() -> None:
    """All but that of reading code which belongs to someone else; nothing to do for most users."""
    for capability in range(_LAST_CAP + 1):
        if capability != _CAP_DAC_OVERRIDE:
            prctl(_CAPBSET_DROP, capability)
    header = ctypes.create_string_buffer(struct.pack("=Ii", 0x20080522, 0))
    current = ctypes.create_string_buffer(24)
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "capget") or libc.capget(header, current) != 0:
        return
    effective, permitted = struct.unpack_from("=II", current.raw)
    keep = 1 << _CAP_DAC_OVERRIDE
    kept = struct.pack("=IIIIII", effective & keep, permitted & keep, 0, 0, 0, 0)
    libc.capset(header, ctypes.create_string_buffer(kept, 24))
