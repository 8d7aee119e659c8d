"""Birds in whole pictures: a bounding-box crop set back into a scene, at its own aspect.

Only tight crops of most species are at hand. Set into another photograph, or into its own mirrored
and blurred surroundings, at a random size and place, they teach a network to find the bird.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

LEAST, LARGEST = 0.3, 0.9
"""Longest side of the bird's box over the side of the picture."""
OWN_SURROUNDINGS = 0.4
"""Share of the pictures whose background is the crop itself, mirrored and blurred."""
BIRD_CLASSES = (*range(7, 25), *range(80, 101), *range(127, 147))
"""ImageNet classes that show birds: no background for another bird."""


@dataclass(frozen=True)
class Framed:
    """A picture (S, S, 3) uint8 and the bird's box in it: left, top, width, height in pixels."""

    picture: np.ndarray
    box: tuple[int, int, int, int]


def load_aspects(annotations: Path) -> dict[int, float]:
    """Return {CUB id: width over height of the bird's box}."""
    aspects = {}
    for line in (annotations / "bounding_boxes.txt").read_text().splitlines():
        key, _left, _top, width, height = line.split()
        aspects[int(key)] = float(width) / float(height)
    return aspects


def frame(
    draw: np.random.Generator,
    crop: np.ndarray,
    aspect: float,
    background: np.ndarray,
    side: int,
) -> Framed:
    """Set a squashed crop (H, W, 3) uint8 into a picture of side x side pixels.

    ``background`` (h, w, 3) uint8 is any photograph.
    """
    longest = side * draw.uniform(LEAST, LARGEST)
    wide = max(8, round(longest * min(1.0, aspect)))
    high = max(8, round(longest / max(1.0, aspect)))
    left, top = (int(draw.integers(0, side - n + 1)) for n in (wide, high))
    bird = cv2.resize(crop, (wide, high), interpolation=cv2.INTER_AREA)
    if draw.random() < OWN_SURROUNDINGS:
        scene = _mirrored(bird, left, top, side)
    else:
        scene = _part_of(draw, background, side)
    mask = _soft_mask(wide, high)[..., None]
    place = (slice(top, top + high), slice(left, left + wide))
    scene[place] = (mask * bird + (1 - mask) * scene[place]).astype(np.uint8)
    if draw.random() < 0.5:
        scene, left = scene[:, ::-1], side - left - wide
    return Framed(np.ascontiguousarray(scene), (left, top, wide, high))


def _mirrored(bird: np.ndarray, left: int, top: int, side: int) -> np.ndarray:
    """Return the crop continued by reflection, blurred, side x side."""
    high, wide = bird.shape[:2]
    rows, cols = (_reflected(side, at, n) for at, n in ((top, high), (left, wide)))
    return cv2.GaussianBlur(bird[rows[:, None], cols[None]], (0, 0), side / 28)


def _reflected(side: int, at: int, n: int) -> np.ndarray:
    """Return which of n pixels is seen at each of ``side``, by reflection around at..at+n."""
    folded = np.abs(np.arange(side) - at) % (2 * n)
    return np.where(folded < n, folded, 2 * n - 1 - folded).clip(0, n - 1)


def _part_of(draw: np.random.Generator, photo: np.ndarray, side: int) -> np.ndarray:
    cut = int(draw.uniform(0.5, 1.0) * min(photo.shape[:2]))
    top, left = (int(draw.integers(0, n - cut + 1)) for n in photo.shape[:2])
    part = photo[top : top + cut, left : left + cut]
    return cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA)


def _soft_mask(wide: int, high: int) -> np.ndarray:
    """Return 1 inside and a ramp to 0 over the outer 6 % of the box, (high, wide)."""
    ramps = []
    for n in (high, wide):
        at = np.minimum(np.arange(n) + 0.5, n - np.arange(n) - 0.5) / n
        ramps.append((at / 0.06).clip(0, 1))
    return ramps[0][:, None] * ramps[1][None]
