"""Pairwise functions against loops written from the definitions (Wang et al. 2018, eqs. 1-5)."""

from math import exp
from typing import get_args

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from models.blocks.pairwise import Pairwise, pairwise, row
from models.specs.block import PairwiseName

FUNCTIONS = ("gaussian", "embedded_gaussian", "dot_product", "concatenation")
N, M, WIDTH, OUT = 11, 7, 5, 3


def naive_matrix(name, queries, keys, scale):
    """f(x_i, x_j) / C(x), entry by entry, in Python floats."""
    rows = []
    for q in queries.tolist():
        products = [sum(a * b for a, b in zip(q, k, strict=True)) for k in keys.tolist()]
        if name in ("gaussian", "embedded_gaussian"):
            weights = [exp(scale * p) for p in products]
            total = sum(weights)
        elif name == "dot_product":
            weights, total = [scale * p for p in products], len(products)
        else:
            weights = [max(0.0, q[0] + k[0]) for k in keys.tolist()]
            total = len(products)
        rows.append([w / total for w in weights])
    return torch.tensor(rows)


def factors(name, seed=3):
    generator = torch.Generator().manual_seed(seed)
    width = 1 if name == "concatenation" else WIDTH
    shapes = ((N, width), (M, width), (M, OUT))
    return tuple(torch.randn(*shape, generator=generator) for shape in shapes)


@pytest.mark.parametrize("name", get_args(PairwiseName))
def test_every_function_has_what_is_asked_of_one(name):
    assert name in FUNCTIONS
    for scaled in (False, True):
        function = pairwise(name, WIDTH, scaled)
        assert isinstance(function, Pairwise)
        scales = name in ("embedded_gaussian", "dot_product")
        assert function.scale == (WIDTH**-0.5 if scaled and scales else 1.0)
        queries, keys, _values = factors(name)
        sums = function.matrix(queries, keys).sum(-1)
        assert torch.allclose(sums, torch.ones(N)) == function.sums_to_one


def test_a_function_without_a_scale_is_none():
    class Unscaled:
        name, sums_to_one = "gaussian", True
        matrix = respond = staticmethod(lambda *_: None)

    assert not isinstance(Unscaled(), Pairwise)


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_matrix_equals_the_definition_entry_by_entry(name, scaled):
    queries, keys, _values = factors(name)
    scale = WIDTH**-0.5 if scaled and name in ("embedded_gaussian", "dot_product") else 1.0
    matrix = pairwise(name, WIDTH, scaled).matrix(queries, keys)
    assert matrix.shape == (N, M)
    torch.testing.assert_close(matrix, naive_matrix(name, queries, keys, scale))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_row_alone_is_that_row_of_the_matrix_and_of_the_definition(name):
    queries, keys, _values = factors(name)
    function = pairwise(name, WIDTH, True)
    scale = WIDTH**-0.5 if name in ("embedded_gaussian", "dot_product") else 1.0
    expected = naive_matrix(name, queries, keys, scale)
    matrix = function.matrix(queries, keys)
    for position in range(N):
        alone = row(function, queries, keys, position)
        assert alone.shape == (M,)
        torch.testing.assert_close(alone, matrix[position])
        torch.testing.assert_close(alone, expected[position])


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_respond_is_the_matrix_times_the_values_for_every_item_of_a_batch(name, scaled):
    items = [factors(name, seed) for seed in (5, 13)]
    queries, keys, values = (torch.stack(part) for part in zip(*items, strict=True))
    function = pairwise(name, WIDTH, scaled)
    response = function.respond(queries, keys, values)
    assert response.shape == (2, N, OUT)
    for k, (q, key, v) in enumerate(items):
        torch.testing.assert_close(response[k], function.matrix(q, key) @ v, rtol=1e-4, atol=1e-5)


def test_respond_in_several_chunks_is_respond_in_one(monkeypatch):
    queries, keys, values = (part.unsqueeze(0) for part in factors("concatenation"))
    function = pairwise("concatenation", WIDTH, False)
    whole = function.respond(queries, keys, values)
    monkeypatch.setattr("models.blocks.pairwise.RESPOND_CHUNK", 3 * M)
    torch.testing.assert_close(function.respond(queries, keys, values), whole)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_only_softmax_rows_claim_to_sum_to_one_and_they_do(name):
    queries, keys, _values = factors(name)
    function = pairwise(name, WIDTH, True)
    sums = function.matrix(queries, keys).sum(-1)
    assert function.sums_to_one == torch.allclose(sums, torch.ones(N))


@pytest.mark.parametrize("name", ["gaussian", "embedded_gaussian"])
def test_softmax_rows_of_huge_products_stay_finite(name):
    queries, keys, _values = factors(name)
    values = row(pairwise(name, WIDTH, False), queries * 1e4, keys, 2).numpy()
    assert np.isfinite(values).all()
    assert values.sum() == pytest.approx(1)


class LargestTensor(TorchDispatchMode):
    """Remember the number of elements of the largest tensor that any operation returns."""

    def __init__(self):
        super().__init__()
        self.elements = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        sizes = [leaf.numel() for leaf in tree_leaves(out) if isinstance(leaf, torch.Tensor)]
        self.elements = max([self.elements, *sizes])
        return out


@pytest.mark.parametrize("needs_grad", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_respond_never_holds_the_affinity_matrix(name, needs_grad):
    positions, width = 4001, 1 if name == "concatenation" else 16
    queries, keys = (torch.randn(1, positions, width) for _ in range(2))
    values = torch.randn(1, positions, 8, requires_grad=needs_grad)
    with LargestTensor() as largest:
        pairwise(name, width, True).respond(queries, keys, values)
    assert largest.elements < positions * positions / 3


def test_the_watch_for_large_tensors_sees_a_matrix():
    with LargestTensor() as largest:
        pairwise("dot_product", 2, False).matrix(torch.ones(101, 2), torch.ones(103, 2))
    assert largest.elements == 101 * 103
