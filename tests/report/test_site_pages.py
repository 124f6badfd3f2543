"""Pages of methods and datasets: ideas, code, tuning, history, histograms; home's answers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import ROOT
from site_builders import write_folder

from recmerge_bench.errors import DataError
from recmerge_bench.files import write_json
from recmerge_bench.registry import Registry
from recmerge_bench.report.boards.headline import Best
from recmerge_bench.report.site.answers import answers
from recmerge_bench.report.site.cards import method_cards
from recmerge_bench.report.site.load import Beside, load_beside, load_suites
from recmerge_bench.report.site.pages import render_site
from recmerge_bench.results.header import Size
from recmerge_bench.results.profiles import (
    Profile,
    load_profiles,
    profile_faults,
    profiles_of,
    save_profile,
)
from recmerge_bench.results.releases import Release

RECORDS = ROOT / "leaderboards" / "records"


@pytest.fixture(scope="module")
def site(registry: Registry) -> dict[str, str]:
    stood = {"backbone": "", "method": "ties", "label": "ties", "band": "methods", "rank": 2,
             "of": 7, "mean": 0.0421}  # fmt: skip
    table = {"track": "shared-base", "protocol": "loo-released", "metric": "NDCG@10",
             "rows": [stood, {**stood, "mean": 0.03, "rank": 5}]}  # fmt: skip
    gone = {**table, "track": "gone", "rows": [{**stood, "rank": 1}]}
    old = Release.model_validate({"name": "2026.06", "suites": {"mergerec-cpu": [table, gone]}})
    beside = Beside(load_beside(RECORDS).profiles, [old])
    return render_site(load_suites(RECORDS), registry, beside)


def test_every_method_has_an_idea_in_three_sentences(registry: Registry) -> None:
    """In words of its own: not the line that lists show."""
    for name, cards in method_cards(registry).items():
        for card in cards:
            count = len(re.findall(r"[.!?](?= [A-Z]|$)", card.idea))
            assert 2 <= count <= 4, (name, card.idea)
            assert card.idea.endswith(".") and "`" not in card.idea and card.idea != card.summary


def test_code_is_a_link_within_the_repository(site: dict[str, str]) -> None:
    links = re.findall(r'<dt>Code</dt><dd><a href="([^"]+)"', site["methods/ties.html"])
    here = ROOT / "leaderboards" / "site" / "methods"
    assert links and all((here / link).resolve().is_file() for link in links)


def test_a_page_says_what_was_tuned_on_what(site: dict[str, str]) -> None:
    page = site["methods/task-arithmetic-validated.html"]
    assert "Configurations and tuning budgets" in page
    assert "validation labels of" in page
    assert "Trainings and tuning budgets" in site["methods/sasrec.html"]


def test_history_has_a_column_for_each_release_and_for_now(site: dict[str, str]) -> None:
    page = site["methods/ties.html"]
    part = page[page.index("Across releases of the boards") :]
    part = part[: part.index("</table>")]
    assert re.findall(r'<th scope="col">([^<]+)</th>', part) == ["board", "2026.06", "now"]
    rows = dict(re.findall(r'<span class="muted">([^<]+)</span></th>(.*?)</tr>', part))
    assert rows["shared-base, loo-released"].startswith("<td>0.0421, 2 of 7 methods</td><td>0.0")
    assert rows["gone, loo-released"] == "<td>0.0421, 1 of 7 methods</td><td>–</td>"
    assert "Across releases" not in site["methods/dare-ties.html"], "it stands on no board"


def test_a_dataset_shows_how_its_events_are_spread(site: dict[str, str]) -> None:
    page = site["datasets/ml-100k.html"]
    assert "75.8 % of the events share their time" in page
    assert "Length of histories" in page and "Popularity in comedy" in page
    bars = re.findall(r'<th scope="row">16–31</th>.*?width="([\d.]+)%".*?class="num">(\d+)<', page)
    assert ("90.95", "221") in bars, "of 243 users, the most in an octave"
    assert "no times, so that ties cannot be counted" in site["datasets/amazon-mergerec.html"]


def test_a_dataset_shows_what_shuffled_histories_cost(site: dict[str, str]) -> None:
    page = site["datasets/amazon-mergerec.html"]
    assert "How much the order of histories matters" in page
    assert "sequential: beauty, loo-masked" in page and '<th scope="col">shuffled</th>' in page
    assert "How much the order" not in site["datasets/csv.html"]


def test_a_list_of_datasets_has_their_largest_sizes(site: dict[str, str]) -> None:
    page = site["datasets/index.html"]
    row = page[page.index(">amazon-mergerec<") :]
    assert ">91,553<" in row[: row.index("</tr>")] and ">800,205<" in row[: row.index("</tr>")]
    assert "none: your own files" in site["datasets/csv.html"]
    assert "none: generated" in site["datasets/synthetic.html"]
    assert "`" not in re.sub(r"<script.*?</script>", "", site["datasets/csv.html"])


def test_profiles_are_those_of_the_records() -> None:
    sizes = [item for suite in load_suites(RECORDS) for item in suite.header.datasets.items()]
    assert profile_faults(profiles_of(RECORDS), sizes) == []
    assert set(load_profiles(profiles_of(RECORDS))) == {key for key, _ in sizes}


def test_a_profile_of_other_data_is_a_fault(tmp_path: Path) -> None:
    size = Size(dataset="d", users=2, events=3, items={"a": 2})
    made = Profile(
        dataset="d", fingerprint="ab" * 32, users=2, events=3, tied=0,
        lengths=[(1, 1, 1), (2, 3, 1)], popularity={"a": [(1, 1, 2)]},
    )  # fmt: skip
    path = save_profile(tmp_path, made)
    assert profile_faults(tmp_path, [(made.fingerprint, size)]) == []
    assert "no records are of data" in profile_faults(tmp_path, [])[0]
    other = Size(dataset="d", users=2, events=3, items={"a": 3})
    assert "not those that records state" in profile_faults(tmp_path, [("ab" * 32, other)])[0]
    write_json(path, {**made.to_json(), "users": "two"})
    with pytest.raises(DataError, match="users"):
        load_profiles(tmp_path)
    path.rename(tmp_path / "0123.json")
    write_json(tmp_path / "0123.json", made.to_json())
    with pytest.raises(DataError, match="fingerprint"):
        load_profiles(tmp_path)


def test_home_says_what_all_boards_answer() -> None:
    one = Best(True, 3, 0.957, "below", "undecided")
    two = Best(True, 3, 1.03, "above", "better")
    assert answers([one, two])[0] == (
        "Merging, 2 boards: the best merge keeps 96 to 103 % of its experts' score, is above the "
        "best heuristic on 1 of them, and is shown to beat the board's baseline on 1 of them."
    )
    assert "is above the best heuristic on both, and" in answers([two, two])[0]
    assert "on any of them" in answers([one, one])[0] and "on all of them" in answers([two] * 3)[0]
    model = Best(False, 2, None, "above", "no verdict")
    assert answers([model]) == [
        "Cross-domain models, one board: the best model is above the best heuristic, and is not "
        "shown to beat the board's baseline."
    ]
    assert answers([Best(False, 1, None, "above", "")]) == [], "one domain asks about neither"


def test_fabricated_boards_need_nothing_beside_them(tmp_path: Path, registry: Registry) -> None:
    folder = write_folder(tmp_path / "records")
    pages = render_site(load_suites(folder), registry, load_beside(folder))
    assert not any("Across releases" in page for page in pages.values())
