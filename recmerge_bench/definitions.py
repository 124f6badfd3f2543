"""What a plugin defines; the plumbing (files, seeds, devices, caching, ranking) is the core's.

No torch import here: a definition's methods import it where they need it, so that a method and
its hook live in one file and discovery stays light.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from recmerge_bench.data.interactions import Catalogue, Interactions, ItemTokens
from recmerge_bench.data.sequences import Batch, Split
from recmerge_bench.errors import HandledError
from recmerge_bench.tiers import MergeInput

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from recmerge_bench.toolkit.merging.blocks import TaskVectorBlocks


@dataclass(frozen=True)
class NoOptions:
    """For definitions that take no options."""


class Definition:
    """Base of all definitions.

    Attributes:
        Options: a frozen dataclass; its fields, types and defaults are the method's options. They
            are checked when the plan is made, before anything runs.
    """

    Options: ClassVar[type] = NoOptions

    def __init__(self, options: Any = None) -> None:
        self.options: Any = self.Options() if options is None else options


class DatasetDefinition(Definition):
    """Where a dataset lies and how it becomes `Interactions`."""

    def domains(self, data_root: Path | None = None) -> tuple[str, ...]:
        """Domain names, known without reading a file."""
        raise NotImplementedError

    def sources(self, data_root: Path | None) -> list[Path]:
        """Raw files it reads (their digests enter the cell's key); none for generated data.

        Raises:
            Blocked: a file is missing; says what to do.
        """
        return []

    def fetch(self, data_root: Path | None, mirror: str | None) -> list[Path]:
        """Bring raw files that are missing to `data_root` (``datasets prepare`` calls it).

        Args:
            data_root: as in `sources`.
            mirror: an address or a folder to take them from instead of the authors' address.

        Raises:
            HandledError: a file cannot be had, or has the wrong checksum.
        """
        return []

    def load(self, data_root: Path | None) -> Interactions:
        """Read or generate the events.

        Raises:
            DataError: bad content, with file, line and column.
            Blocked: a file is missing.
        """
        raise NotImplementedError


class TextEncoder(Definition):
    """A pre-trained encoder of item text.

    Frozen, it gives each item a vector (`encode`); to be trained further, it gives each item its
    tokens (`tokens`), and its own weights (`weights`). All are made once and stored.
    """

    def sources(self, data_root: Path | None) -> list[Path]:
        """Weight and tokenizer files (their digests enter the cell's key).

        Raises:
            Blocked: a file is missing; says what to do.
        """
        return []

    def fetch(self, data_root: Path | None, mirror: str | None) -> list[Path]:
        """Bring weight files that are missing, as `DatasetDefinition.fetch` does."""
        return []

    def encode(
        self,
        texts: Sequence[str],
        data_root: Path | None,
        device: str,
        progress: Callable[[dict[str, Any]], None],
    ) -> npt.NDArray[np.float32]:
        """Vectors of texts: float32 [N, width].

        Args:
            texts: see `Catalogue.texts`.
            data_root: as in `sources`.
            device: ``cpu`` or ``cuda``.
            progress: takes a mapping such as ``{"step": 10, "steps": 200}``.
        """
        raise NotImplementedError

    def tokens(self, texts: Sequence[str], data_root: Path | None) -> ItemTokens:
        """Tokens of texts and what a model of them has to know.

        Raises:
            HandledError: this encoder has none.
        """
        raise HandledError(f"{type(self).__name__} has no tokens: it gives vectors")

    def weights(self, data_root: Path | None) -> dict[str, torch.Tensor]:
        """Pre-trained weights by the encoder's own parameter names, fp32.

        Raises:
            HandledError: this encoder has none.
            DataError: the weight file is not the right one.
        """
        raise HandledError(f"{type(self).__name__} has no weights to train further")


class Backbone(Definition):
    """A sequence model trained by gradient: single-domain backbones and CDSR models alike.

    Parameters of the module that `build` returns are named so that `policy` can tell what merges.
    The item table of domain d is the parameter ``tables.<d>`` ([items of d, width]).
    """

    #: parameter-name prefix -> what merging does with it: "merge", "domain" (kept per domain),
    #: "base" or "drop"; the longest matching prefix wins, "merge" where none matches.
    policy: ClassVar[Mapping[str, str]] = {"tables.": "domain"}

    def text_encoder(self) -> str | None:
        """Name of the encoder whose ``catalogue.vectors`` (or ``.tokens``) `build` needs."""
        return None

    def trains_encoder(self) -> bool:
        """Whether it reads the encoder's tokens and starts from its weights, not its vectors."""
        return False

    def starts_from_encoder(self) -> bool:
        """Whether its shared base is, or is trained from, the encoder's weights."""
        return self.trains_encoder()

    def from_encoder(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The encoder's weights under this model's parameter names (the shared base).

        Raises:
            HandledError: they do not fit.
        """
        raise NotImplementedError

    def prepare(
        self, split: Split, catalogue: Catalogue, domains: Sequence[str]
    ) -> Mapping[str, npt.NDArray[Any]]:
        """Arrays that the module needs of the training parts (a graph of items, say), by name.

        Computed from ``split.sequences.training()`` alone: held-out events are not for it. The
        core lays them, right after `build`, into the module as the buffers ``prepared.<name>``
        (``net.prepared.<name>`` to the module), which are stored with the weights; ranking takes
        them from there and needs no split. Strategies that run a model while merging build it
        without these arrays: models that merge need them in `loss` alone, and say so by a policy
        that drops ``prepared.``; ranking then does without them too.

        Args:
            split: whose training parts are looked at.
            catalogue: the items.
            domains: those that `build` gets.

        Returns:
            Names without dots -> arrays. None, where it is not overridden.
        """
        return {}

    def build(self, catalogue: Catalogue, domains: Sequence[str], seed: int) -> nn.Module:
        """Make the module for these domains with its initial values, drawn from `seed` alone."""
        raise NotImplementedError

    def build_for(
        self, target: str, catalogue: Catalogue, domains: Sequence[str], seed: int
    ) -> nn.Module:
        """`build` for a model of one target domain, whose spec says ``single_target``.

        The core calls it in the place of `build`, once for each target domain. The module has to
        remember its target: `loss`, `encode` and `items` are handed the module. Where nothing is
        built otherwise for a target, this is `build`.

        Args:
            target: the domain whose next items the model is for; one of `domains`.
            catalogue: as in `build`.
            domains: as in `build`, all that its sequences have events of.
            seed: as in `build`.
        """
        return self.build(catalogue, domains, seed)

    def loss(self, net: nn.Module, batch: Batch) -> tuple[Tensor, int]:
        """Mean loss of a batch (a scalar) and the number of training targets in it."""
        raise NotImplementedError

    def encode(self, net: nn.Module, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """User vectors [B, width] for asking for a next item of `domain`.

        Args:
            net: the module.
            histories: int64 [B, L], global item numbers, right-padded, oldest first.
            lengths: int64 [B], all at least 1.
            domain: the target's domain.
        """
        raise NotImplementedError

    def items(self, net: nn.Module, domain: str) -> tuple[Tensor, Tensor | None]:
        """Item vectors [items of the domain, width] and a bias [items] or None; score = u·v + b."""
        raise NotImplementedError

    def max_history(self) -> int:
        """The number of latest events that training windows hold and `encode` looks at."""
        raise NotImplementedError

    def encoded_history(self) -> int:
        """The number of latest events that `encode` is handed: `max_history`.

        For models that choose among more events than a window holds.
        """
        return self.max_history()

    def probe(
        self, net: nn.Module, histories: Tensor, lengths: Tensor, domain: str
    ) -> Mapping[str, Tensor]:
        """Named quantities by user, such as gates; their means at test go to the rank's record.

        Args:
            net: the module.
            histories: as in `encode`.
            lengths: as in `encode`.
            domain: the target's domain.

        Returns:
            One float tensor for each name, with one finite value for each user that has the
            quantity ([B] where all have it). Nothing by default.
        """
        return {}


class CountingModel(Definition):
    """A recommender fitted in one pass over counts (popularity, item-kNN): numpy only."""

    def fit(
        self, split: Split, catalogue: Catalogue, domains: Sequence[str]
    ) -> dict[str, npt.NDArray[Any]]:
        """Arrays that `scores` needs, from the training parts alone."""
        raise NotImplementedError

    def scores(
        self,
        state: Mapping[str, npt.NDArray[Any]],
        histories: Sequence[npt.NDArray[np.integer[Any]]],
        catalogue: Catalogue,
        domain: str,
    ) -> npt.NDArray[np.float32]:
        """float32 [B, items of the domain] for a block of histories (global items, in time)."""
        raise NotImplementedError


@dataclass(frozen=True)
class Expert:
    """One trained model, as a strategy sees it.

    Attributes:
        domain: its domain's name.
        weights: float tensors to merge, by parameter name (those whose policy is "merge").
    """

    domain: str
    weights: Mapping[str, torch.Tensor]


class StrategyDefinition(Definition):
    """How several models become one.

    Attributes:
        scope: what `merge` has to see at once for its result: ``entry`` (any stretch of entries
            by itself), ``tensor`` (one parameter by itself) or ``model``. Large checkpoints are
            streamed by it.
        scaled: its option ``scale`` multiplies what it adds to the base and nothing else, so
            that models of many scales cost one pass.
    """

    scope: ClassVar[str] = "model"
    scaled: ClassVar[bool] = False
    #: Whether `merge_each` gives each domain a model of its own, made of shared weights and small
    #: modulators, in the place of one model by `merge`.
    modulated: ClassVar[bool] = False

    def prepass_scope(self) -> str:
        """What `prepass` has to read before entries can be merged: "", ``tensor``, ``model``."""
        return ""

    def prepass(self, rows: TaskVectorBlocks) -> StrategyDefinition:
        """A strategy of scope ``entry`` with what it has to know of these task vectors."""
        raise NotImplementedError

    def merge(self, given: MergeInput) -> dict[str, torch.Tensor]:
        """The merged tensors, by parameter name: exactly the names of ``given.base``."""
        raise NotImplementedError

    def merge_each(self, given: MergeInput) -> dict[str, dict[str, torch.Tensor]]:
        """Domain -> its tensors, where `modulated`; what it cost goes to ``given.notes``."""
        raise NotImplementedError


class ProtocolDefinition(Definition):
    """How a dataset is cut and what a target is ranked against.

    Attributes used by the core (from the options or fixed): see `candidates`, `mask_history`.
    """

    def split(
        self, interactions: Interactions, domains: Sequence[str], unscored: Sequence[str] = ()
    ) -> Split:
        """Cut the events of these domains; those of `unscored` ones give training parts only.

        Raises:
            DataError: nothing is left to train on or to rank.
        """
        raise NotImplementedError

    def split_options(self) -> dict[str, Any]:
        """The options that `split` depends on: protocols that agree in them share trainings."""
        raise NotImplementedError

    def candidates(self) -> int | None:
        """Sampled negatives per target, or None for full ranking."""
        raise NotImplementedError

    def cap_candidates(self) -> bool:
        """Whether all targets get fewer where a user has fewer free items; else it is an error."""
        return False

    def mask_history(self) -> bool:
        """Whether items of the history (other than the target) are taken out of the ranking."""
        raise NotImplementedError

    def candidate_seed(self) -> int:
        """Seed of the negatives (part of the protocol, not of the run)."""
        raise NotImplementedError

    def shuffle_seed(self) -> int | None:
        """Seed of the random order in which test histories are read; None: the true order.

        Training and validation read the true order always, so that protocols that differ in this
        alone rank the same models.
        """
        return None


class MetricDefinition(Definition):
    """A metric of one rank; boards average it over the instances of a domain."""

    def value(self, rank: npt.NDArray[np.float64], k: int | None) -> npt.NDArray[np.float64]:
        """float64 [T] from ranks (float64 [T], 1 is best, ties give halves) and the cut-off."""
        raise NotImplementedError


class ExecutorDefinition(Definition):
    """Runs jobs somewhere: processes here, a cluster's queue.

    A job is a JSON mapping (see ``running/jobs.py``); whoever runs it calls
    ``recmerge_bench.worker.execute``, which writes the result to the store.
    """

    def open(self, jobs: int | None, threads: int, log: Path) -> None:
        """Get ready for `jobs` jobs at a time (None: as many as fit), logs going to a folder."""
        raise NotImplementedError

    def free(self) -> int:
        """How many jobs can be submitted now."""
        raise NotImplementedError

    def submit(self, job: Mapping[str, Any]) -> None:
        """Start a job; it is killed with all its processes after ``job["timeout"]`` seconds."""
        raise NotImplementedError

    def events(self, timeout: float) -> list[dict[str, Any]]:
        """What happened, waiting at most `timeout` seconds for something.

        Each has ``event`` (``progress``, ``done``, ``busy``, ``blocked``, ``failed``) and ``key``;
        a crash and a deadline are ``failed`` events.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Kill what still runs."""
        raise NotImplementedError
