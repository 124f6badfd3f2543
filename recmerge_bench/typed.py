"""What is read from JSON, as values with a type."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from recmerge_bench.errors import DataError

#: How what does not fit its type is made right, where nothing better is known.
TO_FIX = "restore the file or build it again"

Model = TypeVar("Model", bound=BaseModel)


class Part(BaseModel):
    """Wrong types are errors; keys that later versions add are let through."""

    model_config = ConfigDict(strict=True, extra="allow")


class Value(Part):
    """The same, and nobody changes it once it is made."""

    model_config = ConfigDict(frozen=True)

    def to_json(self) -> dict[str, Any]:
        """Plain values, with the keys that it was made with and no others."""
        return self.model_dump(by_alias=True, exclude_unset=True)

    def changed(self, **fields: Any) -> Self:
        """The same with other values of these fields."""
        return self.model_copy(update=fields)

    def without(self, *fields: str) -> Self:
        """The same with these fields as if they had never been given."""
        kept = {n: getattr(self, n) for n in self.model_fields_set if n not in fields}
        return self.model_construct(**kept)


@contextmanager
def fitting(what: str) -> Iterator[None]:
    """Values of cells that do not fit the types of records are bad data, not a bug.

    Args:
        what: holds them: ``a cell of the run``.

    Raises:
        DataError: something within does not fit its type; says what.
    """
    try:
        yield
    except ValidationError as error:
        raise DataError(f"{what} is damaged: {_first(error)}; run its suite again") from None


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ascii(".".join(map(str, first["loc"])))[1:-1][:200]
    where = f"{place}: " if place else ""
    return where + first["msg"].removeprefix("Value error, ")


def checked(model: type[Model], raw: object, path: Path, what: str, to_fix: str = TO_FIX) -> Model:
    """What was read, as a value of its type.

    Args:
        model: the type.
        raw: what JSON gave.
        path: of the file, for the message.
        what: it is not if it does not fit: ``no records of a suite``.
        to_fix: how to make it right.

    Raises:
        DataError: it does not fit; says where, and how to fix it.
    """
    if not isinstance(raw, dict):
        raise DataError(f"{what}: no JSON object; {to_fix}", path)
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise DataError(f"{what}: {_first(error)}; {to_fix}", path) from None
