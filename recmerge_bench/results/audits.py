"""What splits leak, what merges read and what text encoders knew: facts for the records."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from recmerge_bench.data.audit import audit
from recmerge_bench.data.interactions import Interactions
from recmerge_bench.data.sequences import Split
from recmerge_bench.errors import DataError
from recmerge_bench.names import phase_name
from recmerge_bench.registry import Registry
from recmerge_bench.results.header import Audit, Encoder
from recmerge_bench.results.reader import Cell, Reader
from recmerge_bench.results.records import Result
from recmerge_bench.results.run_manifest import RunManifest, RunResult
from recmerge_bench.results.split import split_of

#: File of what text encoders were trained on, below the folders that suites lie in.
PRETRAINING = "facts/pretraining.json"
UNKNOWN = "unknown"


def make_audits(reader: Reader, manifest: RunManifest) -> dict[str, Audit]:
    """Key of a split -> its audit (`recmerge_bench.data.audit.Audit`), of results that are done.

    Each also has ``dataset``, ``timed`` (see `are_moments`) and ``items``: domain -> first item
    and one past the last, as ranks number them.
    """
    audits_by_split: dict[str, Audit] = {}
    for result in manifest.results:
        if not result.done:
            continue
        key = reader.source(result, "split")
        if key in audits_by_split:
            continue
        split, interactions = split_of(reader, result)
        timed, spans = are_moments(interactions), interactions.catalogue
        audits_by_split[key] = Audit(
            dataset=result.identity.dataset,
            timed=timed,
            **{k: _rounded(v) for k, v in asdict(audit(interactions, split, timed)).items()},
            items={d: [spans.span(d).start, spans.span(d).stop] for d in spans.domains}
            | _of_phases(result, split, interactions),
        )
    return audits_by_split


def _of_phases(result: RunResult, split: Split, interactions: Interactions) -> dict[str, list[int]]:
    """Spans of a temporal track's columns: all phases share the items of the one domain."""
    made = result.configuration
    if split.phases is None or made is None or made.phase_models is None:
        return {}
    span = interactions.catalogue.span(made.domains[0])
    return {phase_name(int(n)): [span.start, span.stop] for n in np.unique(split.phases)}


def are_moments(interactions: Interactions) -> bool:
    """Whether times are moments; False where they are mere places in a sequence.

    They are places where every user's events of a domain have the times 0, 1, 2, ... (or 1, 2,
    3, ...), or where all events of the dataset have one time.
    """
    times = np.asarray(interactions.times)
    if not len(times) or times.min() == times.max():
        return False
    if times.min() not in (0, 1) or times.max() - times.min() >= len(times):
        return True
    users = np.repeat(np.arange(interactions.n_users), np.diff(interactions.offsets))
    group = users * len(interactions.catalogue.domains)
    group = group + interactions.item_domains()[interactions.items]
    order = np.lexsort((times, group))
    first = np.flatnonzero(np.diff(group[order], prepend=-1))
    sizes = np.diff([*first, len(times)])
    place = np.arange(len(times)) - np.repeat(first, sizes)
    return not bool((times[order] - times.min() == place).all())


def merging_facts(reader: Reader, result: RunResult) -> dict[str, Any]:
    """``merge`` (data tier, what was read) and ``encoders`` of a result, where it has any."""
    facts: dict[str, Any] = {}
    cells = reader.cells(result)
    merges = [c.report for c in cells if c.kind == "merge" and "tier" in c.report]
    if merges:
        facts["merge"] = _merging(merges) | _learned(cells)
    named = [c.config["encoder"] for c in cells if "encoder" in c.config]
    if named:
        facts["encoders"] = sorted({_encoder(reader.registry, one) for one in named})
    return facts


def _merging(merges: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of the reports of a result's merges: the highest tier, and all that they read."""
    enforced = [m.get("enforced") for m in merges]
    return {
        "tier": max(m["tier"] for m in merges),
        "read": sorted({name for m in merges for name in m.get("read", [])}),
        "opened": sum(len(m.get("opened", [])) for m in merges),
        **({} if None in enforced else {"enforced": all(enforced)}),
    }


def _learned(cells: Sequence[Cell]) -> dict[str, Any]:
    """The weights of each merge of phases, where they were learned."""
    learned = [
        {
            phase: _rounded(float(np.mean(groups)))
            for phase, groups in zip(cell.config["phases"], notes["weights"], strict=True)
        }
        for cell in cells
        if cell.kind == "merge" and "phases" in cell.config
        and "weights" in (notes := cell.report.get("notes", {}))
    ]  # fmt: skip
    return {"weights": sorted(learned, key=len)} if learned else {}


def pretraining(registry: Registry, results: Sequence[Result]) -> dict[str, Encoder]:
    """Text encoder -> what it was trained on and what of the datasets at hand that covers.

    What no file of facts tells is ``unknown``.
    """
    known = _known(registry)
    used: dict[str, set[str]] = {}
    for result in results:
        for name in result.encoders:
            used.setdefault(name, set()).add(result.identity.dataset)
    return {name: _covered(known.get(name, {}), used[name]) for name in sorted(used)}


def _covered(facts: Mapping[str, Any], datasets: Iterable[str]) -> Encoder:
    """What is known of an encoder, and of these datasets alone."""
    overlap = facts.get("overlap", {})
    return Encoder(
        trained_on=facts.get("trained_on", UNKNOWN),
        source=facts.get("source", ""),
        overlap={d: overlap.get(d, overlap.get("*", UNKNOWN)) for d in sorted(datasets)},
    )


def _known(registry: Registry) -> dict[str, Any]:
    encoders: dict[str, Any] = {}
    for folder in registry.suite_paths:
        path = folder / PRETRAINING
        if not path.is_file():
            continue
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            twice = sorted(name for name in facts if encoders.get(name, facts[name]) != facts[name])
            if twice:
                raise DataError(f"other facts of '{twice[0]}' than another plugin's file", path)
            encoders.update(facts)
        except (ValueError, TypeError) as error:
            raise DataError(f"no facts of text encoders ({error})", path) from None
    return encoders


def _encoder(registry: Registry, described: Mapping[str, Any]) -> str:
    """The registered name of an encoder that a cell was made with, or its class."""
    for (kind, name), spec in registry.specs.items():
        if kind == "encoder" and spec.target == described["target"]:
            given = described.get("options", {})
            if all(given.get(k) == v for k, v in spec.options.items()):
                return name
    return str(described["target"])


def _rounded(value: Any) -> Any:
    """Ten significant digits, so that a last bit changes no file."""
    return float(f"{value:.10g}") if isinstance(value, float) else value
