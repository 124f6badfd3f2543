"""What a result took: seconds by cell, memory, parameters and energy, from the run's store."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

from recmerge_bench.errors import DataError
from recmerge_bench.results.reader import Cell, Reader
from recmerge_bench.results.records import Cost
from recmerge_bench.results.run_manifest import RunResult
from recmerge_bench.running.stage_train import WEIGHTS, adapter_of, weights_of

#: Tensors that a model computed from the training parts: stored with its weights, not learned.
PREPARED = "prepared."
#: What a cost file keeps of the provenance; the records keep the rest (libraries and plugins).
PROVENANCE = (
    "recmerge_bench", "python", "commit", "dirty", "machine", "processor", "cores", "system",
)  # fmt: skip
LONGEST_HEADER = 100 << 20


def cost_of(reader: Reader, result: RunResult) -> Cost:
    """A result's entry of ``<suite>.cost.json``.

    ``seconds`` are those of one worker by cell (``kind:label``), and by kind those of the settings
    that a search tried for it (``search:kind``); ``peak_memory`` is in bytes, of all of them;
    ``parameters`` and ``joules`` are None where they are not known (see `parameters_of` and
    `joules_of`).
    """
    cells = reader.cells(result)
    own = reader.cell(result.key)
    seconds: dict[str, float] = {}
    for cell in cells:
        name = f"{cell.kind}:{cell.label}"
        seconds[name] = round(seconds.get(name, 0.0) + cell.seconds, 3)
    trials = reader.trial_cells(result)
    for cell in trials:
        name = f"search:{cell.kind}"
        seconds[name] = round(seconds.get(name, 0.0) + cell.seconds, 3)
    return Cost(
        key=result.ranks_key,
        identity=result.identity,
        seconds=seconds,
        peak_memory=max(cell.peak_memory for cell in (*cells, *trials)),
        parameters=parameters_of(reader, result.key),
        joules=joules_of([*cells, *trials]),
        started=own.started,
        device=", ".join(sorted({cell.device for cell in cells})),
        **{k: own.provenance[k] for k in PROVENANCE if k in own.provenance},
    )


def parameters_of(reader: Reader, key: str) -> int | None:
    """Numbers in the weight files that a rank cell reads, those of all domains together.

    Experts count with one model a domain, a merged model once; what a model computed from the
    training parts does not count. None where the weights are not in the store.
    """
    record = reader.record(key)
    inputs = record["inputs"]
    files: set[Path] = set()
    for domain in record.get("config", {}).get("domains", []):
        source = inputs.get("model") or inputs.get(f"model:{domain}")
        if source is None or not reader.store.has(source):
            return None
        files |= _weight_files(reader.store.place(source), domain)
    if not files or not all(f.is_file() for f in files):
        return None
    return sum(_numbers(f) for f in files)


def _weight_files(folder: Path, domain: str) -> set[Path]:
    """What a cell's folder holds for a domain: its own weights or all domains', and an adapter."""
    own, adapter = folder / weights_of(domain), folder / adapter_of(domain)
    weights = own if own.is_file() else folder / WEIGHTS
    return {weights, adapter} if adapter.is_file() else {weights}


def _numbers(path: Path) -> int:
    """Entries of all tensors of a safetensors file, from its header alone.

    Raises:
        DataError: no such header.
    """
    try:
        with open(path, "rb") as stream:
            size = int.from_bytes(stream.read(8), "little")
            if size > LONGEST_HEADER:
                raise ValueError(f"its header would have {size} bytes")
            header = json.loads(stream.read(size))
        return sum(
            math.prod(tensor["shape"])
            for name, tensor in header.items()
            if name != "__metadata__" and not name.startswith(PREPARED)
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(f"no safetensors file ({error})", path) from None


def joules_of(cells: Sequence[Cell]) -> float | None:
    """Energy of the processors' packages over all cells, each by its share of the machine's work.

    None unless the machine reported it for every cell (see `recmerge_bench.running.energy`).
    """
    reported = [cell.energy for cell in cells if cell.energy is not None]
    if not cells or len(reported) < len(cells):
        return None
    return round(sum(energy["joules"] * energy["share"] for energy in reported), 3)
