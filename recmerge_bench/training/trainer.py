"""The training loop: resumable to the byte, ended by steps or by validation, never by a clock."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recmerge_bench.borders.models import check_loss, check_net, history_limit
from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Batch, Split
from recmerge_bench.definitions import Backbone
from recmerge_bench.errors import HandledError
from recmerge_bench.evaluation.loaded import LoadedModel, build
from recmerge_bench.gpu_products import products
from recmerge_bench.seeds import of_step
from recmerge_bench.training import checkpoint
from recmerge_bench.training.average import Average
from recmerge_bench.training.batches import Planned, plan_epoch
from recmerge_bench.training.options import TrainOptions
from recmerge_bench.training.prepared import attach, prepare, without
from recmerge_bench.training.progress import Progress, rate
from recmerge_bench.training.sharpness import moved_uphill
from recmerge_bench.training.streams import Scope, load_init, training_streams
from recmerge_bench.training.validation import FULL, Selection, Validator

#: Least seconds between checkpoints at validations.
_REST = 10.0
#: Just under the largest block for which glibc learns, by its being freed, to keep freed memory.
_LEARNT_BYTES = 31 << 20


class Diverged(HandledError):
    """The loss is no longer a number."""


@dataclass(frozen=True)
class TrainResult:
    """What a training gave.

    Attributes:
        state: the best validated weights (the last where nothing was validated), by name; CPU,
            contiguous.
        report: steps, epochs, windows, targets, seconds, targets_per_second, parameters, best_step,
            best_valid (see `TrainOptions.select`), stopped (``steps``, ``epochs`` or
            ``patience``), history, selection (by what weights were chosen: name, candidates'
            hash or ``full``, mask_history; None where nothing was validated).
    """

    state: dict[str, Tensor]
    report: dict[str, Any]


def fit(
    definition: Backbone,
    catalogue: Catalogue,
    split: Split,
    domains: Sequence[str],
    scope: Scope,
    options: TrainOptions,
    seed: int,
    init: Mapping[str, Tensor] | None = None,
    resume_dir: Path | None = None,
    progress: Callable[[dict[str, Any]], None] | None = None,
    device: str = "cpu",
    selection: Selection | None = None,
    target: str | None = None,
) -> TrainResult:
    """Train a model on the training parts of a split.

    Args:
        definition: the model.
        catalogue: the items.
        split: sequences and validation instances; test instances are not looked at.
        domains: domains to train on.
        scope: ``domain`` (each sequence of one domain) or ``mixed``.
        options: see `TrainOptions`.
        seed: of initial values, order, dropout and negatives.
        init: weights to start from, see `load_init`.
        resume_dir: where to keep state on the way; a training found there goes on and ends in
            the same bytes as an undisturbed one. It is left there when training ends.
        progress: called every few steps with ``step``, ``steps`` (expected), ``epoch``,
            ``loss`` (mean since the last call) and ``seconds``, and after a validation also
            with ``valid``.
        device: torch device.
        selection: what tells the better weights; NDCG@10 by full ranking where it is not given.
        target: the one domain whose next items the model is for, see `Backbone.build_for`.

    Where the device's memory does not hold a batch, training starts over, once, with the gradients
    of each batch summed from its halves, and the report has ``halved``.

    Raises:
        HandledError: ``options.select`` names another selection than the given one.
        Diverged: the loss or a score is not a finite number.
        DataError: nothing to train on.
        ValueError: `init` does not fit the net.
    """
    place = torch.device(device)
    if options.precision != "fp32" and place.type != "cuda":
        raise HandledError(f"precision {options.precision} needs a cuda device")
    selection = selection or FULL
    if options.select not in ("", selection.name):
        raise HandledError(
            f"options.select is '{options.select}' and the selection given is '{selection.name}'"
        )

    def trained(halved: bool) -> TrainResult:
        training = _Training(
            definition, catalogue, split, domains, scope, options, seed, init, place, selection,
            target, halved,
        )  # fmt: skip
        training.resume_dir, training.tell = resume_dir, progress or (lambda _: None)
        return training.run()

    with (
        torch.random.fork_rng(devices=[place] if place.type == "cuda" else []),
        products(tf32=options.precision == "tf32"),
    ):
        try:
            return trained(halved=False)
        except torch.cuda.OutOfMemoryError:
            pass  # out of the handler: its traceback holds the tensors
        if place.type == "cuda":
            torch.cuda.empty_cache()
        return trained(halved=True)


class _Training:
    """Everything a running training holds."""

    resume_dir: Path | None
    tell: Callable[[dict[str, Any]], None]

    def __init__(
        self,
        definition: Backbone,
        catalogue: Catalogue,
        split: Split,
        domains: Sequence[str],
        scope: Scope,
        options: TrainOptions,
        seed: int,
        init: Mapping[str, Tensor] | None,
        device: torch.device,
        selection: Selection,
        target: str | None,
        halved: bool = False,
    ) -> None:
        self.selection, self.halved = selection, halved
        self.definition, self.options, self.seed, self.device = definition, options, seed, device
        self.streams = training_streams(split, catalogue, domains, scope, options.users)
        torch.manual_seed(seed)
        net = build(definition, catalogue, domains, seed, target)
        self.net = check_net(definition, net, catalogue, domains)
        if init is not None:
            load_init(definition, self.net, without(init), catalogue)
        attach(self.net, prepare(definition, split, catalogue, domains, options.users))
        self.net.to(device)
        if options.compile:
            self.net.compile(dynamic=True)
        self.names = {n: p for n, p in self.net.named_parameters() if p.requires_grad}
        self.optimizer = torch.optim.AdamW(
            list(self.names.values()),
            lr=options.lr,
            betas=options.betas,
            weight_decay=options.weight_decay,
            fused=True,
        )
        self.model = LoadedModel(definition, self.net, tuple(domains), target, device)
        self.validator = Validator(
            catalogue,
            split,
            self.model.serves,
            options.eval_limit if options.eval_every >= 0 else -1,
            selection,
        )
        self.at = Progress()
        self.average = Average(self.names, options.ema) if options.ema else None
        self.best: dict[str, Tensor] | None = None
        self.saved = 0.0
        self.loss_sum = torch.zeros((), dtype=torch.float64, device=device)
        self.fingerprint = self._fingerprint(domains, scope, init)

    def run(self) -> TrainResult:
        """Train to the end."""
        # Else each step gives its buffers back to the system, and has their pages mapped anew: a
        # tenth of the time of a small net.
        torch.empty(_LEARNT_BYTES, dtype=torch.uint8)
        self._resume()
        began, spent = time.perf_counter(), self.at.seconds
        for batches, last in self._batches():
            self._step(batches)
            self.at.seconds = spent + time.perf_counter() - began
            due = self._advance(last)
            if due:
                self._validate()
            elif self.at.step % self.options.report_every == 0:
                self._report()
            if self.options.patience and self.at.bad >= self.options.patience:
                self.at.stopped = self.at.stopped or "patience"
            self._save(validated=due)
            if self.at.stopped:
                break
        if self.loss_sum.item():
            self._flush()
        return self._result()

    def _batches(self) -> Iterator[tuple[list[Planned], bool]]:
        """The batches of each step from where training stands, and whether it ends its epoch."""
        while not self.at.stopped:
            plan = plan_epoch(
                self.streams,
                history_limit(self.definition),
                self.options.batch_size,
                self.options.batch_tokens,
                self.seed,
                self.at.epoch,
                self.options.mix,
                self.options.batching,
            )
            self.at.epoch_batches = len(plan)
            size = self.options.accumulate
            for index in range(self.at.batch, len(plan), size):
                yield plan[index : index + size], index + size >= len(plan)

    def _step(self, batches: Sequence[Planned]) -> None:
        """One update. All randomness of a step comes from (seed, step)."""
        options, at = self.options, self.at
        for group in self.optimizer.param_groups:
            group["lr"] = options.lr * rate(options, at)
        self.net.train()
        if options.clear == "step" or at.batch == 0:
            self.optimizer.zero_grad(set_to_none=True)
        for loss, count, rows in self._pass(batches):
            self.loss_sum += loss * count
            at.windows += rows
            at.targets += count
            at.pending += count
        if options.sharpness:
            with moved_uphill(self.names.values(), options.sharpness):
                self.optimizer.zero_grad(set_to_none=True)
                for _ in self._pass(batches):
                    pass
        if options.clip > 0:
            nn.utils.clip_grad_norm_(self.names.values(), options.clip)
        self.optimizer.step()
        if self.average is not None:
            self.average.update(at.step)
        at.step += 1
        at.batch += len(batches)

    def _pass(self, batches: Sequence[Planned]) -> Iterator[tuple[Tensor, int, int]]:
        """Losses of a step's batches, whose gradients are added up: loss, targets and windows.

        A second pass of a step draws what the first drew.
        """
        default, own = of_step(self.seed, self.at.step)
        torch.manual_seed(default)
        generator = torch.Generator(self.device).manual_seed(own)
        for planned in batches:
            for part, share in planned.halves() if self.halved else [(planned, 1.0)]:
                loss, count = self._loss(part.load(self.device, generator))
                (loss * share / len(batches)).backward()
                yield loss.detach(), count, len(part.rows)

    def _loss(self, batch: Batch) -> tuple[Tensor, int]:
        on = self.options.precision == "bf16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=on):
            return check_loss(self.definition, self.definition.loss(self.net, batch))

    def _flush(self) -> float:
        """Mean loss since the last flush; the one place where the device is waited for."""
        mean = self.loss_sum.item() / max(self.at.pending, 1)
        if not np.isfinite(mean):
            raise Diverged(
                f"training diverged: loss {mean} by step {self.at.step}; lower lr or set clip"
            )
        self.at.add_loss(mean)
        self.loss_sum.zero_()
        return mean

    def _report(self, **more: Any) -> None:
        at = self.at
        self.tell(
            {
                "step": at.step,
                "steps": at.expected_steps(self.options),
                "epoch": at.epoch,
                "loss": self._flush(),
                "seconds": at.seconds,
                **more,
            }
        )

    def _validate(self) -> None:
        if self.validator.empty:
            self._report()
            return
        with self._averaged():
            try:
                values = self.validator(self.model)
            except FloatingPointError as error:
                raise Diverged(f"training diverged by step {self.at.step}: {error}") from error
            mean = float(np.mean(list(values.values())))
            self._report(valid=mean)
            if self.at.validated(mean, values, self.options):
                self.best = {k: v.detach().clone() for k, v in self.net.state_dict().items()}

    def _averaged(self) -> AbstractContextManager[None]:
        """The net with the averaged weights, where there is an average."""
        return nullcontext() if self.average is None else self.average.in_place()

    def _advance(self, last: bool) -> bool:
        """Move on after a step, noting a limit reached; whether a validation is due."""
        at, options = self.at, self.options
        if last:
            at.epoch, at.batch = at.epoch + 1, 0
        if options.steps and at.step >= options.steps:
            at.stopped = "steps"
        elif options.epochs and at.epoch >= options.epochs:
            at.stopped = "epochs"
        every = options.eval_every
        if every < 0:
            return False
        return bool(at.stopped) or (last if every == 0 else at.step % every == 0)

    def _fingerprint(
        self, domains: Sequence[str], scope: str, init: Mapping[str, Tensor] | None
    ) -> str:
        """Tells this training from another whose state may lie in the same folder."""
        identity: list[Any] = [
            type(self.definition).__qualname__,
            repr(self.definition.options),
            self.options.to_json(),
            self.seed,
            list(domains),
            self.model.target,
            scope,
            str(self.device.type),
            [(k, list(v.shape)) for k, v in self.net.state_dict().items()],
            [self.selection.name, dict(self.selection.facts)],
            *(["halved"] if self.halved else []),
        ]
        digest = hashlib.sha256(json.dumps(identity).encode())
        for stream in self.streams:
            digest.update(stream.offsets.tobytes() + stream.items.tobytes())
        for name, value in sorted((init or {}).items()):
            digest.update(name.encode() + value.detach().float().cpu().numpy().tobytes())
        return digest.hexdigest()

    def _save(self, validated: bool) -> None:
        if self.resume_dir is None or not (self._due(validated) or self.at.stopped):
            return
        if self.at.pending:
            self._flush()
        facts = {"fingerprint": self.fingerprint, "progress": self.at.to_json()}
        checkpoint.save(self.resume_dir, self._state(), facts)
        self.saved = self.at.seconds

    def _due(self, validated: bool) -> bool:
        """Whether it is time to save: the clock decides what a kill costs, not what is trained."""
        every = self.options.save_every
        if every > 0:
            return self.at.step % every == 0
        return validated and self.at.seconds - self.saved >= _REST

    def _state(self) -> dict[str, Tensor]:
        """All tensors that training goes on from."""
        tensors = {f"net.{k}": v for k, v in self.net.state_dict().items()}
        tensors |= {f"best.{k}": v for k, v in (self.best or {}).items()}
        if self.average is not None:
            tensors |= {f"average.{k}": v for k, v in self.average.values.items()}
        tensors |= checkpoint.optimizer_tensors(self.optimizer, self.names)
        if self.options.clear == "epoch":
            tensors |= {f"grad.{n}": p.grad for n, p in self.names.items() if p.grad is not None}
        return tensors

    def _resume(self) -> None:
        state = checkpoint.load(self.resume_dir) if self.resume_dir else None
        if state is None or state[1].get("fingerprint") != self.fingerprint:
            return
        tensors, facts = state
        self.net.load_state_dict(_under("net.", tensors))
        self.best = {k: v.to(self.device) for k, v in _under("best.", tensors).items()} or None
        if self.average is not None:
            self.average.restore(_under("average.", tensors))
        for name, value in _under("grad.", tensors).items():
            self.names[name].grad = value.to(self.device)
        checkpoint.restore_optimizer(self.optimizer, self.names, tensors)
        self.at = Progress.from_json(facts["progress"])
        self.saved = self.at.seconds

    def _result(self) -> TrainResult:
        with self._averaged():
            last = {k: v.clone() for k, v in self.net.state_dict().items()}
        state = last if self.best is None else {k: self.best[k] for k in last}
        parameters = sum(p.numel() for p in self.net.parameters())
        plain = {k: v.detach().cpu().contiguous().clone() for k, v in state.items()}
        by = {"name": self.selection.name, **self.selection.facts}
        facts = {"parameters": parameters, "selection": None if self.validator.empty else by}
        if self.halved:
            facts["halved"] = True
        return TrainResult(plain, {**self.at.report(), **facts})


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
