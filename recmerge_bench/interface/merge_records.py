"""What lies beside a merged model: a record of how it came about, and a model card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recmerge_bench.digests import file_digest
from recmerge_bench.merging.outputs import CARD, RECORD
from recmerge_bench.specs import StrategySpec


def facts_of(path: Path, files: Sequence[Path]) -> dict[str, Any]:
    """An input or a result by hash.

    Args:
        path: what was given: a file or a folder.
        files: all that was read of it.

    Returns:
        ``file``, ``bytes``, ``sha256``; of several files, ``files`` with each one's hash, and as
        ``sha256`` that of the list of those.
    """
    hashes = {_below(path, file): file_digest(file) for file in files}
    facts = {"file": path.name or str(path), "bytes": sum(f.stat().st_size for f in files)}
    if len(files) == 1 and files[0] == path:
        return {**facts, "sha256": next(iter(hashes.values()))}
    listed = "".join(f"{sha}  {name}\n" for name, sha in sorted(hashes.items()))
    return {**facts, "sha256": hashlib.sha256(listed.encode()).hexdigest(), "files": hashes}


def _below(path: Path, file: Path) -> str:
    folder = path if path.is_dir() else path.parent
    return file.relative_to(folder).as_posix() if file.is_relative_to(folder) else file.name


@dataclass(frozen=True)
class Companions:
    """The record and the card of merged models.

    Attributes:
        spec: of the strategy.
        record: what all models have in common.
        options: all of the strategy's.
    """

    spec: StrategySpec
    record: Mapping[str, Any]
    options: Mapping[str, Any]

    def write(self, places: Mapping[float | None, Path]) -> None:
        """Write them beside files, and into folders."""
        from recmerge_bench.running.provenance import provenance

        for scale, place in places.items():
            used = self.options if scale is None else {**self.options, "scale": scale}
            folder = place.is_dir()
            files = sorted(place.rglob("*.safetensors")) if folder else [place]
            own = {
                **self.record, "provenance": provenance(), "options": dict(used),
                "merged": facts_of(place, files),
            }  # fmt: skip
            text = json.dumps(own, indent=1, sort_keys=True) + "\n"
            record, card = (place / RECORD, place / CARD) if folder else _beside(place)
            record.write_text(text, encoding="utf-8")
            card.write_text((_FRONT if folder else "") + self.card(own), encoding="utf-8")

    def card(self, own: Mapping[str, Any]) -> str:
        """The model card of a model."""
        spec, options = self.spec, ", ".join(f"{k}={v}" for k, v in own["options"].items())
        if "scale" in own:
            options += f" (which gave a scale of {own['scale']:.6g})"
        inputs = [(f"expert {n}", e) for n, e in enumerate(own["experts"])]
        inputs = [*([("base", own["base"])] if "base" in own else []), *inputs]
        adapters = f" as {own['adapters']} of adapters" if own.get("adapters") else ""
        return (
            f"# {own['merged']['file']}\n\n"
            f"Merged by `{spec.name}` ({spec.summary}){adapters}; options: {options or 'none'}; "
            f"seed {own['seed']}.\n"
            f"{own['parameters']['merged']:,} parameters merged, "
            f"{own['parameters']['kept_of_base']:,} are the base's.\n\n"
            f"Method: {spec.citation or 'own'}. No user data was read: "
            f"{spec.data_tier.handed} only (tier {spec.tier}).\n\n"
            f"| role | file | SHA-256 |\n|---|---|---|\n"
            f"{_rows(inputs)}\n\n"
            f"Its licence follows from those of the base and the experts.\n"
        )


#: What model hubs read at the top of a folder's card.
_FRONT = "---\ntags:\n- merge\n---\n\n"


def _rows(inputs: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """Each input, and the files of those that have several."""
    rows = []
    for role, facts in inputs:
        rows.append(f"| {role} | {facts['file']} | {facts['sha256']} |")
        rows += [f"| | {name} | {sha} |" for name, sha in facts.get("files", {}).items()]
    return "\n".join(rows)


def _beside(file: Path) -> tuple[Path, Path]:
    return Path(f"{file}.json"), Path(f"{file}.md")
