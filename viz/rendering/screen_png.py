"""Pixels as a PNG for a screen: encoded sooner than a file's, which is smaller."""

import cv2
import numpy as np

from errors import MachineError

_HOW = (
    # One filter for all rows: trying each on every row takes more time than all the rest.
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP),
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
)


def screen_png(pixels: np.ndarray) -> bytes:
    """Return (H, W, 3) uint8 RGB as the bytes of a PNG, every pixel as it is.

    It holds no resolution and no recipe: files have their own (viz.figure.files.export).
    """
    whole, packed = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), _HOW)
    if not whole:
        raise MachineError("The picture could not be encoded as a PNG; try again.")
    return packed.tobytes()
