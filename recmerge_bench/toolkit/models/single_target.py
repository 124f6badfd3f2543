"""What models of one target domain share. No torch at import: plugins inherit it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from recmerge_bench.definitions import Backbone
from recmerge_bench.errors import HandledError
from recmerge_bench.toolkit.models.cdsr_options import FamilyOptions

if TYPE_CHECKING:
    from torch import Tensor, nn

    from recmerge_bench.data.interactions import Catalogue
    from recmerge_bench.data.sequences import Batch
    from recmerge_bench.toolkit.models.ragged import View


class SingleTarget(Backbone):
    """Next items of one target domain, from mixed sequences; the net remembers which.

    The target domain's events are a sequence of their own; each asks for the next one. The loss
    is the mean over users of the mean over their targets; negatives are of the target domain. A
    user without any event of the target domain gets the learned vector ``start``, trained on
    every sequence's first item of that domain (nothing else gets a gradient from that).

    A subclass gives the `net` (a `FamilyNet`) and `states`; the net's ``target`` and ``start``
    [width] are set by `build_for`.
    """

    Options = FamilyOptions

    def net(
        self, target: str, catalogue: Catalogue, domains: Sequence[str], seed: int
    ) -> nn.Module:
        """The net for a target domain, ``start`` and ``target`` apart."""
        raise NotImplementedError

    def states(self, net: Any, view: View) -> Tensor:
        """[B, T, width]: after each event of ``view.own``, from no event at or past its bound."""
        raise NotImplementedError

    def loss_states(self, net: Any, view: View, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """What `states` gives, and what the method adds to their loss."""
        return self.states(net, view), None

    def build(self, catalogue: Catalogue, domains: Sequence[str], seed: int) -> nn.Module:
        """Refuse: it is built for a target domain.

        Raises:
            HandledError: always.
        """
        raise HandledError(
            f"{type(self).__name__} serves one target domain, and none was named: "
            "register it with single_target=True"
        )

    def build_for(
        self, target: str, catalogue: Catalogue, domains: Sequence[str], seed: int
    ) -> nn.Module:
        """See `Backbone.build_for`.

        Raises:
            HandledError: the target is not among the domains.
        """
        import torch

        net: Any = self.net(checked_target(target, domains), catalogue, domains, seed)
        net.start = torch.nn.Parameter(torch.zeros(self.options.width))
        net.target = target
        return net  # type: ignore[no-any-return]

    def loss(self, net: Any, batch: Batch) -> tuple[Tensor, int]:
        """Mean over users that have targets; the first items' loss is added (see the class)."""
        from recmerge_bench.toolkit.models import domain_losses, losses, ragged

        o, target = self.options, net.target
        view, wanted = ragged.training_view(
            batch.items,
            batch.targets,
            batch.lengths,
            lambda x: net.of_domain(x, target),
            self._until(),
        )
        table, rows = net.tables.domain_table(target), wanted.seen.items
        rows = net.tables.scope_rows(rows, (target,))
        size = view.own.items.shape[1]
        keep = losses.valid_tokens(view.own.lengths, size)
        negatives = opening = None
        if o.loss != "full":
            drawn = domain_losses.negatives_by_domain(
                rows, wanted.seen.valid, [slice(0, len(table))], (size + 1) * o.negatives,
                batch.generator,
            )  # fmt: skip
            drawn = domain_losses.by_position(drawn, size + 1)
            negatives, opening = drawn[:, :size].flatten(0, 1)[keep], drawn[:, size]
        targets = net.tables.scope_rows(wanted.items, (target,))
        users = (view.own.lengths > 0).sum().clamp_min(1)
        weights = view.own.valid / (view.own.lengths[:, None].clamp_min(1) * users)
        states, extra = self.loss_states(net, view, batch)
        hidden = states.flatten(0, 1)[keep]
        value = domain_losses.next_item_loss(
            o, hidden, table, targets.flatten()[keep], negatives, weights.flatten()[keep]
        )
        begun = (wanted.seen.lengths > 0).float()
        value = value + domain_losses.next_item_loss(
            o,
            net.start.expand(len(rows), -1),
            table.detach(),
            rows[:, 0],
            opening,
            begun / begun.sum().clamp_min(1),
        )
        return value if extra is None else value + extra, len(keep)

    def encode(self, net: Any, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """State after the last event of the target domain, or ``start`` where there is none."""
        import torch

        from recmerge_bench.toolkit.models import cdsr_blocks, ragged

        target = asked(net, domain)
        view = ragged.history_view(
            histories, lengths, lambda x: net.of_domain(x, target), self._until()
        )
        last = cdsr_blocks.last_state(self.states(net, view), view.own.lengths)
        return torch.where(view.own.lengths[:, None] > 0, last, net.start)

    def items(self, net: Any, domain: str) -> tuple[Tensor, Tensor | None]:
        """The target domain's table; no bias."""
        return net.tables.domain_table(asked(net, domain)), None

    def max_history(self) -> int:
        """`max_len`, events of all domains together."""
        return int(self.options.max_len)

    def _until(self) -> str:
        """See `training_view`; a model without source events has no such option."""
        return str(getattr(self.options, "until", "item"))


def checked_target(target: str, domains: Sequence[str]) -> str:
    """The target domain, which has to be among the domains.

    Raises:
        HandledError: it is not.
    """
    if target not in domains:
        raise HandledError(f"the target domain '{target}' is not among {', '.join(domains)}")
    return target


def asked(net: Any, domain: str) -> str:
    """The domain that a net was asked for, which has to be its target.

    Raises:
        HandledError: it is another.
    """
    if domain != net.target:
        raise HandledError(
            f"this model is for next items of '{net.target}' and was asked for '{domain}'"
        )
    return domain
