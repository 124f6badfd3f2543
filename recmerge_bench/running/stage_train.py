"""Split -> a trained model: its tensors as safetensors, how it went as JSON."""

from __future__ import annotations

from typing import Any

from recmerge_bench.borders.models import check_state
from recmerge_bench.running.context import Context
from recmerge_bench.untrusted.paths import distinct

WEIGHTS = "model.safetensors"


def weights_of(domain: str = "") -> str:
    """File of a model, or of the one that serves a domain alone."""
    return f"model-{distinct(domain)}.safetensors" if domain else WEIGHTS


def adapter_of(domain: str) -> str:
    """File of what corrects a model's vectors for a domain."""
    return f"adapter-{distinct(domain)}.safetensors"


def run(context: Context) -> dict[str, Any]:
    """Fit the model on the training parts of its domains."""
    if context.config["counting"]:
        return _count(context)
    return _train(context)


def _count(context: Context) -> dict[str, Any]:
    from safetensors.numpy import save_file

    model, catalogue = context.definition("model"), context.interactions().catalogue
    fitted = model.fit(context.split(), catalogue, context.config["domains"])
    state = check_state(model, fitted)
    save_file(state, str(context.out / WEIGHTS))
    return {"parameters": int(sum(a.size for a in state.values()))}


def _train(context: Context) -> dict[str, Any]:
    from safetensors.torch import load_file, save_file

    from recmerge_bench.running.selection import selection_of
    from recmerge_bench.training.options import TrainOptions
    from recmerge_bench.training.trainer import fit

    split, definition = context.split(), context.definition("model")
    start = context.inputs.get("base")
    result = fit(
        definition,
        context.interactions().catalogue,
        split,
        tuple(context.config["domains"]),
        "mixed" if bool((split.sequences.domains < 0).any()) else "domain",
        TrainOptions.from_json(context.config["training"]),
        seed=context.seed,
        init=load_file(str(start / WEIGHTS)) if start else None,
        resume_dir=context.work,
        progress=context.progress,
        device=context.device,
        selection=selection_of(context),
        target=context.config.get("target"),
    )
    save_file(result.state, str(context.out / WEIGHTS))
    return result.report
