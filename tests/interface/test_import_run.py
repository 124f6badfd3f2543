"""Runs made elsewhere: our own scores come back as our own ranks; incomplete ones are refused."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from conftest import SAMPLES

import recmerge_bench as rmb
from recmerge_bench.cli import cli
from recmerge_bench.data.codec import load_interactions, load_split
from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.registry import Registry
from recmerge_bench.report.publishing.check import check
from recmerge_bench.results.files import load_records
from recmerge_bench.results.reader import Reader, manifests
from recmerge_bench.submissions.run_files import FORMS, read_run
from recmerge_bench.submissions.run_ranks import _item_places

DOMAINS = ("action", "romance")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two counting rows under a full, a masked and a sampled protocol."""
    tiny = yaml.safe_load((SAMPLES / "tiny.yaml").read_text())
    track = {**tiny["tracks"]["merging"], "rows": ["popularity", "last-item"],
             "protocols": ["loo", "loo-masked", "loo-sampled-99"]}  # fmt: skip
    folder = tmp_path_factory.mktemp("runs")
    suite = {**tiny, "metrics": ["NDCG@10", "MRR"], "tracks": {"merging": track}}
    assert rmb.run(suite, out=folder, progress=False).failures == ()
    return folder


@pytest.fixture(scope="module")
def made(out: Path, registry: Registry) -> dict[str, Any]:
    """Each domain's test users, items and popularity in the training parts."""
    reader = Reader(out, registry)
    [manifest] = manifests(out, "tiny")
    data = load_interactions(reader.store.folder(reader.source(manifest.results[0], "data")))
    split = load_split(reader.store.folder(reader.source(manifest.results[0], "split")))
    counts = np.bincount(split.sequences.training()[1], minlength=data.catalogue.n_items)
    parts: dict[str, Any] = {}
    for domain in DOMAINS:
        span = data.catalogue.span(domain)
        of = split.test.domains == data.catalogue.domains.index(domain)
        parts[domain] = (
            [data.user_tokens[u] for u in split.test.users[of]],
            list(data.catalogue.tokens[span]),
            counts[span].astype(np.float64),
            [data.catalogue.tokens[i] for i in split.test.targets[of]],
        )
    return parts


def npz(made: dict[str, Any], folder: Path) -> dict[str, Path]:
    files = {}
    for domain, (users, items, counts, _) in made.items():
        files[domain] = folder / f"{domain}.npz"
        scores = np.tile(counts, (len(users), 1))
        np.savez(files[domain], users=users, items=items, scores=scores)
    return files


def lines(made: dict[str, Any], domain: str, k: int | None = None) -> list[tuple[str, str, float]]:
    """User, item and score, of all items or of the first k."""
    users, items, counts, _ = made[domain]
    order = np.argsort(-counts, kind="stable")[:k]
    return [(user, items[i], float(counts[i])) for user in users for i in order]


def tsv(path: Path, rows: list[tuple[str, str, float]]) -> Path:
    path.write_text("".join(f"{u}\t{i}\t{s}\n" for u, i, s in rows))
    return path


ASK: dict[str, Any] = {"name": "their-popularity", "track": "merging", "suite": "tiny"}


@pytest.mark.parametrize("protocol", ["loo", "loo-masked", "loo-sampled-99"])
def test_our_own_scores_give_our_own_ranks(
    out: Path, made: dict[str, Any], tmp_path: Path, registry: Registry, protocol: str
) -> None:
    files = npz(made, tmp_path)
    row = rmb.import_run(files, **ASK, protocol=protocol, out=out, to=tmp_path / "boards")
    records = load_records(out / "records" / "tiny.json")
    wanted = ("popularity", protocol)
    ours = next(r for r in records.results if (r.identity.method, r.identity.protocol) == wanted)
    assert row.result.metrics == ours.metrics and row.remarks == ()
    board = (tmp_path / "boards" / "tiny-external.md").read_text()
    assert (
        "their-popularity ‡" in board and "‡ external: their-popularity: scores of a file" in board
    )
    assert "what it was trained on, and how, is not known here" in board
    made_again = load_records(tmp_path / "boards" / "records" / "tiny-external.json")
    assert [r.identity.method for r in made_again.results] == [
        "popularity", "last-item", "their-popularity",
    ]  # fmt: skip
    assert check(tmp_path / "boards", registry) == []


def test_all_forms_say_the_same(out: Path, made: dict[str, Any], tmp_path: Path) -> None:
    rows = lines(made, "action")
    tsv(tmp_path / "a.tsv", rows)
    trec = (f"{u} Q0 {i} {n} {s} mine\n" for n, (u, i, s) in enumerate(rows))
    (tmp_path / "a.trec").write_text("".join(trec))
    header = "user_id:token\titem_id:token\tscore:float\n"
    (tmp_path / "a.inter").write_text(header + (tmp_path / "a.tsv").read_text())
    files = npz(made, tmp_path)
    values = [
        rmb.import_run({**files, "action": path}, **ASK, protocol="loo", out=out, to=tmp_path / "b")
        .result.metrics
        for path in (files["action"], *(tmp_path / f"a.{e}" for e in ("tsv", "trec", "inter")))
    ]  # fmt: skip
    assert values[1:] == values[:1] * 3


def test_one_file_of_all_domains_and_a_second_row(
    out: Path, made: dict[str, Any], tmp_path: Path
) -> None:
    users_items = {domain: set(part[1]) for domain, part in made.items()}
    both = [row for domain in DOMAINS for row in lines(made, domain)]
    path = tsv(tmp_path / "all.tsv", both)
    if users_items["action"] & users_items["romance"]:
        with pytest.raises(HandledError, match=r"is in the domains .*DOMAIN=FILE"):
            rmb.import_run(path, **ASK, protocol="loo", out=out, to=tmp_path)
        files: Any = npz(made, tmp_path)
    else:
        files = path
    for name in ("first", "second", "first"):
        rmb.import_run(files, **{**ASK, "name": name}, protocol="loo", out=out, to=tmp_path)
    results = load_records(tmp_path / "records" / "tiny-external.json").results
    names = [r.identity.method for r in results]
    assert sorted(names) == ["first", "last-item", "popularity", "second"]
    with pytest.raises(HandledError, match="another table; give this one a folder"):
        rmb.import_run(files, **ASK, protocol="loo-masked", out=out, to=tmp_path)


def test_short_lists(out: Path, made: dict[str, Any], tmp_path: Path) -> None:
    files = {d: tsv(tmp_path / f"{d}.tsv", lines(made, d, 10)) for d in DOMAINS}
    whole = rmb.import_run(npz(made, tmp_path), **ASK, protocol="loo", out=out, to=tmp_path / "a")
    with pytest.raises(HandledError, match=r"lists too short for MRR: .*behind the list's end"):
        rmb.import_run(files, **ASK, protocol="loo", out=out, to=tmp_path / "b")
    short = rmb.import_run(
        files, **ASK, protocol="loo", out=out, to=tmp_path / "b", metrics=["HR@5", "NDCG@5"]
    )
    known = rmb.import_run(
        npz(made, tmp_path), **ASK, protocol="loo", out=out, to=tmp_path / "c",
        metrics=["HR@5", "NDCG@5"],
    )  # fmt: skip
    assert "lists of some candidates alone" in short.remarks[0]
    if len({*made["action"][2]}) == len(made["action"][2]):  # without ties the lists are the same
        assert short.result.metrics == known.result.metrics
    tied = rmb.import_run(
        files, **ASK, protocol="loo", out=out, to=tmp_path / "d", unlisted="equal"
    )
    ranks, size = tied.ranks, len(made["action"][1])
    missing = np.array([t not in {i for _, i, _ in lines(made, "action", 10)[:10]}
                        for t in made["action"][3]])  # fmt: skip
    own = ranks.domain == ranks.domains.index("action")
    assert (ranks.n_better[own][missing] == 10).all()
    assert (ranks.n_equal[own][missing] == size - 11).all()
    assert tied.result.metrics["mean"]["MRR"] <= whole.result.metrics["mean"]["MRR"] + 0.01


def test_lists_shorter_than_the_cut_off(out: Path, made: dict[str, Any], tmp_path: Path) -> None:
    files = {d: tsv(tmp_path / f"{d}.tsv", lines(made, d, 5)) for d in DOMAINS}
    with pytest.raises(HandledError, match=r"too short for NDCG@10: .*has 5 of \d+ candidates"):
        rmb.import_run(files, **ASK, protocol="loo", out=out, to=tmp_path, metrics=["NDCG@10"])


def _broken(made: dict[str, Any], what: str) -> str | bytes:
    rows = lines(made, "action")
    first, item = rows[0][0], rows[0][1]
    if what == "missing users":
        rows = [r for r in rows if r[0] != first]
    if what == "unknown item":
        rows[3] = (first, f"{item}x", 1.0)
    if what == "unknown user":
        rows.insert(1, ("nobody", item, 1.0))
    if what == "twice":
        rows.insert(4, rows[0])
    text = "".join(f"{u}\t{i}\t{s}\n" for u, i, s in rows)
    if what in ("nan", "inf", "high"):
        return text.replace("\n", f"\n{first}\t{item}\t{what}\n", 1)
    return text + "a line\n" if what == "fields" else text


@pytest.mark.parametrize(
    ("what", "fault"),
    [
        ("missing users", r"incomplete: 1 of \d+ test users of 'action' have no score \("),
        ("unknown item", r"a\.tsv:4: item '.*x' is no item of 'action' \(did you mean"),
        ("unknown user", r"a\.tsv:2: user 'nobody' is no user of the dataset"),
        ("twice", r"a\.tsv:5: user '.*' has item '.*' twice"),
        ("nan", r"a\.tsv:2: the score is nan: NaN and infinite scores cannot be ranked"),
        ("inf", r"a\.tsv:2: the score is inf"),
        ("high", r"a\.tsv:2: 'high' is no score"),
        ("fields", r"a\.tsv:\d+: 1 fields; a line is a user, an item and a score"),
    ],
)
def test_incomplete_and_broken_runs_are_refused(
    out: Path, made: dict[str, Any], tmp_path: Path, what: str, fault: str
) -> None:
    files = npz(made, tmp_path)
    (tmp_path / "a.tsv").write_text(str(_broken(made, what)))
    with pytest.raises(HandledError, match=fault) as error:
        rmb.import_run(
            {**files, "action": tmp_path / "a.tsv"}, **ASK, protocol="loo", out=out, to=tmp_path
        )
    assert "\n" not in str(error.value) and not (tmp_path / "records").exists()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"track": "mergin"}, "no track 'mergin' .did you mean 'merging'"),
        ({"protocol": "lo"}, "no protocol 'lo'"),
        ({"suite": "tony"}, "suite 'tony' was not run here .did you mean 'tiny'"),
        ({"form": "trek"}, "no form 'trek' .did you mean 'trec'"),
        ({"name": ""}, "a row's name is one line"),
        ({"metrics": ["NDCG@0"]}, "the cut-off after @"),
        ({"metrics": ["coverage@10"]}, "of the first items of rankings"),
    ],
)
def test_wrong_words_are_refused(
    out: Path, made: dict[str, Any], tmp_path: Path, changes: Any, fault: str
) -> None:
    asked = {**ASK, "protocol": "loo", "out": out, "to": tmp_path / "b", **changes}
    with pytest.raises(HandledError, match=fault):
        rmb.import_run(npz(made, tmp_path), **asked)


def test_files_and_domains(out: Path, made: dict[str, Any], tmp_path: Path) -> None:
    files = npz(made, tmp_path)
    ask = {**ASK, "protocol": "loo", "out": out, "to": tmp_path / "b"}
    with pytest.raises(HandledError, match="no file of the domain 'romance'"):
        rmb.import_run({"action": files["action"]}, **ask)
    with pytest.raises(HandledError, match=r"no domain 'acton' .did you mean 'action'"):
        rmb.import_run({**files, "acton": files["action"]}, **ask)
    (tmp_path / "a.csv").write_text("u,i,1\n")
    with pytest.raises(DataError, match=r"its ending says no form .*--format"):
        rmb.import_run({**files, "action": tmp_path / "a.csv"}, **ask)


@pytest.mark.parametrize(
    ("arrays", "fault"),
    [
        ({"users": ["a"], "items": ["x"]}, "no array 'scores'"),
        ({"users": [1], "items": ["x"], "scores": np.zeros((1, 1))}, "'users' is int64"),
        ({"users": ["a", "a"], "items": ["x"], "scores": np.zeros((2, 1))}, "an id twice"),
        ({"users": ["a"], "items": ["x"], "scores": np.zeros((1, 2))}, "'scores' is float64"),
        ({"users": ["a"], "items": ["x"], "scores": np.full((1, 1), np.nan)}, "is not finite"),
        ({"users": np.array([None]), "items": ["x"], "scores": np.zeros(1)}, "no NumPy arrays"),
    ],
)  # fmt: skip
def test_arrays_are_looked_at(tmp_path: Path, arrays: Any, fault: str) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(DataError, match=fault):
        read_run(tmp_path / "x.npz", "npz")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"PK\x03\x04 no archive", b"a b\n"])
def test_any_bytes_are_refused_in_words(tmp_path: Path, form: Any, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(HandledError) as error:
        read_run(tmp_path / "x", form)
    assert "\n" not in str(error.value)


def test_the_command(out: Path, made: dict[str, Any], tmp_path: Path) -> None:
    words = ["import-run", *(f"{d}={p}" for d, p in npz(made, tmp_path).items())]
    words += ["--suite", "tiny", "--track", "merging", "--protocol", "loo", "--name", "theirs"]
    words += ["--out", str(out), "--to", str(tmp_path / "boards"), "--note", "by hand"]
    result = CliRunner().invoke(cli, words, standalone_mode=False, catch_exceptions=False)
    assert "theirs, external: NDCG@10" in result.output
    assert "by hand" in (tmp_path / "boards" / "tiny-external.md").read_text()


def test_an_id_that_is_another_with_its_domain_names_the_one_that_is_called_so() -> None:
    tokens = ["toys/1", "toys/toys/1"]
    data: Any = SimpleNamespace(
        catalogue=SimpleNamespace(tokens=tokens, span=lambda domain: slice(0, 2))
    )
    places = _item_places(data, ["toys"])
    assert places == {"toys/1": {"toys": 0}, "toys/toys/1": {"toys": 1}, "1": {"toys": 0}}
