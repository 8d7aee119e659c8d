"""Annotations as large as those of an upload may be, of what unfolds to most."""

import json

from viz.datasets.archive import MOST_ANNOTATION_BYTES


def _filled(head: str, piece: str, tail: str) -> bytes:
    """Return a text of so many pieces as fit."""
    count = (MOST_ANNOTATION_BYTES - len(head) - len(tail)) // len(piece)
    return (head + piece * count + tail).encode()


def _coco(one: str, kind: str) -> bytes:
    """COCO's JSON of one picture, with as many objects as fit."""
    head = f'{{"images": [{{"id": 1, "file_name": "a"}}], "categories": [{kind}], "annotations": '
    return _filled(head + "[", one + ",", one + "]}")


def coco_of_empty_lists() -> bytes:
    """COCO's JSON of 5 million outlines without a corner."""
    head = '{"images": [], "annotations": [{"segmentation": ['
    return _filled(head, "[],", "[]]}]}")


def coco_of_deep_objects() -> bytes:
    """COCO's JSON of objects in objects."""
    return _filled('{"images": [], "annotations": [', '{"":', "")


def coco_of_outlines() -> bytes:
    """COCO's JSON of 1.2 million triangles of one object."""
    head = '{"images": [{"id": 1, "file_name": "a"}], "annotations": [{"image_id": 1, '
    return _filled(head + '"segmentation": [', "[0,0,9,0,9,9],", "[0,0,9,0,9,9]]}]}")


def coco_of_long_names() -> bytes:
    """COCO's JSON of 60,000 objects of 16 points, whose names are as long as they may be."""
    names = json.dumps(["x" * 500] * 16)
    points = "1,1,2," * 15 + "1,1,2"
    one = f'{{"image_id": 1, "category_id": 1, "keypoints": [{points}]}}'
    return _coco(one, f'{{"id": 1, "name": "b", "keypoints": {names}}}')


def runs_of_zeros() -> bytes:
    """COCO's JSON of a mask of 16 million runs of no pixels."""
    head = '{"images": [{"id": 1, "file_name": "a"}], "annotations": [{"image_id": 1, '
    head += '"segmentation": {"size": [1, 1], "counts": "'
    return _filled(head, "0", '1"}}]}')


def boxes_of_one_picture() -> bytes:
    """A CSV of a million boxes of one picture."""
    return _filled("image,x,y,width,height\n", "a,1.5,1,5.25,5\n", "")


def points_of_many_pictures() -> bytes:
    """A CSV of a million pictures with a point each."""
    lines = (f"{k},a,1,1\n" for k in range(10**6))
    return ("image,name,x,y\n" + "".join(lines)).encode()


def cub_of_one_long_class() -> bytes:
    """CUB's list of a million pictures, which all are of one class of a long name."""
    return "".join(f"{k} {k}\n" for k in range(10**6)).encode()
