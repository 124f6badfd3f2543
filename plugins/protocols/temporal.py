"""Global temporal split: no model learns from events later than a target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from recmerge_bench.api import Interactions, ProtocolDefinition, ProtocolSpec, Spec, Split, hookimpl


@dataclass(frozen=True)
class Options:
    """Options of the temporal split.

    Attributes:
        scope: a sequence per user and ``domain``, or one per user over all domains, ``mixed``.
        valid_from: quantile of event times at which validation begins.
        test_from: quantile at which the test begins.
        negatives: sampled negatives per target; 0: full ranking.
        candidate_seed: of the negatives.
        masked: whether items of the history are taken out of the ranking.
    """

    scope: Literal["domain", "mixed"] = "domain"
    valid_from: float = 0.8
    test_from: float = 0.9
    negatives: int = 0
    candidate_seed: int = 2026
    masked: bool = False


class Temporal(ProtocolDefinition):
    """First event after a cut-off time that all users share."""

    Options = Options

    def split(
        self, interactions: Interactions, domains: Sequence[str], unscored: Sequence[str] = ()
    ) -> Split:
        """See `recmerge_bench.toolkit.data.splits.temporal`."""
        from recmerge_bench.toolkit.data.splits import temporal

        o = self.options
        return temporal(interactions, domains, o.scope, o.valid_from, o.test_from, unscored)

    def split_options(self) -> dict[str, Any]:
        """What the cut depends on."""
        o = self.options
        return {"scope": o.scope, "valid_from": o.valid_from, "test_from": o.test_from}

    def candidates(self) -> int | None:
        """Negatives per target."""
        return self.options.negatives or None

    def mask_history(self) -> bool:
        """As the options say."""
        return bool(self.options.masked)

    def candidate_seed(self) -> int:
        """As the options say."""
        return int(self.options.candidate_seed)


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``temporal`` and ``temporal-mixed``."""
    return [
        ProtocolSpec(
            name=name,
            target=f"{__name__}:Temporal",
            summary=summary,
            options={"scope": scope, "negatives": negatives},
            citation="Gusak et al., Time to Split, 2025 (arXiv 2507.16289)",
        )
        for name, scope, negatives, summary in (
            ("temporal", "domain", 0, "global temporal split per domain, full ranking"),
            ("temporal-mixed", "mixed", 0, "global temporal split on the mixed sequence"),
            (
                "temporal-mixed-sampled-999",
                "mixed",
                999,
                "global temporal split on the mixed sequence, 999 sampled negatives",
            ),
        )
    ]
