"""Merges in a process of their own: what they cannot reach, what comes and goes, the fallback."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from recmerge_bench.definitions import Expert
from recmerge_bench.errors import HandledError
from recmerge_bench.processes import code_paths, landlock, seccomp, shared
from recmerge_bench.processes.words import Reported
from recmerge_bench.running import apart as apart_module
from recmerge_bench.running.apart import Apart, Merged
from recmerge_bench.running.context import Context
from recmerge_bench.tiers import MergeInput

PLUGIN = """
import ctypes, os, socket, subprocess
from dataclasses import dataclass
from recmerge_bench.api import StrategyDefinition

@dataclass(frozen=True)
class Options:
    code: str = ""

class Does(StrategyDefinition):
    Options = Options
    def merge(self, given):
        names = {"given": given, "os": os, "socket": socket, "subprocess": subprocess}
        names |= {"ctypes": ctypes, "made": dict(given.base)}
        exec(self.options.code, names)
        return names["made"]
"""
BASE = {"w": torch.arange(6.0).reshape(2, 3), "b": torch.zeros(0), "h": torch.ones(2).half()}
kernel = pytest.mark.skipif(
    not landlock.version() or platform.machine() not in ("x86_64", "aarch64"),
    reason="this kernel has no Landlock: merges are not enforced here, as records say",
)


def merge(folder: Path, code: str, hidden: tuple[str, ...] = ()) -> Merged:
    """What a T0 strategy that runs this code makes, in a run's folder below `folder`."""
    plugin, out = folder / "does.py", folder / "out" / "tmp" / "cell"
    plugin.write_text(PLUGIN)
    out.mkdir(parents=True, exist_ok=True)
    described = {"target": "does:Does", "options": {"code": code}}
    config = {"tier": "T0", "strategy": described}
    context = Context(config, {}, out, out, 0, 1, "cpu", lambda state: None, {"does": str(plugin)},
                      hidden)  # fmt: skip
    experts = (Expert("a", {n: t + 1 for n, t in BASE.items()}),)
    with Apart(context) as process:
        made = process.merge(MergeInput(BASE, experts, 3), BASE)
    assert not out.with_name("cell.scratch").exists()
    return made


def test_tensors_go_and_come_as_they_are(tmp_path: Path) -> None:
    code = "made = dict(given.experts[0].weights); given.note('seed', given.seed)"
    made = merge(tmp_path, code + "; made['w'].add_(1)")
    assert made.notes == {"seed": 3} and made.read == ["weights"] and not made.modulated
    assert torch.equal(made.models[""]["w"], BASE["w"] + 2)
    assert made.models[""]["h"].dtype == torch.float16 and made.models[""]["b"].shape == (0,)
    assert torch.equal(BASE["w"], torch.arange(6.0).reshape(2, 3))


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """Files of a run, of a package's raw data, and a neighbour's."""
    for name in ("out/store/ranks.parquet", "package/data/raw.inter", "else/other.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("secret")
    save_file({"x": torch.ones(2)}, str(tmp_path / "out/store/model.safetensors"))
    return tmp_path


READS = [
    "open('out/store/ranks.parquet').read()", "os.listdir('out/store')", "os.listdir('.')",
    "open('else/other.txt').read()", "open('package/data/raw.inter').read()",
    "__import__('pyarrow').memory_map('out/store/ranks.parquet')",
    "__import__('safetensors.torch').torch.load_file('out/store/model.safetensors')",
    "open('/etc/passwd').read()", "open('/proc/self/environ').read()", "os.listdir('/proc')",
    "open(f'/proc/{os.getppid()}/maps').read()", "open('else/new.txt', 'w')",
    "ctypes.CDLL(None).fopen(b'HERE/else/other.txt', b'r') or 1 / 0",
]  # fmt: skip
REACHES = [
    "socket.socket()", "socket.socket(socket.AF_UNIX)", "subprocess.run(['/bin/true'])",
    "os.kill(os.getppid(), 0)", "os.kill(1, 0)",
    "ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) == 0 or 1 / 0",
]  # fmt: skip


@kernel
@pytest.mark.parametrize("code", READS)
def test_files_are_out_of_reach(secrets: Path, code: str) -> None:
    code = code.replace("HERE", str(secrets))
    for name in ("'out/", "'else/", "'package/"):
        code = code.replace(name, f"'{secrets}/{name[1:]}")
    code = code.replace("'.'", f"'{secrets}'")
    with pytest.raises(Reported) as caught:
        merge(secrets, code, (str(secrets / "package/data/raw.inter"),))
    refusals = ("Permission", "IsolationError", "No such file", "ZeroDivision", "may not read")
    assert any(word in caught.value.error for word in refusals), caught.value.error
    assert not (secrets / "else/new.txt").exists()


@kernel
@pytest.mark.parametrize("code", REACHES)
def test_networks_programs_and_processes_are_out_of_reach(tmp_path: Path, code: str) -> None:
    with pytest.raises(Reported, match=r"Permission|not permitted|ZeroDivision"):
        merge(tmp_path, code)


@kernel
def test_the_environment_points_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setenv("CHEAT_OUT", str(tmp_path))
    code = "given.note('env', dict(os.environ)); open(os.environ['TMPDIR'] + '/x', 'w').write('x')"
    made = merge(tmp_path, code)
    assert made.enforced and made.mechanisms["files"].startswith("landlock")
    assert "CHEAT_OUT" not in made.notes["env"]


def test_where_the_kernel_has_no_landlock_the_record_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 0)
    (tmp_path / "x").write_text("seen")
    made = merge(tmp_path, f"given.note('x', open('{tmp_path}/x').read())")
    assert not made.enforced and made.mechanisms["files"] == "" and made.notes == {"x": "seen"}
    assert made.opened == [str(tmp_path / "x")]
    (tmp_path / "out/store").mkdir()
    with pytest.raises(Reported, match="may not read files of the run"):
        merge(tmp_path, f"os.listdir('{tmp_path}/out/store')")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("os._exit(0)", r"ended before it was done \(exit status 0\)"),
        ("os.kill(os.getpid(), 9)", r"killed by signal 9 \(SIGKILL\)"),
        ("raise ValueError('\\ud800' * 3)", "ud800"),
        ("raise SystemExit(0)", "SystemExit"),
        ("raise ValueError('y' * 5_000_000)", "characters"),
        ("made = None", "gave NoneType"),
        ("made['w'] = made['w'].int()", "torch.int32"),
        ("made['w'] = made['w'] / 0", "NaN or infinite"),
        ("given.note('x', float('nan'))", "'x' is no JSON value"),
        ("given.note('x', object())", "'x' is no JSON value"),
        ("given.note('x', 'y' * 5_000_000)", "notes, .x. among them, take over"),
        ("os.closerange(0, 64)", "ended before it was done"),
    ],
)
def test_how_strategies_fail(tmp_path: Path, code: str, message: str) -> None:
    with pytest.raises(Reported, match=message) as caught:
        merge(tmp_path, code)
    assert len(caught.value.error) < 1500 and len(caught.value.trace) < 25_000
    caught.value.error.encode()


@pytest.mark.parametrize(
    "code",
    [
        "os.fork()",  # returns twice
        "__import__('sys').setrecursionlimit(50)",
        "for n in range(3, 12):\n try: os.write(n, b'{\"error\": 1}')\n except OSError: pass",
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))",
        "os.environ.clear(); os.umask(0o777)",
    ],
)
def test_what_harms_nothing(tmp_path: Path, code: str) -> None:
    assert torch.equal(merge(tmp_path, code).models[""]["w"], BASE["w"])


def test_what_comes_back_is_read_as_numbers() -> None:
    handle = shared.memory("x")
    entries = shared.write_tensors(BASE, handle)
    read = shared.read_tensors(json.loads(json.dumps(entries)), handle)
    assert all(torch.equal(read[n], t) and read[n].dtype == t.dtype for n, t in BASE.items())
    shared.seal(handle)
    with pytest.raises(OSError):
        os.pwrite(handle, b"x", 0)
    for place, value in ((1, "object"), (2, [-1]), (2, [2, 1 << 40]), (2, "ab"), (3, 1 << 30),
                         (3, -64), (0, 5), (1, ["float32"])):  # fmt: skip
        wrong: list[Any] = [list(entries[0])]
        wrong[0][place] = value
        with pytest.raises((ValueError, TypeError)):
            shared.read_tensors(wrong, handle)
    for other in (None, {}, [1], [[1, 2]]):
        with pytest.raises(ValueError):
            shared.read_tensors(other, handle)
    os.close(handle)


def test_objects_keep_their_arrays_apart() -> None:
    handle = shared.memory("x")
    array, tensor = np.arange(5, dtype=np.int32), torch.arange(3).bfloat16()
    shared.pack({"a": array, "again": array, "t": [tensor], "empty": np.zeros((0, 2))}, handle)
    arrays = shared.unpack(handle)
    assert arrays["a"] is arrays["again"] and arrays["a"].tolist() == [0, 1, 2, 3, 4]
    assert torch.equal(arrays["t"][0], tensor) and arrays["empty"].shape == (0, 2)
    arrays["a"][0] = 9
    assert shared.unpack(handle)["a"][0] == 0
    os.close(handle)


def test_a_result_of_another_form_is_refused(tmp_path: Path) -> None:
    for changed in ({"w": BASE["w"][:1]}, {"w": BASE["w"].double()}, {"x": BASE["w"]}):
        with pytest.raises(ValueError):
            apart_module._resemble(BASE, {**BASE, **changed})
    with pytest.raises(ValueError):
        apart_module._resemble(BASE, {})
    with pytest.raises(HandledError, match="no merged tensors"), _answering(tmp_path, "{}") as made:
        made.merge(MergeInput(BASE, (), 0), BASE)


class _answering:
    """`Apart` whose process says these words, as a strategy that took it over could."""

    def __init__(self, folder: Path, words: str) -> None:
        self.folder, self.words = folder, words

    def __enter__(self) -> Apart:
        out = self.folder / "out" / "tmp" / "cell"
        out.mkdir(parents=True)
        context = Context({}, {}, out, out, 0, 1, "cpu", lambda state: None)
        real: Callable[..., dict[str, Any]] = apart_module._answer
        apart_module._answer = lambda *_: json.loads(self.words)
        try:
            self.apart = Apart(context)
        finally:
            apart_module._answer = real
        return self.apart

    def __exit__(self, *_: object) -> None:
        self.apart.__exit__()


def test_code_is_allowed_beside_what_is_hidden(tmp_path: Path) -> None:
    for name in ("code/a.py", "code/pkg/__init__.py", "code/pkg/data/raw.inter", "code/pkg/m.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "code/link").symlink_to(tmp_path)
    hidden = code_paths.hidden_files([str(tmp_path / "code/pkg/data/raw.inter")])
    assert hidden == [tmp_path / "code/pkg/data"]
    parts = list(code_paths.without(tmp_path / "code", hidden))
    assert parts == [tmp_path / f"code/{n}" for n in ("a.py", "pkg/__init__.py", "pkg/m.py")]
    assert list(code_paths.without(tmp_path / "code", [tmp_path / "else"])) == [tmp_path / "code"]
    assert list(code_paths.without(tmp_path / "code", [tmp_path / "code"])) == []


def test_the_filter_refuses_what_it_names() -> None:
    for machine, column in (("x86_64", 0), ("aarch64", 1)):
        code = seccomp.program(machine)
        assert code is not None and len(code) == 8 * (len(seccomp.REFUSED) + 6)
        assert len({pair[column] for pair in seccomp.REFUSED.values()}) == len(seccomp.REFUSED)
    assert seccomp.program("pdp11") is None


@kernel
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become someone else")
def test_an_ordinary_user_has_it_too() -> None:
    code = (
        "import os, sys; from pathlib import Path\n"
        "from recmerge_bench.processes.confine import confine\n"
        "from recmerge_bench.processes.code_paths import installed; installed()\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "open('/etc/passwd').close()\n"
        "made = confine(Path(sys.argv[1]), [], {}, [], 'cpu')\n"
        "assert made.enforced, made\n"
        "open(os.environ['TMPDIR'] + '/own', 'w').close()\n"
        "try: open('/etc/passwd')\n"
        "except PermissionError: print('shut')\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        command = [sys.executable, "-c", code, folder]
        ended = subprocess.run(command, capture_output=True, text=True)
        assert ended.stdout == "shut\n", ended.stderr
