"""How tests draw rows of panels, and read artists back by their gids."""

import numpy as np

from viz.figure.draw import drawing
from viz.figure.page.layout import plan

HEAT = np.linspace(0, 1, 35, dtype=np.float32).reshape(5, 7)


def drawn(panel_rows, dpi=None):
    found = plan(panel_rows)
    return drawing.draw(panel_rows, found, dpi), found


def named(figure, start):
    """Return the artists whose gid begins so, by gid."""
    artists = [a for a in figure.findobj() if (a.get_gid() or "").startswith(start)]
    return {a.get_gid(): a for a in artists}


def box_of(image):
    left, right, bottom, top = image.get_extent()
    return left, top, right, bottom


def rectangle_of(patch):
    x, y = patch.get_xy()
    return x, y, x + patch.get_width(), y + patch.get_height()


def corners(box):
    return box.left, box.top, box.right, box.bottom


def rgb(artist):
    return tuple(round(255 * v) for v in artist.get_edgecolor()[:3])
