"""A text model's base and experts, and what each tier hands to a strategy with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import builders
import numpy as np
import torch
from recmerge_bench_plugins.backbones.sasrec_text import SASRecText, SASRecTextOptions

from recmerge_bench.api import Expert
from recmerge_bench.merging.pseudo_users import PseudoUsers
from recmerge_bench.merging.user_sequences import UserSequences, Validation
from recmerge_bench.tiers import merge_input

PLAIN = builders.catalogue((30, 20))
VECTORS = np.random.default_rng(0).standard_normal((PLAIN.n_items, 12)).astype(np.float32)
CAT = replace(PLAIN, vectors=VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True))
MODEL = SASRecText(SASRecTextOptions(width=8, heads=2, max_len=6, dropout=0.0))
SPLIT = builders.planted(CAT, users=60)
KEPT: dict[str, dict[str, Any]] = {d: {} for d in CAT.domains}


def given(tier: str, change: float = 0.3) -> Any:
    """A text model's base and experts moved at random, with what the tier allows."""
    base = MODEL.build(CAT, CAT.domains, 0).state_dict()
    generator = torch.Generator().manual_seed(0)
    experts = tuple(
        Expert(
            d, {n: t + change * torch.randn(t.shape, generator=generator) for n, t in base.items()}
        )
        for d in CAT.domains
    )
    pseudo = PseudoUsers(MODEL, CAT, KEPT, 0)
    users = UserSequences(MODEL, CAT, KEPT, SPLIT, 0)
    labels = Validation.of(SPLIT, users, MODEL, CAT)
    return merge_input(
        tier, base, experts, 0, catalogue=pseudo, statistics={}, sequences=users, labels=labels
    )
