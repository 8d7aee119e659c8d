"""Rows of heads are the eager attention of networks of three libraries, within 1e-5; they sum to
1."""

import numpy as np
import pytest
import torch

from models.specs.network import Preprocessing
from models.zoo.wrapped.network import runs_of
from models.zoo.wrapped.wrap import wrap
from tests.models.zoo.wrapped.networks import CLIPS, PICTURES, clip_network, picture_network
from tests.viz.attention.kinds.tokens.eager import Eager
from viz.attention.kinds.registry import KINDS
from viz.attention.kinds.tokens.factors import over_cells, window_weights

pytestmark = pytest.mark.slow

LEFT_OUT: dict[str, int] = {}
"""Networks with layers that are left out, and how many."""


def preprocessing(side, frames=1):
    return Preprocessing(size=side, resize=side, stride=2, frames=frames, fixed=True)


def compared(model, x):
    """Run a network twice; return its blocks and, by label, the cells and eager weights."""
    kind, network = KINDS["heads"], model.network
    with torch.no_grad():
        with network.tapped() as calls:
            network(x)
        labels = list(runs_of(calls))
        with kind.around(network, x) as blocks:
            network(x)
        with Eager() as eager:
            network(x)
    assert len(labels) == len(eager.weights)
    cells = network.cells([], tuple(x.shape[2:]) if x.shape[2] > 1 else (1, *x.shape[3:]))
    return blocks, cells, dict(zip(labels, eager.weights, strict=True))


def check(model, x):
    blocks, cells, eager = compared(model, x)
    assert list(blocks) == [layer.label for layer in model.spec.layers]
    for label, block in blocks.items():
        lead, expected = cells[label].lead, eager[label]
        assert block.heads == lead.shape[1]
        for window, entries in enumerate(lead):
            every = torch.arange(block.queries.shape[2])
            found = window_weights(block, window, every)
            assert torch.allclose(found.double(), expected[entries].double(), rtol=0, atol=1e-5)
        rows, shares = over_cells(block, torch.arange(block.query_grid.cells))
        np.testing.assert_allclose((rows.sum(-1) + shares).numpy(), 1, atol=1e-5)
        assert tuple(block.query_grid) == next(
            layer.query_grid for layer in model.spec.layers if layer.label == label
        )


@pytest.mark.parametrize("name", PICTURES)
def test_rows_of_a_network_of_pictures(name):
    side = PICTURES[name][1]
    model = wrap(picture_network(name), preprocessing(side))
    assert len(model.spec.left_out) == LEFT_OUT.get(name, 0)
    torch.manual_seed(3)
    check(model, torch.rand(1, 3, 1, side, side))


@pytest.mark.parametrize("name", CLIPS)
def test_rows_of_a_network_of_clips(name):
    _make, layout, (frames, side, _) = CLIPS[name]
    model = wrap(clip_network(name), preprocessing(side, frames), layout=layout)
    assert model.spec.left_out == ()
    torch.manual_seed(3)
    check(model, torch.rand(1, 3, frames, side, side))


def test_more_than_twenty_networks_of_three_libraries_are_compared():
    assert len(PICTURES) + len(CLIPS) > 40
