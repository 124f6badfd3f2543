"""What a plugin defines; the plumbing (files, seeds, devices, caching, ranking) is the core's.

No torch import here: a definition's methods import it where they need it, so that a method and
its hook live in one file and discovery stays light.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from recmerge_bench.data.interactions import Interactions, ItemTokens
from recmerge_bench.data.sequences import Split
from recmerge_bench.definition import Definition, NoOptions
from recmerge_bench.errors import HandledError
from recmerge_bench.model_definitions import Backbone, CountingModel
from recmerge_bench.tiers import MergeInput

if TYPE_CHECKING:
    import torch

    from recmerge_bench.toolkit.merging.blocks import TaskVectorBlocks


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
        order_matters: the result may depend on the order of the experts: it draws for each, or
            the later of equals wins.
    """

    scope: ClassVar[str] = "model"
    scaled: ClassVar[bool] = False
    order_matters: ClassVar[bool] = False
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


@dataclass(frozen=True)
class Phases:
    """The phases of a protocol.

    Attributes:
        count: of them, numbered from 1.
        warm: the first so many are trained on and never tested.
        after: every test is of the models as they were after this phase; 0: of those after the
            phase before the target's.
    """

    count: int
    warm: int
    after: int = 0

    @property
    def tested(self) -> tuple[int, ...]:
        """The phases with test targets."""
        return tuple(range(self.warm + 1, self.count + 1))

    def serving(self, phase: int) -> int:
        """After which phase the models stand that rank this phase's targets."""
        return self.after or phase - 1


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

    def phases(self) -> Phases | None:
        """The phases of a protocol that cuts one time axis; None of any other.

        Tracks of kind ``temporal`` need one: `split` is then what they are tested on, all phases
        behind `Phases.warm`, and `phase_split` what their models are trained on.
        """
        return None

    def phase_split(
        self, interactions: Interactions, domains: Sequence[str], first: int, last: int
    ) -> Split:
        """Training parts and validation targets of phases `first` to `last`, from 1.

        Its test targets are those of phase ``last + 1``. An event that is held out in any phase is
        in no training part of any phases.

        Raises:
            DataError: nothing is left to train on.
        """
        raise NotImplementedError


class MetricDefinition(Definition):
    """A metric of one rank; boards average it over the instances of a domain."""

    def value(self, rank: npt.NDArray[np.float64], k: int | None) -> npt.NDArray[np.float64]:
        """float64 [T] from ranks (float64 [T], 1 is best, ties give halves) and the cut-off."""
        raise NotImplementedError


@dataclass(frozen=True)
class DomainCatalogue:
    """The items of one domain, as list metrics see them: numbered from 0 to `size` - 1.

    Attributes:
        domain: its name.
        tokens: raw item ids, by item.
        texts: item text ("" where there is none), by item.
        counts: int64 [N], events of each item in the training parts of the split.
        vectors: float32 [N, width] of the encoder that the metric asks for
            (`ListMetricDefinition.text_encoder`); None where it asks for none.
    """

    domain: str
    tokens: Sequence[str]
    texts: Sequence[str]
    counts: npt.NDArray[np.int64]
    vectors: npt.NDArray[np.float32] | None = None

    @property
    def size(self) -> int:
        """Number of items, N."""
        return len(self.counts)


class ListMetricDefinition(Definition):
    """A metric of the first k items of all rankings of a domain: coverage, novelty, diversity.

    A suite that names one (``coverage@10``) stores the first items of every full ranking. It is
    computed from them for each domain and seed; sampled candidates make no lists.
    """

    def text_encoder(self) -> str | None:
        """Name of the text encoder whose vectors it reads; None: it reads none."""
        return None

    def value(
        self, items: npt.NDArray[np.int32], catalogue: DomainCatalogue
    ) -> float | npt.NDArray[np.float64]:
        """One finite number of all the lists, or float64 [T]: one a list, whose mean counts.

        Args:
            items: int32 [T, k], a test target's list in each row, items of the domain numbered
                from 0, the highest score first and equal scores by number; -1 where a ranking
                has fewer than k items.
            catalogue: the domain's items.
        """
        raise NotImplementedError


class ExecutorDefinition(Definition):
    """Runs jobs somewhere: processes here, a cluster's queue.

    A job is a JSON mapping. Whoever runs it needs all of it: a worker of
    `recmerge_bench.toolkit.workers`, ``python -m recmerge_bench.worker --job FILE --events FILE``,
    or ``recmerge_bench.worker.execute`` called in a process that has computed nothing. The result
    does not travel: it is written to the store. Executors read of a job:

    - ``key``: of its cell; one job of a key is submitted at a time.
    - ``label``: what a person reads.
    - ``timeout``: seconds until it is killed, from its ``started`` event on.
    - ``cost``: seconds that it may take, estimated.
    - ``resources``: ``{"threads": int, "memory": bytes or None, "gpus": 0 or 1}``.
    - ``out``: the folder of its store, the same on every machine.
    - ``max_memory``: bytes that it may take, where the run has such a bound; its worker sees to it.
    """

    def open(self, jobs: int | None, threads: int, log: Path) -> None:
        """Get ready for `jobs` jobs at a time (None: as many as fit), logs going to a folder."""
        raise NotImplementedError

    def free(self) -> int:
        """How many jobs can be submitted now."""
        raise NotImplementedError

    def submit(self, job: Mapping[str, Any]) -> None:
        """Start a job; it is killed with all its processes after ``job["timeout"]`` seconds.

        The time counts from its ``started`` event: waiting in a queue is no computing.
        """
        raise NotImplementedError

    def attach(self, keys: Collection[str]) -> set[str]:
        """Those of `keys` whose jobs an earlier client handed in and that still wait or run.

        Called once, after `open` and before the first `submit`; from then on `events` tells of
        them. Only executors whose jobs outlive their client have any.
        """
        return set()

    def events(self, timeout: float) -> list[dict[str, Any]]:
        """What happened, waiting at most `timeout` seconds for something.

        Each has ``key`` and ``event``:

        - ``started``: its computation begins (once or, where it is tried again, more often).
        - ``progress``: numbers and words of the cell's own.
        - ``done``: its result is in the store.
        - ``busy``: another run computes that cell; the job will be submitted again.
        - ``blocked``: it cannot run here, with ``reason`` and ``mend``.
        - ``failed``: with ``error``, a line, and, where they apply, ``traceback`` (text) and the
          bools ``handled`` (wrong use or bad data, no bug), ``out_of_memory``, ``timeout`` (killed
          at its deadline) and ``lost`` (who ran it is gone, through no fault of the job that is
          known: it is submitted again, twice at most).

        One of the last four ends the job; what is told of it later is ignored.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Kill what still runs."""
        raise NotImplementedError


__all__ = [
    "Backbone",
    "CountingModel",
    "DatasetDefinition",
    "Definition",
    "DomainCatalogue",
    "ExecutorDefinition",
    "Expert",
    "ListMetricDefinition",
    "MetricDefinition",
    "NoOptions",
    "Phases",
    "ProtocolDefinition",
    "StrategyDefinition",
    "TextEncoder",
]
