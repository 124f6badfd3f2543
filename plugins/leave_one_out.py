"""Leave-one-out: per domain (MergeRec) and on the mixed sequence (MERIT), full and sampled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from recmerge_bench.api import Interactions, ProtocolDefinition, Spec, Split, hookimpl


@dataclass(frozen=True)
class Options:
    """Options of leave-one-out.

    Attributes:
        scope: a sequence per user and ``domain``, or one per user over all domains, ``mixed``.
        negatives: sampled negatives per target; 0: full ranking over the target's domain.
        candidate_seed: of the negatives.
        masked: whether items of the history are taken out of the ranking.
        min_length: shorter sequences are dropped and counted.
    """

    scope: Literal["domain", "mixed"] = "domain"
    negatives: int = 0
    candidate_seed: int = 2026
    masked: bool = False
    min_length: int = 3


class LeaveOneOut(ProtocolDefinition):
    """Last event: test; the one before: validation; the rest: training."""

    Options = Options

    def split(
        self, interactions: Interactions, domains: Sequence[str], unscored: Sequence[str] = ()
    ) -> Split:
        """See `recmerge_bench.data.splits.leave_one_out`."""
        from recmerge_bench.data.splits import leave_one_out

        o = self.options
        return leave_one_out(interactions, domains, o.scope, o.min_length, unscored)

    def split_options(self) -> dict[str, Any]:
        """What the cut depends on."""
        return {"scope": self.options.scope, "min_length": self.options.min_length}

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
    """Register the protocols and their sampled forms."""
    about = {
        "loo": ("domain", "leave-one-out per domain"),
        "mixed": ("mixed", "leave-one-out on the mixed sequence"),
    }
    specs = []
    for name, (scope, summary) in about.items():
        for count in (0, 99, 999):
            kind = f"{count} sampled negatives" if count else "full ranking"
            specs.append(
                Spec(
                    kind="protocol",
                    name=f"{name}-sampled-{count}" if count else name,
                    target=f"{__name__}:LeaveOneOut",
                    summary=f"{summary}, {kind}",
                    options={"scope": scope, "negatives": count},
                )
            )
    specs.append(
        Spec(
            kind="protocol",
            name="loo-released",
            target=f"{__name__}:LeaveOneOut",
            summary="leave-one-out per domain, full ranking, sequences of 4 and more: MergeRec's",
            options={"scope": "domain", "min_length": 4},
        )
    )
    return specs
