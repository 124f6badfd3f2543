"""Landlock (Linux 5.13 and newer): what a process may reach, given up for good without privileges.

Source: linux/landlock.h, https://docs.kernel.org/userspace-api/landlock.html. Rules are inherited
by whatever the process starts and can only be narrowed.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from recmerge_bench.processes.parent import prctl

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same numbers on all architectures
_NO_NEW_PRIVS = 38
_VERSION = 1
_PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = (1 << n for n in range(4))
#: Rights over files by the version of the interface that knows them: version -> their number.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}
_TCP, _SCOPES = 0b11, 0b11  # bind and connect (version 4); abstract sockets and signals (6)
_IOCTL_DEV = 1 << 15
_ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | (1 << 14) | _IOCTL_DEV


def _syscall(number: int, *arguments: object) -> int:
    return int(ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *arguments))


def version() -> int:
    """Version of the kernel's interface; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    return max(0, _syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION)))


def confine_signals() -> bool:
    """From now on, signals reach only processes that this one starts (version 6 and newer)."""
    return version() >= 6 and _restrict(struct.pack("QQQ", 0, 0, _SCOPES), ())


def confine_files(rules: Iterable[tuple[Path, int]]) -> bool:
    """From now on, files are reached by these rules alone; TCP and others' processes not at all.

    Tracing or reading the memory of processes outside is refused with it, signals to them where
    the kernel can (version 6), TCP too (version 4).

    Args:
        rules: (file, or folder with all below it; rights over it). What is not there is left out.

    Returns:
        Whether the kernel does it.
    """
    known = version()
    if known < 1:
        return False
    rights = (1 << max(n for v, n in _FILE_RIGHTS.items() if v <= known)) - 1
    attributes = struct.pack("QQQ", rights, _TCP if known >= 4 else 0, _SCOPES if known >= 6 else 0)
    return _restrict(attributes, [(path, allowed & rights) for path, allowed in rules])


def _restrict(attributes: bytes, rules: Iterable[tuple[Path, int]]) -> bool:
    known = version()
    size = 24 if known >= 6 else 16 if known >= 4 else 8
    buffer = ctypes.create_string_buffer(attributes[:size], size)
    ruleset = _syscall(_CREATE, buffer, ctypes.c_size_t(size), ctypes.c_uint32(0))
    if ruleset < 0:
        return False
    try:
        for path, allowed in rules:
            with suppress(OSError):
                _allow(ruleset, path, allowed)
        if prctl(_NO_NEW_PRIVS, 1) != 0:
            return False
        return _syscall(_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(0)) == 0
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, allowed: int) -> None:
    handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not path.is_dir():
            allowed &= _ON_FILES
        rule = ctypes.create_string_buffer(struct.pack("=Qi", allowed, handle), 12)
        _syscall(_ADD, ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint32(0))
    finally:
        os.close(handle)
