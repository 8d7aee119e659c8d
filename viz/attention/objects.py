"""What a detector found, in pixels of the original picture; rows of objects, and where they go."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch

from errors import InputError, OutsideError
from models.blocks.layout import Grid
from viz.attention.captures import BlockCapture, Capture
from viz.attention.kinds.registry import kind_of
from viz.geometry import Box, Geometry
from viz.types import AttentionMap, Cell

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
        raise InputError(
            f"{model} classifies and finds no objects; choose a detector, or give a pixel of the "
            "picture."
        )
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


def cells_of(one: FoundObject, geometry: Geometry, grid: Grid) -> np.ndarray:
    """Return which cells of a frame belong to an object, (rows, cols) bool, at least one.

    A cell belongs where its centre lies in the mask or, without one, in the box.
    """
    inside = np.zeros((grid.rows, grid.cols), bool)
    for row in range(grid.rows):
        for col in range(grid.cols):
            inside[row, col] = _covers(one, *geometry.cell_centre(row, col, grid))
    if not inside.any():
        inside[geometry.nearest_cell(*one.centre, grid)] = True
    return inside


def _covers(one: FoundObject, x: float, y: float) -> bool:
    box = one.box
    if not (box.left <= x < box.right and box.top <= y < box.bottom):
        return False
    if one.mask is None:
        return True
    rows, cols = one.mask.shape
    u = int((x - box.left) / (box.right - box.left) * cols)
    v = int((y - box.top) / (box.bottom - box.top) * rows)
    return bool(one.mask[min(v, rows - 1), min(u, cols - 1)] > _MASKED)


def mean_row(
    capture: Capture, block: BlockCapture, one: FoundObject, frame: int = 0
) -> AttentionMap:
    """Return the mean of the rows of all patches of an object: values (T, h, w) float32.

    InputError where a reference of the block has several maps.
    """
    kind = kind_of(block)
    if not kind.is_single(block):
        raise InputError(
            f"Block {block.label} ({kind.title}) has several maps for a reference, and no mean of "
            "rows; choose an NL block, or --kind features."
        )
    grid = block.query_grid
    t = capture.moment(frame, grid)
    places = np.argwhere(cells_of(one, capture.geometry, grid)).tolist()
    rows = [kind.map(block, Cell(t, y, x)) for y, x in places]
    middle = Cell(t, *capture.geometry.nearest_cell(*one.centre, grid))
    mean = torch.from_numpy(np.stack([row.values for row in rows])).mean(0).numpy()
    return replace(
        rows[0],
        values=mean,
        query=replace(rows[0].query, cell=middle),
        label=f"{rows[0].label} mean",
    )


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


@dataclass(frozen=True)
class Energy:
    """Which share of a row's weight lies in its own object, in others of its class, in objects of
    other classes and in the background; the four sum to 1."""

    own: float
    same_class: float
    other_classes: float
    background: float


def energy(
    attention: AttentionMap,
    one: FoundObject,
    objects: Iterable[FoundObject],
    geometry: Geometry,
    frame: int = 0,
) -> Energy:
    """Return where the weight of a row lies; of values of any sign what is above 0 counts.

    A cell that several objects cover counts for the first of: its own, its class, the others.
    """
    values = np.clip(attention.values[frame].astype(np.float64), 0, None)
    grid, total = Grid(1, *values.shape), values.sum()
    if not total > 0:
        return Energy(0.0, 0.0, 0.0, 1.0)
    left, shares = np.ones(values.shape, bool), []
    others = [other for other in objects if other.number != one.number]
    alike = [other for other in others if other.label == one.label]
    unlike = [other for other in others if other.label != one.label]
    for part in ([one], alike, unlike):
        covered = np.zeros(values.shape, bool)
        for other in part:
            covered |= cells_of(other, geometry, grid)
        shares.append(float(values[covered & left].sum() / total))
        left &= ~covered
    return Energy(*shares, float(values[left].sum() / total))
