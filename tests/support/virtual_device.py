"""A second device that needs no hardware: CPU tensors that are marked as lying on ``cuda:0``.

What mixes devices, or reads a marked tensor as numpy, fails as it would on a real one: tensors of
both places in one operation (but scalars, and indices from the CPU), a generator of the other
place. Values are those of the CPU. Nothing of CUDA's kernels, its memory or its speed is tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_flatten

from recmerge_bench.interface.plans import planned
from recmerge_bench.registry import Registry, discover
from recmerge_bench.running.jobs import job_spec
from recmerge_bench.worker import execute

CUDA = torch.device("cuda", 0)
CPU = torch.device("cpu")
_IN_PLACE = {"aten::copy_", "aten::_foreach_copy_", "aten::set_"}
_ANY_PLACE = {*_IN_PLACE, "aten::_to_copy"}
#: Their indices, behind the tensor itself, may lie on the CPU.
_INDEXED = {"aten::index", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_"}
_COPIES = {Tensor.to, Tensor.cpu, Tensor.cuda}
_AS_NUMPY = {Tensor.numpy, Tensor.__array__}


class Mixed(RuntimeError):
    """What a real device refuses."""


def marked(tensor: Tensor) -> bool | None:
    """Whether a tensor lies on the second device; None: autograd's own zeros, that lie anywhere.

    Views share their storage's mark.
    """
    return getattr(_storage(tensor), "on_second_device", False)


def _storage(tensor: Tensor) -> Any:
    with torch._C.DisableTorchFunction(), _disable_current_modes():
        if tensor.layout == torch.sparse_coo:
            tensor = tensor._values()
        elif tensor.layout != torch.strided:
            tensor = tensor.values()
        return tensor.untyped_storage()


def _mark(value: Any, there: bool | None = True) -> Any:
    for tensor in tree_flatten(value)[0]:
        if isinstance(tensor, Tensor):
            _storage(tensor).on_second_device = there
    return value


def _where(value: Any) -> torch.device | None:
    return torch.device(value) if isinstance(value, (str, torch.device)) else None


class _Generator(torch.Generator):
    """A CPU generator that says where it is said to be."""

    place = CPU

    def __new__(cls, device: Any = "cpu") -> _Generator:
        made = super().__new__(cls)
        made.place = torch.device(device)
        return made

    def __init__(self, device: Any = "cpu") -> None:
        pass

    @property
    def device(self) -> torch.device:
        return self.place


class _Check(TorchDispatchMode):
    """Refuses operations over both places; results lie where their inputs do."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = func.name().split(".")[0]
        if name not in _ANY_PLACE:
            indexed = name in _INDEXED and _is_marked(args[0])
            self._refuse(name, args[:1] if indexed else (args, kwargs))
        out = func(*args, **kwargs)
        tensors = [t for t in tree_flatten((args, kwargs))[0] if isinstance(t, Tensor)]
        if not tensors and torch._C._current_graph_task_id() != -1:
            return _mark(out, None)
        return _mark(out) if any(map(marked, tensors)) and name not in _IN_PLACE else out

    def _refuse(self, name: str, seen: Any) -> None:
        tensors = [t for t in tree_flatten(seen)[0] if isinstance(t, Tensor)]
        if name == "aten::_sparse_addmm":
            tensors = tensors[1:]  # zeros that torch.sparse.mm makes for itself
        there = [t for t in tensors if marked(t)]
        here = [t for t in tensors if marked(t) is False and t.dim() > 0]
        if there and here:
            shapes = [(list(t.shape), "cuda" if _is_marked(t) else "cpu") for t in tensors]
            raise Mixed(f"tensors of both devices in {name}: {shapes}")


def _is_marked(value: Any) -> bool:
    return isinstance(value, Tensor) and bool(marked(value))


class _Place(TorchFunctionMode):
    """Carries out what names a device on the CPU, and marks the result."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func == Tensor.device.__get__:
            return CUDA if _is_marked(args[0]) else CPU
        if func == Tensor.is_cuda.__get__:
            return _is_marked(args[0])
        if func in _AS_NUMPY and _is_marked(args[0]):
            raise TypeError("can't convert cuda:0 device type tensor to numpy")
        if func in _COPIES:
            return self._moved(func, args, kwargs)
        self._right_generator(func, args, kwargs)
        wanted = _where(kwargs.get("device"))
        if wanted is None:
            return func(*args, **kwargs)
        kwargs["device"] = CPU
        made = func(*args, **kwargs)
        if wanted.type != "cuda":
            return made
        return _mark(made.clone() if func is torch.as_tensor else made)

    def _moved(self, func: Any, args: Any, kwargs: dict[str, Any]) -> Tensor:
        tensor, rest = args[0], [*args[1:], *kwargs.values()]
        like = next((v for v in rest if isinstance(v, Tensor)), None)
        place = next((_where(v) for v in rest if _where(v) is not None), None)
        goes = {Tensor.cpu: CPU, Tensor.cuda: CUDA}.get(func, place)
        if like is not None:
            goes = CUDA if _is_marked(like) else CPU
        dtype = next(
            (v for v in rest if isinstance(v, torch.dtype)),
            (tensor if like is None else like).dtype,
        )
        was = _is_marked(tensor)
        will = was if goes is None else goes.type == "cuda"
        moved = Tensor.to(tensor, dtype, copy=was != will or bool(kwargs.get("copy")))
        return _mark(moved, will)

    def _right_generator(self, func: Any, args: Any, kwargs: dict[str, Any]) -> None:
        generator = kwargs.get("generator")
        if generator is None:
            return
        first = args[0] if args and isinstance(args[0], Tensor) else None
        place = CUDA if _is_marked(first) else _where(kwargs.get("device")) or CPU
        if generator.device.type != place.type:
            raise Mixed(f"a {generator.device.type} generator draws for {place.type} in {func}")


@contextmanager
def second_device() -> Iterator[None]:
    """Within it ``cuda`` is a device, in this thread."""
    with ExitStack() as stack:
        for place, name, new in (
            (torch, "Generator", _Generator),
            (torch.random, "fork_rng", lambda *_, **__: nullcontext()),
            (torch.cuda, "get_device_name", lambda *_: "a second device"),
        ):
            stack.enter_context(mock.patch.object(place, name, new))
        # There is no cuDNN behind it, which recurrent layers would warn of.
        stack.enter_context(torch.backends.cudnn.flags(enabled=False))
        stack.enter_context(_Place())
        stack.enter_context(_Check())
        yield


def run_with_plugin(plugin: str, suite: str, where: Path, device: str) -> list[str]:
    """`run_cells` of a suite and a plugin that are given as text; `where` takes all files."""
    # A module's name counts once in a process.
    code, path = where / f"{where.name}_plugin.py", where / "suite.yaml"
    code.write_text(plugin)
    path.write_text(suite)
    return run_cells(discover([str(code)], {}), path, where / "out", device)


def run_cells(registry: Registry, suite: Path, out: Path, device: str) -> list[str]:
    """Run a suite's cells in this process, one after another; what did not end well."""
    plan = planned(suite, registry)
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    try:
        for cell in plan.cells.values():
            events: list[dict[str, Any]] = []
            execute(job_spec(cell, plan, out, device), events.append)
            if events[-1]["event"] != "done":
                print(*events[-1].values(), sep="\n")  # pytest shortens what it compares
                return [f"{cell.label}: {events[-1]}"]
        return []
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(strict)
