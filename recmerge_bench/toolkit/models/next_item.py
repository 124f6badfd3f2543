"""What the next-item models of one domain's items share: their losses, and how they are ranked.

No torch at import: plugins take their options from here.

Sampled losses draw negatives in one of four ways. ``window``: for each target its own, uniformly
among the items that its window does not hold. ``uniform``: for each target its own, uniformly from
all items with replacement, as eSASRec's and gSASRec's released code draw. ``shared``: one such set
for all targets of the batch, so that their scores are one matrix product (Hidasi & Karatzoglou,
CIKM 2018, draw their additional samples so). ``log-uniform``: for each target its own, by rank of
popularity in the training parts, with the correction of the sampled softmax (see `log_uniform`). A
sampled softmax leaves out draws that are the target itself; a binary loss counts them, as gSASRec's
released code does.

For uniform draws the usual correction of logits by the log of their chance of being drawn adds the
same number to all of them. With ``scaled`` the target, which is always there, goes without it: the
sampled sum then estimates that of the full softmax without bias (Jean et al., ACL 2015, section 3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from recmerge_bench.definitions import Backbone
from recmerge_bench.errors import HandledError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from recmerge_bench.data.interactions import Catalogue
    from recmerge_bench.data.sequences import Batch, Split
    from recmerge_bench.toolkit.models.tables import ItemTables

_CHOICES = {
    "loss": ("ce", "sampled-ce", "bce", "gbce"),
    "sampling": ("window", "uniform", "shared", "log-uniform"),
}


@dataclass(frozen=True)
class LossOptions:
    """Options of a next-item loss.

    Attributes:
        loss: ``ce`` (softmax over all items), ``sampled-ce`` (over the target and its negatives),
            ``bce`` (SASRec's paper) or ``gbce`` (gSASRec's).
        negatives: sampled negatives for each target, for the losses that sample.
        sampling: negatives of each target's own from outside its ``window``, of its own from all
            items (``uniform``; by popularity: ``log-uniform``, for ``sampled-ce``), or ``shared``
            by the targets of a batch, from all items.
        scaled: whether ``sampled-ce`` scales its negatives up to the number of all other items.
        temperature: divides the scores in ``ce`` and ``sampled-ce``.
        gbce_t: calibration of gBCE, 0 (plain ``bce``) to 1.
    """

    loss: Literal["ce", "sampled-ce", "bce", "gbce"] = "ce"
    negatives: int = 128
    sampling: Literal["window", "uniform", "shared", "log-uniform"] = "window"
    scaled: bool = False
    temperature: float = 1.0
    gbce_t: float = 0.75

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                value = getattr(self, name)
                raise HandledError(f"{name} must be one of {', '.join(known)}: {value!r}")
        if self.loss != "ce" and self.negatives < 1:
            raise HandledError(f"loss {self.loss} needs negatives")
        if self.temperature <= 0:
            raise HandledError(f"temperature must be positive: {self.temperature!r}")
        if self.sampling == "log-uniform" and self.loss in ("bce", "gbce"):
            raise HandledError(f"sampling log-uniform is for sampled-ce, not for {self.loss}")

    @property
    def by_popularity(self) -> bool:
        """Whether the loss has to know how often items occur."""
        return self.loss == "sampled-ce" and self.sampling == "log-uniform"


class NextItemBackbone(Backbone):
    """A model whose state after each event is compared with the vectors of the items.

    Its options are `LossOptions` with a ``max_len``; its nets have ``tables`` (`ItemTables`) and
    are called with items, lengths and scope, as `CausalNet` is.
    """

    Options: ClassVar[type] = LossOptions
    #: What is prepared is of the training alone.
    policy: ClassVar[Mapping[str, str]] = {**Backbone.policy, "prepared.": "drop"}

    def prepare(
        self, split: Split, catalogue: Catalogue, domains: Sequence[str]
    ) -> Mapping[str, NDArray[np.float32]]:
        """Counts of items in the training parts where negatives are drawn by them."""
        import numpy as np

        if not self.options.by_popularity:
            return {}
        _, items = split.sequences.training()
        counts = np.bincount(items, minlength=catalogue.n_items)
        return {"popularity": counts.astype(np.float32)}

    def popularity(self, net: Any) -> Tensor | None:
        """Counts of items float [I] where the loss has to know them."""
        return net.prepared.popularity if self.options.by_popularity else None

    def vectors(self, net: Any, scope: Sequence[str]) -> tuple[Tensor, Tensor | None]:
        """Item vectors [items of the scope, width] and biases [items of the scope] or None."""
        return net.tables.scope_table(scope), None

    def loss(self, net: Any, batch: Batch) -> tuple[Tensor, int]:
        """Mean over all positions of the batch."""
        from recmerge_bench.toolkit.models import losses

        keep = losses.valid_tokens(batch.lengths, batch.items.shape[1])
        states = net(batch.items, batch.lengths, batch.scope).flatten(0, 1)[keep]
        table, bias = self.vectors(net, batch.scope)
        known = self.popularity(net)
        value = next_item_loss(self.options, states, batch, net.tables, table, bias, known)
        return value, len(keep)

    def encode(self, net: Any, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """State after the last event."""
        scope = net.tables.narrowest(histories, domain)
        return net(histories, lengths, scope, last_only=True)  # type: ignore[no-any-return]

    def items(self, net: Any, domain: str) -> tuple[Tensor, Tensor | None]:
        """The domain's vectors."""
        return self.vectors(net, (domain,))

    def max_history(self) -> int:
        """`max_len`."""
        return int(self.options.max_len)


def next_item_loss(
    options: LossOptions,
    states: Tensor,
    batch: Batch,
    tables: ItemTables,
    table: Tensor,
    bias: Tensor | None = None,
    popularity: Tensor | None = None,
) -> Tensor:
    """Mean loss of a batch's targets (a scalar).

    Args:
        options: see `LossOptions`.
        states: float [N, width], from which the targets are predicted, in the order of
            `losses.valid_tokens`.
        batch: the targets, and the windows that they are of.
        tables: tell the items' rows.
        table: float [items of the scope, width], the items' vectors.
        bias: float [items of the scope], added to the scores.
        popularity: float [I], how often items occur, for sampling ``log-uniform``.
    """
    from recmerge_bench.toolkit.models import losses

    keep = losses.valid_tokens(batch.lengths, batch.targets.shape[1])
    rows = tables.scope_rows(batch.targets, batch.scope)
    targets = rows.flatten()[keep]
    if options.loss == "ce":
        return losses.full_cross_entropy(
            states, table, targets, bias=bias, temperature=options.temperature
        )
    if options.sampling == "shared":
        drawn = _drawn((options.negatives,), len(table), batch)
        good, bad = losses.shared_scores(states, table, targets, drawn, bias)
        hits = drawn == targets[:, None]
    elif options.sampling == "log-uniform":
        return _log_uniform_loss(options, states, batch, tables, table, targets, bias, popularity)
    else:
        drawn = _own_negatives(options, batch, tables, rows, keep, len(table))
        choices = losses.choice_scores(states, table, _joined(targets, drawn), bias)
        good, bad, hits = choices[:, 0], choices[:, 1:], drawn == targets[:, None]
    if options.loss == "sampled-ce":
        others = len(table) - 1 if options.scaled else 0
        return losses.sampled_cross_entropy(
            good, bad, options.temperature, hits=hits, others=others
        )
    t = options.gbce_t if options.loss == "gbce" else 0.0
    beta = losses.gbce_beta(len(table), options.negatives, t)
    return losses.binary_cross_entropy(good, bad, beta)


def _log_uniform_loss(
    options: LossOptions,
    states: Tensor,
    batch: Batch,
    tables: ItemTables,
    table: Tensor,
    targets: Tensor,
    bias: Tensor | None,
    popularity: Tensor | None,
) -> Tensor:
    """Sampled softmax over draws by popularity, corrected; see `log_uniform`."""
    from recmerge_bench.toolkit.models import losses
    from recmerge_bench.toolkit.models.log_uniform import Ranked, corrections

    if popularity is None:
        raise ValueError("sampling log-uniform needs the items' popularity")
    ranked = Ranked.by(tables.scope_values(popularity, batch.scope))
    drawn = ranked.draw((len(targets), options.negatives), batch.generator)
    choices = losses.choice_scores(states, table, _joined(targets, drawn), bias)
    good, bad = corrections(ranked, targets, drawn, options.scaled)
    logits = choices / options.temperature
    return losses.sampled_cross_entropy(
        logits[:, 0] + good.to(logits.dtype),
        logits[:, 1:] + bad.to(logits.dtype),
        hits=drawn == targets[:, None],
    )


def _own_negatives(
    options: LossOptions, batch: Batch, tables: ItemTables, rows: Tensor, keep: Tensor, n: int
) -> Tensor:
    """Negatives of each target's own: int64 [N, negatives]."""
    import torch

    from recmerge_bench.toolkit.models import losses

    count = options.negatives
    if options.sampling == "uniform":
        return _drawn((len(keep), count), n, batch)
    size = rows.shape[1]
    valid = torch.arange(size, device=rows.device) < batch.lengths[:, None]
    seen = torch.cat([tables.scope_rows(batch.items[:, :1], batch.scope), rows], 1)
    valid = torch.cat([torch.ones_like(valid[:, :1]), valid], 1)
    drawn = losses.draw_negatives(seen, valid, n, size * count, batch.generator)
    return drawn.view(len(rows) * size, count)[keep]


def _drawn(shape: tuple[int, ...], n: int, batch: Batch) -> Tensor:
    """Rows of a table of `n`, uniformly with replacement."""
    import torch

    return torch.randint(n, shape, generator=batch.generator, device=batch.targets.device)


def _joined(targets: Tensor, drawn: Tensor) -> Tensor:
    import torch

    return torch.cat([targets[:, None], drawn], 1)
