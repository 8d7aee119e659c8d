"""Clip -> ModelInput: resize, crop, scale to [0, 1], normalise as the network was trained."""

import torch
import torch.nn.functional as F

from models.specs.detection import DetectorInput
from models.specs.network import Preprocessing
from viz import geometry
from viz.geometry import Geometry, Mode
from viz.types import Clip, ModelInput

_LUMA = torch.tensor([0.299, 0.587, 0.114])
"""Weights of R, G, B in grey (ITU-R BT.601), as Pillow converts."""


def lay(clip: Clip, prep: Preprocessing, mode: Mode = "fit", size: int | None = None) -> Geometry:
    """Return how the clip lies in the input: whole at ``size`` px, or the protocol's crop.

    A classifier of fixed input size always gets its crop, a detector always the whole picture.
    """
    if isinstance(prep, DetectorInput):
        sides = prep.sides(clip.width, clip.height, size)
        return Geometry(clip.width, clip.height, *sides, 0, 0, *sides)
    size = prep.size if prep.fixed else size or prep.size
    if mode == "fit" and not prep.fixed:
        return geometry.fit(clip.width, clip.height, size, prep.stride)
    return geometry.center_crop(
        clip.width, clip.height, round(prep.resize * size / prep.size), size
    )


def prepare(
    clip: Clip, prep: Preprocessing, mode: Mode = "fit", size: int | None = None
) -> ModelInput:
    """Return the network's input for a clip; ``size`` in pixels replaces the network's own.

    A single picture is held still for the frames that the network was made for.
    """
    plan = lay(clip, prep, mode, size)
    pixels = torch.from_numpy(clip.frames).permute(0, 3, 1, 2).float().div_(255)
    resized = F.interpolate(
        pixels,
        size=(plan.resized_height, plan.resized_width),
        mode=prep.interpolation,
        antialias=True,
        align_corners=False,
    ).clamp_(0, 1)  # bicubic overshoots
    rows = slice(plan.crop_top, plan.crop_top + plan.input_height)
    cols = slice(plan.crop_left, plan.crop_left + plan.input_width)
    colours = resized[:, :, rows, cols]
    if prep.channels == 1:
        colours = (colours * _LUMA.view(1, 3, 1, 1)).sum(1, keepdim=True)
    mean, std = (torch.tensor(v).view(1, -1, 1, 1) for v in (prep.mean, prep.std))
    normalised = colours.sub_(mean).div_(std)
    if len(normalised) == 1:
        normalised = normalised.expand(prep.frames, -1, -1, -1)
    return ModelInput(normalised.transpose(0, 1).unsqueeze(0).contiguous(), plan, len(clip.frames))
