"""Pre-trained weights of a text encoder -> the base that experts share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recmerge_bench.borders.encoders import check_weights
from recmerge_bench.running.context import Context
from recmerge_bench.running.stage_train import WEIGHTS


def run(context: Context) -> dict[str, Any]:
    """Read the encoder's weights and save them under the model's names."""
    from safetensors.torch import save_file

    root = context.config.get("data_root")
    encoder, model = context.definition("encoder"), context.definition("model")
    tensors = check_weights(encoder, "weights", encoder.weights(Path(root) if root else None))
    state = check_weights(model, "from_encoder", model.from_encoder(tensors))
    save_file({n: t.contiguous() for n, t in state.items()}, str(context.out / WEIGHTS))
    return {"parameters": sum(t.numel() for t in state.values())}
