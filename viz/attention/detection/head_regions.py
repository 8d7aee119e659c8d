"""What a block in a detector's head saw of one object: cells that lie in the object's box.

A block in the key point head (Wang et al. 2018, sec. 6.2) attends inside one region of interest at
a time; its capture has the regions one after the other, those of frame 0 first.
"""

from dataclasses import replace

import torch

from errors import InputError, OutsideError
from models.specs.detection import HeadPlace
from viz.attention.captures import BlockCapture, Capture
from viz.attention.kinds.affinity import NonLocalCapture
from viz.geometry import Geometry

_LEAST_PIXELS = 1.0
"""A region is at least so wide and high, as it is pooled."""


def is_of_head(block: BlockCapture) -> bool:
    """Tell whether a block stands in a head, and so sees one object at a time."""
    return isinstance(block.place, HeadPlace) and isinstance(block, NonLocalCapture)


def region(capture: Capture, block: NonLocalCapture, number: int, frame: int = 0) -> BlockCapture:
    """Return a head's block as it saw object ``number`` of a frame: one moment, in its box.

    OutsideError where there is no such object.
    """
    frame = min(frame, len(capture.detections) - 1)
    here = capture.detections[frame]
    if not 0 <= number < len(here):
        raise OutsideError(
            f"{number} is not an object of this picture; it has objects 0 to {len(here) - 1}."
        )
    order = here.scores.argsort(descending=True, stable=True)
    within = int(order[number])
    at = sum(len(one) for one in capture.detections[:frame]) + within
    of_frame = f" of frame {frame}" if len(capture.detections) > 1 else ""
    queries, keys = block.factors(at)
    return replace(
        block,
        queries=queries,
        keys=keys,
        query_grid=block.query_grid._replace(frames=1),
        key_grid=block.key_grid._replace(frames=1),
        block_input=block.block_input[:, :, at : at + 1],
        groups=1,
        geometry=_boxed(capture.geometry, here.boxes[within]),
        name=f"{block.place.label}, object {number}{of_frame}",
    )


def _boxed(whole: Geometry, box: torch.Tensor) -> Geometry:
    """Return the geometry of the part of the input that lies in a box x1, y1, x2, y2."""
    left, top, right, bottom = box.tolist()
    return replace(
        whole,
        crop_left=whole.crop_left + left,
        crop_top=whole.crop_top + top,
        input_width=max(right - left, _LEAST_PIXELS),
        input_height=max(bottom - top, _LEAST_PIXELS),
    )


def nothing_found(label: str) -> InputError:
    """Return what is said where a head's block is asked for and the detector found nothing."""
    return InputError(
        f"Block {label} sees one object at a time, and nothing was found in this picture; choose a "
        "block of the trunk, or another picture."
    )
