"""AttentionMap -> heat in [0, 1]: normalise, upsample the scalar map, threshold."""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F

from viz.rendering.look import Display, Look
from viz.types import AttentionMap

TOWERS = 2.0
"""How many times as high as every other cell the reference's own is where it towers above them."""
NOTHING = 2.0
"""A level that no heat reaches."""
BEYOND = 1e-4
"""How far heat goes beyond 0 and 1 where a share is shown of cells that lie beyond a fixed range:
too little to change a colour, enough to tell which of them are the highest."""
ROUNDING = 5e-6
"""Spread of a map, relative to its largest value, up to which it is float32 noise on a constant."""


@dataclass(frozen=True, eq=False)
class Heat:
    """A normalised map: values (T, h, w) float32 in [0, 1]; ``low`` and ``high`` what 0 and 1
    stand for.

    ``constant`` is set when there is nothing to tell apart: then every value is 0 and the map is
    shown empty with a note. ``levels`` are where each moment is cut, where not at the look's
    threshold: beside them values may lie ``BEYOND`` the ends of a fixed range, in the map's order.
    ``display`` is how it was scaled, which "auto" leaves open.
    """

    values: np.ndarray
    low: float
    high: float
    constant: bool
    levels: tuple[float, ...] = ()
    display: Display = "linear"

    def level(self, moment: int, look: Look) -> float:
        """Return the heat from which a moment is shown."""
        return self.levels[moment] if self.levels else look.threshold


def display_of(attention: AttentionMap, look: Look) -> Display:
    """Return how a map is scaled: the look's display, where the map allows it, else linear."""
    values, own = attention.values, attention.own
    finite = values[np.isfinite(values)]
    if look.display == "log":
        return "log" if finite.size and finite.min() >= 0 and finite.max() > 0 else "linear"
    if look.display == "linear" or own is None or finite.size < 2:
        return "linear"
    return "without-reference" if look.display != "auto" or towers(values, own) else "linear"


def towers(values: np.ndarray, own: tuple[int, int, int]) -> bool:
    """Tell whether the reference's own cell is so high that all others look low beside it."""
    others = values.astype(np.float64)
    here, others[own] = float(values[own]), np.nan
    others = others[np.isfinite(others)]
    if not (np.isfinite(here) and others.size):
        return False
    low = min(float(others.min()), here)
    return here - low >= TOWERS * (float(others.max()) - low) and here > low


def normalise(attention: AttentionMap, look: Look) -> Heat:
    """Scale a map to [0, 1]: by the whole row (all frames), per frame, or a fixed range."""
    display = display_of(attention, look)
    found = _scaled(_displayed(attention, display), look, display)
    if found.constant or look.cut == "value":
        return found
    return replace(found, levels=_levels(found.values, attention, look))


def counted(attention: AttentionMap, look: Look) -> np.ndarray:
    """Return the values that ends of a scale are taken of, (K,) float64: finite ones, without the
    reference's own where it does not count."""
    values = attention.values.astype(np.float64)
    if display_of(attention, look) == "without-reference":
        values[attention.own] = np.nan
    return values[np.isfinite(values)]


def _displayed(attention: AttentionMap, display: Display) -> np.ndarray:
    """Return the values that are scaled, (T, h, w) float64; NaN where none is shown."""
    values = attention.values.astype(np.float64)
    if display == "without-reference":
        values[attention.own] = np.nan
    if display == "log":
        return np.log10(values, out=np.full(values.shape, np.nan), where=values > 0)
    return values


def _scaled(values: np.ndarray, look: Look, display: Display) -> Heat:
    finite = np.isfinite(values)
    if not finite.any():
        return Heat(np.zeros(values.shape, np.float32), 0.0, 0.0, True)
    axes = (1, 2) if look.normalise == "frame" else None
    low = values.min(axes, keepdims=True, where=finite, initial=np.inf)
    high = values.max(axes, keepdims=True, where=finite, initial=-np.inf)
    if look.normalise == "fixed":
        low, high = _ends(look, values[finite], display)
    flat = ~(high > low)
    if look.normalise != "fixed":
        flat |= high - low <= ROUNDING * np.maximum(np.abs(low), np.abs(high))
    with np.errstate(invalid="ignore"):  # moments without a number, which are flat
        shares = (values - low) / np.where(flat, 1, high - low)
    # An overflowed value is shown as the most there is, one that is not a number as the least.
    shares = np.where(np.isnan(shares), -np.inf, shares)
    scaled = np.where(flat, 0, shares.clip(0, 1))
    if look.normalise == "fixed" and look.cut != "value":
        scaled = np.where(flat, 0, scaled + BEYOND * _beyond(shares))
    least, most = float(np.min(low)), float(np.max(high))
    if display == "log":
        least, most = 10.0**least, 10.0**most
    return Heat(scaled.astype(np.float32), least, most, bool(flat.all()), display=display)


def _beyond(shares: np.ndarray) -> np.ndarray:
    """Return how far values lie below 0 or above 1, from -1 to 1, in their order."""
    over = np.minimum(np.abs(shares - shares.clip(0, 1)), 1e300)  # infinite ones, too
    return np.sign(shares) * over / (1 + over)


def _ends(look: Look, finite: np.ndarray, display: Display) -> tuple[np.float64, np.float64]:
    """Return the ends of a fixed range as they are compared with values; the logarithm of what is
    not positive is that of the least value."""
    ends = look.fixed_range
    if display == "log":
        least = float(finite.min())
        ends = tuple(float(np.log10(end)) if end > 0 else least for end in ends)
    return np.float64(ends[0]), np.float64(ends[1])


def _levels(values: np.ndarray, attention: AttentionMap, look: Look) -> tuple[float, ...]:
    """Return from where each moment is shown: of all moments together, or of each alone."""
    weights = attention.values.astype(np.float64)
    weights[~np.isfinite(weights)] = 0
    if look.cut == "mass" and weights.min() < 0:
        return ()
    if display_of(attention, look) == "without-reference":
        weights[attention.own] = 0
    if look.normalise == "frame":
        pairs = zip(values, weights, strict=True)
        return tuple(_level(one.ravel(), weight.ravel(), look) for one, weight in pairs)
    return (_level(values.ravel(), weights.ravel(), look),) * len(values)


def _level(values: np.ndarray, weights: np.ndarray, look: Look) -> float:
    """Return the value of the lowest cell that is shown; above 1 where none is, as of cells that
    are all alike, of which none is among the highest."""
    if values.min() == values.max():
        return NOTHING
    order = np.argsort(-values, kind="stable")
    if look.cut == "area":
        count = math.ceil(look.share * len(values) - 1e-9)
    else:
        held = np.cumsum(weights[order])
        count = int(np.searchsorted(held, look.share * held[-1] * (1 - 1e-12))) + 1
        count = 0 if look.share <= 0 else min(count, len(values))
    return float(values[order[count - 1]]) if count else NOTHING


def upsample(values: np.ndarray, height: int, width: int, interpolation: str) -> np.ndarray:
    """(T, h, w) -> (T, height, width) float32: bilinear, half-pixel centres, or nearest."""
    stacked = torch.from_numpy(np.ascontiguousarray(values)).unsqueeze(1)
    if interpolation == "nearest":
        scaled = F.interpolate(stacked, size=(height, width), mode="nearest-exact")
    else:
        scaled = F.interpolate(stacked, size=(height, width), mode="bilinear", align_corners=False)
    return scaled.squeeze(1).numpy()


def kept(heat: np.ndarray, level: float) -> np.ndarray:
    """Return where the (upsampled) heat is shown: at or above a level."""
    return heat >= np.float32(level)
