"""Rows as numbers: the picker's ES modules in a browser against float64 in Python.

Two references are held against them: the formulas of the papers on the factors that arrived
(float16), and the map kinds' own maps, which the browser's may miss by that rounding.
"""

from dataclasses import replace
from math import exp

import numpy as np
import pytest

from models.blocks.layout import Grid
from tests.browser.bare.shot_maps import map_of
from tests.browser.picker.conftest import GRID, HALF, POSITIONS, asked, at
from tests.ui.drawn_scenes import nonlocal_block
from tests.viz.attention.captured import heads_block

EXACT = {"rtol": 2e-6, "atol": 1e-9}
"""For sums of float32 numbers in another order."""


def softmax(values):
    weights = np.exp(values - values.max())
    return weights / weights.sum()


def row_of(query, keys, options):
    """Eqs. 2-5 of Wang et al. 2018 for one query (d,) and keys (M, d), float64."""
    if options["form"] == "sum":
        values = np.maximum(0, query + keys[:, 0])
    else:
        values = keys @ query * options["scale"]
    made = {"softmax": softmax, "count": lambda row: row / len(row), "none": lambda row: row}
    return made[options["normaliser"]](values)


def rows_of(panel, position):
    """The rows of every head at a position, (H, M), of the factors that arrived."""
    options, arrays = panel.panel["options"], panel.arrays
    heads, groups, width = (options[name] for name in ("heads", "groups", "width"))
    queries = arrays["queries"].reshape(-1, heads, width)
    keys = arrays.get("keys", arrays["queries"]).reshape(-1, heads, width)
    own = position * groups // len(queries)
    first, size = own * len(keys) // groups, len(keys) // groups
    rows = np.zeros((heads, len(keys)))
    for head in range(heads):
        part = keys[first : first + size, head]
        rows[head, first : first + size] = row_of(queries[position, head], part, options)
    return rows


def half_error(shot, position, head):
    """How far a dot product of rounded factors may be from the true one, at most (M,)."""
    block = shot.block
    group, inside = divmod(position, block.query_grid.cells // block.groups)
    queries, keys = (part.abs().double().numpy() for part in block.factors(group, head))
    query = queries[inside]
    off_query = HALF * query + 2.0**-25 * block.queries.abs().max().item()
    off_keys = HALF * keys + 2.0**-25 * block.keys.abs().max().item()
    if block.pairwise.name == "concatenation":
        return off_query + off_keys[:, 0]
    return (off_keys @ (query + off_query) + keys @ off_query) * block.pairwise.scale


@pytest.mark.parametrize("name", ["gaussian", "embedded_gaussian", "dot_product", "concatenation"])
@pytest.mark.parametrize(
    ("keys", "groups"), [(None, 1), (Grid(3, 2, 3), 1), (None, 3), (Grid(3, 2, 3), 3)],
    ids=["all", "pooled keys", "groups", "groups of pooled keys"],
)  # fmt: skip
def test_rows_are_those_of_the_pairwise_functions(modules, name, keys, groups):
    panel, shot = asked(modules, nonlocal_block(name, GRID, keys, groups))
    for position, found in zip(POSITIONS, panel.maps(POSITIONS), strict=True):
        made = found["maps"][""]
        assert (made["label"], made["tag"], found["chosen"]) == ("NL row", "", [])
        values = np.array(made["values"])
        np.testing.assert_allclose(values, rows_of(panel, position)[0], **EXACT)
        exact = map_of(at(shot, position)).values.ravel()
        assert ((values == 0) >= (exact == 0)).all(), "what is outside its group is 0"
        off = half_error(shot, position, 0)
        if shot.block.pairwise.sums_to_one:
            assert values.sum() == pytest.approx(1, abs=1e-6)
            bound = (exp(2 * off.max()) - 1) * exact + 1e-7
        else:
            bound = off.max() / len(off) + 1e-7
        assert (np.abs(values - exact) <= bound).all()


def test_a_softmax_of_large_numbers_does_not_overflow(modules):
    block = nonlocal_block("gaussian", GRID)
    panel, _ = asked(modules, replace(block, queries=300 * block.queries))
    for position, found in zip(POSITIONS, panel.maps(POSITIONS), strict=True):
        values = found["maps"][""]["values"]
        np.testing.assert_allclose(values, rows_of(panel, position)[0], rtol=0.01, atol=1e-6)
        assert max(values) > 0.5


@pytest.mark.parametrize("name", ["embedded_gaussian", "dot_product", "concatenation"])
@pytest.mark.parametrize("groups", [1, 3])
def test_heads_have_rows_of_their_own_and_mean_and_maximum_are_taken_over_them(
    modules, name, groups
):
    panel, shot = asked(modules, nonlocal_block(name, GRID, groups=groups, heads=3))
    assert panel.panel["names"] == ["head 0", "head 1", "head 2", "mean", "maximum"]
    for position, found in zip(POSITIONS, panel.maps(POSITIONS), strict=True):
        maps, rows = found["maps"], rows_of(panel, position)
        wanted = [*rows, rows.mean(0), rows.max(0)]
        tags = ["h0", "h1", "h2", "mean", "maximum"]
        for choice, tag, row in zip(panel.panel["names"], tags, wanted, strict=True):
            assert (maps[choice]["label"], maps[choice]["tag"]) == (choice, tag)
            np.testing.assert_allclose(maps[choice]["values"], row, **EXACT)
            exact = map_of(at(shot, position), choice).values.ravel()
            np.testing.assert_allclose(maps[choice]["values"], exact, rtol=0.03, atol=2e-4)


def token_rows(panel, position):
    """The rows of every head of a layer of tokens, (H, M), of the factors that arrived."""
    options, arrays = panel.panel["options"], panel.arrays
    heads, width, keys = (options[name] for name in ("heads", "width", "keyTokens"))
    window = int(arrays["window"][position])
    own = arrays["keys"].reshape(-1, keys, heads, width)[window]
    query = arrays["queries"].reshape(-1, heads, width)[position]
    cell = arrays["keyCell"].reshape(-1, keys)[window].astype(int)
    rows = np.zeros((heads, GRID.cells))
    for head in range(heads):
        logits = own[:, head] @ query[head] * options["scale"]
        if "added" in arrays:
            table = int(arrays["addedOf"][window * heads + head])
            tables = arrays["added"].reshape(-1, options["queryTokens"], keys)
            logits = logits + tables[table, int(arrays["token"][position])]
        np.add.at(rows[head], cell[cell >= 0], softmax(logits)[cell >= 0])
    return rows


@pytest.mark.parametrize(
    "how", [{}, {"windows": 3}, {"added": True}, {"windows": 3, "added": True}], ids=str
)
def test_heads_over_tokens_leave_out_what_has_no_cell(modules, how):
    panel, shot = asked(modules, heads_block(GRID, **how))
    assert panel.panel["names"] == ["head 0", "head 1", "head 2", "mean", "maximum"]
    for position, found in zip(POSITIONS, panel.maps(POSITIONS), strict=True):
        rows = token_rows(panel, position)
        wanted = [*rows, rows.mean(0), rows.max(0)]
        for choice, row in zip(panel.panel["names"], wanted, strict=True):
            values = found["maps"][choice]["values"]
            np.testing.assert_allclose(values, row, rtol=2e-5, atol=1e-8)
            exact = map_of(at(shot, position), choice).values.ravel()
            np.testing.assert_allclose(values, exact, rtol=0.03, atol=2e-4)


def test_cosines_are_products_of_unit_vectors(modules):
    panel, shot = asked(modules, nonlocal_block(grid=GRID), kind="features")
    x = shot.block.block_input[0].double().flatten(1).T.numpy()
    units = x / np.linalg.norm(x, axis=1, keepdims=True)
    for position, found in zip(POSITIONS, panel.maps(POSITIONS), strict=True):
        made = found["maps"][""]
        assert (made["label"], made["tag"]) == ("cosine", "")
        np.testing.assert_allclose(made["values"], rows_of(panel, position)[0], **EXACT)
        np.testing.assert_allclose(made["values"], units @ units[position], atol=4 * HALF)
        assert made["values"][position] == pytest.approx(1, abs=4 * HALF)
