"""Runs packed cells on a machine with Python, numpy, torch, pyarrow and safetensors alone.

    for part in JOB*.tar; do tar xf $part; done
    python run.py --device cuda --limit 540

Cells run one after another until all are done or the limit (seconds) is near; those that are
finished are packed as ``result.tar``, ``result.001.tar``, ... (at most 16 MiB each). Run again to
go on.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "code"))


def main() -> None:
    """Run the jobs and pack what is finished."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--limit", type=float, default=1e9, help="seconds")
    parser.add_argument("--no-weights", action="store_true", help="ranks and records only")
    parser.add_argument("--to", type=Path, default=Path("result.tar"))
    given = parser.parse_args()
    from recmerge_bench.worker import execute

    jobs = json.loads((HERE / "jobs.json").read_text(encoding="utf-8"))
    start, out, finished = time.monotonic(), HERE / "out", []
    for job in jobs:
        if time.monotonic() - start > given.limit:
            print("limit reached", flush=True)
            break
        files = {name: str(HERE / path) for name, path in job["files"].items()}
        events: list[dict] = []
        execute({**job, "out": str(out), "device": given.device, "files": files}, events.append)
        last = events[-1]
        print(f"{last['event']}: {job['label']} {last.get('error', '')}", flush=True)
        if last["event"] == "done":
            finished.append(job)
    _pack(given, out, finished)


def _pack(given: argparse.Namespace, out: Path, finished: list[dict]) -> None:
    from recmerge_bench.running.transfer import write_parts

    entries = []
    for job in finished:
        if given.no_weights and job["kind"] != "rank":
            continue
        folder = out / "store" / job["key"][:2] / job["key"]
        names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
        entries += [(f"store/{job['key'][:2]}/{job['key']}/{n}", folder / n) for n in names]
    for path in write_parts(given.to, entries):
        print(f"wrote {path}", flush=True)


if __name__ == "__main__":
    main()
