"""What all boards together answer so far: a sentence a question, made from their headlines."""

from __future__ import annotations

from collections.abc import Sequence

from recmerge_bench.report.boards.headline import Best


def answers(found: Sequence[Best]) -> list[str]:
    """On merging, and on models that read several domains; of boards that have results.

    Boards of one domain ask about neither.
    """
    merges = [best for best in found if best.merge]
    models = [best for best in found if not best.merge and best.domains > 1]
    return [*([_of_merges(merges)] if merges else []), *([_of_models(models)] if models else [])]


def _of_merges(found: Sequence[Best]) -> str:
    shares = [100 * best.share for best in found if best.share is not None]
    kept = []
    if shares:
        low, high = f"{min(shares):.0f}", f"{max(shares):.0f}"
        kept.append(f"keeps {low if low == high else f'{low} to {high}'} % of its experts' score")
    return f"Merging, {_boards(found)}: the best merge {_joined([*kept, *_stands(found)])}."


def _of_models(found: Sequence[Best]) -> str:
    return f"Cross-domain models, {_boards(found)}: the best model {_joined(_stands(found))}."


def _stands(found: Sequence[Best]) -> list[str]:
    """Beside heuristics, and beside the boards' baselines."""
    beside = [best.heuristic for best in found if best.heuristic]
    above, better = beside.count("above"), sum(best.verdict == "better" for best in found)
    parts = []
    if beside:
        parts.append(f"is {'' if above else 'not '}above the best heuristic"
                     + (_of_them(above, len(found)) if above else ""))  # fmt: skip
    parts.append(f"is {'' if better else 'not '}shown to beat the board's baseline"
                 + _of_them(better, len(found)))  # fmt: skip
    return parts


def _of_them(count: int, boards: int) -> str:
    """On how many of the boards; nothing where there is one."""
    if boards == 1:
        return ""
    if count == boards:
        return " on both" if boards == 2 else " on all of them"
    return f" on {count or 'any'} of them"


def _joined(parts: Sequence[str]) -> str:
    return ", ".join(parts[:-1]) + (", and " if len(parts) > 1 else "") + parts[-1]


def _boards(found: Sequence[Best]) -> str:
    return f"{len(found)} boards" if len(found) > 1 else "one board"
