"""Deletion, insertion, ROAD: against slow references; on a network that looks at one cell."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from models.blocks.layout import Grid
from models.loaded import LoadedModel
from viz.evaluation.answers import faithfulness

GRID = Grid(1, 4, 4)


class Corner(nn.Module):
    """Class 1 is as probable as the first 8 x 8 pixels are bright."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(4.0))

    def forward(self, x):
        bright = x[:, :, :, :8, :8].mean((1, 2, 3, 4)) * self.gain
        return torch.stack([torch.zeros_like(bright), bright], 1)


def subject():
    picture = torch.rand(1, 3, 1, 32, 32, generator=torch.Generator().manual_seed(2))
    picture[..., :8, :8] += 1
    network = Corner()
    return SimpleNamespace(
        model=LoadedModel("corner", None, network, (), ""),
        model_input=SimpleNamespace(tensor=picture),
        capture=SimpleNamespace(logits=network(picture)[0].detach()),
    )


RIGHT = torch.eye(16)[0]
WRONG = torch.eye(16)[15]


@pytest.mark.parametrize("measure", ["insertion", "road"])
def test_the_map_that_knows_the_cell_is_the_better_one(measure):
    function = getattr(faithfulness, measure)
    assert function(subject(), RIGHT, GRID) > function(subject(), WRONG, GRID)


def test_deletion_is_lower_for_the_map_that_knows():
    found = [faithfulness.deletion(subject(), values, GRID) for values in (RIGHT, WRONG)]
    assert found[0] < found[1]


def test_deletion_is_the_area_of_a_slow_loop():
    one = subject()
    order = faithfulness._order(one, RIGHT, GRID)
    picture = one.model_input.tensor
    probabilities = []
    for step in range(11):
        left = picture.clone().flatten(3)
        left[..., order[: round(step * len(order) / 10)]] = 0
        probabilities.append(one.model.network(left.reshape(picture.shape)).softmax(1)[0, 1].item())
    area = np.trapezoid(probabilities) / 10
    assert faithfulness.deletion(one, RIGHT, GRID) == pytest.approx(area, rel=1e-5)


@pytest.mark.parametrize("width", [1.0, 0.0])
def test_pixels_that_only_rounding_tells_apart_are_in_reading_order(width):
    across = torch.linspace(-width, width, 4)
    blob = (-(across[:, None] ** 2) - across**2).exp().flatten()
    rounded = blob * (1 + 1e-7 * torch.randn(16, generator=torch.Generator().manual_seed(1)))
    assert not torch.equal(blob, rounded)
    orders = [faithfulness._order(subject(), values, GRID) for values in (blob, rounded)]
    assert torch.equal(*orders)
    assert len(torch.unique(orders[0])) == 32 * 32


def test_insertion_is_the_area_of_a_slow_loop():
    one = subject()
    order = faithfulness._order(one, RIGHT, GRID)
    picture, smooth = one.model_input.tensor, faithfulness.blurred(one.model_input.tensor)
    probabilities = []
    for step in range(11):
        back = smooth.clone().flatten(3)
        there = order[: round(step * len(order) / 10)]
        back[..., there] = picture.flatten(3)[..., there]
        probabilities.append(one.model.network(back.reshape(picture.shape)).softmax(1)[0, 1].item())
    area = np.trapezoid(probabilities) / 10
    assert faithfulness.insertion(one, RIGHT, GRID) == pytest.approx(area, rel=1e-5)


def test_imputed_pixels_are_the_weighted_means_of_their_neighbours():
    picture = torch.rand(1, 3, 1, 7, 5, generator=torch.Generator().manual_seed(3))
    removed = torch.tensor([0, 6, 7, 17, 34])
    found = faithfulness.imputed(picture, removed)[0, :, 0].numpy()
    for position in removed.tolist():
        y, x = divmod(position, 5)
        total, mean = 0.0, np.zeros(3)
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                if (dy or dx) and 0 <= y + dy < 7 and 0 <= x + dx < 5:
                    weight = 1 / 6 if 0 in (dy, dx) else 1 / 12
                    total += weight
                    mean += weight * found[:, y + dy, x + dx]
        np.testing.assert_allclose(found[:, y, x], mean / total, atol=0.06)  # noise of 0.01
    kept = np.setdiff1d(np.arange(35), removed)
    np.testing.assert_array_equal(found.reshape(3, -1)[:, kept],
                                  picture[0, :, 0].flatten(1)[:, kept].numpy())  # fmt: skip


def test_a_blurred_constant_stays():
    picture = torch.full((1, 3, 1, 13, 17), 0.25)
    torch.testing.assert_close(faithfulness.blurred(picture), picture)
