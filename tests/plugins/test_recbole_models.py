"""RecBole's models as backbones: the same numbers as RecBole's own, and nothing else changed."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import ROOT, SAMPLES
from recmerge_bench_plugins.backbones.recbole_models import RecBoleModel, RecBoleOptions
from recmerge_bench_plugins.backbones.recbole_models.checkpoint import from_recbole
from recmerge_bench_plugins.backbones.recbole_models.fence import NEEDED, fenced
from recmerge_bench_plugins.backbones.recbole_models.models import (
    BY_NAME,
    MODELS,
    RUNNING,
    Model,
    table,
)
from recmerge_bench_plugins.backbones.recbole_models.net import RecBoleNet, draw
from recmerge_bench_plugins.backbones.recbole_models.settings import model_settings, settings_of
from virtual_device import run_cells, second_device

from recmerge_bench.api import Batch, Catalogue, HandledError
from recmerge_bench.data.interactions import Interactions
from recmerge_bench.data.splits import leave_one_out
from recmerge_bench.evaluation.loaded import LoadedModel
from recmerge_bench.evaluation.metrics import hit, mrr, ndcg, rank
from recmerge_bench.evaluation.ranking import Ranking
from recmerge_bench.evaluation.split_ranks import rank_split
from recmerge_bench.registry import Registry
from recmerge_bench.seeds import table_seed
from recmerge_bench.testing import events
from recmerge_bench.toolkit.data.build import Columns, Item, build_interactions
from recmerge_bench.training.options import TrainOptions
from recmerge_bench.training.trainer import fit

for _module, _distribution in NEEDED.items():
    pytest.importorskip(_module, reason=f"RecBole's models need {_distribution}")
pytestmark = pytest.mark.filterwarnings("ignore")

NAMES = [model.name for model in RUNNING]
SUBMODULES = "recbole.model.sequential_recommender"


def definition(name: str, **options: Any) -> RecBoleModel:
    return RecBoleModel(RecBoleOptions(model=name, **options))  # type: ignore[arg-type]


def classes() -> dict[str, type]:
    """All sequential models of the installed RecBole."""
    with fenced():
        package = import_module(SUBMODULES)
        from recbole.model.abstract_recommender import SequentialRecommender

        return {
            name: cls
            for name, cls in vars(package).items()
            if inspect.isclass(cls) and issubclass(cls, SequentialRecommender)
        }


def walks(users: int = 80, items: int = 30) -> list[tuple[str, str, int]]:
    """(user, item, time) of walks that mostly go to the next item; 5 to 16 events of each user."""
    rng = np.random.default_rng(5)
    rows = []
    for user in range(users):
        at = int(rng.integers(items))
        for time in range(5 + user % 12):
            rows.append((f"u{user}", f"i{at}", time))
            at = (at + 1 + int(rng.random() < 0.2) * int(rng.integers(items))) % items
    return rows


def interactions(rows: list[tuple[str, str, int]]) -> Interactions:
    users, items, times = zip(*rows, strict=True)
    columns = Columns(list(users), list(items), np.array(times, np.int64))
    return build_interactions(columns, {i: Item("all", i) for i in set(items)}, ["all"])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which RecBole trained each of the models."""
    folder = tmp_path_factory.mktemp("recbole")
    (folder / "walk").mkdir()
    lines = ["user_id:token\titem_id:token\ttimestamp:float"]
    lines += [f"{u}\t{i}\t{t}" for u, i, t in walks()]
    (folder / "walk" / "walk.inter").write_text("\n".join(lines) + "\n")
    script = ROOT / "tests" / "support" / "recbole_training.py"
    ran = subprocess.run(
        [sys.executable, str(script), str(folder), *NAMES], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    yield folder


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_recboles(trained: Path, name: str) -> None:
    """After RecBole's own training: scores, and metrics by our evaluator to six decimals."""
    facts = json.loads((trained / "facts.json").read_text())[name]
    kept = torch.load(trained / f"{name}.pt", weights_only=True)
    made = interactions(walks())
    split = leave_one_out(made, ["all"])
    model = definition(name, max_len=10)
    net = model.build(made.catalogue, ["all"], 0)
    net.load_state_dict(from_recbole(kept["state"], facts["rows"], made.catalogue, ["all"]))
    net.eval()
    loaded = LoadedModel(model, net, ("all",))
    ranks = rank_split([loaded], split, made.catalogue, Ranking(), split.test)
    places = rank(ranks.n_better, ranks.n_equal)
    ours = {
        f"{metric}@{k}": float(value(places, k).mean())
        for metric, value in (("recall", hit), ("ndcg", ndcg), ("mrr", mrr))
        for k in (5, 10)
    }
    assert ours == pytest.approx(facts["metrics"], abs=1e-6)
    _check_scores(model, net, split, made, facts, kept["scores"])


def _check_scores(
    model: RecBoleModel, net: Any, split: Any, made: Interactions, facts: Any, theirs: Any
) -> None:
    row = {made.user_tokens[user]: n for n, user in enumerate(split.test.users)}
    columns = [facts["rows"][token] for token in made.catalogue.tokens]
    vectors, bias = model.items(net, "all")
    for user, scores in zip(facts["users"], theirs[:, columns], strict=True):
        n = row[user]
        start = split.sequences.offsets[split.test.sequence[n]]
        past = split.sequences.items[start : start + split.test.position[n]][-10:]
        history = torch.from_numpy(past.astype(np.int64))[None]
        with torch.inference_mode():
            ours = model.encode(net, history, torch.tensor([len(past)]), "all") @ vectors.T
        ours = ours[0] if bias is None else ours[0] + bias
        assert float((ours - scores).abs().max()) < 1e-5 * max(1.0, float(scores.abs().max()))


def test_the_table_is_of_all_sequential_models() -> None:
    assert set(classes()) == set(BY_NAME) and len(MODELS) == len(BY_NAME) == 31
    assert len(RUNNING) >= 12
    printed = subprocess.run(
        [sys.executable, "-m", "recmerge_bench_plugins.backbones.recbole_models"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert printed.stdout.strip() == table()
    document = (ROOT / "docs" / "how-to" / "recbole.md").read_text(encoding="utf-8")
    assert table() in document, "put the printed table into docs/how-to/recbole.md"


@pytest.mark.parametrize("model", [m for m in MODELS if m.reason], ids=lambda m: m.name)
def test_the_reasons_are_true(model: Model) -> None:
    """Of each model that does not run, read in its source."""
    source = inspect.getsource(classes()[model.name])
    features = any(word in source for word in ("FEATURE_FIELD", "selected_features",
                                               "ContextSeqEmbLayer", "feature_embed"))  # fmt: skip
    graph = "get_preload_weight" in source
    assert (model.reason == "knowledge graph") is graph
    assert (model.reason == "item features") is features
    if not features:
        users = "interaction[self.USER_ID]" in source and "self.n_user" in source
        assert (model.reason == "user ids") is users


@pytest.mark.parametrize("name", [m.name for m in MODELS if m.reason == "no product"])
def test_scores_that_are_no_product(name: str) -> None:
    """Scores of many users and items have a higher rank than their vectors' width."""
    width, items, users = 4, 40, 30
    settings = settings_of(name, width, 10, {})
    settings |= {"hidden_size": width, "reranker_CAN_NUM": 5, "inner_size": 8}
    settings |= {"dropout_prob": 0.0}
    with fenced():
        core = draw(name, settings, items, 0).eval()
    rng = torch.Generator().manual_seed(0)
    asked = {
        "item_id_list": torch.randint(1, items + 1, (users, 10), generator=rng),
        "item_length": torch.full((users,), 10),
        "item_id": torch.ones(users, dtype=torch.int64),
    }
    with torch.no_grad():
        scores = core.full_sort_predict(asked).view(users, -1)[:, 1:].double()
    # What a softmax leaves of a product of vectors: its logarithms, each user's up to a constant.
    logs = scores.clamp_min(1e-30).log()
    assert int(torch.linalg.matrix_rank(logs, rtol=1e-4)) > width + 2


@pytest.mark.parametrize("name", NAMES)
def test_what_is_read_at_padded_positions(name: str) -> None:
    """`reads_padding` is true: otherwise histories stay as short as they are."""
    catalogue = events().catalogue
    model = definition(name, width=8, max_len=10)
    net: Any = model.build(catalogue, ["d0"], 1).eval()
    with torch.no_grad():
        net.core.item_embedding.padding.normal_(generator=torch.Generator().manual_seed(0))
    items, lengths = torch.tensor([[3, 5, 1, 0, 0, 0]]), torch.tensor([3])
    with torch.inference_mode():
        given = model.encode(net, items, lengths, "d0")
        net.core.item_embedding.padding.mul_(-3.0)
        other = model.encode(net, items, lengths, "d0")
    change = float((given - other).abs().max() / given.abs().max())
    assert (change > 1e-4) is BY_NAME[name].reads_padding


@pytest.mark.parametrize("name", NAMES)
def test_users_depend_on_their_own_history_alone(name: str) -> None:
    """Not on the batch, on its width or on what stands behind a history's end."""
    catalogue = events().catalogue
    model = definition(name, width=8, max_len=10)
    net = model.build(catalogue, ["d0", "d1"], 1).eval()
    rng = torch.Generator().manual_seed(0)
    items = torch.randint(12, 24, (5, 9), generator=rng)
    lengths = torch.tensor([1, 2, 5, 8, 9])
    with torch.inference_mode():
        together = model.encode(net, items, lengths, "d1")
        for n, length in enumerate(lengths.tolist()):
            alone = model.encode(net, items[n : n + 1, :length], lengths[n : n + 1], "d1")
            torch.testing.assert_close(alone[0], together[n], atol=2e-5, rtol=1e-4)


def _batch(generator: torch.Generator, size: int = 16) -> Batch:
    items = torch.randint(12, 24, (size, 6), generator=generator)
    targets = torch.randint(12, 24, (size, 6), generator=generator)
    lengths = torch.randint(1, 7, (size,), generator=generator)
    return Batch(items, targets, lengths, ("d1",), generator, {})


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_gives_the_same_net_and_loss(name: str) -> None:
    catalogue = events().catalogue
    model = definition(name, width=8)
    values, states = [], []
    for _ in range(2):
        np.random.random(3)
        net = model.build(catalogue, ["d0", "d1"], 7)
        torch.manual_seed(0)
        loss, count = model.loss(net.train(), _batch(torch.Generator().manual_seed(1)))
        loss.backward()
        values.append((float(loss.detach()), count))
        states.append(net.state_dict())
    assert values[0] == values[1] and values[0][1] > 0
    assert all(torch.equal(states[0][n], states[1][n]) for n in states[0])
    other = model.build(catalogue, ["d1"], 7).state_dict()
    assert all(torch.equal(states[0][n], other[n]) for n in other)  # whichever domains are held
    assert not torch.equal(model.build(catalogue, ["d1"], 8).state_dict()["tables.d1"],
                           other["tables.d1"])  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_initial_values_are_recboles(name: str) -> None:
    """A domain's table, and the rest of the net, as RecBole's class draws them."""
    catalogue = events().catalogue
    net: Any = definition(name, width=8).build(catalogue, ["d1"], 7)
    settings = settings_of(name, 8, 50, {})
    with fenced():
        whole, small = draw(name, settings, 12, table_seed(7, 1)), draw(name, settings, 1, 7)
    assert torch.equal(net.tables.d1, whole.item_embedding.weight[1:13])
    theirs = {n: v for n, v in small.state_dict().items() if n not in ("item_embedding.weight",
                                                                      "output_bias")}  # fmt: skip
    ours = {n: v for n, v in net.core.state_dict().items() if "item_embedding" not in n}
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[n], theirs[n]) for n in ours)


@pytest.mark.parametrize("name", NAMES)
def test_settings_are_those_of_recboles_config(name: str) -> None:
    """All that the model's file sets, read without `Config`."""
    with fenced() as folder:
        from recbole.config import Config

        given = {"train_neg_sample_args": None, "checkpoint_dir": str(folder)}
        theirs = Config(model=name, dataset="ml-100k", config_dict=given)
        values = {key: theirs[key] for key in model_settings(name)}
    ours = settings_of(name, 64, 50, {})
    assert {key: ours[key] for key in values} == values


def test_settings_are_checked() -> None:
    assert settings_of("SASRec", 32, 20, {"n_layers": 1})["n_layers"] == 1
    with pytest.raises(HandledError, match=r"no 'n_layer'.*did you mean 'n_layers'"):
        definition("SASRec", settings={"n_layer": 1})
    with pytest.raises(HandledError, match="set by the options width"):
        definition("SASRec", settings={"hidden_size": 8})
    assert definition("GRU4Rec", settings={"hidden_size": 8}).options.settings == {"hidden_size": 8}
    with pytest.raises(HandledError, match="RecBole refuses its settings"):
        definition("SASRec", width=9).build(events().catalogue, ["d0"], 0)


NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attn_dropout_prob": 0.0, "initializer_range": 0.1}


@pytest.mark.parametrize(
    ("name", "epochs", "lr", "settings"),
    [("GRU4Rec", 12, 0.01, {}), ("STAMP", 60, 0.01, {}), ("BERT4Rec", 50, 0.003, NO_DROPOUT)],
)
def test_our_trainer_trains_them(
    name: str, epochs: int, lr: float, settings: dict[str, float]
) -> None:
    """One of each way of training: the next item of a walk is learned."""
    made = interactions(walks())
    split = leave_one_out(made, ["all"])
    options = TrainOptions(epochs=epochs, batch_size=16, lr=lr, eval_every=1000)
    model = definition(name, width=32, max_len=10, settings=settings)
    result = fit(model, made.catalogue, split, ("all",), "domain", options, seed=0)
    assert result.report["best_valid"] > 0.5  # NDCG@10; chance is 0.15


@pytest.mark.parametrize("name", NAMES)
def test_a_second_device(registry: Registry, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Training and scores elsewhere mix no places and are the CPU's."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks" / "speed"))
    nets = import_module("gpu_nets")
    with second_device():
        options = {"width": 8, "max_len": 10}
        actual = nets.check(registry, "backbone", f"recbole:{name}", options, "cuda")
    assert actual["fp32"]["difference"] < 1e-4


def test_they_are_trained_merged_and_ranked(registry: Registry, tmp_path: Path) -> None:
    """Through the same cells as any backbone: their shared weights merge, their tables do not."""
    assert run_cells(registry, SAMPLES / "recbole.yaml", tmp_path, "cpu") == []
    assert len(list(tmp_path.glob("store/*/*/ranks.parquet"))) >= 30


def test_masked_items_ask_for_no_first_event() -> None:
    from recmerge_bench_plugins.backbones.recbole_models.objectives import _listed

    masked = torch.tensor([[False, True, False, True], [False, False, True, False]])
    places, known = _listed(masked)
    assert places.tolist() == [[1, 3], [2, 0]] and known == 3


def test_specs_are_named_as_recbole_has_it(registry: Registry) -> None:
    names = [name for name in registry.names("backbone") if name.startswith("recbole:")]
    assert sorted(names) == sorted(f"recbole:{name}" for name in NAMES)
    spec = registry.get("backbone", "recbole:NARM")
    assert spec.options == {"model": "NARM"} and "recbole" in spec.requires


def test_a_net_knows_its_tables_once() -> None:
    catalogue: Catalogue = events().catalogue
    net = definition("SASRec", width=8).build(catalogue, ["d0", "d1"], 0)
    assert isinstance(net, RecBoleNet)
    names = [name for name, _ in net.named_parameters(remove_duplicate=False)]
    assert [n for n in names if not n.startswith("core.")] == ["tables.d0", "tables.d1"]
    assert [n for n in names if "item_embedding" in n] == ["core.item_embedding.padding"]
