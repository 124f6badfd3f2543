"""Merges outside a suite, in memory: tensors in, tensors out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recmerge_bench.contracts import spec_class
from recmerge_bench.definitions import StrategyDefinition
from recmerge_bench.errors import HandledError, near
from recmerge_bench.interface.guard import plugins_blamed
from recmerge_bench.interface.plugins import Plugins, registry_of
from recmerge_bench.interface.progress import Bar, Reporter
from recmerge_bench.options import CompleteOptions
from recmerge_bench.planning.options import complete
from recmerge_bench.registry import Registry
from recmerge_bench.specs import StrategySpec

if TYPE_CHECKING:
    import torch

    from recmerge_bench.merging.checkpoints import Weights
    from recmerge_bench.merging.stream import Streamed

#: Name -> tensor, a safetensors file, a sharded one's index, or a model's folder.
WeightsLike = Mapping[str, "torch.Tensor"] | str | Path
ACTIONS = ("merge", "base", "drop", "concatenate")


class Merged(dict[str, "torch.Tensor"]):
    """Merged tensors by name, in the base's dtypes, and how they came about.

    Args:
        tensors: by name.
        method: the strategy's name.
        options: all of its options.
        scale: that a rule chose (``scale="norm"``); None where it was given or there is none.
        counts: parameters that were ``merged``, ``kept_of_base``, ``concatenated``.
    """

    def __init__(
        self, tensors: Mapping[str, torch.Tensor], method: str, options: Mapping[str, Any],
        scale: float | None, counts: Mapping[str, int],
    ) -> None:  # fmt: skip
        super().__init__(tensors)
        self.method, self.options, self.scale = method, dict(options), scale
        self.counts = dict(counts)

    def __repr__(self) -> str:
        options = ", ".join(f"{k}={v}" for k, v in self.options.items())
        return (
            f"{len(self)} tensors merged by {self.method}({options}): "
            f"{self.counts['merged']:,} parameters merged, "
            f"{self.counts['kept_of_base']:,} the base's"
        )


@plugins_blamed()
def merge(
    method: str,
    *,
    base: WeightsLike,
    experts: Sequence[WeightsLike],
    policy: Mapping[str, str] | None = None,
    dtype: str | None = None,
    seed: int = 0,
    plugins: Plugins = (),
    progress: bool | None = None,
    **options: Any,
) -> Merged:
    """Merge checkpoints of one architecture in memory. What is given is not changed.

    The strategies, checks and numbers are those of ``recmerge-bench merge``.

    Args:
        method: a merge strategy of data tier T0 (weights alone).
        base: the experts' shared base.
        experts: at least one, each given once.
        policy: parameter-name prefix -> ``merge``, ``base``, ``drop`` or ``concatenate``; the
            longest prefix wins, all merge by default. Integer tensors are the base's.
        dtype: of the merged floats, such as ``bfloat16``; each as the base's if absent.
        seed: for strategies that draw.
        plugins: files or modules to load beside the installed plugins.
        progress: True shows a bar, False does not; None: on a terminal.
        options: the strategy's, such as ``density=0.2``.

    Returns:
        name -> tensor, of the base's dtypes or `dtype`, on the device of the base's tensors.

    Raises:
        HandledError: no such strategy, one that needs data, a wrong option; weights that do not
            fit together, are not finite, or equal the base.
        PluginError: an error out of the strategy's code.
    """
    from recmerge_bench.merging.in_memory import Collected, refuse_equal_weights
    from recmerge_bench.merging.precision import precision
    from recmerge_bench.merging.stream import Streamed

    spec = merging_spec(registry_of(plugins), method)
    complete_options, strategy = strategy_of(spec, options)
    refuse_actions(policy or {})
    if isinstance(experts, (str, Path, Mapping)) or not experts:
        raise HandledError("experts are a list of at least one checkpoint")
    weights = [_weights(expert, f"expert {number}") for number, expert in enumerate(experts)]
    wanted = None if dtype is None else precision(dtype)
    source = Streamed(_weights(base, "base"), weights, policy, wanted)
    refuse_equal_weights(weights)
    collected = Collected(source.kept)
    with bar_of(source, Reporter(progress)) as bar:
        facts = source.merge(strategy, collected, check_seed(seed), None, bar)
    scale = facts.pop("scale", None)
    tensors = {n: t.to(_device(base, n)) for n, t in collected.tensors.items()}
    return Merged(tensors, method, complete_options.values, scale, facts)


def merging_spec(registry: Registry, method: str, sweep: bool = False) -> StrategySpec:
    """A strategy that merges weights alone (at several scales).

    Raises:
        HandledError: no such strategy, or one that has to run in a suite; says why.
    """
    spec = registry.get("strategy", method)
    assert isinstance(spec, StrategySpec)  # a registry holds each kind's own
    if spec.passthrough or "experts" not in spec.inputs:
        raise HandledError(f"'{spec.name}' does not merge experts: run it in a suite")
    if spec.data_tier.reads:
        raise HandledError(
            f"'{spec.name}' needs more than weights (data tier {spec.tier}): run it in a suite"
        )
    if spec_class(spec).modulated:
        raise HandledError(f"'{spec.name}' makes a model for each domain: run it in a suite")
    if sweep and not spec_class(spec).scaled:
        raise HandledError(f"'{spec.name}' is not linear in a scale: merge once for each setting")
    return spec


def strategy_of(
    spec: StrategySpec, options: Mapping[str, object]
) -> tuple[CompleteOptions, StrategyDefinition]:
    """All options, and the strategy with them.

    Raises:
        HandledError: an unknown option or a value of a wrong type.
    """
    complete_options = complete(spec, options, "merge")
    strategy: StrategyDefinition = complete_options.definition()
    return complete_options, strategy


def refuse_actions(policy: Mapping[str, str]) -> None:
    """Refuse what a policy does not know.

    Raises:
        HandledError: a parameter's action is unknown.
    """
    for prefix, action in policy.items():
        if action not in ACTIONS:
            raise HandledError(
                f"policy: '{prefix}' takes {'|'.join(ACTIONS)}, not '{action}'"
                f"{near(str(action), ACTIONS)}"
            )


def check_seed(seed: int) -> int:
    """A seed that every generator takes.

    Raises:
        HandledError: it is none.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise HandledError(f"a seed is a whole number from 0 to 2**63 - 1, not {seed!r}")
    return seed


@contextmanager
def bar_of(source: Streamed, report: Reporter) -> Iterator[Bar]:
    """What is told how many merged entries are written."""
    total = sum(source.kept[n].numel() for n in source.merged)
    with report.bar("merging", total) as bar:
        yield bar


def _weights(given: WeightsLike, label: str) -> Weights:
    from recmerge_bench.merging.in_memory import Held
    from recmerge_bench.merging.opening import open_weights

    if isinstance(given, (str, Path)):
        return open_weights(Path(given))
    if not isinstance(given, Mapping):
        hint = "; give its state_dict()" if hasattr(given, "state_dict") else ""
        raise HandledError(
            f"{label}: weights are a mapping of name to tensor, a file or a folder, not a "
            f"{type(given).__name__}{hint}"
        )
    return Held(label, given)


def _device(base: WeightsLike, name: str) -> torch.device | str:
    return base[name].device if isinstance(base, Mapping) and name in base else "cpu"
