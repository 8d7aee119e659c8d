"""The example picture: the same bytes every time, and a reference that lies on the bird."""

import subprocess
import sys

import numpy as np
import pytest

from viz.attention.pipeline import capture
from viz.examples import bird

pytestmark = pytest.mark.slow


def test_the_example_is_the_same_in_another_process():
    code = "from viz.examples import bird; print(bird.clip().sha256)"
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert again.stdout.strip() == bird.clip().sha256


def test_the_example_is_a_picture_with_something_in_it():
    clip = bird.clip()
    assert clip.frames.shape == (1, bird.HEIGHT, bird.WIDTH, 3)
    assert clip.frames.dtype == np.uint8
    assert clip.frames.std() > 20
    x, y = bird.HEAD
    head = clip.frames[0, y - 9 : y + 9, x - 9 : x + 9].mean((0, 1))
    corner = clip.frames[0, :60, :60].mean((0, 1))
    assert np.abs(head - corner).max() > 30


def test_the_example_can_be_captured_at_its_reference(nl_model):
    clip = bird.clip()
    found = capture(nl_model, clip)
    row, col = found.geometry.cell_at(*bird.HEAD, found.blocks["res4.4"].query_grid)
    assert (row, col) == (1, 2)
