"""Item text: attributes cut, tokens in batches, pooled vectors, and a model over them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import builders
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from recmerge_bench_plugins.backbones.sasrec_text import SASRecText, SASRecTextOptions
from recmerge_bench_plugins.encoders.minilm import MiniLM

from recmerge_bench.data.sequences import Batch
from recmerge_bench.errors import Blocked, DataError, HandledError
from recmerge_bench.evaluation.metrics import ndcg, rank
from recmerge_bench.evaluation.ranking import Ranking
from recmerge_bench.policy import action
from recmerge_bench.registry import discover
from recmerge_bench.targets import define
from recmerge_bench.toolkit.models.text import (
    encode_all,
    mean_pooled,
    token_batches,
    tokenize,
    truncate_attributes,
)
from recmerge_bench.toolkit.models.whitening import zca
from recmerge_bench.training.options import TrainOptions
from recmerge_bench.training.trainer import fit


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return builders.tiny_bert(tmp_path_factory.mktemp("bert"))


def test_values_are_cut_each_by_itself(folder: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    texts = ["title: red blue shoe hat\nbrand: ", "red: blue: hat shoe hat", ""]
    assert truncate_attributes(tokenizer, texts, 2) == [
        "title: red blue brand: ",
        "red: blue :",
        "",
    ]
    ragged, pad = tokenize(folder, texts, 32, 6)
    assert ragged.lengths.tolist() == [6, 6, 2] and pad == 0


@given(
    st.lists(st.integers(0, 40), max_size=60),
    st.integers(1, 200),
)
def test_batches_hold_every_row_once_within_the_budget(lengths: list[int], budget: int) -> None:
    sizes = np.array(lengths, np.int64)
    batches = list(token_batches(sizes, budget))
    assert sorted(np.concatenate([*batches, np.zeros(0, int)]).tolist()) == list(range(len(sizes)))
    for rows in batches:
        assert len(rows) == 1 or len(rows) * max(1, sizes[rows].max()) <= budget


def test_little_is_padded() -> None:
    lengths = np.random.default_rng(0).integers(10, 70, 5000)
    padded = sum(len(rows) * lengths[rows].max() for rows in token_batches(lengths, 4096))
    assert padded / lengths.sum() < 1.15


def test_pooling_looks_at_true_positions_alone() -> None:
    states = torch.tensor([[[1.0], [3.0], [100.0]], [[2.0], [7.0], [7.0]]])
    real = torch.tensor([[True, True, False], [True, False, False]])
    assert mean_pooled(states, real).tolist() == [[2.0], [2.0]]


def test_vectors_do_not_depend_on_the_batch(folder: Path) -> None:
    from transformers import AutoModel

    net = AutoModel.from_pretrained(str(folder)).eval()
    texts = ["title: red shoe", "title: blue hat hat hat\nbrand: red", "hat", "red red red"]
    ragged, pad = tokenize(folder, texts, 32, 64)

    def model(tokens: Any, real: Any) -> Any:
        return mean_pooled(net(tokens, real.long()).last_hidden_state, real)

    events: list[Any] = []
    whole = encode_all(model, ragged, pad, 16, "cpu", events.append, budget=1000)
    single = encode_all(model, ragged, pad, 16, "cpu", events.append, budget=1)
    np.testing.assert_allclose(whole, single, atol=1e-6)
    assert events[-1] == {"step": 4, "steps": 4}


class _Listed:
    def __init__(self, path: Path) -> None:
        self.name, self.parent, self.path = path.name, path.parent, path

    def locate(self) -> Path:
        return self.path


@pytest.fixture
def shipped(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The tiny model in the place of the package's."""
    import shutil
    from importlib import metadata
    from types import SimpleNamespace

    shutil.copytree(folder, tmp_path / "model")
    listed = [_Listed(p) for p in (tmp_path / "model").iterdir()]
    monkeypatch.setattr(metadata, "distribution", lambda _: SimpleNamespace(files=listed))
    yield tmp_path / "model"


def minilm() -> Any:
    return define(discover(environ={}).get("encoder", "minilm").target, {})


def test_minilm_reads_the_known_weights_only(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recmerge_bench.digests import file_digest

    with pytest.raises(DataError, match="not the known weights"):
        minilm().encode(["red"], None, "cpu", print)
    monkeypatch.setattr(MiniLM, "weights_sha256", file_digest(shipped / "model.safetensors"))
    vectors = minilm().encode(["title: red shoe", "hat"], None, "cpu", lambda _: None)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-6)


def test_minilm_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import metadata

    def absent(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", absent)
    with pytest.raises(Blocked) as blocked:
        minilm().sources(None)
    assert "pip install" in blocked.value.remedy


def test_real_minilm_knows_what_is_alike() -> None:
    try:
        minilm().sources(None)
    except Blocked as gap:
        pytest.skip(gap.reason)
    texts = ["title: red running shoes", "title: crimson sneakers for jogging", "title: tax law"]
    vectors = minilm().encode(texts, None, "cpu", lambda _: None)
    near, far = vectors[0] @ vectors[1], vectors[0] @ vectors[2]
    assert near > 0.5 > far


# -- the model ---------------------------------------------------------------------------------


CAT = builders.catalogue((30, 20))
VECTORS = np.random.default_rng(0).standard_normal((CAT.n_items, 24)).astype(np.float32)
WITH = replace(CAT, vectors=VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True))


def model(**options: Any) -> Any:
    return SASRecText(SASRecTextOptions(width=32, max_len=10, **options))


@pytest.mark.parametrize("negatives", [0, 16])
def test_learns(negatives: int) -> None:
    definition = model(dropout=0.1, negatives=negatives)
    split = builders.planted(CAT, 300)
    options = TrainOptions(steps=150, epochs=0, batch_size=32, lr=4e-3, eval_every=50)
    result = fit(definition, WITH, split, CAT.domains, "domain", options, 0)
    net = definition.build(WITH, CAT.domains, 1)
    net.load_state_dict(result.state)
    counts = builders.net_counts(definition, net, split, split.test, WITH, [Ranking()])[0]
    assert ndcg(rank(*counts), 10).mean() > 0.5


def test_no_parameter_belongs_to_an_item_and_all_merge() -> None:
    net = model().build(WITH, CAT.domains, 0)
    assert all(action(n, SASRecText.policy) == "merge" for n in net.state_dict())
    assert not any(CAT.n_items in p.shape or 30 in p.shape for p in net.parameters())
    other = model().build(WITH, ["beta"], 0)
    for name, value in net.state_dict().items():
        assert torch.equal(value, other.state_dict()[name])


def test_a_later_event_changes_no_earlier_state() -> None:
    net = model().build(WITH, CAT.domains, 0).eval()
    items = torch.tensor([[1, 2, 3, 4]])
    other = items.clone()
    other[0, 3] = 9
    lengths = torch.tensor([4])
    assert torch.equal(net(items, lengths)[:, :3], net(other, lengths)[:, :3])
    last = net(items[:, :2], torch.tensor([2]), last_only=True)
    torch.testing.assert_close(last, net(items[:, :2], torch.tensor([2]))[:, 1])


def test_both_losses_meet_where_all_items_are_drawn() -> None:
    """Rivals are a set: drawing so many that none is missing gives the whole softmax."""
    definition, many = model(dropout=0.0), model(dropout=0.0, negatives=2000)
    net = definition.build(WITH, CAT.domains, 0)
    beta, both = [[31, 33, 40], [45, 32, 31]], [[1, 31], [5, 7]]
    for scope, items in ((("beta",), beta), (CAT.domains, both)):
        tokens = torch.tensor(items)
        lengths = torch.tensor([tokens.shape[1], 1])
        batch = Batch(tokens, tokens.flip(0), lengths, scope, torch.Generator(), {})
        assert definition.loss(net, batch)[0].item() == pytest.approx(
            many.loss(net, batch)[0].item(), rel=1e-5
        )


def test_draws_cover_the_scope_and_nothing_else() -> None:
    net = model().build(WITH, CAT.domains, 0)
    drawn = net.frozen.draw(("beta",), 2000, torch.Generator().manual_seed(0))
    assert drawn.unique().tolist() == list(range(30, 50))
    assert len(net.frozen.draw(CAT.domains, 4000, torch.Generator().manual_seed(0)).unique()) == 50


def test_vectors_have_to_be_there() -> None:
    with pytest.raises(HandledError, match="without text vectors"):
        model().build(CAT, CAT.domains, 0)


def test_whitened_vectors_are_even_in_every_direction_and_of_length_one() -> None:
    rng = np.random.default_rng(0)
    narrow = rng.normal(size=(400, 6)) * [5, 2, 1, 1, 0.5, 0.1] + [9, 0, 0, 0, 0, 0]
    turned = zca(narrow, floor=0.0)
    assert turned.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(turned, axis=1), 1, rtol=1e-6)
    spread = np.linalg.eigvalsh(np.cov(turned.T.astype(np.float64)))
    assert spread.max() / spread.min() < 1.5
    before = np.linalg.eigvalsh(np.cov(narrow.T))
    assert before.max() / before.min() > 1000
    # as little turned as possible: each axis stays its own nearest
    assert (np.corrcoef(narrow.T, turned.T)[:6, 6:].argmax(1) == np.arange(6)).all()
    alike = np.ones((5, 3))
    assert np.array_equal(zca(alike), np.zeros((5, 3), np.float32))


def test_whitening_reads_the_whole_catalogue_whichever_domains_are_served() -> None:
    one = model(whiten=True).build(WITH, CAT.domains[:1], 0)
    both = model(whiten=True).build(WITH, CAT.domains, 0)
    assert torch.equal(one.frozen.features, both.frozen.features)
    plain = model().build(WITH, CAT.domains, 0)
    assert not torch.equal(one.frozen.features, plain.frozen.features)
