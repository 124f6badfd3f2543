"""A topic measured at growing sizes, each measurement in a process of its own.

CPU seconds are the main figure: these machines are shared, and wall seconds hold others' work too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "speed"))

HERE = Path(__file__).resolve().parent
RECORDS = HERE / "records"
#: What is measured: it returns figures of its own, or none.
Work = Callable[[], dict[str, Any]]


@dataclass(frozen=True)
class Topic:
    """What is measured.

    Attributes:
        name: of the record.
        title: of the picture.
        unit: what a size counts.
        sizes: that the record holds, growing.
        small: the size with which a test tries the script.
        prepare: (series, size, empty folder) -> what is measured; the preparation is not.
        floor: what the issue asks for at the largest size, in words.
        series: names of what is measured at each size.
        figure: of a value, that is drawn and fitted.
    """

    name: str
    title: str
    unit: str
    sizes: tuple[int, ...]
    small: int
    prepare: Callable[[str, int, Path], Work]
    floor: str
    series: tuple[str, ...] = ("",)
    figure: str = "cpu_s"


class Anonymous(threading.Thread):
    """Peak anonymous memory of this process, looked at every ten milliseconds."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.first_mb = self.peak_mb = self.look()
        self.ended = threading.Event()

    @staticmethod
    def look() -> float:
        """Megabytes (2**20 bytes) now; 0 where the system does not tell."""
        try:
            lines = Path("/proc/self/status").read_text().splitlines()
        except OSError:
            return 0.0
        return next((int(x.split()[1]) / 1024 for x in lines if x.startswith("RssAnon:")), 0.0)

    def run(self) -> None:
        """Until it is `ended`."""
        while not self.ended.wait(0.01):
            self.peak_mb = max(self.peak_mb, self.look())


def measured(work: Work) -> dict[str, Any]:
    """CPU and wall seconds of the work, its children's CPU seconds with it, and its memory."""
    watch = Anonymous()
    watch.start()
    cpu, wall = cpu_seconds(), time.perf_counter()
    figures = work()
    cpu, wall = cpu_seconds() - cpu, time.perf_counter() - wall
    watch.ended.set()
    watch.join()
    return {
        "cpu_s": round(cpu, 3), "wall_s": round(wall, 3),
        "anonymous_mb": round(max(watch.peak_mb, watch.look()), 1),
        "anonymous_before_mb": round(watch.first_mb, 1), **figures,
    }  # fmt: skip


def cpu_seconds() -> float:
    """Of this process and of its children that have ended."""
    return time.process_time() + sum(os.times()[2:4])


def run(topic: Topic) -> None:
    """The command line of a topic: measures the sizes that are asked for, into its record."""
    parser = argparse.ArgumentParser(description=topic.title)
    parser.add_argument("--sizes", help=f"such as {topic.sizes[0]},{topic.sizes[1]}; default: all")
    parser.add_argument("--out", type=Path, default=RECORDS, help="folder of records")
    parser.add_argument("--folder", type=Path, help="where files may be written (default: /tmp)")
    parser.add_argument("--one", nargs=2, metavar=("SERIES", "SIZE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder, prefix=f"scale-{topic.name}-") as folder:
        if given.one:
            series, size = given.one[0], int(given.one[1])
            print(json.dumps(measured(topic.prepare(series, size, Path(folder)))))
            return
    sizes = [int(s) for s in given.sizes.split(",")] if given.sizes else topic.sizes
    for size in sizes:
        for series in topic.series:
            keep(topic, given.out, series, size, in_process(series, size, given.folder))


def in_process(series: str, size: int, folder: Path | None = None) -> dict[str, Any]:
    """One measurement by the script that is running, in a process of its own."""
    command = [sys.executable, sys.argv[0], "--one", series, str(size)]
    command += ["--folder", str(folder)] if folder else []
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"{sys.argv[0]} {series} {size} failed:\n{done.stderr[-4000:]}")
    values: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return values


def keep(
    topic: Topic, folder: Path, series: str, size: int, values: dict[str, Any]
) -> dict[str, Any]:
    """Put a measurement into the topic's record, in the place of an older one of its size."""
    from fitting import exponent
    from side_by_side import machine

    path = folder / f"{topic.name}.json"
    record = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    here = {k: v for k, v in machine().items() if k != "versions"}
    point = {"series": series, "size": size, **values, "machine": here, "load": os.getloadavg()[0]}
    others = [p for p in record.get("points", []) if (p["series"], p["size"]) != (series, size)]
    points = sorted([*others, point], key=lambda p: (topic.series.index(p["series"]), p["size"]))
    fitted = {name: exponent(points, name, topic.figure) for name in topic.series}
    record = {
        "topic": topic.name, "title": topic.title, "unit": topic.unit, "floor": topic.floor,
        "figure": topic.figure, "exponents": fitted, "points": points,
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"{topic.name} {series} {size:,} {topic.unit}: {values}", flush=True)
    return record


def names(points: Sequence[dict[str, Any]]) -> list[str]:
    """Series of a record's points, each once, in their order."""
    return list(dict.fromkeys(p["series"] for p in points))
