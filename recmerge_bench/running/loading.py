"""Weight files and finished cells -> models that can rank."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.errors import HandledError
from recmerge_bench.running.stage_train import WEIGHTS, adapter_of, weights_of

if TYPE_CHECKING:
    from torch import Tensor, nn

    from recmerge_bench.definitions import Backbone
    from recmerge_bench.evaluation.loaded import LoadedModel, Rankable


@dataclass(frozen=True)
class Stored:
    """Models on disk that rank the targets of some domains together.

    Attributes:
        definition: a `Backbone`, or a `CountingModel` where `counting`.
        places: domain -> the weight file that serves it, or a cell's folder that holds it.
        domains: that a net is built for where it serves all of them; those of `places` otherwise.
        counting: files hold arrays that a counting model was fitted to.
        together: one net has the tables of all `domains`, as models of mixed sequences need;
            else a net is built for each domain.
        single_target: each net is for the one domain that it serves.
        initial_tables: what a domain keeps for itself may be missing and then stays as built
            (zero-shot: the base knows no table of the domain).
        exact: refuse tensors of other domains too.
        members: models whose mean score ranks every domain (weight files or cells' folders), each
            with what the domain's own file of `places` keeps for the domain; none: each by itself.
        own_tables: whether each member keeps its own instead (models of one domain).
        seed: of what stays as it was built.
        device: where nets are put.
    """

    definition: Any
    places: Mapping[str, Path]
    domains: tuple[str, ...]
    counting: bool = False
    together: bool = True
    single_target: bool = False
    initial_tables: bool = False
    exact: bool = False
    members: tuple[Path, ...] = ()
    own_tables: bool = False
    seed: int = 0
    device: str = "cpu"

    def models(self, catalogue: Catalogue) -> Iterator[Rankable]:
        """The models, one after the other, each loaded when it is asked for.

        Raises:
            HandledError: a tensor is missing, unknown or of another shape.
        """
        from recmerge_bench.evaluation.loaded import FittedModel

        for serves in self._groups():
            place = self.places[serves[0]]
            if self.counting:
                arrays = _arrays(_file(place, serves[0]))
                yield FittedModel(self.definition, arrays, serves)
            else:
                yield self._net(catalogue, serves, place)

    def _groups(self) -> list[tuple[str, ...]]:
        """The domains that each model serves: all, where one net can, else one by one."""
        files = {_file(place, domain) for domain, place in self.places.items()}
        if self.together and not self.single_target and len(files) == 1:
            return [tuple(self.places)]
        return [(domain,) for domain in self.places]

    def _net(self, catalogue: Catalogue, serves: tuple[str, ...], place: Path) -> LoadedModel:
        from torch import device

        from recmerge_bench.evaluation.loaded import LoadedModel

        if self.members:
            return self._mean_score(catalogue, serves, place)
        domains = self.domains if self.together else serves
        net = load_net(
            self.definition, catalogue, domains, self.seed, _file(place, serves[0]),
            self.initial_tables, self.device, self.exact, serves[0] if self.single_target else None,
        )  # fmt: skip
        definition = _adapted(self.definition, place, serves[0])
        target = None if serves == domains else serves[0]
        return LoadedModel(definition, net, domains, target, device(self.device))

    def _mean_score(
        self, catalogue: Catalogue, serves: tuple[str, ...], place: Path
    ) -> LoadedModel:
        """All members, for one domain."""
        from torch import device, nn

        from recmerge_bench.evaluation.loaded import LoadedModel
        from recmerge_bench.evaluation.mean_score import MeanScore

        home = None if self.own_tables else _file(place, serves[0])
        nets = nn.ModuleList(
            load_net(
                self.definition, catalogue, serves, self.seed, _file(member, serves[0]),
                self.initial_tables, self.device, home=home,
            )
            for member in self.members
        )  # fmt: skip
        return LoadedModel(MeanScore(self.definition), nets, serves, None, device(self.device))


def load_net(
    definition: Backbone,
    catalogue: Catalogue,
    domains: Sequence[str],
    seed: int,
    weights: Path,
    initial_tables: bool = False,
    device: str = "cpu",
    exact: bool = False,
    target: str | None = None,
    home: Path | None = None,
) -> nn.Module:
    """Build the net of these domains and load weights, strictly, with what was prepared for it.

    Args:
        definition: the model.
        catalogue: the items.
        domains: that the net is built for.
        seed: of what stays as it is built.
        weights: a safetensors file.
        initial_tables: see `Stored`.
        device: where the net is put.
        exact: see `Stored`.
        target: see `Backbone.build_for`; None: the model is for all its domains.
        home: a safetensors file from which what domains keep for themselves is taken instead.

    Raises:
        HandledError: a tensor is missing, unknown or of another shape.
    """
    from recmerge_bench.evaluation.loaded import build
    from recmerge_bench.training.prepared import attach, prepares, stored
    from recmerge_bench.training.streams import load_init

    net = build(definition, catalogue, domains, seed, target)
    tensors = _tensors(weights)
    if home is not None:
        tables = _with_action(definition, _tensors(home), "domain")
        own = _with_action(definition, tensors, "domain")
        tensors = {n: t for n, t in tensors.items() if n not in own} | tables
    if prepares(definition):
        attach(net, stored(tensors, weights))
    if exact and (foreign := _foreign(definition, net, tensors)):
        raise HandledError(f"{weights}: holds what the model lacks: {', '.join(foreign[:5])}")
    if not initial_tables and (missing := _missing(definition, net, tensors)):
        raise HandledError(f"{weights}: lacks {', '.join(missing[:5])}")
    try:
        load_init(definition, net, tensors, catalogue)
    except ValueError as error:
        raise HandledError(f"{weights}: {error}") from None
    return net.to(device).eval()


def _with_action(
    definition: Backbone, tensors: Mapping[str, Tensor], wanted: str
) -> dict[str, Tensor]:
    """The tensors of which the backbone's policy says this."""
    from recmerge_bench.policy import action

    return {n: t for n, t in tensors.items() if action(n, definition.policy) == wanted}


def _foreign(definition: Backbone, net: nn.Module, tensors: Mapping[str, Tensor]) -> list[str]:
    """Names that the net lacks, but for what is dropped."""
    dropped = _with_action(definition, tensors, "drop")
    return sorted(set(tensors) - set(net.state_dict()) - set(dropped))


def _missing(definition: Backbone, net: nn.Module, tensors: Mapping[str, Tensor]) -> list[str]:
    """Names of what the net's domains keep for themselves that are not there."""
    own = _with_action(definition, net.state_dict(), "domain")
    return [name for name in own if name not in tensors]


def _file(place: Path, domain: str) -> Path:
    """The weight file that serves a domain: its own in a cell's folder, or that of all."""
    if not place.is_dir():
        return place
    own = place / weights_of(domain)
    return own if own.is_file() else place / WEIGHTS


def _adapted(definition: Any, place: Path, domain: str) -> Any:
    """The model with the domain's adapter, where a cell's strategy gave one."""
    file = place / adapter_of(domain)
    if not file.is_file():
        return definition
    from safetensors.torch import load_file

    from recmerge_bench.toolkit.merging.adapters import Adapted

    return Adapted(definition, load_file(str(file)))


def _tensors(file: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(str(file))
    except SafetensorError as error:
        raise HandledError(f"{file}: not a safetensors file ({error})") from None


def _arrays(file: Path) -> Mapping[str, Any]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(str(file))
    except SafetensorError as error:
        raise HandledError(f"{file}: not a safetensors file ({error})") from None
