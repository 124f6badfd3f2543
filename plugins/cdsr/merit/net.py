"""The net of MERIT: branches for the mixed sequence and each domain, transfer between them.

Read first `tokens`: a branch holds vectors of its own tokens only.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from recmerge_bench_plugins.cdsr.merit.attention import SinkAttention
from recmerge_bench_plugins.cdsr.merit.experts import GatedBlock, MixtureBlock
from recmerge_bench_plugins.cdsr.merit.tokens import Pattern, Tokens, causal_pattern, union
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.api import Catalogue, HandledError
from recmerge_bench.toolkit.models.dropout import dropout
from recmerge_bench.toolkit.models.tables import build_tables, truncated_normal

#: The branch of the mixed sequence; the branch of a domain is ``of_<domain>``.
MIXED = "mixed"
Path = tuple[str, str]
Outputs = dict[Path, Tensor]


def branch_of(domain: str) -> str:
    """The branch that a domain's scores and losses come from."""
    return f"of_{domain}"


def paths(domains: Sequence[str], options: Any) -> tuple[Path, ...]:
    """What is transferred: (source branch, destination branch), from the switches.

    Raises:
        HandledError: fewer than two domains, or ``options.paths`` names one that these switches
            do not have.
    """
    if len(domains) < 2:
        raise HandledError("merit: needs two domains or more")
    transfers = _switched_on([branch_of(name) for name in domains], options)
    if not options.paths:
        return tuple(transfers)
    named = {f"{plain(source)}->{plain(to)}": (source, to) for source, to in transfers}
    for name in options.paths:
        if name not in named:
            raise HandledError(f"merit: no path {name!r}; there are {', '.join(named)}")
    return tuple(path for name, path in named.items() if name in options.paths)


def _switched_on(branches: Sequence[str], options: Any) -> list[Path]:
    """Mixed to each domain's, each domain's to mixed, and between domains', as options say."""
    transfers: list[Path] = []
    if options.ecaf_mode != "none" and "mixed" in options.ecaf_sources:
        transfers += [(MIXED, to) for to in branches]
    if options.caf_m != "none":
        transfers += [(source, MIXED) for source in branches]
    if options.ecaf_mode == "attn" and "other" in options.ecaf_sources:
        transfers += itertools.permutations(branches, 2)
    return transfers


def plain(branch: str) -> str:
    """A branch as options and records call it: ``mixed`` or the domain."""
    return branch.removeprefix("of_")


@dataclass(frozen=True)
class Reading:
    """A batch, as the net reads it.

    Attributes:
        tokens: branch -> its tokens; those of ``mixed`` are all real tokens of the batch.
        table: [I, width], the joined tables of all domains.
        rows: int64 [N], items of the tokens as rows of it.
        numbers: int64 [N], the number of each token's domain.
        padding: int64 [B], places of the fixed length before the first token.
    """

    tokens: dict[str, Tokens]
    table: Tensor
    rows: Tensor
    numbers: Tensor
    padding: Tensor


class MeritNet(nn.Module):
    """See `merit.Merit`.

    State dict: ``tables.<domain>``, ``positions`` [max_len + 1, width], ``branches.<branch>.*``
    and ``transfers.<branch>.*``.

    Attributes:
        branches: names, ``mixed`` first.
        paths: see `paths`.
    """

    def __init__(
        self, catalogue: Catalogue, domains: Sequence[str], seed: int, options: Any
    ) -> None:
        super().__init__()
        o = self.options = options
        self.tables = build_tables(catalogue, domains, o.width, o.init, o.std, seed)
        self.domains = self.tables.domains
        if o.computes != "paper" and len(self.domains) != 2:
            raise HandledError("merit: what was released is for two domains: use computes: paper")
        self.paths = paths(self.domains, o)
        names = [MIXED, *map(branch_of, self.domains)]
        generator = torch.Generator().manual_seed(seed)
        self.positions = nn.Parameter(truncated_normal((o.max_len + 1, o.width), o.std, generator))
        self.branches = nn.ModuleDict({n: Branch(o, len(self._outputs(n))) for n in names})
        self.transfers = nn.ModuleDict({n: Transfer(o, self._mode(n)) for n in names})
        for part in (*self.branches.values(), *self.transfers.values()):
            part.draw(o.std, generator)  # type: ignore[operator]
        self.sets, self.positioned = self._wiring()

    def _outputs(self, branch: str) -> list[Path]:
        """What a branch puts out: its own states, then what it transfers."""
        return [(branch, branch), *(p for p in self.paths if p[0] == branch)]

    def _mode(self, branch: str) -> str:
        mode: str = self.options.caf_m if branch == MIXED else self.options.ecaf_mode
        return mode if any(to == branch for _, to in self.paths) else "none"

    def _wiring(self) -> tuple[dict[str, str], dict[str, str]]:
        """Branch -> the branch that its tokens, and its positions, are named after.

        Each after itself, as published. Both releases swap the tokens of the two domains,
        and move the three kinds of positions on by one branch.
        """
        first, second = map(branch_of, self.domains[:2])
        names = [MIXED, *map(branch_of, self.domains)]
        if self.options.computes == "paper":
            return {n: n for n in names}, {n: n for n in names}
        return (
            {MIXED: MIXED, first: second, second: first},
            {MIXED: first, first: MIXED, second: second},
        )

    def read(self, items: Tensor, lengths: Tensor) -> Reading:
        """Sort out the tokens of right-padded items [B, L] (int64, global)."""
        mixed = Tokens.all(lengths, items.shape[1])
        rows = self.tables.scope_rows(items, self.domains)[mixed.rows, mixed.at]
        numbers = self.number(rows)
        tokens = {MIXED: mixed}
        for name in self.domains:
            number = self.domains.index(plain(self.sets[branch_of(name)]))
            tokens[branch_of(name)] = mixed.take(numbers == number)
        table = self.tables.scope_table(self.domains)
        return Reading(tokens, table, rows, numbers, self.options.max_len - lengths)

    def number(self, rows: Tensor) -> Tensor:
        """Numbers of the domains of rows of the joined tables: int64, the shape of `rows`."""
        spans = [self.tables.scope_span(self.domains, name) for name in self.domains]
        ends = torch.tensor([span.stop for span in spans[:-1]], device=rows.device)
        return torch.bucketize(rows, ends, right=True)

    def forward(self, reading: Reading) -> tuple[Tensor, Tensor]:
        """States of all tokens: the mixed branch's [N, width], and their own domain's [N, width].

        The second hold nothing of the mixed branch yet (see `Merit.loss`).
        """
        outputs = self.represent(reading)
        mixed = self.transfer(reading, outputs, MIXED)
        own = [
            (reading.tokens[branch], self.transfer(reading, outputs, branch))
            for branch in self.branches
            if branch != MIXED
        ]
        return mixed, union(own)

    def represent(self, reading: Reading) -> Outputs:
        """What the branches put out, each [tokens of the source, width]."""
        outputs: Outputs = {}
        for name, branch, states in self._attended(reading):
            made = [self._masked(reading, name, state) for state in branch.ffn(states)]
            outputs.update(zip(self._outputs(name), made, strict=True))
        return outputs

    def _masked(
        self, reading: Reading, name: str, states: Tensor, chosen: Tensor | None = None
    ) -> Tensor:
        """What masking does to states of a branch's tokens (or those chosen), [N, width].

        Nothing, but in the later release, whose masks hold positions from the end.
        """
        if self.options.computes != "released-2":
            return states
        numbers = reading.tokens[name].from_end()
        numbers = numbers if chosen is None else numbers[chosen]
        return states * numbers.to(states.dtype)[:, None]

    def _attended(self, reading: Reading) -> Iterator[tuple[str, Branch, Tensor]]:
        """Each branch with its states after self-attention, which gates and experts read."""
        items = F.embedding(reading.rows, reading.table)
        for name, branch in self.branches.items():
            assert isinstance(branch, Branch)
            tokens = reading.tokens[name]
            at = self._positions(reading, name)
            # Row 0 is used by the released wiring alone, and gets no gradient there.
            x = items.index_select(0, tokens.flat)
            x = x + F.embedding(at, self.positions, padding_idx=0)
            x = dropout(self._masked(reading, name, x), self.options.dropout, self.training)
            states = branch.attention(x, x, self._pattern(reading, tokens, [tokens]))
            yield name, branch, self._masked(reading, name, states)

    def transfer(
        self, reading: Reading, outputs: Outputs, name: str, chosen: Tensor | None = None
    ) -> Tensor:
        """Final states of a branch, [N, width], or of those of its tokens that are chosen."""
        tokens, x = reading.tokens[name], outputs[name, name]
        if chosen is not None:
            tokens, x = tokens.take(chosen), x[chosen]
        block = self.transfers[name]
        assert isinstance(block, Transfer)
        groups = self._groups(reading, outputs, name)
        if block.mode == "none":
            return self._masked(reading, name, block.ffn(x), chosen)
        if block.mode == "add":
            for source, values in groups:
                grid = values.new_zeros(len(reading.rows), values.shape[1])
                x = x + grid.index_copy_(0, source.flat, values)[tokens.flat]
            return self._masked(reading, name, block.ffn(x), chosen)
        if self.options.computes != "paper":
            # A causal mask over the keys of all groups shows no query more than the first.
            groups = groups[:1]
        pattern = self._pattern(reading, tokens, [source for source, _ in groups])
        keys = torch.cat([values for _, values in groups])
        x = self._masked(reading, name, block.attention(x, keys, pattern), chosen)
        return self._masked(reading, name, block.ffn(x), chosen)

    def _groups(self, reading: Reading, outputs: Outputs, name: str) -> list[tuple[Tokens, Tensor]]:
        """What a branch is given: from the mixed one, and from the others, whose tokens are
        disjoint and make one sequence (for two domains: the other one's tokens)."""
        mixed = [p for p in self.paths if p == (MIXED, name)]
        others = [p for p in self.paths if p[1] == name and p[0] != MIXED]
        groups = []
        for group in filter(None, (mixed, others)):
            parts = [(reading.tokens[path[0]], outputs[path]) for path in group]
            flat = torch.cat([tokens.flat for tokens, _ in parts]).sort().values
            groups.append((reading.tokens[MIXED].take(flat), union(parts)))
        return groups

    def _positions(self, reading: Reading, name: str) -> Tensor:
        """Rows of the position table: counted from the last token; 0 for another set's tokens."""
        counted = reading.tokens[self._of_set(self.positioned[name])]
        grid = torch.zeros_like(reading.rows)
        grid[counted.flat] = counted.from_end()
        return grid[reading.tokens[name].flat]

    def _of_set(self, wanted: str) -> str:
        """The branch that works on the tokens named after `wanted`."""
        return next(branch for branch, name in self.sets.items() if name == wanted)

    def _pattern(self, reading: Reading, queries: Tokens, sources: Sequence[Tokens]) -> Pattern:
        return causal_pattern(queries, sources, reading.padding, self.positions.dtype)

    def gates(self, reading: Reading, chosen: Mapping[str, Tensor]) -> Outputs:
        """Weight of each output's own expert (the shared one has the rest): [M] each.

        Args:
            reading: the batch.
            chosen: branch -> which of its tokens.
        """
        gates: Outputs = {}
        for name, branch, states in self._attended(reading):
            if isinstance(branch.ffn, MixtureBlock):
                weights = branch.ffn.gates(states[chosen[name]])[..., 1]
                gates.update(zip(self._outputs(name), weights.unbind(1), strict=True))
        return gates


class Attended(nn.Module):
    """``norm(x + drop(attention(x, keys)))``."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.mha = SinkAttention(width, heads)
        self.norm = nn.LayerNorm(width)
        self.dropout = dropout

    def draw(self, std: float, generator: torch.Generator) -> None:
        """Initial values."""
        self.mha.draw(std, generator)
        self.norm.reset_parameters()

    def forward(self, x: Tensor, keys: Tensor, pattern: Pattern) -> Tensor:
        """See `SinkAttention.forward`."""
        attended = dropout(self.mha(x, keys, pattern), self.dropout, self.training)
        out: Tensor = self.norm(x + attended)
        return out


class SingleBlock(GatedBlock):
    """One block whose output serves as all (the ablation FF1)."""

    def __init__(self, width: int, inner: int, outputs: int, dropout: float) -> None:
        super().__init__(width, inner, dropout)
        self.outputs = outputs

    def forward(self, x: Tensor) -> Any:
        """[N, width] to one and the same [N, width] for each output."""
        return [super().forward(x)] * self.outputs


class Branch(nn.Module):
    """Self-attention over a branch's tokens and a feed-forward block of several outputs."""

    def __init__(self, options: Any, outputs: int) -> None:
        super().__init__()
        o = options
        self.attention = Attended(o.width, o.heads, o.dropout)
        block = MixtureBlock if o.ffn == "mo" else SingleBlock
        self.ffn: MixtureBlock | SingleBlock = block(o.width, o.inside, outputs, o.dropout)

    def draw(self, std: float, generator: torch.Generator) -> None:
        """Initial values."""
        self.attention.draw(std, generator)
        self.ffn.draw(std, generator)


class Transfer(nn.Module):
    """What a branch takes from others (ECAF of a domain, CAF of the mixed branch), and its FFN.

    Attributes:
        mode: ``attn``, ``add`` or ``none``.
    """

    def __init__(self, options: Any, mode: str) -> None:
        super().__init__()
        o, self.mode = options, mode
        if mode == "attn":
            self.attention = Attended(o.width, o.heads, o.dropout)
        self.ffn = GatedBlock(o.width, o.inside, o.dropout)

    def draw(self, std: float, generator: torch.Generator) -> None:
        """Initial values."""
        if self.mode == "attn":
            self.attention.draw(std, generator)
        self.ffn.draw(std, generator)
