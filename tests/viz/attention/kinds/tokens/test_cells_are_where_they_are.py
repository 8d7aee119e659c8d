"""Windows, shifts, halos, dilation and pooled keys: planted cells are found where layers see them.

The rules of each library are written out here again, in numpy; the program knows none of them.
"""

import numpy as np
import pytest
import torch
from torch import nn

from models.blocks.layout import Grid
from models.zoo.wrapped.network import WrappedNetwork, runs_of
from models.zoo.wrapped.wrap import wrap
from tests.models.zoo.wrapped.networks import CLIPS, PICTURES, clip_network, picture_network
from tests.viz.attention.kinds.tokens.test_heads_are_eager import preprocessing
from viz.attention.kinds.registry import KINDS
from viz.types import Cell


def blocks_of(name):
    if name in CLIPS:
        _make, layout, (frames, side, _) = CLIPS[name]
        model = wrap(clip_network(name), preprocessing(side, frames), layout=layout)
    else:
        frames, side = 1, PICTURES[name][1]
        model = wrap(picture_network(name), preprocessing(side))
    torch.manual_seed(3)
    x = torch.rand(1, 3, frames, side, side)
    with torch.no_grad(), KINDS["heads"].around(model.network, x) as found:
        model.network(x)
    return found


def partitioned(grid, window, shift):
    """Return the cells of every window as Swin cuts them: padded to whole windows, rolled back by
    the shift, in reading order; -1 where there is padding."""
    padded = [-(-size // w) * w for size, w in zip(grid, window, strict=True)]
    numbers = np.full(padded, -1)
    numbers[: grid[0], : grid[1], : grid[2]] = np.arange(np.prod(grid)).reshape(grid)
    numbers = np.roll(numbers, [-s for s in shift], (0, 1, 2))
    counts = [p // w for p, w in zip(padded, window, strict=True)]
    cut = numbers.reshape(counts[0], window[0], counts[1], window[1], counts[2], window[2])
    return cut.transpose(0, 2, 4, 1, 3, 5).reshape(-1, np.prod(window))


def dilated(grid, window):
    """Return the cells of every window of MaxViT's grid attention: window x window cells, each
    as far from the next as the grid allows."""
    numbers = np.arange(np.prod(grid)).reshape(window, grid[1] // window, window, grid[2] // window)
    return numbers.transpose(1, 3, 0, 2).reshape(-1, window * window)


def same_windows(block, expected):
    found = {tuple(cells) for cells in block.key_cell.tolist()}
    assert found == {tuple(cells) for cells in expected.tolist() if max(cells) >= 0}
    for cell, (window, token) in enumerate(block.query_at.tolist()):
        assert block.key_cell[window, token] == cell


SWINS = [
    ("swin", "layers.0.blocks.0.attn", (1, 4, 4), (0, 0, 0)),
    ("swin", "layers.0.blocks.1.attn", (1, 4, 4), (0, 2, 2)),
    ("swin v2", "layers.0.blocks.1.attn", (1, 4, 4), (0, 2, 2)),
    ("torchvision swin", "features.1.0.attn", (1, 7, 7), (0, 0, 0)),
    ("torchvision swin", "features.1.1.attn", (1, 7, 7), (0, 3, 3)),
    ("torchvision swin v2", "features.1.1.attn", (1, 8, 8), (0, 4, 4)),
    ("hf swin", "encoder.layers.0.blocks.1.attention", (1, 4, 4), (0, 2, 2)),
    ("sam", "blocks.0.attn", (1, 4, 4), (0, 0, 0)),
    ("twins", "blocks.0.0.attn", (1, 7, 7), (0, 0, 0)),
    ("torchvision swin 3d", "features.0.0.attn", (2, 4, 4), (0, 0, 0)),
    ("torchvision swin 3d", "features.0.1.attn", (2, 4, 4), (1, 2, 2)),
]


@pytest.mark.parametrize(("name", "label", "window", "shift"), SWINS)
def test_windows_and_shifts(name, label, window, shift):
    block = blocks_of(name)[label]
    grid = tuple(block.query_grid)
    same_windows(block, partitioned(grid, window, shift))


def test_windows_that_are_far_apart():
    blocks = blocks_of("torchvision maxvit")
    block = blocks["blocks.0.layers.0.layers.window_attention.attn_layer.1"]
    same_windows(block, partitioned((1, 16, 16), (1, 4, 4), (0, 0, 0)))
    block = blocks["blocks.0.layers.0.layers.grid_attention.attn_layer.1"]
    same_windows(block, dilated((1, 16, 16), 4))


def test_halos_reach_into_their_neighbours():
    block = blocks_of("halonet")["stages.2.1.self_attn"]
    numbers = np.pad(np.arange(256).reshape(16, 16), 2, constant_values=-1)
    expected = [numbers[y : y + 12, x : x + 12].ravel() for y in (0, 8) for x in (0, 8)]
    assert block.key_cell.tolist() == np.stack(expected).tolist()
    assert block.query_grid == block.key_grid == Grid(1, 16, 16)
    strided = blocks_of("halonet")["stages.3.0.self_attn"]
    assert (strided.query_grid, strided.key_grid) == (Grid(1, 8, 8), Grid(1, 16, 16))


@pytest.mark.parametrize("name", ["pvt v2", "mvit v2", "torchvision mvit", "twins"])
def test_pooled_keys_lie_where_they_were_pooled(name):
    """A change of the pixels at a pooled key's own cell changes that key most."""
    blocks = blocks_of(name)
    label = next(k for k, b in blocks.items() if b.key_grid.cells < b.query_grid.cells)
    grid = blocks[label].key_grid
    side, frames = (CLIPS[name][2][1], CLIPS[name][2][0]) if name in CLIPS else (64, 1)
    layout = "BCTHW" if name in CLIPS else "BCHW"
    module = clip_network(name) if name in CLIPS else picture_network(name)
    model = wrap(module, preprocessing(side, frames), layout=layout)
    x = torch.rand(1, 3, frames, side, side, generator=torch.Generator().manual_seed(3))
    for row, col in ((0, grid.cols - 1), (grid.rows - 1, 0)):
        other = x.clone()
        high, wide = side // grid.rows, side // grid.cols
        other[..., row * high : (row + 1) * high, col * wide : (col + 1) * wide] += 3
        keys = [keys_of(model.network, one, label) for one in (x, other)]
        change = (keys[0] - keys[1]).norm(dim=-1)[: grid.cells].reshape(grid).sum(0)
        assert divmod(int(change.argmax()), grid.cols) == (row, col)


def keys_of(network, x, label):
    with torch.no_grad(), KINDS["heads"].around(network, x) as found:
        network(x)
    block = found[label]
    return block.keys[0].transpose(0, 1).flatten(1)[len(block.key_cell[0]) - block.key_grid.cells :]


TUBELET = 2
"""Frames of a tubelet of every network of clips here."""


@pytest.mark.parametrize("name", CLIPS)
def test_a_tubelet_changes_the_token_of_its_own_moment_row_and_column(name):
    """Convolutions that overlap change the neighbours, too: the middle of the change counts."""
    label, first = next(iter(blocks_of(name).items()))
    grid = first.query_grid
    _make, layout, (frames, side, _) = CLIPS[name]
    assert grid.frames == frames // TUBELET
    model = wrap(clip_network(name), preprocessing(side, frames), layout=layout)
    x = torch.rand(1, 3, frames, side, side, generator=torch.Generator().manual_seed(3))
    high, wide = side // grid.rows, side // grid.cols
    for t, row, col in ((0, 1, grid.cols - 2), (grid.frames - 1, grid.rows - 2, 1)):
        other = x.clone()
        tubelet = other[:, :, t * TUBELET : (t + 1) * TUBELET]
        tubelet[..., row * high : (row + 1) * high, col * wide : (col + 1) * wide] += 3
        change = queries_of(model.network, x, label) - queries_of(model.network, other, label)
        share = change.norm(dim=-1).square().reshape(grid).numpy()
        places = np.stack(np.mgrid[: grid.frames, : grid.rows, : grid.cols])
        middle = (places * share).sum((1, 2, 3)) / share.sum()
        np.testing.assert_allclose(middle, (t, row, col), atol=0.8)


def queries_of(network, x, label):
    """Return the queries of every cell, (Q, H d)."""
    with torch.no_grad(), KINDS["heads"].around(network, x) as found:
        network(x)
    window, token = found[label].query_at.T
    return found[label].queries[window, :, token].flatten(1)


class Planted(nn.Module):
    """Attention whose every patch looks at one chosen cell of an 8 x 8 grid, nowhere else."""

    def __init__(self, cell, prefix=0):
        super().__init__()
        self.patches = nn.Conv2d(3, 4, 8, 8)
        self.cell, self.prefix = cell, prefix

    def forward(self, x):
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([tokens[:, :1].expand(-1, self.prefix, -1), tokens], 1)
        keys = torch.zeros_like(tokens)
        keys[:, self.prefix + self.cell] = 50.0
        queries = torch.ones_like(tokens) + 0 * tokens
        shown = nn.functional.scaled_dot_product_attention(queries[:, None], keys[:, None],
                                                           tokens[:, None])  # fmt: skip
        return shown[:, 0]


@pytest.mark.parametrize("prefix", [0, 1, 5])
@pytest.mark.parametrize("cell", [0, 11, 63])
def test_planted_attention_lights_exactly_the_picked_cell(cell, prefix, monkeypatch):
    monkeypatch.setattr("models.zoo.wrapped.wrap.check_order", lambda *_given: None)
    model = wrap(Planted(cell, prefix), preprocessing(64))
    x = torch.rand(1, 3, 1, 64, 64)
    with torch.no_grad(), KINDS["heads"].around(model.network, x) as found:
        model.network(x)
    (block,) = found.values()
    assert block.prefix == prefix
    row = KINDS["heads"].map(block, Cell(0, 3, 5)).values
    expected = np.zeros(64)
    expected[cell] = 1
    np.testing.assert_allclose(row.ravel(), expected, atol=1e-6)


def test_the_frames_of_a_clip_that_are_seen_apart_have_rows_of_their_own():
    model = wrap(picture_network("swin"), preprocessing(64))
    x = torch.rand(1, 3, 3, 64, 64, generator=torch.Generator().manual_seed(3))
    heads = KINDS["heads"]
    with torch.no_grad():
        with heads.around(model.network, x) as whole:
            model.network(x)
        for t in range(3):
            with heads.around(model.network, x[:, :, t : t + 1]) as single:
                model.network(x[:, :, t : t + 1])
            for label in whole:
                found = heads.map(whole[label], Cell(t, 3, 5)).values
                alone = heads.map(single[label], Cell(0, 3, 5)).values
                assert np.allclose(found[t], alone[0], atol=1e-6)
                assert not found[[k for k in range(3) if k != t]].any()


def test_a_second_run_at_the_same_size_looks_for_nothing_again(monkeypatch):
    model = wrap(picture_network("swin"), preprocessing(64))
    monkeypatch.setattr("models.zoo.wrapped.network.place", None)
    x = torch.rand(1, 3, 1, 64, 64)
    network = model.network
    assert isinstance(network, WrappedNetwork)
    with torch.no_grad(), network.tapped() as calls:
        network(x)
    assert len(network.cells([c[0] for c in runs_of(calls).values()], (1, 64, 64))) == 4
