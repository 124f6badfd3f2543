"""Tuning budgets: what was tried, on what data, how many times, before settings were fixed.

A row whose settings were chosen on labels of the board's domains has seen what the others have
not, whatever its method reads while it merges. Suites declare it, tracks that are headed as free of
users' data refuse it, boards print it.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from recmerge_bench.planning.configuration import Budget, Search

#: What settings may have been chosen on, and how boards call it. Test labels are not among it.
DATA = {
    "none": "nothing",
    "pseudo-users": "generated users",
    "training-data": "training events",
    "validation-labels": "validation labels",
}
#: Data of a domain's own users.
OF_USERS = ("training-data", "validation-labels")


class Tuning(BaseModel):
    """A tuning budget as a suite declares it; ``none`` says that nothing was tried.

    Attributes:
        tried: what was varied, a line.
        data: what the tries were judged on.
        dataset: whose data; the track's own if empty.
        domains: whose; those of the track if empty.
        times: how many settings were tried, the chosen one included.
        search: the trials of a search, as `rerun` writes them of a row that was tuned by
            ``tune:``; not to be written by hand.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tried: str = Field("", max_length=2000)
    data: Literal["none", "pseudo-users", "training-data", "validation-labels"] = "none"
    dataset: str = ""
    domains: tuple[str, ...] = ()
    times: int = Field(0, ge=0)
    search: Search | None = None

    @model_validator(mode="before")
    @classmethod
    def _none_alone(cls, value: Any) -> Any:
        return {} if value == "none" else value

    @model_validator(mode="after")
    def _something_or_nothing(self) -> Self:
        nothing = self.data == "none"
        if nothing and (self.times or self.dataset or self.domains):
            raise ValueError("data is none: give what the tries were judged on")
        if not nothing and not (self.times and self.tried):
            raise ValueError("say what was tried (tried) and how many times (times)")
        if self.search is not None and len(self.search.trials) != self.times:
            raise ValueError(f"times is {self.times}, search has {len(self.search.trials)} trials")
        return self


def budget(tuning: Tuning | None, track: Any) -> Budget | None:
    """The budget with names filled in, None where none is declared.

    Args:
        tuning: as declared.
        track: whose dataset and domains are meant where it names none.
    """
    if tuning is None:
        return None
    own = tuning.data != "none"
    return Budget(
        tried=tuning.tried,
        data=tuning.data,
        dataset=tuning.dataset or (track.dataset if own else ""),
        domains=list(tuning.domains or (track.domains if own else ())),
        times=tuning.times,
        **({} if tuning.search is None else {"search": tuning.search}),
    )


def own_users(declared: Budget | None, track: Any) -> list[str]:
    """The track's domains whose users' data the settings were chosen on."""
    if declared is None or declared.data not in OF_USERS or declared.dataset != track.dataset:
        return []
    own = {*track.domains, *track.experts, *track.source}
    return [domain for domain in declared.domains if domain in own]
