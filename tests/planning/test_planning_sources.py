"""Digests of sources: what a file computes counts, what it says of itself does not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from recmerge_bench.errors import HandledError
from recmerge_bench.planning import sources
from recmerge_bench.planning.code import read_code
from recmerge_bench.planning.plan import build
from recmerge_bench.planning.sources import PYTHON, Sources
from recmerge_bench.planning.suite_files import load_suite
from recmerge_bench.registry import Registry

SOURCE = '''
"""What this is."""
import os
from a.b import c

LIMIT = 3  #: how many


class Net:
    """A net."""

    width: int = 4
    """How wide."""

    def forward(self, x: float, *rest: int, key: str | None = None) -> float:
        """Twice."""
        # and once more
        return 2 * x + f"{x!r:>{self.width}}".count("1")


def nothing():
    """Only words."""
'''

#: One digest for one source, whatever the Python (found on 3.11; tests run on the others too).
DIGEST = "0b022ce113d3cbb7b7224344c3f91fcfbd63b1c40f1a437e0b0f96b4e0e2309f"


def digest(source: str) -> str:
    return read_code(source.encode(), "file.py").digest


def test_one_digest_on_every_python() -> None:
    assert digest(SOURCE) == DIGEST


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("What this is.", "What that was."),
        ('"""A net."""', "'''Another\n    net.'''"),
        ('"""Twice."""', ""),
        ("# and once more", ""),
        ('    """How wide."""\n', ""),
        ('"""Only words."""', "pass"),
        ("2 * x", "(2\n            * x)"),
        ("import os", "import os  # noqa"),
    ],
)
def test_words_change_no_digest(old: str, new: str) -> None:
    assert old in SOURCE
    assert digest(SOURCE.replace(old, new)) == DIGEST


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 3", "LIMIT = 4"),
        ("LIMIT = 3", "LIMIT = 3.0"),
        ("LIMIT = 3", "LIMIT = True"),
        ("2 * x", "x * 2"),
        ("!r", "!s"),
        (":>", ":<"),
        ("*rest: int, key", "*rest: int, kex"),
        ("def nothing", "async def nothing"),
        ("class Net", "class Nett"),
        ("key: str | None = None", "key: str | None"),
        ("from a.b import c", "from a.b import c as d"),
        ('count("1")', 'count(b"1")'),
        ("import os", "if 1:\n    import os"),
    ],
)
def test_code_changes_it(old: str, new: str) -> None:
    assert old in SOURCE
    assert digest(SOURCE.replace(old, new)) != DIGEST


def test_what_is_no_python_is_one_line() -> None:
    with pytest.raises(HandledError, match=r"file\.py:2: cannot be read as Python") as caught:
        read_code(b"x = 1\ny = = 2\n", "file.py")
    assert "\n" not in str(caught.value)
    with pytest.raises(HandledError, match="cannot be read as Python"):
        read_code(b"x = 1\0", "file.py")


MODULES = ("recmerge_bench.running.stage_rank", "recmerge_bench_plugins.backbones.sasrec")


def test_what_is_remembered_changes_nothing(tmp_path: Path) -> None:
    fresh = Sources().digest(MODULES)
    memory = tmp_path / "cache" / "sources.json"
    first = Sources(memory)
    assert first.digest(MODULES) == fresh
    first.save()
    assert memory.is_file() and list(memory.parent.iterdir()) == [memory]
    assert Sources(memory).digest(MODULES) == fresh


@pytest.mark.parametrize("damage", [b"", b"{", b"[1]", b'{"a": 3}', b"\xff", b"[" * 100_000])
def test_a_damaged_memory_is_made_again(tmp_path: Path, damage: bytes) -> None:
    memory = tmp_path / "sources.json"
    memory.write_bytes(damage)
    again = Sources(memory)
    assert again.digest(MODULES) == Sources().digest(MODULES)
    again.save()
    assert len(memory.read_bytes()) > 1000


def test_a_memory_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    there = Sources(tmp_path / "file" / "sources.json")
    there.digest(MODULES)
    there.save()


def test_relative_imports_are_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of a package's own file start at the package, others' at the package above them."""
    files = {
        "__init__.py": "from .net import build\nfrom . import own\n",
        "net.py": "from .deep.layer import layer\n",
        "own.py": "x = 1\n",
        "deep/__init__.py": "from ..shared import y\n",
        "deep/layer.py": "from . import width\nfrom ..loss import loss\n",
        "deep/width.py": "x = 1\n",
        "shared.py": "y = 1\n",
        "loss.py": "loss = 1\n",
        "unused.py": "x = 1\n",
    }
    (tmp_path / "method_folder" / "deep").mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / "method_folder" / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    before = Sources().digest(["method_folder"])
    for name, text in files.items():
        path = tmp_path / "method_folder" / name
        path.write_text(text + "z = 2\n")
        changed = Sources().digest(["method_folder"]) != before
        path.write_text(text)
        assert changed == (name != "unused.py"), name


def test_cells_say_which_python_read_their_sources(registry: Registry) -> None:
    plan = build(load_suite("quick", registry, ("seeds=[0]",)), registry)
    for cell in plan.cells.values():
        assert cell.job["sources"]["python"] == PYTHON == f"3.{sys.version_info[1]}"
        assert len(cell.job["sources"]["digest"]) == 64


def test_a_plan_seeks_each_module_once_and_parses_what_is_new(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Module paths were sought 79,588 times for the suite of the papers."""
    sought: list[str] = []
    parsed: list[str] = []
    path, read = sources.module_path, sources.read_code
    monkeypatch.setattr(sources, "module_path", lambda n: sought.append(n) or path(n))
    monkeypatch.setattr(sources, "read_code", lambda b, n: parsed.append(n) or read(b, n))
    suite = load_suite("paper", registry)
    first = Sources(tmp_path / "memory.json")
    build(suite, registry, tmp_path, first)
    assert len(sought) == len(set(sought))
    assert len(parsed) == len(set(parsed)) > 50
    parsed.clear()
    build(suite, registry, tmp_path, Sources(tmp_path / "memory.json"))
    assert parsed == []


def test_imports_for_type_checkers_are_not_followed() -> None:
    source = "import typing\nif typing.TYPE_CHECKING:\n    import a\nelse:\n    import b\n"
    source += "if TYPE_CHECKING:\n    from c import d\ndef f():\n    import e\n"
    seen = {n for i in read_code(source.encode(), "file.py").imports for n in (i.base or i.names)}
    assert seen == {"typing", "b", "e"}
