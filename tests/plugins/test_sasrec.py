"""`sasrec` computes what SASRec's authors released, `sasrec-prenorm` what their paper prints."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import builders
import numpy as np
import pytest
import torch
from dense_blocks import recorded_dropout
from dense_sasrec import Dense
from recmerge_bench_plugins.backbones.sasrec import SASRec, SASRecOptions, SASRecPreNorm
from recmerge_bench_plugins.backbones.sasrec_text import (
    SASRecText,
    SASRecTextOptions,
    SASRecTextPreNorm,
)
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.data.sequences import Batch
from recmerge_bench.errors import HandledError
from recmerge_bench.registry import discover
from recmerge_bench.toolkit.models import (
    causal,
    dropout,
    encoder,
    losses,
    next_item,
    query_prenorm,
)

CAT = builders.catalogue((30, 20))
WIDTH, LAYERS, HEADS, MAX_LEN = 12, 2, 2, 7
OPTIONS = SASRecOptions(
    width=WIDTH, layers=LAYERS, heads=HEADS, max_len=MAX_LEN, dropout=0.0, init="random"
)
ITEMS = torch.tensor(
    [[31, 35, 40, 33, 36, 49, 30], [44, 30, 31, 0, 0, 0, 0], [38, 0, 0, 0, 0, 0, 0]]
)
LENGTHS = torch.tensor([7, 3, 1])


def made(definition: SASRec) -> Any:
    """A net of float64 with weights that leave nothing near zero or one."""
    net: Any = definition.build(CAT, CAT.domains, 3).double().eval()
    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for value in net.parameters():
            value.copy_(torch.randn(value.shape, generator=generator, dtype=torch.float64) * 0.4)
    return net


def states_of(net: Any, items: Tensor, lengths: Tensor, **form: Any) -> list[list[Tensor]]:
    """The dense transcription's states of right-padded sequences, for the net's weights."""
    dense = Dense(dict(net.named_parameters()), LAYERS, HEADS, **form)
    collected = []
    for row, length in zip(items, lengths.tolist(), strict=True):
        # Our rows count from the last event, or (sasrec-prenorm) from the first one.
        slots = net.positions.flip(0) if net.block == "sasrec" else net.positions[:length]
        collected.append(dense.states(net.tables.lookup(row[:length], ("beta",)), slots))
    return collected


FORMS: list[tuple[type[SASRec], dict[str, Any]]] = [
    (SASRec, {"residuals": "released", "scale": True}),
    (SASRecPreNorm, {"residuals": "printed", "scale": False}),
]


@pytest.mark.parametrize(("kind", "form"), FORMS, ids=["released", "printed"])
def test_states_and_gradients_of_the_dense_net(kind: type[SASRec], form: dict[str, Any]) -> None:
    definition = kind(OPTIONS)
    net = made(definition)
    expected = states_of(net, ITEMS, LENGTHS, **form)
    got = net(ITEMS, LENGTHS, ("beta",))
    for ours_, theirs, length in zip(got, expected, LENGTHS.tolist(), strict=True):
        torch.testing.assert_close(ours_[:length], torch.stack(theirs), rtol=1e-10, atol=1e-10)
    last = definition.encode(net, ITEMS, LENGTHS, "beta")
    torch.testing.assert_close(last, torch.stack([s[-1] for s in expected]), rtol=1e-10, atol=1e-10)
    # Every gradient of one and the same function of the states.
    probe = torch.randn(11, WIDTH, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    real = torch.arange(MAX_LEN) < LENGTHS[:, None]
    parameters = {n: p for n, p in net.named_parameters() if n != "tables.alpha"}
    ours = torch.autograd.grad((got[real] * probe).sum(), list(parameters.values()))
    flat = torch.stack([state for row in expected for state in row])
    dense = torch.autograd.grad((flat * probe).sum(), list(parameters.values()))
    for name, ours_, theirs in zip(parameters, ours, dense, strict=True):
        torch.testing.assert_close(ours_, theirs, rtol=1e-8, atol=1e-9, msg=name)
        assert bool(theirs.any()), name


def test_the_two_forms_are_two_models() -> None:
    net = made(SASRec(OPTIONS))
    weights = dict(net.named_parameters())
    weights |= {n.replace("query_norm", "attention_norm"): p for n, p in weights.items()}
    vectors, slots = net.tables.lookup(ITEMS[0], ("beta",)), net.positions.flip(0)
    both = [
        torch.stack(Dense(weights, LAYERS, HEADS, kind, True).states(vectors, slots))  # type: ignore[arg-type]
        for kind in ("released", "printed")
    ]
    assert float((both[0] - both[1]).detach().abs().min(1).values.max()) > 1e-3


def test_ports_differ_by_an_output_projection() -> None:
    """pmixer's and RecTools' block on `nn.MultiheadAttention`: ours where that one is identity."""
    net = made(SASRec(OPTIONS))
    x = net.tables.lookup(ITEMS[:1], ("beta",)) * WIDTH**0.5 + net.positions.flip(0)
    ahead = torch.ones(MAX_LEN, MAX_LEN, dtype=torch.bool).triu(1)
    for layer in net.encoder.layers:
        port = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True, dtype=torch.float64)
        a = layer.attention
        with torch.no_grad():
            port.in_proj_weight.copy_(torch.cat([a.query.weight, a.memory.weight]))
            port.in_proj_bias.copy_(torch.cat([a.query.bias, a.memory.bias]))
            port.out_proj.weight.copy_(torch.eye(WIDTH))
            port.out_proj.bias.zero_()
        q = layer.query_norm(x)
        x = q + port(q, x, x, attn_mask=ahead, need_weights=False)[0]
        z = layer.inner_norm(x)
        x = z + layer.outer(F.relu(layer.inner(z)))
    torch.testing.assert_close(
        net.encoder.norm(x), net(ITEMS[:1], LENGTHS[:1], ("beta",)), rtol=1e-10, atol=1e-10
    )


def test_positions_count_from_the_end() -> None:
    """The last event has the same position whatever stands before it, as if padded on the left."""
    definition = SASRec(OPTIONS)
    net = made(definition)
    with torch.no_grad():
        net.positions[1:] += 5.0
    one = definition.encode(net, torch.tensor([[38]]), torch.tensor([1]), "beta")
    with torch.no_grad():
        net.positions[1:] -= 3.0
    assert torch.equal(one, definition.encode(net, torch.tensor([[38]]), torch.tensor([1]), "beta"))
    before = definition.encode(net, ITEMS, LENGTHS, "beta")
    with torch.no_grad():
        net.positions[0] += 1.0
    assert bool((before != definition.encode(net, ITEMS, LENGTHS, "beta")).any(1).all())


def test_initial_items_and_positions_are_equally_wide_in_the_encoder() -> None:
    wide = SASRecOptions(width=64, max_len=50, init="random")
    net: Any = SASRec(wide).build(CAT, CAT.domains, 0)
    items = float(net.tables.domain_table("alpha").detach().std()) * 8
    assert items == pytest.approx(0.16, rel=0.05)
    assert float(net.positions.detach().std()) == pytest.approx(items, rel=0.05)
    pre: Any = SASRecPreNorm(wide).build(CAT, CAT.domains, 0)
    assert float(pre.positions.detach().std()) == pytest.approx(0.02, rel=0.05)


def test_dropout_stands_where_the_authors_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = recorded_dropout(monkeypatch, 0.5, encoder, query_prenorm)
    for kind, last in ((SASRec, False), (SASRec, True), (SASRecPreNorm, False)):
        options = SASRecOptions(width=12, layers=1, heads=2, max_len=7, dropout=0.5)
        seen.clear()
        kind(options).build(CAT, CAT.domains, 0).train()(ITEMS, LENGTHS, ("beta",), last)
        grid = (3, 7, 12)
        out = (3, 12) if last else grid
        if kind is SASRec:  # embeddings, attention weights, behind both maps
            assert seen == [grid, (3, 2, 1 if last else 7, 7), out, out]
        else:  # embeddings, both sub-layers' outputs
            assert seen == [grid, grid, grid]


def test_attention_dropout_keeps_the_expectation() -> None:
    """The path that drops weights computes what torch's kernel does where none is dropped."""
    torch.manual_seed(0)
    attention = query_prenorm.QueryAttention(8, 2, 0.25)
    x = torch.randn(2, 5, 8)
    mask = torch.tensor([[[[True, True, True, False, False]]], [[[True] * 5]]])
    for causal_, seen in ((True, None), (False, mask), (False, None)):
        exact = attention.eval()(x, x, seen, causal_)
        attention.train()
        mean = torch.stack([attention(x, x, seen, causal_) for _ in range(3000)]).mean(0)
        torch.testing.assert_close(mean, exact, rtol=0.0, atol=0.03)


@pytest.mark.parametrize(("kind", "form"), FORMS, ids=["released", "printed"])
def test_the_papers_loss(
    kind: type[SASRec], form: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Section III-E by hand, from the dense net's states; one negative for each target.

    Ours is the mean over a target and its negatives (as in gSASRec), the paper's their sum.
    """
    definition = kind(replace(OPTIONS, loss="bce", negatives=1))
    net = made(definition)
    lengths, inputs, targets = torch.tensor([6, 2, 1]), ITEMS[:, :-1], ITEMS[:, 1:].clone()
    targets[2, 0] = 41
    monkeypatch.setattr(losses, "draw_negatives", lambda *given: torch.full((3, given[3]), 15))
    batch = Batch(inputs, targets, lengths, ("beta",), torch.Generator(), {})
    value, count = definition.loss(net, batch)
    table, terms = net.tables.domain_table("beta"), []
    states = states_of(net, inputs, lengths, **form)
    for known, row in zip(states, targets.tolist(), strict=True):
        for state, target in zip(known, row, strict=False):
            terms.append(torch.log(torch.sigmoid(state @ table[target - 30])))
            terms.append(torch.log(1 - torch.sigmoid(state @ table[15])))
    assert count == 9
    exact = -torch.stack(terms).sum() / 9 / (1 + definition.options.negatives)
    torch.testing.assert_close(value.double(), exact, rtol=1e-6, atol=0.0)


def _by_hand(
    monkeypatch: pytest.MonkeyPatch, **options: Any
) -> tuple[Tensor, list[tuple[Tensor, Tensor]], list[int]]:
    """The project's loss; scores of each target and of its negatives from the dense net's states.

    And how many of a target's negatives are not the target.
    """
    definition = SASRec(replace(OPTIONS, **options))
    net = made(definition)
    lengths, inputs, targets = torch.tensor([6, 2, 1]), ITEMS[:, :-1], ITEMS[:, 1:].clone()
    targets[2, 0] = 41
    drawn: list[Tensor] = []
    whole = next_item._drawn

    def recorded(shape: tuple[int, ...], n: int, batch: Batch) -> Tensor:
        drawn.append(whole(shape, n, batch))
        return drawn[-1]

    monkeypatch.setattr(next_item, "_drawn", recorded)
    batch = Batch(inputs, targets, lengths, ("beta",), torch.Generator().manual_seed(2), {})
    value, count = definition.loss(net, batch)
    assert count == 9
    table = net.tables.domain_table("beta")
    known = states_of(net, inputs, lengths, residuals="released", scale=True)
    answers = [(s, int(t) - 30) for row, own in zip(known, targets, strict=True)
             for s, t in zip(row, own, strict=False)]  # fmt: skip
    scores, counts = [], []
    for number, (state, goal) in enumerate(answers):
        ours = drawn[0] if drawn[0].dim() == 1 else drawn[0][number]
        assert len(ours) == definition.options.negatives and int(ours.min()) >= 0
        if options["loss"] == "sampled-ce":  # a draw that is the target is left out
            ours = ours[ours != goal]
        scores.append((state @ table[goal], torch.stack([state @ table[int(j)] for j in ours])))
        counts.append(len(ours))
    return value, scores, counts


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("sampling", ["uniform", "shared"])
def test_sampled_softmax_by_hand(
    sampling: str, scaled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Own or shared negatives from all items, temperature, and the sum scaled up."""
    value, scores, counts = _by_hand(
        monkeypatch, loss="sampled-ce", negatives=25, sampling=sampling, scaled=scaled,
        temperature=0.7,
    )  # fmt: skip
    assert min(counts) < 25, "no draw was the target: nothing is tested"
    total = torch.zeros((), dtype=torch.float64)
    for (good, bad), count in zip(scores, counts, strict=True):
        share = 19 / count if scaled else 1.0  # twenty items, one of them the target
        rest = sum(torch.exp(b / 0.7) for b in bad)
        total = total - torch.log(torch.exp(good / 0.7) / (torch.exp(good / 0.7) + share * rest))
    torch.testing.assert_close(value, total / 9, rtol=1e-10, atol=0.0)


def test_the_scaled_sum_estimates_the_full_softmax() -> None:
    """Its mean over many draws is the sum over all items."""
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(40, generator=generator, dtype=torch.float64)
    drawn = torch.randint(40, (60_000, 8), generator=generator)
    hits = drawn == 3
    drawn, hits = drawn[~hits.all(1)], hits[~hits.all(1)]
    kept = torch.where(hits, 0.0, scores[drawn].exp()).sum(1)
    each = torch.stack([
        losses.sampled_cross_entropy(scores[3:4], scores[d][None], hits=h[None], others=39)
        for d, h in zip(drawn[:50], hits[:50], strict=True)
    ])  # fmt: skip
    sums = scores[3].exp() + 39 * kept / (8 - hits.sum(1))
    torch.testing.assert_close(each, sums[:50].log() - scores[3], rtol=1e-10, atol=0.0)
    exact = scores.exp().sum()
    assert abs(float(sums.mean() - exact)) < 4 * float(sums.std()) / len(sums) ** 0.5


@pytest.mark.parametrize("t", [0.0, 0.75])
@pytest.mark.parametrize("sampling", ["uniform", "shared"])
def test_gbce_by_hand(t: float, sampling: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eq. 9 and 11 of gSASRec; the same as a binary cross entropy with a moved positive."""
    value, scores, counts = _by_hand(
        monkeypatch, loss="gbce", negatives=6, sampling=sampling, gbce_t=t
    )
    assert counts == [6] * 9
    alpha = 6 / (20 - 1)
    beta = alpha * (t * (1 - 1 / alpha) + 1 / alpha)
    assert (beta == 1) == (t == 0)
    printed, released = [], []
    for good, bad in scores:
        others = sum(torch.log(1 - torch.sigmoid(b)) for b in bad)
        printed.append(-(torch.log(torch.sigmoid(good) ** beta) + others) / 7)
        moved = torch.log(1 / (torch.sigmoid(good) ** -beta - 1))
        released.append(F.binary_cross_entropy_with_logits(
            torch.cat([moved[None], bad]), torch.eye(7, dtype=torch.float64)[0]
        ))  # fmt: skip
    for form in (printed, released):
        torch.testing.assert_close(value, torch.stack(form).mean(), rtol=1e-10, atol=0.0)


def test_gsasrec_is_the_papers_setting() -> None:
    spec = discover(environ={}).get("backbone", "gsasrec")
    wanted = {"loss": "gbce", "negatives": 256, "sampling": "uniform"}
    assert spec.options == wanted and SASRecOptions().gbce_t == 0.75


def test_refused_losses() -> None:
    for values, message in (
        ({"loss": "hinge"}, "loss must be one of ce, sampled-ce, bce, gbce: 'hinge'"),
        ({"sampling": "popular"}, "sampling must be one of window, uniform, shared, log-uniform"),
        ({"loss": "bce", "negatives": 0}, "loss bce needs negatives"),
        ({"temperature": 0.0}, "temperature must be positive"),
        ({"loss": "gbce", "sampling": "log-uniform"}, "is for sampled-ce, not for gbce"),
    ):
        with pytest.raises(HandledError, match=message):
            SASRecOptions(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5, 0.9])
def test_the_mask_is_as_torch_says(share: float) -> None:
    x = torch.full((333, 7, 11), 3.0, requires_grad=True)
    torch.manual_seed(1)
    one = dropout.dropout(x, share, True)
    torch.manual_seed(1)
    assert torch.equal(one, dropout.dropout(x, share, True))
    assert not torch.equal(one, dropout.dropout(x, share, True))
    zero = (one == 0).float()
    spread = (share * (1 - share) / x.numel()) ** 0.5
    assert float(zero.mean()) == pytest.approx(share, abs=5 * spread + 1e-5)
    # Kept entries are scaled, entries side by side are drawn apart, gradients follow the mask.
    assert one[one != 0].unique().tolist() == pytest.approx([3 / (1 - share)], rel=1e-4)
    pairs = (zero[..., 1:] * zero[..., :-1]).mean()
    assert float(pairs) == pytest.approx(share**2, abs=6 * share / x.numel() ** 0.5)
    one.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad * 3, one.detach())


def test_no_mask_where_none_is_asked_for() -> None:
    x = torch.randn(5)
    state = torch.get_rng_state()
    assert dropout.dropout(x, 0.5, False) is x and dropout.dropout(x, 0.0, True) is x
    assert torch.equal(state, torch.get_rng_state())
    for dtype in (torch.bfloat16, torch.float64):
        assert dropout.dropout(x.to(dtype), 0.5, True).dtype == dtype
    assert dropout.dropout(torch.empty(0, 3), 0.5, True).shape == (0, 3)


def test_names_of_blocks() -> None:
    assert set(causal.ORDERS) == {"sasrec", "sasrec-prenorm"}
    assert causal.item_scale("sasrec", 64) == 8.0 and causal.item_scale("swiglu", 64) == 1.0


def test_text_models_have_the_same_encoders() -> None:
    vectors = np.random.default_rng(0).standard_normal((CAT.n_items, 6)).astype(np.float32)
    catalogue = replace(CAT, vectors=vectors)
    shape: dict[str, Any] = {"width": 12, "layers": 1, "heads": 2, "max_len": 7}
    pairs = ((SASRec, SASRecText), (SASRecPreNorm, SASRecTextPreNorm))
    for ids, text in pairs:
        one: Any = ids(SASRecOptions(**shape)).build(CAT, CAT.domains, 0).eval()
        two: Any = text(SASRecTextOptions(**shape)).build(catalogue, CAT.domains, 0).eval()
        assert one.encoder.state_dict().keys() == two.encoder.state_dict().keys()
        two.encoder.load_state_dict(one.encoder.state_dict())
        two.positions.data.copy_(one.positions.data)
        x = two.project(ITEMS)
        placed = causal.placed(x, one.positions, LENGTHS, one.block)
        assert torch.equal(two(ITEMS, LENGTHS), one.encoder(placed, LENGTHS, True))
