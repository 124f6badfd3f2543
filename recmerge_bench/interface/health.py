"""What is here, what is missing, how to fix it. Imports no torch."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from recmerge_bench.interface.datasets import Availability, availability
from recmerge_bench.interface.plugins import Plugins, registry_of
from recmerge_bench.interface.tables import Value, html_table

LIBRARIES = (
    "recmerge-bench", "torch", "numpy", "pyarrow", "safetensors", "transformers", "pluggy",
    "pydantic", "click", "rich", "recbole",
)  # fmt: skip
#: Without these nothing runs.
NEEDED = ("torch", "numpy", "pyarrow", "safetensors")
RECBOLE_VERSION = "1.2.1"
#: What RecBole's models import besides torch and numpy; its other dependencies are pinned to
#: versions that Python 3.12 and newer do not have, and its models run without them.
RECBOLE_IMPORTS = ("tensorboard", "texttable", "colorlog", "colorama", "pandas", "tqdm")
_RECBOLE_REMEDY = (
    f"pip install -c constraints.txt 'recbole=={RECBOLE_VERSION}' on Python 3.11; on newer ones "
    f"pip install --no-deps recbole=={RECBOLE_VERSION} && pip install {' '.join(RECBOLE_IMPORTS)}"
)


@dataclass(frozen=True)
class Devices:
    """The machine.

    Attributes:
        cores: logical CPUs; None where the system does not say.
        memory_gib: main memory, GiB.
        disk_free_gib: free in the working folder, GiB.
        gpus: name and memory of each, as ``nvidia-smi`` says them.
    """

    cores: int | None
    memory_gib: float
    disk_free_gib: float
    gpus: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class DoctorReport:
    """Versions, devices, data and what is wrong.

    Attributes:
        python: its version.
        versions: library -> version; None where it is not installed.
        recbole: what of RecBole is usable here.
        devices: the machine.
        datasets: whether their data are here.
        encoders: whether their weights are here.
        problems: plugins that cannot be used, a line each.
        broken: libraries without which nothing runs, a line each.
    """

    python: str
    versions: dict[str, str | None]
    recbole: str
    devices: Devices
    datasets: tuple[Availability, ...]
    encoders: tuple[Availability, ...]
    problems: tuple[str, ...]
    broken: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is broken; missing data are no fault."""
        return not self.problems and not self.broken

    @property
    def missing(self) -> tuple[Availability, ...]:
        """Datasets, then encoders, whose files are not here."""
        rows = (*self.datasets, *self.encoders)
        return tuple(row for row in rows if row.status.startswith("missing"))

    def lines(self) -> list[str]:
        """The report: what is wrong, what is missing and how to fix it, then what is here."""
        devices = self.devices
        return [
            self._verdict(),
            *(f"problem: {line}" for line in (*self.problems, *self.broken)),
            *(f"{row.status}\n  to fix: {row.remedy}" for row in self.missing),
            *_here("datasets", self.datasets),
            *_here("encoders", self.encoders),
            f"devices: {devices.cores} cores, {devices.memory_gib} GiB memory, "
            f"{devices.disk_free_gib} GiB free here, GPUs: {', '.join(devices.gpus) or 'none'}",
            f"RecBole: {self.recbole}",
            f"versions: python {self.python}, "
            + ", ".join(f"{name} {made or 'absent'}" for name, made in self.versions.items()),
        ]

    def _verdict(self) -> str:
        """The first line: what does not work here."""
        wrong = len(self.problems) + len(self.broken)
        if wrong:
            return f"{wrong} problem{'s' * (wrong > 1)} to fix before anything else"
        if not self.missing:
            return "all that is registered can run here"
        names = ", ".join(row.name for row in self.missing)
        return f"what is installed works; rows with these cannot run before they are here: {names}"

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        rows: list[list[Value]] = [
            [kind, row.name, row.status, row.remedy]
            for kind, some in (("dataset", self.datasets), ("encoder", self.encoders))
            for row in some
        ]
        shown = ("missing", "datasets ", "encoders ")
        notes = [line for line in self.lines() if not line.startswith(shown)]
        return html_table("doctor", ["", "name", "status", "to fix"], rows, notes)


def doctor(*, data_root: str | Path | None = None, plugins: Plugins = ()) -> DoctorReport:
    """Check versions, RecBole's state, devices, data and plugins.

    Args:
        data_root: folder with raw data, for datasets that are not bundled.
        plugins: files or modules to load beside the installed plugins.

    Raises:
        HandledError: a plugin that is named cannot be used.
    """
    registry, root = registry_of(plugins), None if data_root is None else Path(data_root)
    versions = {name: _version(name) for name in LIBRARIES}
    lacking = [name for name in NEEDED if versions[name] is None]
    return DoctorReport(
        platform.python_version(),
        versions,
        _recbole(versions),
        _devices(),
        availability(registry, root),
        availability(registry, root, "encoder"),
        tuple(registry.problems),
        tuple(f"{n} is not installed; pip install -c constraints.txt -e ." for n in lacking),
    )


def _here(kind: str, rows: tuple[Availability, ...]) -> list[str]:
    """What can be used, and what can be with options, a line each."""
    states = {"found": "here", "generated": "generated, nothing is read"}
    states["needs options"] = "here once options say where (plugins show NAME)"
    named = {
        text: ", ".join(row.name for row in rows if row.status == state)
        for state, text in states.items()
    }
    return [f"{kind} {text}: {names}" for text, names in named.items() if names]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _recbole(versions: dict[str, str | None]) -> str:
    """What of RecBole is usable: its data lie in its wheel, its models import other packages."""
    installed = versions["recbole"]
    if installed is None:
        return (
            f"absent: only its models and the parity tests need it ({_RECBOLE_REMEDY}); "
            "data sets that lie in its wheel are read from that, which `run` fetches"
        )
    lacking = [name for name in RECBOLE_IMPORTS if _version(name) is None]
    if lacking:
        return (
            f"{installed}: its data are usable; its models need {', '.join(lacking)} "
            f"(pip install {' '.join(lacking)})"
        )
    if installed != RECBOLE_VERSION:
        return f"{installed}: data and models usable; tested is {RECBOLE_VERSION}"
    return f"{installed}: data and models usable"


def _devices() -> Devices:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    free = shutil.disk_usage(Path.cwd()).free
    return Devices(os.cpu_count(), round(memory / 2**30, 1), round(free / 2**30, 1), _gpus())


def _gpus() -> tuple[str, ...]:
    try:
        ran = subprocess.run(
            ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"],
            capture_output=True, text=True, timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(line.strip() for line in ran.stdout.splitlines() if ran.returncode == 0)
