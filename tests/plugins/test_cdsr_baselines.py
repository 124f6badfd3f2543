"""The baselines of MERIT's Table 2: what they may see, what trains, that they learn."""

from __future__ import annotations

from typing import Any

import builders
import numpy as np
import pytest
import torch
from recmerge_bench_plugins.baselines.nearest_id import NearestId
from recmerge_bench_plugins.baselines.popularity import Popularity
from recmerge_bench_plugins.cdsr.bert4rec_dt import BERT4RecDT
from recmerge_bench_plugins.cdsr.bert4rec_st import BERT4RecST
from recmerge_bench_plugins.cdsr.cd_asr import CDASR
from recmerge_bench_plugins.cdsr.cd_sasrec import CDSASRec
from recmerge_bench_plugins.cdsr.dream import Dream
from recmerge_bench_plugins.cdsr.mgcl import MGCL
from recmerge_bench_plugins.cdsr.sasrec_dt import SASRecDT
from recmerge_bench_plugins.cdsr.sasrec_st import SASRecST

from recmerge_bench.data.sequences import Batch, Split
from recmerge_bench.definitions import Backbone
from recmerge_bench.errors import HandledError
from recmerge_bench.evaluation.metrics import ndcg, rank
from recmerge_bench.evaluation.ranking import Ranking
from recmerge_bench.planning.options import complete
from recmerge_bench.registry import Registry
from recmerge_bench.toolkit.models import domain_losses, ragged
from recmerge_bench.training.options import TrainOptions
from recmerge_bench.training.prepared import attach
from recmerge_bench.training.trainer import fit

CAT = builders.catalogue((30, 20, 12), ("alpha", "beta", "gamma"))
TWO = builders.catalogue((30, 20))
SPLIT = builders.mixed(CAT, 40)
SMALL: dict[str, Any] = {"width": 16, "max_len": 12, "dropout": 0.0, "negatives": 6}
SINGLE: list[tuple[type[Backbone], dict[str, Any]]] = [
    (SASRecST, {}),
    (SASRecST, {"block": "sasrec", "layers": 2, "loss": "bce", "negatives": 1}),
    (SASRecST, {"block": "sasrec-prenorm", "positions": "forward"}),
    (CDSASRec, {}),
    (CDSASRec, {"fuse": "concat", "until": "item", "layers": 2}),
    (CDASR, {}),
    (CDASR, {"fuse": "gate", "until": "item", "block": "sasrec"}),
    (MGCL, {}),
    (MGCL, {"layers": 2, "until": "item", "loss": "full"}),
]
DUAL: list[tuple[type[Backbone], dict[str, Any]]] = [
    (SASRecDT, {}),
    (SASRecDT, {"block": "sasrec", "loss": "full"}),
    (Dream, {}),
    (Dream, {"loss": "infonce", "block": "sasrec", "gamma": 0.0}),
]
CLOZE: list[tuple[type[Backbone], dict[str, Any]]] = [
    (BERT4RecST, {}),
    (BERT4RecDT, {}),
    (BERT4RecST, {"block": "bert4rec", "positions": "forward", "loss": "full"}),
    (BERT4RecDT, {"block": "bert4rec", "positions": "forward", "loss": "full"}),
]
ALL = [*SINGLE, *DUAL, *CLOZE]
FOR_ONE = (SASRecST, CDSASRec, CDASR, MGCL, BERT4RecST)
NAMES = [f"{c.__name__}{n}" for n, (c, _) in enumerate(ALL)]


def make(
    cls: type[Backbone], given: dict[str, Any], target: str = "beta", cat: Any = CAT, **more: Any
) -> Any:
    """A definition as the core hands it over; single-target ones for `target`."""
    definition: Any = cls(cls.Options(**{**SMALL, **given, **more}))
    if cls in FOR_ONE:
        split = SPLIT if cat is CAT else builders.mixed(cat, 150)

        def build(catalogue: Any, domains: Any, seed: int) -> Any:
            net = definition.build_for(target, catalogue, domains, seed)
            if cls is MGCL:
                attach(net, definition.prepare(split, cat, cat.domains))  # as the core does
            return net

        definition.build = build
    return definition


def batch(seed: int = 0, rows: int = 6, size: int = 11) -> Batch:
    """Random mixed windows; the first has no event of beta, the second none of other domains,
    the third is as short as can be."""
    rng = np.random.default_rng(seed)
    events = np.stack([rng.permutation(CAT.n_items)[: size + 1] for _ in range(rows)])
    events[0] = rng.permutation(30)[: size + 1]
    events[1] = 30 + rng.permutation(20)[: size + 1]
    lengths = rng.integers(3, size + 1, rows)
    lengths[2], lengths[3] = 1, size
    inside = np.arange(size) < lengths[:, None]
    items = torch.from_numpy(np.where(inside, events[:, :-1], 0))
    targets = torch.from_numpy(np.where(inside, events[:, 1:], 0))
    generator = torch.Generator().manual_seed(seed)
    return Batch(items, targets, torch.from_numpy(lengths), CAT.domains, generator, {})


def of_beta(items: torch.Tensor) -> torch.Tensor:
    return (items >= 30) & (items < 50)


def scrambled(net: Any) -> Any:
    """The net with large random weights, so that everything has a say in what comes out."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for value in net.parameters():
            value.copy_(torch.randn(value.shape, generator=generator) * 0.3)
    return net.eval()


@pytest.mark.parametrize(("cls", "given"), SINGLE, ids=NAMES[: len(SINGLE)])
def test_single_target_states_are_those_of_each_prefix(
    cls: type[Backbone], given: dict[str, Any]
) -> None:
    """One pass over padded windows gives what each prefix, by itself and unpadded, gives: masks,
    compact sequences and graphs are exact, and nothing to come is seen."""
    definition = make(cls, given, positions="forward")
    net = scrambled(definition.build(CAT, CAT.domains, 0))
    checked = 0
    for seed in range(3):
        b = batch(seed)
        until = given.get("until", "target")
        view, _ = ragged.training_view(b.items, b.targets, b.lengths, of_beta, until)
        states = definition.states(net, view)
        assert states.isfinite().all()
        for row, n in enumerate(view.own.lengths.tolist()):
            for t in range(n):
                prefix = view.events[row : row + 1, : int(view.bounds[row, t])]
                alone = definition.encode(net, prefix, torch.tensor([prefix.shape[1]]), "beta")
                assert torch.allclose(alone[0], states[row, t], atol=1e-5), (row, t)
                checked += 1
    assert checked > 30


@pytest.mark.parametrize(("cls", "given"), DUAL, ids=NAMES[len(SINGLE) :][: len(DUAL)])
def test_dual_target_states_are_those_of_each_prefix(
    cls: type[Backbone], given: dict[str, Any]
) -> None:
    definition = make(cls, given, positions="forward")
    net = scrambled(definition.build(CAT, CAT.domains, 0))
    b = batch()
    for domain in CAT.domains:
        if cls is Dream:
            states = net.user(net(b.items, b.lengths), domain)
        else:
            states = net(b.items, b.lengths, CAT.domains)
        for row, n in enumerate(b.lengths.tolist()):
            for t in range(1, n + 1):
                past = b.items[row : row + 1, :t]
                alone = definition.encode(net, past, torch.tensor([t]), domain)
                assert torch.allclose(alone[0], states[row, t - 1], atol=1e-5)


@pytest.mark.parametrize(("cls", "given"), SINGLE + DUAL, ids=NAMES[: len(SINGLE + DUAL)])
def test_later_items_change_nothing(cls: type[Backbone], given: dict[str, Any]) -> None:
    """With positions counted backwards too; later events keep their domains, which do count."""
    definition = make(cls, given, positions="reverse")
    net = scrambled(definition.build(CAT, CAT.domains, 0))
    b = batch()
    events = torch.cat([b.items[:, :1], b.targets], 1)
    for length in (3, 6, 9):
        other = events.clone()
        for start, stop in ((0, 30), (30, 50), (50, 62)):
            own = (other >= start) & (other < stop)
            other = torch.where(own, start + (other - start + 1) % (stop - start), other)
        other[:, :length] = events[:, :length]
        collected = []
        for each in (events, other):
            items, targets = each[:, :-1], each[:, 1:]
            if cls in (SASRecST, CDSASRec, CDASR, MGCL):
                until = given.get("until", "target")
                view, _ = ragged.training_view(items, targets, b.lengths, of_beta, until)
                known = view.own.valid & (view.bounds <= length)
                collected.append(definition.states(net, view)[known])
            elif cls is Dream:
                collected.append(net.user(net(items, b.lengths), "alpha")[:, :length])
            else:
                collected.append(net(items, b.lengths, CAT.domains)[:, :length])
        assert collected[0].numel() and torch.allclose(*collected, atol=1e-6)


def test_a_whole_history_source_shows_the_future() -> None:
    """What `causal_source: false` is for: the paper's form, which the check above would fail."""
    definition = make(CDSASRec, {"causal_source": False}, positions="forward")
    net = scrambled(definition.build(CAT, CAT.domains, 0))
    collected = []
    for late in (3, 4):
        items = torch.tensor([[30, 1, 31, late, 32]])
        targets = torch.tensor([[1, 31, late, 32, 33]])
        view, _ = ragged.training_view(items, targets, torch.tensor([5]), of_beta, "target")
        collected.append(definition.states(net, view)[0, 0])
    assert not torch.allclose(*collected)


@pytest.mark.parametrize("cls", [SASRecST, BERT4RecST])
def test_st_ignores_other_domains(cls: type[Backbone]) -> None:
    definition = make(cls, {})
    net = scrambled(definition.build(CAT, CAT.domains, 0))
    own = torch.tensor([[31, 40, 35, 33]])
    mixed = torch.tensor([[2, 31, 40, 55, 0, 35, 33, 61, 7]])
    plain = definition.encode(net, own, torch.tensor([4]), "beta")
    among = definition.encode(net, mixed, torch.tensor([9]), "beta")
    assert torch.allclose(plain, among, atol=1e-6)
    assert set(net.tables.domains) == {"beta"}
    values = []
    for rows in ([[1, 31, 40, 55, 35, 3]], [[31, 40, 35]]):
        events = torch.tensor(rows)
        b = Batch(
            events[:, :-1], events[:, 1:], torch.tensor([len(rows[0]) - 1]), CAT.domains,
            torch.Generator().manual_seed(0), {},
        )  # fmt: skip
        torch.manual_seed(0)
        values.append(definition.loss(net, b))
    assert values[0][1] == values[1][1]
    if cls is SASRecST:
        assert torch.allclose(values[0][0], values[1][0], rtol=1e-5)


@pytest.mark.parametrize("cls", [CDSASRec, CDASR, MGCL, Dream])
def test_source_events_count(cls: type[Backbone]) -> None:
    definition = make(cls, {})
    net = scrambled(definition.build(CAT, CAT.domains, 0))
    collected = [
        definition.encode(net, torch.tensor([[source, 31, 40]]), torch.tensor([3]), "beta")
        for source in (2, 3, 55)
    ]
    assert not torch.allclose(collected[0], collected[1]) and not torch.allclose(
        collected[0], collected[2]
    )


@pytest.mark.parametrize(("cls", "given"), ALL, ids=NAMES)
def test_users_without_a_domain_are_finite(cls: type[Backbone], given: dict[str, Any]) -> None:
    definition = make(cls, given)
    net = scrambled(definition.build(CAT, CAT.domains, 0))
    histories = torch.tensor([[3, 4, 3], [31, 40, 31], [55, 55, 55], [31, 3, 3], [33, 33, 33]])
    vectors = definition.encode(net, histories, torch.tensor([3, 3, 1, 2, 1]), "beta")
    assert vectors.shape[0] == 5 and bool(vectors.isfinite().all())
    if hasattr(net, "start"):
        assert torch.equal(vectors[0], net.start) and torch.equal(vectors[2], net.start)
    net.train()
    lone = torch.tensor([[3, 4], [5, 6]])
    b = Batch(lone, lone + 1, torch.tensor([2, 1]), CAT.domains, torch.Generator(), {})
    value, _ = definition.loss(net, b)
    value.backward()
    assert bool(value.isfinite())
    assert all(bool(p.grad.isfinite().all()) for p in net.parameters() if p.grad is not None)


@pytest.mark.parametrize(("cls", "given"), ALL, ids=NAMES)
def test_gradients_reach_every_parameter(cls: type[Backbone], given: dict[str, Any]) -> None:
    definition = make(cls, given, dropout=0.1)
    net = definition.build(CAT, CAT.domains, 0).train()
    for seed in range(6):
        torch.manual_seed(seed)
        definition.loss(net, batch(seed, rows=12))[0].backward()
    for name, value in net.named_parameters():
        assert value.grad is not None and bool((value.grad != 0).any()), name


@pytest.mark.parametrize(("cls", "given"), ALL, ids=NAMES)
def test_the_seed_says_everything(cls: type[Backbone], given: dict[str, Any]) -> None:
    definition = make(cls, given, dropout=0.2)
    options = TrainOptions(steps=4, epochs=0, batch_size=16, eval_every=-1)
    torch.rand(3)
    first = fit(definition, CAT, SPLIT, CAT.domains, "mixed", options, 3).state
    torch.rand(3)
    again = fit(definition, CAT, SPLIT, CAT.domains, "mixed", options, 3).state
    other = fit(definition, CAT, SPLIT, CAT.domains, "mixed", options, 4).state
    assert first.keys() == dict(definition.build(CAT, CAT.domains, 9).state_dict()).keys()
    assert all(torch.equal(first[n], again[n]) for n in first)
    assert any(not torch.equal(first[n], other[n]) for n in first)


def on_domain(split: Split, cat: Any, domain: str) -> Any:
    return split.test.take(split.test.domains == cat.domains.index(domain))


@pytest.mark.parametrize(
    ("cls", "given", "steps"),
    [
        (SASRecST, {}, 100),
        (SASRecST, {"block": "sasrec", "loss": "bce"}, 150),
        (SASRecDT, {}, 150),
        (BERT4RecST, {}, 200),
        (BERT4RecDT, {}, 250),
        (CDSASRec, {}, 80),
        (CDASR, {}, 80),
        (MGCL, {}, 60),
        (Dream, {}, 60),
        (Dream, {"loss": "infonce"}, 120),
    ],
    ids=lambda x: x.__name__ if isinstance(x, type) else "",
)
def test_learns(cls: type[Backbone], given: dict[str, Any], steps: int) -> None:
    """The next item of a domain follows from its last one; popularity is flat."""
    split = builders.mixed(TWO, 150)
    more = {"width": 32, "dropout": 0.1, "negatives": 8, **given}
    definition = make(cls, more, "alpha", TWO)
    options = TrainOptions(steps=steps, epochs=0, batch_size=32, lr=5e-3, eval_every=-1)
    losses: list[float] = []
    result = fit(
        definition, TWO, split, TWO.domains, "mixed", options, 0,
        progress=lambda event: losses.append(event["loss"]),
    )  # fmt: skip
    assert losses[-1] < 0.9 * losses[0]
    net = definition.build(TWO, TWO.domains, 1)
    net.load_state_dict(result.state)
    test = on_domain(split, TWO, "alpha")
    counts = builders.net_counts(definition, net, split, test, TWO, [Ranking()])[0]
    model = Popularity()
    state = model.fit(split, TWO, TWO.domains)
    floor = builders.fitted_counts(model, state, split, test, TWO, [Ranking()])[0]
    ours, theirs = (float(ndcg(rank(*c), 10).mean()) for c in (counts, floor))
    assert ours > theirs + 0.2


@pytest.mark.parametrize(("cls", "given"), ALL, ids=NAMES)
def test_negatives_are_of_the_right_domains_and_none_is_the_users(
    cls: type[Backbone], given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    definition = make(cls, given)
    if definition.options.loss == "full":
        return
    drawn: list[Any] = []
    plain = domain_losses.negatives_by_domain

    def watched(seen: Any, valid: Any, spans: Any, draws: int, generator: Any) -> Any:
        actual = plain(seen, valid, spans, draws, generator)
        drawn.append((seen, valid, spans, actual.flatten(1)))
        return actual

    monkeypatch.setattr(domain_losses, "negatives_by_domain", watched)
    monkeypatch.setattr("recmerge_bench.toolkit.models.cdsr_cloze.negatives_by_domain", watched)
    net = definition.build(CAT, CAT.domains, 0)
    b = batch(rows=8)
    definition.loss(net, b)
    assert drawn
    events = torch.cat([b.items[:, :1], b.targets], 1)
    for seen, valid, spans, actual in drawn:
        assert len(spans) == (1 if cls is Dream or cls in FOR_ONE else 3)
        for row in range(len(actual)):
            ours = set(actual[row].tolist())
            assert not ours & set(seen[row][valid[row]].tolist())
            # what counts as the user's own is all of the window, in the rows of the scope
            whole = events[row, : int(b.lengths[row]) + 1]
            if cls in FOR_ONE:
                whole = whole[of_beta(whole)] - 30
            if cls is not Dream:
                assert set(seen[row][valid[row]].tolist()) == set(whole.tolist())


def test_masked_items_do_not_tell_themselves() -> None:
    for given in (CLOZE[0][1], CLOZE[2][1]):
        definition = make(BERT4RecDT, given)
        net = scrambled(definition.build(CAT, CAT.domains, 0))
        items = torch.tensor([[3, 31, 55, 7, 9], [33, 1, 2, 8, 8]])
        masked = torch.tensor([[0, 1, 0, 1, 0], [1, 0, 0, 0, 0]], dtype=torch.bool)
        lengths = torch.tensor([5, 3])
        first = net(items, lengths, CAT.domains, masked)
        other = torch.where(masked, (items + 1) % 62, items)
        other[1, 3:] = 40  # padding
        again = net(other, lengths, CAT.domains, masked)
        assert torch.allclose(first[0], again[0], atol=1e-6)
        assert torch.allclose(first[1, :3], again[1, :3], atol=1e-6)
        # and both sides count
        later = items.clone()
        later[0, 4] = 10
        assert not torch.allclose(net(later, lengths, CAT.domains, masked)[0, 1], first[0, 1])


def test_a_cloze_history_is_followed_by_the_mask() -> None:
    for cls, given in CLOZE:
        definition = make(cls, given)
        net = scrambled(definition.build(CAT, CAT.domains, 0))
        events = torch.tensor([[31, 40, 35, 48]])
        masked = torch.tensor([[False, False, False, True]])
        state = net(events, torch.tensor([4]), net.tables.domains, masked)[0, -1]
        got = definition.encode(net, events[:, :3], torch.tensor([3]), "beta")[0]
        assert torch.allclose(net.project(state[None])[0], got, atol=1e-5)


def test_options_are_checked(registry: Registry) -> None:
    for name in ("sasrec-st", "sasrec-dt", "cd-sasrec", "cd-asr", "mgcl", "dream", "bert4rec-st"):
        spec = registry.get("cdsr", name)
        full = complete(spec, {}, name).values
        assert (full["width"], full["heads"], full["layers"]) == (256, 2, 1)
        assert (full["dropout"], full["temperature"], full["negatives"]) == (0.5, 0.75, 128)
        assert full["max_len"] == 47 and full["positions"] == "reverse"
        for bad in ({"negatives": 0, "loss": "infonce"}, {"block": "lstm"}, {"heads": 3}):
            with pytest.raises(HandledError):
                complete(spec, bad, name)
    single = {n for n in registry.names("cdsr") if registry.get("cdsr", n).single_target}
    assert {"sasrec-st", "bert4rec-st", "cd-sasrec", "cd-asr", "mgcl"} <= single
    assert not single & {"sasrec-dt", "bert4rec-dt", "dream"}
    for name in ("cd-sasrec", "cd-asr", "mgcl", "dream"):
        assert registry.get("cdsr", name).fidelity == "reconstructed"
    with pytest.raises(HandledError, match="mgcl: graph_layers"):
        complete(registry.get("cdsr", "mgcl"), {"graph_layers": 0}, "x")


def test_a_target_has_to_be_named() -> None:
    for cls in FOR_ONE:
        definition = make(cls, {})
        net = definition.build(CAT, CAT.domains, 0)
        with pytest.raises(HandledError, match="asked for 'alpha'"):
            definition.encode(net, torch.tensor([[1]]), torch.tensor([1]), "alpha")
        with pytest.raises(HandledError, match="none was named"):
            cls(cls.Options(**SMALL)).build(CAT, CAT.domains, 0)
        with pytest.raises(HandledError, match="not among alpha, beta, gamma"):
            definition.build_for("delta", CAT, CAT.domains, 0)
    bare = MGCL(MGCL.Options(**SMALL))
    net = bare.build_for("beta", CAT, CAT.domains, 0)
    with pytest.raises(HandledError, match="graph of the training sequences was not laid in"):
        bare.encode(net, torch.tensor([[31]]), torch.tensor([1]), "beta")


def test_nearest_id() -> None:
    model = NearestId()
    state = model.fit(SPLIT, CAT, CAT.domains)
    past = [np.array([40, 33, 2]), np.array([1, 2]), np.array([49])]
    got = model.scores(state, past, CAT, "beta")
    assert got.dtype == np.float32 and got.shape == (3, 20)
    want = [-abs(i - 33.0) if i != 33 else -20.0 for i in range(30, 50)]
    assert got[0].tolist() == want
    assert not got[1].any()
    assert got[2].argmax() == 18 and got[2].argmin() in (0, 19)
