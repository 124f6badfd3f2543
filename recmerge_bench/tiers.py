"""Data tiers: what a merge reads beside weights, and what a strategy is handed for it.

All that depends on a tier follows from its `Tier`: the inputs of its cells, the object that its
strategies are handed, the tracks that admit it, and what boards, cards and errors say of it. No
torch at import: specs and discovery read this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NoReturn, TypeVar

from recmerge_bench.errors import HandledError, near

if TYPE_CHECKING:
    import torch

    from recmerge_bench.definitions import Expert
    from recmerge_bench.merging.pseudo_users import PseudoUsers
    from recmerge_bench.merging.user_sequences import UserSequences, Validation
    from recmerge_bench.toolkit.merging.users import Users

TierName = Literal["T0", "T1", "T2", "T3", "T4"]
#: What merges read beside weights: the item catalogue (users are made of its items); statistics
#: that each domain computed of its users at home; users' training histories; what validation users
#: chose next.
Source = Literal["catalogue", "statistics", "sequences", "labels"]
OF_USERS: tuple[Source, ...] = ("statistics", "sequences", "labels")


class IsolationError(HandledError):
    """A strategy reached for more than its data tier allows."""


@dataclass(frozen=True)
class MergeInput:
    """What a strategy is handed; of tier T0: weights, and nothing else.

    Asking for anything else raises an `IsolationError` that names the tier.

    Attributes:
        base: the shared base's tensors, by parameter name.
        experts: the domains' models, in the suite's order.
        seed: for strategies that draw.
        notes: what the strategy wants to have in the merge's record (JSON values).
        tier: of the strategies that are handed this.
        needed: how errors call what this has and the tier below has not.
    """

    base: Mapping[str, torch.Tensor]
    experts: tuple[Expert, ...]
    seed: int
    notes: dict[str, Any] = field(default_factory=dict, kw_only=True)
    tier: ClassVar[TierName] = "T0"
    needed: ClassVar[str] = "weights"

    def note(self, name: str, value: Any) -> None:
        """Put a JSON value into the merge's record, where there is one."""
        self.notes[name] = value

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):  # copying and pickling ask for these
            raise AttributeError(name)
        raise IsolationError(
            f"a strategy of tier {self.tier} is given {TIERS[self.tier].handed}, not '{name}'; "
            "declare the tier it needs in its spec"
        )


@dataclass(frozen=True, kw_only=True)
class WithCatalogue(MergeInput):
    """T1: also the items of every domain, as users with a history of one event.

    Attributes:
        items: pseudo-users, one for each item.
    """

    items: PseudoUsers
    tier: ClassVar[TierName] = "T1"
    needed: ClassVar[str] = "the item catalogue"

    @property
    def users(self) -> Users:
        """Whom models are run for: pseudo-users here, real users from T3 on."""
        return self.items


@dataclass(frozen=True, kw_only=True)
class WithStatistics(WithCatalogue):
    """T2: also what each domain has computed at home, and nothing that it was computed from.

    Attributes:
        grams: domain -> parameter -> mean Gram matrix [in, in] of the expert's inputs.
    """

    grams: Mapping[str, Mapping[str, torch.Tensor]]
    tier: ClassVar[TierName] = "T2"
    needed: ClassVar[str] = "shipped statistics"


@dataclass(frozen=True, kw_only=True)
class WithSequences(WithCatalogue):
    """T3: also users' unlabelled training histories.

    Attributes:
        sequences: users with these histories.
    """

    sequences: UserSequences
    tier: ClassVar[TierName] = "T3"
    needed: ClassVar[str] = "users' training histories"

    @property
    def users(self) -> Users:
        """Whom models are run for: the real users."""
        return self.sequences


@dataclass(frozen=True, kw_only=True)
class WithLabels(WithSequences):
    """T4: also what validation users chose next.

    Attributes:
        validation: see `Validation`.
    """

    validation: Validation
    tier: ClassVar[TierName] = "T4"
    needed: ClassVar[str] = "validation targets"


#: The attribute of a `MergeInput` that holds what is read.
_HELD: dict[Source, str] = {
    "catalogue": "items", "statistics": "grams", "sequences": "sequences", "labels": "validation",
}  # fmt: skip


@dataclass(frozen=True)
class Tier:
    """A data tier.

    Attributes:
        name: ``T0`` to ``T4``, as specs and records have it.
        reads: what its merges read beside weights, what is made first first.
        input: the type of what its strategies are handed.
        handed: what that is, for errors and cards.
        summary: what of the data is read, in few words, for boards.
    """

    name: TierName
    reads: tuple[Source, ...]
    input: type[MergeInput]
    handed: str
    summary: str

    @property
    def runs_models(self) -> bool:
        """Whether its strategies run models: the catalogue, and all on the run's device."""
        return "catalogue" in self.reads

    @property
    def reads_users(self) -> bool:
        """Whether anything of real users is read; a data-isolated track admits no such merge."""
        return any(source in OF_USERS for source in self.reads)

    def hand(
        self, base: Mapping[str, torch.Tensor], experts: tuple[Expert, ...], seed: int,
        sources: Mapping[Source, Any],
    ) -> MergeInput:  # fmt: skip
        """What a strategy of this tier is handed; of `sources` no more than it may read.

        Raises:
            HandledError: what it reads is not at hand.
        """
        if any(sources.get(source) is None for source in self.reads):
            raise HandledError(
                f"a merge strategy of tier {self.name} reads {self.handed}: not at hand here"
            )
        parts = {_HELD[source]: sources[source] for source in self.reads}
        return self.input(base, experts, seed, **parts)


#: The tiers by name, each with the next's data beside its own or in its place.
TIERS: dict[str, Tier] = {
    tier.name: tier
    for tier in (
        Tier("T0", (), MergeInput, "weights", "weights"),
        Tier(
            "T1", ("catalogue",), WithCatalogue,
            "weights, the item catalogue and pseudo-users made of it", "generated users",
        ),
        Tier(
            "T2", ("catalogue", "statistics"), WithStatistics,
            "weights, the catalogue and statistics computed inside each domain",
            "statistics of users",
        ),
        Tier(
            "T3", ("catalogue", "sequences"), WithSequences,
            "weights, the catalogue and unlabelled user sequences", "users' training histories",
        ),
        Tier(
            "T4", ("catalogue", "sequences", "labels"), WithLabels,
            "everything, labels included", "validation labels",
        ),
    )
}  # fmt: skip

Held = TypeVar("Held", bound=MergeInput)


def tier_named(name: str) -> Tier:
    """The tier of that name.

    Raises:
        HandledError: there is none.
    """
    if name not in TIERS:
        raise HandledError(f"there is no data tier {name!r}{near(name, TIERS)}: {', '.join(TIERS)}")
    return TIERS[name]


def merge_input(
    tier: str, base: Mapping[str, torch.Tensor], experts: tuple[Expert, ...], seed: int,
    **sources: Any,
) -> Any:  # fmt: skip
    """`Tier.hand` of the tier of that name.

    Args:
        tier: ``T0`` to ``T4``.
        base: see `MergeInput`.
        experts: see there.
        seed: see there.
        sources: by the names of `Source`.

    Raises:
        HandledError: there is no such tier, or what it reads is not at hand.
    """
    return tier_named(tier).hand(base, experts, seed, sources)  # type: ignore[arg-type]


def needs(given: MergeInput, kind: type[Held], who: str) -> Held:
    """What was given, as what the strategy `who` has to be given at the least.

    Raises:
        HandledError: it was given less; says of which tier it has to be.
    """
    if not isinstance(given, kind):
        raise HandledError(f"{who} needs {kind.needed}: tier {kind.tier}")
    return given
