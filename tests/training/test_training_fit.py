"""Training: resumption to the byte, determinism, initial weights, what it raises."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import builders
import numpy as np
import pytest
import torch
from recmerge_bench_plugins.backbones.sasrec import SASRec, SASRecOptions

from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.evaluation.loaded import LoadedModel
from recmerge_bench.evaluation.metrics import mrr
from recmerge_bench.evaluation.ranking import Ranking
from recmerge_bench.training.options import TrainOptions
from recmerge_bench.training.progress import Progress, rate
from recmerge_bench.training.trainer import Diverged, TrainResult, fit
from recmerge_bench.training.validation import Selection, Validator

CAT = builders.catalogue((30, 20))
SPLIT = builders.planted(CAT, users=100)
OPTIONS = TrainOptions(
    epochs=3, batch_size=8, lr=3e-3, save_every=3, report_every=1, warmup=4, weight_decay=0.01
)


class Killed(Exception):
    """Stands for a killed worker."""


def model(**more: Any) -> SASRec:
    return SASRec(SASRecOptions(width=16, heads=2, max_len=8, **more))


def model_of(max_len: int) -> SASRec:
    return SASRec(SASRecOptions(width=16, heads=2, max_len=max_len))


def train(options: TrainOptions = OPTIONS, seed: int = 3, **more: Any) -> TrainResult:
    domains = more.pop("domains", ("alpha", "beta"))
    definition = more.pop("definition", None) or model()
    return fit(definition, CAT, SPLIT, domains, "domain", options, seed, **more)


def same(a: TrainResult, b: TrainResult) -> bool:
    return list(a.state) == list(b.state) and all(
        torch.equal(a.state[k], b.state[k]) for k in a.state
    )


def kill_at(step: int) -> Any:
    def tell(facts: dict[str, Any]) -> None:
        if facts["step"] >= step:
            raise Killed

    return tell


@pytest.mark.parametrize(("loss", "ema"), [("ce", 0.0), ("sampled-ce", 0.0), ("ce", 0.9)])
def test_resumed_ends_in_the_same_bytes(tmp_path: Path, loss: str, ema: float) -> None:
    definition = model(loss=loss, negatives=5)
    options = replace(OPTIONS, ema=ema)
    whole = train(options, definition=definition)
    assert whole.report["steps"] > 30
    for step in (5, 17, 26):
        torch.manual_seed(step)
        with pytest.raises(Killed):
            train(options, definition=definition, resume_dir=tmp_path, progress=kill_at(step))
    done = train(options, definition=definition, resume_dir=tmp_path)
    assert same(whole, done)
    assert done.report["steps"] == whole.report["steps"]
    assert [h["valid"] for h in done.report["history"]] == [
        h["valid"] for h in whole.report["history"]
    ]
    again = train(options, definition=definition, resume_dir=tmp_path)  # finished already
    assert same(whole, again)


def test_average_of_weights_by_hand() -> None:
    options = TrainOptions(steps=1, lr=0.01, eval_every=-1)
    states = [train(replace(options, steps=n)).state for n in range(1, 5)]
    start = train(replace(options, lr=0.0)).state
    wanted = {k: v.double() for k, v in start.items()}
    for step, state in enumerate(states):
        decay = min(0.3, (1 + step) / (10 + step))
        wanted = {k: decay * v + (1 - decay) * state[k].double() for k, v in wanted.items()}
    actual = train(replace(options, steps=4, ema=0.3)).state
    for name, value in wanted.items():
        assert torch.allclose(actual[name].double(), value, atol=1e-6)
    assert not torch.equal(actual["positions"], states[-1]["positions"])


def test_steps_of_several_batches() -> None:
    """As many targets in fewer steps."""
    halves = TrainOptions(epochs=1, accumulate=100, batch_size=16, lr=0.01, eval_every=-1)
    report = train(halves).report
    assert report["steps"] == 1
    assert report["targets"] == train(replace(halves, accumulate=1)).report["targets"]
    parts = sum(-(-(n - 1) // 8) for n in SPLIT.sequences.train_end.tolist() if n > 1)
    assert report["windows"] >= parts  # a long sequence's first piece has a random length
    short = train(halves, definition=model_of(100)).report
    assert short["windows"] == int((SPLIT.sequences.train_end > 1).sum())
    three = train(replace(halves, accumulate=3)).report["steps"]
    one = train(replace(halves, accumulate=1)).report["steps"]
    assert three == -(-one // 3) and one > 4


def test_the_gradient_of_a_step_is_the_mean_over_its_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[list[torch.Tensor]] = []
    step = torch.optim.AdamW.step

    def watched(self: torch.optim.AdamW, closure: Any = None) -> Any:
        params = [p for group in self.param_groups for p in group["params"]]
        seen.append([torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in params])
        return step(self, closure)

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    still = TrainOptions(epochs=1, batch_size=32, lr=0.0, clip=0, eval_every=-1)
    plain = SASRec(SASRecOptions(width=16, max_len=10, dropout=0.0))
    train(still, definition=plain)
    singles, seen[:] = list(seen), []
    train(replace(still, accumulate=len(singles)), definition=plain)
    for whole, *parts in zip(seen[0], *singles, strict=True):
        torch.testing.assert_close(whole, torch.stack(parts).mean(0), atol=1e-6, rtol=1e-4)


def test_accumulated_training_resumes_to_the_same_bytes(tmp_path: Path) -> None:
    options = TrainOptions(
        epochs=4, accumulate=3, batch_size=8, eval_every=0, save_every=1, report_every=1
    )
    whole = train(options)
    for step in (2, 5):
        with pytest.raises(Killed):
            train(options, resume_dir=tmp_path, progress=kill_at(step))
    assert same(whole, train(options, resume_dir=tmp_path))


def test_kill_keeps_one_state_and_no_pickle(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        train(resume_dir=tmp_path, progress=kill_at(11))
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".json", ".safetensors"]
    assert json.loads((tmp_path / "training.json").read_text())["facts"]["progress"]["step"] == 9


def test_damaged_state_restarts(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        train(resume_dir=tmp_path, progress=kill_at(8))
    file = next(tmp_path.glob("*.safetensors"))
    file.write_bytes(file.read_bytes()[:-5] + b"xxxxx")
    with pytest.warns(UserWarning, match="restarts"):
        again = train(resume_dir=tmp_path)
    assert same(again, train())


def test_state_of_another_training_is_not_taken(tmp_path: Path) -> None:
    train(resume_dir=tmp_path, seed=4)
    assert same(train(resume_dir=tmp_path), train())


def test_seed_decides() -> None:
    torch.manual_seed(123)
    before = torch.random.get_rng_state()
    one = train()
    assert torch.equal(before, torch.random.get_rng_state())
    np.random.seed(5)
    torch.rand(3)
    assert same(one, train())
    assert not same(one, train(seed=4))


def test_init_by_name() -> None:
    short = TrainOptions(steps=1, lr=0.0, eval_every=-1)
    base = train(short, domains=("alpha",), seed=1).state
    tuned = train(short, domains=("beta",), seed=2, init=base).state
    assert "tables.alpha" not in tuned
    assert torch.equal(tuned["positions"], base["positions"])
    with pytest.raises(ValueError, match="unknown"):
        train(short, init={**base, "tables.gamma": torch.zeros(2, 2)})
    with pytest.raises(ValueError, match="shape"):
        train(short, init={**base, "positions": torch.zeros(2, 2)})
    with pytest.raises(ValueError, match="lack"):
        train(short, init={k: v for k, v in base.items() if k != "positions"})


def test_divergence_raises() -> None:
    bad = {k: v * torch.nan for k, v in train(TrainOptions(steps=1, lr=0.0)).state.items()}
    with pytest.raises(Diverged):
        train(init=bad)


class Tight(SASRec):
    """A device whose memory holds so many windows: a rehearsal, with the error that CUDA raises."""

    holds, asked = 4, 0

    def loss(self, net: Any, batch: Any) -> Any:
        type(self).asked = max(self.asked, len(batch.items))
        if len(batch.items) > self.holds:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return super().loss(net, batch)


def tight(holds: int) -> Tight:
    cls = type("Tight", (Tight,), {"holds": holds, "asked": 0})
    made: Tight = cls(SASRecOptions(width=16, heads=2, max_len=8))
    return made


def test_out_of_memory_halves_batches_once(tmp_path: Path) -> None:
    halved = train(definition=tight(4), resume_dir=tmp_path / "a")
    assert halved.report["halved"] is True
    whole = train()
    assert "halved" not in whole.report and halved.report["steps"] == whole.report["steps"]
    assert halved.report["targets"] == whole.report["targets"]
    for name, tensor in whole.state.items():  # dropout draws otherwise, so not the same bytes
        assert halved.state[name].shape == tensor.shape and bool(
            halved.state[name].isfinite().all()
        )
    with pytest.raises(Killed):
        train(definition=tight(4), resume_dir=tmp_path / "b", progress=kill_at(7))
    resumed = train(definition=tight(4), resume_dir=tmp_path / "b")
    assert same(resumed, halved), "killed and resumed, it ends in the same bytes"
    with pytest.raises(torch.cuda.OutOfMemoryError):
        train(definition=tight(3))


def test_the_gradient_of_halves_is_that_of_the_whole() -> None:
    plain = TrainOptions(steps=12, epochs=0, batch_size=8, lr=1e-2, eval_every=-1, report_every=1)
    still = partial(SASRecOptions, width=16, heads=2, max_len=8, dropout=0.0)
    losses: dict[type, list[float]] = {SASRec: [], Tight: []}
    for cls, seen in losses.items():
        tell = partial(lambda seen, facts: seen.append(facts["loss"]), seen)
        result = train(plain, definition=cls(still()), progress=tell)
        assert ("halved" in result.report) is (cls is Tight)
    assert losses[SASRec][-1] < losses[SASRec][0]
    assert losses[Tight] == pytest.approx(losses[SASRec], rel=1e-3)


def test_stops_by_patience_and_keeps_the_best() -> None:
    result = train(
        TrainOptions(steps=400, epochs=0, batch_size=16, lr=0.05, patience=2, eval_every=5)
    )
    report = result.report
    assert report["stopped"] == "patience"
    assert report["best_valid"] == max(h["valid"] for h in report["history"])
    assert report["steps"] == report["best_step"] + 10
    assert all(v.is_contiguous() for v in result.state.values())


def test_schedule_and_refusals() -> None:
    assert train(TrainOptions(steps=5, schedule="cosine", warmup=2)).report["steps"] == 5
    for bad in (
        {"steps": 0, "epochs": 0},
        {"schedule": "cosine"},
        {"schedule": "step"},
        {"precision": "fp8"},
        {"select": "@loo"},
        {"clear": "never"},
        {"batching": "longest"},
        {"drop": 0.0},
        {"warmup_epochs": -1},
        {"sharpness": -0.1},
        {"sharpness": 0.1, "clear": "epoch"},
    ):
        with pytest.raises(HandledError):
            TrainOptions(**bad)
    with pytest.raises(HandledError):
        TrainOptions.from_json({"leraning_rate": 1})
    assert TrainOptions.from_json(OPTIONS.to_json()) == OPTIONS
    for precision in ("tf32", "bf16"):
        with pytest.raises(HandledError, match=f"precision {precision} needs a cuda device"):
            train(TrainOptions(precision=precision))  # type: ignore[arg-type]
    with pytest.raises(DataError):
        fit(model(), CAT, SPLIT, ("alpha",), "mixed", OPTIONS, 0)


def test_rate_on_a_plateau_and_warm_up_by_epochs() -> None:
    """A drop after more than two flat validations; warm-up validations are neither good nor bad."""
    options = TrainOptions(
        warmup_epochs=2, schedule="plateau", drop=0.4, drop_patience=2, select="MRR"
    )
    at = Progress()
    seen = []
    for epoch, value in enumerate([0.9, 0.8, 0.5, 0.4, 0.4, 0.4, 0.6, 0.1], start=1):
        at.epoch, at.step = epoch, 10 * epoch
        best = at.validated(value, {}, options)
        seen.append((best, at.bad, round(rate(options, at), 6)))
    assert [s[0] for s in seen] == [False, False, True, False, False, False, True, False]
    assert [s[1] for s in seen] == [0, 0, 0, 1, 2, 3, 0, 1]
    assert [s[2] for s in seen] == [0.500005, 1.0, 1.0, 1.0, 1.0, 0.4, 0.4, 0.4]
    assert rate(options, Progress()) == pytest.approx(1e-5)


def test_the_chosen_metric_is_validated() -> None:
    definition = model()
    net = definition.build(CAT, ("alpha",), 0).eval()
    selection = Selection("MRR@loo", partial(mrr, k=None))
    valid = Validator(CAT, SPLIT, ("alpha",), 0, selection)
    loaded = LoadedModel(definition, net, ("alpha",))
    better, equal = builders.net_counts(definition, net, SPLIT, valid.instances, CAT, [Ranking()])[
        0
    ]
    wanted = float(np.mean(1.0 / (1.0 + better + 0.5 * equal)))
    assert valid(loaded) == {"alpha": pytest.approx(wanted, rel=1e-12)}
    assert Validator(CAT, SPLIT, ("alpha",), 0)(loaded) != {"alpha": pytest.approx(wanted)}


def test_gradients_of_an_epoch_add_up_and_resume(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[torch.Tensor] = []
    step = torch.optim.AdamW.step

    def watched(self: torch.optim.AdamW, closure: Any = None) -> Any:
        seen.append(self.param_groups[0]["params"][0].grad.clone())
        return step(self, closure)

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    still = TrainOptions(epochs=2, batch_size=32, lr=0.0, clip=0, eval_every=-1)
    plain = SASRec(SASRecOptions(width=16, max_len=10, dropout=0.0))
    train(still, definition=plain)
    singles, seen[:] = list(seen), []
    train(replace(still, clear="epoch"), definition=plain)
    half = len(singles) // 2
    for epoch in (slice(0, half), slice(half, None)):
        sums = torch.stack(singles[epoch]).cumsum(0)
        torch.testing.assert_close(torch.stack(seen[epoch]), sums, atol=1e-6, rtol=1e-4)
    options = replace(OPTIONS, clear="epoch", save_every=1)
    whole = train(options)
    for at in (3, 8):
        with pytest.raises(Killed):
            train(options, resume_dir=tmp_path, progress=kill_at(at))
    assert same(whole, train(options, resume_dir=tmp_path))
    assert not same(whole, train(replace(options, clear="step")))


def test_a_single_target_model_is_selected_on_its_domain() -> None:
    result = train(replace(OPTIONS, epochs=1), definition=model(), target="beta")
    history = result.report["history"]
    assert "beta" in history[0] and "alpha" not in history[0]
