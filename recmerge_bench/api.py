"""Everything a plugin imports. Standard library and numpy only, so that discovery stays light."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recmerge_bench.data.interactions import Catalogue, Interactions, ItemTokens
from recmerge_bench.data.sequences import Batch, Instances, Sequences, Split
from recmerge_bench.definitions import (
    Backbone,
    CountingModel,
    DatasetDefinition,
    Definition,
    DomainCatalogue,
    ExecutorDefinition,
    Expert,
    ListMetricDefinition,
    MetricDefinition,
    Phases,
    ProtocolDefinition,
    StrategyDefinition,
    TextEncoder,
)
from recmerge_bench.deprecations import warn_deprecated
from recmerge_bench.errors import Blocked, DataError, HandledError, near
from recmerge_bench.specs import (
    BackboneSpec,
    CDSRSpec,
    Check,
    CountingSpec,
    DatasetSpec,
    EncoderSpec,
    ExecutorSpec,
    Fidelity,
    MetricSpec,
    Profile,
    ProtocolSpec,
    Spec,
    StrategySpec,
)
from recmerge_bench.tiers import (
    MergeInput,
    WithCatalogue,
    WithLabels,
    WithSequences,
    WithStatistics,
    needs,
)

if TYPE_CHECKING:
    from pluggy import HookimplMarker

    hookimpl = HookimplMarker("recmerge_bench")
else:
    try:
        from pluggy import HookimplMarker

        hookimpl = HookimplMarker("recmerge_bench")
    except ImportError:  # a worker on a bare machine runs methods and discovers nothing

        def hookimpl(function: Any) -> Any:
            """Stand in for pluggy's marker where pluggy is not installed."""
            return function


__all__ = [
    "Backbone",
    "BackboneSpec",
    "Batch",
    "Blocked",
    "CDSRSpec",
    "Catalogue",
    "Check",
    "CountingModel",
    "CountingSpec",
    "DataError",
    "DatasetDefinition",
    "DatasetSpec",
    "Definition",
    "DomainCatalogue",
    "EncoderSpec",
    "ExecutorDefinition",
    "ExecutorSpec",
    "Expert",
    "Fidelity",
    "HandledError",
    "Instances",
    "Interactions",
    "ItemTokens",
    "ListMetricDefinition",
    "MetricDefinition",
    "MetricSpec",
    "Profile",
    "Phases",
    "ProtocolDefinition",
    "ProtocolSpec",
    "Sequences",
    "Spec",
    "Split",
    "StrategyDefinition",
    "StrategySpec",
    "TextEncoder",
    "WithCatalogue",
    "WithLabels",
    "WithSequences",
    "WithStatistics",
    "MergeInput",
    "hookimpl",
    "near",
    "needs",
]

#: Names of earlier versions -> what they are called now; `deprecations` says how long they stay.
_EARLIER = {"WeightsOnly": "MergeInput"}


def __getattr__(name: str) -> Any:
    """A name of an earlier version, with a `DeprecationWarning` that tells the present one."""
    now = _EARLIER.get(name)
    if now is None:
        raise AttributeError(f"recmerge_bench.api has no '{name}'{near(name, __all__)}")
    warn_deprecated(name)
    return globals()[now]
