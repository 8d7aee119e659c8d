"""AttentionMap -> heat in [0, 1]: normalise, upsample the scalar map, threshold."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from viz.rendering.look import Look
from viz.types import AttentionMap

ROUNDING = 5e-6
"""Spread of a map, relative to its largest value, up to which it is float32 noise on a constant."""


@dataclass(frozen=True, eq=False)
class Heat:
    """A normalised map: values (T, h, w) float32 in [0, 1]; ``low`` and ``high`` what 0 and 1
    stand for.

    ``constant`` is set when there is nothing to tell apart: then every value is 0 and the map is
    shown empty with a note.
    """

    values: np.ndarray
    low: float
    high: float
    constant: bool


def normalise(attention: AttentionMap, look: Look) -> Heat:
    """Scale a map to [0, 1]: by the whole row (all frames), per frame, or a fixed range."""
    values = attention.values.astype(np.float64)
    finite = np.isfinite(values)
    if not finite.any():
        return Heat(np.zeros(values.shape, np.float32), 0.0, 0.0, True)
    axes = (1, 2) if look.normalise == "frame" else None
    low = values.min(axes, keepdims=True, where=finite, initial=np.inf)
    high = values.max(axes, keepdims=True, where=finite, initial=-np.inf)
    if look.normalise == "fixed":
        low, high = (np.float64(v) for v in look.fixed_range)
    # An overflowed value is shown as the most there is, one that is not a number as the least.
    held = np.where(np.isnan(values), low, values).clip(low, high)
    flat = ~(high > low)
    if look.normalise != "fixed":
        flat |= high - low <= ROUNDING * np.maximum(np.abs(low), np.abs(high))
    scaled = np.where(flat, 0, (held - low) / np.where(flat, 1, high - low))
    return Heat(
        scaled.astype(np.float32), float(np.min(low)), float(np.max(high)), bool(flat.all())
    )


def upsample(values: np.ndarray, height: int, width: int, interpolation: str) -> np.ndarray:
    """(T, h, w) -> (T, height, width) float32: bilinear, half-pixel centres, or nearest."""
    stacked = torch.from_numpy(np.ascontiguousarray(values)).unsqueeze(1)
    if interpolation == "nearest":
        scaled = F.interpolate(stacked, size=(height, width), mode="nearest-exact")
    else:
        scaled = F.interpolate(stacked, size=(height, width), mode="bilinear", align_corners=False)
    return scaled.squeeze(1).numpy()


def kept(heat: np.ndarray, look: Look) -> np.ndarray:
    """Return where the (upsampled) heat is shown: at or above the threshold."""
    return heat >= np.float32(look.threshold)
