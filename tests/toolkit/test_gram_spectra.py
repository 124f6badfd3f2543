"""Singular vectors through the Gram matrix: the same as by the SVD, or the SVD's."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from recmerge_bench.toolkit.merging import gram_spectra
from recmerge_bench.toolkit.merging.gram_spectra import leading, orthogonal
from recmerge_bench.toolkit.merging.matrices import BLOCK, Differences
from recmerge_bench.toolkit.merging.spectral import svd


def drawn(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(3), dtype=dtype)


def spread(rows: int, columns: int, ratio: float) -> Tensor:
    """A matrix with singular values from 1 down to 1 / ratio."""
    left, right = (torch.linalg.qr(drawn(n, columns)).Q for n in (rows, columns))
    values = torch.logspace(0, -torch.log10(torch.tensor(ratio)).item(), columns).double()
    return (left * values) @ right.T


@pytest.mark.parametrize("rows", [9, 300, 2 * gram_spectra.ROWS + 5])
def test_a_polar_factor_is_that_of_the_svd(rows: int) -> None:
    matrix = drawn(rows, 9) + 3 * torch.eye(rows, 9).double()
    found = orthogonal(matrix, torch.float64)
    left, values, right = svd(matrix)
    torch.testing.assert_close(found.matrix @ found.right, left @ right.T, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(found.values.flip(0), values, rtol=1e-9, atol=0)
    assert found.matrix is matrix and found.ratio == pytest.approx(float(values[0] / values[-1]))


@pytest.mark.parametrize(("ratio", "entries"), [(1e5, torch.float64), (1e6, torch.float32)])
def test_what_squares_cannot_tell_is_decomposed_itself(ratio: float, entries: torch.dtype) -> None:
    matrix = spread(60, 20, ratio)
    found = orthogonal(matrix, entries)
    left, _, right = svd(matrix)
    assert found.matrix is not matrix
    torch.testing.assert_close(found.matrix @ found.right, left @ right.T, rtol=0, atol=1e-9)


def test_entries_of_single_precision_are_told_to_their_precision() -> None:
    matrix = spread(60, 20, 3e3)  # too far apart for fp64 entries, not for those of fp32
    found = orthogonal(matrix, torch.float32)
    left, _, right = svd(matrix)
    assert found.matrix is matrix
    torch.testing.assert_close(found.matrix @ found.right, left @ right.T, rtol=0, atol=1e-7)
    assert orthogonal(matrix, torch.float64).matrix is not matrix


@pytest.mark.parametrize("shape", [(40, 24), (24, 40), (24, 24)])
@pytest.mark.parametrize("keep", [1, 5, 24])
def test_leading_triplets_are_those_of_the_svd(shape: tuple[int, int], keep: int) -> None:
    matrix = drawn(*shape)
    ours, wanted = (f(matrix, keep) for f in (lambda m, k: leading(m, k, m.dtype), svd))
    for left, values, right in (ours, wanted):
        assert left.shape == (shape[0], keep) and right.shape == (shape[1], keep)
        assert values.shape == (keep,)
    products = [(left * values) @ right.T for left, values, right in (ours, wanted)]
    torch.testing.assert_close(*products, rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(ours[0].T @ ours[0], torch.eye(keep).double(), rtol=0, atol=1e-10)


@pytest.mark.parametrize("matrix", [torch.zeros(8, 4).double(), torch.ones(8, 4).double()])
def test_a_rank_below_what_is_kept_is_the_svds(matrix: Tensor) -> None:
    left, values, right = leading(matrix, 3, matrix.dtype)
    assert bool(left.isfinite().all() and right.isfinite().all())
    torch.testing.assert_close((left * values) @ right.T, matrix, rtol=0, atol=1e-12)


def test_sums_of_task_vectors_are_taken_block_by_block() -> None:
    base, experts = drawn(3, BLOCK), [k + drawn(3, BLOCK) for k in (1, 2)]
    differences = Differences(base, experts)
    torch.testing.assert_close(differences.total(), sum(e - base for e in experts))
    half = Differences(base.half(), [e.half() for e in experts])
    assert half.total().dtype == torch.float32 and [t.dtype for t in half] == [torch.float32] * 2
    mixed = Differences(base.float(), experts)
    assert mixed.total().dtype == torch.float64
