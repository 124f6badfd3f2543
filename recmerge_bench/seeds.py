"""Seeds and streams of random numbers that are derived from a run's seed: all of them.

New draws use `generator`, which tells streams apart by name. The others are older: they are kept to
the last bit, because models of committed boards were trained, merged and tested with them, and a
derivation that gave other draws would give other numbers under the same configuration.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np


def generator(seed: int, *names: object) -> np.random.Generator:
    """The stream of this seed and name, the same on every machine: what new draws use.

    Args:
        seed: of the run, 0 or more.
        names: what is drawn, such as ``"users"``; joined by slashes.
    """
    return np.random.default_rng([seed, crc32("/".join(map(str, names)).encode())])


def mixed(seed: int, *words: int) -> int:
    """A seed in [0, 2**62) named by another and whole numbers, in order.

    Draws of item tables (the domain's number) and of pseudo-users (purpose and step). Kept for
    their values: neighbouring words give neighbouring seeds, which torch's Mersenne Twister
    spreads by itself.
    """
    seed_value = 0
    for word in (seed, *words):
        seed_value = (seed_value * 1_000_003 + int(word)) % (1 << 62)
    return seed_value


def table_seed(seed: int, domain: int) -> int:
    """Of a domain's random item table; `domain` is its number in the catalogue."""
    return mixed(seed, domain + 1)


def second_tables(seed: int, number: int) -> int:
    """The seed that stands for the run's in a net's further set of item tables; 0: the first.

    Kept for its values: neighbouring seeds of runs must not meet, hence the prime.
    """
    return seed + 7_919 * number


def beside_the_net(seed: int) -> int:
    """The seed of initial values that a model has besides its shared net; kept for its values."""
    return seed + 104_729


def of_step(seed: int, step: int) -> tuple[int, int]:
    """Two seeds of a training step in [0, 2**63): of the default generator, of the batch's."""
    words = np.random.SeedSequence([seed, step]).generate_state(2, np.uint64) >> 1
    return int(words[0]), int(words[1])


def of_epoch(seed: int, epoch: int, stream: int, again: bool = False) -> np.random.Generator:
    """The order of a stream's batches in an epoch; `again`: of passes beyond the first.

    Kept for its values: epoch and stream are packed into a word of Philox's key.
    """
    place = (again << 48) + (epoch << 16) + stream
    return np.random.Generator(np.random.Philox(key=[seed, place]))


def philox(seed: int) -> np.random.Philox:
    """A counter-based stream, whose draws can be addressed: of candidates and of ties."""
    return np.random.Philox(key=np.random.SeedSequence(seed).generate_state(2, np.uint64))
