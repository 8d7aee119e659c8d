"""Files that claim, unfold or repeat far more than they weigh: read or one line, within 10 s and
1.5 GB, by every reader that may get them."""

import gc
import os
import warnings
from pathlib import Path

import pytest

from errors import AttentionVizError
from models.checkpoints.containers import read as checkpoint
from tests.abuse.inputs import bombs
from tests.abuse.measured import measured
from ui.isolation import child
from viz.datasets import archive
from viz.datasets.annotations import columns, files
from viz.datasets.annotations.cub import CLASSES, IMAGES, LABELS
from viz.figure import keypoints
from viz.figure.files import embedded_recipe
from viz.figure.page import fonts
from viz.media import footage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

IS_ALL = os.environ.get("NONLOCAL_VIZ_ABUSE") == "all"
SECONDS, MEGABYTES = 10, 1500
LARGE = {
    "profile_of_zeros", "text_of_zeros", "many_chunks", "large_and_packed", "zip_of_one_bomb",
    "zip_that_lies", "zip_of_overlaps", "pdf_of_zeros", "eps_of_zeros", "torch_zip_of_zeros",
    "zip_of_many", "torch_zip_of_many", "tiff_of_many_pages", "safetensors_of_many",
    "svg_of_one_long_name", "webp_of_one_colour", "jpeg_of_many_coefficients", "png_of_opacity",
    "jpeg_of_many_exifs", "pickle_of_marks", "pickle_of_one_long_number", "zip_in_zip",
    "png_of_many_frames", "webp_of_many_frames",
    "boxes_of_one_picture", "coco_of_empty_lists", "coco_of_long_names", "coco_of_outlines",
    "cub_of_one_long_class", "points_of_many_pictures", "runs_of_zeros",
}  # fmt: skip
"""What takes seconds to make or to refuse: `make abuse`."""


def media(content, _folder):
    found = footage.read(content, "x")
    found.take((0, len(found.times) - 1) if found.is_clip else (0,))


def data_set(content, _folder):
    archive.unpack(content, "x")


def annotations(content, _folder):
    if content[:1].isdigit():
        labels = b"\n".join(line.split()[0] + b" a" for line in content.splitlines())
        given = {IMAGES: content, LABELS: labels, CLASSES: b"a " + b"x" * 500}
    else:
        given = {"x.json" if content[:1] in b"[{" else "x.csv": content}
    before = gc.get_threshold()
    try:
        gc.set_threshold(*child.SELDOM)  # as in a child
        packed = columns.packed(files.parse(given))
        columns.unpacked(packed, sum(map(len, given.values())))
    finally:
        gc.set_threshold(*before)


def recipe(content, _folder):
    embedded_recipe.read(content, "x")


def points(content, _folder):
    keypoints.read_bytes(content, "x")


def weights(content, folder):
    (folder / "x.pth").write_bytes(content)
    checkpoint.read(folder / "x.pth")


def font(content, folder):
    (folder / "x.ttf").write_bytes(content)
    fonts.properties(str(folder / "x.ttf"), "abc")


READERS = {
    media: bombs.PICTURES, data_set: bombs.DATA_SETS, annotations: bombs.ANNOTATIONS,
    recipe: bombs.RECIPES, points: bombs.POINTS, weights: bombs.WEIGHTS, font: bombs.FONTS,
}  # fmt: skip
CASES = [(reader, make) for reader, makers in READERS.items() for make in makers]


@pytest.mark.parametrize(("reader", "make"), CASES, ids=lambda one: one.__name__)
def test_a_bomb_is_read_or_refused(tmp_path: Path, one_line, reader, make):
    if make.__name__ in LARGE and not IS_ALL:
        pytest.skip("takes seconds: make abuse")
    content = make()
    with warnings.catch_warnings(), measured() as cost:
        warnings.simplefilter("ignore")
        try:
            reader(content, tmp_path)
        except AttentionVizError as problem:
            one_line(problem)
    assert cost.seconds < SECONDS
    assert cost.megabytes < MEGABYTES
