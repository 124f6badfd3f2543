"""Checkpoints ranked outside a suite, with the metrics of their ranks and first items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recmerge_bench.errors import HandledError
from recmerge_bench.frames import frame
from recmerge_bench.interface.datasets import encode_texts
from recmerge_bench.interface.evaluate import ALL, Evaluated
from recmerge_bench.interface.evaluate import evaluate as ranks_of
from recmerge_bench.interface.guard import plugins_blamed
from recmerge_bench.interface.plugins import Plugins, registry_of
from recmerge_bench.interface.tables import Value, html_table, text_table
from recmerge_bench.planning.metrics import METRICS, MetricUse, SuiteMetrics
from recmerge_bench.registry import Registry
from recmerge_bench.results.metrics import domain_means, with_mean
from recmerge_bench.running.list_values import NoTexts

if TYPE_CHECKING:
    import numpy as np
    import pandas
    from numpy.typing import NDArray

    from recmerge_bench.evaluation.ranks import RankTable

#: One checkpoint, several (folders of finished cells), or domain -> checkpoint.
Checkpoints = str | Path | Sequence[str | Path] | Mapping[str, str | Path]


@dataclass(frozen=True, repr=False)
class Evaluation:
    """Metrics by domain and the ranks that they are made of.

    Attributes:
        metrics: domain, or ``mean`` over the domains -> metric -> mean over the test targets, or a
            metric of lists' value.
        ranks: a row for each test target.
    """

    metrics: dict[str, dict[str, float]]
    ranks: RankTable

    @property
    def names(self) -> list[str]:
        """Of the metrics."""
        return list(next(iter(self.metrics.values()), {}))

    def rows(self) -> list[list[Value]]:
        """A row for each domain: its name and its metrics."""
        return [[domain, *values.values()] for domain, values in self.metrics.items()]

    def to_pandas(self) -> pandas.DataFrame:
        """A row for each domain, and one for the mean over them.

        Raises:
            HandledError: pandas is not installed.
        """
        return frame([{"domain": domain, **values} for domain, values in self.metrics.items()])

    def __repr__(self) -> str:
        return text_table(["domain", *self.names], self.rows())

    def _repr_html_(self) -> str:
        title = f"{len(self.ranks.users)} test targets"
        return html_table(title, ["domain", *self.names], self.rows())


@plugins_blamed()
def evaluate(
    checkpoints: Checkpoints,
    *,
    protocol: str,
    dataset: str | Path = "",
    model: str = "",
    options: Mapping[str, Any] | None = None,
    domains: Sequence[str] = (),
    metrics: Sequence[str] = METRICS,
    data_root: str | Path | None = None,
    device: str = "cpu",
    plugins: Plugins = (),
) -> Evaluation:
    """Rank a dataset's test targets with checkpoints, as a run's rank cells do.

    Args:
        checkpoints: safetensors files, or folders of a run's finished ``train`` and ``merge``
            cells, whose records say which model they hold; of several files, domain -> file.
        protocol: by name.
        dataset: by name, or a folder of atomic files; that of the cell if not given.
        model: backbone, CDSR model or counting recommender by name; a cell says it itself.
        options: of the model, laid over its defaults.
        domains: that the model is of; all, or those that the cell's run scored, if not given.
        metrics: ``NDCG@10``, ``MRR``, ...; and of lists, ``coverage@10``, ...: under protocols that
            rank all items.
        data_root: folder with raw data, for datasets that are not bundled.
        device: ``cpu`` or ``cuda``.
        plugins: files or modules to load beside the installed plugins.

    Raises:
        HandledError: an unknown name or option; a checkpoint that is none, or does not fit.
        PluginError: an error out of a plugin's code.
    """
    registry = registry_of(plugins)
    root = None if data_root is None else Path(data_root)
    asked = SuiteMetrics.of_any(registry, metrics)
    done = ranks_of(
        registry, _paths(checkpoints), protocol, dataset=str(dataset), model=model,
        options=options, domains=domains, data_root=root, device=device, top_k=asked.longest,
    )  # fmt: skip
    table = done.table
    ranked = [name for number, name in enumerate(table.domains) if (table.domain == number).any()]
    values = domain_means(registry, [use.name for use in asked.ranks], table, ranked)
    if done.lists is not None:
        vectors = _vectors(registry, asked.lists, done.interactions.catalogue.texts, root, device)
        made = {u.name: _list_metric(u, done, vectors.get(u.text_encoder)) for u in asked.lists}
        for domain, own in values.items():
            own |= {name: by_domain[domain] for name, by_domain in made.items()}
    ordered = {d: {name: own[name] for name in metrics} for d, own in values.items()}
    return Evaluation(ordered, table)


def _vectors(
    registry: Registry, uses: Iterable[MetricUse], texts: Sequence[str], data_root: Path | None,
    device: str,
) -> dict[str | None, NDArray[np.float32]]:  # fmt: skip
    """Text encoder -> vectors of the items, of those that metrics read; none without any text.

    Raises:
        HandledError: the files of an encoder are missing.
    """
    wanted = {use.text_encoder for use in uses if use.text_encoder and any(texts)}
    return {name: encode_texts(registry, name, texts, data_root, device) for name in wanted}


def _list_metric(
    use: MetricUse, done: Evaluated, vectors: NDArray[np.float32] | None
) -> dict[str, float]:
    """A metric of lists by domain, and ``mean``.

    Raises:
        HandledError: it compares texts, and there are none.
        PluginError: its code failed.
    """
    assert done.lists is not None
    catalogue = done.interactions.catalogue
    if vectors is not None:
        catalogue = replace(catalogue, vectors=vectors)
    try:
        values = done.lists.values(use.options.definition(), use.k or 0, catalogue)
    except NoTexts as reason:
        raise HandledError(f"metric '{use.name}': {reason}; leave it out") from None
    means = {domain: {use.name: value} for domain, value in values.items()}
    return {domain: own[use.name] for domain, own in with_mean(means).items()}


def _paths(checkpoints: Checkpoints) -> dict[str, Path] | list[Path]:
    if isinstance(checkpoints, (str, Path)):
        return [Path(checkpoints)]
    if isinstance(checkpoints, Mapping):
        return {domain or ALL: Path(path) for domain, path in checkpoints.items()}
    return [Path(path) for path in checkpoints]
