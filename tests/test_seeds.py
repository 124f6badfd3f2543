"""Seeds derived from a run's: to the last bit what committed results were made with."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recmerge_bench import seeds

SEEDS = st.integers(0, 1 << 31)


@given(SEEDS, st.integers(0, 50), st.integers(0, 1 << 20))
def test_old_derivations_give_what_they_gave(seed: int, number: int, step: int) -> None:
    assert seeds.table_seed(seed, number) == seed * 1_000_003 + number + 1
    assert seeds.mixed(seed, step, 7) == ((seed * 1_000_003 + step) * 1_000_003 + 7) % (1 << 62)
    assert seeds.second_tables(seed, 0) == seed and seeds.second_tables(seed, 1) == seed + 7_919
    assert seeds.beside_the_net(seed) == seed + 104_729
    words = np.random.SeedSequence([seed, step]).generate_state(2, np.uint64) >> 1
    assert seeds.of_step(seed, step) == (int(words[0]), int(words[1]))
    key = [seed, (step << 16) + number]
    first = np.random.Generator(np.random.Philox(key=key))
    assert seeds.of_epoch(seed, step, number).random() == first.random()
    again = np.random.Generator(np.random.Philox(key=[seed, key[1] + (1 << 48)]))
    assert seeds.of_epoch(seed, step, number, again=True).random() == again.random()


def test_draws_that_committed_files_hold() -> None:
    # Written down from the version that made the boards: numpy promises these streams.
    assert seeds.generator(0, "users").integers(1 << 30, size=2).tolist() == [922313318, 189621913]
    assert seeds.generator(3, "seeds", 5).integers(1 << 30) == 507011188
    assert seeds.philox(7).random_raw(1).tolist() == [8648156199155761070]


def test_names_tell_streams_apart() -> None:
    first = {
        seeds.generator(seed, *names).random()
        for seed in (0, 1)
        for names in (("users",), ("seeds",), ("seeds", 5), ("signs",))
    }
    assert len(first) == 8


@pytest.mark.parametrize("seed", [0, (1 << 63) - 1])
def test_every_seed_of_a_run_gives_one_that_torch_takes(seed: int) -> None:
    assert 0 <= seeds.table_seed(seed, 49) < 1 << 62
    assert all(0 <= word < 1 << 63 for word in seeds.of_step(seed, 0))
