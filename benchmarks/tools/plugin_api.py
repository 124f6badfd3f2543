"""What plugins are promised, as data: names of the API and the toolkit with their parameters.

``python benchmarks/tools/plugin_api.py`` writes ``tests/samples/plugin-api.json``, which tests
compare with what is there: what the file names has to stay as it is until the next major version.
Run it when a version of the contract is released, and at no other time.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from recmerge_bench import api, toolkit
from recmerge_bench.admission import HOOKS
from recmerge_bench.contract_versions import API_VERSION

ROOT = Path(__file__).resolve().parents[2]
SNAPSHOT = ROOT / "tests" / "samples" / "plugin-api.json"
#: Name -> parameters, ``=`` behind those that need not be given; None for what is not called.
Promise = dict[str, list[str] | None]


def api_promise() -> Promise:
    """Hooks, and all names of `recmerge_bench.api` with their public methods and fields."""
    promise: Promise = {hook: [] for hook in HOOKS}
    for name in api.__all__:
        value = getattr(api, name)
        if inspect.isclass(value):
            promise.update(_class(name, value))
        else:
            promise[name] = _parameters(value) if inspect.isfunction(value) else None
    return promise


def _class(name: str, cls: type) -> Promise:
    promise: Promise = {name: None}
    if dataclasses.is_dataclass(cls):
        fields = [f for f in dataclasses.fields(cls) if f.init]
        promise[name] = [f.name + ("" if _needed(f) else "=") for f in fields]
    for member in dir(cls):
        if not member.startswith("_") and member not in dir(Exception):
            value = inspect.getattr_static(cls, member)
            called = inspect.isfunction(value)
            promise[f"{name}.{member}"] = _parameters(value) if called else None
    return promise


def _needed(field: dataclasses.Field[Any]) -> bool:
    missing = dataclasses.MISSING
    return field.default is missing and field.default_factory is missing


def _parameters(function: Any) -> list[str]:
    parameters = inspect.signature(function).parameters.values()
    return [p.name + ("" if p.default is p.empty else "=") for p in parameters]


def toolkit_promise() -> Promise:
    """Public functions and classes of each module of the toolkit, from its syntax tree."""
    promise: Promise = {}
    folder = Path(toolkit.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        module = ".".join(path.relative_to(folder).with_suffix("").parts)
        for name, parameters in _defined(ast.parse(path.read_text(encoding="utf-8"))):
            promise[f"{module}.{name}"] = parameters
    return promise


def _defined(tree: ast.Module | ast.ClassDef) -> Iterator[tuple[str, list[str] | None]]:
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            if isinstance(node, ast.FunctionDef):
                yield node.name, _arguments(node.args)
            else:
                yield node.name, None
                yield from ((f"{node.name}.{n}", p) for n, p in _defined(node))


def _arguments(arguments: ast.arguments) -> list[str]:
    positional = [*arguments.posonlyargs, *arguments.args]
    needed = len(positional) - len(arguments.defaults)
    names = [a.arg + ("" if n < needed else "=") for n, a in enumerate(positional)]
    names += [arguments.vararg.arg] if arguments.vararg else []
    keywords = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    names += [a.arg + ("" if default is None else "=") for a, default in keywords]
    return names + ([arguments.kwarg.arg] if arguments.kwarg else [])


#: Classes whose methods plugins override: these gain no parameter at all.
OVERRIDDEN = {name for name in api.__all__ if name.endswith("Definition")} | {
    "Backbone", "CountingModel", "TextEncoder",
}  # fmt: skip


def broken(
    promised: Promise, present: Promise, overridden: Collection[str] = OVERRIDDEN
) -> list[str]:
    """What of a promise is not kept: names that went, parameters that changed."""
    lines = []
    for name, parameters in promised.items():
        if name not in present:
            lines.append(f"{name} is gone")
        elif parameters is not None:
            now = present[name] or []
            added = [p for p in now if p not in parameters and p.rstrip("=") not in parameters]
            # A parameter that has to be given may become one that need not.
            kept = [p for p in now if p not in added]
            same = [p.rstrip("=") for p in kept] == [p.rstrip("=") for p in parameters]
            stricter = [p for p in kept if not p.endswith("=") and f"{p}=" in parameters]
            allowed = name.partition(".")[0] not in overridden
            if not same or stricter or not all(allowed and p.endswith("=") for p in added):
                lines.append(f"{name} took ({', '.join(parameters)}), now ({', '.join(now)})")
    return lines


def main() -> None:
    """Write the snapshot."""
    document = {
        "api": {"version": API_VERSION, "promise": api_promise()},
        "toolkit": {"version": toolkit.VERSION, "promise": toolkit_promise()},
    }
    SNAPSHOT.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
