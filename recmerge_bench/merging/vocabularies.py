"""Models whose vocabularies differ: their tables of tokens kept, dropped, or united by token."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from recmerge_bench.digests import file_digest
from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.merging.checkpoints import Weights
from recmerge_bench.merging.folders import configuration
from recmerge_bench.merging.precision import common
from recmerge_bench.policy import action
from recmerge_bench.untrusted.jsons import read_json

#: The policy's word for all tables with a row for each token.
EMBED = "embed"
TOKENIZER = "tokenizer.json"
#: How tables of tokens are called, where their size alone does not tell.
_CALLED = re.compile(r"embed|wte|shared|lm_head|decoder|predictions")
#: Kinds of tokenizers whose words are looked up: a new one needs nothing besides.
_LOOKED_UP = ("WordPiece", "WordLevel")


@dataclass(frozen=True)
class Matched:
    """Models whose tables of tokens fit together.

    Attributes:
        base: of all.
        experts: in order.
        policy: without the word for the tables.
        config: what config.json says otherwise than the base's.
        texts: files of the base's folder that are written anew.
    """

    base: Weights
    experts: list[Weights]
    policy: dict[str, str]
    config: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


def matched(
    base: Weights, experts: Sequence[Weights], paths: Sequence[Path], policy: Mapping[str, str]
) -> Matched:
    """Models with their tables of tokens as the policy says.

    Args:
        base: of the experts.
        experts: in order.
        paths: of the base and of each expert; folders with a config.json have a vocabulary.
        policy: may hold `EMBED`: ``base``, ``drop``, or ``concatenate``, the union by token. A
            token that an expert lacks has the base's row there, one that the base lacks starts
            from the mean of the experts that have it.

    Raises:
        HandledError: vocabularies differ and nothing is said of them, or they cannot be united.
    """
    sizes = [configuration(p).get("vocab_size") if p.is_dir() else None for p in paths]
    models = [base, *experts]
    if not isinstance(sizes[0], int):
        return Matched(base, list(experts), dict(policy))
    own = [size if isinstance(size, int) else sizes[0] for size in sizes]
    tables = _tables(models, own)
    rules = {prefix: what for prefix, what in policy.items() if prefix != EMBED}
    asked = policy.get(EMBED)
    if asked is None:
        _refuse_others(models, paths, own, tables, rules)
        return Matched(base, list(experts), rules)
    if not tables:
        raise HandledError(
            f"policy: {paths[0]} has no table of {own[0]} rows, one for each token of its "
            f"config.json, that '{EMBED}' stands for"
        )
    if asked == "concatenate":
        return _united(models, paths, tables, rules)
    return Matched(base, list(experts), rules | dict.fromkeys(tables, asked))


def _tables(models: Sequence[Weights], sizes: Sequence[int]) -> list[str]:
    """Names of tables with a row for each token of their model."""

    def fits(name: str) -> bool:
        shapes = [m.like(name).shape for m in models]
        rows = [len(s) > 0 and s[0] == size for s, size in zip(shapes, sizes, strict=True)]
        return all(rows) and (len(set(sizes)) > 1 or _CALLED.search(name) is not None)

    shared = set.intersection(*(set(m.names) for m in models))
    return sorted(n for n in shared if models[0].like(n).is_floating_point() and fits(n))


def _refuse_others(
    models: Sequence[Weights], paths: Sequence[Path], sizes: Sequence[int],
    tables: Sequence[str], rules: Mapping[str, str],
) -> None:  # fmt: skip
    merged = [n for n in tables if action(n, rules) == "merge"]
    for path, size in zip(paths[1:], sizes[1:], strict=True):
        if size != sizes[0] and merged:
            raise HandledError(
                f"{path} has a vocabulary of {size} tokens, the base of {sizes[0]} ('{merged[0]}' "
                f"and {len(merged) - 1} more): give --policy {EMBED}=base (the base's tables), "
                f"{EMBED}=concatenate (united by token) or {EMBED}=drop"
            )

    for path in paths[1:] if merged else ():
        _refuse_renumbered(paths[0], path, merged[0])


def _refuse_renumbered(base: Path, other: Path, table: str) -> None:
    """Equal sizes, and the same row stands for another token: a mean of the two is of neither."""
    files = [folder / TOKENIZER for folder in (base, other)]
    if not all(f.is_file() for f in files) or len({file_digest(f) for f in files}) == 1:
        return
    if not all(isinstance(read_json(f).get("model", {}).get("vocab"), dict) for f in files):
        return  # a tokenizer without a number for each word
    ours = {row: token for token, row in _tokens(base).items()}
    for token, row in _tokens(other).items():
        if ours.get(row, token) != token:
            raise HandledError(
                f"{other}: row {row} of '{table}' is the token {token!r}, the base's {ours[row]!r}:"
                f" give --policy {EMBED}=base, {EMBED}=concatenate (united by token) or "
                f"{EMBED}=drop"
            )


def _united(
    models: Sequence[Weights], paths: Sequence[Path], tables: Sequence[str],
    rules: Mapping[str, str],
) -> Matched:  # fmt: skip
    known = [_tokens(path) for path in paths]
    rows = len(models[0].like(tables[0]))
    new = dict.fromkeys(t for tokens in known[1:] for t in tokens if t not in known[0])
    ids = {**known[0], **{token: rows + n for n, token in enumerate(new)}}
    places = []
    for tokens, model in zip(known, models, strict=True):
        place = torch.full((rows + len(new),), -1)
        for token, row in tokens.items():
            place[ids[token]] = row
        if int(place.max()) >= len(model.like(tables[0])):
            raise HandledError(f"{model.path}: its tokenizer has tokens beyond the rows of "
                               f"'{tables[0]}'")  # fmt: skip
        places.append(place)
    places[0][:rows] = torch.arange(rows)  # rows without a token stay where they are
    union = _Union(models, places, frozenset(tables))
    made = [ByToken(union, number) for number in range(len(models))]
    texts = {TOKENIZER: _tokenizer(paths, known, ids, list(new))} if new else {}
    return Matched(made[0], list(made[1:]), dict(rules), {"vocab_size": rows + len(new)}, texts)


@dataclass(frozen=True)
class _Union:
    """Models, where each has the rows of the united tables (-1: nowhere), and which these are."""

    models: Sequence[Weights]
    places: Sequence[Tensor]
    tables: frozenset[str]

    def rows(self, number: int, name: str, part: slice) -> Tensor:
        """Rows of a united table as a model has it."""
        dtype = common(m.like(name).dtype for m in self.models)
        own = self._of(number, name, part, dtype)
        missing = self.places[number][part] < 0
        if bool(missing.any()):
            own[missing] = self._start(name, part, dtype)[missing]
        return own

    def _of(self, number: int, name: str, part: slice, dtype: torch.dtype) -> Tensor:
        place = self.places[number][part].clamp(min=0)
        return self.models[number][name][place].to(dtype)

    def _start(self, name: str, part: slice, dtype: torch.dtype) -> Tensor:
        """The base's rows, or the mean of the experts that have the token."""
        start = self._of(0, name, part, dtype)
        new = self.places[0][part] < 0
        if not bool(new.any()):
            return start
        total, count = (
            torch.zeros_like(start[new], dtype=torch.float64),
            torch.zeros(int(new.sum())),
        )
        for number in range(1, len(self.models)):
            has = (self.places[number][part] >= 0)[new]
            total[has] += self._of(number, name, part, dtype)[new][has].double()
            count += has
        start[new] = (total / count.reshape(-1, *[1] * (total.dim() - 1))).to(dtype)
        return start


class ByToken(Weights):
    """A model whose tables have the rows of all models' tokens, made as they are looked at."""

    def __init__(self, union: _Union, number: int) -> None:
        self._union, self._number, self._model = union, number, union.models[number]
        self.path, self.names = self._model.path, self._model.names
        if hasattr(self._model, "parts"):
            self.parts = self._model.parts

    def __getitem__(self, name: str) -> Tensor:
        if name not in self._union.tables:
            return self._model[name]
        return self._union.rows(self._number, name, slice(0, len(self._union.places[0])))

    def like(self, name: str) -> Tensor:
        """With the rows of the union; in a precision that holds all models'."""
        like = self._model.like(name)
        if name not in self._union.tables:
            return like
        dtype = common(m.like(name).dtype for m in self._union.models)
        shape = (len(self._union.places[0]), *like.shape[1:])
        return torch.empty(shape, dtype=dtype, device="meta")

    def entries(self, name: str, part: slice) -> Tensor:
        """Of the rows that the stretch touches."""
        if name not in self._union.tables:
            return self._model.entries(name, part)
        width = max(1, self._model.like(name)[0].numel())
        rows = slice(part.start // width, -(-part.stop // width))
        first = part.start - rows.start * width
        made = self._union.rows(self._number, name, rows).reshape(-1)
        return made[first : first + part.stop - part.start]

    def files(self) -> list[Path]:
        """The model's, and its tokenizer."""
        tokenizer = self.path / TOKENIZER
        return [*self._model.files(), *([tokenizer] if tokenizer.is_file() else [])]


def _read_tokenizer(folder: Path) -> dict[str, Any]:
    file = folder / TOKENIZER
    if not file.is_file():
        raise HandledError(
            f"{folder} has no {TOKENIZER}: rows are matched by token; give --policy {EMBED}=base "
            f"or {EMBED}=drop, or save the tokenizer beside the model"
        )
    read = read_json(file)
    model = read.get("model") if isinstance(read, dict) else None
    if not isinstance(model, dict) or not isinstance(model.get("vocab"), dict):
        raise DataError(f"its words have no numbers of their own (model.vocab): give --policy "
                        f"{EMBED}=base", file)  # fmt: skip
    return dict(read)


def _tokens(folder: Path) -> dict[str, int]:
    """Token -> row."""
    read = _read_tokenizer(folder)
    tokens = {**read["model"]["vocab"]}
    tokens |= {t["content"]: t["id"] for t in read.get("added_tokens") or []}
    for token, row in tokens.items():
        if isinstance(row, bool) or not isinstance(row, int) or row < 0:
            raise DataError(f"the token {token!r} has the row {row!r}", folder / TOKENIZER)
    return tokens


def _tokenizer(
    paths: Sequence[Path], known: Sequence[Mapping[str, int]], ids: Mapping[str, int],
    new: Sequence[str],
) -> str:  # fmt: skip
    """The base's tokenizer with the tokens that are new to it."""
    read = _read_tokenizer(paths[0])
    for token in new:
        path = next(p for p, k in zip(paths[1:], known[1:], strict=True) if token in k)
        other = _read_tokenizer(path)
        added = [t for t in other.get("added_tokens") or [] if t["content"] == token]
        kinds = {str(t["model"].get("type")) for t in (read, other)}
        if added:
            read.setdefault("added_tokens", []).append({**added[0], "id": ids[token]})
        elif kinds <= set(_LOOKED_UP):
            read["model"]["vocab"][token] = ids[token]
        else:
            raise HandledError(
                f"{path}: the token {token!r} is of a tokenizer trained otherwise than the base's "
                f"({', '.join(sorted(kinds))}), not added to it: no tokenizer has both; give "
                f"--policy {EMBED}=base or {EMBED}=drop"
            )
    return json.dumps(read, ensure_ascii=False, indent=2) + "\n"
