"""The N x N affinity as a panel: blocks' means against those of the full matrix, chunk by chunk."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from errors import InputError
from models.blocks.layout import Grid
from models.blocks.pairwise import pairwise
from tests.viz.drawn_figures import footage, nl, photo, pinned, recipe_of
from viz.attention.kinds import affinity
from viz.figure.panels import matrix as matrix_panels
from viz.figure.panels import presets
from viz.figure.panels.matrix import matrix
from viz.figure.panels.panel_rows import Matrix
from viz.rendering.look import Look


def block_means(full: np.ndarray, high: int, wide: int) -> np.ndarray:
    """Return the mean of every block of a matrix, each cut out on its own."""
    rows, cols = range(0, full.shape[0], high), range(0, full.shape[1], wide)
    full = full.astype(np.float64)
    return np.array([[full[r : r + high, c : c + wide].mean() for c in cols] for r in rows])


FUNCTIONS = ("gaussian", "embedded_gaussian", "dot_product", "concatenation")


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("groups", [1, 2, 3])
@pytest.mark.parametrize("most", [1, 7, 50, 999])
def test_entries_are_means_of_blocks_of_the_full_matrix(name, groups, most):
    block = nl(Grid(6, 5, 7), Grid(6, 2, 3), name=name, groups=groups)
    found = matrix(block, most=most)
    assert found.block == (-(-210 // most), -(-36 // most))
    assert (found.size, found.frames) == ((210, 36), (6, 6))
    expected = block_means(affinity.matrix(block), *found.block)
    assert max(found.values.shape) <= most
    np.testing.assert_allclose(found.values, expected, rtol=1e-5, atol=1e-7)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 4), st.integers(1, 9), st.integers(1, 5), st.integers(1, 6), st.integers(1, 11),
    st.integers(1, 40), st.integers(1, 400),
)  # fmt: skip
def test_chunks_of_any_size_give_the_same_means(t, rows, cols, high, wide, most, chunk):
    block = nl(Grid(t, rows, cols), Grid(t, high, wide), groups=t)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matrix_panels, "_CHUNK", chunk)
        found = matrix(block, most=most)
    expected = block_means(affinity.matrix(block), *found.block)
    np.testing.assert_allclose(found.values, expected, rtol=1e-5, atol=1e-7)


class Watched:
    """A pairwise function that keeps the size of what it is asked for."""

    def __init__(self):
        self.inner, self.sizes = pairwise("dot_product", 11, True), []

    def matrix(self, queries, keys):
        self.sizes.append(len(queries) * len(keys))
        return self.inner.matrix(queries, keys)


def test_of_a_large_block_the_whole_matrix_is_never_made():
    watched = Watched()
    block = nl(Grid(8, 28, 28))
    object.__setattr__(block, "pairwise", watched)
    found = matrix(block)
    entries = block.query_grid.cells
    assert entries == 6272
    assert sum(watched.sizes) == entries**2
    assert max(watched.sizes) <= matrix_panels._CHUNK < entries**2 / 9
    assert found.values.shape == (784, 784)
    assert found.block == (8, 8)
    first = block.queries[:8].double() @ block.keys[:8].double().T * (11**-0.5 / entries)
    assert found.values[0, 0] == pytest.approx(first.mean().item(), rel=1e-4)


def test_a_panel_says_what_stands_where():
    (row,) = presets.panel_rows(
        recipe_of("matrix", pinned(label="A bird"), log_scale=True), photo()
    ).rows
    (panel,) = row.panels  # a CGNL block has no such matrix
    assert (panel.head, row.label) == ("NL", "A bird")
    assert panel.label == "query i of 35 (down), key j of 35 (across); log scale"
    np.testing.assert_allclose(
        panel.content.values, affinity.matrix(photo().blocks["photo", "nl"]), rtol=1e-5
    )
    assert (row.low, row.high) == panel.span == panel.content.span
    assert row.has_heat


def test_blocks_are_told_where_there_are_some(monkeypatch):
    monkeypatch.setattr(matrix_panels, "matrix", lambda b, log: matrix(b, log, most=10))
    (row,) = presets.panel_rows(recipe_of("matrix", pinned()), photo()).rows
    assert row.panels[0].label.endswith("each entry the mean of 4 x 4")


def test_a_matrix_needs_no_reference():
    with_one = presets.panel_rows(recipe_of("matrix", pinned("clip", frames=7)), footage())
    without = presets.panel_rows(recipe_of("matrix", pinned("clip", at=None, frames=7)), footage())
    one, other = (found.rows[0].panels[0].content for found in (with_one, without))
    np.testing.assert_array_equal(one.values, other.values)
    assert one.frames == (7, 7)


def test_references_without_an_nl_block_are_left_out_or_refused(one_line):
    mixed = recipe_of("matrix", pinned(networks=("cgnl",)), pinned(label="second"))
    assert [row.label for row in presets.panel_rows(mixed, photo()).rows] == ["second"]
    with pytest.raises(InputError, match="Choose an NL network") as caught:
        presets.panel_rows(recipe_of("matrix", pinned(networks=("cgnl",))), photo())
    one_line(caught.value)


def test_several_blocks_share_no_ends_unless_they_agree():
    sources = photo(other=nl(seed=3))
    recipe = recipe_of("matrix", pinned(networks=("nl", "other")))
    (row,) = presets.panel_rows(recipe, sources).rows
    first, second = row.panels
    assert (row.low, row.high) == (None, None)
    assert first.span == first.content.span != second.span == second.content.span


def test_a_log_scale_shows_six_decades_at_most():
    values = np.array([[1e-9, 1e-3], [0.1, 1.0]], np.float32)
    assert Matrix(values, (1, 1), (2, 2), (1, 1), True).span == pytest.approx((1e-6, 1.0))
    assert Matrix(values[:, 1:], (1, 1), (2, 1), (1, 1), True).span == pytest.approx((1e-3, 1.0))
    negative = Matrix(-values, (1, 1), (2, 2), (1, 1), True)
    assert negative.span == pytest.approx((-1.0, -1e-9))
    assert Matrix(values, (1, 1), (2, 2), (1, 1)).span == pytest.approx((1e-9, 1.0))


def test_an_even_matrix_is_even():
    block = nl()
    block.queries.zero_()
    found = matrix(block, most=4)
    np.testing.assert_allclose(found.values, 1 / 35, rtol=1e-6)
    assert torch.equal(block.queries, torch.zeros(35, 11))


def test_a_matrix_is_shown_whole_whatever_threshold_and_range_the_look_has():
    look = Look(threshold=0.7, normalise="fixed", fixed_range=(0.0, 0.5), colormap="cividis")
    panel_rows = presets.panel_rows(recipe_of("matrix", pinned(), look=look), photo())
    assert (panel_rows.look.threshold, panel_rows.look.normalise) == (0.0, "clip")
    assert panel_rows.look.colormap == "cividis"
