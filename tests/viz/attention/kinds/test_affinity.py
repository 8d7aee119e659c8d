"""Affinity rows of captured blocks: rows of the matrix, on the key grid, refused outside."""

import json
from dataclasses import replace

import numpy as np
import pytest

from errors import InputError, OutsideError
from models.blocks.layout import Grid
from tests.viz.attention.captured import FUNCTIONS, SOFTMAX, cells, nl_block, slow_row
from viz.attention.choice import MapChoice, Selection
from viz.attention.kinds import affinity
from viz.attention.kinds.affinity import Affinity
from viz.types import Cell

QUERIES, KEYS = Grid(2, 5, 7), Grid(2, 2, 3)
KIND = Affinity()


def block_of(name, queries=QUERIES, keys=KEYS, width=11):
    return nl_block(name, queries, keys, width)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_row_is_the_slow_row_and_that_row_of_the_matrix_on_the_key_grid(name):
    block = block_of(name)
    matrix = affinity.matrix(block)
    assert matrix.shape == (70, 12)
    for i, cell in enumerate(cells(QUERIES)):
        found = KIND.map(block, cell)
        assert found.values.shape == (2, 2, 3)
        assert found.values.dtype == np.float32
        np.testing.assert_allclose(found.values.ravel(), matrix[i], rtol=1e-5, atol=1e-6)
        slow = slow_row(name, block.queries[i], block.keys, block.pairwise.scale)
        np.testing.assert_allclose(found.values.ravel(), slow, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_row_says_what_its_values_mean(name):
    found = KIND.map(block_of(name), Cell(1, 2, 3))
    weights = name in SOFTMAX
    assert found.meaning == ("weights, sum 1" if weights else "response, any sign")
    assert (found.label, found.part, found.number) == ("NL", "", None)
    assert (found.query.block, found.query.cell) == ("res4.4", Cell(1, 2, 3))
    if weights:
        assert found.values.sum() == pytest.approx(1)


def test_a_key_alike_to_the_reference_is_where_the_row_is_highest():
    block = block_of("embedded_gaussian")
    block.keys[7] = 5 * block.queries[Cell(1, 4, 6).position(QUERIES)]
    found = KIND.map(block, Cell(1, 4, 6)).values
    assert np.unravel_index(found.argmax(), found.shape) == (1, 0, 1)


@pytest.mark.parametrize(
    "cell", [Cell(2, 0, 0), Cell(0, 5, 0), Cell(0, 0, 7), Cell(-1, 0, 0), Cell(0, 0, -1)]
)
def test_a_cell_outside_the_grid_is_refused_with_the_range(cell, one_line):
    with pytest.raises(OutsideError, match="frames 0 to 1, rows 0 to 4, columns 0 to 6") as caught:
        KIND.map(block_of("gaussian"), cell)
    one_line(caught.value)


def test_the_matrix_is_refused_above_the_limit_and_states_its_size(one_line):
    block = block_of("dot_product")
    assert affinity.matrix(block, 70 * 12 * 4).nbytes == 70 * 12 * 4
    with pytest.raises(InputError, match="70 x 12") as caught:
        affinity.matrix(block, 70 * 12 * 4 - 1)
    one_line(caught.value)


def grouped(name, groups):
    """Return a block of 6 frames in groups; grids of 6 x 5 x 7 and 6 x 2 x 3."""
    return replace(block_of(name, Grid(6, 5, 7), Grid(6, 2, 3)), groups=groups)


@pytest.mark.parametrize("groups", [2, 3])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_in_groups_a_row_is_that_of_its_group_alone_and_zero_elsewhere(name, groups):
    block = grouped(name, groups)
    matrix = affinity.matrix(block)
    size = 6 // groups
    frames = [slice(k * size, (k + 1) * size) for k in range(groups)]
    for t in range(6):
        cell = Cell(t, 4, 3)
        found = KIND.map(block, cell).values
        own = t // size
        alone = replace(
            block_of(name, Grid(size, 5, 7), Grid(size, 2, 3)),
            queries=block.queries[own * size * 35 : (own + 1) * size * 35],
            keys=block.keys[own * size * 6 : (own + 1) * size * 6],
        )
        expected = KIND.map(alone, Cell(t - own * size, 4, 3)).values
        np.testing.assert_allclose(found[frames[own]], expected, rtol=1e-5, atol=1e-6)
        assert all(not found[frames[k]].any() for k in range(groups) if k != own)
        position = cell.position(block.query_grid)
        np.testing.assert_allclose(found.ravel(), matrix[position], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("text", ["auto", "groups", "contrast", "0,3"])
def test_a_block_without_heads_has_one_map_whatever_is_asked(text):
    block, cell = block_of("gaussian"), Cell(1, 2, 3)
    wanted = Selection.parse(text, ("contrast",))
    assert KIND.is_single(block)
    assert KIND.choices(block, wanted) == ()
    assert KIND.listed(block, cell, wanted) == []
    [only] = KIND.maps(block, cell, wanted)
    assert np.array_equal(only.values, KIND.map(block, cell).values)
    for choice in (None, MapChoice("channel", 3, by_rank=True), MapChoice("union")):
        assert KIND.resolved(block, cell, wanted, choice) is None


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_browser_gets_queries_keys_and_how_a_row_is_made_of_them(name):
    block = block_of(name)
    found = KIND.browser(block, Selection())
    assert found.arithmetic == "rows"
    assert found.halves == {"queries": block.queries, "keys": block.keys}
    options = json.loads(json.dumps(found.options))
    assert options == {
        "width": 1 if name == "concatenation" else 11,
        "heads": 1,
        "groups": 1,
        "form": "sum" if name == "concatenation" else "product",
        "scale": 1.0 if name in ("gaussian", "concatenation") else pytest.approx(11**-0.5),
        "normaliser": "softmax" if name in SOFTMAX else "count",
        "first": 0,
        "label": "NL row",
    }


def test_every_function_has_a_formula_and_words_of_its_own():
    blocks = [block_of(name) for name in FUNCTIONS]
    assert len({KIND.formula(block) for block in blocks}) == 4
    assert all("sum to 1" in KIND.sentence(block) for block in blocks[:3])
    assert "empty" in KIND.sentence(blocks[3])
