"""Checkpoints ranked outside a suite, with the metrics of their ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recmerge_bench.frames import frame
from recmerge_bench.interface.evaluate import ALL
from recmerge_bench.interface.evaluate import evaluate as ranks_of
from recmerge_bench.interface.guard import plugins_blamed
from recmerge_bench.interface.plugins import Plugins, registry_of
from recmerge_bench.interface.tables import Value, html_table, text_table
from recmerge_bench.planning.metrics import METRICS, check_metrics
from recmerge_bench.results.metrics import domain_means

if TYPE_CHECKING:
    import pandas

    from recmerge_bench.evaluation.ranks import RankTable

#: One checkpoint, several (folders of finished cells), or domain -> checkpoint.
Checkpoints = str | Path | Sequence[str | Path] | Mapping[str, str | Path]


@dataclass(frozen=True, repr=False)
class Evaluation:
    """Metrics by domain and the ranks that they are made of.

    Attributes:
        metrics: domain, or ``mean`` over the domains -> metric -> mean over the test targets.
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
        metrics: ``NDCG@10``, ``MRR``, ...
        data_root: folder with raw data, for datasets that are not bundled.
        device: ``cpu`` or ``cuda``.
        plugins: files or modules to load beside the installed plugins.

    Raises:
        HandledError: an unknown name or option; a checkpoint that is none, or does not fit.
        PluginError: an error out of a plugin's code.
    """
    registry = registry_of(plugins)
    check_metrics(registry, metrics)
    table = ranks_of(
        registry, _paths(checkpoints), protocol, dataset=str(dataset), model=model,
        options=options, domains=domains, data_root=None if data_root is None else Path(data_root),
        device=device,
    )  # fmt: skip
    ranked = [name for number, name in enumerate(table.domains) if (table.domain == number).any()]
    return Evaluation(domain_means(registry, list(metrics), table, ranked), table)


def _paths(checkpoints: Checkpoints) -> dict[str, Path] | list[Path]:
    if isinstance(checkpoints, (str, Path)):
        return [Path(checkpoints)]
    if isinstance(checkpoints, Mapping):
        return {domain or ALL: Path(path) for domain, path in checkpoints.items()}
    return [Path(path) for path in checkpoints]
