"""What models trained by gradient have to do: backbones of one domain, CDSR models of several."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from recmerge_bench.borders.models import (
    check_facts,
    check_items,
    history_limit,
)
from recmerge_bench.conformance.common import COMMON, refuse_not_finite
from recmerge_bench.conformance.devices import some_device
from recmerge_bench.conformance.model_checkpoints import checkpoint
from recmerge_bench.conformance.model_probes import check_probe
from recmerge_bench.conformance.model_subject import BATCH, ModelSubject
from recmerge_bench.conformance.requirement import Unmet, Untried, requirement
from recmerge_bench.conformance.subject import apart, as_arrays, difference
from recmerge_bench.conformance.worlds import (
    chance,
    other_held_out,
    unlearnable,
)
from recmerge_bench.data.sequences import Batch
from recmerge_bench.policy import select
from recmerge_bench.training.prepared import prepare

#: How much better than chance a model trained on learnable data has to rank, at the least.
BETTER_THAN_CHANCE = 1.15
#: Largest difference of what is to be equal but for rounding, as a share of the values' spread.
CLOSE = 1e-3
#: Share of a loss that knowing the next event must not save.
LEAK = 0.15


@requirement(
    "facts-and-shapes",
    "policy, tables, item and user vectors, and probes, are what the contract says",
    why="tables are kept by name, and scores are products of user and item vectors of one width, "
    "or scores() gives one for each item of the domain",
    remedy="name the item table of domain d `tables.<d>` ([items of d, width]); items() gives the "
    "vectors of that domain alone",
)
def facts(subject: ModelSubject) -> None:
    """Net, items and users, by the checks that a run makes."""
    check_facts(subject.definition)
    subject.scores(subject.built())
    joint = subject.net(domains=subject.catalogue.domains)
    for domain in (subject.target,) if subject.target else subject.catalogue.domains:
        check_probe(subject, joint, domain)
        if not subject.definition.scores_are_products():
            subject.whole_scores(joint, *subject.histories(), domain)
            continue
        with torch.inference_mode():
            returned = subject.definition.items(joint, domain)
        size = subject.catalogue.size(domain)
        check_items(subject.definition, returned, domain, size, torch.device("cpu"))


@requirement(
    "experts-fit",
    "what merges has the same names and shapes in the models of all domains",
    why="an expert is trained on one domain; tensors that do not fit the others cannot be merged",
    remedy="give nothing that merges a size or a name of the domain; what has one stays with its "
    "domain by the class's `policy` ({'tables.': 'domain', ...})",
)
def experts_fit(subject: ModelSubject) -> None:
    """A net for each domain, and one for both."""
    if subject.mixed:
        raise Untried("CDSR models are not merged")
    subject.refuse_tokens()
    names = subject.catalogue.domains
    first: dict[str, Any] = {}
    for domains in (names[:1], names[1:], names):
        state = subject.net(domains=domains).state_dict()
        merging = {n: tuple(t.shape) for n, t in select(
            state, subject.definition.policy, "merge").items()}  # fmt: skip
        first = first or merging
        for name in sorted({*first, *merging}):
            if first.get(name) != merging.get(name):
                raise Unmet(
                    f"'{name}' is {_shape(first.get(name))} in a model of {names[0]} and "
                    f"{_shape(merging.get(name))} in one of {' and '.join(domains)}"
                )
    if not first:
        raise Unmet("no tensor merges: the policy keeps all of them")


def _shape(shape: tuple[int, ...] | None) -> str:
    return "absent" if shape is None else str(list(shape))


@requirement(
    "batch-invariance",
    "a user's vector does not depend on who else is in the batch, nor on its order",
    why="users are ranked in blocks of near-equal length: a rank would hang on the block",
    remedy="no statistics over the batch in evaluation (use LayerNorm for BatchNorm), no sorting "
    "that is not undone, no positions from the batch's longest history; `scope` is what the "
    "batch's items are of: look other items up without it (tables.lookup(neighbours))",
)
def batch_invariance(subject: ModelSubject) -> None:
    """Users together, alone, and in reverse order."""
    net = subject.built()
    items, lengths = subject.histories()
    together = subject.users(net, items, lengths)
    back = subject.users(net, items.flip(0), lengths.flip(0)).flip(0)
    alone = torch.cat([
        subject.users(net, items[i : i + 1, : int(lengths[i])], lengths[i : i + 1])
        for i in range(len(items))
    ])  # fmt: skip
    for other, how in ((back, "in reverse order"), (alone, "alone")):
        if (away := apart(together, other)) > CLOSE:
            raise Unmet(f"users' vectors {how} differ from those together by {away:.3g}")


@requirement(
    "padding",
    "what stands behind a history's length is not looked at",
    why="padding is told by length alone: item 0 is an item, and in ranking the last event is "
    "repeated",
    remedy="mask by lengths (torch.arange(L) < lengths[:, None]) in attention, recurrence, "
    "pooling and loss; never compare items with 0",
)
def padding(subject: ModelSubject) -> None:
    """Other items behind the end, more of them, and the same in training windows."""
    net = subject.built()
    items, lengths = subject.histories()
    before = subject.users(net, items, lengths)
    span = subject.catalogue.span(subject.domains[0])
    for filler, what in ((span.start, "the first item"), (span.stop - 1, "the last item")):
        if (away := apart(before, subject.users(net, _padded(items, lengths, filler), lengths))) > (
            CLOSE
        ):
            raise Unmet(f"with {what} behind the end users' vectors differ by {away:.3g}")
    room = history_limit(subject.definition, "encoded_history") - items.shape[1]
    if room > 0:
        longer = torch.cat([items, items[:, -1:].expand(-1, min(room, 5))], 1)
        if (away := apart(before, subject.users(net, longer, lengths))) > CLOSE:
            raise Unmet(f"with more padding users' vectors differ by {away:.3g}")
    _padding_in_loss(subject, net)


def _padded(items: Tensor, lengths: Tensor, filler: int) -> Tensor:
    behind = torch.arange(items.shape[1]) >= lengths[:, None]
    return items.masked_fill(behind, filler)


def _padding_in_loss(subject: ModelSubject, net: nn.Module) -> None:
    batch = subject.batch(subject.split)
    lengths = batch.lengths.clone()
    lengths[::2] = (lengths[::2] - 2).clamp_min(1)
    losses = []
    for filler in (0, subject.catalogue.span(subject.domains[0]).stop - 1):
        own = replace(
            batch, items=_padded(batch.items, lengths, filler), lengths=lengths,
            targets=_padded(batch.targets, lengths, filler),
        )  # fmt: skip
        losses.append(float(subject.loss(net, own)[0].detach()))
    if abs(losses[0] - losses[1]) > 1e-4 * max(1.0, abs(losses[0])):
        raise Unmet(
            f"other items in the padding of training windows, and the loss is {losses[1]:.6g} "
            f"instead of {losses[0]:.6g}"
        )


@requirement(
    "finite",
    "losses, gradients and scores of the shortest and the longest windows are finite",
    why="one NaN in a batch is in every weight after the step",
    remedy="no division by a count that may be 0, no softmax over nothing (a row that is masked "
    "whole), clamp before log and square root",
)
def finite(subject: ModelSubject) -> None:
    """Windows of one event, one window alone, one item repeated."""
    net = subject.net()
    batch = subject.batch(subject.split)
    one = torch.ones_like(batch.lengths)
    first = batch.items[:, :1].expand_as(batch.items).contiguous()
    windows = {
        "windows of one event": replace(
            batch, items=batch.items[:, :1], targets=batch.targets[:, :1], lengths=one
        ),
        "one window": replace(
            batch, items=batch.items[:1], targets=batch.targets[:1], lengths=batch.lengths[:1]
        ),
        "one item repeated": replace(batch, items=first, targets=first),
    }
    for what, own in windows.items():
        net.zero_grad()
        loss, _ = subject.loss(net.train(), own)
        loss.backward()
        grads = {n: p.grad for n, p in net.named_parameters() if p.grad is not None}
        refuse_not_finite(as_arrays({"the loss": loss, **grads}), what)
    refuse_not_finite(as_arrays({"scores": subject.scores(net.eval())}), "six histories")


@requirement(
    "causality",
    "training does not see what it is to predict, and nothing reads held-out events",
    why="a model that sees its targets learns to copy: its loss falls, its ranks do not rise; "
    "one that reads held-out events has seen the test",
    remedy="a causal mask (torch.nn.Transformer.generate_square_subsequent_mask), targets shifted "
    "by one, and prepare() from split.sequences.training() alone",
)
def causality(subject: ModelSubject) -> None:
    """Train on noise: then the true next events may not cost less than any others."""
    prepared = prepare(subject.definition, subject.split, subject.catalogue, subject.domains)
    other = other_held_out(subject.split)
    again = prepare(subject.definition, other, subject.catalogue, subject.domains)
    if fault := difference(dict(prepared), dict(again)):
        raise Unmet(f"prepare() reads held-out events: with others, {fault}")
    noise = unlearnable(subject.mixed)
    state = subject.train(max(12, subject.steps // 2), noise).state
    net = subject.loaded(state, split=noise)
    batch = subject.batch(unlearnable(subject.mixed, seed=2), rows=3 * BATCH)
    true, false = (
        _mean_loss(subject, net, b) for b in (batch, _with_other_targets(subject, batch))
    )
    subject.measured["causality"] = {"true": round(true, 4), "drawn anew": round(false, 4)}
    if true < false - LEAK * abs(false):
        raise Unmet(
            f"trained on random events, its loss is {true:.3f} for the events that follow and "
            f"{false:.3f} for others: it sees the events that it is to predict"
        )


def _mean_loss(subject: ModelSubject, net: nn.Module, batch: Batch) -> float:
    """Over several draws of masks and negatives."""
    losses = [float(subject.loss(net, batch, seed)[0].detach()) for seed in range(3)]
    return sum(losses) / len(losses)


def _with_other_targets(subject: ModelSubject, batch: Batch) -> Batch:
    """Targets drawn anew, each from its own domain's items."""
    draw = torch.Generator().manual_seed(9)
    targets = batch.targets.clone()
    for domain in subject.domains:
        span = subject.catalogue.span(domain)
        own = (targets >= span.start) & (targets < span.stop)
        fresh = torch.randint(span.start, span.stop, targets.shape, generator=draw)
        targets = torch.where(own, fresh, targets)
    inside = torch.arange(targets.shape[1]) < batch.lengths[:, None]
    return replace(batch, targets=torch.where(inside, targets, batch.targets))


@requirement(
    "order-of-domains",
    "a model of several domains scores alike whatever order they are named in",
    why="the order in a suite's file is an accident, and weights are loaded by name",
    remedy="name parameters after their domain, not after its place; sort or look up domains by "
    "name in the catalogue",
)
def order_of_domains(subject: ModelSubject) -> None:
    """The same weights in nets that were built for the domains in both orders."""
    subject.refuse_tokens()
    names = subject.catalogue.domains
    one = subject.net(domains=names)
    other = subject.loaded(one.state_dict(), names[::-1])
    if (away := apart(subject.scores(one), subject.scores(other))) > CLOSE:
        raise Unmet(f"built for {', '.join(names[::-1])}, scores differ by {away:.3g}")


@requirement(
    "widths",
    "it works at other widths than its default",
    why="suites set widths to what a machine carries, and compare models of one width",
    remedy="derive every inner size from the option; refuse impossible ones in Options' "
    "__post_init__ with a HandledError",
)
def widths(subject: ModelSubject) -> None:
    """Its option `width`, halved and doubled."""
    import dataclasses

    options = subject.definition.options
    if not isinstance(getattr(options, "width", None), int):
        raise Untried("it has no option `width`")
    subject.refuse_tokens()
    for width in (max(4, options.width // 2), options.width * 2):
        other = type(subject.definition)(dataclasses.replace(options, width=width))
        own = replace(subject, definition=other, kept={}, measured={})
        scores = own.scores(own.built())
        loss, _ = own.loss(own.built(), own.batch(own.split))
        refuse_not_finite(as_arrays({"scores": scores, "loss": loss}), f"width {width}")


@requirement(
    "quality",
    f"trained on learnable data it ranks {BETTER_THAN_CHANCE} times as well as chance",
    why="a model that learns nothing from what can be learned is broken, whatever it costs",
    remedy="look whether loss() falls, whether gradients reach the tables, and whether encode() "
    "and items() use what loss() trains",
)
def quality(subject: ModelSubject) -> None:
    """Validation NDCG@10 after a short training, beside chance and the untrained net."""
    reached = float(subject.trained().report["best_valid"])
    untrained = subject.validated(subject.built())
    bound = BETTER_THAN_CHANCE * chance()
    subject.measured["quality"] = {
        "NDCG@10": round(reached, 4), "untrained": round(untrained, 4), "chance": round(chance(), 4)
    }  # fmt: skip
    if reached < max(bound, untrained):
        raise Unmet(
            f"NDCG@10 after {subject.steps} steps is {reached:.3f} (untrained {untrained:.3f}, "
            f"chance {chance():.3f})"
        )


@requirement(
    "devices",
    "on another device it gives what it gives on the CPU",
    why="trainings run where the user has a GPU",
    remedy="make tensors on the inputs' device (torch.arange(n, device=items.device)), keep "
    "constants as buffers, draw with batch.generator on its own device",
)
def devices(subject: ModelSubject) -> None:
    """A loss, its gradients and scores, within rounding."""
    subject.refuse_tokens()
    with some_device(subject) as device:
        net = subject.net().to(device)
        there = subject.scores(net).cpu()
        loss, _ = subject.loss(net.train(), subject.batch(subject.split, device))
        loss.backward()
    if (away := apart(subject.scores(subject.built()), there)) > 0.01:
        raise Unmet(f"scores on {device} differ from the CPU's by {away:.3g}")


REQUIREMENTS = (
    facts, experts_fit, batch_invariance, padding, finite, causality, checkpoint, order_of_domains,
    widths, quality, devices, *COMMON,
)  # fmt: skip

__all__ = ["REQUIREMENTS", "ModelSubject"]
