"""What a strategy may read, by data tier; anything else raises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from recmerge_bench.definitions import Expert, WeightsOnly
from recmerge_bench.errors import HandledError

if TYPE_CHECKING:
    from recmerge_bench.toolkit.merging.pseudo_users import PseudoUsers
    from recmerge_bench.toolkit.merging.user_sequences import Validation

TIERS = {
    "T0": "weights",
    "T1": "weights, the item catalogue and pseudo-users made of it",
    "T2": "weights, the catalogue and statistics computed inside each domain",
    "T3": "weights, the catalogue and unlabelled user sequences",
    "T4": "everything, labels included",
}


class IsolationError(HandledError):
    """A strategy reached for more than its data tier allows."""


@dataclass(frozen=True, kw_only=True)
class Sealed(WeightsOnly):
    """T0: the weights; asking for anything else raises, and says so.

    Attributes:
        notes: what the strategy wants to have in the record (JSON values).
    """

    notes: dict[str, Any] = field(default_factory=dict)
    tier: ClassVar[str] = "T0"

    def note(self, name: str, value: Any) -> None:
        """Put a JSON value into the record."""
        self.notes[name] = value

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):  # copying and pickling ask for these
            raise AttributeError(name)
        raise IsolationError(
            f"a strategy of tier {self.tier} is given {TIERS[self.tier]}, not '{name}'; "
            "declare the tier it needs in its spec"
        )


@dataclass(frozen=True, kw_only=True)
class WithCatalogue(Sealed):
    """T1: also the items of every domain, as histories of one event.

    Attributes:
        pseudo: see `PseudoUsers`.
    """

    pseudo: PseudoUsers
    tier: ClassVar[str] = "T1"


@dataclass(frozen=True, kw_only=True)
class WithStatistics(WithCatalogue):
    """T2: also what each domain has computed at home, and nothing that it was computed from.

    Attributes:
        grams: domain -> parameter -> mean Gram matrix [in, in] of the expert's inputs.
    """

    grams: Mapping[str, Mapping[str, Any]]
    tier: ClassVar[str] = "T2"


@dataclass(frozen=True, kw_only=True)
class WithSequences(WithCatalogue):
    """T3: users' unlabelled training histories, in the place of pseudo-users.

    Attributes:
        items: the catalogue as pseudo-users, which T1 has.
    """

    items: PseudoUsers
    tier: ClassVar[str] = "T3"


@dataclass(frozen=True, kw_only=True)
class WithLabels(WithSequences):
    """T4: also what validation users chose next.

    Attributes:
        validation: see `Validation`.
    """

    validation: Validation
    tier: ClassVar[str] = "T4"


def given_for(
    tier: str,
    base: Any,
    experts: tuple[Expert, ...],
    seed: int,
    pseudo: PseudoUsers | None = None,
    grams: Mapping[str, Mapping[str, Any]] | None = None,
    sequences: PseudoUsers | None = None,
    validation: Validation | None = None,
) -> Sealed:
    """The object for a tier.

    Raises:
        HandledError: there is no such tier, or what it reads is not at hand.
    """
    if tier == "T0":
        return Sealed(base, experts, seed)
    if tier == "T1" and pseudo is not None:
        return WithCatalogue(base, experts, seed, pseudo=pseudo)
    if tier == "T2" and pseudo is not None and grams is not None:
        return WithStatistics(base, experts, seed, pseudo=pseudo, grams=grams)
    if tier == "T3" and pseudo is not None and sequences is not None:
        return WithSequences(base, experts, seed, pseudo=sequences, items=pseudo)
    if tier == "T4" and pseudo is not None and sequences is not None and validation is not None:
        return WithLabels(
            base, experts, seed, pseudo=sequences, items=pseudo, validation=validation
        )
    if tier not in TIERS:
        raise HandledError(f"there is no data tier {tier!r}: {', '.join(TIERS)}")
    raise HandledError(f"a merge strategy of tier {tier} reads {TIERS[tier]}: not at hand here")
