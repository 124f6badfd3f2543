"""What a suite declares and its records' header repeats, with its types."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Figure(BaseModel):
    """A figure that the suite declares (`recmerge_bench.planning.suite.Figure`)."""

    model_config = ConfigDict(strict=True, extra="allow")
    kind: Literal["course", "weights", "option", "experts", "groups", "probes", "comparison"]
    title: str
    tracks: list[str] = []
    methods: list[str] = []
    option: str = ""


class Protocol(BaseModel):
    """What a protocol's card says of it."""

    model_config = ConfigDict(strict=True, extra="allow")
    summary: str
    split: dict[str, Any]
    negatives: int | None
    candidate_seed: int | None
