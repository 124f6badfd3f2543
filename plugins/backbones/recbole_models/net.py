"""RecBole's module with our item tables in the place of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import torch
from recmerge_bench_plugins.backbones.recbole_models.fence import fenced, seeded
from recmerge_bench_plugins.backbones.recbole_models.models import BY_NAME
from recmerge_bench_plugins.backbones.recbole_models.settings import Settings
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.api import Catalogue, HandledError
from recmerge_bench.toolkit.models.tables import ItemTables, build_tables
from recmerge_bench.toolkit.seeds import table_seed

#: Name that RecBole's modules have for the items of a history, its length and the next item.
HISTORY, LENGTH, ITEM = "item_id_list", "item_length", "item_id"


class ScopedItems(nn.Module):
    """Stands where a model of RecBole has ``item_embedding``: item n of the scope is row n + 1.

    State dict: ``padding`` [1, width], RecBole's row 0: read at padded positions and, as there,
    one of the classes of the softmax; ``mask`` [1, width] where the model masks items.

    Attributes:
        scope: the domains whose items are numbered now.
    """

    def __init__(self, tables: ItemTables, padding: Tensor, mask: Tensor | None) -> None:
        super().__init__()
        self._tables = (tables,)  # no child: the net has their parameters
        self.padding = nn.Parameter(padding.clone())
        self.mask = None if mask is None else nn.Parameter(mask.clone())
        self.scope: tuple[str, ...] = tables.domains

    @property
    def weight(self) -> Tensor:
        """[1 + items of the scope, width], and the mask behind them."""
        rows = [self.padding, self._tables[0].scope_table(self.scope)]
        return torch.cat(rows if self.mask is None else [*rows, self.mask])

    def forward(self, items: Tensor) -> Tensor:
        """Vectors of RecBole's item numbers; the padding learns nothing from being read."""
        return F.embedding(items, self.weight, padding_idx=0)


class RecBoleNet(nn.Module):
    """State dict: ``tables.<domain>``, ``core.*`` by RecBole's names (``core.item_embedding.*``:
    see `ScopedItems`), ``biases.<domain>`` [items, 1] and ``padding_bias`` [1] for BERT4Rec.

    Initial values are those that RecBole draws. Those outside the tables do not depend on
    `domains`, and those of a table on its domain alone.

    Args:
        catalogue: the items.
        domains: domains to hold tables for.
        seed: of all initial values.
        model: name of RecBole's class.
        settings: of that class.
        init: tables as RecBole draws them (``recbole``) or from the items' ``text``.
        std: of tables from text.

    Raises:
        Blocked: RecBole is not installed.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        domains: Sequence[str],
        seed: int,
        *,
        model: str,
        settings: Settings,
        init: str,
        std: float,
    ) -> None:
        super().__init__()
        self.facts, self.max_len = BY_NAME[model], int(settings["MAX_ITEM_LIST_LENGTH"])
        with fenced():
            core = draw(model, settings, 1, seed)
            drawn = {name: self._drawn(model, settings, catalogue, name, seed) for name in domains}
        own = core.item_embedding.weight.detach()
        if init == "recbole":
            self.tables = ItemTables(drawn, catalogue)
        else:
            self.tables = build_tables(catalogue, domains, own.shape[1], init, std, seed)
        masks = self.facts.training == "masked items"
        core.item_embedding = ScopedItems(self.tables, own[:1], own[-1:] if masks else None)
        if masks:
            del core.output_bias
            zeros = {name: torch.zeros(catalogue.size(name), 1) for name in domains}
            self.biases = ItemTables(zeros, catalogue)
            self.padding_bias = nn.Parameter(torch.zeros(1))
        self.core = core

    @staticmethod
    def _drawn(
        model: str, settings: Settings, catalogue: Catalogue, domain: str, seed: int
    ) -> Tensor:
        """A domain's table, as RecBole draws that of a data set with these items."""
        count = catalogue.size(domain)
        one = draw(model, settings, count, table_seed(seed, catalogue.domains.index(domain)))
        return one.item_embedding.weight.detach()[1 : count + 1]

    def ask(self, items: Tensor, lengths: Tensor, scope: Sequence[str]) -> dict[str, Tensor]:
        """Histories as RecBole's models get them, which number the scope's items from now on.

        Args:
            items: int64 [B, L], global items, right-padded.
            lengths: int64 [B].
            scope: domains that the items are of.
        """
        size = self.max_len if self.facts.reads_padding else items.shape[1]
        rows = self.rows(items, scope)
        rows = F.pad(rows, (0, size - rows.shape[1]))
        past = torch.arange(size, device=items.device) < lengths[:, None]
        return {HISTORY: rows * past, LENGTH: lengths}

    def rows(self, items: Tensor, scope: Sequence[str]) -> Tensor:
        """RecBole's numbers of global items of the scope, for which the module is made ready."""
        core: Any = self.core
        core.item_embedding.scope = tuple(scope)
        core.device = items.device
        if self.facts.training == "masked items":
            bias = self.biases.scope_table(scope).squeeze(1)
            core.output_bias = torch.cat([self.padding_bias, bias])
            core.n_items = len(core.output_bias)
            core.mask_token = core.n_items
        return self.tables.scope_rows(items, scope) + 1

    def states(self, items: Tensor, lengths: Tensor, scope: Sequence[str]) -> Tensor:
        """States after each event [B, L, width], of models that have them."""
        asked, core = self.ask(items, lengths, scope), vars(self.core)
        core["gather_indexes"] = lambda output, _: output
        try:
            out: Tensor = self.core(asked[HISTORY], asked[LENGTH])
        finally:
            del core["gather_indexes"]
        return out

    def users(self, items: Tensor, lengths: Tensor, scope: Sequence[str]) -> Tensor:
        """What RecBole multiplies with the items' vectors [B, width], after the last event."""
        asked, core = self.ask(items, lengths, scope), self.core
        history, lengths = asked[HISTORY], asked[LENGTH]
        out: Tensor
        if self.facts.training == "masked items":
            states = core(core.reconstruct_test_data(history, lengths))  # type: ignore[operator]
            out = core.gather_indexes(states, lengths - 1)  # type: ignore[operator]
        elif self.facts.name in ("CORE", "NextItNet"):
            out = core(history)
        else:
            out = core(history, lengths)
        return out


def draw(model: str, settings: Settings, items: int, seed: int) -> Any:
    """RecBole's module for a data set of so many items; inside `fenced`.

    Raises:
        HandledError: RecBole refuses the settings.
    """
    cls = getattr(import_module(f"recbole.model.sequential_recommender.{model.lower()}"), model)
    seeded(seed)
    try:
        return cls(settings, _dataset(items + 1, settings))
    except (AssertionError, NotImplementedError, TypeError, ValueError, KeyError) as error:
        raise HandledError(f"recbole:{model}: RecBole refuses its settings: {error}") from error


def _dataset(items: int, settings: Mapping[str, Any]) -> Any:
    """What models ask a data set for: how many items (the padding among them), how long lists."""
    return SimpleNamespace(
        num=lambda field: items,
        item_num=items,
        user_num=1,
        field2seqlen={HISTORY: settings["MAX_ITEM_LIST_LENGTH"]},
        inter_feat={ITEM: torch.zeros(0, dtype=torch.int64)},
    )
