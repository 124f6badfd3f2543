"""Begins a plugin: files that work as they stand, to be changed into one's own."""

from __future__ import annotations

import importlib.util
import keyword
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recmerge_bench import api
from recmerge_bench.errors import HandledError, near
from recmerge_bench.planning.suite_files import suite_files
from recmerge_bench.registry import Registry
from recmerge_bench.specs import METHOD_KINDS, SPECS

#: What users call a kind -> the kind; and what sentences call it.
KINDS: Mapping[str, str] = {
    "strategy": "strategy",
    "backbone": "backbone",
    "cdsr": "cdsr",
    "baseline": "counting",
    "dataset": "dataset",
    "encoder": "encoder",
    "protocol": "protocol",
    "metric": "metric",
    "list-metric": "metric",
    "executor": "executor",
}
_NOUNS = {"strategy": "merge strategy", "cdsr": "cross-domain model", "counting": "baseline",
         "encoder": "text encoder", "list-metric": "metric of lists"}  # fmt: skip
#: What users call a kind -> the class that its test inherits from, where that is not the kind's.
_CLASSES = {
    "cdsr": "CDSRConformance", "baseline": "BaselineConformance",
    "list-metric": "ListMetricConformance",
}  # fmt: skip
#: Kinds with a template of their own beside that of the specs' kind.
_TEMPLATES = ("list-metric",)
#: Options that make a template small in its test.
_SMALL = {"backbone": "width=16", "cdsr": "width=16"}
_LONGEST = 40


@dataclass(frozen=True)
class Begun:
    """A plugin that was begun.

    Attributes:
        files: that were written.
        commands: what to do with them, in order.
    """

    files: tuple[Path, ...]
    commands: tuple[str, ...]


def begin_plugin(
    name: str, kind: str, *, registry: Registry, to: Path = Path(), package: bool = False
) -> Begun:
    """Write a working minimal plugin, its test and a suite with its row.

    Args:
        name: that it will be registered as.
        kind: one of `KINDS`.
        registry: whose names are taken.
        to: the folder that is written to.
        package: write an installable distribution, in a folder of the plugin's name.

    Raises:
        HandledError: a name that cannot be used; a file that is there already: nothing is
            written then.
    """
    if kind not in KINDS:
        raise HandledError(f"no kind '{kind}'{near(kind, KINDS)}; there are {', '.join(KINDS)}")
    facts = _facts(name, kind, registry, package)
    texts = dict(_packaged(facts) if package else _plain(facts))
    root = to / name.lower() if package else to
    _refuse_existing(root, texts, package)
    for place, text in texts.items():
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:  # never over another
            file.write(text)
    return Begun(tuple(root / place for place in texts), _commands(facts, root, package))


def _facts(name: str, asked: str, registry: Registry, package: bool) -> dict[str, Any]:
    """What the templates are filled with.

    Args:
        name: of the plugin.
        asked: one of `KINDS`.
        registry: whose names are taken.
        package: a distribution.

    Raises:
        HandledError: the name cannot be used.
    """
    kind = KINDS[asked]
    _refuse_name(name, kind, registry)
    module = name.lower().replace("-", "_")
    suites = suite_files(registry)
    suite = name.lower() if name.lower() not in suites else f"{name.lower()}-trial"
    return {
        "name": name,
        "kind": kind,
        "template": asked.replace("-", "_") if asked in _TEMPLATES else kind,
        "module": module,
        "cls": _class_name(name),
        "title": name.replace("-", " ")[:1].upper() + name.replace("-", " ")[1:],
        "noun": _NOUNS.get(asked, _NOUNS.get(kind, kind)),
        "conformance": _CLASSES.get(asked, f"{kind.capitalize()}Conformance"),
        "fixture": kind,
        "small": _SMALL.get(kind, ""),
        "suite": suite,
        "suite_argument": suite if package else f"{suite}.yaml",
        "load": "" if package else f"-p {module}.py ",
        "package": package,
    }


def _refuse_name(name: str, kind: str, registry: Registry) -> None:
    spec, module = SPECS[kind], name.lower().replace("-", "_")
    if not spec.pattern.fullmatch(name) or len(name) > _LONGEST:
        raise HandledError(f"a {kind}'s name takes {spec.called}, up to {_LONGEST}: not {name!r}")
    if not module.isidentifier() or keyword.iskeyword(module):
        raise HandledError(f"'{name}' would be the module '{module}', which Python does not allow")
    if importlib.util.find_spec(module) is not None:
        raise HandledError(f"Python has a module '{module}' already: choose another name")
    shared = METHOD_KINDS if kind in METHOD_KINDS else (kind,)
    for taken, plugin in registry.claims():
        if taken.name == name and taken.kind in shared:
            raise HandledError(
                f"the {taken.kind} '{name}' is registered by {plugin.module} already: one name "
                "means one thing"
            )


def _class_name(name: str) -> str:
    made = "".join(part[:1].upper() + part[1:] for part in name.split("-"))
    used = {*api.__all__, "Options", "Any", "Path", "Sequence", "Mapping", "Callable", "Literal"}
    return f"{made}Plugin" if made in used else made


def _plain(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Place -> text of a plugin that is a file."""
    module = facts["module"]
    yield f"{module}.py", _filled(f"{facts['template']}.py", facts)
    yield f"test_{module}.py", _filled("test.py", facts)
    yield f"{facts['suite']}.yaml", _filled("suite.yaml", facts)
    if facts["kind"] == "dataset":
        yield f"{module}.csv", _sample()


def _packaged(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Place -> text of a plugin that is a distribution."""
    module = facts["module"]
    hook = _filled("suites_hook.py", facts)
    yield "pyproject.toml", _filled("pyproject.toml", facts)
    yield "README.md", _filled("README.md", facts)
    yield ".github/workflows/ci.yml", _filled("ci.yml", facts)
    yield f"{module}/__init__.py", _filled(f"{facts['template']}.py", facts) + hook
    yield f"{module}/suites/{facts['suite']}.yaml", _filled("suite.yaml", facts)
    yield f"tests/test_{module}.py", _filled("test.py", facts)
    if facts["kind"] == "dataset":
        yield f"{module}/{module}.csv", _sample().replace("\r", "")


def _filled(template: str, facts: Mapping[str, Any]) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("recmerge_bench.interface"), undefined=StrictUndefined,
        keep_trailing_newline=True,
    )  # fmt: skip
    text = environment.get_template(f"{template}.jinja").render(facts)
    return text.rstrip("\n") + "\n"


def _sample() -> str:
    """Sixty users who walk through twenty books and twenty films."""
    rows = ["user,item,time,domain,title"]
    for user in range(60):
        for step in range(16):
            domain = ("books", "films")[step % 2]
            number = (user * 7 + step // 2 * (1 + user % 2)) % 20
            rows.append(f"u{user},{domain}-{number},{1000 + step},{domain},{domain} {number}")
    return "\n".join(rows) + "\n"


def _refuse_existing(root: Path, texts: Mapping[str, str], package: bool) -> None:
    if package and root.exists():
        raise HandledError(f"{root} is there already: nothing is written")
    for place in texts:
        if (root / place).exists():
            raise HandledError(f"{root / place} is there already: nothing is written")


def _commands(facts: Mapping[str, Any], root: Path, package: bool) -> tuple[str, ...]:
    module = facts["module"]
    go = () if root == Path() else (f"cd {root}",)
    run = f"recmerge-bench {facts['load']}run --suite {facts['suite_argument']}"
    if package:
        install = 'python -m pip install -e ".[test]"'
        return (*go, install, f"recmerge-bench plugins check {module}", "python -m pytest", run)
    check = f"recmerge-bench plugins check {module}.py"
    return (*go, check, f"python -m pytest test_{module}.py", run)


__all__ = ["KINDS", "Begun", "begin_plugin"]
