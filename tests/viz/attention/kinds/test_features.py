"""Feature similarity against torch's own cosine of what the block was given."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import viz
from errors import InputError, OutsideError
from models.blocks.layout import Grid
from models.specs.block import CGNLSpec, NonLocalSpec
from tests.viz.attention.captured import captured, cells, clip_of_frames, nl_block
from viz.attention import queries
from viz.attention.choice import MapChoice, Selection
from viz.attention.kinds.features import FeatureSimilarity
from viz.attention.kinds.registry import as_kind
from viz.attention.query_dependence import query_dependence
from viz.types import Cell

KIND = FeatureSimilarity()
GRID, KEYS = Grid(2, 3, 5), Grid(2, 1, 7)
SPECS = {
    "nl": NonLocalSpec(),
    "nl pooled": NonLocalSpec(pool_keys="after"),
    "nl pooled before": NonLocalSpec(function="dot_product", pool_keys="before"),
    "cgnl": CGNLSpec(groups=8),
}


def of(block):
    """Return a drawn block as its features."""
    return as_kind(captured(block), block, "features")


def drawn():
    return of(nl_block("embedded_gaussian", GRID, KEYS))


def cosines(x):
    """(1, C, T, H, W) -> (N, N), by torch's own function."""
    flat = x[0].flatten(1).T.double()
    return F.cosine_similarity(flat[:, None], flat[None], dim=-1).numpy()


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_map_is_torchs_cosine_of_what_the_block_was_given(tiny_model, tiny_clip, spec):
    model = tiny_model(spec)
    given = []
    block = model.network.block_at(model.network.places[0])
    handle = block.register_forward_pre_hook(lambda _module, args: given.append(args[0]))
    found = viz.capture(model, clip_of_frames(tiny_clip, 3), size=96)
    handle.remove()
    block = queries.block_of(found, kind="features")
    expected = cosines(given[0])
    grid = Grid(*given[0].shape[2:])
    assert grid == (3, 4, 6)
    assert block.query_grid == block.key_grid == grid
    assert np.ptp(expected) > 0.1
    for i, cell in enumerate(cells(grid)):
        values = KIND.map(block, cell).values
        assert values.shape == grid
        assert values.dtype == np.float32
        np.testing.assert_allclose(values.ravel(), expected[i], rtol=1e-4, atol=1e-5)


def test_a_block_with_pooled_keys_is_compared_on_the_grid_of_its_queries():
    block = drawn()
    assert block.query_grid == block.key_grid == GRID
    assert KIND.map(block, Cell(1, 2, 4)).values.shape == GRID


def test_a_map_says_what_it_is():
    block, cell = drawn(), Cell(1, 0, 3)
    found = KIND.map(block, cell)
    assert (found.label, found.part, found.number) == ("cosine", "", None)
    assert found.meaning == "cosine, -1 to 1"
    assert (found.query.block, found.query.cell) == ("res4.4", cell)
    assert found.values[1, 0, 3] == pytest.approx(1)
    assert KIND.is_single(block)
    assert KIND.resolved(block, cell, Selection(), MapChoice("head", 3)) is None
    assert "res4.4" in KIND.sentence(block)
    assert "Vert" in KIND.formula(block)


def test_a_position_without_features_is_like_no_other():
    block = nl_block("gaussian", GRID, KEYS)
    block.block_input[0, :, 1, 2, 3] = 0
    values = KIND.map(of(block), Cell(0, 1, 1)).values
    assert values[1, 2, 3] == 0
    assert not KIND.map(of(block), Cell(1, 2, 3)).values.any()


def test_the_size_of_features_does_not_matter():
    block = nl_block("gaussian", GRID, KEYS)
    larger = replace(block, block_input=7 * block.block_input)
    for cell in cells(GRID)[::11]:
        one, other = KIND.map(of(block), cell), KIND.map(of(larger), cell)
        np.testing.assert_allclose(one.values, other.values, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("step", [1, 7, 30])
def test_matrix_rows_are_the_cosines_in_any_chunks(step):
    block = drawn()
    chunks = [KIND.matrix_rows(block, k, min(k + step, 30)) for k in range(0, 30, step)]
    expected = cosines(block.block_input)
    np.testing.assert_allclose(torch.cat(chunks), expected, rtol=1e-4, atol=1e-5)
    assert KIND.has_matrix


def test_query_dependence_is_one_minus_the_mean_correlation_of_its_rows():
    block = nl_block("gaussian", Grid(1, 7, 11), KEYS)
    block.block_input.add_(1)
    used = np.unique(np.rint(np.linspace(0, 76, 64)).astype(int))
    table = np.corrcoef(cosines(block.block_input)[used])
    pairs = table[~np.eye(len(used), dtype=bool)]
    assert query_dependence(of(block)) == pytest.approx(1 - pairs.mean(), abs=1e-3)
    assert KIND.sample(of(block), 5).shape == (1, 5, 77)


def test_the_browser_gets_the_vectors_once():
    block = drawn()
    found = KIND.browser(block, Selection())
    assert found.arithmetic == "rows"
    assert dict(found.halves) == {"queries": block.features}
    assert json.loads(json.dumps(found.options)) == {
        "width": 13, "heads": 1, "groups": 1, "form": "product", "scale": 1.0,
        "normaliser": "none", "label": "cosine",
    }  # fmt: skip


def test_features_are_made_once_and_kept_with_the_capture(nl_model, tiny_clip):
    capture = viz.capture(nl_model, tiny_clip)
    runs, before = [], capture.nbytes
    nl_model.network.conv1.register_forward_hook(lambda *_args: runs.append(1))
    first = queries.block_of(capture, kind="features")
    assert queries.block_of(capture, "res4.4", "features") is first
    assert capture.nbytes == before + first.features.nbytes
    row = viz.row(capture, at=(30, 30), kind="features")
    assert row.label == "cosine"
    assert runs == []


@pytest.mark.parametrize("cell", [Cell(2, 0, 0), Cell(0, 3, 0), Cell(0, 0, -1)])
def test_a_cell_outside_is_refused(cell, one_line):
    with pytest.raises(OutsideError, match="rows 0 to 2, columns 0 to 4") as caught:
        KIND.map(drawn(), cell)
    one_line(caught.value)


def test_a_reference_has_one_cosine_and_not_several(nl_model, tiny_clip, one_line):
    capture = viz.capture(nl_model, tiny_clip)
    words = r"^Block res4.4 \(Cosine\) has one map for a reference; use row"
    with pytest.raises(InputError, match=words) as caught:
        viz.maps(capture, at=(30, 30), kind="features")
    one_line(caught.value)
