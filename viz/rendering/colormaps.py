"""Colour maps on offer: one definition for screen and files."""

from functools import cache
from typing import Literal, get_args

import numpy as np

from errors import OutsideError

Colormap = Literal["inferno", "viridis", "magma", "cividis", "gray", "jet"]
COLORMAPS: dict[str, str] = {
    "inferno": "Inferno (perceptually uniform)",
    "viridis": "Viridis (perceptually uniform)",
    "magma": "Magma (perceptually uniform)",
    "cividis": "Cividis (colour-blind safe)",
    "gray": "Greys (for print)",
    "jet": "Jet (as in the papers)",
}
"""matplotlib's name -> what it is called here."""


def colour_table(name: str) -> np.ndarray:
    """Return the colour map as (256, 3) uint8, which is the caller's own."""
    if name not in get_args(Colormap):
        raise OutsideError(
            f"{name!r} is not a colour map; use one of {', '.join(get_args(Colormap))}."
        )
    return _made(name).copy()


@cache
def _made(name: str) -> np.ndarray:
    import matplotlib  # what only reads recipes needs the names alone

    return matplotlib.colormaps[name](np.arange(256), bytes=True)[:, :3]
