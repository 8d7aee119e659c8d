"""A PNG for a screen holds the pixels as they are."""

import io

import numpy as np
import pytest
from PIL import Image

from viz.rendering.screen_png import screen_png

RNG = np.random.default_rng(1)


@pytest.mark.parametrize("shape", [(1, 1), (37, 53), (3, 700)])
def test_every_pixel_comes_back(shape):
    pixels = RNG.integers(0, 256, (*shape, 3), dtype=np.uint8)
    with Image.open(io.BytesIO(screen_png(pixels))) as opened:
        assert (opened.format, opened.mode) == ("PNG", "RGB")
        np.testing.assert_array_equal(np.asarray(opened), pixels)


def test_a_part_of_a_larger_picture_is_encoded_as_it_lies_there():
    pixels = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    part = pixels[3:17:2, 4:25]
    with Image.open(io.BytesIO(screen_png(part))) as opened:
        np.testing.assert_array_equal(np.asarray(opened), part)
