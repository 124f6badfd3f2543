"""MERIT: compact computation equals the dense one, and each published part does its part."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import builders
import pytest
import torch
from conftest import SAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st
from merit_dense import Dense, DenseReleased
from recmerge_bench_plugins.cdsr.merit import Merit, MeritOptions
from recmerge_bench_plugins.cdsr.merit import loss as merit_loss
from torch import Tensor

from recmerge_bench.data.sequences import Batch
from recmerge_bench.errors import HandledError
from recmerge_bench.evaluation.loaded import LoadedModel
from recmerge_bench.evaluation.probes import probe_model
from recmerge_bench.training.options import TrainOptions
from recmerge_bench.training.trainer import fit

LENGTH = 7
SMALL = MeritOptions(width=8, inner=12, max_len=LENGTH, negatives=4, dropout=0.0, std=0.5)
ABLATIONS: dict[str, dict[str, Any]] = {
    "none": {},
    "SF1": {"ecaf_sources": ("other",)},
    "SF2": {"ecaf_sources": ("mixed",)},
    "SF3": {"ecaf_mode": "add"},
    "SF4": {"ecaf_mode": "none"},
    "FF1": {"ffn": "single"},
    "MF1": {"caf_m": "add"},
    "MF2": {"caf_m": "none"},
    "RL1": {"residual": "grad"},
    "RL2": {"residual": "none"},
}


def model(domains: int = 2, seed: int = 0, **options: Any) -> tuple[Merit, Any]:
    definition = Merit(replace(SMALL, **options))
    cat = builders.catalogue((9, 7, 8)[:domains], ("a", "b", "c")[:domains])
    net: Any = definition.build(cat, cat.domains, seed)
    generator = torch.Generator().manual_seed(seed + 1)
    for name, parameter in net.named_parameters():
        if "bias" in name:  # a sink without biases would be too simple
            torch.nn.init.normal_(parameter, std=0.5, generator=generator)
    return definition, net.double()


def batch_of(sequences: list[list[int]], domains: tuple[str, ...]) -> Batch:
    """Training windows: all events but the last are inputs."""
    lengths = torch.tensor([len(s) - 1 for s in sequences])
    size = int(lengths.max())

    def padded(start: int) -> Tensor:
        rows = [s[start : start + len(s) - 1] for s in sequences]
        return torch.tensor([row + [0] * (size - len(row)) for row in rows])

    generator = torch.Generator().manual_seed(3)
    return Batch(padded(0), padded(1), lengths, domains, generator, {})


def dense(net: Any, batch: Batch) -> tuple[Tensor, Tensor]:
    """States of the batch's tokens from the dense form: mixed, and of the own domain."""
    size = LENGTH
    rows = torch.zeros(len(batch.items), size, dtype=torch.int64)
    numbers = torch.full_like(rows, -1)
    for i, n in enumerate(batch.lengths.tolist()):
        rows[i, size - n :] = net.tables.scope_rows(batch.items[i, :n], net.domains)
        numbers[i, size - n :] = net.number(rows[i, size - n :])
    states = Dense(net).states(rows, numbers)
    own = torch.stack([v for k, v in states.items() if k != "mixed"]).sum(0)
    return states["mixed"][numbers >= 0], own[numbers >= 0]


@pytest.mark.parametrize("computes", ["released", "released-2"])
def test_both_releases_are_what_is_written_down_of_them(computes: Any) -> None:
    """The first as a golden has it (test_merit_golden); the later differs in its masks alone."""
    sizes = {"width": 16, "inner": 24, "max_len": 12, "negatives": 5, "dropout": 0.0}
    cat = builders.catalogue((9, 7))
    definition = Merit(MeritOptions(**sizes, computes=computes))  # type: ignore[arg-type]
    net: Any = definition.build(cat, cat.domains, 3)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.2 * torch.randn(parameter.shape, generator=generator)
    net = net.double().eval()
    rows = [[0, 10, 1, 2, 11, 12, 3, 9], [4, 13, 5], [14, 6, 15, 7, 10, 8, 0, 1, 2, 11, 12, 13]]
    lengths = torch.tensor([len(r) for r in rows])
    right = torch.stack([torch.tensor(r + [0] * (12 - len(r))) for r in rows])
    dense = torch.stack([torch.tensor([0] * (12 - len(r)) + r) for r in rows])
    numbers = torch.stack(
        [torch.tensor([-1] * (12 - len(r)) + [int(i >= 9) for i in r]) for r in rows]
    )
    states = DenseReleased(net, computes == "released-2").states(dense, numbers)
    mixed, own = net(net.read(right, lengths))
    real = numbers >= 0
    torch.testing.assert_close(mixed, states["mixed"][real], atol=1e-10, rtol=1e-8)
    both = (states["of_alpha"] + states["of_beta"])[real]
    torch.testing.assert_close(own, both, atol=1e-10, rtol=1e-8)
    other = DenseReleased(net, computes == "released").states(dense, numbers)
    assert not torch.allclose(mixed, other["mixed"][real], atol=1e-2)
    for domain in cat.domains:  # the domains' own states are masked away at evaluation
        user = definition.encode(net, right, lengths, domain)
        torch.testing.assert_close(user, states["mixed"][:, -1], atol=1e-10, rtol=1e-8)


def sequences(domains: int) -> st.SearchStrategy[list[list[int]]]:
    items = st.integers(0, (16, 24)[domains - 2] - 1)
    return st.lists(st.lists(items, min_size=2, max_size=LENGTH + 1), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_compact_equals_dense(data: st.DataObject) -> None:
    domains = data.draw(st.sampled_from([2, 3]))
    changed = data.draw(st.sampled_from(list(ABLATIONS.values())))
    given_sequences = data.draw(sequences(domains))
    _, net = model(domains, **changed)
    batch = batch_of(given_sequences, net.domains)
    mixed, own = net(net.read(batch.items, batch.lengths))
    for ours, plain in zip((mixed, own), dense(net, batch), strict=True):
        torch.testing.assert_close(ours, plain, atol=1e-9, rtol=1e-9)


def plain_loss(
    net: Any, batch: Batch, drawn: list[tuple[Any, Tensor]], norm: str
) -> tuple[float, float]:
    """Both losses, a user and a position at a time."""
    mixed, own = (x.tolist() for x in net(net.read(batch.items, batch.lengths)))
    table = torch.cat([net.tables.domain_table(d) for d in net.domains])
    users, start, totals = len(batch.items), 0, [0.0, 0.0]
    for i, n in enumerate(batch.lengths.tolist()):
        events = [int(batch.items[i, 0]), *batch.targets[i, :n].tolist()]
        domain = [int(net.number(torch.tensor(e))) for e in events]
        for which in (0, 1):
            aim, negatives = drawn[which]
            parts: dict[int, list[Tensor]] = {}
            for t in range(n):
                later = [j for j in range(t + 1, n + 1) if which == 0 or domain[j] == domain[t]]
                if not later:
                    continue
                row = aim.tokens.tolist().index(start + t)
                assert int(aim.targets[row]) == events[later[0]]
                state = torch.tensor(mixed[start + t])
                if which == 1:
                    state = state + torch.tensor(own[start + t])
                chosen = [events[later[0]], *negatives[row].tolist()]
                logits = table[chosen].float() @ state / net.options.temperature
                part = domain[later[0]] if which == 1 or norm == "domain" else 0
                parts.setdefault(part, []).append(logits.logsumexp(0) - logits[0])
            totals[which] += sum(torch.stack(p).mean().item() for p in parts.values()) / users
        start += n
    return totals[0], totals[1]


@pytest.mark.parametrize("norm", ["domain", "sequence"])
@pytest.mark.parametrize("domains", [2, 3])
def test_loss_is_the_plain_one(norm: str, domains: int, monkeypatch: pytest.MonkeyPatch) -> None:
    definition, net = model(domains, m_norm=norm)
    # The second user has no event of the second domain, the third one no target at all in it.
    batch = batch_of([[0, 9, 1, 10, 2, 11], [3, 4, 5], [12, 6], [13, 7, 8, 0]], net.domains)
    drawn: list[tuple[Any, Tensor]] = []
    draw = merit_loss.draw

    def kept(net: Any, aim: Any, generator: torch.Generator) -> Tensor:
        drawn.append((aim, draw(net, aim, generator)))
        return drawn[-1][1]

    monkeypatch.setattr(merit_loss, "draw", kept)
    value, count = definition.loss(net, batch)
    assert count == 11
    assert value.item() == pytest.approx(sum(plain_loss(net, batch, drawn, norm)), rel=1e-5)
    value.backward()
    assert all(bool(p.grad.isfinite().all()) for p in net.parameters() if p.grad is not None)


def test_full_softmax_is_all_items_as_negatives() -> None:
    definition, net = model(negatives=0)
    net.float()
    batch = batch_of([[0, 9, 1, 10, 2, 11], [3, 4, 5], [12, 6]], net.domains)
    value, _ = definition.loss(net, batch)
    reading = net.read(batch.items, batch.lengths)
    mixed, own = net(reading)
    answers = merit_loss.Targets.of(net, batch, reading)
    table, expected = torch.cat([net.tables.domain_table(d) for d in "ab"]), 0.0
    for aim, states in ((answers.mixed("domain"), mixed), (answers.own(), own + mixed)):
        logits = states[aim.tokens] @ table.T / 0.75
        if aim.pools.shape[1] == 1:
            others = (torch.arange(16) >= 9).long() != aim.numbers[:, None]
            logits = logits.masked_fill(others, -torch.inf)
        each = torch.nn.functional.cross_entropy(logits, aim.targets, reduction="none")
        expected += (each * aim.weights).sum().item()
    assert value.item() == pytest.approx(expected, rel=1e-5)


def test_negatives_are_of_their_domain_and_not_of_the_history() -> None:
    for computes, first in (("paper", 9), ("released", 8)):
        _, net = model(negatives=500, computes=computes)
        batch = batch_of([[0, 9, 1, 10, 2, 11], [3, 4, 5], [12, 8]], net.domains)
        answers = merit_loss.Targets.of(net, batch, net.read(batch.items, batch.lengths))
        seen = [{0, 1, 2, 9, 10, 11}, {3, 4, 5}, {12, 8}]
        pools = [set(range(9)), set(range(first, 16))]
        for aim in (answers.mixed("domain"), answers.own()):
            drawn = merit_loss.draw(net, aim, torch.Generator().manual_seed(0))
            parts = drawn.view(len(drawn), -1, 500)
            for i, row in enumerate(aim.rows.tolist()):
                for j, number in enumerate(aim.pools[i].tolist()):
                    assert set(parts[i, j].tolist()) == pools[number] - seen[row]


def test_both_halves_of_ecaf_receive_gradient() -> None:
    for computes in ("paper", "released"):
        definition, net = model(computes=computes)
        batch = batch_of([[0, 9, 1, 10, 2, 11, 3, 12]] * 2, net.domains)
        definition.loss(net, batch)[0].backward()
        halves = [("mixed", "of_a"), ("mixed", "of_b"), ("of_b", "of_a"), ("of_a", "of_b")]
        for source, to in halves:
            ffn = net.branches[source].ffn
            number = net._outputs(source).index((source, to))
            size = float(ffn.experts.down.grad[1 + number].abs().max())
            assert (size > 0) is (computes == "paper" or source == "mixed")


def test_the_domains_branch_scores_as_published_and_not_as_released() -> None:
    items, lengths = torch.tensor([[0, 9, 1, 10], [3, 4, 0, 0]]), torch.tensor([4, 2])
    published, net = model(residual="none")
    own = published.encode(net, items, lengths, "a")
    assert bool((own.abs().sum(1) > 0).all())
    # The second user has no event of b: a vector of zeros, and no NaN.
    assert (published.encode(net, items, lengths, "b").abs().sum(1) > 0).tolist() == [True, False]
    released, net = model(residual="none", computes="released")
    assert not bool(released.encode(net, items, lengths, "a").any())
    released, net = model(computes="released")
    a, b = (released.encode(net, items, lengths, d) for d in "ab")
    assert torch.equal(a, b) and bool((a.abs().sum(1) > 0).all())


@pytest.mark.parametrize("position", ["last", "same"])
def test_encode_is_the_state_of_training(position: str) -> None:
    definition, net = model(3, eval_m_position=position)
    batch = batch_of([[0, 9, 17, 10, 1, 2], [3, 4, 5], [12, 20, 6, 7]], net.domains)
    reading = net.read(batch.items, batch.lengths)
    mixed, own = net(reading)
    for name in net.domains:
        users = definition.encode(net, batch.items, batch.lengths, name)
        tokens = reading.tokens[f"of_{name}"]
        for i in range(3):
            flat = (reading.tokens["mixed"].rows == i).nonzero()[:, 0]
            of_domain = tokens.flat[tokens.rows == i]
            same = position == "same" and len(of_domain)
            expected = mixed[of_domain[-1] if same else flat[-1]]
            if len(of_domain):
                expected = expected + own[of_domain[-1]]
            torch.testing.assert_close(users[i], expected)


def test_swapping_the_domains_permutes_the_results() -> None:
    one = Merit(replace(SMALL, negatives=0))
    net = one.build(builders.catalogue((9, 7), ("a", "b")), ("a", "b"), 0)
    other = one.build(builders.catalogue((7, 9), ("b", "a")), ("b", "a"), 5)
    state = dict(net.state_dict())
    for name in state:  # the mixed branch lists its outputs in the catalogue's order
        if name.startswith("branches.mixed.ffn.experts"):
            state[name] = state[name][[0, 1, 3, 2]]
        elif name == "branches.mixed.ffn.gate":
            state[name] = state[name][[0, 2, 1]]
    for part in ("weight", "bias"):
        for i, j in ((1, 2), (2, 1)):
            state[f"branches.mixed.ffn.norms.{i}.{part}"] = net.state_dict()[
                f"branches.mixed.ffn.norms.{j}.{part}"
            ]
    other.load_state_dict(state)
    given_items = [[0, 9, 1, 10, 2, 11], [3, 4, 5], [12, 6, 7]]
    swapped = [[item + 7 if item < 9 else item - 9 for item in s] for s in given_items]
    ours, theirs = batch_of(given_items, ("a", "b")), batch_of(swapped, ("b", "a"))
    torch.testing.assert_close(one.loss(net, ours)[0], one.loss(other, theirs)[0])
    for name in "ab":
        torch.testing.assert_close(
            one.encode(net, ours.items, ours.lengths, name),
            one.encode(other, theirs.items, theirs.lengths, name),
        )


def test_a_later_item_changes_nothing() -> None:
    _, net = model()
    for place in range(1, 6):
        batch = batch_of([[0, 9, 1, 10, 2, 11, 3]], net.domains)
        before = net(net.read(batch.items, batch.lengths))
        batch.items[0, place] += 4  # of the same domain: positions are counted from the end
        after = net(net.read(batch.items, batch.lengths))
        for a, b in zip(before, after, strict=True):
            torch.testing.assert_close(a[:place], b[:place], atol=1e-12, rtol=0)
            assert not torch.allclose(a[place:], b[place:])


def test_ablations_differ_and_have_their_parameters() -> None:
    expert, attention = 3 * 256 * 680, 4 * 256 * 256 + 4 * 256 + 512
    output = expert + 512 + 512
    less = {
        "SF1": 2 * output,
        "SF2": 2 * output,
        "SF3": 2 * attention + 2 * output,
        "SF4": 2 * attention + 4 * output,
        "FF1": 3 * (expert + 3 * output - expert - 512),
        "MF1": attention,
        "MF2": attention + 2 * output,
    }
    catalogue = builders.catalogue((3, 2), ("a", "b"))
    batch = batch_of([[0, 9, 1, 10, 2, 11, 3], [3, 4, 5]], ("a", "b"))
    values = {}
    for name, changed in ABLATIONS.items():
        big = Merit(MeritOptions(**changed)).build(catalogue, ("a", "b"), 0)
        count = sum(p.numel() for p in big.parameters()) - (5 + 48) * 256
        assert count == 9_426_432 - less.get(name, 0), name
        definition, net = model(**changed)
        grad = torch.autograd.grad(definition.loss(net, batch)[0], net.positions)[0]
        values[name] = float(grad.abs().sum())
    assert len(set(values.values())) == len(values)


def test_stopped_gradient() -> None:
    for residual in ("sg", "grad"):
        definition, net = model(residual=residual)
        batch = batch_of([[0, 9, 1, 10, 2, 11, 3]], net.domains)
        answers = merit_loss.Targets.of(net, batch, net.read(batch.items, batch.lengths))
        mixed = net(answers.reading)[0]
        loss = merit_loss.cross_entropy(net, mixed, answers.mixed("domain"), batch.generator)
        name = "transfers.mixed.ffn.experts.down"
        alone = torch.autograd.grad(loss, net.get_parameter(name))[0]
        batch.generator.manual_seed(3)
        whole = torch.autograd.grad(definition.loss(net, batch)[0], net.get_parameter(name))[0]
        assert torch.allclose(alone, whole, atol=1e-7) is (residual == "sg")


def test_initial_values() -> None:
    cat = builders.catalogue((40, 30), ("a", "b"))
    torch.manual_seed(1)
    one = Merit().build(cat, cat.domains, 7).state_dict()
    torch.manual_seed(2)
    two = Merit().build(cat, cat.domains, 7).state_dict()
    assert all(torch.equal(one[k], two[k]) for k in one)
    three = Merit().build(cat, cat.domains, 8).state_dict()
    assert not torch.equal(one["positions"], three["positions"])
    for name in ("positions", "tables.a", "tables.b"):
        assert float(one[name].abs().max()) <= 0.04 and 0.015 < float(one[name].std()) < 0.02
    bound = (6 / (256 + 3 * 256)) ** 0.5
    xavier = one["branches.mixed.attention.mha.in_weight"]
    assert 0.99 * bound < float(xavier.abs().max()) <= bound
    for name in ("branches.of_a.ffn.experts.up", "transfers.of_b.attention.mha.out.weight"):
        assert float(one[name].std()) == pytest.approx(0.02, rel=0.02)
    assert not bool(one["branches.mixed.attention.mha.in_bias"].any())


def test_dropout_is_drawn_in_training_alone() -> None:
    _, net = model(dropout=0.5)
    batch = batch_of([[0, 9, 1, 10, 2, 11, 3]], net.domains)

    def states(seed: int) -> Tensor:
        torch.manual_seed(seed)
        actual: Tensor = net(net.read(batch.items, batch.lengths))[1]
        return actual

    assert torch.equal(states(0), states(0)) and not torch.equal(states(0), states(1))
    net.eval()
    assert torch.equal(states(0), states(1))
    torch.testing.assert_close(states(0), dense(net, batch)[1])


def test_gates_by_output() -> None:
    definition, net = model(3)
    items, lengths = torch.tensor([[0, 9, 17, 10], [3, 4, 0, 0]]), torch.tensor([4, 2])
    gates = definition.probe(net, items, lengths, "a")
    names = ["mixed", "a", "b", "c"]
    assert set(gates) == {f"gate {x} to {y}" for x in names for y in names}
    for name, values in gates.items():
        source = name.split()[1]
        assert len(values) == (2 if source in ("mixed", "a") else 1), name
        assert bool(((values > 0) & (values < 1)).all())
    with torch.no_grad():
        net.branches["of_a"].ffn.gate.zero_()
    even = definition.probe(net, items, lengths, "a")
    assert even["gate a to b"].tolist() == [0.5, 0.5]
    assert torch.equal(even["gate b to a"], gates["gate b to a"])
    single, net = model(ffn="single")
    assert single.probe(net, items.clamp_max(15), lengths, "a") == {}


def test_probes_are_collected_over_all_instances() -> None:
    cat = builders.catalogue((9, 7), ("a", "b"))
    split = builders.mixed(cat, 40)
    definition, net = model()
    test = split.test.take(split.test.domains == 1)
    probes = probe_model(LoadedModel(definition, net, cat.domains), split, test, "b")
    one_by_one = []
    for i in range(len(test)):
        start = split.sequences.offsets[test.sequence[i]]
        past = split.sequences.items[start : start + test.position[i]][-LENGTH:].astype("int64")
        probed = definition.probe(net, torch.tensor(past)[None], torch.tensor([len(past)]), "b")
        one_by_one.append(probed["gate b to mixed"])
    values = torch.cat(one_by_one)
    summary = probes["gate b to mixed"]
    assert summary["users"] == len(values) <= len(test)
    assert summary["mean"] == pytest.approx(values.mean().item())
    assert summary["std"] == pytest.approx(values.std(correction=0).item())
    assert probes["gate mixed to b"]["users"] == len(test)


def test_paths_by_configuration() -> None:
    _, net = model(3, paths=("mixed->a", "c->a", "b->mixed"))
    assert set(net.paths) == {("mixed", "of_a"), ("of_c", "of_a"), ("of_b", "mixed")}
    batch = batch_of([[0, 9, 17, 10, 1, 2], [3, 4, 5], [12, 20, 6, 7]], net.domains)
    mixed, own = net(net.read(batch.items, batch.lengths))
    for ours, plain in zip((mixed, own), dense(net, batch), strict=True):
        torch.testing.assert_close(ours, plain, atol=1e-9, rtol=1e-9)
    with pytest.raises(HandledError, match="no path 'a->z'; there are mixed->a, mixed->b"):
        model(3, paths=("a->z",))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"ecaf_sources": ()}, "ecaf_mode: none"),
        ({"ecaf_sources": ("m",)}, "ecaf_sources holds mixed, other or both"),
        ({"width": 9}, "width 9 is no multiple of heads 2"),
        ({"negatives": -1}, "negatives is not negative"),
        ({"domains": 1}, "needs two domains or more"),
        ({"domains": 3, "computes": "released"}, "for two domains"),
    ],
)
def test_wrong_options(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(HandledError, match=message):
        model(**changed)


def test_three_genres_from_suite_to_record(tmp_path: Path) -> None:
    row = '[{"method": "merit", "options": {"width": 16, "max_len": 12, "negatives": 4}}]'
    settings = [
        "tracks.cdsr.domains=[action, comedy, romance]",
        f"tracks.cdsr.rows={row}",
        "tracks.cdsr.protocols=[mixed]",
    ]
    command = [
        sys.executable, "-m", "recmerge_bench", "run", "--suite",
        str(SAMPLES / "tiny.yaml"), "--out", str(tmp_path),
        *(word for text in settings for word in ("--set", text)), "--only", "method=merit",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    records = [json.loads(p.read_text()) for p in tmp_path.glob("store/*/*/record.json")]
    (report,) = [r["report"] for r in records if r["kind"] == "rank"]
    assert set(report["probes"]) == {"action", "comedy", "romance"}
    names = ["mixed", "action", "comedy", "romance"]
    for gates in report["probes"].values():
        assert set(gates) == {f"gate {x} to {y}" for x in names for y in names}
        assert all(0 < g["mean"] < 1 and g["std"] >= 0 and g["users"] > 0 for g in gates.values())
    assert "merit" in (tmp_path / "boards" / "tiny.md").read_text()


def test_it_learns_what_follows_in_each_domain() -> None:
    cat = builders.catalogue()
    split = builders.mixed(cat, 150)
    options = TrainOptions(steps=200, epochs=0, batch_size=32, lr=4e-3, eval_every=50)
    definition = Merit(MeritOptions(width=32, dropout=0.1, max_len=20, negatives=8, std=0.05))
    result = fit(definition, cat, split, cat.domains, "mixed", options, 0)
    history = result.report["history"]
    assert history[-1]["loss"] < 0.9 * history[0]["loss"]
    assert result.report["best_valid"] > 0.4  # chance is below 0.2


def test_half_precision_training() -> None:
    definition, net = model(3)
    net.float()
    batch = batch_of([[0, 9, 17, 10, 1, 2], [3, 4, 5], [12, 20, 6, 7]], net.domains)
    exact = definition.loss(net, batch)[0]
    batch.generator.manual_seed(3)
    with torch.autocast("cpu", torch.bfloat16):
        value = definition.loss(net, batch)[0]
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(exact.item(), rel=0.05)
    value.backward()
    assert all(bool(p.grad.isfinite().all()) for p in net.parameters() if p.grad is not None)
