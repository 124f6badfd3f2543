"""Where a training stands: plain numbers, so that they can be saved as JSON."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any

from recmerge_bench.training.options import TrainOptions


@dataclass
class Progress:
    """Counters of a training.

    Attributes:
        step: updates done.
        epoch: epochs done.
        batch: batches done of the running epoch.
        epoch_batches: batches of the running epoch.
        windows: pieces of sequences met (`recmerge_bench.training.windows`).
        targets: training targets met.
        pending: of those, the ones whose loss is not yet in `loss_sum`.
        loss_sum: sum of losses over `loss_targets` targets since the last validation.
        loss_targets: see there.
        bad: validations since the best.
        best_step: step of the best validation, 0 before any.
        best_valid: its score (see `TrainOptions.select`).
        drops: times that the learning rate was lowered on a plateau.
        flat: validations since the best or the last drop.
        seconds: spent so far, over all resumptions.
        stopped: why it ended, "" while it runs.
        history: one entry for each validation.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    epoch_batches: int = 0
    windows: int = 0
    targets: int = 0
    pending: int = 0
    loss_sum: float = 0.0
    loss_targets: int = 0
    bad: int = 0
    best_step: int = 0
    best_valid: float | None = None
    drops: int = 0
    flat: int = 0
    seconds: float = 0.0
    stopped: str = ""
    history: list[dict[str, Any]] = field(default_factory=list)

    def add_loss(self, mean: float) -> None:
        """Count the pending targets' mean loss."""
        self.loss_sum += mean * self.pending
        self.loss_targets += self.pending
        self.pending = 0

    def validated(self, mean: float, values: dict[str, float], options: TrainOptions) -> bool:
        """Note a validation; True where it is the best so far."""
        loss = self.loss_sum / max(self.loss_targets, 1)
        self.history.append(
            {"step": self.step, "epoch": self.epoch, "loss": loss, "valid": mean, **values}
        )
        self.loss_sum, self.loss_targets = 0.0, 0
        whole = self.epoch + (1 if self.batch else 0)
        if options.warmup_epochs and whole <= options.warmup_epochs:
            return False
        better = self.best_valid is None or mean > self.best_valid
        if better:
            self.best_step, self.best_valid, self.bad, self.flat = self.step, mean, 0, 0
            return True
        self.bad, self.flat = self.bad + 1, self.flat + 1
        if options.schedule == "plateau" and self.flat > options.drop_patience:
            self.drops, self.flat = self.drops + 1, 0
        return False

    def expected_steps(self, options: TrainOptions) -> int:
        """Steps until the limit, if validation does not end training before."""
        limits = [options.steps] if options.steps > 0 else []
        if options.epochs > 0:
            done, whole = (-(-n // options.accumulate) for n in (self.batch, self.epoch_batches))
            limits.append(self.step - done + (options.epochs - self.epoch) * whole)
        return min(limits)

    def report(self) -> dict[str, Any]:
        """For the record of a run."""
        rate = self.targets / self.seconds if self.seconds else 0.0
        return {
            "steps": self.step,
            "epochs": self.epoch,
            "windows": self.windows,
            "targets": self.targets,
            "seconds": self.seconds,
            "targets_per_second": rate,
            "stopped": self.stopped,
            "best_step": self.best_step,
            "best_valid": self.best_valid,
            "history": self.history,
        }

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Progress:
        """From plain values."""
        return cls(**values)


def rate(options: TrainOptions, at: Progress) -> float:
    """Learning rate of the step to come as a share of the peak."""
    step = at.step
    if step < options.warmup:
        return (step + 1) / options.warmup
    if at.epoch < options.warmup_epochs:
        return 1e-5 + (1 - 1e-5) * at.epoch / options.warmup_epochs
    if options.schedule == "constant":
        return 1.0
    if options.schedule == "plateau":
        return float(options.drop**at.drops)
    done = (step - options.warmup) / max(options.steps - options.warmup, 1)
    if options.schedule == "linear":
        return max(0.0, 1.0 - done)
    return 0.5 * (1.0 + math.cos(math.pi * min(done, 1.0)))
