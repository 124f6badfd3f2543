"""A Slurm cluster of this machine alone: munged, slurmctld and slurmd of Debian's packages."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest


class NotStarted(Exception):
    """The programs are here and no cluster comes up."""


PROGRAMS = ("munged", "slurmctld", "slurmd", "srun", "squeue")
CONFIGURATION = """
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmctldPort={port}
SlurmdPort={other}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobRequeue=1
KillWait=2
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=100000,bf_interval=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def why_not() -> str:
    """Why there can be no cluster here; empty where there can."""
    if os.getuid() != 0:
        return "slurmd starts jobs as root alone"
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    missing = [name for name in PROGRAMS if shutil.which(name, path=path) is None]
    packages = "apt-get install slurmctld slurmd slurm-client munge"
    return f"no {', '.join(missing)} here ({packages})" if missing else ""


@contextmanager
def slurm(folder: Path) -> Iterator[dict[str, str]]:
    """The environment of commands of a cluster of this machine; it ends with the body.

    It pretends to have eight processors, so that what is queued starts at once.

    Raises:
        NotStarted: it does not come up here.
    """
    for place in (folder, *folder.parents):
        with suppress(OSError):
            place.chmod(place.stat().st_mode | 0o011)  # munged asks for that
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o400)
    host = socket.gethostname().split(".")[0]
    facts = {"host": host, "folder": folder, "port": _port(), "other": _port()}
    (folder / "slurm.conf").write_text(CONFIGURATION.format(**facts))
    environment = {
        **os.environ, "SLURM_CONF": str(folder / "slurm.conf"),
        "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin",
    }  # fmt: skip
    own = [f"--key-file={key}", f"--socket={folder}/munge.sock", f"--pid-file={folder}/munged.pid",
           f"--log-file={folder}/munged.log", f"--seed-file={folder}/seed"]  # fmt: skip
    try:
        for command in (["munged", "--force", *own], ["slurmctld", "-c"], ["slurmd"]):
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            if done.returncode:
                raise NotStarted(f"{command[0]} does not start here: {done.stderr.strip()[-300:]}")
        _until_idle(environment)
        yield environment
    finally:
        for name in ("slurmd", "slurmctld", "munged"):
            with suppress(OSError, ValueError):
                os.kill(int((folder / f"{name}.pid").read_text()), signal.SIGTERM)
        time.sleep(1)


@pytest.fixture
def real_slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A cluster of this machine, which the test's commands find."""
    if reason := why_not():
        pytest.skip(reason)
    (tmp_path / "slurm").mkdir()
    with ExitStack() as stack:
        try:
            environment = stack.enter_context(slurm(tmp_path / "slurm"))
        except NotStarted as error:
            pytest.skip(str(error))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield


def queue(*options: str) -> list[str]:
    """What ``squeue`` of the test's cluster prints, in words."""
    done = subprocess.run(["squeue", "-h", *options], capture_output=True, text=True, check=True)
    return done.stdout.split()


def _until_idle(environment: dict[str, str]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        command = ["sinfo", "--noheader", "--format=%t"]
        answer = subprocess.run(command, env=environment, capture_output=True, text=True)
        if answer.stdout.strip() == "idle":
            return
        time.sleep(0.5)
    raise NotStarted("Slurm's node does not come up here within a minute")


def _port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
        return number
