"""Wrong datasets, encoders, protocols, metrics, baselines and executors fail what is theirs."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recmerge_bench.api import (
    CountingModel,
    DatasetDefinition,
    ExecutorDefinition,
    ListMetricDefinition,
    MetricDefinition,
    ProtocolDefinition,
    TextEncoder,
)
from recmerge_bench.conformance.kinds import requirements, subject
from recmerge_bench.conformance.requirement import Outcome, try_requirement
from recmerge_bench.conformance.worlds import interactions
from recmerge_bench.data.splits import leave_one_out


def tried(kind: str, definition: Any, name: str) -> Outcome:
    [each] = [r for r in requirements(kind) if r.name == name]
    return try_requirement(each, subject(kind, definition))


# -- datasets ------------------------------------------------------------------------------------


class Data(DatasetDefinition):
    def domains(self, data_root: Any = None) -> tuple[str, ...]:
        return ("d0", "d1")

    def load(self, data_root: Any) -> Any:
        return interactions(users=12)


class ReadsDomains(Data):
    def domains(self, data_root: Any = None) -> tuple[str, ...]:
        return tuple(Path(os.environ["RAW"]).read_text().split())


class ReadsUnnamed(Data):
    def load(self, data_root: Any) -> Any:
        Path(os.environ["RAW"]).read_text()
        return super().load(data_root)


class Clock(Data):
    loads = 0

    def load(self, data_root: Any) -> Any:
        Clock.loads += 1
        made = super().load(data_root)
        return replace(made, times=made.times + Clock.loads)


class Short(Data):
    def load(self, data_root: Any) -> Any:
        made = super().load(data_root)
        keep = np.sort(np.unique(made.offsets[:-1]))
        return replace(
            made, offsets=np.arange(len(keep) + 1), items=made.items[keep], times=made.times[keep]
        )


# -- encoders ------------------------------------------------------------------------------------


class Lengths(TextEncoder):
    """Letters counted: right, and the base of the wrong ones."""

    def encode(self, texts: Any, data_root: Any, device: str, progress: Any) -> Any:
        rows = [np.bincount([ord(c) % 32 for c in f" {t}"], minlength=32) for t in texts]
        return self.shaped(np.stack(rows).astype(np.float32))

    def shaped(self, vectors: Any) -> Any:
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class Centred(Lengths):
    def shaped(self, vectors: Any) -> Any:
        return vectors - vectors.mean(0)


class NothingForNothing(Lengths):
    def shaped(self, vectors: Any) -> Any:
        with np.errstate(invalid="ignore", divide="ignore"):
            return (vectors - vectors.min(1, keepdims=True)) / (vectors.sum(1, keepdims=True) - 1)


class Same(Lengths):
    def shaped(self, vectors: Any) -> Any:
        return np.ones_like(vectors)


# -- protocols -----------------------------------------------------------------------------------


class Last(ProtocolDefinition):
    """Leave-one-out: right, and the base of the wrong ones."""

    def split(self, made: Any, domains: Any, unscored: Any = ()) -> Any:
        return leave_one_out(made, domains, "domain", 3, unscored)

    def split_options(self) -> dict[str, Any]:
        return {}

    def candidates(self) -> int | None:
        return None

    def mask_history(self) -> bool:
        return False

    def candidate_seed(self) -> int:
        return 0


class ByTarget(Last):
    def split(self, made: Any, domains: Any, unscored: Any = ()) -> Any:
        split = super().split(made, domains, unscored)
        ends = split.sequences.items[split.sequences.offsets[1:] - 1] % 2
        train = np.where(ends == 0, split.sequences.train_end, 1).astype(np.int32)
        return replace(split, sequences=replace(split.sequences, train_end=train))


class FirstUserOut(Last):
    def split(self, made: Any, domains: Any, unscored: Any = ()) -> Any:
        split = super().split(made, domains, unscored)
        return replace(split, test=split.test.take(split.test.users > 0))


class FirstDomain(Last):
    def split(self, made: Any, domains: Any, unscored: Any = ()) -> Any:
        split = super().split(made, domains, unscored)
        number = made.catalogue.domains.index(domains[0])
        return replace(split, test=split.test.take(split.test.domains == number))


class ScoresAll(Last):
    def split(self, made: Any, domains: Any, unscored: Any = ()) -> Any:
        return super().split(made, (*domains, *unscored))


# -- metrics -------------------------------------------------------------------------------------


class Share(MetricDefinition):
    def value(self, rank: Any, k: int | None) -> Any:
        return rank / max(1.0, rank.max(initial=1.0))


class Rank(MetricDefinition):
    def value(self, rank: Any, k: int | None) -> Any:
        return rank.copy()


class InPlace(MetricDefinition):
    def value(self, rank: Any, k: int | None) -> Any:
        rank -= 1
        return 1 / (rank + 1)


class Narrow(MetricDefinition):
    def value(self, rank: Any, k: int | None) -> Any:
        return (1 / rank).astype(np.float32)


class Constant(ListMetricDefinition):
    def value(self, items: Any, catalogue: Any) -> float:
        return 0.5


class FirstList(ListMetricDefinition):
    def value(self, items: Any, catalogue: Any) -> float:
        return float(items[0, 0])


class FillsIn(ListMetricDefinition):
    def value(self, items: Any, catalogue: Any) -> float:
        items[items < 0] = 0
        return float(items.mean())


class Inverse(ListMetricDefinition):
    def value(self, items: Any, catalogue: Any) -> float:
        return float((1 / catalogue.counts[items[items >= 0]]).sum())


class ShareOfEvents(ListMetricDefinition):
    def value(self, items: Any, catalogue: Any) -> float:
        total = int(catalogue.counts.sum())
        return sum(int(catalogue.counts[i]) / total for i in items[items >= 0])


# -- baselines -----------------------------------------------------------------------------------


class Counts(CountingModel):
    """Popularity: right, and the base of the wrong ones."""

    def fit(self, split: Any, catalogue: Any, domains: Any) -> Any:
        return {"counts": self.counts(split.sequences, catalogue).astype(np.float32)}

    def counts(self, sequences: Any, catalogue: Any) -> Any:
        return np.bincount(sequences.training()[1], minlength=catalogue.n_items)

    def scores(self, state: Any, histories: Any, catalogue: Any, domain: str) -> Any:
        own = state["counts"][catalogue.span(domain)]
        return np.repeat(own[None], len(histories), axis=0)


class CountsAll(Counts):
    def counts(self, sequences: Any, catalogue: Any) -> Any:
        return np.bincount(sequences.items, minlength=catalogue.n_items)


class LastSequence(Counts):
    def counts(self, sequences: Any, catalogue: Any) -> Any:
        return np.bincount(sequences.training()[1][-5:], minlength=catalogue.n_items)


class Remembers(Counts):
    def fit(self, split: Any, catalogue: Any, domains: Any) -> Any:
        self.factor = 2.0
        return super().fit(split, catalogue, domains)

    def scores(self, state: Any, histories: Any, catalogue: Any, domain: str) -> Any:
        factor = np.float32(getattr(self, "factor", 1.0))
        return factor * super().scores(state, histories, catalogue, domain)


class ByBlock(Counts):
    def scores(self, state: Any, histories: Any, catalogue: Any, domain: str) -> Any:
        return super().scores(state, histories, catalogue, domain) / np.float32(len(histories))


class Rare(Counts):
    def scores(self, state: Any, histories: Any, catalogue: Any, domain: str) -> Any:
        return -super().scores(state, histories, catalogue, domain)


# -- executors -----------------------------------------------------------------------------------


class Pretends(ExecutorDefinition):
    """Says that all is done and does nothing."""

    def open(self, jobs: int | None, threads: int, log: Path) -> None:
        self.jobs: list[Any] = []

    def free(self) -> int:
        return 1

    def submit(self, job: Any) -> None:
        self.jobs.append(job)

    def events(self, timeout: float) -> list[dict[str, Any]]:
        ended, self.jobs = self.jobs, []
        return [{"event": "done", "key": job["key"]} for job in ended]

    def close(self) -> None:
        os.environ["WRONG"] = "1"


class Silent(Pretends):
    """Tells that jobs failed, and not why."""

    def events(self, timeout: float) -> list[dict[str, Any]]:
        return [{**e, "event": "failed", "error": "?"} for e in super().events(timeout)]


WRONG: list[tuple[str, type, str, str]] = [
    ("dataset", ReadsDomains, "domains-known", "domains() opened"),
    ("dataset", ReadsUnnamed, "sources-named", "which sources() does not name"),
    ("dataset", Clock, "determinism", "'times' differs by up to"),
    ("dataset", Short, "quality", "no user has three events in"),
    ("encoder", Centred, "batch-invariance", "vectors alone differ"),
    ("encoder", NothingForNothing, "shapes", "NaN, infinite or empty vectors"),
    ("encoder", Same, "quality", "of texts that share words"),
    ("protocol", ByTarget, "causality", "the training parts are others"),
    ("protocol", FirstUserOut, "order-of-users", "test targets are others"),
    ("protocol", FirstDomain, "order-of-domains", "with the domains named d1, d0"),
    ("protocol", ScoresAll, "unscored-domains", "in domains that are not scored"),
    ("metric", Share, "each-by-itself", "alone the ranks"),
    ("metric", Rank, "quality", "rank 1 has 1 and rank 1.5 has 1.5"),
    ("metric", InPlace, "shapes", "changed the ranks that it was handed"),
    ("metric", Narrow, "shapes", "gave values as float32"),
    ("list-metric", Constant, "quality", "all have 0.5"),
    ("list-metric", FirstList, "order-of-users", "the lists in reverse order have"),
    ("list-metric", FillsIn, "shapes", "changed the lists that it was handed"),
    ("list-metric", Inverse, "zero-counts", "items without training events: plugin"),
    ("list-metric", ShareOfEvents, "zero-counts", "a domain without training events: division"),
    ("counting", CountsAll, "causality", "fit() reads held-out events"),
    ("counting", LastSequence, "order-of-users", "with the users in reverse order"),
    ("counting", Remembers, "checkpoint", "scores from the stored arrays differ"),
    ("counting", ByBlock, "batch-invariance", "users' scores alone differ"),
    ("counting", Rare, "quality", "NDCG@10 is"),
    ("executor", Pretends, "jobs-end", "the failing job ended as 'done'"),
    ("executor", Pretends, "slots", "(1, 1, 1), not (1, 0, 1)"),
    ("executor", Pretends, "late", "it ended as 'done'"),
    ("executor", Pretends, "no-side-effects", "os.environ (WRONG)"),
    ("executor", Silent, "jobs-end", "the good job ended as 'failed' ?"),
    ("executor", Silent, "errors-told", "the event has '?'"),
]


@pytest.mark.parametrize(("kind", "wrong", "name", "words"), WRONG)
def test_a_wrong_one_fails_with_the_right_words(
    kind: str, wrong: type, name: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "raw.txt").write_text("d0 d1")
    monkeypatch.setenv("RAW", str(tmp_path / "raw.txt"))
    monkeypatch.delenv("WRONG", raising=False)
    outcome = tried(kind, wrong(), name)
    assert outcome.status == "failed" and words in outcome.what, outcome
    assert outcome.why and outcome.remedy


RIGHT = [("dataset", Data), ("encoder", Lengths), ("protocol", Last), ("counting", Counts)]


@pytest.mark.parametrize(("kind", "right"), RIGHT)
def test_right_ones_pass(kind: str, right: type) -> None:
    outcomes = [try_requirement(r, subject(kind, right())) for r in requirements(kind)]
    assert [f"{o}" for o in outcomes if o.status == "failed"] == []
