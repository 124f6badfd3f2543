"""Generated data of any size with planted cross-domain structure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recmerge_bench.api import (
    DatasetDefinition,
    DatasetSpec,
    HandledError,
    Interactions,
    Spec,
    hookimpl,
)

WORDS = 40
SPAN = 10**8  # seconds, about three years


@dataclass(frozen=True)
class Options:
    """Options of synthetic.

    Attributes:
        users: number of users.
        items: items of each domain.
        n_domains: number of domains, named ``d0``, ``d1``, ...
        mean_length: mean events of a user in each domain (at least 5 each).
        clusters: latent tastes that domains share: cluster c of one domain leads to cluster c + 1,
            in whichever domain the next event falls.
        shared: probability that a user's walk in a domain is in step with the user's common walk
            (1: one walk through all domains; 0: each begins at a cluster of its own, so that
            nothing of a user carries over).
        noise: share of events that ignore user and cluster.
        seed: seed of the generator.
    """

    users: int = 2000
    items: int = 1200
    n_domains: int = 3
    mean_length: float = 12.0
    clusters: int = 20
    shared: float = 1.0
    noise: float = 0.1
    seed: int = 0


class Synthetic(DatasetDefinition):
    """Users walk through clusters; each domain has items of every cluster, popular ones first."""

    Options = Options

    def domains(self, data_root: Path | None = None) -> tuple[str, ...]:
        """``d0``, ``d1``, ..."""
        return tuple(f"d{n}" for n in range(self.options.n_domains))

    def load(self, data_root: Path | None) -> Interactions:
        """Generate.

        Raises:
            HandledError: a size is not positive, a share is not between 0 and 1.
        """
        from recmerge_bench.toolkit.data.build import Columns, Item, build_interactions

        o = self.options
        if min(o.users, o.items, o.n_domains, o.clusters) < 1 or o.items < o.clusters:
            raise HandledError("synthetic: sizes must be positive, items not below clusters")
        if not (0 <= o.noise <= 1 and 0 <= o.shared <= 1):
            raise HandledError("synthetic: noise and shared are shares, from 0 to 1")
        rng = np.random.Generator(np.random.Philox(o.seed))
        users, domains, items = self.walk(rng)
        times = self.times(users, rng)
        tokens = np.char.add(
            np.char.add("d", domains.astype(str)), np.char.add("-", items.astype(str))
        )
        catalogue = {
            f"d{d}-{i}": Item(f"d{d}", self.text(i))
            for d in range(o.n_domains)
            for i in range(o.items)
        }
        columns = Columns(users.astype(str).tolist(), tokens.tolist(), times)
        return build_interactions(columns, catalogue, self.domains())

    def walk(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """User, domain and item of every event, in time order within a user."""
        o = self.options
        lengths = 5 * o.n_domains + rng.poisson(max(0.0, o.mean_length - 5) * o.n_domains, o.users)
        users = np.repeat(np.arange(o.users), lengths)
        step = np.arange(len(users)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        domains = rng.integers(0, o.n_domains, len(users))
        domains = np.where(step < 5 * o.n_domains, step % o.n_domains, domains)
        common = rng.integers(0, o.clusters, (o.users, 1))
        own = rng.integers(0, o.clusters, (o.users, o.n_domains))
        in_step = rng.random((o.users, o.n_domains)) < o.shared
        start = np.where(in_step, common, own)[users, domains]
        cluster = (start + step // o.n_domains) % o.clusters
        wild = rng.random(len(users)) < o.noise
        cluster = np.where(wild, rng.integers(0, o.clusters, len(users)), cluster)
        in_cluster = o.items // o.clusters
        place = np.minimum(
            (rng.random(len(users)) ** 2 * in_cluster).astype(np.int64), in_cluster - 1
        )
        return users, domains, cluster + o.clusters * place

    def times(self, users: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Seconds, ascending within a user: users join early and stay, so that all cut-off times
        of a temporal split fall into most users' sequences."""
        join = (rng.random(self.options.users) * 0.5)[users]
        at = join + (1 - join) * rng.random(len(users))
        return (np.sort(users + at * 0.999) % 1.0 * SPAN).astype(np.int64)

    def text(self, item: int) -> str:
        """Words of the item's cluster, and its own."""
        cluster = item % self.options.clusters
        shared = " ".join(f"taste{(cluster * 3 + n) % WORDS}x{cluster}" for n in range(3))
        return f"{shared} thing{item}"


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``synthetic``."""
    return [
        DatasetSpec(
            name="synthetic",
            target=f"{__name__}:Synthetic",
            summary="generated domains of any size with shared, planted structure",
        )
    ]
