"""Options of a training, checked before anything runs."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from recmerge_bench.errors import HandledError
from recmerge_bench.json_values import JsonObject, plain_object

#: ``METRIC``, ``METRIC@k``, and each with ``@PROTOCOL``; a protocol's name is no number.
_SELECT = re.compile(r"([^@\s]+(?:@\d+)?)(?:@([^@\s]*[^@\s\d][^@\s]*))?")


def split_select(select: str) -> tuple[str, str]:
    """The metric and the protocol of `TrainOptions.select`, each "" where it names none.

    Raises:
        HandledError: it is not of that form.
    """
    match = _SELECT.fullmatch(select)
    if select and match is None:
        raise HandledError(
            f"select is METRIC@PROTOCOL, such as MRR@loo-sampled-99 or NDCG@10@loo: {select!r}"
        )
    return (match[1], match[2] or "") if match else ("", "")


@dataclass(frozen=True)
class TrainOptions:
    """How to train.

    Attributes:
        steps: stop after this many steps; 0: no such limit.
        epochs: stop after this many epochs; 0: no such limit.
        batch_size: windows in a batch.
        batch_tokens: targets in a batch; where positive, it replaces `batch_size`.
        users: share of each domain's training sequences that is trained on, the first of a fixed
            random order: a smaller share is part of a larger one, and the same in every run.
        mix: how several domains are trained together, see `plan_epoch`: ``proportional``,
            ``balanced`` or ``sequential``.
        batching: which windows share a batch: those of near-equal ``length``, which skips padding,
            or ``random`` ones, see `plan_epoch`.
        accumulate: batches whose mean gradient makes one step; the last of an epoch may be fewer.
            Negatives that come from the batch stay those of one batch.
        lr: peak learning rate of AdamW.
        weight_decay: decoupled, on all parameters.
        betas: of AdamW.
        warmup: steps of linear warm-up.
        warmup_epochs: epochs of linear warm-up whose rate is constant within an epoch, from 1e-5
            of the peak; validations in them are noted, but neither the best nor a bad one
            (MERIT, ABXI).
        schedule: after warm-up, ``constant``; ``linear`` or ``cosine`` decay to 0 (these two need
            `steps`); or ``plateau``: the rate is multiplied by `drop` after more than
            `drop_patience` validations without a better one.
        drop: see `schedule`.
        drop_patience: see `schedule`.
        clear: when gradients are set to zero: each ``step``, or each ``epoch`` only, as the
            first releases of ABXI and MERIT do: gradients then add up over an epoch's steps.
        clip: largest gradient norm; 0: none.
        sharpness: radius of sharpness-aware minimisation (Foret et al., ICLR 2021, eqs. 2 and 3):
            the gradient of a step is taken where the weights are after a move of this length along
            the gradient. Costs a second pass. 0: none.
        ema: decay of an exponential moving average of the weights (shorter while training is
            young), which is then what is validated and returned; 0: none.
        patience: stop after this many validations without a better one; 0: never.
        select: what tells the better weights at validation, for choosing them, for the plateau
            and for the early stop: ``METRIC@PROTOCOL`` (``MRR@mixed-merit-sampled-999``), the
            metric's mean over the domains that are trained for, targets ranked as the protocol
            ranks those of the test. Without a protocol: the first of the track's that cuts the
            data alike; empty: the suite's first metric under it. A plan fills it in; it stays
            empty where nothing is validated.
        eval_every: steps between validations; 0: once an epoch; -1: none, the last weights
            are kept.
        eval_limit: at most this many validation instances of each domain; 0: all.
        save_every: steps between checkpoints; 0: at validations, at least 10 s apart. One is
            always left at the end.
        report_every: steps between progress reports.
        precision: ``fp32``; on cuda alone also ``tf32``, fp32 whose matrix products round their
            factors to 10 bits of mantissa, or ``bf16`` autocast.
        compile: compile the net's forward pass.
    """

    MIXES: ClassVar[tuple[str, ...]] = ("proportional", "balanced", "sequential")
    BATCHING: ClassVar[tuple[str, ...]] = ("length", "random")
    SCHEDULES: ClassVar[tuple[str, ...]] = ("constant", "linear", "cosine", "plateau")

    steps: int = 0
    epochs: int = 50
    batch_size: int = 128
    batch_tokens: int = 0
    users: float = 1.0
    mix: Literal["proportional", "balanced", "sequential"] = "proportional"
    batching: Literal["length", "random"] = "length"
    accumulate: int = 1
    lr: float = 1e-3
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.98)
    warmup: int = 0
    warmup_epochs: int = 0
    schedule: Literal["constant", "linear", "cosine", "plateau"] = "constant"
    drop: float = 0.5
    drop_patience: int = 10
    clear: Literal["step", "epoch"] = "step"
    clip: float = 5.0
    sharpness: float = 0.0
    ema: float = 0.0
    patience: int = 10
    select: str = ""
    eval_every: int = 0
    eval_limit: int = 0
    save_every: int = 0
    report_every: int = 20
    precision: Literal["fp32", "tf32", "bf16"] = "fp32"
    compile: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "betas", tuple(self.betas))
        if self.steps <= 0 and self.epochs <= 0:
            raise HandledError("training needs a limit: give steps or epochs")
        self._one_of("schedule", *self.SCHEDULES)
        self._one_of("mix", *self.MIXES)
        self._one_of("batching", *self.BATCHING)
        self._one_of("precision", "fp32", "tf32", "bf16")
        split_select(self.select)
        self._one_of("clear", "step", "epoch")
        if self.schedule in ("linear", "cosine") and self.steps <= 0:
            raise HandledError(f"schedule {self.schedule} needs steps")
        if not 0 < self.drop <= 1 or min(self.drop_patience, self.warmup_epochs, self.warmup) < 0:
            raise HandledError(
                f"drop lies in (0, 1], drop_patience and warm-ups are not negative: {self.drop!r}, "
                f"{self.drop_patience!r}, {self.warmup!r}, {self.warmup_epochs!r}"
            )
        if min(self.batch_size, self.report_every, self.accumulate) < 1 or self.lr < 0:
            raise HandledError(
                "batch_size, report_every and accumulate must be positive, lr not negative"
            )
        if not 0 < self.users <= 1:
            raise HandledError(f"users is a share in (0, 1]: {self.users!r}")
        if self.sharpness < 0:
            raise HandledError(f"sharpness is a length, not negative: {self.sharpness!r}")
        if self.sharpness and self.clear == "epoch":
            raise HandledError("sharpness moves along a step's gradient: it needs clear: step")
        if not 0 <= self.ema < 1:
            raise HandledError(f"ema must lie in [0, 1): {self.ema!r}")

    def _one_of(self, name: str, *choices: str) -> None:
        value = getattr(self, name)
        if value not in choices:
            raise HandledError(f"{name} must be one of {', '.join(choices)}: {value!r}")

    def to_json(self) -> JsonObject:
        """Plain values, for keys and records; `sharpness` only where there is some."""
        values = {n: v for n, v in vars(self).items() if n != "sharpness" or v}
        return plain_object(values)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> TrainOptions:
        """From plain values.

        Raises:
            HandledError: an unknown name or a bad value.
        """
        known = {f.name for f in dataclasses.fields(cls)}
        for name in values:
            if name not in known:
                raise HandledError(f"unknown training option {name!r}")
        return cls(**values)
