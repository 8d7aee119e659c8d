"""Crops and annotations that training and evaluation read."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from scripts.training.bird_data import CropSettings, load_birds, load_parts, random_crops


@pytest.fixture
def annotated(tmp_path: Path) -> tuple[Path, Path]:
    crops, notes = tmp_path / "crops", tmp_path / "notes"
    (notes / "parts").mkdir(parents=True)
    for folder in ("Blue_Jay", "Wren"):
        (crops / "images" / folder).mkdir(parents=True)
    (crops / "classes.txt").write_text("0, Blue_Jay\n1, Wren\n")
    rows = ["path,cub_image_id"]
    for key, path in ((3, "Blue_Jay/0.jpg"), (5, "Wren/0.jpg"), (7, "Wren/1.jpg")):
        Image.fromarray(np.full((227, 227, 3), 10 * key, np.uint8)).save(crops / "images" / path)
        rows.append(f"{path},{key}")
    (crops / "derived_cub_ids.csv").write_text("\n".join(rows) + "\n")
    (notes / "train_test_split.txt").write_text("3 1\n5 0\n7 1\n")
    (notes / "bounding_boxes.txt").write_text("3 10 20 100 50\n5 0 0 10 10\n7 0 0 10 10\n")
    (notes / "parts" / "part_locs.txt").write_text(
        "3 1 60.0 30.0 1\n3 2 20.0 60.0 0\n3 4 500.0 30.0 1\n5 1 5 5 1\n"
    )
    return crops, notes


def test_the_official_split_divides_the_crops(annotated):
    train, test = (load_birds(*annotated, 32, train=t) for t in (True, False))
    assert train.ids == [3, 7]
    assert test.ids == [5]
    assert train.labels.tolist() == [0, 1]
    assert train.names == ["Blue Jay", "Wren"]
    assert train.images.shape == (2, 3, 32, 32)
    assert abs(int(train.images[1].float().mean()) - 70) <= 2


def test_parts_are_visible_inside_the_box_and_relative_to_it(annotated):
    parts = load_parts(annotated[1], [3, 7])
    assert parts == {3: [(1, pytest.approx(0.5), pytest.approx(0.2))], 7: []}


def test_a_crop_shows_a_horizontal_ramp_in_one_of_its_two_directions():
    ramp = torch.linspace(0, 255, 32).to(torch.uint8).expand(40, 3, 32, 32)
    draw = torch.Generator().manual_seed(2)
    crops = random_crops(ramp, CropSettings(16, jitter=0.0), draw)
    slope = (crops[..., -1] - crops[..., 0]).mean((1, 2))
    assert (slope.abs() > 0.3).all()
    assert 8 < (slope > 0).sum() < 32  # mirrored half the time
    assert crops.std(2).amax() < 1e-4  # rows stay alike: width and height are not swapped


def test_crops_keep_a_constant_image_constant():
    images = torch.full((4, 3, 20, 20), 100, dtype=torch.uint8)
    crops = random_crops(images, CropSettings(12, jitter=0.0), torch.Generator().manual_seed(1))
    torch.testing.assert_close(crops, torch.full((4, 3, 12, 12), 100 / 255))


def test_erasing_greys_out_one_rectangle_of_the_crops_it_is_asked_for():
    images = torch.randint(0, 255, (6, 3, 40, 40), dtype=torch.uint8)
    settings = CropSettings(40, least_area=0.9, jitter=0.0, erase=1.0)
    crops = random_crops(images, settings, torch.Generator().manual_seed(1))
    for crop in crops:
        grey = (crop - crop.flatten(1).mode(dim=1).values[:, None, None]).abs().sum(0) < 1e-6
        assert 0.03 < grey.float().mean() < 0.2
