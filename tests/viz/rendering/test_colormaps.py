"""Colour maps on offer: one table for screen and files."""

from typing import get_args

import matplotlib
import numpy as np
import pytest

from errors import OutsideError
from viz.rendering import colormaps
from viz.rendering.colormaps import COLORMAPS, Colormap, colour_table


@pytest.mark.parametrize("name", COLORMAPS)
def test_every_colour_map_on_offer_is_a_table_of_256_colours(name):
    table = colour_table(name)
    assert table.shape == (256, 3)
    assert table.dtype == np.uint8
    expected = np.asarray(matplotlib.colormaps[name](np.linspace(0, 1, 256)))[:, :3] * 255
    np.testing.assert_allclose(table, expected, atol=1)


def test_the_type_and_the_titles_list_the_same_maps():
    assert get_args(Colormap) == tuple(COLORMAPS)
    assert len(set(COLORMAPS.values())) == len(COLORMAPS)


def test_a_table_is_the_callers_own():
    colormaps.colour_table("inferno")[:] = 0
    assert colormaps.colour_table("inferno").any()


def test_an_unknown_colour_map_is_refused(one_line):
    with pytest.raises(OutsideError, match=r"is not a colour map; use one of inferno") as caught:
        colour_table("rainbow\n<b>")
    one_line(caught.value)
