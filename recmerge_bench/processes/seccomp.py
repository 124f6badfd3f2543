"""A filter of system calls (seccomp): no network, no memory of others, no way around Landlock.

Source: linux/seccomp.h, linux/filter.h and the architectures' tables of system calls. A refused
call fails with EPERM.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

from recmerge_bench.processes.parent import prctl

_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2
#: machine -> its number in seccomp_data.arch.
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
#: call -> its number on x86_64 and aarch64 (None: it has none there).
REFUSED: dict[str, tuple[int, int]] = {
    "socket": (41, 198), "connect": (42, 203), "accept": (43, 202), "accept4": (288, 242),
    "bind": (49, 200), "listen": (50, 201),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "kcmp": (312, 272), "pidfd_getfd": (438, 438),
    "shmget": (29, 194), "shmat": (30, 196), "semget": (64, 190), "msgget": (68, 186),
    "mq_open": (240, 180),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "unshare": (272, 97), "setns": (308, 268), "open_by_handle_at": (304, 265),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425), "keyctl": (250, 219), "add_key": (248, 217),
    "request_key": (249, 218), "kexec_load": (246, 104), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106),
}  # fmt: skip
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000 | errno.EPERM
_X32 = 0x40000000


def _instruction(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def program(machine: str) -> bytes | None:
    """The filter's instructions; None for a machine whose numbers are not known here."""
    if machine not in _ARCHITECTURES:
        return None
    column = 0 if machine == "x86_64" else 1
    numbers = sorted(pair[column] for pair in REFUSED.values())
    last = len(numbers)
    made = [
        _instruction(_LOAD, 4),  # the architecture: another one's numbers are none of these
        _instruction(_EQUAL, _ARCHITECTURES[machine], 0, last + 3),
        _instruction(_LOAD, 0),
        _instruction(_AT_LEAST, _X32, last + 1, 0),
        *(_instruction(_EQUAL, n, last - place, 0) for place, n in enumerate(numbers)),
        _instruction(_RETURN, _ALLOW),
        _instruction(_RETURN, _ERROR),
    ]
    return b"".join(made)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def confine_calls() -> bool:
    """From now on this process and what it starts make none of the `REFUSED` calls."""
    code = program(platform.machine())
    if code is None or prctl(_NO_NEW_PRIVS, 1) != 0:
        return False
    buffer = ctypes.create_string_buffer(code, len(code))
    filter_ = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p).value)
    return prctl(_SET_SECCOMP, _FILTER, ctypes.addressof(filter_)) == 0
