"""A place where RecBole may do what it does: what it changes in the process is put back."""

from __future__ import annotations

import logging
import os
import random
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from recmerge_bench.api import Blocked

#: Modules that RecBole's models import, by the distributions that have them.
NEEDED: dict[str, str] = {
    "recbole": "recbole",
    "tensorboard": "tensorboard",
    "texttable": "texttable",
    "colorlog": "colorlog",
    "colorama": "colorama",
    "pandas": "pandas",
    "tqdm": "tqdm",
}
#: Names of numpy's that RecBole's `Config` uses or sets; numpy 2 lacks the last three.
_ALIASES = ("bool", "int", "float", "complex", "object", "str", "long", "unicode",
            "float_", "complex_", "unicode_")  # fmt: skip
_DROPPED = {"float_": "float64", "complex_": "complex128", "unicode_": "str_"}


def require() -> None:
    """Check that RecBole and what its models import are installed; nothing is imported.

    Raises:
        Blocked: one is not.
    """
    for module, distribution in NEEDED.items():
        if find_spec(module) is None:
            raise Blocked(
                f"RecBole's models need the package {distribution}",
                "pip install --no-deps recbole==1.2.1 && pip install "
                + " ".join(name for name in NEEDED.values() if name != "recbole"),
            )


@contextmanager
def fenced() -> Iterator[Path]:
    """RecBole reads ``sys.argv``, prints, sets variables of the environment and more: not here.

    Put back are the arguments, environment, working directory, random states of Python, numpy and
    torch, numpy's names, torch's anomaly detection (which importing RecBole's models turns on,
    ``sine.py``) and cuDNN's switches, logging, filters of warnings and the YAML loader that
    `Config` changes. What is printed is dropped.

    Yields:
        a temporary folder, which is also the working directory.

    Raises:
        Blocked: RecBole, or a package that it imports, is not installed.
    """
    require()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for restored in (_words, _aliases, _random_states, _torch_switches, _logging, _yaml):
            stack.callback(restored())
        stack.enter_context(warnings.catch_warnings())
        stack.enter_context(redirect_stdout(StringIO()))
        sys.argv = sys.argv[:1]
        os.chdir(folder)
        yield folder


def _words() -> Callable[[], None]:
    """Arguments, environment and working directory."""
    arguments, variables, place = sys.argv, dict(os.environ), Path.cwd()

    def restore() -> None:
        os.chdir(place)
        sys.argv = arguments
        os.environ.clear()
        os.environ.update(variables)

    return restore


def _aliases() -> Callable[[], None]:
    """Names of numpy's; those that numpy 2 dropped are there until then."""
    before = {name: vars(np).get(name) for name in _ALIASES}
    for name, meant in _DROPPED.items():
        if before[name] is None:
            setattr(np, name, getattr(np, meant))

    def restore() -> None:
        for name, value in before.items():
            if value is not None:
                setattr(np, name, value)
            elif name in vars(np):
                delattr(np, name)

    return restore


def _random_states() -> Callable[[], None]:
    """Those of Python, numpy and torch's CPU."""
    import torch

    states = random.getstate(), np.random.get_state(), torch.random.get_rng_state()

    def restore() -> None:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.random.set_rng_state(states[2])

    return restore


def _torch_switches() -> Callable[[], None]:
    import torch

    anomaly, cudnn = torch.is_anomaly_enabled(), torch.backends.cudnn
    flags = cudnn.deterministic, cudnn.benchmark
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()

    def restore() -> None:
        torch.autograd.set_detect_anomaly(anomaly)
        cudnn.deterministic, cudnn.benchmark = flags
        torch.set_default_dtype(dtype)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)

    return restore


def _logging() -> Callable[[], None]:
    """The root logger, which RecBole writes to, is quiet until then."""
    root = logging.getLogger()
    handlers, level, off = list(root.handlers), root.level, root.manager.disable
    logging.disable(logging.CRITICAL)

    def restore() -> None:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.disable(off)

    return restore


def _yaml() -> Callable[[], None]:
    """`Config` gives every user of ``yaml.FullLoader`` other numbers."""
    loader: Any = _full_loader()
    name = "yaml_implicit_resolvers"
    own = vars(loader).get(name)
    kept = None if own is None else {first: list(rules) for first, rules in own.items()}

    def restore() -> None:
        if kept is not None:
            setattr(loader, name, kept)
        elif name in vars(loader):
            delattr(loader, name)

    return restore


def _full_loader() -> Any:
    import yaml

    return yaml.FullLoader


def seeded(seed: int) -> None:
    """Seed what RecBole's models draw their initial values from; inside `fenced`."""
    import torch

    random.seed(seed)
    np.random.seed(seed % (1 << 32))
    torch.manual_seed(seed)
