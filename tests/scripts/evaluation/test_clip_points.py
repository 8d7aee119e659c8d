"""Points in clips: what counts as found, and what staying in place would find."""

import numpy as np
import torch

from models.blocks.layout import Grid
from models.build import build
from models.specs.block import NonLocalSpec
from models.specs.network import LiteSpec
from scripts.evaluation import evaluate_clip_points as points

GRID = Grid(3, 4, 5)


def test_a_frame_counts_when_the_highest_cell_is_near_the_truth():
    track = [(0.1, 0.1), (0.5, 0.9), (0.9, 0.9)]  # cells (0, 0), (3, 2), (3, 4)
    values = torch.zeros(GRID.frames, GRID.rows, GRID.cols)
    values[1, 2, 3] = 1  # a neighbour of (3, 2)
    values[2, 0, 0] = 1
    assert points.found_in_frames(values.flatten(), GRID, track, 0) == [(True, True), (False, True)]


def test_hidden_frames_and_the_references_own_are_left_out():
    track = [None, (0.5, 0.5), (0.55, 0.55)]
    values = torch.zeros(GRID.cells)
    assert points.found_in_frames(values, GRID, track, 1) == [(False, False)]


def test_kicks_are_rendered_and_measured():
    torch.manual_seed(1)
    block = NonLocalSpec("dot_product", scale=False)
    network = build(LiteSpec("lite0", block, "1", num_classes=7))
    photo = np.random.default_rng(1).integers(0, 256, (120, 120, 3), dtype=np.uint8)
    found = points.report_kicks(network, [photo], 1, 64)
    assert set(found) == {"map", "cosine of the input"}
    assert all(0 <= share <= 1 for share in found["map"])
