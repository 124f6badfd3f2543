"""Products by oneDNN against torch's own: values, gradients, and when they are taken."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from recmerge_bench.toolkit.models import products


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "_LEAST", 1)


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("sizes", [(5, 7), (64, 3), (1024, 3), (1491, 20), (130, 9)])
def test_products_of_any_number_of_tokens(sizes: tuple[int, int], turned: bool) -> None:
    a = drawn(sizes[0], 12)
    b = drawn(12, sizes[1]).T if turned else drawn(sizes[1], 12)
    torch.testing.assert_close(products.product(a, b), (a.double() @ b.double().T).float())
    c = drawn(sizes[0], sizes[1])
    for left, right in ((a, c), (c, a)):
        exact = (left.double().T @ right.double()).float()
        torch.testing.assert_close(
            products.summed_product(left, right), exact, atol=1e-4, rtol=1e-5
        )


def test_few_shapes_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes, plain = set(), products._onednn
    monkeypatch.setattr(
        products, "_onednn", lambda a, b, bias: shapes.add((a.shape, b.shape)) or plain(a, b, bias)
    )
    for count in range(1, 2500, 13):
        products.product(drawn(count, 12), drawn(5, 12))
        products.summed_product(drawn(count, 12), drawn(count, 5))
    assert len(shapes) == 2 * len(products._STRETCHES)


@pytest.mark.parametrize("shape", [(9, 12), (99, 12), (3, 40, 12), (2, 3, 40, 12)])
@pytest.mark.parametrize("biased", [False, True])
def test_a_linear_map_and_its_gradients(shape: tuple[int, ...], biased: bool) -> None:
    x, weight = drawn(*shape).requires_grad_(), drawn(5, 12).requires_grad_()
    bias = drawn(5).requires_grad_() if biased else None
    inputs = [t for t in (x, weight, bias) if t is not None]
    by_us, by_torch = products.linear(x, weight, bias), F.linear(x, weight, bias)
    torch.testing.assert_close(by_us, by_torch)
    slope = drawn(*by_torch.shape)
    ours = torch.autograd.grad(by_us, inputs, slope)
    theirs = torch.autograd.grad(by_torch, inputs, slope)
    for ours_, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(ours_, other)


def test_a_frozen_weight_has_no_gradient() -> None:
    x, weight = drawn(99, 12).requires_grad_(), drawn(5, 12)
    products.linear(x, weight, drawn(5)).sum().backward()
    assert x.grad is not None and weight.grad is None


@pytest.mark.skipif(not products._HAS_IT, reason="torch without oneDNN")
def test_only_training_in_single_precision_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x, calls = products.Linear(12, 5), drawn(99, 12), []
    plain = products.product
    monkeypatch.setattr(products, "product", lambda *given: calls.append(given) or plain(*given))

    def taken(net: torch.nn.Module, given: torch.Tensor) -> bool:
        calls.clear()
        net(given)
        return bool(calls)

    assert taken(layer, x)
    with torch.no_grad():
        assert not taken(layer, x)
    assert not taken(layer.eval(), x)
    assert not taken(products.Linear(12, 5).double(), x.double())
    monkeypatch.setattr(products, "_HAS_IT", False)
    assert not taken(products.Linear(12, 5), x)
    assert layer.state_dict().keys() == torch.nn.Linear(12, 5).state_dict().keys()


def test_matrices_with_room_between_rows_are_made_dense(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the gradient of a part of joined columns is: oneDNN's general kernel is far slower."""
    given, plain = [], products._onednn
    monkeypatch.setattr(
        products, "_onednn", lambda a, b, bias: given.append(b) or plain(a, b, bias)
    )
    a, wide = drawn(128, 12), drawn(128, 31)[:, 1:]
    exact = (a.double().T @ wide.double()).float()
    torch.testing.assert_close(products.summed_product(a, wide), exact, atol=1e-4, rtol=1e-5)
    torch.testing.assert_close(products.summed_product(wide, a), exact.T, atol=1e-4, rtol=1e-5)
    b = drawn(9, 20)[:, :12]
    torch.testing.assert_close(products.product(a, b), (a.double() @ b.double().T).float())
    assert given and all(b.is_contiguous() or b.T.is_contiguous() for b in given)
