"""One time axis in phases of equal events: trained on phase by phase, tested on what comes next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recmerge_bench.api import (
    Interactions,
    Phases,
    ProtocolDefinition,
    ProtocolSpec,
    Spec,
    Split,
    hookimpl,
)

if TYPE_CHECKING:
    from recmerge_bench.toolkit.data.splits import PhaseRules

#: Phases that have a form of their own, for tracks that merge domains at one time.
ALONE = (1, 4, 7)
#: What is held out where sequences have an event or two in a phase.
SPARSE: dict[str, Any] = {"targets": 1, "valid_share": 0.1, "test_share": 0.3}
CITATION = "Gusak et al., Time to Split, 2025 (arXiv 2507.16289)"


@dataclass(frozen=True)
class Options:
    """Options of phases.

    Attributes:
        count: phases, of equally many events.
        warm: the first so many are trained on and never tested; 3: every merge that is tested is
            of a base and two experts or more.
        after: in tracks of kind ``temporal``, the phase after which the models stand that are
            tested; 0: the one before the target's.
        only: in other tracks, the one phase that is trained on, tested in the next; 0: the warm
            ones, tested in all later ones.
        targets: so many latest events of a sequence in a phase are held out.
        valid_share: of a phase's sequences that are drawn for validation.
        test_share: of them that are drawn for the test.
        draw_seed: of the drawing.
        masked: whether items of the history are taken out of the ranking.
    """

    count: int = 8
    warm: int = 3
    after: int = 0
    only: int = 0
    targets: int = 3
    valid_share: float = 0.2
    test_share: float = 0.8
    draw_seed: int = 2026
    masked: bool = False


class PhasesOfEvents(ProtocolDefinition):
    """Global cut-off times at equal numbers of events; held-out events in every phase."""

    Options = Options

    def _rules(self) -> PhaseRules:
        from recmerge_bench.toolkit.data.splits import PhaseRules

        o = self.options
        return PhaseRules(o.count, o.targets, o.valid_share, o.test_share, o.draw_seed)

    def split(
        self, interactions: Interactions, domains: Sequence[str], unscored: Sequence[str] = ()
    ) -> Split:
        """The warm phases, tested in all later ones; or one phase, tested in the next."""
        from recmerge_bench.toolkit.data.splits import phase_split

        o = self.options
        if o.only:
            first, last, until = o.only, o.only, o.only + 1
        else:
            first, last, until = 1, o.warm, o.count
        return phase_split(interactions, domains, self._rules(), first, last, until, unscored)

    def phase_split(
        self, interactions: Interactions, domains: Sequence[str], first: int, last: int
    ) -> Split:
        """See `recmerge_bench.toolkit.data.splits.phase_split`."""
        from recmerge_bench.toolkit.data.splits import phase_split

        return phase_split(interactions, domains, self._rules(), first, last, last + 1)

    def phases(self) -> Phases | None:
        """As the options say; none where one phase stands alone."""
        o = self.options
        return None if o.only else Phases(o.count, o.warm, o.after)

    def split_options(self) -> dict[str, Any]:
        """What the split depends on."""
        o = self.options
        names = ("count", "warm", "targets", "valid_share", "test_share", "draw_seed")
        alone = {"only": o.only} if o.only else {}
        return {**{name: getattr(o, name) for name in names}, **alone}

    def candidates(self) -> int | None:
        """None: against all items."""
        return None

    def mask_history(self) -> bool:
        """As the options say."""
        return bool(self.options.masked)

    def candidate_seed(self) -> int:
        """Of no use: nothing is sampled."""
        return 0


def _forms() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name, summary and options of each registered form."""
    count, warm = Options.count, Options.warm
    whole = f"{count} phases, each tested by the models of those before it"
    yield f"phases-{count}", f"{whole}, full ranking", {}
    name, masked = f"phases-{count}-masked", "full ranking without items of the history"
    yield name, f"{whole}, {masked}", {"masked": True}
    for phase in range(warm, count):
        summary = f"{count} phases, all tested by the models after phase {phase}, {masked}"
        yield f"{name}-after-{phase}", summary, {"masked": True, "after": phase}
    yield (
        f"phases-{count}-sparse-masked",
        f"{whole}, one event of two fifths of the sequences held out, {masked}",
        {"masked": True, **SPARSE},
    )
    for phase in ALONE:
        summary = f"phase {phase} of {count}, tested in the next, {masked}"
        yield f"{name}-only-{phase}", summary, {"masked": True, "only": phase}


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register the phases, their models after each, and each phase alone."""
    return [
        ProtocolSpec(
            name=name,
            target=f"{__name__}:PhasesOfEvents",
            summary=summary,
            options=options,
            citation=CITATION,
        )
        for name, summary, options in _forms()
    ]
