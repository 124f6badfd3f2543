"""A row of records, made again: the suite of it, and whether this installation gives that row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from recmerge_bench._version import __version__
from recmerge_bench.errors import HandledError
from recmerge_bench.files import write_text
from recmerge_bench.identity import Identity
from recmerge_bench.interface.plans import Missing, counted
from recmerge_bench.interface.plugins import Plugins, registry_of
from recmerge_bench.interface.results import ResultsLike, opened
from recmerge_bench.interface.suites import Selectors, load_suite, selectors
from recmerge_bench.json_values import differences
from recmerge_bench.planning.cells import Plan
from recmerge_bench.planning.plan import build
from recmerge_bench.planning.suite import Suite
from recmerge_bench.registry import Registry
from recmerge_bench.results.long_rows import places
from recmerge_bench.results.rerun import RecordedRow, matching, suite_of, text_of
from recmerge_bench.yaml_text import parse_yaml


@dataclass(frozen=True, repr=False)
class Rerun:
    """The suite that makes a row again, as it is planned here; `recmerge_bench.run` runs it.

    Attributes:
        suite: of the one row, every option given.
        text: its YAML, headed by what the row was made with.
        identity: of the row (its first seed).
        configuration_sha256: of the row's configuration, as it is recorded.
        added: options that came after the record, with the defaults that they have here.
        same_cells: whether its cells are those of the record: the same code, data and seeds.
        missing: what blocks them here, each reason once.
    """

    suite: Suite
    text: str
    identity: Identity
    configuration_sha256: str
    added: Mapping[str, object]
    same_cells: bool
    missing: tuple[Missing, ...]

    @property
    def remark(self) -> str:
        """How the row here relates to the recorded one, a line."""
        if self.same_cells:
            return "the cells are those of the record"
        if self.missing:
            first = self.missing[0]
            return f"it cannot run here: {first.reason}; to fix: {first.remedy}"
        same = "the same configuration"
        if self.added:
            later = ", ".join(f"{place} {value!r}" for place, value in self.added.items())
            same += f" but for options that came later and have their defaults ({later})"
        return (
            f"{same}, other cells than the record's: its code or its raw data were others than "
            "those here"
        )

    def write(self, path: str | Path | None = None, *, force: bool = False) -> Path:
        """Write the suite's file.

        Args:
            path: ends in ``.yaml`` or ``.yml``; named after the suite, in the working folder, if
                not given.
            force: replace a file that is there.

        Returns:
            the file.

        Raises:
            HandledError: another ending; a file that is there.
        """
        file = Path(f"{self.suite.name}.yaml") if path is None else Path(path)
        if file.suffix not in (".yaml", ".yml"):
            raise HandledError(f"{file}: suites are files that end in .yaml")
        if file.exists() and not force:
            raise HandledError(f"{file} is there already: name another, or say force to replace it")
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, self.text)
        return file

    def __repr__(self) -> str:
        return f"suite '{self.suite.name}' of {self.identity}: {self.remark}"


def rerun(
    results: ResultsLike,
    row: Selectors = (),
    *,
    data_root: str | Path | None = None,
    plugins: Plugins = (),
) -> Rerun:
    """The suite that makes a row again, from its record alone; it is planned here at once.

    Args:
        results: a records file (``<suite>.json``), what `load_results` gave, or a run.
        row: which, such as ``method=ties,backbone=sasrec,protocol=loo``; of several texts all
            hold. ``seed=0`` leaves that seed alone, else all recorded ones are made again.
        data_root: folder with raw data, for datasets that are not bundled.
        plugins: files or modules to load beside the installed plugins.

    Raises:
        HandledError: no row is such, or several are; its configuration is not recorded; this
            installation cannot make it, or would make it with another configuration.
        DataError: the records are damaged.
    """
    registry, loaded = registry_of(plugins), opened(results, plugins)
    recorded = matching(loaded.records.results, selectors(row))
    text = text_of(suite_of(loaded.records, recorded), _comments(loaded.path.name, recorded))
    suite, plan = _planned(text, registry, None if data_root is None else Path(data_root))
    added = _added_options(plan, recorded)
    keys = {r.identity["seed"]: r.ranks_key for r in plan.results}
    return Rerun(
        suite, text, recorded.identity, recorded.configuration_sha256, added,
        all(keys.get(r.identity.seed) == r.key for r in recorded.results),
        counted(c.blocked for c in plan.cells.values() if c.blocked),
    )  # fmt: skip


def _comments(records: str, row: RecordedRow) -> list[str]:
    """What made the row, for a reader of the file."""
    first = row.results[0]
    made = {**first.libraries, **first.plugins}
    return [
        f"Made by recmerge-bench {__version__} rerun from {records}: this row again, all of "
        "its options given.",
        f"Configuration {row.configuration_sha256}",
        *([f"Recorded with {', '.join(f'{k} {v}' for k, v in made.items())}"] if made else []),
    ]


def _planned(text: str, registry: Registry, data_root: Path | None) -> tuple[Suite, Plan]:
    """The suite as its file will be read, and its plan here."""
    keys = parse_yaml(text, "rerun").value
    assert isinstance(keys, Mapping)  # `text_of` wrote it
    try:
        suite = load_suite(keys, plugins=registry)
        return suite, build(suite, registry, data_root)
    except HandledError as error:
        raise HandledError(f"this installation cannot make the row: {error}") from None


def _added_options(plan: Plan, row: RecordedRow) -> dict[str, object]:
    """Options that the row has here and its record does not know: dotted place -> default.

    Raises:
        HandledError: anything else would be another than recorded; says what.
    """
    planned = plan.results[0].configuration
    here = {} if planned is None else planned.to_json()
    recorded = row.configuration.recorded()
    ours, theirs = places(here), places(recorded)
    added = {p: v for p, v in ours.items() if p not in theirs and _is_option(p, theirs)}
    if {p: v for p, v in ours.items() if p not in added} == theirs:
        return added
    apart = list(differences(here, recorded))
    raise HandledError(
        "this installation would make the row with another configuration (here, recorded): "
        f"{'; '.join(apart[:5])}{'; ...' if len(apart) > 5 else ''}"
    )


def _is_option(place: str, recorded: Iterable[str]) -> bool:
    """Whether a place is an option of something whose options are recorded."""
    group = place.rpartition(".")[0]
    if group.endswith("options"):
        return True
    return group.startswith("training.") and any(p.startswith(f"{group}.") for p in recorded)
