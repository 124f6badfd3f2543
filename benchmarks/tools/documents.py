"""Put committed results into the documents that print them, between their markers.

    python benchmarks/tools/documents.py

A marker is a line ``<!-- result NAME -->``; what follows, up to ``<!-- end -->``, is made here from
the committed boards and records. A test compares the documents with what this would write.
"""

from __future__ import annotations

import csv
import json
import re
import runpy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from recmerge_bench.report.boards.headline import headline
from recmerge_bench.results.files import load_records
from recmerge_bench.untrusted.texts import markdown

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    "README.md",
    "benchmarks/speed/README.md",
    "benchmarks/scale/README.md",
    "benchmarks/quality/README.md",
    "benchmarks/claims/README.md",
    "benchmarks/statistics/README.md",
)
#: Row -> (metric, domain) -> value.
Scores = dict[str, dict[tuple[str, str], float]]
_BLOCK = re.compile(r"(<!-- result ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def committed(file: str) -> Path:
    """A file of the boards, in the archive where another board has replaced its suite's."""
    archived = ROOT / "leaderboards" / "archive" / file
    return archived if archived.is_file() else ROOT / "leaderboards" / file


def board(suite: str, section: str) -> str:
    """The first table by domain of a section of a board."""
    text = committed(f"{suite}.md").read_text(encoding="utf-8")
    part = text.split(f"## {section}\n", 1)[1].split("by domain\n\n", 1)[1]
    return part.split("\n\n", 1)[0]


def quality() -> str:
    """RecBole minus ours, mean of our seeds."""
    path = ROOT / "benchmarks" / "quality" / "records" / "comparison.json"
    lines = [
        "| model | RecBole's epoch | RecBole | ours | RecBole − ours [95 %] |",
        "|---|---|---|---|---|",
    ]
    for row in json.loads(path.read_text(encoding="utf-8"))["rows"]:
        if row["ours"] == "mean of seeds":
            lines.append(
                f"| {row['model']} | {row['recbole']} | {row['recbole_ndcg']:.4f} | "
                f"{row['ours_ndcg']:.4f} | {row['difference']:+.4f} "
                f"[{row['lower']:+.4f}, {row['upper']:+.4f}] |"
            )
    return "\n".join(lines)


def claims(suite: str, *, whole: bool = True) -> str:
    """Each claim with its difference, and what is said of the methods and of these models.

    Args:
        suite: whose claims.
        whole: a line for claims, too, of which a row has not been run; else these are counted.
    """
    path = ROOT / "benchmarks" / "claims" / "records" / f"{suite}.json"
    heads = "claim, difference, relative, methods, interval, p, these models, interval, p, family"
    lines = [f"| {' | '.join(heads.split(', '))} |", "|---" * 10 + "|"]
    left = 0
    for row in json.loads(path.read_text(encoding="utf-8"))["claims"]:
        if not whole and "difference" not in row:
            left += 1
            continue
        shown = ["–", "–", row.get("reason", "not run"), *["–"] * 5]
        if "difference" in row:
            shown = [f"{row['difference']:+.4f}", f"{row['relative']:+.1%}"]
            shown += [*judged(row["about_methods"]), *judged(row["about_models"])]
        family = "–" if row["family"] == "not run" else row["family"]
        lines.append(f"| {row['claim']} | {' | '.join(shown)} | {family} |")
    if left:
        lines.append(f"\n{left} more claims wait for rows that have not been run.")
    return "\n".join(lines)


def counted(metrics: Sequence[str], domains: Sequence[str]) -> Scores:
    """The board's rows that only count."""
    path = committed("records/mergerec-cpu.json")
    rows: Scores = {}
    for result in json.loads(path.read_text(encoding="utf-8"))["results"]:
        name = result["identity"]["method"]
        if name in ("last-item", "item-knn") and result["identity"]["track"] == "shared-base":
            scores = {(m, d): result["metrics"][d][m] for m in metrics for d in domains}
            rows[f"{name}, ours"] = scores
    return rows


def fine_tuned(metrics: Sequence[str], domains: Sequence[str]) -> Scores:
    """The paper's models of one domain."""
    rows: Scores = {}
    with (ROOT / "benchmarks" / "paper" / "mergerec.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            asked = row["metric"] in metrics and row["domain"] in domains
            if asked and (row["method"], row["unit"]) == ("Fine-tune", "value"):
                scores = rows.setdefault(f"{row['backbone']}, fine-tuned, published", {})
                scores[row["metric"], row["domain"]] = float(row["value"])
    return rows


def published() -> str:
    """Counting rows of mergerec-cpu beside the fine-tuned models that MergeRec prints."""
    metrics, domains = ("NDCG@10", "Recall@10"), ("beauty", "pantry", "toys")
    rows = {**counted(metrics, domains), **fine_tuned(metrics, domains)}
    heads = [f"{metric}, {domain}" for metric in metrics for domain in (*domains, "mean")]
    lines = [f"| row | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for name, values in rows.items():
        shown = []
        for metric in metrics:
            each = [values[metric, domain] for domain in domains]
            shown += [f"{value:.4f}" for value in (*each, sum(each) / len(each))]
        lines.append(f"| {name} | {' | '.join(shown)} |")
    return "\n".join(lines)


def strength() -> str:
    """Suite sequential's NDCG@10, history masked, beside public numbers: a column a dataset."""
    domains = ("beauty", "sports", "toys")
    path = committed("records/sequential.json")
    found: dict[str, dict[str, list[float | None]]] = {}
    for result in json.loads(path.read_text(encoding="utf-8"))["results"]:
        row = result["identity"]
        if row["track"] in domains and row["protocol"] == "loo-masked":
            name = f"{row['backbone']}, ours" if row["backbone"] else row["method"]
            done = result["status"] == "done"
            value = result["metrics"]["mean"]["NDCG@10"] if done else None
            found.setdefault(name, {}).setdefault(row["track"], []).append(value)
    lines = [f"| model | {' | '.join(domains)} |", "|---" * (len(domains) + 1) + "|"]
    for name, values in {**found, **public(domains)}.items():
        shown = (mean_of_all(values.get(domain, [None])) for domain in domains)
        lines.append(f"| {name} | {' | '.join(shown)} |")
    return "\n".join(lines)


def public(domains: Sequence[str]) -> dict[str, dict[str, list[float | None]]]:
    """NDCG@10 of the two models that eSASRec's authors trained on the same sequences."""
    rows: dict[str, dict[str, list[float | None]]] = {}
    with (ROOT / "benchmarks" / "paper" / "public-sequential.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            ours = row["method"] in ("SASRec sampled softmax", "eSASRec")
            if ours and row["metric"] == "NDCG@10" and row["domain"] in domains:
                name = f"{row['method']}, public"
                rows.setdefault(name, {})[row["domain"]] = [float(row["value"])]
    return rows


def mean_of_all(values: Sequence[float | None]) -> str:
    """The mean, where all seeds have been run."""
    known = [value for value in values if value is not None]
    return f"{sum(known) / len(known):.4f}" if len(known) == len(values) else "not run"


def trials() -> str:
    """What was tried for suite `cdsr`: a line a trial, the best validation value and its cost."""
    folder = ROOT / "benchmarks" / "quality"
    path = folder / "records" / "cdsr-trials.jsonl"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    results = {r["trial"]["name"]: r["result"] for r in map(json.loads, text.splitlines())}
    plan = yaml.safe_load((folder / "cdsr-trials.yaml").read_text(encoding="utf-8"))
    lines = [
        "| trial | model | best validation MRR | at epoch | epochs | CPU s | CPU s an epoch |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, trial in plan["trials"].items():
        made = results.get(name)
        cells = ["not run", *"––––"] if made is None else _of_trial(made)
        lines.append(f"| {name} | {trial['model']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _of_trial(result: dict[str, Any]) -> list[str]:
    seconds, epochs = result["cpu_seconds"], result["epochs"]
    ended = f"{epochs} ({result['stopped']})"
    best = [f"{result['best_valid']:.4f}", str(result["best_epoch"]), ended]
    return [*best, *("––" if seconds is None else (f"{seconds:,.0f}", f"{seconds / epochs:.1f}"))]


def judged(judgement: dict[str, Any]) -> list[str]:
    """A verdict, the interval behind it and p."""
    verdict = (
        f"{judgement['verdict']} ({judgement['reason']})"
        if judgement["reason"]
        else judgement["verdict"]
    )
    if judgement["p"] is None:
        return [verdict, "–", "–"]
    p = "< 0.001" if judgement["p"] < 0.001 else f"{judgement['p']:.3f}"
    return [verdict, f"[{judgement['lower']:+.4f}, {judgement['upper']:+.4f}]", p]


def over_time(part: str) -> list[dict[str, Any]]:
    """What is recorded of merging over time beside its verdicts."""
    path = ROOT / "benchmarks" / "claims" / "records" / "merging-over-time-facts.json"
    facts: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))[part]
    return facts


def with_interval(value: dict[str, Any]) -> str:
    """A mean with its interval over the seeds, where there is one."""
    if value["lower"] is None:
        return f"{value['mean']:.2f}"
    return f"{value['mean']:.2f} [{value['lower']:.2f}, {value['upper']:.2f}]"


def cost_over_time() -> str:
    """Each row's cost as a share of that of retraining."""
    lines = ["| row | training steps | seconds of training and merging | seeds |", "|---" * 4 + "|"]
    for row in over_time("shares"):
        shown = [with_interval(row[name]) for name in ("steps", "seconds")]
        lines.append(f"| {row['row']} | {' | '.join(shown)} | {row['steps']['seeds']} |")
    return "\n".join(lines)


def weights_over_time() -> str:
    """How far learned weights lean to late phases."""
    rows = over_time("weights")
    if not rows:
        return "Not answered: no row that learns weights has been run."
    lines = ["| row | leaning | seeds |", "|---" * 3 + "|"]
    for row in rows:
        leaning = row["leaning"]
        lines.append(f"| {row['row']} | {with_interval(leaning)} | {leaning['seeds']} |")
    return "\n".join(lines)


def simulated(part: str) -> Any:
    """A part of the simulation of our statistics."""
    path = ROOT / "benchmarks" / "statistics" / "records" / "simulation.json"
    return json.loads(path.read_text(encoding="utf-8"))[part]


def sizes() -> str:
    """Type-I error of each test at 5 %."""
    names = ("trained models", "sign-flip", "seeds alone", "Satterthwaite", "methods",
             "bootstrap", "widened bootstrap")  # fmt: skip
    lines = [f"| seeds matter | seeds | users | {' | '.join(names)} |", "|---" * 10 + "|"]
    for row in simulated("sizes"):
        wrong = row["type_one"]
        shown = (f"{wrong[name]:.3f}" if name in wrong else "–" for name in names)
        share = f"{row['kind']} ({max(row['seed_effect_of_users_error'], 0):.1f})"
        lines.append(f"| {share} | {row['seeds']} | {row['users']:,} | {' | '.join(shown)} |")
    return "\n".join(lines)


def ratios() -> str:
    """Lowest and highest type-I error over all ratios of the variances."""
    sizes_by_test: dict[tuple[int, str], list[list[float]]] = {}
    for row in simulated("ratios"):
        for name, sizes_ in row["sizes"].items():
            sizes_by_test.setdefault((row["seeds"], name), []).append(sizes_)
    lines = ["| seeds | test | at 5 % | at 1 % | at 0.1 % |", "|---|---|---|---|---|"]
    for (seeds, name), rows in sizes_by_test.items():
        if name == "switched" and seeds > 2:
            continue
        ends = [f"{min(v):.4f} – {max(v):.4f}" for v in zip(*rows, strict=True)]
        lines.append(f"| {seeds} | {name} | {' | '.join(ends)} |")
    return "\n".join(lines)


def families() -> str:
    """How often Holm leaves a difference in a family without any."""
    lines = ["| seeds | comparisons | Satterthwaite | methods |", "|---|---|---|---|"]
    for row in simulated("families"):
        wrong = row["wrong"]
        lines.append(
            f"| {row['seeds']} | {row['members']} | {wrong['Satterthwaite']:.3f} | "
            f"{wrong['methods']:.3f} |"
        )
    return "\n".join(lines)


def power() -> str:
    """Share of "better" by true difference."""
    curves = simulated("power")
    points = [f"{p['lift']:+.1%}" for p in curves[0]["points"]]
    lines = [f"| seeds | users | {' | '.join(points)} |", "|---" * (len(points) + 2) + "|"]
    for curve in curves:
        better = (f"{p['verdicts'].get('better', 0):.0%}" for p in curve["points"])
        lines.append(f"| {curve['seeds']} | {curve['users']:,} | {' | '.join(better)} |")
    return "\n".join(lines)


#: Suites whose answers the README opens with.
FINDINGS = ("merging", "cdsr", "sequential")


def findings() -> str:
    """A line for each of these boards: what it answers, with a link to it."""
    lines = []
    for suite in FINDINGS:
        path = committed(f"records/{suite}.json")
        known = load_records(path)
        said = headline(known)
        board_file = path.parent.parent.relative_to(ROOT) / f"{suite}.md"
        text = f"**{markdown(said.answer)}** {markdown(said.detail)}".rstrip()
        lines.append(f"- [{markdown(known.header.title)}]({board_file}): {text}")
    return "\n".join(lines)


RESULTS: dict[str, Callable[[], str]] = {
    "findings": findings,
    "quick-merging": lambda: board("quick", "merging, loo"),
    "strength": strength,
    "speed": lambda: of_folder("speed", "speed"),
    "training-quality": lambda: of_folder("speed", "training_quality"),
    "training-share": lambda: of_folder("speed", "training_share"),
    "gpu-rates": lambda: of_folder("speed", "gpu_rates"),
    "gpu-cdsr": lambda: of_folder("speed", "gpu_cdsr"),
    "quality": quality,
    "cdsr-trials": trials,
    "claims": lambda: claims("mergerec-cpu"),
    "published": published,
    "claims-merging": lambda: claims("merging", whole=False),
    "claims-cdsr": lambda: claims("cdsr", whole=False),
    "claims-merit": lambda: claims("merit-cpu"),
    "claims-over-time": lambda: claims("merging-over-time", whole=False),
    "cost-over-time": cost_over_time,
    "weights-over-time": weights_over_time,
    "sizes": sizes,
    "ratios": ratios,
    "families": families,
    "power": power,
    "scale-floors": lambda: of_folder("scale", "floors_table"),
    "scale-exponents": lambda: of_folder("scale", "exponents_table"),
    "scale-points": lambda: of_folder("scale", "points_table"),
}


def of_folder(folder: str, table: str) -> str:
    """A table of ``benchmarks/FOLDER/report.py``."""
    made: str = runpy.run_path(str(ROOT / "benchmarks" / folder / "report.py"))[table]()
    return made


def renewed(document: str) -> str:
    """A document's text with all its results as committed."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return _BLOCK.sub(lambda m: m.group(1) + RESULTS[m.group(2)]() + "\n" + m.group(3), text)


def main() -> None:
    """Write all documents."""
    for document in DOCUMENTS:
        (ROOT / document).write_text(renewed(document), encoding="utf-8")


if __name__ == "__main__":
    main()
