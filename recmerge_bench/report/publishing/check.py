"""Whether all under a folder of boards is what its records give, and these what their ranks give.

Numbers are computed again from the committed ranks; boards and the data of figures are rendered
again and compared byte by byte, figures by what they show.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from recmerge_bench.errors import HandledError
from recmerge_bench.objects.address import is_remote
from recmerge_bench.planning.references import as_carried, load_reference
from recmerge_bench.registry import Registry
from recmerge_bench.report.figures.declared import figures
from recmerge_bench.report.figures.draw import svg
from recmerge_bench.report.figures.draw_pareto import pareto_svg
from recmerge_bench.report.figures.pareto import paretos
from recmerge_bench.report.figures.portable import first_difference
from recmerge_bench.report.publishing.archive import archive_faults
from recmerge_bench.report.publishing.owned import ENDS, check_apart
from recmerge_bench.report.publishing.releases import release_faults
from recmerge_bench.report.publishing.texts import board_texts
from recmerge_bench.report.site.load import load_beside, load_suites
from recmerge_bench.report.site.pages import render_site
from recmerge_bench.results.all_ranks import derive
from recmerge_bench.results.curves import curves_path, load_curves
from recmerge_bench.results.derived import DERIVED
from recmerge_bench.results.files import (
    archive_of,
    cost_path,
    load_costs,
    load_records,
    records_files,
)
from recmerge_bench.results.groups import groups_path, load_groups
from recmerge_bench.results.header import Size
from recmerge_bench.results.profiles import profile_faults, profiles_of
from recmerge_bench.results.rank_files import NotAtHand, OtherBytes, ranks_of
from recmerge_bench.results.rank_lock import END, lock_path, read_lock
from recmerge_bench.untrusted.paths import below, within

_CAN_DRAW = find_spec("matplotlib") is not None


@dataclass(frozen=True)
class Checked:
    """What a check came to.

    Attributes:
        wrong: what is not as it has to be, a line each with file and line.
        unchecked: what could not be looked at, a line each with the reason: ranks that a lock names
            and that are not to be had now.
    """

    wrong: list[str]
    unchecked: list[str]


def check(folder: Path, registry: Registry) -> list[str]:
    """What is wrong or could not be checked, a line each; nothing where all is well.

    See `checked`.
    """
    result = checked(folder, registry)
    return [*result.wrong, *result.unchecked]


def checked(folder: Path, registry: Registry) -> Checked:
    """What is wrong with the boards of a folder, and what of it could not be checked.

    Ranks that are not beside their records are fetched from the results store.

    Args:
        folder: with ``records/``, boards and ``figures/``, and the same below ``archive/`` of
            superseded boards.
        registry: for the metrics.

    Raises:
        HandledError: a file of records is damaged or missing.
    """
    unchecked: list[str] = []
    faults, known = _of_folder(folder, registry, unchecked)
    archive = archive_of(folder / "records").parent
    more, archived = _of_folder(archive, registry, unchecked)
    known |= archived
    faults += [*more, *archive_faults(folder)]
    changed, released = release_faults(folder)
    profiles = profiles_of(folder / "records")
    faults, known = [*faults, *changed], known | released | set(profiles.glob("*.json"))
    faults += profile_faults(profiles, _sizes(folder / "records"))
    for file, text in _site(folder, registry).items():
        known.add(file)
        faults += _differences(file, text, "leaderboard site")
    return Checked(faults + _strangers(folder, known), unchecked)


def _sizes(records: Path) -> Iterator[tuple[str, Size]]:
    """Fingerprint -> size of all data that records name, those of the archive included."""
    for path in (*records_files(records), *records_files(archive_of(records))):
        yield from load_records(path).header.datasets.items()


def _of_folder(
    folder: Path, registry: Registry, unchecked: list[str]
) -> tuple[list[str], set[Path]]:
    """What is wrong with the boards of a folder, and the files that its records are and make.

    What cannot be checked is added to `unchecked`.
    """
    suites = [p.stem for p in records_files(folder / "records")]
    faults: list[str] = []
    made: set[Path] = set()
    for suite in suites:
        files = _rendered(folder, suite)
        for file in sorted(files.keys() & made):
            faults.append(f"{file}: the records of two suites make this file: rename one")
        made |= files.keys()
        for file, text in files.items():
            faults += [] if text is None else _differences(file, text)
        path = within(folder, "records", f"{suite}.json")
        faults += [*_apart(path), *_papers(path, registry)]
        try:
            faults += _records(path, registry)
        except NotAtHand as reason:
            unchecked.append(f"{path}: its numbers were not made again from its ranks: {reason}")
        except OtherBytes as error:
            faults.append(str(error))
    made |= {folder / "records" / f"{suite}{end}" for suite in suites for end in ENDS}
    made |= {lock_path(folder / "records"), *_kept_below(folder / "records")}
    return faults + _locked(folder / "records", suites), made


def _kept_below(records: Path) -> list[Path]:
    """Files of a results store that is a folder among the records."""
    lock = read_lock(records)
    if lock is None or not lock.store or is_remote(lock.store):
        return []
    return [file for file in (records / lock.store).rglob("*") if file.is_file()]


def _locked(records: Path, suites: list[str]) -> list[str]:
    """Where a folder's lock and its records do not name the same ranks."""
    lock = read_lock(records)
    if lock is None:
        return []
    names, place = {f"{suite}{END}" for suite in suites}, lock_path(records)
    remedy = "`recmerge-bench results lock` writes it again"
    return [
        *(f"{place}: says nothing of {n}; {remedy}" for n in sorted(names - lock.files.keys())),
        *(f"{place}: no records go with {n}; {remedy}" for n in sorted(lock.files.keys() - names)),
    ]


def _strangers(folder: Path, known: Set[Path]) -> list[str]:
    """Files that no records make."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return [f"{file}: no records make this file" for file in files if file not in known]


def expected(folder: Path, suite: str) -> dict[Path, str | None]:
    """Every file that a suite's records make, as it should be; None where it cannot be drawn.

    Raises:
        HandledError: a file of records is damaged or missing.
    """
    return _rendered(folder, suite)


def _rendered(folder: Path, suite: str) -> dict[Path, str | None]:
    """Every file that a suite's records make, as it should be; None where it cannot be drawn."""
    path = within(folder, "records", f"{suite}.json")
    records, costs = load_records(path), load_costs(cost_path(path))
    plots = paretos(records, costs)
    declared = figures(records, load_curves(curves_path(path)))
    files: dict[Path, str | None] = {**board_texts(folder, records, costs, plots, declared)}
    for plot in plots:
        table, picture = _figure(folder, suite, plot.name)
        files[table], files[picture] = plot.csv(), pareto_svg(plot) if _CAN_DRAW else None
    for data in declared:
        table, picture = _figure(folder, suite, data.name)
        files[table], files[picture] = data.csv(), svg(data) if _CAN_DRAW else None
    return files


def _figure(folder: Path, suite: str, name: str) -> tuple[Path, Path]:
    """Data and drawing of a figure."""
    stem = f"{suite}-{name}"
    return within(folder, "figures", f"{stem}.csv"), within(folder, "figures", f"{stem}.svg")


def _site(folder: Path, registry: Registry) -> dict[Path, str]:
    """Every file of the site, where the folder has one."""
    if not (folder / "site").is_dir():
        return {}
    records = folder / "records"
    pages = render_site(load_suites(records), registry, load_beside(records))
    return {below(folder / "site", name): text for name, text in pages.items()}


def _apart(path: Path) -> list[str]:
    """Files that are another suite's too."""
    try:
        check_apart(load_records(path), path.parent)
    except HandledError as error:
        return [f"{path}: {error}"]
    return []


def _differences(file: Path, text: str, command: str = "leaderboard build --records") -> list[str]:
    """The first line that is not as it should be."""
    if not file.is_file():
        return [f"{file}: missing; `recmerge-bench {command}` writes it"]
    if file.suffix == ".svg":
        return _picture(file, text)
    there, wanted = file.read_text(encoding="utf-8").splitlines(), text.splitlines()
    for number in range(max(len(there), len(wanted))):
        actual = there[number] if number < len(there) else "(end of file)"
        want = wanted[number] if number < len(wanted) else "(end of file)"
        if actual != want:
            return [
                f"{file}:{number + 1}: is {_short(actual, want)}, its records give {want[:120]}"
            ]
    if file.read_bytes() != text.encode("utf-8"):
        return [f"{file}: other bytes than its records give (line ends, or the last line's)"]
    return []


def _picture(file: Path, text: str) -> list[str]:
    """Where a figure shows something else; its data (CSV) are compared to the last digit."""
    line = first_difference(file.read_text(encoding="utf-8"), text)
    if line is None:
        return []
    remedy = "`recmerge-bench leaderboard figures` draws it"
    return [f"{file}:{line}: another picture than its data give; {remedy}"]


def _short(actual: str, want: str) -> str:
    """A line from shortly before it differs."""
    at = next((i for i, (a, b) in enumerate(zip(actual, want, strict=False)) if a != b), 0)
    return actual[max(0, at - 20) : at + 100] or "empty"


def _records(path: Path, registry: Registry) -> list[str]:
    """Numbers of the records that the ranks do not give."""
    records = load_records(path)
    ranks = ranks_of(path)
    again = derive(records, ranks, registry, load_groups(groups_path(path)))
    lines = path.read_text(encoding="utf-8").splitlines()
    return [
        f"{path}:{_line(lines, place)}: {'.'.join(place)} is {recorded}, the ranks give {derived}"
        for place, recorded, derived in _walk(
            _numbers(records.to_json()), _numbers(again.to_json()), ()
        )
    ][:20]


def _papers(path: Path, registry: Registry) -> list[str]:
    """Numbers of papers that are not those of the reference data."""
    faults, lines = [], path.read_text(encoding="utf-8").splitlines()
    for track, facts in load_records(path).header.tracks.items():
        paper = facts.paper
        if paper is None:
            continue
        try:
            _, rows = load_reference(paper.reference, registry, f"{path}: track '{track}'")
        except HandledError as error:
            faults.append(str(error))
            continue
        known = set(as_carried(rows, paper.setting))
        faults += [
            f"{path}:{_line(lines, (track, 'numbers'))}: track '{track}' has the paper's number "
            f"{number}, which '{paper.reference}' lacks"
            for number in paper.numbers
            if number not in known
        ]
    return faults[:20]


def _numbers(records: Mapping[str, Any]) -> dict[str, object]:
    """What derives from ranks, by the key of its result."""
    parts = ("metrics", "list_metrics", "groups")
    results = {r["key"]: {p: r[p] for p in parts if p in r} for r in records["results"]}
    families = {name: _places(json.loads(json.dumps(records.get(name, {})))) for name in DERIVED}
    return {**results, **families}


def _places(value: object) -> object:
    """Lists at the top as mappings, so that what one of two has in addition is named."""
    if isinstance(value, list):
        return dict(enumerate(value))
    return {k: _places(v) for k, v in value.items()} if isinstance(value, Mapping) else value


def _walk(
    recorded: object, derived: object, place: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], object, object]]:
    """Places where two JSON values differ, with both values."""
    if isinstance(recorded, Mapping) and isinstance(derived, Mapping):
        for key in {**recorded, **derived}:
            yield from _walk(recorded.get(key), derived.get(key), (*place, str(key)))
    elif isinstance(recorded, list) and isinstance(derived, list) and len(recorded) == len(derived):
        for number, (a, b) in enumerate(zip(recorded, derived, strict=True)):
            yield from _walk(a, b, (*place, str(number)))
    elif not _same(recorded, derived):
        yield place, recorded, derived


def _same(recorded: object, derived: object) -> bool:
    if isinstance(recorded, float) and isinstance(derived, float):
        return abs(recorded - derived) <= 1e-9 * max(abs(recorded), abs(derived))
    return bool(recorded == derived)


def _line(lines: list[str], place: tuple[str, ...]) -> int:
    """Where the parts of a place stand, one after the other, as far as they are found."""
    at = 0
    for part in place:
        at = next((n for n in range(at, len(lines)) if f'"{part}"' in lines[n]), at)
    return at + 1
