"""Ranks of a dataset's test targets by checkpoints, and first items, outside a suite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recmerge_bench.borders.splits import checked_split, rules_of
from recmerge_bench.contracts import definition
from recmerge_bench.data.candidates import candidate_hash, draw
from recmerge_bench.data.codec import load_interactions
from recmerge_bench.data.interactions import Interactions
from recmerge_bench.errors import HandledError, near
from recmerge_bench.interface.datasets import load_dataset
from recmerge_bench.names import wrong_domains
from recmerge_bench.options import CompleteOptions
from recmerge_bench.planning.options import complete
from recmerge_bench.registry import Registry
from recmerge_bench.running.context import with_text
from recmerge_bench.running.finished import FinishedModel, finished_model
from recmerge_bench.running.loading import Stored
from recmerge_bench.specs import CDSRSpec, CountingSpec, Spec

if TYPE_CHECKING:
    from recmerge_bench.evaluation.ranks import RankTable
    from recmerge_bench.running.list_values import RankedLists

#: In the place of a domain's name: the checkpoint serves all.
ALL = ""
#: Kinds of what can be ranked with.
KINDS = ("backbone", "cdsr", "counting")


@dataclass(frozen=True)
class Evaluated:
    """What checkpoints rank.

    Attributes:
        table: a row for each test target of the domains that have a checkpoint; ``about`` has
            ``protocol`` (name, mask_history, candidates, and shuffle_seed where histories are
            shuffled) and ``instances``.
        interactions: the dataset, with the vectors or tokens that the model reads.
        lists: the first items of the same rankings, where they were asked for.
    """

    table: RankTable
    interactions: Interactions
    lists: RankedLists | None = None


def evaluate(
    registry: Registry,
    checkpoints: Mapping[str, Path] | Sequence[Path],
    protocol: str,
    *,
    dataset: str = "",
    model: str = "",
    options: Mapping[str, Any] | None = None,
    domains: Sequence[str] = (),
    data_root: Path | None = None,
    device: str = "cpu",
    top_k: int = 0,
) -> Evaluated:
    """Rank a dataset's test targets under any protocol, as a run's rank cells do.

    Args:
        registry: the plugins.
        checkpoints: safetensors files, or folders of a run's finished ``train`` and ``merge``
            cells, whose records say which model they hold. A file must hold every tensor of the
            model for `domains`, and no other. Of several, each serves domains of its own: a
            mapping names one for each (``""``: all), a cell's record does of itself.
        protocol: by name; candidates are drawn as the protocol's candidates cell draws them.
        dataset: by name, or a folder of atomic files; "" for the data of a cell.
        model: backbone, CDSR model or counting recommender by name; "" for folders of cells.
        options: of `model`, laid over its defaults.
        domains: that the model is of and whose events are split; where none are named, those
            that a cell's run scored, or else all of the dataset.
        data_root: folder of raw data.
        device: ``cpu`` or ``cuda``.
        top_k: first items of every ranking that are kept; 0: none.

    Raises:
        HandledError: an unknown name or option; a checkpoint that is none, or does not fit; first
            items of rankings among sampled candidates.
    """
    from recmerge_bench.evaluation.ranking import Ranking
    from recmerge_bench.evaluation.split_ranks import rank_split
    from recmerge_bench.evaluation.top_lists import TopLists
    from recmerge_bench.running.list_values import RankedLists

    given = _Given.of(checkpoints)
    spec, complete_options = _model(registry, model, options or {}, given)
    interactions = _interactions(registry, dataset, data_root, given.first)
    catalogue, used = interactions.catalogue, _domains(domains, interactions, given)
    places = given.places(used)
    if _single_target(spec) and len(used) > 1 and ALL in given.paths and not given.finished:
        raise HandledError(f"'{spec.name}' is for one target domain: name it, as in DOMAIN=FILE")
    rules = registry.get("protocol", protocol)
    how = rules_of(definition(rules))
    if top_k and how.candidates is not None:
        raise HandledError(
            f"protocol '{protocol}' ranks among candidates: metrics of lists are made of rankings "
            "of all items; leave them out, or name another protocol"
        )
    unscored = given.first.unscored if given.first is not None else ()
    split = checked_split(
        definition(rules), interactions, used, [d for d in unscored if d not in used]
    )
    drawn, digest = None, "full"
    if how.candidates is not None:
        drawn = draw(split, split.test, catalogue, how.candidates, how.candidate_seed,
                     how.cap_candidates)  # fmt: skip
        digest = candidate_hash(drawn, split.test)
    numbers = [catalogue.domains.index(domain) for domain in places]
    rows = np.flatnonzero(np.isin(split.test.domains, numbers))
    order = {} if how.shuffle_seed is None else {"shuffle_seed": how.shuffle_seed}
    protocol_facts = {
        "name": protocol, "mask_history": how.mask_history, "candidates": digest, **order
    }  # fmt: skip
    stored = given.stored(spec, complete_options, places, used, device)
    test = split.test.take(rows)
    keeper = TopLists(split, test, catalogue, top_k) if top_k else None
    try:
        table = rank_split(
            stored.models(catalogue), split, catalogue,
            Ranking(None if drawn is None else drawn[rows], how.mask_history), test,
            facts={"protocol": protocol_facts, "instances": len(rows)}, watch=keeper,
            shuffle_seed=how.shuffle_seed,
        )  # fmt: skip
    except FloatingPointError as error:
        raise HandledError(f"{', '.join(map(str, given.paths.values()))}: {error}") from None
    if keeper is None:
        return Evaluated(table, interactions)
    items = keeper.masked if how.mask_history else keeper.plain
    return Evaluated(table, interactions, RankedLists(items, test, split, tuple(places)))


@dataclass(frozen=True)
class _Given:
    """Checkpoints by the domains that were named for them; records of those that are cells."""

    paths: Mapping[str, Path]
    finished: Mapping[str, FinishedModel]

    @classmethod
    def of(cls, checkpoints: Mapping[str, Path] | Sequence[Path]) -> _Given:
        """Checkpoints as they are given; where no domain is named, the cell's record tells."""
        if not isinstance(checkpoints, Mapping):
            checkpoints = _told_apart(checkpoints)
        if not checkpoints:
            raise HandledError("no checkpoint is given")
        for path in checkpoints.values():
            if not path.exists():
                raise HandledError(f"{path}: no such file or folder")
        finished = {d: finished_model(p) for d, p in checkpoints.items() if p.is_dir()}
        return cls(checkpoints, finished)

    @property
    def first(self) -> FinishedModel | None:
        """One of the cells' models, if there are any."""
        return next(iter(self.finished.values()), None)

    def places(self, used: Sequence[str]) -> dict[str, Path]:
        """Domain -> the checkpoint that serves it.

        Raises:
            HandledError: a domain that is not used, or two checkpoints for one.
        """
        places: dict[str, Path] = {}
        for name, path in self.paths.items():
            for domain in self._served(name, used):
                if domain not in used:
                    raise HandledError(
                        f"{path}: '{domain}' is not among the domains {', '.join(used)}"
                        f"{near(domain, used)}"
                    )
                if domain in places:
                    raise HandledError(f"{places[domain]} and {path} both serve '{domain}'")
                places[domain] = path
        return places

    def _served(self, name: str, used: Sequence[str]) -> Sequence[str]:
        cell = self.finished.get(name)
        if name not in (ALL, str(self.paths[name])):
            return (name,)
        if cell is not None:
            return (cell.target,) if cell.target else [d for d in cell.domains if d in used]
        return used

    def stored(
        self, spec: Spec, options: CompleteOptions, places: Mapping[str, Path],
        used: Sequence[str], device: str,
    ) -> Stored:  # fmt: skip
        """What is loaded: as a rank cell would, from cells; strictly, from files."""
        cell = self.first
        single = _single_target(spec)
        one = len(set(places.values())) == 1
        return Stored(
            options.definition(),
            places,
            tuple(cell.domains if cell is not None and single else used),
            counting=isinstance(spec, CountingSpec),
            together=single or (one and not (cell is not None and cell.merged)),
            single_target=single,
            exact=cell is None,
            seed=0 if cell is None else cell.seed,
            device=device,
        )


def _told_apart(checkpoints: Sequence[Path]) -> dict[str, Path]:
    """One checkpoint serves all; several are cells, told apart by their places."""
    if len(checkpoints) == 1:
        return {ALL: checkpoints[0]}
    for path in checkpoints:
        if path.is_file():
            raise HandledError(f"{path}: of several files, name each one's domain: DOMAIN=FILE")
    if len(set(checkpoints)) < len(checkpoints):
        raise HandledError("a checkpoint is given twice")
    return {str(path): path for path in checkpoints}


def _model(
    registry: Registry, name: str, options: Mapping[str, object], given: _Given
) -> tuple[Spec, CompleteOptions]:
    """The spec of the model and all its options, from its name or the cells' records."""
    cells = list(given.finished.values())
    if not name:
        if len(cells) < len(given.paths):
            raise HandledError("a weight file does not say of which model it is: name the model")
        if options:
            raise HandledError("options are those of the cells' records: name none")
        if any(cell.options != cells[0].options for cell in cells):
            raise HandledError("the checkpoints are of several models")
        return _by_class(registry, cells[0])
    spec = registry.find(("cdsr", "counting"), name) or registry.get("backbone", name)
    complete_options = complete(spec, options, "evaluate")
    if any(cell.options != complete_options for cell in cells):
        raise HandledError(f"a checkpoint is not of '{name}' with these options, says its record")
    return spec, complete_options


def _by_class(registry: Registry, cell: FinishedModel) -> tuple[Spec, CompleteOptions]:
    """The spec of a recorded class, and its options: none but registered ones are imported."""
    for kind in KINDS:
        for name in registry.names(kind):
            spec = registry.get(kind, name)
            if spec.target == cell.options.target and _fits(spec, cell):
                return spec, complete(spec, cell.options.values, "evaluate")
    raise HandledError(f"no plugin registers the model {cell.options.target}")


def _single_target(spec: Spec) -> bool:
    return isinstance(spec, CDSRSpec) and spec.single_target


def _fits(spec: Spec, cell: FinishedModel) -> bool:
    return bool(cell.target) == _single_target(spec)


def _interactions(
    registry: Registry, name: str, data_root: Path | None, cell: FinishedModel | None
) -> Interactions:
    if name:
        data = load_dataset(registry, name, data_root)
    elif cell is not None:
        data = load_interactions(cell.data)
    else:
        raise HandledError("name the dataset whose targets are ranked")
    return data if cell is None or cell.text is None else with_text(data, cell.text)


def _domains(asked: Sequence[str], interactions: Interactions, given: _Given) -> tuple[str, ...]:
    known = interactions.catalogue.domains
    if asked:
        chosen = tuple(asked)
    elif given.finished:
        chosen = tuple(dict.fromkeys(d for c in given.finished.values() for d in c.scored))
    else:
        chosen = known
    for name in chosen:
        if name not in known:
            raise HandledError(
                f"the dataset has no domain '{name}'{near(name, known)}; it has: {', '.join(known)}"
            )
    wrong = wrong_domains(chosen)
    if wrong:
        raise HandledError(wrong)
    return chosen
