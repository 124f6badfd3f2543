"""What a spec's class has to be, told as early as it can be: at discovery, else at the plan.

A class in a module that is loaded is looked at. Of any other module the syntax tree tells whether
it defines the name at all: nothing is imported for it.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import sys
from collections.abc import Iterable
from typing import Any

from recmerge_bench.definitions import (
    Backbone,
    CountingModel,
    DatasetDefinition,
    Definition,
    ExecutorDefinition,
    ListMetricDefinition,
    MetricDefinition,
    ProtocolDefinition,
    StrategyDefinition,
    TextEncoder,
)
from recmerge_bench.errors import HandledError, near
from recmerge_bench.module_files import module_path
from recmerge_bench.specs import CDSRSpec, ModelSpec, Spec, StrategySpec
from recmerge_bench.targets import define, load_class

#: Kind -> what its classes inherit from, and the methods that they have to define.
BASES: dict[str, tuple[type[Definition], tuple[str, ...]]] = {
    "dataset": (DatasetDefinition, ("domains", "load")),
    "encoder": (TextEncoder, ()),
    "backbone": (Backbone, ("build", "loss", "encode", "items", "max_history")),
    "cdsr": (Backbone, ("build", "loss", "encode", "items", "max_history")),
    "counting": (CountingModel, ("fit", "scores")),
    "strategy": (StrategyDefinition, ()),
    "protocol": (
        ProtocolDefinition,
        ("split", "split_options", "candidates", "mask_history", "candidate_seed"),
    ),
    "metric": (MetricDefinition, ("value",)),
    "executor": (ExecutorDefinition, ("open", "free", "submit", "events", "close")),
}
#: Kind -> what else its classes may inherit from, with the same methods to define.
OTHER_BASES: dict[str, type[Definition]] = {"metric": ListMetricDefinition}
#: Class attributes with few values.
_CHOICES = {"scope": ("entry", "tensor", "model"), "scaled": (True, False),
            "modulated": (True, False), "order_matters": (True, False)}  # fmt: skip
#: Attributes of strategies in earlier versions -> what they are called now.
_RENAMED = {"reach": "scope", "survey": "prepass", "surveys": "prepass_scope"}
#: Kind and id of the classes that were looked at for a plan; held, so that no id is another's.
_CHECKED: dict[tuple[str, int], Any] = {}


def check_early(spec: Spec) -> None:
    """Check what can be known of a spec's class without importing anything.

    Raises:
        HandledError: there is no such class, or it is not what the kind needs.
    """
    module, _, name = spec.target.partition(":")
    if module in sys.modules:
        check_class(spec, getattr(sys.modules[module], name, None))
        return
    path = module_path(module)
    if path is None:
        top = sys.modules.get(module.partition(".")[0])
        if top is not None and getattr(top, "__file__", None) is None:
            return  # a module of a kind that has no files: the import tells
        raise _bad(spec, f"there is no module '{module}'")
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError) as error:
        raise _bad(spec, f"{path} is no Python ({error})") from None
    names = _bound(tree)
    if name not in names and "*" not in names:
        raise _bad(spec, f"{path} defines no '{name}'{near(name, names)}")


def check_class(spec: Spec, cls: Any) -> None:
    """Check the class of a spec.

    Raises:
        HandledError: it is no class of the kind, lacks a method or takes no such options.
    """
    base, methods = BASES[spec.kind]
    if cls is None:
        module, _, name = spec.target.partition(":")
        raise _bad(spec, f"'{module}' has no '{name}'{near(name, vars(sys.modules[module]))}")
    other = OTHER_BASES.get(spec.kind, base)
    if not (isinstance(cls, type) and issubclass(cls, (base, other))):
        names = " or ".join(dict.fromkeys((base.__name__, other.__name__)))
        raise _bad(spec, f"a {spec.kind}'s class inherits from {names}")
    base = base if issubclass(cls, base) else other
    try:
        inspect.signature(cls).bind(None)
    except (TypeError, ValueError):
        raise _bad(spec, f"{cls.__name__} has to be made of its options alone") from None
    for method in _needed(spec, cls, base, methods):
        if not _own(cls, base, method):
            raise _bad(spec, f"{cls.__name__} does not define {method}()")
    for method in vars(base):
        if inspect.isfunction(vars(base)[method]) and _own(cls, base, method):
            _check_arguments(spec, cls, base, method)
    _check_options(spec, cls)


def _needed(spec: Spec, cls: Any, base: type, methods: tuple[str, ...]) -> tuple[str, ...]:
    """The methods that a class of this spec has to define: its kind's, and what the spec adds."""
    if isinstance(spec, StrategySpec):
        return _of_strategy(spec, cls)
    if base is Backbone and _own(cls, base, "scores"):  # scores that are no products of vectors
        methods = tuple(m for m in methods if m not in ("encode", "items"))
    if isinstance(spec, CDSRSpec) and spec.single_target:
        return (*methods, "build_for")  # which is how it learns its target
    if spec.kind == "encoder":
        return ("tokens", "weights") if _own(cls, base, "tokens") else ("encode",)
    return methods


def spec_class(spec: Spec) -> Any:
    """The class of a spec, imported and checked once.

    Raises:
        HandledError: it cannot be had, or is not what the kind needs.
    """
    cls = load_class(spec.target)
    if (spec.kind, id(cls)) not in _CHECKED:
        check_class(spec, cls)
        _CHECKED[spec.kind, id(cls)] = cls
    return cls


def definition(spec: Spec) -> Any:
    """The definition of a spec with its presets and defaults.

    With other options it is made by `recmerge_bench.planning.options.complete`, which checks them.

    Raises:
        HandledError: its class cannot be had, or is not what the kind needs.
    """
    spec_class(spec)
    return define(spec.target, spec.options)


def _own(cls: type, base: type, method: str) -> bool:
    """Whether a class has a method of its own in the place of the definition's."""
    return getattr(cls, method, None) is not getattr(base, method)


def _of_strategy(spec: StrategySpec, cls: Any) -> tuple[str, ...]:
    for before, now in _RENAMED.items():
        if hasattr(cls, before):
            raise _bad(spec, f"{cls.__name__}.{before} is called {now}")
    for name, known in _CHOICES.items():
        if not any(getattr(cls, name) is value or getattr(cls, name) == value
                   for value in known):  # fmt: skip
            raise _bad(spec, f"{cls.__name__}.{name} is one of {', '.join(map(str, known))}")
    if spec.passthrough:
        return ()
    return ("merge_each",) if cls.modulated else ("merge",)


def _check_arguments(spec: Spec, cls: type, base: type, method: str) -> None:
    """Whether a method can be called as the definition's is."""
    own, theirs = getattr(cls, method), getattr(base, method)
    if not callable(own):
        raise _bad(spec, f"{cls.__name__}.{method} is no method")
    code = theirs.__code__
    names = code.co_varnames[: code.co_argcount]
    try:
        inspect.signature(own).bind(*names)
    except TypeError:
        asked = ", ".join(names)
        raise _bad(spec, f"{cls.__name__}.{method}() has to take ({asked})") from None
    except ValueError:
        return  # a method without a signature


def _check_options(spec: Spec, cls: Any) -> None:
    options = cls.Options
    if not (isinstance(options, type) and dataclasses.is_dataclass(options)):
        raise _bad(spec, f"{cls.__name__}.Options has to be a dataclass")
    known = [field.name for field in dataclasses.fields(options)]
    _check_names(spec, spec.options, known, "its options")
    if isinstance(spec, ModelSpec):
        for name, profile in spec.profiles.items():
            _check_names(spec, profile.options, known, f"profile '{name}'")


def _check_names(spec: Spec, given: Iterable[str], known: list[str], where: str) -> None:
    for name in given:
        if name not in known:
            raise _bad(
                spec,
                f"{where} name '{name}', which {spec.target.partition(':')[2]} does not take"
                f"{near(name, known)}",
            )


def _bound(tree: ast.Module) -> set[str]:
    """Names that a module binds at its top level; ``*`` where it imports all of another."""
    names: set[str] = set()
    queue: list[ast.AST] = list(tree.body)
    while queue:
        node = queue.pop()
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            names.add("*" if node.name == "__getattr__" else node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(a.asname or a.name).partition(".")[0] for a in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        else:
            queue += ast.iter_child_nodes(node)
    return names


def _bad(spec: Spec, message: str) -> HandledError:
    return HandledError(f"{spec.kind} '{spec.name}', target {spec.target}: {message}")


__all__ = ["BASES", "OTHER_BASES", "check_class", "check_early", "definition", "spec_class"]
