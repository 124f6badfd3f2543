"""Item vectors of several domains behind global item numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.seeds import table_seed
from recmerge_bench.toolkit.models.text_init import text_vectors


class ItemTables(nn.Module):
    """One parameter per domain, named after it: ``<domain>`` [items of the domain, width].

    Mounted as ``tables`` in a net, the state dict reads ``tables.<domain>``, so that the item
    rows of a domain can be kept while all else merges.

    Attributes:
        domains: names, in the catalogue's order.
        rows: int64 [I] buffer outside the state dict: row of a global item in its own table; -1
            for items of domains that this net lacks.
    """

    rows: Tensor

    def __init__(self, tables: Mapping[str, Tensor], catalogue: Catalogue) -> None:
        super().__init__()
        self.domains = tuple(d for d in catalogue.domains if d in tables)
        rows = torch.full((catalogue.n_items,), -1, dtype=torch.int64)
        for name in self.domains:
            span = catalogue.span(name)
            if len(tables[name]) != span.stop - span.start:
                raise ValueError(f"table of {name!r} has not one row for each item")
            rows[span] = torch.arange(span.stop - span.start)
            # Not register_parameter: it refuses names of methods ("children", "half"), which
            # are good names of domains.
            self._parameters[name] = nn.Parameter(tables[name].clone())
        self._starts = {name: catalogue.span(name).start for name in self.domains}
        self._sizes = {name: catalogue.size(name) for name in self.domains}
        self.register_buffer("rows", rows, persistent=False)

    def domain_table(self, domain: str) -> nn.Parameter:
        """The domain's vectors [items of the domain, width].

        Raises:
            KeyError: the net has no such domain.
        """
        table = self._parameters.get(domain)
        if table is None:
            raise KeyError(f"the net has no items of domain {domain!r}")
        return table

    def scope_table(self, scope: Sequence[str]) -> Tensor:
        """Vectors of the scope's domains, one under the other [items of the scope, width]."""
        if len(scope) == 1:
            return self.domain_table(scope[0])
        return torch.cat([self.domain_table(name) for name in scope])

    def scope_rows(self, items: Tensor, scope: Sequence[str]) -> Tensor:
        """Row of each global item in `scope_table`: int64, the shape of `items`.

        Items outside the scope (padding, say) give row 0: mask them by length.
        """
        if len(scope) == 1:
            start, size = self._starts[scope[0]], self._sizes[scope[0]]
            rows = items - start
            kept: Tensor = rows.masked_fill((rows < 0) | (rows >= size), 0)
            return kept
        shift = self._shift(tuple(scope), items.device)
        return (self.rows[items] + shift[items]).clamp_min(0)

    def scope_values(self, values: Tensor, scope: Sequence[str]) -> Tensor:
        """Of values of global items [I], those of the items in `scope_table`, in its order."""
        parts = [values[self._starts[n] : self._starts[n] + self._sizes[n]] for n in scope]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def lookup(self, items: Tensor, scope: Sequence[str] | None = None) -> Tensor:
        """Vectors of global items, the shape of `items` plus [width].

        Args:
            items: int64, global item numbers.
            scope: domains that they are of; all of the net's by default. One domain alone is
                read from its own table without joining any.
        """
        scope = self.domains if scope is None else scope
        return F.embedding(self.scope_rows(items, scope), self.scope_table(scope))

    def narrowest(self, items: Tensor, domain: str) -> tuple[str, ...]:
        """``(domain,)`` where all items are of it, else all of the net's domains.

        Raises:
            ValueError: an item is of a domain that the net lacks.
        """
        start = self._starts.get(domain, 0)
        stop = start + self._sizes.get(domain, 0)
        if bool(((items >= start) & (items < stop)).all()):
            return (domain,)
        if bool((self.rows[items] < 0).any()):
            raise ValueError(f"a history holds items of domains other than {self.domains}")
        return self.domains

    def scope_span(self, scope: Sequence[str], domain: str) -> slice:
        """Rows of one domain within `scope_table`."""
        start = sum(self._sizes[name] for name in scope[: list(scope).index(domain)])
        return slice(start, start + self._sizes[domain])

    def _shift(self, scope: tuple[str, ...], device: torch.device) -> Tensor:
        """What to add to `rows` for the scope's joined table: int64 [I]."""
        cached: dict[tuple[tuple[str, ...], torch.device], Tensor]
        cached = self.__dict__.setdefault("_shifts", {})
        if (scope, device) not in cached:
            shift = torch.full(self.rows.shape, -self.rows.shape[0] - 1, dtype=torch.int64)
            for name in scope:
                start = self._starts[name]
                span = slice(start, start + self._sizes[name])
                shift[span] = self.scope_span(scope, name).start
            cached[scope, device] = shift.to(device)
        return cached[scope, device]


def build_tables(
    catalogue: Catalogue,
    domains: Sequence[str],
    width: int,
    init: str,
    std: float,
    seed: int,
) -> ItemTables:
    """Tables with their initial vectors.

    Args:
        catalogue: the items.
        domains: domains to hold.
        width: columns.
        init: ``text`` (catalogue only, see `text_init`), ``random`` (normal, drawn from `seed`
            and the domain's number in the catalogue, whichever domains are held) or
            ``truncated`` (the same, within two standard deviations).
        std: standard deviation of the entries.
        seed: of the run; ``text`` does not use it.

    Raises:
        ValueError: `init` is none of these.
    """
    tables = {}
    for name in domains:
        if init == "text":
            tables[name] = torch.from_numpy(text_vectors(catalogue, name, width, std))
        elif init in ("random", "truncated"):
            number = catalogue.domains.index(name)
            generator = torch.Generator().manual_seed(table_seed(seed, number))
            shape = (catalogue.size(name), width)
            if init == "random":
                tables[name] = torch.randn(shape, generator=generator) * std
            else:
                tables[name] = truncated_normal(shape, std, generator)
        else:
            raise ValueError(f"init must be 'text', 'random' or 'truncated', not {init!r}")
    return ItemTables(tables, catalogue)


def truncated_normal(shape: tuple[int, ...], std: float, generator: torch.Generator) -> Tensor:
    """Normal(0, std) values within two standard deviations."""
    return nn.init.trunc_normal_(
        torch.empty(shape), 0.0, std, -2 * std, 2 * std, generator=generator
    )
