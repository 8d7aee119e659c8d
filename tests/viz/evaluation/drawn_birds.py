"""A drawn data set: discs with three named parts, a box, a mask; and a network that knows it."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

SIDE, PARTS = 64, ("head", "wing", "tail")


def dataset(folder: Path, count: int = 5) -> Path:
    """Write ``count`` pictures of 64 x 64 with points.csv and boxes.csv; return the folder."""
    draw = np.random.default_rng(7)
    folder.mkdir(parents=True, exist_ok=True)
    points, boxes = ["image,name,x,y"], ["image,left,top,right,bottom,class"]
    for k in range(count):
        pixels = draw.integers(0, 90, (SIDE, SIDE, 3), dtype=np.uint8)
        left, top = draw.integers(4, 24, 2)
        pixels[top : top + 36, left : left + 36] += 120
        Image.fromarray(pixels).save(folder / f"{k:02d}.png")
        boxes.append(f"{k:02d}.png,{left},{top},{left + 36},{top + 36},{'ab'[k % 2]}")
        for n, name in enumerate(PARTS):
            points.append(f"{k:02d}.png,{name},{left + 5 + 12 * n},{top + 8 + 9 * n}")
    (folder / "points.csv").write_text("\n".join(points))
    (folder / "boxes.csv").write_text("\n".join(boxes))
    return folder


def coco(folder: Path) -> Path:
    """Write one picture whose object is an outline; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((SIDE, SIDE, 3), np.uint8)).save(folder / "a.png")
    triangle = [0, 0, 63, 0, 0, 63]
    content = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "annotations": [{"image_id": 1, "segmentation": [triangle]}],
    }
    (folder / "instances.json").write_text(json.dumps(content))
    return folder


def cub(folder: Path) -> Path:
    """Write one picture in CUB's layout; return the folder."""
    (folder / "images" / "001.Jay").mkdir(parents=True)
    Image.fromarray(np.zeros((SIDE, SIDE, 3), np.uint8)).save(folder / "images/001.Jay/j1.png")
    (folder / "images.txt").write_text("1 001.Jay/j1.png")
    return folder
