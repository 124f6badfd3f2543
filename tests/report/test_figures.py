"""Curves of learned merges, the data of figures, and their drawings."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import boards_builders as made
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from commands import run
from conftest import SAMPLES
from json_boards import UNRECORDED, derive
from tier_builders import CAT, MODEL, given

from recmerge_bench.cli import cli
from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.evaluation.metrics import ndcg, rank
from recmerge_bench.merging.course import likelihoods, models_along
from recmerge_bench.planning.header import header as suite_header
from recmerge_bench.planning.plan import build
from recmerge_bench.planning.suite_files import load_suite
from recmerge_bench.registry import Registry
from recmerge_bench.report.figures.data import FigureData, Point
from recmerge_bench.report.figures.declared import figures
from recmerge_bench.report.figures.draw import svg
from recmerge_bench.results.all_ranks import read_all_ranks
from recmerge_bench.results.curves import load_curves
from recmerge_bench.results.files import load_records
from recmerge_bench.results.groups import load_groups
from recmerge_bench.results.records import Records
from recmerge_bench.targets import define

TEXT = SAMPLES / "text.yaml"


def learned(vectors: str) -> Any:
    return define(
        "recmerge_bench_plugins.strategies.mergerec:MergeRec",
        {"steps": 6, "granularity": "tensor", "vectors": vectors, "density": 0.5, "lr": 0.05},
    )


@pytest.mark.parametrize("vectors", ["task", "ties", "kept"])
def test_the_course_ends_at_the_merged_model(vectors: str) -> None:
    strategy, handed = learned(vectors), given("T1")
    merged = strategy.merge(handed)
    notes, net = handed.notes, handed.users.net(handed.base)
    course = models_along(handed, strategy.options, notes["trace"], notes["weights"], 6, net)
    steps = []
    for step, model in course:
        steps.append(step)
        state = {n: t.clone() for n, t in model.state_dict().items()}
    assert steps == [0, 1, 2, 3, 4, 5, 6]
    for name, tensor in merged.items():
        assert torch.equal(state[name], tensor)


def test_likelihoods_by_hand() -> None:
    scores = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    cross, entropy = likelihoods(scores, np.array([0, 0], np.int32), 0.5)
    shares = torch.softmax(torch.tensor([[2.0, 0.0], [0.0, 4.0]], dtype=torch.float64), 1)
    np.testing.assert_allclose(cross, -shares[:, 0].log())
    np.testing.assert_allclose(entropy, -(shares * shares.log()).sum(1))
    assert CAT.n_items == 50 and MODEL.max_history() == 6


def groups_follow_from_ranks(folder: Path, registry: Registry) -> None:
    """Every target is in one group by history, and the records are what the ranks give."""
    records = load_records(folder / "records" / "text.json").to_json()
    groups = load_groups(folder / "records" / "text.groups.json")
    [some] = groups.values()
    history = [g.rows for g in some if g.name.startswith("history-")]
    assert len(history) > 1 and (sum(h.astype(int) for h in history) == 1).all()
    assert {g.name.rpartition("-")[0] for g in some} <= {"history", "cold"}
    ranks = read_all_ranks(folder / "records" / "text.ranks.parquet")
    assert derive(records, ranks, registry, groups) == records
    row, table = records["results"][0], ranks[records["results"][0]["key"]]
    group = some[0]
    of_second_domain = group.rows & (table.domain == 1)
    wanted = ndcg(
        rank(table.n_better[of_second_domain], table.n_equal[of_second_domain]), 10
    ).mean()
    assert row["groups"][group.name]["d1"] == pytest.approx(wanted)
    text = (folder / "boards" / "text-full.md").read_text()
    assert "by group of test targets" in text and f"- {group.name}: {group.about}" in text
    file = folder / "records" / "text.groups.json"
    raw = json.loads(file.read_text())
    next(iter(raw["splits"].values()))[0]["instances"] += 8
    (folder / "bad.json").write_text(json.dumps(raw))
    with pytest.raises(DataError, match="no groups of test targets"):
        load_groups(folder / "bad.json")


def test_a_suite_with_curves_gives_records_and_figures(tmp_path: Path, registry: Registry) -> None:
    rows = [
        "fine-tune",
        {"method": "mergerec", "options": {"steps": 4, "distillation": 1.0}, "curve": 20},
        {"method": "mergerec", "options": {"steps": 4, "distillation": 2000.0}},
    ]
    shown = {
        "course": {"kind": "course", "title": "Course"},
        "weights": {"kind": "weights", "title": "Weights"},
        "kd": {"kind": "option", "option": "distillation", "title": "Distillation"},
        "none": {"kind": "experts", "title": "One number of experts gives no line"},
        "length": {"kind": "groups", "title": "History", "option": "history"},
    }
    words = ["--set", f"tracks.merging.rows={json.dumps(rows)}", "--seeds", "0,1"]
    words += ["--set", f"figures={json.dumps(shown)}", "--set", "groups=[history, cold-target]"]
    done = run(tmp_path, *words, suite=TEXT)
    assert done.returncode == 0, done.stdout + done.stderr
    path = tmp_path / "records" / "text.curves.json"
    curves = [c.to_json() for c in load_curves(path)]
    assert [c["identity"]["seed"] for c in curves] == [0, 1]
    assert [p["step"] for p in curves[0]["points"]] == [0, 1, 2, 3, 4]
    assert curves[0]["domains"] == ["d0", "d1"] and curves[0]["groups"] > 1
    at = curves[0]["points"][-1]["domains"]["d1"]
    assert 0 < at["entropy"] <= 3.5 and at["cross_entropy"] > 0  # ln 30 items = 3.4

    drawn = CliRunner().invoke(
        cli,
        ["leaderboard", "figures", "--records", str(tmp_path / "records"), "--to", str(tmp_path)],
        standalone_mode=False,
    )
    assert drawn.return_value == 0, drawn.output
    made = sorted(p.name for p in tmp_path.glob("text-*"))
    groups_follow_from_ranks(tmp_path, registry)
    assert made == [
        f"text-{n}.{end}" for n in ("course", "kd", "length", "weights") for end in ("csv", "svg")
    ]
    with (tmp_path / "text-course.csv").open() as file:
        table = list(csv.DictReader(file))
    entropies = [r for r in table if r["panel"] == "entropy, nats" and r["x"] == "4"]
    assert len(entropies) == 1 and entropies[0]["seeds"] == "2"
    values = [mean(d["entropy"] for d in c["points"][-1]["domains"].values()) for c in curves]
    assert float(entropies[0]["y"]) == pytest.approx(mean(values), rel=1e-5)
    assert float(entropies[0]["spread"]) == pytest.approx(stdev(values), rel=1e-4, abs=1e-9)
    with (tmp_path / "text-kd.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [r["x"] for r in table] == ["1", "2000"] and {r["seeds"] for r in table} == {"2"}


def drawn_of(header: dict[str, Any], results: list[dict[str, Any]]) -> list[FigureData]:
    """Figures of records that say what figures read; the rest is as in the fabricated suite."""
    track = {**made.header()["tracks"]["merging"], "dataset": "d"}
    known = made.header()
    tracks = header.get("tracks", {"t": {}})
    whole = {**known, **header, "order": list(tracks),
             "tracks": {name: {**track, **facts} for name, facts in tracks.items()}}  # fmt: skip
    common = {"key": "0" * 64, "status": "done", "instances": {}, "candidates": "full",
              "mask_history": False}  # fmt: skip
    rows = [
        {**common, **r, "metrics": {"mean": dict.fromkeys(whole["metrics"], 0.0), **r["metrics"]}}
        for r in results
    ]
    records = {"schema": 4, "suite": "s", "header": whole, "results": rows}
    return figures(Records.model_validate(records), [])


def test_the_normalised_average_is_over_merged_domains() -> None:
    def row(track: str, method: str, values: dict[str, float]) -> dict[str, Any]:
        identity = dict(
            dataset="d", protocol="p", backbone="b", profile="", seed=0, track=track,
            method=method, variant="", recipe="fixed",
        )  # fmt: skip
        metrics = {k: {"M": v} for k, v in values.items()}
        return {"identity": identity, "domains": ["x", "y", "z"], "metrics": metrics}

    facts = {"source": ["s"], "reference": "fine-tune", "experts": []}
    header = {
        "metrics": ["M"],
        "tracks": {"all": facts, "two": {**facts, "experts": ["x", "y"]}},
        "figures": {"n": {"kind": "experts", "title": "t", "tracks": [], "methods": ["ta"],
                          "option": ""}},
    }  # fmt: skip
    expert = row("all", "fine-tune", {"x": 0.1, "y": 0.2, "z": 0.4})
    merged = [
        row("all", "ta", {"x": 0.05, "y": 0.2, "z": 0.1}),
        row("two", "ta", {"x": 0.1, "y": 0.1, "z": 0.0}),
    ]
    [figure] = drawn_of(header, [expert, *merged])
    assert [(p.x, round(p.y, 6), p.seeds) for p in figure.points] == [
        (2.0, 75.0, 1), (3.0, round(100 * (0.5 + 1 + 0.25) / 3, 6), 1),
    ]  # fmt: skip
    assert figure.csv().splitlines()[1] == '"M, % of the expert\'s","ta (fixed recipe)",2,75,,1'
    # a row without a share is left out: no expert is done, it scores nothing, or it has no score
    assert drawn_of(header, merged) == []
    for domains in ({"x": 0.0, "y": 0.2, "z": 0.4}, {"y": 0.2, "z": 0.4}):
        assert drawn_of(header, [row("all", "fine-tune", domains), *merged]) == []


def test_groups_as_a_share_of_the_experts_and_of_the_rows_that_are_asked_for() -> None:
    def row(method: str, groups: list[float], **more: Any) -> dict[str, Any]:
        identity = dict(
            dataset="d", protocol="p", backbone="b", profile="", seed=0, track="t",
            method=method, variant="", recipe="fixed",
        ) | more  # fmt: skip
        collected = {f"history-{n}": {"x": 9.0, "mean": v} for n, v in enumerate(groups, 1)}
        return {"identity": identity, "domains": ["x"], "metrics": {"x": {"M": 0.1}},
                "groups": {**collected, "history-none": {"x": 1.0, "mean": 1.0}}}  # fmt: skip

    facts = {"kind": "group-shares", "title": "t", "tracks": [], "methods": ["ta"],
             "option": "history", "backbones": ["b"], "protocols": ["p"]}  # fmt: skip
    header = {
        "metrics": ["M"], "figures": {"n": facts},
        "tracks": {"t": {"source": ["s"], "reference": "fine-tune", "experts": []}},
    }  # fmt: skip
    rows = [row("fine-tune", [0.2, 0.0, 0.5]), row("ta", [0.1, 0.3, 0.6])]
    for field, value in (("backbone", "c"), ("protocol", "q")):  # neither is asked for
        rows += [row(m, [0.1, 0.1, 0.1], **{field: value}) for m in ("fine-tune", "ta")]
    [figure] = drawn_of(header, rows)
    # no share where the expert has nothing
    assert [(p.x, round(p.y, 6), p.seeds) for p in figure.points] == [(0, 50, 1), (2, 120, 1)]
    assert figure.points[0].panel == "M, % of the expert's, by history"
    everything = {**facts, "methods": [], "backbones": [], "protocols": [], "kind": "groups"}
    alone = {"t": {"source": ["s"], "experts": []}}
    [figure] = drawn_of({**header, "tracks": alone, "figures": {"n": everything}}, rows)
    assert len(figure.points) == 3 * len(rows)
    assert figure.ticks == ("1", "2", "3"), "their bounds are not recorded"
    assert drawn_of(header, rows[1:2]) == [], "no expert is done"


def test_headers_name_what_a_figure_chooses_alone(registry: Registry) -> None:
    shown = '{"a": {"kind": "course", "title": "t"}, "b": {"kind": "course", "title": "t", ' \
        '"backbones": ["sasrec"]}}'  # fmt: skip
    suite = load_suite(str(TEXT), registry, (f"figures={shown}",))
    figures_ = suite_header(suite, registry)["figures"]
    assert "backbones" not in figures_["a"] and figures_["b"]["backbones"] == ["sasrec"]
    assert "protocols" not in figures_["b"] and figures_["a"]["methods"] == []


def test_equal_data_is_drawn_in_equal_bytes() -> None:
    points = tuple(
        Point(p, s, x, x * 2.0, 0.1, 5) for p in "ab" for s in "uv" for x in (0, 1, 9999)
    )
    data = FigureData("name", "A title", "step", points)
    one = svg(data)
    assert one == svg(data)
    assert re.search(r"<svg[^>]*>", one) and "A title" in one
    assert "<dc:date>" not in one and all(f">{name}<" in one for name in ("u", "v", "step"))


def test_bad_curves_are_one_line(registry: Registry, tmp_path: Path) -> None:
    assert load_curves(tmp_path / "none.json") == []
    file = tmp_path / "x.curves.json"
    for text in ("{", '{"schema": 1}', '{"schema": 9, "curves": []}',
                 '{"schema": 1, "curves": [{"points": []}]}'):  # fmt: skip
        file.write_text(text)
        with pytest.raises(DataError) as caught:
            load_curves(file)
        assert "\n" not in str(caught.value)
    rows = '[{"method": "ties", "curve": 5}]'
    suite = load_suite(str(TEXT), registry, (f"tracks.merging.rows={rows}",))
    with pytest.raises(HandledError, match="'ties' learns no weights"):
        build(suite, registry)
    shown = '{"a": {"kind": "course", "title": "t", "tracks": ["mergin"]}}'
    suite = load_suite(str(TEXT), registry, (f"figures={shown}",))
    with pytest.raises(HandledError, match="did you mean 'merging'"):
        build(suite, registry)


def test_probes_are_drawn_by_name_and_domain() -> None:
    def row(seed: int, mean_: float) -> dict[str, Any]:
        identity = dict(
            dataset="d", protocol="p", backbone="", profile="", seed=seed, track="t",
            method="m", variant="", recipe="paper",
        )  # fmt: skip
        reported = {"gate a": {"users": 5, "mean": mean_, "std": 0.1}}
        nothing = {"gate b": {"users": 0, "mean": None, "std": None}}
        probes = {"x": {**reported, **nothing}, "y": reported}
        return {"identity": identity, "domains": ["x", "y"], "probes": probes, "metrics": {}}

    facts = {"kind": "probes", "title": "t", "tracks": [], "methods": [], "option": ""}
    [figure] = drawn_of({"figures": {"g": facts}}, [row(0, 0.2), row(1, 0.4)])
    assert figure.ticks == ("gate a", "gate b")
    assert [(p.panel, p.x, round(p.y, 6), p.spread, p.seeds) for p in figure.points] == [
        ("x targets", 0, 0.3, 0.1, 2),
        ("y targets", 0, 0.3, 0.1, 2),
    ]
    assert figure.y == "mean over test users" and f">{figure.y}<" in svg(figure)
    assert '"x targets","m (paper recipe)","gate a",0,0.3,0.1,2' in figure.csv()
    assert "gate a" in svg(figure)


def test_a_comparison_by_domain_and_protocol() -> None:
    def row(method: str, seed: int, protocol: str, x: float) -> dict[str, Any]:
        identity = dict(
            dataset="d", protocol=protocol, backbone="", profile="", seed=seed, track="t",
            method=method, variant="", recipe="paper",
        )  # fmt: skip
        metrics = {"x": {"MRR": x}, "y": {"MRR": 2 * x}, "mean": {"MRR": 1.5 * x}}
        return {"identity": identity, "domains": ["x", "y"], "metrics": metrics}

    facts = {"kind": "comparison", "title": "t", "tracks": [], "methods": [], "option": ""}
    header = {"figures": {"g": facts}, "metrics": ["MRR"]}
    rows = [row("a", 0, "p", 0.1), row("a", 1, "p", 0.3), row("b", 0, "p", 0.4)]
    [figure] = drawn_of(header, [*rows, row("b", 0, "q", 0.7)])
    assert figure.ticks == ("a (paper recipe)", "b (paper recipe)")
    assert [(p.panel, p.series, p.x, round(p.y, 6), p.seeds) for p in figure.points] == [
        ("x, p", "MRR", 0, 0.2, 2),
        ("x, p", "MRR", 1, 0.4, 1),
        ("y, p", "MRR", 0, 0.4, 2),
        ("y, p", "MRR", 1, 0.8, 1),
        ("x, q", "MRR", 1, 0.7, 1),
        ("y, q", "MRR", 1, 1.4, 1),
    ]
    assert figure.y == "MRR"
    assert drawn_of(header, rows[:2]) == [], "one row alone is compared with nothing"
    assert figure.points[0].spread == pytest.approx(stdev([0.1, 0.3]))


def test_a_figure_of_an_option_reads_configurations_and_not_labels() -> None:
    """Whatever rows are called, and whatever they were tuned on, they are on their line."""
    rows = [("my best", 0.1), ("", 0.2), ("scale=0.9", 0.3), ("x", None)]
    results = [made.result(made.identity("own", 0), 0.5, 0.5)]
    for number, (variant, scale) in enumerate(rows):
        who = made.identity("merge", 0, variant=variant)
        options = {} if scale is None else {"scale": scale, "extra": 5}
        results.append(made.result(who, 0.1 * number + 0.1, 0.1, **options))
    tuned = results[1]["configuration"]["tuning"]
    tuned["row"] = {"tried": "x", "data": "none", "dataset": "", "domains": [], "times": 0}
    header = made.header()
    header["figures"] = {
        "scale": {"kind": "option", "option": "scale", "title": "Scale", "tracks": [],
                  "methods": ["merge"]},
    }  # fmt: skip
    (drawn,) = drawn_of(header, results)
    assert [(p.series, p.x) for p in drawn.points] == [
        ("merge (fixed recipe)", x) for x in (0.1, 0.2, 0.3)
    ]
    results[2].update(UNRECORDED)
    other = made.identity("merge", 0, variant="y")
    results.append(made.result(other, 0.4, 0.4, scale=0.2, extra=7))
    (drawn,) = drawn_of(header, results)
    assert drawn.title == "Scale (1 results left out: configuration not recorded)"
    assert [(p.series, p.x) for p in drawn.points] == [
        ("merge (extra=5; fixed recipe)", 0.1), ("merge (extra=5; fixed recipe)", 0.3),
        ("merge (extra=7; fixed recipe)", 0.2),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["$x_{", "a\x00b", "\u202ex", "名前", "x" * 5000, "line\nline"])
def test_any_name_can_be_drawn(text: str) -> None:
    points = [
        Point(text, f"{text}{n}", float(x), 0.1 * x, 0.01, 2) for n in range(2) for x in (0, 1)
    ]
    for ticks in ((), (text, f"{text} again")):
        drawing = svg(FigureData("odd", text, text, tuple(points), ticks))
        assert drawing.startswith("<?xml") and "\x00" not in drawing


def test_many_names_stand_one_below_the_other() -> None:
    def drawing(count: int) -> str:
        names = tuple(f"method {n}" for n in range(count))
        points = tuple(Point("loss", "all", n, n / 9, 0.1, 5) for n in range(count))
        return svg(FigureData("many", "title", "", points, names, "dot"))

    few, many = drawing(20), drawing(45)
    height = [float(re.search(r'height="([\d.]+)pt"', text).group(1)) for text in (few, many)]  # type: ignore[union-attr]
    assert height[1] > 1.9 * height[0]
    assert "rotate(-60)" not in few + many
    assert all(f">method {n}<" in many for n in range(45))


def test_dollars_in_names_are_dollars_and_axes_have_powers_of_ten() -> None:
    points = tuple(Point("$y$", "a $b$ c", x, x, None, 1) for x in (1.0, 10.0, 1e4))
    drawing = svg(FigureData("powers", "title", "$x$", points))
    shown = re.findall(r">([^<>]+)</text>", drawing)
    assert {"$y$", "a $b$ c", "$x$"} <= set(shown)
    assert not any("mathdefault" in text for text in shown) and "<tspan" in drawing
