"""What a detector found, in pixels of the original picture."""

from dataclasses import dataclass

import cv2
import numpy as np

from errors import InputError, OutsideError
from models.blocks.layout import Grid
from viz.attention.captures import Capture
from viz.geometry import Box, Geometry

SHOWN_SCORE = 0.5
"""Objects below this score are listed only when it is lowered."""
_MASKED = 0.5
_CONTOUR_SIDE = 512
"""Longest side in pixels at which the outline of a mask is followed."""


@dataclass(frozen=True, eq=False)
class FoundObject:
    """An object of a frame: ``number`` from 0, best score first; its class and score in [0, 1];
    its box in original pixels.

    ``mask`` (m, m) float32 are probabilities over the box, ``keypoints`` (k, 3) x, y in original
    pixels and visibility; None without.
    """

    number: int
    label: int
    name: str
    score: float
    box: Box
    mask: np.ndarray | None = None
    keypoints: np.ndarray | None = None

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of its box."""
        box = self.box
        return (box.left + box.right) / 2, (box.top + box.bottom) / 2

    def holds(self, x: float, y: float) -> bool:
        """Tell whether an original pixel lies in its box."""
        box = self.box
        return box.left <= x < box.right and box.top <= y < box.bottom

    @property
    def words(self) -> str:
        """Number, class and score: 2 person 0.98."""
        return f"{self.number} {self.name} {self.score:.2f}"


def is_detector(capture: Capture) -> bool:
    """Tell whether the network of a capture finds objects."""
    return bool(capture.detections)


def found(
    capture: Capture, frame: int = 0, score: float = SHOWN_SCORE, name: str | None = None
) -> tuple[FoundObject, ...]:
    """Return the objects of a frame that score at least ``score``, best first; of one class where
    ``name`` gives it.

    InputError where the network is a classifier, or for a score that is none.
    """
    if not is_detector(capture):
        model = "This network" if capture.model is None else capture.model.id
        raise InputError(f"{model} classifies and finds no objects; choose a detector.")
    if not 0 <= score <= 1:
        raise InputError(f"{score!r} is not a score; give a number from 0 to 1.")
    kept = [one for one in _all(capture, frame) if one.score >= score]
    return tuple(one for one in kept if name in (None, one.name))


def chosen(capture: Capture, number: int, frame: int = 0) -> FoundObject:
    """Return object ``number`` of a frame, whatever its score; OutsideError where there is none."""
    objects = found(capture, frame, 0.0)
    if not 0 <= number < len(objects):
        has = f"it has objects 0 to {len(objects) - 1}" if objects else "nothing was found in it"
        raise OutsideError(f"{number} is not an object of this picture; {has}.")
    return objects[number]


def _all(capture: Capture, frame: int) -> tuple[FoundObject, ...]:
    return capture.memory.once(("objects", frame), lambda: _resolved(capture, frame))


def _resolved(capture: Capture, frame: int) -> tuple[FoundObject, ...]:
    # A still picture that is held for several frames has one answer.
    here = capture.detections[min(frame, len(capture.detections) - 1)]
    geometry, order = capture.geometry, here.scores.argsort(descending=True, stable=True)
    spec = None if capture.model is None else capture.model.spec
    beyond, objects = getattr(spec, "last_pixel", 0), []
    for number, k in enumerate(order.tolist()):
        label, points = int(here.labels[k]), None
        if here.keypoints is not None:
            points = here.keypoints[k].numpy().copy()
            points[:, :2] = [geometry.to_original(x, y) for x, y in points[:, :2].tolist()]
        x1, y1, x2, y2 = here.boxes[k].tolist()
        x2, y2 = max(x1, x2 + beyond), max(y1, y2 + beyond)
        objects.append(
            FoundObject(
                number,
                label,
                f"class {label}" if capture.model is None else capture.model.class_name(label),
                float(here.scores[k]),
                Box(*geometry.to_original(x1, y1), *geometry.to_original(x2, y2)),
                None if here.masks is None else here.masks[k].float().numpy(),
                points,
            )
        )
    return tuple(objects)


def reference_of(capture: Capture, one: FoundObject) -> tuple[float, float]:
    """Return the pixel that stands for an object as a reference: its centre, in the picture."""
    x, y = one.centre
    width, height = capture.geometry.width, capture.geometry.height
    return min(max(x, 0.0), width * (1 - 1e-6)), min(max(y, 0.0), height * (1 - 1e-6))


def number_at(capture: Capture, at: tuple[float, float], frame: int = 0) -> int | None:
    """Return the object whose box holds original pixel ``at``: the best one; else the best of all.

    None where nothing was found, and for a classifier.
    """
    listed = _all(capture, frame) if is_detector(capture) else ()
    holding = (one for one in listed if one.holds(*at))
    found_here = next(holding, None) or next(iter(listed), None)
    return None if found_here is None else found_here.number


def cells_of(one: FoundObject, geometry: Geometry, grid: Grid) -> np.ndarray:
    """Return which cells of a frame belong to an object, (rows, cols) bool, at least one.

    A cell belongs where its centre lies in the mask or, without one, in the box.
    """
    box = one.box
    x = np.array([geometry.cell_centre(0, col, grid)[0] for col in range(grid.cols)])
    y = np.array([geometry.cell_centre(row, 0, grid)[1] for row in range(grid.rows)])
    across, down = (x >= box.left) & (x < box.right), (y >= box.top) & (y < box.bottom)
    inside = down[:, None] & across
    if one.mask is not None and inside.any():
        rows, cols = one.mask.shape
        u = ((x - box.left) / (box.right - box.left) * cols).astype(int).clip(0, cols - 1)
        v = ((y - box.top) / (box.bottom - box.top) * rows).astype(int).clip(0, rows - 1)
        inside &= one.mask[v][:, u] > _MASKED
    if not inside.any():
        inside[geometry.nearest_cell(*one.centre, grid)] = True
    return inside


def outline(one: FoundObject) -> tuple[np.ndarray, ...]:
    """Return the lines around an object's mask, (K, 2) x, y in original pixels each; () without a
    mask."""
    if one.mask is None:
        return ()
    box = one.box
    wide, high = max(box.right - box.left, 1e-6), max(box.bottom - box.top, 1e-6)
    factor = min(1.0, _CONTOUR_SIDE / max(wide, high))
    size = max(2, round(wide * factor)), max(2, round(high * factor))
    probable = cv2.resize(one.mask, size, interpolation=cv2.INTER_LINEAR) > _MASKED
    framed = cv2.copyMakeBorder(probable.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    lines, _tree = cv2.findContours(framed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    step = np.array([wide / size[0], high / size[1]])
    corner = np.array([box.left, box.top])
    closed = (np.concatenate([line, line[:1]])[:, 0].astype(float) for line in lines)
    return tuple((line - 0.5) * step + corner for line in closed)
