"""MERIT (MM 2025): a mixed branch, a branch for each domain, and transfer both ways between them.

Idea: One branch reads the sequence of all domains mixed, and one branch reads each domain's own
sequence. Gated feed-forward experts make from each branch's states what it hands to the others,
and attention fuses what is handed over in both directions. The gates are learned for every event,
so that a domain takes from the others only what helps.

Equations: the paper's branches with mixtures of feed-forward experts (moFFN), ECAF and CAF and
their three losses; its eq. 10 is read with the mixed states as the query, where it prints those
of a domain. States, losses and gradients are those of the released code, as it is and with its
faults put right (tests/plugins/test_merit_golden.py::test_losses_and_gradients; 1e-5).

As published, and as released: neither the first release (July 2025) nor the later one computes what
the paper says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from recmerge_bench.api import (
    Backbone,
    Batch,
    Catalogue,
    CDSRSpec,
    HandledError,
    Profile,
    Spec,
    hookimpl,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

Mode = Literal["attn", "add", "none"]
Source = Literal["mixed", "other"]


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """MERIT."""
    return [
        CDSRSpec(
            "merit",
            f"{__name__}:Merit",
            "mixed and single-domain branches with transfer between them (profile family)",
            profiles={"cpu": Profile({"width": 64})},
            fidelity="code-verified",
            citation="MERIT, MM 2025",
        )
    ]


@dataclass(frozen=True)
class MeritOptions:
    """Options of MERIT; the defaults are the paper's (profile ``family``).

    For a processor (profile ``cpu``): ``{width: 64}``, all else as it is.

    The paper's ablations: SF1 ``ecaf_sources: [other]``; SF2 ``ecaf_sources: [mixed]``; SF3
    ``ecaf_mode: add``; SF4 ``ecaf_mode: none``; FF1 ``ffn: single``; MF1 ``caf_m: add``; MF2
    ``caf_m: none``; RL1 ``residual: grad``; RL2 ``residual: none``. Outputs that a switch leaves
    without a reader, and their experts, are not made. SF3 and SF4 keep the feed-forward block of
    the domain's branch, MF1 and MF2 that of the mixed one, where the paper does not say.

    Attributes:
        width: width of item vectors and layers.
        heads: number of attention heads.
        inner: inner width of an expert; 0: the largest multiple of 8 up to ``8 width / 3``.
        dropout: on embeddings and on every sub-layer's output.
        max_len: the fixed length, the number of latest events that are used. What is missing
            counts as padding, which the published model attends to.
        negatives: sampled negatives of each domain for each position, drawn with replacement from
            what the user's training window does not hold (published: without); 0: the full
            softmax.
        temperature: divides the scores in InfoNCE.
        init: item tables ``truncated`` normal, as published, ``random`` normal or from the items'
            ``text``.
        std: standard deviation of initial weights.
        ecaf_sources: what a domain's branch attends to: outputs of the ``mixed`` branch, of the
            ``other`` domains' branches.
        ecaf_mode: it attends to them, adds them token by token (another domain's have none), or
            neither.
        caf_m: the same for the mixed branch and the domains' outputs.
        ffn: a ``mo`` (mixture of a shared expert and one for each output) or a ``single`` block.
        residual: the mixed branch's state in a domain's score: ``sg`` without gradient, ``grad``
            with it, ``none``.
        m_norm: the mixed loss is, by user, the sum over domains of the mean over targets of the
            ``domain`` (as in both releases), or the mean over all targets of the ``sequence`` (as
            printed).
        eval_m_position: the mixed branch's state at the ``last`` event (as in both releases), or at
            the ``same`` event as the domain's, as in training.
        paths: transfer only these, ``source->destination`` with ``mixed`` or a domain's name; all
            that the switches have if empty.
        computes: what the ``paper`` says, or, for two domains, what was ``released`` in July 2025:
            ECAF sees the mixed branch's outputs only, each domain's branch works on the other
            domain's tokens (so that at evaluation the mixed state alone scores), positions are
            counted over the wrong tokens, and the second domain's negatives include the first's
            last item; its training clears gradients once an epoch (``clear: epoch``). The later
            release, ``released-2``, clears them every step and does all the rest; besides, its
            masks are overwritten in place by position numbers, so that wherever a token's state
            is masked it is multiplied by its place from the end of its branch's tokens (1 is the
            last).
    """

    width: int = 256
    heads: int = 2
    inner: int = 0
    dropout: float = 0.5
    max_len: int = 47
    negatives: int = 128
    temperature: float = 0.75
    init: Literal["truncated", "random", "text"] = "truncated"
    std: float = 0.02
    ecaf_sources: tuple[str, ...] = ("mixed", "other")
    ecaf_mode: Mode = "attn"
    caf_m: Mode = "attn"
    ffn: Literal["mo", "single"] = "mo"
    residual: Literal["sg", "grad", "none"] = "sg"
    m_norm: Literal["domain", "sequence"] = "domain"
    eval_m_position: Literal["last", "same"] = "last"
    paths: tuple[str, ...] = ()
    computes: Literal["paper", "released", "released-2"] = "paper"

    def __post_init__(self) -> None:
        if self.negatives < 0 or self.temperature <= 0:
            raise HandledError("merit: negatives is not negative, temperature is positive")
        if self.width % self.heads:
            raise HandledError(f"merit: width {self.width} is no multiple of heads {self.heads}")
        unknown = set(self.ecaf_sources) - set(get_args(Source))
        if unknown or not self.ecaf_sources:
            raise HandledError(
                "merit: ecaf_sources holds mixed, other or both; for neither: ecaf_mode: none"
            )

    @property
    def inside(self) -> int:
        """Width of an expert's inside."""
        return self.inner or max(8, 8 * self.width // 3 // 8 * 8)


class Merit(Backbone):
    """For two or more domains.

    With more than two, a domain's ECAF reads the mixed branch's outputs as one sequence and those
    of all other domains, whose tokens are disjoint, as the other.
    """

    Options = MeritOptions

    def build(self, catalogue: Catalogue, domains: Sequence[str], seed: int) -> nn.Module:
        """See `Backbone.build`."""
        from recmerge_bench_plugins.cdsr.merit.net import MeritNet

        return MeritNet(catalogue, domains, seed, self.options)

    def loss(self, net: Any, batch: Batch) -> tuple[Tensor, int]:
        """``L_M`` and the domains' losses; means over users (see `MeritOptions.m_norm`)."""
        from recmerge_bench_plugins.cdsr.merit.loss import Targets, cross_entropy

        o = self.options
        reading = net.read(batch.items, batch.lengths)
        mixed, own = net(reading)
        if o.residual != "none":
            own = own + (mixed.detach() if o.residual == "sg" else mixed)
        targets = Targets.of(net, batch, reading)
        value = cross_entropy(net, mixed, targets.mixed(o.m_norm), batch.generator)
        value = value + cross_entropy(net, own, targets.own(), batch.generator)
        return value, len(mixed)

    def encode(self, net: Any, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """Last state of the domain's branch (0 where it has no token) and the mixed branch's.

        Source: MERIT, Eq. for the score of an item: ``e . (H_X[last of X] + H_M[last])``.
        """
        from recmerge_bench_plugins.cdsr.merit.net import MIXED, branch_of

        o = self.options
        reading = net.read(histories, lengths)
        outputs = net.represent(reading)
        branch = branch_of(domain)
        tokens, last = reading.tokens[branch], reading.tokens[branch].last()
        user = outputs[MIXED, MIXED].new_zeros(len(lengths), o.width)
        if o.computes == "paper":
            user[tokens.rows[last]] = net.transfer(reading, outputs, branch, last)
        if o.residual == "none":
            return user
        chosen = self._scored(reading, domain)
        return user + net.transfer(reading, outputs, MIXED, chosen)  # type: ignore[no-any-return]

    def items(self, net: Any, domain: str) -> tuple[Tensor, Tensor | None]:
        """The domain's table, no bias."""
        return net.tables.domain_table(domain), None

    def max_history(self) -> int:
        """See `Backbone.max_history`."""
        return int(self.options.max_len)

    def probe(
        self, net: Any, histories: Tensor, lengths: Tensor, domain: str
    ) -> Mapping[str, Tensor]:
        """Gates ``gate <branch> to <destination>`` (the paper's Fig. 7).

        The weight that an output's own expert has beside the shared one, 0 to 1, at the token
        whose state is used for the score: the mixed branch's at the last event (or see
        `MeritOptions.eval_m_position`), a domain's at its last event, for users who have one. A
        branch's own output is ``gate <branch> to <branch>``. Empty without mixtures (``ffn:
        single``).
        """
        from recmerge_bench_plugins.cdsr.merit.net import MIXED, plain

        reading = net.read(histories, lengths)
        chosen = {name: tokens.last() for name, tokens in reading.tokens.items()}
        chosen[MIXED] = self._scored(reading, domain)
        gates = net.gates(reading, chosen)
        return {f"gate {plain(a)} to {plain(b)}": values for (a, b), values in gates.items()}

    def _scored(self, reading: Any, domain: str) -> Tensor:
        """The mixed branch's token that scores, for each sequence: int64 [B]."""
        from recmerge_bench_plugins.cdsr.merit.net import MIXED, branch_of

        chosen: Tensor = reading.tokens[MIXED].last()
        if self.options.eval_m_position == "same":
            tokens = reading.tokens[branch_of(domain)]
            last = tokens.last()
            chosen[tokens.rows[last]] = tokens.flat[last]
        return chosen
