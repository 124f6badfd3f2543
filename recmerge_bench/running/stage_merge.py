"""A base and its experts -> merged tensors; what a domain keeps for itself stays beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recmerge_bench.definitions import Expert
from recmerge_bench.errors import HandledError
from recmerge_bench.running.apart import Apart
from recmerge_bench.running.context import Context
from recmerge_bench.running.experts import Tensors, base_and_experts
from recmerge_bench.running.stage_train import adapter_of, weights_of
from recmerge_bench.toolkit.merging.adapters import PREFIX
from recmerge_bench.toolkit.merging.tiers import given_for


def run(context: Context) -> dict[str, Any]:
    """Merge what the backbone's policy says merges; keep each expert's own tensors by name.

    The strategy works in a process of its own (`apart`), which is handed what its data tier
    allows and, where the kernel can, sees nothing else.
    """
    with Apart(context) as apart:  # before anything is read: the process has none of it
        return _merge(context, apart)


def _merge(context: Context, apart: Apart) -> dict[str, Any]:
    tier = context.config.get("tier", "T0")
    base, experts, kept = base_and_experts(context, "cpu")
    for expert in experts:
        _same_shapes(base, expert.weights, expert.domain)
        if all(bool((t == base[n]).all()) for n, t in expert.weights.items()):
            raise HandledError(f"the expert of '{expert.domain}' equals the base: it did not train")
    pseudo = _pseudo_users(context, kept) if tier != "T0" else None
    grams = _grams(context, experts, pseudo) if tier == "T2" else None
    sequences = _user_sequences(context, kept) if tier in ("T3", "T4") else None
    labels = _validation(context, sequences) if tier == "T4" else None
    given = given_for(tier, base, experts, context.seed, pseudo, grams, sequences, labels)
    made = apart.merge(given, base)
    for domain, merged in made.models.items():
        _save(context, domain, merged, kept)
    return {
        "tier": tier,
        "read": made.read,
        "opened": made.opened,
        "enforced": made.enforced,
        "mechanisms": made.mechanisms,
        "merged": sum(t.numel() for t in base.values()),
        "modulated": list(made.models) if made.modulated else [],
        "notes": made.notes,
        "peak_memory": made.peak_memory,
    }


def _save(
    context: Context, domain: str, merged: Tensors, kept: Mapping[str, Tensors]
) -> None:  # fmt: skip
    """A merged model with what its domain keeps (all domains', where it serves all)."""
    from safetensors.torch import save_file

    adapter = {n: t for n, t in merged.items() if n.startswith(PREFIX)}
    if domain and adapter:
        save_file(adapter, str(context.out / adapter_of(domain)))
    own = kept[domain] if domain else {n: t for each in kept.values() for n, t in each.items()}
    shared = {n: t for n, t in merged.items() if n not in adapter}
    tensors = {n: t.contiguous() for n, t in {**own, **shared}.items()}
    save_file(tensors, str(context.out / weights_of(domain)))


def _user_sequences(context: Context, kept: Mapping[str, Tensors]) -> Any:
    from recmerge_bench.toolkit.merging.user_sequences import UserSequences

    return UserSequences(
        context.definition("model"),
        context.interactions().catalogue,
        kept,
        context.split(),
        context.seed,
        context.device,
    )


def _validation(context: Context, pseudo: Any) -> Any:
    from recmerge_bench.running.selection import selection_of
    from recmerge_bench.toolkit.merging.user_sequences import Validation
    from recmerge_bench.training.validation import FULL

    selection = selection_of(context) or FULL
    catalogue = context.interactions().catalogue
    definition = context.definition("model")
    return Validation.of(context.split(), pseudo, definition, catalogue, selection)


def _pseudo_users(context: Context, kept: Mapping[str, Tensors]) -> Any:
    from recmerge_bench.toolkit.merging.pseudo_users import PseudoUsers

    catalogue = context.interactions().catalogue
    definition = context.definition("model")
    return PseudoUsers(definition, catalogue, kept, context.seed, context.device)


def _grams(context: Context, experts: tuple[Expert, ...], pseudo: Any) -> dict[str, Any]:
    """What each domain ships; computed before the strategy is asked, from its own data alone."""
    from recmerge_bench.merging.statistics import shipped_grams

    definition, split = context.definition("model"), context.split()
    catalogue = context.interactions().catalogue
    options = context.config["strategy"]["options"]  # the strategy's module is not run here
    sample, pooled = int(options.get("sample", 0)), options.get("joint", "own") == "pooled"
    return {
        e.domain: shipped_grams(
            definition, pseudo.net(e.weights, [e.domain]), e.weights, split, catalogue, e.domain,
            sample, context.seed, pooled,
        )
        for e in experts
    }  # fmt: skip


def _same_shapes(base: Tensors, other: Tensors, whose: str) -> None:
    wrong = sorted(
        n
        for n in {*base, *other}
        if n not in base or n not in other or base[n].shape != other[n].shape
    )
    if wrong:
        raise HandledError(f"{whose}: parameters differ from the base's: {', '.join(wrong[:5])}")
