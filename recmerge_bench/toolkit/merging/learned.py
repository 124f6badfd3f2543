"""Weights of task vectors learned on pseudo-users; a strategy adds the loss. No torch at import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from recmerge_bench.definitions import StrategyDefinition
from recmerge_bench.errors import HandledError
from recmerge_bench.tiers import MergeInput, WithCatalogue, needs

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from recmerge_bench.toolkit.merging.task_vectors import TaskVectors
    from recmerge_bench.toolkit.merging.users import Users


@dataclass(frozen=True)
class LearnOptions:
    """How the weights are learned; a strategy's options extend these.

    Attributes:
        granularity: what has a weight of its own: each ``domain``, each ``layer`` of each domain,
            or each ``tensor`` of each domain.
        vectors: ``task`` vectors; those of ``ties`` (trimmed, agreeing, averaged); or ``kept``:
            trimmed and agreeing at full size, by the TIES authors' threshold and majority rule
            (AdaMerging++).
        density: share of each task vector's entries that is kept, with ``ties`` and ``kept``.
        start: initial weight.
        clamp: the model is merged with the weights clamped to [0, 1]; a weight beyond either end
            has no gradient.
        steps: number of steps of Adam.
        lr: learning rate of Adam.
        batch: pseudo-users in a step: of all domains together, or of each domain with sampling
            ``each``.
        batches: number of batches of each domain in a step, with sampling ``each``.
        sampling: ``proportional`` to the domains' sizes, or ``balanced``: the step's loss is the
            mean over the batch. ``each``: batches of every domain, none drawn twice in a step,
            and the loss is the sum of the batches' means.
        exclude_self: take the pseudo-user's own item out of what is predicted.
        refresh: steps between encodings of the merged model's items; 0: once, at the start.
        dropout: learn with the model's dropout on.
    """

    granularity: Literal["domain", "layer", "tensor"] = "layer"
    vectors: Literal["task", "ties", "kept"] = "task"
    density: float = 0.2
    start: float = 0.2
    clamp: bool = False
    steps: int = 500
    lr: float = 1e-3
    batch: int = 16
    batches: int = 1
    sampling: Literal["proportional", "balanced", "each"] = "proportional"
    exclude_self: bool = False
    refresh: int = 0
    dropout: bool = False

    def __post_init__(self) -> None:
        if self.steps < 0 or self.refresh < 0 or min(self.batch, self.batches) < 1:
            raise HandledError(
                "steps and refresh must not be negative, batch and batches must be positive"
            )
        if self.batches > 1 and self.sampling != "each":
            raise HandledError("several batches in a step need sampling: each")
        if self.clamp and not 0 <= self.start <= 1:
            raise HandledError(f"clamp keeps weights in [0, 1]; start={self.start} is not in it")
        if not 0 < self.density <= 1:
            raise HandledError(f"density={self.density} is not in (0, 1]")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise HandledError(f"{name} is one of {', '.join(choices)}")


_CHOICES = {
    "granularity": ("domain", "layer", "tensor"),
    "vectors": ("task", "ties", "kept"),
    "sampling": ("proportional", "balanced", "each"),
}


class LearnedWeights(StrategyDefinition):
    """Adam on a loss of the merged model's predictions for pseudo-users (data tier T1).

    Registered with tier T3, the same strategy learns on users' training histories instead.
    """

    def each(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Loss of each pseudo-user.

        Args:
            student: the merged model's scores [B, N], with gradients.
            teacher: the expert's, without; an excluded item has -inf on both sides.

        Returns:
            [B].
        """
        raise NotImplementedError

    def merge(self, given: MergeInput) -> dict[str, torch.Tensor]:
        """Learn the weights and merge with them."""
        import torch

        from recmerge_bench.toolkit.merging.coefficients import Coefficients
        from recmerge_bench.toolkit.merging.task_vectors import TaskVectors
        from recmerge_bench.toolkit.merging.vectors import unflatten

        given = needs(given, WithCatalogue, "learning weights")
        o = self.options
        vectors = transformed(TaskVectors.of(given), o.vectors, o.density)
        learned = Coefficients(vectors, o.granularity, o.start)
        net = given.users.net(given.base)
        learned.bind(net)
        net.train(o.dropout)
        trace = self._learn(learned, net, given)
        given.notes.update(
            domains=list(vectors.domains),
            groups=list(learned.groups),
            weights=learned.weights.tolist(),
            trace=trace,
        )
        with torch.no_grad():
            return unflatten(learned.flat, given.base)

    def _learn(self, learned: Any, net: nn.Module, given: WithCatalogue) -> list[dict[str, Any]]:
        """Run the steps; (step, loss, weights) at some of them."""
        import torch

        o, users = self.options, given.users
        teachers = {e.domain: Teacher(users, e.domain, e.weights) for e in given.experts}
        raw = learned.weights.clone()  # what Adam moves; the model has it clamped, if asked
        optimizer = torch.optim.Adam([raw], lr=o.lr)
        items: dict[str, Any] = {}
        trace = []
        for step in range(o.steps):
            if step == 0 or (o.refresh and step % o.refresh == 0):
                items = frozen_items(users, net)
            learned.gradient.zero_()
            place = [raw.device] if raw.device.type == "cuda" else []
            with torch.random.fork_rng(devices=place), torch.enable_grad():
                torch.manual_seed(users.generator(step, 1).initial_seed())  # of dropout
                loss = self._loss(users, net, teachers, items, step)
                loss.backward()
            raw.grad = learned.weights_gradient()
            if o.clamp:
                raw.grad *= (raw >= 0) & (raw <= 1)
            if step % max(1, o.steps // 50) == 0:
                trace.append(
                    {
                        "step": step,
                        "loss": float(loss.detach()),
                        "weights": learned.weights.tolist(),
                    }
                )
            optimizer.step()
            learned.weights.copy_(raw.clamp(0, 1) if o.clamp else raw)
            learned.merge()
        return trace

    def _loss(
        self,
        users: Users,
        net: nn.Module,
        teachers: Mapping[str, Teacher],
        items: Mapping[str, Any],
        step: int,
    ) -> Tensor:
        """Of a step's pseudo-users, domain by domain; see `LearnOptions.sampling`."""
        import torch

        o, parts = self.options, []
        for domain, rows in self._sample(users, step).items():
            student = users.scores(users.encode(net, domain, rows), items[domain])
            teacher = teachers[domain].scores(rows)
            if o.exclude_self:
                own = users.own(domain, rows)[:, None].to(student.device)
                student = student.scatter(1, own, -torch.inf)
                teacher = teacher.scatter(1, own, -torch.inf)
            values = self.each(student, teacher)
            if o.sampling == "each":
                parts += [batch.mean() for batch in values.split(o.batch)]
            else:
                parts.append(values.sum() / o.batch)
        return torch.stack(parts).sum()

    def _sample(self, users: Users, step: int) -> dict[str, Tensor]:
        """Pseudo-users of a step by domain: int64 [some]."""
        import torch

        count, generator = self.options.batch, users.generator(step, 0)
        if self.options.sampling == "each":
            count *= self.options.batches
            return {
                d: torch.randperm(users.size(d), generator=generator)[:count] for d in users.domains
            }
        sizes = torch.tensor([users.size(d) for d in users.domains])
        if self.options.sampling == "balanced":
            owner = (torch.arange(count) + step * count) % len(sizes)
        else:
            owner = torch.multinomial(sizes.double(), count, True, generator=generator)
        drawn = {}
        for number, domain in enumerate(users.domains):
            some = int((owner == number).sum())
            if some:
                drawn[domain] = torch.randint(int(sizes[number]), (some,), generator=generator)
        return drawn


class Teacher:
    """A domain's expert: vectors of all pseudo-users and items; scores are made on the fly.

    An expert without vectors is run for the pseudo-users of each step.
    """

    def __init__(self, users: Users, domain: str, weights: Mapping[str, Tensor]) -> None:
        import torch

        self.net, self.domain, self.users = users.net(weights, [domain]), domain, users
        with torch.no_grad():
            self.vectors = users.encode_all(self.net, domain) if users.have_vectors else None
            self.items = users.items(self.net, domain)

    def scores(self, rows: Tensor) -> Tensor:
        """[B, N] for some pseudo-users, without gradients."""
        import torch

        with torch.no_grad():
            if self.vectors is None:
                return self.users.encode(self.net, self.domain, rows)
            return self.users.scores(self.vectors[rows], self.items)


def frozen_items(users: Users, net: nn.Module) -> dict[str, Any]:
    """Items of every domain as the net has them now, dropout off: (vectors, biases or None)."""
    import torch

    was, frozen = net.training, {}
    net.eval()
    with torch.no_grad():
        for domain in users.domains:
            table, bias = users.items(net, domain)
            frozen[domain] = (table.clone(), None if bias is None else bias.clone())
    net.train(was)
    return frozen


def transformed(vectors: TaskVectors, kind: str, density: float) -> TaskVectors:
    """Task vectors as `LearnOptions.vectors` names them; works in place."""
    from recmerge_bench.toolkit.merging.trim import disjoint_means, elected_signs, keep_largest

    if kind == "task":
        return vectors
    extra, zero = (1, "majority") if kind == "kept" else (0, "plus")
    for row in vectors.rows:
        keep_largest(row, int(density * len(row)) + extra)
    if kind == "ties":
        return vectors.with_rows(disjoint_means(vectors.rows, zero))
    signs = elected_signs(vectors.rows, zero)
    return vectors.with_rows(vectors.rows.masked_fill_(vectors.rows * signs < 0, 0.0))
