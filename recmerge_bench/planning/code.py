"""What a source file computes: a digest of its syntax tree, and what it imports."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from recmerge_bench.errors import HandledError

#: Fields of nodes that say nothing of what is computed: how a string was written, type comments,
#: whether a name is read or written (its place says so).
_SILENT = frozenset({"ctx", "kind", "type_comment", "type_ignores"})


@dataclass(frozen=True)
class Import:
    """One ``import`` or ``from ... import`` statement, unresolved.

    Attributes:
        level: leading dots.
        base: the module named after ``from``; empty for ``import a, b``.
        names: what is imported.
    """

    level: int
    base: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    """A source file as cells' keys see it.

    Attributes:
        digest: SHA-256 of the syntax tree without docstrings and comments, 64 hex digits. Fields
            that are empty are left out, so that one source has one digest on the Python versions
            whose grammars agree on it.
        imports: all of them, those inside functions too.
    """

    digest: str
    imports: tuple[Import, ...]


def read_code(source: bytes, name: str) -> Code:
    """Parse a source file; nothing of it is run.

    Raises:
        HandledError: it is no Python of this interpreter's version.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        place = f"{name}:{line}" if line else name
        raise HandledError(f"{place}: cannot be read as Python: {error}") from None
    text = "".join(_text(tree))
    return Code(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(), _imports(tree))


def _text(node: object) -> Iterator[str]:
    """The tree as text, one form for one meaning."""
    if isinstance(node, ast.AST):
        yield f"({type(node).__name__}"
        for field, value in ast.iter_fields(node):
            if field in _SILENT or value is None or value == []:
                continue
            yield f" {field}="
            yield from _text(_meaningful(node, field, value))
        yield ")"
    elif isinstance(node, list):
        yield "["
        for part in node:
            yield from _text(part)
            yield ","
        yield "]"
    else:
        yield repr(node)


def _meaningful(node: ast.AST, field: str, value: object) -> object:
    """A field's value without what means nothing.

    Strings that stand by themselves document and do nothing; Python 3.12 put empty texts into
    f-strings.
    """
    if not isinstance(value, list):
        return value
    if field == "body":
        return [part for part in value if not _documents(part)] or [ast.Pass()]
    if isinstance(node, ast.JoinedStr):
        return [part for part in value if not _is_empty_text(part)]
    return value


def _is_empty_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value == ""


def _documents(node: ast.AST) -> bool:
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Constant):
        return False
    return isinstance(node.value.value, str)


def _imports(tree: ast.AST) -> tuple[Import, ...]:
    imports: list[Import] = []
    for node in _that_run(tree):
        if isinstance(node, ast.Import):
            imports.append(Import(0, "", tuple(a.name for a in node.names)))
        elif isinstance(node, ast.ImportFrom):
            names = tuple(a.name for a in node.names)
            imports.append(Import(node.level, node.module or "", names))
    return tuple(dict.fromkeys(imports))


def _that_run(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that type checkers alone read: what is imported there is never run."""
    queue = [tree]
    while queue:
        node = queue.pop()
        yield node
        typed = isinstance(node, ast.If) and _is_type_checking(node.test)
        queue += node.orelse if typed else ast.iter_child_nodes(node)  # type: ignore[attr-defined]


def _is_type_checking(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name == "TYPE_CHECKING"
