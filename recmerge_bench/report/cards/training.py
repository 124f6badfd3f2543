"""The training card: how much was trained behind each row, chosen by what, tuned on what."""

from __future__ import annotations

from collections.abc import Sequence

from recmerge_bench.identity import Place
from recmerge_bench.planning.configuration import Budget
from recmerge_bench.report.boards.configurations import UNDECLARED, UNRECORDED, budget_text
from recmerge_bench.report.boards.table import Line
from recmerge_bench.report.cards.parts import CardTable
from recmerge_bench.results.card_values import Training
from recmerge_bench.results.grouped import done_by_place, done_by_row
from recmerge_bench.results.header import Encoder
from recmerge_bench.results.records import Records, Result
from recmerge_bench.statistics.exact import mean

NOTE = (
    "Of all trainings behind a row, shared ones too: how many models, windows (parts of sequences) "
    "and targets met by all of them together, epochs of each that was validated (in brackets those "
    "after which the chosen weights stood; of all where none was), mean training loss before these "
    "were validated; means over the seeds. Losses of different objectives are not comparable. "
    "Tuned: how many settings were tried on what, for the row and for its backbone. –: not in "
    "these records, or nothing is trained."
)
HEADERS = [
    "backbone", "method", "models", "windows", "targets", "epochs (chosen)", "objective", "loss",
    "chosen by", "tuned (row)", "tuned (backbone)",
]  # fmt: skip


def tables(records: Records, place: Place, lines: Sequence[Line]) -> list[CardTable]:
    """With what text encoders knew before; columns that say nothing are left out.

    None where nothing of the table is trained, or nothing of it is recorded.
    """
    done = done_by_place(records).get(place, [])
    by_row = done_by_row(records).get(place, {})
    rows = []
    for line in lines:
        own = by_row.get(line.identity.row, [])
        rows.append([*line.name, *_trained(records, own), *_tuned(line)])
    kept = [n for n in range(len(HEADERS)) if n < 2 or any(row[n] != "–" for row in rows)]
    if len(kept) == 2:
        return []
    note = " ".join([NOTE, *_encoders(done, records)])
    headers = [HEADERS[n] for n in kept]
    return [CardTable("Training", headers, [[row[n] for n in kept] for row in rows], note)]


def _trained(records: Records, results: Sequence[Result]) -> list[str]:
    """Models, windows, targets, epochs, objective, loss and selection of a row."""
    known = [some for result in results if (some := _trainings(records, result))]
    every = [one for some in known for one in some]
    if not every:
        return ["–", "–", "–", "–", _objective(results), "–", "–"]
    windows = [sum(w) for some in known if (w := _windows(some))]
    return [
        f"{mean(map(len, known)):g}",
        f"{round(mean(windows)):,}" if windows else "–",
        f"{round(mean(sum(one.targets for one in some) for some in known)):,}",
        _epochs(every),
        _objective(results),
        _loss(every),
        ", ".join(filter(None, dict.fromkeys(t.select for t in every))) or "–",
    ]


def _trainings(records: Records, result: Result) -> list[Training]:
    """Those behind a result that the records have."""
    return [records.trainings[key] for key in result.trained if key in records.trainings]


def _loss(every: Sequence[Training]) -> str:
    losses = [one.loss for one in every if one.loss is not None]
    return f"{mean(losses):.3f}" if losses else "–"


def _windows(some: Sequence[Training]) -> list[int]:
    """Of each training; none where one did not count them."""
    counts = [one.windows for one in some if one.windows is not None]
    return counts if len(counts) == len(some) else []


def _epochs(every: Sequence[Training]) -> str:
    """Those that were validated tell theirs: a base of initial weights has next to none."""
    chosen = [(one.epochs, one.best_epoch) for one in every if one.best_epoch is not None]
    if not chosen:
        return f"{mean(one.epochs for one in every):.1f}"
    return f"{mean(whole for whole, _ in chosen):.1f} ({mean(best for _, best in chosen):.1f})"


def _objective(results: Sequence[Result]) -> str:
    """The option ``loss`` of the model that was trained, where it has one."""
    for result in results:
        made = result.configuration
        if made is not None:
            options = made.backbone.options if made.backbone else made.method.options
            return str(options["loss"]) if "loss" in options else "–"
    return "–"


def _tuned(line: Line) -> list[str]:
    if line.configuration is None:
        return [UNRECORDED, UNRECORDED]
    tuning = line.configuration.tuning
    backbone = _tried(tuning.backbone) if line.configuration.backbone else "–"
    return [_tried(tuning.row), backbone]


def _tried(budget: Budget | None) -> str:
    text = budget_text(budget)
    return "–" if text == UNDECLARED else text


#: An encoder that the header does not describe.
UNKNOWN = Encoder(trained_on="unknown", source="", overlap={})


def _encoders(done: Sequence[Result], records: Records) -> list[str]:
    """What is known of the encoders' own training, and of its overlap with the dataset."""
    lines = []
    for encoder in sorted({n for r in done for n in r.encoders}):
        facts = records.header.pretraining.get(encoder, UNKNOWN)
        overlap = facts.overlap.get(done[0].identity.dataset, "unknown")
        source = f" ({facts.source})" if facts.source else ""
        lines.append(
            f"Contamination, text encoder {encoder}: trained on {facts.trained_on}{source}; "
            f"overlap: {overlap}."
        )
    return lines
