"""Share of targets that nothing else is ranked above."""

from __future__ import annotations

import numpy as np

from recmerge_bench.api import MetricDefinition


class Top1(MetricDefinition):
    """1 where the target is alone at the top."""

    def value(self, rank: np.ndarray, k: int | None) -> np.ndarray:
        """See `MetricDefinition.value`."""
        return (rank <= 1).astype(np.float64)
