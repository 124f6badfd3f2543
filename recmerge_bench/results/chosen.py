"""Results that ``--only`` chooses from records: terms joined by commas all hold, several add up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from recmerge_bench.errors import HandledError, near
from recmerge_bench.identity import Identity

Chooser = Callable[[Identity], bool]


def chooser(only: Sequence[str], fields: Iterable[str]) -> Chooser:
    """Whether an identity is chosen; all are where nothing is asked for.

    Args:
        only: ``key=value,...`` each; an identity is chosen that fits one of them.
        fields: keys that an identity may have.

    Raises:
        HandledError: a text of another form, or an unknown key.
    """
    known = list(fields)
    wanted = [[_term(part, known) for part in text.split(",")] for text in only]

    def fits(identity: Identity) -> bool:
        terms = (all(written(getattr(identity, k)) == v for k, v in one) for one in wanted)
        return not wanted or any(terms)

    return fits


def written(value: str | int | None) -> str:
    """A value of an identity as it is written after ``=``."""
    return "" if value is None else str(value)


def _term(text: str, known: Sequence[str]) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign or key not in known:
        raise HandledError(
            f"--only takes key=value with one of {', '.join(known)}, not '{text}'{near(key, known)}"
        )
    return key, value
