"""`tiger-small` computes T5 over semantic ids; its ranking is exact and its beam search agrees."""

from __future__ import annotations

import dataclasses
import importlib.util
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import builders
import numpy as np
import pytest
import torch
from dense_blocks import randomised
from recmerge_bench_plugins.backbones.tiger_small import TigerOptions, TigerSmall, semantic_ids
from recmerge_bench_plugins.backbones.tiger_small.decoding import (
    beam_search,
    item_log_probabilities,
)
from recmerge_bench_plugins.backbones.tiger_small.trie import Trie
from recmerge_bench_plugins.strategies.surgery import Options, Surgery
from safetensors.torch import load_file

import recmerge_bench
from recmerge_bench.api import Expert, WithCatalogue
from recmerge_bench.data.sequences import Batch
from recmerge_bench.errors import HandledError
from recmerge_bench.evaluation.loaded import LoadedModel
from recmerge_bench.evaluation.mean_score import MeanScore
from recmerge_bench.evaluation.split_ranks import rank_split
from recmerge_bench.merging.pseudo_users import PseudoUsers
from recmerge_bench.toolkit.merging.adapters import Adapted
from recmerge_bench.training.streams import load_init

CAT = builders.catalogue((30, 20))
VECTORS = np.random.default_rng(0).standard_normal((CAT.n_items, 6)).astype(np.float32)
WITH = replace(CAT, vectors=VECTORS)
OPTIONS = TigerOptions(codes=5, width=8, layers=2, heads=2, inner=10, dropout=0.0, max_len=7)
ITEMS = torch.tensor(
    [[31, 35, 40, 33, 36, 49, 30], [44, 30, 31, 0, 0, 0, 0], [38, 0, 0, 0, 0, 0, 0]]
)
LENGTHS = torch.tensor([7, 3, 1])
FORMS = [{}, {"tokens": "codes"}, {"decoder_layers": 2}, {"levels": 3, "tokens": "codes"}]


def made(**values: Any) -> tuple[TigerSmall, Any]:
    definition = TigerSmall(replace(OPTIONS, **values))
    return definition, randomised(definition.build(WITH, CAT.domains, 3))


def chances(net: Any, history: Any, codes: Any) -> list[torch.Tensor]:
    """Logits of every place of one id, for one history without padding."""
    memory = net.remember(history[None])
    unseen = memory.new_zeros(1, 1, 1, memory.shape[1])
    states = net.decode(codes[None, None, :-1], memory, unseen)[0, 0]
    return [net.logits(states[place], place) for place in range(net.places)]


def test_residual_codes_are_the_nearest_centres_of_what_is_left() -> None:
    _, net = made()
    rest = VECTORS.astype(np.float64)
    for level, centres in enumerate(net.codebook.double().numpy()):
        own = ((rest[:, None] - centres) ** 2).sum(2).argmin(1)
        np.testing.assert_array_equal(net.ids()[:, level], own)
        rest = rest - centres[own]
    assert (rest**2).sum() < 0.5 * (VECTORS**2).sum()


def test_k_means_leaves_no_centre_idle_and_finds_clusters() -> None:
    middles = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])
    spread = torch.randn(80, 2, generator=torch.Generator().manual_seed(1)) * 0.1
    vectors = middles.repeat(20, 1) + spread
    for seed in range(5):
        (book,) = semantic_ids.residual_codebook(vectors, 1, 4, seed)
        own = semantic_ids.nearest(vectors, book)
        assert len(own.unique()) == 4
        error = (vectors - book[own]).square().sum(1).mean()
        assert float(error) < 40, "a part of the spread between clusters is left at the most"
    few = semantic_ids.residual_codebook(vectors[:2], 2, 4, 0)
    assert few.shape == (2, 4, 2)
    assert torch.isfinite(few).all()


def test_the_last_code_counts_items_with_the_same_codes() -> None:
    codes = torch.tensor([[1, 2], [0, 0], [1, 2], [1, 2], [0, 0], [1, 2]])
    assert semantic_ids.tell_apart(codes, 3)[:, -1].tolist() == [0, 0, 1, 2, 1, 0]


def test_ids_are_apart_within_a_domain() -> None:
    _, net = made()
    for name in CAT.domains:
        span = CAT.span(name)
        assert len(net.ids()[span].unique(dim=0)) == span.stop - span.start


def test_the_codebook_comes_with_the_weights_and_ids_follow_it() -> None:
    definition, net = made()
    other = definition.build(WITH, CAT.domains, 8)
    assert not torch.equal(other.codebook, net.codebook)
    before = other.ids().clone()
    load_init(definition, other, net.state_dict(), WITH)
    assert torch.equal(other.ids(), net.ids())
    assert not torch.equal(before, other.ids())


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_log_probabilities_by_hand(form: dict[str, Any]) -> None:
    """Each item's path by itself, with the codes of other paths struck out at every place."""
    definition, net = made(**form)
    scores = definition.scores(net, ITEMS, LENGTHS, "beta")
    ids = net.ids()[CAT.span("beta")]
    with torch.no_grad():
        for row, length in enumerate(LENGTHS.tolist()):
            for number, own in enumerate(ids):
                total = 0.0
                for place, logits in enumerate(chances(net, ITEMS[row, :length], own)):
                    alike = (ids[:, :place] == own[:place]).all(1)
                    follow = ids[alike, place].unique()
                    total += float(logits[own[place]] - logits[follow].logsumexp(0))
                assert float(scores[row, number]) == pytest.approx(total, abs=1e-10)
    torch.testing.assert_close(
        scores.exp().sum(1), torch.ones(3, dtype=scores.dtype), rtol=0, atol=1e-10
    )


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_wide_beam_is_exact(form: dict[str, Any]) -> None:
    _, net = made(**form)
    with torch.no_grad():
        exact = item_log_probabilities(net, ITEMS, LENGTHS, "alpha")
        wide = beam_search(net, ITEMS, LENGTHS, "alpha", 30)
        narrow = beam_search(net, ITEMS, LENGTHS, "alpha", 4)
    for row, (items, values) in enumerate(wide):
        torch.testing.assert_close(values, exact[row, items], rtol=0, atol=1e-10)
        assert items.tolist() == exact[row].argsort(descending=True).tolist()
    for row, (items, values) in enumerate(narrow):
        assert len(items) == 4
        torch.testing.assert_close(values, exact[row, items], rtol=0, atol=1e-10)
        assert all(a >= b for a, b in pairwise(values.tolist()))


def test_items_with_one_id_share_its_probability() -> None:
    codes = torch.tensor([[0, 0], [0, 1], [0, 0], [1, 0]])
    trie = Trie.of(codes)
    assert trie.leaves[0] == trie.leaves[2]
    assert len(trie.leaves.unique()) == 3
    assert [len(level.prefixes) for level in trie.levels] == [1, 1]


@pytest.mark.parametrize("tokens", ["sum", "codes"])
def test_the_loss_is_that_of_each_prefix_by_itself(tokens: str) -> None:
    definition, net = made(tokens=tokens)
    targets = torch.tensor(
        [[35, 40, 33, 36, 49, 30, 41], [30, 31, 47, 0, 0, 0, 0], [39, 0, 0, 0, 0, 0, 0]]
    )
    batch = Batch(ITEMS, targets, LENGTHS, ("beta",), torch.Generator(), {})
    value, count = definition.loss(net, batch)
    ids, parts = net.ids(), []
    for row, length in enumerate(LENGTHS.tolist()):
        for end in range(1, length + 1):
            own = ids[targets[row, end - 1]]
            logits = chances(net, ITEMS[row, :end], own)
            parts.append(-sum(x.log_softmax(0)[c] for x, c in zip(logits, own, strict=True)))
    assert count == len(parts) == 11
    torch.testing.assert_close(value, torch.stack(parts).mean(), rtol=0, atol=1e-10)
    value.backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


@pytest.mark.skipif(importlib.util.find_spec("transformers") is None, reason="no transformers")
@pytest.mark.parametrize("tokens", ["sum", "codes"])
def test_logits_are_those_of_t5(tokens: str) -> None:
    """Theirs gets our causal mask, or one event's codes; its norms and softmaxes are in fp32."""
    from transformers import T5Config, T5ForConditionalGeneration

    _, net = made(tokens=tokens, decoder_layers=2, codes=9)
    theirs = T5ForConditionalGeneration(
        T5Config(
            vocab_size=1 + 27, d_model=8, d_kv=4, d_ff=10, num_layers=2, num_decoder_layers=2,
            num_heads=2, dropout_rate=0.0, feed_forward_proj="relu", decoder_start_token_id=0,
            pad_token_id=0, attn_implementation="eager",
        )
    ).double().eval()  # fmt: skip
    theirs.load_state_dict(as_t5(net), strict=False)
    history = ITEMS[0, :1] if tokens == "codes" else ITEMS[0]
    own = net.ids()[40]
    shift = torch.arange(3) * 9 + 1
    with torch.no_grad():
        memory = net.remember(history[None])
        given = net._embedded(net.ids()[history])
        x = (given.sum(1) if tokens == "sum" else given.flatten(0, 1))[None]
        size = x.shape[1]
        later = torch.ones(size, size).triu(1).bool() & (tokens == "sum")
        mask = torch.zeros(1, 1, size, size).double().masked_fill(later, -1e30)
        states = theirs.encoder(inputs_embeds=x, attention_mask=mask).last_hidden_state
        torch.testing.assert_close(memory, states, rtol=0, atol=1e-6)
        begun = torch.cat([torch.zeros(1, dtype=torch.int64), (own + shift)[:-1]])
        made_by_t5 = theirs(
            encoder_outputs=(states,), decoder_input_ids=begun[None]
        ).logits[0]  # fmt: skip
        for place, logits in enumerate(chances(net, history, own)):
            part = made_by_t5[place, 1 + place * 9 : 10 + place * 9]
            torch.testing.assert_close(logits, part, rtol=0, atol=1e-6)


def as_t5(net: Any) -> dict[str, torch.Tensor]:
    """Our weights under transformers' names."""
    w = dict(net.named_parameters())
    table = torch.cat([w["start"][None], w["codes"]]).detach()
    out = {
        "shared.weight": table, "encoder.embed_tokens.weight": table,
        "decoder.embed_tokens.weight": table, "lm_head.weight": table,
        "encoder.final_layer_norm.weight": w["encoder_norm.weight"],
        "decoder.final_layer_norm.weight": w["decoder_norm.weight"],
    }  # fmt: skip
    for side in ("encoder", "decoder"):
        first = f"{side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
        out[first] = w[f"{side}_bias"]
        parts = {"attention": "SelfAttention", "cross": "EncDecAttention"}
        if side == "encoder":
            del parts["cross"]
        for number in range(2):
            block = f"{side}.block.{number}.layer"
            for place, (ours, theirs) in enumerate(parts.items()):
                for each in "qkvo":
                    name = f"{block}.{place}.{theirs}.{each}.weight"
                    out[name] = w[f"{side}.{number}.{ours}.{each}.weight"]
            for each in ("wi", "wo"):
                name = f"{block}.{len(parts)}.DenseReluDense.{each}.weight"
                out[name] = w[f"{side}.{number}.inside.{each}.weight"]
            for place in range(len(parts) + 1):
                name = f"{block}.{place}.layer_norm.weight"
                out[name] = w[f"{side}.{number}.norms.{place}.weight"]
    return {name: value.detach() for name, value in out.items()}


def test_ranks_are_those_of_the_scores_and_gradients_reach_a_merge() -> None:
    definition, net = made()
    users = PseudoUsers(definition, WITH, {name: {} for name in CAT.domains}, 3)
    net = users.net({n: t.float() for n, t in net.state_dict().items()})
    with torch.enable_grad():
        scores = users.scores(users.encode(net, "beta", torch.arange(4)), users.items(net, "beta"))
        scores[:, 2].sum().backward()
    assert scores.shape == (4, 20)
    assert net.codes.grad.abs().sum() > 0
    assert users.encode_all(net, "beta").shape == (20, 20)


def test_a_split_is_ranked_in_blocks_and_two_models_by_their_mean() -> None:
    definition, net = made()
    _, other = made(width=8)
    other = randomised(other, seed=4)
    split = builders.planted(CAT)
    test = split.test
    ranks = rank_split([LoadedModel(definition, net, CAT.domains)], split, WITH)
    for row in range(0, len(test), 9):
        start = split.sequences.offsets[test.sequence[row]]
        own = split.sequences.items[start : start + test.position[row]][-7:].astype(np.int64)
        domain = CAT.domains[test.domains[row]]
        history, length = torch.from_numpy(own)[None], torch.tensor([len(own)])
        scores = definition.scores(net, history, length, domain)[0].float()
        target = scores[test.targets[row] - CAT.span(domain).start]
        place = int(
            np.flatnonzero((ranks.users == test.users[row]) & (ranks.targets == test.targets[row]))[
                0
            ]
        )
        assert ranks.n_better[place] == int((scores > target).sum())
    mean = MeanScore(definition)
    assert not mean.scores_are_products()
    both = torch.nn.ModuleList([net, other])
    made_by_both = mean.scores(both, ITEMS, LENGTHS, "beta")
    apart = [definition.scores(each, ITEMS, LENGTHS, "beta") for each in (net, other)]
    torch.testing.assert_close(made_by_both, sum(apart) / 2)
    table = rank_split([LoadedModel(mean, both, CAT.domains)], split, WITH)
    assert not np.array_equal(table.n_better, ranks.n_better)


@pytest.mark.parametrize(
    "values",
    [
        {"codes": 1},
        {"levels": 0},
        {"width": 9},
        {"tokens": "words"},
        {"dropout": 1.0},
        {"beam": -1},
    ],
    ids=str,
)
def test_impossible_options_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(HandledError, match="tiger-small"):
        dataclasses.replace(OPTIONS, **values)


def test_the_probe_says_what_a_beam_finds_of_the_first_ten() -> None:
    definition, net = made(beam=30)
    assert not TigerSmall(OPTIONS).probe(net, ITEMS, LENGTHS, "alpha")
    with torch.no_grad():
        assert definition.probe(net, ITEMS, LENGTHS, "alpha")["beam-recall"].tolist() == [1, 1, 1]


def test_a_suite_trains_merges_and_ranks_it(tmp_path: Path) -> None:
    """The base's codebook stands in every model that starts from it or is merged onto it."""
    options = {"encoder": "hashed-words", "width": 8, "layers": 1, "inner": 8, "codes": 8}
    suite = {
        "name": "generated", "title": "Semantic ids", "label": "smoke", "seeds": [0],
        "metrics": ["NDCG@10"],
        "tracks": {"merging": {
            "dataset": "synthetic", "dataset_options": {"users": 60, "items": 40, "n_domains": 2},
            "domains": ["d0", "d1"], "protocols": ["loo"],
            "training": {"steps": 4, "epochs": 0, "eval_every": 2, "batch_size": 16},
            "backbones": {"tiger-small": {"options": options}},
            "rows": [
                "fine-tune", "zero-shot", "ensemble", "joint", "weight-averaging",
                {"method": "mergerec", "options": {"steps": 2}},
                {"method": "regmean-shipped", "options": {"joint": "pooled"}},
            ],
        }},
    }  # fmt: skip
    done = recmerge_bench.run(suite, out=tmp_path / "run", progress=False)
    assert done.ok, done
    files = sorted((tmp_path / "run" / "store").rglob("*.safetensors"))
    models = [load_file(str(f)) for f in files]
    books = [m["codebook"] for m in models]
    assert len(books) >= 7
    assert all(torch.equal(book, books[0]) for book in books)
    parts = [sum(float(t.double().sum()) for t in m.values()) for m in models]
    assert len(set(parts)) == len(models)


def test_a_correction_of_vectors_is_refused_by_name() -> None:
    definition, net = made()
    with pytest.raises(HandledError, match="scores items without vectors"):
        Adapted(definition, {"adapter.down": torch.zeros(1, 8), "adapter.up": torch.zeros(8, 1)})
    state = {n: t.float() for n, t in net.state_dict().items() if n != "codebook"}
    kept = {name: {"codebook": net.codebook.float()} for name in CAT.domains}
    users = PseudoUsers(definition, WITH, kept, 3)
    experts = tuple(Expert(name, state) for name in CAT.domains)
    given = WithCatalogue(state, experts, 0, items=users)
    with pytest.raises(HandledError, match="take another strategy"):
        Surgery(Options()).merge_each(given)
