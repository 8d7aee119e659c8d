"""The features of a layer as colours: their first three principal components, no reference."""

import numpy as np
import torch

from errors import InputError
from models.devices import precise
from viz.attention.captures import BlockCapture

COMPONENTS = 3


def feature_colours(block: BlockCapture) -> np.ndarray:
    """Return the first three principal components of what a block is given, as RGB (T, h, w, 3)
    float32, each from 0 (lowest) to 1 (highest).

    The sign of a component is that which makes its largest entry positive, so that the same
    features have the same colours. InputError where the input is not kept.
    """
    if block.block_input is None:
        raise InputError(
            f"What {block.label} was given does not fit its grid and is not kept; choose another "
            "block."
        )
    x = precise(block.block_input[0])
    features = x.flatten(1).T  # (N, C)
    centred = features - features.mean(0)
    _, _, axes = torch.linalg.svd(centred, full_matrices=False)
    axes = axes[:COMPONENTS]
    top = axes.abs().argmax(1, keepdim=True)
    parts = centred @ (axes * axes.gather(1, top).sign()).T
    low, high = parts.amin(0), parts.amax(0)
    scaled = torch.where(high > low, (parts - low) / (high - low).clamp_min(1e-30), 0.5)
    if scaled.shape[1] < COMPONENTS:
        scaled = torch.nn.functional.pad(scaled, (0, COMPONENTS - scaled.shape[1]), value=0.5)
    return scaled.reshape(*x.shape[1:], COMPONENTS).float().cpu().numpy()
