"""Two pictures: rows over both, against slow loops and a pass over both; what stands in."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import viz
from errors import InputError
from models.blocks.layout import Grid
from models.specs.block import CGNLSpec
from tests.viz.attention.captured import (
    FUNCTIONS,
    cells,
    cgnl_block,
    heads_block,
    nl_block,
    slow_row,
)
from viz.attention import matches, queries
from viz.attention.choice import MapChoice
from viz.attention.kinds.features import FeatureCapture
from viz.attention.kinds.registry import as_kind, kind_of
from viz.types import AttentionMap, Cell, Clip, Query

A, B = Grid(1, 5, 7), Grid(1, 3, 11)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_nl_row_over_both_pictures_has_one_normaliser(name):
    of_a, of_b = nl_block(name, A, A), nl_block(name, B, B)
    first, second = kind_of(of_a).joined(of_a, of_b)
    both = torch.cat([of_a.keys, of_b.keys])
    for cell in list(cells(A))[::9]:
        query = of_a.queries[cell.position(A)]
        expected = slow_row(name, query, both, of_a.pairwise.scale)
        here, there = (kind_of(one).map(one, cell) for one in (first, second))
        assert (here.values.shape, there.values.shape) == (A, B)
        found = np.concatenate([here.values.ravel(), there.values.ravel()])
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_it_is_the_row_of_a_pass_over_both(nl_model, tiny_clip):
    other = np.roll(tiny_clip.frames, 11, 2)
    both = Clip(np.concatenate([tiny_clip.frames, other]), (0.0, 1.0), "both", "2" * 64)
    a, b, whole = (
        viz.capture(nl_model, one) for one in (tiny_clip, Clip(other, (0.0,), "b", "3" * 64), both)
    )
    of_a, of_b = (queries.block_of(one) for one in (a, b))
    first, second = matches.joined(a, of_a, b, of_b)
    cell = Cell(0, 1, 2)
    made = np.concatenate([kind_of(one).map(one, cell).values for one in (first, second)])
    expected = kind_of(of_a).map(queries.block_of(whole), cell).values
    np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-6)


def test_a_head_over_both_pictures_sees_the_tokens_of_both():
    of_a, of_b = heads_block(A), heads_block(B)
    pair = kind_of(of_a).joined(of_a, of_b)
    keys = torch.cat([of_a.keys, of_b.keys], 2)[0].double()
    for cell in list(cells(A))[::11]:
        token = of_a.prefix + cell.position(A)
        for head in range(of_a.heads):
            logits = of_a.scale * keys[head] @ of_a.queries[0, head, token].double()
            expected = logits.softmax(0)
            own, others = expected[: of_a.prefix + A.cells], expected[of_a.prefix + A.cells :]
            for one, part in zip(pair, (own, others), strict=True):
                found = kind_of(one).map(one, cell, MapChoice("head", head)).values
                np.testing.assert_allclose(found.ravel(), part[of_a.prefix :], atol=1e-6)


NO_JOINT = {
    "heads in windows": (heads_block(Grid(1, 4, 6), windows=2), heads_block(Grid(1, 4, 6))),
    "heads with a bias": (heads_block(A, added=True), heads_block(B, added=True)),
    "heads of another width": (heads_block(A), heads_block(B, width=5)),
    "NL of another width": (nl_block("gaussian", A, A), nl_block("gaussian", B, B, width=5)),
    "NL in groups": (
        nl_block("gaussian", Grid(2, 3, 3), Grid(2, 3, 3), groups=2), nl_block("gaussian", A, A),
    ),
    "CGNL": (cgnl_block(CGNLSpec(groups=2), A), cgnl_block(CGNLSpec(groups=2), B)),
}  # fmt: skip


def capture_of(block):
    from viz.attention.captures import Capture
    from viz.geometry import fit

    return Capture({block.label: block}, torch.zeros(2), fit(67, 53, 70, 1))


@pytest.mark.parametrize("name", NO_JOINT)
def test_the_cosine_of_the_input_stands_in_where_there_is_no_row_over_both(name):
    of_a, of_b = NO_JOINT[name]
    assert kind_of(of_a).joined(of_a, of_b) is None
    a, b = capture_of(of_a), capture_of(of_b)
    first, second = matches.joined(a, of_a, b, of_b)
    assert isinstance(first, FeatureCapture)
    cell = Cell(0, 1, 2)
    found = kind_of(second).map(second, cell).values
    vectors = [as_kind(one, block, "features").features for one, block in ((a, of_a), (b, of_b))]
    expected = vectors[1] @ vectors[0][cell.position(of_a.query_grid)]
    np.testing.assert_allclose(found.ravel(), expected, atol=1e-5)


def test_maps_without_a_reference_are_those_of_each_picture(nl_model, tiny_clip):
    a = viz.capture(nl_model, tiny_clip)
    block = queries.block_of(a, kind="class maps")
    assert matches.joined(a, block, a, block) == (block, block)


def test_what_has_no_map_into_another_picture_says_so(one_line):
    of_a, of_b = (replace(one, block_input=None) for one in NO_JOINT["heads with a bias"])
    with pytest.raises(InputError, match="no map from one picture into another") as caught:
        matches.joined(capture_of(of_a), of_a, capture_of(of_b), of_b)
    one_line(caught.value)


def test_the_best_matches_are_different_places():
    values = np.zeros((1, 5, 7), np.float32)
    values[0, 1, 1], values[0, 1, 2], values[0, 4, 6], values[0, 0, 4] = 9, 8, 7, np.nan
    found = matches.best(AttentionMap(values, Query("x", Cell(0, 0, 0)), "cosine, -1 to 1"), 2)
    assert found == [(Cell(0, 1, 1), 9.0), (Cell(0, 4, 6), 7.0)]
