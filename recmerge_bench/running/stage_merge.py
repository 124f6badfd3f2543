"""A base and its experts -> merged tensors; what a domain keeps for itself stays beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recmerge_bench.borders.merges import check_each, check_merged
from recmerge_bench.definitions import Expert
from recmerge_bench.errors import HandledError
from recmerge_bench.merging.adapters import PREFIX
from recmerge_bench.merging.isolation import given_for, sealed
from recmerge_bench.running.context import Context
from recmerge_bench.running.experts import Tensors, base_and_experts, placed
from recmerge_bench.running.stage_train import adapter_of, weights_of


def run(context: Context) -> dict[str, Any]:
    """Merge what the backbone's policy says merges; keep each expert's own tensors by name.

    The strategy is handed what its data tier allows, and cannot open files of the run while it
    works.
    """
    from safetensors.torch import save_file

    strategy, tier = context.definition("strategy"), context.config.get("tier", "T0")
    # Sums of weights are made where the files are; where models are run, all lies on the device.
    base, experts, kept = base_and_experts(context, "cpu" if tier == "T0" else context.device)
    for expert in experts:
        _same_shapes(base, expert.weights, expert.domain)
        if all(bool((t == base[n]).all()) for n, t in expert.weights.items()):
            raise HandledError(f"the expert of '{expert.domain}' equals the base: it did not train")
    pseudo = _pseudo_users(context, kept) if tier != "T0" else None
    grams = _grams(context, strategy, experts, pseudo) if tier == "T2" else None
    sequences = _user_sequences(context, kept) if tier in ("T3", "T4") else None
    labels = _validation(context, sequences) if tier == "T4" else None
    given = given_for(tier, base, experts, context.seed, pseudo, grams, sequences, labels)
    with sealed([context.out.parents[1]]) as opened:
        made = strategy.merge_each(given) if strategy.modulated else strategy.merge(given)
    if strategy.modulated:
        whole = check_each(strategy, base, [e.domain for e in experts], made, PREFIX)
    else:
        whole = {"": check_merged(strategy, base, made)}
    for domain, merged in whole.items():
        merged = placed(merged, "cpu")
        adapter = {n: t for n, t in merged.items() if n.startswith(PREFIX)}
        merged = {n: t for n, t in merged.items() if n not in adapter}
        if domain and adapter:
            save_file(adapter, str(context.out / adapter_of(domain)))
        own = kept[domain] if domain else {n: t for each in kept.values() for n, t in each.items()}
        tensors = {n: t.contiguous() for n, t in {**own, **merged}.items()}
        save_file(tensors, str(context.out / weights_of(domain)))
    return {
        "tier": tier,
        "read": _read(pseudo, sequences, grams),
        "opened": sorted(set(opened)),
        "merged": sum(t.numel() for t in base.values()),
        "modulated": list(whole) if strategy.modulated else [],
        "notes": given.notes,
    }


def _read(pseudo: Any, sequences: Any, grams: Any) -> list[str]:
    """What the strategy has read, for the record."""
    seen = (pseudo.read if pseudo else set()) | (sequences.read if sequences else set())
    return ["weights", *sorted(seen), *(("grams",) if grams else ())]


def _user_sequences(context: Context, kept: Mapping[str, Tensors]) -> Any:
    from recmerge_bench.merging.user_sequences import UserSequences

    return UserSequences(
        context.definition("model"),
        context.interactions().catalogue,
        kept,
        context.split(),
        context.seed,
        context.device,
    )


def _validation(context: Context, pseudo: Any) -> Any:
    from recmerge_bench.merging.user_sequences import Validation
    from recmerge_bench.running.selection import selection_of
    from recmerge_bench.training.validation import FULL

    selection = selection_of(context) or FULL
    catalogue = context.interactions().catalogue
    definition = context.definition("model")
    return Validation.of(context.split(), pseudo, definition, catalogue, selection)


def _pseudo_users(context: Context, kept: Mapping[str, Tensors]) -> Any:
    from recmerge_bench.merging.pseudo_users import PseudoUsers

    catalogue = context.interactions().catalogue
    definition = context.definition("model")
    return PseudoUsers(definition, catalogue, kept, context.seed, context.device)


def _grams(
    context: Context, strategy: Any, experts: tuple[Expert, ...], pseudo: Any
) -> dict[str, Any]:
    """What each domain ships; computed before the strategy is asked, from its own data alone."""
    from recmerge_bench.merging.statistics import shipped_grams

    definition, split = context.definition("model"), context.split()
    catalogue = context.interactions().catalogue
    sample = int(getattr(strategy.options, "sample", 0))
    pooled = getattr(strategy.options, "joint", "own") == "pooled"
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
