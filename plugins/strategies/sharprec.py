"""SharpRec's salience recovery: a mean's entries stretched after the merge (Ji et al., 2026).

Idea: A mean of task vectors flattens what is salient in them. After averaging, small noise is
taken off and large entries are stretched. The merged adapter then regains the salience of each
domain's preferences.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recmerge_bench.api import Check, HandledError, Spec, StrategySpec, hookimpl
from recmerge_bench.toolkit.merging.hybrids import HybridsSpec
from recmerge_bench.toolkit.merging.strategy import Scale, TaskVectorStrategy

if TYPE_CHECKING:
    from torch import Tensor

    from recmerge_bench.toolkit.merging.task_vectors import TaskVectors


@dataclass(frozen=True)
class Options:
    """Options of preference salience activation; all as published.

    Attributes:
        noise: standard deviation of the normal noise that is subtracted.
        power: exponent of the magnitudes; below 1 small entries grow more than large ones shrink.
        gain: what the smallest entries grow by besides, as a share of them.
        decay: how fast that falls with magnitude.
        least: tensors whose merged change is nowhere as large stay as the base has them.
        scale: weight of the merged task vector, or ``norm``: the merged task vector is as long as
            the experts' are on average.
    """

    noise: float = 0.0001
    power: float = 0.98
    gain: float = 0.1
    decay: float = 10.0
    least: float = 1e-6
    scale: Scale = 1.0

    def __post_init__(self) -> None:
        if min(self.noise, self.gain, self.decay, self.least) < 0 or self.power <= 0:
            raise HandledError("sharprec-psa: power is positive, no other number is negative")


class SalienceActivation(TaskVectorStrategy):
    """``sign(w) |w|^power (1 + gain exp(-decay |w|))``, w the mean task vector minus noise.

    SharpRec merges, for each domain, adapters of a language model that were trained with
    sharpness-aware minimisation (Foret et al., ICLR 2021; radius .01): the domain's own, and one
    trained on both domains. Their fusion weights are equal; then comes preference salience
    activation. Row ``{method: sharprec, training: {sharpness: 0.01}}`` is all of it, with whole
    models where a backbone has no adapters; ``sharprec-psa`` is the mean with the activation, of
    the suite's experts.
    """

    Options = Options
    scope = "tensor"

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """Tensor by tensor; one row. Noise is drawn for each tensor by its name."""
        import torch

        from recmerge_bench.toolkit.seeds import mixed

        merged = vectors.rows.mean(0)
        for name, part, _ in vectors.parameters():
            own = merged[part]
            if not len(own) or float(own.abs().max()) < self.options.least:
                own.zero_()
                continue
            draw = torch.Generator().manual_seed(mixed(seed, zlib.crc32(name.encode())))
            noise = torch.randn(len(own), generator=draw).to(own)
            own.copy_(self.activated(own - self.options.noise * noise))
        return vectors.with_rows(merged[None])

    def activated(self, entries: Tensor) -> Tensor:
        """The published function of entries, of any shape."""
        o, size = self.options, entries.abs() + 1e-8
        stretched: Tensor = entries.sign() * size**o.power * (1 + o.gain * (-o.decay * size).exp())
        return stretched


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``sharprec-psa``, and ``sharprec``, which merges hybrids."""
    target = f"{__name__}:SalienceActivation"
    test = "tests/plugins/test_merging_field.py::test_sharprec_psa_as_released"
    citation = "Ji et al., SharpRec, KDD 2026 (arXiv 2607.25366)"
    return [
        StrategySpec(
            "sharprec-psa", target,
            "Mean of the task vectors, its entries stretched by preference salience activation",
            checks=(
                Check(
                    "muyiahhh/SharpRec (the authors'), src/psa.py, of a mean; experts that were "
                    "not trained as theirs", test, "1e-9 relative, float64",
                ),
            ),
            inputs=("base", "experts"), fidelity="reconstructed", citation=citation,
        ),
        HybridsSpec(
            "sharprec", target,
            "Preference salience activation of the mean of an expert and of hybrids, by domain",
            checks=(
                Check(
                    "muyiahhh/SharpRec (the authors'), src/psa.py, of a mean", test,
                    "1e-9 relative, float64",
                ),
                Check(
                    "its scripts run_sga_train.sh and run_psa_infer.sh: what is trained with which "
                    "radius, and merged for which domain; whole models in the place of adapters",
                    "tests/planning/test_hybrids.py::test_sharprec_trains_all_that_it_merges_alike",
                    "the same models",
                ),
            ),
            fidelity="reconstructed", citation=citation,
        ),
    ]  # fmt: skip
