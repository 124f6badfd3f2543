"""What rows were made with, and what their settings were chosen on: from configurations alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from recmerge_bench.planning.configuration import Budget, Configuration
from recmerge_bench.planning.tuning import DATA
from recmerge_bench.report.boards import elements
from recmerge_bench.report.boards.elements import plain
from recmerge_bench.report.boards.table import Line
from recmerge_bench.tiers import TIERS

UNRECORDED = "not recorded"
UNDECLARED = "not declared"


def budget_text(budget: Budget | None) -> str:
    """A tuning budget in short: ``10 settings tried on validation labels of beauty``."""
    if not budget:
        return UNDECLARED
    if budget.data == "none":
        return "none"
    domains = f" of {', '.join(budget.domains)}" if budget.domains else ""
    settings = "1 setting" if budget.times == 1 else f"{budget.times} settings"
    return f"{settings} tried on {DATA[budget.data]}{domains}"


def tuned_text(line: Line) -> str:
    """What a row's own settings were chosen on."""
    if line.configuration is None:
        return UNRECORDED
    return budget_text(line.configuration.tuning.row)


def was_tuned(line: Line) -> bool:
    """Whether something was tried on some data."""
    return tuned_text(line) not in (UNRECORDED, UNDECLARED, "none")


def data_facts(lines: Sequence[Line], isolated: bool) -> list[tuple[str, str]]:
    """What data a track's rows used, for its card."""
    reads = _reads(lines, isolated)
    counts = Counter(map(tuned_text, lines))
    rows = "; ".join(f"{text} ({n} row{'s' * (n != 1)})" for text, n in counts.items())
    models = dict.fromkeys(filter(None, map(backbone_tuned, lines)))
    return [
        *([("merging reads", reads)] if reads else []),
        ("rows tuned on", rows),
        *([("models tuned on", "; ".join(models))] if models else []),
    ]


def _reads(lines: Sequence[Line], isolated: bool) -> str:
    """What merges of a track read; where it is isolated, what they may read."""
    if isolated:
        without = ", ".join(tier.name for tier in TIERS.values() if not tier.reads_users)
        return f"no data of users (tiers {without})"
    tiers = sorted({line.tier for line in lines if line.tier})
    read = [f"{tier}: {TIERS[tier].summary}" for tier in tiers if tier in TIERS]
    mixed = {
        line.identity.method: None
        for line in lines
        if line.configuration and line.configuration.training.hybrids
    }
    if mixed:
        read.append(f"experts of {', '.join(mixed)} are trained on data of two domains together")
    return "; ".join(read)


def backbone_tuned(line: Line) -> str:
    """A row's backbone and what was tried on what for it; empty where that is not recorded."""
    configuration = line.configuration
    if configuration is None or not configuration.backbone or not configuration.tuning.backbone:
        return ""
    budget = configuration.tuning.backbone
    tried = f" ({budget.tried})" if budget.tried else ""
    return f"{configuration.backbone.name}: {budget_text(budget)}{tried}"


def made_text(line: Line) -> str:
    """Options, tuning and hash of a row, in a line."""
    configuration = line.configuration
    if configuration is None:
        return f"configuration {UNRECORDED}"
    options = options_text(configuration.method.options) or "no options"
    return f"{options}; tuned: {tuned_text(line)}; configuration {line.configuration_sha256[:12]}"


def section(lines: Sequence[Line]) -> list[str]:
    """Options, tuning and hash of each row; the trainings behind them, once each."""
    known = [line for line in lines if line.configuration]
    if not known:
        return [
            "### Configurations",
            "Not recorded: these rows were made before configurations were (records schema 3). "
            "Figures that show an option leave them out, and they cannot be run again from the "
            "record alone.",
        ]
    trainings: dict[str, int] = {}
    rows = []
    for line in lines:
        configuration = line.configuration
        if configuration is None:
            rows.append([*elements.name(line), UNRECORDED, "–", "–", "–"])
            continue
        number = trainings.setdefault(trained_text(configuration), len(trainings) + 1)
        tried = configuration.tuning.row.tried if configuration.tuning.row else ""
        tuned = tuned_text(line) + (f" ({tried})" if tried else "")
        options = options_text(configuration.method.options) or "none"
        rows.append(
            [*elements.name(line), plain(options), str(number), plain(tuned),
             f"`{line.configuration_sha256[:12]}`"]
        )  # fmt: skip
    headers = ["backbone", "method", "options", "made", "tuned on", "configuration"]
    made = [f"{number}. {plain(text)}" for text, number in trainings.items()]
    return [
        "### Configurations",
        "All options of each method, defaults filled in; how its models were made, by number; "
        "what its settings were chosen on; the first digits of its configuration's SHA-256.",
        elements.table(headers, rows),
        "\n".join(made),
    ]


def trained_text(configuration: Configuration) -> str:
    """Backbone, base and trainings in a line."""
    training, parts = configuration.training, []
    if configuration.backbone:
        parts.append(
            f"{configuration.backbone.name}: {options_text(configuration.backbone.options)}"
        )
    if configuration.base:
        parts.append(
            f"base of {configuration.base.dataset.name} ({', '.join(configuration.base.domains)})"
        )
    if training.base:
        parts.append(f"base: {options_text(training.base)}")
    alike: dict[str, list[str]] = {}
    for domain, options in sorted(training.experts.items()):
        alike.setdefault(options_text(options), []).append(domain)
    parts += [f"experts of {', '.join(d)}: {options}" for options, d in alike.items()]
    whole = (("joint", training.joint), ("hybrids", training.hybrids), ("own", training.own))
    parts += [f"{name}: {options_text(options)}" for name, options in whole if options]
    return f"{configuration.threads} thread(s); " + ("; ".join(parts) or "nothing is trained")


#: Types whose values are printed by `str`.
_AS_IS = frozenset({str, int, bool})


def options_text(options: Mapping[str, object]) -> str:
    """``name=value, ...``, by name; empty without options."""
    return ", ".join([
        f"{k}={v}" if type(v) in _AS_IS else f"{k}={_value(v)}" for k, v in sorted(options.items())
    ])  # fmt: skip


def _value(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
