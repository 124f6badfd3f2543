"""Leave-one-out: per domain (MergeRec) and on the mixed sequence (MERIT), full and sampled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from recmerge_bench.api import Interactions, ProtocolDefinition, ProtocolSpec, Spec, Split, hookimpl


@dataclass(frozen=True)
class Options:
    """Options of leave-one-out.

    Attributes:
        scope: a sequence per user and ``domain``, or one per user over all domains, ``mixed``.
        negatives: sampled negatives per target; 0: full ranking over the target's domain.
        capped: where a user has fewer free items in a domain, all targets get as many negatives
            as that user can; otherwise it is an error.
        candidate_seed: of the negatives.
        masked: whether items of the history are taken out of the ranking.
        min_length: shorter sequences are dropped and counted.
        last: only the latest so many events of a sequence are used; 0: all.
        least_each: a mixed sequence needs so many events of each scored domain.
        shuffled: whether test histories are read in random order: the same targets, models and
            items (each model's window, see `recmerge_bench.evaluation.shuffling`).
        shuffle_seed: of that order.
    """

    scope: Literal["domain", "mixed"] = "domain"
    negatives: int = 0
    capped: bool = False
    candidate_seed: int = 2026
    masked: bool = False
    min_length: int = 3
    last: int = 0
    least_each: int = 0
    shuffled: bool = False
    shuffle_seed: int = 2026


class LeaveOneOut(ProtocolDefinition):
    """Last event: test; the one before: validation; the rest: training."""

    Options = Options

    def split(
        self, interactions: Interactions, domains: Sequence[str], unscored: Sequence[str] = ()
    ) -> Split:
        """See `recmerge_bench.toolkit.data.splits.leave_one_out`."""
        from recmerge_bench.toolkit.data.splits import leave_one_out

        o = self.options
        return leave_one_out(
            interactions, domains, o.scope, o.min_length, unscored, o.last, o.least_each
        )

    def split_options(self) -> dict[str, Any]:
        """What the cut depends on."""
        o = self.options
        some = {name: getattr(o, name) for name in ("last", "least_each") if getattr(o, name)}
        return {"scope": o.scope, "min_length": o.min_length, **some}

    def candidates(self) -> int | None:
        """Negatives per target."""
        return self.options.negatives or None

    def cap_candidates(self) -> bool:
        """As the options say."""
        return bool(self.options.capped)

    def mask_history(self) -> bool:
        """As the options say."""
        return bool(self.options.masked)

    def candidate_seed(self) -> int:
        """As the options say."""
        return int(self.options.candidate_seed)

    def shuffle_seed(self) -> int | None:
        """As the options say."""
        return int(self.options.shuffle_seed) if self.options.shuffled else None


MERIT: dict[str, Any] = {"scope": "mixed", "last": 50, "least_each": 5}
#: Name -> preset options, and what they mean.
FORMS: dict[str, tuple[dict[str, Any], str]] = {
    "loo": ({"scope": "domain"}, "leave-one-out per domain"),
    "mixed": ({"scope": "mixed"}, "leave-one-out on the mixed sequence"),
    "mixed-merit": (
        MERIT, "leave-one-out on the latest 50 events of users with 5 in each domain: MERIT's"
    ),
}  # fmt: skip

#: Forms that have one beside them whose test histories are shuffled: what order is worth.
SHUFFLED = (
    "loo", "loo-masked", "loo-released", "loo-released-masked", "mixed", "mixed-masked",
    "mixed-merit", "mixed-merit-sampled-999",
)  # fmt: skip


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register the protocols and their sampled forms."""
    forms = []
    for name, (options, summary) in FORMS.items():
        for count in (0, 99, 999):
            kind = f"{count} sampled negatives" if count else "full ranking"
            full = f"{name}-sampled-{count}" if count else name
            forms.append((full, {**options, "negatives": count}, f"{summary}, {kind}"))
    forms += [
        (
            "mixed-capped-999",
            {"scope": "mixed", "negatives": 999, "capped": True},
            "leave-one-out on the mixed sequence, 999 sampled negatives or as many as there are",
        ),
        (
            "mixed-masked",
            {"scope": "mixed", "masked": True},
            "leave-one-out on the mixed sequence, full ranking without items of the history",
        ),
        (
            "loo-released",
            {"scope": "domain", "min_length": 4},
            "leave-one-out per domain, full ranking, sequences of 4 and more: MergeRec's",
        ),
        (
            "loo-masked",
            {"scope": "domain", "masked": True},
            "leave-one-out per domain, full ranking without items of the history",
        ),
        (
            "loo-released-masked",
            {"scope": "domain", "min_length": 4, "masked": True},
            "leave-one-out per domain, full ranking without items of the history, sequences of 4 "
            "and more",
        ),
    ]
    forms += [
        (f"{name}-shuffled", {**options, "shuffled": True}, f"{summary}, histories shuffled")
        for name, options, summary in forms
        if name in SHUFFLED
    ]
    return [
        ProtocolSpec(name, f"{__name__}:LeaveOneOut", summary, options=options)
        for name, options, summary in forms
    ]
