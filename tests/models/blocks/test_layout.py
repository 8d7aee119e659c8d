"""Folding clips into batches: values go where (t, y, x) order says."""

import pytest
import torch
from torch import nn

from models.blocks.layout import (
    Grid,
    as_clip,
    convolved,
    fold_time,
    grid_of,
    positions_first,
    positions_last,
    project_together,
    unfold_time,
)
from tests.pretended_gpu import GPU, PretendedGpu, moved


@pytest.mark.parametrize("frames", [1, 3])
def test_folding_puts_each_frame_of_each_item_on_its_own_and_back(frames):
    x = torch.arange(2 * 5 * frames * 7 * 11.0).reshape(2, 5, frames, 7, 11)
    folded = fold_time(x)
    assert folded.shape == (2 * frames, 5, 7, 11)
    for b in range(2):
        for t in range(frames):
            assert torch.equal(folded[b * frames + t], x[b, :, t])
    assert torch.equal(unfold_time(folded, frames), x)


def test_positions_run_over_frame_then_row_then_column():
    x = torch.randn(2, 5, 3, 7, 11)
    grid = grid_of(x)
    assert grid == Grid(3, 7, 11)
    assert grid.cells == 231
    position = (2 * 7 + 4) * 11 + 6
    assert torch.equal(positions_last(x)[1, :, position], x[1, :, 2, 4, 6])
    assert torch.equal(positions_first(x)[1, position], x[1, :, 2, 4, 6])
    assert torch.equal(as_clip(positions_first(x), grid), x)


def test_layers_applied_together_give_what_each_gives_alone():
    torch.manual_seed(7)
    x = torch.randn(3, 5, 2, 7, 11)
    for bias in (False, True):
        layers = (nn.Conv2d(5, 2, 1, bias=bias), nn.Identity(), nn.Conv2d(5, 3, 1, bias=bias))
        found = project_together(x, layers)
        assert len(found) == 3
        for layer, result in zip(layers, found, strict=True):
            torch.testing.assert_close(result, unfold_time(layer(fold_time(x)), 2))


def test_layers_that_change_nothing_give_the_input_itself():
    x = torch.randn(3, 5, 2, 7, 11)
    assert all(result is x for result in project_together(x, (nn.Identity(), nn.Identity())))


@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last_3d])
def test_a_gpu_convolves_positions_by_products(groups, layout):
    torch.manual_seed(8)
    x = torch.randn(2, 6, 2, 7, 11).to(memory_format=layout)
    layer = nn.Conv2d(6, 9, 1, groups=groups)
    expected = unfold_time(layer(fold_time(x)), 2)
    torch.testing.assert_close(convolved(x, layer), expected)
    with PretendedGpu(), torch.no_grad():
        found = convolved(x.to(GPU), moved(layer)).cpu()
    torch.testing.assert_close(found, expected)
