"""CGNL kernels against loops over pairs of entries (Yue et al. 2018, eqs. 8-13)."""

from math import exp, factorial

import pytest
import torch

from errors import InputError
from models.blocks.kernels import (
    EXACT_LIMIT,
    ExactKernel,
    TaylorKernel,
    kernel,
    taylor_weights,
)
from models.specs.block import CGNLSpec

KERNELS = ("dot_product", "embedded_gaussian", "gaussian_rbf")
BATCH, GROUPS, ENTRIES = 2, 3, 13
GAMMA = 0.05


def alpha_squared(name, power, gamma):
    """The table of eqs. 9, 10 and 12, one entry at a time."""
    if name == "dot_product":
        return 1.0 if power == 1 else 0.0
    if name == "embedded_gaussian":
        return 1 / factorial(power)
    return exp(-2 * gamma) * (2 * gamma) ** power / factorial(power)


def true_kernel(name, a, b, gamma):
    if name == "dot_product":
        return a * b
    return exp(a * b) if name == "embedded_gaussian" else exp(-2 * gamma) * exp(2 * gamma * a * b)


def series(name, a, b, gamma, order):
    return sum(alpha_squared(name, p, gamma) * (a * b) ** p for p in range(order + 1))


def vectors(size=1.0):
    torch.manual_seed(19)
    return tuple((size * torch.randn(3, BATCH, GROUPS, ENTRIES)).clamp(-2, 2))


def naive_response(k, theta, phi, g):
    """y_i = sum_j k(theta_i, phi_j) g_j inside every group, pair by pair."""
    y = torch.zeros(theta.shape)
    for b in range(theta.shape[0]):
        for group in range(theta.shape[1]):
            t, p, v = (part[b, group].tolist() for part in (theta, phi, g))
            y[b, group] = torch.tensor(
                [sum(k(ti, pj) * vj for pj, vj in zip(p, v, strict=True)) for ti in t]
            )
    return y


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("name", KERNELS)
def test_the_compact_response_is_the_sum_over_pairs_of_the_series(name, order):
    theta, phi, g = vectors()
    found = kernel(CGNLSpec(kernel=name, order=order, gamma=GAMMA)).response(theta, phi, g)
    top = 1 if name == "dot_product" else order
    expected = naive_response(lambda a, b: series(name, a, b, GAMMA, top), theta, phi, g)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", KERNELS)
def test_the_exact_response_is_the_sum_over_pairs_of_the_kernel(name):
    theta, phi, g = vectors()
    found = kernel(CGNLSpec(kernel=name, order=None, gamma=GAMMA)).response(theta, phi, g)
    expected = naive_response(lambda a, b: true_kernel(name, a, b, GAMMA), theta, phi, g)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("order", [3, None])
@pytest.mark.parametrize("name", KERNELS)
def test_compare_is_the_kernel_of_two_scalars_and_broadcasts(name, order):
    compare = kernel(CGNLSpec(kernel=name, order=order, gamma=GAMMA)).compare
    a, b = torch.tensor([[0.7], [-1.3]]), torch.tensor([[1.1, -0.2, 0.0]])
    found = compare(a, b)
    assert found.shape == (2, 3)
    exact = order is None or name == "dot_product"
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 2)):
        x, y = a[i, 0].item(), b[0, j].item()
        wanted = true_kernel(name, x, y, GAMMA) if exact else series(name, x, y, GAMMA, 3)
        assert found[i, j].item() == pytest.approx(wanted, rel=1e-5)


def test_rbf_is_the_gaussian_of_the_distance_between_unit_entries():
    compare = kernel(CGNLSpec(kernel="gaussian_rbf", order=None, gamma=0.3)).compare
    for a in (1.0, -1.0):
        for b in (1.0, -1.0):
            found = compare(torch.tensor(a), torch.tensor(b)).item()
            assert found == pytest.approx(exp(-0.3 * (a - b) ** 2))


@pytest.mark.parametrize("name", ["embedded_gaussian", "gaussian_rbf"])
def test_the_error_of_the_series_falls_with_every_further_order(name):
    theta, phi, g = (part.double() for part in vectors(0.5))
    exact = kernel(CGNLSpec(kernel=name, order=None, gamma=0.5)).response(theta, phi, g)
    errors = [
        (kernel(CGNLSpec(kernel=name, order=p, gamma=0.5)).response(theta, phi, g) - exact)
        .abs()
        .max()
        .item()
        for p in range(1, 9)
    ]
    assert all(later < earlier for earlier, later in zip(errors, errors[1:], strict=False))
    assert errors[-1] < 1e-4 * errors[0]


def test_published_weights_of_order_three():
    gaussian = dict(taylor_weights(CGNLSpec(kernel="embedded_gaussian")))
    assert gaussian == pytest.approx({0: 1.0, 1: 1.0, 2: 0.5, 3: 1 / 6})
    rbf = dict(taylor_weights(CGNLSpec(kernel="gaussian_rbf")))
    beta = exp(-2e-4)
    assert rbf == pytest.approx(
        {0: beta, 1: beta * 2e-4, 2: beta * 2e-8, 3: beta * 8e-12 / 6}, rel=1e-9
    )
    assert taylor_weights(CGNLSpec(kernel="dot_product")) == ((1, 1.0),)


def test_a_constant_term_alone_still_fills_every_entry():
    ones = torch.ones(1, 1, 5)
    assert TaylorKernel(((0, 2.0),)).response(ones, ones, 3 * ones).tolist() == [[[30.0] * 5]]


def test_the_exact_operator_refuses_more_entries_than_its_limit(one_line):
    wide = torch.zeros(1, 1, EXACT_LIMIT + 1)
    with pytest.raises(InputError, match=str(EXACT_LIMIT)) as caught:
        ExactKernel(linear=True).response(wide, wide, wide)
    assert str(EXACT_LIMIT + 1) in one_line(caught.value)
