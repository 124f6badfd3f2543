"""What numbers mean that options have the same names for everywhere; refused before anything runs.

A definition that means something else by one of these names gives the option another name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

#: Options by name -> least and largest value; what is not a number is not looked at.
SIZE, WIDTH, LAYERS, COUNT = (1, 1 << 24), (1, 1 << 16), (0, 1000), (0, 1 << 40)
BOUNDS: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("width", "heads"), WIDTH),
    **dict.fromkeys(("max_len", "batch", "batch_size", "max_tokens"), SIZE),
    **dict.fromkeys(("layers", "graph_layers"), LAYERS),
    **dict.fromkeys(("negatives", "steps", "epochs", "warmup"), COUNT),
    "candidate_seed": (0, (1 << 63) - 1),
    "dropout": (0, math.nextafter(1, 0)),
    "temperature": (math.nextafter(0, 1), 1e6),
    **dict.fromkeys(("lr", "std", "weight_decay"), (0, 1e6)),
}
#: No whole number of any other option is larger: it would not fit an array.
LARGEST = 1 << 62


def out_of_range(values: Mapping[str, object]) -> str:
    """What is wrong with the first option that cannot be what it says; else nothing."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        others = (-LARGEST, LARGEST) if isinstance(value, int) else (-math.inf, math.inf)
        least, most = BOUNDS.get(name, others)
        if not least <= value <= most:
            lowest = "above 0" if 0 < least < 1e-300 else f"from {least:g}"
            return f"{name}: {value!r:.40} is out of range ({lowest} to {most:.6g})"
    return ""
