"""A merge strategy in a process of its own, which has what its tier allows and sees nothing else.

The process is forked before anything of the run is read. It gives up files, network and other
processes (`confine`), and only then imports the strategy; tensors and arrays come to it, and merged
tensors back, in anonymous memory. What comes back is read as numbers and JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recmerge_bench.blame import plugin_fault
from recmerge_bench.borders.merges import check_each, check_merged
from recmerge_bench.definitions import Expert
from recmerge_bench.errors import HandledError
from recmerge_bench.merging.guard import sealed
from recmerge_bench.processes import shared
from recmerge_bench.processes.confine import Confinement, confine
from recmerge_bench.processes.parent import die_with
from recmerge_bench.processes.words import Reported, clean, error_text, how_it_died, trace_text
from recmerge_bench.running.context import Context
from recmerge_bench.running.experts import Tensors, placed
from recmerge_bench.running.store import scratch_of
from recmerge_bench.tiers import TIERS, MergeInput, WithCatalogue, WithSequences, WithStatistics
from recmerge_bench.toolkit.merging.adapters import PREFIX

if TYPE_CHECKING:
    from torch import Tensor

#: Bytes of a strategy's notes as JSON, of all that it says, and files named of those it opened.
NOTES, WORDS, OPENED = 4 << 20, 8 << 20, 100
#: Python's own limit, which a method may have lowered.
_DEEP = 1000


@dataclass(frozen=True)
class Merged:
    """What a strategy made.

    Attributes:
        models: domain -> merged tensors on the CPU, checked; "" for one model of all.
        modulated: whether each domain has its own.
        read: parts of what it was handed that it used.
        opened: files that Python opened meanwhile, other than code.
        notes: for the record.
        enforced: whether the kernel kept everything else from it.
        mechanisms: by which means.
        peak_memory: bytes.
    """

    models: dict[str, dict[str, Tensor]]
    modulated: bool
    read: list[str]
    opened: list[str]
    notes: dict[str, Any]
    enforced: bool
    mechanisms: dict[str, str] = field(default_factory=dict)
    peak_memory: int = 0


class Apart:
    """The process, waiting for what it is to merge. A context manager: it ends with the context.

    Args:
        context: of the merge cell; nothing of its inputs has been read yet.
    """

    def __init__(self, context: Context) -> None:
        self.given, self.words, self.body = (shared.memory(n) for n in ("given", "words", "body"))
        waits, self.go = os.pipe()
        self.scratch = scratch_of(context.out)
        self.scratch.mkdir(exist_ok=True)
        self.handles = [self.given, self.words, self.body, self.go]
        self.pid = os.fork()
        if self.pid == 0:
            _be_apart(self, context, waits)
        os.close(waits)

    def __enter__(self) -> Apart:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        for handle in self.handles:
            with suppress(OSError):
                os.close(handle)
        shutil.rmtree(self.scratch, ignore_errors=True)

    def merge(self, given: MergeInput, like: Tensors) -> Merged:
        """Hand over what the tier allows, and wait for what the strategy makes of it.

        Args:
            given: see `Tier.hand`.
            like: the base's tensors, which merged ones resemble.

        Raises:
            Reported: the strategy failed; as it said, or as its process died.
            HandledError: what it gave are no such tensors.
        """
        shared.pack(given, self.given)
        with suppress(BrokenPipeError):
            os.write(self.go, b"!")
        _, status, usage = os.wait4(self.pid, 0)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        answer = self._read_answer()
        if answer is None:
            how = how_it_died(os.waitstatus_to_exitcode(status))
            raise Reported(f"the strategy: {how}", "", False, False)
        if "error" in answer:
            error, trace = (clean(str(answer.get(k, "")), n) for k, n in
                            (("error", 1_000), ("traceback", 20_000)))  # fmt: skip
            raise Reported(
                error, trace, answer.get("handled") is True, answer.get("out_of_memory") is True
            )
        try:
            shared.seal(self.body)
            return self._merged(answer, like, usage.ru_maxrss * 1024)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise HandledError(f"the strategy's process gave no merged tensors ({error})") from None

    def _read_answer(self) -> dict[str, Any] | None:
        size = os.fstat(self.words).st_size
        if not 0 < size <= WORDS:
            return None
        try:
            answer = json.loads(os.pread(self.words, size, 0))
        except (ValueError, RecursionError):
            return None
        return answer if isinstance(answer, dict) else None

    def _merged(self, answer: Mapping[str, Any], like: Tensors, peak: int) -> Merged:
        models = {
            str(domain): shared.read_tensors(entries, self.body)
            for domain, entries in answer["models"].items()
        }
        for tensors in models.values():
            _resemble(like, tensors)
        return Merged(
            models, answer["modulated"] is True, [str(part) for part in answer["read"]],
            sorted(map(str, answer["opened"])), dict(answer["notes"]), answer["enforced"] is True,
            {str(k): str(v) for k, v in answer["mechanisms"].items()}, peak,
        )  # fmt: skip


def _resemble(like: Tensors, tensors: Tensors) -> None:
    for name in {n for n in tensors if not n.startswith(PREFIX)} ^ set(like):
        raise ValueError(f"'{clean(name, 100)}' is not in both base and result")
    for name, tensor in tensors.items():
        if name in like and (tensor.shape, tensor.dtype) != (like[name].shape, like[name].dtype):
            raise ValueError(f"'{name}' is of another shape or dtype than the base's")
        if not bool(tensor.isfinite().all()):
            raise ValueError(f"'{clean(name, 100)}' has NaN or infinite values")


def _be_apart(apart: Apart, context: Context, waits: int) -> None:
    """What the forked process does; never returns."""
    me = os.getpid()
    try:
        os.setsid()
        die_with(os.getppid())
        _close_all_but(apart.given, apart.words, apart.body, waits)
        answer = _answer(apart, context, waits, me)
        if os.getpid() == me:
            os.ftruncate(apart.words, 0)
            os.lseek(apart.words, 0, os.SEEK_SET)
            shared.write_all(apart.words, json.dumps(answer).encode())
    except BaseException:
        os._exit(1)
    os._exit(0)


def _close_all_but(*kept: int) -> None:
    start = 3
    for handle in sorted(kept):
        os.closerange(start, handle)
        start = handle + 1
    os.closerange(start, os.sysconf("SC_OPEN_MAX"))


def _answer(apart: Apart, context: Context, waits: int, me: int) -> dict[str, Any]:
    try:
        targets = list(_targets(context.config))
        confinement = confine(
            apart.scratch, targets, context.files, [*context.hidden, str(context.out.parents[1])],
            context.device,
        )  # fmt: skip
        if not os.read(waits, 1):
            os._exit(0)
        return _made(shared.unpack(apart.given), context, apart.body, confinement)
    except BaseException as error:
        sys.setrecursionlimit(max(sys.getrecursionlimit(), _DEEP))
        memory = isinstance(error, MemoryError) or "out of memory" in error_text(error).lower()
        return {
            "error": clean(plugin_fault(error) or "") or error_text(error), "out_of_memory": memory,
            "handled": isinstance(error, HandledError), "traceback": trace_text(error),
        }  # fmt: skip
    finally:
        if os.getpid() != me:  # a fork that came back from the strategy
            os._exit(0)


def _targets(value: Any) -> list[str]:
    """All ``module:Class`` in a configuration."""
    if not isinstance(value, Mapping):
        return []
    own = [value["target"]] if isinstance(value.get("target"), str) else []
    return own + [t for part in value.values() for t in _targets(part)]


def _made(
    given: MergeInput, context: Context, body: int, confinement: Confinement
) -> dict[str, Any]:  # fmt: skip
    strategy = context.definition("strategy")
    if TIERS[given.tier].runs_models:  # where models are run, all lies on the device
        experts = tuple(Expert(e.domain, placed(e.weights, context.device)) for e in given.experts)
        given = replace(given, base=placed(given.base, context.device), experts=experts)
    if isinstance(given, WithStatistics):
        grams = {domain: placed(own, context.device) for domain, own in given.grams.items()}
        given = replace(given, grams=grams)
    domains = [e.domain for e in given.experts]
    like = dict(given.base)
    hidden = [context.out.parents[1], *map(Path, context.hidden)]
    with sealed(hidden, confinement.code) as opened:
        made = strategy.merge_each(given) if strategy.modulated else strategy.merge(given)
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _DEEP))
    if strategy.modulated:
        models = check_each(strategy, like, domains, made, PREFIX)
    else:
        models = {"": check_merged(strategy, like, made)}
    return {
        "models": {d: shared.write_tensors(m, body) for d, m in models.items()},
        "modulated": bool(strategy.modulated),
        "read": _read(given),
        "opened": sorted(set(opened))[:OPENED],
        "notes": _notes(given.notes),
        "enforced": confinement.enforced,
        "mechanisms": {"files": confinement.files, "calls": confinement.calls},
    }


def _read(given: MergeInput) -> list[str]:
    """What the strategy has read, for the record."""
    parts: set[str] = set()
    if isinstance(given, WithCatalogue):
        parts |= given.items.read
    if isinstance(given, WithSequences):
        parts |= given.sequences.read
    statistics = ["grams"] if isinstance(given, WithStatistics) else []
    return ["weights", *sorted(parts), *statistics]


def _notes(notes: Mapping[str, Any]) -> dict[str, Any]:
    """Notes as JSON, in bounds.

    Raises:
        HandledError: one is no JSON value, or all are too long.
    """
    used = 0
    for name, value in notes.items():
        shown = clean(str(name), 50)
        try:
            used += len(json.dumps({name: value}, allow_nan=False))
        except (TypeError, ValueError, RecursionError) as error:
            raise HandledError(
                f"the strategy's note '{shown}' is no JSON value ({error})"
            ) from None
        if used > NOTES:
            raise HandledError(
                f"the strategy's notes, '{shown}' among them, take over {NOTES} bytes"
            )
    return dict(notes)
