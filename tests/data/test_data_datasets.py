"""First-party datasets and protocols."""

from __future__ import annotations

import sys
import zipfile
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from recmerge_bench_plugins.datasets import ml_100k
from recmerge_bench_plugins.datasets.atomic_folder import AtomicFolder
from recmerge_bench_plugins.datasets.atomic_folder import Options as FolderOptions
from recmerge_bench_plugins.datasets.ml_100k import MovieLens100K
from recmerge_bench_plugins.datasets.ml_100k import Options as MovieOptions
from recmerge_bench_plugins.datasets.synthetic import Options as SyntheticOptions
from recmerge_bench_plugins.datasets.synthetic import Synthetic
from recmerge_bench_plugins.protocols import leave_one_out as loo_plugin
from recmerge_bench_plugins.protocols import temporal as temporal_plugin

from recmerge_bench.data.candidates import draw
from recmerge_bench.data.codec import fingerprint
from recmerge_bench.data.interactions import Interactions
from recmerge_bench.data.splits import leave_one_out, temporal
from recmerge_bench.digests import file_digest
from recmerge_bench.errors import Blocked, DataError, HandledError
from recmerge_bench.interface.fetching import fetch_small
from recmerge_bench.planning.plan import build
from recmerge_bench.planning.suite_files import load_suite
from recmerge_bench.registry import Registry
from recmerge_bench.toolkit.data.atomic import export_atomic, read_folder

SMALL = SyntheticOptions(users=200, items=60, clusters=6, noise=0.0)
SIZES = {"romance": 247, "thriller": 394, "action": 252, "comedy": 363, "drama": 426}


@pytest.fixture(scope="module")
def films() -> Interactions:
    dataset = MovieLens100K()
    try:
        dataset.sources(None)
    except Blocked as gap:
        pytest.skip(str(gap))
    return dataset.load(None)


def test_ml_100k_has_its_published_counts(films: Interactions) -> None:
    assert {d: films.catalogue.size(d) for d in films.catalogue.domains} == SIZES
    assert (films.n_users, len(films.items), films.report["repeats"]) == (943, 100_000, 0)
    number = list(films.catalogue.tokens).index("1")
    assert films.catalogue.texts[number] == "Toy Story (1995) Animation Children's Comedy"
    assert films.catalogue.domains[films.item_domains()[number]] == "comedy"


def test_a_film_of_several_genres_is_of_the_first_group_that_matches(films: Interactions) -> None:
    number = list(films.catalogue.tokens).index("2")
    assert films.catalogue.texts[number] == "GoldenEye (1995) Action Adventure Thriller"
    assert films.catalogue.domains[films.item_domains()[number]] == "thriller"


def test_ml_100k_whole_is_one_domain_and_needs_no_import_of_recbole(
    films: Interactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "recbole", None)  # importing it raises
    whole = MovieLens100K(MovieOptions(whole=True)).load(None)
    assert whole.catalogue.domains == ("movies",) and whole.catalogue.n_items == 1682
    assert np.array_equal(whole.times, films.times)  # the same events in the same order


def test_ml_100k_of_a_folder_is_checked(films: Interactions, tmp_path: Path) -> None:
    folder = tmp_path / "ml-100k"
    folder.mkdir()
    for path in MovieLens100K().sources(None):
        (folder / path.name).write_bytes(path.read_bytes())
    assert fingerprint(MovieLens100K().load(tmp_path)) == fingerprint(films)
    inter = folder / "ml-100k.inter"
    inter.write_bytes(inter.read_bytes().rsplit(b"\n", 2)[0] + b"\n")
    with pytest.raises(DataError, match="not MovieLens-100K: 99999 events"):
        MovieLens100K().load(tmp_path)


@pytest.fixture
def no_recbole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """RecBole is not installed and nothing was fetched before; the user's cache."""

    def absent(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", absent)
    monkeypatch.delenv("RECMERGE_BENCH_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "recmerge-bench"


@pytest.fixture
def mirror(films: Interactions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a wheel of the right name and members, made here of the files that we have."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    with zipfile.ZipFile(folder / ml_100k.WHEEL.file, "w") as wheel:
        for member, file in zip(ml_100k.WHEEL.members, MovieLens100K().sources(None), strict=True):
            wheel.write(file, member)
        wheel.writestr("recbole-1.2.1.dist-info/METADATA", "Name: recbole\nVersion: 1.2.1\n")
        wheel.writestr("recbole-1.2.1.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("recbole-1.2.1.dist-info/RECORD", "")
    right = file_digest(folder / ml_100k.WHEEL.file)
    monkeypatch.setattr(ml_100k, "WHEEL", replace(ml_100k.WHEEL, sha256=right))
    return folder


def test_ml_100k_without_recbole_says_what_to_do(no_recbole: Path) -> None:
    with pytest.raises(Blocked) as caught:
        MovieLens100K().sources(None)
    assert "datasets prepare ml-100k" in caught.value.remedy


def test_ml_100k_comes_out_of_a_wheel_that_is_not_installed(
    mirror: Path, no_recbole: Path, films: Interactions
) -> None:
    MovieLens100K().fetch(None, str(mirror))
    assert sorted(p.name for p in (no_recbole / "ml-100k").iterdir()) == [
        "ml-100k.inter", "ml-100k.item",
    ]  # fmt: skip
    assert fingerprint(MovieLens100K().load(None)) == fingerprint(films)


def test_a_wheel_with_another_checksum_leaves_nothing(
    mirror: Path, no_recbole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ml_100k, "WHEEL", replace(ml_100k.WHEEL, sha256="0" * 64))
    with pytest.raises(HandledError, match=r"recbole-1\.2\.1-py3-none-any\.whl is not the right"):
        MovieLens100K().fetch(None, str(mirror))
    assert list((no_recbole / "ml-100k").iterdir()) == []


def test_a_mirror_without_the_wheel_is_one_line(no_recbole: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(HandledError, match="cannot fetch the wheel") as caught:
        MovieLens100K().fetch(None, str(tmp_path / "empty"))
    assert "\n" not in str(caught.value) and "--mirror" in str(caught.value)


def test_run_fetches_what_is_small(
    mirror: Path, no_recbole: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first README command works where RecBole cannot be installed."""
    suite = load_suite("regression", registry)
    blocked = build(suite, registry)
    assert {c.blocked is not None for c in blocked.cells.values() if c.kind == "data"} == {True}
    fetch = MovieLens100K.fetch
    monkeypatch.setattr(MovieLens100K, "fetch", lambda s, root, _: fetch(s, root, str(mirror)))
    assert fetch_small(blocked, registry, None, print)
    again = build(suite, registry)
    assert not any(c.blocked for c in again.cells.values())
    assert not fetch_small(again, registry, None, print)


def test_synthetic_is_the_same_each_time_and_follows_its_seed() -> None:
    one, again = (Synthetic(SMALL).load(None) for _ in range(2))
    assert fingerprint(one) == fingerprint(again)
    assert fingerprint(Synthetic(replace(SMALL, seed=1)).load(None)) != fingerprint(one)
    assert one.catalogue.domains == Synthetic(SMALL).domains() == ("d0", "d1", "d2")
    assert [one.catalogue.size(d) for d in one.catalogue.domains] == [60] * 3


def clusters(built: Interactions) -> np.ndarray:
    return np.array([int(t.rpartition("-")[2]) % 6 for t in built.catalogue.tokens])[built.items]


def test_synthetic_next_cluster_follows_from_the_last() -> None:
    def followed(options: SyntheticOptions) -> float:
        built = Synthetic(options).load(None)
        step = np.diff(clusters(built)) % 6
        inside = np.delete(step, built.offsets[1:-1] - 1)
        return float(np.isin(inside, [0, 1]).mean())

    assert followed(SMALL) == 1.0
    assert 0.25 < followed(replace(SMALL, noise=1.0)) < 0.42  # two of six by chance


def test_synthetic_domains_share_tastes_as_much_as_asked() -> None:
    def agreement(shared: float) -> float:
        built = Synthetic(replace(SMALL, shared=shared)).load(None)
        cluster, heads = clusters(built), built.offsets[:-1]
        return float((cluster[heads] == cluster[heads + 1]).mean())  # a user's first two domains

    assert agreement(1.0) == 1.0
    assert abs(agreement(0.5) - (0.25 + 0.75 / 6)) < 0.12  # both in step, or by chance
    assert agreement(0.0) < 0.3


def test_synthetic_text_tells_the_cluster_in_every_domain() -> None:
    catalogue = Synthetic(SMALL).load(None).catalogue
    shared: dict[int, set[str]] = {}
    for token, text in zip(catalogue.tokens, catalogue.texts, strict=True):
        shared.setdefault(int(token.rpartition("-")[2]) % 6, set()).add(text.rsplit(" ", 1)[0])
    assert [len(texts) for texts in shared.values()] == [1] * 6
    assert len(set.union(*shared.values())) == 6


def test_synthetic_feeds_all_protocols() -> None:
    built = Synthetic(SyntheticOptions(users=300)).load(None)
    split = leave_one_out(built, built.catalogue.domains)
    assert len(split.test) == 900
    assert draw(split, split.test, built.catalogue, 999, 0).shape == (900, 999)
    by_time = temporal(built, built.catalogue.domains)
    assert min(len(by_time.test), len(by_time.valid)) > 450


@pytest.mark.parametrize("wrong", [{"users": 0}, {"items": 5}, {"noise": 1.5}, {"shared": -0.1}])
def test_synthetic_refuses_impossible_sizes(wrong: dict[str, float]) -> None:
    with pytest.raises(HandledError, match="synthetic: "):
        Synthetic(replace(SMALL, **wrong)).load(None)


def test_atomic_folder_reads_what_was_exported(tmp_path: Path) -> None:
    built = Synthetic(SMALL).load(None)
    files = export_atomic(built, tmp_path / "set", "set")
    folder = AtomicFolder(FolderOptions(path="set", domain_names=built.catalogue.domains))
    assert folder.sources(tmp_path) == files
    assert fingerprint(folder.load(tmp_path)) == fingerprint(built)
    core = AtomicFolder(FolderOptions(path=str(tmp_path / "set"), k_item=20, repeats="drop"))
    assert core.domains() == ("d0", "d1", "d2")
    kept = core.load(None)
    assert np.bincount(kept.items).min() >= 20 and kept.catalogue.n_items < 180
    assert fingerprint(read_folder(tmp_path / "set", "drop", 0, 20)) == fingerprint(kept)


def test_atomic_folder_that_is_not_there(tmp_path: Path) -> None:
    dataset = AtomicFolder(FolderOptions(path="Absent Set"))
    assert dataset.domains() == ("absent-set",)
    with pytest.raises(Blocked, match="no folder"):
        dataset.sources(tmp_path)
    with pytest.raises(HandledError, match="option path"):
        AtomicFolder().domains()


LOO = ["loo", "loo-sampled-99", "loo-sampled-999"]
MIXED = ["mixed", "mixed-sampled-99", "mixed-sampled-999"]
MERIT = ["mixed-merit", "mixed-merit-sampled-99", "mixed-merit-sampled-999"]
MASKED = ["loo-masked", "loo-released-masked"]
OTHERS = ["mixed-capped-999", "mixed-masked", "loo-released", *MASKED]
SHUFFLED = [
    f"{name}-shuffled"
    for name in ("loo", "mixed", "mixed-merit", "mixed-merit-sampled-999", "mixed-masked",
                 "loo-released", *MASKED)
]  # fmt: skip
BY_TIME = ["temporal", "temporal-mixed", "temporal-mixed-sampled-999"]


@pytest.mark.parametrize(
    ("plugin", "cls", "names"),
    [
        (loo_plugin, loo_plugin.LeaveOneOut, [*LOO, *MIXED, *MERIT, *OTHERS, *SHUFFLED]),
        (temporal_plugin, temporal_plugin.Temporal, BY_TIME),
    ],
)
def test_protocols_are_presets_of_one_class(plugin: ModuleType, cls: Any, names: list[str]) -> None:
    specs = plugin.recmerge_bench_register()
    assert [s.name for s in specs] == names
    built = Synthetic(SMALL).load(None)
    for spec in specs:
        assert spec.target == f"{plugin.__name__}:{cls.__name__}"
        protocol = cls(cls.Options(**spec.options))
        split = protocol.split(built, ["d0"], unscored=["d2"])
        scopes = {-1} if "mixed" in spec.name else {0, 2}
        assert set(split.sequences.domains.tolist()) == scopes
        assert set(split.test.domains.tolist()) == {0}
        count = spec.name.removesuffix("-shuffled").rpartition("-")[2]
        assert protocol.candidates() == (int(count) if count.isdigit() else None)
        assert protocol.mask_history() is ("masked" in spec.name)
        assert protocol.cap_candidates() is ("capped" in spec.name)
        assert protocol.candidate_seed() == 2026
        assert protocol.shuffle_seed() == (2026 if "shuffled" in spec.name else None)
        assert set(protocol.split_options()) <= set(vars(protocol.options))


def test_protocols_that_cut_alike_say_so() -> None:
    options, cls = loo_plugin.Options, loo_plugin.LeaveOneOut
    plain = cls(options()).split_options()
    assert cls(options(negatives=99, masked=True, candidate_seed=1)).split_options() == plain
    assert cls(options(scope="mixed")).split_options() != plain
    assert cls(options(capped=True)).split_options() == plain
    assert cls(options(shuffled=True, shuffle_seed=1)).split_options() == plain
    for change in ({"min_length": 5}, {"last": 50}, {"least_each": 5}):
        assert cls(options(**change)).split_options() != plain
