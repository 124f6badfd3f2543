"""Item tables and their initial values."""

from __future__ import annotations

import builders
import numpy as np
import pytest
import torch

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.toolkit.models.tables import build_tables
from recmerge_bench.toolkit.models.text_init import text_vectors


def test_state_names_and_lookup() -> None:
    cat = builders.catalogue((5, 4), ("alpha", "beta"))
    tables = build_tables(cat, ("alpha", "beta"), 8, "text", 0.02, seed=1)
    assert list(tables.state_dict()) == ["alpha", "beta"]
    items = torch.tensor([[0, 4], [5, 8]])
    joined = torch.cat([tables.domain_table("alpha"), tables.domain_table("beta")])
    assert torch.equal(tables.lookup(items), joined[items])
    assert torch.equal(tables.lookup(items[1], ("beta",)), tables.domain_table("beta")[[0, 3]])
    assert torch.equal(tables.scope_rows(items, ("beta", "alpha")), (items + 4) % 9)
    assert tables.scope_span(("beta", "alpha"), "alpha") == slice(4, 9)


def test_domain_names_of_methods() -> None:
    cat = builders.catalogue((3, 3), ("children", "half"))
    tables = build_tables(cat, ("children", "half"), 4, "random", 0.02, seed=1)
    other = build_tables(cat, ("children", "half"), 4, "random", 0.02, seed=2)
    other.load_state_dict(tables.state_dict())
    assert torch.equal(other.domain_table("children"), tables.domain_table("children"))
    assert len(list(tables.parameters())) == 2


def test_history_of_a_missing_domain_is_an_error() -> None:
    cat = builders.catalogue((5, 4))
    tables = build_tables(cat, ("alpha",), 4, "random", 0.02, seed=1)
    assert tables.narrowest(torch.tensor([[1, 2]]), "alpha") == ("alpha",)
    with pytest.raises(ValueError, match="other than"):
        tables.narrowest(torch.tensor([[1, 6]]), "alpha")


def test_text_tables_depend_on_the_catalogue_alone() -> None:
    cat = builders.catalogue((30, 20))
    one = build_tables(cat, ("alpha", "beta"), 16, "text", 0.05, seed=1)
    two = build_tables(cat, ("beta",), 16, "text", 0.05, seed=9)
    assert torch.equal(one.domain_table("beta"), two.domain_table("beta"))
    assert 0.03 < float(one.domain_table("alpha").detach().std()) < 0.07
    random_one = build_tables(cat, ("alpha", "beta"), 16, "random", 0.05, seed=1)
    random_two = build_tables(cat, ("beta",), 16, "random", 0.05, seed=1)
    assert torch.equal(random_one.domain_table("beta"), random_two.domain_table("beta"))


def test_text_vectors_follow_words() -> None:
    texts = ["red wool hat", "Red WOOL hat!", "red wool scarf", "", "..."]
    cat = Catalogue(("a",), np.array([0, 5]), ["a", "b", "c", "d", "e"], texts)
    v = text_vectors(cat, "a", 64, 1.0)
    assert np.allclose(v[0], v[1])
    unit = v / np.linalg.norm(v, axis=1, keepdims=True)
    near = unit @ unit.T
    assert near[0, 2] > 0.4 > abs(near[0, 3])
    assert abs(near[3, 4]) < 0.5 and np.isfinite(v).all()
