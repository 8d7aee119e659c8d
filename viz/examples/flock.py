"""The example data set, drawn by the program itself: the example bird from twelve sides, each with
its parts, box, outline and class. Always the same bytes."""

import csv
import io
import json
from collections.abc import Iterator
from functools import cache
from math import cos, radians, sin
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from viz.examples import bird

COUNT, WIDTH, HEIGHT = 12, 400, 300
CLASSES = ("blue-winged", "green-winged")
PARTS = {
    "beak": (462, 138), "eye": (411, 132), "crown": (392, 98), "breast": (410, 210),
    "belly": (335, 292), "wing": (330, 240), "tail": (185, 405), "foot": (352, 336),
}  # fmt: skip
"""Name -> pixel of the example picture."""
_LEAST_SCALE, _MOST_SCALE, _TURN, _SHIFT, _MOST_TRIES = 0.4, 0.62, 16.0, 70.0, 200
_MARGIN = 4


class DrawnBird(NamedTuple):
    """One picture: pixels (H, W, 3) uint8, its parts in pixels, the bird's outline, its class."""

    name: str
    pixels: np.ndarray
    parts: dict[str, tuple[float, float]]
    outline: np.ndarray
    class_name: str

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the outline."""
        (left, top), (right, bottom) = self.outline.min(0), self.outline.max(0)
        return float(left), float(top), float(right), float(bottom)


@cache
def drawn() -> tuple[DrawnBird, ...]:
    """Return the pictures of the data set, all of 400 x 300 pixels."""
    return tuple(_drawn())


def _drawn() -> Iterator[DrawnBird]:
    draw, scene = np.random.default_rng(11), bird.clip().frames[0]
    outline = bird.outline()
    places = np.array(list(PARTS.values()), float)
    for k in range(COUNT):
        way = _way(draw, k % 2 == 1, np.concatenate([outline, places]))
        pixels = cv2.warpAffine(
            scene, way, (WIDTH, HEIGHT), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
        )
        is_green = k % 3 == 2
        if is_green:
            pixels = pixels[..., [0, 2, 1]]
        lit = pixels * draw.uniform(0.8, 1.15) + draw.normal(0, 3, pixels.shape)
        parts = dict(zip(PARTS, map(tuple, _moved(places, way).tolist()), strict=True))
        yield DrawnBird(
            f"bird-{k + 1:02d}.png",
            np.rint(lit).clip(0, 255).astype(np.uint8),
            parts,
            _moved(outline, way),
            CLASSES[is_green],
        )


def _way(draw: np.random.Generator, flipped: bool, points: np.ndarray) -> np.ndarray:
    """Return a flip, turn, scale and shift (2, 3) that leaves all points (K, 2) in the picture."""
    for _ in range(_MOST_TRIES):
        scale = draw.uniform(_LEAST_SCALE, _MOST_SCALE)
        angle = radians(draw.uniform(-_TURN, _TURN))
        turn = scale * np.array([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]])
        turn = turn @ np.diag([-1.0 if flipped else 1.0, 1.0])
        middle = turn @ points.mean(0)
        shift = np.array([WIDTH, HEIGHT]) / 2 - middle + draw.uniform(-_SHIFT, _SHIFT, 2)
        way = np.column_stack([turn, shift])
        moved = _moved(points, way)
        inside = moved.min() >= _MARGIN and (moved < np.array([WIDTH, HEIGHT]) - _MARGIN).all()
        if inside:
            break
    return way


def _moved(points: np.ndarray, way: np.ndarray) -> np.ndarray:
    return points @ way[:, :2].T + way[:, 2]


def write(folder: Path) -> Path:
    """Write the data set: pictures in a folder a class, points.csv, and outlines.json in COCO's
    form. Return the folder; what is there already is written again, with the same bytes."""
    points, images, outlines = [("image", "name", "x", "y")], [], []
    for k, one in enumerate(drawn(), 1):
        name = f"{one.class_name}/{one.name}"
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        packed = io.BytesIO()
        Image.fromarray(one.pixels).save(packed, "PNG", compress_level=1)
        path.write_bytes(packed.getvalue())
        points += [(name, part, round(x, 1), round(y, 1)) for part, (x, y) in one.parts.items()]
        images.append({"id": k, "file_name": name})
        left, top, right, bottom = (round(edge, 1) for edge in one.box)
        outlines.append(
            {
                "image_id": k,
                "category_id": 1 + CLASSES.index(one.class_name),
                "bbox": [left, top, round(right - left, 1), round(bottom - top, 1)],
                "segmentation": [one.outline.round(1).flatten().tolist()],
            }
        )
    with (folder / "points.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(points)
    categories = [{"id": 1 + k, "name": name} for k, name in enumerate(CLASSES)]
    content = {"images": images, "categories": categories, "annotations": outlines}
    (folder / "outlines.json").write_text(json.dumps(content), encoding="utf-8")
    return folder
