"""A base and its experts -> merged tensors; what a domain keeps for itself stays beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from recmerge_bench.definitions import Expert
from recmerge_bench.errors import HandledError
from recmerge_bench.running.apart import Apart
from recmerge_bench.running.context import Context
from recmerge_bench.running.experts import Tensors, base_and_experts
from recmerge_bench.running.phase_experts import phase_experts, phase_users
from recmerge_bench.running.stage_train import adapter_of, weights_of
from recmerge_bench.tiers import Source, Tier, tier_named
from recmerge_bench.toolkit.merging.adapters import PREFIX


def run(context: Context) -> dict[str, Any]:
    """Merge what the backbone's policy says merges; keep each expert's own tensors by name.

    The strategy works in a process of its own (`apart`), which is handed what its data tier
    allows and, where the kernel can, sees nothing else.
    """
    with Apart(context) as apart:  # before anything is read: the process has none of it
        return _merge(context, apart)


def _merge(context: Context, apart: Apart) -> dict[str, Any]:
    tier = tier_named(context.config["tier"])
    of_phases = "phases" in context.config
    base, experts, kept = (phase_experts if of_phases else base_and_experts)(context, "cpu")
    for expert in experts:
        _same_shapes(base, expert.weights, expert.domain)
        if all(bool((t == base[n]).all()) for n, t in expert.weights.items()):
            raise HandledError(f"the expert of '{expert.domain}' equals the base: it did not train")
    given = tier.hand(base, experts, context.seed, _sources(context, tier, experts, kept))
    made = apart.merge(given, base)
    for domain, merged in made.models.items():
        _save(context, domain, merged, kept)
    return {
        "tier": tier.name,
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
    tensors: dict[str, Any] = {}
    for tables in [kept[domain]] if domain else kept.values():
        tensors.update(tables)
    tensors.update({n: t for n, t in merged.items() if n not in adapter})
    whole = {n: t.contiguous() for n, t in tensors.items()}
    save_file(whole, str(context.out / weights_of(domain)))


def _sources(
    context: Context, tier: Tier, experts: tuple[Expert, ...], kept: Mapping[str, Tensors]
) -> dict[Source, Any]:
    """What merges of the tier read, and nothing beyond it."""
    sources: dict[Source, Any] = {}
    for source in tier.reads:
        sources[source] = _READERS[source](context, experts, kept, sources)
    return sources


def _catalogue(context: Context, _: object, kept: Mapping[str, Tensors], __: object) -> Any:
    from recmerge_bench.merging.pseudo_users import PseudoUsers

    if "phases" in context.config:
        return phase_users(context, kept)
    catalogue = context.interactions().catalogue
    definition = context.definition("model")
    return PseudoUsers(definition, catalogue, kept, context.seed, context.device)


def _statistics(
    context: Context, experts: tuple[Expert, ...], _: object, sources: Mapping[Source, Any]
) -> dict[str, Any]:
    """What each domain ships; computed before the strategy is asked, from its own data alone."""
    from recmerge_bench.merging.statistics import shipped_grams

    definition, split = context.definition("model"), context.split()
    catalogue, users = context.interactions().catalogue, sources["catalogue"]
    options = context.options("strategy")  # by name: the strategy's module is not run here
    sample, pooled = int(options.number("sample", 0)), options.get("joint") == "pooled"
    return {
        e.domain: shipped_grams(
            definition, users.net(e.weights, [e.domain]), e.weights, split, catalogue, e.domain,
            sample, context.seed, pooled,
        )
        for e in experts
    }  # fmt: skip


def _sequences(context: Context, _: object, kept: Mapping[str, Tensors], __: object) -> Any:
    from recmerge_bench.merging.user_sequences import UserSequences

    return UserSequences(
        context.definition("model"),
        context.interactions().catalogue,
        kept,
        context.split(),
        context.seed,
        context.device,
    )


def _labels(context: Context, _: object, __: object, sources: Mapping[Source, Any]) -> Any:
    from recmerge_bench.merging.user_sequences import Validation
    from recmerge_bench.running.selection import selection_of
    from recmerge_bench.training.validation import FULL

    selection = selection_of(context) or FULL
    catalogue = context.interactions().catalogue
    definition = context.definition("model")
    return Validation.of(context.split(), sources["sequences"], definition, catalogue, selection)


_READERS: Mapping[Source, Callable[..., Any]] = {
    "catalogue": _catalogue,
    "statistics": _statistics,
    "sequences": _sequences,
    "labels": _labels,
}


def _same_shapes(base: Tensors, other: Tensors, whose: str) -> None:
    wrong = sorted(
        n
        for n in {*base, *other}
        if n not in base or n not in other or base[n].shape != other[n].shape
    )
    if wrong:
        raise HandledError(f"{whose}: parameters differ from the base's: {', '.join(wrong[:5])}")
