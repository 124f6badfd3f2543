"""What models know of each phase of time: the phase up to which they stand by the tested phase."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean

from recmerge_bench.identity import Row
from recmerge_bench.names import phase_name
from recmerge_bench.results.header import Header
from recmerge_bench.results.places import of_one_time, places
from recmerge_bench.results.records import Records, Result


@dataclass(frozen=True)
class Matrix:
    """A row of a temporal track by phase, means over its seeds.

    Attributes:
        track: whose.
        row: of it.
        after: phases after which models stand, rows of the matrix.
        tested: phases that are tested, columns.
        values: the first metric: (after, tested) -> one for each seed, in one order everywhere.
    """

    track: str
    row: Row
    after: tuple[int, ...]
    tested: tuple[int, ...]
    values: dict[tuple[int, int], list[float]]

    def mean(self, after: int, tested: int) -> float:
        """Over the seeds."""
        return mean(self.values[after, tested])

    @property
    def forgetting(self) -> float | None:
        """What models have lost in the end of phases that they had just learned.

        Mean over tested phases q before the last model's of R[q][q] - R[last][q], each on targets
        that nothing was trained on (the forgetting of Chaudhry et al., ECCV 2018, with the value
        right after a phase in the place of the best one). None where no such phase is tested.
        """
        last = max(self.after)
        phases = [q for q in self.tested if q in self.after and q < last]
        return mean(self.mean(q, q) - self.mean(last, q) for q in phases) if phases else None

    @property
    def transfer(self) -> float | None:
        """What the phases in between have brought to a phase that no model has seen.

        Mean over tested phases q of R[q - 1][q] - R[first][q], q - 1 behind the first: the forward
        transfer of Lopez-Paz and Ranzato (NeurIPS 2017), from the first models on. None where no
        such phase is tested.
        """
        first = min(self.after)
        phases = [q for q in self.tested if q - 1 in self.after and q - 1 > first]
        return mean(self.mean(q - 1, q) - self.mean(first, q) for q in phases) if phases else None


def matrices(records: Records) -> list[Matrix]:
    """All of a suite's, in the order of its rows; only rows with every seed done at every time."""
    header = records.header
    return [m for track in header.order for m in _of_track(records, header, track)]


def _of_track(records: Records, header: Header, track: str) -> Iterator[Matrix]:
    times = {
        place: after
        for place in places(header)
        if place.track == track and (after := of_one_time(header, place))
    }
    done: dict[Row, dict[int, list[Result]]] = {}
    for result in records.results:
        if result.identity.place in times and result.done:
            after = times[result.identity.place]
            done.setdefault(result.identity.row, {}).setdefault(after, []).append(result)
    for row, by_time in done.items():
        seeds = {tuple(_seeds(results)) for results in by_time.values()}
        if set(by_time) == set(times.values()) and len(seeds) == 1:
            yield _matrix(track, row, by_time, header.primary)


def _seeds(results: Sequence[Result]) -> list[int]:
    return sorted(-1 if r.identity.seed is None else r.identity.seed for r in results)


def _matrix(track: str, row: Row, by_time: dict[int, list[Result]], metric: str) -> Matrix:
    some = next(iter(by_time.values()))
    numbers = {phase_name(n): n for n in range(1, max(by_time) + len(some[0].domains) + 1)}
    tested = tuple(numbers[d] for d in some[0].domains)
    values = {
        (after, phase): [
            r.metrics[phase_name(phase)][metric]
            for r in sorted(results, key=lambda r: r.identity.seed or 0)
        ]
        for after, results in by_time.items()
        for phase in tested
    }
    return Matrix(track, row, tuple(sorted(by_time)), tested, values)


__all__ = ["Matrix", "matrices"]
