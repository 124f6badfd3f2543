"""Small synthetic catalogues and splits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Instances, Sequences, Split
from recmerge_bench.registry import discover
from recmerge_bench.targets import load_class

NOUNS = ("river", "stone", "copper", "violin", "lantern", "orchard", "harbour", "needle")


WORDS = (
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "title", "brand", ":", ";", "red", "blue", "shoe", "hat",
)  # fmt: skip


def tiny_bert(path: Path) -> Path:
    """A folder with a BERT of two layers, 16 wide, and a vocabulary of twelve words."""
    import torch
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    path.mkdir(exist_ok=True)
    (path / "vocab.txt").write_text("\n".join(WORDS))
    tokenizer = BertWordPieceTokenizer(str(path / "vocab.txt"))
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer._tokenizer, pad_token="[PAD]", unk_token="[UNK]",
        cls_token="[CLS]", sep_token="[SEP]",
    ).save_pretrained(path)  # fmt: skip
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertModel(config).save_pretrained(path)
    return path


def tiny_bpe(path: Path, texts: Sequence[str]) -> Path:
    """A folder with a byte-level BPE tokenizer of RoBERTa's kind, learned on a few texts."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import PreTrainedTokenizerFast

    path.mkdir(exist_ok=True)
    marks = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(
        texts, vocab_size=300, min_frequency=2, special_tokens=marks, show_progress=False
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer._tokenizer, bos_token="<s>", pad_token="<pad>", eos_token="</s>",
        unk_token="<unk>", mask_token="<mask>",
    ).save_pretrained(path)  # fmt: skip
    return path


def weights_only() -> list[str]:
    """Strategies that merge weights, and nothing else, to one model."""
    return sorted(
        spec.name
        for (kind, _), spec in discover(environ={}).specs.items()
        if kind == "strategy"
        and not spec.passthrough
        and spec.tier == "T0"
        and not load_class(spec.target).modulated  # type: ignore[attr-defined]
        and spec.name not in ("slerp", "nuslerp")  # two experts and no more
    )


def catalogue(
    sizes: Sequence[int] = (30, 20), names: Sequence[str] = ("alpha", "beta")
) -> Catalogue:
    """Items ``<domain>-<i>`` with a short text each; every seventh has none."""
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    tokens = [f"{name}-{i}" for name, size in zip(names, sizes, strict=True) for i in range(size)]
    texts = [
        "" if i % 7 == 6 else f"{NOUNS[i % 8]} {NOUNS[(i // 8) % 8]} model {i}"
        for i in range(len(tokens))
    ]
    return Catalogue(tuple(names), offsets, tokens, texts)


def leave_two_out(sequences: list[list[int]], domains: list[int], cat: Catalogue) -> Split:
    """Last event for test, the one before for validation; shorter than 4: training only.

    Args:
        sequences: global items, oldest first.
        domains: domain number of each, -1 for mixed.
        cat: the items.
    """
    lengths = np.array([len(s) for s in sequences])
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    items = np.concatenate([np.asarray(s, np.int32) for s in sequences])
    ranked = lengths >= 4
    train_end = np.where(ranked, lengths - 2, lengths).astype(np.int32)
    users = np.arange(len(sequences), dtype=np.int32)
    parts = Sequences(offsets, items, users, np.asarray(domains, np.int16), train_end)
    of_item = np.searchsorted(cat.domain_offsets, items, side="right") - 1

    def held(back: int) -> Instances:
        rows = np.flatnonzero(ranked).astype(np.int32)
        position = (lengths[rows] - back).astype(np.int32)
        at = offsets[rows] + position
        return Instances(rows, position, users[rows], of_item[at].astype(np.int16), items[at])

    return Split(parts, held(2), held(1), {})


def planted(cat: Catalogue, users: int = 120, seed: int = 0, noise: float = 0.1) -> Split:
    """Sequences of one domain each that mostly walk a fixed cycle through its items.

    The next item follows from the last one, and popularity is flat: popularity cannot learn it.
    """
    rng = np.random.default_rng(seed)
    sequences, domains = [], []
    for user in range(users):
        number = user % len(cat.domains)
        span = cat.span(cat.domains[number])
        size = span.stop - span.start
        step, item, events = 3, int(rng.integers(size)), []
        for _ in range(int(rng.integers(3, 25))):
            item = int(rng.integers(size)) if rng.random() < noise else (item + step) % size
            events.append(span.start + item)
        sequences.append(events)
        domains.append(number)
    return leave_two_out(sequences, domains, cat)


def mixed(cat: Catalogue, users: int = 80, seed: int = 0) -> Split:
    """Sequences over all domains; each domain's own events walk its cycle."""
    rng = np.random.default_rng(seed)
    sequences = []
    for _ in range(users):
        state = [int(rng.integers(cat.size(name))) for name in cat.domains]
        events = []
        for _ in range(int(rng.integers(4, 30))):
            d = int(rng.integers(len(state)))
            state[d] = (state[d] + 1) % cat.size(cat.domains[d])
            events.append(cat.span(cat.domains[d]).start + state[d])
        sequences.append(events)
    return leave_two_out(sequences, [-1] * users, cat)


def net_counts(
    definition: Any,
    net: Any,
    split: Split,
    instances: Instances,
    catalogue: Catalogue,
    rankings: Sequence[Any],
    **more: Any,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """(n_better, n_equal) of instances under each ranking, by a net on the CPU."""
    from recmerge_bench.evaluation.loaded import LoadedModel

    model = LoadedModel(definition, net, _domains_of(instances, catalogue))
    return _counts(model, split, instances, catalogue, rankings, **more)


def fitted_counts(
    definition: Any,
    state: Any,
    split: Split,
    instances: Instances,
    catalogue: Catalogue,
    rankings: Sequence[Any],
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The same by a counting model."""
    from recmerge_bench.evaluation.loaded import FittedModel

    model = FittedModel(definition, state, _domains_of(instances, catalogue))
    return _counts(model, split, instances, catalogue, rankings)


def _domains_of(instances: Instances, catalogue: Catalogue) -> tuple[str, ...]:
    return tuple(catalogue.domains[d] for d in np.unique(instances.domains))


def _counts(
    model: Any,
    split: Split,
    instances: Instances,
    catalogue: Catalogue,
    rankings: Sequence[Any],
    **more: Any,
) -> list[tuple[np.ndarray, np.ndarray]]:
    from recmerge_bench.evaluation.split_ranks import rank_under

    tables = rank_under([model], split, catalogue, rankings, instances, **more)
    return [(table.n_better, table.n_equal) for table in tables]
